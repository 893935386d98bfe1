//! Referral loops: an order, the tasks done for it, and the orders it was passed on by.
//!
//! The stage of a loop is that of the task that is furthest, over all providers, along the chain
//! of orders (`basedOn`) and tasks (`partOf`) of intermediaries.
//! <https://hl7.org/fhir/us/sdoh-clinicalcare/referral_workflow.html>

mod stage;
mod states;
mod workflow;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde_json::Value;

use crate::fhir::{ResourceType, parse_moment};

use super::plan::Shown;
use super::policy::Policy;
use super::windows::FindingPolicy;

pub use stage::Stage;
pub(super) use states::{Actor, TaskStates};
pub(super) use workflow::Workflow;

/// Orders of one chain at most; what is beyond is a loop of its own.
const CHAIN_MAX: usize = 32;
/// The code system of stages.
pub const STAGE_SYSTEM: &str = "urn:careweave:loop-stage";

/// A referral loop, as it stands.
#[derive(Clone, Debug)]
pub struct Loop {
    /// The order: `ServiceRequest/id`.
    pub request: String,
    /// The tasks that are to fulfil it.
    pub tasks: Vec<String>,
    /// The order that this one carries out.
    pub within: Option<String>,
    /// The orders by which it was passed on.
    pub passed_on: Vec<String>,
    /// Where it stands.
    pub stage: Stage,
    /// The day since which it stands there.
    pub since: Option<Date>,
    /// The day by which it was to leave that stage.
    pub due: Option<Date>,
    /// What tells the stage: a task of it, or of one that it was passed on to.
    pub told_by: Option<String>,
}

/// Where an order stands, and what says so.
#[derive(Clone, Copy)]
struct Standing<'a> {
    stage: Stage,
    since: Option<Date>,
    told_by: Option<&'a Shown>,
}

/// A loop, by the resources it is made of.
pub(super) struct LoopOf<'a> {
    pub(super) request: &'a Shown,
    pub(super) tasks: Vec<&'a Shown>,
    pub(super) within: Option<&'a Shown>,
    pub(super) passed_on: Vec<&'a Shown>,
    pub(super) stage: Stage,
    pub(super) since: Option<Date>,
    /// For how many days it may stand there.
    pub(super) days: Option<u16>,
    pub(super) told_by: Option<&'a Shown>,
}

/// The loops of a person, from the ServiceRequests and Tasks of the view.
pub fn referral_loops(requests: &[Value], tasks: &[Value], policy: &Policy) -> Vec<Loop> {
    let shown = |name: &'static str, bodies: &[Value]| -> Vec<Shown> {
        let resource_type = ResourceType::of(name);
        let id = |body: &Value| body.get("id")?.as_str()?.parse().ok();
        let all = bodies.iter().filter_map(|body| {
            let id = id(body)?;
            let reference = super::resolve::local(resource_type, id);
            Some(Shown { id, resource_type, reference, body: body.clone() })
        });
        all.collect()
    };
    let (requests, tasks) = (shown("ServiceRequest", requests), shown("Task", tasks));
    let workflow = Workflow::new(&requests, &tasks);
    let name = |shown: &&Shown| shown.reference.clone();
    let told = |found: LoopOf<'_>| Loop {
        request: found.request.reference.clone(),
        tasks: found.tasks.iter().map(name).collect(),
        within: found.within.as_ref().map(name),
        passed_on: found.passed_on.iter().map(name).collect(),
        stage: found.stage,
        since: found.since,
        due: found.due(),
        told_by: found.told_by.as_ref().map(name),
    };
    loops(&workflow, &requests, policy.findings()).into_iter().map(told).collect()
}

impl LoopOf<'_> {
    /// The day by which it was to leave its stage.
    pub(super) fn due(&self) -> Option<Date> {
        let (since, days) = self.since.zip(self.days)?;
        Some(since.saturating_add(jiff::Span::new().days(i64::from(days))))
    }
}

/// The loops of these orders, in their order.
pub(super) fn loops<'a>(
    workflow: &Workflow<'a>,
    requests: &'a [Shown],
    policy: &FindingPolicy,
) -> Vec<LoopOf<'a>> {
    let within = chains(workflow, requests);
    let mut passed_on: HashMap<&str, Vec<&Shown>> = HashMap::new();
    for request in requests {
        if let Some(whole) = within.get(request.reference.as_str()) {
            passed_on.entry(whole.reference.as_str()).or_default().push(request);
        }
    }
    let view = Chains { workflow, passed_on: &passed_on, policy };
    let mut found = Vec::new();
    for request in requests {
        let Some(standing) = view.standing(request) else { continue };
        let legs = passed_on.get(request.reference.as_str()).cloned().unwrap_or_default();
        found.push(LoopOf {
            request,
            tasks: workflow.fulfilling(request),
            within: within.get(request.reference.as_str()).copied(),
            passed_on: legs,
            stage: standing.stage,
            since: standing.since,
            days: standing.stage.days(&policy.loop_days),
            told_by: standing.told_by,
        });
    }
    found
}

