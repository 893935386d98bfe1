//! A person's facts as two to six endpoints state them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::changes;
use crate::facts::{Fact, Life, life};
use crate::likeness::concept;
use crate::pool::Pool;
use crate::random::Rng;
use crate::words::rewritten;

pub(crate) const SITES: [&str; 6] = ["alder", "birch", "cedar", "dogwood", "elm", "fir"];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// As in the data.
    Own,
    /// Another system's code where one stands beside it in the data.
    Other,
    TextOnly,
    CodeOnly,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dates {
    Own,
    Day,
    Utc,
    /// Hours from UTC.
    Zone(i8),
    /// Day in a zone.
    DayIn(i8),
    Midnight,
}

/// How an endpoint writes.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) coding: Coding,
    pub(crate) dates: Dates,
    /// Percent of texts that are rewritten.
    pub(crate) rewords: usize,
    /// Percent of elements that may be missing and are.
    pub(crate) gaps: usize,
    pub(crate) metric: bool,
    absolute: bool,
}

/// One resource as one endpoint states it; `fact` is what it truly states, `None` once retracted.
pub(crate) struct Statement {
    pub(crate) site: usize,
    pub(crate) body: Value,
    pub(crate) fact: Option<usize>,
    pub(crate) changes: Vec<&'static str>,
}

pub(crate) struct World {
    pub(crate) sites: Vec<Site>,
    pub(crate) statements: Vec<Statement>,
}

/// Where facts are stated and under which ids.
struct Held {
    at: Vec<BTreeSet<usize>>,
    ids: BTreeMap<(usize, usize), String>,
}

impl World {
    pub(crate) fn new(seed: u64, pool: &Pool) -> Self {
        let mut rng = Rng(seed);
        let life = life(&mut rng, pool);
        let count = 2 + rng.below(5);
        let sites = SITES[..count].iter().map(|name| site(&mut rng, name)).collect();
        let mut world = Self { sites, statements: Vec::new() };
        for site in 0..count {
            let body = json!({"resourceType": "Patient", "id": "p", "name": [{"family": "Vale"}]});
            world.statements.push(Statement { site, body, fact: None, changes: Vec::new() });
        }
        let held = held(&mut rng, &life.facts, count);
        for (n, fact) in life.facts.iter().enumerate().filter(|(_, f)| f.stated) {
            let number = rng.next() % 1_000_000;
            for &site in &held.at[n] {
                world.state(&mut rng, pool, &life, &held, (n, fact, site, number));
            }
        }
        world
    }

    fn state(
        &mut self,
        rng: &mut Rng,
        pool: &Pool,
        life: &Life,
        held: &Held,
        (n, fact, site, number): (usize, &Fact, usize, u64),
    ) {
        let how = &self.sites[site];
        let mut body = fact.body.clone();
        let mut made = changes::all(rng, pool, how, fact, &mut body);
        made.extend(fact.like);
        let kept = !fact.kept.is_empty();
        let mut writer = Writer { rng, life, held, how, site, kept, made: &mut made };
        writer.references(&mut body);
        let retracted = rng.percent(2);
        if retracted {
            retract(&mut body);
        }
        body["id"] = held.ids[&(n, site)].clone().into();
        let patient = match how.absolute {
            true => format!("https://{}.example/fhir/Patient/p", how.name),
            false => "Patient/p".to_owned(),
        };
        body[if fact.kind == "Task" { "for" } else { "subject" }] = json!({"reference": patient});
        identify(rng, how, number, &mut body, &mut made);
        let fact = (!retracted).then_some(n);
        self.statements.push(Statement { site, body, fact, changes: made });
    }
}

fn site(rng: &mut Rng, name: &'static str) -> Site {
    use Coding::{CodeOnly, Other, Own, TextOnly};
    let dates = [
        Dates::Own,
        Dates::Own,
        Dates::Day,
        Dates::Day,
        Dates::Utc,
        Dates::Zone(-5),
        Dates::Zone(9),
        Dates::DayIn(-8),
        Dates::Midnight,
    ];
    Site {
        name,
        coding: *rng.one(&[Own, Own, Own, Other, Other, TextOnly, CodeOnly]),
        dates: *rng.one(&dates),
        rewords: *rng.one(&[0, 15, 30, 60]),
        gaps: *rng.one(&[0, 5, 10, 20]),
        metric: rng.percent(40),
        absolute: rng.percent(30),
    }
}

