//! The operations that are served, and their OperationDefinitions.
//! <https://hl7.org/fhir/R4/operationdefinition.html>

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::fhir::bundle::{SearchsetEntry, searchset};

use super::Api;
use super::call::Call;
use super::error::ApiError;
use super::respond::{self, Answer};
use super::routes::{Route, Stated, table};

/// An operation. On which levels it answers follows from its routes.
pub(super) struct Operation {
    /// Its code, and its id here.
    pub(super) code: &'static str,
    name: &'static str,
    /// The definition that it is built on.
    base: &'static str,
    description: &'static str,
    /// Name, type, least and most times, what it is; by direction.
    input: &'static [Parameter],
    output: &'static [Parameter],
}

type Parameter = (&'static str, &'static str, u8, &'static str, &'static str);

/// All operations.
pub(super) static OPERATIONS: [Operation; 14] = [
    Operation {
        code: "everything",
        name: "Everything",
        base: "http://hl7.org/fhir/OperationDefinition/Patient-everything",
        description: "The whole view of one person, the Patient first",
        input: &[
            ("start", "date", 0, "1", "only care on this day or later, and what has no date"),
            ("end", "date", 0, "1", "only care on this day or earlier, and what has no date"),
            ("_since", "instant", 0, "1", "only what has changed since"),
            ("_type", "code", 0, "*", "only these types"),
            ("_count", "integer", 0, "1", "resources of a page"),
        ],
        output: &[("return", "Bundle", 1, "1", "a searchset")],
    },
    Operation {
        code: "meta",
        name: "Meta",
        base: "http://hl7.org/fhir/OperationDefinition/Resource-meta",
        description: "The meta of a resource; of a type or all, the tags that careweave itself \
                      gives, since those of the sources would take a scan",
        input: &[],
        output: &[("return", "Meta", 1, "1", "profiles, tags, security labels")],
    },
    Operation {
        code: "validate",
        name: "Validate",
        base: "http://hl7.org/fhir/OperationDefinition/Resource-validate",
        description: "What is wrong with a resource by R4 and the profiles of this gateway",
        input: &[
            ("resource", "Resource", 0, "1", "what is to be checked; it may also be the body"),
            ("mode", "code", 0, "1", "create, update, delete or profile"),
            ("profile", "canonical", 0, "*", "what it must conform to, beside what it claims"),
        ],
        output: &[("return", "OperationOutcome", 1, "1", "the issues, or that all is well")],
    },
    Operation {
        code: "docref",
        name: "FetchDocumentReferences",
        base: "http://hl7.org/fhir/us/core/OperationDefinition/docref",
        description: "The documents of a patient that are held; none is made on demand",
        input: &[
            ("patient", "id", 1, "1", "whose"),
            ("start", "dateTime", 0, "1", "of care from then on"),
            ("end", "dateTime", 0, "1", "of care until then"),
            ("type", "CodeableConcept", 0, "1", "of this type"),
            ("on-demand", "boolean", 0, "1", "taken, and without effect"),
        ],
        output: &[("return", "Bundle", 1, "1", "a searchset")],
    },
    Operation {
        code: "match",
        name: "Match",
        base: "http://hl7.org/fhir/OperationDefinition/Patient-match",
        description: "The persons who may be meant by a Patient, with score, grade and waterfall",
        input: &[
            ("resource", "Patient", 1, "1", "who is meant"),
            ("onlyCertainMatches", "boolean", 0, "1", "the one certain person, or nobody"),
            ("count", "integer", 0, "1", "persons at most"),
        ],
        output: &[("return", "Bundle", 1, "1", "a searchset")],
    },
    Operation {
        code: "member-match",
        name: "MemberMatch",
        base: "http://hl7.org/fhir/us/davinci-hrex/OperationDefinition/member-match",
        description: "The one member who is certainly meant, if consent allows",
        input: &[
            ("MemberPatient", "Patient", 1, "1", "who is meant"),
            ("CoverageToMatch", "Coverage", 1, "1", "their coverage"),
            ("CoverageToLink", "Coverage", 0, "1", "their new coverage"),
            ("Consent", "Consent", 0, "1", "their consent; without one the answer is 422"),
        ],
        output: &[
            ("MemberIdentifier", "Identifier", 1, "1", "the member's number"),
            ("MemberId", "Reference", 0, "1", "the member"),
        ],
    },
    Operation {
        code: "ihe-pix",
        name: "IhePix",
        base: "https://profiles.ihe.net/ITI/PIXm/OperationDefinition/IHE.PIXm.pix",
        description: "The other identifiers of a person",
        input: &[
            ("sourceIdentifier", "string", 1, "1", "system|value"),
            ("targetSystem", "uri", 0, "*", "only of these systems"),
        ],
        output: &[
            ("targetIdentifier", "Identifier", 0, "*", "an identifier"),
            ("targetId", "Reference", 0, "*", "the person"),
        ],
    },
    Operation {
        code: "mdm-query-links",
        name: "MdmQueryLinks",
        base: "",
        description: "Which charts are, may be and are not which persons",
        input: &[
            ("goldenResourceId", "string", 0, "1", "the person"),
            ("resourceId", "string", 0, "1", "the Patient of a chart"),
            ("matchResult", "string", 0, "1", "MATCH, POSSIBLE_MATCH or NO_MATCH"),
            ("linkSource", "string", 0, "1", "AUTO or MANUAL"),
            ("_count", "integer", 0, "1", "rows of a page"),
            ("_offset", "integer", 0, "1", "rows before it"),
        ],
        output: &[("link", "BackboneElement", 0, "*", "a link, in parts")],
    },
    Operation {
        code: "mdm-duplicate-golden-resources",
        name: "MdmDuplicates",
        base: "",
        description: "Persons who may be one",
        input: &[
            ("_count", "integer", 0, "1", "rows of a page"),
            ("_offset", "integer", 0, "1", "rows before it"),
        ],
        output: &[("link", "BackboneElement", 0, "*", "a link, in parts")],
    },
    Operation {
        code: "mdm-link-history",
        name: "MdmLinkHistory",
        base: "",
        description: "What stewards decided: who, when and why",
        input: &[
            ("goldenResourceId", "string", 0, "*", "the person"),
            ("resourceId", "string", 0, "*", "the Patient of a chart"),
            ("_count", "integer", 0, "1", "rows of a page"),
            ("_offset", "integer", 0, "1", "rows before it"),
        ],
        output: &[("historical link", "BackboneElement", 0, "*", "a decision, in parts")],
    },
    Operation {
        code: "mdm-create-link",
        name: "MdmCreateLink",
        base: "",
        description: "A steward says that a chart is a person, or is not",
        input: &[
            ("goldenResourceId", "string", 1, "1", "the person"),
            ("resourceId", "string", 1, "1", "the Patient of a chart"),
            ("matchResult", "string", 0, "1", "MATCH or NO_MATCH"),
            ("note", "string", 0, "1", "why"),
            ("dryRun", "boolean", 0, "1", "say only what would come of it"),
        ],
        output: &[("return", "Patient", 1, "1", "the person as they are now")],
    },
    Operation {
        code: "mdm-update-link",
        name: "MdmUpdateLink",
        base: "",
        description: "A steward decides otherwise about a chart and a person",
        input: &[
            ("goldenResourceId", "string", 1, "1", "the person"),
            ("resourceId", "string", 1, "1", "the Patient of a chart"),
            ("matchResult", "string", 1, "1", "MATCH or NO_MATCH"),
            ("note", "string", 0, "1", "why"),
            ("dryRun", "boolean", 0, "1", "say only what would come of it"),
        ],
        output: &[("return", "Patient", 1, "1", "the person as they are now")],
    },
    Operation {
        code: "mdm-not-duplicate",
        name: "MdmNotDuplicate",
        base: "",
        description: "A steward says that two persons are two",
        input: &[
            ("goldenResourceId", "string", 1, "1", "the person"),
            ("targetGoldenResourceId", "string", 1, "1", "the other person"),
            ("note", "string", 0, "1", "why"),
        ],
        output: &[("success", "boolean", 1, "1", "always true")],
    },
    Operation {
        code: "mdm-merge-golden-resources",
        name: "MdmMerge",
        base: "",
        description: "A steward says that two persons are one",
        input: &[
            ("fromGoldenResourceId", "string", 1, "1", "one person"),
            ("toGoldenResourceId", "string", 1, "1", "the other"),
            ("note", "string", 0, "1", "why"),
            ("dryRun", "boolean", 0, "1", "say only what would come of it"),
        ],
        output: &[("return", "Patient", 1, "1", "the person as they are now")],
    },
];

