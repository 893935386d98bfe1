//! Which resource types the view serves, and in which order.

use crate::fhir::ResourceType;
use crate::flow::{DIRECTORY_TYPES, PERSON_TYPES};

use super::error::ApiError;

/// The type of conflicts and findings, which no source states.
pub(super) const FINDING_TYPE: &str = "DetectedIssue";

/// The types of a person's view: Patient first.
pub(super) fn person_types() -> impl Iterator<Item = ResourceType> {
    PERSON_TYPES.into_iter().chain([FINDING_TYPE]).map(ResourceType::of)
}

/// The types of the directory.
pub(super) fn directory_types() -> impl Iterator<Item = ResourceType> {
    DIRECTORY_TYPES.into_iter().map(ResourceType::of)
}

/// All types served.
pub(super) fn types() -> impl Iterator<Item = ResourceType> {
    person_types().chain(directory_types())
}

/// Whether a type belongs to the directory.
pub(super) fn in_directory(resource_type: ResourceType) -> bool {
    DIRECTORY_TYPES.contains(&resource_type.name())
}

/// The type of a URL's path.
pub(super) fn parse(name: &str) -> Result<ResourceType, ApiError> {
    ResourceType::parse(name)
        .filter(|named| {
            let name = named.name();
            name == FINDING_TYPE || PERSON_TYPES.contains(&name) || in_directory(*named)
        })
        .ok_or(ApiError::TypeNotServed)
}
