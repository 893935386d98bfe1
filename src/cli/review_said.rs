//! What stewards said about a pair, and why a link may be wrong, as text and JSON.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::review_text::plain;
use crate::flow::{NoteKind, PairNote, Priority};
use crate::pipeline::{LogEntry, LogEvent, PairState, Risk};

/// Why a link may be wrong, in words.
pub(super) fn risk_text(risk: &Risk) -> String {
    match risk {
        Risk::SeveralCharts(a, b) => {
            format!("both persons have several charts: {a} and {b} would be one")
        }
        Risk::Contradiction { a, b, sentence, .. } => format!("{a} and {b}: {sentence}"),
        Risk::Policy => "this site wants two stewards for every link".to_owned(),
    }
}

/// The same for programs.
pub(super) fn risk_json(risk: &Risk) -> Value {
    let text = risk_text(risk);
    match risk {
        Risk::SeveralCharts(a, b) => {
            json!({"risk": "several-charts", "charts": [a, b], "text": text})
        }
        Risk::Contradiction { a, b, name, .. } => {
            json!({"risk": name, "charts": [a.to_string(), b.to_string()], "text": text})
        }
        Risk::Policy => json!({"risk": "policy", "text": text}),
    }
}

/// What stewards said about a pair of the queue, on its line.
pub(super) fn state_text(state: &PairState) -> String {
    let mut text = String::new();
    if state.priority != Priority::Normal {
        let _ = write!(text, ", {} priority", state.priority.word());
    }
    if let Some(assignee) = &state.assignee {
        let _ = write!(text, ", for {}", plain(assignee));
    }
    if !state.not_sure.is_empty() {
        let _ = write!(text, ", not sure: {}", plain(&state.not_sure.join(", ")));
    }
    if let Some(proposal) = &state.proposal {
        let _ = write!(text, ", link proposed by {}", plain(&proposal.by));
    }
    text
}

/// One thing that a steward did, on a line.
pub(super) fn log_line(entry: &LogEntry, pair: &str) -> String {
    let what = match &entry.event {
        LogEvent::Decided(word, true) => format!("{word} (stands)"),
        LogEvent::Decided(word, false) => (*word).to_owned(),
        LogEvent::Undone(word) => format!("{word} taken back"),
        LogEvent::Noted(words) => words.to_string(),
    };
    let note = if entry.note.is_empty() { String::new() } else { format!(": {}", entry.note) };
    plain(&format!(
        "{}  {pair}  {} and {}  {what} by {}{note}",
        entry.at, entry.a, entry.b, entry.by
    ))
}

/// The same as JSON.
pub(super) fn log_json(entry: &LogEntry, pair: &str) -> Value {
    let (event, stands) = match &entry.event {
        LogEvent::Decided(word, stands) => ((*word).to_owned(), Some(stands)),
        LogEvent::Undone(word) => (format!("undo {word}"), None),
        LogEvent::Noted(words) => (words.to_string(), None),
    };
    json!({
        "at": entry.at.to_string(), "pair": pair,
        "charts": [entry.a.to_string(), entry.b.to_string()],
        "event": event, "stands": stands, "by": entry.by, "note": entry.note,
    })
}

pub(super) fn note_json(note: &PairNote) -> Value {
    let (kind, value) = match &note.kind {
        NoteKind::Assigned(to) => ("assigned", to.as_deref()),
        NoteKind::Priority(priority) => ("priority", Some(priority.word())),
        NoteKind::NotSure => ("not-sure", None),
        NoteKind::Remark => ("note", None),
        NoteKind::Proposed => ("proposed", None),
        NoteKind::Declined => ("declined", None),
    };
    json!({"kind": kind, "value": value, "by": note.by, "at": note.at.to_string(),
           "note": note.note})
}
