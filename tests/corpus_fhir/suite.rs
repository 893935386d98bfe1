//! The FHIRPath suite for R4 of the data folder: which share of it the evaluator passes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use careweave::fhir::{FhirPath, xml};
use serde_json::Value;

use crate::folder;

/// Tests that pass; a change that loses one must say why.
const PASSED_MIN: usize = 909;

#[test]
fn the_share_of_the_fhirpath_suite_that_passes_does_not_fall() {
    let Some(folder) = folder("09-") else { return };
    let text = fs::read_to_string(folder.join("r4/fhirpath/tests-fhir-r4.xml")).unwrap();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    for group in elements(&text, "group") {
        let name = attribute(group.0, "name").unwrap_or_default();
        let counts = groups.entry(name.clone()).or_default();
        for (head, body) in elements(group.1, "test") {
            counts.1 += 1;
            match run(&folder.join("r4"), head, body) {
                Ok(()) => counts.0 += 1,
                Err(why) => failed.push(format!("{name}: {why}")),
            }
        }
    }
    let passed: usize = groups.values().map(|(passed, _)| passed).sum();
    let all: usize = groups.values().map(|(_, all)| all).sum();
    println!("FHIRPath suite: {passed} of {all} tests pass");
    for (name, (passed, all)) in groups.iter().filter(|(_, (passed, all))| passed < all) {
        println!("  {name}: {passed} of {all}");
    }
    failed.iter().for_each(|line| println!("    {line}"));
    assert!(all >= 937 && passed >= PASSED_MIN, "{passed} of {all}");
}

fn run(folder: &Path, head: &str, body: &str) -> Result<(), String> {
    let (expression_head, expression) = elements(body, "expression").remove(0);
    let text = unescaped(expression);
    let is_wrong = attribute(expression_head, "invalid").is_some();
    let resource = match attribute(head, "inputfile") {
        Some(file) => input(&folder.join(file)),
        None => Value::Null,
    };
    let evaluated = FhirPath::parse(&text)
        .and_then(|p| p.evaluate(&resource, Some(NOW)).map_err(|fault| fault.to_string()));
    let found = match evaluated {
        Err(_) if is_wrong => return Ok(()),
        Err(why) => return Err(format!("{text} => {why}")),
        Ok(found) if is_wrong => return Err(format!("{text} => {found:?}, not an error")),
        Ok(found) => found,
    };
    let mut wanted: Vec<String> =
        elements(body, "output").into_iter().map(|(_, text)| unescaped(text)).collect();
    wanted.iter_mut().for_each(|text| *text = text.trim_start_matches('@').to_owned());
    let mut got: Vec<String> = found.iter().map(|(_, text)| text.clone()).collect();
    if attribute(head, "predicate").as_deref() == Some("true") {
        got = vec![(!got.is_empty()).to_string()];
    }
    if attribute(head, "ordered").as_deref() == Some("false") {
        wanted.sort();
        got.sort();
    }
    let same = got.len() == wanted.len() && got.iter().zip(&wanted).all(|(a, b)| equal(a, b));
    if same { Ok(()) } else { Err(format!("{text} => {found:?}, wanted {wanted:?}")) }
}

const NOW: &str = "2026-11-23T06:00:00.000+00:00";

fn equal(got: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok();
    got == wanted
        || got.trim_start_matches('T') == wanted.trim_start_matches('T')
        || matches!((number(got), number(wanted)), (Some(a), Some(b)) if a == b)
}

fn input(path: &Path) -> Value {
    let bytes = fs::read(path).unwrap();
    let json = match path.extension().is_some_and(|e| e == "xml") {
        true => xml::from_xml(&bytes).unwrap_or_default(),
        false => bytes,
    };
    serde_json::from_slice(&json).unwrap_or_default()
}

/// Head and body of every element of a name; elements of one name are not nested here.
fn elements<'t>(text: &'t str, name: &str) -> Vec<(&'t str, &'t str)> {
    let (open, close) = (format!("<{name}"), format!("</{name}>"));
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(&open) {
        rest = &rest[at + open.len()..];
        if !rest.starts_with(|c: char| c.is_whitespace() || c == '>' || c == '/') {
            continue;
        }
        let end = rest.find('>').unwrap_or(rest.len() - 1);
        let head = &rest[..end];
        rest = &rest[end + 1..];
        if head.ends_with('/') {
            found.push((head, ""));
            continue;
        }
        let end = rest.find(&close).unwrap_or(rest.len());
        found.push((head, &rest[..end]));
        rest = &rest[end..];
    }
    found
}

fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, after) = head.split_once(&format!("{name}=\""))?;
    after.split_once('"').map(|(value, _)| unescaped(value))
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&apos;", "'").replace("&#39;", "'").replace("&amp;", "&").trim().to_owned()
}
