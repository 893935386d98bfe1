//! The CapabilityStatement of a simulated server, made from what it holds.
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use serde_json::{Value, json};

use super::SimulatorOptions;
use super::holdings::Holdings;

pub(super) fn statement(
    options: &SimulatorOptions,
    holdings: &Holdings,
    base: &str,
    fhir_version: &str,
) -> Value {
    let mut resources = Vec::new();
    for (resource_type, shelf) in holdings.shelves() {
        let mut params = vec![
            json!({"name": "_id", "type": "token"}),
            json!({"name": "_lastUpdated", "type": "date"}),
            json!({"name": "identifier", "type": "token"}),
        ];
        let name = resource_type.name();
        if shelf.of_patients() && name != "Patient" {
            let note = "required; a search without it is refused with 400";
            for param in ["patient", "subject"] {
                let mut entry = json!({"name": param, "type": "reference"});
                if options.require_patient {
                    entry["documentation"] = note.into();
                }
                params.push(entry);
            }
        }
        let mut resource = json!({
            "type": name,
            "interaction": [{"code": "read"}, {"code": "vread"}, {"code": "search-type"}],
            "searchParam": params,
        });
        if name == "Patient" && options.everything {
            resource["operation"] = json!([{
                "name": "everything",
                "definition": "http://hl7.org/fhir/OperationDefinition/Patient-everything",
            }]);
        }
        resources.push(resource);
    }
    let mut rest = json!({"mode": "server"});
    if !resources.is_empty() {
        rest["resource"] = resources.into();
    }
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-01-01",
        "kind": "instance",
        "software": {"name": "careweave simulator", "version": env!("CARGO_PKG_VERSION")},
        "implementation": {"description": options.name, "url": base},
        "fhirVersion": fhir_version,
        "format": ["json"],
        "rest": [rest],
    })
}
