//! When two CarePlans are one plan, republished. Plans of different custodians never are.
//! <https://hl7.org/fhir/R4/careplan.html>

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::compare::{Likeness, likeness, wording};
use crate::flow::{DateSpan, Facts, RefTarget, Role, Token};

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::{Canon, Person};
use super::evidence::{
    Agreement, actors, actors_in, codings, in_common, parties, references, spans, texts, written,
};
use super::problem::{addressed, named_alike};
use super::zones::Days;
use super::{ALONE_THAT_DAY, Sameness, only_one};

/// A plan that begins more days after another is another: the next one, or somebody else's.
const NEXT_PLAN_DAYS: i32 = 7;
/// What some days between the beginnings weigh.
const NEAR: i8 = -2;
/// How much must speak for two plans being one: where the custodian is the same, where one of
/// them does not say who it is, and where both do and it is open whether that is one.
const ENOUGH: i8 = 6;
const ENOUGH_WITHOUT_CUSTODIAN: i8 = 6;
const ENOUGH_IN_DOUBT: i8 = 7;

/// The evidence is weighed: custodian, period, title, kind, problems, goals, activities, visit.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = custodian_agreement(person, a, b);
    let addresses = aimed_at(person, a, b);
    let goals = goals(person, a, b);
    let kind = kind(a.facts, b.facts);
    let visit = references(person, a, b, Role::Encounter);
    let period = period(person, a, b);
    if custodian.differs() || kind.differs() || visit.differs() || period.differs() {
        return Sameness::Apart;
    }
    let title = called(a, b);
    let acts = references(person, a, b, Role::Activity);
    let activities = if acts == Agreement::Same { acts } else { details(a.facts, b.facts) };
    let weight = weigh(custodian, 3, 0)
        + weigh(period, 4, 0)
        + if begin_apart(person, a, b) { NEAR } else { 0 }
        + weigh(title, 3, -2)
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
    let named = title.agrees() || kind.agrees();
    let about = named || aimed;
    // A copy may carry some of the problems and goals only; that they share none is against it.
    let disjoint = addresses.differs() && goals.differs();
    let vouched = named && (custodian.agrees() || period == Agreement::Same);
    if disjoint && !vouched {
        return Sameness::Apart;
    }
    if period == Agreement::Silent && visit != Agreement::Same {
        // Last year's plan or this one: the only one, or it cannot be told; the name of a kind
        // (`Inpatient care plan`) tells none of them.
        let titled = |c: &Claim<'_>| !c.facts.text.is_empty();
        let alike = titled(a) && titled(b) && title.agrees();
        let strength = only_one(a, b);
        let kept_apart = actors(person, a, b, CONTRIBUTOR).differs();
        let of_kind = kind.agrees() && addresses == Agreement::Same;
        let copies = strength == ALONE_THAT_DAY && (alike && aimed || of_kind) && !kept_apart;
        let untitled = !titled(a) && !titled(b) && activities.agrees();
        let told = weight >= enough && (alike || untitled) && aimed;
        let likely = custodian.agrees() && about || told || copies || acts == Agreement::Same;
        return match likely && !title.differs() && follows(a) == follows(b) {
            true => Sameness::Same { rule: "care-plan-only", strength },
            false => Sameness::Apart,
        };
    }
    if weight < enough || !placed || disjoint {
        // Two that begin on one day and have something in common, and no other begins then.
        let common = custodian.agrees() || about;
        return match period.agrees() && common && !title.differs() {
            true => Sameness::Same { rule: "care-plan-day", strength: ALONE_THAT_DAY },
            false => Sameness::Apart,
        };
    }
    Sameness::Same { rule: rule(custodian, visit), strength: 40 + weight.unsigned_abs() }
}

fn rule(custodian: Agreement, visit: Agreement) -> &'static str {
    match (custodian.agrees(), visit == Agreement::Same) {
        (true, _) => "care-plan-custodian",
        (false, true) => "care-plan-visit",
        (false, false) => "care-plan-content",
    }
}

/// What they address, by reference or by name.
fn aimed_at(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    match parties(&addressed(person, a), &addressed(person, b)) {
        Agreement::Silent if named_alike(a, b, Role::Addresses) => Agreement::Same,
        found => found,
    }
}

