//! R4 XML from and to JSON, by fhirbolt's generic element model, which knows every R4 element.
//! <https://hl7.org/fhir/R4/xml.html>

mod narrative;

use std::panic::{AssertUnwindSafe, catch_unwind};

use fhirbolt::FhirReleases;
use fhirbolt::element::Element;
use fhirbolt::serde::{DeserializationConfig, DeserializationMode};

use super::bundle::{DEPTH_MAX, nests_deeper_than, resource_header};
use super::{ResourceType, canonical_bytes};

type R4Element = Element<{ FhirReleases::R4 }>;

/// The XML of a resource given as JSON.
///
/// # Errors
/// Says what is wrong, without quoting the resource.
pub fn to_xml(json: &[u8]) -> Result<Vec<u8>, String> {
    if nests_deeper_than(DEPTH_MAX, json) {
        return Err(too_deep());
    }
    // fhirbolt panics on an object without resource type.
    let kind = resource_header(json).and_then(|h| ResourceType::parse(&h.resource_type));
    guarded("JSON", || {
        kind.ok_or(None)?;
        let mut resource = serde_json::from_slice(json).map_err(|_| None)?;
        let mut narratives = Vec::new();
        narrative::take_from_json(&mut resource, &mut narratives);
        // XML has its elements in their order, and fhirbolt wants to know the type first.
        let json = canonical_bytes(resource);
        let element: R4Element =
            fhirbolt::json::from_slice(&json, Some(strict())).map_err(|e| unknown_element(&e))?;
        let xml = fhirbolt::xml::to_vec(&element, None).map_err(|_| None)?;
        Ok(narrative::put_into_xml(&xml, narratives))
    })
}

/// The JSON of a resource given as XML.
///
/// # Errors
/// Says what is wrong, without quoting the resource.
pub fn from_xml(xml: &[u8]) -> Result<Vec<u8>, String> {
    // Entities could grow without bound, so R4 forbids a document type.
    if declares_document_type(xml) {
        return Err("XML with a document type declaration; leave the declaration out".to_owned());
    }
    if tags_nest_deeper_than(DEPTH_MAX, xml) {
        return Err(too_deep());
    }
    guarded("XML", || {
        let (xml, narratives) = narrative::take_from_xml(xml);
        let element: R4Element =
            fhirbolt::xml::from_slice(&xml, Some(strict())).map_err(|e| unknown_element(&e))?;
        let json = fhirbolt::json::to_vec(&element, None).map_err(|_| None)?;
        narrative::put_into_json(&json, &narratives).ok_or(None)
    })
}

/// fhirbolt may panic on input that it does not expect; that is one more refusal.
fn guarded(
    form: &str,
    convert: impl FnOnce() -> Result<Vec<u8>, Option<String>>,
) -> Result<Vec<u8>, String> {
    let converted = catch_unwind(AssertUnwindSafe(convert)).unwrap_or(Err(None));
    converted.map_err(|unknown| match unknown {
        Some(name) => {
            format!("R4 has no element \"{name}\" where it stands in the {form}; remove it")
        }
        None => {
            format!("not an R4 resource in {form}; check the resource type and the element names")
        }
    })
}

/// The element that R4 does not know, if that is what is wrong; no other text of the error, which
/// may quote the resource.
fn unknown_element(error: &impl std::fmt::Display) -> Option<String> {
    let text = error.to_string();
    let name = text.strip_prefix("unknown field `")?.split('`').next()?;
    let legal = name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphabetic());
    (legal && !name.is_empty()).then(|| name.to_owned())
}

fn strict() -> DeserializationConfig {
    DeserializationConfig { mode: DeserializationMode::Strict }
}

fn too_deep() -> String {
    format!("nested deeper than {DEPTH_MAX} levels; flatten it")
}

fn declares_document_type(xml: &[u8]) -> bool {
    let name = b"<!DOCTYPE";
    xml.windows(name.len()).any(|window| window.eq_ignore_ascii_case(name))
}

/// Whether tags may nest deeper than `limit`. Counts every `<x` up and every `</x` or `/>` down,
/// outside comments and CDATA; in doubt it counts too much, never too little.
fn tags_nest_deeper_than(limit: usize, xml: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut rest = xml;
    while let Some(at) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[at..];
        if rest.starts_with(b"<!--") {
            rest = after(rest, 4, b"-->");
        } else if rest.starts_with(b"<![CDATA[") {
            rest = after(rest, 9, b"]]>");
        } else if rest.starts_with(b"<?") {
            rest = after(rest, 2, b"?>");
        } else {
            let (end, closed_in_itself) = tag_end(rest);
            if rest.starts_with(b"</") {
                depth = depth.saturating_sub(1);
            } else if !closed_in_itself {
                depth += 1;
            }
            if depth > limit {
                return true;
            }
            rest = &rest[end..];
        }
    }
    false
}

fn after<'a>(text: &'a [u8], from: usize, end: &[u8]) -> &'a [u8] {
    let found = text[from..].windows(end.len()).position(|window| window == end);
    found.map_or(&[], |at| &text[from + at + end.len()..])
}

