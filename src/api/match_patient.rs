//! `Patient/$match`: who is meant by the demographics given.
//! <https://hl7.org/fhir/R4/patient-operation-match.html>

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};

use crate::compare::demographics;
use crate::fhir::ResourceType;
use crate::flow::{Demographics, MatchGrade};
use crate::identity;
use crate::pipeline::Matched;

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::parameters::Given;
use super::reader::Reader;
use super::respond::{self, Answer};

const GRADE: &str = "http://hl7.org/fhir/StructureDefinition/match-grade";
const EXPLAIN: &str = "urn:careweave:match:explain";

/// `POST /fhir/Patient/$match`.
pub(super) async fn match_patient(
    State(api): State<Api>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let given = match Given::of_body(&mut call, body) {
        Ok(given) => given,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "match", resource_type: "Patient" };
    answer(api, call, about, move |reader, _| run(reader, &given)).await
}

fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let stated = stated(given, "resource")?;
    let only_certain = given.switch("onlyCertainMatches")?;
    let (usual, most) = (reader.options.page_size_default, reader.options.page_size_max);
    let count = given.count("count", usual, most)?;
    reader.settle(None)?;
    let mut found = reader.gateway.match_patient(reader.access, &stated)?;
    if only_certain {
        found.retain(|matched| matched.grade == MatchGrade::Certain);
        // Several that are certain are not one.
        if found.len() > 1 {
            found.clear();
        }
    }
    let total = found.len();
    found.truncate(count);
    let mut entries = Vec::new();
    for matched in &found {
        entries.extend(entry(reader, matched)?);
    }
    let entries = match entries.as_slice() {
        [] => String::new(),
        some => format!(r#","entry":[{}]"#, some.join(",")),
    };
    let bundle =
        format!(r#"{{"resourceType":"Bundle","type":"searchset","total":{total}{entries}}}"#);
    Ok(Answer::resource(bundle))
}

/// What a Patient of the caller's states; there must be something to go by.
///
/// # Errors
/// `Missing`, `BadValue`.
pub(super) fn stated(given: &Given, name: &'static str) -> Result<Demographics, ApiError> {
    let stated = demographics(given.resource(name, "Patient")?);
    if stated == Demographics::default() {
        let expected = "a Patient with names, birth date, identifiers or the like";
        return Err(ApiError::BadValue { name: name.to_owned(), expected });
    }
    Ok(stated)
}

/// The entry of a person: the stored bytes, with grade, score and waterfall beside them.
fn entry(reader: &mut Reader<'_>, matched: &Matched) -> Result<Option<String>, ApiError> {
    let kind = ResourceType::of("Patient");
    let Some(row) = reader.row(matched.owner, kind, matched.owner.id())? else { return Ok(None) };
    let Some(body) = reader.bodies(std::slice::from_ref(&row))?.remove(0) else { return Ok(None) };
    reader.note_disclosed(std::slice::from_ref(&row));
    let url = format!("{}/fhir/{}", reader.gateway.public_base_url(), row.reference());
    let search = json!({
        "extension": [
            {"url": GRADE, "valueCode": grade_code(matched.grade)},
            {"url": EXPLAIN, "extension": explained(matched)},
        ],
        "mode": "match",
        "score": matched.comparison.probability.clamp(0.0, 1.0),
    });
    let body = String::from_utf8_lossy(&body);
    let url = Value::String(url);
    Ok(Some(format!(r#"{{"fullUrl":{url},"resource":{body},"search":{search}}}"#)))
}

/// The waterfall: a step a field, the total, and what speaks against.
fn explained(matched: &Matched) -> Vec<Value> {
    let comparison = &matched.comparison;
    let bits = |bits: f64| (bits * 100.0).round() / 100.0;
    let step = comparison.waterfall.iter().map(|step| {
        json!({"url": "step", "extension": [
            {"url": "field", "valueString": step.field},
            {"url": "found", "valueString": step.level},
            {"url": "bits", "valueDecimal": bits(step.weight_bits)},
        ]})
    });
    let mut explained: Vec<Value> = step.collect();
    explained.push(json!({"url": "total", "valueDecimal": bits(comparison.weight_bits)}));
    let against = identity::contradictions(comparison)
        .map(|(_, sentence)| json!({"url": "against", "valueString": sentence}));
    explained.extend(against);
    if comparison.unproven {
        let text = "so many share what was looked for that not all could be compared";
        explained.push(json!({"url": "unproven", "valueString": text}));
    }
    explained
}

/// As the code system has it.
/// <http://terminology.hl7.org/CodeSystem/match-grade>
pub(super) fn grade_code(grade: MatchGrade) -> &'static str {
    match grade {
        MatchGrade::Certain => "certain",
        MatchGrade::Probable => "probable",
        MatchGrade::Possible => "possible",
        MatchGrade::CertainlyNot => "certainly-not",
    }
}
