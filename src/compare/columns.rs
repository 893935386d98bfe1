//! A table's rows as demographics, by the names of its columns.

use super::address::address_of;
use super::birth::partial_date;
use super::contact;
use super::demographics::identifier_value;
use super::name::name_of_parts;
use crate::flow::{Demographics, Identifier};

/// The system given to numbers that a table calls national, when they are no US SSNs.
const NATIONAL_SYSTEM: &str = "urn:careweave:national-number";
/// The system given to the last four digits of an SSN.
const LAST_FOUR_SYSTEM: &str = "urn:careweave:ssn-last-four";
const SSN_SYSTEM: &str = "http://hl7.org/fhir/sid/us-ssn";

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Column {
    /// The record's id.
    Id,
    /// Who keeps the record; record numbers are this source's.
    Source,
    /// Record number.
    Mrn,
    /// First given name, or all of them.
    Given,
    /// Middle name.
    Middle,
    /// Family name.
    Family,
    /// Another family name, such as the maiden one.
    FormerFamily,
    /// Suffix: Jr, Sr, II …
    Suffix,
    /// Administrative gender.
    Gender,
    /// Birth date.
    Birth,
    /// House number.
    Number,
    /// A line of the address.
    Line,
    /// City.
    City,
    /// State.
    State,
    /// Postcode.
    Postcode,
    /// Phone.
    Phone,
    /// E-mail.
    Email,
    /// US SSN, or another number one has for life.
    Ssn,
    /// Last four digits of the SSN.
    LastFour,
    /// A number of a scheme that cannot be checked.
    National,
}

/// Column names that are known without a mapping.
const KNOWN: [(&str, Column); 45] = [
    ("id", Column::Id),
    ("rec_id", Column::Id),
    ("unique_id", Column::Id),
    ("record_id", Column::Id),
    ("source", Column::Source),
    ("mrn", Column::Mrn),
    ("given", Column::Given),
    ("given_name", Column::Given),
    ("first", Column::Given),
    ("first_name", Column::Given),
    ("middle", Column::Middle),
    ("middle_name", Column::Middle),
    ("family", Column::Family),
    ("family_name", Column::Family),
    ("surname", Column::Family),
    ("last", Column::Family),
    ("last_name", Column::Family),
    ("maiden", Column::FormerFamily),
    ("suffix", Column::Suffix),
    ("sex", Column::Gender),
    ("gender", Column::Gender),
    ("dob", Column::Birth),
    ("date_of_birth", Column::Birth),
    ("birth_date", Column::Birth),
    ("birthdate", Column::Birth),
    ("street_number", Column::Number),
    ("line", Column::Line),
    ("address", Column::Line),
    ("address_1", Column::Line),
    ("address_2", Column::Line),
    ("street", Column::Line),
    ("city", Column::City),
    ("suburb", Column::City),
    ("state", Column::State),
    ("zip", Column::Postcode),
    ("zip_code", Column::Postcode),
    ("postcode", Column::Postcode),
    ("postal_code", Column::Postcode),
    ("phone", Column::Phone),
    ("telephone", Column::Phone),
    ("email", Column::Email),
    ("ssn", Column::Ssn),
    ("ssn4", Column::LastFour),
    ("ssn_last4", Column::LastFour),
    ("soc_sec_id", Column::National),
];

/// Where a table has what.
#[derive(Clone, Debug)]
pub struct Columns {
    places: Vec<(Column, usize)>,
}

impl Columns {
    /// Finds the columns of a header; `renamed` maps known names to the header's (`given` →
    /// `first_name`).
    ///
    /// # Errors
    /// When a mapping names a column that is not there, or nothing comparable is found.
    pub fn of(header: &[&str], renamed: &[(String, String)]) -> Result<Self, String> {
        let kind = |name: &str| KNOWN.iter().find(|(known, _)| *known == name).map(|(_, c)| *c);
        let folded: Vec<String> = header.iter().map(|name| column_name(name)).collect();
        let mut places = Vec::new();
        for (known, theirs) in renamed {
            let column = kind(&column_name(known)).ok_or_else(|| {
                let names: Vec<&str> = KNOWN.iter().map(|(name, _)| *name).collect();
                format!("unknown column {known:?}; known: {}", names.join(", "))
            })?;
            let theirs = column_name(theirs);
            let at = folded.iter().position(|name| *name == theirs);
            let at = at.ok_or_else(|| format!("the file has no column {theirs:?}"))?;
            places.push((column, at));
        }
        let mapped: Vec<Column> = places.iter().map(|(column, _)| *column).collect();
        for (at, name) in folded.iter().enumerate() {
            let taken = places.iter().any(|(_, place)| *place == at);
            if let Some(column) = kind(name).filter(|c| !taken && !mapped.contains(c)) {
                places.push((column, at));
            }
        }
        let comparable = |column: &Column| !matches!(column, Column::Id | Column::Source);
        if !places.iter().any(|(column, _)| comparable(column)) {
            return Err("no column is known; name them with --columns given=…,family=…".into());
        }
        Ok(Self { places })
    }

    /// Where a column is; the first of several.
    pub fn place(&self, column: Column) -> Option<usize> {
        self.places.iter().find(|(known, _)| *known == column).map(|(_, at)| *at)
    }

