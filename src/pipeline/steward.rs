//! A steward's decisions: link, no-match, undo.

use std::collections::{BTreeMap, BTreeSet};

use crate::flow::{Access, ChartKey, Decision, Home, Undo, Verdict};

use super::gateway::{Gateway, GatewayError};
use super::identify::{Identified, identify_if, read_subject};
use super::link_ahead::Linked;
use super::second_review::{Decided, bounded};

impl Gateway {
    /// Records that two charts are, or are not, the same person, and settles both.
    ///
    /// # Errors
    /// `KeptApart` for a link that standing no-match decisions forbid, `NeedsAnother` for one
    /// that the same steward has proposed; `TooLong`; when the store fails.
    pub fn decide(
        &self,
        verdict: Verdict,
        charts: (&ChartKey, &ChartKey),
        by: &str,
        note: &str,
    ) -> Result<Decided, GatewayError> {
        self.decide_all(verdict, &[(charts.0.clone(), charts.1.clone())], by, note)
    }

    /// The same of several pairs: all are recorded in one commit, or none. Links that need a
    /// second steward are proposed instead, if nobody else has proposed them.
    ///
    /// # Errors
    /// As [`Gateway::decide`].
    pub fn decide_all(
        &self,
        verdict: Verdict,
        pairs: &[(ChartKey, ChartKey)],
        by: &str,
        note: &str,
    ) -> Result<Decided, GatewayError> {
        bounded(by, note)?;
        let at = self.now();
        let decisions = pairs.iter().map(|pair| {
            let (a, b) = ordered(pair);
            Decision { verdict, a, b, by: by.into(), at, note: note.into() }
        });
        let decisions: Vec<Decision> = decisions.collect();
        {
            // Nothing settles between the look at what would come of it and the decision.
            let _alone = self.settling();
            if verdict == Verdict::Link {
                self.refuse_contradicted(&decisions)?;
                let waiting = self.propose_risky(&decisions)?;
                if !waiting.is_empty() {
                    return Ok(Decided::Waits(waiting));
                }
            }
            self.store().decide(&decisions)?;
        }
        self.settle_homes(decisions.iter().flat_map(|d| [&d.a, &d.b]))?;
        Ok(Decided::Done)
    }

    /// Takes the standing decisions about these pairs back, all in one commit, and declines open
    /// proposals; returns how many there were. Where a decision had replaced another one, that
    /// one stands again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn undo(
        &self,
        pairs: &[(ChartKey, ChartKey)],
        by: &str,
        note: &str,
    ) -> Result<usize, GatewayError> {
        bounded(by, note)?;
        let pairs: Vec<(Home, Home)> = pairs.iter().map(ordered).collect();
        let declined = self.decline(&pairs, by, note)?;
        let undo = Undo { by: by.into(), at: self.now(), note: note.into() };
        let undone = self.store().undo_decisions(&pairs, &undo)?;
        self.settle_homes(pairs.iter().flat_map(|(a, b)| [a, b]))?;
        Ok(undone + declined)
    }

    /// Who would be one person if these decisions stood; reads only.
    pub(super) fn if_decided(&self, decisions: &[Decision]) -> Result<Identified, GatewayError> {
        let store = self.store().as_ref();
        let mut subjects = BTreeMap::new();
        for home in decisions.iter().flat_map(|d| [&d.a, &d.b]) {
            subjects.insert(home.clone(), read_subject(store, &Access::system(), home)?);
        }
        Ok(identify_if(store, self.model(), subjects, decisions)?)
    }

    /// The standing no-match decisions between the persons that a link would join. One about the
    /// very pair is none of them: the link stands in its place.
    pub(super) fn kept_apart_by(&self, link: &Decision) -> Result<Vec<Decision>, GatewayError> {
        let (of_a, of_b) = (self.person_homes(&link.a)?, self.person_homes(&link.b)?);
        let mut standing = Vec::new();
        for home in &of_a {
            let decisions = self.store().decisions(&Access::system(), home)?;
            standing.extend(decisions.into_iter().filter(|d| {
                let other = if d.a == *home { &d.b } else { &d.a };
                let same_pair = (&d.a, &d.b) == (&link.a, &link.b);
                d.verdict == Verdict::NoMatch && of_b.contains(other) && !same_pair
            }));
        }
        Ok(standing)
    }

    /// The homes shown as one person with this one, and those that stewards linked with them.
    fn person_homes(&self, home: &Home) -> Result<BTreeSet<Home>, GatewayError> {
        let access = Access::system();
        let mut found = BTreeSet::new();
        let mut waiting = vec![home.clone()];
        if let Some(owner) = self.store().link(&access, home)?.and_then(|link| link.owner) {
            waiting.extend(self.store().view(&access, owner)?.into_iter().flat_map(|v| v.homes));
        }
        while let Some(home) = waiting.pop() {
            if !found.insert(home.clone()) {
                continue;
            }
            let decisions = self.store().decisions(&access, &home)?;
            let links = decisions.into_iter().filter(|d| d.verdict == Verdict::Link);
            waiting.extend(links.map(|d| if d.a == home { d.b } else { d.a }));
        }
        Ok(found)
    }

    fn refuse_contradicted(&self, links: &[Decision]) -> Result<(), GatewayError> {
        for link in links {
            let standing = self.kept_apart_by(link)?;
            if !standing.is_empty() {
                return Err(GatewayError::KeptApart(standing));
            }
        }
        Ok(())
    }

    /// Settles those of these homes that are dirty.
    pub(super) fn settle_homes<'h>(
        &self,
        homes: impl Iterator<Item = &'h Home>,
    ) -> Result<(), GatewayError> {
        let access = Access::system();
        let homes: BTreeSet<&Home> = homes.collect();
        let mut dirty = Vec::new();
        for home in homes {
            // One without a mark has been settled meanwhile.
            dirty.extend(self.store().dirty_mark(&access, home)?);
        }
        if !dirty.is_empty() {
            self.settle(&dirty, &Linked::default())?;
        }
        Ok(())
    }
}

/// The homes of two charts, the smaller first.
pub(super) fn ordered(charts: &(ChartKey, ChartKey)) -> (Home, Home) {
    let (a, b) = (Home::Chart(charts.0.clone()), Home::Chart(charts.1.clone()));
    if a <= b { (a, b) } else { (b, a) }
}
