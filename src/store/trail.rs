//! The audit trail: numbered without gaps, each entry chained to the one before by hash.
//!
//! It lies beside the engine, in files that are only appended to, one frame per group of entries
//! that became durable together: a head of [`HEAD_LEN`] bytes, then the entries. A group that was
//! not acknowledged may be torn by a loss of power. It is left where it is, and the next file
//! goes on with its numbers.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{AuditEntry, AuditRow, Result, StoreError, codec};
use crate::flow::Hash;

/// A file that has reached this size is followed by another: bounds what a read of a few entries
/// takes into memory.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Length of the entries, number of the first, how many: 4, 8 and 4 bytes; then a hash over
/// these and the entries.
const HEAD_LEN: usize = 32;
const COUNTS_LEN: usize = 16;

const DAMAGED: StoreError = StoreError::Damaged { what: "audit trail" };

/// The trail, open at its end.
#[derive(Debug)]
pub(super) struct Trail {
    dir: PathBuf,
    end: End,
    file: Option<File>,
    /// Bytes of the open file.
    length: u64,
    /// Set when a write failed half-way: nothing may stand behind it in the same file.
    broken: bool,
}

/// The last entry.
#[derive(Clone, Copy, Debug, Default)]
struct End {
    number: u64,
    chain: Hash,
}

/// A frame of a file in memory.
struct Frame<'f> {
    first: u64,
    count: u32,
    bytes: &'f [u8],
    hash: &'f [u8],
    entries: &'f [u8],
}

impl Trail {
    /// Opens the trail in a directory, which is made if missing.
    ///
    /// # Errors
    /// When files cannot be read; `Damaged` when the last one lost more than its last group.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(io("make the directory of the audit trail"))?;
        let mut trail =
            Self { dir: dir.to_owned(), end: End::default(), file: None, length: 0, broken: false };
        for (at, (first, path)) in files(dir)?.into_iter().rev().enumerate() {
            let content = std::fs::read(&path).map_err(io("read the audit trail"))?;
            let (frames, whole) = frames(&content)?;
            if !whole {
                tracing::warn!(first, "the audit trail ends in a group that never became durable");
            } else if at == 0 {
                let file = OpenOptions::new().append(true).open(&path);
                trail.file = Some(file.map_err(io("open the audit trail"))?);
                trail.length = content.len() as u64;
            }
            // A file may hold nothing but a torn group.
            if let Some(last) = frames.last() {
                let row = last.rows()?.pop().ok_or(DAMAGED)?;
                trail.end = End { number: row.number, chain: row.chain };
                break;
            }
        }
        Ok(trail)
    }

    /// Appends entries; they are durable when it returns.
    pub(super) fn append(&mut self, entries: &[AuditEntry]) -> Result<()> {
        let mut end = self.end;
        let mut rows = Vec::with_capacity(entries.len());
        for entry in entries {
            end = End { number: end.number + 1, chain: chain(end.chain, entry)? };
            rows.push(AuditRow { number: end.number, entry: entry.clone(), chain: end.chain });
        }
        self.append_rows(&rows)
    }

    /// Appends entries that are numbered and chained already.
    pub(super) fn append_rows(&mut self, rows: &[AuditRow]) -> Result<()> {
        let (Some(first), Some(last)) = (rows.first(), rows.last()) else { return Ok(()) };
        if self.broken {
            return Err(StoreError::Engine {
                operation: "write to the audit trail after a failure; restart careweave",
                source: "an earlier write failed half-way".into(),
            });
        }
        let frame = frame(first.number, rows)?;
        self.broken = true;
        self.write(first.number, &frame).map_err(io("write to the audit trail"))?;
        self.broken = false;
        self.end = End { number: last.number, chain: last.chain };
        Ok(())
    }

    /// The number of the last entry.
    pub(super) fn last_number(&self) -> u64 {
        self.end.number
    }

    fn write(&mut self, first: u64, frame: &[u8]) -> std::io::Result<()> {
        let full = self.length >= FILE_BYTES_MAX;
        let file = match self.file.as_mut().filter(|_| !full) {
            Some(file) => file,
            None => {
                let path = self.dir.join(format!("{first:020}"));
                let file = OpenOptions::new().append(true).create(true).open(path)?;
                // Of a file that begins with the same number nothing but a torn group is there.
                file.set_len(0)?;
                File::open(&self.dir)?.sync_all()?;
                self.length = 0;
                self.file.insert(file)
            }
        };
        file.write_all(frame)?;
        file.sync_data()?;
        self.length += frame.len() as u64;
        Ok(())
    }
}

