//! Losses of power, modelled on the engine's files: what was forced to the disk is there, of what
//! was written since any part may be. `CAREWEAVE_CUTS=200` asks for more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use super::log_end::LogEnd;
use super::*;
use crate::store::fixture::{chart, person, record, view};

/// Small segments, so that commits reach over several and free ones are used again soon.
const SEGMENT_BYTES: usize = 256 << 10;
const CUTS: usize = 20;
const CUTS_PER_COMMIT: usize = 3;
/// Commits before the first cut: until then no segment is used a second time.
const COMMITS_BEFORE: usize = 12;
const COMMITS_CUT: usize = 8;

/// All files of a data directory.
type Image = BTreeMap<PathBuf, Vec<u8>>;

/// A generator of numbers that the seed alone decides (splitmix64).
pub(super) struct Dice(pub(super) u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    /// Text that does not compress.
    pub(super) fn text(&mut self, bytes: usize) -> String {
        let letter = |n: usize| char::from(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL"[n]);
        (0..bytes).map(|_| letter(self.roll(48))).collect()
    }
}

fn image(dir: &Path) -> Image {
    let mut files = Image::new();
    let mut dirs = vec![dir.to_path_buf()];
    while let Some(at) = dirs.pop() {
        for entry in std::fs::read_dir(&at).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => dirs.push(path),
                false => {
                    // The engine removes files meanwhile.
                    let Ok(bytes) = std::fs::read(&path) else { continue };
                    files.insert(path.strip_prefix(dir).unwrap().to_path_buf(), bytes);
                }
            }
        }
    }
    files
}

fn lay_out(files: &Image, dir: &Path) {
    std::fs::create_dir_all(dir.join("sled/blobs")).unwrap();
    for (path, bytes) in files {
        std::fs::write(dir.join(path), bytes).unwrap();
    }
}

/// What may be on the disk when the power goes after `forced` was forced and `written` written.
fn cut(dice: &mut Dice, forced: &Image, written: &Image) -> Image {
    let block = if dice.roll(2) == 0 { 512 } else { 4096 };
    let new_of_eight = dice.roll(9);
    let paths: BTreeSet<&PathBuf> = forced.keys().chain(written.keys()).collect();
    let mut left = Image::new();
    for path in paths {
        // The engine forces a snapshot before it gives it its name.
        let is_whole = path.to_string_lossy().contains("snap.");
        let bytes = match (forced.get(path), written.get(path)) {
            (Some(old), Some(new)) => mixed(dice, old, new, (block, new_of_eight)),
            (None, Some(_)) | (Some(_), None) if dice.roll(2) == 0 => continue,
            (None, Some(new)) if !is_whole => mixed(dice, &[], new, (block, new_of_eight)),
            (Some(bytes), None) | (None, Some(bytes)) => bytes.clone(),
            (None, None) => continue,
        };
        left.insert(path.clone(), bytes);
    }
    left
}

fn mixed(
    dice: &mut Dice,
    old: &[u8],
    new: &[u8],
    (block, new_of_eight): (usize, usize),
) -> Vec<u8> {
    let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
    let len = match dice.roll(3) {
        0 => old.len(),
        1 => new.len(),
        _ => (short + dice.roll(long - short + 1)).next_multiple_of(512).min(long),
    };
    let mut bytes = old.to_vec();
    bytes.resize(len, 0);
    for at in (0..len.min(new.len())).step_by(block) {
        let end = (at + block).min(len).min(new.len());
        if dice.roll(8) < new_of_eight {
            bytes[at..end].copy_from_slice(&new[at..end]);
        }
    }
    bytes
}

/// Everything that is stored, as one hash.
fn everything(store: &SledStore) -> Hash {
    let items = store.db.iter().map(|item| item.unwrap());
    let parts = items.flat_map(|(k, v)| [k.to_vec(), v.to_vec()]).collect::<Vec<_>>();
    Hash::of_parts(parts.iter().map(Vec::as_slice))
}

/// Some commit: source records, views that replace earlier ones, an audit entry.
fn commit_something(dice: &mut Dice, store: &SledStore, nth: usize) {
    let reach = [1, 6, 30][dice.roll(3)];
    let homes: BTreeSet<usize> = (0..reach).map(|_| dice.roll(40)).collect();
    let longest = [400, 8_000, 30_000][dice.roll(3)];
    match dice.roll(3) {
        0 => {
            let mut accept = Accept::default();
            for n in homes {
                let home = chart("a", &n.to_string());
                let bytes = dice.roll(longest) + 1;
                let id = (nth * 100 + n) as u128;
                accept.records.push(record(id, None, &dice.text(bytes), &home, 1));
                accept.dirty.insert(home);
            }
            store.accept(accept).unwrap();
        }
        _ => {
            let mut views = Vec::new();
            for n in homes {
                let mut texts = Vec::new();
                for _ in 0..=dice.roll(8) {
                    let bytes = dice.roll(longest) + 1;
                    texts.push(dice.text(bytes));
                }
                let rows: Vec<(u128, &str)> = (0..)
                    .map(|r| n as u128 * 1000 + r)
                    .zip(texts.iter().map(String::as_str))
                    .collect();
                views.push(view(person(n as u128), &rows));
            }
            store.settle(Settle { views, ..Settle::default() }).unwrap();
        }
    }
}

