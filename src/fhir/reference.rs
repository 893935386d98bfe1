//! Literal references and their forms.
//! <https://hl7.org/fhir/R4/references.html#literal>

use super::ResourceType;

/// A literal `Reference.reference`, taken apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reference<'a> {
    /// `https://base/Type/id[/_history/v]`; the base has no trailing slash.
    Absolute {
        /// The base URL.
        base: &'a str,
        /// The type.
        resource_type: ResourceType,
        /// The logical id.
        id: &'a str,
        /// The version, if named.
        version: Option<&'a str>,
    },
    /// `Type/id[/_history/v]`.
    Relative {
        /// The type.
        resource_type: ResourceType,
        /// The logical id.
        id: &'a str,
        /// The version, if named.
        version: Option<&'a str>,
    },
    /// `urn:uuid:…`, `urn:oid:…`.
    Urn(&'a str),
    /// `#id`; `#` alone (the container) has an empty id.
    Fragment(&'a str),
    /// `Type?query`.
    Conditional {
        /// The type.
        resource_type: ResourceType,
        /// What follows the question mark.
        query: &'a str,
    },
    /// Any other absolute URL.
    Url(&'a str),
    /// None of these.
    Invalid(&'a str),
}

/// Takes a literal reference apart; never fails.
pub fn parse_reference(literal: &str) -> Reference<'_> {
    if let Some(id) = literal.strip_prefix('#') {
        return Reference::Fragment(id);
    }
    if has_prefix(literal, "urn:") {
        return Reference::Urn(literal);
    }
    if has_prefix(literal, "http://") || has_prefix(literal, "https://") {
        return parse_absolute(literal);
    }
    if let Some((name, query)) = literal.split_once('?')
        && let Some(resource_type) = ResourceType::parse(name)
        && !query.is_empty()
    {
        return Reference::Conditional { resource_type, query };
    }
    if let Some(Tail { resource_type, id, version, base: "" }) = parse_tail(literal) {
        return Reference::Relative { resource_type, id, version };
    }
    if has_scheme(literal) { Reference::Url(literal) } else { Reference::Invalid(literal) }
}

/// Whether a text is a legal R4 `id`: 1 to 64 of `A-Z a-z 0-9 - .`.
pub fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.')
}

/// The end of a reference, and what stands before it.
struct Tail<'a> {
    base: &'a str,
    resource_type: ResourceType,
    id: &'a str,
    version: Option<&'a str>,
}

fn parse_absolute(literal: &str) -> Reference<'_> {
    let authority_at = literal.find("://").map_or(0, |at| at + 3);
    match parse_tail(literal) {
        // The base must name a host: in `http://Patient/1` "Patient" is the host.
        Some(Tail { base, resource_type, id, version })
            if base.len() > authority_at && !base.contains(['?', '#']) =>
        {
            Reference::Absolute { base, resource_type, id, version }
        }
        _ => Reference::Url(literal),
    }
}

fn parse_tail(text: &str) -> Option<Tail<'_>> {
    let (head, last) = text.rsplit_once('/')?;
    if !is_id(last) {
        return None;
    }
    let (head, id, version) = match head.strip_suffix("/_history") {
        Some(versioned) => {
            let (head, id) = versioned.rsplit_once('/')?;
            (head, id, Some(last))
        }
        None => (head, last, None),
    };
    let (base, name) = head.rsplit_once('/').unwrap_or(("", head));
    let resource_type = ResourceType::parse(name)?;
    // `/Patient/1` is relative to the host, not to the base: nobody can tell what it means.
    let rooted = base.is_empty() && head.len() != name.len();
    (is_id(id) && !rooted).then_some(Tail { base, resource_type, id, version })
}

fn has_prefix(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    !rest.is_empty()
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn patient() -> ResourceType {
        ResourceType::of("Patient")
    }

    #[test]
    fn every_form_is_told_apart() {
        let resource_type = patient();
        let absolute = |base, id, version| Reference::Absolute { base, resource_type, id, version };
        let relative = |id, version| Reference::Relative { resource_type, id, version };
        let cases = [
            ("https://a.org/fhir/Patient/1", absolute("https://a.org/fhir", "1", None)),
            ("http://a:8080/Patient/1/_history/2", absolute("http://a:8080", "1", Some("2"))),
            ("HTTPS://a.org/Patient/x-1.y", absolute("HTTPS://a.org", "x-1.y", None)),
            ("Patient/1", relative("1", None)),
            ("Patient/1/_history/9", relative("1", Some("9"))),
            ("urn:uuid:0f", Reference::Urn("urn:uuid:0f")),
            ("#p1", Reference::Fragment("p1")),
            ("#", Reference::Fragment("")),
            (
                "Patient?identifier=s|1",
                Reference::Conditional { resource_type, query: "identifier=s|1" },
            ),
            ("http://Patient/1", Reference::Url("http://Patient/1")),
            ("https://a.org/Patient/1?x=1", Reference::Url("https://a.org/Patient/1?x=1")),
            ("https://a.org/q?x=/Patient/1", Reference::Url("https://a.org/q?x=/Patient/1")),
            ("https://a.org/Person9/1", Reference::Url("https://a.org/Person9/1")),
            ("mailto:a@b", Reference::Url("mailto:a@b")),
        ];
        for (literal, expected) in cases {
            assert_eq!(parse_reference(literal), expected, "{literal}");
        }
        for literal in [
            "",
            "Patient",
            "Patient/",
            "Patient/a b",
            "fhir/Patient/1",
            "/Patient/1",
            "Nobody/1",
            "Patient/1#x",
            "Patient/1/_history/",
            "Patient?",
            "Patient/_history/2",
        ] {
            assert_eq!(parse_reference(literal), Reference::Invalid(literal));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_some_reference(text in "\\PC*|(http://|urn:|#)?[A-Za-z/?#:._é-]*") {
            parse_reference(&text);
        }
    }
}