/// The entries after a number, at most so many.
pub(super) fn read(dir: &Path, after: u64, limit: usize) -> Result<Vec<AuditRow>> {
    let files = files(dir)?;
    let from = files.partition_point(|(first, _)| *first <= after + 1).saturating_sub(1);
    let mut rows = Vec::new();
    for (_, path) in &files[from..] {
        let content = std::fs::read(path).map_err(io("read the audit trail"))?;
        let (frames, _) = frames(&content)?;
        for frame in frames {
            if frame.first + u64::from(frame.count) <= after + 1 {
                continue;
            }
            rows.extend(frame.rows()?.into_iter().filter(|row| row.number > after));
            if rows.len() >= limit {
                rows.truncate(limit);
                return Ok(rows);
            }
        }
    }
    Ok(rows)
}

/// The trail's files by the number of their first entry.
fn files(dir: &Path) -> Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io("list the audit trail"))? {
        let path = entry.map_err(io("list the audit trail"))?.path();
        let first = path.file_name().and_then(|name| name.to_str()).and_then(|n| n.parse().ok());
        files.extend(first.map(|first| (first, path)));
    }
    files.sort();
    Ok(files)
}

/// The frames of a file, and whether there is nothing behind them. Only the last group of a file
/// may be torn, since the ones before were durable when it was written.
///
/// # Errors
/// `Damaged` when a whole frame stands behind what does not read.
fn frames(content: &[u8]) -> Result<(Vec<Frame<'_>>, bool)> {
    let mut frames: Vec<Frame<'_>> = Vec::new();
    let mut rest = content;
    let mut next = 0;
    while let Some((frame, behind)) = Frame::split(rest, next) {
        next = frame.first + u64::from(frame.count);
        frames.push(frame);
        rest = behind;
    }
    let is_torn = !(1..rest.len()).any(|at| Frame::split(&rest[at..], next).is_some());
    if is_torn { Ok((frames, rest.is_empty())) } else { Err(DAMAGED) }
}

impl<'f> Frame<'f> {
    /// The frame that some bytes begin with, if it is whole and not of entries before `from`.
    fn split(bytes: &'f [u8], from: u64) -> Option<(Self, &'f [u8])> {
        let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        let first = u64::from_be_bytes(bytes.get(4..12)?.try_into().ok()?);
        let count = u32::from_be_bytes(bytes.get(12..COUNTS_LEN)?.try_into().ok()?);
        let entries = bytes.get(HEAD_LEN..HEAD_LEN.checked_add(length)?)?;
        let hash = &bytes[COUNTS_LEN..HEAD_LEN];
        let frame = Self { first, count, bytes: &bytes[..COUNTS_LEN], hash, entries };
        // The hash last: it is asked for at every place of a torn group.
        let plausible = count > 0 && first >= from && first - from < u64::from(u32::MAX);
        (plausible && frame.is_whole()).then_some((frame, &bytes[HEAD_LEN + length..]))
    }

    fn is_whole(&self) -> bool {
        Hash::of_parts([self.bytes, self.entries]).0.to_be_bytes() == self.hash
    }

    fn rows(&self) -> Result<Vec<AuditRow>> {
        codec::decode("audit entry", self.entries)
    }
}

fn frame(first: u64, rows: &[AuditRow]) -> Result<Vec<u8>> {
    let entries = codec::encode(rows)?;
    let mut frame = Vec::with_capacity(HEAD_LEN + entries.len());
    for count in [entries.len(), rows.len()] {
        u32::try_from(count).map_err(|_| StoreError::Engine {
            operation: "store a group of audit entries above 4 GiB",
            source: "group too large".into(),
        })?;
    }
    frame.extend_from_slice(&(entries.len() as u32).to_be_bytes());
    frame.extend_from_slice(&first.to_be_bytes());
    frame.extend_from_slice(&(rows.len() as u32).to_be_bytes());
    let hash = Hash::of_parts([frame.as_slice(), entries.as_slice()]);
    frame.extend_from_slice(&hash.0.to_be_bytes());
    frame.extend_from_slice(&entries);
    Ok(frame)
}

