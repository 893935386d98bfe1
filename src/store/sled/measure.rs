//! Measures accept and settle:
//! `cargo test --release store::sled::measure -- --ignored --nocapture`.

use std::collections::BTreeMap;
use std::time::Instant;

use super::*;
use crate::flow::{Content, DateSpan, Facts, Link, RecordKey, RefTarget, Role, Token};
use crate::store::fixture::{chart, record};
use crate::store::{LinkWrite, ViewWrite, fixture};

const RECORDS: u64 = 100_000;
const BATCH: u64 = 500;
const HOMES: u64 = 400;

fn content(n: u64, patient: u64) -> Content {
    let code = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % 900;
    let body = format!(
        concat!(
            r#"{{"resourceType":"Observation","id":"{:016x}","meta":{{"versionId":"{}","#,
            r#""lastUpdated":"2025-03-04T10:{:02}:{:02}Z","#,
            r#""profile":["http://hl7.org/fhir/us/core/StructureDefinition/"#,
            r#"us-core-vital-signs"]}},"#,
            r#""status":"final","#,
            r#""category":[{{"coding":[{{"system":"http://terminology.hl7.org/"#,
            r#"CodeSystem/observation-category","#,
            r#""code":"vital-signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","#,
            r#""code":"{}-{}","display":"Measured thing number {code}"}}],"#,
            r#""text":"Measured thing number {code}"}},"#,
            r#""subject":{{"reference":"Patient/{patient}"}},"#,
            r#""encounter":{{"reference":"Encounter/{:016x}"}},"#,
            r#""effectiveDateTime":"2025-03-{:02}T09:{:02}:00Z","#,
            r#""valueQuantity":{{"value":{}.{},"unit":"mm[Hg]","#,
            r#""system":"http://unitsofmeasure.org","code":"mm[Hg]"}}}}"#,
        ),
        n.wrapping_mul(0x2545_f491_4f6c_dd1d),
        n % 9,
        n % 60,
        n % 59,
        code + 1000,
        code % 10,
        (n / 7).wrapping_mul(0x9e37_79b9_7f4a_7c15),
        n % 28 + 1,
        n % 60,
        n % 180,
        n % 10,
        code = code,
        patient = patient,
    );
    let token = |system: &str, code: String| Token { system: system.into(), code: code.into() };
    let link = |role, pointer: &str, kind, id: String| Link {
        role,
        pointer: pointer.into(),
        to: RefTarget::Record(RecordKey::new("a", ResourceType::of(kind), &id)),
    };
    let facts = Facts {
        status: Some("final".into()),
        categories: vec![token("observation-category", "vital-signs".into())],
        codes: vec![token("http://loinc.org", format!("{}-{}", code + 1000, code % 10))],
        text: format!("measured thing number {code}").into(),
        when: Some(DateSpan { low: Some(fixture::day(1)), high: Some(fixture::day(2)) }),
        value: format!("{}.{} mm[hg]", n % 180, n % 10).into(),
        links: vec![
            link(Role::Subject, "/subject", "Patient", patient.to_string()),
            link(Role::Encounter, "/encounter", "Encounter", format!("{:016x}", n / 7)),
        ],
        ..Facts::default()
    };
    Content { body: body.into(), facts, issues: Vec::new() }
}

/// `spread`: every batch has records of all homes, as a pull by type brings them.
fn accept_all(store: &SledStore, spread: bool) -> usize {
    let mut raw = 0;
    for batch in 0..RECORDS / BATCH {
        let mut accept = Accept::default();
        for n in batch * BATCH..(batch + 1) * BATCH {
            let patient = if spread { n % HOMES } else { n / (RECORDS / HOMES) };
            let home = chart("a", &patient.to_string());
            let content = content(n, patient);
            raw += content.body.len();
            let key = RecordKey::new("a", ResourceType::of("Observation"), &n.to_string());
            let id = store.id_key().record(&key);
            let mut write = record(id.0, None, &n.to_string(), &home, 1);
            write.header.key = key;
            write.contents.iter_mut().for_each(|(_, _, c)| c.clone_from(&content));
            accept.records.push(write);
            accept.dirty.insert(home);
        }
        store.accept(accept).unwrap();
    }
    raw
}

fn disk(dir: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let size = |entry: std::fs::DirEntry| match entry.metadata().unwrap() {
        meta if meta.is_dir() => disk(&entry.path()),
        meta => meta.len(),
    };
    entries.map(size).sum()
}

fn settle_all(store: &SledStore) {
    let access = Access::system();
    for patient in 0..HOMES {
        let home = chart("a", &patient.to_string());
        let content = store.home(&access, &home).unwrap();
        let owner = Owner::Person(DerivedId(patient.into()));
        let rows = content.records.iter().map(|record| {
            let mut row = fixture::row(record.id.0, "");
            row.body = record.contents.iter().next().unwrap().1.body.clone();
            crate::store::RowWrite { row }
        });
        let table = crate::store::TableWrite {
            resource_type: ResourceType::of("Observation"),
            rows: rows.collect(),
        };
        let view = ViewWrite { tables: vec![table], ..fixture::view(owner, &[]) };
        let links: Vec<LinkWrite> = vec![fixture::link(&home, owner, &[patient.into()])];
        let clean = vec![crate::store::Dirty { home, seq: u64::MAX }];
        store.settle(Settle { links, views: vec![view], clean, ..Settle::default() }).unwrap();
    }
}

#[test]
#[ignore = "a measurement"]
fn accept_and_settle_a_hundred_thousand_records() {
    for spread in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::open(dir.path()).unwrap();
        let begun = Instant::now();
        let raw = accept_all(&store, spread);
        let accepted = begun.elapsed();
        let after_accept = disk(dir.path());
        let begun = Instant::now();
        settle_all(&store);
        let settled = begun.elapsed();
        let begun = Instant::now();
        let mut found = BTreeMap::new();
        for patient in 0..HOMES {
            let home = chart("a", &patient.to_string());
            let records = store.home(&Access::system(), &home).unwrap().records.len();
            *found.entry(records).or_insert(0) += 1;
        }
        let loaded = begun.elapsed() / u32::try_from(HOMES).unwrap();
        drop(store);
        eprintln!(
            "spread {spread}: accept {:.0} records/s; raw {} KiB, disk {} KiB, settled {} KiB; \
             settle {:.1} ms an owner; home {loaded:?} {found:?}",
            RECORDS as f64 / accepted.as_secs_f64(),
            raw >> 10,
            after_accept >> 10,
            disk(dir.path()) >> 10,
            settled.as_secs_f64() * 1000.0 / HOMES as f64,
        );
    }
}
