//! Steps of a task that its state machine does not have, and statuses set by who may not set
//! them. All of it stays as stated; this only tells.
//! <https://hl7.org/fhir/R4/task.html#statemachine>

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::flow::Role;

use super::super::loops::Actor;
use super::super::plan::Shown;
use super::scene::{Scene, named, reference, status};
use super::{Conflict, Severity};

/// What the state machine of tasks forbids.
pub(super) fn steps(scene: &Scene<'_>) -> Vec<Conflict> {
    let mut found = Vec::new();
    for task in &scene.material.tasks {
        found.extend(illegal(scene, task));
        found.extend(unauthorised(scene, task));
    }
    found
}

/// What a task is about: itself, and the order that it is for.
fn about<'a>(scene: &Scene<'a>, task: &'a Shown) -> Vec<&'a Shown> {
    let order = task.body.get("focus").and_then(reference).and_then(|focus| scene.find(focus));
    std::iter::once(task).chain(order).collect()
}

/// From one version of a record to the next it went a way that there is not.
fn illegal(scene: &Scene<'_>, task: &Shown) -> Option<Conflict> {
    let states = scene.person.policy.task_states();
    let mut steps: Vec<String> = Vec::new();
    let mut speakers = Vec::new();
    for &(claim, _) in &scene.group(task.id)?.members {
        let stated: Vec<&str> =
            scene.person.claims[claim].statuses.iter().filter_map(Option::as_deref).collect();
        let known = |status: &str| states.knows(status);
        let wrong: Vec<String> = stated
            .windows(2)
            .filter(|step| known(step[0]) && known(step[1]) && !states.leads_to(step[0], step[1]))
            .map(|step| format!("from {} to {}", step[0], step[1]))
            .collect();
        if !wrong.is_empty() {
            let speaker = scene.speaker(claim);
            steps.push(format!("{} at {speaker}", wrong.join(", then ")));
            speakers.push(claim);
        }
    }
    if steps.is_empty() {
        return None;
    }
    let detail = format!(
        "{}: the task went {}, which a task does not do. Its owner should say what holds, and \
         write a new task if the work began again.",
        named(task, "code"),
        steps.join("; ")
    );
    let title = "illegal change of a task's status";
    let about = about(scene, task);
    let mut found =
        Conflict::of("illegal-transition", Severity::Moderate, &about, title, detail).of_first();
    found.speakers = speakers;
    Some(found)
}

/// One party states what only the other may set, and the other has never said so.
fn unauthorised(scene: &Scene<'_>, task: &Shown) -> Option<Conflict> {
    let (person, states) = (scene.person, scene.person.policy.task_states());
    let members: Vec<usize> =
        scene.group(task.id)?.members.iter().map(|(claim, _)| *claim).collect();
    if members.len() < 2 {
        return None;
    }
    let systems = |role: Role| -> BTreeSet<Arc<str>> {
        members.iter().flat_map(|&m| person.systems_of(&person.claims[m], role)).collect()
    };
    let parties = [
        (Actor::Requester, systems(Role::Requester), "requester"),
        (Actor::Owner, systems(Role::Performer), "owner"),
    ];
    let said = |claim: usize| person.claims[claim].facts.status.as_deref().unwrap_or_default();
    // What an earlier version said may be what the other one has copied.
    let ever_said = |claim: usize, status: &str| {
        let mut stated = person.claims[claim].statuses.iter().flatten();
        said(claim) == status || stated.any(|s| &**s == status)
    };
    let party = |claim: usize| {
        let endpoint = person.claims[claim].endpoint();
        let mut own = parties.iter().filter(move |(_, systems, _)| systems.contains(endpoint));
        own.next().filter(|_| own.next().is_none())
    };
    for &claim in &members {
        let status = said(claim);
        let Some((actor, _, who)) = party(claim).filter(|_| states.knows(status)) else { continue };
        if states.may_set(*actor, status) {
            continue;
        }
        let of_others = members.iter().copied().filter(|&other| {
            party(other).is_some_and(|(other, ..)| other != actor && states.may_set(*other, status))
        });
        let others: Vec<usize> = of_others.collect();
        if others.is_empty() || others.iter().any(|&other| ever_said(other, status)) {
            continue;
        }
        let other_says: BTreeSet<&str> = others.iter().map(|&other| said(other)).collect();
        let other_says: Vec<&str> = other_says.into_iter().collect();
        let detail = format!(
            "{}: {} ({who}) says {status}, which only the other party may set, and that one says \
             {}. Shown: {}. Ask who does the work.",
            named(task, "code"),
            scene.speaker_and_day(claim),
            other_says.join(", "),
            self::status(task)
        );
        let title = "status set by who may not set it";
        let about = about(scene, task);
        let found = Conflict::of("unauthorised-status", Severity::Moderate, &about, title, detail);
        let mut found = found.of_first().since(scene.said_on(claim));
        found.speakers = members.clone();
        return Some(found);
    }
    None
}
