//! The part of the policy that findings go by: how many days, which codes.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::compare::clinical_text;
use crate::flow::Token;

/// Days and codes of the finding rules (`findings` in `profiles/policy.json`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FindingPolicy {
    /// Open orders of one test this many days apart, or fewer, are duplicates.
    pub(super) duplicate_order_days: u16,
    /// Active prescriptions of one ingredient this many days apart, or fewer, are duplicates.
    pub(super) duplicate_therapy_days: u16,
    /// How long a referral loop may stay at a stage.
    pub(super) loop_days: LoopDays,
    /// Within how many days of a discharge somebody has to see the patient.
    pub(super) follow_up_days: u16,
    /// Within how many days of a discharge the medications have to be reconciled.
    pub(super) reconciliation_days: u16,
    /// How long a discharge without follow-up or reconciliation is told; nobody acts on an older
    /// one.
    pub(super) transition_look_back_days: u16,
    /// After how many days without a change an active plan is stale.
    pub(super) stale_plan_days: u16,
    /// What an order that is a referral is coded as, `system|code`.
    referral_codes: BTreeSet<String>,
    /// What a reconciliation of medications is coded as, `system|code`.
    reconciliation_codes: BTreeSet<String>,
    /// Roles of one who manages the person's care, `system|code`.
    care_manager_roles: BTreeSet<String>,
    /// The same in words, for roles without code.
    care_manager_words: BTreeSet<String>,
    /// Encounter classes that end with a discharge.
    inpatient_classes: BTreeSet<String>,
    /// Encounter classes in which a follow-up takes place.
    follow_up_classes: BTreeSet<String>,
    /// Words after the ingredient of a drug that do not make it another one.
    salts: BTreeSet<String>,
}

/// Days at each stage of a referral loop.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct LoopDays {
    /// Ordered, and no task has been sent.
    pub(super) unsent: u16,
    /// Sent, and not answered.
    pub(super) sent: u16,
    /// Accepted, and not begun.
    pub(super) accepted: u16,
    /// Begun, and not completed.
    pub(super) in_progress: u16,
    /// Put on hold.
    pub(super) on_hold: u16,
}

/// The classes of encounters that rules look at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum EncounterKind {
    /// Ends with a discharge.
    Inpatient,
    /// A follow-up can take place in it.
    FollowUp,
    /// Neither.
    Other,
}

impl FindingPolicy {
    /// Says what cannot be meant.
    pub(super) fn check(&self) -> Result<(), String> {
        let followed = [
            ("follow_up_days", self.follow_up_days),
            ("reconciliation_days", self.reconciliation_days),
        ];
        for (name, days) in followed {
            if days >= self.transition_look_back_days {
                return Err(format!(
                    "policy: findings.{name} must be less than transition_look_back_days"
                ));
            }
        }
        Ok(())
    }

    /// Whether an order is a referral, by what is ordered or by the kind of order.
    pub(super) fn is_referral(&self, request: &Value) -> bool {
        let concepts = request.get("category").and_then(Value::as_array).into_iter().flatten();
        let mut codings = concepts
            .chain(request.get("code"))
            .filter_map(|concept| concept.get("coding")?.as_array())
            .flatten();
        codings.any(|coding| {
            let of = |name: &str| coding.get(name).and_then(Value::as_str).unwrap_or_default();
            self.referral_codes.contains(&format!("{}|{}", of("system"), of("code")))
        })
    }

    pub(super) fn is_reconciliation(&self, codes: &[Token]) -> bool {
        any_of(&self.reconciliation_codes, codes)
    }

    /// Whether a role, by a code (`system|code`) or by its name, is that of a care manager.
    pub(super) fn is_care_manager(
        &self,
        mut codes: impl Iterator<Item = String>,
        name: &str,
    ) -> bool {
        codes.any(|code| self.care_manager_roles.contains(&code))
            || self.care_manager_words.contains(&*clinical_text(name))
    }

    pub(super) fn encounter_kind(&self, classes: &[Token]) -> EncounterKind {
        let is = |set: &BTreeSet<String>| classes.iter().any(|t| set.contains(&*t.code));
        if is(&self.inpatient_classes) {
            EncounterKind::Inpatient
        } else if is(&self.follow_up_classes) {
            EncounterKind::FollowUp
        } else {
            EncounterKind::Other
        }
    }

    /// The ingredient of a drug, from its normalised name: the words before the first strength,
    /// without salts. What comes before it in hours (`24 hr metformin 500 mg`) is a release form.
    pub(super) fn ingredient(&self, drug: &str) -> Option<String> {
        let mut words = drug.split_whitespace().peekable();
        if words.peek().is_some_and(|w| is_number(w)) {
            words.next();
            words.next();
        }
        let named: Vec<&str> =
            words.take_while(|w| !is_number(w)).filter(|w| !self.salts.contains(*w)).collect();
        (!named.is_empty()).then(|| named.join(" "))
    }
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

fn any_of(set: &BTreeSet<String>, codes: &[Token]) -> bool {
    codes.iter().any(|t| set.contains(&format!("{}|{}", t.system, t.code)))
}

#[cfg(test)]
mod tests {
    use super::super::Policy;

    #[test]
    fn an_ingredient_is_what_stands_before_the_strength() {
        let policy = Policy::embedded();
        for (drug, ingredient) in [
            ("metformin 500 mg oral tablet", Some("metformin")),
            ("24 hr metformin hydrochloride 500 mg extended release tablet", Some("metformin")),
            ("lisinopril", Some("lisinopril")),
            ("81 mg", None),
        ] {
            assert_eq!(policy.findings().ingredient(drug).as_deref(), ingredient);
        }
    }
}
