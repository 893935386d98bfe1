//! What paging needs to know of a page, read without parsing its resources.

use serde::Deserialize;

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

#[derive(Deserialize)]
struct Bundle {
    #[serde(rename = "resourceType")]
    resource_type: String,
    total: Option<u64>,
    #[serde(default)]
    link: Vec<Link>,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Deserialize)]
struct Link {
    relation: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    resource: Option<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "resourceType")]
    resource_type: Option<String>,
    id: Option<String>,
}

impl PageHead {
    /// Reads the head of a page; `None` when it is no Bundle.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let bundle: Bundle = serde_json::from_slice(body).ok()?;
        if bundle.resource_type != "Bundle" {
            return None;
        }
        let is_next = |link: &Link| link.relation.as_deref() == Some("next");
        let next = bundle.link.into_iter().find(is_next).and_then(|link| link.url);
        let entries = bundle.entry.len() as u64;
        let patient = |entry: Entry| {
            let resource = entry.resource?;
            let is_patient = resource.resource_type.as_deref() == Some("Patient");
            resource.id.filter(|_| is_patient).map(String::into_boxed_str)
        };
        let patients = bundle.entry.into_iter().filter_map(patient).collect();
        Some(Self { next, total: bundle.total, entries, patients })
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
            "multipleBirthInteger":1.50}},{"resource":{"resourceType":"Goal","id":"g"}},{}]}"#;
        let head = PageHead::read(page).unwrap();
        assert_eq!((head.next.as_deref(), head.total, head.entries), (Some("b"), Some(7), 3));
        assert_eq!(head.patients, ["p".into()]);
        assert_eq!(PageHead::read(br#"{"resourceType":"Patient"}"#), None);
        assert_eq!(PageHead::read(b"<html>"), None);
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
            let _ = (PageHead::read(&bytes), outcome_code(&bytes));
        }
    }
}
