//! The `$mdm-*` operations: the steward's work over HTTP, by the names and parameters that
//! integrators know, and through the same calls as the commands.
//! <https://hapifhir.io/hapi-fhir/docs/server_jpa_mdm/mdm_operations.html>
//!
//! A golden resource is a person, named by the shown Patient; a source resource is the Patient of
//! one chart, named by its own id of this gateway.

mod create_link;
mod duplicates;
mod link_history;
mod links;
mod merge;
mod not_duplicate;
mod query_links;
mod update_link;

use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use bytes::Bytes;
use serde_json::{Value, json};

use crate::fhir::{Issue, ResourceType, operation_outcome};
use crate::flow::{ChartKey, DerivedId, Home, Verdict};
use crate::pipeline::{Decided, GatewayError, Risk};
use crate::store::Issued;

use super::Api;
use super::answer::{Interaction, answer};
use super::call::Call;
use super::error::ApiError;
use super::parameters::{Given, parameters};
use super::reader::Reader;
use super::respond::{self, Answer};
use super::routes::{Route, Stated};

/// What an operation does with what it is given.
type Run = fn(&mut Reader<'_>, &Given) -> Result<Answer, ApiError>;

/// Operations that only read: code, path, what they do.
const READS: [(&str, &str, Run); 3] = [
    ("mdm-query-links", "/fhir/$mdm-query-links", query_links::run),
    ("mdm-duplicate-golden-resources", "/fhir/$mdm-duplicate-golden-resources", duplicates::run),
    ("mdm-link-history", "/fhir/$mdm-link-history", link_history::run),
];
/// Operations that decide.
const WRITES: [(&str, &str, Run); 4] = [
    ("mdm-create-link", "/fhir/$mdm-create-link", create_link::run),
    ("mdm-update-link", "/fhir/$mdm-update-link", update_link::run),
    ("mdm-not-duplicate", "/fhir/$mdm-not-duplicate", not_duplicate::run),
    ("mdm-merge-golden-resources", "/fhir/$mdm-merge-golden-resources", merge::run),
];

/// Their routes.
pub(super) fn routes() -> Vec<Route> {
    let reads = READS.iter().map(|&(code, path, run)| {
        let states = [("GET", Stated::Operation(code)), ("POST", Stated::Operation(code))];
        Route::of(path, by_get(code, run).merge(by_post(code, run)), &states)
    });
    let writes = WRITES.iter().map(|&(code, path, run)| {
        Route::of(path, by_post(code, run), &[("POST", Stated::Operation(code))])
    });
    reads.chain(writes).collect()
}

fn by_get(name: &'static str, run: Run) -> MethodRouter<Api> {
    get(async move |State(api): State<Api>, mut call: Call| {
        let given = Given::of_query(&mut call);
        answered(api, call, name, given, run).await
    })
}

fn by_post(name: &'static str, run: Run) -> MethodRouter<Api> {
    post(
        async move |State(api): State<Api>, mut call: Call, body: Result<Bytes, BytesRejection>| {
            let given = Given::of_body(&mut call, body);
            answered(api, call, name, given, run).await
        },
    )
}

async fn answered(
    api: Api,
    call: Call,
    action: &'static str,
    given: Result<Given, ApiError>,
    run: Run,
) -> Response {
    let about = Interaction { action, resource_type: "Patient" };
    match given {
        Ok(given) => answer(api, call, about, move |reader, _| run(reader, &given)).await,
        Err(error) => respond::failure(&error, &call.request_id),
    }
}

/// The chart of a Patient that a parameter names: a person's shown one, or any.
fn chart(reader: &Reader<'_>, given: &Given, name: &'static str) -> Result<ChartKey, ApiError> {
    chart_named(reader, name, given.required(name)?)
}

fn chart_named(reader: &Reader<'_>, name: &str, text: &str) -> Result<ChartKey, ApiError> {
    let ours = format!("{}/fhir/", reader.gateway.public_base_url());
    let local = text.strip_prefix(&ours).unwrap_or(text);
    let id: DerivedId = local.strip_prefix("Patient/").unwrap_or(local).parse().map_err(|_| {
        let expected = "Patient/ID, an id of this gateway";
        ApiError::BadValue { name: name.to_owned(), expected }
    })?;
    match reader.store().issued(reader.access, id)? {
        Some(Issued::Record(record)) if record.key.resource_type.name() == "Patient" => {
            record.home.chart().cloned().ok_or(ApiError::NotFound)
        }
        Some(Issued::Record(_) | Issued::Made { .. }) | None => Err(ApiError::NotFound),
    }
}

/// All charts of the person whom a chart belongs to.
fn charts_of(reader: &Reader<'_>, chart: &ChartKey) -> Result<Vec<ChartKey>, ApiError> {
    let persons = reader.gateway.persons_of(reader.access, std::slice::from_ref(chart))?;
    Ok(persons.into_iter().next().map_or_else(|| vec![chart.clone()], |person| person.charts))
}

/// `Patient/ID` of the person whom a chart belongs to.
fn golden(reader: &Reader<'_>, chart: &ChartKey) -> Result<Option<String>, ApiError> {
    let owner = reader.store().owner(reader.access, &Home::Chart(chart.clone()))?;
    Ok(owner.map(|owner| format!("Patient/{}", owner.id())))
}

/// `Patient/ID` of a chart's own Patient.
fn source(reader: &Reader<'_>, chart: &ChartKey) -> String {
    format!("Patient/{}", reader.store().id_key().record(&chart.patient_record()))
}

/// Decides, and answers with the person as they are now, or with who else must decide. A dry run
/// answers with what a link would come to.
fn decide(
    reader: &mut Reader<'_>,
    given: &Given,
    verdict: Verdict,
    pairs: &[(ChartKey, ChartKey)],
    shown: &ChartKey,
) -> Result<Answer, ApiError> {
    let note = given.text("note")?.unwrap_or_default();
    if given.switch("dryRun")? {
        return would(reader, verdict, pairs);
    }
    let by = reader.access.reader.clone();
    let decided = reader.gateway.decide_all(verdict, pairs, &by, note).map_err(|e| match e {
        GatewayError::KeptApart(_) => ApiError::KeptApart,
        GatewayError::NeedsAnother { .. } => ApiError::NeedsAnother,
        GatewayError::TooLong { .. } => {
            ApiError::BadValue { name: "note".to_owned(), expected: "at most 4000 characters" }
        }
        other => other.into(),
    })?;
    match decided {
        Decided::Done => person(reader, shown),
        Decided::Waits(risks) => {
            let issue = |risk: &Risk| Issue {
                severity: "information",
                code: "business-rule",
                diagnostics: format!("proposed, not linked yet: {}", risk_text(risk)),
                expression: Vec::new(),
            };
            let issues: Vec<Issue> = risks.iter().map(issue).collect();
            let mut answer = Answer::resource(operation_outcome(&issues).to_string());
            answer.status = StatusCode::ACCEPTED;
            Ok(answer)
        }
    }
}

/// What linking the first pair would come to.
fn would(
    reader: &Reader<'_>,
    verdict: Verdict,
    pairs: &[(ChartKey, ChartKey)],
) -> Result<Answer, ApiError> {
    let (Verdict::Link, Some(pair)) = (verdict, pairs.first()) else {
        let expected = "false; only links can be tried";
        return Err(ApiError::BadValue { name: "dryRun".to_owned(), expected });
    };
    let outcome = reader.gateway.if_linked(reader.access, pair)?;
    let mut told =
        vec![json!({"name": "refused", "valueBoolean": !outcome.kept_apart_by.is_empty()})];
    if let Some(effect) = outcome.effect {
        let number = |name: &str, n: usize| json!({"name": name, "valueInteger": n});
        told.push(json!({"name": "goldenResourceId",
            "valueString": format!("Patient/{}", effect.into)}));
        told.extend([
            number("joinsPersons", effect.joins),
            number("movesCharts", effect.charts),
            number("movesRecords", effect.records),
            number("movesCarePlans", effect.plans),
            number("partsCharts", effect.parted),
        ]);
    }
    let risks = outcome.risks.iter();
    told.extend(risks.map(|risk| json!({"name": "risk", "valueString": risk_text(risk)})));
    Ok(parameters(told))
}

/// A risk in words that name no patient.
fn risk_text(risk: &Risk) -> String {
    match risk {
        Risk::SeveralCharts(a, b) => {
            format!("both persons have several charts: {a} and {b} would be one")
        }
        Risk::Contradiction { sentence, .. } => (*sentence).to_owned(),
        Risk::Policy => "this site wants two stewards for every link".to_owned(),
    }
}

/// The person of a chart, as shown now.
fn person(reader: &mut Reader<'_>, chart: &ChartKey) -> Result<Answer, ApiError> {
    let home = Home::Chart(chart.clone());
    let owner = reader.store().owner(reader.access, &home)?.ok_or(ApiError::NotFound)?;
    let kind = ResourceType::of("Patient");
    let row = reader.row(owner, kind, owner.id())?.ok_or(ApiError::NotFound)?;
    let body = reader.bodies(std::slice::from_ref(&row))?.remove(0).ok_or(ApiError::NotFound)?;
    reader.note_disclosed(std::slice::from_ref(&row));
    Ok(Answer::resource(body))
}

/// Parameters with a page of parts, and where the neighbours are.
fn page_of(
    reader: &Reader<'_>,
    given: &Given,
    name: &str,
    all: Vec<Vec<Value>>,
) -> Result<Answer, ApiError> {
    let (usual, most) = (reader.options.page_size_default, reader.options.page_size_max);
    let count = given.count("_count", usual, most)?;
    let offset = given.count("_offset", 0, usize::MAX)?;
    let total = all.len();
    let part = |part: Vec<Value>| json!({"name": name, "part": part});
    let mut told = vec![json!({"name": "total", "valueInteger": total})];
    told.extend(all.into_iter().skip(offset).take(count).map(part));
    Ok(parameters(told))
}
