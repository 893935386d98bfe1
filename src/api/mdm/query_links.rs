//! `$mdm-query-links`: which charts are, may be and are not which persons.

use serde_json::Value;

use super::super::error::ApiError;
use super::super::parameters::Given;
use super::super::reader::Reader;
use super::super::respond::Answer;
use super::{chart, charts_of, links, page_of};

/// By `goldenResourceId`, `resourceId`, `matchResult`, `linkSource`; what may match also without
/// either id.
pub(super) fn run(reader: &mut Reader<'_>, given: &Given) -> Result<Answer, ApiError> {
    let result = one_of(given, "matchResult", &["MATCH", "POSSIBLE_MATCH", "NO_MATCH"])?;
    let by = one_of(given, "linkSource", &["AUTO", "MANUAL"])?;
    reader.settle(None)?;
    let golden = given.value("goldenResourceId").map(|_| chart(reader, given, "goldenResourceId"));
    let source = given.value("resourceId").map(|_| chart(reader, given, "resourceId"));
    let (golden, source) = (golden.transpose()?, source.transpose()?);
    let mut found = Vec::new();
    match (&golden, &source) {
        (_, Some(source)) => found.extend(links::of_chart(reader, source)?),
        (Some(golden), None) => {
            for chart in charts_of(reader, golden)? {
                found.extend(links::of_chart(reader, &chart)?);
            }
        }
        (None, None) if result == Some("POSSIBLE_MATCH") => found.extend(links::queued(reader)?),
        (None, None) => {
            let add = "goldenResourceId, resourceId, or matchResult=POSSIBLE_MATCH".to_owned();
            return Err(ApiError::TooCostly { add });
        }
    }
    if let (Some(golden), Some(_)) = (&golden, &source) {
        let named = super::golden(reader, golden)?;
        found.retain(|link| Some(&link.golden) == named.as_ref());
    }
    found.retain(|link| result.is_none_or(|r| link.result == r) && by.is_none_or(|b| link.by == b));
    let parts: Vec<Vec<Value>> = found.iter().map(|link| link.parts("sourceResourceId")).collect();
    page_of(reader, given, "link", parts)
}

/// A parameter that has one of these values.
fn one_of<'g>(
    given: &'g Given,
    name: &str,
    known: &[&'static str],
) -> Result<Option<&'g str>, ApiError> {
    match given.text(name)? {
        Some(text) if !known.contains(&text) => {
            let expected = "one of the values that the operation defines, in capitals";
            Err(ApiError::BadValue { name: name.to_owned(), expected })
        }
        text => Ok(text),
    }
}
