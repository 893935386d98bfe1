//! Made-up records and views for the store's tests.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;

use super::{AuditEntry, LinkWrite, RecordWrite, RowWrite, TableWrite, ViewWrite};
use crate::fhir::ResourceType;
use crate::flow::{
    BlockingKey, ChartKey, Content, Demographics, DerivedId, Disposition, Hash, Home, Owner,
    RecordDisposition, RecordHeader, RecordKey, Stamp, State, Version, ViewRow, ViewStamp,
};

/// A moment, by its number.
pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).expect("within range")
}

/// A chart of an endpoint.
pub(super) fn chart(endpoint: &str, patient: &str) -> Home {
    Home::Chart(ChartKey::new(endpoint, patient))
}

/// A person, by number.
pub(super) fn person(n: u128) -> Owner {
    Owner::Person(DerivedId(n))
}

/// A type by name.
pub(super) fn goal() -> ResourceType {
    ResourceType::of("Goal")
}

/// A version of content, in a home, at a time.
pub(super) fn version(text: &str, home: &Home, second: i64) -> Version {
    Version {
        stamp: Stamp { version_id: None, last_updated: None, observed_at: at(second) },
        confirmed_at: at(second),
        hash: Hash::of(text.as_bytes()),
        state: State::Live,
        home: home.clone(),
    }
}

/// What accept would write for one more version of a record.
pub(super) fn record(
    id: u128,
    known: Option<RecordHeader>,
    text: &str,
    home: &Home,
    second: i64,
) -> RecordWrite {
    let key = RecordKey::new(home.endpoint(), goal(), &id.to_string());
    let seen = version(text, home, second);
    let expected_versions = known.as_ref().map_or(0, |header| header.versions().len());
    let header = match known {
        None => RecordHeader::new(key, 0, None, seen),
        Some(mut header) => {
            header.observe(seen);
            header
        }
    };
    let content = (Hash::of(text.as_bytes()), home.clone(), content(text));
    RecordWrite { id: DerivedId(id), expected_versions, header, contents: vec![content] }
}

/// Content of a text.
pub(super) fn content(text: &str) -> Content {
    let body = Bytes::from(format!(r#"{{"resourceType":"Goal","text":"{text}"}}"#));
    Content { body, ..Content::default() }
}

/// The link of a home that stands under some keys.
pub(super) fn link(home: &Home, owner: Owner, keys: &[u128]) -> LinkWrite {
    LinkWrite {
        home: home.clone(),
        owner: Some(owner),
        edges: Vec::new(),
        blocking: keys.iter().map(|&key| block(key)).collect(),
        demographics: Demographics { inactive: true, ..Demographics::default() },
    }
}

/// A blocking key, by number.
pub(super) fn block(n: u128) -> BlockingKey {
    BlockingKey(Hash(n))
}

/// A view with one table of goals: (id, text).
pub(super) fn view(owner: Owner, rows: &[(u128, &str)]) -> ViewWrite {
    let rows = rows.iter().map(|(id, text)| RowWrite { row: row(*id, text) }).collect();
    ViewWrite {
        owner,
        stamp: ViewStamp {
            weave: 1,
            policy: Hash(1),
            model: Hash(2),
            class: crate::flow::DisclosureClass::Full,
            as_of: day(1),
        },
        homes: Vec::new(),
        tables: vec![TableWrite { resource_type: goal(), rows }],
        dispositions: vec![disposition(owner.id())],
        counts: BTreeMap::new(),
        next_change: None,
        directory_refs: Vec::new(),
        index: Vec::new(),
        issued: Vec::new(),
    }
}

/// A day of January 2026.
pub(super) fn audited(n: u32) -> AuditEntry {
    AuditEntry {
        at: at(n.into()),
        reader: "open".into(),
        action: "read".into(),
        resource_type: "Goal".into(),
        owners: vec![DerivedId(1)],
        request_id: n.to_string().into(),
        count: n,
    }
}

pub(super) fn day(day: i8) -> Date {
    Date::constant(2026, 1, day)
}

/// A row whose body states a text.
pub(super) fn row(id: u128, text: &str) -> ViewRow {
    let body = format!(r#"{{"resourceType":"Goal","id":"{id}","meta":{{"source":"{text}"}}}}"#);
    ViewRow {
        id: DerivedId(id),
        hash: Hash::of(body.as_bytes()),
        input: Hash::of(text.as_bytes()),
        body: body.into(),
        values: Vec::new(),
        members: Vec::new(),
        aliases: Vec::new(),
        choices: Vec::new(),
        made_by_us: false,
    }
}

fn disposition(id: DerivedId) -> RecordDisposition {
    RecordDisposition {
        id,
        disposition: Disposition::Kept,
        view: Some((goal(), id)),
        rule: "only".into(),
        reason: "the only record of its kind".into(),
    }
}
