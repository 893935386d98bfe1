//! Whose turn it is to settle, and settling for whoever reads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::flow::{Access, Owner};
use crate::store::Dirty;

use super::gateway::{Gateway, GatewayError};
use super::link_ahead::Linked;

/// How long who settles everything waits for others to take their turn.
const GIVE_WAY_MS: u32 = 50;

/// One settles at a time.
#[derive(Default)]
pub(super) struct Turns {
    taken: Mutex<()>,
    waiting: AtomicUsize,
}

impl Gateway {
    /// Only one settle at a time: identity is decided on what the one before has stored.
    pub(super) fn settling(&self) -> MutexGuard<'_, ()> {
        let turns = self.turns();
        turns.waiting.fetch_add(1, Ordering::Relaxed);
        // A panic while settling has stored nothing, so the next one may go on.
        let taken = turns.taken.lock().unwrap_or_else(PoisonError::into_inner);
        turns.waiting.fetch_sub(1, Ordering::Relaxed);
        taken
    }

    /// Whether a reader or a steward waits for settling to be theirs.
    pub(super) fn is_waited_for(&self) -> bool {
        self.turns().waiting.load(Ordering::Relaxed) > 0
    }

    /// Lets those who wait go first: the lock itself would give it back to who had it last.
    pub(super) fn give_way(&self) {
        for _ in 0..GIVE_WAY_MS {
            if !self.is_waited_for() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether nothing is dirty: then there is nothing that a read would have to settle first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_settled(&self) -> Result<bool, GatewayError> {
        Ok(self.store().dirty_count(&Access::system())? == 0)
    }

    /// Settles what is dirty before a read (an owner's homes, or whatever is dirty), waiting at
    /// most so long; returns how many homes are still pending: of the owner, or in the whole
    /// store. Blocking.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle_for_read(
        &self,
        owner: Option<Owner>,
        wait: Duration,
    ) -> Result<usize, GatewayError> {
        if self.is_settled()? {
            return Ok(0);
        }
        let access = Access::system();
        let until = Instant::now() + wait;
        loop {
            let dirty = match owner {
                Some(owner) => self.dirty_of(owner)?,
                None => self.store().dirty(&access, self.homes_per_settle())?,
            };
            if dirty.is_empty() {
                return Ok(0);
            }
            if Instant::now() >= until {
                return match owner {
                    Some(_) => Ok(dirty.len()),
                    None => Ok(self.store().dirty_count(&access)?),
                };
            }
            self.settle(&dirty, &Linked::default())?;
        }
    }

    fn dirty_of(&self, owner: Owner) -> Result<Vec<Dirty>, GatewayError> {
        let access = Access::system();
        let head = self.store().view(&access, owner)?;
        let mut dirty = Vec::new();
        for home in head.into_iter().flat_map(|head| head.homes) {
            dirty.extend(self.store().dirty_mark(&access, &home)?);
        }
        Ok(dirty)
    }
}
