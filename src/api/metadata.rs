//! The CapabilityStatement, made from the tables that serve.
//! <https://hl7.org/fhir/R4/capabilitystatement.html>

use axum::extract::State;
use axum::response::Response;
use serde_json::{Value, json};

use crate::fhir::ResourceType;
use crate::fhir::search::{ParameterKind, SearchParameter, SearchTable};

use super::call::Call;
use super::offer::Offer;
use super::respond::{self, Answer};
use super::{Api, body, served};

/// Parameters that every search takes.
const COMMON: [(&str, &str, &str); 2] = [
    ("_id", "token", "http://hl7.org/fhir/SearchParameter/Resource-id"),
    ("_lastUpdated", "date", "http://hl7.org/fhir/SearchParameter/Resource-lastUpdated"),
];

/// `GET /fhir/metadata`.
pub(super) async fn metadata(State(api): State<Api>, call: Call) -> Response {
    let statement = api.statement.get_or_init(|| {
        let began = api.began.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let (table, base) = (api.gateway.search_table(), api.gateway.public_base_url());
        statement(table, base, &began).to_string().into()
    });
    let answer = Answer::resource(statement.clone());
    let response = call.format().and_then(|format| answer.into_response(format, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}

/// The statement of a gateway with these search parameters.
pub(super) fn statement(table: &SearchTable, base: &str, date: &str) -> Value {
    let mut types: Vec<ResourceType> = served::types().collect();
    types.sort();
    let offer = Offer::new(base);
    let resources: Vec<Value> =
        types.into_iter().map(|resource_type| resource(table, &offer, resource_type)).collect();
    let definitions = json!({
        "type": "OperationDefinition",
        "interaction": [{ "code": "read" }, { "code": "search-type" }],
    });
    let codes = ["read", "search-type", "create", "update", "delete"];
    let groups = json!({
        "type": "Group",
        "documentation": "panels: a client changes its own; a search gives them without members",
        "interaction": codes.map(|code| json!({ "code": code })).to_vec(),
        "versioning": "versioned-update",
        "updateCreate": false,
        "searchParam": [
            { "name": "_id", "type": "token" }, { "name": "identifier", "type": "token" },
        ],
    });
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": { "name": "careweave", "version": env!("CARGO_PKG_VERSION") },
        "implementation": {
            "description": "one deduplicated view of every person over all configured endpoints",
            "url": format!("{base}/fhir"),
        },
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml", "json", "xml"],
        "patchFormat": [body::JSON_PATCH, body::MERGE_PATCH],
        "rest": [{
            "mode": "server",
            "documentation": "what a client writes is its claim, beside those of the providers, \
                              to whom nothing is written back; \
                              a search needs patient, _id or a parameter that stands \
                              in the cross-person index, else it is too-costly",
            "security": { "description": "open: everyone who reaches it may read, and write \
                                          as any configured client; it serves loopback only" },
            "resource": resources.into_iter().chain([groups, definitions]).collect::<Vec<_>>(),
            "compartment": ["http://hl7.org/fhir/CompartmentDefinition/patient"],
            "interaction": offer.of_system(),
            "operation": offer.operations(|levels| levels.system),
        }],
    })
}

fn resource(table: &SearchTable, offer: &Offer<'_>, resource_type: ResourceType) -> Value {
    let parameters = table.parameters(resource_type);
    let own = parameters.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "definition": parameter.definition,
            "type": parameter.kind.code(),
            "documentation": parameter.documentation,
        })
    });
    let common = COMMON.into_iter().map(
        |(name, kind, definition)| json!({ "name": name, "definition": definition, "type": kind }),
    );
    let includes: Vec<String> = parameters
        .iter()
        .filter(|parameter| parameter.kind == ParameterKind::Reference)
        .map(|parameter| format!("{resource_type}:{}", parameter.name))
        .collect();
    let mut statement = json!({
        "type": resource_type.name(),
        "interaction": offer.interactions(resource_type),
        "versioning": "versioned",
        "readHistory": true,
        "conditionalRead": "full-support",
        "updateCreate": false,
        "conditionalCreate": resource_type.name() != served::FINDING_TYPE,
        "conditionalUpdate": offer.is_conditional(resource_type, "update"),
        "conditionalDelete": match offer.is_conditional(resource_type, "delete") {
            true => "single",
            false => "not-supported",
        },
    });
    if !includes.is_empty() {
        statement["searchInclude"] = includes.into();
    }
    statement["searchRevInclude"] = rev_includes(table, resource_type).into();
    statement["searchParam"] = common.chain(own).collect();
    statement["operation"] = offer.operations(|levels| {
        (levels.of_type || levels.instance)
            && levels.only.is_none_or(|only| only == resource_type.name())
    });
    statement
}

/// What `_revinclude` finds: resources of the same person, and our Provenances of whatever it is.
fn rev_includes(table: &SearchTable, of: ResourceType) -> Vec<String> {
    let mut found = vec!["Provenance:target".to_owned()];
    if served::in_directory(of) {
        return found;
    }
    for from in served::person_types() {
        let refers =
            |p: &&SearchParameter| p.kind == ParameterKind::Reference && p.targets.contains(&of);
        let names = table.parameters(from).iter().filter(refers);
        found.extend(names.map(|p| format!("{from}:{}", p.name)));
    }
    found.sort();
    found.dedup();
    found
}
