//! Stores, made comparable, and what kills are drawn from.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::{Date, date};

use careweave::flow::{Access, unstamp_meta};
use careweave::identity::Model;
use careweave::pipeline::{EndpointSettings, Gateway, GatewayError, GatewayOptions, LedgerFilter};
use careweave::reconcile::{EndpointFacts, Policy};
use careweave::store::SledStore;

pub(crate) const TODAY: Date = date(2026, 11, 22);
pub(crate) const ENDPOINTS: [&str; 3] = ["mercy", "valley", "harbor"];

/// How many kills, or losses, are asked for in all.
pub(crate) const CRASHES: &str = "CAREWEAVE_CRASHES";

const MANY: usize = 100_000;
const KILLS: usize = 20;
const KINDS: usize = 4;

/// How many kills of each kind are asked for.
pub(crate) fn kills_wanted() -> usize {
    let asked = std::env::var(CRASHES).ok();
    asked.map_or(KILLS, |kills| kills.parse().unwrap()).div_ceil(KINDS)
}

/// A generator of numbers that the seed alone decides (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    /// A delay below `longest`.
    pub(crate) fn delay(&mut self, longest: Duration) -> Duration {
        let longest = u64::try_from(longest.as_micros()).unwrap();
        Duration::from_micros(self.roll(longest.max(1)))
    }
}

/// A gateway on the store in a directory.
pub(crate) fn gateway(dir: &Path) -> Gateway {
    let store = Arc::new(SledStore::open(dir).unwrap());
    let endpoint = |id: &&'static str| EndpointSettings {
        id: (*id).into(),
        facts: EndpointFacts {
            base_url: base(id),
            name: (*id).to_owned(),
            ..EndpointFacts::default()
        },
        ..EndpointSettings::default()
    };
    let options = GatewayOptions {
        public_base_url: "http://gateway.example".to_owned(),
        endpoints: ENDPOINTS.iter().map(endpoint).collect(),
        model: Model::embedded(),
        policy: Policy::embedded(),
        as_of: Some(TODAY),
    };
    Gateway::new(store, options)
}

pub(crate) fn base(endpoint: &str) -> String {
    format!("https://fhir.{endpoint}.example/r4")
}

/// All that a store says, by name: views without version and time, dispositions, ledger rows in
/// their order, reviews, decisions. Stores with one secret of ids can be compared.
pub(crate) fn state(gateway: &Gateway) -> BTreeMap<String, String> {
    let store = gateway.store().as_ref();
    let access = Access::system();
    let mut state = BTreeMap::new();
    for owner in store.owners(&access, None, MANY).unwrap() {
        let head = store.view(&access, owner).unwrap().unwrap();
        state.insert(format!("{owner:?}"), format!("{:?}", (&head.homes, head.next_change)));
        let dispositions = store.dispositions(&access, owner).unwrap();
        state.insert(format!("{owner:?} dispositions"), format!("{dispositions:?}"));
        for resource_type in head.types.keys() {
            let rows = store.table(&access, owner, *resource_type).unwrap().unwrap().rows.clone();
            let all: Vec<_> = rows.iter().map(|row| row.id).collect();
            let bodies = store.bodies(&access, owner, *resource_type, &all).unwrap();
            for (row, body) in rows.iter().zip(bodies) {
                let body = String::from_utf8(unstamp_meta(&body.unwrap())).unwrap();
                let name = format!("{owner:?} {resource_type}/{}", row.id);
                let text = format!("{body}\n{:?}\n{:?}", row.aliases, row.choices);
                assert!(state.insert(name, text).is_none(), "nothing appears twice");
            }
        }
    }
    let mut place = 0;
    gateway
        .ledger::<GatewayError>(&LedgerFilter::default(), &mut |row| {
            place += 1;
            state.insert(format!("ledger {place:06}"), format!("{row:?}"));
            Ok(())
        })
        .unwrap();
    for home in store.homes(&access, None, MANY).unwrap() {
        let mut decisions = store.decisions(&access, &home).unwrap();
        decisions.iter_mut().for_each(|decision| decision.at = jiff::Timestamp::UNIX_EPOCH);
        state.insert(format!("decisions {home:?}"), format!("{decisions:?}"));
    }
    for review in store.reviews(&access, None, MANY).unwrap() {
        let name = format!("review {:?} {:?}", review.a, review.b);
        state.insert(name, format!("{:?} {}", review.grade, review.reason));
    }
    state
}

/// The settled state, after the store has proved itself.
pub(crate) fn proved(gateway: &Gateway) -> BTreeMap<String, String> {
    let verified = gateway.verify(&mut |_| {}).unwrap();
    assert_eq!(verified.findings_total, 0, "{:#?}", verified.findings);
    state(gateway)
}

pub(crate) fn assert_same(killed: &BTreeMap<String, String>, whole: &BTreeMap<String, String>) {
    let names = killed.keys().chain(whole.keys());
    let differs = names.into_iter().find(|name| killed.get(*name) != whole.get(*name));
    if let Some(name) = differs {
        let (killed, whole) = (killed.get(name), whole.get(name));
        panic!("{name} differs\n  killed: {killed:?}\n  never killed: {whole:?}");
    }
}

/// Copies a data directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).unwrap()),
        }
    }
}
