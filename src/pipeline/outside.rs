//! What records of others stand for, as the store has it now, and whose system an endpoint is.
//!
//! Everything that was asked is noted, found or not: it becomes the reverse index by which a
//! directory that changes finds the views that rest on it (`referrers.rs`). Only settled links and
//! rows are read, so that what is asked changes in a settle and at no other time.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::compare::{normalise_identifier, same_identifier};
use crate::fhir::{Reference, ResourceType, parse_reference};
use crate::flow::{
    Access, BlockingKey, DIRECTORY_TYPES, DerivedId, Home, Identifier, Owner, RecordKey, RefTarget,
};
use crate::identity::{identifier_key, role_key};
use crate::reconcile::{EndpointFacts, Outside, Standing};
use crate::store::{Store, StoreError};

/// How many records of one identifier, or roles of one practitioner, are looked at.
const FOUND_MAX: usize = 64;

/// What weaving may ask about records that are not the owner's.
pub(super) struct StoreOutside<'a> {
    store: &'a dyn Store,
    endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    asked: RefCell<BTreeSet<DerivedId>>,
    unknown: RefCell<BTreeSet<DerivedId>>,
    failed: OnceLock<StoreError>,
}

/// What weaving asked.
pub(super) struct Asked {
    /// Records and identifiers, as the reverse index names them.
    pub(super) about: BTreeSet<DerivedId>,
    /// The records among them that had not come.
    pub(super) unknown: Vec<DerivedId>,
}

/// The live row of a directory entry.
pub(super) struct Entry {
    members: Vec<RecordKey>,
    body: Value,
}

impl<'a> StoreOutside<'a> {
    pub(super) fn new(
        store: &'a dyn Store,
        endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    ) -> Self {
        Self {
            store,
            endpoints,
            asked: RefCell::default(),
            unknown: RefCell::default(),
            failed: OnceLock::new(),
        }
    }

    /// What was asked.
    ///
    /// # Errors
    /// When the store failed to answer.
    pub(super) fn into_asked(self) -> Result<Asked, StoreError> {
        if let Some(error) = self.failed.into_inner() {
            return Err(error);
        }
        let unknown = self.unknown.into_inner().into_iter().collect();
        Ok(Asked { about: self.asked.into_inner(), unknown })
    }

    fn standing(&self, key: &RecordKey) -> Result<Standing, StoreError> {
        let access = Access::system();
        let id = self.ask_about(key);
        let header = self.store.headers(&access, &[id])?.pop().flatten();
        let Some(header) = header else {
            self.unknown.borrow_mut().insert(id);
            return Ok(Standing::Unknown);
        };
        Ok(match header.home() {
            Home::Chart(_) => Standing::OtherPerson(id),
            Home::Shared(_) => Standing::Stored,
            Home::Directory(_) => match self.owner(key)? {
                Some(owner) => Standing::Directory(key.resource_type, owner.id()),
                None => Standing::Unknown,
            },
        })
    }

    fn ask_about(&self, key: &RecordKey) -> DerivedId {
        let id = self.store.id_key().record(key);
        self.asked.borrow_mut().insert(id);
        id
    }

    /// The directory entry of a record.
    fn owner(&self, key: &RecordKey) -> Result<Option<Owner>, StoreError> {
        self.ask_about(key);
        let home = Home::Directory(key.clone());
        self.store.owner(&Access::system(), &home)
    }

    /// What is shown of a directory entry, if any of its records still stands.
    fn entry(&self, kind: ResourceType, owner: Owner) -> Result<Option<Entry>, StoreError> {
        let access = Access::system();
        // One of its records has this id, also while none of them stands.
        self.asked.borrow_mut().insert(owner.id());
        let table = self.store.table(&access, owner, kind)?;
        let Some(row) = table.as_ref().and_then(|t| t.rows.first()) else { return Ok(None) };
        let body = self.store.bodies(&access, owner, kind, &[row.id])?.pop().flatten();
        let members: Vec<RecordKey> = row.members.iter().map(|m| m.key.clone()).collect();
        for member in &members {
            self.ask_about(member);
        }
        Ok(Some(Entry {
            members,
            body: serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default(),
        }))
    }

    /// The directory records under a key; none if there are more than can be looked at.
    fn found(&self, key: BlockingKey) -> Result<Vec<RecordKey>, StoreError> {
        self.asked.borrow_mut().insert(asked_for(key));
        let blocks = self.store.candidates(&Access::system(), &[key], FOUND_MAX)?;
        let whole = blocks.into_iter().filter(|block| block.total <= FOUND_MAX);
        let records = whole.flat_map(|b| b.homes).filter_map(|home| match home {
            Home::Directory(record) => Some(record),
            Home::Chart(_) | Home::Shared(_) => None,
        });
        Ok(records.collect())
    }

    /// The record of an identifier: the endpoint's own, else that of others, and only if all that
    /// carry it are one entry.
    fn bearer(
        &self,
        endpoint: &str,
        kind: Option<ResourceType>,
        identifier: &Identifier,
    ) -> Result<Option<RecordKey>, StoreError> {
        let mut found = Vec::new();
        for name in DIRECTORY_TYPES {
            let of_type = ResourceType::of(name);
            if kind.is_none_or(|kind| kind == of_type)
                && let Some(key) = identifier_key(of_type, identifier)
            {
                found.extend(self.found(key)?);
            }
        }
        let own: Vec<RecordKey> =
            found.iter().filter(|key| &*key.endpoint == endpoint).cloned().collect();
        let bearers = if own.is_empty() { found } else { own };
        let mut owners = BTreeSet::new();
        for bearer in &bearers {
            owners.insert((bearer.resource_type, self.owner(bearer)?));
        }
        Ok(if owners.len() == 1 { bearers.into_iter().min() } else { None })
    }

