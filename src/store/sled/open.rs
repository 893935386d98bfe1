//! Opening and making a store.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, RwLock};
use std::time::{Duration, Instant};

use ::sled::Db;

use super::commit::{Writer, engine, io};
use super::log_end::LogEnd;
use super::migrate::{self, FORMAT, migrate};
use super::{SledStore, keys};
use crate::flow::IdKey;
use crate::store::trail::Trail;
use crate::store::{Result, StoreError, codec};

/// Size of the engine's segments in new stores; a store keeps the size it was made with. Large,
/// so that few commits reach over two of them, and pages stay below a quarter of one.
const SEGMENT_BYTES: usize = 8 << 20;

/// The engine's own default, which stores have that were made before we chose it.
const SEGMENT_BYTES_UNSAID: usize = 512 << 10;

/// Never changed on a live file (the engine keeps it with the data), so it is no setting.
const CACHE_BYTES: u64 = 64 << 20;

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
        Self::open_sized(dir, SEGMENT_BYTES)
    }

    /// The same; a new store gets segments of this size.
    pub(super) fn open_sized(dir: &Path, segment_bytes: usize) -> Result<Self> {
        std::fs::create_dir_all(dir).map_err(io("make the data directory"))?;
        let engine_dir = dir.join("sled");
        let segment_bytes = known_segment_bytes(dir, &engine_dir)?.unwrap_or(segment_bytes);
        let db = open_engine(dir, &engine_dir, segment_bytes)?;
        let mut writer = Writer::open(dir, &engine_dir, segment_bytes)?;
        let gate = RwLock::new(());
        let trail_dir = dir.join("audit");
        let mut trail = Trail::open(&trail_dir)?;
        let marker = dir.join(MARKER);
        let made = marker.exists();
        let id_key = match db.get(keys::FORMAT).map_err(engine("read the format"))? {
            Some(format) => {
                let found = found_format(&format)?;
                if found < FORMAT {
                    migrate(&db, &mut writer, &gate, &mut trail, found)?;
                }
                known_id_key(&db)?
            }
            None if made || !db.is_empty() => {
                return Err(StoreError::Damaged { what: "engine file" });
            }
            None => make(&db, &mut writer, &gate)?,
        };
        if !made {
            // After the data: a marker alone would make a store out of an interrupted start.
            std::fs::write(&marker, b"1\n").map_err(io("mark the data directory"))?;
            for path in [&marker, &engine_dir, &trail_dir, &dir.to_path_buf()] {
                File::open(path)
                    .and_then(|file| file.sync_all())
                    .map_err(io("force the data directory to the disk"))?;
            }
        }
        let (writer, trail) = (Mutex::new(writer), Mutex::new(trail));
        let cursors_generation = AtomicU64::new(0);
        Ok(Self { db, id_key, writer, gate, cursors_generation, trail, trail_dir })
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

/// The segment size that the engine's files say they have; nothing where there are none yet.
fn known_segment_bytes(dir: &Path, engine_dir: &Path) -> Result<Option<usize>> {
    let conf = engine_dir.join("conf");
    let has_log = std::fs::metadata(engine_dir.join("db")).is_ok_and(|log| log.len() > 0);
    if !has_log && !dir.join(MARKER).exists() {
        // A start that was cut short: nothing is stored, and half a file would be refused.
        return match std::fs::remove_file(conf) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(io("begin the store anew")(error))
            }
            Ok(()) | Err(_) => Ok(None),
        };
    }
    let conf = std::fs::read(conf).map_err(|_| StoreError::Damaged { what: "engine file" })?;
    let conf = String::from_utf8_lossy(&conf);
    let said = conf.lines().find_map(|line| line.strip_prefix("segment_size: "));
    Ok(Some(said.and_then(|bytes| bytes.parse().ok()).unwrap_or(SEGMENT_BYTES_UNSAID)))
}

/// Opens the engine. It gives up its lock only when its last background task has ended, which
/// may be after the store was dropped: so a held lock is waited for, a little.
fn open_engine(dir: &Path, engine_dir: &Path, segment_bytes: usize) -> Result<Db> {
    let until = Instant::now() + LOCK_WAIT;
    loop {
        match restore_and_open(dir, engine_dir, segment_bytes) {
            Err(StoreError::InUse { .. }) if Instant::now() < until => {
                std::thread::sleep(LOCK_RETRY_EVERY);
            }
            opened => return opened,
        }
    }
}

fn restore_and_open(dir: &Path, engine_dir: &Path, segment_bytes: usize) -> Result<Db> {
    let restored = LogEnd::restore(dir, engine_dir, segment_bytes);
    if !restored.map_err(io("cut off what was not forced to the disk"))? {
        return Err(StoreError::InUse { path: dir.display().to_string() });
    }
    let open = || {
        ::sled::Config::new()
            .path(engine_dir)
            .segment_size(segment_bytes)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(None)
            .open()
    };
    // The engine panics on some kinds of damage.
    let opened =
        std::panic::catch_unwind(open).map_err(|_| StoreError::Damaged { what: "engine file" })?;
    opened.map_err(|source| open_error(dir, source))
}

fn open_error(dir: &Path, source: ::sled::Error) -> StoreError {
    // The engine has no kind of its own for it.
    if source.to_string().contains("could not acquire lock") {
        return StoreError::InUse { path: dir.display().to_string() };
    }
    match source {
        // What the engine cannot read of its own files it calls unsupported, too.
        ::sled::Error::Unsupported(_) => StoreError::Damaged { what: "engine file" },
        source => engine("open the store")(source),
    }
}
