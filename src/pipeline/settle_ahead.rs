//! Settling ahead: while one settle is committed, by one thread and the disk, the next is made
//! ready by all others.
//!
//! Only charts whose links were made ahead ([`Linked`]) are settled so: committing them says
//! nothing new to those that come next, which are compared and woven with the store as it is
//! before. What does not keep to that is made ready again after the commit.

use std::collections::BTreeSet;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use crate::flow::{Access, Home};
use crate::store::{Dirty, StoreError};

use super::gateway::{Gateway, GatewayError};
use super::link_ahead::Linked;
use super::settle::{Prepared, Settled};

/// After as many settles at most the homes linked ahead are counted anew.
const SETTLES_PER_TURN: usize = 64;

/// Is told of every settle that is done.
type Tell<'t> = dyn FnMut(Settled) -> Result<(), GatewayError> + 't;

/// A settle under way to the disk.
struct Committing<'scope> {
    marks: Vec<Dirty>,
    /// The homes it cleans and links.
    homes: BTreeSet<Home>,
    says_new: bool,
    settled: Settled,
    unknown: Vec<(crate::flow::DerivedId, Home)>,
    preparing: Duration,
    thread: ScopedJoinHandle<'scope, (Result<u64, StoreError>, Duration)>,
}

impl Gateway {
    /// Settles what is dirty and linked ahead, the next while the one before is committed, until
    /// somebody else waits for settling; tells of each. Returns whether it settled anything: it
    /// does not if what is dirty first is not of that kind.
    ///
    /// # Errors
    /// When the store fails, or other writers keep being faster.
    pub(super) fn settle_ahead(
        &self,
        linked: &Linked,
        tell: &mut Tell<'_>,
    ) -> Result<bool, GatewayError> {
        if linked.len() == 0 {
            return Ok(false);
        }
        let _one_at_a_time = self.settling();
        std::thread::scope(|scope| {
            let mut any = false;
            let mut committing: Option<Committing<'_>> = None;
            for _ in 0..SETTLES_PER_TURN {
                let marks = self.next_marks(linked, committing.as_ref())?;
                let enough = self.is_stopping() || self.is_waited_for() && any;
                if marks.is_empty() || enough {
                    break;
                }
                let began = Instant::now();
                let mut prepared = self.prepare_settle(&marks, linked)?;
                if let Some(before) = committing.take() {
                    let meets =
                        before.says_new || prepared.homes().any(|home| before.homes.contains(home));
                    let again = self.committed(before, linked, tell)?;
                    if meets || again {
                        prepared = self.prepare_settle(&marks, linked)?;
                    }
                }
                any = true;
                committing = Some(self.commit_on(scope, marks, prepared, began.elapsed()));
            }
            if let Some(last) = committing {
                self.committed(last, linked, tell)?;
            }
            Ok(any)
        })
    }

    /// What is dirty next, as far as it is linked ahead and not being committed. A home of
    /// another kind ends it: homes are settled in the order they were marked.
    fn next_marks(
        &self,
        linked: &Linked,
        committing: Option<&Committing<'_>>,
    ) -> Result<Vec<Dirty>, GatewayError> {
        let taken = |mark: &Dirty| committing.is_some_and(|c| c.homes.contains(&mark.home));
        let limit = self.homes_per_settle() + committing.map_or(0, |c| c.homes.len());
        let marks = self.store().dirty(&Access::system(), limit)?;
        let ready = |mark: &Dirty| mark.home.chart().is_some() && linked.is_current(mark);
        let next = marks.into_iter().filter(|mark| !taken(mark)).take_while(ready);
        Ok(next.take(self.homes_per_settle()).collect())
    }

    fn commit_on<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        marks: Vec<Dirty>,
        prepared: Prepared,
        preparing: Duration,
    ) -> Committing<'scope> {
        let homes = prepared.homes().cloned().collect();
        let Prepared { batch, settled, unknown, says_new } = prepared;
        let thread = scope.spawn(move || {
            let began = Instant::now();
            (self.store().settle(batch), began.elapsed())
        });
        Committing { marks, homes, says_new, settled, unknown, preparing, thread }
    }

    /// Waits for a commit. Returns whether the settle had to be made anew, because another writer
    /// was faster.
    fn committed(
        &self,
        committing: Committing<'_>,
        linked: &Linked,
        tell: &mut Tell<'_>,
    ) -> Result<bool, GatewayError> {
        let Committing { marks, mut settled, unknown, preparing, thread, .. } = committing;
        let (done, took) = match thread.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        let conflict = matches!(done, Err(StoreError::Conflict));
        let began = Instant::now();
        let outcome = match done {
            Ok(_) => self.look_again(&unknown),
            Err(StoreError::Conflict) => {
                self.settle_part(&marks, linked).map(|made_anew| settled = made_anew)
            }
            Err(error) => Err(error.into()),
        };
        self.tell_settled(preparing + took + began.elapsed(), outcome.is_ok().then_some(settled));
        outcome?;
        tell(settled)?;
        Ok(conflict)
    }
}
