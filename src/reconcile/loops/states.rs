//! The state machine of a Task that fulfils a referral, and who may set what, as the policy has
//! it (`task_states` in `profiles/policy.json`).
//! <https://hl7.org/fhir/R4/task.html#statemachine>

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// Which status follows which, and who may set it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct TaskStates {
    #[expect(dead_code, reason = "read by people")]
    source: String,
    /// Status → those that may follow it.
    next: BTreeMap<String, BTreeSet<String>>,
    /// Status → who may set it.
    set_by: BTreeMap<String, BTreeSet<Actor>>,
}

/// A party of a referral.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in super::super) enum Actor {
    /// Who asked for it.
    Requester,
    /// Who does it.
    Owner,
}

impl TaskStates {
    /// Whether a status can have come after another, by one or by several steps: a gateway that
    /// asks now and then does not see every step.
    pub(in super::super) fn leads_to(&self, from: &str, to: &str) -> bool {
        let mut reached = BTreeSet::from([from]);
        let mut ahead = vec![from];
        while let Some(status) = ahead.pop() {
            let next = self.next.get(status).into_iter().flatten();
            ahead.extend(next.map(String::as_str).filter(|status| reached.insert(status)));
        }
        reached.contains(to)
    }

    /// Whether the machine has this status at all.
    pub(in super::super) fn knows(&self, status: &str) -> bool {
        self.next.contains_key(status)
    }

    /// Whether a party may set a status.
    pub(in super::super) fn may_set(&self, actor: Actor, status: &str) -> bool {
        self.set_by.get(status).is_some_and(|actors| actors.contains(&actor))
    }

    /// Says what is wrong with it.
    pub(in super::super) fn check(&self) -> Result<(), String> {
        let named = self.next.values().flatten().chain(self.set_by.keys());
        match named.into_iter().find(|status| !self.next.contains_key(*status)) {
            Some(status) => {
                Err(format!("policy: task_states.next has no line for {status:?}; add one"))
            }
            None => Ok(()),
        }
    }
}