#[test]
fn a_loss_of_power_takes_the_last_commit_whole_or_not_at_all() {
    let cuts: usize =
        std::env::var("CAREWEAVE_CUTS").ok().map_or(CUTS, |cuts| cuts.parse().unwrap());
    let mut dice = Dice(20_261_122);
    let mut done = 0;
    let mut faults: Vec<String> = Vec::new();
    let mut world = 0;
    while done < cuts {
        world += 1;
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open_sized(dir.path(), SEGMENT_BYTES).unwrap();
        (0..COMMITS_BEFORE).for_each(|nth| commit_something(&mut dice, &store, nth));
        let images: Arc<Mutex<Vec<Image>>> = Arc::default();
        let (kept, at) = (images.clone(), dir.path().to_path_buf());
        let keep = move || kept.lock().unwrap().push(image(&at));
        store.writer.lock().unwrap().watch = Some(Box::new(keep));
        let mut before = everything(&store);
        for nth in (COMMITS_BEFORE..).take(COMMITS_CUT) {
            let mut forced = image(dir.path());
            commit_something(&mut dice, &store, nth);
            let after = everything(&store);
            let mut points: Vec<Image> = images.lock().unwrap().drain(..).collect();
            points.push(image(dir.path()));
            // Images come in pairs: written, then forced.
            for pair in points.chunks(2) {
                for _ in 0..CUTS_PER_COMMIT {
                    done += 1;
                    let mut left = cut(&mut dice, &forced, &pair[0]);
                    if dice.roll(4) == 0 {
                        left = cut_while_opening(&mut dice, &left);
                    }
                    if let Err(fault) = survives(&left, &[before, after]) {
                        faults.push(format!("store {world} commit {nth}: {fault}"));
                    }
                }
                forced = pair.get(1).unwrap_or(&pair[0]).clone();
            }
            done += 1;
            if let Err(fault) = survives(&forced, &[after]) {
                faults.push(format!("store {world} commit {nth}, acknowledged: {fault}"));
            }
            before = after;
            if done >= cuts {
                break;
            }
        }
    }
    eprintln!("{done} losses of power in {world} stores, {} faults", faults.len());
    assert!(faults.is_empty(), "{} of {done}:\n{}", faults.len(), faults.join("\n"));
}

/// The power goes again while the store opens on what is left. Opening has two stages, each
/// forced before the next: cutting off what is not sure, and what the engine does.
fn cut_while_opening(dice: &mut Dice, left: &Image) -> Image {
    let dir = tempfile::tempdir().unwrap();
    lay_out(left, dir.path());
    let restored = LogEnd::restore(dir.path(), &dir.path().join("sled"), SEGMENT_BYTES);
    assert!(restored.unwrap());
    let restored = image(dir.path());
    if dice.roll(2) == 0 {
        return cut(dice, left, &restored);
    }
    drop(SledStore::open_sized(dir.path(), SEGMENT_BYTES));
    let mut opened = image(dir.path());
    // Written only after all that has been forced.
    opened.retain(|path, _| path.parent() != Some(Path::new("")));
    opened.extend(
        restored
            .iter()
            .filter(|(path, _)| path.parent() == Some(Path::new("")))
            .map(|(path, bytes)| (path.clone(), bytes.clone())),
    );
    cut(dice, &restored, &opened)
}

/// The store opens on what is left, holds one of these states, and goes on.
fn survives(left: &Image, allowed: &[Hash]) -> std::result::Result<(), String> {
    let dir = tempfile::tempdir().unwrap();
    lay_out(left, dir.path());
    let path = dir.path().to_path_buf();
    let allowed = allowed.to_vec();
    let tried = std::panic::catch_unwind(move || {
        let store = SledStore::open_sized(&path, SEGMENT_BYTES).map_err(|e| format!("{e:?}"))?;
        let found = everything(&store);
        if !allowed.contains(&found) {
            return Err("another state".to_owned());
        }
        let mut dice = Dice(1);
        (0..3).for_each(|nth| commit_something(&mut dice, &store, 90_000 + nth));
        let found = everything(&store);
        drop(store);
        let store = SledStore::open_sized(&path, SEGMENT_BYTES).map_err(|e| format!("{e:?}"))?;
        if everything(&store) == found { Ok(()) } else { Err("lost afterwards".to_owned()) }
    });
    tried.unwrap_or_else(|_| Err("panic".to_owned()))
}
