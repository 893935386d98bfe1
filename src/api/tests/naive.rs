//! Searches over stored values against a naive filter over the resources themselves.
//!
//! The filter parses every resource and reads the specification anew: it shares no code with the
//! search but the bodies that the gateway serves.
#![expect(clippy::unwrap_used, reason = "test")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::world::World;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Code,
    Concept,
    Date,
    Amount,
    Text,
    Reference,
}

/// A parameter, and where its values stand.
type Known = (&'static str, &'static str, Kind, &'static str);

const KNOWN: [Known; 16] = [
    ("Observation", "status", Kind::Code, "status"),
    ("Observation", "code", Kind::Concept, "code"),
    ("Observation", "category", Kind::Concept, "category"),
    ("Observation", "date", Kind::Date, "effectiveDateTime effectivePeriod"),
    ("Observation", "value-quantity", Kind::Amount, "valueQuantity"),
    ("Observation", "value-string", Kind::Text, "valueString"),
    ("Goal", "lifecycle-status", Kind::Code, "lifecycleStatus"),
    ("Goal", "start-date", Kind::Date, "startDate"),
    ("Goal", "category", Kind::Concept, "category"),
    ("Task", "status", Kind::Code, "status"),
    ("Task", "code", Kind::Concept, "code"),
    ("Task", "authored-on", Kind::Date, "authoredOn"),
    ("Task", "focus", Kind::Reference, "focus"),
    ("ServiceRequest", "status", Kind::Code, "status"),
    ("ServiceRequest", "code", Kind::Concept, "code"),
    ("ServiceRequest", "authored", Kind::Date, "authoredOn"),
];
const TYPES: [&str; 4] = ["Observation", "Goal", "Task", "ServiceRequest"];
const CODES: [&str; 4] = ["active", "draft", "on-hold", "completed"];
const CONCEPTS: [(&str, &str); 5] =
    [("urn:a", "x"), ("urn:b", "x"), ("", "x"), ("urn:a", "y"), ("urn:b", "z,1")];
const DATES: [&str; 8] = [
    "2024",
    "2024-05",
    "2024-05-01",
    "2024-05-31",
    "2024-06",
    "2025",
    "2024-05-31T23:59:59Z",
    "2024-06-01T00:00:00Z",
];
const AMOUNTS: [&str; 6] = ["5", "5.4", "5.40", "-3", "0", "100"];
const UNITS: [&str; 3] = ["mg", "kg", ""];
const TEXTS: [&str; 4] = ["Été long", "ete court", "Straße 5", "long été"];

/// One criterion as numbers, to be read for whatever type is searched.
type Drawn = [u8; 4];

/// A pseudo-random number from a seed: the same resources each time.
fn draw(seed: usize, bound: usize) -> usize {
    let mixed =
        (seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ mixed >> 29) as usize % bound
}

fn concept(n: usize) -> Value {
    let (system, code) = CONCEPTS[n];
    let coding = if system.is_empty() {
        json!({"code": code})
    } else {
        json!({"system": system, "code": code})
    };
    json!({"coding": [coding], "text": TEXTS[n % TEXTS.len()]})
}

fn resource(name: &str, n: usize, world: &World) -> Value {
    let pick = |salt: usize, bound: usize| draw(n * 31 + salt * 7919 + name.len() * 104_729, bound);
    let mut body = json!({});
    for (salt, (of, _, kind, path)) in KNOWN.iter().enumerate() {
        let path = path.split(' ').nth(pick(salt, path.split(' ').count())).unwrap();
        // Some have no value.
        if of != &name || pick(salt + 50, 4) == 0 {
            continue;
        }
        body[path] = match kind {
            Kind::Code => CODES[pick(salt, CODES.len())].into(),
            Kind::Concept if path == "category" => {
                json!([concept(pick(salt, 5)), concept(pick(salt + 1, 5))])
            }
            Kind::Concept => concept(pick(salt, 5)),
            Kind::Date if path.ends_with("Period") => {
                let (a, b) = (pick(salt, DATES.len()), pick(salt + 2, DATES.len()));
                let [mut start, mut end] = [DATES[a], DATES[b]];
                if days(start).0 > days(end).0 {
                    (start, end) = (end, start);
                }
                match pick(salt + 3, 3) {
                    0 => json!({"start": start}),
                    1 => json!({"end": end}),
                    _ => json!({"start": start, "end": end}),
                }
            }
            Kind::Date => DATES[pick(salt, DATES.len())].into(),
            Kind::Amount => {
                let number: Value = serde_json::from_str(AMOUNTS[pick(salt, 6)]).unwrap();
                match UNITS[pick(salt + 4, 3)] {
                    "" => json!({"value": number}),
                    unit => json!({"value": number, "unit": unit, "code": unit, "system": "urn:u"}),
                }
            }
            Kind::Text => TEXTS[pick(salt, TEXTS.len())].into(),
            Kind::Reference => {
                let to = world.id("mercy", &format!("ServiceRequest/n{}", pick(salt, 40)));
                json!({"reference": format!("ServiceRequest/{to}")})
            }
        };
    }
    body
}

/// The query parameter that a criterion becomes.
fn asked(name: &str, drawn: Drawn, world: &World) -> (Known, String, String) {
    let of_type: Vec<Known> = KNOWN.into_iter().filter(|(of, ..)| *of == name).collect();
    let known = of_type[usize::from(drawn[0]) % of_type.len()];
    let [_, form, a, b] = drawn.map(usize::from);
    let missing = form % 11 == 10;
    let (suffix, value) = match known.2 {
        _ if missing => (":missing", ["true", "false"][a % 2].to_owned()),
        Kind::Code => ([""; 2].map(|_| [":not", ""][form % 2])[0], CODES[a % 4].to_owned()),
        Kind::Concept => {
            let (system, code) = CONCEPTS[a % 5];
            let code = code.replace(',', "\\,");
            let value = match b % 4 {
                0 => code,
                1 => format!("{system}|{code}"),
                2 if !system.is_empty() => format!("{system}|"),
                _ => format!("|{code},urn:nowhere|{code}"),
            };
            (if form % 3 == 0 { ":not" } else { "" }, value)
        }
        Kind::Date => {
            let prefix = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"][form % 9];
            ("", format!("{prefix}{}", DATES[a % DATES.len()]))
        }
        Kind::Amount => {
            let prefix = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"][form % 9];
            let unit = ["", "|urn:u|mg", "||kg", "||"][b % 4];
            ("", format!("{prefix}{}{unit}", AMOUNTS[a % 6]))
        }
        Kind::Text => {
            let value = ["été", "ETE LONG", "strasse", "ong", "Été long"][a % 5];
            ([":contains", ":exact", ""][form % 3], value.to_owned())
        }
        Kind::Reference => {
            let id = world.id("mercy", &format!("ServiceRequest/n{}", a % 40));
            match form % 4 {
                0 => ("", format!("ServiceRequest/{id}")),
                1 => (":ServiceRequest", id),
                2 => ("", format!("http://mercy.test/r4/ServiceRequest/n{}", a % 40)),
                _ => ("", format!("ServiceRequest/{id}/_history/3,ServiceRequest/none")),
            }
        }
    };
    (known, format!("{}{suffix}", known.1), value)
}

fn values(body: &Value, path: &str) -> Vec<Value> {
    let found = path.split(' ').filter_map(|name| body.get(name));
    found.flat_map(|v| v.as_array().cloned().unwrap_or_else(|| vec![v.clone()])).collect()
}

/// The first and the last second of a date, as text that orders.
fn days(date: &str) -> (String, String) {
    let fill =
        |rest: &str| format!("{}{}", date.trim_end_matches('Z'), &rest[date.len().min(19)..]);
    let last_day = if date == "2024-06" { "0000-12-30T23:59:59" } else { "0000-12-31T23:59:59" };
    (fill("0000-01-01T00:00:00"), fill(last_day))
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// Lower case without the accents that the texts here have.
fn plain(text: &str) -> String {
    text.to_lowercase().replace('é', "e").replace('ß', "ss")
}

fn meets((_, _, kind, path): Known, name: &str, value: &str, body: &Value) -> bool {
    let stated = values(body, path);
    let modifier = name.split_once(':').map_or("", |(_, modifier)| modifier);
    if modifier == "missing" {
        return stated.is_empty() == (value == "true");
    }
    let any = |met: &dyn Fn(&Value) -> bool| stated.iter().any(met);
    match kind {
        Kind::Code => any(&|v| v == value) != (modifier == "not"),
        Kind::Concept => {
            let codings: Vec<&Value> =
                stated.iter().flat_map(|v| v["coding"].as_array().unwrap()).collect();
            let wanted = value.replace("\\,", "\u{1}");
            let one = |wanted: &str| {
                codings.iter().any(|coding| {
                    let (system, code) = (text(coding, "system"), text(coding, "code"));
                    match wanted.replace('\u{1}', ",").split_once('|') {
                        None => code == wanted.replace('\u{1}', ","),
                        Some((of, "")) => of == system,
                        Some((of, is)) => of == system && is == code,
                    }
                })
            };
            wanted.split(',').any(one) != (modifier == "not")
        }
        Kind::Date => any(&|v| date_meets(v, value)),
        Kind::Amount => any(&|v| amount_meets(v, value)),
        Kind::Text => any(&|v| {
            let (is, wanted) = (v.as_str().unwrap(), plain(value));
            match modifier {
                "exact" => is == value,
                "contains" => plain(is).contains(&wanted),
                _ => plain(is).starts_with(&wanted),
            }
        }),
        Kind::Reference => unreachable!("references are compared by their id"),
    }
}

fn split_prefix(value: &str) -> (&str, &str) {
    if value.starts_with(|c: char| c.is_ascii_lowercase()) {
        value.split_at(2)
    } else {
        ("eq", value)
    }
}

fn date_meets(stated: &Value, value: &str) -> bool {
    let (prefix, date) = split_prefix(value);
    let (low, high) = days(date);
    let (from, until) = match stated.as_str() {
        Some(date) => days(date),
        None => {
            let end = |name: &str| stated[name].as_str().map(days);
            let from = end("start").map_or("0".to_owned(), |(from, _)| from);
            (from, end("end").map_or("9".to_owned(), |(_, until)| until))
        }
    };
    let within = low <= from && until <= high;
    match prefix {
        "eq" => within,
        "ne" => !within,
        "gt" => until > high,
        "lt" => from < low,
        "ge" => until >= low,
        "le" => from <= high,
        "sa" => from > high,
        "eb" => until < low,
        other => panic!("{other}"),
    }
}

fn amount_meets(stated: &Value, value: &str) -> bool {
    let mut parts = value.split('|');
    let (prefix, number) = split_prefix(parts.next().unwrap());
    let (system, unit) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let same = (system.is_empty() || text(stated, "system") == system)
        && (unit.is_empty() || text(stated, "code") == unit || text(stated, "unit") == unit);
    let is: f64 = stated["value"].to_string().parse().unwrap();
    let wanted: f64 = number.parse().unwrap();
    let digits = number.split_once('.').map_or(0, |(_, after)| after.len());
    let half = 0.5 / 10f64.powi(i32::try_from(digits).unwrap());
    let about = wanted - half <= is && is <= wanted + half;
    same && match prefix {
        "eq" => about,
        "ne" => !about,
        "gt" | "sa" => is > wanted,
        "lt" | "eb" => is < wanted,
        "ge" => is >= wanted,
        "le" => is <= wanted,
        other => panic!("{other}"),
    }
}

struct People {
    world: World,
    runtime: Runtime,
    bodies: BTreeMap<&'static str, Vec<Value>>,
    patient: String,
}

impl People {
    fn new() -> Self {
        let (world, runtime) = (World::new(), Runtime::new().unwrap());
        let rows: Vec<(String, Value)> = TYPES
            .iter()
            .flat_map(|name| (0..40).map(move |n| (name, n)))
            .map(|(name, n)| (format!("{name}/n{n}"), resource(name, n, &world)))
            .collect();
        world.add_person("9", &rows);
        let patient = world.id("mercy", "Patient/9");
        let mut bodies = BTreeMap::new();
        for name in TYPES {
            let path = format!("/fhir/{name}?patient={patient}&_count=500");
            let bundle = runtime.block_on(world.get(&path)).json();
            let entries = bundle["entry"].as_array().unwrap().clone();
            let of_type = entries.into_iter().map(|mut entry| entry["resource"].take());
            bodies.insert(name, of_type.filter(|body| body["resourceType"] == name).collect());
            assert_eq!(bundle["total"], 40, "{name}");
        }
        Self { world, runtime, bodies, patient }
    }

    /// The ids of the resources of a type that meet a criterion.
    fn naive(
        &self,
        name: &str,
        (known, param, value): &(Known, String, String),
    ) -> BTreeSet<String> {
        let met = |body: &&Value| match known.2 {
            Kind::Reference if !param.ends_with("missing") => {
                let wanted = value.split(',').next().unwrap();
                let wanted = wanted.split("/_history").next().unwrap();
                let wanted = wanted.rsplit('/').next().unwrap();
                let wanted = match wanted.strip_prefix('n') {
                    Some(n) if n.len() < 3 => {
                        self.world.id("mercy", &format!("ServiceRequest/n{n}"))
                    }
                    _ => wanted.to_owned(),
                };
                text(&body["focus"], "reference") == format!("ServiceRequest/{wanted}")
            }
            _ => meets(*known, param, value, body),
        };
        self.bodies[name].iter().filter(met).map(|body| text(body, "id")).collect()
    }

    /// The ids that a search finds.
    fn found(&self, name: &str, params: &[(String, String)]) -> BTreeSet<String> {
        let escaped = |text: &str| text.replace('%', "%25").replace(' ', "%20").replace('+', "%2B");
        let encoded = |text: &str| -> String {
            let bytes = text.bytes();
            bytes
                .map(|b| {
                    if b.is_ascii_alphanumeric() {
                        char::from(b).to_string()
                    } else {
                        format!("%{b:02X}")
                    }
                })
                .collect()
        };
        let mut path = format!("/fhir/{name}?patient={}&_count=500", self.patient);
        for (param, value) in params {
            path.push_str(&format!("&{}={}", escaped(param), encoded(value)));
        }
        let told = self.runtime.block_on(self.world.get(&path));
        assert_eq!(told.status, 200, "{path}: {}", told.body);
        assert!(!told.issue_codes().contains(&"not-supported".to_owned()), "{path}");
        told.references("match")
            .iter()
            .map(|to| to.rsplit('/').next().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_search_gives_what_a_naive_filter_over_all_resources_gives() {
    let people = People::new();
    let some = proptest::collection::vec(any::<Drawn>(), 1..4);
    let mut runner = TestRunner::default();
    let mut matched = 0usize;
    let matches = std::cell::RefCell::new(&mut matched);
    let result = runner.run(&(0..TYPES.len(), some, any::<Drawn>()), |(of, drawn, linked)| {
        let name = TYPES[of];
        let all: BTreeSet<String> = people.bodies[name].iter().map(|b| text(b, "id")).collect();
        let (mut expected, mut params) = (all, Vec::new());
        for drawn in drawn {
            let one = asked(name, drawn, &people.world);
            expected = expected.intersection(&people.naive(name, &one)).cloned().collect();
            params.push((one.1, one.2));
        }
        prop_assert_eq!(&people.found(name, &params), &expected, "{} {:?}", name, params);
        **matches.borrow_mut() += expected.len();
        // What a task is about meets a criterion; what some task is about.
        let (far, link) = match name {
            "Task" => ("ServiceRequest", "focus:ServiceRequest."),
            "ServiceRequest" => ("Task", "_has:Task:focus:"),
            _ => return Ok(()),
        };
        let one = asked(far, linked, &people.world);
        let ids = people.naive(far, &one);
        let focus = |task: &Value| text(&task["focus"], "reference").replace("ServiceRequest/", "");
        let tasks = people.bodies["Task"].iter();
        let linked: BTreeSet<String> = match name {
            "Task" => tasks.filter(|t| ids.contains(&focus(t))).map(|t| text(t, "id")).collect(),
            _ => tasks.filter(|t| ids.contains(&text(t, "id"))).map(focus).collect(),
        };
        params.push((format!("{link}{}", one.1), one.2));
        expected = expected.intersection(&linked).cloned().collect();
        prop_assert_eq!(&people.found(name, &params), &expected, "{} {:?}", name, params);
        Ok(())
    });
    result.unwrap();
    assert!(matched > 500, "the queries hardly match: {matched}");
}
