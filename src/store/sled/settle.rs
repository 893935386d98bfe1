//! The settle commit: links, views, and all that follows from them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::accept;
use super::commit::Commit;
use super::decisions;
use super::homes;
use super::keys::{self, Key};
use super::links;
use super::tables::{self, Contents, TableId};
use super::versions::Versions;
use crate::fhir::ResourceType;
use crate::flow::{ChartKey, DerivedId, DisclosureClass, Hash, Home, IdKey, Owner, ViewStamp};
use crate::store::{CounterDelta, Result, Settle, ViewHead, ViewWrite};

/// The head of a view as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct HeadValue {
    stamp: ViewStamp,
    homes: Vec<Home>,
    types: BTreeMap<ResourceType, u32>,
    next_change: Option<Date>,
    seq: u64,
}

/// What a view put into indexes and counters, to be taken out when it changes.
#[derive(Default, Serialize, Deserialize)]
struct ViewSide {
    index: BTreeSet<(ResourceType, Hash, DerivedId)>,
    directory_refs: BTreeSet<DerivedId>,
    next_change: Option<Date>,
    counts: CounterDelta,
}

/// Something made by us, as it is stored.
#[derive(Serialize, Deserialize)]
pub(super) struct MadeValue {
    pub(super) resource_type: ResourceType,
    pub(super) chart: ChartKey,
}

/// Tables as they were before the settle.
type Before = BTreeMap<TableId, Contents>;

impl HeadValue {
    /// As reads hand it out.
    pub(super) fn into_head(self, owner: Owner) -> ViewHead {
        let Self { stamp, homes, types, next_change, seq } = self;
        ViewHead { owner, stamp, homes, types, next_change, seq }
    }
}

/// Stages everything of a settle commit.
pub(super) fn settle(commit: &mut Commit<'_>, ids: &IdKey, mut batch: Settle) -> Result<()> {
    links::check_generations(commit, &batch.expected)?;
    let homes: BTreeSet<Home> = batch.links.iter().map(|link| link.home.clone()).collect();
    links::write_links(commit, batch.links)?;
    for table in batch.views.iter_mut().flat_map(|view| &mut view.tables) {
        // Tables are searched by id, so their order is not left to the caller alone.
        table.rows.sort_by_key(|write| write.row.id);
        table.rows.dedup_by_key(|write| write.row.id);
    }
    let mut versions = Versions::new(batch.at);
    let removed = removed_views(commit, &batch.removed)?;
    let before = depart(commit, &mut versions, &batch.views, &removed)?;
    for (class, owner) in &removed {
        remove_view(commit, class, *owner)?;
    }
    for view in batch.views {
        write_view(commit, &mut versions, &before, view)?;
    }
    versions.finish(commit)?;
    let queue = (batch.review_of.as_slice(), batch.reviews.as_slice());
    decisions::write_reviews(commit, ids, queue, batch.at)?;
    accept::clean(commit, &batch.clean)?;
    accept::mark_dirty(commit, batch.dirty.iter())?;
    homes.iter().try_for_each(|home| homes::compact(commit, home))
}

/// The views that owners have, in any class.
fn removed_views(
    commit: &Commit<'_>,
    owners: &[Owner],
) -> Result<BTreeSet<(DisclosureClass, Owner)>> {
    let mut views = BTreeSet::new();
    if owners.is_empty() {
        return Ok(views);
    }
    for key in commit.keys_under(Key::new(keys::CLASS))? {
        let Some(class) = commit.get::<DisclosureClass>("disclosure class", &key)? else {
            continue;
        };
        for &owner in owners {
            if commit.has(Key::of_class(keys::VIEW, &class).owner(owner))? {
                views.insert((class.clone(), owner));
            }
        }
    }
    Ok(views)
}

/// Loads all tables that change, and notes the rows that leave them.
fn depart(
    commit: &Commit<'_>,
    versions: &mut Versions,
    views: &[ViewWrite],
    removed: &BTreeSet<(DisclosureClass, Owner)>,
) -> Result<Before> {
    let mut before = Before::new();
    for (class, owner) in removed {
        let head = head(commit, class, *owner)?;
        versions.woven_from(class, *owner, head.homes);
        for resource_type in head.types.into_keys() {
            let table = TableId { class: class.clone(), owner: *owner, resource_type };
            let contents = tables::load(commit, &table)?;
            versions.depart(commit, &table, &contents, &[])?;
        }
    }
    for view in views {
        let head = head(commit, &view.stamp.class, view.owner)?;
        versions.woven_from(&view.stamp.class, view.owner, head.homes);
        for write in &view.tables {
            let (class, owner) = (view.stamp.class.clone(), view.owner);
            let table = TableId { class, owner, resource_type: write.resource_type };
            let contents = tables::load(commit, &table)?;
            versions.depart(commit, &table, &contents, &write.rows)?;
            before.insert(table, contents);
        }
    }
    Ok(before)
}

