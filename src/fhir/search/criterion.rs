//! One search criterion, compiled: `name[:modifier]=v1,v2`.
//! <https://hl7.org/fhir/R4/search.html#modifiers>

use jiff::Timestamp;

use super::compiled::{
    DATE_EXPECTED, DateTest, NUMBER_EXPECTED, NumberTest, split_unescaped, unescape,
};
use super::{Indexed, ParameterKind, QueryError, SearchParameter, SearchValue, fold, period};
use crate::fhir::ResourceType;
use crate::fhir::fhirpath::in_unit;

/// Codes of this system are units with dimensions, so amounts in them can be compared.
const UCUM: &str = "http://unitsofmeasure.org";

/// The most alternatives a criterion may have.
pub const ALTERNATIVES_MAX: usize = 100;
/// The longest value of a criterion, in bytes.
pub const VALUE_MAX: usize = 4096;

/// One search criterion: `name[:modifier]=v1,v2`, compiled. The values are alternatives.
#[derive(Clone, Debug)]
pub struct Criterion {
    /// Index of the parameter.
    pub param: u16,
    condition: Condition,
    targets: Vec<ResourceType>,
}

#[derive(Clone, Debug)]
enum Condition {
    /// `:missing`: whether there must be no value.
    Missing(bool),
    /// One of these must hold of a value.
    Any(Vec<Test>),
    /// `:not`: none may hold of any value; also true without values.
    None(Vec<Test>),
}

#[derive(Clone, Debug)]
enum Test {
    /// `None` for a system: any. `None` for a code: any.
    Token {
        system: Option<Box<str>>,
        code: Option<Box<str>>,
    },
    Prefix(Box<str>),
    Contains(Box<str>),
    Exact(Box<str>),
    Date(DateTest),
    Reference(Box<str>),
    Quantity {
        number: NumberTest,
        system: Box<str>,
        unit: Box<str>,
    },
    Number(NumberTest),
    Uri(Box<str>),
    UriBelow(Box<str>),
    UriAbove(Box<str>),
    Identified {
        system: Option<Box<str>>,
        value: Option<Box<str>>,
    },
    Typed {
        system: Box<str>,
        code: Box<str>,
        value: Box<str>,
    },
    /// One test for each component.
    Composite(Vec<Test>),
}

