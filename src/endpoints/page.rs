//! What paging needs to know of a page, read without parsing its resources.

use serde::Deserialize;

use crate::fhir::bundle::{RawEntry, Split, resource_header, split};

/// The head of a searchset Bundle.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PageHead {
    /// The `next` link, as stated.
    pub(super) next: Option<String>,
    /// Matches in all pages, as stated.
    pub(super) total: Option<u64>,
    /// Entries of this page.
    pub(super) entries: u64,
    /// Ids of the Patients in this page.
    pub(super) patients: Vec<Box<str>>,
}

impl PageHead {
    /// Reads the head of a page; `None` when it is no Bundle. What is wrong with single
    /// entries is ingest's business. Patients are looked for only where they are wanted.
    pub(super) fn read(body: &[u8], patients_wanted: bool) -> Option<Self> {
        let Ok(Split::Bundle { entries, next, total, .. }) = split(body) else { return None };
        let patient = |entry: &RawEntry| {
            let header = resource_header(entry.resource.as_ref()?)?;
            let id = header.id.filter(|_| header.resource_type == "Patient");
            id.map(String::into_boxed_str)
        };
        let wanted = if patients_wanted { entries.as_slice() } else { &[] };
        let patients = wanted.iter().filter_map(patient).collect();
        Some(Self { next, total, entries: entries.len() as u64, patients })
    }
}

/// The first issue code of an OperationOutcome, if the body is one; never its texts, which may
/// name patients.
pub(super) fn outcome_code(body: &[u8]) -> Box<str> {
    #[derive(Deserialize)]
    struct Outcome {
        issue: Vec<Issue>,
    }
    #[derive(Deserialize)]
    struct Issue {
        code: Option<String>,
    }
    let outcome: Option<Outcome> = serde_json::from_slice(body).ok();
    let code = outcome.and_then(|o| o.issue.into_iter().next()?.code).unwrap_or_default();
    let legal = code.len() <= 32 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    if legal { code.into() } else { Box::default() }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_head_is_read_and_resources_are_left_alone() {
        let page = br#"{"resourceType":"Bundle","total":7,"link":[{"relation":"self","url":"a"},
            {"relation":"next","url":"b"}],"entry":[{"resource":{"resourceType":"Patient","id":"p",
            "multipleBirthInteger":1.50}},{"resource":{"resourceType":"Goal","id":7,"id":8}},{}]}"#;
        let head = PageHead::read(page, true).unwrap();
        assert_eq!((head.next.as_deref(), head.total, head.entries), (Some("b"), Some(7), 3));
        assert_eq!(head.patients, ["p".into()]);
        assert_eq!(PageHead::read(br#"{"resourceType":"Patient"}"#, true), None);
        assert_eq!(PageHead::read(b"<html>", true), None);
    }

    #[test]
    fn only_codes_leave_an_outcome() {
        let outcome = br#"{"issue":[{"code":"required","diagnostics":"Jane Doe"}]}"#;
        assert_eq!(&*outcome_code(outcome), "required");
        assert_eq!(&*outcome_code(br#"{"issue":[{"code":"Jane Doe"}]}"#), "");
        assert_eq!(&*outcome_code(b"Jane"), "");
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = (PageHead::read(&bytes, true), outcome_code(&bytes));
        }
    }
}
