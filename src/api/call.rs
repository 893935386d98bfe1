//! One request, parsed: who asks, for which representation, with which parameters.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};

use crate::flow::Access;

use super::error::ApiError;
use super::guard::{Place, RequestId};
use super::params::Params;
use super::{Api, access};

/// A parsed request.
pub(super) struct Call {
    /// What the caller may see.
    pub(super) access: Access,
    /// The request's id.
    pub(super) request_id: RequestId,
    /// Held as long as somebody works on the request, also when nobody waits for it any more.
    _place: Option<Place>,
    headers: HeaderMap,
    params: Result<Params, ApiError>,
}

/// A representation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Format {
    Json,
    Xml,
}

impl FromRequestParts<Api> for Call {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _api: &Api) -> Result<Self, Infallible> {
        Ok(Self {
            access: access::of(parts),
            request_id: parts.extensions.get::<RequestId>().cloned().unwrap_or_default(),
            _place: parts.extensions.get::<Place>().cloned(),
            headers: parts.headers.clone(),
            params: Params::parse(parts.uri.query().unwrap_or_default()),
        })
    }
}

impl Call {
    /// The parameters.
    ///
    /// # Errors
    /// `BadQuery` when they do not decode.
    pub(super) fn params(&mut self) -> Result<Params, ApiError> {
        let params = std::mem::replace(&mut self.params, Ok(Params::default()));
        let params = params?;
        self.params = Ok(params.clone());
        Ok(params)
    }

    /// Adds the parameters of a form body.
    pub(super) fn add_form(&mut self, body: &str) {
        let form = Params::parse(body);
        if let Ok(params) = &mut self.params {
            match form {
                Ok(form) => params.0.extend(form.0),
                Err(error) => self.params = Err(error),
            }
        }
    }

    /// The value of a header, if it is readable.
    pub(super) fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A value of the `Prefer` header: of `return`, say.
    pub(super) fn prefers(&self, name: &str) -> Option<String> {
        let values = self.headers.get_all("prefer").into_iter().filter_map(|v| v.to_str().ok());
        let words = values.flat_map(|value| value.split([',', ';']));
        let mut named = words.filter_map(|word| word.split_once('='));
        let value = named.rfind(|(n, _)| n.trim().eq_ignore_ascii_case(name));
        value.map(|(_, value)| value.trim().trim_matches('"').to_ascii_lowercase())
    }

    /// Has it prefer this from now on.
    pub(super) fn prefer(&mut self, preference: &str) {
        if let Ok(value) = HeaderValue::from_str(preference) {
            self.headers.insert("prefer", value);
        }
    }

    /// Whether what is not supported must be refused, not ignored.
    pub(super) fn is_strict(&self) -> bool {
        let stated = self.headers.get_all("prefer").iter();
        let mut words = stated.filter_map(|v| v.to_str().ok()).flat_map(|v| v.split([',', ';']));
        words.any(|word| word.trim().eq_ignore_ascii_case("handling=strict"))
    }

    /// Whether the answer shall be indented.
    pub(super) fn is_pretty(&self) -> bool {
        self.params.as_ref().ok().and_then(|p| p.last("_pretty")) == Some("true")
    }

    /// Whether CSV is asked for, by `_format` or else by `Accept`. If so, what asked for it is
    /// taken out, so that no other representation is wanted any more.
    pub(super) fn take_csv(&mut self) -> bool {
        let is_csv = |name: &str| {
            let name = name.split(';').next().unwrap_or_default().trim();
            name.eq_ignore_ascii_case("csv") || name.eq_ignore_ascii_case("text/csv")
        };
        let named = self.params.as_ref().ok().and_then(|params| params.last("_format"));
        let wanted = match (named, self.header(header::ACCEPT)) {
            (Some(name), _) => is_csv(name),
            (None, Some(accept)) => accept.split(',').any(is_csv),
            (None, None) => false,
        };
        if wanted {
            self.headers.remove(header::ACCEPT);
            if let Ok(params) = &mut self.params {
                params.0.retain(|(name, _)| name != "_format");
            }
        }
        wanted
    }