impl Criterion {
    pub(super) fn compile(
        param: u16,
        parameter: &SearchParameter,
        modifier: Option<&str>,
        value: &str,
    ) -> Result<Self, QueryError> {
        let bad = |expected: &'static str| QueryError::BadValue {
            name: parameter.name.to_string(),
            value: value.chars().take(64).collect(),
            expected,
        };
        if value.len() > VALUE_MAX {
            return Err(bad("a value of at most 4096 bytes"));
        }
        let make = |condition| Self { param, condition, targets: parameter.targets.clone() };
        if modifier == Some("missing") {
            let missing = value.parse().map_err(|_| bad("true or false"))?;
            return Ok(make(Condition::Missing(missing)));
        }
        let mut tests = Vec::new();
        let alternatives = split_unescaped(value, ',');
        if alternatives.len() > ALTERNATIVES_MAX {
            return Err(bad("at most 100 alternatives"));
        }
        for alternative in alternatives {
            let alternative = alternative.trim();
            if alternative.is_empty() {
                return Err(bad("a value before and after each comma"));
            }
            tests.extend(tests_of(parameter, modifier, alternative)?.map_err(bad)?);
        }
        let negated = matches!(modifier, Some("not" | "not-in"));
        Ok(make(if negated { Condition::None(tests) } else { Condition::Any(tests) }))
    }

    /// The same with its approximate dates (`ap`) as they are meant now.
    #[must_use]
    pub fn at(mut self, now: Timestamp) -> Self {
        if let Condition::Any(tests) | Condition::None(tests) = &mut self.condition {
            tests.iter_mut().for_each(|test| test.approximate(now));
        }
        self
    }

    /// Whether a resource with these values meets the criterion. For references, the API first
    /// translates patient and alias ids to view ids with [`Criterion::map_references`].
    pub fn matches(&self, values: &[SearchValue]) -> bool {
        let mut own = values.iter().filter(|v| v.param == self.param).map(|v| &v.value);
        let any = |tests: &[Test], value: &Indexed| tests.iter().any(|t| self.holds(t, value));
        match &self.condition {
            Condition::Missing(missing) => own.next().is_none() == *missing,
            Condition::Any(tests) => own.any(|value| any(tests, value)),
            Condition::None(tests) => !own.any(|value| any(tests, value)),
        }
    }

    /// The referenced values, as they stand: `Type/id`, a bare `id` or a URL.
    pub fn references(&self) -> impl Iterator<Item = &str> {
        self.tests().iter().filter_map(|test| match test {
            Test::Reference(to) => Some(&**to),
            _ => None,
        })
    }

    /// Rewrites the referenced values (`Type/id`, bare `id` or URL) with a function that knows
    /// aliases. What it answers `None` to stays as it is.
    pub fn map_references(&mut self, resolve: &mut dyn FnMut(&str) -> Option<String>) {
        let (Condition::Any(tests) | Condition::None(tests)) = &mut self.condition else {
            return;
        };
        for test in tests {
            test.map_references(resolve);
        }
    }

    /// The alternatives that can be looked up by equality in the cross-person index, if all can.
    /// What the index gives are candidates ([`Indexed::key_parts`] is coarser than a value):
    /// the caller still asks [`Criterion::matches`].
    pub fn index_values(&self) -> Option<Vec<Indexed>> {
        let Condition::Any(tests) = &self.condition else { return None };
        let mut values = Vec::new();
        for test in tests {
            match test {
                Test::Token { code: Some(code), .. } => {
                    values.push(Indexed::Token { system: "".into(), code: code.clone() });
                }
                Test::Prefix(folded) => {
                    values.push(Indexed::Text { folded: folded.clone(), exact: folded.clone() });
                }
                Test::Exact(exact) => {
                    let folded = fold(exact).into();
                    values.push(Indexed::Text { folded, exact: exact.clone() });
                }
                Test::Reference(to) if to.contains(['/', ':']) => {
                    values.push(Indexed::Reference(to.clone()));
                }
                Test::Reference(id) if !self.targets.is_empty() => {
                    let literal = |t: &ResourceType| Indexed::Reference(format!("{t}/{id}").into());
                    values.extend(self.targets.iter().map(literal));
                }
                Test::Uri(uri) => values.push(Indexed::Uri(uri.clone())),
                Test::Typed { value, .. } => {
                    values.push(Indexed::Token { system: "".into(), code: value.clone() });
                }
                Test::Identified { system, value: Some(value) } => {
                    let system = system.clone().unwrap_or_default();
                    values.push(Indexed::Identified { system, value: value.clone() });
                }
                Test::Token { code: None, .. }
                | Test::Identified { value: None, .. }
                | Test::Contains(_)
                | Test::Date(_)
                | Test::Reference(_)
                | Test::Quantity { .. }
                | Test::Number(_)
                | Test::UriBelow(_)
                | Test::UriAbove(_)
                | Test::Composite(_) => return None,
            }
        }
        Some(values)
    }

    /// The periods under which the cross-person index holds what these dates ask for, if it is
    /// all dates and the periods are not without end.
    pub fn index_periods(&self) -> Option<Vec<String>> {
        let Condition::Any(tests) = &self.condition else { return None };
        let mut periods = Vec::new();
        for test in tests {
            let Test::Date(range) = test else { return None };
            periods.extend(period::asked(range)?);
        }
        Some(periods)
    }

    fn tests(&self) -> &[Test] {
        match &self.condition {
            Condition::Missing(_) => &[],
            Condition::Any(tests) | Condition::None(tests) => tests,
        }
    }

    fn holds(&self, test: &Test, value: &Indexed) -> bool {
        match (test, value) {
            (Test::Token { system, code }, Indexed::Token { system: of, code: is }) => {
                system.as_ref().is_none_or(|s| s == of) && code.as_ref().is_none_or(|c| c == is)
            }
            (Test::Prefix(start), Indexed::Text { folded, .. }) => folded.starts_with(&**start),
            (Test::Contains(part), Indexed::Text { folded, .. }) => folded.contains(&**part),
            (Test::Exact(text), Indexed::Text { exact, .. }) => text == exact,
            (Test::Date(range), Indexed::Date { from, until }) => range.accepts(*from, *until),
            (Test::Reference(to), Indexed::Reference(literal)) => self.refers(to, literal),
            (
                Test::Quantity { number, system, unit },
                Indexed::Quantity { value, system: of, unit: is },
            ) => {
                let as_stated = (system.is_empty() || system == of)
                    && (unit.is_empty() || unit == is)
                    && number.accepts(value);
                as_stated
                    || (&**system == UCUM && system == of && unit != is)
                        && in_unit((value, is), unit).is_some_and(|v| number.accepts_number(v))
            }
            (Test::Number(number), Indexed::Number(value)) => number.accepts(value),
            (Test::Uri(uri), Indexed::Uri(is)) => uri == is,
            (Test::UriBelow(base), Indexed::Uri(is)) => is_below(base, is),
            (Test::UriAbove(of), Indexed::Uri(is)) => is_below(is, of),
            (Test::Identified { system, value }, Indexed::Identified { system: of, value: is }) => {
                system.as_ref().is_none_or(|s| s == of) && value.as_ref().is_none_or(|v| v == is)
            }
            (
                Test::Typed { system, code, value },
                Indexed::Typed { system: of, code: kind, value: is },
            ) => system == of && code == kind && value == is,
            (Test::Composite(tests), Indexed::Composite(parts)) => {
                let met = |(test, part): (&Test, &[Indexed])| {
                    part.iter().any(|value| self.holds(test, value))
                };
                tests.len() == parts.len()
                    && tests.iter().zip(parts.iter().map(AsRef::as_ref)).all(met)
            }
            _ => false,
        }
    }

    fn refers(&self, to: &str, literal: &str) -> bool {
        if to == literal {
            return true;
        }
        // A canonical is found with or without its version.
        if literal.split_once('|').is_some_and(|(url, _)| url == to) {
            return true;
        }
        if to.contains(['/', ':']) {
            return false;
        }
        let Some((name, id)) = literal.split_once('/') else { return false };
        let allowed = ResourceType::parse(name)
            .is_some_and(|t| self.targets.is_empty() || self.targets.contains(&t));
        id == to && allowed
    }
}

