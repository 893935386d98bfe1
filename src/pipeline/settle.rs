//! Settle: dirty homes become links and views, one transaction over every owner they touch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::flow::{Access, ChartKey, DerivedId, Disposition, Home, Owner, RecordKey, View};
use crate::store::{
    CounterDelta, Dirty, Settle, StoreError, StoredRecord, TableRow, TableWrite, ViewHead,
    ViewWrite,
};

use super::accept::{home_of_targets, provenance_targets};
use super::gateway::{Gateway, GatewayError};
use super::identify::{Identified, Subject, identify, read_subject};
use super::link_ahead::Linked;
use super::weave::{OwnerView, weave_owner};

/// How often a settle is tried again when another writer was faster.
pub(super) const CONFLICT_RETRIES_MAX: u32 = 50;

/// What one settle did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Dirty homes taken on.
    pub homes: usize,
    /// Owners woven.
    pub owners: usize,
}

/// A settle ready to commit.
pub(super) struct Prepared {
    pub(super) batch: Settle,
    /// What it does.
    pub(super) settled: Settled,
    /// The records it refers to that had not come, each with a home of the referrer.
    pub(super) unknown: Vec<(DerivedId, Home)>,
    /// Whether its homes may be linked otherwise than is stored.
    pub(super) says_new: bool,
}

impl Prepared {
    /// The homes it cleans or links.
    pub(super) fn homes(&self) -> impl Iterator<Item = &Home> {
        let linked = self.batch.links.iter().map(|link| &link.home);
        self.batch.clean.iter().map(|mark| &mark.home).chain(linked)
    }
}

impl Gateway {
    /// Settles until nothing is dirty or the gateway is told to stop, telling progress (homes
    /// done so far, still dirty). Blocking.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle_all(
        &self,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Settled, GatewayError> {
        let mut total = Settled::default();
        loop {
            let linked = self.link_ahead()?;
            // After as many homes as were linked ahead it is time for the next ones.
            let linked_until = total.homes + linked.len().max(1);
            while total.homes < linked_until {
                let mut tell = |settled: Settled| -> Result<(), GatewayError> {
                    total.homes += settled.homes;
                    total.owners += settled.owners;
                    progress(total.homes, self.store().dirty_count(&Access::system())?);
                    Ok(())
                };
                if !self.settle_ahead(&linked, &mut tell)? {
                    let dirty = self.store().dirty(&Access::system(), self.homes_per_settle())?;
                    if dirty.is_empty() || self.is_stopping() {
                        return Ok(total);
                    }
                    tell(self.settle(&dirty, &linked)?)?;
                }
                self.give_way();
            }
        }
    }

    /// Settles these dirty homes in one transaction.
    ///
    /// # Errors
    /// When the store fails, or other writers keep being faster.
    pub(super) fn settle(&self, dirty: &[Dirty], linked: &Linked) -> Result<Settled, GatewayError> {
        let _one_at_a_time = self.settling();
        let began = Instant::now();
        let settled = self.settle_parts(dirty, linked);
        self.tell_settled(began.elapsed(), settled.as_ref().ok().copied());
        settled
    }

    /// Counts and logs a settle that has ended; `None` if it failed.
    pub(super) fn tell_settled(&self, took: Duration, settled: Option<Settled>) {
        self.metrics().settle.ended(took, settled.is_some());
        let Some(Settled { homes, owners }) = settled else { return };
        self.metrics().homes_settled.add(homes as u64);
        self.metrics().owners_woven.add(owners as u64);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::info!(homes, owners, ms, "settled");
    }

    fn settle_parts(&self, dirty: &[Dirty], linked: &Linked) -> Result<Settled, GatewayError> {
        // Directory entries first: the persons woven next see their links, and those woven
        // before are found by their references.
        let (directory, rest): (Vec<Dirty>, Vec<Dirty>) =
            dirty.iter().cloned().partition(|d| matches!(d.home, Home::Directory(_)));
        let mut total = Settled::default();
        for part in [directory, rest].into_iter().filter(|part| !part.is_empty()) {
            let settled = self.settle_part(&part, linked)?;
            total.homes += settled.homes;
            total.owners += settled.owners;
        }
        Ok(total)
    }

