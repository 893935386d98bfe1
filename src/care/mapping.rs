//! What the columns of an export mean: data of a site, written as TOML.
//!
//! A row states a part of one person's care record: fields of the person, and items of sections.
//! What no line of the mapping names is kept with the row's first item, as `columns`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value};

use super::record_map::{Form, RecordMap, Section};

/// A column mapping.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The version of the format: `1`.
    version: String,
    /// What stands between the columns of a CSV file; a comma without.
    #[serde(default)]
    delimiter: Option<char>,
    /// How dates are written, of `YYYY`, `MM`, `DD` and what stands between; `YYYY-MM-DD` without.
    #[serde(default)]
    dates: Option<String>,
    /// Columns that are left out.
    #[serde(default)]
    pub(super) ignore: BTreeSet<String>,
    pub(super) person: PersonColumns,
    #[serde(default, rename = "item")]
    pub(super) items: Vec<ItemColumns>,
}

/// The columns of the person.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonColumns {
    /// The column of the person's id. Rows of one person that follow each other are one record.
    pub(super) id: String,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Cell>,
    /// Fields that are the same for all.
    #[serde(default)]
    pub(super) set: BTreeMap<String, Value>,
}

/// The columns of an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ItemColumns {
    pub(super) section: String,
    /// The column of its id; several: an id is made of them. Empty in a row: there is no item.
    pub(super) id: OneOrMore,
    #[serde(default)]
    pub(super) fields: BTreeMap<String, Cell>,
    #[serde(default)]
    pub(super) set: BTreeMap<String, Value>,
}

/// A name, or several.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// Where a field's value stands, and how it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Cell {
    /// In this column, as it is.
    Column(String),
    Written(Written),
}

/// A column whose values are written in a way of their own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    pub(super) column: String,
    #[serde(default, rename = "as")]
    pub(super) kind: Kind,
    /// What the sender's values mean; a value that is not among them is a fault.
    #[serde(default)]
    pub(super) values: BTreeMap<String, String>,
    /// What stands between several values of one cell.
    #[serde(default)]
    pub(super) split: Option<String>,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    Text,
    Date,
    Number,
    Flag,
}

impl Cell {
    pub(super) fn column(&self) -> &str {
        match self {
            Self::Column(column) => column,
            Self::Written(written) => &written.column,
        }
    }
}

impl OneOrMore {
    pub(super) fn all(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::More(all) => all,
        }
    }
}

impl Mapping {
    /// What stands between the columns of a CSV file.
    pub fn delimiter(&self) -> u8 {
        self.delimiter.and_then(|c| u8::try_from(c).ok()).unwrap_or(b',')
    }

    /// The column whose value says whose a row is.
    pub fn person_column(&self) -> &str {
        &self.person.id
    }

    /// Every column that the mapping names.
    pub(super) fn columns(&self) -> BTreeSet<&str> {
        let person = self.person.fields.values().map(Cell::column);
        let items = self.items.iter().flat_map(|item| {
            let ids = item.id.all().iter().map(String::as_str);
            ids.chain(item.fields.values().map(Cell::column))
        });
        let ignored = self.ignore.iter().map(String::as_str);
        [self.person.id.as_str()].into_iter().chain(person).chain(items).chain(ignored).collect()
    }

