//! The file of a panel: who its members are, by id or identifier.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use serde_json::{Value, json};

use super::CliError;

/// Columns that hold an id of ours, or a URL.
const PATIENT: [&str; 3] = ["patient", "person", "reference"];
/// Columns that hold an identifier.
const IDENTIFIER: [&str; 4] = ["identifier", "member_id", "mrn", "value"];
/// Rows that are told to be wrong; the rest is counted.
const TOLD_MAX: usize = 20;
/// A Group in JSON is read whole.
const GROUP_BYTES_MAX: u64 = 64 << 20;

/// What a file holds.
pub(super) enum Rows {
    /// A FHIR Group.
    Group(Value),
    /// `Group.member`.
    Members(Vec<Value>),
}

/// Reads a file; of CSV a row at a time.
///
/// # Errors
/// `Problems` with every row that cannot be read (line, column, what to do); `Usage` for a header
/// without a column that says who is meant.
pub(super) fn read(
    path: &Path,
    system: Option<&str>,
    members_max: usize,
) -> Result<Rows, CliError> {
    let opened = File::open(path)
        .map_err(|e| CliError::Usage(format!("{}: cannot be read: {e}", path.display())))?;
    let is_json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    if is_json {
        group(path, opened, members_max)
    } else {
        table(path, opened, system, members_max)
    }
}

fn group(path: &Path, file: File, members_max: usize) -> Result<Rows, CliError> {
    let at = |text: String| CliError::Problems(format!("{}: {text}", path.display()));
    let mut text = Vec::new();
    file.take(GROUP_BYTES_MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > GROUP_BYTES_MAX {
        return Err(at(format!("larger than {GROUP_BYTES_MAX} bytes; write it as CSV")));
    }
    let group: Value = serde_json::from_slice(&text).map_err(|e| {
        at(format!("not JSON: reading stopped at line {}, column {}", e.line(), e.column()))
    })?;
    if group["resourceType"] != "Group" {
        return Err(at("not a FHIR Group; write one, or CSV with a header".to_owned()));
    }
    match group["member"].as_array().map_or(0, Vec::len) {
        members if members > members_max => Err(too_many(path, members_max)),
        _ => Ok(Rows::Group(group)),
    }
}

/// The places of the columns that are used.
struct Columns {
    patient: Option<usize>,
    identifier: Option<usize>,
    system: Option<usize>,
}

impl Columns {
    fn of(header: &csv::ByteRecord) -> Self {
        let names: Vec<String> = header
            .iter()
            .map(|name| {
                let name = String::from_utf8_lossy(name);
                name.trim_start_matches('\u{feff}').trim().to_ascii_lowercase()
            })
            .collect();
        let place = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
        Self {
            patient: place(&PATIENT),
            identifier: place(&IDENTIFIER),
            system: place(&["system"]),
        }
    }
}

fn table(
    path: &Path,
    file: File,
    system: Option<&str>,
    members_max: usize,
) -> Result<Rows, CliError> {
    let at = |text: String| CliError::Problems(format!("{}: {text}", path.display()));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(BufReader::new(file));
    let header = reader.byte_headers().map_err(|e| at(format!("not CSV: {e}")))?;
    let columns = Columns::of(header);
    if columns.patient.is_none() && columns.identifier.is_none() {
        let known = [&PATIENT[..], &IDENTIFIER[..]].concat().join(", ");
        let text =
            format!("{}:1: no column says who is meant; name one of them {known}", path.display());
        return Err(CliError::Usage(text));
    }
    let (mut members, mut faults, mut faulty) = (Vec::new(), Vec::new(), 0_usize);
    let mut row = csv::ByteRecord::new();
    loop {
        let line = reader.position().line();
        match reader.read_byte_record(&mut row) {
            Ok(false) => break,
            Ok(true) => {}
            Err(e) => return Err(at(format!("{line}: not CSV: {e}"))),
        }
        match member(&columns, &row, system) {
            Ok(member) => members.push(member),
            Err(fault) => {
                faulty += 1;
                if faults.len() < TOLD_MAX {
                    faults.push(format!("{}:{line}: {fault}", path.display()));
                }
            }
        }
        if members.len() > members_max {
            return Err(too_many(path, members_max));
        }
    }
    match faulty {
        0 => Ok(Rows::Members(members)),
        n => {
            let more = match n.saturating_sub(faults.len()) {
                0 => String::new(),
                more => format!("\nand {more} more"),
            };
            let text = format!("{}{more}\nnothing was changed; mend the file", faults.join("\n"));
            Err(CliError::Problems(text))
        }
    }
}

/// A member of a row, or what is wrong with it: the column, and what to do.
fn member(
    columns: &Columns,
    row: &csv::ByteRecord,
    system: Option<&str>,
) -> Result<Value, &'static str> {
    let field = |place: Option<usize>| {
        let text = place.and_then(|place| row.get(place)).unwrap_or_default();
        std::str::from_utf8(text).map(str::trim).map_err(|_| "not UTF-8; save the file as UTF-8")
    };
    let patient = field(columns.patient)?;
    if !patient.is_empty() {
        let reference = match patient.contains('/') {
            true => patient.to_owned(),
            false => format!("Patient/{patient}"),
        };
        return Ok(json!({ "entity": { "reference": reference } }));
    }
    let identifier = field(columns.identifier)?;
    let stated = match field(columns.system)? {
        "" => system,
        stated => Some(stated),
    };
    let (system, value) = match (identifier.split_once('|'), stated) {
        _ if identifier.is_empty() => {
            return Err("columns patient and identifier are empty; fill one, or remove the row");
        }
        (Some((system, value)), _) => (system, value),
        (None, Some(system)) => (system, identifier),
        (None, None) => {
            return Err("column identifier has no system; write system|value, or use --system");
        }
    };
    match (system.is_empty(), value.is_empty()) {
        (false, false) => Ok(json!({ "entity": {
            "type": "Patient", "identifier": { "system": system, "value": value },
        } })),
        _ => Err("column identifier: write system|value, neither of them empty"),
    }
}

fn too_many(path: &Path, most: usize) -> CliError {
    let text = format!(
        "{}: more than {most} members (limits.panel_members_max); make several panels of it",
        path.display()
    );
    CliError::Problems(text)
}