/// Checks a piece of the trail: that no entry is missing, added, changed or moved. A piece that
/// begins with entry 1 is checked to the beginning; of another the first entry is taken as given.
///
/// # Errors
/// The number of the first entry that does not follow from the one before.
pub fn verify_audit_chain(rows: &[AuditRow]) -> std::result::Result<(), u64> {
    let mut before = match rows.first() {
        None => return Ok(()),
        Some(first) if first.number == 1 => End::default(),
        Some(first) => End { number: first.number, chain: first.chain },
    };
    let rest = if before.number == 0 { rows } else { &rows[1..] };
    for row in rest {
        let follows = row.number == before.number + 1
            && chain(before.chain, &row.entry).is_ok_and(|chain| chain == row.chain);
        if !follows {
            return Err(row.number);
        }
        before = End { number: row.number, chain: row.chain };
    }
    Ok(())
}

fn chain(before: Hash, entry: &AuditEntry) -> Result<Hash> {
    let entry = codec::to_postcard(entry)?;
    Ok(Hash::of_parts([before.0.to_be_bytes().as_slice(), entry.as_slice()]))
}

fn io(operation: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    move |source| StoreError::Engine { operation, source: Box::new(source) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::store::fixture::at;

    fn entry(n: u32) -> AuditEntry {
        AuditEntry {
            at: at(n.into()),
            reader: "open".into(),
            action: "read".into(),
            resource_type: "Goal".into(),
            owners: Vec::new(),
            request_id: n.to_string().into(),
            count: n,
        }
    }

    fn asked(dir: &Path) -> Vec<u32> {
        let rows = read(dir, 0, 100).unwrap();
        assert_eq!(verify_audit_chain(&rows), Ok(()));
        rows.iter().map(|row| row.entry.count).collect()
    }

    /// Each cut of the last group loses that group at most, and the trail goes on.
    #[test]
    fn a_torn_group_is_passed_over() {
        let made = tempfile::tempdir().unwrap();
        let mut trail = Trail::open(made.path()).unwrap();
        trail.append(&[entry(1), entry(2)]).unwrap();
        let name = files(made.path()).unwrap().remove(0).1;
        let kept = std::fs::metadata(&name).unwrap().len() as usize;
        trail.append(&[entry(3)]).unwrap();
        let whole = std::fs::read(&name).unwrap();
        let zeros = [&whole[..kept], &vec![0; whole.len() - kept]].concat();
        let mut half = whole.clone();
        half[whole.len() - 20..].fill(0);
        let cuts = (kept..whole.len()).map(|cut| whole[..cut].to_vec());
        for torn in cuts.chain([zeros, half]) {
            let dir = tempfile::tempdir().unwrap();
            std::fs::write(dir.path().join(name.file_name().unwrap()), &torn).unwrap();
            assert_eq!(asked(dir.path()), [1, 2]);
            for n in [4, 5] {
                Trail::open(dir.path()).unwrap().append(&[entry(n)]).unwrap();
            }
            assert_eq!(asked(dir.path()), [1, 2, 4, 5]);
        }
    }

    #[test]
    fn what_is_lost_within_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        for n in 1..4 {
            Trail::open(dir.path()).unwrap().append(&[entry(n), entry(10 + n)]).unwrap();
        }
        assert_eq!(asked(dir.path()), [1, 11, 2, 12, 3, 13]);
        let files = files(dir.path()).unwrap();
        assert_eq!(files.len(), 1);
        let whole = std::fs::read(&files[0].1).unwrap();
        for at in 0..2 * whole.len() / 3 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            std::fs::write(&files[0].1, &damaged).unwrap();
            let read = read(dir.path(), 0, 9);
            assert!(matches!(read, Err(StoreError::Damaged { .. })), "{at}");
            assert!(matches!(Trail::open(dir.path()), Err(StoreError::Damaged { .. })), "{at}");
        }
    }
}
