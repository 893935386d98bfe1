//! Telling by its beginning what a file is.

use std::path::Path;

use super::Why;
use super::lines::without_mark;

/// What a file seems to be.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Begins like a JSON object: one, or several by lines.
    Object,
    /// XML in the namespace of FHIR, with the name of its root.
    Xml(Box<str>),
    /// Something else.
    Odd(Why),
}

/// So much of a file's beginning is looked at.
pub(super) const HEAD_BYTES: u64 = 64 << 10;

/// What files of other formats begin with.
const FORMATS: [(&[u8], &str); 8] = [
    (b"\xff\xfe", "UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "UTF-16 text; save it as UTF-8"),
    (b"\x1f\x8b", "compressed (gzip); unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd); unpack it first"),
    (b"PK\x03\x04", "a zip archive; unpack it first"),
    (b"BZh", "compressed (bzip2); unpack it first"),
    (b"%PDF-", "a PDF document, not FHIR"),
    (b"\x89PNG", "an image, not FHIR"),
];

const FHIR_NAMESPACE: &str = "http://hl7.org/fhir";

/// Tells what begins like this. `head` is the whole file or its first [`HEAD_BYTES`].
pub(super) fn tell(path: &Path, head: &[u8]) -> Told {
    if let Some((_, text)) = FORMATS.iter().find(|(begin, _)| head.starts_with(begin)) {
        return Told::Odd(Why::Binary(text));
    }
    let head = without_mark(head).trim_ascii_start();
    match head.first() {
        None => Told::Odd(Why::Empty),
        Some(_) if head.contains(&0) => Told::Odd(Why::Binary("binary, no text")),
        // An object in a wrong encoding is told of as a broken one, with its place.
        Some(b'{') => Told::Object,
        Some(_) => match text_of(head) {
            Some(text) => tell_text(path, text),
            None => Told::Odd(Why::Binary("neither UTF-8 text nor a known format")),
        },
    }
}

/// Whether the name says that every line is a resource.
pub(super) fn is_named_ndjson(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    ["ndjson", "jsonl"].iter().any(|name| extension.eq_ignore_ascii_case(name))
}

/// The text, without a character that the end of the head cuts.
fn text_of(head: &[u8]) -> Option<&str> {
    match std::str::from_utf8(head) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

fn tell_text(path: &Path, text: &str) -> Told {
    if text.starts_with('<') {
        return tell_xml(text);
    }
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    Told::Odd(Why::NotFhir(match extension.to_ascii_lowercase().as_str() {
        _ if text.starts_with('[') => "a JSON list, not a FHIR resource; send a Bundle or NDJSON",
        _ if text.starts_with("MSH|") => "HL7 v2, not FHIR",
        "csv" | "tsv" => "a table, not FHIR",
        "md" | "txt" => "a text, not FHIR",
        "json" | "ndjson" | "jsonl" => "neither JSON nor XML, in spite of its name",
        _ => "neither JSON nor XML, so not FHIR",
    }))
}

fn tell_xml(text: &str) -> Told {
    let Some((name, tag)) = root(text) else {
        return Told::Odd(Why::NotFhir("XML without an element that can be read, not FHIR"));
    };
    let quoted = |quote: char| tag.contains(&format!("{quote}{FHIR_NAMESPACE}{quote}"));
    let local = name.rsplit(':').next().unwrap_or(name);
    if quoted('"') || quoted('\'') {
        return Told::Xml(local.into());
    }
    Told::Odd(Why::NotFhir(match local {
        "ClinicalDocument" => "a C-CDA document, not FHIR",
        _ if local.eq_ignore_ascii_case("html") || text.starts_with("<!") => "a web page, not FHIR",
        _ => "XML of something other than FHIR",
    }))
}

/// Name and text of the first tag of an element.
fn root(text: &str) -> Option<(&str, &str)> {
    let mut rest = text;
    loop {
        rest = &rest[rest.find('<')?..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")? + 3..];
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            rest = &rest[rest.find('>')? + 1..];
        } else {
            let tag = &rest[1..rest.find('>')?];
            let end = tag.find(|c: char| c.is_whitespace() || c == '/').unwrap_or(tag.len());
            return Some((&tag[..end], tag));
        }
    }
}
