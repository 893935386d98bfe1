//! How the sections of a care record are FHIR resources: data of `profiles/care-record-map.json`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::fhir::{ResourceType, elements};

/// The sections, in the order in which a resource looks for its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RecordMap {
    #[serde(rename = "version")]
    _version: String,
    pub(super) sections: Vec<Section>,
}

/// A section: items of one resource type. The first is the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) resource: String,
    #[serde(rename = "says")]
    _says: String,
    /// The element that names the person.
    #[serde(default)]
    pub(super) subject: Option<String>,
    /// List elements that every resource of the section has, with the concept that marks it.
    #[serde(default)]
    pub(super) adds: Map<String, Value>,
    /// What makes a resource one of the section; nothing: its type.
    #[serde(default, rename = "match")]
    pub(super) rules: Vec<Rule>,
    pub(super) fields: Vec<Field>,
}

/// A mark of a section.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    /// The element: of the resource, or of the type that refers to it.
    pub(super) at: String,
    /// Its coding has this system.
    #[serde(default)]
    pub(super) system: String,
    /// And one of these codes; none: any.
    #[serde(default)]
    pub(super) codes: Vec<String>,
    /// A resource of this type refers to it.
    #[serde(default, rename = "referredBy")]
    pub(super) referred_by: Option<String>,
}

/// A field of an item, and the element that holds it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) at: String,
    #[serde(default, rename = "as")]
    pub(super) form: Form,
    /// The system of codes that are written without one.
    #[serde(default)]
    pub(super) system: Option<String>,
    /// The URL of the extension that holds it.
    #[serde(default)]
    pub(super) url: Option<String>,
    /// Held by an extension within the extension, whose URL is `at`.
    #[serde(default)]
    pub(super) inner: bool,
    #[serde(default)]
    pub(super) fields: Vec<Field>,
}

/// How a field is written, in the record and in FHIR.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Form {
    /// Alike in both.
    #[default]
    #[serde(alias = "date", alias = "day", alias = "period", alias = "flag", alias = "text")]
    #[serde(alias = "number", alias = "quantity", alias = "name", alias = "code")]
    Value,
    /// A CodeableConcept.
    Concept,
    Concepts,
    /// A Coding.
    Coding,
    /// A Reference: the id of an item, a name, or as FHIR has it.
    Party,
    Parties,
    /// Annotations.
    Notes,
    /// `value[x]` and the like.
    Choice,
    Group,
    Groups,
    /// References, each in an extension.
    ExtensionParties,
    /// Groups, each an extension with extensions.
    ExtensionGroups,
}

impl RecordMap {
    /// Reads it and checks that R4 has every element.
    ///
    /// # Errors
    /// Names what is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let map: Self = serde_json::from_str(text).map_err(|e| format!("record map: {e}"))?;
        for section in &map.sections {
            let name = &section.resource;
            if ResourceType::parse(name).is_none() {
                return Err(format!("record map: \"{name}\" is no R4 type"));
            }
            for field in &section.fields {
                field.check(name)?;
            }
        }
        match map.sections.first() {
            Some(first) if first.resource == "Patient" => Ok(map),
            _ => Err("record map: the first section must be a Patient".to_owned()),
        }
    }
}

impl Field {
    fn check(&self, within: &str) -> Result<(), String> {
        if self.inner {
            return Ok(());
        }
        let path = match self.form {
            Form::Choice => format!("{within}.{}String", self.at),
            _ => format!("{within}.{}", self.at),
        };
        // Not every choice has a string; one that has none has a CodeableConcept.
        let choice = format!("{within}.{}CodeableConcept", self.at);
        if elements(&path).is_none() && elements(&choice).is_none() {
            return Err(format!("record map: R4 has no \"{path}\""));
        }
        if self.form == Form::ExtensionGroups {
            return Ok(());
        }
        self.fields.iter().try_for_each(|field| field.check(&path))
    }
}
