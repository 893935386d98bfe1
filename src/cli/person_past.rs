//! `person show --as-of` and `person history`: what was shown at a time, and what changed it.

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use super::CliError;
use super::output::Output;
use super::person_text::{audited, name_of, title_of};
use crate::flow::{Access, DerivedId, Owner};
use crate::pipeline::{Gateway, PastRow, PastView};
use crate::store::{Change, ChangeKind};

/// Which changes to show.
#[derive(Args)]
pub(super) struct HistoryArgs {
    /// Id of the person, or of any resource in their view
    pub(super) id: String,
    /// Only changes from this time on: a date, or a time with its zone
    #[arg(long, value_name = "T", value_parser = parse_start)]
    since: Option<Timestamp>,
    /// At most so many, the latest
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// A time, or the end of a day.
pub(super) fn parse_end(text: &str) -> Result<Timestamp, String> {
    parse(text, |day| day.checked_add(1.day()).map(|next| (next, 1)))
}

fn parse_start(text: &str) -> Result<Timestamp, String> {
    parse(text, |day| Ok((day, 0)))
}

/// A time with its zone, or a moment of a day: so many milliseconds before the midnight that
/// `of_day` names. Days are UTC's, as the store's times are.
fn parse(
    text: &str,
    of_day: impl Fn(Date) -> Result<(Date, i64), jiff::Error>,
) -> Result<Timestamp, String> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    let of_date = |day: Date| {
        let (midnight, before) = of_day(day)?;
        let midnight = midnight.to_zoned(TimeZone::UTC)?.timestamp();
        midnight.checked_sub(before.milliseconds())
    };
    text.parse::<Date>()
        .and_then(of_date)
        .map_err(|_| "write a date (2026-03-01) or a time (2026-03-01T12:00:00Z)".to_owned())
}

/// Shows the view as it was.
pub(super) async fn show(
    gateway: &Gateway,
    (asked, person): (DerivedId, DerivedId),
    (at, as_fhir): (Timestamp, bool),
    output: &Output,
) -> Result<(), CliError> {
    audited(gateway, "person show", &[person]).await?;
    let past = gateway.view_as_of(&Access::open(), asked, Owner::Person(person), at)?;
    let past = past
        .ok_or_else(|| CliError::Failed(format!("nothing of this person was shown yet at {at}")))?;
    if as_fhir {
        let entries = past.rows.iter().map(|row| {
            let base = gateway.public_base_url();
            let url = format!("{base}/fhir/{}/{}", row.resource_type, row.id);
            Ok(json!({"fullUrl": url, "resource": resource(row)?}))
        });
        let entries = entries.collect::<Result<Vec<Value>, CliError>>()?;
        return output.json(&json!({
            "resourceType": "Bundle",
            "type": "collection",
            "timestamp": at.to_string(),
            "entry": entries,
        }));
    }
    output.line(text_of(&past, at)?.trim_end())
}

fn resource(row: &PastRow) -> Result<Value, CliError> {
    serde_json::from_slice(&row.body)
        .map_err(|e| CliError::Failed(format!("{}/{} is damaged: {e}", row.resource_type, row.id)))
}

/// All of it as text, by type: what was of use then may be of any type.
fn text_of(past: &PastView, at: Timestamp) -> Result<String, CliError> {
    let mut text = format!("as of {at}\n");
    let mut of_type = None;
    for row in &past.rows {
        let resource = resource(row)?;
        if of_type != Some(row.resource_type) {
            let same = past.rows.iter().filter(|r| r.resource_type == row.resource_type);
            text += &format!("\n{} ({})\n", row.resource_type, same.count());
            of_type = Some(row.resource_type);
        }
        let title = match row.resource_type.name() {
            "Patient" => name_of(&resource),
            _ => title_of(row.resource_type, &resource),
        };
        text += &format!("  - {title}\n    {}/{} v{}\n", row.resource_type, row.id, row.version);
    }
    if past.closed > 0 {
        text += &format!(
            "\n{} more were woven also from records that are not this person's any more; they \
             are not shown\n",
            past.closed
        );
    }
    Ok(text)
}

/// Shows what changed a view, the latest last.
pub(super) async fn history(
    gateway: &Gateway,
    (asked, person): (DerivedId, DerivedId),
    args: &HistoryArgs,
    output: &Output,
) -> Result<(), CliError> {
    audited(gateway, "person history", &[person]).await?;
    let (access, owner) = (Access::open(), Owner::Person(person));
    let mut changes = gateway.view_history(&access, asked, owner)?;
    changes.retain(|change| args.since.is_none_or(|since| change.at >= since));
    let left_out = changes.len().saturating_sub(args.limit);
    let homes = gateway.view_homes(&access, owner)?;
    let mut told = Vec::new();
    for change in &changes[left_out..] {
        let named = (change.resource_type, change.id, change.version);
        let body = gateway.version_of(&access, owner, &homes, named)?;
        let resource = body.and_then(|body| serde_json::from_slice::<Value>(&body).ok());
        told.push((change, resource, because(gateway, change)?));
    }
    if output.is_json() {
        let changes = told.iter().map(|(change, _, because)| {
            json!({
                "at": change.at.to_string(),
                "change": word(change.kind),
                "resource": format!("{}/{}", change.resource_type, change.id),
                "version": change.version,
                "because": because,
            })
        });
        return output.json(&json!({
            "changes": changes.collect::<Vec<_>>(),
            "left_out": left_out,
        }));
    }
    if left_out > 0 {
        output.line(&format!("{left_out} earlier changes are left out; --limit shows more"))?;
    }
    for (change, resource, because) in told {
        let kind = change.resource_type;
        let title = resource.map(|resource| match kind.name() {
            "Patient" => name_of(&resource),
            _ => title_of(kind, &resource),
        });
        let title = title.unwrap_or_else(|| "(not shown: no longer only this person's)".into());
        output.line(&format!("{}  {:8} {title}", change.at, word(change.kind)))?;
        output.line(&format!("    {kind}/{} v{}", change.id, change.version))?;
        if !because.is_empty() {
            output.line(&format!("    because of {}", because.join(", ")))?;
        }
    }
    Ok(())
}

/// The source records whose versions changed it.
fn because(gateway: &Gateway, change: &Change) -> Result<Vec<String>, CliError> {
    let headers = gateway.store().headers(&Access::open(), &change.because)?;
    Ok(headers.into_iter().flatten().map(|header| header.key.to_string()).collect())
}

fn word(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::Created => "came",
        ChangeKind::Updated => "changed",
        ChangeKind::Removed => "went",
        ChangeKind::Arrived => "joined",
        ChangeKind::Left => "left",
    }
}
