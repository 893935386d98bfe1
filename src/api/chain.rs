//! Chained parameters and `_has`: conditions on what a row refers to, and on what refers to it.
//! <https://hl7.org/fhir/R4/search.html#chaining>, <https://hl7.org/fhir/R4/search.html#has>
//!
//! Followed within the view of the row's owner and from there into the directory, by stored
//! values: nothing is parsed, and nobody else's data is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;

use crate::fhir::ResourceType;
use crate::fhir::search::{
    ParameterKind, QueryError, SearchParameter, SearchTable, instant_matches,
};
use crate::flow::{Owner, SearchValue};
use crate::store::Values;

use super::error::ApiError;
use super::include::references;
use super::params::alternatives;
use super::query::NamedCriterion;
use super::reader::{Reader, RowRef};
use super::{filter, served};

/// The most links of one chain.
const LINKS_MAX: usize = 3;
/// The most resources that the chains of one search may look at.
const LOOKED_MAX: usize = 200_000;

/// What must hold of a resource.
pub(super) enum Condition {
    /// A criterion on its own values.
    Own(NamedCriterion),
    /// It has one of these ids.
    Id(Vec<Box<str>>),
    /// It was last updated so.
    Updated(Vec<Box<str>>),
    /// Something that the parameter refers to meets the condition for its type.
    RefersTo { param: u16, one_of: Vec<(ResourceType, Condition)> },
    /// Something of the type refers to it by the parameter and meets the condition.
    Has { from: ResourceType, param: u16, condition: Box<Condition> },
}

/// Evaluates the conditions of one search; remembers what it found.
#[derive(Default)]
pub(super) struct Chains {
    values: BTreeMap<(Owner, ResourceType, u16), Rc<Values>>,
    /// By condition (its address) and reference: whether what is referred to meets it.
    referred: BTreeMap<(usize, Owner, Box<str>), bool>,
    /// By condition and owner: what is referred to by something that meets it.
    targets: BTreeMap<(usize, Owner), Rc<BTreeSet<Box<str>>>>,
    looked: usize,
}

/// Whether a parameter's name is one of a chain.
pub(super) fn is_chain(name: &str) -> bool {
    name.contains('.') || name.starts_with("_has:")
}

