//! When two Encounters are one visit, and two EpisodesOfCare one episode.
//! <https://hl7.org/fhir/R4/encounter.html>

use crate::flow::Role;

use super::super::claim::Claim;
use super::super::person::Person;
use super::Sameness;
use super::evidence::{Agreement, concept, in_common, moments, references, spans};

/// The same class and type over the same period at the same place.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let about = concept(person, a, b);
    let class = in_common(&a.facts.categories, &b.facts.categories);
    let place = references(person, a, b, Role::Custodian);
    let contradicted = about.differs() || class.differs() || place.differs();
    let described = about.agrees() || class == Agreement::Same;
    if contradicted || !described || spans(a.facts.when, b.facts.when) != Agreement::Same {
        return Sameness::Apart;
    }
    // Two visits of one day are told apart by the hour, if both say it.
    match (moments(a, b), place) {
        (Agreement::Same, _) => Sameness::Same { rule: "visit-class-period", strength: 55 },
        (Agreement::Close | Agreement::Silent, Agreement::Same) => {
            Sameness::Same { rule: "visit-class-day-place", strength: 50 }
        }
        _ => Sameness::Apart,
    }
}

/// The same kind of episode over the same period under the same organization.
pub(super) fn same_episode(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let custodian = references(person, a, b, Role::Custodian);
    let period = spans(a.facts.when, b.facts.when);
    if concept(person, a, b).agrees() && custodian == Agreement::Same && period.agrees() {
        return Sameness::Same { rule: "episode-type-period", strength: 50 };
    }
    Sameness::Apart
}
