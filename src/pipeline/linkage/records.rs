//! Reading tables of people: CSV, streamed, its rows normalised on all cores.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

use super::threads;
use crate::compare::columns::{Column, Columns};
use crate::flow::{Demographics, Hash};

/// Rows that are handed to a thread at once.
const ROWS_AT_ONCE: usize = 4096;
/// Longest row, in bytes, and most rows: positions are 32 bits.
const ROW_BYTES_MAX: usize = 1 << 20;
const ROWS_MAX: usize = u32::MAX as usize;

/// How a table is read.
#[derive(Clone, Debug, Default)]
pub struct TableOptions {
    /// Known column names → the table's.
    pub columns: Vec<(String, String)>,
    /// The column with the record's id.
    pub id: Option<String>,
}

/// Why a table cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file cannot be opened or read.
    #[error("could not read {file}")]
    Read {
        /// Its path.
        file: String,
        /// Why.
        #[source]
        source: csv::Error,
    },
    /// It has no usable columns, or a row is beyond a bound.
    #[error("{file}: {reason}")]
    Table {
        /// Its path.
        file: String,
        /// What is wrong, without any value of a row.
        reason: String,
    },
}

/// The records of one or two tables.
#[derive(Debug, Default)]
pub struct Records {
    /// Ids, by position.
    pub ids: Vec<Box<str>>,
    /// What they state, by position.
    pub people: Vec<Demographics>,
    /// Position of the first record of the second table, if two are linked.
    second_from: Option<u32>,
    fingerprint: u64,
}

type Batch = (usize, Vec<csv::StringRecord>);
type Normal = (usize, Vec<(Box<str>, Demographics)>);

impl Records {
    /// Reads a table to be deduplicated.
    ///
    /// # Errors
    /// When the file cannot be read or has no known column.
    pub fn read(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let mut records = Self::default();
        records.add(path, options)?;
        Ok(records)
    }

    /// Reads two tables to be linked.
    ///
    /// # Errors
    /// When a file cannot be read or has no known column.
    pub fn read_two(a: &Path, b: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let mut records = Self::read(a, options)?;
        records.second_from = u32::try_from(records.len()).ok();
        records.add(b, options)?;
        Ok(records)
    }

    /// Adds the rows of another table, as if of the same.
    ///
    /// # Errors
    /// When the file cannot be read or has no known column.
    pub fn add(&mut self, path: &Path, options: &TableOptions) -> Result<(), TableError> {
        let shown = path.display().to_string();
        let failed = |source: csv::Error| TableError::Read { file: shown.clone(), source };
        let refused = |reason: String| TableError::Table { file: shown.clone(), reason };
        let file = File::open(path).map_err(|e| failed(e.into()))?;
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).buffer_capacity(1 << 20).from_reader(file);
        let header = reader.headers().map_err(failed)?.clone();
        refuse_header(&header).map_err(refused)?;
        let mut renamed = options.columns.clone();
        renamed.extend(options.id.iter().map(|id| ("id".to_owned(), id.clone())));
        let names: Vec<&str> = header.iter().collect();
        let columns = Columns::of(&names, &renamed).map_err(refused)?;
        let rows = normalised(&mut reader, &columns).map_err(|fault| match fault {
            Fault::Csv(e) => failed(e),
            Fault::Bound(reason) => refused(reason.into()),
        })?;
        let count: usize = rows.iter().map(|(_, part)| part.len()).sum();
        if self.len() + count > ROWS_MAX {
            return Err(refused(format!("more than {ROWS_MAX} rows")));
        }
        self.ids.reserve_exact(count);
        self.people.reserve_exact(count);
        for (id, person) in rows.into_iter().flat_map(|(_, part)| part) {
            let number = self.len();
            self.ids.push(if id.is_empty() { number.to_string().into() } else { id });
            self.people.push(person);
        }
        self.fingerprint ^= fingerprint(&self.people);
        Ok(())
    }

    /// Records given in memory, as a program that makes them does.
    pub fn of(people: Vec<(Box<str>, Demographics)>) -> Self {
        let (ids, people): (Vec<_>, Vec<_>) = people.into_iter().unzip();
        let fingerprint = fingerprint(&people);
        Self { ids, people, second_from: None, fingerprint }
    }

    /// At most about so many of the records, drawn by the seed; `None` if there are no more. A
    /// part holds matches and other pairs in the same proportion as the whole.
    pub(super) fn sample(&self, most: usize, drawn: impl Fn(u64) -> u64) -> Option<Self> {
        if self.len() <= most {
            return None;
        }
        let share = (most as f64 / self.len() as f64 * f64::from(u32::MAX)) as u64;
        let taken = |n: u32| drawn(u64::from(n)) >> 32 <= share;
        let mut sample = Self { fingerprint: self.fingerprint, ..Self::default() };
        for (number, person) in (0u32..).zip(&self.people) {
            if self.second_from == Some(number) {
                sample.second_from = u32::try_from(sample.len()).ok();
            }
            if taken(number) {
                sample.ids.push(self.ids[number as usize].clone());
                sample.people.push(person.clone());
            }
        }
        Some(sample)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// A hash over what all records state, whatever their order.
    pub(super) fn fingerprint(&self) -> Box<str> {
        format!("{:016x}", self.fingerprint).into()
    }

    /// How many pairs there could be.
    pub(super) fn pairs_in_all(&self) -> f64 {
        let n = self.len() as f64;
        match self.second_from {
            Some(from) => f64::from(from) * (n - f64::from(from)),
            None => n * (n - 1.0) / 2.0,
        }
    }

    /// Whether two records are to be compared: of two tables, only one of each.
    pub(super) fn may_match(&self, a: u32, b: u32) -> bool {
        self.second_from.is_none_or(|from| (a < from) != (b < from))
    }
}

