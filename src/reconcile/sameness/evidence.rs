//! Evidence: how two claims compare in one respect. What one of them does not state is neutral.

use std::collections::BTreeSet;

use crate::compare::{Likeness, likeness, likeness_but_for_sides, wording};
use crate::flow::{DateSpan, Role, Token};

use super::super::claim::Claim;
use super::super::peek;
use super::super::person::{Canon, Person};
use super::zones::Days;

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

/// Whether they are about the same concept: a coding in common, else what the crosswalk knows,
/// else their names. The codes of a plan are those of its activities and the codes of a team its
/// roles, so their names decide.
pub(super) fn concept(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let (x, y) = (a.facts, b.facts);
    match a.key().resource_type.name() {
        "CarePlan" | "CareTeam" => return texts(&x.text, &y.text),
        _ if sides(a, b).differs() => return Differs,
        _ => {}
    }
    match codings(&x.codes, &y.codes) {
        // One code with another amount in the words (walk 30 minutes, walk 60 minutes).
        Same if other_amounts(&x.text, &y.text) => Differs,
        // One code that names no more than a kind of act, and the words say of what.
        Same if names_other_acts(a, b) => Differs,
        decided @ (Same | Close | Differs) => decided,
        Silent if mapped(person, a, b) => Close,
        Silent => names_agree(a, b, likeness_but_for_sides),
    }
}

/// The codes of a claim and those that the crosswalk has for them and for its names.
pub(super) fn known_as<'a>(person: &Person<'a>, claim: &Claim<'a>) -> BTreeSet<&'a Token> {
    let crosswalk = person.policy.crosswalk();
    let own = coded(&claim.facts.codes);
    let mapped = coded(&claim.facts.codes).flat_map(|code| crosswalk.equivalents(code));
    let named = names(claim).into_iter().flat_map(|name| crosswalk.named(name));
    own.chain(mapped).chain(named).collect()
}

/// Whether the crosswalk has a row for a code of the one and a code, or a name, of the other.
pub(super) fn mapped(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let crosswalk = person.policy.crosswalk();
    let leads = |x: &Claim<'_>, y: &Claim<'_>| {
        let (codes, names) = (coded(&x.facts.codes), names(x));
        let known = codes
            .flat_map(|code| crosswalk.equivalents(code))
            .chain(names.into_iter().flat_map(|name| crosswalk.named(name)));
        let theirs: Vec<&Token> = coded(&y.facts.codes).collect();
        known.into_iter().any(|code| theirs.contains(&code))
    };
    leads(a, b) || leads(b, a)
}

/// The codes with their system.
fn coded(tokens: &[Token]) -> impl Iterator<Item = &Token> {
    tokens.iter().filter(|t| !t.system.is_empty())
}

