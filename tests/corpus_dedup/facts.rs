//! What is true of one person: real records, with what is planned for others of their kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::likeness::{guard, same_subject};
use crate::pool::{JUDGED, Pool, Record};
use crate::random::Rng;

/// One thing that is true; endpoints state it.
#[derive(Clone)]
pub(crate) struct Fact {
    pub(crate) kind: &'static str,
    /// References to other facts read `fact:N`, to clinicians and organizations `who:N`.
    pub(crate) body: Value,
    /// What it was made as, if it was made to look like another.
    pub(crate) like: Option<&'static str>,
    /// What tells it from its look-alikes, so that every endpoint states it.
    pub(crate) kept: BTreeSet<&'static str>,
    /// Whether anybody states it; it has a name in any case.
    pub(crate) stated: bool,
}

/// The facts of a person and the names of who cares for them.
#[derive(Default)]
pub(crate) struct Life {
    pub(crate) facts: Vec<Fact>,
    /// Type and name.
    pub(crate) who: Vec<(&'static str, String)>,
    known: BTreeMap<String, usize>,
    known_who: BTreeMap<String, usize>,
}

/// How many of each type a person keeps.
const MOST: [(&str, usize); 6] = [
    ("CarePlan", 6),
    ("Condition", 12),
    ("Goal", 8),
    ("MedicationRequest", 12),
    ("ServiceRequest", 10),
    ("Task", 8),
];

/// Elements that are an endpoint's own, or say nothing of sameness here.
const OWN: [&str; 18] = [
    "id",
    "meta",
    "text",
    "identifier",
    "subject",
    "for",
    "encounter",
    "contained",
    "extension",
    "groupIdentifier",
    "requisition",
    "insurance",
    "implicitRules",
    "input",
    "output",
    "outcomeReference",
    "evidence",
    "assertedDate",
];

pub(crate) fn life(rng: &mut Rng, pool: &Pool) -> Life {
    let mut life = Life::default();
    if rng.percent(85) {
        let base = rng.one(&pool.synthea);
        life.live(rng, base);
        life.order(rng, base);
    }
    for _ in 0..1 + rng.below(2) {
        let donor = rng.below(pool.donors.len());
        life.live(rng, &pool.donors[donor]);
    }
    life.goals_with_targets(rng);
    life.task(rng, pool);
    life.dose(rng, pool);
    crate::likeness::look_alikes(rng, &mut life);
    life.without_twins();
    guard(&mut life.facts);
    life
}

fn rng_one<T>(number: u64, of: &[T]) -> &T {
    &of[(number % of.len() as u64) as usize]
}

impl Life {
    /// Takes a record in, leaving out what may be the same as something known from elsewhere.
    fn live(&mut self, rng: &mut Rng, record: &Record) {
        let before = self.facts.len();
        for kind in JUDGED {
            let of_kind: Vec<&String> =
                record.own.iter().filter(|r| record.all[*r]["resourceType"] == kind).collect();
            let most = MOST.iter().find(|m| m.0 == kind).map_or(0, |m| m.1);
            let have = self.facts.iter().filter(|f| f.kind == kind).count();
            for reference in rng.some(&of_kind, most.saturating_sub(have)) {
                self.take(record, kind, reference, before);
            }
        }
        for n in before..self.facts.len() {
            let mut body = self.facts[n].body.take();
            self.localise(&mut body, record);
            self.facts[n].body = body;
        }
    }

    fn take(&mut self, record: &Record, kind: &'static str, reference: &str, before: usize) {
        let mut body = record.all[reference].clone();
        let retracted = body["status"] == "entered-in-error"
            || body["verificationStatus"]["coding"][0]["code"] == "entered-in-error";
        if retracted || body["doNotPerform"] == true || !names_something(kind, &body) {
            return;
        }
        if let Value::Object(map) = &mut body {
            map.retain(|name, _| !OWN.contains(&name.as_str()) && !name.starts_with('_'));
        }
        let elsewhere = |f: &Fact| f.kind == kind && same_subject(&f.body, &body, true);
        if let Some(n) = self.facts[..before].iter().position(elsewhere) {
            self.known.insert(reference.to_owned(), n);
            return;
        }
        self.known.insert(reference.to_owned(), self.facts.len());
        self.facts.push(Fact { kind, body, like: None, kept: BTreeSet::new(), stated: true });
    }

