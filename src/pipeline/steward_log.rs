//! What stewards did about the charts of a person: every decision, undo and note.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::flow::{Access, ChartKey, Home, NoteKind};

use super::gateway::{Gateway, GatewayError};

/// Most partners of a chart that are looked at.
const PARTNERS_MAX: usize = 1_000;

/// One thing that a steward did.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct LogEntry {
    /// When.
    pub at: Timestamp,
    /// One home of the pair; the smaller.
    pub a: Home,
    /// The other.
    pub b: Home,
    /// What.
    pub event: LogEvent,
    /// Who.
    pub by: Box<str>,
    /// Why.
    pub note: Box<str>,
}

/// What a steward did about a pair.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LogEvent {
    /// Decided; whether it stands.
    Decided(&'static str, bool),
    /// Took a decision back.
    Undone(&'static str),
    /// Anything else, in words.
    Noted(Box<str>),
}

/// The log of some charts.
#[derive(Clone, Debug, Default)]
pub struct StewardLog {
    /// Oldest first.
    pub entries: Vec<LogEntry>,
    /// Some chart has more partners than are looked at.
    pub cut: bool,
}

impl Gateway {
    /// What stewards did about pairs with one of these charts.
    ///
    /// # Errors
    /// When the store fails.
    pub fn steward_log(
        &self,
        access: &Access,
        charts: &[ChartKey],
    ) -> Result<StewardLog, GatewayError> {
        let mut log = StewardLog::default();
        let mut pairs: BTreeSet<(Home, Home)> = BTreeSet::new();
        for chart in charts {
            let home = Home::Chart(chart.clone());
            let partners = self.store().partners(access, &home, PARTNERS_MAX + 1)?;
            log.cut |= partners.len() > PARTNERS_MAX;
            for other in partners.into_iter().take(PARTNERS_MAX) {
                pairs.insert(if home <= other {
                    (home.clone(), other)
                } else {
                    (other, home.clone())
                });
            }
        }
        for pair in &pairs {
            log.entries.extend(self.pair_log(access, pair)?);
        }
        log.entries.sort();
        Ok(log)
    }

    /// What stewards did about one pair.
    ///
    /// # Errors
    /// When the store fails.
    pub fn pair_log(
        &self,
        access: &Access,
        (a, b): &(Home, Home),
    ) -> Result<Vec<LogEntry>, GatewayError> {
        let entry = |at, event, by: &str, note: &str| LogEntry {
            at,
            a: a.clone(),
            b: b.clone(),
            event,
            by: by.into(),
            note: note.into(),
        };
        let mut entries = Vec::new();
        let past = self.store().past_decisions(access, a, b)?;
        let standing = past.iter().rposition(|past| past.undone.is_none());
        for (number, past) in past.into_iter().enumerate() {
            let word = past.decision.verdict.word();
            let event = LogEvent::Decided(word, standing == Some(number));
            let decision = past.decision;
            entries.push(entry(decision.at, event, &decision.by, &decision.note));
            if let Some(undo) = past.undone {
                entries.push(entry(undo.at, LogEvent::Undone(word), &undo.by, &undo.note));
            }
        }
        for note in self.store().pair_notes(access, a, b)? {
            let event = LogEvent::Noted(note_words(&note.kind));
            entries.push(entry(note.at, event, &note.by, &note.note));
        }
        entries.sort();
        Ok(entries)
    }
}

fn note_words(kind: &NoteKind) -> Box<str> {
    match kind {
        NoteKind::Assigned(Some(to)) => format!("assigned to {to}").into(),
        NoteKind::Assigned(None) => "assigned to nobody".into(),
        NoteKind::Priority(priority) => format!("priority {}", priority.word()).into(),
        NoteKind::NotSure => "not sure".into(),
        NoteKind::Remark => "note".into(),
        NoteKind::Proposed => "link proposed".into(),
        NoteKind::Declined => "proposal declined".into(),
    }
}
