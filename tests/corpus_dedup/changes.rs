//! What systems change in a record that they pass on or write themselves.

use jiff::civil::Date;
use jiff::tz::Offset;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::facts::Fact;
use crate::likeness::MAIN_DATE;
use crate::pool::{Pool, coding_key};
use crate::random::Rng;
use crate::world::{Coding, Dates, Site, reword};

type Made = Vec<&'static str>;

/// Elements that may be missing, with the distinction that keeps them.
const GAPS: [(&str, &[(&str, &str)]); 6] = [
    (
        "CarePlan",
        &[
            ("author", "author"),
            ("description", "name"),
            ("goal", ""),
            ("activity", ""),
            ("addresses", "reason"),
            ("careTeam", ""),
            ("note", ""),
        ],
    ),
    (
        "Condition",
        &[
            ("category", ""),
            ("severity", ""),
            ("bodySite", "side"),
            ("asserter", ""),
            ("abatementDateTime", ""),
            ("note", ""),
            ("evidence", ""),
        ],
    ),
    (
        "Goal",
        &[
            ("startDate", "date"),
            ("addresses", "reason"),
            ("target", ""),
            ("priority", ""),
            ("expressedBy", ""),
            ("achievementStatus", ""),
            ("note", ""),
            ("category", ""),
        ],
    ),
    (
        "MedicationRequest",
        &[
            ("reasonReference", "reason"),
            ("requester", "author"),
            ("note", ""),
            ("dosageInstruction", ""),
            ("dispenseRequest", ""),
            ("category", ""),
        ],
    ),
    (
        "ServiceRequest",
        &[
            ("reasonReference", "reason"),
            ("requester", "author"),
            ("note", ""),
            ("performer", ""),
            ("category", ""),
            ("priority", ""),
            ("bodySite", "side"),
            ("occurrenceTiming", ""),
        ],
    ),
    (
        "Task",
        &[
            ("requester", "author"),
            ("owner", "owner"),
            ("description", "name"),
            ("executionPeriod", ""),
            ("lastModified", ""),
            ("priority", ""),
            ("input", ""),
            ("output", ""),
            ("note", ""),
        ],
    ),
];

pub(crate) fn all(rng: &mut Rng, pool: &Pool, how: &Site, fact: &Fact, body: &mut Value) -> Made {
    let mut made = Made::new();
    drift(rng, fact, body, &mut made);
    correct(rng, fact, body, &mut made);
    leave_out(rng, how, fact, body, &mut made);
    units(rng, how, body, &mut made);
    for concept in concepts(body) {
        recode(rng, pool, how, fact, concept, &mut made);
    }
    for name in ["title", "description"] {
        if let Some(text) = body.get_mut(name) {
            reword(rng, how, text, &mut made);
        }
    }
    dates(how, body, &mut made);
    if rng.percent(40) {
        let div = "<div xmlns=\"http://www.w3.org/1999/xhtml\">as told</div>";
        body["text"] = json!({"status": "generated", "div": div});
        made.push("narrative");
    }
    made
}

/// The concepts that name a thing, and those of a plan's activities and a goal's measures.
fn concepts(body: &mut Value) -> Vec<&mut Value> {
    let Value::Object(map) = body else { return Vec::new() };
    let is_task = map.get("resourceType").is_some_and(|t| t == "Task");
    let is_plan = map.get("resourceType").is_some_and(|t| t == "CarePlan");
    let mut found = Vec::new();
    for (name, value) in map {
        match name.as_str() {
            "code" if !is_task => found.push(value),
            "medicationCodeableConcept" => found.push(value),
            "description" if value.is_object() => found.push(value),
            "category" if is_plan => found.extend(each(value, "")),
            "activity" => found.extend(each(value, "/detail/code")),
            "target" => found.extend(each(value, "/measure")),
            _ => {}
        }
    }
    found
}

fn each<'a>(list: &'a mut Value, path: &'static str) -> impl Iterator<Item = &'a mut Value> {
    let list = list.as_array_mut().into_iter().flatten();
    list.filter_map(move |value| value.pointer_mut(path))
}

