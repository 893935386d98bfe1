//! The view as one request reads it: finds owners and rows, and notes whose data it touched.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;

use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Disposition, Home, Owner, RecordKey, State};
use crate::pipeline::{EndpointState, Gateway};
use crate::store::{Issued, ListedRow, Listing, Store, Table, Values};

use super::ApiOptions;
use super::error::ApiError;
use super::include::references;
use super::served;

/// How many tables are remembered while one request is answered.
const TABLES_MAX: usize = 256;

/// One request's reads. Lives on a blocking thread.
pub(super) struct Reader<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) options: &'a ApiOptions,
    pub(super) access: &'a Access,
    /// Homes that were accepted and not settled when last asked.
    pub(super) pending: usize,
    /// Whose data the answer holds.
    pub(super) disclosed: BTreeSet<DerivedId>,
    /// How many resources the answer holds.
    pub(super) count: usize,
    listings: BTreeMap<(Owner, ResourceType), Option<Listing>>,
    tables: BTreeMap<(Owner, ResourceType), Rc<Table>>,
    /// Per owner: the Provenances that sources state, by what they are about, each with the
    /// endpoints that state it.
    provenances: BTreeMap<Owner, BTreeMap<Box<str>, Vec<StatedBy>>>,
    settled: BTreeSet<Option<Owner>>,
    endpoints: Option<Arc<[EndpointState]>>,
}

/// A Provenance with the endpoints that state it.
type StatedBy = (RowRef, BTreeSet<Arc<str>>);

/// A row of a view, as it is listed.
#[derive(Clone)]
pub(super) struct RowRef {
    pub(super) owner: Owner,
    pub(super) resource_type: ResourceType,
    row: ListedRow,
}

/// What an id of ours stands for now.
struct Standing {
    resource_type: ResourceType,
    home: Home,
    record: Option<RecordKey>,
}

impl RowRef {
    /// The row.
    pub(super) fn row(&self) -> &ListedRow {
        &self.row
    }

    /// `Type/id`.
    pub(super) fn reference(&self) -> String {
        format!("{}/{}", self.resource_type, self.row().id)
    }

    /// What tells it from all other rows.
    pub(super) fn identity(&self) -> (ResourceType, DerivedId) {
        (self.resource_type, self.row().id)
    }
}

impl<'a> Reader<'a> {
    /// Begins a request's reads.
    pub(super) fn new(gateway: &'a Gateway, options: &'a ApiOptions, access: &'a Access) -> Self {
        Self {
            gateway,
            options,
            access,
            pending: 0,
            disclosed: BTreeSet::new(),
            count: 0,
            listings: BTreeMap::new(),
            tables: BTreeMap::new(),
            provenances: BTreeMap::new(),
            settled: BTreeSet::new(),
            endpoints: None,
        }
    }

