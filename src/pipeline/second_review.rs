//! Links that one steward proposes and a second one makes, and what makes a link risky.

use crate::config::SecondReviewer;
use crate::flow::{Access, ChartKey, Decision, Demographics, Home, NoteKind, PairNote};
use crate::identity;

use super::gateway::{Gateway, GatewayError};
use super::identify::read_subject;

/// Longest note, in characters: a page of text.
const NOTE_CHARS_MAX: usize = 4_000;
/// Longest name of a steward, in characters.
const NAME_CHARS_MAX: usize = 200;
/// Most notes of a pair: far more than anybody reads before deciding.
const NOTES_MAX: usize = 200;

/// What came of a decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decided {
    /// It stands.
    Done,
    /// It was proposed, for these reasons: a second steward must make it.
    Waits(Vec<Risk>),
}

/// Why a link may be wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Risk {
    /// Both persons have several charts: so many, and so many.
    SeveralCharts(usize, usize),
    /// Two of their charts cannot be of one person.
    Contradiction {
        /// One chart.
        a: ChartKey,
        /// The other.
        b: ChartKey,
        /// The name of the contradiction.
        name: &'static str,
        /// What it says, for a steward.
        sentence: &'static str,
    },
    /// The site wants two stewards for every link.
    Policy,
}

impl Gateway {
    /// Why a link of these charts may be wrong; empty for two of one person.
    ///
    /// # Errors
    /// When the store fails.
    pub fn risks(
        &self,
        access: &Access,
        charts: &(ChartKey, ChartKey),
    ) -> Result<Vec<Risk>, GatewayError> {
        let of = |chart: &ChartKey| -> Result<Vec<ChartKey>, GatewayError> {
            let mut persons = self.persons_of(access, std::slice::from_ref(chart))?;
            Ok(persons.pop().map_or_else(|| vec![chart.clone()], |person| person.charts))
        };
        let (left, right) = (of(&charts.0)?, of(&charts.1)?);
        if left.contains(&charts.1) {
            return Ok(Vec::new());
        }
        let mut risks = Vec::new();
        if left.len() > 1 && right.len() > 1 {
            risks.push(Risk::SeveralCharts(left.len(), right.len()));
        }
        let (left, right) = (self.stated(access, &left)?, self.stated(access, &right)?);
        for (a, of_a) in &left {
            for (b, of_b) in &right {
                let homes = (Home::Chart(a.clone()), Home::Chart(b.clone()));
                let compared =
                    identity::compare_homes((&homes.0, of_a), (&homes.1, of_b), self.model());
                let found = identity::contradictions(&compared);
                risks.extend(found.map(|(name, sentence)| {
                    let (a, b) = (a.clone(), b.clone());
                    Risk::Contradiction { a, b, name, sentence }
                }));
            }
        }
        Ok(risks)
    }

    /// What the Patients of these charts state; one that has not come states nothing.
    fn stated(
        &self,
        access: &Access,
        charts: &[ChartKey],
    ) -> Result<Vec<(ChartKey, Demographics)>, GatewayError> {
        let mut stated = Vec::new();
        for chart in charts {
            let home = Home::Chart(chart.clone());
            let subject = read_subject(self.store().as_ref(), access, &home)?;
            stated.extend(subject.demographics.map(|known| (chart.clone(), known)));
        }
        Ok(stated)
    }

    /// Proposes those of these links that need a second steward and that nobody else has
    /// proposed; returns why. Empty: all of them may be made.
    pub(super) fn propose_risky(&self, links: &[Decision]) -> Result<Vec<Risk>, GatewayError> {
        let access = Access::system();
        let (mut proposed, mut why) = (Vec::new(), Vec::new());
        for link in links {
            let (Some(a), Some(b)) = (link.a.chart(), link.b.chart()) else { continue };
            let risks = self.wants_second(&access, &(a.clone(), b.clone()))?;
            if risks.is_empty() {
                continue;
            }
            match self.store().proposal(&access, &link.a, &link.b)? {
                Some(open) if same_name(&open.by, &link.by) => {
                    return Err(GatewayError::NeedsAnother { by: open.by });
                }
                Some(_) => {}
                None => {
                    proposed.push(link);
                    why.extend(risks);
                }
            }
        }
        for link in proposed {
            let note = PairNote {
                kind: NoteKind::Proposed,
                by: link.by.clone(),
                at: link.at,
                note: link.note.clone(),
            };
            self.store().note_pair((&link.a, &link.b), &note)?;
        }
        Ok(why)
    }

    fn wants_second(
        &self,
        access: &Access,
        charts: &(ChartKey, ChartKey),
    ) -> Result<Vec<Risk>, GatewayError> {
        match self.second_reviewer() {
            SecondReviewer::Never => Ok(Vec::new()),
            SecondReviewer::Risky => self.risks(access, charts),
            SecondReviewer::Always => {
                let both = [charts.0.clone(), charts.1.clone()];
                let joins = self.persons_of(access, &both)?.len() != 1;
                let mut risks = self.risks(access, charts)?;
                risks.extend(joins.then_some(Risk::Policy));
                Ok(risks)
            }
        }
    }

    /// Declines the open proposals of these pairs; returns how many there were.
    pub(super) fn decline(
        &self,
        pairs: &[(Home, Home)],
        by: &str,
        note: &str,
    ) -> Result<usize, GatewayError> {
        let mut declined = 0;
        for (a, b) in pairs {
            if self.store().proposal(&Access::system(), a, b)?.is_some() {
                self.note_pair((a, b), NoteKind::Declined, by, note)?;
                declined += 1;
            }
        }
        Ok(declined)
    }

    /// Appends to the log of a pair. Changes no view.
    ///
    /// # Errors
    /// `TooLong`, `TooManyNotes`; when the store fails.
    pub fn note_pair(
        &self,
        (a, b): (&Home, &Home),
        kind: NoteKind,
        by: &str,
        note: &str,
    ) -> Result<(), GatewayError> {
        bounded(by, note)?;
        if let NoteKind::Assigned(Some(to)) = &kind {
            bounded(to, "")?;
        }
        let notes = self.store().pair_notes(&Access::system(), a, b)?.len();
        // One that is proposed can always be declined.
        if notes >= NOTES_MAX && kind != NoteKind::Declined {
            return Err(GatewayError::TooManyNotes { most: NOTES_MAX });
        }
        let note = PairNote { kind, by: by.into(), at: self.now(), note: note.into() };
        self.store().note_pair((a, b), &note)?;
        Ok(())
    }
}

/// Refuses texts that no steward writes.
///
/// # Errors
/// `TooLong`.
pub(super) fn bounded(by: &str, note: &str) -> Result<(), GatewayError> {
    let bounds = [("the name", by, NAME_CHARS_MAX), ("the note", note, NOTE_CHARS_MAX)];
    for (what, text, most) in bounds {
        if text.chars().count() > most {
            return Err(GatewayError::TooLong { what, most });
        }
    }
    Ok(())
}

/// Whether two names are of one steward: nobody confirms oneself in capitals.
fn same_name(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}
