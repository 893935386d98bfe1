//! A StructureDefinition's elements as a tree with slices.
//! <https://hl7.org/fhir/R4/elementdefinition.html>

use serde_json::Value;

/// One element, or one slice of it, and what the profile says of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Spec {
    pub(super) name: String,
    pub(super) min: u64,
    /// `None`: any number.
    pub(super) max: Option<u64>,
    pub(super) types: Vec<Type>,
    /// What the value is, exactly.
    pub(super) fixed: Option<Value>,
    /// What the value has among others.
    pub(super) pattern: Option<Value>,
    /// The value set of a required binding.
    pub(super) binding: Option<String>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) slicing: Option<Slicing>,
    pub(super) slices: Vec<Spec>,
    pub(super) children: Vec<Spec>,
}

/// A type that an element may have.
#[derive(Clone, Debug, Default)]
pub(super) struct Type {
    pub(super) code: String,
    pub(super) profiles: Vec<String>,
    pub(super) targets: Vec<String>,
}

/// An invariant.
#[derive(Clone, Debug)]
pub(super) struct Constraint {
    pub(super) key: String,
    pub(super) is_warning: bool,
    pub(super) expression: String,
}

/// How values are told apart.
#[derive(Clone, Debug)]
pub(super) struct Slicing {
    /// Kind and path of each discriminator.
    pub(super) discriminators: Vec<(String, String)>,
    pub(super) is_closed: bool,
}

impl Spec {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Lays elements, in the order of a snapshot or differential, over what is known already.
    pub(super) fn lay(&mut self, elements: &[Value]) {
        for element in elements {
            let text = |name: &str| element.get(name).and_then(Value::as_str);
            let Some(path) = text("path") else { continue };
            let id = text("id").filter(|id| id.split('.').count() == path.split('.').count());
            let mut spec = &mut *self;
            for step in id.unwrap_or(path).split('.').skip(1) {
                let (name, slice) =
                    step.split_once(':').map_or((step, None), |(n, s)| (n, Some(s)));
                spec = at(&mut spec.children, name);
                if let Some(slice) = slice {
                    spec = at(&mut spec.slices, slice);
                }
            }
            if let Some(slice) = text("sliceName").filter(|_| id.is_none()) {
                spec = at(&mut spec.slices, slice);
            }
            spec.take(element);
        }
    }

    fn take(&mut self, element: &Value) {
        if let Some(min) = element.get("min").and_then(Value::as_u64) {
            self.min = min;
        }
        if let Some(max) = element.get("max").and_then(Value::as_str) {
            self.max = max.parse().ok();
        }
        if let Some(types) = element.get("type").and_then(Value::as_array) {
            self.types = types.iter().map(Type::read).collect();
        }
        for (name, value) in element.as_object().into_iter().flatten() {
            if is_of_type(name, "fixed") {
                self.fixed = Some(value.clone());
            } else if is_of_type(name, "pattern") {
                self.pattern = Some(value.clone());
            }
        }
        if let Some(binding) = element.get("binding") {
            let is_required = binding["strength"] == "required";
            let set = binding["valueSet"].as_str().filter(|_| is_required);
            self.binding = set.map(|url| plain(url).to_owned());
        }
        for constraint in element["constraint"].as_array().into_iter().flatten() {
            let (Some(key), Some(expression)) =
                (constraint["key"].as_str(), constraint["expression"].as_str())
            else {
                continue;
            };
            let is_warning = constraint["severity"] == "warning";
            self.constraints.retain(|known| known.key != key);
            let (key, expression) = (key.to_owned(), expression.to_owned());
            self.constraints.push(Constraint { key, is_warning, expression });
        }
        if let Some(slicing) = element.get("slicing") {
            self.slicing = Some(Slicing::read(slicing));
        }
    }
}

impl Type {
    fn read(value: &Value) -> Self {
        let urls = |name: &str| {
            let urls = value[name].as_array().into_iter().flatten().filter_map(Value::as_str);
            urls.map(|url| plain(url).to_owned()).collect()
        };
        Self {
            code: value["code"].as_str().unwrap_or_default().to_owned(),
            profiles: urls("profile"),
            targets: urls("targetProfile"),
        }
    }
}

impl Slicing {
    fn read(value: &Value) -> Self {
        let text = |item: &Value, name: &str| item[name].as_str().unwrap_or_default().to_owned();
        let discriminators = value["discriminator"].as_array().into_iter().flatten();
        Self {
            discriminators: discriminators.map(|d| (text(d, "type"), text(d, "path"))).collect(),
            is_closed: value["rules"] == "closed",
        }
    }
}

/// A canonical without its version.
pub(super) fn plain(url: &str) -> &str {
    url.split('|').next().unwrap_or_default()
}

fn at<'s>(among: &'s mut Vec<Spec>, name: &str) -> &'s mut Spec {
    let found = among.iter().position(|spec| spec.name == name).unwrap_or_else(|| {
        among.push(Spec::new(name));
        among.len() - 1
    });
    &mut among[found]
}

fn is_of_type(name: &str, stem: &str) -> bool {
    let kind = name.strip_prefix(stem);
    kind.is_some_and(|kind| kind.starts_with(|c: char| c.is_ascii_uppercase()))
}
