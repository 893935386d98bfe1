//! Tables: CSV with a header, or NDJSON of flat objects, as groups of rows that follow each other
//! and have one value in a column. A row at a time is read; a group is bounded.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};

use super::lines::{Line, Lines};
use super::tell::is_named_ndjson;
use super::{Bounds, Form, Odd, Piece, Place, Why};

/// Rows of one group at most; what follows is the next group.
const ROWS_MAX: usize = 1_000;
/// A CSV reader reads so much at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// How a table is read.
#[derive(Clone, Copy, Debug)]
pub struct TableForm<'a> {
    /// The column by which rows belong together.
    pub group: &'a str,
    /// What stands between the columns of CSV.
    pub delimiter: u8,
}

/// A row, or what cannot be used as one.
type Item = Result<(u64, BTreeMap<String, String>), Odd>;

/// The groups of a table. Each is a [`Piece`] of form [`Form::Rows`]: a JSON array of
/// `{"line", "cells"}`.
pub fn read_table(
    path: &Arc<Path>,
    form: TableForm<'_>,
    bounds: &Bounds,
) -> impl Iterator<Item = Result<Piece, Odd>> + use<> {
    let rows: Box<dyn Iterator<Item = Item>> = match open(path, form, bounds) {
        Ok(rows) => rows,
        Err(why) => Box::new(std::iter::once(Err(odd(path, None, why)))),
    };
    Groups { path: path.clone(), group: form.group.to_owned(), rows, waiting: None, odd: None }
}

struct Groups {
    path: Arc<Path>,
    group: String,
    rows: Box<dyn Iterator<Item = Item>>,
    /// The first row of the next group.
    waiting: Option<(u64, BTreeMap<String, String>)>,
    odd: Option<Odd>,
}

impl Iterator for Groups {
    type Item = Result<Piece, Odd>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(odd) = self.odd.take() {
            return Some(Err(odd));
        }
        let mut group: Vec<(u64, BTreeMap<String, String>)> = Vec::new();
        group.extend(self.waiting.take());
        while group.len() < ROWS_MAX {
            match self.rows.next() {
                None => break,
                // What is odd stands behind the rows before it.
                Some(Err(odd)) if group.is_empty() => return Some(Err(odd)),
                Some(Err(odd)) => {
                    self.odd = Some(odd);
                    break;
                }
                Some(Ok(row)) => {
                    let same = group
                        .first()
                        .is_none_or(|first| first.1.get(&self.group) == row.1.get(&self.group));
                    if !same {
                        self.waiting = Some(row);
                        break;
                    }
                    group.push(row);
                }
            }
        }
        group.first()?;
        let rows: Vec<Value> = group
            .into_iter()
            .map(|(line, cells)| json!({ "line": line, "cells": cells }))
            .collect();
        Some(Ok(Piece {
            // What is wrong with a row is told with its own line.
            place: Place { path: self.path.clone(), line: None },
            form: Form::Rows,
            resource_type: super::pieces::CARE_RECORD_TYPE.into(),
            bytes: Value::from(rows).to_string().into(),
        }))
    }
}

fn open(
    path: &Arc<Path>,
    form: TableForm<'_>,
    bounds: &Bounds,
) -> Result<Box<dyn Iterator<Item = Item>>, Why> {
    let unreadable = |e: io::Error| Why::Unreadable(e.to_string());
    let file = File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err(Why::Special);
    }
    if is_named_ndjson(path) {
        let lines = Lines::new(BufReader::new(file), bounds.line_bytes_max);
        let max = bounds.line_bytes_max;
        return Ok(Box::new(Objects { path: path.clone(), lines, max, ended: false }));
    }
    let read = Rc::new(Cell::new(0));
    let bounded = Bounded { input: file, read: read.clone(), max: bounds.line_bytes_max };
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .delimiter(form.delimiter)
        .buffer_capacity(BUFFER_BYTES)
        .from_reader(bounded);
    let header = reader.headers().map_err(|_| Why::NotFhir("no CSV with a header in UTF-8"))?;
    let header: Vec<String> =
        header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    if header.iter().all(String::is_empty) {
        return Err(Why::Empty);
    }
    let mut names: Vec<&String> = header.iter().filter(|name| !name.is_empty()).collect();
    names.sort();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Why::NotFhir("CSV with two columns of one name; rename one"));
    }
    if !header.iter().any(|name| name == form.group) {
        return Err(Why::NotFhir(
            "CSV without the column of the person's id that the mapping names",
        ));
    }
    let path = path.clone();
    Ok(Box::new(Records { path, reader, header, read, ended: false }))
}

