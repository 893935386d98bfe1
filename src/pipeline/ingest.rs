//! Ingest: files into the store of one endpoint. Pieces are prepared on all cores and accepted in
//! their order by one writer, in commits of bounded size.
//!
//! Nothing is remembered of a file: what is read again is a repeat, so a killed run is simply
//! run again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{self, Scope, ScopedJoinHandle};

use jiff::Timestamp;

use crate::care::{Care, Mapping, Row};
use crate::fhir::xml::from_xml;
use crate::files::{
    Bounds, Form, Format, Found, Odd, Piece, Place, TableForm, Walked, read_as, read_table,
};
use crate::flow::{Cursor, Ingested};
use crate::ingest::{Ingest, UnusableInput};

use super::accept::{CursorAt, Receipt, Receipts, accept_by_type};
use super::gateway::{Gateway, GatewayError};

/// The part under which it stands what came of files.
pub(super) const FILES: &str = "files";

/// What one thread prepares at a time: so many bytes or pieces, whichever comes first. Small
/// files share a commit; a sync to disk for each would be most of the work.
const TASK_BYTES: usize = 1 << 20;
/// See [`TASK_BYTES`].
const TASK_PIECES: usize = 500;
/// Records of one accept commit: some megabytes, as a large page from an endpoint.
const COMMIT_RECORDS: usize = 1_000;
/// Input read ahead of the writer, in bytes, unless a single piece is larger.
const AHEAD_BYTES_MAX: usize = 64 << 20;
/// Inputs that the report names one by one; the rest is counted.
const NAMED_MAX: usize = 1_000;

/// How far an ingest is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IngestProgress {
    /// Files read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Entries accepted so far, of whatever disposition.
    pub entries: u64,
}

/// What the files came to.
#[derive(Clone, Debug, Default)]
pub struct IngestReport {
    /// Files opened.
    pub files: u64,
    /// Resources, Bundles and lines in them that could be read as such.
    pub pieces: u64,
    /// What became of their entries, by resource type.
    pub receipts: Receipts,
    /// Unusable input, the first so many of it.
    pub quarantined: Vec<QuarantinedAt>,
    /// What is no FHIR or could not be read, the first so many of it.
    pub odd: Vec<Odd>,
    /// How many are odd.
    pub odd_total: u64,
    /// How many of them could not be read, whatever they hold.
    pub unread: u64,
}

/// Unusable input and where it stands. It is on the ledger, with its bytes in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedAt {
    /// The file, and the line if it is NDJSON.
    pub place: Place,
    /// Type and id as far as they could be read; empty if not.
    pub resource_type: Box<str>,
    /// See `resource_type`.
    pub id: Box<str>,
    /// `IssueType` code.
    pub code: Box<str>,
    /// Why, and what to do.
    pub reason: Box<str>,
}

impl IngestReport {
    /// All types together.
    pub fn total(&self) -> Receipt {
        Receipt::total(&self.receipts)
    }

    /// Whether something that may be FHIR was not read.
    pub fn is_complete(&self) -> bool {
        self.unread == 0
    }

    fn tell_odd(&mut self, odd: Odd) {
        self.odd_total += 1;
        self.unread += u64::from(odd.why.is_unread());
        if self.odd.len() < NAMED_MAX {
            self.odd.push(odd);
        }
    }
}

/// The files to take.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// What was found.
    pub walked: &'a Walked,
    /// What to take them for.
    pub format: Format,
    /// How much is taken.
    pub bounds: Bounds,
    /// They are tables whose columns mean this, whatever the format.
    pub mapping: Option<&'a Mapping>,
}

impl Files<'_> {
    /// The pieces of a file.
    fn pieces(&self, file: &Found) -> Box<dyn Iterator<Item = Result<Piece, Odd>>> {
        match self.mapping {
            None => Box::new(read_as(&file.path, self.format, &self.bounds)),
            Some(mapping) => {
                let (group, delimiter) = (mapping.person_column(), mapping.delimiter());
                Box::new(read_table(&file.path, TableForm { group, delimiter }, &self.bounds))
            }
        }
    }
}

