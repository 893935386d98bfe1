//! Evidence: how two claims compare in one respect. What one of them does not state is neutral.

use std::collections::BTreeSet;

use crate::flow::{DateSpan, Role, Token};

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::{Canon, Person};
use super::text;

/// How two claims compare in one respect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Agreement {
    /// They say the same.
    Same,
    /// They say nearly the same, or are compatible.
    Close,
    /// One of them says nothing.
    Silent,
    /// They say different things.
    Differs,
}

use Agreement::{Close, Differs, Same, Silent};

impl Agreement {
    pub(super) fn agrees(self) -> bool {
        matches!(self, Same | Close)
    }

    pub(super) fn differs(self) -> bool {
        self == Differs
    }
}

/// Whether they are about the same concept: a coding in common, else the text. The codes of a
/// plan are those of its activities and the codes of a team its roles, so their names decide.
pub(super) fn concept(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    if matches!(a.key().resource_type.name(), "CarePlan" | "CareTeam") {
        return texts(person, &a.facts.text, &b.facts.text);
    }
    match codings(&a.facts.codes, &b.facts.codes) {
        decided @ (Same | Close | Differs) => decided,
        Silent => texts(person, &a.facts.text, &b.facts.text),
    }
}

/// Codings alone: different codes of one system are different concepts.
pub(super) fn codings(a: &[Token], b: &[Token]) -> Agreement {
    let mut one_system = false;
    for x in a.iter().filter(|t| !t.system.is_empty()) {
        for y in b.iter().filter(|t| t.system == x.system) {
            if x.code == y.code {
                return Same;
            }
            one_system = true;
        }
    }
    if one_system { Differs } else { Silent }
}

/// Whether two lists of tokens (categories) have one in common; texts count as well.
pub(super) fn in_common(a: &[Token], b: &[Token]) -> Agreement {
    match (a.is_empty() || b.is_empty(), a.iter().any(|t| b.contains(t))) {
        (true, _) => Silent,
        (false, true) => Same,
        (false, false) => Differs,
    }
}

/// Two normalised texts.
pub(super) fn texts(person: &Person<'_>, a: &str, b: &str) -> Agreement {
    if a.is_empty() || b.is_empty() {
        return Silent;
    }
    if a == b {
        return Same;
    }
    if text::similarity(a, b) >= person.policy.text_similarity() { Close } else { Differs }
}

/// Two normalised values.
pub(super) fn values(a: &str, b: &str) -> Agreement {
    match (a.is_empty() || b.is_empty(), a == b) {
        (true, _) => Silent,
        (false, true) => Same,
        (false, false) => Differs,
    }
}

/// One named part of two composite values (`site=…; severity=…`).
pub(super) fn part(a: &str, b: &str, name: &str) -> Agreement {
    let of = |value: &str| {
        let parts = value.split("; ").filter_map(|p| p.split_once('='));
        let found: Vec<String> = parts.filter(|p| p.0 == name).map(|p| p.1.to_owned()).collect();
        found.join(", ")
    };
    values(&of(a), &of(b))
}

/// Two spans of days.
pub(super) fn spans(a: Option<DateSpan>, b: Option<DateSpan>) -> Agreement {
    match (a, b) {
        (Some(a), Some(b)) if a == b => Same,
        (Some(a), Some(b)) if a.overlaps(&b) => Close,
        (Some(_), Some(_)) => Differs,
        _ => Silent,
    }
}

/// The references of a role: one in common is the same; two that are known to be different
/// things differ; what is not known to be different is neutral.
pub(super) fn references(
    person: &Person<'_>,
    a: &Claim<'_>,
    b: &Claim<'_>,
    role: Role,
) -> Agreement {
    parties(&person.canons(a, role), &person.canons(b, role))
}

/// See [`references`].
pub(super) fn parties(a: &BTreeSet<Canon>, b: &BTreeSet<Canon>) -> Agreement {
    if a.is_empty() || b.is_empty() {
        return Silent;
    }
    if !a.is_disjoint(b) {
        return Same;
    }
    let known = |c: &Canon| matches!(c, Canon::Group(_) | Canon::Directory(_));
    if a.iter().chain(b).all(known) { Differs } else { Silent }
}

/// The moment of an observation or act, looked up in the bodies: equal instants if both state
/// a time, else a day in common.
pub(super) fn moments(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let Some(((a, a_timed), (b, b_timed))) = peek::moment(a.body).zip(peek::moment(b.body)) else {
        return Silent;
    };
    let same_day = a.first_day <= b.last_day && b.first_day <= a.last_day;
    match (a_timed && b_timed, same_day) {
        (true, _) => {
            if a.from < b.until && b.from < a.until {
                Same
            } else {
                Differs
            }
        }
        (false, true) => Close,
        (false, false) => Differs,
    }
}
