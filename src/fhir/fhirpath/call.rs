//! Functions of collections, and those that R4 adds.
//! <http://hl7.org/fhirpath/N1/#functions>, <https://hl7.org/fhir/R4/fhirpath.html#functions>

use super::ast::Expr;
use super::eval::{Eval, Focus, fault, nodes, one_of, truth};
use super::function::Function;
use super::item::{Item, Items, Node};
use super::temporal::{Kind, Temporal};
use super::{Fault, boundary, convert, model, operate, quantity};

impl<'v> Eval<'_, 'v> {
    pub(super) fn call(
        &self,
        function: Function,
        input: Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        use Function as F;
        self.spend(input.len())?;
        let yes = |value: bool| Ok(vec![Item::Bool(value)]);
        match function {
            F::Empty => yes(input.is_empty()),
            F::Exists if arguments.is_empty() => yes(!input.is_empty()),
            F::Exists => yes(!self.filtered(&input, &arguments[0], focus)?.is_empty()),
            F::All => {
                let kept = self.filtered(&input, &arguments[0], focus)?;
                yes(kept.len() == input.len())
            }
            F::Where => self.filtered(&input, &arguments[0], focus),
            F::AllTrue => yes(self.truths(&input)?.iter().all(|value| *value)),
            F::AnyTrue => yes(self.truths(&input)?.iter().any(|value| *value)),
            F::AllFalse => yes(self.truths(&input)?.iter().all(|value| !*value)),
            F::AnyFalse => yes(self.truths(&input)?.iter().any(|value| !*value)),
            F::Count => Ok(vec![Item::Integer(input.len() as i64)]),
            F::Distinct => self.distinct(input),
            F::IsDistinct => {
                let count = input.len();
                yes(self.distinct(input)?.len() == count)
            }
            F::Not => Ok(self.negated(&input)?.into_iter().collect()),
            F::Single if input.len() > 1 => fault("single() found several items"),
            F::Single | F::First => Ok(input.into_iter().take(1).collect()),
            F::Last => Ok(input.into_iter().next_back().into_iter().collect()),
            F::Tail => Ok(input.into_iter().skip(1).collect()),
            F::Skip | F::Take => {
                let Some(count) = self.integer(&arguments[0], focus)? else {
                    return Ok(Vec::new());
                };
                let count = usize::try_from(count).unwrap_or(0);
                Ok(match function {
                    F::Skip => input.into_iter().skip(count).collect(),
                    _ => input.into_iter().take(count).collect(),
                })
            }
            F::Intersect | F::Exclude | F::Union | F::Combine | F::SubsetOf | F::SupersetOf => {
                self.sets(function, input, &arguments[0], focus)
            }
            F::Select | F::Repeat | F::Aggregate | F::Iif => {
                self.projected(function, input, arguments, focus)
            }
            F::Children => {
                let mut found = Vec::new();
                nodes(&input).for_each(|node| node.all_children(&mut found));
                self.spend(found.len())?;
                Ok(found.into_iter().map(Item::Node).collect())
            }
            F::Descendants => self.descendants(&input),
            _ if function.is_math() => self.number_call(function, &input, arguments, focus),
            _ if function.is_text() => self.text_call(function, &input, arguments, focus),
            _ => match convert::convert(function, &input)? {
                Some(converted) => Ok(converted),
                None => self.of_fhir(function, input, arguments, focus),
            },
        }
    }

    fn filtered(
        &self,
        input: &Items<'v>,
        criterion: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let mut kept = Vec::new();
        for (index, item) in input.iter().enumerate() {
            if truth(&self.each(criterion, item, index, focus)?)? == Some(true) {
                kept.push(item.clone());
            }
        }
        Ok(kept)
    }

    fn truths(&self, input: &Items<'v>) -> Result<Vec<bool>, Fault> {
        let known = input.iter().map(|item| match item.system() {
            Some(Item::Bool(value)) => Ok(value),
            _ => fault("only booleans are asked whether they are true"),
        });
        known.collect()
    }

    fn negated(&self, input: &Items<'v>) -> Result<Option<Item<'v>>, Fault> {
        Ok(truth(input)?.map(|value| Item::Bool(!value)))
    }

    fn sets(
        &self,
        function: Function,
        mut input: Items<'v>,
        argument: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let others = self.eval(argument, focus)?;
        let is_subset = |kept: Items<'v>, all: usize| Ok(vec![Item::Bool(kept.len() == all)]);
        match function {
            Function::Intersect => {
                let kept = self.among(input, &others, true)?;
                self.distinct(kept)
            }
            Function::Exclude => self.among(input, &others, false),
            Function::SubsetOf => {
                let all = input.len();
                is_subset(self.among(input, &others, true)?, all)
            }
            Function::SupersetOf => {
                let all = others.len();
                is_subset(self.among(others, &input, true)?, all)
            }
            _ => {
                input.extend(others);
                match function {
                    Function::Union => self.distinct(input),
                    _ => Ok(input),
                }
            }
        }
    }

    fn projected(
        &self,
        function: Function,
        input: Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        match function {
            Function::Select => {
                let mut found = Vec::new();
                for (index, item) in input.iter().enumerate() {
                    found.extend(self.each(&arguments[0], item, index, focus)?);
                }
                Ok(found)
            }
            Function::Repeat => self.repeated(input, &arguments[0], focus),
            Function::Aggregate => {
                let mut total = match arguments.get(1) {
                    Some(start) => self.eval(start, focus)?,
                    None => Vec::new(),
                };
                for (index, item) in input.iter().enumerate() {
                    let items = vec![item.clone()];
                    let inner = Focus { items, index: Some(index), total: Some(total) };
                    total = self.eval(&arguments[0], &inner)?;
                }
                Ok(total)
            }
            _ => {
                if input.len() > 1 {
                    return fault("iif is asked of one item");
                }
                let total = focus.total.clone();
                let inner = Focus { items: input, index: focus.index, total };
                let criterion = match self.one(&arguments[0], &inner)? {
                    Some(Item::Bool(value)) => value,
                    None => false,
                    Some(_) => return fault("iif needs a condition"),
                };
                match (criterion, arguments.get(2)) {
                    (true, _) => self.eval(&arguments[1], &inner),
                    (false, Some(otherwise)) => self.eval(otherwise, &inner),
                    (false, None) => Ok(Vec::new()),
                }
            }
        }
    }

    fn repeated(
        &self,
        input: Items<'v>,
        step: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let mut found: Items<'v> = Vec::new();
        let mut open = input;
        while !open.is_empty() {
            let mut next = Vec::new();
            for (index, item) in open.iter().enumerate() {
                for new in self.each(step, item, index, focus)? {
                    self.spend(found.len())?;
                    if !found.iter().any(|known| operate::equal(known, &new) == Some(true)) {
                        found.push(new.clone());
                        next.push(new);
                    }
                }
            }
            open = next;
        }
        Ok(found)
    }

    /// What R4 adds, and what asks for time, types and precision.
    fn of_fhir(
        &self,
        function: Function,
        input: Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        use Function as F;
        match function {
            F::Trace => Ok(input),
            F::Now | F::Today | F::TimeOfDay => self.clock(function),
            F::Type => Ok(input.iter().map(type_of).collect()),
            F::Extension => {
                let Some(url) = self.string(&arguments[0], focus)? else { return Ok(Vec::new()) };
                let mut found = Vec::new();
                nodes(&input).for_each(|node| node.children("extension", &mut found));
                let is_it = |node: &Node<'v>| {
                    node.value.get("url").and_then(|v| v.as_str()) == Some(url.as_str())
                };
                Ok(found.into_iter().filter(is_it).map(Item::Node).collect())
            }
            F::HasValue => Ok(vec![Item::Bool(match input.as_slice() {
                [Item::Node(node)] => node.has_value(),
                [_] => true,
                _ => false,
            })]),
            F::GetValue => Ok(one_of(&input)?.into_iter().collect()),
            F::Resolve => self.resolve(&input),
            F::MemberOf => self.member_of(&input, &arguments[0], focus),
            F::ConformsTo => self.conforms_to(&input, &arguments[0], focus),
            F::HtmlChecks => Ok(vec![Item::Bool(nodes(&input).all(|node| {
                node.value
                    .as_str()
                    .is_none_or(|text| crate::fhir::narrative::problem(text).is_none())
            }))]),
            F::LowBoundary | F::HighBoundary => {
                let digits = match arguments.first() {
                    Some(argument) => self.integer(argument, focus)?,
                    None => None,
                };
                let item = one_of(&input)?;
                let bound =
                    item.and_then(|i| boundary::boundary(&i, function == F::HighBoundary, digits));
                Ok(bound.into_iter().collect())
            }
            F::Precision => {
                let digits = one_of(&input)?.and_then(|item| boundary::precision(&item));
                Ok(digits.map(Item::Integer).into_iter().collect())
            }
            F::Comparable => match (one_of(&input)?, self.one(&arguments[0], focus)?) {
                (Some(Item::Quantity(a, u)), Some(Item::Quantity(b, v))) => {
                    Ok(vec![Item::Bool(quantity::comparable((a, &u), (b, &v)).is_some())])
                }
                _ => Ok(Vec::new()),
            },
            _ => fault("a function that is not at work yet"),
        }
    }

    fn clock(&self, function: Function) -> Result<Items<'v>, Fault> {
        let Some(now) = self.now else { return fault("the time is not known here") };
        Ok(vec![Item::Temporal(match function {
            Function::Now => now,
            Function::Today => {
                Temporal { kind: Kind::Date, parts: now.parts.min(3), offset: None, ..now }
            }
            _ => {
                let parts = now.parts.saturating_sub(3);
                Temporal { kind: Kind::Time, parts, offset: None, ..now }
            }
        })])
    }

    /// The targets of references: contained resources, entries of the Bundle, else what the
    /// reference says of their type.
    fn resolve(&self, input: &Items<'v>) -> Result<Items<'v>, Fault> {
        let mut found = Vec::new();
        for item in input {
            let literal = match item {
                Item::Node(node) => {
                    let reference = node.value.get("reference").unwrap_or(node.value);
                    reference.as_str().map(str::to_owned)
                }
                Item::String(text) => Some(text.to_string()),
                _ => None,
            };
            let stated = match item {
                Item::Node(node) => node.value.get("type").and_then(|v| v.as_str()),
                _ => None,
            };
            let at_hand = literal.as_deref().and_then(|text| self.target(text));
            let target = at_hand.or_else(|| {
                let literal = literal.as_deref().unwrap_or_default();
                let mut parts = literal.split("/_history/").next().unwrap_or_default().rsplit('/');
                let named = parts.nth(1).map(model::known_kind).filter(|k| model::is_resource(k));
                let stated = stated.map(model::known_kind).filter(|k| model::is_resource(k));
                named.or(stated).map(Node::absent)
            });
            found.extend(target.map(Item::Node));
        }
        self.spend(found.len())?;
        Ok(found)
    }

    fn target(&self, literal: &str) -> Option<Node<'v>> {
        let root = self.env.root.value;
        if let Some(id) = literal.strip_prefix('#') {
            if id.is_empty() {
                return Some(self.env.root);
            }
            let contained = root.get("contained")?.as_array()?;
            let found = contained.iter().find(|inner| inner["id"].as_str() == Some(id))?;
            return Some(Node::resource(found));
        }
        let entries = root.get("entry")?.as_array()?;
        let end = format!("/{literal}");
        let found = entries.iter().find(|entry| {
            let url = entry.get("fullUrl").and_then(|v| v.as_str()).unwrap_or_default();
            url == literal || (!literal.contains(':') && url.ends_with(&end))
        })?;
        found.get("resource").map(Node::resource)
    }

    fn member_of(
        &self,
        input: &Items<'v>,
        set: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let (Some(url), [item]) = (self.string(set, focus)?, input.as_slice()) else {
            return Ok(Vec::new());
        };
        let codes = match item {
            Item::Node(node) => codes_of(node),
            Item::String(text) => vec![(None, text.as_ref())],
            _ => Vec::new(),
        };
        match self.env.host.member_of(&codes, &url) {
            Some(is_member) => Ok(vec![Item::Bool(is_member)]),
            None => fault(format!("the value set {url} is not known")),
        }
    }

    fn conforms_to(
        &self,
        input: &Items<'v>,
        profile: &Expr,
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let (Some(url), [Item::Node(node)]) = (self.string(profile, focus)?, input.as_slice())
        else {
            return Ok(Vec::new());
        };
        match self.env.host.conforms(node, &url) {
            Some(conforms) => Ok(vec![Item::Bool(conforms)]),
            None => fault(format!("the profile {url} is not known")),
        }
    }
}

/// System and code of a code, Coding or CodeableConcept.
pub(super) fn codes_of<'v>(node: &Node<'v>) -> Vec<(Option<&'v str>, &'v str)> {
    let coding = |value: &'v serde_json::Value| {
        let system = value.get("system").and_then(|v| v.as_str());
        Some((system, value.get("code")?.as_str()?))
    };
    match node.value {
        serde_json::Value::String(code) => vec![(None, code.as_str())],
        value => match value.get("coding").and_then(|v| v.as_array()) {
            Some(codings) => codings.iter().filter_map(coding).collect(),
            None => coding(value).into_iter().collect(),
        },
    }
}

fn type_of<'v>(item: &Item<'v>) -> Item<'v> {
    match item {
        Item::Node(node) => {
            let name = if node.kind.contains('.') { "BackboneElement" } else { node.kind };
            Item::Type("FHIR", name.into())
        }
        _ => Item::Type("System", item.system_type().into()),
    }
}
