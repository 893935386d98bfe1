//! Rows of an export as a care record, by the site's column mapping. A row that cannot be used is
//! told with its line and column; the others are taken.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::mapping::{Cell, ItemColumns, Kind, Mapping, Written, close_up, is_list, put_at};
use super::record::{CARE_RECORD, Records, VERSION};
use super::record_map::Section;
use super::record_schema::Fault;

/// Where what no line of the mapping names is kept.
const COLUMNS: &str = "columns";

/// One row: its columns by name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// Where it begins, from 1.
    pub line: u64,
    /// Its cells.
    pub cells: BTreeMap<String, String>,
}

/// A row that was not taken.
#[derive(Clone, Debug)]
pub struct RowFault {
    /// Its line.
    pub line: u64,
    /// Line, column, what is wrong and what to do; without the value.
    pub text: String,
    /// The row as JSON.
    pub row: Vec<u8>,
}

/// Which column a place of a record came from.
type Trace = Vec<(String, String)>;

impl Records {
    /// The mapping, checked against what a care record has.
    ///
    /// # Errors
    /// Says what cannot be meant.
    pub fn mapping(&self, mapping: Mapping) -> Result<Mapping, String> {
        mapping.check(self.map())?;
        Ok(mapping)
    }

    /// A Bundle of the resources that rows of one person state, if any can be used; and the rows
    /// that cannot.
    pub fn rows(&self, mapping: &Mapping, rows: Vec<Row>) -> (Option<Vec<u8>>, Vec<RowFault>) {
        let mut record: Option<Value> = None;
        let mut faults = Vec::new();
        for row in rows {
            match self.row(mapping, &row, record.as_ref()) {
                Ok(merged) => record = Some(merged),
                Err(text) => {
                    let text = format!("line {}, {text}", row.line);
                    let bytes = serde_json::to_vec(&row.cells).unwrap_or_default();
                    faults.push(RowFault { line: row.line, text, row: bytes });
                }
            }
        }
        let bundle = record.and_then(|record| self.bundle_of(&record).ok());
        (bundle, faults)
    }

    /// What the rows so far and this one state together.
    fn row(&self, mapping: &Mapping, row: &Row, before: Option<&Value>) -> Result<Value, String> {
        let mut trace = Trace::new();
        let mut stated = self.stated_by(mapping, row, &mut trace)?;
        close_up(&mut stated);
        let told = |fault: &Fault| told(fault, &trace);
        if let Some(fault) = self.check(&stated).first() {
            return Err(told(fault));
        }
        let Some(before) = before else { return Ok(stated) };
        let mut together = before.clone();
        let text = "an earlier line of the same person says otherwise; make them agree";
        let differs = |path: String| told(&Fault { path, text: text.to_owned() });
        merge(&mut together, stated, String::new()).map_err(differs)?;
        // Items that refer to each other may have met only now.
        self.check(&together).first().map_or(Ok(together), |fault| Err(told(fault)))
    }

    fn stated_by(&self, mapping: &Mapping, row: &Row, trace: &mut Trace) -> Result<Value, String> {
        let sections = &self.map().sections;
        let column = &mapping.person.id;
        let id = cell(row, column);
        if id.is_empty() {
            return Err(format!("column \"{column}\": empty; write the person's id"));
        }
        let mut person = Map::from_iter([("id".to_owned(), json!(id))]);
        trace.push(("/person/id".to_owned(), column.clone()));
        let at = Place { section: &sections[0], path: "/person".to_owned() };
        let fields = (&mapping.person.fields, &mapping.person.set);
        fill(mapping, row, &at, fields, &mut person, trace)?;
        let mut record = Map::from_iter([(CARE_RECORD.to_owned(), json!(VERSION))]);
        let mut items: Vec<(&str, Map<String, Value>)> = Vec::new();
        for columns in &mapping.items {
            let Some(section) = sections.iter().find(|s| s.name == columns.section) else {
                continue;
            };
            let Some(id) = item_id(row, columns) else {
                not_without_id(mapping, row, columns)?;
                continue;
            };
            let place = items.iter().filter(|(name, _)| *name == section.name).count();
            let at = Place { section, path: format!("/{}/{place}", section.name) };
            let mut item = Map::from_iter([("id".to_owned(), json!(id))]);
            let id_column = columns.id.all().first().cloned().unwrap_or_default();
            trace.push((format!("{}/id", at.path), id_column));
            fill(mapping, row, &at, (&columns.fields, &columns.set), &mut item, trace)?;
            items.push((&section.name, item));
        }
        if let Some(left) = unmapped(mapping, row) {
            let first = items.first_mut().map_or(&mut person, |(_, item)| item);
            first.insert(COLUMNS.to_owned(), left);
        }
        record.insert(sections[0].name.clone(), Value::Object(person));
        for (section, item) in items {
            let list = record.entry(section.to_owned()).or_insert_with(|| json!([]));
            list.as_array_mut().into_iter().for_each(|l| l.push(Value::Object(item.clone())));
        }
        Ok(Value::Object(record))
    }
}

/// Where a row's fields go.
struct Place<'a> {
    section: &'a Section,
    path: String,
}

/// Columns and constants by the path of their field.
type Fields<'a> = (&'a BTreeMap<String, Cell>, &'a BTreeMap<String, Value>);

