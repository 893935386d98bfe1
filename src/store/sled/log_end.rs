//! The end of what is on the disk for certain, and cutting off what comes after it.
//!
//! The engine writes its log in segments and forces nothing to the disk. After a loss of power
//! any part of what was written since our last sync may be missing, and the engine looks for
//! gaps only behind the place that its newest segment calls stable: a commit over several
//! segments could come back in parts. So the newest segment that was forced is remembered in a
//! file of ours, and later ones are cut off before the engine opens. What is behind the last
//! commit in that one segment the engine checks itself, by checksums.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// In the data directory: the newest segment that was forced.
const FILE: &str = "careweave-log-end";

/// Two places, written in turn: one of them is whole whenever the power goes.
const SLOT_BYTES: u64 = 4096;
const SLOT_LEN: usize = 24;

/// Segments begin with a checksum, their number in the log, and what was stable then; the last
/// two are stored as their exclusive or with the greatest number, and so is the checksum.
const SEGMENT_HEAD: usize = 20;
const LSN_MASK: i64 = i64::MAX;
const CHECKSUM_MASK: u32 = u32::MAX;

/// Where the log is known to end.
#[derive(Debug)]
pub(super) struct LogEnd {
    file: File,
    log: File,
    segment_bytes: u64,
    /// Position in the log of the newest segment that was forced.
    newest: i64,
    next_slot: u64,
}

impl LogEnd {
    /// Makes the files of a closed engine fit to be opened: what was not forced to the disk is
    /// cut off, what an opening left half-done is removed, and all the rest is forced.
    /// Returns false if another process has the engine open.
    pub(super) fn restore(dir: &Path, engine_dir: &Path, segment_bytes: usize) -> io::Result<bool> {
        let log = match OpenOptions::new().read(true).write(true).open(engine_dir.join("db")) {
            Ok(log) => log,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(error),
        };
        match log.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // The engine takes a half-written snapshot for a whole one.
        for path in entries(engine_dir)? {
            if path.extension().is_some_and(|extension| extension == "generating") {
                std::fs::remove_file(path)?;
            }
        }
        if let Some((end, _)) = read(&dir.join(FILE))? {
            for (offset, lsn) in segments(&log, segment_bytes as u64)? {
                if lsn > end {
                    log.write_all_at(&[0; SEGMENT_HEAD], offset)?;
                }
            }
        }
        // Opening builds on what is found: a later loss of power must not take it back.
        for path in entries(&engine_dir.join("blobs"))? {
            File::open(path)?.sync_data()?;
        }
        log.sync_all()?;
        sync_dirs(dir, engine_dir)?;
        Ok(true)
    }

    /// Remembers where the log of an open engine ends; all of it is on the disk.
    pub(super) fn open(dir: &Path, engine_dir: &Path, segment_bytes: usize) -> io::Result<Self> {
        let path = dir.join(FILE);
        let known = read(&path)?;
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path)?;
        let log = File::open(engine_dir.join("db"))?;
        let (newest, slot) = known.unwrap_or((-1, 1));
        let segment_bytes = segment_bytes as u64;
        let mut end = Self { file, log, segment_bytes, newest, next_slot: 1 - slot };
        end.advance()?;
        sync_dirs(dir, engine_dir)?;
        Ok(end)
    }

    /// Remembers the newest segment, durably. Only after the log was forced to the disk.
    pub(super) fn advance(&mut self) -> io::Result<()> {
        let found = segments(&self.log, self.segment_bytes)?;
        let Some(newest) = found.into_iter().map(|(_, lsn)| lsn).max() else { return Ok(()) };
        if newest == self.newest {
            return Ok(());
        }
        self.file.write_all_at(&slot(newest), self.next_slot * SLOT_BYTES)?;
        self.file.sync_all()?;
        self.newest = newest;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }
}

/// Forces the names of files to the disk.
fn sync_dirs(dir: &Path, engine_dir: &Path) -> io::Result<()> {
    for path in [&engine_dir.join("blobs"), engine_dir, dir] {
        match File::open(path) {
            Ok(opened) => opened.sync_all()?,
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn entries(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match std::fs::read_dir(dir) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Where segments with a valid head stand in the file, and in the log.
fn segments(log: &File, segment_bytes: u64) -> io::Result<Vec<(u64, i64)>> {
    let mut found = Vec::new();
    let mut offset = 0;
    let len = log.metadata()?.len();
    while offset + SEGMENT_HEAD as u64 <= len {
        let mut head = [0; SEGMENT_HEAD];
        match log.read_exact_at(&mut head, offset) {
            Ok(()) => found.extend(segment_lsn(&head).map(|lsn| (offset, lsn))),
            // The engine shortens the file meanwhile.
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) => return Err(error),
        }
        offset += segment_bytes;
    }
    Ok(found)
}

fn segment_lsn(head: &[u8; SEGMENT_HEAD]) -> Option<i64> {
    let (checksum, rest) = head.split_first_chunk::<4>()?;
    if u32::from_le_bytes(*checksum) ^ CHECKSUM_MASK != crc32fast::hash(rest) {
        return None;
    }
    rest.first_chunk::<8>().map(|lsn| i64::from_le_bytes(*lsn) ^ LSN_MASK)
}

/// The position, then a hash of it.
fn slot(newest: i64) -> [u8; SLOT_LEN] {
    let mut slot = [0; SLOT_LEN];
    let (position, hash) = slot.split_at_mut(8);
    position.copy_from_slice(&newest.to_le_bytes());
    hash.copy_from_slice(&blake3::hash(position).as_bytes()[..SLOT_LEN - 8]);
    slot
}

/// The remembered position, and the slot that holds it.
fn read(path: &Path) -> io::Result<Option<(i64, u64)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut newest = None;
    for nth in 0..2 {
        let mut stored = [0; SLOT_LEN];
        match file.read_exact_at(&mut stored, nth * SLOT_BYTES) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => continue,
            Err(error) => return Err(error),
        }
        let (position, _) = stored.split_at(8);
        let position = position.try_into().map(i64::from_le_bytes).unwrap_or(-1);
        if slot(position) == stored {
            newest = newest.max(Some((position, nth)));
        }
    }
    Ok(newest)
}
