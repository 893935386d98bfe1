//! `$mdm-not-duplicate`: a steward says that two persons are two.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::error::ApiError;
use super::super::parameters::{Given, parameters};
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::{chart, charts_of, decide};
use crate::flow::{ChartKey, Home, Verdict};

/// `goldenResourceId`, `targetGoldenResourceId`; of our own: `note`. Decided is about the two
/// shown Patients and about every pair of their charts that may match.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let golden = chart(reader, given, "goldenResourceId")?;
    let target = chart(reader, given, "targetGoldenResourceId")?;
    let (left, right) = (charts_of(reader, &golden)?, charts_of(reader, &target)?);
    if left.contains(&target) {
        let expected = "two persons; these are one: use $mdm-update-link to part a chart";
        return Err(ApiError::BadValue { name: "targetGoldenResourceId".to_owned(), expected });
    }
    let mut pairs: BTreeSet<(ChartKey, ChartKey)> = BTreeSet::new();
    pairs.insert((golden.clone(), target));
    for chart in &left {
        let home = Home::Chart(chart.clone());
        let edges = reader.store().link(reader.access, &home)?.map(|link| link.edges);
        for edge in edges.unwrap_or_default() {
            let other = edge.other.chart().filter(|other| right.contains(other));
            pairs.extend(other.map(|other| (chart.clone(), other.clone())));
        }
    }
    let pairs: Vec<(ChartKey, ChartKey)> = pairs.into_iter().collect();
    decide(reader, given, Verdict::NoMatch, &pairs, &golden)?;
    Ok(parameters(vec![json!({"name": "success", "valueBoolean": true})]))
}