/// Takes the files into the store of one endpoint; all of it is durable when this returns. Does
/// not settle. Blocking.
///
/// A file says what held when it was last written: that is its time of observation.
///
/// # Errors
/// When the store fails; what is wrong with files is in the report.
pub fn ingest(
    gateway: &Gateway,
    ingest: &Ingest,
    endpoint: &Arc<str>,
    files: Files<'_>,
    progress: &mut dyn FnMut(IngestProgress),
) -> Result<IngestReport, GatewayError> {
    let began = gateway.now();
    let mut writer = Writer {
        gateway,
        endpoint,
        progress,
        report: IngestReport::default(),
        bytes: 0,
        // Interrupted, it goes on saying so.
        cursor: Some(Cursor { began: Some(began), state: "ingesting".into(), ..Cursor::default() }),
    };
    files.walked.odd.iter().for_each(|odd| writer.report.tell_odd(odd.clone()));
    let preparing = Preparing { ingest, endpoint, care: gateway.care(), mapping: files.mapping };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let mut ahead = Ahead { tasks: VecDeque::new(), bytes: 0, tasks_max: cores + 1 };
        let mut task = Task::default();
        'files: for file in &files.walked.files {
            let observed_at = last_written(file).map_or(began, |written| written.min(began));
            for item in files.pieces(file) {
                if gateway.is_stopping() {
                    break 'files;
                }
                task.add(item, observed_at);
                if task.is_full() {
                    let full = std::mem::take(&mut task);
                    ahead.push(scope, preparing, full, &mut writer)?;
                }
            }
            task.files.push(file.bytes);
        }
        ahead.push(scope, preparing, task, &mut writer)?;
        while ahead.take_first(&mut writer)? {}
        Ok::<(), GatewayError>(())
    })?;
    // Told to stop, it leaves the state that the next run will end.
    if gateway.is_stopping() { Ok(writer.report) } else { writer.finish(began) }
}

fn last_written(file: &Found) -> Option<Timestamp> {
    let written = std::fs::metadata(&file.path).and_then(|metadata| metadata.modified()).ok()?;
    let written = Timestamp::try_from(written).ok()?;
    Timestamp::from_millisecond(written.as_millisecond()).ok()
}

/// Pieces that are prepared together.
#[derive(Default)]
struct Task {
    items: Vec<(Result<Piece, Odd>, Timestamp)>,
    bytes: usize,
    /// Sizes of the files that end here.
    files: Vec<u64>,
}

impl Task {
    fn add(&mut self, item: Result<Piece, Odd>, observed_at: Timestamp) {
        self.bytes += match &item {
            Ok(piece) => piece.bytes.len(),
            Err(odd) => odd.bytes.as_ref().map_or(0, bytes::Bytes::len),
        };
        self.items.push((item, observed_at));
    }

    fn is_full(&self) -> bool {
        self.bytes >= TASK_BYTES || self.items.len() >= TASK_PIECES
    }
}

/// A task, ready to be accepted.
#[derive(Default)]
struct Prepared {
    ingested: Ingested,
    pieces: u64,
    quarantined: Vec<QuarantinedAt>,
    odd: Vec<Odd>,
    files: Vec<u64>,
}

#[derive(Clone, Copy)]
struct Preparing<'a> {
    ingest: &'a Ingest,
    endpoint: &'a Arc<str>,
    care: &'a Care,
    mapping: Option<&'a Mapping>,
}

impl Preparing<'_> {
    fn prepare(self, task: Task) -> Prepared {
        let mut prepared = Prepared { files: task.files, ..Prepared::default() };
        for (item, observed_at) in task.items {
            let (place, found) = match item {
                Ok(piece) => {
                    prepared.pieces += 1;
                    (piece.place.clone(), self.piece(&piece, observed_at))
                }
                Err(Odd { place, why, bytes: Some(bytes) }) => {
                    let reason = why.to_string();
                    let input = UnusableInput {
                        resource_type: "",
                        bytes: &bytes,
                        code: "structure",
                        reason: &reason,
                    };
                    (place, self.ingest.unusable(self.endpoint, observed_at, &input))
                }
                Err(odd) => {
                    prepared.odd.push(odd);
                    continue;
                }
            };
            let told = found.quarantined.iter().map(|unusable| QuarantinedAt {
                place: place.clone(),
                resource_type: unusable.resource_type.clone(),
                id: unusable.id.clone(),
                code: unusable.code.clone(),
                reason: unusable.reason.clone(),
            });
            prepared.quarantined.extend(told);
            prepared.ingested.add(found);
        }
        prepared
    }

    fn piece(self, piece: &Piece, observed_at: Timestamp) -> Ingested {
        let json = match piece.form {
            Form::Json => return self.ingest.page(self.endpoint, observed_at, &piece.bytes),
            Form::Xml => from_xml(&piece.bytes),
            Form::Care => self.care.records.bundle(&piece.bytes),
            Form::Rows => return self.rows(piece, observed_at),
        };
        match json {
            Ok(json) => self.ingest.page(self.endpoint, observed_at, &json),
            Err(reason) => {
                let resource_type = &*piece.resource_type;
                let bytes = &piece.bytes;
                let code = "structure";
                let input = UnusableInput { resource_type, bytes, code, reason: &reason };
                self.ingest.unusable(self.endpoint, observed_at, &input)
            }
        }
    }
}

