//! Versions of view resources: a row whose hash is unchanged keeps version and time; another
//! goes on from the last version its id had, whoever owned it.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use super::tables::{self, BodyReader, Contents, TableId};
use crate::fhir::ResourceType;
use crate::flow::{DerivedId, DisclosureClass, Hash, Home, Member, Owner, ViewRow};
use crate::store::{Change, ChangeKind, Result, RowWrite, TableRow, codec};

/// An earlier version of a view resource.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PastVersion {
    pub(super) last_updated: Timestamp,
    pub(super) body: Bytes,
    /// What its owner's view was woven from then, sorted: who else's data it may hold.
    pub(super) homes: Vec<Home>,
}

/// What a settle does to versions, across all the owners it touches.
pub(super) struct Versions {
    at: Timestamp,
    /// Rows that left an owner; one that arrives at another owner goes on from here.
    departed: BTreeMap<(DisclosureClass, ResourceType, DerivedId), Departed>,
    /// What the views were woven from before this settle.
    homes: BTreeMap<(DisclosureClass, Owner), Vec<Home>>,
    changes: BTreeMap<DisclosureClass, Vec<Change>>,
}

struct Departed {
    owner: Owner,
    version: u32,
    last_updated: Timestamp,
    hash: Hash,
    body: Bytes,
    members: Vec<Member>,
}

/// The key of an earlier version.
pub(super) fn past_key(
    class: &DisclosureClass,
    resource_type: ResourceType,
    id: DerivedId,
    version: u32,
) -> Key {
    Key::of_class(keys::PAST_BODY, class).resource_type(resource_type).id(id).small(version)
}

fn gone_key(class: &DisclosureClass, resource_type: ResourceType, id: DerivedId) -> Key {
    Key::of_class(keys::GONE_ROW, class).resource_type(resource_type).id(id)
}

impl Versions {
    /// Begins a settle at a time.
    pub(super) fn new(at: Timestamp) -> Self {
        Self { at, departed: BTreeMap::new(), homes: BTreeMap::new(), changes: BTreeMap::new() }
    }

    /// Notes what an owner's view was woven from before this settle. To be called for every
    /// owner before [`Self::write_table`].
    pub(super) fn woven_from(&mut self, class: &DisclosureClass, owner: Owner, homes: Vec<Home>) {
        self.homes.insert((class.clone(), owner), homes);
    }

    fn past(
        &self,
        class: &DisclosureClass,
        owner: Owner,
        last_updated: Timestamp,
        body: Bytes,
    ) -> PastVersion {
        let homes = self.homes.get(&(class.clone(), owner)).cloned().unwrap_or_default();
        PastVersion { last_updated, body, homes }
    }

    /// Notes the rows that `writes` no longer has. To be called for every table of the settle
    /// before the first [`Self::write_table`].
    pub(super) fn depart(
        &mut self,
        commit: &Commit<'_>,
        table: &TableId,
        before: &Contents,
        writes: &[RowWrite],
    ) -> Result<()> {
        let mut bodies = body_reader(commit, table);
        for (row, &place) in before.rows.iter().zip(&before.places) {
            if writes.binary_search_by_key(&row.id, |write| write.row.id).is_ok() {
                continue;
            }
            let departed = Departed {
                owner: table.owner,
                version: row.version,
                last_updated: row.last_updated,
                hash: row.hash,
                body: Bytes::copy_from_slice(bodies.body(place)?),
                members: row.members.clone(),
            };
            self.departed.insert((table.class.clone(), table.resource_type, row.id), departed);
        }
        Ok(())
    }

    /// Stages a table with the versions of its rows.
    pub(super) fn write_table(
        &mut self,
        commit: &mut Commit<'_>,
        table: &TableId,
        before: &Contents,
        writes: &[RowWrite],
    ) -> Result<()> {
        let mut past = Vec::new();
        {
            let mut bodies = body_reader(commit, table);
            for write in writes {
                if let Some((row, place)) = before.find(write.row.id)
                    && row.hash != write.row.hash
                {
                    let body = Bytes::copy_from_slice(bodies.body(place)?);
                    let version = self.past(&table.class, table.owner, row.last_updated, body);
                    past.push((row.id, row.version, version));
                }
            }
        }
        for (id, version, body) in past {
            commit.put(past_key(&table.class, table.resource_type, id, version), &body)?;
        }
        let mut rows = Vec::with_capacity(writes.len());
        for write in writes {
            let known = before.find(write.row.id).map(|(row, _)| row);
            let (version, last_updated) = self.version(commit, table, known, &write.row)?;
            rows.push(stored_row(&write.row, version, last_updated));
        }
        tables::write(commit, table, before, writes, rows)
    }

