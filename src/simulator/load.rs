//! Loading files into a simulated server: resources, Bundles and NDJSON, nested and mixed. They
//! come out as a server would hold them; all of them are in memory then.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;

use super::about::About;
use super::entries::{Entry, entries, identified};
use super::query::token;
use super::references::rewrite;
use crate::fhir::bundle::{Split, split};
use crate::fhir::{Reference, ResourceType, is_id, parse_reference, xml};
use crate::files::{self, Bounds, Form, PathError, Piece, Place};
use crate::net::Url;

/// What was loaded.
#[derive(Debug, Default)]
pub struct Loaded {
    pub(super) records: Vec<Record>,
    /// What was odd, in the order in which it was found.
    pub notes: Vec<Note>,
    /// How many files were read.
    pub files: usize,
    /// How many resources came again with the same content.
    pub repeats: usize,
}

/// Something odd, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where it is.
    pub place: Place,
    /// A short word for programs.
    pub code: &'static str,
    /// What it is and what was done.
    pub text: String,
}

/// One resource.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) about: About,
    pub(super) body: Bytes,
    pub(super) last_updated: Timestamp,
    place: Place,
}

type Key = (ResourceType, Box<str>);

#[derive(Default)]
struct Loading {
    records: BTreeMap<Key, Record>,
    loaded: Loaded,
    /// When the file at hand was changed.
    modified: Timestamp,
}

/// Bundles in Bundles in Bundles: deeper ones are odd.
const NESTING_MAX: usize = 4;

