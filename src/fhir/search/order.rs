//! `_sort`: the place of a resource in a sorted answer, as bytes that order.
//! <https://hl7.org/fhir/R4/search.html#sort>

use jiff::Timestamp;

use super::{Indexed, ParameterKind, SearchTable, SearchValue};
use crate::fhir::ResourceType;

/// The most keys a search may sort by.
pub const SORT_KEYS_MAX: usize = 8;
/// How many bytes of a text decide: what agrees so far goes by the next key.
const TEXT_MAX: usize = 96;

/// One key of `_sort`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    by: SortedBy,
    descending: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum SortedBy {
    Id,
    LastUpdated,
    Param(u16),
}

impl SortKey {
    /// Reads one key, `name` or `-name`; `None` for what no resource of the type is sorted by.
    pub fn parse(table: &SearchTable, of: ResourceType, text: &str) -> Option<Self> {
        let (name, descending) = match text.strip_prefix('-') {
            Some(name) => (name, true),
            None => (text, false),
        };
        let by = match name {
            "_id" => SortedBy::Id,
            "_lastUpdated" => SortedBy::LastUpdated,
            _ => {
                let mut parameters = (0..=u16::MAX).zip(table.parameters(of));
                let (param, found) = parameters.find(|(_, p)| *p.name == *name)?;
                if found.kind == ParameterKind::Composite {
                    return None;
                }
                SortedBy::Param(param)
            }
        };
        Some(Self { by, descending })
    }

    /// The parameter whose values it looks at.
    pub fn param(&self) -> Option<u16> {
        match self.by {
            SortedBy::Param(param) => Some(param),
            SortedBy::Id | SortedBy::LastUpdated => None,
        }
    }

    /// Appends the place that this key gives. Of several values the first one counts, in the
    /// direction of the sort; what has none goes last in both directions.
    pub fn place(
        &self,
        id: &str,
        last_updated: Timestamp,
        values: &[SearchValue],
        into: &mut Vec<u8>,
    ) {
        let place = match self.by {
            SortedBy::Id => Some(text(id)),
            SortedBy::LastUpdated => Some(instant(last_updated)),
            SortedBy::Param(param) => {
                let own = values.iter().filter(|value| value.param == param);
                let places = own.filter_map(|value| of_value(&value.value));
                if self.descending { places.max() } else { places.min() }
            }
        };
        let Some(place) = place else { return into.push(1) };
        into.push(0);
        if self.descending {
            into.extend(place.iter().map(|byte| !byte));
        } else {
            into.extend(place);
        }
    }
}

fn of_value(value: &Indexed) -> Option<Vec<u8>> {
    Some(match value {
        Indexed::Token { code, .. } => text(&super::fold(code)),
        Indexed::Text { folded, .. } => text(folded),
        Indexed::Date { from, until } => {
            instant(if *from == Timestamp::MIN { *until } else { *from })
        }
        Indexed::Reference(to) | Indexed::Uri(to) => text(to),
        Indexed::Quantity { value, .. } | Indexed::Number(value) => number(value.parse().ok()?),
        Indexed::Identified { .. } | Indexed::Typed { .. } | Indexed::Composite(_) => return None,
    })
}

/// Ends below anything that goes on: `ab` before `abc`.
fn text(text: &str) -> Vec<u8> {
    let cut = (0..=text.len().min(TEXT_MAX)).rev().find(|at| text.is_char_boundary(*at));
    // No text holds the bytes 0 and 1: white space is folded, controls are no FHIR.
    let kept = text[..cut.unwrap_or(0)].bytes().filter(|byte| *byte > 1);
    kept.chain([1]).collect()
}

fn instant(at: Timestamp) -> Vec<u8> {
    let nanoseconds = at.as_nanosecond().wrapping_sub(i128::MIN) as u128;
    nanoseconds.to_be_bytes().to_vec()
}

fn number(number: f64) -> Vec<u8> {
    let bits = number.to_bits();
    let ordered = if number.is_sign_negative() { !bits } else { bits | 1 << 63 };
    ordered.to_be_bytes().to_vec()
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sorted(of: &'static str, by: &[&str], bodies: &[Value]) -> Vec<usize> {
        let (table, of) = (SearchTable::embedded(), ResourceType::of(of));
        let keys: Vec<SortKey> =
            by.iter().map(|key| SortKey::parse(table, of, key).unwrap()).collect();
        let mut places: Vec<(Vec<u8>, usize)> = bodies
            .iter()
            .enumerate()
            .map(|(at, body)| {
                let (values, mut place) = (table.extract(of, body), Vec::new());
                let updated = Timestamp::from_second(100 - at as i64).unwrap();
                keys.iter().for_each(|k| k.place(&at.to_string(), updated, &values, &mut place));
                (place, at)
            })
            .collect();
        places.sort();
        places.into_iter().map(|(_, at)| at).collect()
    }

    #[test]
    fn every_kind_orders_in_both_directions_and_what_has_no_value_is_last() {
        let by_name = [
            json!({"name": [{"family": "Åberg", "given": ["Bo"]}], "birthDate": "1970"}),
            json!({"name": [{"family": "Zorn"}]}),
            json!({"name": [{"family": "aberg", "given": ["Al"]}], "birthDate": "1950-02"}),
            json!({}),
            json!({"name": [{"family": "Abergson"}], "birthDate": "1960-01-01"}),
        ];
        assert_eq!(sorted("Patient", &["family", "given"], &by_name), [2, 0, 4, 1, 3]);
        assert_eq!(sorted("Patient", &["-family", "-birthdate"], &by_name), [1, 4, 0, 2, 3]);
        assert_eq!(sorted("Patient", &["birthdate", "-_id"], &by_name), [2, 4, 0, 3, 1]);
        assert_eq!(sorted("Patient", &["_lastUpdated"], &by_name), [4, 3, 2, 1, 0]);
        let amount = |n: f64| json!({"valueQuantity": {"value": n, "unit": "kg"}});
        let amounts = [amount(10.0), amount(9.5), amount(-3.0), amount(-20.0), amount(0.0)];
        assert_eq!(sorted("Observation", &["value-quantity"], &amounts), [3, 2, 4, 1, 0]);
        assert_eq!(sorted("Observation", &["-value-quantity"], &amounts), [0, 1, 4, 2, 3]);
    }

    #[test]
    fn what_nothing_is_sorted_by_is_none() {
        let (table, of) = (SearchTable::embedded(), ResourceType::of("Observation"));
        for key in ["nonsense", "", "-", "--date", "code-value-quantity", "date:x", "subject.name"]
        {
            assert_eq!(SortKey::parse(table, of, key), None, "{key}");
        }
    }
}
