//! Weaving one owner: reads its homes, hands them to reconcile, extracts search values.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use crate::fhir::ResourceType;
use crate::flow::{
    Access, DerivedId, Disposition, Home, Indexed, Override, Owner, RecordDisposition, RecordKey,
    State, Version, View, ViewRow, ViewStamp, unstamp_meta,
};
use crate::reconcile::{self, ChartInput, DirectoryInput, InputRecord, PersonInput, PreviousRows};
use crate::store::{Contents, Store, StoreError, StoredRecord, Table};

use super::accept::provenance_targets;
use super::gateway::{Gateway, GatewayError};
use super::outside::{Asked, StoreOutside};
use super::settle::current_in;

/// A woven owner, with what settle needs to write it.
pub(super) struct OwnerView {
    /// The view, search values extracted.
    pub(super) view: View,
    /// Keys of the records it has dispositions for.
    pub(super) keys: BTreeMap<DerivedId, RecordKey>,
    /// Versions that are no longer current, per endpoint.
    pub(super) superseded: BTreeMap<Arc<str>, i64>,
    /// The tables stored for this owner.
    pub(super) previous: StoredTables,
    /// Records it refers to that had not come when it was woven.
    pub(super) unknown: Vec<DerivedId>,
}

/// Tables of a stored view.
#[derive(Default)]
pub(super) struct StoredTables {
    /// By type.
    pub(super) tables: BTreeMap<ResourceType, Table>,
}

/// Weaves the view of the owner of these homes; rows of equal input are those of the stored view.
///
/// # Errors
/// When the store fails.
pub(super) fn weave_owner(gateway: &Gateway, homes: &[Home]) -> Result<OwnerView, GatewayError> {
    weave_upon(gateway, homes, Previous::read(gateway, homes)?)
}

/// Weaves the view of the owner of these homes from its records alone.
///
/// # Errors
/// When the store fails.
pub(super) fn weave_anew(gateway: &Gateway, homes: &[Home]) -> Result<OwnerView, GatewayError> {
    weave_upon(gateway, homes, Previous::none(gateway))
}

fn weave_upon(
    gateway: &Gateway,
    homes: &[Home],
    previous: Previous<'_>,
) -> Result<OwnerView, GatewayError> {
    let store = gateway.store().as_ref();
    let access = Access::system();
    let mut records: Vec<(&Home, Vec<StoredRecord>)> = Vec::new();
    for home in homes {
        let content = store.home(&access, home)?;
        records.push((home, current_in(content.records, home)));
    }
    let mut keys = BTreeMap::new();
    let mut superseded: BTreeMap<Arc<str>, i64> = BTreeMap::new();
    for record in records.iter().flat_map(|(_, records)| records) {
        keys.insert(record.id, record.header.key.clone());
        let earlier = record.header.versions().len().saturating_sub(1);
        *superseded.entry(record.header.key.endpoint.clone()).or_default() +=
            i64::try_from(earlier).unwrap_or(i64::MAX);
    }
    superseded.retain(|_, versions| *versions != 0);

    let outside = StoreOutside::new(store, gateway.endpoint_facts());
    let overrides = standing_overrides(store, homes)?;
    let mut view = weave_records(gateway, (records, overrides), &outside, &previous);
    let Asked { mut about, unknown } = outside.into_asked()?;
    if let Some(error) = previous.failed.into_inner() {
        return Err(error.into());
    }
    extract_values(gateway, &mut view);
    // What was asked only to compare or to choose matters as much as what is shown.
    about.extend(std::mem::take(&mut view.directory_refs));
    view.directory_refs = about.into_iter().collect();
    let previous = StoredTables {
        tables: previous
            .tables
            .into_iter()
            .filter_map(|((owner, resource_type), table)| {
                (owner == view.owner).then_some((resource_type, table))
            })
            .collect(),
    };
    Ok(OwnerView { view, keys, superseded, previous, unknown })
}

