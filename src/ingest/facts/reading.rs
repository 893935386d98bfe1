//! Reading facts: the elements that many types share.

use serde_json::Value;

use super::{modifier, span, value};
use crate::compare::{clinical_text, code_system, normalise_identifier, token};
use crate::flow::{DateSpan, Facts, Identifier, Link, Token};

/// Facts of one resource in the making.
pub(super) struct Reading<'a> {
    /// The resource.
    pub(super) resource: &'a Value,
    /// What contains it, else itself.
    pub(super) container: &'a Value,
    /// What has been read.
    pub(super) facts: Facts,
}

impl<'a> Reading<'a> {
    pub(super) fn new(resource: &'a Value, container: &'a Value) -> Self {
        let facts = Facts {
            identifiers: identifiers(resource),
            modifiers: modifier::modifiers(resource),
            ..Facts::default()
        };
        Self { resource, container, facts }
    }

    /// The facts, lists sorted and without repeats.
    pub(super) fn finish(self, links: Vec<Link>) -> Facts {
        let mut facts = Facts { links, ..self.facts };
        for tokens in [&mut facts.codes, &mut facts.categories] {
            tokens.sort();
            tokens.dedup();
        }
        facts
    }

    /// The text of an element, if it is one.
    pub(super) fn text(&self, element: &str) -> Option<&'a str> {
        self.resource.get(element)?.as_str()
    }

    /// `status` from an element that is a code.
    pub(super) fn status(&mut self, element: &str) {
        self.facts.status = self.text(element).map(Into::into);
    }

    /// `intent`.
    pub(super) fn intent(&mut self) {
        self.facts.intent = self.text("intent").map(Into::into);
    }

    /// The concepts of an element as what the resource is. The first one with text names it.
    pub(super) fn codes(&mut self, element: &str) {
        for concept in each(self.resource.get(element)) {
            self.concept(concept);
        }
    }

    /// One concept as what the resource is.
    pub(super) fn concept(&mut self, concept: &Value) {
        self.facts.codes.extend(tokens(concept));
        self.facts.codes.extend(names(concept));
        if self.facts.text.is_empty() {
            self.facts.text = name(concept);
        }
    }

    /// Categories: CodeableConcepts or Codings; a text where there is no coding.
    pub(super) fn categories(&mut self, element: &str) {
        for concept in each(self.resource.get(element)) {
            let found = tokens(concept);
            let text = name(concept);
            if found.is_empty() && !text.is_empty() {
                self.facts.categories.push(Token { system: "".into(), code: text });
            }
            self.facts.categories.extend(found);
        }
    }

    /// When it holds or happened, from `element` or a choice of types `element[x]`.
    pub(super) fn when(&mut self, element: &str) {
        let found = self.span(element);
        self.facts.when = self.facts.when.or(found);
    }

    /// When it was written.
    pub(super) fn authored(&mut self, element: &str) {
        let found = self.span(element);
        self.facts.authored = self.facts.authored.or(found);
    }

    /// When it was last changed in the author's own words.
    pub(super) fn changed(&mut self, element: &str) {
        let found = self.span(element);
        self.facts.changed = self.facts.changed.or(found);
    }

    fn span(&self, element: &str) -> Option<DateSpan> {
        span::element(self.resource, element)
    }

    /// Longer text: titles and descriptions, one after the other.
    pub(super) fn title(&mut self, elements: &[&str]) {
        let texts = elements.iter().filter_map(|e| self.text(e)).map(clinical_text);
        let texts: Vec<Box<str>> = texts.filter(|t| !t.is_empty()).collect();
        self.facts.title = texts.join(" ").into();
    }

    /// Adds one part to the normalised value.
    pub(super) fn add_value(&mut self, name: &str, part: &str) {
        if part.is_empty() {
            return;
        }
        let before = std::mem::take(&mut self.facts.value);
        let gap = if before.is_empty() { "" } else { "; " };
        self.facts.value = if name.is_empty() {
            format!("{before}{gap}{part}").into()
        } else {
            format!("{before}{gap}{name}={part}").into()
        };
    }

    /// Adds the values of a repeating element, whose order means nothing.
    pub(super) fn add_values(&mut self, name: &str, mut parts: Vec<String>) {
        parts.retain(|p| !p.is_empty());
        parts.sort();
        parts.dedup();
        self.add_value(name, &parts.join(", "));
    }

    /// The code, else the text, of the concepts of an element: for values.
    pub(super) fn concept_values(&self, element: &str) -> Vec<String> {
        each(self.resource.get(element)).map(value::concept).collect()
    }
}

