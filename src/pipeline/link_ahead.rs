//! Linking ahead: when more is dirty than one settle takes on, all of it is linked first, so
//! that the charts of one person are found together and woven once, not once a batch.
//!
//! Nothing is shown by it: the homes stay dirty, and whoever asks for them settles them first.

use std::collections::BTreeMap;

use crate::flow::{Access, Home};
use crate::store::{Dirty, Settle, StoreError};

use super::gateway::{Gateway, GatewayError};
use super::identify::{Subject, identify, read_subject};
use super::settle::CONFLICT_RETRIES_MAX;

/// How many homes are linked ahead: bounds the memory for what they are compared by.
const HOMES_MAX: usize = 8_192;
/// How many are linked in one transaction.
const HOMES_PER_LINK: usize = 512;

/// Homes whose stored links are those of their present content, as of a dirty mark.
#[derive(Default)]
pub(super) struct Linked(BTreeMap<Home, (u64, Subject)>);

impl Linked {
    /// What a home is compared by, unless it was marked again since.
    pub(super) fn subject(&self, mark: &Dirty) -> Option<Subject> {
        let (seq, subject) = self.0.get(&mark.home)?;
        (*seq == mark.seq).then(|| subject.clone())
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the stored link is that of the home's content as of this mark.
    pub(super) fn is_current(&self, mark: &Dirty) -> bool {
        self.0.get(&mark.home).is_some_and(|(seq, _)| *seq == mark.seq)
    }
}

impl Gateway {
    /// Links what is dirty, up to a bound, if it is more than one settle takes on.
    pub(super) fn link_ahead(&self) -> Result<Linked, GatewayError> {
        let mut linked = Linked::default();
        let access = Access::system();
        if self.store().dirty_count(&access)? <= self.homes_per_settle() {
            return Ok(linked);
        }
        let marks = self.store().dirty(&access, HOMES_MAX)?;
        let marks: Vec<Dirty> =
            marks.into_iter().filter(|mark| !matches!(mark.home, Home::Shared(_))).collect();
        for some in marks.chunks(HOMES_PER_LINK) {
            self.link_some(some, &mut linked)?;
        }
        Ok(linked)
    }

    fn link_some(&self, marks: &[Dirty], linked: &mut Linked) -> Result<(), GatewayError> {
        let _one_at_a_time = self.settling();
        let (store, access) = (self.store().as_ref(), Access::system());
        let mut tries = 0;
        loop {
            let mut subjects: BTreeMap<Home, Subject> = BTreeMap::new();
            for mark in marks {
                subjects.insert(mark.home.clone(), read_subject(store, &access, &mark.home)?);
            }
            let identified = identify(store, self.model(), subjects.clone())?;
            let changed = self.changed_keys(&identified.links)?.into_iter().collect();
            let mut batch = Settle {
                expected: identified.expected,
                review_of: identified.links.keys().cloned().collect(),
                reviews: identified.reviews,
                at: self.now(),
                ..Settle::default()
            };
            let mut fellows = Vec::new();
            for (home, mut link) in identified.links {
                let before = store.link(&access, &home)?;
                // Once this is stored, nothing leads from the one to the other any more.
                let is_other = before.as_ref().is_some_and(|before| before.edges != link.edges);
                if is_other && !subjects.contains_key(&home) {
                    fellows.push(home.clone());
                }
                link.owner = before.and_then(|before| before.owner);
                batch.links.push(link);
            }
            batch.dirty.extend(fellows.iter().cloned());
            // When these homes are settled their links will be as stored, and tell no change.
            self.mark_referrers(&changed, &mut batch)?;
            match store.settle(batch) {
                Ok(_) => {
                    for mark in marks {
                        let subject = subjects.remove(&mark.home).unwrap_or_default();
                        linked.0.insert(mark.home.clone(), (mark.seq, subject));
                    }
                    for home in fellows {
                        let Some(mark) = store.dirty_mark(&access, &home)? else { continue };
                        let subject = read_subject(store, &access, &home)?;
                        linked.0.entry(home).or_insert((mark.seq, subject));
                    }
                    return Ok(());
                }
                Err(StoreError::Conflict) if tries < CONFLICT_RETRIES_MAX => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
