//! Look-alikes: made ones, and what tells facts of one person apart.

use std::collections::BTreeSet;

use jiff::ToSpan as _;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::facts::{Fact, Life};
use crate::pool::coding_key;
use crate::random::Rng;
use crate::words::content;

/// The date by which two facts of a kind are told apart.
pub(crate) const MAIN_DATE: [(&str, &[&str]); 6] = [
    ("CarePlan", &["/period/start", "/created"]),
    ("Condition", &["/onsetDateTime", "/recordedDate", "/onsetPeriod/start"]),
    ("Goal", &["/startDate"]),
    ("MedicationRequest", &["/authoredOn"]),
    ("ServiceRequest", &["/authoredOn", "/occurrenceDateTime", "/occurrencePeriod/start"]),
    ("Task", &["/authoredOn", "/executionPeriod/start"]),
];

/// Facts nearer than this by date alone are not told apart by it.
const DAYS_APART: i32 = 10;

pub(crate) fn concept(body: &Value) -> &Value {
    let names = ["medicationCodeableConcept", "code", "description"];
    let of = names.iter().map(|n| &body[*n]).find(|v| v.is_object());
    of.or_else(|| body["category"].as_array().and_then(|c| c.last())).unwrap_or(&Value::Null)
}

fn words(body: &Value) -> BTreeSet<String> {
    let concept = concept(body);
    let mut all = BTreeSet::new();
    let displays = concept["coding"].as_array().into_iter().flatten().map(|c| &c["display"]);
    for text in displays.chain([&concept["text"], &body["title"], &body["description"]]) {
        all.extend(text.as_str().map(content).unwrap_or_default());
    }
    all
}

/// About the same thing: a code in common, or most words; `loosely`, any word.
pub(crate) fn same_subject(a: &Value, b: &Value, loosely: bool) -> bool {
    let codes = |v: &Value| -> BTreeSet<_> {
        concept(v)["coding"].as_array().into_iter().flatten().map(coding_key).collect()
    };
    let (mine, theirs) = (words(a), words(b));
    let common = mine.intersection(&theirs).count();
    let fewest = mine.len().min(theirs.len());
    !codes(a).is_disjoint(&codes(b))
        || (loosely && common > 0)
        || (fewest == 0 && mine.len() + theirs.len() < 4)
        || (fewest > 0 && common * 2 >= fewest)
}

pub(crate) fn day(fact: &Fact) -> Option<Date> {
    let paths = MAIN_DATE.iter().find(|d| d.0 == fact.kind)?.1;
    let text = paths.iter().find_map(|p| fact.body.pointer(p)?.as_str())?;
    text.get(..10)?.parse().ok()
}

/// What differs between two facts in a way that anybody would see.
fn differences(a: &Fact, b: &Fact) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    let days = day(a).zip(day(b)).and_then(|(x, y)| x.since(y).ok());
    if days.is_some_and(|span| span.get_days().abs() > DAYS_APART) {
        found.insert("date");
    }
    for (name, elements) in [
        ("reason", &["reasonReference", "addresses"][..]),
        ("owner", &["owner"]),
        ("focus", &["focus"]),
        ("author", &["author"]),
        ("side", &["bodySite"]),
        ("basis", &["basedOn", "partOf", "priorPrescription"]),
    ] {
        let of = |f: &Fact| elements.iter().map(|e| f.body[*e].clone()).collect::<Vec<_>>();
        let stated = |f: &Fact| of(f).iter().any(|v| !v.is_null());
        if stated(a) && stated(b) && of(a) != of(b) && apart(&of(a), &of(b)) {
            found.insert(name);
        }
    }
    if name(a) != name(b) && words_differ(a, b) {
        found.insert("name");
    }
    if concept(&a.body)["coding"] != concept(&b.body)["coding"] && words_differ(a, b) {
        found.insert("code");
    }
    found
}

/// Reasons and parties are apart if they have nothing in common.
fn apart(a: &[Value], b: &[Value]) -> bool {
    let references = |of: &[Value]| -> BTreeSet<String> {
        let flat = of.iter().flat_map(|v| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()]));
        flat.filter(|v| !v.is_null()).map(|v| v.to_string()).collect()
    };
    references(a).is_disjoint(&references(b))
}