/// The goals, by reference or by name.
fn goals(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    match references(person, a, b, Role::Goal) {
        Agreement::Silent if named_alike(a, b, Role::Goal) => Agreement::Same,
        found => found,
    }
}

/// What is to be done; a code and a text say nothing about each other.
fn details(a: &Facts, b: &Facts) -> Agreement {
    match a.codes == b.codes && !a.codes.is_empty() {
        true => Agreement::Same,
        false => match in_common(&a.codes, &b.codes) {
            Agreement::Differs => codings(&a.codes, &b.codes),
            found => found,
        },
    }
}

/// Whether it says which plan it replaces.
fn follows(claim: &Claim<'_>) -> bool {
    claim.facts.linked(Role::Replaces).next().is_some()
}

fn weigh(found: Agreement, agrees: i8, differs: i8) -> i8 {
    match found {
        Agreement::Same => agrees,
        Agreement::Close => agrees - 1,
        Agreement::Silent => 0,
        Agreement::Differs => differs,
    }
}

/// What all plans of a profile have as category, and SNOMED CT's code for a care plan.
const ANY_PLAN: [&str; 2] = ["assess-plan", "734163000"];

/// The categories but for those of any plan; categories of two systems, or a code and a text, say
/// nothing about each other.
fn kind(a: &Facts, b: &Facts) -> Agreement {
    let own = |facts: &Facts| -> Vec<Token> {
        facts.categories.iter().filter(|t| !ANY_PLAN.contains(&&*t.code)).cloned().collect()
    };
    let (a, b) = (own(a), own(b));
    match in_common(&a, &b) {
        Agreement::Differs => codings(&a, &b),
        found => found,
    }
}

/// What plans are called besides what they are about, stemmed.
const PLAIN: [&str; 9] = [
    "action",
    "car",
    "management",
    "plan",
    "program",
    "regim",
    "selfcar",
    "selfmanagement",
    "treatment",
];

/// What the plans are called. A plan without title is called by its categories, which may be put
/// in quite other words.
fn called(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    if !a.facts.text.is_empty() && !b.facts.text.is_empty() {
        return titles(&a.facts.text, &b.facts.text);
    }
    let names = |c: &Claim<'_>| match c.facts.text.is_empty() {
        true => peek::categories(c.body),
        false => vec![c.facts.text.to_string()],
    };
    let (x, y) = (names(a), names(b));
    let alike = x.iter().any(|x| y.iter().any(|y| titles(x, y).agrees()));
    if alike { Agreement::Close } else { Agreement::Silent }
}

/// Titles: an action plan and a care plan for asthma are called alike.
fn titles(a: &str, b: &str) -> Agreement {
    let found = texts(a, b);
    if found == Agreement::Silent || likeness(a, b) == Likeness::Contrary {
        return found;
    }
    let subject = |title: &str| -> BTreeSet<String> {
        let words = wording(title);
        words.words.iter().filter(|w| !PLAIN.contains(&w.as_str())).cloned().collect()
    };
    let (a, b) = (subject(a), subject(b));
    match (a == b, a.is_subset(&b) || b.is_subset(&a)) {
        // "Care plan" is said of any.
        (_, _) if a.is_empty() || b.is_empty() => Agreement::Silent,
        (_, _) if found.agrees() => found,
        (true, _) => Agreement::Close,
        (false, true) => Agreement::Silent,
        (false, false) => Agreement::Differs,
    }
}

/// The same if both begin on one day: how long a plan is meant to go on changes. A plan without
/// period began when it was made, or at the visit at which it was.
fn period(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let (x, y) = (a.facts.when, b.facts.when);
    let (from, other) = match (begin(person, a), begin(person, b)) {
        (Some(from), Some(other)) => (from, other),
        (None, None) => return scheduled(a, b),
        (_, _) => return spans(x, y),
    };
    match (from - other).get_days().abs() {
        0 => Agreement::Same,
        // The evening in one zone is the morning after in another.
        1 => match (Days { claims: (a, b), spans: (day(from), day(other)), look: peek::moment })
            .agreement()
        {
            Agreement::Same => Agreement::Same,
            _ => Agreement::Close,
        },
        days if days > NEXT_PLAN_DAYS && from.day() != 1 && other.day() != 1 => Agreement::Differs,
        _ => match spans(x, y) {
            Agreement::Differs => Agreement::Differs,
            _ => Agreement::Silent,
        },
    }
}

