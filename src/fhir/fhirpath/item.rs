//! What expressions work on: elements of a resource, and values of their own.
//! <http://hl7.org/fhirpath/N1/#collections>

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::Value;

use super::model;
use super::temporal::Temporal;

/// One member of a collection.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item<'v> {
    Node(Node<'v>),
    Bool(bool),
    Integer(i64),
    Decimal(Decimal),
    String(Cow<'v, str>),
    Temporal(Temporal),
    Quantity(Decimal, Cow<'v, str>),
    /// What `type()` gives: namespace and name.
    Type(&'static str, Cow<'v, str>),
}

/// An ordered collection.
pub(super) type Items<'v> = Vec<Item<'v>>;

/// An element of a resource.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::fhir) struct Node<'v> {
    /// Its value; `null` where only an id or extensions are stated.
    pub(in crate::fhir) value: &'v Value,
    /// The id and extensions of a primitive value: the member with `_` before its name.
    pub(in crate::fhir) extra: Option<&'v Value>,
    /// `Patient`, `Patient.contact`, `HumanName`, `code`; empty if R4 has no such element.
    pub(in crate::fhir) kind: &'static str,
    /// A reference's target that is not at hand: only its type is known.
    pub(in crate::fhir) is_absent: bool,
}

static NULL: Value = Value::Null;

impl<'v> Node<'v> {
    /// A whole resource.
    pub(in crate::fhir) fn resource(value: &'v Value) -> Self {
        Self { value, extra: None, kind: model::resource_kind(value), is_absent: false }
    }

    /// An element of a known kind.
    pub(in crate::fhir) fn of(value: &'v Value, kind: &'static str) -> Self {
        Self { value, extra: None, kind, is_absent: false }
    }

    /// The target of a reference that names its type.
    pub(super) fn absent(kind: &'static str) -> Self {
        Self { value: &NULL, extra: None, kind, is_absent: true }
    }

    /// The children of a name; of a choice type any.
    pub(in crate::fhir) fn children(&self, name: &str, into: &mut Vec<Node<'v>>) {
        if let Some(extra) = self.extra {
            let extras = Node::of(extra, "Element");
            extras.children(name, into);
        }
        let Value::Object(members) = self.value else { return };
        let mut key = String::with_capacity(name.len() + 1);
        key.push('_');
        key.push_str(name);
        let (value, extra) = (members.get(name), members.get(key.as_str()));
        if value.is_some() || extra.is_some() {
            self.push(name, value, extra, into);
            return;
        }
        if model::has_element(self.kind, name) {
            return;
        }
        for (member, value) in members {
            let bare = member.strip_prefix('_').unwrap_or(member);
            let is_twin = bare.len() != member.len() && members.contains_key(bare);
            if !is_twin && model::is_choice(bare, name) {
                let (value, extra) = match bare.len() == member.len() {
                    true => (Some(value), members.get(format!("_{bare}").as_str())),
                    false => (None, Some(value)),
                };
                self.push(bare, value, extra, into);
            }
        }
    }

    /// All children.
    pub(in crate::fhir) fn all_children(&self, into: &mut Vec<Node<'v>>) {
        self.each_member(&mut |_, _, node| into.push(node));
    }

    /// All children, each with its member's name and which of several it is.
    pub(in crate::fhir) fn each_member(
        &self,
        take: &mut dyn FnMut(&'v str, Option<usize>, Node<'v>),
    ) {
        if let Some(extra) = self.extra {
            Node::of(extra, "Element").each_member(take);
        }
        let Value::Object(members) = self.value else { return };
        let has_extras = members.keys().any(|member| member.starts_with('_'));
        for (member, value) in members {
            if member == "resourceType" {
                continue;
            }
            match member.strip_prefix('_') {
                Some(bare) if members.contains_key(bare) => {}
                Some(bare) => self.each(bare, None, Some(value), take),
                None => {
                    let twin = has_extras.then(|| members.get(format!("_{member}").as_str()));
                    self.each(member, Some(value), twin.flatten(), take);
                }
            }
        }
    }

    fn push(
        &self,
        name: &'_ str,
        value: Option<&'v Value>,
        extra: Option<&'v Value>,
        into: &mut Vec<Node<'v>>,
    ) {
        self.each(name, value, extra, &mut |_, _, node| into.push(node));
    }

    fn each<'n>(
        &self,
        name: &'n str,
        value: Option<&'v Value>,
        extra: Option<&'v Value>,
        take: &mut dyn FnMut(&'n str, Option<usize>, Node<'v>),
    ) {
        let one = |value: &'v Value, extra: Option<&'v Value>| {
            let extra = extra.filter(|e| e.is_object());
            let kind = model::child_kind(self.kind, name, value);
            Node { value, extra, kind, is_absent: false }
        };
        let value = value.unwrap_or(&NULL);
        let extras = extra.and_then(Value::as_array);
        match (value.as_array(), extras) {
            (Some(items), _) => {
                for (at, value) in items.iter().enumerate() {
                    let node = one(value, extras.and_then(|extras| extras.get(at)));
                    if !node.value.is_null() || node.extra.is_some() {
                        take(name, Some(at), node);
                    }
                }
            }
            (None, Some(extras)) => {
                let nodes = extras.iter().enumerate().filter(|(_, e)| e.is_object());
                nodes.for_each(|(at, e)| take(name, Some(at), one(&NULL, Some(e))));
            }
            (None, None) if value.is_null() && extra.is_none() => {}
            (None, None) => take(name, None, one(value, extra)),
        }
    }

    /// Whether it is a primitive with a value.
    pub(super) fn has_value(&self) -> bool {
        matches!(self.value, Value::Bool(_) | Value::Number(_) | Value::String(_))
    }
}

