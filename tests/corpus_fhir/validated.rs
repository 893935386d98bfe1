//! Validation of the official examples: what is right is told to be right.

use std::collections::BTreeMap;

use std::time::Instant;

use careweave::fhir::{Finding, Severity, Validator};
use careweave::files::{PackageBounds, read_package};
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

/// The validator that knows US Core 6.1.0, if the package is there.
fn us_core() -> Option<Validator> {
    let package = folder("01-")?.join("us_core_610.tgz");
    let texts = read_package(&package, &PackageBounds::default()).unwrap();
    let started = Instant::now();
    let validator = Validator::with_definitions(&texts).unwrap();
    println!("{} profiles compiled in {:?}", validator.profiles_known(), started.elapsed());
    Some(validator)
}

#[test]
fn every_profile_of_us_core_is_compiled() {
    let Some(validator) = us_core() else { return };
    assert_eq!(validator.refused(), [""; 0]);
    assert!(validator.profiles_known() > 40);
}

#[test]
fn examples_of_us_core_keep_the_profiles_they_claim() {
    let (Some(folder), Some(validator)) = (folder("03-"), us_core()) else { return };
    let mut wrong = Vec::new();
    let mut untold = BTreeMap::<String, usize>::new();
    let (mut count, mut spent) = (0_u32, std::time::Duration::ZERO);
    for (file, text) in resources(&folder) {
        let value: Value = serde_json::from_slice(&text).unwrap();
        let text = std::str::from_utf8(&text).unwrap();
        let started = Instant::now();
        let findings = validator.validate(text, &value, &[]);
        spent += started.elapsed();
        count += 1;
        let is_care = CARE_TYPES.contains(&value["resourceType"].as_str().unwrap_or_default());
        for finding in findings {
            let Finding { severity, rule, expression, text, .. } = finding;
            if severity == Severity::Information {
                *untold.entry(text).or_default() += 1;
            } else if severity == Severity::Error {
                println!("  {file}: {rule} {expression}: {text}");
                if is_care {
                    wrong.push(format!("{file}: {rule} {expression}"));
                }
            }
        }
    }
    println!("{count} resources, {:?} each; not checked: {untold:#?}", spent / count);
    wrong.retain(|line| !WRONG.contains(&line.as_str()));
    assert_eq!(wrong, [""; 0]);
}
