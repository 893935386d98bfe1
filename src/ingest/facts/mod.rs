//! Facts: what matching and weaving compare, read out of a version once.

mod appointment;
mod care_plan;
mod condition;
mod directory;
mod document;
mod encounter;
mod goal;
mod medication;
mod modifier;
mod observation;
mod other;
mod patient;
mod reading;
mod request;
mod span;
mod task;
mod value;

use serde_json::Value;

use self::reading::Reading;
use crate::fhir::ResourceType;
use crate::flow::{Facts, Link};

pub(super) use self::reading::identifiers;

/// The facts of a resource. `container` is the resource that contains it, else itself.
pub(super) fn extract(
    resource_type: ResourceType,
    resource: &Value,
    container: &Value,
    links: Vec<Link>,
) -> Facts {
    let mut reading = Reading::new(resource, container);
    match resource_type.name() {
        "AllergyIntolerance" => condition::allergy(&mut reading),
        "Appointment" => appointment::appointment(&mut reading),
        "CarePlan" => care_plan::care_plan(&mut reading),
        "CareTeam" => care_plan::care_team(&mut reading),
        "Condition" => condition::condition(&mut reading),
        "Consent" => document::consent(&mut reading),
        "Coverage" => document::coverage(&mut reading),
        "DiagnosticReport" => observation::diagnostic_report(&mut reading),
        "DocumentReference" => document::document_reference(&mut reading),
        "Encounter" => encounter::encounter(&mut reading),
        "EpisodeOfCare" => encounter::episode_of_care(&mut reading),
        "Goal" => goal::goal(&mut reading),
        "Immunization" => medication::immunization(&mut reading),
        "HealthcareService" | "Location" | "Organization" => directory::place(&mut reading),
        "MedicationRequest" => medication::medication_request(&mut reading),
        "MedicationStatement" => medication::medication_statement(&mut reading),
        "Observation" => observation::observation(&mut reading),
        "Patient" => patient::patient(&mut reading),
        "Practitioner" => directory::practitioner(&mut reading),
        "PractitionerRole" => directory::practitioner_role(&mut reading),
        "Procedure" => encounter::procedure(&mut reading),
        "Provenance" => document::provenance(&mut reading),
        "QuestionnaireResponse" => observation::questionnaire_response(&mut reading),
        "RelatedPerson" => patient::related_person(&mut reading),
        "RiskAssessment" => observation::risk_assessment(&mut reading),
        "ServiceRequest" => request::service_request(&mut reading),
        "Task" => task::task(&mut reading),
        // Types outside the view, and requests that plans contain.
        _ => other::other(&mut reading),
    }
    reading.finish(links)
}
