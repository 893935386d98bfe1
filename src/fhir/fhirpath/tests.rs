//! What is refused, what is bounded, and that nothing panics. What it can do is told by the suite
//! of the specification (`tests/corpus_fhir`) and by the rules of R4 (`validation`).
#![expect(clippy::unwrap_used, reason = "test")]

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fhir::r4;

fn patient() -> Value {
    json!({"resourceType": "Patient", "birthDate": "1970-01-01", "active": true,
        "name": [{"family": "Roe", "given": ["Jo", "Al"]}], "multipleBirthInteger": 2,
        "managingOrganization": {"reference": "Organization/1"},
        "contained": [{"resourceType": "Organization", "id": "o", "name": "O"}]})
}

fn texts(expression: &str) -> Result<Vec<String>, String> {
    let found = FhirPath::parse(expression)?.evaluate(&patient(), None);
    Ok(found.map_err(|f| f.to_string())?.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn paths_operators_and_functions_work_together() {
    let cases = [
        ("name.given.where($this != 'Jo')", vec!["Al"]),
        ("multipleBirth is integer and multipleBirth > 1", vec!["true"]),
        ("name.select(given.first() & ' ' & family)", vec!["Jo Roe"]),
        ("birthDate < @1970-06", vec!["true"]),
        ("birthDate + 1 month", vec!["1970-02-01"]),
        ("managingOrganization.resolve() is Organization", vec!["true"]),
        ("contained.where('#' + id = '#o').name", vec!["O"]),
        ("name.given.count() in (1 | 2)", vec!["true"]),
        ("name.family.matches('^R.e$')", vec!["true"]),
        ("{} or true", vec!["true"]),
    ];
    for (expression, wanted) in cases {
        assert_eq!(texts(expression).unwrap(), wanted, "{expression}");
    }
}

#[test]
fn what_is_not_understood_is_refused_when_parsed_and_named() {
    for (expression, named) in [
        ("name.frobnicate()", "frobnicate"),
        ("name.first(1)", "first"),
        ("name.", "name"),
        ("name and", "ends"),
        ("'a", "quote"),
        ("@2015-13", "date"),
        ("name ? 1", "sign"),
        ("name.matches('(')", "pattern"),
    ] {
        let error = FhirPath::parse(expression).unwrap_err();
        assert!(error.contains(named), "{expression}: {error}");
    }
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(FhirPath::parse(&deep).unwrap_err().contains("levels"));
    assert!(FhirPath::parse(&"a.".repeat(9000)).unwrap_err().contains("levels"));
    assert!(FhirPath::parse(&"- ".repeat(9000)).unwrap_err().contains("levels"));
}

#[test]
fn what_cannot_be_decided_is_a_fault_and_no_false() {
    for expression in [
        "managingOrganization.resolve().name = 'O'",
        "name.memberOf('http://a.example/ValueSet/x')",
        "conformsTo('http://a.example/StructureDefinition/x')",
        "now() > birthDate",
        "name.given.single()",
    ] {
        assert!(texts(expression).is_err(), "{expression}");
    }
    let bomb = "(1|2|3|4|5|6|7|8|9).repeat($this + 1)";
    assert!(texts(bomb).unwrap_err().contains("steps"));
}

#[test]
fn every_invariant_of_r4_that_is_listed_parses() {
    let facts = r4::facts();
    assert!(facts.invariants.len() > 90 && !facts.references.is_empty());
    for invariant in &facts.invariants {
        FhirPath::parse(&invariant.expression).unwrap();
    }
    assert_eq!(r4::primitive("CarePlan.activity.detail.status"), Some("code"));
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused(text in "\\PC{0,60}|[a-z.()|$%@'0-9 =<>-]{0,60}") {
        if let Ok(expression) = FhirPath::parse(&text) {
            let _ = expression.evaluate(&patient(), Some("2024-01-01T00:00:00Z"));
        }
    }

    #[test]
    fn any_chain_of_functions_is_evaluated(parts in proptest::collection::vec(
        proptest::sample::select(vec!["name", "given", "first()", "count()", "children()",
            "descendants()", "toString()", "toInteger()", "not()", "length()", "substring(1)",
            "birthDate", "+ 1 day", "* 3", "/ 0", "| 4", "= {}", "abs()", "lowBoundary()",
            "highBoundary(20)", "power(99)", "exp()", "resolve()", "type()", "toQuantity()"]),
        0..8)) {
        let text = parts.join(".").replace(".+", " +").replace(".*", " *").replace("./", " /")
            .replace(".|", " |").replace(".=", " =");
        if let Ok(expression) = FhirPath::parse(&text) {
            let _ = expression.evaluate(&patient(), None);
        }
    }
}