impl Test {
    fn approximate(&mut self, now: Timestamp) {
        match self {
            Self::Date(range) => range.approximate(now),
            Self::Composite(tests) => tests.iter_mut().for_each(|test| test.approximate(now)),
            _ => {}
        }
    }

    fn map_references(&mut self, resolve: &mut dyn FnMut(&str) -> Option<String>) {
        match self {
            Self::Reference(to) => {
                if let Some(resolved) = resolve(to) {
                    *to = resolved.into();
                }
            }
            Self::Composite(tests) => tests.iter_mut().for_each(|t| t.map_references(resolve)),
            _ => {}
        }
    }
}

fn is_below(base: &str, uri: &str) -> bool {
    uri.strip_prefix(base)
        .is_some_and(|rest| rest.is_empty() || base.ends_with('/') || rest.starts_with('/'))
}

/// Compiles one alternative. The outer error is the modifier's, the inner one the value's.
fn tests_of(
    parameter: &SearchParameter,
    modifier: Option<&str>,
    text: &str,
) -> Result<Result<Vec<Test>, &'static str>, QueryError> {
    match (parameter.kind, modifier) {
        (ParameterKind::Token, Some("in" | "not-in")) => Ok(of_value_set(&unescape(text))),
        (ParameterKind::Composite, None) => {
            let pieces = split_unescaped(text, '$');
            if pieces.len() != parameter.components.len() {
                return Ok(Err("as many values as it has components, parted by $"));
            }
            let mut tests = Vec::new();
            for (piece, component) in pieces.into_iter().zip(&parameter.components) {
                match test((parameter, component.kind), None, piece)? {
                    Ok(test) => tests.push(test),
                    Err(expected) => return Ok(Err(expected)),
                }
            }
            Ok(Ok(vec![Test::Composite(tests)]))
        }
        (kind, modifier) => Ok(test((parameter, kind), modifier, text)?.map(|test| vec![test])),
    }
}

