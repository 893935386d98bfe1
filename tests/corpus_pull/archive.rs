//! Patients of an archive, spread over endpoints, some of them over two.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Patient → the charts it has: (endpoint, id of the Patient there).
pub(crate) type Truth = BTreeMap<String, Vec<(String, String)>>;

/// Endpoints by the number of their folder.
const ENDPOINTS: [&str; 4] = ["first", "second", "third", "fourth"];

/// Every so manieth patient is seen at two endpoints.
const AT_TWO: usize = 3;

/// The archive of a folder, unpacked; `None`, with a word on stdout, without archive or `tar`.
pub(crate) fn unpacked(folder: &Path) -> Option<tempfile::TempDir> {
    let archive = folder.join("smart-synthea-r4-120-patients.tar.zst");
    let Ok(packed) = fs::read(&archive) else {
        println!("skipped: no {}", archive.display());
        return None;
    };
    let tar = zstd::decode_all(Cursor::new(packed)).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let unpack =
        Command::new("tar").arg("x").arg("-C").arg(dir.path()).stdin(Stdio::piped()).spawn();
    match unpack {
        Ok(mut process) => {
            process.stdin.take().unwrap().write_all(&tar).unwrap();
            assert!(process.wait().unwrap().success(), "tar cannot unpack the archive");
            Some(dir)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            println!("skipped: the archive needs the command tar, which is not there");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The JSON files at any depth, in the order of their paths.
pub(crate) fn files_of(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "json") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Writes each patient's Bundle to the folder of an endpoint (`e0`, `e1` …), and some to that of
/// the next one too, under other ids and another record number. Bundles without Patient go to
/// the first.
pub(crate) fn spread(files: &[PathBuf], endpoints: usize, to: &Path) -> Truth {
    let mut truth = Truth::new();
    (0..endpoints).for_each(|n| fs::create_dir_all(to.join(format!("e{n}"))).unwrap());
    for (n, file) in files.iter().enumerate() {
        let text = fs::read_to_string(file).unwrap();
        let mut bundle: Value = serde_json::from_str(&text).unwrap();
        let name = format!("{n}.json");
        let Some(patient) = patient_of(&mut bundle) else {
            fs::write(to.join("e0").join(name), text).unwrap();
            continue;
        };
        let id = patient["id"].as_str().unwrap().to_owned();
        let here = n % endpoints;
        fs::write(to.join(format!("e{here}")).join(&name), text).unwrap();
        let charts = truth.entry(id.clone()).or_default();
        charts.push((ENDPOINTS[here].to_owned(), id.clone()));
        if charts.len() == 1 && n % AT_TWO == 0 {
            let there = (here + 1) % endpoints;
            number_anew(patient);
            let other = with_other_ids(&bundle.to_string());
            fs::write(to.join(format!("e{there}")).join(format!("other-{name}")), other).unwrap();
            charts.push((ENDPOINTS[there].to_owned(), with_other_ids(&id)));
        }
    }
    truth
}

fn patient_of(bundle: &mut Value) -> Option<&mut Value> {
    let entries = bundle.get_mut("entry")?.as_array_mut()?;
    let resources = entries.iter_mut().filter_map(|entry| entry.get_mut("resource"));
    resources.into_iter().find(|resource| resource["resourceType"] == "Patient")
}

/// Another provider numbers its patients itself; numbers that others gave stay.
fn number_anew(patient: &mut Value) {
    for identifier in patient["identifier"].as_array_mut().unwrap() {
        let system = identifier["system"].as_str().unwrap();
        if system.contains("synthe") || system.contains("hospital") {
            identifier["system"] = "http://second.example/mrn".into();
        }
    }
}

/// The text with every UUID turned into another, the same into the same.
fn with_other_ids(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(is_uuid_start) {
        let is_uuid = rest.get(at..at + 36).is_some_and(is_uuid);
        let end = if is_uuid { at + 36 } else { at + 1 };
        out.push_str(&rest[..at]);
        match is_uuid {
            true => out.extend(rest[at..end].chars().map(turned)),
            false => out.push_str(&rest[at..end]),
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

fn is_uuid_start(c: char) -> bool {
    c.is_ascii_hexdigit()
}

fn is_uuid(text: &str) -> bool {
    text.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

fn turned(c: char) -> char {
    c.to_digit(16).and_then(|digit| char::from_digit(15 - digit, 16)).unwrap_or(c)
}