/// The elements of a list, or the one value; nothing for what is absent.
pub(super) fn each(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let list = match value {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one @ Value::Object(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    list.iter()
}

/// The tokens of a CodeableConcept or a Coding.
pub(super) fn tokens(concept: &Value) -> Vec<Token> {
    match concept.get("coding") {
        Some(codings) => each(Some(codings)).filter_map(token).collect(),
        None => token(concept).into_iter().collect(),
    }
}

/// The normalised name of a concept: its `text`, else the first `display`.
pub(super) fn name(concept: &Value) -> Box<str> {
    let text = concept.get("text").or_else(|| concept.get("display")).and_then(Value::as_str);
    let display = || each(concept.get("coding")).find_map(|c| c.get("display")?.as_str());
    text.or_else(display).map(clinical_text).unwrap_or_default()
}

/// All names of a concept, normalised: its text and what each coding is called, as tokens without
/// system. Classifications add words that change nothing; there the name without them is one
/// more.
fn names(concept: &Value) -> Vec<Token> {
    let text = concept.get("text").and_then(Value::as_str);
    let mut names: Vec<Box<str>> = text.map(clinical_text).into_iter().collect();
    for coding in each(concept.get("coding")) {
        let Some(display) = coding.get("display").and_then(Value::as_str) else { continue };
        names.push(clinical_text(display));
        let system = coding.get("system").and_then(Value::as_str).unwrap_or_default();
        if code_system(system).contains("/sid/icd-10") {
            names.push(clinical_text(&unqualified(display)));
        }
        if &*code_system(system) == "http://loinc.org" {
            names.extend(loinc_component(display).map(|name| clinical_text(&name)));
        }
    }
    names.retain(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX);
    names.truncate(NAMES_MAX);
    names.into_iter().map(|code| Token { system: "".into(), code }).collect()
}

/// Names of one concept that are compared.
const NAMES_MAX: usize = 8;
/// Longer names are notes; they are compared as the text only.
const NAME_BYTES_MAX: usize = 256;

/// What a LOINC name is of, without property, specimen and the year of a panel, where the specimen
/// goes without saying: `Lipid 1996 panel - Serum or Plasma` → `Lipid panel`.
fn loinc_component(display: &str) -> Option<String> {
    let end = [" [", " - ", " in "].iter().filter_map(|cut| display.find(cut)).min()?;
    let (name, rest) = display.split_at(end);
    let of_blood = ["Serum", "Plasma", "Blood"].iter().any(|specimen| rest.contains(specimen));
    let year = |w: &&str| w.len() == 4 && w.bytes().all(|b| b.is_ascii_digit());
    let words: Vec<&str> = name.split(' ').filter(|w| !year(w)).collect();
    of_blood.then(|| words.join(" "))
}

/// An ICD-10 name without what the classification adds to it: words in parentheses change nothing,
/// and `without …` is what holds where nothing is said.
fn unqualified(text: &str) -> String {
    let text = text.split_once(" without ").map_or(text, |(name, _)| name);
    let mut depth = 0_u32;
    let keep = |c: &char| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => return depth == 0,
        }
        false
    };
    text.chars().filter(keep).collect()
}

/// The business identifiers that name this very record, sorted. Those it shares with others of
/// an order (`requisition`, `groupIdentifier`) name the group.
pub(crate) fn identifiers(resource: &Value) -> Vec<Identifier> {
    let read = |element: &str| each(resource.get(element)).filter_map(identifier);
    let groups: Vec<Identifier> = read("requisition").chain(read("groupIdentifier")).collect();
    let mut own: Vec<Identifier> = read("identifier")
        .chain(read("masterIdentifier"))
        .filter(|i| !groups.iter().any(|g| g.system == i.system && g.value == i.value))
        .collect();
    own.sort();
    own.dedup();
    own
}

fn identifier(stated: &Value) -> Option<Identifier> {
    let text = |name: &str| stated.get(name).and_then(Value::as_str);
    let value = text("value").filter(|v| !v.trim().is_empty())?;
    let (system, value) = normalise_identifier(text("system").unwrap_or_default(), value);
    let kind = stated.get("type").map(tokens).unwrap_or_default();
    // The codes of HL7 v2 table 0203 before a site's own.
    let standard = kind.iter().find(|t| &*code_system(&t.system) == KINDS).or(kind.first());
    let kind = standard.map(|t| t.code.clone()).unwrap_or_default();
    Some(Identifier { system, value, kind, old: text("use") == Some("old") })
}

const KINDS: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
