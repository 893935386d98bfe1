//! What an operation is given and answers: a Parameters resource, or a query string.
//! <https://hl7.org/fhir/R4/parameters.html>

use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::http::header;
use bytes::Bytes;
use serde_json::{Value, json};

use super::call::Call;
use super::error::ApiError;
use super::respond::Answer;

/// The parameters of an operation, by name.
#[derive(Debug, Default)]
pub(super) struct Given(Vec<(String, Value)>);

/// Most parameters that any operation takes, and more.
const GIVEN_MAX: usize = 100;

impl Given {
    /// Those of the URL.
    ///
    /// # Errors
    /// `BadQuery`.
    pub(super) fn of_query(call: &mut Call) -> Result<Self, ApiError> {
        let params = call.params()?;
        let stated =
            params.0.into_iter().filter(|(name, _)| name != "_format" && name != "_pretty");
        Ok(Self(stated.map(|(name, value)| (name, Value::String(value))).collect()))
    }

    /// Those of a body: a Parameters resource; a resource by itself is the parameter `resource`.
    /// Those of the URL count as well.
    ///
    /// # Errors
    /// `BodyTooLong`, `BodyBroken`, `UnsupportedContent`, `NoParameters`.
    pub(super) fn of_body(
        call: &mut Call,
        body: Result<Bytes, BytesRejection>,
    ) -> Result<Self, ApiError> {
        let body = body.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
                ApiError::BodyTooLong
            }
            _ => ApiError::BodyBroken,
        })?;
        let mut given = Self::of_query(call)?;
        if body.is_empty() {
            return Ok(given);
        }
        let resource = parsed(call.header(header::CONTENT_TYPE).unwrap_or_default(), &body)?;
        if resource["resourceType"] != "Parameters" {
            let named = resource["resourceType"].is_string();
            return match named {
                true => {
                    given.0.push(("resource".to_owned(), resource));
                    Ok(given)
                }
                false => Err(ApiError::NoParameters),
            };
        }
        let parameters = match &resource["parameter"] {
            Value::Null => &Vec::new(),
            Value::Array(list) if list.len() <= GIVEN_MAX => list,
            _ => return Err(ApiError::NoParameters),
        };
        for parameter in parameters {
            let Some(name) = parameter["name"].as_str() else {
                return Err(ApiError::NoParameters);
            };
            let value = match parameter.get("resource") {
                Some(resource) => Some(resource.clone()),
                None => parameter.as_object().and_then(|members| {
                    let mut values = members.iter().filter(|(key, _)| key.starts_with("value"));
                    values.next().map(|(_, value)| value.clone())
                }),
            };
            given.0.extend(value.map(|value| (name.to_owned(), value)));
        }
        Ok(given)
    }

    /// The first value of a parameter.
    pub(super) fn value(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The resource of a parameter, which must have this type.
    ///
    /// # Errors
    /// `Missing`, `BadValue`.
    pub(super) fn resource(&self, name: &'static str, kind: &str) -> Result<&Value, ApiError> {
        let value = self.value(name).ok_or(ApiError::Missing { name })?;
        if value["resourceType"] != kind {
            let expected = "a resource of the type that the operation defines";
            return Err(ApiError::BadValue { name: name.to_owned(), expected });
        }
        Ok(value)
    }

    /// The text of a parameter; also of a token, a URI or an id.
    ///
    /// # Errors
    /// `BadValue`.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, ApiError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(ApiError::BadValue { name: name.to_owned(), expected: "a text" }),
        }
    }

    /// All texts of a parameter.
    ///
    /// # Errors
    /// `BadValue`.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<&str>, ApiError> {
        let named = self.0.iter().filter(|(known, _)| known == name);
        let bad = || ApiError::BadValue { name: name.to_owned(), expected: "a text" };
        named.map(|(_, value)| value.as_str().ok_or_else(bad)).collect()
    }

    /// The same, required.
    ///
    /// # Errors
    /// `Missing`, `BadValue`.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, ApiError> {
        self.text(name)?.ok_or(ApiError::Missing { name })
    }

    /// Whether a switch is on.
    ///
    /// # Errors
    /// `BadValue`.
    pub(super) fn switch(&self, name: &str) -> Result<bool, ApiError> {
        match self.value(name) {
            None => Ok(false),
            Some(Value::Bool(on)) => Ok(*on),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(ApiError::BadValue { name: name.to_owned(), expected: "true or false" }),
        }
    }

    /// A count, cut to the most.
    ///
    /// # Errors
    /// `BadValue`.
    pub(super) fn count(&self, name: &str, usual: usize, most: usize) -> Result<usize, ApiError> {
        let bad = || ApiError::BadValue { name: name.to_owned(), expected: "a whole number" };
        let number = match self.value(name) {
            None => return Ok(usual),
            Some(Value::Number(number)) => number.as_u64().ok_or_else(bad)?,
            Some(Value::String(text)) => text.parse().map_err(|_| bad())?,
            Some(_) => return Err(bad()),
        };
        Ok(usize::try_from(number).unwrap_or(most).min(most))
    }
}

/// A body as JSON, whichever of the two representations it comes in.
fn parsed(content_type: &str, body: &[u8]) -> Result<Value, ApiError> {
    let media = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let json = match media.as_str() {
        "application/fhir+json" | "application/json" | "text/json" => body.to_vec(),
        "application/fhir+xml" | "application/xml" | "text/xml" => {
            crate::fhir::xml::from_xml(body).map_err(|_| ApiError::BodyBroken)?
        }
        _ => return Err(ApiError::UnsupportedContent),
    };
    serde_json::from_slice(&json).map_err(|_| ApiError::BodyBroken)
}

/// An answer with these parameters.
pub(super) fn parameters(parameter: Vec<Value>) -> Answer {
    let mut resource = json!({"resourceType": "Parameters"});
    if !parameter.is_empty() {
        resource["parameter"] = parameter.into();
    }
    Answer::resource(resource.to_string())
}