/// `GET /fhir/OperationDefinition`.
pub(super) async fn all(State(api): State<Api>, call: Call) -> Response {
    let base = api.gateway.public_base_url();
    let made: Vec<(String, Vec<u8>)> = OPERATIONS
        .iter()
        .map(|operation| (operation.url(base), operation.definition(base).to_string().into_bytes()))
        .collect();
    let entries: Vec<SearchsetEntry<'_>> = made
        .iter()
        .map(|(url, body)| SearchsetEntry {
            full_url: url.clone(),
            body,
            mode: "match",
            score: None,
        })
        .collect();
    let links = [("self", format!("{base}/fhir/OperationDefinition"))];
    let total = u64::try_from(entries.len()).ok();
    written(&call, Ok(searchset(&links, total, &entries)))
}

/// `GET /fhir/OperationDefinition/{id}`.
pub(super) async fn one(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    call: Call,
) -> Response {
    let found = path.map_err(|_| ApiError::NotFound).and_then(|Path(id)| {
        let named = OPERATIONS.iter().find(|operation| operation.code == id);
        let definition = named.ok_or(ApiError::NotFound)?;
        Ok(definition.definition(api.gateway.public_base_url()).to_string().into_bytes())
    });
    written(&call, found)
}

fn written(call: &Call, body: Result<Vec<u8>, ApiError>) -> Response {
    let response = body
        .and_then(|body| Answer::resource(body).into_response(call.format()?, call.is_pretty()));
    response.unwrap_or_else(|error| respond::failure(&error, &call.request_id))
}