    /// The store.
    pub(super) fn store(&self) -> &'a dyn Store {
        &**self.gateway.store()
    }

    /// Waits, within bounds, for what is dirty of an owner (`None`: of all) to be settled.
    pub(super) fn settle(&mut self, owner: Option<Owner>) -> Result<(), ApiError> {
        if self.settled.insert(owner) {
            let wait = match owner {
                Some(_) => self.options.settle_wait,
                None => self.options.settle_all_wait,
            };
            self.pending = self.gateway.settle_for_read(owner, wait)?;
        }
        Ok(())
    }

    /// Reads anew from now on: a write has changed what was read.
    pub(super) fn forget(&mut self) {
        self.listings.clear();
        self.tables.clear();
        self.provenances.clear();
        self.settled.clear();
    }

    /// The state of every endpoint that the reader may see, as it was when first asked.
    pub(super) fn endpoints(&mut self) -> Arc<[EndpointState]> {
        let (gateway, access) = (self.gateway, self.access);
        let known = self.endpoints.get_or_insert_with(|| {
            let states = gateway.endpoint_states();
            if states.iter().all(|endpoint| access.sees(&endpoint.id)) {
                return states;
            }
            states.iter().filter(|endpoint| access.sees(&endpoint.id)).cloned().collect()
        });
        known.clone()
    }

    /// Notes that rows go into the answer.
    pub(super) fn note_disclosed(&mut self, rows: &[RowRef]) {
        self.count += rows.len();
        self.disclosed.extend(rows.iter().map(|row| row.owner.id()));
    }

    /// The row that an id or alias names, settled.
    ///
    /// # Errors
    /// `NotFound` for an id that never stood for such a resource of the view, `Gone` for one
    /// that did and no longer does.
    pub(super) fn locate(
        &mut self,
        resource_type: ResourceType,
        id: DerivedId,
    ) -> Result<RowRef, ApiError> {
        let standing = self.standing(id)?.filter(|s| s.resource_type == resource_type);
        let Some(standing) = standing else { return Err(ApiError::NotFound) };
        match self.settled_owner(&standing.home)? {
            Some(owner) => match self.row(owner, resource_type, id)? {
                Some(row) => Ok(row),
                None => Err(self.absence(&standing, id, owner)?),
            },
            None => Err(self.unowned(&standing, id)?),
        }
    }

    /// Whose view holds, or held, what an id of ours stands for, settled; `None` if nobody's does.
    ///
    /// # Errors
    /// `NotFound` for an id that never stood for such a resource.
    pub(super) fn whose(
        &mut self,
        resource_type: ResourceType,
        id: DerivedId,
    ) -> Result<Option<Owner>, ApiError> {
        let standing = self.standing(id)?.filter(|s| s.resource_type == resource_type);
        self.settled_owner(&standing.ok_or(ApiError::NotFound)?.home)
    }

    /// The other ids of a row of an owner's table.
    pub(super) fn aliases(
        &mut self,
        owner: Owner,
        resource_type: ResourceType,
        id: DerivedId,
    ) -> Result<Vec<DerivedId>, ApiError> {
        let Some(row) = self.row(owner, resource_type, id)? else { return Ok(Vec::new()) };
        let table = self.table(&row)?;
        let at = table.rows.binary_search_by_key(&row.row().id, |kept| kept.id);
        Ok(at.map(|at| table.rows[at].aliases.clone()).unwrap_or_default())
    }

    /// The person that a Patient's id or alias names, settled.
    pub(super) fn person(&mut self, patient: DerivedId) -> Result<Option<Owner>, ApiError> {
        let standing = self.standing(patient)?.filter(|s| s.resource_type.name() == "Patient");
        match standing {
            Some(standing) => self.settled_owner(&standing.home),
            None => Ok(None),
        }
    }

    /// The row of a reference within the view (`Type/id`, shown or alias), as it stands.
    pub(super) fn referred(&mut self, reference: &str) -> Result<Option<RowRef>, ApiError> {
        let parsed = reference.split_once('/').and_then(|(name, id)| {
            Some((ResourceType::parse(name)?, id.parse::<DerivedId>().ok()?))
        });
        let Some((resource_type, id)) = parsed else { return Ok(None) };
        let standing = self.standing(id)?.filter(|s| s.resource_type == resource_type);
        let Some(standing) = standing else { return Ok(None) };
        match self.owner(&standing.home)? {
            Some(owner) => self.row(owner, resource_type, id),
            None => Ok(None),
        }
    }

    /// The type of the resource that an id of ours was issued for.
    pub(super) fn type_of(&self, id: DerivedId) -> Result<Option<ResourceType>, ApiError> {
        Ok(self.standing(id)?.map(|standing| standing.resource_type))
    }

    /// The row with this id or alias in an owner's table.
    pub(super) fn row(
        &mut self,
        owner: Owner,
        resource_type: ResourceType,
        id: DerivedId,
    ) -> Result<Option<RowRef>, ApiError> {
        let Some(listing) = self.listing(owner, resource_type)? else { return Ok(None) };
        let Some(at) = listing.find_named(id) else { return Ok(None) };
        Ok(Some(RowRef { owner, resource_type, row: listing.row(at)? }))
    }

    /// All rows of an owner's table, by id.
    pub(super) fn rows(
        &mut self,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Vec<RowRef>, ApiError> {
        let Some(listing) = self.listing(owner, resource_type)? else { return Ok(Vec::new()) };
        let row = |row: Result<ListedRow, _>| Ok(RowRef { owner, resource_type, row: row? });
        listing.rows().map(row).collect()
    }

    /// The search values of an owner's table for some parameters.
    pub(super) fn values(
        &self,
        owner: Owner,
        resource_type: ResourceType,
        params: &[u16],
    ) -> Result<Values, ApiError> {
        Ok(self.store().values(self.access, owner, resource_type, params)?)
    }

    /// The table that a row stands in, with all that is kept of its rows.
    pub(super) fn table(&mut self, row: &RowRef) -> Result<Rc<Table>, ApiError> {
        let key = (row.owner, row.resource_type);
        if let Some(table) = self.tables.get(&key) {
            return Ok(table.clone());
        }
        let table = self.store().table(self.access, row.owner, row.resource_type)?;
        let table = Rc::new(table.unwrap_or_default());
        if self.tables.len() >= TABLES_MAX {
            self.tables.clear();
            self.provenances.clear();
        }
        self.tables.insert(key, table.clone());
        Ok(table)
    }

    /// The Provenances that sources state about a row.
    pub(super) fn provenances_about(&mut self, row: &RowRef) -> Result<Vec<StatedBy>, ApiError> {
        if !self.provenances.contains_key(&row.owner) {
            let kind = ResourceType::of("Provenance");
            let parameters = self.gateway.search_table().parameters(kind).iter();
            let targets: Vec<u16> = parameters
                .enumerate()
                .filter(|(_, parameter)| &*parameter.name == "target")
                .filter_map(|(at, _)| u16::try_from(at).ok())
                .collect();
            let mut about: BTreeMap<Box<str>, Vec<StatedBy>> = BTreeMap::new();
            for stated in self.rows(row.owner, kind)? {
                let table = self.table(&stated)?;
                let at = table.rows.binary_search_by_key(&stated.row().id, |row| row.id);
                let Ok(kept) = at.map(|at| &table.rows[at]) else { continue };
                let by: BTreeSet<Arc<str>> =
                    kept.members.iter().map(|member| member.key.endpoint.clone()).collect();
                for target in references(&kept.values, &targets) {
                    about.entry(target.into()).or_default().push((stated.clone(), by.clone()));
                }
            }
            self.provenances.insert(row.owner, about);
        }
        let about = self.provenances.get(&row.owner);
        Ok(about.and_then(|about| about.get(&*row.reference())).cloned().unwrap_or_default())
    }

    /// Bodies of rows, in the order given. A row that has left the view since it was found has
    /// none.
    pub(super) fn bodies(&mut self, rows: &[RowRef]) -> Result<Vec<Option<Bytes>>, ApiError> {
        let mut by_table: BTreeMap<(Owner, ResourceType), Vec<usize>> = BTreeMap::new();
        for (place, row) in rows.iter().enumerate() {
            by_table.entry((row.owner, row.resource_type)).or_default().push(place);
        }
        let mut bodies = vec![None; rows.len()];
        for ((owner, resource_type), places) in by_table {
            let ids: Vec<DerivedId> = places.iter().map(|&place| rows[place].row().id).collect();
            let found = self.store().bodies(self.access, owner, resource_type, &ids)?;
            for (place, body) in places.into_iter().zip(found) {
                bodies[place] = body;
            }
        }
        Ok(bodies)
    }

    fn listing(
        &mut self,
        owner: Owner,
        resource_type: ResourceType,
    ) -> Result<Option<Listing>, ApiError> {
        if let Some(listing) = self.listings.get(&(owner, resource_type)) {
            return Ok(listing.clone());
        }
        let listing = self.store().listing(self.access, owner, resource_type)?;
        if self.listings.len() >= TABLES_MAX {
            self.listings.clear();
        }
        self.listings.insert((owner, resource_type), listing.clone());
        Ok(listing)
    }

    fn standing(&self, id: DerivedId) -> Result<Option<Standing>, ApiError> {
        Ok(self.store().issued(self.access, id)?.map(|issued| match issued {
            Issued::Record(record) => Standing {
                resource_type: record.key.resource_type,
                home: record.home,
                record: Some(record.key),
            },
            Issued::Made { resource_type, chart } => {
                Standing { resource_type, home: Home::Chart(chart), record: None }
            }
        }))
    }

    fn owner(&self, home: &Home) -> Result<Option<Owner>, ApiError> {
        Ok(self.store().owner(self.access, home)?)
    }

    /// Settling may move a home to another owner, so it is asked for again afterwards.
    fn settled_owner(&mut self, home: &Home) -> Result<Option<Owner>, ApiError> {
        if matches!(home, Home::Shared(_)) {
            return Ok(None);
        }
        // Looked for first: an owner that is read before it may have been settled away meanwhile.
        if self.gateway.is_settled()? {
            return self.owner(home);
        }
        let before = self.owner(home)?;
        self.settle(before)?;
        let after = self.owner(home)?;
        if after != before {
            self.listings.clear();
            self.tables.clear();
            self.provenances.clear();
        }
        Ok(after)
    }

    /// Why an owner's view does not hold what was issued.
    fn absence(
        &self,
        standing: &Standing,
        id: DerivedId,
        owner: Owner,
    ) -> Result<ApiError, ApiError> {
        if standing.record.is_none() {
            return Ok(ApiError::Gone);
        }
        let dispositions = self.store().dispositions(self.access, owner)?;
        let became = dispositions.iter().find(|d| d.id == id).map(|d| d.disposition);
        Ok(match became {
            Some(Disposition::Withdrawn | Disposition::Absent | Disposition::Erased) => {
                ApiError::Gone
            }
            _ => self.unowned(standing, id)?,
        })
    }

    /// Why what was issued is in no view: its source took it back, or it never was in one.
    fn unowned(&self, standing: &Standing, id: DerivedId) -> Result<ApiError, ApiError> {
        if standing.record.is_none() {
            return Ok(ApiError::Gone);
        }
        let header = self.store().headers(self.access, &[id])?.into_iter().next().flatten();
        let live = header.is_some_and(|header| header.current().state == State::Live);
        let served = served::types().any(|served| served == standing.resource_type);
        Ok(if live || !served { ApiError::NotFound } else { ApiError::Gone })
    }
}