fn recode(
    rng: &mut Rng,
    pool: &Pool,
    how: &Site,
    fact: &Fact,
    concept: &mut Value,
    made: &mut Made,
) {
    let first = concept["coding"][0].clone();
    let clinical = first["display"].is_string()
        && !first["system"].as_str().unwrap_or_default().contains("careplan-category");
    match how.coding {
        Coding::Own => {}
        Coding::Other => {
            if let Some(others) = pool.beside.get(&coding_key(&first)) {
                let other = rng.one(others).clone();
                if rng.percent(40) {
                    concept["text"] = other["display"].clone();
                }
                concept["coding"] = json!([other]);
                made.push("other code system");
            }
        }
        Coding::TextOnly if clinical => {
            if !concept["text"].is_string() {
                concept["text"] = first["display"].clone();
            }
            if let Some(map) = concept.as_object_mut() {
                map.remove("coding");
            }
            made.push("text only");
        }
        Coding::CodeOnly if clinical && !fact.kept.contains("name") => {
            if let Some(map) = concept.as_object_mut() {
                map.remove("text");
            }
            made.push("code and display only");
        }
        Coding::TextOnly | Coding::CodeOnly => {}
    }
    if let Some(text) = concept.get_mut("text") {
        reword(rng, how, text, made);
    }
    for coding in concept.get_mut("coding").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(display) = coding.get_mut("display").filter(|_| rng.percent(30)) {
            reword(rng, how, display, made);
        }
    }
}

/// Later at one endpoint than at the other.
fn drift(rng: &mut Rng, fact: &Fact, body: &mut Value, made: &mut Made) {
    if !rng.percent(25) {
        return;
    }
    let to: &[&str] = match fact.kind {
        "Goal" => &["active", "completed", "on-hold", "cancelled"],
        "Task" => &["accepted", "in-progress", "completed", "on-hold"],
        "MedicationRequest" => &["active", "completed", "stopped"],
        "Condition" => &["active", "resolved", "inactive", "remission"],
        _ => &["active", "completed", "revoked", "on-hold"],
    };
    let status = *rng.one(to);
    match fact.kind {
        "Goal" => body["lifecycleStatus"] = status.into(),
        "Condition" => {
            body["clinicalStatus"]["coding"] = json!([{"code": status, "system":
                "http://terminology.hl7.org/CodeSystem/condition-clinical"}]);
            if status == "active" {
                body.as_object_mut().unwrap().remove("abatementDateTime");
            }
        }
        _ => body["status"] = status.into(),
    }
    made.push("status drift");
}

/// What one endpoint corrected and the other did not.
fn correct(rng: &mut Rng, fact: &Fact, body: &mut Value, made: &mut Made) {
    let path = match fact.kind {
        "Condition" => "/recordedDate",
        "CarePlan" => "/period/end",
        _ => return,
    };
    let Some(at) = body.pointer_mut(path).filter(|_| rng.percent(15)) else { return };
    let Some(date) = at.as_str().and_then(|t| t.get(..10)?.parse::<Date>().ok()) else { return };
    if let Ok(moved) = date.checked_add((1 + rng.below(120) as i64).days()) {
        *at = moved.to_string().into();
        made.push("a lesser date corrected");
    }
}

fn leave_out(rng: &mut Rng, how: &Site, fact: &Fact, body: &mut Value, made: &mut Made) {
    let Some(map) = body.as_object_mut() else { return };
    let (_, gaps) = GAPS.iter().find(|g| g.0 == fact.kind).unwrap();
    for (name, keeps) in *gaps {
        if !fact.kept.contains(keeps) && rng.percent(how.gaps) && map.remove(*name).is_some() {
            made.push(match *name {
                "addresses" | "reasonReference" => "missing: reason",
                "target" => "missing: target",
                "goal" | "activity" => "missing: content",
                "author" | "requester" | "owner" => "missing: party",
                "startDate" => "missing: date",
                _ => "missing: other",
            });
        }
    }
    for list in ["goal", "activity"] {
        let list = map.get_mut(list).and_then(Value::as_array_mut).filter(|l| l.len() > 1);
        if let Some(list) = list.filter(|_| rng.percent(how.gaps)) {
            let gone = rng.below(list.len());
            list.remove(gone);
            made.push("partial content");
        }
    }
    let dated = fact.kept.contains("date");
    if !dated && rng.percent(how.gaps / 2) {
        let paths = MAIN_DATE.iter().find(|d| d.0 == fact.kind).unwrap().1;
        for path in paths {
            let name = path[1..].split('/').next().unwrap();
            if map.remove(name).is_some() {
                made.push("missing: date");
            }
        }
    }
}