/// Where an operation answers.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Levels {
    /// At the base.
    pub(super) system: bool,
    /// At a type.
    pub(super) of_type: bool,
    /// At a resource.
    pub(super) instance: bool,
    /// At this type only.
    pub(super) only: Option<&'static str>,
}

impl Operation {
    /// Where it answers, by the routes.
    pub(super) fn levels(&self, routes: &[Route]) -> Levels {
        let mut levels = Levels::default();
        for route in routes {
            if !route.states.iter().any(|(_, stated)| *stated == Stated::Operation(self.code)) {
                continue;
            }
            let parts: Vec<&'static str> = route.path.split('/').skip(2).collect();
            match parts.as_slice() {
                [_] => levels.system = true,
                [_, _] => levels.of_type = true,
                _ => levels.instance = true,
            }
            levels.only = parts.first().copied().filter(|name| !name.starts_with(['{', '$']));
        }
        levels
    }

    /// Whether it answers with links and decides nothing.
    fn output_is_told(&self) -> bool {
        self.output.iter().any(|(_, kind, ..)| *kind == "BackboneElement")
    }

    /// Where its definition is served.
    pub(super) fn url(&self, base: &str) -> String {
        format!("{base}/fhir/OperationDefinition/{}", self.code)
    }

    /// Its OperationDefinition.
    pub(super) fn definition(&self, base: &str) -> Value {
        let levels = self.levels(&table());
        let directions = [("in", self.input), ("out", self.output)];
        let parameters: Vec<Value> = directions
            .into_iter()
            .flat_map(|(direction, parameters)| {
                parameters.iter().map(move |parameter| stated(direction, parameter))
            })
            .collect();
        let mut definition = Map::new();
        for (name, value) in [
            ("resourceType", json!("OperationDefinition")),
            ("id", json!(self.code)),
            ("url", json!(self.url(base))),
            ("name", json!(self.name)),
            ("status", json!("active")),
            ("kind", json!("operation")),
            ("description", json!(self.description)),
            ("affectsState", json!(self.code.starts_with("mdm-") && !self.output_is_told())),
            ("code", json!(self.code)),
            ("base", json!(self.base)),
            ("resource", json!([levels.only.unwrap_or("Resource")])),
            ("system", json!(levels.system)),
            ("type", json!(levels.of_type)),
            ("instance", json!(levels.instance)),
            ("parameter", json!(parameters)),
        ] {
            if value != "" {
                definition.insert(name.to_owned(), value);
            }
        }
        Value::Object(definition)
    }
}

fn stated(direction: &str, (name, kind, min, max, text): &Parameter) -> Value {
    json!({ "name": name, "use": direction, "min": min, "max": max, "documentation": text,
            "type": kind })
}
