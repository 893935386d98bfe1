//! What rules look at: parsed resources, the facts behind them, and who refers to whom. Made
//! once for a person, so that every rule is linear in what it looks at.

use std::collections::{BTreeSet, HashMap};

use jiff::civil::Date;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Facts, Role, Token};

use super::loops::Workflow;
use super::narrative;
use super::person::{Canon, Group, Person};
use super::plan::{Material, Shown};
use super::resolve::local;

/// The person's care, indexed.
pub(super) struct Scene<'a> {
    pub(super) person: &'a Person<'a>,
    pub(super) material: &'a Material,
    groups: HashMap<DerivedId, usize>,
    goals: HashMap<&'a str, &'a Shown>,
    pub(super) workflow: Workflow<'a>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(person: &'a Person<'a>, material: &'a Material) -> Self {
        let groups = person.groups.iter().enumerate();
        let groups = groups.map(|(i, group)| (person.claims[group.shown].id, i)).collect();
        let Material { goals, requests, tasks, .. } = material;
        let by_reference = goals.iter().map(|s| (s.reference.as_str(), s)).collect();
        let workflow = Workflow::new(requests, tasks);
        Self { person, material, groups, goals: by_reference, workflow }
    }

    /// The group of claims that a resource of the view states.
    pub(super) fn group(&self, id: DerivedId) -> Option<&'a Group> {
        self.groups.get(&id).map(|&index| &self.person.groups[index])
    }

    /// The place of a resource's group.
    pub(super) fn group_index(&self, shown: &Shown) -> Option<usize> {
        self.groups.get(&shown.id).copied()
    }

    /// The goal, request or task of a reference.
    pub(super) fn find(&self, reference: &str) -> Option<&'a Shown> {
        self.goals.get(reference).copied().or_else(|| self.workflow.find(reference))
    }

    /// The tasks whose focus it is.
    pub(super) fn tasks_on(&self, request: &Shown) -> &[&'a Shown] {
        self.workflow.tasks_on(request)
    }

    /// The tasks that are part of it.
    pub(super) fn parts_of(&self, task: &Shown) -> &[&'a Shown] {
        self.workflow.parts_of(task)
    }

    /// The facts of the live records that state a resource, in the order of their keys.
    pub(super) fn facts(&self, shown: &Shown) -> impl Iterator<Item = &'a Facts> {
        let members = self.group(shown.id).map_or(&[][..], |group| group.members.as_slice());
        members.iter().map(|(claim, _)| self.person.claims[*claim].facts)
    }

    /// The codings of what a resource is, of all its records.
    pub(super) fn codes(&self, shown: &Shown) -> BTreeSet<&'a Token> {
        self.facts(shown).flat_map(|facts| &facts.codes).collect()
    }

    /// Names under which the same thing is found in other records: each coding, else the text.
    pub(super) fn names(&self, shown: &Shown) -> BTreeSet<String> {
        let codes = self.codes(shown);
        if codes.is_empty() {
            let texts = self.facts(shown).map(|facts| facts.text.to_string());
            return texts.filter(|text| !text.is_empty()).collect();
        }
        codes.into_iter().map(|t| format!("{}|{}", t.system, t.code)).collect()
    }

    /// When it is to happen, else when it was written: the first day that a record states.
    pub(super) fn day(&self, shown: &Shown) -> Option<Date> {
        let of = |facts: &Facts| facts.when.and_then(|s| s.low);
        let written = |facts: &Facts| facts.authored.and_then(|s| s.low);
        self.facts(shown).find_map(of).or_else(|| self.facts(shown).find_map(written))
    }

    /// The groups that any record of these types says it is based on.
    pub(super) fn based_on(&self, types: &[&str]) -> BTreeSet<usize> {
        let claims =
            self.person.claims.iter().filter(|claim| {
                claim.is_live() && types.contains(&claim.key().resource_type.name())
            });
        let mut found = BTreeSet::new();
        for claim in claims {
            for target in claim.facts.linked(Role::BasedOn) {
                if let Some(Canon::Group(group)) = self.person.canon(claim, target) {
                    found.insert(group);
                }
            }
        }
        found
    }

    /// The groups of one type, in the order of their first members' keys.
    pub(super) fn groups_of(&self, name: &'static str) -> Vec<&'a Group> {
        let resource_type = ResourceType::of(name);
        let groups = self.person.groups.iter();
        let mut groups: Vec<&Group> =
            groups.filter(|group| group.resource_type == resource_type).collect();
        groups.sort_by_key(|group| group.first());
        groups
    }

    /// The facts of a group's live members.
    pub(super) fn facts_of(&self, group: &'a Group) -> impl Iterator<Item = &'a Facts> {
        group.members.iter().map(|(claim, _)| self.person.claims[*claim].facts)
    }

    /// The type and id under which a group is shown.
    pub(super) fn shown_as(&self, group: &Group) -> (ResourceType, DerivedId) {
        (group.resource_type, self.person.claims[group.shown].id)
    }

    /// The name of the endpoint that states a claim.
    pub(super) fn speaker(&self, claim: usize) -> &'a str {
        let endpoint = self.person.claims[claim].endpoint();
        let named = self.person.endpoints.get(endpoint).map(|e| e.name.as_str());
        named.filter(|n| !n.is_empty()).unwrap_or(endpoint)
    }

    /// The day of what a claim says: by its author's own words, else by its server.
    pub(super) fn said_on(&self, claim: usize) -> Option<Date> {
        let claim = &self.person.claims[claim];
        let own = claim.facts.changed.or(claim.facts.authored).and_then(|span| span.low);
        let served = || claim.header.current().stamp.last_updated;
        own.or_else(|| served().map(|at| at.to_zoned(jiff::tz::TimeZone::UTC).date()))
    }

    /// Who states a claim, with the day if there is one.
    pub(super) fn speaker_and_day(&self, claim: usize) -> String {
        let speaker = self.speaker(claim);
        self.said_on(claim).map_or_else(|| speaker.to_owned(), |day| format!("{speaker} ({day})"))
    }
}

/// The status of a resource.
pub(super) fn status(shown: &Shown) -> &str {
    text(shown, "status").unwrap_or("unknown")
}

/// An element that is a text.
pub(super) fn text<'s>(shown: &'s Shown, element: &str) -> Option<&'s str> {
    shown.body.get(element)?.as_str()
}

/// What a resource is called by one of its concepts.
pub(super) fn named(shown: &Shown, element: &str) -> String {
    narrative::concept(shown.body.get(element)).unwrap_or_else(|| "unnamed".to_owned())
}

/// What an order or prescription is for.
pub(super) fn order_name(shown: &Shown) -> String {
    let name = ["code", "medicationCodeableConcept"]
        .iter()
        .find_map(|element| narrative::concept(shown.body.get(*element)));
    let display = || shown.body.get("medicationReference")?.get("display")?.as_str();
    name.or_else(|| display().map(str::to_owned)).unwrap_or_else(|| "unnamed".to_owned())
}

/// What a plan is called.
pub(super) fn plan_title(plan: &Shown) -> &str {
    text(plan, "title").unwrap_or("care plan")
}

/// The elements of a list.
pub(super) fn list<'s>(shown: &'s Shown, element: &str) -> impl Iterator<Item = &'s Value> {
    shown.body.get(element).and_then(Value::as_array).into_iter().flatten()
}

/// The literal of a Reference.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("reference")?.as_str()
}

/// A member of a member.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, name| value.get(name))
}

/// The literal reference of a type and id.
pub(super) fn literal((resource_type, id): (ResourceType, DerivedId)) -> String {
    local(resource_type, id)
}