/// Where a tag that starts here ends (attribute values may hold `>`), and whether by `/>`.
fn tag_end(tag: &[u8]) -> (usize, bool) {
    let mut quote = None;
    for (at, byte) in tag.iter().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return (at + 1, tag[at - 1] == b'/'),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(open), byte) if open == *byte => quote = None,
            _ => {}
        }
    }
    (tag.len(), false)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use proptest::prelude::*;

    use super::*;

    const GOAL: &str = concat!(
        r#"{"resourceType":"Goal","id":"g","text":{"status":"generated","#,
        r#""div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a &amp; b</p></div>"},"#,
        r#""contained":[{"resourceType":"Patient","id":"p","birthDate":"1970"}],"#,
        r#""lifecycleStatus":"active","description":{"text":"<x> \"y\""},"#,
        r##""subject":{"reference":"#p"},"target":[{"measure":{"text":"m"},"##,
        r#""detailQuantity":{"value":7.00,"unit":"kg"}}],"#,
        r#""_statusDate":{"extension":[{"url":"u","valueCode":"unknown"}]}}"#
    );

    #[test]
    fn json_comes_back_from_xml_with_every_digit() {
        let xml = to_xml(GOAL.as_bytes()).unwrap();
        assert!(xml.starts_with(b"<") && !xml.is_empty());
        let again: serde_json::Value = serde_json::from_slice(&from_xml(&xml).unwrap()).unwrap();
        let first: serde_json::Value = serde_json::from_str(GOAL).unwrap();
        assert_eq!(crate::fhir::canonicalise(again), crate::fhir::canonicalise(first));
    }

    #[test]
    fn narratives_pass_as_they_are() {
        let div = concat!(
            "<div xmlns='http://www.w3.org/1999/xhtml' xml:lang=\"de\" lang=\"de\">\n",
            "  take <b>2</b> <i>twice</i> &lt;3, <!-- </div> --><img alt=\"a>b\"/>",
            "<div>inner</div> narrative 1. </div>"
        );
        let second = div.replace("twice", "thrice");
        let json = serde_json::json!({
            "lifecycleStatus": "active", "resourceType": "Goal",
            "text": {"div": div, "status": "generated"},
            "contained": [{"text": {"status": "generated", "div": second}, "id": "p",
                "resourceType": "Patient"}],
            "description": {"text": "\"div\":\"<div>narrative 0.</div>\""},
            "subject": {"reference": "#p"},
        });
        let xml = to_xml(json.to_string().as_bytes()).unwrap();
        let text = std::str::from_utf8(&xml).unwrap();
        assert!(text.contains(div) && text.contains(&second), "{text}");
        assert!(text.find("<id").unwrap() < text.find("<lifecycleStatus").unwrap());
        let again: serde_json::Value = serde_json::from_slice(&from_xml(&xml).unwrap()).unwrap();
        assert_eq!(crate::fhir::canonicalise(again), crate::fhir::canonicalise(json));
        for broken in ["<div xmlns=\"http://www.w3.org/1999/xhtml\"></div></text><x/>", "<div>"] {
            let json = serde_json::json!({
                "resourceType": "Goal", "text": {"status": "generated", "div": broken}
            });
            let xml = to_xml(json.to_string().as_bytes()).unwrap_or_default();
            let back = from_xml(&xml).map(|json| String::from_utf8(json).unwrap());
            assert!(back.is_err() || !back.unwrap().contains("\"x\""));
        }
    }

    #[test]
    fn what_is_no_resource_is_refused() {
        for json in ["{}", "[]", "", "{", r#"{"resourceType":"Goal","colour":"red"}"#] {
            assert!(to_xml(json.as_bytes()).is_err(), "{json}");
        }
        for xml in ["", "<", "<a/>", "<Goal/>", "<Goal xmlns=\"http://hl7.org/fhir\"><b/></Goal>"] {
            let _ = from_xml(xml.as_bytes());
        }
        let unknown = b"<Goal xmlns=\"http://hl7.org/fhir\"><colour value=\"red\"/></Goal>";
        assert!(from_xml(unknown).unwrap_err().contains("\"colour\""));
        let declared = b"<!doctype a [<!ENTITY x 'y'>]><Goal xmlns=\"http://hl7.org/fhir\"/>";
        assert!(from_xml(declared).unwrap_err().contains("document type"));
    }

    #[test]
    fn deep_nesting_is_refused_before_it_can_overflow_the_stack() {
        let open = "<extension url=\"a>b\">".repeat(100_000);
        let xml = format!("<Goal xmlns=\"http://hl7.org/fhir\">{open}");
        assert!(from_xml(xml.as_bytes()).unwrap_err().contains("nested"));
        let flat = "<note><text value='x'/></note><!-- <a><b> --><?x <a?>".repeat(500);
        assert!(!tags_nest_deeper_than(3, format!("<Goal>{flat}</Goal>").as_bytes()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_converted_or_refused(
            bytes in proptest::collection::vec(any::<u8>(), 0..120)
        ) {
            let _ = (to_xml(&bytes), from_xml(&bytes));
        }

        #[test]
        fn any_xml_like_text_is_converted_or_refused(
            inside in concat!(
                "(<(id|text|target|contained|Patient|div)( value=\"[a-z<&;]{0,3}\")?/?>|",
                "</(id|text|target|contained|Patient|div)>|&[a-z]{0,3};|[a-z<>&]|",
                "<div xmlns='http://www.w3.org/1999/xhtml'>|<!--|-->){0,12}"
            )
        ) {
            for end in ["", "</Goal>"] {
                let xml = format!("<Goal xmlns=\"http://hl7.org/fhir\">{inside}{end}");
                let _ = from_xml(xml.as_bytes());
            }
        }
    }
}
