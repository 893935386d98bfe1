//! The order of child elements, for every kind of R4 object; built once from fhirbolt's tables.
//! <https://hl7.org/fhir/R4/xml.html#order>

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fhirbolt_shared::element_map::r4::ELEMENT_MAP;
use fhirbolt_shared::type_hints::r4::TYPE_HINTS;

use crate::fhir::ResourceType;

/// Where a member stands in its object: its rank, then (unknown members have all the same) its
/// name, then `_x` after `x`.
pub(super) type Place<'a> = (u16, &'a str, bool);

/// What the objects inside an element are.
#[derive(Clone, Copy)]
pub(super) enum Child {
    /// A resource; its own `resourceType` says which.
    Resource,
    /// The node of this index.
    Element(u16),
}

/// The members of one kind of object, by rank.
pub(super) struct Node {
    /// By rank, so that members that come in order are found at the first guess.
    children: Vec<(&'static str, Child)>,
    /// Indexes into `children`, sorted by name.
    by_name: Vec<u16>,
}

struct Tables {
    nodes: Vec<Node>,
    /// Resource name → node, sorted.
    resources: Vec<(&'static str, u16)>,
    unknown_resource: Node,
}

const UNKNOWN: u16 = u16::MAX;
/// The node of objects that R4 does not know: every member by name.
const NOTHING: u16 = 0;
/// The node of `_x`: what a primitive has beside its value.
const PRIMITIVE: u16 = 1;

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::build);

/// The node of a resource; for an unknown name only `resourceType` has a place.
pub(super) fn resource(name: &str) -> &'static Node {
    let tables = &*TABLES;
    match tables.resources.binary_search_by_key(&name, |(known, _)| known) {
        Ok(at) => node(tables.resources[at].1),
        Err(_) => &tables.unknown_resource,
    }
}

/// A node by its index.
pub(super) fn node(index: u16) -> &'static Node {
    &TABLES.nodes[usize::from(index)]
}

impl Node {
    fn new(children: Vec<(&'static str, Child)>) -> Self {
        let mut by_name: Vec<u16> = (0..=u16::MAX).take(children.len()).collect();
        by_name.sort_by_key(|index| children[usize::from(*index)].0);
        Self { children, by_name }
    }

    /// The place of a member and what is inside it. `guess` is where to look first; it moves on.
    pub(super) fn find<'a>(&self, name: &'a str, guess: &mut usize) -> (Place<'a>, Child) {
        let (plain, is_twin) = match name.strip_prefix('_') {
            Some(plain) => (plain, true),
            None => (name, false),
        };
        let Some(rank) = self.rank(plain, *guess) else {
            return ((UNKNOWN, plain, is_twin), Child::Element(NOTHING));
        };
        *guess = rank + 1;
        let next = if is_twin { Child::Element(PRIMITIVE) } else { self.children[rank].1 };
        ((u16::try_from(rank).unwrap_or(UNKNOWN), plain, is_twin), next)
    }

    fn rank(&self, name: &str, guess: usize) -> Option<usize> {
        // The `_x` after its `x` is one before the guess.
        for rank in [guess, guess.wrapping_sub(1)] {
            if self.children.get(rank).is_some_and(|(known, _)| *known == name) {
                return Some(rank);
            }
        }
        let found = self
            .by_name
            .binary_search_by_key(&name, |index| self.children[usize::from(*index)].0)
            .ok()?;
        Some(usize::from(self.by_name[found]))
    }
}

impl Tables {
    fn build() -> Self {
        let mut paths: Vec<&'static str> = ELEMENT_MAP.keys().copied().collect();
        paths.sort_unstable();
        let first = PRIMITIVE + 1;
        let index: BTreeMap<&str, u16> = paths.iter().copied().zip(first..).collect();
        let mut nodes = vec![
            Node::new(Vec::new()),
            Node::new(vec![
                ("id", Child::Element(NOTHING)),
                ("extension", Child::Element(index.get("Extension").copied().unwrap_or(NOTHING))),
            ]),
        ];
        nodes.extend(paths.iter().map(|path| Node::new(children(path, &index))));
        let mut resources: Vec<(&str, u16)> =
            ResourceType::all().filter_map(|t| Some((t.name(), *index.get(t.name())?))).collect();
        resources.sort_unstable();
        let unknown_resource = Node::new(vec![("resourceType", Child::Element(NOTHING))]);
        Self { nodes, resources, unknown_resource }
    }
}

fn children(path: &'static str, index: &BTreeMap<&str, u16>) -> Vec<(&'static str, Child)> {
    let is_resource = ResourceType::parse(path).is_some();
    let head = is_resource.then_some(("resourceType", Child::Element(NOTHING)));
    let elements = ELEMENT_MAP.get(path).into_iter().flat_map(|set| set.iter().copied());
    head.into_iter().chain(elements.map(|name| (name, child(path, name, index)))).collect()
}

fn child(path: &str, name: &str, index: &BTreeMap<&str, u16>) -> Child {
    let full = format!("{path}.{name}");
    let in_resource = ResourceType::parse(path).is_some();
    let kind = match name {
        "extension" | "modifierExtension" => "Extension",
        "meta" if in_resource => "Meta",
        "text" if in_resource => "Narrative",
        "contained" if in_resource => "Resource",
        _ => match TYPE_HINTS.type_paths.get(&full) {
            Some(kind) => kind,
            None => TYPE_HINTS.content_reference_paths.get(&full).copied().unwrap_or(&full),
        },
    };
    match kind {
        "Resource" => Child::Resource,
        kind => Child::Element(index.get(kind).copied().unwrap_or(NOTHING)),
    }
}
