//! Which resource types the view covers, and how each is homed.

use crate::fhir::ResourceType;

/// How a type takes part in the view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Coverage {
    /// Belongs to a person and is part of the view.
    Person,
    /// Belongs to no person: the directory.
    Directory,
    /// Kept as stated, not part of the view (its home is a chart if it names a patient).
    Stored,
}

/// The types of the view that belong to a person, in the order in which grouping must go: a
/// type comes after the types whose groups its sameness looks at.
pub const PERSON_TYPES: [&str; 24] = [
    "Patient",
    "RelatedPerson",
    "Coverage",
    "Consent",
    "Encounter",
    "EpisodeOfCare",
    "Condition",
    "AllergyIntolerance",
    "Immunization",
    "Procedure",
    "Observation",
    "DiagnosticReport",
    "DocumentReference",
    "QuestionnaireResponse",
    "RiskAssessment",
    "MedicationRequest",
    "MedicationStatement",
    "CareTeam",
    "Goal",
    "ServiceRequest",
    "Appointment",
    "Task",
    "CarePlan",
    "Provenance",
];

/// The types of the directory.
pub const DIRECTORY_TYPES: [&str; 5] =
    ["Organization", "Practitioner", "Location", "PractitionerRole", "HealthcareService"];

/// How a type takes part in the view.
pub fn coverage(resource_type: ResourceType) -> Coverage {
    let name = resource_type.name();
    if PERSON_TYPES.contains(&name) {
        Coverage::Person
    } else if DIRECTORY_TYPES.contains(&name) {
        Coverage::Directory
    } else {
        Coverage::Stored
    }
}