    fn version(
        &mut self,
        commit: &mut Commit<'_>,
        table: &TableId,
        known: Option<&TableRow>,
        row: &ViewRow,
    ) -> Result<(u32, Timestamp)> {
        if let Some(known) = known {
            if known.hash == row.hash {
                return Ok((known.version, known.last_updated));
            }
            let because = differing(&known.members, &row.members);
            let updated = (known.version + 1, ChangeKind::Updated);
            return Ok(self.changed(table, row.id, updated, because));
        }
        let place = (table.class.clone(), table.resource_type, row.id);
        if let Some(departed) = self.departed.remove(&place) {
            let Departed { owner, version, last_updated, hash, body, members } = departed;
            let class = &table.class;
            self.log(
                class,
                owner,
                table.resource_type,
                (row.id, version, ChangeKind::Left),
                Vec::new(),
            );
            if hash == row.hash {
                let arrived = (row.id, version, ChangeKind::Arrived);
                self.log(class, table.owner, table.resource_type, arrived, Vec::new());
                return Ok((version, last_updated));
            }
            let past = self.past(&table.class, owner, last_updated, body);
            commit.put(past_key(&table.class, table.resource_type, row.id, version), &past)?;
            let because = differing(&members, &row.members);
            return Ok(self.changed(table, row.id, (version + 1, ChangeKind::Updated), because));
        }
        let gone = gone_key(&table.class, table.resource_type, row.id);
        let last: Option<u32> = commit.get("last version", &gone)?;
        if last.is_some() {
            commit.remove(&gone);
        }
        let because = differing(&[], &row.members);
        let created = (last.unwrap_or(0) + 1, ChangeKind::Created);
        Ok(self.changed(table, row.id, created, because))
    }

    fn changed(
        &mut self,
        table: &TableId,
        id: DerivedId,
        (version, kind): (u32, ChangeKind),
        because: Vec<DerivedId>,
    ) -> (u32, Timestamp) {
        self.log(&table.class, table.owner, table.resource_type, (id, version, kind), because);
        (version, self.at)
    }

    fn log(
        &mut self,
        class: &DisclosureClass,
        owner: Owner,
        resource_type: ResourceType,
        (id, version, kind): (DerivedId, u32, ChangeKind),
        because: Vec<DerivedId>,
    ) {
        // The seq is known when all is staged.
        let change =
            Change { seq: 0, at: self.at, owner, resource_type, id, version, kind, because };
        self.changes.entry(class.clone()).or_default().push(change);
    }

    /// Stages what is left: rows that arrived nowhere go to the history, and the change log.
    pub(super) fn finish(mut self, commit: &mut Commit<'_>) -> Result<()> {
        for ((class, resource_type, id), gone) in std::mem::take(&mut self.departed) {
            let Departed { owner, version, last_updated, hash: _, body, members } = gone;
            let because = differing(&members, &[]);
            let past = self.past(&class, owner, last_updated, body);
            commit.put(past_key(&class, resource_type, id, version), &past)?;
            commit.put(gone_key(&class, resource_type, id), &version)?;
            self.log(&class, owner, resource_type, (id, version, ChangeKind::Removed), because);
        }
        for (class, mut changes) in self.changes {
            changes.iter_mut().for_each(|change| change.seq = commit.seq);
            put_changes(commit, class.key(), commit.seq, &changes)?;
        }
        Ok(())
    }
}

/// Writes what a commit changed, and that it changed these owners' views.
pub(super) fn put_changes(
    commit: &mut Commit<'_>,
    class: Hash,
    seq: u64,
    changes: &[Change],
) -> Result<()> {
    let owners: BTreeSet<Owner> = changes.iter().map(|change| change.owner).collect();
    for owner in owners {
        commit.put_bytes(history_key(class, owner).number(seq), codec::plain(&[]));
    }
    commit.put(Key::new(keys::CHANGES).hash(class).number(seq), changes)
}

/// The beginning of an owner's keys of history.
pub(super) fn history_key(class: Hash, owner: Owner) -> Key {
    Key::new(keys::HISTORY).hash(class).owner(owner)
}

/// The records that only one of the two has, or that have another version there.
fn differing(before: &[Member], after: &[Member]) -> Vec<DerivedId> {
    let versions = |members: &[Member]| -> BTreeSet<(DerivedId, u32)> {
        members.iter().map(|member| (member.id, member.version)).collect()
    };
    let (before, after) = (versions(before), versions(after));
    let differing: BTreeSet<DerivedId> =
        before.symmetric_difference(&after).map(|(id, _)| *id).collect();
    differing.into_iter().collect()
}

fn body_reader<'c>(
    commit: &'c Commit<'_>,
    table: &'c TableId,
) -> BodyReader<impl Fn(u32) -> Result<Option<::sled::IVec>> + 'c> {
    BodyReader::new(|segment| commit.bytes(table.segment_key(segment).as_ref()))
}

fn stored_row(row: &ViewRow, version: u32, last_updated: Timestamp) -> TableRow {
    TableRow {
        id: row.id,
        version,
        last_updated,
        hash: row.hash,
        input: row.input,
        values: row.values.clone(),
        members: row.members.clone(),
        aliases: row.aliases.clone(),
        choices: row.choices.clone(),
        made_by_us: row.made_by_us,
    }
}
