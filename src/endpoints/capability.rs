//! What an endpoint says it can do.
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use serde_json::Value;

use super::outcome::PullError;
use crate::fhir::ResourceType;
use crate::flow::PERSON_TYPES;
use crate::net::{Base, Fetcher};

/// What is pulled, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Capability {
    /// Types to pull, in the order of their names.
    pub(super) types: Vec<Offered>,
    /// Types that are offered and not pulled.
    pub(super) left_out: Vec<ResourceType>,
    /// `Patient/{id}/$everything` is offered.
    pub(super) everything: bool,
}

/// One type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offered {
    pub(super) resource_type: ResourceType,
    /// The search parameter that names a patient, if there is one.
    pub(super) by_patient: Option<&'static str>,
}

/// What the FHIR machinery itself is made of, and what says nothing about care.
const NOT_PULLED: [&str; 24] = [
    "AuditEvent",
    "Binary",
    "Bundle",
    "CapabilityStatement",
    "CodeSystem",
    "CompartmentDefinition",
    "ConceptMap",
    "ExampleScenario",
    "GraphDefinition",
    "ImplementationGuide",
    "MessageDefinition",
    "MessageHeader",
    "NamingSystem",
    "OperationDefinition",
    "OperationOutcome",
    "Parameters",
    "SearchParameter",
    "StructureDefinition",
    "StructureMap",
    "Subscription",
    "TerminologyCapabilities",
    "TestReport",
    "TestScript",
    "ValueSet",
];

/// Parameters that name a patient, the best first.
const BY_PATIENT: [&str; 3] = ["patient", "subject", "beneficiary"];

/// Asks an endpoint for its CapabilityStatement.
pub(super) async fn check(fetcher: &Fetcher, base: &Base) -> Result<Capability, PullError> {
    let url = base.join(&["metadata"], &[]);
    let fetched = fetcher.get(&url, super::walk::ACCEPT).await?;
    if !fetched.status.is_success() {
        return Err(PullError::Status(fetched.status.as_u16()));
    }
    read(&fetched.body)
}

fn read(body: &[u8]) -> Result<Capability, PullError> {
    let statement: Value = serde_json::from_slice(body).map_err(|_| PullError::NotCapability)?;
    if text(&statement, "resourceType") != "CapabilityStatement" {
        return Err(PullError::NotCapability);
    }
    let version = text(&statement, "fhirVersion");
    if version != "4.0" && !version.starts_with("4.0.") {
        let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        return Err(PullError::Version(version.chars().filter(plain).take(20).collect()));
    }
    let servers = list(&statement, "rest").filter(|rest| text(rest, "mode") != "client");
    let mut capability = Capability { types: Vec::new(), left_out: Vec::new(), everything: false };
    for resource in servers.flat_map(|rest| list(rest, "resource")) {
        let Some(resource_type) = ResourceType::parse(text(resource, "type")) else { continue };
        if resource_type.name() == "Patient" {
            capability.everything |= list(resource, "operation").any(is_everything);
        }
        let searchable = list(resource, "interaction").any(|i| text(i, "code") == "search-type");
        if searchable && NOT_PULLED.contains(&resource_type.name()) {
            capability.left_out.push(resource_type);
        } else if searchable {
            let by_patient = by_patient(resource_type, resource);
            capability.types.push(Offered { resource_type, by_patient });
        }
    }
    capability.left_out.sort();
    capability.left_out.dedup();
    capability.types.sort_by_key(|offered| offered.resource_type);
    capability.types.dedup_by_key(|offered| offered.resource_type);
    if capability.types.is_empty() {
        return Err(PullError::NothingOffered);
    }
    Ok(capability)
}

fn is_everything(operation: &Value) -> bool {
    let name = text(operation, "name").trim_start_matches('$');
    name == "everything"
        || name == "patient-everything"
        || text(operation, "definition").ends_with("/Patient-everything")
}

fn by_patient(resource_type: ResourceType, resource: &Value) -> Option<&'static str> {
    let offered = |name: &&str| list(resource, "searchParam").any(|p| text(p, "name") == *name);
    let silent = list(resource, "searchParam").next().is_none();
    if resource_type.name() == "Patient" {
        return None;
    }
    let found = BY_PATIENT.into_iter().find(offered);
    // A server that lists no parameters at all may still have the standard ones.
    found.or_else(|| (silent && PERSON_TYPES.contains(&resource_type.name())).then_some("patient"))
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value.get(name).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_offered_is_pulled_or_named() {
        let searchable =
            |name: &str| json!({ "type": name, "interaction": [{ "code": "search-type" }] });
        let statement = json!({
            "resourceType": "CapabilityStatement", "fhirVersion": "4.0.1",
            "rest": [{ "mode": "server", "resource": [
                searchable("ValueSet"), searchable("Goal"), searchable("Binary"),
                searchable("Goal"), { "type": "Task" }, searchable("NoSuchType"),
            ]}],
        });
        let found = read(statement.to_string().as_bytes()).unwrap();
        let pulled: Vec<&str> = found.types.iter().map(|t| t.resource_type.name()).collect();
        let left_out: Vec<&str> = found.left_out.iter().map(|kind| kind.name()).collect();
        assert_eq!((pulled, left_out), (vec!["Goal"], vec!["Binary", "ValueSet"]));
    }
}
