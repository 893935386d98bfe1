//! Links as the `$mdm-*` operations tell them.

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::reader::Reader;
use super::{charts_of, golden, source};
use crate::flow::{ChartKey, Home, Verdict};

/// One link between a person and a chart.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Link {
    pub(super) golden: String,
    pub(super) source: String,
    pub(super) result: &'static str,
    pub(super) by: &'static str,
    pub(super) score: Option<f64>,
}

impl Link {
    /// Its parts.
    pub(super) fn parts(&self, source_name: &str) -> Vec<Value> {
        let mut parts = vec![
            json!({"name": "goldenResourceId", "valueString": self.golden}),
            json!({"name": source_name, "valueString": self.source}),
            json!({"name": "matchResult", "valueString": self.result}),
            json!({"name": "linkSource", "valueString": self.by}),
        ];
        let score = self.score.filter(|score| score.is_finite());
        parts.extend(score.map(|score| json!({"name": "score", "valueDecimal": score})));
        parts
    }
}

/// The links of a chart: to its own person, to those it may belong to, and to those that
/// stewards decided it does not.
pub(super) fn of_chart(reader: &Reader<'_>, chart: &ChartKey) -> Result<Vec<Link>, ApiError> {
    let (access, store) = (reader.access, reader.store());
    let home = Home::Chart(chart.clone());
    let siblings = charts_of(reader, chart)?;
    let with = |other: &Home| other.chart().is_some_and(|other| siblings.contains(other));
    let edges = store.link(access, &home)?.map(|link| link.edges).unwrap_or_default();
    let decisions = store.decisions(access, &home)?;
    let other = |a: &Home, b: &Home| if *a == home { b.clone() } else { a.clone() };
    let own = source(reader, chart);
    let mut links: Vec<Link> = Vec::new();
    let mut add = |link: Link| {
        if !links.contains(&link) {
            links.push(link);
        }
    };
    if let Some(golden) = golden(reader, chart)? {
        let inside = edges.iter().filter(|edge| with(&edge.other));
        let score = inside.map(|edge| edge.comparison.probability).reduce(f64::max);
        let manual =
            decisions.iter().any(|d| d.verdict == Verdict::Link && with(&other(&d.a, &d.b)));
        let by = if manual { "MANUAL" } else { "AUTO" };
        add(Link { golden, source: own.clone(), result: "MATCH", by, score });
    }
    for edge in edges.iter().filter(|edge| !with(&edge.other)) {
        let decided = decisions.iter().any(|d| other(&d.a, &d.b) == edge.other);
        let Some(chart) = edge.other.chart().filter(|_| !decided) else { continue };
        let Some(golden) = golden(reader, chart)? else { continue };
        let score = Some(edge.comparison.probability);
        add(Link { golden, source: own.clone(), result: "POSSIBLE_MATCH", by: "AUTO", score });
    }
    for decision in decisions.iter().filter(|d| d.verdict == Verdict::NoMatch) {
        let other = other(&decision.a, &decision.b);
        let Some(golden) = other.chart().map(|chart| golden(reader, chart)).transpose()?.flatten()
        else {
            continue;
        };
        add(Link { golden, source: own.clone(), result: "NO_MATCH", by: "MANUAL", score: None });
    }
    Ok(links)
}

/// Queued pairs of two persons, the likeliest first: as many as one request looks at.
pub(super) fn queued(reader: &Reader<'_>) -> Result<Vec<Link>, ApiError> {
    let pairs = reader.store().reviews(reader.access, None, reader.options.candidates_max)?;
    let mut links: Vec<Link> = Vec::with_capacity(pairs.len());
    for pair in pairs {
        let (Some(a), Some(b)) = (pair.a.chart(), pair.b.chart()) else { continue };
        let (Some(golden), Some(_)) = (golden(reader, a)?, golden(reader, b)?) else { continue };
        let score = 1.0 / (1.0 + (-pair.weight_bits).exp2());
        links.push(Link {
            golden,
            source: source(reader, b),
            result: "POSSIBLE_MATCH",
            by: "AUTO",
            score: Some(score),
        });
    }
    Ok(links)
}