/// Dates of another precision, of another zone.
fn dates(how: &Site, value: &mut Value, made: &mut Made) {
    const TIMES: [&str; 9] = [
        "onsetDateTime",
        "abatementDateTime",
        "recordedDate",
        "authoredOn",
        "start",
        "end",
        "created",
        "occurrenceDateTime",
        "lastModified",
    ];
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                match value.as_str().filter(|_| TIMES.contains(&name.as_str())) {
                    Some(text) => {
                        if let Some((changed, name)) = redated(how, text) {
                            *value = changed.into();
                            made.push(name);
                        }
                    }
                    None => dates(how, value, made),
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|v| dates(how, v, made)),
        _ => {}
    }
}

fn redated(how: &Site, text: &str) -> Option<(String, &'static str)> {
    let instant: Option<Timestamp> = text.parse().ok();
    let hours = |h: i8| Offset::from_hours(h).unwrap();
    match (how.dates, instant) {
        (Dates::Day, Some(_)) => Some((text[..10].to_owned(), "date: day")),
        (Dates::Utc, Some(at)) => Some((at.to_string(), "date: UTC")),
        (Dates::Zone(h), Some(at)) => {
            Some((at.display_with_offset(hours(h)).to_string(), "date: other zone"))
        }
        (Dates::DayIn(h), Some(at)) => {
            Some((hours(h).to_datetime(at).date().to_string(), "date: day in a zone"))
        }
        (Dates::Midnight, None) if text.len() == 10 => {
            Some((format!("{text}T00:00:00-05:00"), "date: midnight"))
        }
        _ => None,
    }
}

fn units(rng: &mut Rng, how: &Site, body: &mut Value, made: &mut Made) {
    for target in body.get_mut("target").and_then(Value::as_array_mut).into_iter().flatten() {
        let what = target["measure"].to_string().to_lowercase();
        for path in ["/detailQuantity", "/detailRange/low", "/detailRange/high"] {
            let Some(quantity) = target.pointer_mut(path) else { continue };
            let unit = quantity["code"].as_str().or(quantity["unit"].as_str()).unwrap_or_default();
            let other = match unit {
                "mg/dL" if what.contains("glucose") => Some((1.0 / 18.016, "mmol/L", "mmol/L")),
                "mg/dL" if what.contains("phos") => Some((0.3229, "mmol/L", "mmol/L")),
                "mg/dL" if what.contains("cholest") => Some((1.0 / 38.67, "mmol/L", "mmol/L")),
                "[lb_av]" | "lbs" => Some((0.453_592_37, "kg", "kg")),
                "kg" if !how.metric => Some((1.0 / 0.453_592_37, "lb", "[lb_av]")),
                _ => None,
            };
            match (other, quantity["value"].as_f64()) {
                (Some((factor, unit, code)), Some(value)) if how.metric || code == "[lb_av]" => {
                    quantity["value"] = json!((value * factor * 100.0).round() / 100.0);
                    quantity["unit"] = unit.into();
                    quantity["code"] = code.into();
                    quantity["system"] = "http://unitsofmeasure.org".into();
                    made.push("units");
                }
                _ if rng.percent(20) && quantity["unit"].is_string() => {
                    let map = quantity.as_object_mut().unwrap();
                    map.remove("code");
                    map.remove("system");
                    made.push("units by name");
                }
                _ => {}
            }
        }
    }
}

/// The name of a clinician or organization as another system has it.
pub(crate) fn called(rng: &mut Rng, name: &str) -> String {
    let plain = name.trim_start_matches("Dr. ").split(',').next().unwrap_or(name);
    match (rng.below(5), plain.rsplit_once(' ')) {
        (0, _) => name.to_uppercase(),
        (1, Some((given, family))) if name.starts_with("Dr. ") => format!("{family}, {given}"),
        (2, _) if name.starts_with("Dr. ") => format!("{plain}, MD"),
        _ => name.to_owned(),
    }
}
