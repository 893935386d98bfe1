//! Stewards' overrides of conflicts, under every home that they concern.

use super::commit::Commit;
use super::keys::{self, Key};
use super::{SledStore, accept};
use crate::flow::{Access, Hash, Home, Override, PastOverride};
use crate::store::{Result, codec};

/// Stages an override under each home.
pub(super) fn record(
    commit: &mut Commit<'_>,
    homes: &[Home],
    decided: &PastOverride,
) -> Result<()> {
    let name = name_of(&decided.decided)?;
    for home in homes {
        commit.put(Key::new(keys::OVERRIDE).hash(keys::home_hash(home)).hash(name), decided)?;
    }
    accept::mark_dirty(commit, homes.iter())
}

/// What tells overrides apart: all of their content, so that none replaces another.
fn name_of(decided: &Override) -> Result<Hash> {
    Ok(Hash::of(&codec::to_postcard(decided)?))
}

impl SledStore {
    pub(super) fn read_overrides(&self, access: &Access, home: &Home) -> Result<Vec<PastOverride>> {
        if !access.sees(home.endpoint()) {
            return Ok(Vec::new());
        }
        self.walk(&Key::new(keys::OVERRIDE).hash(keys::home_hash(home)), None)
            .map(|item| codec::decode("override", &item?.1))
            .collect()
    }
}