    /// The columns of an item that no other part of the record reads, ids apart.
    pub(super) fn columns_of_none_but<'m>(
        &'m self,
        item: &'m ItemColumns,
    ) -> impl Iterator<Item = &'m str> {
        let others = move |column: &&str| {
            let person = self.person.fields.values().chain(self.items.iter().flat_map(|other| {
                other.fields.values().filter(move |_| !std::ptr::eq(other, item))
            }));
            let ids = self.items.iter().flat_map(|other| other.id.all());
            *column != self.person.id
                && !person.map(Cell::column).any(|read| read == *column)
                && !ids.map(String::as_str).any(|id| id == *column)
        };
        item.fields.values().map(Cell::column).filter(others)
    }

    /// A date as R4 writes it; `None` if it is not written as the mapping says.
    pub(super) fn date(&self, text: &str) -> Option<String> {
        let pattern = self.dates.as_deref().unwrap_or("YYYY-MM-DD");
        if let Ok(date) = jiff::civil::Date::strptime(strptime(pattern), text) {
            return Some(date.to_string());
        }
        None
    }

    /// Says what cannot be meant: a section or a field that a care record does not have.
    ///
    /// # Errors
    /// Names it, and those that there are.
    pub(super) fn check(&self, map: &RecordMap) -> Result<(), String> {
        if self.version != "1" {
            return Err("version: write \"1\"".to_owned());
        }
        if self.delimiter.is_some_and(|c| !c.is_ascii()) {
            return Err("delimiter: write one ASCII character".to_owned());
        }
        if let Some(dates) = &self.dates
            && !["YYYY", "MM", "DD"].iter().all(|part| dates.contains(part))
        {
            return Err("dates: write it of YYYY, MM and DD, as MM/DD/YYYY".to_owned());
        }
        let person = &map.sections[0];
        let paths = self.person.fields.keys().chain(self.person.set.keys());
        paths.map(|path| check_path(person, path)).collect::<Result<Vec<_>, _>>()?;
        for item in &self.items {
            let known = map.sections[1..].iter();
            let Some(section) = known.clone().find(|section| section.name == item.section) else {
                let known: Vec<&str> = known.map(|section| section.name.as_str()).collect();
                let name = &item.section;
                return Err(format!("no section \"{name}\"; known: {}", known.join(", ")));
            };
            if item.id.all().is_empty() {
                return Err(format!("item of {}: id: name a column", section.name));
            }
            let paths = item.fields.keys().chain(item.set.keys());
            paths.map(|path| check_path(section, path)).collect::<Result<Vec<_>, _>>()?;
        }
        Ok(())
    }
}

fn check_path(section: &Section, path: &str) -> Result<(), String> {
    let mut fields = &section.fields;
    let mut at = String::from(&section.name);
    for name in path.split('.').filter(|part| part.parse::<usize>().is_err()) {
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
            return Err(format!("{at} has no field \"{name}\"; known: {}", known.join(", ")));
        };
        at = format!("{at}.{name}");
        if field.fields.is_empty() {
            return Ok(());
        }
        fields = &field.fields;
    }
    Ok(())
}

/// Whether a field of a section is a list of what one cell may state.
pub(super) fn is_list(section: &Section, path: &str) -> bool {
    let field = section.fields.iter().find(|field| field.name == path);
    field.is_some_and(|field| {
        let lists = [Form::Concepts, Form::Parties, Form::Notes, Form::ExtensionParties];
        lists.contains(&field.form)
    })
}

/// Puts a value at a path of names and places; what is between is made.
pub(super) fn put_at(into: &mut Map<String, Value>, path: &str, value: Value) {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let slot = into.entry(name.to_owned()).or_insert(Value::Null);
    put_in(slot, rest, value);
}

/// A cell can make a list so long at most.
const PLACES_MAX: usize = 100;

fn put_in(slot: &mut Value, path: Option<&str>, value: Value) {
    let Some(path) = path else {
        *slot = value;
        return;
    };
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    if let Ok(place) = name.parse::<usize>() {
        if !slot.is_array() {
            *slot = Value::Array(Vec::new());
        }
        let Value::Array(list) = slot else { return };
        let place = place.min(PLACES_MAX);
        // A cell before it may be empty: places say which cells belong together, no more.
        while list.len() <= place {
            list.push(Value::Null);
        }
        return put_in(&mut list[place], rest, value);
    }
    if !slot.is_object() {
        *slot = Value::Object(Map::new());
    }
    if let Value::Object(members) = slot {
        put_at(members, path, value);
    }
}

/// Takes out places that nothing was put in.
pub(super) fn close_up(value: &mut Value) {
    match value {
        Value::Array(list) => {
            list.retain(|item| !item.is_null());
            list.iter_mut().for_each(close_up);
        }
        Value::Object(members) => members.values_mut().for_each(close_up),
        _ => {}
    }
}

fn strptime(pattern: &str) -> String {
    pattern.replace('%', "%%").replace("YYYY", "%Y").replace("MM", "%m").replace("DD", "%d")
}
