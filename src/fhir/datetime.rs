//! R4 date, dateTime and instant as intervals.
//! <https://hl7.org/fhir/R4/datatypes.html#dateTime>, <https://hl7.org/fhir/R4/search.html#date>

use jiff::Timestamp;
use jiff::civil::Date;

/// A date, dateTime or instant as the interval it covers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment {
    /// First instant; a value without zone is read as UTC.
    pub from: Timestamp,
    /// First instant after it.
    pub until: Timestamp,
    /// First day, in the zone it was stated in.
    pub first_day: Date,
    /// Last day, in the zone it was stated in.
    pub last_day: Date,
}

/// Reads `2024`, `2024-05`, `2024-05-06`, `2024-05-06T07:08[:09[.123]][Z|±hh:mm]`; `None` for
/// what is no date, also impossible ones (30 February).
pub fn parse_moment(_text: &str) -> Option<Moment> {
    unimplemented!()
}