/// Which order each order carries out. One that would close a circle carries out none.
fn chains<'a>(workflow: &Workflow<'a>, requests: &'a [Shown]) -> BTreeMap<&'a str, &'a Shown> {
    let mut within: BTreeMap<&str, &Shown> = BTreeMap::new();
    for request in requests {
        let wholes = workflow.carried_out_by(request);
        // The one with the smallest key, if several are named.
        let Some(whole) = requests.iter().find(|r| wholes.iter().any(|w| w.id == r.id)) else {
            continue;
        };
        let mut above = Some(whole);
        let mut passed = BTreeSet::new();
        while let Some(order) = above.filter(|order| passed.insert(order.id)) {
            above = within.get(order.reference.as_str()).copied();
        }
        if !passed.contains(&request.id) && passed.len() < CHAIN_MAX {
            within.insert(request.reference.as_str(), whole);
        }
    }
    within
}

struct Chains<'c, 'a> {
    workflow: &'c Workflow<'a>,
    passed_on: &'c HashMap<&'a str, Vec<&'a Shown>>,
    policy: &'c FindingPolicy,
}

impl<'a> Chains<'_, 'a> {
    /// Where an order stands; `None` if it is no loop. Chains have no circles.
    fn standing(&self, request: &'a Shown) -> Option<Standing<'a>> {
        let intent = request.body.get("intent").and_then(Value::as_str);
        let recurs = request.body.get("occurrenceTiming").is_some_and(Value::is_object);
        if matches!(intent, Some("proposal" | "plan" | "option")) || recurs {
            return None;
        }
        let legs = self.passed_on.get(request.reference.as_str()).into_iter().flatten();
        let legs: Vec<Standing<'_>> = legs.filter_map(|leg| self.standing(leg)).collect();
        let tasks = self.workflow.fulfilling(request);
        let is_referral = self.policy.is_referral(&request.body);
        if tasks.is_empty() && legs.is_empty() && !is_referral {
            return None;
        }
        let task = furthest(&tasks);
        let of_task = |task: &'a Shown| {
            let stage = Stage::of_task(task, status(task))?;
            Some(Standing { stage, since: since(task), told_by: Some(task) })
        };
        let ended = |stage| {
            let since = task.and_then(since);
            Some(Standing { stage, since, told_by: None })
        };
        match status(request) {
            "active" => {}
            "on-hold" => {
                return Some(Standing { stage: Stage::OnHold, since: None, told_by: None });
            }
            "completed" => return ended(Stage::Closed),
            "revoked" => return ended(Stage::Revoked),
            // It may be over: only a task says that it is not.
            "unknown" if task.is_some() => {}
            _ => return None,
        }
        let own = match task {
            Some(task) => of_task(task)?,
            None => {
                let since = request.body.get("authoredOn").and_then(last_day);
                Standing { stage: Stage::Unsent, since, told_by: None }
            }
        };
        Some(along(own, &legs))
    }
}

/// Where a loop stands that was passed on: as far as it has come.
fn along<'a>(own: Standing<'a>, legs: &[Standing<'a>]) -> Standing<'a> {
    if !own.stage.is_live() {
        return own;
    }
    let live = legs.iter().filter(|leg| leg.stage.is_live()).max_by_key(|leg| leg.stage);
    let done = |leg: &&Standing<'_>| {
        matches!(leg.stage, Stage::AwaitingClosure | Stage::Closed | Stage::DoneFurtherOn)
    };
    match (live, legs.iter().filter(done).max_by_key(|leg| leg.since)) {
        (Some(leg), _) if leg.stage > own.stage => *leg,
        (Some(_), _) | (None, None) => own,
        (None, Some(leg)) => Standing { stage: Stage::DoneFurtherOn, ..*leg },
    }
}

/// The task that tells the stage: an open one before one that was turned down, the one that is
/// furthest, then the one that moved last.
fn furthest<'t>(tasks: &[&'t Shown]) -> Option<&'t Shown> {
    let rank = |task: &Shown| match status(task) {
        "in-progress" => 8,
        "on-hold" => 7,
        "accepted" => 6,
        "ready" | "received" | "requested" => 5,
        "draft" => 4,
        "completed" => 3,
        "failed" | "rejected" | "cancelled" => 2,
        _ => 1,
    };
    // Of several that are equal in all this, the first in the order of keys.
    tasks.iter().rev().copied().max_by_key(|task| (rank(task), since(task), status(task)))
}

/// The day on which a task came to its present state.
pub(super) fn since(task: &Shown) -> Option<Date> {
    let of = |element: &str| task.body.get(element).and_then(last_day);
    of("lastModified").or_else(|| of("authoredOn"))
}

fn status(shown: &Shown) -> &str {
    shown.body.get("status").and_then(Value::as_str).unwrap_or("unknown")
}

fn last_day(value: &Value) -> Option<Date> {
    parse_moment(value.as_str()?).map(|m| m.last_day)
}