    /// References to facts, to people by name, or none.
    fn localise(&mut self, value: &mut Value, record: &Record) {
        match value {
            Value::Object(map) => {
                if let Some(to) = map.get("reference").and_then(Value::as_str).map(str::to_owned) {
                    let name = map.get("display").and_then(Value::as_str).map(str::to_owned);
                    map.remove("reference");
                    map.remove("type");
                    match self.target(record, &to, name) {
                        Some(local) => {
                            map.remove("display");
                            map.insert("reference".to_owned(), local.into());
                        }
                        None if !map.contains_key("display") => {
                            map.insert("gone".to_owned(), true.into());
                        }
                        None => {}
                    }
                }
                map.values_mut().for_each(|v| self.localise(v, record));
                map.retain(|_, v| !is_gone(v));
            }
            Value::Array(list) => {
                list.iter_mut().for_each(|v| self.localise(v, record));
                list.retain(|v| !is_gone(v));
            }
            _ => {}
        }
    }

    fn target(&mut self, record: &Record, to: &str, display: Option<String>) -> Option<String> {
        let (key, body) = record.target(to).unwrap_or((to, &Value::Null));
        if let Some(n) = self.known.get(key) {
            return Some(format!("fact:{n}"));
        }
        let kind = match body["resourceType"].as_str() {
            Some("Practitioner" | "PractitionerRole") => "Practitioner",
            Some("Organization") => "Organization",
            _ => return None,
        };
        let name = display.or_else(|| name_of(body))?;
        Some(format!("who:{}", self.person(kind, name)))
    }

    pub(crate) fn person(&mut self, kind: &'static str, name: String) -> usize {
        let who = &mut self.who;
        *self.known_who.entry(name.clone()).or_insert_with(|| {
            who.push((kind, name));
            who.len() - 1
        })
    }

    /// Orders for what was done: the procedure or report of a real record, asked for that day.
    fn order(&mut self, rng: &mut Rng, record: &Record) {
        let done: Vec<&String> = record.done.iter().collect();
        for reference in rng.some(&done, 6) {
            let body = &record.all[*reference];
            let at = [&body["performedPeriod"]["start"], &body["effectiveDateTime"]];
            let Some(at) = at.iter().find_map(|at| at.as_str()) else { continue };
            let doctor = self.some_doctor(rng);
            let mut order = json!({"resourceType": "ServiceRequest", "status": "completed",
                "intent": "order", "code": body["code"], "authoredOn": at,
                "requester": {"reference": format!("who:{doctor}")}});
            let problems = self.of_kind("Condition");
            if !problems.is_empty() && rng.percent(60) {
                let why = format!("fact:{}", rng.one(&problems));
                order["reasonReference"] = json!([{"reference": why}]);
            }
            self.push("ServiceRequest", order);
        }
    }

    /// Goals of public exports say "X < 7.0" in words; some systems have it as a target.
    fn goals_with_targets(&mut self, rng: &mut Rng) {
        for fact in self.facts.iter_mut().filter(|f| f.kind == "Goal") {
            let Some(text) = fact.body["description"]["text"].as_str() else { continue };
            let Some((what, number)) = text.split_once(" < ") else { continue };
            let (Ok(number), what) = (number.parse::<f64>(), what.to_owned()) else { continue };
            if fact.body.get("target").is_none() && rng.percent(60) {
                let unit = if number < 50.0 { "%" } else { "mg/dL" };
                fact.body["target"] = json!([{"measure": {"text": what}, "detailQuantity": {
                    "value": number, "comparator": "<", "unit": unit, "code": unit,
                    "system": "http://unitsofmeasure.org"}}]);
            }
        }
    }

