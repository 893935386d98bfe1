//! Orders against each other: the same test ordered twice, and what is ordered here and ruled
//! out there.
//! <https://hl7.org/fhir/R4/servicerequest.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use crate::flow::Role;

use super::super::narrative;
use super::super::person::Canon;
use super::super::plan::Shown;
use super::loops::recurs;
use super::scene::{Scene, at, list, order_name, plan_title, status, text};
use super::{Conflict, Severity};

/// All that orders give rise to among themselves.
pub(super) fn orders(scene: &Scene<'_>) -> Vec<Conflict> {
    let mut found = duplicates(scene);
    found.extend(ruled_out(scene));
    found
}

fn is_ordered(shown: &Shown) -> bool {
    !matches!(text(shown, "intent"), Some("proposal" | "plan" | "option"))
}

fn is_current(shown: &Shown) -> bool {
    matches!(status(shown), "active" | "on-hold")
}

fn forbids(shown: &Shown) -> bool {
    shown.body.get("doNotPerform").and_then(Value::as_bool) == Some(true)
}

/// An open order of something, as duplicates are looked for.
struct Open<'a> {
    shown: &'a Shown,
    day: Date,
    kin: BTreeSet<usize>,
}

/// Open orders of one test within the policy's days, none of which rests on another.
fn duplicates(scene: &Scene<'_>) -> Vec<Conflict> {
    let open: Vec<Open<'_>> = scene
        .material
        .requests
        .iter()
        .filter(|r| status(r) == "active" && is_ordered(r) && !forbids(r) && !recurs(r))
        .filter_map(|shown| Some(Open { shown, day: scene.day(shown)?, kin: kin(scene, shown) }))
        .collect();
    let mut named: BTreeMap<(String, String), Vec<usize>> = BTreeMap::new();
    for (place, order) in open.iter().enumerate() {
        // Sites, details and amounts make another order of the same code.
        let value = scene.facts(order.shown).map(|facts| facts.value.to_string()).max();
        for name in scene.names(order.shown) {
            named.entry((name, value.clone().unwrap_or_default())).or_default().push(place);
        }
    }
    let window = i32::from(scene.person.policy.findings().duplicate_order_days);
    let mut clusters = Clusters::new(open.len());
    for places in named.values_mut() {
        places.sort_by_key(|&place| (open[place].day, place));
        for pair in places.windows(2) {
            let (a, b) = (&open[pair[0]], &open[pair[1]]);
            let near = (b.day - a.day).get_days() <= window;
            if near && !are_kin(scene, a, b) {
                clusters.join(pair[0], pair[1]);
            }
        }
    }
    let clusters = clusters.of_several();
    clusters.into_iter().map(|c| duplicate(scene, &open, &c)).collect()
}

fn duplicate(scene: &Scene<'_>, open: &[Open<'_>], places: &[usize]) -> Conflict {
    let mut orders: Vec<&Open<'_>> = places.iter().map(|&place| &open[place]).collect();
    orders.sort_by_key(|order| order.day);
    let told = orders.iter().map(|order| {
        let claim = scene.group(order.shown.id).map(|group| group.first());
        format!("{} by {}", order.day, claim.map_or("a source", |claim| scene.speaker(claim)))
    });
    let told: Vec<String> = told.collect();
    let about: Vec<&Shown> = orders.iter().map(|order| order.shown).collect();
    let detail = format!(
        "{} is ordered {} times: {}. Ask the requesters whether one of them will do, and have the \
         others revoked.",
        order_name(about[0]),
        about.len(),
        told.join("; ")
    );
    let since = orders.last().map(|order| order.day);
    Conflict::of("duplicate-order", Severity::Moderate, &about, "same test ordered twice", detail)
        .since(since)
}

/// What an order rests on or stands for: those are a chain, not duplicates.
fn kin(scene: &Scene<'_>, shown: &Shown) -> BTreeSet<usize> {
    let members = scene.group(shown.id).map_or(&[][..], |group| group.members.as_slice());
    let mut kin = BTreeSet::new();
    for (claim, _) in members {
        let claim = &scene.person.claims[*claim];
        for role in [Role::BasedOn, Role::Replaces] {
            kin.extend(scene.person.canons(claim, role).into_iter().filter_map(|canon| {
                if let Canon::Group(group) = canon { Some(group) } else { None }
            }));
        }
    }
    kin
}

