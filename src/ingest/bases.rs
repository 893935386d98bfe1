//! The base URLs by which endpoints are known in absolute references.
//! <https://hl7.org/fhir/R4/references.html#literal>

use std::sync::Arc;

/// Base URLs with the endpoint each belongs to.
#[derive(Clone, Debug, Default)]
pub struct EndpointBases {
    bases: Vec<(Base, Arc<str>)>,
}

/// A base URL taken apart: compared part by part, never by how its text begins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Base {
    scheme: String,
    /// Host and port in lower case, without the scheme's default port.
    authority: String,
    /// Path without a slash at its end.
    path: String,
}

impl EndpointBases {
    /// Bases from (base URL, endpoint id). What is no absolute http URL is left out. An
    /// endpoint may have several.
    pub fn new(bases: impl IntoIterator<Item = (String, Arc<str>)>) -> Self {
        let bases = bases.into_iter().filter_map(|(url, id)| Some((Base::parse(&url)?, id)));
        Self { bases: bases.collect() }
    }

    /// The endpoint whose base this is: same scheme, host, port and whole path.
    pub fn endpoint(&self, base_url: &str) -> Option<&Arc<str>> {
        let asked = Base::parse(base_url)?;
        self.bases.iter().find(|(base, _)| *base == asked).map(|(_, endpoint)| endpoint)
    }
}

impl Base {
    fn parse(url: &str) -> Option<Self> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => return None,
        };
        if rest.contains(['?', '#', '\\']) {
            return None;
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let authority = authority.to_ascii_lowercase();
        if authority.is_empty() || path.split('/').any(|s| s == "." || s == "..") {
            return None;
        }
        let authority = authority.strip_suffix(default_port).unwrap_or(&authority).to_owned();
        Some(Self { scheme, authority, path: path.trim_end_matches('/').to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_is_matched_by_origin_and_whole_path() {
        let bases = EndpointBases::new([
            ("https://a.example/fhir".to_owned(), "outer".into()),
            ("https://a.example/fhir/tenant/".to_owned(), "inner".into()),
        ]);
        let found = |url| bases.endpoint(url).map(|e| &**e);
        assert_eq!(found("https://A.example:443/fhir/"), Some("outer"));
        assert_eq!(found("https://a.example/fhir/tenant"), Some("inner"));
        for other in [
            "https://a.example/fhirx",
            "https://a.example.evil/fhir",
            "https://a.example@evil/fhir",
            "https://a.example/fhir/../fhir",
            "http://a.example/fhir",
            "https://a.example:8443/fhir",
            "ftp://a.example/fhir",
        ] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
