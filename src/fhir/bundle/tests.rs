//! Taking apart and putting together.
#![expect(clippy::unwrap_used, reason = "test")]

use proptest::prelude::*;

use super::*;

fn entries_of(text: &str) -> Vec<RawEntry> {
    match split(text.as_bytes()).unwrap() {
        Split::Bundle { entries, .. } => entries,
        Split::Resource(_) => panic!("not taken for a Bundle"),
    }
}

#[test]
fn a_bundle_comes_apart_with_its_bytes_untouched() {
    let text = r#" {"entry":[{"resource": {"id":"1",  "resourceType":"Goal"},"fullUrl":"urn:uuid:1",
        "request":{"method":"PUT","url":"Goal/1"},"response":{"status":"201 Created"},
        "search":{"mode":"match"}}, 7, {"resource":null}],
        "link":[{"relation":"self","url":"s"},{"relation":"next","url":"n?a=1&b"}],
        "total":12,"type":"searchset","resourceType":"Bundle"} "#;
    let Split::Bundle { bundle_type, entries, next, total } = split(text.as_bytes()).unwrap()
    else {
        panic!("not taken for a Bundle");
    };
    assert_eq!(
        (bundle_type.as_str(), next.as_deref(), total),
        ("searchset", Some("n?a=1&b"), Some(12))
    );
    assert_eq!(entries[0].resource.as_deref(), Some(&br#"{"id":"1",  "resourceType":"Goal"}"#[..]));
    assert_eq!(entries[0].request_method.as_deref(), Some("PUT"));
    assert_eq!(entries[0].response_status.as_deref(), Some("201 Created"));
    assert_eq!(entries[1].resource.as_deref(), Some(&b"7"[..]), "no entry is lost");
    assert_eq!(entries[2], RawEntry::default());
}

#[test]
fn what_is_no_bundle_is_one_resource() {
    for text in [r#"{"resourceType":"Goal"}"#, "{}", r#"{"resourceType":5,"entry":1}"#] {
        let Split::Resource(entry) = split(text.as_bytes()).unwrap() else { panic!("{text}") };
        assert_eq!(entry.resource.as_deref(), Some(text.as_bytes()));
    }
}

#[test]
fn of_a_repeated_member_the_last_counts() {
    let text = r#"{"resourceType":"Bundle","entry":[{},{}],"entry":[{"fullUrl":"a"}]}"#;
    assert_eq!(entries_of(text).len(), 1);
    assert_eq!(entries_of(r#"{"resourceType":"Bundle"}"#), []);
}

#[test]
fn what_cannot_be_taken_apart_says_where() {
    for text in ["", "[]", "{", "nul", r#"{"a":1}{"b":2}"#, "\"x\""] {
        assert!(matches!(split(text.as_bytes()), Err(SplitError::NotJson { .. })), "{text}");
    }
    let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
    assert_eq!(split(deep.as_bytes()), Err(SplitError::TooDeep));
    let shallow =
        format!(r#"{{"a":"{}\"[","b":{}1{}}}"#, "[".repeat(99), "[".repeat(60), "]".repeat(60));
    assert!(split(shallow.as_bytes()).is_ok(), "brackets in a text do not nest");
    let entry = split(br#"{"resourceType":"Bundle","entry":{}}"#);
    assert_eq!(entry, Err(SplitError::EntryNotArray));
}

#[test]
fn the_header_is_read_without_the_rest() {
    let header = resource_header(br#"{"id":"7","x":[{}],"resourceType":"Ta\u0073k"}"#).unwrap();
    assert_eq!((header.resource_type.as_str(), header.id.as_deref()), ("Task", Some("7")));
    assert_eq!(resource_header(br#"{"id":"7"}"#), None);
    assert_eq!(resource_header(br#"{"resourceType":"Task","id":7}"#).unwrap().id, None);
}

#[test]
fn lines_skip_what_is_blank() {
    let input = b"\xef\xbb\xbf{\"a\":1}\r\n\n  \n{\"b\":2}";
    assert_eq!(lines(input).collect::<Vec<_>>(), [&b"{\"a\":1}"[..], b"{\"b\":2}"]);
}

#[test]
fn a_searchset_splits_into_what_it_was_made_of() {
    let bodies = [r#"{"resourceType":"Goal","id":"1"}"#, r#"{"resourceType":"OperationOutcome"}"#];
    let entries: Vec<SearchsetEntry<'_>> = bodies
        .iter()
        .map(|body| SearchsetEntry {
            full_url: "http://a/\"".into(),
            body: body.as_bytes(),
            mode: "match",
            score: Some(0.5),
        })
        .collect();
    let made = searchset(&[("next", "http://a?b=1".into())], Some(2), &entries);
    let again: serde_json::Value = serde_json::from_slice(&made).unwrap();
    assert_eq!(serde_json::to_vec(&crate::fhir::canonicalise(again.clone())).unwrap(), made);
    assert_eq!(again["entry"][1]["search"]["score"].to_string(), "0.5");
    let Split::Bundle { entries, next, total, .. } = split(&made).unwrap() else {
        panic!("not a Bundle")
    };
    assert_eq!((next.as_deref(), total), (Some("http://a?b=1"), Some(2)));
    assert_eq!(entries[0].full_url.as_deref(), Some("http://a/\""));
    assert_eq!(entries[1].resource.as_deref(), Some(bodies[1].as_bytes()));
    let empty = searchset(&[], None, &[]);
    assert_eq!(empty, br#"{"resourceType":"Bundle","type":"searchset"}"#);
}

proptest! {
    #[test]
    fn any_bytes_are_taken_apart_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200)
    ) {
        let _ = (split(&bytes), resource_header(&bytes), lines(&bytes).count());
    }

    #[test]
    fn any_json_like_text_is_taken_apart_or_refused(
        rest in r#"("entry":|"link":|"total":|[\[\]{},:"0-9a\\]){0,40}\}?"#
    ) {
        let _ = split(rest.as_bytes());
        let _ = split(format!(r#"{{"resourceType":"Bundle",{rest}"#).as_bytes());
    }
}
