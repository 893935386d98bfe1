//! Facts: what ingest reads out of a version once, so that matching and weaving compare
//! facts and never parse a resource again.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::demographics::Demographics;
use super::key::RecordKey;
use crate::fhir::ResourceType;

/// The comparison facts of one version. Text is normalised (see [`crate::compare`]); lists are
/// sorted and without repeats; what a resource does not state is empty, which is neutral.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
pub struct Facts {
    /// The status element: `status`, `lifecycleStatus`, `clinicalStatus` code.
    pub status: Option<Box<str>>,
    /// `achievementStatus`, `verificationStatus`: the second status of Goal and Condition.
    pub second_status: Option<Box<str>>,
    /// `intent`.
    pub intent: Option<Box<str>>,
    /// `category` codings, and the text where a category has no coding.
    pub categories: Vec<Token>,
    /// The codings of what it is: `code`, Goal `description`, `vaccineCode`, `medication[x]`,
    /// Encounter `type` …
    pub codes: Vec<Token>,
    /// The normalised text of the same concept: its `text`, else the first `display`.
    pub text: Box<str>,
    /// Longer normalised text where the type has one: CarePlan `title` and `description`.
    pub title: Box<str>,
    /// Business identifiers that name this very record.
    pub identifiers: Vec<Identifier>,
    /// When it holds or happened: `period`, `occurrence`, `effective`, `onset`, `performed`,
    /// Goal `start` …
    pub when: Option<DateSpan>,
    /// When it was written: `authoredOn`, `recordedDate`, `created`, `issued`, `date`.
    pub authored: Option<DateSpan>,
    /// When it was last changed in the author's own words: Goal `statusDate`, Task
    /// `lastModified`; what recency compares.
    pub changed: Option<DateSpan>,
    /// Goal targets and the like.
    pub targets: Vec<Target>,
    /// A normalised value: Observation `value[x]` with components, dosage, reaction.
    pub value: Box<str>,
    /// Elements that change the meaning and must never be lost or averaged: `doNotPerform`,
    /// `modifierExtension` urls with values, `orderDetail` prohibitions.
    pub modifiers: Vec<Box<str>>,
    /// References with the role they play.
    pub links: Vec<Link>,
    /// For a Patient (and a RelatedPerson or Practitioner): who it is.
    pub demographics: Option<Box<Demographics>>,
}

/// A code with its system; the system is empty for a text or a code without system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub struct Token {
    /// Code system URI.
    pub system: Box<str>,
    /// The code, or normalised text.
    pub code: Box<str>,
}

/// An identifier, normalised so that equal ones are equal: OIDs and UUIDs as URNs, no white
/// space at the ends, `http` for `https`, no trailing slash in the system.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug, Default)]
pub struct Identifier {
    /// The system; an identifier without one is kept, and equal to none.
    pub system: Box<str>,
    /// The value.
    pub value: Box<str>,
    /// `type` code (`MR`, `SS`, `PLAC`, `FILL` …), empty if none.
    pub kind: Box<str>,
    /// `use` is `old`, or its period has ended.
    pub old: bool,
}

/// Days from `low` to `high`, both included; an open end is `None`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct DateSpan {
    /// First possible day (of the first possible moment, in the zone it was stated in).
    pub low: Option<Date>,
    /// Last possible day.
    pub high: Option<Date>,
}

/// What a goal is measured by.
#[derive(Clone, PartialEq, Serialize, Deserialize, Debug, Default)]
pub struct Target {
    /// `target.measure` codings.
    pub measure: Vec<Token>,
    /// `target.measure` normalised text.
    pub measure_text: Box<str>,
    /// `target.detail[x]`, normalised with units in UCUM base where known; empty if none.
    pub detail: Box<str>,
    /// `target.due[x]` if a date.
    pub due: Option<DateSpan>,
}

/// A reference and the role it plays.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub struct Link {
    /// The role.
    pub role: Role,
    /// Where the `Reference` object stands, as a JSON pointer (`/goal/0`).
    pub pointer: Box<str>,
    /// What it refers to.
    pub to: RefTarget,
}

/// The role of a reference; one that rules do not look at is `Other`, and still rewritten.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum Role {
    /// The person it is about: `subject`, `patient`, `for`, `beneficiary`.
    Subject,
    /// `addresses`, `reasonReference`.
    Addresses,
    /// `basedOn`.
    BasedOn,
    /// `partOf`.
    PartOf,
    /// `replaces`.
    Replaces,
    /// Task `focus`.
    Focus,
    /// Task `owner`, `performer`.
    Performer,
    /// Task and request `requester`.
    Requester,
    /// `author`, `expressedBy`, `recorder`, `asserter`.
    Author,
    /// CarePlan custodian extension, `custodian`, `managingOrganization`, `serviceProvider`.
    Custodian,
    /// CarePlan `goal`.
    Goal,
    /// CarePlan `activity.reference`.
    Activity,
    /// `careTeam`, `team`.
    CareTeam,
    /// `encounter`, `context`.
    Encounter,
    /// `participant.member`, `hasMember`, `result`.
    Member,
    /// Provenance `target`, AuditEvent `entity`.
    Target,
    /// Anything else.
    Other,
    /// CarePlan `contributor`.
    Contributor,
}

/// What a reference refers to, as far as the version itself tells.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Debug)]
pub enum RefTarget {
    /// A record of the same or, by absolute URL, another configured endpoint. It may not have
    /// come (yet).
    Record(RecordKey),
    /// `Type?identifier=system|value`, or a Reference with an `identifier` only.
    Identified {
        /// The type, if stated.
        resource_type: Option<ResourceType>,
        /// The identifier.
        identifier: Identifier,
    },
    /// An absolute URL outside every configured endpoint.
    External(Box<str>),
    /// A `urn:` or `#fragment` that its Bundle or resource does not hold, or no reference at all.
    Dangling(Box<str>),
}

impl Facts {
    /// The targets that play a role.
    pub fn linked(&self, role: Role) -> impl Iterator<Item = &RefTarget> {
        self.links.iter().filter(move |l| l.role == role).map(|l| &l.to)
    }
}

impl DateSpan {
    /// Whether the two have a day in common.
    pub fn overlaps(&self, other: &Self) -> bool {
        let starts_in_time = |a: &Self, b: &Self| match (a.low, b.high) {
            (Some(low), Some(high)) => low <= high,
            _ => true,
        };
        starts_in_time(self, other) && starts_in_time(other, self)
    }
}