impl Condition {
    /// Takes a parameter apart, link by link; `None` if a type or parameter of it is not known.
    ///
    /// # Errors
    /// For too many links, for values and modifiers that the last parameter does not have.
    pub(super) fn parse(
        (table, now): (&SearchTable, Timestamp),
        of: ResourceType,
        (name, value): (&str, &str),
    ) -> Result<Option<Self>, ApiError> {
        let links = name.matches('.').count() + name.matches("_has:").count();
        if links > LINKS_MAX {
            return Err(ApiError::TooCostly { add: format!("fewer links: {LINKS_MAX} at most") });
        }
        if name.starts_with("_has:") && served::in_directory(of) {
            let add = "a type that belongs to a person: _has looks within one person's view";
            return Err(ApiError::TooCostly { add: add.to_owned() });
        }
        if let Some(has) = name.strip_prefix("_has:") {
            return Self::parse_has((table, now), of, (has, value));
        }
        if let Some((link, rest)) = name.split_once('.') {
            return Self::parse_link((table, now), of, link, (rest, value));
        }
        match name {
            "_id" => Ok(Some(Self::Id(alternatives(value).into_iter().map(Into::into).collect()))),
            "_lastUpdated" => {
                let wanted = alternatives(value);
                for text in &wanted {
                    instant_matches(text, Timestamp::UNIX_EPOCH, now)?;
                }
                Ok(Some(Self::Updated(wanted.into_iter().map(Into::into).collect())))
            }
            _ => match table.criterion(of, name, value) {
                Ok(criterion) => {
                    let name = name.split(':').next().unwrap_or_default().into();
                    let criterion = criterion.at(now);
                    Ok(Some(Self::Own(NamedCriterion { name, criterion })))
                }
                Err(QueryError::UnknownParameter { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            },
        }
    }

    fn parse_has(
        (table, now): (&SearchTable, Timestamp),
        of: ResourceType,
        (has, value): (&str, &str),
    ) -> Result<Option<Self>, ApiError> {
        let mut parts = has.splitn(3, ':');
        let (Some(from), Some(by), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Ok(None);
        };
        let Some(from) = ResourceType::parse(from)
            .filter(|from| served::person_types().any(|served| served == *from))
        else {
            return Ok(None);
        };
        let Some((param, parameter)) = reference(table, from, by) else { return Ok(None) };
        if !parameter.targets.is_empty() && !parameter.targets.contains(&of) {
            return Ok(None);
        }
        let condition = Self::parse((table, now), from, (rest, value))?;
        Ok(condition.map(|condition| Self::Has { from, param, condition: Box::new(condition) }))
    }

    fn parse_link(
        (table, now): (&SearchTable, Timestamp),
        of: ResourceType,
        link: &str,
        rest: (&str, &str),
    ) -> Result<Option<Self>, ApiError> {
        let (by, target) = link.split_once(':').map_or((link, None), |(by, t)| (by, Some(t)));
        let Some((param, parameter)) = reference(table, of, by) else { return Ok(None) };
        let named = target.map(ResourceType::parse);
        let mut one_of = Vec::new();
        for target in served::types() {
            let allowed = parameter.targets.is_empty() || parameter.targets.contains(&target);
            if !allowed || named.is_some_and(|named| named != Some(target)) {
                continue;
            }
            if let Some(condition) = Self::parse((table, now), target, rest)? {
                one_of.push((target, condition));
            }
        }
        Ok((!one_of.is_empty()).then_some(Self::RefersTo { param, one_of }))
    }

    /// All criteria of the condition.
    pub(super) fn criteria_mut(&mut self) -> Vec<&mut NamedCriterion> {
        match self {
            Self::Own(criterion) => vec![criterion],
            Self::Id(_) | Self::Updated(_) => Vec::new(),
            Self::RefersTo { one_of, .. } => {
                one_of.iter_mut().flat_map(|(_, condition)| condition.criteria_mut()).collect()
            }
            Self::Has { condition, .. } => condition.criteria_mut(),
        }
    }

    /// What tells it from the other conditions of its search while that is answered.
    fn address(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

fn reference<'t>(
    table: &'t SearchTable,
    of: ResourceType,
    name: &str,
) -> Option<(u16, &'t SearchParameter)> {
    let mut parameters = (0..=u16::MAX).zip(table.parameters(of));
    parameters.find(|(_, p)| *p.name == *name && p.kind == ParameterKind::Reference)
}

impl Chains {
    /// Whether a row meets a condition.
    ///
    /// # Errors
    /// `TooCostly` when too much is to be looked at.
    pub(super) fn hold(
        &mut self,
        reader: &mut Reader<'_>,
        row: &RowRef,
        condition: &Condition,
    ) -> Result<bool, ApiError> {
        self.looked += 1;
        if self.looked > LOOKED_MAX {
            return Err(ApiError::TooCostly { add: "criteria beside the chains".to_owned() });
        }
        Ok(match condition {
            Condition::Own(named) => {
                let values = self.values(reader, row, named.criterion.param)?;
                filter::meets(row.resource_type, named, values.of(row.row().id))
            }
            Condition::Id(ids) => is_named(reader, row, ids)?,
            Condition::Updated(wanted) => {
                filter::updated(wanted, row.row().last_updated, reader.gateway.now())
            }
            Condition::RefersTo { param, one_of } => {
                let values = self.values(reader, row, *param)?;
                let values = values.of(row.row().id);
                self.any_referred(reader, (row.owner, values), *param, one_of)?
            }
            Condition::Has { from, param, condition } => {
                let targets = self.targets(reader, row.owner, (*from, *param), condition)?;
                targets.contains(&*row.reference())
            }
        })
    }

    /// Whether what a resource of an owner with these values refers to meets one of the
    /// conditions.
    ///
    /// # Errors
    /// As [`Self::hold`].
    pub(super) fn any_referred(
        &mut self,
        reader: &mut Reader<'_>,
        (owner, values): (Owner, &[SearchValue]),
        param: u16,
        one_of: &[(ResourceType, Condition)],
    ) -> Result<bool, ApiError> {
        for to in references(values, &[param]) {
            for (target, condition) in one_of {
                if !to.starts_with(target.name()) {
                    continue;
                }
                let key = (condition.address(), owner, to.into());
                let known = self.referred.get(&key).copied();
                let met = match known {
                    Some(met) => met,
                    None => self.referred_meets(reader, owner, to, (*target, condition))?,
                };
                self.referred.insert(key, met);
                if met {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn referred_meets(
        &mut self,
        reader: &mut Reader<'_>,
        owner: Owner,
        to: &str,
        (target, condition): (ResourceType, &Condition),
    ) -> Result<bool, ApiError> {
        let Some(row) = reader.referred(to)? else { return Ok(false) };
        let near = row.owner == owner || matches!(row.owner, Owner::Directory(_));
        Ok(near && row.resource_type == target && self.hold(reader, &row, condition)?)
    }

    fn targets(
        &mut self,
        reader: &mut Reader<'_>,
        owner: Owner,
        (from, param): (ResourceType, u16),
        condition: &Condition,
    ) -> Result<Rc<BTreeSet<Box<str>>>, ApiError> {
        let key = (condition.address(), owner);
        if let Some(known) = self.targets.get(&key) {
            return Ok(known.clone());
        }
        let mut targets = BTreeSet::new();
        for row in reader.rows(owner, from)? {
            if self.hold(reader, &row, condition)? {
                let values = self.values(reader, &row, param)?;
                targets.extend(references(values.of(row.row().id), &[param]).map(Into::into));
            }
        }
        let targets = Rc::new(targets);
        self.targets.insert(key, targets.clone());
        Ok(targets)
    }

    fn values(
        &mut self,
        reader: &Reader<'_>,
        row: &RowRef,
        param: u16,
    ) -> Result<Rc<Values>, ApiError> {
        let key = (row.owner, row.resource_type, param);
        if let Some(known) = self.values.get(&key) {
            return Ok(known.clone());
        }
        let values = Rc::new(reader.values(row.owner, row.resource_type, &[param])?);
        self.values.insert(key, values.clone());
        Ok(values)
    }
}

/// Whether a row's id or an alias of it is among these.
fn is_named(reader: &mut Reader<'_>, row: &RowRef, ids: &[Box<str>]) -> Result<bool, ApiError> {
    for id in ids {
        let named = reader.referred(&format!("{}/{id}", row.resource_type))?;
        if named.is_some_and(|named| named.identity() == row.identity()) {
            return Ok(true);
        }
    }
    Ok(false)
}
