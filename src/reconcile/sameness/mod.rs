//! Sameness: whether two claims of one type are about one thing. One file per type where the
//! rules differ; what holds for all stands here: the same record, the same business identifier,
//! and the contradictions across which nothing is merged.

mod amount;
mod appointment;
mod care_plan;
mod care_team;
mod clinical;
mod condition;
mod documents;
mod dosage;
mod encounter;
mod evidence;
mod goal;
mod medication_request;
mod medication_statement;
mod person_like;
mod problem;
mod service_request;
mod task;
mod text;
mod zones;

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::compare::wording;
use crate::flow::{ABOUT, Facts, Identifier, RefTarget, Role, about};

use super::claim::Claim;
use super::peek;
use super::person::Person;
use evidence::Agreement;

/// Whether two dosages, as facts have them, are known to be two.
pub(super) fn other_dose(a: &str, b: &str) -> bool {
    dosage::doses(a, b).differs()
}

/// What a comparison came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sameness {
    /// One thing, by this rule; greater strength is joined first.
    Same { rule: &'static str, strength: u8 },
    /// About related things that should agree and do not: shown as a conflict, never merged.
    Conflicting(&'static str),
    /// Nothing says that they are one thing.
    Apart,
}

/// Strength of level A: the same record.
const SAME_RECORD: u8 = 100;
/// Strength of level B: the same business identifier.
const IDENTIFIER: u8 = 90;
/// Strength of the same statement made twice by one endpoint.
const REPEATED: u8 = 80;

/// Strength of a pair that is one thing only if neither has another such partner: what would tell
/// several apart (the day) is not stated.
pub(super) const ONLY_IF_UNIQUE: u8 = 1;
/// Strength of a pair of one day that says too little else: one thing if neither endpoint has
/// another of that day.
pub(super) const ALONE_THAT_DAY: u8 = 2;

/// How sure it is that two without day, or one of which has none, are the only one there is: which
/// of several it is cannot be known. Where neither tells a day, all copies can be one; where one
/// does, it must be the only one.
pub(super) fn only_one(a: &Claim<'_>, b: &Claim<'_>) -> u8 {
    if is_dated(a) || is_dated(b) { ONLY_IF_UNIQUE } else { ALONE_THAT_DAY }
}

/// Whether a claim says anything of its time.
pub(super) fn is_dated(claim: &Claim<'_>) -> bool {
    let facts = claim.facts;
    let due = || facts.targets.iter().any(|target| target.due.is_some());
    facts.authored.is_some() || facts.when.is_some() || due()
}

/// A key under which claims are compared. It is neither stored nor trusted: two that fall
/// together are compared in vain.
pub(super) type Bucket = u64;

fn bucket(parts: &[&str]) -> Bucket {
    // Of fixed keys, unlike that of a `HashMap`: the same in every process.
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish()
}

/// The keys under which a claim is compared with others of its type.
pub(super) fn buckets(
    person: &Person<'_>,
    claim: &Claim<'_>,
    with_origin: bool,
    url: Option<String>,
) -> Vec<Bucket> {
    let facts = claim.facts;
    let mut keys = Vec::new();
    let mut add = |parts: &[&str]| keys.push(bucket(parts));
    if with_origin {
        for address in url.as_deref().into_iter().chain(claim.origin.as_deref()) {
            add(&["address", address]);
        }
        add(&["address", &about(claim.key().resource_type, claim.id)]);
    }
    for id in facts.identifiers.iter().filter(|id| !id.system.is_empty()) {
        add(&["identifier", &id.system, &id.value]);
    }
    match claim.key().resource_type.name() {
        "Observation" => clinical::observation_buckets(person, claim, &mut add),
        "Procedure" | "DiagnosticReport" | "Immunization" | "RiskAssessment" => {
            clinical::dated_buckets(person, claim, &mut add);
        }
        "Encounter" => day_buckets(claim, &mut add),
        "Appointment" => {
            day_buckets(claim, &mut add);
            word_buckets(claim, &mut add);
        }
        // There are few of these, and they may agree in what no key shows (focus, custodian).
        "CarePlan" | "CareTeam" | "Task" | "Coverage" | "Consent" | "EpisodeOfCare"
        | "RelatedPerson" => {
            add(&["all"]);
            day_buckets(claim, &mut add);
            word_buckets(claim, &mut add);
        }
        "DocumentReference" if !facts.value.is_empty() => add(&["content", &facts.value]),
        _ => {
            for code in evidence::known_as(person, claim) {
                add(&["code", &code.system, &code.code]);
            }
            word_buckets(claim, &mut add);
            day_buckets(claim, &mut add);
        }
    }
    keys
}

fn word_buckets(claim: &Claim<'_>, add: &mut dyn FnMut(&[&str])) {
    let texts = evidence::names(claim).into_iter().chain([&*claim.facts.title]);
    for text in texts.filter(|t| !t.is_empty()) {
        add(&["text", text]);
        // Words begin alike in all their forms (walk, walking).
        for word in wording(text).words.iter().filter(|w| w.chars().count() >= 3) {
            add(&["word", word.get(..6).unwrap_or(word)]);
        }
    }
}

fn day_buckets(claim: &Claim<'_>, add: &mut dyn FnMut(&[&str])) {
    for day in [claim.facts.when, claim.facts.authored].into_iter().flatten() {
        if let Some(day) = day.low {
            add(&["day", &day.to_string()]);
        }
    }
}

/// Compares two claims of one type: the ladder from the top.
pub(super) fn compare(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    if same_record(person, a, b) {
        return Sameness::Same { rule: "same-record", strength: SAME_RECORD };
    }
    if same_business_identifier(person, a, b) {
        return Sameness::Same { rule: "identifier", strength: IDENTIFIER };
    }
    if a.endpoint() == b.endpoint() {
        return match repeated(a, b) {
            true => Sameness::Same { rule: "repeated", strength: REPEATED },
            false => Sameness::Apart,
        };
    }
    same_fact(person, a, b)
}

/// Whether something forbids that two claims are one thing, whatever else joins them.
pub(super) fn contradict(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let (x, y) = (a.facts, b.facts);
    let kind = a.key().resource_type.name();
    if same_record(person, a, b) {
        return false;
    }
    let one_endpoint = a.endpoint() == b.endpoint()
        && !same_business_identifier(person, a, b)
        && !repeated(a, b)
        && !both_about_others(a, b);
    let intents = matches!(kind, "ServiceRequest" | "MedicationRequest" | "CarePlan")
        && x.intent.is_some()
        && y.intent.is_some()
        && x.intent != y.intent;
    one_endpoint
        || intents
        || x.modifiers != y.modifiers
        || succeed(a, b)
        || evidence::sides(a, b).differs()
        || match kind {
            "CareTeam" => care_plan::other_custodian(person, a, b),
            "CarePlan" => {
                care_plan::other_custodian(person, a, b)
                    || care_plan::another_plan(person, a, b)
                        && !same_business_identifier(person, a, b)
            }
            "Goal" => for_another(person, a, b),
            "ServiceRequest" => for_another(person, a, b) || written_apart(person, a, b),
            "MedicationRequest" => written_apart(person, a, b),
            // A task that has been given to another keeps its number.
            "Task" => {
                task::other_owner(person, a, b) && !same_business_identifier(person, a, b)
                    || written_apart(person, a, b)
            }
            // A text that fits two codes does not make them one.
            "Condition" => {
                condition::one_refuted(a, b)
                    || condition::other_code(a, b)
                    || condition::came_back(a, b) && !same_business_identifier(person, a, b)
            }
            "AllergyIntolerance" => condition::one_refuted(a, b),
            _ => false,
        }
}

/// For other problems, and no identifier says otherwise.
fn for_another(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    problem::problems(person, a, b) == problem::Problems::Different
        && !same_business_identifier(person, a, b)
}

/// Written on other days: a third that tells no day does not make one of them. Days next to each
/// other may be one of two zones.
fn written_apart(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    evidence::written(a, b).differs()
        && !evidence::authored(a, b).may_be_one()
        && !same_business_identifier(person, a, b)
}

/// A client's claims about two records that turn out to be one are one claim, not two things.
fn both_about_others(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    [a, b].iter().all(|c| c.origin.as_deref().is_some_and(|o| o.starts_with(ABOUT)))
}

/// Level A: one has it from the other or is a client's claim about it, or both have it from the
/// same third.
fn same_record(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    if a.origin.is_none() && b.origin.is_none() {
        return false;
    }
    let named = |url: &str| {
        // An address that does not end in this type's name and an id names no record.
        let kind = a.key().resource_type.name();
        url.rsplit('/').nth(1) == Some(kind) && !url.contains('#')
    };
    let from = |x: &Claim<'_>, y: &Claim<'_>| {
        x.origin.as_deref().is_some_and(|o| match o.starts_with(ABOUT) {
            true => about(y.key().resource_type, y.id) == o,
            false => person.url(y.key()).as_deref() == Some(o),
        })
    };
    let shared = a.origin.is_some() && a.origin == b.origin && a.endpoint() != b.endpoint();
    from(a, b) || from(b, a) || (shared && a.origin.as_deref().is_some_and(named))
}

/// Level B: an identifier in common, with system, of compatible kind, and about one concept.
fn same_business_identifier(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let shared = a
        .facts
        .identifiers
        .iter()
        .any(|x| b.facts.identifiers.iter().any(|y| same_identifier(x, y)));
    if !shared || of_other_things(a, b) {
        return false;
    }
    // Within one endpoint a shared identifier may be a number of the group it belongs to.
    a.endpoint() != b.endpoint() || evidence::concept(person, a, b) == Agreement::Same
}

/// Whether they are coded differently in one system, or say contrary things. That they put it in
/// other words is no reason to doubt a number that both have.
fn of_other_things(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let (x, y) = (a.facts, b.facts);
    let plan = matches!(a.key().resource_type.name(), "CarePlan" | "CareTeam");
    let codes = !plan && evidence::codings(&x.codes, &y.codes).differs();
    let only_words = |f: &Facts| plan || f.codes.iter().all(|t| t.system.is_empty());
    let nothing_shared = only_words(x)
        && only_words(y)
        && evidence::texts(&x.text, &y.text).differs()
        && wording(&x.text).words.is_disjoint(&wording(&y.text).words);
    codes || nothing_shared
}

fn same_identifier(a: &Identifier, b: &Identifier) -> bool {
    let order_kind = |i: &Identifier| matches!(&*i.kind, "PLAC" | "FILL");
    let kinds_clash = order_kind(a) && order_kind(b) && a.kind != b.kind;
    crate::compare::same_identifier(a, b) && !kinds_clash
}

/// The same statement by one endpoint under two ids (a Goal contained in two plans).
fn repeated(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    a.endpoint() == b.endpoint() && a.facts == b.facts && peek::same_but_for_id(a.body, b.body)
}

/// basedOn, partOf and replaces relate two things; they are therefore two.
fn succeed(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let names = |x: &Claim<'_>, y: &Claim<'_>| {
        [Role::BasedOn, Role::PartOf, Role::Replaces].into_iter().any(|role| {
            x.facts.linked(role).any(|t| matches!(t, RefTarget::Record(k) if k == y.key()))
        })
    };
    names(a, b) || names(b, a)
}

/// Level C, per type.
fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    match a.key().resource_type.name() {
        "CarePlan" => care_plan::same_fact(person, a, b),
        "CareTeam" => care_team::same_fact(person, a, b),
        "Goal" => goal::same_fact(person, a, b),
        "ServiceRequest" => service_request::same_fact(person, a, b),
        "Task" => task::same_fact(person, a, b),
        "MedicationRequest" => medication_request::same_fact(person, a, b),
        "MedicationStatement" => medication_statement::same_fact(person, a, b),
        "Appointment" => appointment::same_fact(person, a, b),
        "Condition" => condition::same_fact(person, a, b),
        "AllergyIntolerance" => condition::same_allergy(person, a, b),
        "Observation" => clinical::same_observation(person, a, b),
        "Immunization" => clinical::same_immunization(person, a, b),
        "Procedure" | "DiagnosticReport" => clinical::same_act(person, a, b),
        "RiskAssessment" => clinical::same_risk(person, a, b),
        "Encounter" => encounter::same_fact(person, a, b),
        "EpisodeOfCare" => encounter::same_episode(person, a, b),
        "DocumentReference" => documents::same_document(person, a, b),
        "QuestionnaireResponse" => documents::same_answers(a, b),
        "Consent" => documents::same_consent(person, a, b),
        "Coverage" => documents::same_coverage(a, b),
        "RelatedPerson" => person_like::same_related_person(person, a, b),
        _ => Sameness::Apart,
    }
}