fn test(
    (parameter, kind): (&SearchParameter, ParameterKind),
    modifier: Option<&str>,
    text: &str,
) -> Result<Result<Test, &'static str>, QueryError> {
    let plain = || unescape(text);
    let test = match (kind, modifier) {
        (ParameterKind::Token, None | Some("not")) => token(text),
        (ParameterKind::Token, Some("text")) => contained(&plain()),
        (ParameterKind::Token, Some("of-type")) => of_type(text),
        (ParameterKind::String, None) => match fold(&plain()) {
            folded if folded.is_empty() => Err("a text"),
            folded => Ok(Test::Prefix(folded.into())),
        },
        (ParameterKind::String, Some("contains")) => contained(&plain()),
        (ParameterKind::String, Some("exact")) => Ok(Test::Exact(plain().into())),
        (ParameterKind::Date, None) => {
            DateTest::parse(&plain()).map(Test::Date).ok_or(DATE_EXPECTED)
        }
        (ParameterKind::Reference, None) => Ok(Test::Reference(without_version(&plain()).into())),
        (ParameterKind::Reference, Some("identifier")) => token(text).map(|test| match test {
            Test::Token { system, code } => Test::Identified { system, value: code },
            other => other,
        }),
        (ParameterKind::Reference, Some(of)) if allows(parameter, of) => typed(of, &plain()),
        (ParameterKind::Quantity, None) => quantity(text),
        (ParameterKind::Number, None) => {
            NumberTest::parse(&plain()).map(Test::Number).ok_or(NUMBER_EXPECTED)
        }
        (ParameterKind::Uri, None) => Ok(Test::Uri(plain().into())),
        (ParameterKind::Uri, Some("below")) => Ok(Test::UriBelow(plain().into())),
        (ParameterKind::Uri, Some("above")) => Ok(Test::UriAbove(plain().into())),
        (_, modifier) => {
            return Err(QueryError::UnsupportedModifier {
                name: parameter.name.to_string(),
                modifier: modifier.unwrap_or_default().chars().take(64).collect(),
            });
        }
    };
    Ok(test)
}

/// The codes of a value set of `profiles/`, named by its own URL or by that of R4's set of the
/// same name.
fn of_value_set(url: &str) -> Result<Vec<Test>, &'static str> {
    let codes = crate::fhir::value_set(url).ok_or("the URL of a value set of this gateway")?;
    let token = |(system, code): &(String, String)| Test::Token {
        system: Some(system.as_str().into()),
        code: Some(code.as_str().into()),
    };
    Ok(codes.iter().map(token).collect())
}

fn of_type(text: &str) -> Result<Test, &'static str> {
    let pieces: Vec<String> = split_unescaped(text, '|').into_iter().map(unescape).collect();
    match pieces.as_slice() {
        [system, code, value] if !code.is_empty() && !value.is_empty() => Ok(Test::Typed {
            system: system.as_str().into(),
            code: code.as_str().into(),
            value: value.as_str().into(),
        }),
        _ => Err("the identifier with its type, system|code|value"),
    }
}

fn token(text: &str) -> Result<Test, &'static str> {
    let pieces = split_unescaped(text, '|');
    let (system, code) = match pieces.split_first() {
        Some((code, [])) => (None, unescape(code)),
        Some((system, rest)) => (Some(unescape(system)), unescape(&rest.join("|"))),
        None => return Err("a code"),
    };
    if code.is_empty() && system.as_deref().is_none_or(str::is_empty) {
        return Err("a code, system|code, |code or system|");
    }
    let code = (!code.is_empty()).then(|| code.into());
    Ok(Test::Token { system: system.map(Into::into), code })
}

fn contained(text: &str) -> Result<Test, &'static str> {
    match fold(text) {
        folded if folded.is_empty() => Err("a text"),
        folded => Ok(Test::Contains(folded.into())),
    }
}

fn quantity(text: &str) -> Result<Test, &'static str> {
    let mut pieces = split_unescaped(text, '|').into_iter().map(unescape);
    let number = pieces.next().and_then(|n| NumberTest::parse(&n)).ok_or(NUMBER_EXPECTED)?;
    let system = pieces.next().unwrap_or_default().into();
    let unit = pieces.next().unwrap_or_default().into();
    if pieces.next().is_some() {
        return Err("number, number|system|code or number||unit");
    }
    Ok(Test::Quantity { number, system, unit })
}

fn allows(parameter: &SearchParameter, name: &str) -> bool {
    ResourceType::parse(name)
        .is_some_and(|t| parameter.targets.is_empty() || parameter.targets.contains(&t))
}

fn typed(of: &str, text: &str) -> Result<Test, &'static str> {
    let text = without_version(text);
    if !text.contains('/') {
        return Ok(Test::Reference(format!("{of}/{text}").into()));
    }
    let stated = text.rsplit('/').nth(1);
    if stated == Some(of) {
        Ok(Test::Reference(text.into()))
    } else {
        Err("a reference to the type that the modifier names")
    }
}

fn without_version(text: &str) -> &str {
    text.split("/_history/").next().unwrap_or_default()
}
