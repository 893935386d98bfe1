//! The role of a reference, by the element it stands in.

use crate::flow::Role;

/// The role of the Reference at `path` (names without indices: `activity.reference`) in a
/// resource of `kind`; `extension` is the URL of the innermost extension around it.
pub(super) fn role(kind: &str, path: &str, extension: Option<&str>) -> Role {
    if let Some(url) = extension {
        return extension_role(url);
    }
    match (kind, path) {
        // What a Task, a Goal or a plan alone has.
        ("Task", "for") | (_, "subject" | "patient" | "beneficiary") => Role::Subject,
        ("ResearchSubject", "individual") => Role::Subject,
        ("Task", "focus") => Role::Focus,
        ("Task", "owner") => Role::Performer,
        ("CarePlan", "goal") => Role::Goal,
        ("CarePlan", "activity.reference") => Role::Activity,
        ("CarePlan", "contributor") => Role::Contributor,
        ("CarePlan", "careTeam") | ("EpisodeOfCare", "team") => Role::CareTeam,
        ("EpisodeOfCare", "careManager") => Role::Performer,
        ("EpisodeOfCare", "referralRequest") => Role::BasedOn,
        ("MedicationRequest", "priorPrescription") => Role::Replaces,
        ("Consent", "organization") | ("HealthcareService", "providedBy") => Role::Custodian,
        ("QuestionnaireResponse", "source") => Role::Author,
        ("Provenance", "agent.who") => Role::Author,
        ("Encounter", "participant.individual") | ("Appointment", "participant.actor") => {
            Role::Performer
        }
        ("AuditEvent", "entity.what") => Role::Target,
        ("CareTeam", "participant.member") => Role::Member,
        ("Group", "member.entity") | ("List", "entry.item") => Role::Member,
        ("Composition", "section.entry") => Role::Member,
        ("DocumentReference", "context.encounter") => Role::Encounter,
        // What many types have.
        (_, "addresses" | "reasonReference") => Role::Addresses,
        (_, "basedOn") => Role::BasedOn,
        (_, "partOf") => Role::PartOf,
        (_, "replaces") => Role::Replaces,
        (_, "performer" | "performer.actor") => Role::Performer,
        (_, "requester") => Role::Requester,
        (_, "author" | "expressedBy" | "recorder" | "asserter" | "informationSource") => {
            Role::Author
        }
        (_, "custodian" | "managingOrganization" | "serviceProvider") => Role::Custodian,
        (_, "encounter" | "context") => Role::Encounter,
        (_, "hasMember" | "result") => Role::Member,
        (_, "target") => Role::Target,
        _ => Role::Other,
    }
}

/// Extensions that say what an R4 element cannot: MCC's and R5's custodian of a plan, and the
/// goal that a request serves.
fn extension_role(url: &str) -> Role {
    let name = url.rsplit('/').next().unwrap_or(url).to_ascii_lowercase();
    if name.ends_with("custodian") {
        return Role::Custodian;
    }
    if name.ends_with("pertainstogoal") || name.ends_with("pertains-to-goal") {
        return Role::Goal;
    }
    Role::Other
}
