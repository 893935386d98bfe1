//! When two Encounters are one visit, and two EpisodesOfCare one episode.
//! <https://hl7.org/fhir/R4/encounter.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, actors, concept, in_common, moments, spans};

/// The same class and type over the same period at the same place.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let class = in_common(&a.facts.categories, &b.facts.categories);
    let place = actors(person, a, b, Role::Custodian);
    let contradicted = about.differs() || class.differs() || place.differs();
    let described = about.agrees() || class == Agreement::Same;
    if contradicted || !described || spans(a.facts.when, b.facts.when) != Agreement::Same {
        return Sameness::Apart;
    }
    // Nobody stays at two places over the same nights.
    let stay = a.facts.when.is_some_and(|w| w.low.is_some() && w.high.is_some() && w.low != w.high);
    // Two visits of one day are told apart by the hour, if both say it.
    match (moments(a, b), place) {
        (Agreement::Same, _) => Sameness::Same { rule: "visit-class-period", strength: 55 },
        (Agreement::Close | Agreement::Silent, _) if place.agrees() || about.agrees() || stay => {
            Sameness::Same { rule: "visit-class-day-place", strength: 50 }
        }
        _ => Sameness::Apart,
    }
}

/// The same kind of episode over the same period under the same organization.
pub(super) fn same_episode(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = actors(person, a, b, Role::Custodian);
    let begins = |c: &Claim<'_>| c.facts.when.and_then(|w| w.low);
    let begin = begins(a).is_some() && begins(a) == begins(b);
    let period = spans(a.facts.when, b.facts.when);
    let known = begin && !custodian.differs() || custodian.agrees();
    if concept(person, a, b).agrees() && known && period.agrees() {
        return Sameness::Same { rule: "episode-type-period", strength: 50 };
    }
    Sameness::Apart
}
