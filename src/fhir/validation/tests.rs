//! Faults made one by one in resources that are right: each is told with its place and its rule.
#![expect(clippy::unwrap_used, reason = "test")]

use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::json;

use super::*;

static VALIDATOR: LazyLock<Validator> = LazyLock::new(|| Validator::new().unwrap());

fn errors(resource: &Value) -> Vec<(String, String)> {
    let findings = VALIDATOR.validate(&resource.to_string(), resource, &[]);
    let errors = findings.into_iter().filter(|f| f.severity == Severity::Error);
    errors.map(|f| (f.rule, f.expression)).collect()
}

/// The right resources, by type.
fn right(kind: &str) -> Value {
    let subject = json!({"reference": "Patient/1"});
    let mut resource = match kind {
        "Patient" => json!({"name": [{"use": "official", "family": "Roe", "given": ["Jo"],
                "period": {"start": "2001-02", "end": "2010"}}],
            "telecom": [{"system": "phone", "value": "555", "use": "home"}],
            "identifier": [{"system": "http://a.example", "value": "1"}],
            "gender": "female", "birthDate": "1970-02-28", "active": true,
            "contact": [{"name": {"text": "Al"}}],
            "address": [{"use": "home", "line": ["1 Main St"], "city": "Erie"}]}),
        "Goal" => json!({"lifecycleStatus": "active", "description": {"text": "Walk"},
            "target": [{"measure": {"text": "steps"}, "detailQuantity": {"value": 5000},
                "dueDate": "2024-05-01"}],
            "addresses": [{"reference": "Condition/1"}]}),
        "CarePlan" => json!({"status": "active", "intent": "plan",
            "goal": [{"reference": "Goal/1"}], "careTeam": [{"reference": "CareTeam/1"}],
            "period": {"start": "2024-01-01", "end": "2024-06-30"},
            "activity": [{"reference": {"reference": "ServiceRequest/1"}},
                {"detail": {"kind": "Task", "status": "not-started"}}]}),
        "Task" => json!({"status": "requested", "intent": "order",
            "authoredOn": "2024-01-01T10:00:00Z", "lastModified": "2024-01-02T10:00:00Z",
            "focus": {"reference": "ServiceRequest/1"},
            "owner": {"reference": "Organization/1"}}),
        "ServiceRequest" => json!({"status": "active", "intent": "order",
            "code": {"text": "Food"}, "authoredOn": "2024-01-01",
            "requester": {"reference": "Practitioner/1"}}),
        "Condition" => json!({"code": {"text": "Diabetes"},
            "clinicalStatus": {"coding": [{"code": "active",
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical"}]},
            "stage": [{"summary": {"text": "II"}}], "onsetDateTime": "2019"}),
        "Observation" => json!({"status": "final", "code": {"coding": [{
                "system": "http://loinc.org", "code": "4548-4"}]},
            "valueQuantity": {"value": 7.1, "unit": "%", "code": "%",
                "system": "http://unitsofmeasure.org"},
            "referenceRange": [{"low": {"value": 4}, "high": {"value": 6}}]}),
        "CareTeam" => json!({"status": "active",
            "participant": [{"member": {"reference": "Practitioner/1"}}]}),
        "Encounter" => json!({"status": "finished", "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "period": {"start": "2024-01-01", "end": "2024-01-02"}}),
        "MedicationRequest" => json!({"status": "active", "intent": "order",
            "medicationCodeableConcept": {"text": "Metformin"},
            "dosageInstruction": [{"timing": {"repeat": {"frequency": 2, "period": 1,
                "periodUnit": "d"}}}]}),
        "DocumentReference" => json!({"status": "current",
            "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}]}),
        "Provenance" => json!({"recorded": "2024-01-01T10:00:00Z",
            "target": [{"reference": "Goal/1"}],
            "agent": [{"who": {"reference": "Practitioner/1"}}]}),
        _ => json!({}),
    };
    resource["resourceType"] = json!(kind);
    let place = match kind {
        "Patient" | "Provenance" => None,
        "Task" => Some("for"),
        _ => Some("subject"),
    };
    if let Some(place) = place {
        resource[place] = subject;
    }
    resource["text"] = json!({"status": "generated",
        "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">A <b>note</b></div>"});
    resource
}

/// What to change (a JSON pointer and the new value; `null` takes it out), and what must be told.
type Fault = (&'static str, &'static str, Value, &'static str, &'static str);

fn faults_of_shape() -> Vec<Fault> {
    vec![
        ("Patient", "/colour", json!("red"), "structure", "Patient.colour"),
        ("Patient", "/active", json!("yes"), "structure", "Patient.active"),
        ("Patient", "/name", json!({"family": "Roe"}), "structure", "Patient.name"),
        ("Patient", "/gender", json!(["female"]), "structure", "Patient.gender"),
        ("Patient", "/birthDate", json!("1970-02-30"), "value", "Patient.birthDate"),
        ("Patient", "/birthDate", json!("28.2.1970"), "value", "Patient.birthDate"),
        ("Patient", "/id", json!("a b"), "value", "Patient.id"),
        ("Patient", "/gender", json!("woman"), "binding", "Patient.gender"),
        ("Patient", "/telecom/0/system", json!("pigeon"), "binding", "Patient.telecom[0].system"),
        ("Patient", "/address/0/use", json!("den"), "binding", "Patient.address[0].use"),
        ("Patient", "/contact/0/relation", json!("x"), "structure", "Patient.contact[0].relation"),
        ("Patient", "/deceasedBoolean", json!("no"), "structure", "Patient.deceasedBoolean"),
        ("Goal", "/lifecycleStatus", Value::Null, "cardinality", "Goal.lifecycleStatus"),
        ("Goal", "/description", Value::Null, "cardinality", "Goal.description"),
        ("Goal", "/subject", Value::Null, "cardinality", "Goal.subject"),
        ("Goal", "/lifecycleStatus", json!("doing"), "binding", "Goal.lifecycleStatus"),
        ("Goal", "/target/0/dueDate", json!("2024-13-01"), "value", "Goal.target[0].dueDate"),
        ("CarePlan", "/intent", json!("dream"), "binding", "CarePlan.intent"),
        ("CarePlan", "/intent", Value::Null, "cardinality", "CarePlan.intent"),
        ("CarePlan", "/status", json!(5), "structure", "CarePlan.status"),
        (
            "CarePlan",
            "/activity/1/detail/status",
            Value::Null,
            "cardinality",
            "CarePlan.activity[1].detail.status",
        ),
        (
            "CarePlan",
            "/activity/1/detail/kind",
            json!("Chore"),
            "binding",
            "CarePlan.activity[1].detail.kind",
        ),
        ("Task", "/status", json!("done"), "binding", "Task.status"),
        ("Task", "/intent", Value::Null, "cardinality", "Task.intent"),
        ("ServiceRequest", "/intent", json!("wish"), "binding", "ServiceRequest.intent"),
        ("ServiceRequest", "/authoredOn", json!("soon"), "value", "ServiceRequest.authoredOn"),
        ("Encounter", "/class", Value::Null, "cardinality", "Encounter.class"),
        ("Encounter", "/status", json!("over"), "binding", "Encounter.status"),
        ("Observation", "/code", Value::Null, "cardinality", "Observation.code"),
        (
            "Observation",
            "/valueQuantity/value",
            json!("7.1"),
            "structure",
            "Observation.valueQuantity.value",
        ),
        ("Observation", "/valueString", json!("x"), "structure", "Observation.value[x]"),
        ("DocumentReference", "/content", Value::Null, "cardinality", "DocumentReference.content"),
        ("Provenance", "/agent", json!([]), "cardinality", "Provenance.agent"),
        ("Provenance", "/recorded", json!("2024-01-01"), "value", "Provenance.recorded"),
    ]
}

fn faults_of_rules() -> Vec<Fault> {
    let script = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>a()</script></div>";
    let click = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><p onclick=\"a()\">x</p></div>";
    let link = "<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"javascript:a()\">x</a></div>";
    let empty = "<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>";
    let in_error = json!({"coding": [{"code": "entered-in-error",
        "system": "http://terminology.hl7.org/CodeSystem/condition-ver-status"}]});
    vec![
        ("Patient", "/name/0/period/end", json!("1999"), "per-1", "Patient.name[0].period"),
        ("CarePlan", "/period/end", json!("2023-12-31"), "per-1", "CarePlan.period"),
        ("Patient", "/telecom/0/system", Value::Null, "cpt-2", "Patient.telecom[0]"),
        ("Patient", "/contact/0", json!({"gender": "male"}), "pat-1", "Patient.contact[0]"),
        (
            "Patient",
            "/name/0/extension",
            json!([{"url": "http://x"}]),
            "ext-1",
            "Patient.name[0].extension[0]",
        ),
        (
            "Patient",
            "/contained",
            json!([{"resourceType": "Organization", "id": "o",
            "name": "O"}]),
            "dom-3",
            "Patient",
        ),
        (
            "Goal",
            "/contained",
            json!([{"resourceType": "Condition", "id": "c",
            "subject": {"reference": "#"}, "meta": {"versionId": "1"}}]),
            "dom-4",
            "Goal",
        ),
        (
            "Patient",
            "/managingOrganization",
            json!({"reference": "#none"}),
            "ref-1",
            "Patient.managingOrganization",
        ),
        ("Patient", "/text/div", json!(script), "txt-1", "Patient.text.div"),
        ("Goal", "/text/div", json!(click), "txt-1", "Goal.text.div"),
        ("Task", "/text/div", json!(link), "txt-1", "Task.text.div"),
        ("Goal", "/text/div", json!(empty), "txt-2", "Goal.text.div"),
        ("Goal", "/target/0/measure", Value::Null, "gol-1", "Goal.target[0]"),
        (
            "CarePlan",
            "/activity/0/detail",
            json!({"status": "completed"}),
            "cpl-3",
            "CarePlan.activity[0]",
        ),
        ("Task", "/lastModified", json!("2023-01-01T00:00:00Z"), "inv-1", "Task"),
        ("ServiceRequest", "/orderDetail", json!([{"text": "x"}]), "", ""),
        ("Condition", "/abatementDateTime", json!("2020"), "con-4", "Condition"),
        ("Condition", "/verificationStatus", in_error, "con-5", "Condition"),
        ("Condition", "/stage/0", json!({"type": {"text": "x"}}), "con-1", "Condition.stage[0]"),
        ("Observation", "/dataAbsentReason", json!({"text": "x"}), "obs-6", "Observation"),
        (
            "Observation",
            "/component",
            json!([{"valueInteger": 1, "code": {"coding": [{
            "system": "http://loinc.org", "code": "4548-4"}]}}]),
            "obs-7",
            "Observation",
        ),
    ]
}

fn faults_of_more_rules() -> Vec<Fault> {
    vec![
        ("Goal", "/text/div", json!("<"), "txt-1", "Goal.text.div"),
        (
            "Observation",
            "/referenceRange/0",
            json!({"type": {"text": "x"}}),
            "obs-3",
            "Observation.referenceRange[0]",
        ),
        ("Observation", "/valueQuantity/system", Value::Null, "qty-3", "Observation.valueQuantity"),
        (
            "CareTeam",
            "/participant/0",
            json!({"member": {"reference": "Patient/1"},
            "onBehalfOf": {"reference": "Organization/1"}}),
            "ctm-1",
            "CareTeam.participant[0]",
        ),
        (
            "MedicationRequest",
            "/dosageInstruction/0/timing/repeat/periodUnit",
            Value::Null,
            "tim-2",
            "MedicationRequest.dosageInstruction[0].timing.repeat",
        ),
        (
            "DocumentReference",
            "/content/0/attachment/contentType",
            Value::Null,
            "att-1",
            "DocumentReference.content[0].attachment",
        ),
        (
            "Goal",
            "/subject",
            json!({"reference": "Practitioner/1"}),
            "reference-target",
            "Goal.subject",
        ),
        (
            "CarePlan",
            "/goal/0",
            json!({"reference": "https://a.example/fhir/Task/1"}),
            "reference-target",
            "CarePlan.goal[0]",
        ),
        (
            "CarePlan",
            "/activity/0/reference",
            json!({"reference": "Patient/1"}),
            "reference-target",
            "CarePlan.activity[0].reference",
        ),
        (
            "Provenance",
            "/agent/0/who",
            json!({"type": "Goal", "display": "x"}),
            "reference-target",
            "Provenance.agent[0].who",
        ),
        ("Patient", "/name/0", json!({"id": "n"}), "ele-1", "Patient.name[0]"),
    ]
}

/// Sets the value at a pointer, or takes it out.
fn changed(resource: &Value, pointer: &str, value: &Value) -> Value {
    let mut changed = resource.clone();
    let (above, name) = pointer.rsplit_once('/').unwrap();
    match (changed.pointer_mut(above).unwrap(), name.parse::<usize>()) {
        (Value::Array(items), Ok(at)) => items[at] = value.clone(),
        (Value::Object(members), _) if value.is_null() => {
            members.shift_remove(name).unwrap();
        }
        (Value::Object(members), _) => {
            members.insert(name.to_owned(), value.clone());
        }
        _ => panic!("{pointer} leads nowhere"),
    }
    changed
}

#[test]
fn each_of_sixty_faults_is_told_with_its_place_and_rule() {
    let shapes = faults_of_shape();
    let rules = [faults_of_rules(), faults_of_more_rules()].concat();
    assert!(shapes.len() + rules.len() >= 60, "{} {}", shapes.len(), rules.len());
    let mut missed = Vec::new();
    for (kind, pointer, value, rule, expression) in shapes.into_iter().chain(rules) {
        let fine = right(kind);
        assert_eq!(errors(&fine), [], "{kind}");
        let found = errors(&changed(&fine, pointer, &value));
        // Without a rule: what looks like a fault and is none.
        let wanted: Vec<_> = match rule {
            "" => Vec::new(),
            rule => vec![(rule.to_owned(), expression.to_owned())],
        };
        // One fault may be told of an element and of the choice it is one of.
        let is_told = wanted.iter().all(|w| found.contains(w)) && found.len() <= wanted.len() * 2;
        if !is_told {
            missed.push(format!("{kind}{pointer}: {found:?}, wanted {wanted:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn what_stands_in_others_is_validated_with_its_own_place() {
    let wrong = changed(&right("Goal"), "/target/0/measure", &Value::Null);
    let bundle = json!({"resourceType": "Bundle", "type": "collection",
        "entry": [{"fullUrl": "http://a.example/Goal/1", "resource": wrong}]});
    assert_eq!(
        errors(&bundle),
        [("gol-1".to_owned(), "Bundle.entry[0].resource.target[0]".to_owned())]
    );
    let mut plan = changed(&right("CarePlan"), "/goal/0", &json!({"reference": "#g"}));
    let mut inner = wrong;
    inner["id"] = json!("g");
    inner.as_object_mut().unwrap().shift_remove("text");
    plan["contained"] = json!([inner]);
    assert_eq!(errors(&plan), [("gol-1".to_owned(), "CarePlan.contained[0].target[0]".to_owned())]);
}

#[test]
fn hostile_resources_are_told_of_in_no_time() {
    let deep = (0..30).fold(json!({"url": "u"}), |inner, _| json!({"extension": [inner]}));
    let resource = json!({"resourceType": "Basic", "extension": [deep]});
    assert!(!errors(&resource).is_empty());
    let many: Vec<Value> =
        (0..3000).map(|n| json!({"resourceType": "Basic", "id": format!("b{n}")})).collect();
    let wide = json!({"resourceType": "Patient", "contained": many});
    assert!(!errors(&wide).is_empty());
}

proptest! {
    #[test]
    fn any_text_is_validated(text in "\\PC{0,80}|[{}\\[\\]\":,a-z0-9]{0,80}") {
        let value = serde_json::from_str(&text).unwrap_or(Value::Null);
        let _ = VALIDATOR.validate(&text, &value, &["http://x"]);
    }

    #[test]
    fn any_value_of_any_member_is_validated(
        kind in proptest::sample::select(vec!["Patient", "Goal", "Task", "Observation"]),
        name in proptest::sample::select(vec!["text", "contained", "extension", "identifier",
            "target", "subject", "period", "valueQuantity", "telecom", "_status", "meta"]),
        text in concat!(
            "[{}\\[\\]\":,a-z0-9#]{0,14}|",
            "\\[?\\{\"(div|url|reference|value|id)\":(null|1|\"[#a<>/]{0,6}\"|\\{\\})\\}\\]?",
        )
    ) {
        let mut resource = right(kind);
        resource[name] = serde_json::from_str(&text).unwrap_or(Value::Null);
        let _ = VALIDATOR.validate(&resource.to_string(), &resource, &[]);
    }
}
