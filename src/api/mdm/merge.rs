//! `$mdm-merge-golden-resources`: a steward says that two persons are one.

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::{chart, charts_of, decide};
use crate::flow::Verdict;

/// `fromGoldenResourceId`, `toGoldenResourceId`; of our own: `note`, `dryRun`. Answers with the
/// one person. Whose id stays follows from who was known first, as after any link: the other id
/// goes on answering.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let from = chart(reader, given, "fromGoldenResourceId")?;
    let to = chart(reader, given, "toGoldenResourceId")?;
    if charts_of(reader, &to)?.contains(&from) {
        let expected = "two persons; these are one";
        return Err(ApiError::BadValue { name: "toGoldenResourceId".to_owned(), expected });
    }
    decide(reader, given, Verdict::Link, &[(from, to.clone())], &to)
}
