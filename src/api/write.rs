//! Doing what was planned: references resolved, checked like any input, accepted in one commit,
//! settled; and telling the client what came of it.
//! <https://hl7.org/fhir/R4/http.html#ops>

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::http::{HeaderName, StatusCode, header};
use jiff::Timestamp;
use serde_json::Value;

use crate::fhir::{Issue, operation_outcome};
use crate::flow::{Coverage, Home, Ingested, RefTarget, coverage};
use crate::ingest::{Claim, UnusableInput};
use crate::pipeline::GatewayError;

use super::call::Call;
use super::claim::Planned;
use super::error::ApiError;
use super::named::{self, Names};
use super::read;
use super::reader::{Reader, RowRef};
use super::respond::{Answer, http_date};

/// Elements on which another source's word is shown instead of the client's.
const OVERRULED: HeaderName = HeaderName::from_static("x-careweave-overruled");

/// Does all of it or nothing: durable and settled when this returns.
///
/// # Errors
/// `Unprocessable` for what is not valid, which goes to quarantine; `VersionConflict`.
pub(super) fn carry_out(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    planned: &[Planned],
    names: &Names,
) -> Result<(), ApiError> {
    let keys: Vec<_> = planned.iter().flat_map(|plan| plan.keys.iter().cloned()).collect();
    let at = reader.gateway.claimed_at(&keys)?;
    let mut all = Ingested::default();
    let mut unusable = Ingested::default();
    let mut issues = Vec::new();
    for plan in planned {
        let found = match &plan.resource {
            Some(resource) => checked(reader, client, at, (plan, resource), names)?,
            None => {
                let ingest = reader.gateway.claims_ingest()?;
                let gone = plan.keys.iter().map(|key| ingest.deleted(key.clone(), at));
                Ok(Ingested { records: gone.collect(), ..Ingested::default() })
            }
        };
        match found {
            Ok(ingested) => all.add(ingested),
            Err((ingested, problems)) => {
                unusable.add(ingested);
                issues.extend(problems.into_iter().map(|issue| plan.placed(issue)));
            }
        }
    }
    let gateway = reader.gateway;
    if !issues.is_empty() {
        gateway.accept_claims(client, &unusable)?;
        return Err(ApiError::Unprocessable(issues));
    }
    let homes = {
        let _still = gateway.hold_views();
        reader.forget();
        planned.iter().try_for_each(|plan| plan.check_version(reader))?;
        gateway.accept_claims(client, &all)?
    };
    gateway.settle_claims(&homes)?;
    reader.forget();
    Ok(())
}

/// What is wrong, and the same as quarantined input.
type Unusable = (Ingested, Vec<Issue>);

/// One resource as it comes in, or why it cannot.
fn checked(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    at: Timestamp,
    (plan, resource): (&Planned, &Value),
    names: &Names,
) -> Result<Result<Ingested, Unusable>, ApiError> {
    let text = resource.to_string();
    let refuse = |gateway: &crate::pipeline::Gateway, issues: Vec<Issue>| {
        let first = issues.first();
        let reason = first.map_or(String::new(), |issue| {
            format!("{}: {}", issue.expression.join(", "), issue.diagnostics)
        });
        let input = UnusableInput {
            resource_type: plan.resource_type.name(),
            bytes: &text.clone().into(),
            code: first.map_or("invalid", |issue| issue.code),
            reason: &reason,
        };
        let ingested = gateway.claims_ingest()?.unusable(client, at, &input);
        Ok::<_, GatewayError>(Err((ingested, issues)))
    };
    let problems = reader.gateway.claims_ingest()?.problems(&text, resource);
    if problems.iter().any(|problem| problem.fatal) {
        return Ok(refuse(reader.gateway, problems.into_iter().map(issue).collect())?);
    }
    let named = match named::resolve(reader, plan, resource, names)? {
        Ok(named) => named,
        Err(issues) => return Ok(refuse(reader.gateway, issues)?),
    };
    let home = plan.place.as_ref().map(|(home, _)| home.clone());
    let claim = Claim { body: text.clone().into(), named, home };
    let ingested = reader.gateway.claims_ingest()?.claims(client, at, vec![claim]);
    if let Some(quarantined) = ingested.quarantined.first() {
        let issue = Issue {
            severity: "error",
            code: "invalid",
            diagnostics: quarantined.reason.to_string(),
            expression: vec![plan.resource_type.name().to_owned()],
        };
        return Ok(Err((ingested, vec![issue])));
    }
    let homeless = ingested.records.first().is_some_and(|record| {
        coverage(plan.resource_type) == Coverage::Person && matches!(record.home, Home::Shared(_))
    });
    if homeless {
        let stated = ingested.records.iter().flat_map(|record| &record.content.issues);
        let issues: Vec<Issue> = stated
            .map(|stated| Issue {
                severity: "error",
                code: "required",
                diagnostics: stated.text.to_string(),
                expression: vec![stated.expression.to_string()],
            })
            .collect();
        return Ok(refuse(reader.gateway, issues)?);
    }
    Ok(Ok(ingested))
}

