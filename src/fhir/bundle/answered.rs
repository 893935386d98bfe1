//! Making Bundles whose entries tell a request and its answer: `history`, `batch-response`,
//! `transaction-response`.
//! <https://hl7.org/fhir/R4/bundle.html#history>

use super::searchset::{array, quoted};

/// One entry: what was asked and what came of it.
#[derive(Clone, Debug, Default)]
pub struct AnsweredEntry {
    /// `fullUrl`; empty for none.
    pub full_url: String,
    /// The resource's JSON, copied as it is.
    pub body: Option<bytes::Bytes>,
    /// `request.method` and `request.url`; only a `history` tells them.
    pub request: Option<(&'static str, String)>,
    /// `response.status`: `200 OK`.
    pub status: String,
    /// `response.location`.
    pub location: Option<String>,
    /// `response.etag`.
    pub etag: Option<String>,
    /// `response.lastModified`, an instant.
    pub last_modified: Option<String>,
    /// `response.outcome`, JSON of an OperationOutcome.
    pub outcome: Option<bytes::Bytes>,
}

/// A Bundle of answered requests, in R4 element order. `links` are (relation, URL).
pub fn answered(
    bundle_type: &str,
    links: &[(&str, String)],
    total: Option<u64>,
    entries: &[AnsweredEntry],
) -> Vec<u8> {
    let size = |body: &Option<bytes::Bytes>| body.as_ref().map_or(0, bytes::Bytes::len);
    let bodies: usize = entries.iter().map(|e| size(&e.body) + size(&e.outcome) + 400).sum();
    let mut out = Vec::with_capacity(bodies + 512);
    out.extend_from_slice(br#"{"resourceType":"Bundle","type":"#);
    quoted(&mut out, bundle_type);
    if let Some(total) = total {
        out.extend_from_slice(format!(r#","total":{total}"#).as_bytes());
    }
    array(&mut out, "link", links, |out, (relation, url)| {
        let mut link = Members::begin(out);
        link.text("relation", relation);
        link.text("url", url);
        link.end();
    });
    array(&mut out, "entry", entries, write_entry);
    out.push(b'}');
    out
}

fn write_entry(out: &mut Vec<u8>, entry: &AnsweredEntry) {
    let mut members = Members::begin(out);
    if !entry.full_url.is_empty() {
        members.text("fullUrl", &entry.full_url);
    }
    if let Some(body) = &entry.body {
        members.name("resource").extend_from_slice(body);
    }
    if let Some((method, url)) = &entry.request {
        let mut request = Members::begin(members.name("request"));
        request.text("method", method);
        request.text("url", url);
        request.end();
    }
    let mut response = Members::begin(members.name("response"));
    response.text("status", &entry.status);
    let told = [
        ("location", &entry.location),
        ("etag", &entry.etag),
        ("lastModified", &entry.last_modified),
    ];
    for (name, value) in told {
        if let Some(value) = value {
            response.text(name, value);
        }
    }
    if let Some(outcome) = &entry.outcome {
        response.name("outcome").extend_from_slice(outcome);
    }
    response.end();
    members.end();
}

/// The members of a JSON object as they are written.
struct Members<'o> {
    out: &'o mut Vec<u8>,
    is_first: bool,
}

impl<'o> Members<'o> {
    fn begin(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, is_first: true }
    }

    /// Writes a name; the value is to follow.
    fn name(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::replace(&mut self.is_first, false) {
            self.out.push(b',');
        }
        quoted(self.out, name);
        self.out.push(b':');
        self.out
    }

    fn text(&mut self, name: &str, value: &str) {
        let out = self.name(name);
        quoted(out, value);
    }

    fn end(self) {
        self.out.push(b'}');
    }
}