/// Most facts are known at two endpoints or more; what tells look-alikes apart is stated with them.
fn held(rng: &mut Rng, facts: &[Fact], count: usize) -> Held {
    let mut at: Vec<BTreeSet<usize>> = Vec::new();
    for _ in facts {
        let n = [1, 1, 2, 2, 2, 2, 3, 3, 4, 6][rng.below(10)];
        let all: Vec<usize> = (0..count).collect();
        at.push(rng.some(&all, n).into_iter().copied().collect());
    }
    for n in (0..facts.len()).rev() {
        let telling = ["reason", "focus", "basis"].iter().any(|k| facts[n].kept.contains(k));
        let text = facts[n].body.to_string();
        let named = text.split("\"fact:").skip(1).filter_map(|t| t.split('"').next()?.parse().ok());
        for other in named.collect::<Vec<usize>>() {
            if telling {
                let here = at[n].clone();
                at[other].extend(here);
            }
        }
    }
    let mut ids = BTreeMap::new();
    for (n, sites) in at.iter().enumerate() {
        for &site in sites {
            ids.insert((n, site), format!("{:x}", rng.next()));
        }
    }
    Held { at, ids }
}

fn retract(body: &mut Value) {
    match body["resourceType"].as_str() {
        Some("Condition") => {
            body.as_object_mut().unwrap().remove("clinicalStatus");
            body["verificationStatus"] = json!({"coding": [{"system":
                "http://terminology.hl7.org/CodeSystem/condition-ver-status",
                "code": "entered-in-error"}]});
        }
        Some("Goal") => body["lifecycleStatus"] = "entered-in-error".into(),
        _ => body["status"] = "entered-in-error".into(),
    }
}

/// The number a thing got where it began, at some endpoints; an endpoint's own at others.
fn identify(
    rng: &mut Rng,
    how: &Site,
    number: u64,
    body: &mut Value,
    made: &mut Vec<&'static str>,
) {
    let mut identifiers = Vec::new();
    if number.is_multiple_of(4) && rng.percent(50) {
        identifiers
            .push(json!({"system": "https://origin.example/ids", "value": number.to_string()}));
        made.push("identifier of the origin");
    }
    if rng.percent(30) {
        let own = (rng.next() % 1_000_000).to_string();
        identifiers
            .push(json!({"system": format!("https://{}.example/ids", how.name), "value": own}));
        made.push("own identifier");
    }
    if !identifiers.is_empty() {
        body["identifier"] = identifiers.into();
    }
}

/// Turns local references into those of an endpoint.
struct Writer<'a> {
    rng: &'a mut Rng,
    life: &'a Life,
    held: &'a Held,
    how: &'a Site,
    site: usize,
    kept: bool,
    made: &'a mut Vec<&'static str>,
}

impl Writer<'_> {
    fn references(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                let local = map.get("reference").and_then(Value::as_str).map(str::to_owned);
                if let Some(written) = local.and_then(|local| self.written(&local)) {
                    *value = written;
                } else {
                    map.values_mut().for_each(|v| self.references(v));
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|v| self.references(v)),
            _ => {}
        }
    }

    fn written(&mut self, local: &str) -> Option<Value> {
        let (kind, number) = local.split_once(':')?;
        let number: usize = number.parse().ok()?;
        if kind == "who" {
            return Some(self.who(number));
        }
        let fact = self.life.facts.get(number)?;
        let Some(id) = self.held.ids.get(&(number, self.site)).filter(|_| fact.stated) else {
            self.made.push("named, not referred to");
            return Some(json!({"display": label(&fact.body)}));
        };
        let base = match self.how.absolute {
            true => format!("https://{}.example/fhir/", self.how.name),
            false => String::new(),
        };
        Some(json!({"reference": format!("{base}{}/{id}", fact.kind)}))
    }

    fn who(&mut self, number: usize) -> Value {
        let (kind, name) = &self.life.who[number];
        let reference = format!("{kind}/who-{number}");
        let called = changes::called(self.rng, name);
        if called != *name {
            self.made.push("clinician named otherwise");
        }
        match self.rng.below(4) {
            0 => json!({"display": called}),
            1 if !self.kept => json!({"reference": reference}),
            _ => json!({"reference": reference, "display": called}),
        }
    }
}

fn label(body: &Value) -> String {
    let concept = concept(body);
    let texts = [&concept["text"], &concept["coding"][0]["display"], &body["title"]];
    texts.iter().find_map(|t| t.as_str()).unwrap_or("record").to_owned()
}

/// A text as this endpoint writes it.
pub(crate) fn reword(rng: &mut Rng, how: &Site, value: &mut Value, made: &mut Vec<&'static str>) {
    let Some(text) = value.as_str() else { return };
    if rng.percent(how.rewords) {
        let (changed, name) = rewritten(rng, text);
        *value = changed.into();
        made.push(name);
    }
}
