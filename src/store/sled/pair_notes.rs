//! What stewards note about pairs, open proposals, and which pairs a home has a history with.

use super::SledStore;
use super::commit::Commit;
use super::keys::{self, Key};
use crate::flow::{Access, Home, IdKey, NoteKind, PairNote};
use crate::store::{Proposal, Result, codec};

/// Stages a note; a proposal stands until it is declined or anything is decided.
pub(super) fn note(
    commit: &mut Commit<'_>,
    ids: &IdKey,
    (a, b): (&Home, &Home),
    note: &PairNote,
) -> Result<()> {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    let key = pair(keys::PAIR_NOTE, a, b).number(commit.seq);
    commit.put(key, note)?;
    super::decisions::remember_pair(commit, ids, (a, b), None)?;
    partners(commit, a, b)?;
    match note.kind {
        NoteKind::Proposed => {
            let proposal = Proposal { a: a.clone(), b: b.clone(), note: note.clone() };
            commit.put(pair(keys::PROPOSAL, a, b), &proposal)
        }
        NoteKind::Declined => {
            settled(commit, a, b);
            Ok(())
        }
        NoteKind::Assigned(_) | NoteKind::Priority(_) | NoteKind::NotSure | NoteKind::Remark => {
            Ok(())
        }
    }
}

/// Stages that nothing is proposed about a pair any more.
pub(super) fn settled(commit: &mut Commit<'_>, a: &Home, b: &Home) {
    commit.remove(pair(keys::PROPOSAL, a, b));
}

/// Stages that each of two homes has a history with the other.
pub(super) fn partners(commit: &mut Commit<'_>, a: &Home, b: &Home) -> Result<()> {
    for (from, to) in [(a, b), (b, a)] {
        let key = Key::new(keys::PARTNER).hash(keys::home_hash(from)).hash(keys::home_hash(to));
        commit.put(key, to)?;
    }
    Ok(())
}

/// A key of a pair, whichever home comes first.
fn pair(kind: u8, a: &Home, b: &Home) -> Key {
    let [a, b] = [keys::home_hash(a), keys::home_hash(b)];
    Key::new(kind).hash(a.min(b)).hash(a.max(b))
}

impl SledStore {
    pub(super) fn read_pair_notes(
        &self,
        access: &Access,
        a: &Home,
        b: &Home,
    ) -> Result<Vec<PairNote>> {
        if !access.sees(a.endpoint()) || !access.sees(b.endpoint()) {
            return Ok(Vec::new());
        }
        let notes = self.walk(&pair(keys::PAIR_NOTE, a, b), None);
        notes.map(|item| codec::decode("pair note", &item?.1)).collect()
    }

    pub(super) fn read_proposals(&self, access: &Access, limit: usize) -> Result<Vec<Proposal>> {
        let sees =
            |open: &Proposal| access.sees(open.a.endpoint()) && access.sees(open.b.endpoint());
        self.walk(&Key::new(keys::PROPOSAL), None)
            .map(|item| codec::decode("proposal", &item?.1))
            .filter(|item| item.as_ref().map_or(true, sees))
            .take(limit)
            .collect()
    }

    pub(super) fn read_proposal(
        &self,
        access: &Access,
        a: &Home,
        b: &Home,
    ) -> Result<Option<PairNote>> {
        if !access.sees(a.endpoint()) || !access.sees(b.endpoint()) {
            return Ok(None);
        }
        let open: Option<Proposal> = self.get("proposal", pair(keys::PROPOSAL, a, b))?;
        Ok(open.map(|open| open.note))
    }

    pub(super) fn read_partners(
        &self,
        access: &Access,
        home: &Home,
        limit: usize,
    ) -> Result<Vec<Home>> {
        if !access.sees(home.endpoint()) {
            return Ok(Vec::new());
        }
        let prefix = Key::new(keys::PARTNER).hash(keys::home_hash(home));
        self.walk(&prefix, None)
            .map(|item| codec::decode("partner", &item?.1))
            .filter(|item: &Result<Home>| {
                item.as_ref().map_or(true, |home| access.sees(home.endpoint()))
            })
            .take(limit)
            .collect()
    }
}
