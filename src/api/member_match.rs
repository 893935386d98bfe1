//! `Patient/$member-match`: the one member that a new payer means, if consent allows.
//! <https://hl7.org/fhir/us/davinci-hrex/OperationDefinition-member-match.html>

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use jiff::civil::Date;
use serde_json::{Value, json};

use crate::fhir::{ResourceType, parse_moment};
use crate::flow::MatchGrade;

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::match_patient::stated;
use super::parameters::{Given, parameters};
use super::reader::Reader;
use super::respond::{self, Answer};

/// Types of member identifiers, the most telling first.
const MEMBER_TYPES: [&str; 3] = ["UMB", "MB", "SN"];
const TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
const UMB: &str = "http://hl7.org/fhir/us/davinci-hrex/CodeSystem/hrex-temp";

/// `POST /fhir/Patient/$member-match`.
pub(super) async fn member_match(
    State(api): State<Api>,
    mut call: Call,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let given = match Given::of_body(&mut call, body) {
        Ok(given) => given,
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "member-match", resource_type: "Patient" };
    answer(api, call, about, move |reader, _| run(reader, &given)).await
}

fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let stated = stated(given, "MemberPatient")?;
    given.resource("CoverageToMatch", "Coverage")?;
    if given.value("CoverageToLink").is_some() {
        given.resource("CoverageToLink", "Coverage")?;
    }
    let consent = given.value("Consent").map(|_| given.resource("Consent", "Consent"));
    let consent = consent.transpose()?;
    if !consent.is_some_and(|consent| permits(consent, reader.gateway.today())) {
        return Err(ApiError::NoConsent);
    }
    reader.settle(None)?;
    let mut found = reader.gateway.match_patient(reader.access, &stated)?;
    found.retain(|matched| matched.grade == MatchGrade::Certain);
    let member = match (found.pop(), found.is_empty()) {
        (Some(member), true) => member,
        (Some(_), false) => return Err(ApiError::SeveralMembers),
        (None, _) => return Err(ApiError::NoMember),
    };
    let kind = ResourceType::of("Patient");
    let row = reader.row(member.owner, kind, member.owner.id())?.ok_or(ApiError::NoMember)?;
    let body = reader.bodies(std::slice::from_ref(&row))?.remove(0).ok_or(ApiError::NoMember)?;
    reader.note_disclosed(std::slice::from_ref(&row));
    let patient: Value =
        serde_json::from_slice(&body).map_err(|_| ApiError::NotRendered("JSON"))?;
    let own = json!({
        "type": {"coding": [{"system": UMB, "code": "UMB"}]},
        "system": format!("{}/fhir/Patient", reader.gateway.public_base_url()),
        "value": row.row().id.to_string(),
    });
    let identifier = member_identifier(&patient).cloned().unwrap_or(own);
    Ok(parameters(vec![
        json!({"name": "MemberIdentifier", "valueIdentifier": identifier}),
        json!({"name": "MemberId", "valueReference": {"reference": row.reference()}}),
    ]))
}

/// The identifier of a Patient that a payer gave.
fn member_identifier(patient: &Value) -> Option<&Value> {
    let all = patient["identifier"].as_array().map(Vec::as_slice).unwrap_or_default();
    let has = |identifier: &&Value, code: &str| {
        let codings = identifier["type"]["coding"].as_array().map(Vec::as_slice);
        let mut codings = codings.unwrap_or_default().iter();
        codings.any(|c| c["code"] == code && (c["system"] == TYPES || c["system"] == UMB))
    };
    MEMBER_TYPES.iter().find_map(|code| all.iter().find(|identifier| has(identifier, code)))
}

/// Whether a consent is in force on a day and permits the disclosure.
fn permits(consent: &Value, today: Date) -> bool {
    let provision = &consent["provision"];
    let period = &provision["period"];
    let bound = |name: &str| period[name].as_str().map(parse_moment);
    let now = parse_moment(&today.to_string());
    let begun = match (bound("start"), &now) {
        (None, _) => true,
        (Some(Some(start)), Some(now)) => start.from < now.until,
        (Some(_), _) => false,
    };
    let lasts = match (bound("end"), &now) {
        (None, _) => true,
        (Some(Some(end)), Some(now)) => now.from < end.until,
        (Some(_), _) => false,
    };
    consent["status"] == "active" && provision["type"] != "deny" && begun && lasts
}
