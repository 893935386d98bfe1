//! The rules of R4 itself, ready to be asked: invariants and what references may refer to.
//! <https://hl7.org/fhir/R4/conformance-rules.html#constraints>

use std::collections::HashMap;

use crate::fhir::fhirpath::{FhirPath, is_choice, is_kind, kinds};
use crate::fhir::r4;

/// A parsed invariant.
pub(super) struct Rule {
    pub(super) key: String,
    pub(super) is_warning: bool,
    pub(super) text: String,
    pub(super) path: FhirPath,
}

/// All of them, found by the kind of an element.
pub(super) struct Rules {
    rules: Vec<Rule>,
    by_kind: HashMap<&'static str, Vec<usize>>,
    /// Rules about elements of one name of a kind.
    by_member: HashMap<String, Vec<(String, usize)>>,
    targets: HashMap<String, &'static [String]>,
}

impl Rules {
    /// Parses the table.
    ///
    /// # Errors
    /// Names the invariant that is not understood.
    pub(super) fn of_r4() -> Result<Self, String> {
        let facts = r4::facts();
        let mut rules = Vec::with_capacity(facts.invariants.len());
        let mut by_kind: HashMap<&'static str, Vec<usize>> = HashMap::new();
        let mut by_member: HashMap<String, Vec<(String, usize)>> = HashMap::new();
        for invariant in &facts.invariants {
            let at = rules.len();
            rules.push(Rule::parse(&invariant.key, &invariant.expression, invariant.is_warning)?);
            for on in &invariant.on {
                let meant = kinds().filter(|kind| is_kind(kind, on));
                let mut is_kind_known = false;
                for kind in meant {
                    is_kind_known = true;
                    by_kind.entry(kind).or_default().push(at);
                }
                if let Some((kind, name)) = on.rsplit_once('.').filter(|_| !is_kind_known) {
                    by_member.entry(kind.to_owned()).or_default().push((name.to_owned(), at));
                }
            }
        }
        let mut targets = HashMap::new();
        for (name, paths) in &facts.references {
            let all =
                paths.iter().map(|(path, types)| (format!("{name}.{path}"), types.as_slice()));
            targets.extend(all);
        }
        Ok(Self { rules, by_kind, by_member, targets })
    }

    /// The invariants of an element: of its kind, and of its name in the kind above.
    pub(super) fn of(&self, kind: &str, above: &str, name: &str) -> impl Iterator<Item = &Rule> {
        let own = self.by_kind.get(kind).into_iter().flatten().copied();
        let named = self.by_member.get(above).into_iter().flatten().filter(move |(member, _)| {
            member == name || (name.len() > member.len() && is_choice(name, member))
        });
        own.chain(named.map(|(_, at)| *at)).map(|at| &self.rules[at])
    }

    /// The types that a reference may refer to, if R4 limits them.
    pub(super) fn targets(&self, above: &str, name: &str) -> Option<&'static [String]> {
        self.targets.get([above, ".", name].concat().as_str()).copied()
    }
}

impl Rule {
    /// Parses an invariant.
    ///
    /// # Errors
    /// Names it, and says what is not understood.
    pub(super) fn parse(key: &str, expression: &str, is_warning: bool) -> Result<Self, String> {
        let path = FhirPath::parse(expression)
            .map_err(|why| format!("the invariant {key} cannot be evaluated: {why}"))?;
        let shown: String = expression.chars().take(400).collect();
        let text = format!("breaks {key}, which demands: {shown}");
        Ok(Self { key: key.to_owned(), is_warning, text, path })
    }
}
