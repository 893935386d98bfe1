//! Whether R4 has an element, and of what kind it is; from fhirbolt's tables.
//! <https://hl7.org/fhir/R4/elementdefinition.html>

use fhirbolt_shared::element_map::r4::ELEMENT_MAP;
use fhirbolt_shared::type_hints::r4::TYPE_HINTS;

use super::ResourceType;

/// One element on the way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'p> {
    /// Its name: `target`.
    pub name: &'p str,
    /// Whether it repeats.
    pub is_list: bool,
    /// Its type, such as `CodeableConcept`; empty for primitives and for groups of elements.
    pub kind: &'static str,
}

/// The elements along a path such as `Goal.target.dueDate`, without the resource's name; `None`
/// if R4 has no such path. A choice is named with its type: `Observation.valueQuantity`.
pub fn elements(path: &str) -> Option<Vec<Element<'_>>> {
    let (resource, names) = path.split_once('.')?;
    ResourceType::parse(resource)?;
    let mut within = resource.to_owned();
    let mut found = Vec::new();
    for name in names.split('.') {
        if !ELEMENT_MAP.get(within.as_str())?.iter().any(|known| *known == name) {
            return None;
        }
        let full = format!("{within}.{name}");
        let (is_list, kind) = match name {
            "extension" | "modifierExtension" => (true, "Extension"),
            _ => {
                let kind = TYPE_HINTS.type_paths.get(full.as_str()).copied().unwrap_or_default();
                (TYPE_HINTS.array_paths.contains(full.as_str()), kind)
            }
        };
        let same_as = TYPE_HINTS.content_reference_paths.get(full.as_str()).copied();
        within = match kind {
            "" => same_as.map_or(full, str::to_owned),
            kind => kind.to_owned(),
        };
        found.push(Element { name, is_list, kind });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_r4_and_only_those() {
        let lists = |path: &str| {
            elements(path).map(|e| e.iter().map(|e| (e.is_list, e.kind)).collect::<Vec<_>>())
        };
        assert_eq!(lists("Goal.target.dueDate"), Some(vec![(true, ""), (false, "")]));
        assert_eq!(lists("Goal.description"), Some(vec![(false, "CodeableConcept")]));
        assert_eq!(lists("Encounter.class"), Some(vec![(false, "Coding")]));
        assert_eq!(
            lists("CareTeam.participant.role.coding"),
            Some(vec![(true, ""), (true, "CodeableConcept"), (true, "Coding")])
        );
        assert_eq!(lists("Goal.extension"), Some(vec![(true, "Extension")]));
        for wrong in ["Goal", "Goal.target.due", "Gaol.target", "Observation.value", "Goal."] {
            assert_eq!(lists(wrong), None, "{wrong}");
        }
    }
}
