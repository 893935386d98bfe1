//! Conflicts and findings: disagreements that are kept and shown, and what is to be acted on, as
//! DetectedIssue resources. They come and go with the data and the day, and each says what to do.
//! <https://hl7.org/fhir/R4/detectedissue.html>
//!
//! One file per subject. A rule looks at parsed resources of the view and at facts, never at
//! bodies, and asks the `Calendar` whatever depends on the day.

mod disagreement;
mod goals;
mod issue;
mod loops;
mod orders;
mod plans;
mod stages;
mod steps;
mod team;
mod therapy;
mod transitions;

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::fhir::ResourceType;
use crate::flow::{DerivedId, Dispute, ViewRow};

use super::calendar::{self, Calendar};
use super::loops::Stage;
use super::plan::Shown;
use super::resolve::shown_reference;
use super::scene::{self, Scene};

/// Something that does not agree, or is to be acted on.
struct Conflict {
    /// The rule: `C1` … of the state machines, or a name.
    rule: &'static str,
    /// The element that sources disagree on; empty where the rule says it all.
    aspect: String,
    severity: Severity,
    /// The ids it is about: its own id is derived from them.
    about: Vec<DerivedId>,
    /// The view resources concerned, in an order that does not depend on ids.
    implicated: Vec<(ResourceType, DerivedId)>,
    /// The claims that speak; if empty, all that state what is implicated.
    speakers: Vec<usize>,
    /// The claims of which a steward can prefer one.
    sides: Vec<usize>,
    /// Where the loop stands that it is about.
    stage: Option<Stage>,
    /// Since when, as the data has it.
    since: Option<Date>,
    /// In a few words.
    title: &'static str,
    /// What is wrong, and what to do.
    detail: String,
}

#[derive(Clone, Copy)]
enum Severity {
    High,
    Moderate,
    Low,
}

impl Conflict {
    fn of(
        rule: &'static str,
        severity: Severity,
        about: &[&Shown],
        title: &'static str,
        detail: String,
    ) -> Self {
        Self {
            rule,
            aspect: String::new(),
            severity,
            about: about.iter().map(|s| s.id).collect(),
            implicated: about.iter().map(|s| (s.resource_type, s.id)).collect(),
            speakers: Vec::new(),
            sides: Vec::new(),
            stage: None,
            since: None,
            title,
            detail,
        }
    }

    /// The first resource alone decides which conflict it is: the others may come and go.
    fn of_first(mut self) -> Self {
        self.about.truncate(1);
        self
    }

    fn at(mut self, stage: Stage) -> Self {
        self.stage = Some(stage);
        self
    }

    fn since(mut self, day: impl Into<Option<Date>>) -> Self {
        self.since = day.into();
        self
    }
}

/// Finds all conflicts and findings and puts them among the rows. Returns what a steward may
/// decide about.
pub(super) fn add_conflicts(
    scene: &Scene<'_>,
    tables: &mut BTreeMap<ResourceType, Vec<ViewRow>>,
    calendar: &mut Calendar,
) -> Vec<Dispute> {
    let mut all = disagreement::disagreements(scene, tables);
    all.extend(disagreement::retractions(scene));
    let of_goals = goals::goals(scene, calendar);
    all.extend(untold(disagreement::related(scene), &of_goals));
    all.extend(of_goals);
    all.extend(loops::loops(scene));
    all.extend(stages::open_loops(scene, calendar));
    all.extend(steps::steps(scene));
    all.extend(plans::plans(scene, calendar));
    all.extend(team::care_managers(scene, calendar));
    all.extend(orders::orders(scene));
    all.extend(therapy::therapies(scene, calendar));
    all.extend(transitions::transitions(scene, calendar));
    let person = scene.person;
    let subject = person.patient_group().map(|g| shown_reference(person, g));
    let made = all.into_iter().map(|conflict| issue::issue(scene, conflict, subject.as_deref()));
    let mut made: Vec<(ViewRow, Dispute)> = made.collect();
    made.sort_by_key(|(row, _)| row.id);
    made.dedup_by_key(|(row, _)| row.id);
    let (rows, disputes): (Vec<_>, Vec<_>) = made.into_iter().unzip();
    if !rows.is_empty() {
        tables.insert(ResourceType::of("DetectedIssue"), rows);
    }
    disputes
}

/// Goals whose targets exclude each other are told as such, and not as merely different too.
fn untold(related: Vec<Conflict>, of_goals: &[Conflict]) -> Vec<Conflict> {
    let pair = |conflict: &Conflict| conflict.about.iter().copied().collect::<BTreeSet<_>>();
    let excluding = of_goals.iter().filter(|conflict| conflict.rule == "contradicting-goals");
    let told: BTreeSet<_> = excluding.map(pair).collect();
    let is_told = |conflict: &Conflict| {
        conflict.rule == "goal-target-differs" && told.contains(&pair(conflict))
    };
    related.into_iter().filter(|conflict| !is_told(conflict)).collect()
}
