//! Which endpoints an answer covers, as of when, and which failed (promise P6).

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::fhir::Issue;
use crate::pipeline::EndpointState;

use super::reader::Reader;

const HEADER: HeaderName = HeaderName::from_static("x-careweave-endpoints");

/// What an answer covers.
pub(super) struct Completeness {
    endpoints: Arc<[EndpointState]>,
    pending: usize,
}

/// What this reader's answer covers: the endpoints it may see.
pub(super) fn of(reader: &mut Reader<'_>) -> Completeness {
    Completeness { endpoints: reader.endpoints(), pending: reader.pending }
}

/// The header of the answers before, which is that of the next one as long as the endpoints'
/// states are the same and nothing is pending.
#[derive(Default)]
pub(super) struct LastHeader(Mutex<Option<(Arc<[EndpointState]>, HeaderValue)>>);

impl Completeness {
    /// `mercy=complete@2026-11-22T10:00:00Z; valley=failed; pending=3`
    pub(super) fn add_header(&self, last: &LastHeader, headers: &mut HeaderMap) {
        if self.pending > 0 {
            headers.extend(self.header().map(|value| (HEADER, value)));
            return;
        }
        let mut last = last.0.lock().unwrap_or_else(PoisonError::into_inner);
        match last.as_ref().filter(|(of, _)| Arc::ptr_eq(of, &self.endpoints)) {
            Some((_, value)) => {
                headers.insert(HEADER, value.clone());
            }
            None => {
                let value = self.header();
                *last = value.clone().map(|value| (self.endpoints.clone(), value));
                headers.extend(value.map(|value| (HEADER, value)));
            }
        }
    }

    fn header(&self) -> Option<HeaderValue> {
        let mut parts: Vec<String> = self.endpoints.iter().map(stated).collect();
        if self.pending > 0 {
            parts.push(format!("pending={}", self.pending));
        }
        HeaderValue::from_str(&parts.join("; ")).ok()
    }

    /// One issue for what is missing or may be; none if nothing is.
    pub(super) fn issues(&self) -> Vec<Issue> {
        let stale = self.endpoints.iter().filter(|endpoint| endpoint.stale).map(|endpoint| Issue {
            severity: "warning",
            code: if endpoint.state.contains("timeout") { "timeout" } else { "incomplete" },
            diagnostics: format!("endpoint {} {}", endpoint.id, in_words(endpoint)),
            expression: Vec::new(),
        });
        let pending = (self.pending > 0).then(|| Issue {
            severity: "warning",
            code: "incomplete",
            diagnostics: format!(
                "{} charts have news that is not yet woven in; ask again shortly",
                self.pending
            ),
            expression: Vec::new(),
        });
        stale.chain(pending).collect()
    }
}

fn stated(endpoint: &EndpointState) -> String {
    match endpoint.complete_until {
        Some(until) => {
            format!("{}={}@{}", endpoint.id, word(endpoint), until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
        None => format!("{}={}", endpoint.id, word(endpoint)),
    }
}

/// What a reader is to think of an endpoint that is stale.
fn in_words(endpoint: &EndpointState) -> String {
    let pulled = match &*word(endpoint) {
        "never-pulled" if endpoint.state.contains("files") => {
            return "has not been pulled yet; only what came in files is here".to_owned();
        }
        "never-pulled" => return "has not been pulled yet; none of its data is here".to_owned(),
        "never-ingested" => {
            return "gets files, and none was ingested yet; none of its data is here".to_owned();
        }
        "ingesting" => "is being ingested, or was interrupted",
        "running" => "is being pulled",
        _ => "could not be pulled completely",
    };
    match endpoint.complete_until {
        Some(until) => {
            format!("{pulled}; its data is as of {}", until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
        None => format!("{pulled}; some of its data may be missing"),
    }
}

/// The state without its details: `failed`, `never-pulled`.
fn word(endpoint: &EndpointState) -> String {
    endpoint.state.split(':').next().unwrap_or_default().trim().replace(' ', "-")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_stale_endpoint_is_told_in_words() {
        let until = Some(Timestamp::UNIX_EPOCH);
        for (state, complete_until, told) in [
            ("never pulled", None, "has not been pulled yet; none of its data is here"),
            (
                "never pulled: only files were ingested",
                None,
                "has not been pulled yet; only what came in files is here",
            ),
            (
                "never ingested",
                None,
                "gets files, and none was ingested yet; none of its data is here",
            ),
            ("running", None, "is being pulled; some of its data may be missing"),
            ("running", until, "is being pulled; its data is as of 1970-01-01T00:00:00Z"),
            (
                "failed: status 500",
                until,
                "could not be pulled completely; its data is as of 1970-01-01T00:00:00Z",
            ),
        ] {
            let endpoint = EndpointState {
                id: "mercy".into(),
                name: "Mercy".into(),
                base_url: "http://mercy.test".into(),
                state: state.into(),
                stale: true,
                complete_until,
            };
            let covers = Completeness { endpoints: [endpoint].into(), pending: 0 };
            assert_eq!(covers.issues()[0].diagnostics, format!("endpoint mercy {told}"));
        }
    }
}
