//! When two ServiceRequests are one order.
//! <https://hl7.org/fhir/R4/servicerequest.html>

use crate::compare::says_more;
use crate::flow::{RefTarget, Role};

use super::super::claim::Claim;
use super::super::person::Person;
use super::evidence::{
    self, Agreement, actors, began, body_sites, codings, concept, sides, texts, written,
};
use super::problem::{Problems, problems};
use super::task::one_time;
use super::{ALONE_THAT_DAY, Sameness, is_dated, only_one};

/// The same service ordered on the same day, with nothing against it: another requester, another
/// reason, another site. Without the day the requester and something else must speak for it. The
/// same service at another time is another order, and so is one made for another.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = match concept(person, a, b) {
        Agreement::Differs if described_closer(person, a, b) => Agreement::Close,
        found => found,
    };
    if !about.agrees() || passed_on(a) != passed_on(b) {
        return Sameness::Apart;
    }
    let authored = written(a, b);
    let next_day = authored.differs() && evidence::authored(a, b).may_be_one();
    let occurrence = match began(a, b).agreement() {
        Agreement::Differs if began(a, b).may_be_one() => Agreement::Silent,
        found => found,
    };
    let requester = actors(person, a, b, Role::Requester);
    let reason = problems(person, a, b);
    let contradicted = authored.differs() && !next_day
        || occurrence.differs()
        || requester.differs()
        || body_sites(a, b).differs()
        || reason == Problems::Different;
    if contradicted {
        return Sameness::Apart;
    }
    if next_day {
        return match requester.agrees() {
            true => Sameness::Same { rule: "order-next-day", strength: ALONE_THAT_DAY },
            false => Sameness::Apart,
        };
    }
    let performer = actors(person, a, b, Role::Performer);
    let support = [occurrence.agrees(), reason.agree(), performer.agrees()];
    let support = support.into_iter().filter(|s| *s).count();
    let enough = match (authored.agrees(), requester.agrees()) {
        (true, _) => true,
        (false, true) => support >= 1,
        (false, false) => occurrence == Agreement::Same && (reason.agree() || one_time(a, b)),
    };
    if !enough {
        // Which of several it is cannot be known; the only one there is it may well be.
        let strength = only_one(a, b);
        let told = requester.agrees() || reason.agree() || occurrence == Agreement::Same;
        let undated = !is_dated(a) || !is_dated(b);
        return match undated && told || strength == ALONE_THAT_DAY {
            true => Sameness::Same { rule: "order-only", strength },
            false => Sameness::Apart,
        };
    }
    let strength = 44
        + u8::from(about == Agreement::Same) * 6
        + u8::from(texts(&a.facts.text, &b.facts.text).agrees()) * 2
        + u8::from(authored.agrees()) * 3
        + u8::from(authored == Agreement::Same)
        + u8::from(requester.agrees()) * 4
        + support as u8;
    Sameness::Same { rule: "order-code-day-requester", strength }
}

/// Whether one names the service more closely, and day and requester are the same.
fn described_closer(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    !codings(&a.facts.codes, &b.facts.codes).differs()
        && !sides(a, b).differs()
        && says_more(&a.facts.text, &b.facts.text)
        && written(a, b).agrees()
        && actors(person, a, b, Role::Requester).agrees()
}

/// Whether it was made for another order (a sub-referral); what is based on a plan was not.
fn passed_on(claim: &Claim<'_>) -> bool {
    claim.facts.linked(Role::BasedOn).any(|target| match target {
        RefTarget::Record(key) => key.resource_type.name() == "ServiceRequest",
        RefTarget::Identified { resource_type, .. } => {
            resource_type.is_some_and(|t| t.name() == "ServiceRequest")
        }
        RefTarget::External(url) => url.contains("/ServiceRequest/"),
        RefTarget::Dangling(_) => false,
    })
}