fn weave_records(
    gateway: &Gateway,
    (records, overrides): (Vec<(&Home, Vec<StoredRecord>)>, Vec<Override>),
    outside: &StoreOutside<'_>,
    previous: &Previous<'_>,
) -> View {
    let stamp = gateway.view_stamp();
    let (policy, ids) = (gateway.policy(), gateway.store().id_key());
    let as_of = stamp.as_of;
    let endpoints = gateway.endpoint_facts();
    let first = records.first().map(|(home, _)| (*home).clone());
    match first {
        Some(Home::Chart(_)) => {
            let charts = records.into_iter().filter_map(|(home, records)| {
                let key = home.chart()?.clone();
                Some(ChartInput { key, records: records.into_iter().map(input_record).collect() })
            });
            let charts = charts.collect();
            let input = PersonInput { charts, overrides, outside, endpoints, stamp };
            reconcile::weave(&input, previous, policy, ids, as_of)
        }
        Some(Home::Directory(_)) => {
            let records = records.into_iter().flat_map(|(_, r)| r).map(input_record).collect();
            let input = DirectoryInput { records, outside, endpoints, stamp };
            reconcile::weave_directory(&input, previous, policy, ids)
        }
        Some(Home::Shared(key)) => {
            let records = records.into_iter().flat_map(|(_, r)| r).collect();
            keep_as_stated(ids.record(&key), records, ids, stamp)
        }
        None => keep_as_stated(DerivedId::default(), Vec::new(), ids, stamp),
    }
}

/// What stewards decided about conflicts of these homes and did not reopen. Whether it has expired
/// is seen while weaving.
fn standing_overrides(store: &dyn Store, homes: &[Home]) -> Result<Vec<Override>, StoreError> {
    let mut standing = Vec::new();
    for home in homes.iter().filter(|home| home.chart().is_some()) {
        let past = store.overrides(&Access::system(), home)?;
        standing.extend(past.into_iter().filter(|p| p.reopened.is_none()).map(|p| p.decided));
    }
    standing.sort();
    standing.dedup();
    Ok(standing)
}

fn input_record(record: StoredRecord) -> InputRecord {
    let StoredRecord { id, header, mut contents } = record;
    let statuses = match header.key.resource_type.name() {
        "Task" => header.versions().iter().map(|v| status_of(v, &contents)).collect(),
        _ => Vec::new(),
    };
    let content = header.last_live().and_then(|v| contents.remove(&v.hash)).map(Arc::new);
    InputRecord { id, header, content, statuses }
}

fn status_of(version: &Version, contents: &Contents) -> Option<Box<str>> {
    let content = contents.get(&version.hash).filter(|_| version.state == State::Live);
    content?.facts.status.clone()
}

/// Records without patient outside the directory: no view, but a disposition each.
fn keep_as_stated(
    owner: DerivedId,
    records: Vec<StoredRecord>,
    ids: &crate::flow::IdKey,
    stamp: ViewStamp,
) -> View {
    let mut dispositions = Vec::new();
    let mut referred = Vec::new();
    for record in records {
        let current = record.header.current();
        let (disposition, rule) = match current.state {
            State::Live => (Disposition::Stored, "no-patient"),
            State::Deleted => (Disposition::Withdrawn, "deleted"),
            State::Absent => (Disposition::Absent, "absent"),
        };
        if let Some(content) = record.contents.get(&current.hash) {
            let targets = provenance_targets(&content.facts);
            referred.extend(targets.iter().map(|key| ids.record(key)));
        }
        dispositions.push(RecordDisposition {
            id: record.id,
            disposition,
            view: None,
            rule: rule.into(),
            reason: "names no patient; kept as stated".into(),
        });
    }
    referred.sort();
    referred.dedup();
    View {
        owner: Owner::Directory(owner),
        stamp,
        tables: BTreeMap::new(),
        dispositions,
        next_change: None,
        directory_refs: referred,
        disputes: Vec::new(),
    }
}

/// Rows that weaving took over have their values; new ones get them here.
fn extract_values(gateway: &Gateway, view: &mut View) {
    for (resource_type, rows) in &mut view.tables {
        for row in rows.iter_mut().filter(|row| row.values.is_empty()) {
            if let Ok(resource) = serde_json::from_slice(&row.body) {
                row.values = gateway.search_table().extract(*resource_type, &resource);
            }
        }
    }
}

