//! Duplicate and clashing therapy: active prescriptions of one ingredient, and what the patient is
//! said to take. <https://hl7.org/fhir/R4/medicationrequest.html>,
//! <https://hl7.org/fhir/R4/medicationstatement.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::super::plan::Shown;
use super::super::sameness::other_dose;
use super::calendar::{Calendar, last_day};
use super::orders::Clusters;
use super::scene::{Scene, at, order_name, status, text};
use super::{Conflict, Severity};

/// A prescription that the person is to follow.
struct Therapy<'a> {
    shown: &'a Shown,
    day: Date,
    dose: &'a str,
}

/// Clusters of active prescriptions of one ingredient, within the policy's days.
pub(super) fn therapies(scene: &Scene<'_>, calendar: &mut Calendar) -> Vec<Conflict> {
    let mut active = Vec::new();
    let mut by_ingredient: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for shown in scene.material.medications.iter().filter(|m| is_active(m)) {
        let ended = at(&shown.body, &["dispenseRequest", "validityPeriod", "end"]);
        let Some(day) = scene.day(shown) else { continue };
        let ingredients = ingredients(scene, shown);
        if ingredients.is_empty() || ended.and_then(last_day).is_some_and(|d| calendar.is_past(d)) {
            continue;
        }
        let dose = scene.facts(shown).map(|facts| &*facts.value).find(|v| !v.is_empty());
        for ingredient in ingredients {
            by_ingredient.entry(ingredient).or_default().push(active.len());
        }
        active.push(Therapy { shown, day, dose: dose.unwrap_or_default() });
    }
    let window = i32::from(scene.person.policy.findings().duplicate_therapy_days);
    let mut clusters = Clusters::new(active.len());
    for places in by_ingredient.values_mut() {
        places.sort_by_key(|&place| (active[place].day, place));
        for pair in places.windows(2) {
            if (active[pair[1]].day - active[pair[0]].day).get_days() <= window {
                clusters.join(pair[0], pair[1]);
            }
        }
    }
    let told = doses_told(scene);
    let several = clusters.of_several();
    let mut found: Vec<Conflict> =
        several.iter().filter_map(|c| therapy(scene, &active, c, &told)).collect();
    found.extend(taken_otherwise(scene, calendar, &active));
    found
}

/// What the patient is said to take in another dose than is prescribed.
fn taken_otherwise(
    scene: &Scene<'_>,
    calendar: &mut Calendar,
    active: &[Therapy<'_>],
) -> Vec<Conflict> {
    let mut found = Vec::new();
    for taken in scene.material.taken.iter().filter(|s| status(s) == "active") {
        let ended = at(&taken.body, &["effectivePeriod", "end"]).and_then(last_day);
        let doses = || scene.facts(taken).map(|facts| &*facts.value).filter(|v| !v.is_empty());
        let Some(dose) = doses().next() else { continue };
        if ended.is_some_and(|day| calendar.is_past(day)) {
            continue;
        }
        let of = ingredients(scene, taken);
        let clashes = |t: &&Therapy<'_>| {
            other_dose(t.dose, dose) && !ingredients(scene, t.shown).is_disjoint(&of)
        };
        found.extend(
            active.iter().filter(clashes).map(|t| taken_and_prescribed(scene, taken, dose, t)),
        );
    }
    found
}

fn taken_and_prescribed(
    scene: &Scene<'_>,
    taken: &Shown,
    dose: &str,
    prescribed: &Therapy<'_>,
) -> Conflict {
    let speaker = |shown: &Shown| {
        let claim = scene.group(shown.id).map(|group| group.first());
        claim.map_or_else(|| "a source".to_owned(), |claim| scene.speaker(claim).to_string())
    };
    let detail = format!(
        "{} is taken ({dose}), says {}; prescribed is {} ({}), {} by {}. Find out what the patient \
         takes, and have the list or the prescription corrected.",
        order_name(taken),
        speaker(taken),
        order_name(prescribed.shown),
        prescribed.dose,
        prescribed.day,
        speaker(prescribed.shown),
    );
    let title = "one ingredient in different doses";
    let about = [taken, prescribed.shown];
    Conflict::of("clashing-therapy", Severity::High, &about, title, detail)
        .since(Some(prescribed.day))
}

