//! When two CarePlans are one plan, republished. Plans of different custodians never are.
//! <https://hl7.org/fhir/R4/careplan.html>

use std::collections::BTreeSet;

use crate::flow::{Facts, Role, Token};

use super::super::claim::Claim;
use super::super::person::{Canon, Person};
use super::evidence::{Agreement, actors, in_common, parties, references, spans, texts, written};
use super::{ONLY_IF_UNIQUE, Sameness};

/// A plan that begins more days after another is another: the next one, or somebody else's.
const NEXT_PLAN_DAYS: i32 = 7;
/// How much must speak for two plans being one: where the custodian is the same, where one of
/// them does not say who it is, and where both do and it is open whether that is one.
const ENOUGH: i8 = 6;
const ENOUGH_WITHOUT_CUSTODIAN: i8 = 6;
const ENOUGH_IN_DOUBT: i8 = 7;

/// The evidence is weighed: custodian, period, title, kind, problems, goals, activities, visit.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = custodian_agreement(person, a, b);
    let addresses = references(person, a, b, Role::Addresses);
    let goals = references(person, a, b, Role::Goal);
    let kind = kind(a.facts, b.facts);
    let visit = references(person, a, b, Role::Encounter);
    let period = period(a.facts, b.facts);
    let apart = custodian.differs()
        || kind.differs()
        || visit.differs()
        || period.differs()
        || addresses.differs() && goals.differs();
    if apart {
        return Sameness::Apart;
    }
    let activities = match a.facts.codes.is_empty() || b.facts.codes.is_empty() {
        true => Agreement::Silent,
        false if a.facts.codes == b.facts.codes => Agreement::Same,
        false => in_common(&a.facts.codes, &b.facts.codes),
    };
    let weight = weigh(custodian, 3, 0)
        + weigh(period, 4, 0)
        + weigh(texts(&a.facts.text, &b.facts.text), 3, -2)
        + weigh(kind, 2, 0)
        + weigh(addresses, 3, -3)
        + weigh(goals, 3, -1)
        + weigh(activities, 3, -3)
        + weigh(visit, 4, 0)
        + weigh(written(a, b), 1, 0);
    let enough = match (custodian.agrees(), doubtful(person, a, b)) {
        (true, _) => ENOUGH,
        (false, false) => ENOUGH_WITHOUT_CUSTODIAN,
        (false, true) => ENOUGH_IN_DOUBT,
    };
    // Without the custodian the time or the visit must say that it is this plan.
    let placed = custodian.agrees() || period.agrees() || visit.agrees();
    let aimed = addresses == Agreement::Same || goals == Agreement::Same;
    let titled = texts(&a.facts.text, &b.facts.text).agrees();
    let undated = period == Agreement::Silent && visit != Agreement::Same;
    if weight >= enough && undated && (custodian.agrees() || titled && aimed) {
        // Last year's plan or this one: it is the only one, or it cannot be told.
        return Sameness::Same { rule: "care-plan-only", strength: ONLY_IF_UNIQUE };
    }
    if weight < enough || !placed {
        return Sameness::Apart;
    }
    let rule = match (custodian.agrees(), visit == Agreement::Same) {
        (true, _) => "care-plan-custodian",
        (false, true) => "care-plan-visit",
        (false, false) => "care-plan-content",
    };
    Sameness::Same { rule, strength: 40 + weight.unsigned_abs() }
}

fn weigh(found: Agreement, agrees: i8, differs: i8) -> i8 {
    match found {
        Agreement::Same => agrees,
        Agreement::Close => agrees - 1,
        Agreement::Silent => 0,
        Agreement::Differs => differs,
    }
}

/// The categories but for the one that all plans of a profile have.
fn kind(a: &Facts, b: &Facts) -> Agreement {
    let own = |facts: &Facts| -> Vec<Token> {
        facts.categories.iter().filter(|t| &*t.code != "assess-plan").cloned().collect()
    };
    in_common(&own(a), &own(b))
}

/// The same if both begin on one day: how long a plan is meant to go on changes. A plan without
/// period began when it was made.
fn period(a: &Facts, b: &Facts) -> Agreement {
    let begin = |facts: &Facts| {
        facts.when.filter(|w| w.low.is_some()).or(facts.authored).and_then(|span| span.low)
    };
    let Some((from, other)) = begin(a).zip(begin(b)) else {
        return spans(a.when, b.when);
    };
    match (from - other).get_days().abs() {
        0 => Agreement::Same,
        1 => Agreement::Close,
        days if days > NEXT_PLAN_DAYS && from.day() != 1 && other.day() != 1 => Agreement::Differs,
        _ => match spans(a.when, b.when) {
            Agreement::Differs => Agreement::Differs,
            _ => Agreement::Silent,
        },
    }
}

/// Whether the two are known to be plans of other times.
pub(super) fn another_time(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    period(a.facts, b.facts).differs()
}

/// Whether the two are known to have different custodians.
pub(super) fn other_custodian(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    custodian_agreement(person, a, b).differs()
}

/// How custodians compare; the author vouches for a plan without custodian.
pub(super) fn custodian_agreement(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let role = |c: &Claim<'_>| match person.canons(c, Role::Custodian).is_empty() {
        true => Role::Author,
        false => Role::Custodian,
    };
    if role(a) != role(b) {
        return match parties(&custodians(person, a), &custodians(person, b)) {
            Agreement::Differs => Agreement::Silent,
            found => found,
        };
    }
    actors(person, a, b, role(a))
}

/// Both say who it is, and it is not known to be the same.
fn doubtful(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let stated = |c: &Claim<'_>| !custodians(person, c).is_empty();
    stated(a) && stated(b)
}

/// The custodian, else the author.
fn custodians(person: &Person<'_>, claim: &Claim<'_>) -> BTreeSet<Canon> {
    let stated = person.canons(claim, Role::Custodian);
    if stated.is_empty() { person.canons(claim, Role::Author) } else { stated }
}
