//! A steward's decisions: link, no-match, undo.

use crate::flow::{Access, ChartKey, Decision, Home, Verdict};
use crate::store::Dirty;

use super::gateway::{Gateway, GatewayError};
use super::link_ahead::Linked;

impl Gateway {
    /// Records that two charts are, or are not, the same person, and settles both.
    ///
    /// # Errors
    /// When the store fails.
    pub fn decide(
        &self,
        verdict: Verdict,
        charts: (&ChartKey, &ChartKey),
        by: &str,
        note: &str,
    ) -> Result<(), GatewayError> {
        let (a, b) = ordered(charts);
        let decision = Decision {
            verdict,
            a: a.clone(),
            b: b.clone(),
            by: by.into(),
            at: self.now(),
            note: note.into(),
        };
        let seq = self.store().decide(decision)?;
        self.settle_pair(a, b, seq)
    }

    /// Takes a decision back; returns whether there was one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn undo(&self, charts: (&ChartKey, &ChartKey)) -> Result<bool, GatewayError> {
        let (a, b) = ordered(charts);
        let was_there = self.store().undo_decision(&a, &b)?;
        let seq = self.store().last_seq()?;
        self.settle_pair(a, b, seq)?;
        Ok(was_there)
    }

    fn settle_pair(&self, a: Home, b: Home, seq: u64) -> Result<(), GatewayError> {
        let marked = self.store().dirty(&Access::system(), usize::MAX)?;
        let mut dirty: Vec<Dirty> =
            marked.into_iter().filter(|d| d.home == a || d.home == b).collect();
        if dirty.is_empty() {
            dirty = vec![Dirty { home: a, seq }, Dirty { home: b, seq }];
        }
        self.settle(&dirty, &Linked::default())?;
        Ok(())
    }
}

fn ordered(charts: (&ChartKey, &ChartKey)) -> (Home, Home) {
    let (a, b) = (Home::Chart(charts.0.clone()), Home::Chart(charts.1.clone()));
    if a <= b { (a, b) } else { (b, a) }
}