fn fill(
    mapping: &Mapping,
    row: &Row,
    at: &Place<'_>,
    (fields, set): Fields<'_>,
    into: &mut Map<String, Value>,
    trace: &mut Trace,
) -> Result<(), String> {
    for (path, value) in set {
        put_at(into, path, value.clone());
    }
    for (path, from) in fields {
        let text = cell(row, from.column());
        if text.is_empty() {
            continue;
        }
        let value = read(mapping, from, text)
            .map_err(|text| format!("column \"{}\": {text}", from.column()))?;
        let value = match value {
            Value::Array(list) => Value::Array(list),
            one if is_list(at.section, path) => json!([one]),
            one => one,
        };
        trace.push((format!("{}/{}", at.path, path.replace('.', "/")), from.column().to_owned()));
        put_at(into, path, value);
    }
    Ok(())
}

/// The value of a cell.
fn read(mapping: &Mapping, from: &Cell, text: &str) -> Result<Value, String> {
    let Cell::Written(written) = from else { return Ok(json!(text)) };
    match &written.split {
        None => one(mapping, written, text),
        Some(between) => {
            let parts = text.split(between.as_str()).map(str::trim).filter(|part| !part.is_empty());
            let values: Result<Vec<Value>, String> =
                parts.map(|part| one(mapping, written, part)).collect();
            values.map(Value::Array)
        }
    }
}

fn one(mapping: &Mapping, written: &Written, text: &str) -> Result<Value, String> {
    if !written.values.is_empty() {
        let known = written.values.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
        return known.map(|(_, value)| json!(value)).ok_or_else(|| {
            let names: Vec<&str> = written.values.keys().map(String::as_str).collect();
            format!("write one of {}, or add the value to the mapping", names.join(", "))
        });
    }
    match written.kind {
        Kind::Text => Ok(json!(text)),
        Kind::Date => mapping.date(text).map(|date| json!(date)).ok_or_else(|| {
            "not a date of the form that the mapping states; write it so, or change `dates`"
                .to_owned()
        }),
        Kind::Number => match serde_json::from_str(text) {
            Ok(Value::Number(number)) => Ok(Value::Number(number)),
            _ => Err("not a number; write digits with a point".to_owned()),
        },
        Kind::Flag => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "y" | "1" => Ok(json!(true)),
            "false" | "no" | "n" | "0" => Ok(json!(false)),
            _ => Err("write yes or no".to_owned()),
        },
    }
}

fn cell<'r>(row: &'r Row, column: &str) -> &'r str {
    row.cells.get(column).map_or("", |text| text.trim())
}

/// The id of an item: that of its column, or one made of several columns; none if one is empty.
fn item_id(row: &Row, columns: &ItemColumns) -> Option<String> {
    let parts: Vec<&str> = columns.id.all().iter().map(|column| cell(row, column)).collect();
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    match parts.as_slice() {
        [one] => Some((*one).to_owned()),
        several => {
            let hash = crate::flow::Hash::of_parts(several.iter().map(|part| part.as_bytes()));
            Some(format!("r{:026x}", hash.0 >> 24))
        }
    }
}

/// An error if a cell that no other part of the record reads would be lost for want of an id.
fn not_without_id(mapping: &Mapping, row: &Row, columns: &ItemColumns) -> Result<(), String> {
    let lost = mapping.columns_of_none_but(columns).find(|column| !cell(row, column).is_empty());
    let empty = columns.id.all().iter().find(|column| cell(row, column).is_empty());
    match (lost, empty) {
        (Some(lost), Some(id)) => Err(format!(
            "column \"{id}\": empty, and column \"{lost}\" is not; write the id of what it states"
        )),
        _ => Ok(()),
    }
}

fn unmapped(mapping: &Mapping, row: &Row) -> Option<Value> {
    let known = mapping.columns();
    let left = row
        .cells
        .iter()
        .filter(|(name, text)| !known.contains(name.as_str()) && !text.trim().is_empty());
    let left: Map<String, Value> = left.map(|(name, text)| (name.clone(), json!(text))).collect();
    (!left.is_empty()).then_some(Value::Object(left))
}

/// A fault at a place of the record, as a fault of the column that states it.
fn told(fault: &Fault, trace: &Trace) -> String {
    let overlap = |path: &str| match fault.path.starts_with(path) || path.starts_with(&fault.path) {
        true => path.len().min(fault.path.len()),
        false => 0,
    };
    let best = trace.iter().max_by_key(|(path, _)| overlap(path));
    match best.filter(|(path, _)| overlap(path) > 1) {
        Some((_, column)) => format!("column \"{column}\" ({}): {}", fault.path, fault.text),
        None => format!("{}: {}; map a column to it, or set it", fault.path, fault.text),
    }
}

/// Adds what another row says. Items are one if they have one id; other lists are put together.
///
/// # Errors
/// The place where the two say different things.
fn merge(into: &mut Value, from: Value, path: String) -> Result<(), String> {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            from.into_iter().try_for_each(|(name, value)| {
                let path = format!("{path}/{name}");
                match into.get_mut(&name) {
                    Some(known) => merge(known, value, path),
                    None => {
                        into.insert(name, value);
                        Ok(())
                    }
                }
            })
        }
        (Value::Array(into), Value::Array(from)) => from.into_iter().try_for_each(|item| {
            let id = item.get("id").cloned();
            let same = |known: &&mut Value| match &id {
                Some(id) => known.get("id") == Some(id),
                None => **known == item,
            };
            // Its place among the row's own items is what a fault is told by.
            let path = format!("{path}/0");
            match into.iter_mut().find(same) {
                Some(known) => merge(known, item, path),
                None => {
                    into.push(item);
                    Ok(())
                }
            }
        }),
        (into, from) if *into == from => Ok(()),
        _ => Err(path),
    }
}
