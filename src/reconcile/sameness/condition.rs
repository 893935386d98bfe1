//! When two Conditions are one problem, and two AllergyIntolerances one allergy.
//! <https://hl7.org/fhir/R4/condition.html>

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, began, body_sites, codings, concept};
use super::text::specialises;

/// The same diagnosis with an onset that can be the same; a recurrence is another problem.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let days = began(a, b);
    let onset = match days.agreement() {
        Agreement::Differs if days.may_be_one() => Agreement::Close,
        found => found,
    };
    let site = body_sites(a, b);
    if onset.differs() || site.differs() || came_back(a, b) {
        return Sameness::Apart;
    }
    if !about.agrees() {
        return described_closer(a, b);
    }
    let strength = 50
        + u8::from(about == Agreement::Same) * 4
        + u8::from(onset.agrees()) * 2
        + u8::from(onset == Agreement::Same);
    Sameness::Same { rule: "condition-code-onset", strength }
}

/// Most days between two onsets of one problem where one says that it is over.
const ONE_EPISODE_DAYS: i32 = 60;

/// Whether one is over and the other is not, and both tell the day of their onset, far apart: an
/// episode that nobody closed does not take in a later one, nor one that was over before.
pub(super) fn came_back(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let open = |c: &Claim<'_>| c.facts.when.is_none_or(|span| span.high.is_none());
    let onsets = || peek::onset_day(a.body).zip(peek::onset_day(b.body));
    open(a) != open(b) && onsets().is_some_and(|(x, y)| (x - y).get_days().abs() > ONE_EPISODE_DAYS)
}

/// One names it more closely than the other, and both say that it began on the same day.
fn described_closer(a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    if other_code(a, b) || !specialises(&a.facts.text, &b.facts.text) {
        return Sameness::Apart;
    }
    let day = peek::onset_day(a.body);
    if day.is_none() || day != peek::onset_day(b.body) {
        return Sameness::Apart;
    }
    Sameness::Same { rule: "condition-text-onset", strength: 46 }
}

/// Whether the two are coded in one system and differently.
pub(super) fn other_code(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    codings(&a.facts.codes, &b.facts.codes).differs()
}

/// The same substance.
pub(super) fn same_allergy(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    if !about.agrees() {
        return Sameness::Apart;
    }
    let strength = if about == Agreement::Same { 55 } else { 45 };
    Sameness::Same { rule: "allergy-code", strength }
}

/// One says it has been ruled out, the other does not.
pub(super) fn one_refuted(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let refuted = |c: &Claim<'_>| c.facts.second_status.as_deref() == Some("refuted");
    refuted(a) != refuted(b)
}