/// A problem as clients are told.
pub(super) fn issue(problem: crate::fhir::Problem) -> Issue {
    Issue {
        severity: if problem.fatal { "error" } else { "warning" },
        code: problem.code,
        diagnostics: problem.text,
        expression: vec![problem.expression].into_iter().filter(|e| !e.is_empty()).collect(),
    }
}

/// What a client is told of a write that is done.
///
/// # Errors
/// When the store fails.
pub(super) fn answer_of(
    reader: &mut Reader<'_>,
    call: &Call,
    plan: &Planned,
) -> Result<Answer, ApiError> {
    let row = match reader.locate(plan.resource_type, plan.target) {
        Ok(row) => Some(row),
        Err(ApiError::NotFound | ApiError::Gone) => None,
        Err(other) => return Err(other),
    };
    let Some(resource) = &plan.resource else { return Ok(withdrawn(reader, row.as_ref())) };
    let base = reader.gateway.public_base_url();
    let place = format!("{base}/fhir/{}/{}", plan.resource_type, plan.target);
    let status = if plan.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let Some(row) = row else {
        // Its Patient is known by an identifier only, or has not come yet.
        let mut answer = outcome(vec![told(
            "informational",
            "accepted; it is not in the view yet, since its patient is not known".to_owned(),
            None,
        )]);
        answer.status = status;
        return Ok(answer.header(header::LOCATION, &place));
    };
    let overruled = overruled(reader, plan, &row)?;
    let elements: BTreeSet<&str> =
        overruled.iter().flat_map(|issue| issue.expression.iter().map(String::as_str)).collect();
    let elements = elements.into_iter().collect::<Vec<_>>().join(", ");
    reader.disclosed.insert(row.owner.id());
    let mut answer = match call.prefers("return").as_deref() {
        Some("minimal") => Answer::resource(Vec::new()),
        Some("operationoutcome") => {
            let unstated = unstated(reader, resource, &row)?;
            outcome(overruled.into_iter().chain(unstated).collect())
        }
        _ => {
            reader.count += 1;
            let body = reader.bodies(std::slice::from_ref(&row))?.pop().flatten();
            Answer::resource(body.ok_or(ApiError::Gone)?)
        }
    };
    answer.status = status;
    let answer = answer
        .header(header::ETAG, &read::etag(&row))
        .header(header::LAST_MODIFIED, &http_date(row.row().last_updated))
        .header(header::LOCATION, &format!("{place}/_history/{}", row.row().version));
    Ok(match elements.as_str() {
        "" => answer,
        elements => answer.header(OVERRULED, elements),
    })
}

fn withdrawn(reader: &mut Reader<'_>, row: Option<&RowRef>) -> Answer {
    let Some(row) = row else {
        let mut answer = Answer::resource(Vec::new());
        answer.status = StatusCode::NO_CONTENT;
        return answer;
    };
    reader.disclosed.insert(row.owner.id());
    outcome(vec![told(
        "informational",
        "the claim is withdrawn; the resource stays, since others state it".to_owned(),
        None,
    )])
    .header(header::ETAG, &read::etag(row))
}

/// Where another source's value is shown in place of the client's.
fn overruled(
    reader: &mut Reader<'_>,
    plan: &Planned,
    row: &RowRef,
) -> Result<Vec<Issue>, ApiError> {
    let own: BTreeSet<_> =
        plan.keys.iter().map(|key| reader.store().id_key().record(key)).collect();
    let table = reader.table(row)?;
    let Ok(at) = table.rows.binary_search_by_key(&row.row().id, |kept| kept.id) else {
        return Ok(Vec::new());
    };
    let lost = table.rows[at].choices.iter().filter(|choice| {
        !own.contains(&choice.from) && choice.others.iter().any(|(from, _)| own.contains(from))
    });
    let lost = lost.map(|choice| {
        let (element, rule) = (&choice.element, &choice.rule);
        told(
            "business-rule",
            format!(
                "{element}: another source's value is shown, by the rule \"{rule}\"; this one is \
                 kept beside it"
            ),
            Some(element.to_string()),
        )
    });
    Ok(lost.collect())
}

/// What the resource shows and the client does not state.
fn unstated(
    reader: &mut Reader<'_>,
    resource: &Value,
    row: &RowRef,
) -> Result<Option<Issue>, ApiError> {
    let body = reader.bodies(std::slice::from_ref(row))?.pop().flatten().unwrap_or_default();
    let shown: BTreeMap<String, Value> = serde_json::from_slice(&body).unwrap_or_default();
    let others: Vec<String> = shown
        .keys()
        .filter(|name| resource.get(name.as_str()).is_none() && *name != "meta")
        .map(|name| format!("{}.{name}", row.resource_type))
        .collect();
    Ok((!others.is_empty()).then(|| Issue {
        severity: "information",
        code: "informational",
        diagnostics: "other sources state these elements, so they are shown".to_owned(),
        expression: others,
    }))
}

fn told(code: &'static str, diagnostics: String, expression: Option<String>) -> Issue {
    Issue {
        severity: "information",
        code,
        diagnostics,
        expression: expression.into_iter().collect(),
    }
}

fn outcome(issues: Vec<Issue>) -> Answer {
    Answer::resource(operation_outcome(&issues).to_string())
}

/// The targets of references that a claim is read with.
pub(super) type Targets = BTreeMap<String, RefTarget>;
