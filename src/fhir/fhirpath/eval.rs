//! Evaluation: names, constants, types; calls and operators have files of their own.
//! <http://hl7.org/fhirpath/N1/#expressions>

use std::cell::Cell;

use super::ast::{Expr, TypeName, TypeTest};
use super::item::{Item, Items, Node};
use super::temporal::Temporal;
use super::{Environment, Fault, model};

/// Items that one evaluation may touch: far more than any rule over a resource of legal size.
const STEPS_MAX: usize = 2_000_000;

/// One evaluation.
pub(super) struct Eval<'e, 'v> {
    pub(super) env: &'e Environment<'e, 'v>,
    pub(super) now: Option<Temporal>,
    steps: Cell<usize>,
}

/// What `$this`, `$index` and `$total` are.
pub(super) struct Focus<'v> {
    pub(super) items: Items<'v>,
    pub(super) index: Option<usize>,
    pub(super) total: Option<Items<'v>>,
}

pub(super) fn fault<T>(text: impl Into<String>) -> Result<T, Fault> {
    Err(Fault(text.into()))
}

impl<'e, 'v> Eval<'e, 'v> {
    pub(super) fn new(env: &'e Environment<'e, 'v>, now: Option<Temporal>) -> Self {
        Self { env, now, steps: Cell::new(0) }
    }

    /// Counts work, so that no expression takes for ever.
    pub(super) fn spend(&self, steps: usize) -> Result<(), Fault> {
        let spent = self.steps.get().saturating_add(steps).saturating_add(1);
        self.steps.set(spent);
        if spent > STEPS_MAX { fault("it takes too many steps") } else { Ok(()) }
    }

