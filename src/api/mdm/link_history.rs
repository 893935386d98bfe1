//! `$mdm-link-history`: what stewards decided about a person or a chart: who, when and why.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::{chart_named, charts_of, golden, page_of, source};
use crate::flow::ChartKey;
use crate::pipeline::{LogEntry, LogEvent};

/// `goldenResourceId`, `resourceId`, each once or several times.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    reader.settle(None)?;
    let mut charts: BTreeSet<ChartKey> = BTreeSet::new();
    for text in given.texts("goldenResourceId")? {
        let chart = chart_named(reader, "goldenResourceId", text)?;
        charts.extend(charts_of(reader, &chart)?);
    }
    for text in given.texts("resourceId")? {
        charts.insert(chart_named(reader, "resourceId", text)?);
    }
    if charts.is_empty() {
        return Err(ApiError::Missing { name: "goldenResourceId or resourceId" });
    }
    let charts: Vec<ChartKey> = charts.into_iter().collect();
    let log = reader.gateway.steward_log(reader.access, &charts)?;
    let mut told = Vec::new();
    for entry in log.entries.iter().rev() {
        told.extend(parts(reader, entry)?);
    }
    page_of(reader, given, "historical link", told)
}

fn parts(reader: &Reader<'_>, entry: &LogEntry) -> Result<Option<Vec<Value>>, ApiError> {
    let (Some(a), Some(b)) = (entry.a.chart(), entry.b.chart()) else { return Ok(None) };
    let (result, event) = match &entry.event {
        LogEvent::Decided("link", _) => (Some("MATCH"), "link".to_owned()),
        LogEvent::Decided(word, _) => (Some("NO_MATCH"), (*word).to_owned()),
        LogEvent::Undone(word) => (None, format!("undo {word}")),
        LogEvent::Noted(words) => (None, words.to_string()),
    };
    let text = |name: &str, value: &str| json!({"name": name, "valueString": value});
    let mut parts = vec![
        text("goldenResourceId", &golden(reader, a)?.unwrap_or_else(|| source(reader, a))),
        json!({"name": "revisionTimestamp", "valueDateTime": entry.at.to_string()}),
        text("targetResourceId", &source(reader, b)),
    ];
    parts.extend(result.map(|result| text("matchResult", result)));
    parts.extend([text("linkSource", "MANUAL"), text("event", &event), text("by", &entry.by)]);
    parts.extend((!entry.note.is_empty()).then(|| text("note", &entry.note)));
    Ok(Some(parts))
}