    /// The endpoints whose system a directory entry's organization runs.
    fn systems(&self, key: &RecordKey) -> Result<BTreeSet<Arc<str>>, StoreError> {
        let kind = key.resource_type;
        let Some(owner) = self.owner(key)? else { return Ok(BTreeSet::new()) };
        let Some(entry) = self.entry(kind, owner)? else { return Ok(BTreeSet::new()) };
        match kind.name() {
            "Organization" => Ok(self.run_by(&entry)),
            "PractitionerRole" => self.systems_of_roles(&entry, std::slice::from_ref(&entry)),
            "Practitioner" => self.systems_of_roles(&entry, &self.roles(&entry)?),
            _ => Ok(BTreeSet::new()),
        }
    }

    /// The endpoints whose configured organization this is.
    fn run_by(&self, organization: &Entry) -> BTreeSet<Arc<str>> {
        let stated = organization.identifiers();
        let kind = ResourceType::of("Organization");
        let same = |a: &Identifier, b: &Identifier| {
            let keys = (identifier_key(kind, a), identifier_key(kind, b));
            same_identifier(a, b) || keys.0.is_some() && keys.0 == keys.1
        };
        let is_one = |o: &Identifier| stated.iter().any(|stated| same(stated, o));
        let run = self.endpoints.iter().filter(|(_, facts)| facts.organizations.iter().any(is_one));
        run.map(|(endpoint, _)| endpoint.clone()).collect()
    }

    /// Those of the organizations of these roles. Where none names an organization, the one
    /// endpoint that knows the practitioner.
    fn systems_of_roles(
        &self,
        practitioner: &Entry,
        roles: &[Entry],
    ) -> Result<BTreeSet<Arc<str>>, StoreError> {
        let mut named = false;
        let mut systems = BTreeSet::new();
        for role in roles.iter().filter(|role| role.body.get("organization").is_some()) {
            named = true;
            let organization = ResourceType::of("Organization");
            let Some(id) = role.shown_organization() else { continue };
            if let Some(entry) = self.entry(organization, Owner::Directory(id))? {
                systems.extend(self.run_by(&entry));
            }
        }
        let known_to: BTreeSet<&Arc<str>> =
            practitioner.members.iter().map(|m| &m.endpoint).collect();
        match known_to.first() {
            Some(only) if !named && known_to.len() == 1 => Ok([Arc::clone(only)].into()),
            _ => Ok(systems),
        }
    }

    /// The roles of a practitioner, at any endpoint.
    fn roles(&self, practitioner: &Entry) -> Result<Vec<Entry>, StoreError> {
        let records = practitioner.members.iter().cloned().map(RefTarget::Record);
        let kind = Some(ResourceType::of("Practitioner"));
        let named = practitioner
            .identifiers()
            .into_iter()
            .map(|identifier| RefTarget::Identified { resource_type: kind, identifier });
        let mut owners = BTreeSet::new();
        for key in records.chain(named).filter_map(|target| role_key(&target)) {
            for role in self.found(key)? {
                owners.extend(self.owner(&role)?);
            }
        }
        let role = ResourceType::of("PractitionerRole");
        let mut roles = Vec::new();
        for owner in owners {
            roles.extend(self.entry(role, owner)?);
        }
        Ok(roles)
    }

    fn or_none<T: Default>(&self, answer: Result<T, StoreError>) -> T {
        answer.unwrap_or_else(|error| {
            let _ = self.failed.set(error);
            T::default()
        })
    }
}

/// What a look-up by key is noted as: keys are hashes, as wide as ids.
pub(super) fn asked_for(key: BlockingKey) -> DerivedId {
    DerivedId(key.0.0)
}

impl Entry {
    /// The identifiers it carries, in comparable form.
    fn identifiers(&self) -> Vec<Identifier> {
        let stated = self.body.get("identifier").and_then(Value::as_array).into_iter().flatten();
        let read = stated.filter_map(|stated| {
            let text = |name: &str| stated.get(name).and_then(Value::as_str);
            let (system, value) = normalise_identifier(text("system")?, text("value")?);
            Some(Identifier { system, value, ..Identifier::default() })
        });
        read.collect()
    }

    /// The organization of a role, by its shown id.
    fn shown_organization(&self) -> Option<DerivedId> {
        let reference = self.body.pointer("/organization/reference")?.as_str()?;
        match parse_reference(reference) {
            Reference::Relative { id, .. } => id.parse().ok(),
            _ => None,
        }
    }
}

impl Outside for StoreOutside<'_> {
    fn stands_for(&self, key: &RecordKey) -> Standing {
        self.standing(key).unwrap_or_else(|error| {
            let _ = self.failed.set(error);
            Standing::Unknown
        })
    }

    fn identified(
        &self,
        endpoint: &str,
        resource_type: Option<ResourceType>,
        identifier: &Identifier,
    ) -> Option<RecordKey> {
        self.or_none(self.bearer(endpoint, resource_type, identifier))
    }

    fn systems_of(&self, key: &RecordKey) -> BTreeSet<Arc<str>> {
        self.or_none(self.systems(key))
    }
}