    pub(super) fn eval(&self, expr: &Expr, focus: &Focus<'v>) -> Result<Items<'v>, Fault> {
        self.spend(0)?;
        match expr {
            Expr::Nothing => Ok(Vec::new()),
            Expr::Literal(item) => Ok(vec![item.clone()]),
            Expr::This => Ok(focus.items.clone()),
            Expr::Index => match focus.index {
                Some(index) => Ok(vec![Item::Integer(index as i64)]),
                None => fault("$index has no meaning here"),
            },
            Expr::Total => Ok(focus.total.clone().unwrap_or_default()),
            Expr::Constant(name) => self.constant(name),
            Expr::Member(None, name) => self.member_of_focus(&focus.items, name),
            Expr::Member(Some(base), name) => self.member(&self.eval(base, focus)?, name),
            Expr::Call(base, function, arguments) => {
                let input = match base {
                    Some(base) => self.eval(base, focus)?,
                    None => focus.items.clone(),
                };
                self.call(*function, input, arguments, focus)
            }
            Expr::Typed(base, test, name) => self.typed(self.eval(base, focus)?, *test, name),
            Expr::Indexer(base, index) => {
                let index = self.integer(index, focus)?;
                let items = self.eval(base, focus)?;
                let at = index.and_then(|index| usize::try_from(index).ok());
                Ok(at.and_then(|at| items.into_iter().nth(at)).into_iter().collect())
            }
            Expr::Negate(inner) => super::math::negate(self.eval(inner, focus)?),
            Expr::Binary(operator, left, right) => self.binary(*operator, left, right, focus),
        }
    }

    /// A name at the start may be the type of the focus: `Patient.name`.
    fn member_of_focus(&self, items: &Items<'v>, name: &str) -> Result<Items<'v>, Fault> {
        let is_type = name.starts_with(|c: char| c.is_ascii_uppercase());
        if let [Item::Node(node)] = items.as_slice()
            && is_type
            && model::is_kind(node.kind, name)
        {
            return Ok(items.clone());
        }
        self.member(items, name)
    }

    fn member(&self, items: &Items<'v>, name: &str) -> Result<Items<'v>, Fault> {
        let mut found = Vec::new();
        for item in items {
            match item {
                Item::Node(node) if node.is_absent => {
                    return fault("the target of a reference is not at hand");
                }
                Item::Node(node) => node.children(name, &mut found),
                Item::Type(namespace, own) => {
                    let text = match name {
                        "namespace" => (*namespace).into(),
                        "name" => own.clone(),
                        _ => continue,
                    };
                    self.spend(1)?;
                    return Ok(vec![Item::String(text)]);
                }
                _ => {}
            }
        }
        self.spend(found.len())?;
        Ok(found.into_iter().map(Item::Node).collect())
    }

    fn constant(&self, name: &str) -> Result<Items<'v>, Fault> {
        let text = match name {
            "resource" => return Ok(vec![Item::Node(self.env.resource)]),
            "rootResource" => return Ok(vec![Item::Node(self.env.root)]),
            "context" => return Ok(vec![Item::Node(self.env.context)]),
            "ucum" => "http://unitsofmeasure.org".to_owned(),
            "sct" => "http://snomed.info/sct".to_owned(),
            "loinc" => "http://loinc.org".to_owned(),
            _ => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                (Some(set), _) => format!("http://hl7.org/fhir/ValueSet/{set}"),
                (_, Some(own)) => format!("http://hl7.org/fhir/StructureDefinition/{own}"),
                _ => return fault(format!("%{name} is not known")),
            },
        };
        Ok(vec![Item::String(text.into())])
    }

    fn typed(
        &self,
        items: Items<'v>,
        test: TypeTest,
        named: &TypeName,
    ) -> Result<Items<'v>, Fault> {
        if !model::is_type(&named.name) && &*named.name != "Quantity" {
            return fault(format!("the type {} is not known", named.name));
        }
        let is_of = |item: &Item<'v>| item.is_of(named.namespace.as_deref(), &named.name);
        // `as` and `ofType` of a primitive take the very type: R4's `descendants().as(uri)`.
        let is_exactly = |item: &Item<'v>| match item {
            Item::Node(node) if super::is_primitive(node.kind) => *node.kind == *named.name,
            _ => is_of(item),
        };
        match (test, items.as_slice()) {
            (TypeTest::Is, []) => Ok(Vec::new()),
            (TypeTest::Is, [item]) => Ok(vec![Item::Bool(is_of(item))]),
            (TypeTest::Is, _) => fault("is asks about one item, and there are several"),
            // R4's own rules use `as` on collections.
            (TypeTest::As | TypeTest::OfType, _) => {
                Ok(items.into_iter().filter(is_exactly).collect())
            }
        }
    }

    /// The one whole number that an expression is.
    pub(super) fn integer(&self, expr: &Expr, focus: &Focus<'v>) -> Result<Option<i64>, Fault> {
        match self.one(expr, focus)? {
            None => Ok(None),
            Some(Item::Integer(value)) => Ok(Some(value)),
            Some(_) => fault("a whole number is needed"),
        }
    }

    /// The one text that an expression is.
    pub(super) fn string(&self, expr: &Expr, focus: &Focus<'v>) -> Result<Option<String>, Fault> {
        match self.one(expr, focus)? {
            None => Ok(None),
            Some(Item::String(text)) => Ok(Some(text.into_owned())),
            Some(_) => fault("a text is needed"),
        }
    }

    /// The one value that an expression is.
    pub(super) fn one(&self, expr: &Expr, focus: &Focus<'v>) -> Result<Option<Item<'v>>, Fault> {
        one_of(&self.eval(expr, focus)?)
    }

    /// What an expression says as a condition: one item that is no boolean is "true".
    pub(super) fn condition(&self, expr: &Expr, focus: &Focus<'v>) -> Result<Option<bool>, Fault> {
        truth(&self.eval(expr, focus)?)
    }

    /// An expression about each item by itself.
    pub(super) fn each(
        &self,
        expr: &Expr,
        item: &Item<'v>,
        index: usize,
        outer: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let focus =
            Focus { items: vec![item.clone()], index: Some(index), total: outer.total.clone() };
        self.eval(expr, &focus)
    }

    /// All elements below.
    pub(super) fn descendants(&self, items: &Items<'v>) -> Result<Items<'v>, Fault> {
        let mut found: Vec<Node<'v>> = Vec::new();
        let mut open: Vec<Node<'v>> = nodes(items).collect();
        open.reverse();
        let mut below = Vec::new();
        while let Some(node) = open.pop() {
            below.clear();
            node.all_children(&mut below);
            self.spend(below.len())?;
            found.extend(below.iter().copied());
            open.extend(below.iter().rev().copied());
        }
        Ok(found.into_iter().map(Item::Node).collect())
    }
}

pub(super) fn nodes<'i, 'v>(items: &'i Items<'v>) -> impl Iterator<Item = Node<'v>> + 'i {
    items.iter().filter_map(|item| match item {
        Item::Node(node) => Some(*node),
        _ => None,
    })
}

/// The one value of a collection.
pub(super) fn one_of<'v>(items: &Items<'v>) -> Result<Option<Item<'v>>, Fault> {
    match items.as_slice() {
        [] => Ok(None),
        [item] => Ok(item.system().or_else(|| match item {
            // An element with only extensions has no value.
            Item::Node(node) if node.value.is_null() => None,
            _ => Some(item.clone()),
        })),
        _ => fault("one item is needed, and there are several"),
    }
}

pub(super) fn truth(items: &Items<'_>) -> Result<Option<bool>, Fault> {
    Ok(match one_of(items)? {
        None => None,
        Some(Item::Bool(value)) => Some(value),
        Some(_) => Some(true),
    })
}
