//! The entries of a batch or transaction, taken apart, and how they are answered.
//! <https://hl7.org/fhir/R4/http.html#transaction>

use axum::http::{HeaderMap, HeaderName, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use crate::fhir::bundle::{AnsweredEntry, answered};
use crate::fhir::operation_outcome;

use super::create::IF_NONE_EXIST;
use super::error::ApiError;
use super::guard::RequestId;
use super::inner::{Answered, Ask};

/// What an entry asks.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// Its place in the Bundle.
    pub(super) index: usize,
    /// `fullUrl`.
    pub(super) full_url: Option<String>,
    /// `request.method`.
    pub(super) method: Method,
    /// `request.url` below the base.
    pub(super) url: String,
    /// `resource`; none where that is a patch.
    pub(super) resource: Option<Value>,
    /// Media type and bytes of the patch.
    pub(super) patch: Option<(String, Bytes)>,
    /// Its conditions, as headers.
    pub(super) headers: Vec<(HeaderName, String)>,
}

/// Methods in the order in which they are done.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Method {
    Delete,
    Post,
    Put,
    Patch,
    Get,
    Head,
}

impl Method {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Get => "GET",
            Self::Head => "HEAD",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Delete, Self::Post, Self::Put, Self::Patch, Self::Get, Self::Head]
            .into_iter()
            .find(|method| method.name() == name)
    }
}

/// Takes a Bundle apart.
///
/// # Errors
/// `BadBody` with what its first wrong entry lacks; `TooManyEntries`.
pub(super) fn entries(bundle: &Value, base: &str, max: usize) -> Result<Vec<Entry>, ApiError> {
    let entries = match bundle.get("entry") {
        None => &[],
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(_) => return Err(ApiError::BadBody("Bundle.entry is a list of entries")),
    };
    if entries.len() > max {
        return Err(ApiError::TooManyEntries { max });
    }
    let one = |(index, entry): (usize, &Value)| {
        let request = &entry["request"];
        let text = |name: &str| request[name].as_str().map(str::to_owned);
        let method =
            request["method"].as_str().and_then(Method::parse).ok_or(ApiError::BadBody(
                "each entry needs a request.method: GET, HEAD, POST, PUT, PATCH or DELETE",
            ))?;
        let url = text("url").ok_or(ApiError::BadBody("each entry needs a request.url"))?;
        let url = url.strip_prefix(&format!("{base}/fhir/")).unwrap_or(&url).to_owned();
        let mut resource = entry.get("resource").filter(|resource| resource.is_object()).cloned();
        let patch = match (method, resource.take_if(|_| method == Method::Patch)) {
            (Method::Patch, binary) => Some(patch_in(binary)?),
            _ => None,
        };
        // Such a request would be for this very interaction, in itself.
        if url.split('?').next().is_none_or(|path| path.trim_matches('/').is_empty()) {
            return Err(ApiError::BadBody("a request.url names a type, or a resource"));
        }
        let writes = matches!(method, Method::Post | Method::Put) && !url.contains("_search");
        if writes && resource.is_none() {
            return Err(ApiError::BadBody("an entry that is POSTed or PUT needs a resource"));
        }
        let conditions = [
            (IF_NONE_EXIST, "ifNoneExist"),
            (header::IF_MATCH, "ifMatch"),
            (header::IF_NONE_MATCH, "ifNoneMatch"),
            (header::IF_MODIFIED_SINCE, "ifModifiedSince"),
        ];
        let headers = conditions
            .into_iter()
            .filter_map(|(name, member)| text(member).map(|value| (name, value)));
        Ok(Entry {
            index,
            full_url: entry["fullUrl"].as_str().map(str::to_owned),
            method,
            url,
            resource,
            patch,
            headers: headers.collect(),
        })
    };
    entries.iter().enumerate().map(one).collect()
}

/// The patch in a Binary. <https://hl7.org/fhir/R4/http.html#jsonpatch-transaction>
fn patch_in(binary: Option<Value>) -> Result<(String, Bytes), ApiError> {
    let binary = binary.filter(|binary| binary["resourceType"] == "Binary").unwrap_or_default();
    let (media, data) = (binary["contentType"].as_str(), binary["data"].as_str());
    let data = data.and_then(|data| STANDARD.decode(data).ok());
    match (media, data) {
        (Some(media), Some(data)) => Ok((media.to_owned(), data.into())),
        _ => Err(ApiError::BadBody(
            "an entry that is PATCHed needs a Binary: contentType application/json-patch+json, \
             and data, in base64",
        )),
    }
}

impl Entry {
    /// The request that it is.
    pub(super) fn ask(&self, prefer: &str) -> Ask<'_> {
        let mut headers = self.headers.clone();
        headers.push((HeaderName::from_static("prefer"), prefer.to_owned()));
        let (media, body) = match (&self.patch, &self.resource) {
            (Some((media, patch)), _) => (media.clone(), patch.clone()),
            (None, Some(resource)) => {
                ("application/fhir+json".to_owned(), resource.to_string().into())
            }
            (None, None) => (String::new(), Bytes::new()),
        };
        if !media.is_empty() {
            headers.push((header::CONTENT_TYPE, media));
        }
        Ask { method: self.method.name(), target: &self.url, headers, body }
    }

    /// The value of one of its conditions.
    pub(super) fn condition(&self, name: &HeaderName) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What an entry came to.
pub(super) fn answered_entry(answer: &Answered) -> AnsweredEntry {
    let text = |name: HeaderName| {
        answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
    };
    let is_outcome = answer.body.starts_with(br#"{"resourceType":"OperationOutcome""#);
    let body = Some(answer.body.clone()).filter(|body| !body.is_empty());
    let (outcome, body) = if is_outcome { (body, None) } else { (None, body) };
    AnsweredEntry {
        status: answer.status.to_string(),
        location: text(header::LOCATION),
        etag: text(header::ETAG),
        last_modified: text(header::LAST_MODIFIED).and_then(|date| instant(&date)),
        outcome,
        body,
        ..AnsweredEntry::default()
    }
}

/// An entry that could not be asked.
pub(super) fn failed_entry(error: &ApiError, request_id: &RequestId) -> AnsweredEntry {
    let outcome = operation_outcome(&error.issues(&request_id.0)).to_string();
    AnsweredEntry {
        status: error.status().to_string(),
        outcome: Some(outcome.into()),
        ..AnsweredEntry::default()
    }
}

/// The Bundle of answers, in the order of the entries.
pub(super) fn response(kind: &str, mut answers: Vec<(usize, AnsweredEntry)>) -> Bytes {
    answers.sort_by_key(|(index, _)| *index);
    let entries: Vec<AnsweredEntry> = answers.into_iter().map(|(_, entry)| entry).collect();
    answered(kind, &[], None, &entries).into()
}

/// The answer to an entry, out of one that was made here.
pub(super) fn told(answer: super::respond::Answer) -> Answered {
    let headers: HeaderMap = answer.headers.into_iter().collect();
    Answered { status: answer.status, headers, body: answer.body }
}

fn instant(date: &str) -> Option<String> {
    super::read::parse_http_date(date).map(|time| format!("{time:.3}"))
}
