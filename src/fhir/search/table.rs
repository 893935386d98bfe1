//! The table of search parameters, one row a parameter, from `profiles/search-parameters.json`.
//! <https://hl7.org/fhir/R4/searchparameter-registry.html>

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Value;

use super::expression::Expression;
use super::{Component, Criterion, ParameterKind, QueryError, SearchParameter, SearchValue};
use crate::fhir::ResourceType;

const EMBEDDED: &str = include_str!("../../../profiles/search-parameters.json");
/// Stands in `base` for every type.
const EVERY_TYPE: &str = "Resource";

/// The loaded search parameters (`profiles/search-parameters.json`), compiled.
#[derive(Debug)]
pub struct SearchTable {
    by_type: BTreeMap<ResourceType, Vec<SearchParameter>>,
    fingerprint: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    parameters: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    base: Vec<String>,
    name: Box<str>,
    kind: ParameterKind,
    expression: String,
    #[serde(default)]
    system: Box<str>,
    #[serde(default)]
    components: Vec<ComponentRow>,
    #[serde(default)]
    targets: Vec<String>,
    #[serde(default)]
    cross_person: bool,
    definition: Box<str>,
    documentation: Box<str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ComponentRow {
    kind: ParameterKind,
    expression: String,
}

/// Raised when the same table reads other values out of a resource than before.
const EXTRACTION_VERSION: u8 = 2;

impl SearchTable {
    /// Loads and compiles a table (the text of `profiles/search-parameters.json`).
    ///
    /// # Errors
    /// Names the parameter whose expression is not understood.
    pub fn load(text: &str) -> Result<Self, String> {
        let file: File = serde_json::from_str(text).map_err(|e| format!("search table: {e}"))?;
        let mut by_type: BTreeMap<ResourceType, Vec<SearchParameter>> =
            ResourceType::all().map(|t| (t, Vec::new())).collect();
        for row in file.parameters {
            let parameter = compile(&row)?;
            for resource_type in bases(&row)? {
                let parameters = by_type.entry(resource_type).or_default();
                if parameters.iter().any(|p| p.name == parameter.name) {
                    let name = &parameter.name;
                    return Err(format!("search parameter {resource_type}.{name} stands twice"));
                }
                parameters.push(parameter.clone());
            }
        }
        for (resource_type, parameters) in &mut by_type {
            parameters.sort_by(|a, b| a.name.cmp(&b.name));
            u16::try_from(parameters.len())
                .map_err(|_| format!("too many search parameters for {resource_type}"))?;
        }
        let mut hash = blake3::Hasher::new();
        let hash = hash.update(text.as_bytes()).update(&[EXTRACTION_VERSION]).finalize();
        let (head, _) = hash.as_bytes().split_first_chunk().expect("a hash has 32 bytes");
        Ok(Self { by_type, fingerprint: u64::from_be_bytes(*head) })
    }

    /// The table that is compiled into the program.
    pub fn embedded() -> &'static Self {
        static TABLE: OnceLock<SearchTable> = OnceLock::new();
        TABLE.get_or_init(|| Self::load(EMBEDDED).expect("the embedded table is tested"))
    }

    /// Changes when the table does. Extracted values name parameters by their index, so values
    /// that were stored under another fingerprint must be extracted anew.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    /// The parameters of a type, in index order.
    pub fn parameters(&self, resource_type: ResourceType) -> &[SearchParameter] {
        self.by_type.get(&resource_type).map_or(&[], Vec::as_slice)
    }

    /// All search values of a resource, ordered by parameter.
    pub fn extract(&self, resource_type: ResourceType, resource: &Value) -> Vec<SearchValue> {
        let mut values = Vec::new();
        for (index, parameter) in (0..=u16::MAX).zip(self.parameters(resource_type)) {
            parameter.values(index, resource, &mut values);
        }
        values
    }

    /// Compiles one query parameter, `name` with its modifier (`code:not`) and raw value
    /// (after percent decoding, with commas and escapes). `_id`, `_lastUpdated` and other
    /// result parameters are the caller's.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn criterion(
        &self,
        resource_type: ResourceType,
        name: &str,
        value: &str,
    ) -> Result<Criterion, QueryError> {
        let (base, modifier) = match name.split_once(':') {
            Some((base, modifier)) => (base, Some(modifier)),
            None => (name, None),
        };
        let parameters = self.parameters(resource_type);
        let found = (0..=u16::MAX).zip(parameters).find(|(_, p)| *p.name == *base);
        let Some((index, parameter)) = found else {
            let known: Vec<&str> = parameters.iter().map(|p| &*p.name).collect();
            return Err(QueryError::UnknownParameter {
                resource_type,
                name: base.chars().take(64).collect(),
                known: known.join(", "),
            });
        };
        Criterion::compile(index, parameter, modifier, value)
    }
}

fn compile(row: &Row) -> Result<SearchParameter, String> {
    let name = &row.name;
    let expression =
        Expression::parse(&row.expression).map_err(|e| format!("search parameter {name}: {e}"))?;
    let targets = row
        .targets
        .iter()
        .map(|t| t.parse().map_err(|e| format!("search parameter {name}: {e}")))
        .collect::<Result<_, String>>()?;
    Ok(SearchParameter {
        name: row.name.clone(),
        kind: row.kind,
        targets,
        cross_person: row.cross_person,
        definition: row.definition.clone(),
        documentation: row.documentation.clone(),
        system: row.system.clone(),
        expression,
        components: components(row)?,
    })
}

fn components(row: &Row) -> Result<Vec<Component>, String> {
    let name = &row.name;
    let is_composite = row.kind == ParameterKind::Composite;
    let nested = row.components.iter().any(|c| c.kind == ParameterKind::Composite);
    if is_composite != (row.components.len() > 1) || nested {
        return Err(format!("search parameter {name}: a composite, and nothing else, has parts"));
    }
    let component = |row: &ComponentRow| {
        let expression = Expression::parse(&row.expression);
        let expression = expression.map_err(|e| format!("search parameter {name}: {e}"))?;
        Ok(Component { kind: row.kind, expression })
    };
    row.components.iter().map(component).collect()
}

fn bases(row: &Row) -> Result<Vec<ResourceType>, String> {
    if row.base.iter().any(|b| b == EVERY_TYPE) {
        return Ok(ResourceType::all().collect());
    }
    let parse = |b: &String| b.parse().map_err(|e| format!("search parameter {}: {e}", row.name));
    row.base.iter().map(parse).collect()
}
