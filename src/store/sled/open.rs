//! Opening and making a store.

use std::fs::File;
use std::path::Path;
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use ::sled::Db;

use super::commit::{Writer, engine, io};
use super::migrate::{self, FORMAT, migrate};
use super::read_view::TableCache;
use super::{SledStore, keys};
use crate::flow::IdKey;
use crate::store::{Result, StoreError, codec};

/// Never changed on a live file (the engine keeps it with the data), so it is no setting.
const CACHE_BYTES: u64 = 128 << 20;

/// How long a lock that another has is waited for.
const LOCK_WAIT: Duration = Duration::from_secs(2);
const LOCK_RETRY_EVERY: Duration = Duration::from_millis(20);

/// Says that a store was made here: an engine that comes up empty beside it has lost its data.
const MARKER: &str = "careweave-store";

impl SledStore {
    /// Opens the store in a directory, or makes one there. The directory is made if missing.
    ///
    /// # Errors
    /// `InUse` when another process has it open, `Newer` when a later careweave wrote it,
    /// `Damaged` when it cannot be read: set the directory aside and pull again.
    pub fn open(dir: &Path) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(io("make the data directory"))?;
        let engine_dir = dir.join("sled");
        let db = open_engine(dir, &engine_dir)?;
        let mut writer = Writer::open(&engine_dir)?;
        let gate = RwLock::new(());
        let marker = dir.join(MARKER);
        let made = marker.exists();
        let id_key = match db.get(keys::FORMAT).map_err(engine("read the format"))? {
            Some(format) => {
                let found = found_format(&format)?;
                if found < FORMAT {
                    migrate(&db, &mut writer, &gate, found)?;
                }
                known_id_key(&db)?
            }
            None if made || !db.is_empty() => {
                return Err(StoreError::Damaged { what: "store" });
            }
            None => make(&db, &mut writer, &gate)?,
        };
        if !made {
            // After the data: a marker alone would make a store out of an interrupted start.
            std::fs::write(&marker, b"1\n").map_err(io("mark the data directory"))?;
            for path in [&marker, &engine_dir, &dir.to_path_buf()] {
                File::open(path)
                    .and_then(|file| file.sync_all())
                    .map_err(io("force the data directory to the disk"))?;
            }
        }
        let tables = Mutex::new(TableCache::default());
        Ok(Self { db, id_key, writer: Mutex::new(writer), gate, tables })
    }
}

fn found_format(stored: &[u8]) -> Result<u32> {
    let [_, format @ ..] = stored else {
        return Err(StoreError::Damaged { what: "store format" });
    };
    let format: [u8; 4] =
        format.try_into().map_err(|_| StoreError::Damaged { what: "store format" })?;
    let found = u32::from_be_bytes(format);
    if found > FORMAT {
        return Err(StoreError::Newer { found, known: FORMAT });
    }
    Ok(found)
}

pub(super) fn known_id_key(db: &Db) -> Result<IdKey> {
    let stored = db.get(keys::ID_KEY).map_err(engine("read the id key"))?;
    let stored = stored.ok_or(StoreError::Damaged { what: "id key" })?;
    codec::decode("id key", &stored)
}

/// Draws the secret and writes what every store has.
fn make(db: &Db, writer: &mut Writer, gate: &RwLock<()>) -> Result<IdKey> {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|source| StoreError::Engine {
        operation: "draw a secret",
        source: source.to_string().into(),
    })?;
    let id_key = IdKey(secret);
    let mut commit = writer.begin(db)?;
    commit.put_bytes(keys::FORMAT, migrate::stamp());
    commit.put(keys::ID_KEY, &id_key)?;
    writer.finish(commit, gate)?;
    Ok(id_key)
}

/// Opens the engine. It gives up its lock only when its last background task has ended, which
/// may be after the store was dropped: so a held lock is waited for, a little.
fn open_engine(dir: &Path, engine_dir: &Path) -> Result<Db> {
    let until = Instant::now() + LOCK_WAIT;
    loop {
        let opened = ::sled::Config::new()
            .path(engine_dir)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open();
        match opened.map_err(|source| open_error(dir, source)) {
            Err(StoreError::InUse { .. }) if Instant::now() < until => {
                std::thread::sleep(LOCK_RETRY_EVERY);
            }
            opened => return opened,
        }
    }
}

fn open_error(dir: &Path, source: ::sled::Error) -> StoreError {
    // The engine has no kind of its own for it.
    if source.to_string().contains("could not acquire lock") {
        return StoreError::InUse { path: dir.display().to_string() };
    }
    match source {
        ::sled::Error::Corruption { .. } => StoreError::Damaged { what: "store" },
        ::sled::Error::CollectionNotFound(_)
        | ::sled::Error::Unsupported(_)
        | ::sled::Error::ReportableBug(_)
        | ::sled::Error::Io(_) => {
            StoreError::Engine { operation: "open the store", source: Box::new(source) }
        }
    }
}
