//! When two Observations, Procedures, reports or immunizations are one event.
//! <https://hl7.org/fhir/R4/observation.html>

use crate::compare::wording;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::amount::{Measure, amounts};
use super::evidence::{Agreement, concept, known_as, moments, names, part, spans, values};

/// The day, and the value as well: of readings that repeat all day, those of one value are
/// compared with each other first.
pub(super) fn observation_buckets(
    person: &Person<'_>,
    claim: &Claim<'_>,
    add: &mut dyn FnMut(&[&str]),
) {
    keyed_by_day(person, claim, &claim.facts.value, add);
    keyed_by_day(person, claim, "", add);
}

/// The day with the code, and with each name.
pub(super) fn dated_buckets(person: &Person<'_>, claim: &Claim<'_>, add: &mut dyn FnMut(&[&str])) {
    keyed_by_day(person, claim, "", add);
}

fn keyed_by_day(person: &Person<'_>, claim: &Claim<'_>, value: &str, add: &mut dyn FnMut(&[&str])) {
    let day = claim.facts.when.and_then(|w| w.low);
    let Some(day) = day.map(|d| d.to_string()) else { return };
    for code in known_as(person, claim) {
        add(&["code-day", &code.system, &code.code, &day, value]);
    }
    for name in names(claim) {
        for word in wording(name).words.iter().filter(|w| w.chars().count() >= 3) {
            add(&["word-day", word.get(..6).unwrap_or(word), &day, value]);
        }
    }
}

/// The same code at the same moment with the same value.
pub(super) fn same_observation(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let measure = Measure { codes: &a.facts.codes, text: &a.facts.text };
    let value = amounts(&a.facts.value, &b.facts.value, measure);
    let nothing_measured = a.facts.value.is_empty() && b.facts.value.is_empty();
    if !value.agrees() && !nothing_measured {
        return Sameness::Apart;
    }
    event(person, a, b, "observation-code-moment-value")
}

/// The same vaccine on the same day.
pub(super) fn same_immunization(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let given = |c: &Claim<'_>| c.facts.status.as_deref() != Some("not-done");
    let other_lot = part(&a.facts.value, &b.facts.value, "lot").differs();
    let same = spans(a.facts.when, b.facts.when).agrees() && concept(person, a, b).agrees();
    if same && given(a) != given(b) {
        return Sameness::Conflicting("given-or-not");
    }
    if same && !other_lot {
        return Sameness::Same { rule: "vaccine-day", strength: 50 };
    }
    Sameness::Apart
}

/// The same act or report at the same moment.
pub(super) fn same_act(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let done = |c: &Claim<'_>| c.facts.status.as_deref() != Some("not-done");
    let differs = |name: &str| part(&a.facts.value, &b.facts.value, name).differs();
    if done(a) != done(b) || differs("site") || differs("outcome") {
        return Sameness::Apart;
    }
    event(person, a, b, "code-moment")
}

/// The same assessment of the same day with the same outcome.
pub(super) fn same_risk(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    if values(&a.facts.value, &b.facts.value).differs() {
        return Sameness::Apart;
    }
    event(person, a, b, "risk-code-day")
}

fn event(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>, rule: &'static str) -> Sameness {
    if !spans(a.facts.when, b.facts.when).agrees() || !concept(person, a, b).agrees() {
        return Sameness::Apart;
    }
    match moments(a, b) {
        Agreement::Same => Sameness::Same { rule, strength: 55 },
        Agreement::Close | Agreement::Silent => Sameness::Same { rule, strength: 50 },
        Agreement::Differs => Sameness::Apart,
    }
}