/// Plans that tell no time of their own are of the time for which their activities are scheduled.
fn scheduled(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let (x, y) = (peek::scheduled(a.body), peek::scheduled(b.body));
    let end = |of: &BTreeSet<(Date, Date)>| of.iter().map(|(_, end)| *end).max();
    let begin = |of: &BTreeSet<(Date, Date)>| of.first().map(|(begin, _)| *begin);
    let (Some(x_begin), Some(y_begin)) = (begin(&x), begin(&y)) else {
        return Agreement::Silent;
    };
    if end(&x) < Some(y_begin) || end(&y) < Some(x_begin) {
        return Agreement::Differs;
    }
    if x.is_disjoint(&y) { Agreement::Silent } else { Agreement::Close }
}

fn day(day: Date) -> Option<DateSpan> {
    Some(DateSpan { low: Some(day), high: Some(day) })
}

fn begin(person: &Person<'_>, claim: &Claim<'_>) -> Option<Date> {
    let facts = claim.facts;
    let stated = facts.when.filter(|w| w.low.is_some()).or(facts.authored);
    stated.or_else(|| visit_day(person, claim)).and_then(|span| span.low)
}

/// The day of the visit at which a plan was made; of a stay of several days it is not known.
fn visit_day(person: &Person<'_>, claim: &Claim<'_>) -> Option<DateSpan> {
    let mut visits = claim.facts.linked(Role::Encounter).filter_map(|target| match target {
        RefTarget::Record(key) => person.claims[person.claim_of(key)?].facts.when,
        _ => None,
    });
    visits.next().filter(|day| day.low.is_some() && day.low == day.high)
}

/// Whether the two begin some days apart, though not so many that they must be two.
fn begin_apart(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let begins = begin(person, a).zip(begin(person, b));
    begins.is_some_and(|(from, other)| (from - other).get_days().abs() > 1)
}

/// Whether the two are known to be plans of other times, or of another kind.
pub(super) fn another_plan(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    period(person, a, b).differs() || kind(a.facts, b.facts).differs()
}

/// Whether the two are known to have different custodians.
pub(super) fn other_custodian(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    custodian_agreement(person, a, b).differs()
}

/// Contributors: who had a part in a plan may be who keeps it, but need not.
const CONTRIBUTOR: Role = Role::Contributor;

/// How custodians compare; the author vouches for a plan without custodian, and a contributor
/// where there is neither.
pub(super) fn custodian_agreement(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let role = |c: &Claim<'_>| {
        let stated = [Role::Custodian, Role::Author].into_iter();
        // Who is only called by name is stated all the same.
        let is_stated =
            |r: &Role| !person.canons(c, *r).is_empty() || !peek::displays(c, *r).is_empty();
        stated.into_iter().find(is_stated).unwrap_or(CONTRIBUTOR)
    };
    let (x, y) = (role(a), role(b));
    if x != y || x == CONTRIBUTOR {
        return match actors_in(person, (a, x), (b, y)) {
            Agreement::Differs => Agreement::Silent,
            Agreement::Same if x == CONTRIBUTOR || y == CONTRIBUTOR => Agreement::Close,
            found => found,
        };
    }
    actors(person, a, b, role(a))
}

/// Both say who it is, and it is not known to be the same.
fn doubtful(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let called = |c: &Claim<'_>| !peek::displays(c, Role::Author).is_empty();
    let stated = |c: &Claim<'_>| !custodians(person, c).is_empty() || called(c);
    stated(a) && stated(b)
}

/// The custodian, else the author.
fn custodians(person: &Person<'_>, claim: &Claim<'_>) -> BTreeSet<Canon> {
    let stated = person.canons(claim, Role::Custodian);
    if stated.is_empty() { person.canons(claim, Role::Author) } else { stated }
}
