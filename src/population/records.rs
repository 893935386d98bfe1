//! Around the care: coverage, consent, enrolment, caregivers; what the view does not cover;
//! and what nobody can use.

use serde_json::json;

use super::story::Story;
use super::world::{HARBOR, LOINC, MERCY, RXNORM, SNOMED, SYSTEMS, VALLEY, coded, to};

/// States them.
pub(super) fn tell(story: &mut Story) {
    coverage(story);
    consent(story);
    caregiver(story);
    if story.knows(HARBOR) {
        enrolment(story);
    }
    outside_the_view(story);
}

fn coverage(story: &mut Story) {
    if !story.knows(HARBOR) {
        return;
    }
    let fact = story.world.fact("identifier");
    for at in story.among(&[MERCY, HARBOR]) {
        let coverage = json!({
            "resourceType": "Coverage",
            "identifier": [{"system": format!("{}/coverage", SYSTEMS[HARBOR]),
                "value": format!("C{}", story.person.number)}],
            "status": "active",
            "beneficiary": story.subject(at),
            "period": {"start": story.day(500)},
            "payor": [story.custodian(HARBOR, at)],
        });
        story.world.add(at, fact, coverage);
    }
}

fn consent(story: &mut Story) {
    for at in story.places() {
        let fact = story.world.fact("own");
        let ago = 300 + 11 * i64::try_from(at).unwrap_or(0);
        let consent = json!({
            "resourceType": "Consent",
            "status": "active",
            "scope": {"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/consentscope",
                "code": "patient-privacy"}]},
            "category": [{"coding": [{
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                "code": "IDSCL"}]}],
            "patient": story.subject(at),
            "dateTime": story.moment(ago, 9),
            "organization": [story.custodian(at, at)],
            "policyRule": {"text": "shares with the care team"},
            "provision": {"type": "permit"},
        });
        story.world.add(at, fact, consent);
    }
}

/// One caregiver, of the person's own family name.
fn caregiver(story: &mut Story) {
    let fact = story.world.fact("name-and-phone");
    let phone = format!("330-555-{}", 2000 + story.person.number * 7 % 7000);
    for at in story.places().into_iter().filter(|at| *at != HARBOR) {
        let relative = json!({
            "resourceType": "RelatedPerson",
            "active": true,
            "patient": story.subject(at),
            "relationship": [coded(SNOMED, "133932002", "Caregiver")],
            "name": [{"family": story.person.family(), "given": ["Robin"]}],
            "telecom": [{"system": "phone", "value": phone}],
        });
        story.world.add(at, fact, relative);
    }
}

fn enrolment(story: &mut Story) {
    let fact = story.world.fact("own");
    let episode = json!({
        "resourceType": "EpisodeOfCare",
        "status": "active",
        "type": [{"text": "complex care management"}],
        "patient": story.subject(HARBOR),
        "managingOrganization": story.custodian(HARBOR, HARBOR),
        "period": {"start": story.day(35)},
        "careManager": to(&story.doctor(HARBOR)),
    });
    story.world.add(HARBOR, fact, episode);
}

fn outside_the_view(story: &mut Story) {
    let at = story.places()[0];
    let fact = story.world.fact("own");
    story.world.add(
        at,
        fact,
        json!({
            "resourceType": "Medication",
            "code": coded(RXNORM, "314076", "lisinopril 10 MG Oral Tablet"),
        }),
    );
    let fact = story.world.fact("own");
    let message = json!({
        "resourceType": "Communication",
        "status": "completed",
        "subject": story.subject(at),
        "sent": story.moment(31, 12),
        "payload": [{"contentString": "appointment reminder"}],
    });
    story.world.add(at, fact, message);
}

/// Every sixteenth person has records that break the rules of R4.
pub(super) fn tell_unusable(story: &mut Story) {
    if story.person.number % 16 != 5 {
        return;
    }
    let at = if story.knows(VALLEY) { VALLEY } else { story.places()[0] };
    let subject = story.subject(at);
    story.world.add_unusable(
        at,
        json!({
            "resourceType": "Goal",
            "lifecycleStatus": "going-well",
            "description": {"text": "Walks every day"},
            "subject": subject,
        }),
    );
    story.world.add_unusable(
        at,
        json!({
            "resourceType": "Observation",
            "status": "final",
            "code": "blood pressure",
            "subject": subject,
        }),
    );
    story.world.add_unusable(
        at,
        json!({
            "resourceType": "ServiceRequest",
            "intent": "order",
            "code": coded(LOINC, "4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"),
            "subject": subject,
        }),
    );
}