fn name(fact: &Fact) -> (String, String) {
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    (text(&concept(&fact.body)["text"]), text(&fact.body["title"]))
}

fn words_differ(a: &Fact, b: &Fact) -> bool {
    let numbers = |f: &Fact| {
        concept(&f.body).to_string().matches(|c: char| c.is_ascii_digit()).collect::<String>()
    };
    words(&a.body) != words(&b.body) || numbers(a) != numbers(b)
}

/// Nobody could tell these apart.
pub(crate) fn indistinct(a: &Fact, b: &Fact) -> bool {
    if a.kind != b.kind || !a.stated || !b.stated {
        return false;
    }
    let found = differences(a, b);
    // A changed author or reason alone, in one course of a thing, says little unless it was meant.
    let telling = found.iter().any(|d| match *d {
        "reason" | "author" | "basis" | "owner" | "side" => a.like.is_some() || b.like.is_some(),
        _ => true,
    });
    same_subject(&a.body, &b.body, false) && !telling
}

/// Each fact keeps, wherever it is stated, what tells it from its look-alikes.
pub(crate) fn guard(facts: &mut [Fact]) {
    for a in 0..facts.len() {
        for b in 0..a {
            let (one, other) = (&facts[a], &facts[b]);
            if one.kind == other.kind
                && one.stated
                && other.stated
                && same_subject(&one.body, &other.body, false)
            {
                let found = differences(one, other);
                facts[a].kept.extend(&found);
                facts[b].kept.extend(&found);
            }
        }
    }
}

/// Facts that look like others and are not them.
pub(crate) fn look_alikes(rng: &mut Rng, life: &mut Life) {
    for n in 0..life.facts.len() {
        if !rng.percent(22) {
            continue;
        }
        let fact = life.facts[n].clone();
        let made = match fact.kind {
            "Goal" => goal(rng, life, &fact),
            "ServiceRequest" => order(rng, life, n, &fact),
            "MedicationRequest" => prescription(rng, &fact),
            "CarePlan" => plan(rng, life, n),
            "Task" => task(rng, life, &fact),
            _ => problem(rng, life, n),
        };
        if let Some((body, like)) = made {
            life.facts.push(Fact { body, like: Some(like), ..fact });
        }
    }
}