/// CSV rows.
struct Records {
    path: Arc<Path>,
    reader: csv::Reader<Bounded>,
    header: Vec<String>,
    /// Bytes read since the last row.
    read: Rc<Cell<usize>>,
    ended: bool,
}

impl Iterator for Records {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.ended {
            return None;
        }
        self.read.set(0);
        let mut record = csv::ByteRecord::new();
        let found = self.reader.read_byte_record(&mut record);
        let line = record.position().map_or(0, csv::Position::line);
        match found {
            Ok(false) => None,
            Ok(true) => Some(self.row(line, &record)),
            Err(error) => {
                self.ended = true;
                let why = match error.into_kind() {
                    csv::ErrorKind::Io(e) if e.kind() == io::ErrorKind::InvalidData => {
                        Why::NotFhir("a row that does not end; close the quotation mark")
                    }
                    csv::ErrorKind::Io(e) => Why::Unreadable(e.to_string()),
                    _ => Why::NotFhir("not CSV from here on"),
                };
                Some(Err(odd(&self.path, Some(line), why)))
            }
        }
    }
}

impl Records {
    fn row(&self, line: u64, record: &csv::ByteRecord) -> Item {
        let broken = |what: &'static str| {
            let fields: Vec<&[u8]> = record.iter().collect();
            let bytes = Some(Bytes::from(fields.join(&b',')));
            Odd { bytes, ..odd(&self.path, Some(line), Why::Row(what)) }
        };
        if record.len() > self.header.len() {
            return Err(broken(
                "more cells than the header has columns; put cells with a separator in quotes",
            ));
        }
        let cells = self.header.iter().zip(record.iter());
        let cells: Result<_, _> = cells
            .map(|(name, cell)| std::str::from_utf8(cell).map(|c| (name.clone(), c.to_owned())))
            .collect();
        cells.map(|cells| (line, cells)).map_err(|_| broken("not UTF-8; save the file as UTF-8"))
    }
}

/// Objects of NDJSON; what is nested is named with points.
struct Objects {
    path: Arc<Path>,
    lines: Lines<BufReader<File>>,
    max: usize,
    ended: bool,
}

impl Iterator for Objects {
    type Item = Item;

    fn next(&mut self) -> Option<Item> {
        if self.ended {
            return None;
        }
        match self.lines.next() {
            Ok(None) => None,
            Ok(Some(line)) => Some(self.object(line)),
            Err(error) => {
                self.ended = true;
                Some(Err(odd(&self.path, None, Why::Unreadable(error.to_string()))))
            }
        }
    }
}

impl Objects {
    fn object(&self, line: Line) -> Item {
        let at = Some(line.number);
        let Some(text) = line.text else {
            return Err(odd(&self.path, at, Why::LineTooLong { max: self.max }));
        };
        match serde_json::from_slice::<Value>(&text) {
            Ok(value @ Value::Object(_)) => {
                let mut cells = BTreeMap::new();
                flatten("", &value, &mut cells);
                Ok((line.number, cells))
            }
            _ => {
                let why = Why::Row("not a JSON object; write one on each line");
                Err(Odd { bytes: Some(text.into()), ..odd(&self.path, at, why) })
            }
        }
    }
}

fn flatten(name: &str, value: &Value, cells: &mut BTreeMap<String, String>) {
    let within = |inner: &str| match name {
        "" => inner.to_owned(),
        name => format!("{name}.{inner}"),
    };
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(inner, value)| flatten(&within(inner), value, cells));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(place, item)| flatten(&within(&place.to_string()), item, cells));
        }
        Value::Null => {}
        Value::String(text) => drop(cells.insert(name.to_owned(), text.clone())),
        other => drop(cells.insert(name.to_owned(), other.to_string())),
    }
}

/// A quotation mark that is never closed would make the rest of a file one row.
struct Bounded {
    input: File,
    read: Rc<Cell<usize>>,
    max: usize,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read.get() > self.max {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a row too long"));
        }
        let count = self.input.read(buffer)?;
        self.read.set(self.read.get() + count);
        Ok(count)
    }
}

fn odd(path: &Arc<Path>, line: Option<u64>, why: Why) -> Odd {
    Odd { place: Place { path: path.clone(), line }, why, bytes: None }
}