/// What a DetectedIssue row is to be counted as; nothing if a steward has resolved it.
pub(super) fn counted_as(row: &ViewRow) -> Option<&'static str> {
    let has = |system: &str, codes: &[&str]| {
        row.values.iter().any(|value| match &value.value {
            Indexed::Token { system: of, code } => &**of == system && codes.contains(&&**code),
            _ => false,
        })
    };
    if has(reconcile::TAG_SYSTEM, &[reconcile::RESOLVED]) {
        return None;
    }
    let is_finding = has(reconcile::RULE_SYSTEM, &reconcile::FINDING_RULES);
    Some(if is_finding { "findings" } else { "conflicts" })
}

/// Bodies by table, in the order of its rows.
type Bodies = BTreeMap<(Owner, ResourceType), Vec<Option<bytes::Bytes>>>;

/// The stored rows of all owners that the homes had.
struct Previous<'a> {
    store: &'a dyn Store,
    tables: BTreeMap<(Owner, ResourceType), Table>,
    bodies: RefCell<Bodies>,
    /// Owners whose search values were extracted by the present parameters: values name them by
    /// their place in the table.
    current: BTreeSet<Owner>,
    failed: OnceLock<StoreError>,
}

impl<'a> Previous<'a> {
    fn none(gateway: &'a Gateway) -> Self {
        Self {
            store: gateway.store().as_ref(),
            tables: BTreeMap::new(),
            bodies: RefCell::default(),
            current: BTreeSet::new(),
            failed: OnceLock::new(),
        }
    }

    fn read(gateway: &'a Gateway, homes: &[Home]) -> Result<Self, StoreError> {
        let store = gateway.store().as_ref();
        let rules = gateway.view_stamp().policy;
        let access = Access::system();
        let mut tables = BTreeMap::new();
        let mut current = BTreeSet::new();
        for home in homes {
            let Some(owner) = store.owner(&access, home)? else { continue };
            let Some(head) = store.view(&access, owner)? else { continue };
            if head.stamp.policy == rules {
                current.insert(owner);
            }
            for resource_type in head.types.keys() {
                if let Some(table) = store.table(&access, owner, *resource_type)? {
                    tables.insert((owner, *resource_type), table);
                }
            }
        }
        let (bodies, failed) = (RefCell::default(), OnceLock::new());
        Ok(Self { store, tables, bodies, current, failed })
    }

    fn body(&self, key: (Owner, ResourceType), row: usize) -> Result<bytes::Bytes, StoreError> {
        if let Some(bodies) = self.bodies.borrow().get(&key) {
            return Ok(bodies.get(row).cloned().flatten().unwrap_or_default());
        }
        let rows: Vec<DerivedId> = self
            .tables
            .get(&key)
            .map(|t| t.rows.iter().map(|row| row.id).collect())
            .unwrap_or_default();
        let bodies = self.store.bodies(&Access::system(), key.0, key.1, &rows)?;
        let body = bodies.get(row).cloned().flatten().unwrap_or_default();
        self.bodies.borrow_mut().insert(key, bodies);
        Ok(body)
    }
}

impl PreviousRows for Previous<'_> {
    fn row(&self, resource_type: ResourceType, id: DerivedId) -> Option<ViewRow> {
        let tables = self.tables.iter().filter(|((_, t), _)| *t == resource_type);
        for (key, table) in tables {
            let Ok(at) = table.rows.binary_search_by_key(&id, |row| row.id) else { continue };
            let body = match self.body(*key, at) {
                Ok(body) => unstamp_meta(&body),
                Err(error) => {
                    let _ = self.failed.set(error);
                    return None;
                }
            };
            let row = &table.rows[at];
            let current = self.current.contains(&key.0);
            return Some(ViewRow {
                id,
                hash: row.hash,
                input: row.input,
                body: body.into(),
                values: if current { row.values.clone() } else { Vec::new() },
                members: row.members.clone(),
                aliases: row.aliases.clone(),
                choices: row.choices.clone(),
                made_by_us: row.made_by_us,
            });
        }
        None
    }
}
