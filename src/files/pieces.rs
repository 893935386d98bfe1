//! The resources and Bundles of one file, one after the other.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::value::RawValue;

use super::lines::{Line, Lines, without_mark};
use super::tell::{HEAD_BYTES, Told, is_named_ndjson, tell};
use super::{Bounds, Form, Format, Odd, Piece, Place, Why};
use crate::fhir::bundle::resource_header;

/// Reads a file: its resources and Bundles, and what cannot be used of it. At most one document
/// or one line (see [`Bounds`]) is held at a time.
pub fn read(path: &Arc<Path>, bounds: &Bounds) -> Pieces {
    read_as(path, Format::Auto, bounds)
}

/// The same of a file that is to be taken for something.
pub fn read_as(path: &Arc<Path>, format: Format, bounds: &Bounds) -> Pieces {
    let mut pieces = Pieces {
        path: path.clone(),
        bounds: *bounds,
        rest: Rest::Nothing,
        is_care: format == Format::Care,
    };
    pieces.rest = pieces.open(format).unwrap_or_else(|e| Rest::Odd(Why::Unreadable(e.to_string())));
    pieces
}

/// What [`read`] hands out.
pub struct Pieces {
    path: Arc<Path>,
    bounds: Bounds,
    rest: Rest,
    /// Whatever is JSON is a care record.
    is_care: bool,
}

/// What is still to come.
enum Rest {
    /// The whole file is this one.
    Document(Form, Option<Box<str>>, Bytes),
    /// Lines: some that were read to tell what the file is, then the others.
    Lines(std::vec::IntoIter<Line>, Lines<BufReader<File>>),
    Odd(Why),
    Nothing,
}

impl Iterator for Pieces {
    type Item = Result<Piece, Odd>;

    fn next(&mut self) -> Option<Self::Item> {
        match std::mem::replace(&mut self.rest, Rest::Nothing) {
            Rest::Nothing => None,
            Rest::Odd(why) => Some(Err(self.odd(None, why))),
            Rest::Document(Form::Xml, root, bytes) => {
                let resource_type = root.unwrap_or_default();
                let place = self.place(None);
                Some(Ok(Piece { place, form: Form::Xml, resource_type, bytes }))
            }
            Rest::Document(Form::Json | Form::Care | Form::Rows, _, bytes) => {
                Some(self.json(None, bytes))
            }
            Rest::Lines(mut first, mut others) => {
                match first.next().map_or_else(|| others.next(), |line| Ok(Some(line))) {
                    Ok(None) => None,
                    Ok(Some(line)) => {
                        self.rest = Rest::Lines(first, others);
                        Some(self.line(line))
                    }
                    Err(error) => Some(Err(self.odd(None, Why::Unreadable(error.to_string())))),
                }
            }
        }
    }
}

impl Pieces {
    fn open(&self, format: Format) -> io::Result<Rest> {
        let mut file = File::open(&self.path)?;
        if !file.metadata()?.is_file() {
            return Ok(Rest::Odd(Why::Special));
        }
        let mut head = Vec::new();
        (&mut file).take(HEAD_BYTES).read_to_end(&mut head)?;
        file.rewind()?;
        match (tell(&self.path, &head), format) {
            (Told::Odd(why @ (Why::Empty | Why::Binary(_))), _) => Ok(Rest::Odd(why)),
            (_, Format::Ndjson) => {
                let lines = Lines::new(BufReader::new(file), self.bounds.line_bytes_max);
                Ok(Rest::Lines(Vec::new().into_iter(), lines))
            }
            (Told::Odd(why), _) => Ok(Rest::Odd(why)),
            (Told::Xml(root), Format::Auto | Format::Xml) => {
                self.document(file, Form::Xml, Some(root))
            }
            (Told::Object, Format::Auto | Format::Care) => self.objects(file),
            (Told::Object, Format::Json) => self.document(file, Form::Json, None),
            (Told::Xml(_), Format::Json | Format::Care) => {
                Ok(Rest::Odd(Why::NotFhir("XML, not the JSON meant")))
            }
            (Told::Object, Format::Xml) => Ok(Rest::Odd(Why::NotFhir("JSON, not the XML meant"))),
        }
    }