impl<'v> Item<'v> {
    /// The value of a primitive element, or a quantity, as a value of its own.
    pub(super) fn system(&self) -> Option<Item<'v>> {
        let Item::Node(node) = self else { return Some(self.clone()) };
        match node.value {
            Value::Bool(value) => Some(Item::Bool(*value)),
            Value::Number(number) => {
                let text = number.as_str();
                match text.parse() {
                    Ok(whole) if node.kind != "decimal" => Some(Item::Integer(whole)),
                    _ => decimal(text).map(Item::Decimal),
                }
            }
            Value::String(text) => {
                let temporal = match node.kind {
                    "date" => Temporal::date(text),
                    "dateTime" | "instant" => Temporal::date_time(text),
                    "time" => Temporal::time(text),
                    _ => None,
                };
                Some(temporal.map_or_else(|| Item::String(text.as_str().into()), Item::Temporal))
            }
            Value::Object(_) if model::is_kind(node.kind, "Quantity") => quantity(node.value),
            Value::Object(_) | Value::Array(_) | Value::Null => None,
        }
    }

    /// Whether the item is of a type: namespace, if given, and name.
    pub(super) fn is_of(&self, namespace: Option<&str>, name: &str) -> bool {
        match self {
            Item::Node(node) => {
                namespace.is_none_or(|n| n == "FHIR") && { model::is_kind(node.kind, name) }
            }
            _ => namespace.is_none_or(|n| n == "System") && self.system_type() == name,
        }
    }

    /// The name of a type of FHIRPath's own.
    pub(super) fn system_type(&self) -> &'static str {
        use super::temporal::Kind;
        match self {
            Item::Node(_) => "",
            Item::Bool(_) => "Boolean",
            Item::Integer(_) => "Integer",
            Item::Decimal(_) => "Decimal",
            Item::String(_) => "String",
            Item::Temporal(Temporal { kind: Kind::Date, .. }) => "Date",
            Item::Temporal(Temporal { kind: Kind::DateTime, .. }) => "DateTime",
            Item::Temporal(Temporal { kind: Kind::Time, .. }) => "Time",
            Item::Quantity(..) => "Quantity",
            Item::Type(..) => "TypeInfo",
        }
    }

    /// As text: how `toString()` writes it.
    pub(super) fn text(&self) -> Option<Cow<'v, str>> {
        Some(match self.system()? {
            Item::Bool(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Item::Integer(value) => value.to_string().into(),
            Item::Decimal(value) => value.to_string().into(),
            Item::String(text) => text,
            Item::Temporal(temporal) => temporal.to_string().into(),
            Item::Quantity(value, unit) => match super::quantity::calendar_unit(&unit) {
                Some(_) => format!("{value} {unit}").into(),
                None => format!("{value} '{unit}'").into(),
            },
            Item::Node(_) | Item::Type(..) => return None,
        })
    }
}

/// A number of JSON, exponents too.
pub(super) fn decimal(text: &str) -> Option<Decimal> {
    text.parse().ok().or_else(|| Decimal::from_scientific(text).ok())
}

/// A Quantity with a unit of UCUM, or without one.
fn quantity<'v>(value: &'v Value) -> Option<Item<'v>> {
    let Value::Number(number) = value.get("value")? else { return None };
    let code = value.get("code").or_else(|| value.get("unit")).and_then(Value::as_str);
    Some(Item::Quantity(decimal(number.as_str())?, code.unwrap_or("1").into()))
}
