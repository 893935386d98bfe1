//! Where a record lives: the chart of its patient, the directory, or neither.

use std::sync::Arc;

use super::references::subject;
use crate::fhir::ResourceType;
use crate::flow::{
    ChartKey, Coverage, Home, Link, RecordIssue, RecordKey, RefTarget, Role, coverage,
};

/// The home that a record's content names. A document is kept whole under no patient.
pub(super) fn home(key: &RecordKey, links: &[Link]) -> Home {
    let kind = key.resource_type.name();
    if kind == "Patient" {
        return Home::Chart(ChartKey { endpoint: key.endpoint.clone(), patient: key.id.clone() });
    }
    if coverage(key.resource_type) == Coverage::Directory {
        return Home::Directory(key.clone());
    }
    let patient = match kind {
        "Bundle" | "Group" => None,
        "Appointment" => patient_at(links, "participant", "/actor"),
        "AppointmentResponse" => patient_at(links, "actor", ""),
        "Provenance" => links.iter().filter(|l| l.role == Role::Target).find_map(patient_record),
        _ => subject(links).and_then(|to| chart_of(&key.endpoint, to)),
    };
    patient.map_or_else(|| Home::Shared(key.clone()), Home::Chart)
}

/// What is wrong with how a record of the view names its patient.
pub(super) fn subject_issue(key: &RecordKey, links: &[Link], home: &Home) -> Option<RecordIssue> {
    let of_person = coverage(key.resource_type) == Coverage::Person;
    if !of_person || home.chart().is_some() || key.resource_type.name() == "Provenance" {
        return None;
    }
    let (code, text) = match subject(links) {
        None => ("required", "names no patient that can be followed; refer to a Patient"),
        Some(RefTarget::Record(_) | RefTarget::Identified { .. }) => {
            ("not-supported", "is about something other than a Patient; kept outside of charts")
        }
        Some(RefTarget::External(_)) => {
            ("not-found", "its patient is at a server that is not configured; add its base URL")
        }
        Some(RefTarget::Dangling(_)) => {
            ("not-found", "its patient is not in what was sent; send both in one Bundle")
        }
    };
    let element = match key.resource_type.name() {
        "Task" => "for",
        "Appointment" => "participant.actor",
        "Coverage" => "beneficiary",
        "AllergyIntolerance" | "Consent" | "EpisodeOfCare" | "Immunization" | "RelatedPerson" => {
            "patient"
        }
        _ => "subject",
    };
    let expression = format!("{}.{element}", key.resource_type).into();
    Some(RecordIssue { code: code.into(), expression, text: text.into() })
}

fn chart_of(endpoint: &Arc<str>, to: &RefTarget) -> Option<ChartKey> {
    let patient = ResourceType::of("Patient");
    match to {
        RefTarget::Record(key) if key.resource_type == patient => {
            Some(ChartKey { endpoint: key.endpoint.clone(), patient: key.id.clone() })
        }
        RefTarget::Identified { resource_type, identifier }
            if resource_type.is_none_or(|kind| kind == patient) =>
        {
            let name =
                format!("{}{}|{}", ChartKey::BY_IDENTIFIER, identifier.system, identifier.value);
            Some(ChartKey { endpoint: endpoint.clone(), patient: name.into() })
        }
        RefTarget::Record(_)
        | RefTarget::Identified { .. }
        | RefTarget::External(_)
        | RefTarget::Dangling(_) => None,
    }
}

fn patient_record(link: &Link) -> Option<ChartKey> {
    match &link.to {
        RefTarget::Record(key) => chart_of(&key.endpoint, &link.to),
        RefTarget::Identified { .. } | RefTarget::External(_) | RefTarget::Dangling(_) => None,
    }
}

/// The first Patient among the references that stand at `/element/…end`.
fn patient_at(links: &[Link], element: &str, end: &str) -> Option<ChartKey> {
    let begin = format!("/{element}");
    links
        .iter()
        .filter(|l| l.pointer.starts_with(&begin) && l.pointer.ends_with(end))
        .find_map(patient_record)
}
