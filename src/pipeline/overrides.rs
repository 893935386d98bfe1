//! A steward's overrides: a conflict or finding is resolved, or reopened.
//!
//! The write is small: what was decided, on which source versions. What comes of it is woven like
//! everything else.

use std::collections::BTreeSet;

use crate::flow::{
    Access, DerivedId, Dispute, Home, Override, Owner, PastOverride, RecordKey, Resolution, Undo,
};
use crate::store::Issued;

use super::gateway::{Gateway, GatewayError};
use super::weave::weave_owner;

/// A dispute, the person whose view it is in, and the homes of that person.
struct Found {
    dispute: Dispute,
    person: DerivedId,
    homes: Vec<Home>,
}

impl Gateway {
    /// Resolves a conflict or finding, by the id of its DetectedIssue, and settles the person,
    /// whose id it returns. It holds until one of the source versions it rests on changes.
    ///
    /// # Errors
    /// `NoConflict` if there is no such conflict now; `NoSide` if the preferred record is none of
    /// its sides; when the store fails.
    pub fn resolve(
        &self,
        issue: DerivedId,
        resolution: Resolution,
        by: &str,
        note: &str,
    ) -> Result<DerivedId, GatewayError> {
        let found = {
            // Nothing settles between the look at the conflict and the decision.
            let _alone = self.settling();
            let found = self.dispute(issue)?;
            if let Resolution::Prefer(record) = resolution
                && !found.dispute.sides.contains(&record)
            {
                return Err(GatewayError::NoSide(self.keys(&found.dispute.sides)?));
            }
            let Dispute { matter, basis, .. } = found.dispute.clone();
            let (by, note, at) = (by.into(), note.into(), self.now());
            let decided = Override { matter, basis, resolution, by, at, note };
            let homes = self.homes_of(&found)?;
            self.store().record_override(&homes, &PastOverride { decided, reopened: None })?;
            found
        };
        self.settle_homes(found.homes.iter())?;
        Ok(found.person)
    }

    /// Takes the override of a conflict or finding back and settles the person; returns their id,
    /// and whether there was one.
    ///
    /// # Errors
    /// `NoConflict` if there is no such conflict now; when the store fails.
    pub fn reopen(
        &self,
        issue: DerivedId,
        by: &str,
        note: &str,
    ) -> Result<(DerivedId, bool), GatewayError> {
        let mut reopened = false;
        let found = {
            let _alone = self.settling();
            let found = self.dispute(issue)?;
            let homes = self.homes_of(&found)?;
            let mut past = Vec::new();
            for home in &homes {
                past.extend(self.store().overrides(&Access::system(), home)?);
            }
            past.retain(|past| {
                let decided = &past.decided;
                past.reopened.is_none()
                    && decided.matter == found.dispute.matter
                    && decided.basis == found.dispute.basis
            });
            past.sort_by(|a, b| a.decided.cmp(&b.decided));
            past.dedup();
            for past in past {
                let undo = Undo { by: by.into(), at: self.now(), note: note.into() };
                let past = PastOverride { reopened: Some(undo), ..past };
                self.store().record_override(&homes, &past)?;
                reopened = true;
            }
            found
        };
        self.settle_homes(found.homes.iter())?;
        Ok((found.person, reopened))
    }

    /// The records of which a steward can prefer one, for a conflict that is about a value.
    ///
    /// # Errors
    /// `NoConflict` if there is no such conflict now; when the store fails.
    pub fn sides(&self, issue: DerivedId) -> Result<Vec<RecordKey>, GatewayError> {
        let found = self.dispute(issue)?;
        self.keys(&found.dispute.sides)
    }

    /// Weaves the person of a DetectedIssue anew: what it rests on is no part of the stored view.
    fn dispute(&self, issue: DerivedId) -> Result<Found, GatewayError> {
        let access = Access::system();
        let Some(Issued::Made { chart, .. }) = self.store().issued(&access, issue)? else {
            return Err(GatewayError::NoConflict);
        };
        let link = self.store().link(&access, &Home::Chart(chart))?;
        let owner = link.and_then(|link| link.owner).ok_or(GatewayError::NoConflict)?;
        let head = self.store().view(&access, owner)?.ok_or(GatewayError::NoConflict)?;
        let view = weave_owner(self, &head.homes)?.view;
        let dispute = view.disputes.into_iter().find(|dispute| dispute.issue == issue);
        let (Some(dispute), Owner::Person(person)) = (dispute, owner) else {
            return Err(GatewayError::NoConflict);
        };
        Ok(Found { dispute, person, homes: head.homes })
    }

    /// The homes of the source versions that a dispute rests on: a decision stays with them, also
    /// when the person is parted.
    fn homes_of(&self, found: &Found) -> Result<Vec<Home>, GatewayError> {
        let ids: Vec<DerivedId> = found.dispute.basis.iter().map(|basis| basis.record).collect();
        let headers = self.store().headers(&Access::system(), &ids)?;
        let homes: BTreeSet<Home> =
            headers.into_iter().flatten().map(|header| header.home().clone()).collect();
        Ok(homes.into_iter().collect())
    }

    fn keys(&self, ids: &[DerivedId]) -> Result<Vec<RecordKey>, GatewayError> {
        let headers = self.store().headers(&Access::system(), ids)?;
        Ok(headers.into_iter().flatten().map(|header| header.key).collect())
    }
}
