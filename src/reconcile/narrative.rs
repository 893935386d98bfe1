//! The woven plan in words: XHTML that we make ourselves, everything escaped.
//! <https://hl7.org/fhir/R4/narrative.html>

use std::fmt::Write;

use serde_json::Value;

/// One heading of the narrative with its lines.
pub(super) struct Section {
    pub(super) heading: &'static str,
    pub(super) lines: Vec<String>,
}

/// How many lines a section shows; the rest is counted.
const LINES_MAX: usize = 200;

/// The narrative `div`.
pub(super) fn div(title: &str, sections: &[Section]) -> String {
    let mut out = String::from(r#"<div xmlns="http://www.w3.org/1999/xhtml">"#);
    let _ = write!(out, "<h2>{}</h2>", escape(title));
    for section in sections.iter().filter(|s| !s.lines.is_empty()) {
        let _ = write!(out, "<h3>{}</h3><ul>", section.heading);
        for line in section.lines.iter().take(LINES_MAX) {
            let _ = write!(out, "<li>{}</li>", escape(line));
        }
        if let Some(more) = section.lines.len().checked_sub(LINES_MAX).filter(|m| *m > 0) {
            let _ = write!(out, "<li>and {more} more</li>");
        }
        out.push_str("</ul>");
    }
    out.push_str("</div>");
    out
}

/// What a CodeableConcept is called: its text, else a display, else a code.
pub(super) fn concept(value: Option<&Value>) -> Option<String> {
    let value = value?;
    let own = value.get("text").and_then(Value::as_str);
    let codings = value.get("coding").and_then(Value::as_array);
    let of = |name: &str| {
        codings?.iter().find_map(|c| c.get(name).and_then(Value::as_str)).filter(|t| !t.is_empty())
    };
    own.filter(|t| !t.trim().is_empty())
        .or_else(|| of("display"))
        .or_else(|| of("code"))
        .map(str::to_owned)
}

/// The first code of a CodeableConcept.
pub(super) fn code(value: Option<&Value>) -> Option<&str> {
    value?.get("coding")?.as_array()?.iter().find_map(|c| c.get("code")?.as_str())
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // XHTML allows no other control characters.
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
