//! Orders and the tasks done for them, by who refers to whom.
//! <https://hl7.org/fhir/R4/workflow.html>

use std::collections::HashMap;

use serde_json::Value;

use super::super::narrative;
use super::super::plan::Shown;

/// What a task does to an order other than fulfil it.
const OTHER_WORK: [&str; 6] = ["approve", "abort", "replace", "change", "suspend", "resume"];

/// A person's orders and tasks, indexed.
pub(in super::super) struct Workflow<'a> {
    by_reference: HashMap<&'a str, &'a Shown>,
    tasks_on: HashMap<&'a str, Vec<&'a Shown>>,
    parts_of: HashMap<&'a str, Vec<&'a Shown>>,
}

impl<'a> Workflow<'a> {
    pub(in super::super) fn new(requests: &'a [Shown], tasks: &'a [Shown]) -> Self {
        let both = requests.iter().chain(tasks);
        let by_reference = both.map(|s| (s.reference.as_str(), s)).collect();
        let mut tasks_on: HashMap<_, Vec<_>> = HashMap::new();
        let mut parts_of: HashMap<_, Vec<_>> = HashMap::new();
        for task in tasks {
            if let Some(focus) = focus(task) {
                tasks_on.entry(focus).or_default().push(task);
            }
            for whole in references(task, "partOf") {
                parts_of.entry(whole).or_default().push(task);
            }
        }
        Self { by_reference, tasks_on, parts_of }
    }

    /// The order or task of a reference.
    pub(in super::super) fn find(&self, reference: &str) -> Option<&'a Shown> {
        self.by_reference.get(reference).copied()
    }

    /// The tasks whose focus it is.
    pub(in super::super) fn tasks_on(&self, request: &Shown) -> &[&'a Shown] {
        self.tasks_on.get(request.reference.as_str()).map_or(&[], Vec::as_slice)
    }

    /// The tasks that are part of it.
    pub(in super::super) fn parts_of(&self, task: &Shown) -> &[&'a Shown] {
        self.parts_of.get(task.reference.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Whether a task is to fulfil the order that is its focus, as a whole. One that is part of a
    /// task for another order is: whoever took that one has passed it on.
    pub(in super::super) fn fulfils(&self, task: &Shown) -> bool {
        let code = narrative::code(task.body.get("code"));
        let mut wholes = references(task, "partOf").peekable();
        let elsewhere = |whole: &str| {
            let of_whole = self.find(whole).and_then(focus);
            of_whole.is_some() && of_whole != focus(task)
        };
        let is_whole = wholes.peek().is_none() || wholes.any(elsewhere);
        is_whole && !code.is_some_and(|code| OTHER_WORK.contains(&code))
    }

    /// The tasks that are to fulfil an order.
    pub(in super::super) fn fulfilling(&self, request: &Shown) -> Vec<&'a Shown> {
        self.tasks_on(request).iter().copied().filter(|task| self.fulfils(task)).collect()
    }

    /// The orders that this one carries out: those it is based on, and those whose tasks its own
    /// tasks are part of.
    pub(super) fn carried_out_by(&self, request: &'a Shown) -> Vec<&'a Shown> {
        let stated = references(request, "basedOn").filter_map(|r| self.find(r));
        let wholes = self.tasks_on(request).iter().flat_map(|task| references(task, "partOf"));
        let by_task = wholes.filter_map(|r| self.find(focus(self.find(r)?)?));
        let other = |order: &&Shown| {
            order.reference != request.reference && order.resource_type == request.resource_type
        };
        stated.chain(by_task).filter(other).collect()
    }
}

fn focus(task: &Shown) -> Option<&str> {
    task.body.get("focus")?.get("reference")?.as_str()
}

fn references<'s>(shown: &'s Shown, element: &str) -> impl Iterator<Item = &'s str> {
    let all = shown.body.get(element).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|value| value.get("reference")?.as_str())
}
