//! `$mdm-create-link`: a steward says that a chart is a person, or is not.

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::{chart, charts_of, decide};
use crate::flow::{ChartKey, Verdict};

/// `goldenResourceId`, `resourceId`, `matchResult` (`MATCH`, which it is if not said, or
/// `NO_MATCH`); of our own: `note`, `dryRun`. Answers with the person as they are now.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    verdict(reader, given, given.text("matchResult")?.unwrap_or("MATCH"))
}

/// The same with the verdict in HAPI's word.
pub(super) fn verdict(
    reader: &mut Reader<'_>,
    given: &Given,
    result: &str,
) -> Result<Answer, ApiError> {
    let golden = chart(reader, given, "goldenResourceId")?;
    let source = chart(reader, given, "resourceId")?;
    let (verdict, pairs) = match result {
        "MATCH" => (Verdict::Link, vec![(golden.clone(), source.clone())]),
        "NO_MATCH" => {
            // No match of the person: of none of their charts.
            let others = charts_of(reader, &golden)?.into_iter().filter(|c| *c != source);
            let pairs: Vec<(ChartKey, ChartKey)> = others.map(|c| (source.clone(), c)).collect();
            (Verdict::NoMatch, pairs)
        }
        _ => {
            let (name, expected) = ("matchResult".to_owned(), "MATCH or NO_MATCH");
            return Err(ApiError::BadValue { name, expected });
        }
    };
    let same = verdict == Verdict::Link && golden == source;
    if same || pairs.is_empty() {
        let expected = "a chart other than the one that stands for the person";
        return Err(ApiError::BadValue { name: "resourceId".to_owned(), expected });
    }
    decide(reader, given, verdict, &pairs, &golden)
}
