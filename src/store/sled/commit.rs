//! One commit: what it writes is staged, applied as one batch, and durable before it returns.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};

use ::sled::{Db, IVec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::keys::LAST_SEQ;
use super::log_end::LogEnd;
use super::pieces::{self, Head};
use crate::store::{Result, StoreError, codec};

/// Is called whenever files were written and not yet forced, and again when they were.
#[cfg(test)]
pub(super) type Watch = Box<dyn FnMut() + Send>;

/// What only the one writer has.
pub(super) struct Writer {
    log_file: File,
    log_end: LogEnd,
    piece_bytes: usize,
    blobs: PathBuf,
    blobs_changed: Option<std::time::SystemTime>,
    /// Set when a commit failed half-way: what is in memory is then not what is on disk.
    broken: Option<StoreError>,
    #[cfg(test)]
    pub(super) watch: Option<Watch>,
}

/// Staged writes on top of the tree; reads see them.
pub(super) struct Commit<'a> {
    db: &'a Db,
    staged: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// The seq of this commit.
    pub(super) seq: u64,
}

impl Writer {
    /// Opens the engine's files once more, and forces what opening the engine has written.
    pub(super) fn open(dir: &Path, engine_dir: &Path, segment_bytes: usize) -> Result<Self> {
        let log_file = File::open(engine_dir.join("db")).map_err(io("open the store's log"))?;
        log_file.sync_all().map_err(io("force the log to the disk"))?;
        let log_end = LogEnd::open(dir, engine_dir, segment_bytes)
            .map_err(io("remember the end of the log"))?;
        Ok(Self {
            log_file,
            log_end,
            piece_bytes: pieces::piece_bytes(segment_bytes),
            blobs: engine_dir.join("blobs"),
            blobs_changed: None,
            broken: None,
            #[cfg(test)]
            watch: None,
        })
    }

    /// Begins a commit with the next seq.
    pub(super) fn begin<'a>(&self, db: &'a Db) -> Result<Commit<'a>> {
        if let Some(cause) = &self.broken {
            return Err(again(cause));
        }
        let mut commit = Commit { db, staged: BTreeMap::new(), seq: 0 };
        commit.seq = commit.get::<u64>("last seq", LAST_SEQ)?.unwrap_or(0) + 1;
        Ok(commit)
    }

    /// Applies everything at once and forces it to the disk. Returns the commit's seq.
    pub(super) fn finish(&mut self, mut commit: Commit<'_>, gate: &RwLock<()>) -> Result<u64> {
        let seq = commit.seq;
        commit.put(LAST_SEQ, &seq)?;
        let db = commit.db;
        let batch = self.batch(commit)?;
        // Cleared only by success: a batch that is applied but not on disk must not be built on.
        self.broken = Some(StoreError::Engine {
            operation: "write after a commit that ended abnormally; restart careweave",
            source: "the commit panicked".into(),
        });
        let done = self.write(db, batch, gate);
        self.broken = done.as_ref().err().map(again);
        done.map(|()| seq)
    }

    fn write(&mut self, db: &Db, batch: ::sled::Batch, gate: &RwLock<()>) -> Result<()> {
        // While this is held the engine neither reuses a segment nor removes a file for the sake
        // of what this commit writes: what it replaces stays whole until the sync has come back.
        let _keeps_replaced = ::sled::pin();
        {
            let _closed = gate.write().unwrap_or_else(PoisonError::into_inner);
            db.apply_batch(batch).map_err(engine("apply a commit"))?;
        }
        db.flush().map_err(engine("flush a commit"))?;
        self.sync()
    }

    /// What is staged, with large values in pieces.
    fn batch(&self, commit: Commit<'_>) -> Result<::sled::Batch> {
        let Commit { db, staged, seq } = commit;
        let mut batch = ::sled::Batch::default();
        for (nth, (key, value)) in (0..).zip(staged) {
            let replaced = db.get(&key).map_err(engine("read a value"))?;
            let replaced = replaced.and_then(|stored| Head::of(&stored));
            replaced
                .into_iter()
                .flat_map(Head::keys)
                .for_each(|piece| batch.remove(piece.as_ref()));
            match value {
                Some(value) if value.len() > self.piece_bytes => {
                    let pieces = value.chunks(self.piece_bytes);
                    let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
                    let head = Head { seq, nth, count };
                    for (key, piece) in head.keys().zip(pieces) {
                        batch.insert(key.as_ref(), piece);
                    }
                    batch.insert(key, head.bytes());
                }
                Some(value) => batch.insert(key, value),
                None => batch.remove(key),
            }
        }
        Ok(batch)
    }

    /// The engine writes, but never forces to the disk.
    fn sync(&mut self) -> Result<()> {
        // Deleted files go on taking writes until they are closed.
        let log = self.log_file.metadata().map_err(io("look at the log"))?;
        if log.nlink() == 0 {
            return Err(StoreError::Removed);
        }
        self.watched();
        let changed = std::fs::metadata(&self.blobs).and_then(|meta| meta.modified()).ok();
        if changed != self.blobs_changed {
            self.sync_blobs().map_err(io("force large values to the disk"))?;
            self.blobs_changed = changed;
        }
        self.log_file.sync_data().map_err(io("force the log to the disk"))?;
        self.watched();
        self.log_end.advance().map_err(io("remember the end of the log"))
    }

    #[cfg(test)]
    fn watched(&mut self) {
        self.watch.iter_mut().for_each(|watch| watch());
    }

    #[cfg(not(test))]
    fn watched(&self) {}

    /// Pages of more than a quarter segment are files of their own, named by rising numbers. Only
    /// stores made before values came in pieces have such.
    fn sync_blobs(&self) -> std::io::Result<()> {
        for entry in std::fs::read_dir(&self.blobs)? {
            let entry = entry?;
            let modified = entry.metadata().and_then(|meta| meta.modified()).ok();
            // One tick of slack: a file may be written in the same moment as the one before.
            let slack = std::time::Duration::from_secs(2);
            let known = self.blobs_changed.and_then(|before| before.checked_sub(slack));
            if modified >= known {
                match File::open(entry.path()) {
                    Ok(file) => file.sync_data()?,
                    // The engine removes files of replaced values meanwhile.
                    Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
                    Err(e) => return Err(e),
                }
            }
        }
        File::open(&self.blobs)?.sync_all()
    }
}

