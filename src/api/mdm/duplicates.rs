//! `$mdm-duplicate-golden-resources`: persons who may be one.

use serde_json::Value;

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::links::{self, Link};
use super::{chart_named, golden, page_of};

/// `_count`, `_offset`: the queue, a row for two persons, the likeliest first.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    reader.settle(None)?;
    let mut found: Vec<Link> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for link in links::queued(reader)? {
        let chart = chart_named(reader, "resourceId", &link.source)?;
        let Some(target) = golden(reader, &chart)? else { continue };
        if seen.insert((link.golden.clone(), target.clone())) {
            found.push(Link { source: target, result: "POSSIBLE_DUPLICATE", ..link });
        }
    }
    let parts: Vec<Vec<Value>> =
        found.iter().map(|link| link.parts("targetGoldenResourceId")).collect();
    page_of(reader, given, "link", parts)
}