fn are_kin(scene: &Scene<'_>, a: &Open<'_>, b: &Open<'_>) -> bool {
    let leads_to = |a: &Open<'_>, b: &Open<'_>| {
        scene.group_index(b.shown).is_some_and(|group| a.kin.contains(&group))
    };
    leads_to(a, b) || leads_to(b, a) || a.kin.intersection(&b.kin).next().is_some()
}

/// A side that says that something must not be done.
struct Ban<'a> {
    shown: &'a Shown,
    /// In words.
    told: String,
}

/// An order of what another record says must not be done.
fn ruled_out(scene: &Scene<'_>) -> Vec<Conflict> {
    let orders = || scene.material.requests.iter().chain(&scene.material.medications);
    let mut bans: BTreeMap<String, Vec<Ban<'_>>> = BTreeMap::new();
    for shown in orders().filter(|o| is_current(o) && forbids(o)) {
        for name in scene.names(shown) {
            let told = "an order says that it must not be done".to_owned();
            bans.entry(name).or_default().push(Ban { shown, told });
        }
    }
    for plan in scene.material.plans.iter().filter(|plan| status(plan) == "active") {
        for detail in list(plan, "activity").filter_map(|a| a.get("detail")) {
            for name in banned(detail) {
                let told = format!("{} says that it must not be done", plan_title(plan));
                bans.entry(name).or_default().push(Ban { shown: plan, told });
            }
        }
    }
    if bans.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for order in orders().filter(|o| is_current(o) && is_ordered(o) && !forbids(o)) {
        let names = scene.names(order);
        let against: Vec<&Ban<'_>> = names.iter().filter_map(|n| bans.get(n)).flatten().collect();
        let mut told = BTreeSet::new();
        for ban in against.into_iter().filter(|ban| told.insert(ban.shown.id)) {
            found.push(contradiction(scene, order, ban));
        }
    }
    found
}

/// The names of what an activity of a plan rules out.
fn banned(detail: &Value) -> Vec<String> {
    let over = at(detail, &["status"]).and_then(Value::as_str);
    let forbids = detail.get("doNotPerform").and_then(Value::as_bool) == Some(true);
    if !forbids || matches!(over, Some("cancelled" | "stopped" | "entered-in-error")) {
        return Vec::new();
    }
    let concept = detail.get("code").or_else(|| detail.get("productCodeableConcept"));
    let codings = concept.and_then(|c| c.get("coding")?.as_array()).into_iter().flatten();
    let tokens = codings.filter_map(crate::compare::token);
    let names: Vec<String> = tokens.map(|t| format!("{}|{}", t.system, t.code)).collect();
    let text = || narrative::concept(concept).map(|t| crate::compare::clinical_text(&t).into());
    if names.is_empty() { text().into_iter().collect() } else { names }
}

fn contradiction(scene: &Scene<'_>, order: &Shown, ban: &Ban<'_>) -> Conflict {
    let by = |shown: &Shown| {
        let claim = scene.group(shown.id).map(|group| group.first());
        claim.map_or_else(|| "a source".to_owned(), |claim| scene.speaker_and_day(claim))
    };
    let detail = format!(
        "{}: ordered by {}, and {} ({}). Stop the order until both sides have agreed.",
        order_name(order),
        by(order),
        ban.told,
        by(ban.shown)
    );
    let title = "ordered, and ruled out elsewhere";
    let days = [order, ban.shown].map(|shown| scene.day(shown));
    Conflict::of("contradicting-orders", Severity::High, &[order, ban.shown], title, detail)
        .since(days[0].max(days[1]))
}

/// Disjoint sets of places.
pub(super) struct Clusters(Vec<usize>);

impl Clusters {
    pub(super) fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut place: usize) -> usize {
        while self.0[place] != place {
            self.0[place] = self.0[self.0[place]];
            place = self.0[place];
        }
        place
    }

    pub(super) fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    /// The sets of more than one place, each sorted.
    pub(super) fn of_several(mut self) -> Vec<Vec<usize>> {
        let mut sets: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for place in 0..self.0.len() {
            sets.entry(self.root(place)).or_default().push(place);
        }
        sets.into_values().filter(|set| set.len() > 1).collect()
    }
}
