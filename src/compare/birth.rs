//! Birth dates and other dates of which parts may be unknown.
//! <https://hl7.org/fhir/R4/datatypes.html#date>

use jiff::civil::Date;

use crate::flow::PartialDate;

/// Days that systems write when they do not know.
const PLACEHOLDERS: [(i16, u8, u8); 8] = [
    (1900, 1, 1),
    (1901, 1, 1),
    (1899, 12, 30),
    (1899, 12, 31),
    (1800, 1, 1),
    (1753, 1, 1),
    (1911, 11, 11),
    (1888, 8, 8),
];

/// Reads `1970`, `1970-05` or `1970-05-06` (also the day of a dateTime); `None` for what is no
/// possible date of a living memory, and for placeholders.
pub fn partial_date(text: &str) -> Option<PartialDate> {
    let text = text.trim();
    let day_text = text.split_once('T').map_or(text, |(day, _)| day);
    let mut parts = day_text.splitn(3, '-');
    let year = number(parts.next()?, 4)?;
    let month = parts.next().map(|p| number(p, 2));
    let day = parts.next().map(|p| number(p, 2));
    let date = PartialDate { year, month: optional(month)?, day: optional(day)? };
    is_possible(date).then_some(date)
}

fn optional(part: Option<Option<i16>>) -> Option<u8> {
    match part {
        None => Some(0),
        Some(None | Some(0)) => None,
        Some(Some(value)) => u8::try_from(value).ok(),
    }
}

fn is_possible(date: PartialDate) -> bool {
    let in_memory = (1850..=2150).contains(&date.year);
    let month = if date.month == 0 { 1 } else { date.month };
    let day = if date.day == 0 { 1 } else { date.day };
    let exists = i8::try_from(month)
        .ok()
        .zip(i8::try_from(day).ok())
        .is_some_and(|(month, day)| Date::new(date.year, month, day).is_ok());
    // A lone 1900 is as much a default as its first day.
    let placeholder = PLACEHOLDERS.contains(&(date.year, date.month, date.day))
        || (date.year == 1900 && date.month == 0);
    in_memory && exists && !placeholder
}

fn number(text: &str, len: usize) -> Option<i16> {
    let digits = text.len() == len && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_precise_as_stated() {
        let read = |t| partial_date(t).map(|d| (d.year, d.month, d.day));
        assert_eq!(read("1970-05-06"), Some((1970, 5, 6)));
        assert_eq!(read("1970-05"), Some((1970, 5, 0)));
        assert_eq!(read("1970"), Some((1970, 0, 0)));
        assert_eq!(read("1970-05-06T10:00:00Z"), Some((1970, 5, 6)));
    }

    #[test]
    fn placeholders_and_impossible_dates_are_none() {
        for text in
            ["1900-01-01", "1900", "2023-02-30", "0001-01-01", "9999-12-31", "", "x", "1970-00-10"]
        {
            assert_eq!(partial_date(text), None, "{text}");
        }
    }
}