impl Preparing<'_> {
    /// Rows of one person: what can be used is taken, each other row goes to quarantine.
    fn rows(self, piece: &Piece, observed_at: Timestamp) -> Ingested {
        let rows: Vec<Row> = serde_json::from_slice(&piece.bytes).unwrap_or_default();
        let Some(mapping) = self.mapping else { return Ingested::default() };
        let (bundle, faults) = self.care.records.rows(mapping, rows);
        let mut all = match bundle {
            Some(bundle) => self.ingest.page(self.endpoint, observed_at, &bundle),
            None => Ingested::default(),
        };
        for fault in faults {
            let input = UnusableInput {
                resource_type: &piece.resource_type,
                bytes: &fault.row.into(),
                code: "structure",
                reason: &fault.text,
            };
            all.add(self.ingest.unusable(self.endpoint, observed_at, &input));
        }
        all
    }
}

/// Tasks that are being prepared, in their order.
struct Ahead<'scope> {
    tasks: VecDeque<(usize, ScopedJoinHandle<'scope, Prepared>)>,
    bytes: usize,
    tasks_max: usize,
}

impl<'scope> Ahead<'scope> {
    /// Begins a task; first has the writer take what is too far ahead.
    fn push<'env: 'scope>(
        &mut self,
        scope: &'scope Scope<'scope, 'env>,
        preparing: Preparing<'env>,
        task: Task,
        writer: &mut Writer<'_>,
    ) -> Result<(), GatewayError> {
        let is_too_much = |ahead: &Self| {
            ahead.tasks.len() >= ahead.tasks_max || ahead.bytes + task.bytes > AHEAD_BYTES_MAX
        };
        while is_too_much(self) && self.take_first(writer)? {}
        let bytes = task.bytes;
        self.bytes += bytes;
        self.tasks.push_back((bytes, scope.spawn(move || preparing.prepare(task))));
        Ok(())
    }

    /// Has the writer take the first task; `false` if there is none.
    fn take_first(&mut self, writer: &mut Writer<'_>) -> Result<bool, GatewayError> {
        let Some((bytes, task)) = self.tasks.pop_front() else { return Ok(false) };
        self.bytes -= bytes;
        let prepared = task.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        writer.take(prepared)?;
        Ok(true)
    }
}

/// The one that commits.
struct Writer<'a> {
    gateway: &'a Gateway,
    endpoint: &'a Arc<str>,
    progress: &'a mut dyn FnMut(IngestProgress),
    report: IngestReport,
    bytes: u64,
    /// What the next commit is to say of the state.
    cursor: Option<Cursor>,
}

impl Writer<'_> {
    fn take(&mut self, prepared: Prepared) -> Result<(), GatewayError> {
        for part in prepared.ingested.parts(COMMIT_RECORDS) {
            self.accept(&part)?;
        }
        let report = &mut self.report;
        report.pieces += prepared.pieces;
        report.files += prepared.files.len() as u64;
        self.bytes += prepared.files.iter().sum::<u64>();
        let room = NAMED_MAX.saturating_sub(report.quarantined.len());
        report.quarantined.extend(prepared.quarantined.into_iter().take(room));
        prepared.odd.into_iter().for_each(|odd| report.tell_odd(odd));
        let entries = report.total().received();
        (self.progress)(IngestProgress { files: report.files, bytes: self.bytes, entries });
        Ok(())
    }

    fn accept(&mut self, part: &Ingested) -> Result<(), GatewayError> {
        let cursor = self.cursor.take();
        let at = cursor.map(|cursor| CursorAt { part: FILES.into(), cursor });
        self.gateway.wait_for_settling()?;
        let store = self.gateway.store().as_ref();
        let receipts = accept_by_type(store, self.endpoint, part, at.as_ref())?;
        for (resource_type, receipt) in receipts {
            self.report.receipts.entry(resource_type).or_default().add(receipt);
        }
        Ok(())
    }

    /// Says how far the files are held, if anything came of them.
    fn finish(mut self, began: Timestamp) -> Result<IngestReport, GatewayError> {
        if self.report.pieces > 0 {
            let unread = self.report.unread;
            let (state, complete_until) = match unread {
                0 => ("complete".to_owned(), Some(began)),
                _ => (format!("failed: {unread} files could not be read"), None),
            };
            let state = state.into();
            self.cursor = Some(Cursor { state, complete_until, ..Cursor::default() });
            self.accept(&Ingested::default())?;
        }
        Ok(self.report)
    }
}
