//! What a simulated server holds, by type, with an index for each way in: no search looks at
//! more than what it finds.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use bytes::Bytes;
use jiff::Timestamp;

use super::about::{About, Identifier};
use crate::fhir::ResourceType;

/// A resource that cannot be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Its place in the input.
    pub index: usize,
    /// Why.
    pub reason: &'static str,
}

/// All resources.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    types: BTreeMap<ResourceType, Shelf>,
}

type Ids = BTreeSet<Box<str>>;

/// The resources of one type by id, so that pages have an order and go on after an id.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    all: BTreeMap<Box<str>, Held>,
    live: usize,
    by_patient: BTreeMap<Box<str>, Ids>,
    by_identifier: BTreeMap<Box<str>, Ids>,
    by_time: BTreeSet<(Timestamp, Box<str>)>,
}

/// One resource, or the place where one was.
#[derive(Debug)]
pub(super) struct Held {
    /// The JSON as given; `None` when deleted.
    pub(super) body: Option<Bytes>,
    /// Ids of the patients it is about.
    pub(super) patients: Vec<Box<str>>,
    /// System and value of its identifiers.
    pub(super) identifiers: Vec<Identifier>,
    /// `meta.lastUpdated`, or when it came.
    pub(super) last_updated: Timestamp,
}

/// One live resource.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) resource_type: ResourceType,
    pub(super) id: &'a str,
    pub(super) held: &'a Held,
    pub(super) body: &'a Bytes,
}

impl Holdings {
    /// Adds a resource as changed now, whatever its `meta.lastUpdated` says.
    pub(super) fn put(&mut self, body: Bytes) -> Result<(), &'static str> {
        let about = About::read(&body)?;
        let now = Timestamp::now();
        let updated = about.last_updated.map_or(now, |stated| stated.max(now));
        self.insert(about, body, updated)
    }

    fn insert(
        &mut self,
        about: About,
        body: Bytes,
        last_updated: Timestamp,
    ) -> Result<(), &'static str> {
        let id = about.id.ok_or("no id")?;
        let mut patients = about.patients;
        for (kind, target) in &about.targets {
            let found = self.types.get(kind).and_then(|shelf| shelf.all.get(target));
            patients.extend(found.into_iter().flat_map(|held| held.patients.iter().cloned()));
        }
        let identifiers = about.identifiers;
        let held = Held { body: Some(body), patients, identifiers, last_updated };
        self.types.entry(about.resource_type).or_default().replace(id, held);
        Ok(())
    }

    pub(super) fn delete(&mut self, resource_type: ResourceType, id: &str) -> bool {
        let Some(shelf) = self.types.get_mut(&resource_type) else { return false };
        let Some(held) = shelf.all.get(id) else { return false };
        let was_there = held.body.is_some();
        let gone = Held {
            body: None,
            patients: Vec::new(),
            identifiers: Vec::new(),
            last_updated: Timestamp::now(),
        };
        shelf.replace(id.into(), gone);
        was_there
    }

    pub(super) fn get(&self, resource_type: ResourceType, id: &str) -> Option<&Held> {
        self.types.get(&resource_type)?.all.get(id)
    }

    pub(super) fn shelf(&self, resource_type: ResourceType) -> Option<&Shelf> {
        self.types.get(&resource_type)
    }

    /// The shelves, in the order of their types' names.
    pub(super) fn shelves(&self) -> impl Iterator<Item = (ResourceType, &Shelf)> {
        self.types.iter().map(|(kind, shelf)| (*kind, shelf))
    }

    pub(super) fn len(&self) -> usize {
        self.types.values().map(|shelf| shelf.live).sum()
    }
}

/// Holdings that are being filled: what is about other records waits until these are there.
#[derive(Default)]
pub(super) struct Filling {
    holdings: Holdings,
    waiting: Vec<(About, Bytes, Timestamp)>,
}

impl Filling {
    /// Adds or replaces a resource.
    pub(super) fn take(
        &mut self,
        about: About,
        body: Bytes,
        last_updated: Timestamp,
    ) -> Result<(), &'static str> {
        if about.id.is_none() {
            return Err("no id");
        }
        if about.targets.is_empty() {
            return self.holdings.insert(about, body, last_updated);
        }
        self.waiting.push((about, body, last_updated));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Holdings {
        for (about, body, last_updated) in self.waiting {
            // Each has an id, so it is taken.
            let _ = self.holdings.insert(about, body, last_updated);
        }
        self.holdings
    }
}

impl Shelf {
    fn replace(&mut self, id: Box<str>, held: Held) {
        self.take_out(&id);
        if held.body.is_some() {
            self.live += 1;
            self.by_time.insert((held.last_updated, id.clone()));
            for patient in &held.patients {
                self.by_patient.entry(patient.clone()).or_default().insert(id.clone());
            }
            for (_, value) in &held.identifiers {
                self.by_identifier.entry(value.clone()).or_default().insert(id.clone());
            }
        }
        self.all.insert(id, held);
    }

    /// Takes a live resource out of the indexes.
    fn take_out(&mut self, id: &str) {
        let Some(held) = self.all.get(id).filter(|held| held.body.is_some()) else { return };
        self.live -= 1;
        self.by_time.remove(&(held.last_updated, id.into()));
        for patient in &held.patients {
            remove(&mut self.by_patient, patient, id);
        }
        for (_, value) in &held.identifiers {
            remove(&mut self.by_identifier, value, id);
        }
    }

    /// How many live resources there are.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// Whether any of its resources is about a patient.
    pub(super) fn of_patients(&self) -> bool {
        !self.by_patient.is_empty()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Held> {
        self.all.get(id)
    }

    /// The id as it is held.
    pub(super) fn known(&self, id: &str) -> Option<&str> {
        self.all.get_key_value(id).map(|(id, _)| &**id)
    }

    /// Ids behind `after`, in order.
    pub(super) fn ids<'a>(&'a self, after: &str) -> impl Iterator<Item = &'a str> + use<'a> {
        self.all.range::<str, _>(behind(after)).map(|(id, _)| &**id)
    }

    /// The ids of what is about a patient.
    pub(super) fn of_patient(&self, patient: &str) -> Option<&Ids> {
        self.by_patient.get(patient)
    }

    /// The ids of what has an identifier of this value, of whatever system.
    pub(super) fn identified(&self, value: &str) -> Option<&Ids> {
        self.by_identifier.get(value)
    }

    /// What changed at or after a time, in the order of time and id, behind `after`.
    pub(super) fn since<'a>(
        &'a self,
        from: Timestamp,
        after: Option<&(Timestamp, Box<str>)>,
    ) -> impl Iterator<Item = (Timestamp, &'a str)> + use<'a> {
        let begin = match after {
            Some(after) if after.0 >= from => Bound::Excluded(after.clone()),
            _ => Bound::Included((from, Box::default())),
        };
        self.by_time.range((begin, Bound::Unbounded)).map(|(at, id)| (*at, &**id))
    }
}

/// The range of a set of ids that lies behind one of them.
pub(super) fn behind(after: &str) -> (Bound<&str>, Bound<&str>) {
    (Bound::Excluded(after), Bound::Unbounded)
}

fn remove(index: &mut BTreeMap<Box<str>, Ids>, key: &str, id: &str) {
    if let Some(ids) = index.get_mut(key) {
        ids.remove(id);
        if ids.is_empty() {
            index.remove(key);
        }
    }
}