/// Tells of headers that are none, before anything is looked for in them.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn refuse_header(header: &csv::StringRecord) -> Result<(), String> {
    let only = header.get(0).unwrap_or_default();
    match header.len() {
        0 => Err("it is empty; the first line must name the columns".into()),
        1 if only.contains([';', '\t', '|']) => {
            Err("its columns are not parted by commas; write it with commas".into())
        }
        _ => Ok(()),
    }
}

fn fingerprint(people: &[Demographics]) -> u64 {
    let one = |person: &Demographics| {
        let told = format!(
            "{:?}{:?}{:?}{:?}",
            person.names, person.birth_date, person.addresses, person.identifiers
        );
        let hash = Hash::of_parts([told.as_bytes()]);
        (hash.0 >> 64) as u64
    };
    // A sample is enough to tell data apart, and cheap.
    let step = (people.len() / 20_000).max(1);
    let sum = people.iter().step_by(step).map(one).fold(0, u64::wrapping_add);
    sum ^ people.len() as u64
}

enum Fault {
    Csv(csv::Error),
    Bound(&'static str),
}

/// Reads on this thread and normalises on the others; the parts are in the order of the rows.
fn normalised<R: Read>(
    reader: &mut csv::Reader<R>,
    columns: &Columns,
) -> Result<Vec<Normal>, Fault> {
    let workers = threads();
    thread::scope(|scope| {
        let (done_to, done) = mpsc::channel::<Normal>();
        let mut queues = Vec::new();
        for _ in 0..workers {
            let (to, from) = mpsc::sync_channel::<Batch>(2);
            let done_to = done_to.clone();
            scope.spawn(move || {
                for (number, rows) in from {
                    let people = rows.iter().map(|row| person(row, columns)).collect();
                    if done_to.send((number, people)).is_err() {
                        return;
                    }
                }
            });
            queues.push(to);
        }
        drop(done_to);
        let read = hand_out(reader, &queues);
        drop(queues);
        let mut parts: Vec<Normal> = done.into_iter().collect();
        read?;
        parts.sort_unstable_by_key(|(number, _)| *number);
        Ok(parts)
    })
}

fn hand_out<R: Read>(
    reader: &mut csv::Reader<R>,
    queues: &[mpsc::SyncSender<Batch>],
) -> Result<(), Fault> {
    let mut batch = Vec::with_capacity(ROWS_AT_ONCE);
    let mut number = 0;
    let mut send = |batch: Vec<csv::StringRecord>| {
        let queue = &queues[number % queues.len()];
        // A worker that is gone has panicked, which the scope will tell.
        let _ = queue.send((number, batch));
        number += 1;
    };
    let mut raw = csv::ByteRecord::new();
    while reader.read_byte_record(&mut raw).map_err(Fault::Csv)? {
        if raw.as_slice().len() > ROW_BYTES_MAX {
            return Err(Fault::Bound("a row is longer than a megabyte; is a quote not closed?"));
        }
        batch.push(csv::StringRecord::from_byte_record_lossy(raw.clone()));
        if batch.len() == ROWS_AT_ONCE {
            send(std::mem::replace(&mut batch, Vec::with_capacity(ROWS_AT_ONCE)));
        }
    }
    send(batch);
    Ok(())
}

fn person(row: &csv::StringRecord, columns: &Columns) -> (Box<str>, Demographics) {
    let cells: Vec<&str> = row.iter().collect();
    let id = columns.place(Column::Id).and_then(|at| cells.get(at)).map_or("", |id| id.trim());
    (id.into(), columns.demographics(&cells))
}