type Made = Option<(Value, &'static str)>;

fn goal(rng: &mut Rng, life: &Life, fact: &Fact) -> Made {
    let others: Vec<usize> = life
        .of_kind("Condition")
        .into_iter()
        .filter(|n| !fact.body["addresses"].to_string().contains(&format!("fact:{n}\"")))
        .filter(|n| {
            !aimed_at(life, fact)
                .iter()
                .any(|m| same_subject(&life.facts[*n].body, &life.facts[*m].body, true))
        })
        .collect();
    let mut body = fact.body.clone();
    if fact.body["addresses"].is_array() && !others.is_empty() && rng.percent(60) {
        body["addresses"] = json!([{"reference": format!("fact:{}", rng.one(&others))}]);
        return Some((body, "like: goal for another problem"));
    }
    later(&mut body, "/startDate", 365)?;
    Some((body, "like: goal set again next year"))
}

fn aimed_at(life: &Life, fact: &Fact) -> Vec<usize> {
    let text = fact.body["addresses"].to_string();
    life.of_kind("Condition")
        .into_iter()
        .filter(|n| text.contains(&format!("fact:{n}\"")))
        .collect()
}

fn order(rng: &mut Rng, life: &mut Life, n: usize, fact: &Fact) -> Made {
    let mut body = fact.body.clone();
    match rng.below(3) {
        0 => {
            let doctor = life.some_doctor(rng);
            body["basedOn"] = json!([{"reference": format!("fact:{n}")}]);
            body["requester"] = json!({"reference": format!("who:{doctor}")});
            later(&mut body, "/authoredOn", 1)?;
            Some((body, "like: sub-referral"))
        }
        1 if body["bodySite"].is_null() => {
            let side = |name: &str| json!([{"text": format!("{name} leg")}]);
            life.facts[n].body["bodySite"] = side("Left");
            life.facts[n].like = Some("like: other side");
            body["bodySite"] = side("Right");
            Some((body, "like: other side"))
        }
        _ => {
            later(&mut body, "/authoredOn", 28 + rng.below(10) as i32)?;
            Some((body, "like: ordered again"))
        }
    }
}

fn prescription(rng: &mut Rng, fact: &Fact) -> Made {
    let mut body = fact.body.clone();
    later(&mut body, "/authoredOn", 28 + rng.below(60) as i32)?;
    let dose = body.pointer_mut("/dosageInstruction/0/doseAndRate/0/doseQuantity/value");
    match dose {
        Some(dose) if rng.percent(50) => {
            *dose = json!(dose.as_f64()? * 2.0);
            body["dosageInstruction"][0].as_object_mut()?.remove("text");
            Some((body, "like: dose changed"))
        }
        _ => Some((body, "like: prescription renewed")),
    }
}

fn plan(rng: &mut Rng, life: &mut Life, n: usize) -> Made {
    let mut body = life.facts[n].body.clone();
    if rng.percent(50) {
        let names = ["Riverside Clinic", "Hillcrest Hospital", "Lakeview Home Care"];
        let first = rng.below(3);
        let who = |life: &mut Life, k: usize| {
            let number = life.person("Organization", names[k % 3].to_owned());
            json!({"reference": format!("who:{number}")})
        };
        life.facts[n].body["author"] = who(life, first);
        life.facts[n].like = Some("like: plan of another organization");
        body["author"] = who(life, first + 1);
        return Some((body, "like: plan of another organization"));
    }
    later(&mut body, "/period/start", 366)?;
    body["period"].as_object_mut()?.remove("end");
    Some((body, "like: plan of the next year"))
}

fn task(rng: &mut Rng, life: &mut Life, fact: &Fact) -> Made {
    let mut body = fact.body.clone();
    if rng.percent(60) && fact.body["owner"].is_object() {
        let owner = json!({"reference": format!("who:{}", life.some_doctor(rng))});
        if life.one_name(&owner, &body["owner"]) {
            return None;
        }
        body["owner"] = owner;
        return Some((body, "like: task of another owner"));
    }
    later(&mut body, "/authoredOn", 30)?;
    Some((body, "like: task again"))
}

fn problem(rng: &mut Rng, life: &mut Life, n: usize) -> Made {
    let mut body = life.facts[n].body.clone();
    let code = body["clinicalStatus"]["coding"][0]["code"].as_str().unwrap_or_default().to_owned();
    if code == "resolved" && over_within(&body, 90) {
        later(&mut body, "/onsetDateTime", 150 + rng.below(400) as i32)?;
        for gone in ["abatementDateTime", "recordedDate"] {
            body.as_object_mut()?.remove(gone);
        }
        return Some((body, "like: it came back"));
    }
    let name = concept(&body).to_string().to_lowercase();
    let sided = ["arm", "knee", "wrist", "ankle", "thigh", "hand", "foot", "hip", "shoulder"];
    if sided.iter().any(|part| name.contains(part)) && body["bodySite"].is_null() {
        life.facts[n].body["bodySite"] = json!([{"text": "Left side"}]);
        life.facts[n].like = Some("like: other side");
        body["bodySite"] = json!([{"text": "Right side"}]);
        return Some((body, "like: other side"));
    }
    None
}

/// Whether a problem ended so many days after its onset.
fn over_within(body: &Value, days: i32) -> bool {
    let date = |name: &str| body[name].as_str()?.get(..10)?.parse::<Date>().ok();
    let (Some(from), Some(to)) = (date("onsetDateTime"), date("abatementDateTime")) else {
        return false;
    };
    to.since(from).is_ok_and(|span| span.get_days() < days)
}

/// Moves a date; what has none makes no look-alike in time.
fn later(body: &mut Value, path: &str, days: i32) -> Option<()> {
    let at = body.pointer_mut(path)?;
    let text = at.as_str()?;
    let date: Date = text.get(..10)?.parse().ok()?;
    let moved = date.checked_add(days.days()).ok()?;
    *at = format!("{moved}{}", &text[10..]).into();
    Some(())
}
