//! Validation of the official examples: what is right is told to be right.

use std::collections::BTreeMap;

use careweave::fhir::{Severity, Validator};
use serde_json::Value;

use crate::{folder, resources};

/// Types whose examples must have no error.
const CARE_TYPES: [&str; 22] = [
    "AllergyIntolerance",
    "CarePlan",
    "CareTeam",
    "Communication",
    "Condition",
    "Coverage",
    "Device",
    "DiagnosticReport",
    "DocumentReference",
    "Encounter",
    "Goal",
    "Immunization",
    "Location",
    "MedicationRequest",
    "Observation",
    "Organization",
    "Patient",
    "Practitioner",
    "Procedure",
    "Provenance",
    "ServiceRequest",
    "Task",
];

const WRONG: [&str; 2] = [
    concat!(
        "MedicationRequest-medrx0301.json: reference-target ",
        "MedicationRequest.dispenseRequest.performer"
    ),
    "Observation-clinical-gender.json: reference-target Observation.performer[0]",
];

#[test]
fn official_examples_break_no_rule_of_r4() {
    let validator = Validator::new().unwrap();
    for prefix in ["02-", "03-"] {
        let Some(folder) = folder(prefix) else { return };
        let mut rules: BTreeMap<String, usize> = BTreeMap::new();
        let mut care = Vec::new();
        let all = resources(&folder);
        for (file, text) in &all {
            let value: Value = serde_json::from_slice(text).unwrap();
            let kind = value["resourceType"].as_str().unwrap_or_default().to_owned();
            let findings = validator.validate(std::str::from_utf8(text).unwrap(), &value, &[]);
            for finding in findings.iter().filter(|f| f.severity == Severity::Error) {
                *rules.entry(finding.rule.clone()).or_default() += 1;
                println!("  {file}: {} {}: {}", finding.rule, finding.expression, finding.text);
                if CARE_TYPES.contains(&kind.as_str()) {
                    care.push(format!("{file}: {} {}", finding.rule, finding.expression));
                }
            }
        }
        println!("{prefix}: {} resources, errors by rule: {rules:?}", all.len());
        // Two examples are wrong: R4 has the performer of a dispense be an Organization, and no
        // Encounter perform an Observation.
        care.retain(|line| !WRONG.contains(&line.as_str()));
        assert_eq!(care, [""; 0]);
    }
}