/// Loads all files at and below some paths. `progress` is told bytes done and bytes in all.
///
/// A resource without `meta.lastUpdated` counts as changed when its file was: so a later pull
/// finds what was edited since. Of a document Bundle both the Bundle and its entries are held.
///
/// # Errors
/// When a path that was given cannot be read. All else is a [`Note`].
pub fn load(
    paths: &[PathBuf],
    bounds: &Bounds,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Loaded, PathError> {
    let walked = files::walk(paths, bounds)?;
    let total = walked.files.iter().map(|file| file.bytes).sum();
    let mut done = 0;
    let mut loading = Loading::default();
    walked.odd.into_iter().for_each(|odd| loading.odd(&odd));
    for file in walked.files {
        progress(done, total);
        loading.modified = modified(&file.path);
        let mut within = 0;
        for piece in files::read(&file.path, bounds) {
            match piece {
                Ok(piece) => {
                    within += piece.bytes.len() as u64;
                    progress(done + within.min(file.bytes), total);
                    loading.piece(piece);
                }
                Err(odd) => loading.odd(&odd),
            }
        }
        done += file.bytes;
        loading.loaded.files += 1;
    }
    progress(total, total);
    Ok(loading.finish())
}

impl Loaded {
    /// How many resources there are of each type.
    pub fn counts(&self) -> BTreeMap<ResourceType, usize> {
        let mut counts = BTreeMap::new();
        for record in &self.records {
            *counts.entry(record.about.resource_type).or_default() += 1;
        }
        counts
    }
}

impl Loading {
    fn piece(&mut self, piece: Piece) {
        match piece.form {
            // What is no FHIR is told of as a resource without its type.
            Form::Json | Form::Care | Form::Rows => self.resource(&piece.place, piece.bytes, 0),
            Form::Xml => match xml::from_xml(&piece.bytes) {
                Ok(json) => self.resource(&piece.place, json.into(), 0),
                Err(text) => self.note(&piece.place, "broken", text),
            },
        }
    }

    fn resource(&mut self, place: &Place, body: Bytes, nesting: usize) {
        match split(&body) {
            Ok(Split::Bundle { bundle_type, entries, .. }) => {
                if bundle_type == "document" {
                    self.alone(place, body);
                }
                self.bundle(place, entries, nesting);
            }
            Ok(Split::Resource(_)) => self.alone(place, body),
            Err(error) => self.note(place, "broken", error.to_string()),
        }
    }

    fn bundle(&mut self, place: &Place, raw: Vec<crate::fhir::bundle::RawEntry>, nesting: usize) {
        if nesting >= NESTING_MAX {
            let text = "Bundles nested too deep; its entries are not served";
            return self.note(place, "too-deep", text.to_owned());
        }
        for (index, entry) in entries(raw).into_iter().enumerate() {
            match entry {
                Entry::Resource(body, made) => self.record(place, body, made),
                Entry::Bundle(body) => self.resource(place, body, nesting + 1),
                Entry::Odd(text) => self.note(place, "entry", format!("entry {index}: {text}")),
            }
        }
    }

    /// A resource that is no entry.
    fn alone(&mut self, place: &Place, body: Bytes) {
        match identified(body, None) {
            Some((body, _, made)) => self.record(place, body, made),
            None => self.note(place, "not-fhir", "no FHIR resource".to_owned()),
        }
    }

    fn record(&mut self, place: &Place, body: Bytes, id_was_made: bool) {
        let about = match About::read(&body) {
            Ok(about) => about,
            Err(text) => return self.note(place, "not-fhir", text.to_owned()),
        };
        let kind = about.resource_type;
        if matches!(kind.name(), "OperationOutcome" | "Parameters") {
            return self.note(place, "no-record", format!("{kind} is nothing that a server keeps"));
        }
        let Some(id) = about.id.clone() else { return };
        if id_was_made {
            self.note(place, "no-id", format!("no id; served as {kind}/{id}"));
        } else if !is_id(&id) {
            let text = format!("{kind} with an id that R4 does not allow; served all the same");
            self.note(place, "bad-id", text);
        }
        let last_updated = about.last_updated.unwrap_or(self.modified);
        let record = Record { about, body, last_updated, place: place.clone() };
        self.keep((kind, id), record);
    }

    /// Of two with one id the one that changed later stays, or else the one that came later.
    fn keep(&mut self, key: Key, record: Record) {
        let Some(earlier) = self.records.get(&key) else {
            self.records.insert(key, record);
            return;
        };
        if earlier.body == record.body || same_json(&earlier.body, &record.body) {
            self.loaded.repeats += 1;
            return;
        }
        let replaces = record.last_updated >= earlier.last_updated;
        let (stays, goes) = if replaces { (&record, earlier) } else { (earlier, &record) };
        let text =
            format!("{}/{} differs from that in {}, which is served", key.0, key.1, stays.place);
        let place = goes.place.clone();
        if replaces {
            self.records.insert(key, record);
        }
        self.note(&place, "twice", text);
    }

    fn odd(&mut self, odd: &files::Odd) {
        self.note(&odd.place, odd.why.code(), odd.why.to_string());
    }

    fn note(&mut self, place: &Place, code: &'static str, text: String) {
        self.loaded.notes.push(Note { place: place.clone(), code, text });
    }

    /// Resolves conditional references, now that all is known.
    fn finish(mut self) -> Loaded {
        let mut known: HashMap<(ResourceType, &str), Vec<(&str, &str)>> = HashMap::new();
        for ((kind, id), record) in &self.records {
            for (system, value) in &record.about.identifiers {
                known.entry((*kind, value)).or_default().push((system, id));
            }
        }
        let resolve = |reference: &str| resolved(reference, &known);
        let changed: Vec<(Key, Bytes)> = self
            .records
            .iter()
            .filter_map(|(key, record)| Some((key.clone(), rewrite(&record.body, &resolve)?)))
            .collect();
        drop(known);
        for (key, body) in changed {
            if let (Some(record), Ok(about)) = (self.records.get_mut(&key), About::read(&body)) {
                (record.about, record.body) = (about, body);
            }
        }
        self.loaded.records = self.records.into_values().collect();
        self.loaded
    }
}

/// Whether two texts say the same, however they are laid out.
fn same_json(a: &[u8], b: &[u8]) -> bool {
    let parse = |text| serde_json::from_slice::<serde_json::Value>(text).ok();
    parse(a).is_some_and(|value| Some(value) == parse(b))
}

/// `Practitioner?identifier=system|value` as `Practitioner/id`, if just one has the identifier.
/// <https://hl7.org/fhir/R4/http.html#trules>
fn resolved(
    reference: &str,
    known: &HashMap<(ResourceType, &str), Vec<(&str, &str)>>,
) -> Option<String> {
    let Reference::Conditional { resource_type, query } = parse_reference(reference) else {
        return None;
    };
    let url = Url::parse(&format!("http://conditional/?{query}")).ok()?;
    let pairs: Vec<_> = url.query_pairs().collect();
    let [(name, value)] = pairs.as_slice() else { return None };
    if name != "identifier" {
        return None;
    }
    let (system, value) = token(value);
    let mut ids: Vec<&str> = known
        .get(&(resource_type, &*value))?
        .iter()
        .filter(|(s, _)| system.as_ref().is_none_or(|want| **want == **s))
        .map(|(_, id)| *id)
        .collect();
    ids.dedup();
    let [id] = ids.as_slice() else { return None };
    Some(format!("{resource_type}/{id}"))
}

/// When a file was changed; not in the future.
fn modified(path: &Path) -> Timestamp {
    let now = Timestamp::now();
    let changed = std::fs::metadata(path).and_then(|metadata| metadata.modified());
    changed.ok().and_then(|at| Timestamp::try_from(at).ok()).map_or(now, |at| at.min(now))
}
