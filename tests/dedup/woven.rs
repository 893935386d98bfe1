//! The view of a made person: statements read by ingest, woven with a directory that recognises
//! some clinicians of several endpoints as one and others not.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use careweave::fhir::StructureCheck;
use careweave::flow::{
    ChartKey, DisclosureClass, Hash, IdKey, RecordHeader, RecordKey, Version, View, ViewStamp,
};
use careweave::ingest::{EndpointBases, Ingest};
use careweave::reconcile::{
    ChartInput, EndpointFacts, InputRecord, NoPreviousRows, Outside, PersonInput, Policy, Standing,
    WEAVE_VERSION, weave,
};
use jiff::Timestamp;

use crate::world::{SITES, World};

const KEY: IdKey = IdKey([7; 32]);

static INGEST: LazyLock<Ingest> = LazyLock::new(|| {
    let bases = SITES.map(|site| (base(site), site.into()));
    Ingest::new(Arc::new(StructureCheck::new(&[]).unwrap()), EndpointBases::new(bases))
});
static POLICY: LazyLock<Policy> = LazyLock::new(Policy::embedded);

fn base(site: &str) -> String {
    format!("https://{site}.example/fhir")
}

/// Odd clinicians and organizations are known to be one everywhere (they have an NPI in every
/// directory); even ones have a directory entry for each endpoint.
struct Directory;

impl Outside for Directory {
    fn stands_for(&self, key: &RecordKey) -> Standing {
        let Some((_, number)) = key.id.split_once('-') else { return Standing::Unknown };
        let odd = number.parse::<u32>().is_ok_and(|n| n % 2 == 1);
        let entry =
            if odd { RecordKey::new("directory", key.resource_type, number) } else { key.clone() };
        Standing::Directory(key.resource_type, KEY.record(&entry))
    }
}

pub(crate) fn view(world: &World) -> View {
    let at: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
    let mut charts: BTreeMap<ChartKey, Vec<InputRecord>> = BTreeMap::new();
    for (seq, statement) in world.statements.iter().enumerate() {
        let site = world.sites[statement.site].name;
        let found = INGEST.page(site, at, statement.body.to_string().as_bytes());
        assert!(found.quarantined.is_empty(), "{:?} {}", found.quarantined, statement.body);
        for record in found.records {
            let version = Version {
                stamp: record.stamp,
                confirmed_at: at,
                hash: record.hash,
                state: record.state,
                home: record.home,
            };
            let record = InputRecord {
                id: KEY.record(&record.key),
                header: RecordHeader::new(record.key, seq as u64 + 1, record.parent, version),
                content: Some(Arc::new(record.content)),
                statuses: Vec::new(),
            };
            let chart = record.header.home().chart().unwrap().clone();
            charts.entry(chart).or_default().push(record);
        }
    }
    let charts =
        charts.into_iter().map(|(key, records)| ChartInput { key, records }).collect::<Vec<_>>();
    let facts = |site: &&str| EndpointFacts {
        base_url: base(site),
        name: (*site).to_owned(),
        ..EndpointFacts::default()
    };
    let endpoints = SITES.iter().map(|site| ((*site).into(), facts(site))).collect();
    let stamp = ViewStamp {
        weave: WEAVE_VERSION,
        policy: POLICY.hash(),
        model: Hash(0),
        class: DisclosureClass::Full,
        as_of: jiff::civil::date(2026, 3, 1),
    };
    let input = PersonInput {
        charts,
        outside: &Directory,
        endpoints: &endpoints,
        stamp,
        overrides: Vec::new(),
    };
    weave(&input, &NoPreviousRows, &POLICY, &KEY, jiff::civil::date(2026, 3, 1))
}