    /// Whether a FHIR resource is asked for, by `_format` or else by `Accept`, where JSON of
    /// another shape is usual.
    pub(super) fn wants_fhir(&self) -> bool {
        let named = self.params.as_ref().ok().and_then(|params| params.last("_format"));
        let name = named.or_else(|| self.header(header::ACCEPT)).unwrap_or_default();
        let name = name.trim().replace(' ', "+").to_ascii_lowercase();
        name.starts_with("application/fhir+") || name.ends_with("xml")
    }

    /// The parameters as they were sent; none if they do not decode.
    pub(super) fn seen_params(&self) -> Params {
        self.params.as_ref().map(Clone::clone).unwrap_or_default()
    }

    /// The representation asked for, by `_format` or else by `Accept`.
    ///
    /// # Errors
    /// `NotAcceptable` when it is neither JSON nor XML.
    pub(super) fn format(&self) -> Result<Format, ApiError> {
        match self.params.as_ref().ok().and_then(|params| params.last("_format")) {
            Some(name) => named_format(name).ok_or(ApiError::NotAcceptable),
            None => match self.headers.get(header::ACCEPT) {
                None => Ok(Format::Json),
                Some(accept) => accepted(accept.to_str().map_err(|_| ApiError::NotAcceptable)?)
                    .ok_or(ApiError::NotAcceptable),
            },
        }
    }
}

/// The representation that a media type, or a `_format`, names.
pub(super) fn named_format(name: &str) -> Option<Format> {
    let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
    if !is_r4(parameters.split(';')) {
        return None;
    }
    // A plus sign in a query means a space: senders forget to escape it.
    let name = name.trim().replace(' ', "+");
    match name.to_ascii_lowercase().as_str() {
        "json" | "application/json" | "application/fhir+json" | "text/json" => Some(Format::Json),
        "xml" | "application/xml" | "application/fhir+xml" | "text/xml" => Some(Format::Xml),
        _ => None,
    }
}

/// Whether the parameters of a media type ask for no other version of FHIR.
/// <https://hl7.org/fhir/R4/http.html#version-parameter>
fn is_r4<'p>(mut parameters: impl Iterator<Item = &'p str>) -> bool {
    parameters.all(|parameter| {
        let (name, version) = parameter.split_once('=').unwrap_or((parameter, ""));
        let version = version.trim().trim_matches('"');
        !name.trim().eq_ignore_ascii_case("fhirVersion") || matches!(version, "4.0" | "4.0.1")
    })
}

/// The best acceptable format; JSON when both are as good, and for whoever takes anything.
fn accepted(accept: &str) -> Option<Format> {
    let mut best: Option<(f32, Format)> = None;
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let format = match name {
            // A browser: it shows JSON, and its wish for XML is not one for FHIR.
            "*/*" | "application/*" | "text/*" | "text/html" | "" => Some(Format::Json),
            other => named_format(other),
        };
        let weight = parts
            .find_map(|part| part.strip_prefix("q="))
            .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
        let wanted = weight > 0.0 && is_r4(range.split(';'));
        let Some(format) = format.filter(|_| wanted) else { continue };
        let better = best
            .is_none_or(|(known, kind)| weight > known || (weight >= known && kind == Format::Xml));
        if better {
            best = Some((weight, format));
        }
    }
    best.map(|(_, format)| format)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_headers_of_clients_and_browsers() {
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, format) in [
            ("*/*", Some(Format::Json)),
            (browser, Some(Format::Json)),
            ("application/fhir+xml", Some(Format::Xml)),
            ("application/fhir+xml, application/fhir+json", Some(Format::Json)),
            ("application/fhir+json;fhirVersion=4.0", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=5.0", None),
            ("application/fhir+json; fhirversion=\"4.0.1\"", Some(Format::Json)),
            ("application/fhir+json; fhirVersion=5.0, application/fhir+xml", Some(Format::Xml)),
            ("application/fhir+json;q=0.5, application/fhir+xml", Some(Format::Xml)),
            ("text/csv", None),
            ("application/json;q=0", None),
        ] {
            assert_eq!(accepted(accept), format, "{accept}");
        }
    }
}
