//! Reading a resource, or a patch, out of a request's body.
//! <https://hl7.org/fhir/R4/http.html#mime-type>

use std::collections::BTreeSet;
use std::fmt;

use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::http::header;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::fhir::bundle::{DEPTH_MAX, nests_deeper_than};
use crate::fhir::{ResourceType, xml};

use super::call::{Call, Format, named_format};
use super::error::ApiError;

/// A body as it was received.
pub(super) type Received = Result<Bytes, BytesRejection>;

/// The media type of a JSON Patch. <https://www.rfc-editor.org/rfc/rfc6902#section-6>
pub(super) const JSON_PATCH: &str = "application/json-patch+json";

/// The media type of a merge patch. <https://www.rfc-editor.org/rfc/rfc7396#section-4>
pub(super) const MERGE_PATCH: &str = "application/merge-patch+json";

/// How a resource is to be changed.
pub(super) enum Patch {
    /// Operation by operation.
    Json(json_patch::Patch),
    /// The elements that are given replace those that are there; `null` takes one away.
    Merge(Value),
}

/// The resource in a body, JSON or XML by its `Content-Type`.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn resource(call: &Call, body: Received) -> Result<Value, ApiError> {
    let body = whole(body)?;
    let media = call.header(header::CONTENT_TYPE).ok_or(ApiError::ResourceMediaType)?;
    let resource = match named_format(media).ok_or(ApiError::ResourceMediaType)? {
        Format::Json => json(&body)?,
        Format::Xml => {
            let bad = |_| ApiError::BadBody("it is not the XML of an R4 resource");
            json(&xml::from_xml(&body).map_err(bad)?)?
        }
    };
    match type_of(&resource) {
        Some(_) => Ok(resource),
        None => Err(ApiError::BadBody("it has no resourceType of R4")),
    }
}

/// The patch in a body, by its `Content-Type`. Clients send both kinds as plain JSON too: a list
/// is a JSON Patch, an object a merge patch.
///
/// # Errors
/// What keeps it from being read.
pub(super) fn patch(media: &str, body: &[u8]) -> Result<Patch, ApiError> {
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_list = match media.as_str() {
        JSON_PATCH => Some(true),
        MERGE_PATCH => Some(false),
        "application/json" => None,
        _ => return Err(ApiError::PatchMediaType),
    };
    let patch = json(body)?;
    if is_list.unwrap_or(patch.is_array()) {
        let bad = |_| ApiError::BadBody("it is not a JSON Patch (RFC 6902)");
        return serde_json::from_value(patch).map(Patch::Json).map_err(bad);
    }
    match patch.is_object() {
        true => Ok(Patch::Merge(patch)),
        false => Err(ApiError::BadBody("a merge patch (RFC 7396) is an object")),
    }
}

/// The type that a resource calls itself.
pub(super) fn type_of(resource: &Value) -> Option<ResourceType> {
    resource.get("resourceType").and_then(Value::as_str).and_then(ResourceType::parse)
}

/// JSON that says each thing once and does not nest deeper than R4 does.
fn json(bytes: &[u8]) -> Result<Value, ApiError> {
    if nests_deeper_than(DEPTH_MAX, bytes) {
        return Err(ApiError::BadBody("it nests deeper than any R4 resource"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::BadBody("it is not UTF-8"))?;
    let value = serde_json::from_str(text).map_err(|_| ApiError::BadBody("it is not JSON"))?;
    // Which of two values of one member counts, readers disagree about.
    let unrepeated: Result<Unrepeated, _> = serde_json::from_str(text);
    unrepeated.map_err(|_| ApiError::BadBody("an object has a member twice"))?;
    Ok(value)
}

/// The bytes of a body.
///
/// # Errors
/// When it is too long or broke off.
pub(super) fn whole(body: Received) -> Result<Bytes, ApiError> {
    body.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::BodyTooLong
        }
        _ => ApiError::BodyBroken,
    })
}

/// JSON in which no object has a member twice.
struct Unrepeated;

impl<'de> Deserialize<'de> for Unrepeated {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Unrepeated;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON without repeated members")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_unit<E>(self) -> Result<Unrepeated, E> {
        Ok(Unrepeated)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unrepeated, A::Error> {
        while items.next_element::<Unrepeated>()?.is_some() {}
        Ok(Unrepeated)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unrepeated, A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a member twice"));
            }
            members.next_value::<Unrepeated>()?;
        }
        Ok(Unrepeated)
    }
}