    /// One object, or lines of them: it is lines if the first is an object of its own and another
    /// follows, or, where the name says so, if the second is one.
    fn objects(&self, file: File) -> io::Result<Rest> {
        let mut lines = Lines::new(BufReader::new(file), self.bounds.line_bytes_max);
        let named = is_named_ndjson(&self.path);
        let Some(first) = lines.next()? else { return Ok(Rest::Odd(Why::Empty)) };
        let first_is_whole = is_whole(&first);
        if first_is_whole || named {
            let Some(second) = lines.next()? else {
                let too_long = Why::LineTooLong { max: self.bounds.line_bytes_max };
                return Ok(match first.text {
                    Some(text) => Rest::Document(Form::Json, None, text.into()),
                    None => Rest::Odd(too_long),
                });
            };
            if first_is_whole || first.text.is_none() || is_whole(&second) {
                return Ok(Rest::Lines(vec![first, second].into_iter(), lines));
            }
        }
        self.document(File::open(&self.path)?, Form::Json, None)
    }

    fn document(&self, file: File, form: Form, root: Option<Box<str>>) -> io::Result<Rest> {
        let max = self.bounds.document_bytes_max;
        let mut text = Vec::new();
        file.take(max.saturating_add(1)).read_to_end(&mut text)?;
        if text.len() as u64 > max {
            return Ok(Rest::Odd(Why::TooLarge { max }));
        }
        let whole = Bytes::from(text);
        let kept = whole.slice_ref(without_mark(&whole).trim_ascii());
        Ok(Rest::Document(form, root, kept))
    }

    fn line(&self, line: Line) -> Result<Piece, Odd> {
        match line.text {
            Some(text) => self.json(Some(line.number), text.into()),
            None => {
                let why = Why::LineTooLong { max: self.bounds.line_bytes_max };
                Err(self.odd(Some(line.number), why))
            }
        }
    }

    /// A JSON text that claims to be a resource.
    fn json(&self, line: Option<u64>, bytes: Bytes) -> Result<Piece, Odd> {
        if self.is_care || is_care_record(&bytes) {
            let resource_type = CARE_RECORD_TYPE.into();
            return Ok(Piece { place: self.place(line), form: Form::Care, resource_type, bytes });
        }
        let header = std::str::from_utf8(&bytes).ok().and_then(|_| resource_header(&bytes));
        let Some(header) = header else {
            return Err(match serde_json::from_slice::<&RawValue>(&bytes) {
                Ok(_) => {
                    let text = "JSON without a resourceType, so no FHIR resource";
                    self.odd(line, Why::NotFhir(text))
                }
                Err(error) => {
                    let why = Why::Broken { line: error.line(), column: error.column() };
                    Odd { bytes: Some(bytes), ..self.odd(line, why) }
                }
            });
        };
        let resource_type = header.resource_type.into();
        Ok(Piece { place: self.place(line), form: Form::Json, resource_type, bytes })
    }

    fn odd(&self, line: Option<u64>, why: Why) -> Odd {
        Odd { place: self.place(line), why, bytes: None }
    }

    fn place(&self, line: Option<u64>) -> Place {
        Place { path: self.path.clone(), line }
    }
}

/// What a care record is called where a resource has its type.
pub(super) const CARE_RECORD_TYPE: &str = "CareRecord";

/// Whether it is a JSON object with `careRecord` and without `resourceType`.
fn is_care_record(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(rename = "careRecord")]
        version: Option<serde::de::IgnoredAny>,
        #[serde(rename = "resourceType")]
        resource: Option<serde::de::IgnoredAny>,
    }
    memchr::memmem::find(bytes, b"\"careRecord\"").is_some()
        && serde_json::from_slice::<Head>(bytes)
            .is_ok_and(|head| head.version.is_some() && head.resource.is_none())
}

/// Whether a line is a JSON object of its own.
fn is_whole(line: &Line) -> bool {
    let whole = |text: &Vec<u8>| {
        text.starts_with(b"{") && serde_json::from_slice::<&RawValue>(text).is_ok()
    };
    line.text.as_ref().is_some_and(whole)
}
