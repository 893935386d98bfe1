//! When two MedicationRequests are one prescription. A renewal is another one.
//! <https://hl7.org/fhir/R4/medicationrequest.html>

use crate::compare::{Likeness, same_drug};
use crate::flow::{RefTarget, Role};

use super::super::claim::Claim;
use super::super::person::Person;
use super::dosage::doses;
use super::evidence::{self, Agreement, actors, codings, mapped, names, names_agree, written};
use super::{ALONE_THAT_DAY, ONLY_IF_UNIQUE, Sameness};

/// The same drug prescribed on the same day by one who may be the same prescriber. Another dose
/// by an unknown prescriber is a disagreement to show.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = drug(person, a, b);
    let authored = written(a, b);
    let requester = actors(person, a, b, Role::Requester);
    let next_day = authored.differs() && evidence::authored(a, b).may_be_one();
    if !about.agrees() || authored.differs() && !next_day || requester.differs() {
        return Sameness::Apart;
    }
    let dose = doses(&a.facts.value, &b.facts.value);
    if next_day {
        // Nobody is prescribed the same twice within two days by one prescriber.
        return match requester.agrees() && !dose.differs() {
            true => Sameness::Same { rule: "prescription-next-day", strength: ALONE_THAT_DAY },
            false => Sameness::Apart,
        };
    }
    if !requester.agrees() && dose.differs() {
        return Sameness::Conflicting("dose-differs");
    }
    if !authored.agrees() && renew_one(person, a, b) {
        return Sameness::Same { rule: "prescription-renewal", strength: 40 };
    }
    if !authored.agrees() {
        // Which of several it is cannot be known; the only one there is it may well be.
        // Nobody is on one drug twice, so two that are both in force need say no more.
        let active = |c: &Claim<'_>| c.facts.status.as_deref() == Some("active");
        let in_force = active(a) && active(b);
        let supported = requester.agrees() || dose == Agreement::Same || in_force;
        let alike = renewed(a) == renewed(b) && a.facts.status == b.facts.status;
        return match supported && alike && !dose.differs() {
            true => Sameness::Same { rule: "prescription-drug-only", strength: ONLY_IF_UNIQUE },
            false => Sameness::Apart,
        };
    }
    let strength = 50
        + u8::from(authored == Agreement::Same)
        + u8::from(about == Agreement::Same) * 4
        + u8::from(requester.agrees()) * 3
        + u8::from(dose == Agreement::Same) * 2;
    Sameness::Same { rule: "prescription-drug-day", strength }
}

/// Whether both renew prescriptions of one drug and one day.
fn renew_one(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let renewed = |c: &Claim<'_>| {
        let mut records = c.facts.linked(Role::Replaces).filter_map(|target| match target {
            RefTarget::Record(key) => person.claim_of(key),
            _ => None,
        });
        records.next().map(|i| &person.claims[i])
    };
    renewed(a)
        .zip(renewed(b))
        .is_some_and(|(x, y)| written(x, y).agrees() && drug(person, x, y).agrees())
}

/// Whether it says which prescription it renews.
fn renewed(claim: &Claim<'_>) -> bool {
    claim.facts.linked(Role::Replaces).next().is_some()
}

/// The same drug: a code in common, else a row of the crosswalk, else names that say one drug.
/// RxNorm has codes for a drug, its brands and its packs; names that agree in ingredient,
/// strength and form outweigh that their codes are two.
pub(super) fn drug(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let alike = |x: &str, y: &str| match same_drug(x, y) {
        Some(_) => Likeness::Alike,
        None => Likeness::Unlike,
    };
    let strong = |x: &str, y: &str| same_drug(x, y) == Some(true);
    match codings(&a.facts.codes, &b.facts.codes) {
        Agreement::Differs => {
            let (x, y) = (names(a), names(b));
            let any = x.iter().any(|x| y.iter().any(|y| strong(x, y)));
            if any { Agreement::Close } else { Agreement::Differs }
        }
        Agreement::Silent if mapped(person, a, b) => Agreement::Close,
        Agreement::Silent => names_agree(a, b, alike),
        same => same,
    }
}