impl Commit<'_> {
    /// The bytes under a key, with what this commit has staged.
    pub(super) fn bytes(&self, key: &[u8]) -> Result<Option<IVec>> {
        match self.staged.get(key) {
            Some(staged) => Ok(staged.as_deref().map(IVec::from)),
            None => pieces::get(self.db, key),
        }
    }

    /// The value under a key.
    pub(super) fn get<T: DeserializeOwned>(
        &self,
        what: &'static str,
        key: impl AsRef<[u8]>,
    ) -> Result<Option<T>> {
        self.bytes(key.as_ref())?.map(|bytes| codec::decode(what, &bytes)).transpose()
    }

    /// Whether there is a value under a key.
    pub(super) fn has(&self, key: impl AsRef<[u8]>) -> Result<bool> {
        match self.staged.get(key.as_ref()) {
            Some(staged) => Ok(staged.is_some()),
            None => self.db.contains_key(key).map_err(engine("look for a key")),
        }
    }

    /// Stages a value.
    pub(super) fn put<T: Serialize + ?Sized>(
        &mut self,
        key: impl AsRef<[u8]>,
        value: &T,
    ) -> Result<()> {
        let bytes = codec::encode(value)?;
        self.put_bytes(key, bytes);
        Ok(())
    }

    /// Stages bytes that are already encoded.
    pub(super) fn put_bytes(&mut self, key: impl AsRef<[u8]>, bytes: Vec<u8>) {
        self.staged.insert(key.as_ref().to_vec(), Some(bytes));
    }

    /// Stages a removal.
    pub(super) fn remove(&mut self, key: impl AsRef<[u8]>) {
        self.staged.insert(key.as_ref().to_vec(), None);
    }

    /// The keys under a prefix, with what this commit has staged, in order.
    pub(super) fn keys_under(&self, prefix: impl AsRef<[u8]>) -> Result<Vec<Vec<u8>>> {
        let prefix = prefix.as_ref();
        let mut keys = std::collections::BTreeSet::new();
        for key in self.db.scan_prefix(prefix).keys() {
            keys.insert(key.map_err(engine("walk keys"))?.to_vec());
        }
        let staged =
            self.staged.range(prefix.to_vec()..).take_while(|(k, _)| k.starts_with(prefix));
        for (key, value) in staged {
            if value.is_some() {
                keys.insert(key.clone());
            } else {
                keys.remove(key);
            }
        }
        Ok(keys.into_iter().collect())
    }
}

/// Why nothing more is written after this failure.
fn again(cause: &StoreError) -> StoreError {
    match cause {
        StoreError::Full { operation } => StoreError::Full { operation },
        StoreError::ReadOnly { operation } => StoreError::ReadOnly { operation },
        StoreError::Removed => StoreError::Removed,
        other => StoreError::Engine {
            operation: "write after a failed commit; restart careweave",
            source: other.to_string().into(),
        },
    }
}

/// Names the operation that the engine failed at.
pub(super) fn engine(operation: &'static str) -> impl Fn(::sled::Error) -> StoreError {
    move |source| match source {
        ::sled::Error::Io(source) => io(operation)(source),
        ::sled::Error::Corruption { .. } => StoreError::Damaged { what: "engine file" },
        source => StoreError::Engine { operation, source: Box::new(source) },
    }
}

/// Names the operation that the file system failed at.
pub(super) fn io(operation: &'static str) -> impl Fn(std::io::Error) -> StoreError {
    move |source| match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            StoreError::Full { operation }
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            StoreError::ReadOnly { operation }
        }
        _ => StoreError::Engine { operation, source: Box::new(source) },
    }
}
