//! P8 and P5 under load: records that belong together and come at once become one person, once.
//! `CAREWEAVE_RACES=1000` asks for that many.

use std::sync::{Arc, Barrier};

use serde_json::{Value, json};

use careweave::flow::{Access, ChartKey, Home, Owner};
use careweave::pipeline::{Gateway, accept};

use super::compared::assert_conserved;
use super::world::{ENDPOINTS, World, ingest, moment};

const RACES: usize = 120;

/// A Patient of the nth human with these member identifiers.
fn patient(nth: usize, identifiers: &[&str]) -> Value {
    let identifiers = identifiers.iter().map(|system| {
        let value = format!("M{nth}{system}");
        json!({"system": format!("http://{system}.example/member"), "value": value})
    });
    json!({
        "resourceType": "Patient",
        "id": format!("p{nth}"),
        "active": true,
        "identifier": identifiers.collect::<Vec<_>>(),
        "name": [{"family": format!("Quist{nth}berg"), "given": [format!("Ada{nth}")]}],
        "birthDate": format!("19{:02}-{:02}-{:02}", 30 + nth % 60, 1 + nth % 12, 1 + nth % 28),
        "gender": "female",
    })
}

fn bring(gateway: &Gateway, endpoint: &'static str, patient: &Value) {
    let id = patient["id"].as_str().unwrap();
    let url = format!("https://fhir.{endpoint}.example/r4/Patient/{id}");
    let entry = json!({"fullUrl": url, "resource": patient});
    let page = json!({"resourceType": "Bundle", "type": "searchset", "entry": [entry]});
    let endpoint: Arc<str> = endpoint.into();
    let page = ingest().page(&endpoint, moment(0), page.to_string().as_bytes());
    accept(gateway.store().as_ref(), &endpoint, &page, None).unwrap();
    gateway.settle_all(&mut |_, _| {}).unwrap();
}

fn owner(gateway: &Gateway, endpoint: &str, nth: usize) -> Option<Owner> {
    let home = Home::Chart(ChartKey::new(endpoint, &format!("p{nth}")));
    gateway.store().link(&Access::system(), &home).unwrap().and_then(|link| link.owner)
}

/// Brings these records at once, each by a worker on the gateway that is its turn.
fn race(gateways: &[&Gateway], nth: usize, identifiers: &[&[&str]]) {
    let start = Barrier::new(identifiers.len());
    std::thread::scope(|scope| {
        for (worker, identifiers) in identifiers.iter().enumerate() {
            let (start, gateway) = (&start, gateways[worker % gateways.len()]);
            scope.spawn(move || {
                let patient = patient(nth, identifiers);
                start.wait();
                bring(gateway, ENDPOINTS[worker], &patient);
            });
        }
    });
    let first = owner(gateways[0], ENDPOINTS[0], nth);
    assert!(first.is_some(), "race {nth}");
    for endpoint in &ENDPOINTS[1..identifiers.len()] {
        assert_eq!(owner(gateways[0], endpoint, nth), first, "race {nth} {endpoint}");
    }
}

#[test]
fn records_that_come_at_once_are_one_person() {
    let races: usize =
        std::env::var("CAREWEAVE_RACES").ok().map_or(RACES, |races| races.parse().unwrap());
    let mut world = World::new();
    let other = world.another_gateway();
    for nth in 0..races {
        // Workers of one gateway wait for each other; those of two meet in the store.
        let both = [&world.gateway, &other];
        let gateways = if nth % 4 == 0 { &both[..1] } else { &both[..] };
        match nth % 3 {
            0 => race(gateways, nth, &[&["plan"], &["plan"]]),
            1 => race(gateways, nth, &[&["plan"], &["plan"], &["plan"]]),
            // Only the third has what the first two have each.
            _ => race(gateways, nth, &[&["plan"], &["state"], &["plan", "state"]]),
        }
    }
    let persons = world.gateway.store().owners(&Access::system(), None, usize::MAX).unwrap();
    assert_eq!(persons.len(), races, "exactly one person each time");
    let brought: usize = (0..races).map(|nth| if nth % 3 == 0 { 2 } else { 3 }).sum();
    world.received.new_versions = brought as u64;
    assert_conserved(&world).unwrap();
}