/// All that a claim's concept is called.
pub(super) fn names<'a>(claim: &Claim<'a>) -> Vec<&'a str> {
    let facts = claim.facts;
    let tokens = facts.codes.iter().filter(|t| t.system.is_empty()).map(|t| &*t.code);
    let mut names: Vec<&str> = tokens.chain([&*facts.text]).filter(|n| !n.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Whether any two of their names are alike, and what was said in so many words is not contrary.
pub(super) fn names_agree(
    a: &Claim<'_>,
    b: &Claim<'_>,
    alike: impl Fn(&str, &str) -> Likeness,
) -> Agreement {
    let (x, y) = (names(a), names(b));
    if x.is_empty() || y.is_empty() {
        return Silent;
    }
    if a.facts.text == b.facts.text && !a.facts.text.is_empty() {
        return Same;
    }
    if alike(&a.facts.text, &b.facts.text) == Likeness::Contrary {
        return Differs;
    }
    let any = x.iter().any(|x| y.iter().any(|y| alike(x, y) == Likeness::Alike));
    if any { Close } else { Differs }
}

/// What acts are called besides what they are about, stemmed: of `assessment using assessment
/// scale`, `patient referral to specialist` or `screening for disorder` there are many at a time.
#[rustfmt::skip]
const ACTS: [&str; 23] = [
    "act", "administration", "assessment", "car", "consultation", "counsel", "education",
    "follow", "instruction", "intervention", "management", "monitor", "program", "referral",
    "regim", "scal", "screen", "servic", "specialist", "therapy", "up", "using", "visit",
];

/// Whether both say more than what their code is called, and it is not the same.
fn names_other_acts(a: &Claim<'_>, b: &Claim<'_>) -> bool {
    let (x, y) = (&a.facts.text, &b.facts.text);
    if x == y || x.is_empty() || y.is_empty() {
        return false;
    }
    let of_any = |name: &str| {
        let words = &wording(name).words;
        !words.is_empty() && words.iter().all(|word| ACTS.contains(&word.as_str()))
    };
    let mut called = names(a).into_iter().chain(names(b));
    called.any(of_any) && !of_any(x) && !of_any(y) && texts(x, y).differs()
}

fn other_amounts(a: &str, b: &str) -> bool {
    let counts = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
    if a == b || !counts(a) || !counts(b) {
        return false;
    }
    let (x, y) = (wording(a), wording(b));
    !x.amounts.is_empty() && !y.amounts.is_empty() && x.amounts.is_disjoint(&y.amounts)
}

/// Left, right or both: in the names, or as the body site. Where only the one says it, that is
/// as good as another side unless the codes say that it is the same.
pub(super) fn sides(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    // Most claims name no side; reading them all again would cost more than the rest.
    let silent = |c: &Claim<'_>| sides_of(c).is_empty();
    if silent(a) && silent(b) {
        return Silent;
    }
    match (sides_of(a), sides_of(b)) {
        (x, y) if x == y => Same,
        (x, y) if x.is_empty() || y.is_empty() => {
            if codings(&a.facts.codes, &b.facts.codes) == Same { Silent } else { Differs }
        }
        _ => Differs,
    }
}

/// SNOMED CT: the qualifiers of side, and the sides of what is most often left or right.
#[rustfmt::skip]
const SIDE_CODES: [(&str, &str); 16] = [
    ("7771000", "left"), ("24028007", "right"), ("51440002", "both"), ("82169009", "left"),
    ("6757004", "right"), ("1290031003", "left"), ("1290032005", "right"), ("8966001", "left"),
    ("18944008", "right"), ("62175007", "left"), ("29849008", "right"), ("80248007", "left"),
    ("73056007", "right"), ("90069004", "left"), ("25990002", "right"), ("12611008", "both"),
];

fn sides_of(claim: &Claim<'_>) -> BTreeSet<&'static str> {
    const WORDS: [(&str, &str); 3] = [("left", "left"), ("right", "right"), ("bilateral", "both")];
    let mut sides = BTreeSet::new();
    let site = part_of(&claim.facts.value, "site");
    for text in names(claim).into_iter().chain([site]) {
        for (word, side) in WORDS {
            if text.contains(word) && text.split([' ', '|', '+', ',']).any(|w| w == word) {
                sides.insert(side);
            }
        }
    }
    for code in site.split(['|', '+', ',']).map(str::trim) {
        sides.extend(SIDE_CODES.iter().find(|(known, _)| *known == code).map(|(_, side)| *side));
    }
    sides
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
pub(super) fn texts(a: &str, b: &str) -> Agreement {
    if a.is_empty() || b.is_empty() {
        return Silent;
    }
    match likeness(a, b) {
        Likeness::Alike if a == b => Same,
        Likeness::Alike => Close,
        Likeness::Unlike | Likeness::Contrary => Differs,
    }
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
    values(part_of(a, name), part_of(b, name))
}

fn part_of<'a>(value: &'a str, name: &str) -> &'a str {
    let mut parts = value.split("; ").filter_map(|p| p.split_once('='));
    parts.find(|p| p.0 == name).map_or("", |p| p.1)
}

/// The sites of two claims; a code and a text say nothing about each other.
pub(super) fn body_sites(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    let (x, y) = (part_of(&a.facts.value, "site"), part_of(&b.facts.value, "site"));
    match values(x, y) {
        Differs if x.contains('|') != y.contains('|') => Silent,
        found => found,
    }
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

/// How long after an order it is done at the latest, where the one tells the first and the other
/// the second.
const DONE_DAYS_MAX: i32 = 31;

/// The days that two claims state as those on which they were written.
pub(super) fn authored<'a, 'b>(a: &'a Claim<'b>, b: &'a Claim<'b>) -> Days<'a, 'b> {
    Days { claims: (a, b), spans: (a.facts.authored, b.facts.authored), look: peek::authored }
}

/// The days on which what two claims are about began.
pub(super) fn began<'a, 'b>(a: &'a Claim<'b>, b: &'a Claim<'b>) -> Days<'a, 'b> {
    Days { claims: (a, b), spans: (a.facts.when, b.facts.when), look: peek::began }
}

/// The days on which two claims were written. One that only says when it is to be done was written
/// then, as far as anybody knows; if that is a little later, nothing follows.
pub(super) fn written(a: &Claim<'_>, b: &Claim<'_>) -> Agreement {
    match (a.facts.authored, b.facts.authored) {
        (Some(_), Some(_)) => authored(a, b).agreement(),
        (x, y) => match spans(x.or(a.facts.when), y.or(b.facts.when)) {
            Same | Close if x.is_some() || y.is_some() => Close,
            Differs if x.is_some() != y.is_some() => {
                let low = |written: Option<DateSpan>, when: Option<DateSpan>| {
                    written.or(when).and_then(|span| span.low)
                };
                let days = low(x, a.facts.when).zip(low(y, b.facts.when));
                let far = days.is_none_or(|(x, y)| (x - y).get_days().abs() > DONE_DAYS_MAX);
                if far { Differs } else { Silent }
            }
            _ => Silent,
        },
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

/// Like [`references`], where that two have not been recognised as one is no proof that they are
/// two: clinicians and organizations often have no number that both endpoints know. They are two
/// if an endpoint keeps them apart, if both are named by numbers of one system, or if they are
/// called differently; one if they are called the same.
pub(super) fn actors(person: &Person<'_>, a: &Claim<'_>, b: &Claim<'_>, role: Role) -> Agreement {
    actors_in(person, (a, role), (b, role))
}

/// See [`actors`]; each in a role of its own.
pub(super) fn actors_in(
    person: &Person<'_>,
    (a, role_a): (&Claim<'_>, Role),
    (b, role_b): (&Claim<'_>, Role),
) -> Agreement {
    let (x, y) = (person.canons(a, role_a), person.canons(b, role_b));
    let found = parties(&x, &y);
    if found == Same {
        return Same;
    }
    let (named_x, named_y) = (peek::displays(a, role_a), peek::displays(b, role_b));
    if !named_x.is_empty() && !named_y.is_empty() {
        let alike = named_x.iter().any(|x| named_y.iter().any(|y| called_alike(x, y)));
        return if alike { Close } else { Differs };
    }
    if x.is_empty() || y.is_empty() {
        return Silent;
    }
    let proven = x.iter().all(|x| y.iter().all(|y| are_two(person, x, y)));
    if proven { Differs } else { Silent }
}

fn are_two(person: &Person<'_>, x: &Canon, y: &Canon) -> bool {
    match (x, y) {
        (Canon::Group(x), Canon::Group(y)) => x != y,
        (Canon::Named(x, a), Canon::Named(y, b)) => x == y && a != b,
        (Canon::Directory(x), Canon::Directory(y)) => person.are_kept_apart(*x, *y),
        _ => false,
    }
}

/// Whether two names of clinicians or places may be one: all words of the shorter are in the
/// longer, titles and initials aside.
fn called_alike(a: &str, b: &str) -> bool {
    const TITLES: [&str; 12] =
        ["dr", "md", "do", "np", "rn", "pa", "phd", "mr", "mrs", "ms", "the", "inc"];
    let words = |t: &str| -> BTreeSet<String> {
        let text = crate::compare::clinical_text(t);
        let bare = |w: &str| w.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let words = text.split(' ').map(bare);
        words.filter(|w| w.chars().count() > 1 && !TITLES.contains(&w.as_str())).collect()
    };
    let (a, b) = (words(a), words(b));
    !a.is_empty() && !b.is_empty() && (a.is_subset(&b) || b.is_subset(&a))
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