fn is_active(medication: &Shown) -> bool {
    let intent = text(medication, "intent");
    status(medication) == "active"
        && !matches!(intent, Some("proposal" | "plan" | "option"))
        && medication.body.get("doNotPerform").is_none_or(|v| v.as_bool() != Some(true))
}

/// The ingredients that the names of a drug begin with, else its codes.
fn ingredients(scene: &Scene<'_>, shown: &Shown) -> BTreeSet<String> {
    let policy = scene.person.policy.findings();
    let named = scene.facts(shown).filter_map(|facts| policy.ingredient(&facts.text));
    let named: BTreeSet<String> = named.collect();
    if named.is_empty() { scene.names(shown) } else { named }
}

/// Pairs of prescriptions whose doses are told as differing already.
fn doses_told(scene: &Scene<'_>) -> BTreeSet<(usize, usize)> {
    let pairs = scene.person.related.iter().filter(|pair| pair.rule == "dose-differs");
    pairs
        .filter_map(|pair| {
            let (a, b) = (scene.person.group_of[pair.a]?, scene.person.group_of[pair.b]?);
            Some((a.min(b), a.max(b)))
        })
        .collect()
}

fn therapy(
    scene: &Scene<'_>,
    active: &[Therapy<'_>],
    places: &[usize],
    told: &BTreeSet<(usize, usize)>,
) -> Option<Conflict> {
    let mut therapies: Vec<&Therapy<'_>> = places.iter().map(|&place| &active[place]).collect();
    therapies.sort_by_key(|therapy| therapy.day);
    let about: Vec<&Shown> = therapies.iter().map(|therapy| therapy.shown).collect();
    let groups: Vec<usize> = about.iter().filter_map(|s| scene.group_index(s)).collect();
    if let [a, b] = groups[..]
        && told.contains(&(a.min(b), a.max(b)))
    {
        return None;
    }
    let said = therapies.iter().map(|therapy| {
        let claim = scene.group(therapy.shown.id).map(|group| group.first());
        let by = claim.map_or("a source", |claim| scene.speaker(claim));
        let dose = if therapy.dose.is_empty() { "no dose stated" } else { therapy.dose };
        format!("{} ({dose}), {} by {by}", order_name(therapy.shown), therapy.day)
    });
    let said: Vec<String> = said.collect();
    let distinct = |of: &dyn Fn(&Therapy<'_>) -> String| {
        let values: BTreeSet<String> =
            therapies.iter().map(|t| of(t)).filter(|v| !v.is_empty()).collect();
        values.len() > 1
    };
    let clash = distinct(&|t| t.dose.to_owned()) || distinct(&|t| strength(scene, t.shown));
    let (rule, severity, title) = match clash {
        true => ("clashing-therapy", Severity::High, "one ingredient in different doses"),
        false => ("duplicate-therapy", Severity::Moderate, "one ingredient prescribed twice"),
    };
    let detail = format!(
        "{}. Find out what the patient takes, and have the other prescription(s) stopped.",
        said.join("; ")
    );
    let since = therapies.last().map(|therapy| therapy.day);
    Some(Conflict::of(rule, severity, &about, title, detail).since(since))
}

/// The numbers in a drug's name: its strength.
fn strength(scene: &Scene<'_>, shown: &Shown) -> String {
    let name = scene.facts(shown).map(|facts| &*facts.text).find(|text| !text.is_empty());
    let words = name.unwrap_or_default().split_whitespace();
    let numbers: Vec<&str> =
        words.filter(|w| w.starts_with(|c: char| c.is_ascii_digit())).collect();
    numbers.join(" ")
}
