//! Whether the records of a chart show its patient alive after somebody's death.

use crate::flow::{Access, Comparison, Demographics, Home, MatchGrade, PartialDate, State};
use crate::identity::{Model, compare_homes};
use crate::store::{Store, StoreError};

/// Encounters that took place. One that was planned or cancelled shows nobody.
const TOOK_PLACE: [&str; 5] = ["arrived", "triaged", "in-progress", "onleave", "finished"];

/// Compares two charts. Only where one of them has died and all else agrees are the other's
/// encounters looked for.
///
/// # Errors
/// When the store fails.
pub(super) fn compare_charts(
    store: &dyn Store,
    access: &Access,
    (a, of_a): (&Home, &Demographics),
    (b, of_b): (&Home, &Demographics),
    model: &Model,
) -> Result<Comparison, StoreError> {
    let compared = compare_homes((a, of_a), (b, of_b), model);
    let neither_died = of_a.deceased_date.is_none() && of_b.deceased_date.is_none();
    if neither_died || compared.grade < MatchGrade::Probable {
        return Ok(compared);
    }
    let with_day = |home: &Home, of: &Demographics, other: &Demographics| {
        let wanted = other.deceased_date.is_some();
        let last_seen = if wanted { last_encounter(store, access, home)? } else { None };
        Ok::<_, StoreError>(Demographics { last_seen, ..of.clone() })
    };
    let (seen_a, seen_b) = (with_day(a, of_a, of_b)?, with_day(b, of_b, of_a)?);
    Ok(compare_homes((a, &seen_a), (b, &seen_b), model))
}

/// The first day of the last encounter that took place.
fn last_encounter(
    store: &dyn Store,
    access: &Access,
    home: &Home,
) -> Result<Option<PartialDate>, StoreError> {
    let content = store.home(access, home)?;
    let current = content.records.iter().filter(|record| {
        let header = &record.header;
        header.key.resource_type.name() == "Encounter"
            && header.home() == home
            && header.current().state == State::Live
    });
    let begun = current.filter_map(|record| {
        let facts = &record.contents.get(&record.header.current().hash)?.facts;
        let took_place = facts.status.as_ref().is_some_and(|s| TOOK_PLACE.contains(&&**s));
        facts.when.as_ref().filter(|_| took_place)?.low
    });
    Ok(begun.max().map(|day| PartialDate {
        year: day.year(),
        month: day.month().unsigned_abs(),
        day: day.day().unsigned_abs(),
    }))
}
