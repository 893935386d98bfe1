//! P2 for files: pulled, handed over in files of every form, or both, in any order and more than
//! once, the view is the same.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::time::SystemTime;

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use careweave::fhir::xml::to_xml;

use super::compared::{assert_conserved, assert_same, snapshot};
use super::order::cases;
use super::statements::{Said, Statement, some};
use super::world::{World, moment};

/// How some statements of one endpoint and moment come.
#[derive(Clone, Copy, Debug)]
enum Way {
    Page,
    Resources,
    Lines,
    Xml,
    /// A Bundle of this type, in JSON or XML.
    Bundle(&'static str, bool),
}

const WAYS: [Way; 12] = [
    Way::Page,
    Way::Page,
    Way::Resources,
    Way::Lines,
    Way::Xml,
    Way::Bundle("collection", false),
    Way::Bundle("searchset", true),
    Way::Bundle("transaction", false),
    Way::Bundle("transaction", true),
    Way::Bundle("batch", false),
    Way::Bundle("history", false),
    Way::Bundle("batch-response", false),
];

proptest! {
    #![proptest_config(cases(10))]

    #[test]
    fn pulled_or_ingested_in_any_order_gives_the_same_view(
        (said, order, ways) in some(4, 30..90).prop_flat_map(|said| (
            Just(said.clone()),
            Just(said).prop_shuffle(),
            prop::collection::vec(
                (1_usize..30, prop::sample::select(WAYS.to_vec()), any::<bool>()),
                1..9,
            ),
        )),
    ) {
        let pulled = World::with(&said);
        let mut mixed = World::new();
        let mut rest = order.as_slice();
        for (size, way, again) in ways.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (part, after) = rest.split_at((*size).min(rest.len()));
            rest = after;
            for _ in 0..=usize::from(*again) {
                deliver(&mut mixed, part, *way);
            }
            if *again {
                mixed.settle();
            }
        }
        mixed.settle();
        assert_conserved(&mixed)?;
        assert_same(&snapshot(&pulled), &snapshot(&mixed))?;
    }
}

/// A transaction names what it holds by `urn:uuid`, a server by `Type/id`: the same versions, so
/// the second time all is a repeat, whichever way comes first.
#[test]
fn a_transaction_and_the_page_with_the_same_records_are_repeats() -> Result<(), TestCaseError> {
    let said = super::statements::all_of(&super::statements::population(3, 2));
    let ways = [Way::Bundle("transaction", false), Way::Bundle("history", true), Way::Xml];
    for way in ways {
        for turned in [false, true] {
            let mut world = World::new();
            let both = if turned { [Way::Page, way] } else { [way, Way::Page] };
            deliver(&mut world, &said, both[0]);
            let first = world.received;
            deliver(&mut world, &said, both[1]);
            prop_assert!(first.new_versions > 0 && first.repeats == 0);
            prop_assert_eq!(world.received.new_versions, first.new_versions, "{:?}", way);
            world.settle();
            assert_conserved(&world)?;
        }
    }
    Ok(())
}

/// Delivers statements of any endpoints and moments in one way.
fn deliver(world: &mut World, statements: &[Statement], way: Way) {
    let mut parts: BTreeMap<(&str, i64), Vec<&Statement>> = BTreeMap::new();
    for statement in statements {
        parts.entry((&statement.key.endpoint, statement.wave)).or_default().push(statement);
    }
    for ((endpoint, wave), part) in parts {
        let deletes = part.iter().any(|s| s.said == Said::Gone);
        // Only some forms can say that a record is gone.
        let can_delete = matches!(way, Way::Bundle("transaction" | "batch" | "history", _));
        if matches!(way, Way::Page) || (deletes && !can_delete) {
            world.page(&part);
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), &part, way);
        let written = SystemTime::from(moment(wave));
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = File::options().write(true).open(file.unwrap().path()).unwrap();
            file.set_modified(written).unwrap();
        }
        world.files(endpoint, folder.path());
    }
}

fn write(folder: &Path, part: &[&Statement], way: Way) {
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).unwrap();
    let texts = || part.iter().map(|s| resource(s).to_string());
    match way {
        Way::Page => {}
        Way::Resources => {
            texts().enumerate().for_each(|(n, text)| put(&format!("{n}.json"), text.as_bytes()));
        }
        Way::Xml => texts().enumerate().for_each(|(n, text)| {
            put(&format!("{n}.xml"), &to_xml(text.as_bytes()).unwrap());
        }),
        Way::Lines => put("all.ndjson", texts().collect::<Vec<_>>().join("\n").as_bytes()),
        Way::Bundle(kind, in_xml) => {
            let entries: Vec<Value> = part.iter().map(|s| entry(s, part, kind)).collect();
            let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": entries});
            let text = bundle.to_string();
            match in_xml {
                true => put("bundle.xml", &to_xml(text.as_bytes()).unwrap()),
                false => put("bundle.json", text.as_bytes()),
            }
        }
    }
}

fn resource(statement: &Statement) -> &Value {
    match &statement.said {
        Said::Resource(resource) => resource,
        Said::Gone => panic!("what is gone has no resource"),
    }
}

fn entry(statement: &Statement, part: &[&Statement], kind: &str) -> Value {
    let key = &statement.key;
    let url = format!("{}/{}", key.resource_type, key.id);
    let Said::Resource(resource) = &statement.said else {
        let mut gone = json!({"request": {"method": "DELETE", "url": url}});
        if kind == "history" {
            gone["response"] = json!({"status": "204"});
        }
        return gone;
    };
    match kind {
        "transaction" => json!({
            "fullUrl": urn(&url),
            "resource": by_urn(resource, part),
            "request": {"method": "POST", "url": key.resource_type.name()},
        }),
        "batch" => json!({"resource": resource, "request": {"method": "PUT", "url": url}}),
        "history" => json!({
            "resource": resource,
            "request": {"method": "PUT", "url": url}, "response": {"status": "200"},
        }),
        "batch-response" => json!({"resource": resource, "response": {"status": "200"}}),
        _ => json!({"resource": resource}),
    }
}

/// A made-up `urn:uuid` for `Type/id`.
fn urn(url: &str) -> String {
    let hash = careweave::flow::Hash::of(url.as_bytes()).0;
    let (high, low) = (hash >> 64, hash & 0xffff_ffff_ffff);
    format!("urn:uuid:{:08x}-{:04x}-4000-8000-{low:012x}", high >> 32 & 0xffff_ffff, high & 0xffff)
}

/// The resource with references to what comes with it by `urn:uuid`.
fn by_urn(resource: &Value, part: &[&Statement]) -> Value {
    let mut resource = resource.clone();
    rename(&mut resource, &|literal| {
        let with = part.iter().find(|s| {
            s.said != Said::Gone && format!("{}/{}", s.key.resource_type, s.key.id) == *literal
        });
        with.map(|_| urn(literal))
    });
    resource
}

fn rename(value: &mut Value, new: &dyn Fn(&str) -> Option<String>) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, new)),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "reference" => {
                        if let Some(renamed) = new(text) {
                            *text = renamed;
                        }
                    }
                    _ => rename(value, new),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