    /// Work on orders, as the tasks of the data word it.
    fn task(&mut self, rng: &mut Rng, pool: &Pool) {
        let orders = self.of_kind("ServiceRequest");
        for order in rng.some(&orders, 5) {
            let pattern = rng_one(rng.next(), &pool.tasks);
            let authored =
                self.facts[*order].body["authoredOn"].as_str().unwrap_or("2019-03-04").to_owned();
            let (owner, requester) = (self.some_doctor(rng), self.some_doctor(rng));
            let mut task = json!({"resourceType": "Task", "status": "requested", "intent": "order",
                "code": pattern["code"], "authoredOn": authored,
                "focus": {"reference": format!("fact:{order}")},
                "owner": {"reference": format!("who:{owner}")},
                "requester": {"reference": format!("who:{requester}")}});
            if pattern["description"].is_string() && rng.percent(50) {
                task["description"] = pattern["description"].clone();
            }
            if rng.percent(40) {
                let start = task["authoredOn"].clone();
                task["executionPeriod"] = json!({"start": start});
            }
            self.push("Task", task);
        }
    }

    /// Prescriptions without dosage get one that stands in the data.
    fn dose(&mut self, rng: &mut Rng, pool: &Pool) {
        for fact in self.facts.iter_mut().filter(|f| f.kind == "MedicationRequest") {
            if fact.body.get("dosageInstruction").is_none() && rng.percent(40) {
                fact.body["dosageInstruction"] = json!([rng_one(rng.next(), &pool.doses)]);
            }
        }
    }

    pub(crate) fn some_doctor(&mut self, rng: &mut Rng) -> usize {
        if self.who.is_empty() {
            self.person("Practitioner", "Dr. Ann Wood".to_owned());
        }
        rng.below(self.who.len())
    }

    /// Whether two references to clinicians are to one, or to two of one name, whom nobody could
    /// tell apart.
    pub(crate) fn one_name(&self, a: &Value, b: &Value) -> bool {
        let words = |who: &Value| -> Option<BTreeSet<String>> {
            let number: usize = who["reference"].as_str()?.strip_prefix("who:")?.parse().ok()?;
            let name = self.who.get(number)?.1.to_lowercase();
            let words = name.split(|c: char| !c.is_alphanumeric());
            let titles = ["", "dr", "md"];
            Some(words.filter(|w| !titles.contains(w)).map(str::to_owned).collect())
        };
        a == b || words(a).is_some_and(|a| Some(a) == words(b))
    }

    pub(crate) fn of_kind(&self, kind: &str) -> Vec<usize> {
        (0..self.facts.len()).filter(|n| self.facts[*n].kind == kind).collect()
    }

    pub(crate) fn push(&mut self, kind: &'static str, body: Value) {
        self.facts.push(Fact { kind, body, like: None, kept: BTreeSet::new(), stated: true });
    }

    /// Two of which nobody could say which is which become one: the second is not stated.
    fn without_twins(&mut self) {
        for n in 0..self.facts.len() {
            let twin = |other: &&Fact| crate::likeness::indistinct(other, &self.facts[n]);
            if self.facts[..n].iter().any(|other| twin(&other)) {
                self.facts[n].stated = false;
            }
        }
    }
}

fn is_gone(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("gone") || map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// A record that says what it is about.
fn names_something(kind: &str, body: &Value) -> bool {
    match kind {
        "CarePlan" => {
            // One that is of the category of all plans, and no more, could be any.
            let says = ["title", "addresses", "period", "activity", "goal"];
            says.iter().any(|name| !body[*name].is_null())
        }
        "Goal" => body["description"].is_object(),
        "MedicationRequest" => body["medicationCodeableConcept"].is_object(),
        "Task" => body["code"].is_object() || body["description"].is_string(),
        _ => body["code"].is_object(),
    }
}

fn name_of(body: &Value) -> Option<String> {
    if let Some(name) = body["name"].as_str() {
        return Some(name.to_owned());
    }
    let name = &body["name"][0];
    if let Some(text) = name["text"].as_str() {
        return Some(text.to_owned());
    }
    let family = name["family"].as_str()?;
    Some(format!("Dr. {} {family}", name["given"][0].as_str().unwrap_or_default()))
}