    /// Reads a row. What is missing, unreadable or a placeholder is left out.
    pub fn demographics(&self, row: &[&str]) -> Demographics {
        let cell = |column| self.cells(column, row).next().unwrap_or_default();
        let given: Vec<&str> =
            self.cells(Column::Given, row).chain(self.cells(Column::Middle, row)).collect();
        let mut names = Vec::new();
        names.extend(name_of_parts(&given, cell(Column::Family), cell(Column::Suffix)));
        if !cell(Column::FormerFamily).is_empty()
            && let Some(mut former) = name_of_parts(&given, cell(Column::FormerFamily), "")
        {
            former.former = true;
            names.push(former);
        }
        let city = cell(Column::City);
        let address =
            address_of(&self.lines(row), city, cell(Column::State), cell(Column::Postcode));
        Demographics {
            names,
            birth_date: birth(cell(Column::Birth)),
            gender: gender(cell(Column::Gender)),
            identifiers: self.identifiers(row),
            addresses: address.into_iter().collect(),
            phones: sorted(self.cells(Column::Phone, row).filter_map(contact::phone).collect()),
            emails: sorted(self.cells(Column::Email, row).filter_map(contact::email).collect()),
            ..Demographics::default()
        }
    }

    fn cells<'a>(&'a self, column: Column, row: &'a [&str]) -> impl Iterator<Item = &'a str> {
        let places = self.places.iter().filter(move |(known, _)| *known == column);
        places.filter_map(|(_, at)| row.get(*at).map(|cell| cell.trim())).filter(|c| !c.is_empty())
    }

    fn lines(&self, row: &[&str]) -> String {
        let parts: Vec<&str> =
            self.cells(Column::Number, row).chain(self.cells(Column::Line, row)).collect();
        parts.join(" ")
    }

    fn identifiers(&self, row: &[&str]) -> Vec<Identifier> {
        let mut found = Vec::new();
        let mut add = |system: &str, raw: &str, kind: &str| {
            let read = identifier_value(system, raw);
            found.extend(read.map(|(system, value)| Identifier {
                system,
                value,
                kind: kind.into(),
                ..Identifier::default()
            }));
        };
        for number in self.cells(Column::Ssn, row) {
            match number.bytes().filter(u8::is_ascii_digit).count() {
                4 => add(LAST_FOUR_SYSTEM, number, ""),
                9 => add(SSN_SYSTEM, number, ""),
                _ => add(NATIONAL_SYSTEM, number, ""),
            }
        }
        for number in self.cells(Column::LastFour, row) {
            add(LAST_FOUR_SYSTEM, number, "");
        }
        for number in self.cells(Column::National, row) {
            add(NATIONAL_SYSTEM, number, "");
        }
        let source = self.cells(Column::Source, row).next().unwrap_or_default();
        for number in self.cells(Column::Mrn, row) {
            add(&format!("urn:careweave:mrn:{source}"), number, "MR");
        }
        sorted(found)
    }
}

/// A column's name without case, and with `_` for anything between words.
fn column_name(name: &str) -> String {
    let trimmed = name.trim().trim_start_matches('\u{feff}').to_lowercase();
    trimmed
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join("_")
}

/// ISO dates as precise as stated, `yyyymmdd`, and `mm/dd/yyyy`.
fn birth(text: &str) -> Option<crate::flow::PartialDate> {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    if text.len() == 8 && digits {
        return partial_date(&format!("{}-{}-{}", &text[..4], &text[4..6], &text[6..]));
    }
    let mut parts = text.splitn(3, '/');
    if let (Some(month), Some(day), Some(year)) = (parts.next(), parts.next(), parts.next()) {
        return partial_date(&format!("{year}-{month:0>2}-{day:0>2}"));
    }
    partial_date(text)
}

fn gender(text: &str) -> Option<Box<str>> {
    match text.to_ascii_lowercase().as_str() {
        "m" | "male" => Some("male".into()),
        "f" | "female" => Some("female".into()),
        "o" | "other" => Some("other".into()),
        _ => None,
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "test")]
mod tests {
    use super::*;
    use crate::compare::demographics;
    use serde_json::json;

    #[test]
    fn a_row_reads_like_the_patient_it_states() {
        let header = ["Rec ID", "first", "LAST", "suffix", "sex", "dob", "line", "zip", "ssn"];
        let columns = Columns::of(&header, &[]).unwrap();
        let row = [
            "7",
            "José M.",
            "O'Brien",
            "Jr",
            "M",
            "19700506",
            "12 Elm St #4",
            "02139-1",
            "212345678",
        ];
        let patient = demographics(&json!({
            "name": [{"given": ["José", "M."], "family": "O'Brien", "suffix": ["Jr"]}],
            "gender": "male", "birthDate": "1970-05-06",
            "address": [{"line": ["12 Elm St #4"], "postalCode": "02139-1"}],
            "identifier": [{"system": SSN_SYSTEM, "value": "212-34-5678"}]
        }));
        assert_eq!(columns.demographics(&row), patient);
        assert_eq!(columns.place(Column::Id), Some(0));
    }

    #[test]
    fn a_mapping_outranks_known_names_and_unknown_ones_are_told() {
        let renamed = [("given".to_owned(), "calls".to_owned())];
        let columns = Columns::of(&["given", "calls"], &renamed).unwrap();
        let read = columns.demographics(&["x", "ana"]);
        assert_eq!(&*read.names[0].given[0], "ana");
        for (header, renamed) in [
            (["a", "b"], vec![]),
            (["given", "b"], vec![("given".to_owned(), "c".to_owned())]),
            (["given", "b"], vec![("gven".to_owned(), "b".to_owned())]),
        ] {
            assert!(Columns::of(&header, &renamed).is_err(), "{header:?}");
        }
    }
}
