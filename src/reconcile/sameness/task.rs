//! When two Tasks are one task.
//! <https://hl7.org/fhir/R4/task.html>

use crate::compare::{clinical_text, says_more};
use crate::flow::Role;

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::{Canon, Person};
use super::evidence::{self, Agreement, actors, concept, names, references, texts, written};
use super::{ALONE_THAT_DAY, Sameness, contradict, only_one};

/// The same thing to be done for the same focus by one who may be the same owner; without a
/// focus, the same thing asked for on the same day.
pub(super) fn same_fact(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Sameness {
    let focus = focus(person, a, b);
    let owner = actors(person, a, b, Role::Performer);
    let requester = actors(person, a, b, Role::Requester);
    let part_of = references(person, a, b, Role::PartOf);
    let authored = written(a, b);
    let next_day = authored.differs() && evidence::authored(a, b).may_be_one();
    let about = thing_to_do(person, a, b);
    let contradicted = [focus, owner, requester, part_of, about].into_iter().any(|e| e.differs());
    if contradicted || authored.differs() && !next_day {
        return Sameness::Apart;
    }
    // A focus that is only named says which it is among what was asked for that day.
    let focus = match focus {
        Agreement::Silent if named_focus(person, a, b) && (authored.agrees() || next_day) => {
            Agreement::Same
        }
        found => found,
    };
    // One that is part of another task is a child; its parent is not. A copy may have lost that.
    let child = |c: &Claim<'_>| c.facts.linked(Role::PartOf).next().is_some();
    let related_alike = child(a) == child(b);
    if next_day {
        let one = related_alike && about.agrees() && (owner.agrees() || requester.agrees());
        return match one && (focus == Agreement::Same || !on_focus(a)) {
            true => Sameness::Same { rule: "task-next-day", strength: ALONE_THAT_DAY },
            false => Sameness::Apart,
        };
    }
    let described = about.agrees() && authored.agrees();
    let enough = match focus == Agreement::Same {
        true => related_alike && (about.agrees() || owner.agrees()) || described,
        false => related_alike && described,
    };
    if !enough {
        // What is said of it in so many words, or from whom to whom it is, or when it is to be
        // done, is said of this task, if there is but one.
        let told = texts(&a.facts.title, &b.facts.title).agrees()
            || owner.agrees() && requester.agrees()
            || one_time(a, b);
        return match told && about.agrees() && related_alike {
            true => Sameness::Same { rule: "task-only", strength: only_one(a, b) },
            false => Sameness::Apart,
        };
    }
    // "Fulfil the request" says nothing where it is open of which request.
    let open = on_focus(a) || on_focus(b);
    let told = texts(&a.facts.title, &b.facts.title).agrees();
    let asked = focus == Agreement::Same && requester.agrees();
    if open && !told && !asked {
        let parties = owner.agrees() || requester.agrees();
        return match focus == Agreement::Same || parties {
            true => Sameness::Same { rule: "task-only-that-day", strength: ALONE_THAT_DAY },
            false => Sameness::Apart,
        };
    }
    let strength = 40
        + u8::from(focus == Agreement::Same) * 6
        + u8::from(about == Agreement::Same) * 2
        + u8::from(owner.agrees()) * 4
        + u8::from(requester.agrees()) * 2
        + u8::from(authored.agrees()) * 4
        + u8::from(related_alike) * 2;
    let rule = if focus == Agreement::Same { "task-focus-owner-code" } else { "task-code-day" };
    Sameness::Same { rule, strength }
}

/// Whether both tell when it is to be done, and that is the same from beginning to end.
pub(super) fn one_time(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    a.facts.when.is_some_and(|when| when.low.is_some() && when.high.is_some())
        && a.facts.when == b.facts.when
}

/// The codes that say what is to be done with the focus, and not what that is.
const ON_FOCUS: &str = "http://hl7.org/fhir/codesystem/task-code";

fn on_focus(claim: &Claim<'_>) -> bool {
    claim.facts.codes.iter().any(|code| code.system.eq_ignore_ascii_case(ON_FOCUS))
}

/// The code, and the description: a general code (fulfil) is said of many things, so the words
/// of both must not be of different things.
fn thing_to_do(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let about = concept(person, a, b);
    let described = texts(&a.facts.title, &b.facts.title);
    let told = |c: &Claim<'_>| c.facts.codes.iter().any(|t| !t.system.is_empty());
    match (about, described) {
        // Of two that are in words only, one may say it more closely.
        (Agreement::Differs, Agreement::Silent | Agreement::Same | Agreement::Close)
            if !told(a)
                && !told(b)
                && written(a, b).agrees()
                && says_more(&a.facts.text, &b.facts.text) =>
        {
            Agreement::Close
        }
        (Agreement::Differs, _) => Agreement::Differs,
        (_, Agreement::Differs) => Agreement::Differs,
        (Agreement::Silent, _) if named_in(a, b) || named_in(b, a) => Agreement::Close,
        (Agreement::Silent, found) => found,
        (found, _) => found,
    }
}

/// The focus. That two orders were not found to be one is no proof that they are two: they are
/// two if an endpoint has both, or if they contradict each other.
fn focus(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let found = references(person, a, b, Role::Focus);
    if !found.differs() {
        return found;
    }
    let (x, y) = (person.canons(a, Role::Focus), person.canons(b, Role::Focus));
    let proven = x.iter().all(|x| y.iter().all(|y| are_two_groups(person, x, y)));
    if proven { Agreement::Differs } else { Agreement::Silent }
}

/// Whether what the two are to be done with is called alike, where one only names it.
fn named_focus(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let (x, y) = (peek::displays(a, Role::Focus), peek::displays(b, Role::Focus));
    if x.is_empty() && y.is_empty() {
        return false;
    }
    let called = |claim: &Claim<'_>, named: Vec<String>| -> Vec<Box<str>> {
        let canons = person.canons(claim, Role::Focus);
        let groups = canons.iter().filter_map(|canon| match canon {
            Canon::Group(group) => Some(&person.groups[*group]),
            _ => None,
        });
        let of_groups = groups
            .flat_map(|group| &group.members)
            .flat_map(|(member, _)| names(&person.claims[*member]).into_iter().map(Into::into));
        named.iter().map(|name| clinical_text(name)).chain(of_groups).collect()
    };
    let (x, y) = (called(a, x), called(b, y));
    x.iter().any(|x| y.iter().any(|y| texts(x, y).agrees()))
}

fn are_two_groups(person: &Person<'_>, x: &Canon, y: &Canon) -> bool {
    let (Canon::Group(x), Canon::Group(y)) = (x, y) else { return true };
    let (x, y) = (&person.groups[*x], &person.groups[*y]);
    let claims = |i: &(usize, &'static str)| &person.claims[i.0];
    x.resource_type != y.resource_type
        || x.members.iter().map(claims).any(|a| {
            let mut others = y.members.iter().map(claims);
            others.any(|b| contradict(person, a, b) || !concept(person, a, b).agrees())
        })
}

/// Whether the one's code is called what the other is described as.
fn named_in(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    names(a).into_iter().any(|name| texts(name, &b.facts.title).agrees())
}

/// Whether the two are known to have different owners.
pub(super) fn other_owner(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    actors(person, a, b, Role::Performer).differs()
}