    pub(super) fn settle_part(
        &self,
        dirty: &[Dirty],
        linked: &Linked,
    ) -> Result<Settled, GatewayError> {
        let mut tries = 0;
        loop {
            let Prepared { batch, settled, unknown, .. } = self.prepare_settle(dirty, linked)?;
            match self.store().settle(batch) {
                Ok(_) => {
                    self.look_again(&unknown)?;
                    return Ok(settled);
                }
                Err(StoreError::Conflict) if tries < CONFLICT_RETRIES_MAX => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A record that was unknown while its referrer was woven may have been accepted before the
    /// referrer was stored: nobody else would then notice.
    pub(super) fn look_again(&self, unknown: &[(DerivedId, Home)]) -> Result<(), GatewayError> {
        let ids: Vec<DerivedId> = unknown.iter().map(|(id, _)| *id).collect();
        let headers = self.store().headers(&Access::system(), &ids)?;
        let come = unknown.iter().zip(headers).filter(|(_, header)| header.is_some());
        let homes: Vec<Home> = come.map(|((_, home), _)| home.clone()).collect();
        if !homes.is_empty() {
            self.store().mark_dirty(Some(&homes))?;
        }
        Ok(())
    }

    pub(super) fn prepare_settle(
        &self,
        dirty: &[Dirty],
        linked: &Linked,
    ) -> Result<Prepared, GatewayError> {
        let store = self.store().as_ref();
        let access = Access::system();
        let dirty = self.with_fellows(dirty)?;
        let mut batch = Settle { clean: dirty.clone(), at: self.now(), ..Settle::default() };
        let mut says_new = false;

        let mut subjects: BTreeMap<Home, Subject> = BTreeMap::new();
        let mut shared: Vec<Home> = Vec::new();
        let mut reweave: BTreeSet<Home> = BTreeSet::new();
        for mark in &dirty {
            let home = &mark.home;
            if let Home::Shared(record) = home {
                match self.place_shared(home)? {
                    true => shared.push(home.clone()),
                    // The record has a chart now, and stands on the ledger there.
                    false => batch.removed.push(Owner::Directory(store.id_key().record(record))),
                }
                continue;
            }
            reweave.insert(home.clone());
            let subject = match linked.subject(mark) {
                Some(subject) => subject,
                None => {
                    says_new = true;
                    read_subject(store, &access, home)?
                }
            };
            subjects.insert(home.clone(), subject);
        }
        let mut identified = identify(store, self.model(), subjects)?;
        batch.expected = std::mem::take(&mut identified.expected);
        batch.review_of = identified.links.keys().cloned().collect();
        batch.reviews = std::mem::take(&mut identified.reviews);

        self.take_along(&identified, &mut reweave, linked, &mut batch)?;
        let groups = self.groups_to_weave(&mut identified, &reweave)?;
        let shared = shared.into_iter().map(|home| vec![home]);
        let groups: Vec<Vec<Home>> = groups.into_iter().chain(shared).collect();
        let views = weave_in_parallel(self, &groups)?;
        let mut live: BTreeSet<Owner> = BTreeSet::new();
        let mut unknown = Vec::new();
        let mut changed: BTreeSet<DerivedId> =
            self.changed_keys(&identified.links)?.into_iter().collect();
        for (homes, owner_view) in groups.iter().zip(views) {
            let owner = owner_view.view.owner;
            live.insert(owner);
            unknown.extend(owner_view.unknown.iter().map(|id| (*id, homes[0].clone())));
            for home in homes {
                if let Some(link) = identified.links.get_mut(home) {
                    link.owner = Some(owner);
                }
            }
            changed.extend(self.changed_answers(&owner_view, homes)?);
            batch.views.push(self.view_write(homes, owner_view));
        }
        self.mark_referrers(&changed, &mut batch)?;
        self.retire_owners(&identified, &groups, &live, &mut batch)?;
        let settled = Settled { homes: batch.clean.len(), owners: batch.views.len() };
        batch.links = identified.links.into_values().collect();
        Ok(Prepared { batch, settled, unknown, says_new })
    }

    /// These dirty homes and those that were one view with them: what is linked ahead no longer
    /// leads from the one to the other, and no part of a view may be left without the rest.
    fn with_fellows(&self, dirty: &[Dirty]) -> Result<Vec<Dirty>, GatewayError> {
        let mut all = dirty.to_vec();
        let mut met: BTreeSet<Home> = dirty.iter().map(|mark| mark.home.clone()).collect();
        for mark in dirty {
            let Some(head) = self.stored_view(&mark.home)? else { continue };
            for home in head.homes {
                if met.insert(home.clone()) {
                    all.extend(self.store().dirty_mark(&Access::system(), &home)?);
                }
            }
        }
        Ok(all)
    }

    /// Other dirty homes of the same groups are settled with them: their links are those of
    /// their content already.
    fn take_along(
        &self,
        identified: &Identified,
        reweave: &mut BTreeSet<Home>,
        linked: &Linked,
        batch: &mut Settle,
    ) -> Result<(), GatewayError> {
        let groups = identified.groups.iter();
        let reached = groups.filter(|group| group.iter().any(|home| reweave.contains(home)));
        let along: Vec<Home> =
            reached.flatten().filter(|home| !reweave.contains(home)).cloned().collect();
        for home in along {
            let mark = self.store().dirty_mark(&Access::system(), &home)?;
            if let Some(mark) = mark.filter(|mark| linked.is_current(mark)) {
                batch.clean.push(mark);
                reweave.insert(home);
            }
        }
        Ok(())
    }

    /// The groups that need weaving: those with a dirty home, and those whose homes have
    /// changed. The others keep their view; their links keep its owner.
    fn groups_to_weave(
        &self,
        identified: &mut Identified,
        dirty: &BTreeSet<Home>,
    ) -> Result<Vec<Vec<Home>>, GatewayError> {
        let mut groups = Vec::new();
        for group in std::mem::take(&mut identified.groups) {
            let stored = self.stored_view(&group[0])?;
            let unchanged = stored.filter(|head| head.homes == group);
            match unchanged {
                Some(head) if group.iter().all(|home| !dirty.contains(home)) => {
                    for home in &group {
                        if let Some(link) = identified.links.get_mut(home) {
                            link.owner = Some(head.owner);
                        }
                    }
                }
                _ => groups.push(group),
            }
        }
        Ok(groups)
    }

    fn stored_view(&self, home: &Home) -> Result<Option<ViewHead>, GatewayError> {
        let access = Access::system();
        let Some(link) = self.store().link(&access, home)? else { return Ok(None) };
        let Some(owner) = link.owner else { return Ok(None) };
        Ok(self.store().view(&access, owner)?)
    }

    /// Owners that some of these homes had and that none has now.
    fn retire_owners(
        &self,
        identified: &Identified,
        groups: &[Vec<Home>],
        live: &BTreeSet<Owner>,
        batch: &mut Settle,
    ) -> Result<(), GatewayError> {
        let access = Access::system();
        let kept: BTreeSet<Owner> =
            identified.links.values().filter_map(|l| l.owner).chain(live.iter().copied()).collect();
        let mut removed = BTreeSet::new();
        for home in groups.iter().flatten() {
            let before = self.store().link(&access, home)?.and_then(|l| l.owner);
            removed.extend(before.filter(|owner| !kept.contains(owner)));
        }
        batch.removed.extend(removed);
        Ok(())
    }

    /// A Provenance that names no patient moves to the chart of what it is about, once that is
    /// known. Returns whether anything stays here.
    fn place_shared(&self, home: &Home) -> Result<bool, GatewayError> {
        let store = self.store().as_ref();
        let access = Access::system();
        let mut stays = false;
        for record in current_in(store.home(&access, home)?.records, home) {
            stays = true;
            if record.header.key.resource_type.name() != "Provenance" {
                continue;
            }
            let Some(content) = record.contents.get(&record.header.current().hash) else {
                continue;
            };
            let targets = provenance_targets(&content.facts);
            let found = home_of_targets(store, &access, &BTreeMap::new(), &targets)?;
            let Some(to) = found else { continue };
            store.accept(super::accept::move_record(&record, to))?;
            stays = false;
        }
        Ok(stays)
    }

    fn view_write(&self, homes: &[Home], woven: OwnerView) -> ViewWrite {
        let OwnerView { view, keys, superseded, previous, .. } = woven;
        let counts = counts_of(&view, homes, &keys, &superseded);
        let index = index_of(self, &view);
        let issued = issued_by(&view, homes);
        let View { owner, stamp, tables, dispositions, next_change, directory_refs, .. } = view;
        // An empty table takes away what was there.
        let gone = previous.tables.keys().filter(|t| !tables.contains_key(t));
        let mut writes: Vec<TableWrite> =
            gone.map(|t| TableWrite { resource_type: *t, rows: Vec::new() }).collect();
        for (resource_type, rows) in tables {
            let before = previous.tables.get(&resource_type);
            let unchanged = before.is_some_and(|table| {
                table.rows.len() == rows.len()
                    && table.rows.iter().zip(&rows).all(|(old, new)| same_row(old, new))
            });
            if !unchanged {
                let rows = rows.into_iter().map(|row| crate::store::RowWrite { row }).collect();
                writes.push(TableWrite { resource_type, rows });
            }
        }
        ViewWrite {
            owner,
            stamp,
            homes: homes.to_vec(),
            tables: writes,
            dispositions,
            counts,
            next_change,
            directory_refs,
            index,
            issued,
        }
    }
}

fn same_row(old: &TableRow, new: &crate::flow::ViewRow) -> bool {
    old.id == new.id
        && old.hash == new.hash
        && old.input == new.input
        && old.values == new.values
        && old.members == new.members
        && old.aliases == new.aliases
        && old.choices == new.choices
        && old.made_by_us == new.made_by_us
}

/// Weaves the groups on all cores; the results are in the order of the groups.
fn weave_in_parallel(
    gateway: &Gateway,
    groups: &[Vec<Home>],
) -> Result<Vec<OwnerView>, GatewayError> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(groups.len());
    if workers <= 1 {
        return groups.iter().map(|homes| weave_owner(gateway, homes)).collect();
    }
    let next = std::sync::atomic::AtomicUsize::new(0);
    let mut done: Vec<(usize, Result<OwnerView, GatewayError>)> = std::thread::scope(|scope| {
        let weave_some = || {
            let mut mine = Vec::new();
            loop {
                let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                let Some(homes) = groups.get(i) else { return mine };
                mine.push((i, weave_owner(gateway, homes)));
            }
        };
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(weave_some)).collect();
        let joined = handles.into_iter().flat_map(|handle| match handle.join() {
            Ok(views) => views,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect()
    });
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, view)| view).collect()
}

/// What the counters of the ledger and of the report hold for this owner.
fn counts_of(
    view: &View,
    homes: &[Home],
    keys: &BTreeMap<DerivedId, RecordKey>,
    superseded: &BTreeMap<Arc<str>, i64>,
) -> CounterDelta {
    let mut counts = CounterDelta::new();
    let everywhere: Arc<str> = "".into();
    let mut add = |endpoint: &Arc<str>, name: String, by: i64| {
        *counts.entry((endpoint.clone(), name.into())).or_default() += by;
    };
    for disposition in &view.dispositions {
        let Some(key) = keys.get(&disposition.id) else { continue };
        add(&key.endpoint, disposition.disposition.word().to_owned(), 1);
        if disposition.disposition == Disposition::Merged {
            add(&key.endpoint, format!("merged:{}", key.resource_type), 1);
        }
    }
    for (endpoint, versions) in superseded {
        add(endpoint, Disposition::Superseded.word().to_owned(), *versions);
    }
    for (resource_type, rows) in &view.tables {
        add(&everywhere, format!("view:{resource_type}"), rows.len() as i64);
        if resource_type.name() == "DetectedIssue" {
            for counted in rows.iter().filter_map(super::weave::counted_as) {
                add(&everywhere, counted.to_owned(), 1);
            }
        }
    }
    let is_person = matches!(view.owner, Owner::Person(_));
    if is_person && view.tables.values().any(|rows| !rows.is_empty()) {
        add(&everywhere, "persons".to_owned(), 1);
        add(&everywhere, "charts".to_owned(), homes.len() as i64);
    }
    counts
}

fn index_of(
    gateway: &Gateway,
    view: &View,
) -> Vec<(crate::fhir::ResourceType, crate::flow::Hash, DerivedId)> {
    let mut index = Vec::new();
    for (resource_type, rows) in &view.tables {
        let parameters = gateway.search_table().parameters(*resource_type);
        for row in rows {
            for value in &row.values {
                let Some(parameter) = parameters.get(usize::from(value.param)) else { continue };
                if parameter.cross_person {
                    let keys = crate::flow::Hash::index_keys(&parameter.name, &value.value);
                    index.extend(keys.into_iter().map(|key| (*resource_type, key, row.id)));
                }
            }
        }
    }
    index.sort();
    index.dedup();
    index
}

/// Ids of things made by us: their own and the aliases they answer to.
fn issued_by(view: &View, homes: &[Home]) -> Vec<(DerivedId, crate::fhir::ResourceType, ChartKey)> {
    let Some(chart) = homes.iter().find_map(Home::chart) else { return Vec::new() };
    let mut issued = Vec::new();
    for (resource_type, rows) in &view.tables {
        for row in rows.iter().filter(|row| row.made_by_us) {
            let ids = row.aliases.iter().chain(std::iter::once(&row.id));
            issued.extend(ids.map(|id| (*id, *resource_type, chart.clone())));
        }
    }
    issued
}

/// The stored records that are current in one of these homes.
pub(super) fn current_in(records: Vec<StoredRecord>, home: &Home) -> Vec<StoredRecord> {
    records.into_iter().filter(|r| r.header.home() == home).collect()
}
