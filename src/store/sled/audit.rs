//! The audit trail: numbered without gaps, each entry chained to the one before by hash.

use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::keys::{self, Key};
use crate::flow::Hash;
use crate::store::{AuditEntry, AuditRow, Result, codec};

/// The end of the trail.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct AuditHead {
    pub(super) number: u64,
    pub(super) chain: Hash,
}

/// Stages entries behind the trail's end.
pub(super) fn append(commit: &mut Commit<'_>, entries: &[AuditEntry]) -> Result<()> {
    let mut head: AuditHead = commit.get("audit head", keys::AUDIT_HEAD)?.unwrap_or_default();
    for entry in entries {
        head = AuditHead { number: head.number + 1, chain: chain(head.chain, entry)? };
        let row = AuditRow { number: head.number, entry: entry.clone(), chain: head.chain };
        commit.put(Key::new(keys::AUDIT).number(row.number), &row)?;
    }
    commit.put(keys::AUDIT_HEAD, &head)
}

/// Checks a piece of the trail: that no entry is missing, added, changed or moved. A piece that
/// begins with entry 1 is checked to the beginning; of another the first entry is taken as given.
///
/// # Errors
/// The number of the first entry that does not follow from the one before.
pub fn verify_audit_chain(rows: &[AuditRow]) -> std::result::Result<(), u64> {
    let mut before = match rows.first() {
        None => return Ok(()),
        Some(first) if first.number == 1 => AuditHead::default(),
        Some(first) => AuditHead { number: first.number, chain: first.chain },
    };
    let rest = if before.number == 0 { rows } else { &rows[1..] };
    for row in rest {
        let follows = row.number == before.number + 1
            && chain(before.chain, &row.entry).is_ok_and(|chain| chain == row.chain);
        if !follows {
            return Err(row.number);
        }
        before = AuditHead { number: row.number, chain: row.chain };
    }
    Ok(())
}

fn chain(before: Hash, entry: &AuditEntry) -> Result<Hash> {
    let entry = codec::to_postcard(entry)?;
    Ok(Hash::of_parts([before.0.to_be_bytes().as_slice(), entry.as_slice()]))
}