fn head(commit: &Commit<'_>, class: &DisclosureClass, owner: Owner) -> Result<HeadValue> {
    let key = Key::of_class(keys::VIEW, class).owner(owner);
    Ok(commit.get("view head", key)?.unwrap_or_else(|| HeadValue {
        stamp: ViewStamp {
            weave: 0,
            policy: Hash(0),
            model: Hash(0),
            class: class.clone(),
            as_of: Date::ZERO,
        },
        homes: Vec::new(),
        types: BTreeMap::new(),
        next_change: None,
        seq: 0,
    }))
}

fn remove_view(commit: &mut Commit<'_>, class: &DisclosureClass, owner: Owner) -> Result<()> {
    for resource_type in head(commit, class, owner)?.types.into_keys() {
        let table = TableId { class: class.clone(), owner, resource_type };
        let contents = tables::load(commit, &table)?;
        tables::remove(commit, &table, &contents);
    }
    write_side(commit, class, owner, &ViewSide::default())?;
    for kind in [keys::VIEW, keys::VIEW_SIDE, keys::DISPOSITIONS] {
        commit.remove(Key::of_class(kind, class).owner(owner));
    }
    Ok(())
}

fn write_view(
    commit: &mut Commit<'_>,
    versions: &mut Versions,
    before: &Before,
    view: ViewWrite,
) -> Result<()> {
    let class = view.stamp.class.clone();
    let owner = view.owner;
    let mut types = head(commit, &class, owner)?.types;
    let none = Contents::default();
    for write in &view.tables {
        let resource_type = write.resource_type;
        let table = TableId { class: class.clone(), owner, resource_type };
        // A view that is removed and written in one settle has lost its tables meanwhile.
        let known = before.get(&table).filter(|_| types.contains_key(&resource_type));
        versions.write_table(commit, &table, known.unwrap_or(&none), &write.rows)?;
        match u32::try_from(write.rows.len()).unwrap_or(u32::MAX) {
            0 => types.remove(&resource_type),
            rows => types.insert(resource_type, rows),
        };
    }
    let side = ViewSide {
        index: view.index.into_iter().collect(),
        directory_refs: view.directory_refs.into_iter().collect(),
        next_change: view.next_change,
        counts: view.counts,
    };
    write_side(commit, &class, owner, &side)?;
    for (id, resource_type, chart) in view.issued {
        let key = Key::new(keys::ISSUED).id(id);
        if !commit.has(&key)? {
            commit.put(key, &MadeValue { resource_type, chart })?;
        }
    }
    let class_key = Key::of_class(keys::CLASS, &class);
    if !commit.has(&class_key)? {
        commit.put(class_key, &class)?;
    }
    commit.put(Key::of_class(keys::DISPOSITIONS, &class).owner(owner), &view.dispositions)?;
    let head = HeadValue {
        stamp: view.stamp,
        homes: view.homes,
        types,
        next_change: view.next_change,
        seq: commit.seq,
    };
    commit.put(Key::of_class(keys::VIEW, &class).owner(owner), &head)
}

/// Stages indexes and counters by the difference to what the view had.
fn write_side(
    commit: &mut Commit<'_>,
    class: &DisclosureClass,
    owner: Owner,
    after: &ViewSide,
) -> Result<()> {
    let key = Key::of_class(keys::VIEW_SIDE, class).owner(owner);
    let before: ViewSide = commit.get("view side", &key)?.unwrap_or_default();
    let index_key = |(resource_type, key, id): &(ResourceType, Hash, DerivedId)| {
        Key::of_class(keys::INDEX, class)
            .resource_type(*resource_type)
            .hash(*key)
            .owner(owner)
            .id(*id)
    };
    let referrer_key =
        |directory: &DerivedId| Key::of_class(keys::REFERRER, class).id(*directory).owner(owner);
    let due_key = |day: Date| Key::of_class(keys::DUE, class).day(day).owner(owner);
    let gone = before.index.difference(&after.index).map(index_key);
    let gone =
        gone.chain(before.directory_refs.difference(&after.directory_refs).map(referrer_key));
    gone.chain(before.next_change.map(due_key)).for_each(|key| commit.remove(key));
    let come = after.index.difference(&before.index).map(index_key);
    let come =
        come.chain(after.directory_refs.difference(&before.directory_refs).map(referrer_key));
    for key in come.chain(after.next_change.map(due_key)) {
        commit.put(key, &())?;
    }
    // Counters count what is there, not how often it is shown: only the full view counts.
    if *class == DisclosureClass::Full {
        let mut delta = after.counts.clone();
        for (name, &count) in &before.counts {
            *delta.entry(name.clone()).or_default() -= count;
        }
        accept::count(commit, &delta)?;
    }
    commit.put(key, after)
}
