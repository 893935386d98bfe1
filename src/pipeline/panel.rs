//! Panels: Groups of persons as an endpoint states them. A member is named by id or by identifier
//! and found among the persons of the view as they are now, so merges and unlinks need no change
//! of the panel. <https://hl7.org/fhir/R4/group.html>

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Hash, Home, Owner, RecordHeader, RecordKey, State};
use crate::store::Issued;

use super::gateway::{Gateway, GatewayError};

/// An identifier that so many persons have names none of them.
const SAME_MAX: usize = 64;

/// A Group, as its endpoint states it now.
#[derive(Clone, Debug)]
pub struct Panel {
    /// Its id here.
    pub id: DerivedId,
    /// Its record.
    pub key: RecordKey,
    /// How many versions of it there have been.
    pub version: usize,
    /// When this one was observed.
    pub observed_at: Timestamp,
    /// The resource.
    pub body: Value,
}

/// What stands under the id of a Group.
#[derive(Clone, Debug)]
pub enum PanelState {
    /// A panel.
    Live(Box<Panel>),
    /// One that its endpoint has deleted.
    Deleted,
    /// No Group has this id.
    Unknown,
}

/// Whom a member names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Named {
    /// This person.
    Person(Owner),
    /// Nobody who is in the view.
    Nobody,
    /// An identifier that several persons have.
    Several,
}

/// Who belongs to a panel now.
#[derive(Clone, Debug, Default)]
pub struct Members {
    /// The persons, each with the places of their members in `Group.member`.
    pub persons: BTreeMap<Owner, Vec<usize>>,
    /// Members that name no one person, by place.
    pub unmatched: BTreeMap<usize, Named>,
    /// Members that the panel itself says are none any more.
    pub left: usize,
}

impl Named {
    /// Why a member names no one person; empty if it names one.
    pub fn why_not(self) -> &'static str {
        match self {
            Self::Nobody => "names nobody in the view",
            Self::Several => "an identifier that several persons have",
            Self::Person(_) => "",
        }
    }
}

impl Panel {
    /// What it is called; empty if it has no name.
    pub fn name(&self) -> &str {
        self.body["name"].as_str().unwrap_or_default()
    }

    /// How a member is stated: its reference, or `system|value`.
    pub fn stated(&self, place: usize) -> String {
        let entity = self.members().get(place).map_or(&Value::Null, |member| &member["entity"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match entity["reference"].as_str() {
            Some(reference) => reference.to_owned(),
            None => {
                let identifier = &entity["identifier"];
                format!("{}|{}", text(&identifier["system"]), text(&identifier["value"]))
            }
        }
    }

    /// `Group.member`.
    pub fn members(&self) -> &[Value] {
        self.body["member"].as_array().map_or(&[], Vec::as_slice)
    }
}

impl Gateway {
    /// What stands under the id of a Group.
    ///
    /// # Errors
    /// When the store fails.
    pub fn panel(&self, access: &Access, id: DerivedId) -> Result<PanelState, GatewayError> {
        let header = self.store().headers(access, &[id])?.pop().flatten();
        let Some(header) = header.filter(|h| h.key.resource_type.name() == "Group") else {
            return Ok(PanelState::Unknown);
        };
        if !access.sees(&header.key.endpoint) {
            return Ok(PanelState::Unknown);
        }
        if header.current().state != State::Live {
            return Ok(PanelState::Deleted);
        }
        Ok(match self.panel_of(access, id, &header)? {
            Some(panel) => PanelState::Live(Box::new(panel)),
            None => PanelState::Unknown,
        })
    }

    /// The panels of all endpoints, those of one after the other; at most so many.
    ///
    /// # Errors
    /// When the store fails.
    pub fn panels(&self, access: &Access, limit: usize) -> Result<Vec<Panel>, GatewayError> {
        let group = ResourceType::of("Group");
        let mut panels = Vec::new();
        for endpoint in self.endpoint_facts().keys().filter(|id| access.sees(id)) {
            let mut after = Home::Shared(RecordKey::new(endpoint, group, ""));
            while panels.len() < limit {
                let homes = self.store().homes(access, Some(&after), limit - panels.len())?;
                let of_group = |home: &Home| match home {
                    Home::Shared(key) => (key.resource_type == group && key.endpoint == *endpoint)
                        .then(|| key.clone()),
                    Home::Chart(_) | Home::Directory(_) => None,
                };
                let keys: Vec<RecordKey> = homes.iter().map_while(of_group).collect();
                let ended = keys.is_empty() || keys.len() < homes.len();
                for key in &keys {
                    let id = self.store().id_key().record(key);
                    if let PanelState::Live(panel) = self.panel(access, id)? {
                        panels.push(*panel);
                    }
                }
                match keys.into_iter().next_back() {
                    Some(last) if !ended => after = Home::Shared(last),
                    _ => break,
                }
            }
        }
        Ok(panels)
    }

    /// Who belongs to a panel on a day. The cost is one look-up a member, whatever the store holds.
    ///
    /// # Errors
    /// When the store fails.
    pub fn members(
        &self,
        access: &Access,
        panel: &Panel,
        on: Date,
    ) -> Result<Members, GatewayError> {
        let mut found = Members::default();
        for (place, member) in panel.members().iter().enumerate() {
            if has_left(member, on) {
                found.left += 1;
                continue;
            }
            match self.member(access, &panel.key.endpoint, &member["entity"])? {
                Named::Person(owner) => found.persons.entry(owner).or_default().push(place),
                other => drop(found.unmatched.insert(place, other)),
            }
        }
        Ok(found)
    }

    /// Whom a reference of an endpoint's names: by an id of ours (also one that was retired), by a
    /// URL or id of the endpoint's own, or by an identifier that one person has.
    ///
    /// # Errors
    /// When the store fails.
    pub fn member(
        &self,
        access: &Access,
        endpoint: &str,
        entity: &Value,
    ) -> Result<Named, GatewayError> {
        if let Some(reference) = entity["reference"].as_str()
            && let Some(id) = self.patient_named(access, endpoint, reference)?
            && let Some(Issued::Record(record)) = self.store().issued(access, id)?
            && record.key.resource_type.name() == "Patient"
            && let Some(owner @ Owner::Person(_)) = self.store().owner(access, &record.home)?
            && self.is_shown(access, owner)?
        {
            return Ok(Named::Person(owner));
        }
        let identifier = &entity["identifier"];
        match (identifier["system"].as_str(), identifier["value"].as_str()) {
            (Some(system), Some(value)) => self.identified(access, system, value),
            // A number says nothing without whose number it is.
            (None, _) | (_, None) => Ok(Named::Nobody),
        }
    }

    fn panel_of(
        &self,
        access: &Access,
        id: DerivedId,
        header: &RecordHeader,
    ) -> Result<Option<Panel>, GatewayError> {
        let current = header.current();
        let Some(mut record) = self.store().record(access, &current.home, id)? else {
            return Ok(None);
        };
        let content = record.contents.remove(&current.hash);
        let body = content.and_then(|content| serde_json::from_slice(&content.body).ok());
        Ok(body.map(|body| Panel {
            id,
            key: header.key.clone(),
            version: header.versions().len(),
            observed_at: current.stamp.observed_at,
            body,
        }))
    }

    /// The id of a Patient that a reference leads to.
    fn patient_named(
        &self,
        access: &Access,
        endpoint: &str,
        reference: &str,
    ) -> Result<Option<DerivedId>, GatewayError> {
        let ours = format!("{}/fhir/", self.public_base_url());
        let local = reference.strip_prefix(&ours).unwrap_or(reference);
        if let Some(key) = self.record_of_url(local) {
            return Ok(Some(self.store().id_key().record(&key)));
        }
        let Some(id) = local.strip_prefix("Patient/") else { return Ok(None) };
        if let Ok(own) = id.parse::<DerivedId>()
            && self.store().issued(access, own)?.is_some()
        {
            return Ok(Some(own));
        }
        let own = RecordKey::new(endpoint, ResourceType::of("Patient"), id);
        Ok(Some(self.store().id_key().record(&own)))
    }

    /// The one person with this identifier.
    fn identified(
        &self,
        access: &Access,
        system: &str,
        value: &str,
    ) -> Result<Named, GatewayError> {
        let patient = ResourceType::of("Patient");
        let asked = format!("{}|{}", escaped(system), escaped(value));
        // What cannot be a search value is nobody's identifier.
        let Ok(criterion) = self.search_table().criterion(patient, "identifier", &asked) else {
            return Ok(Named::Nobody);
        };
        let values = criterion.index_values().unwrap_or_default();
        let keys = values.iter().filter_map(|v| Hash::of_search_value("identifier", v));
        let mut owners = BTreeSet::new();
        for key in keys {
            let rows = self.store().by_index(access, patient, key, SAME_MAX + 1)?;
            if rows.len() > SAME_MAX {
                return Ok(Named::Several);
            }
            for (owner, id) in rows {
                let values = self.store().values(access, owner, patient, &[criterion.param])?;
                if criterion.matches(values.of(id)) {
                    owners.insert(owner);
                }
            }
        }
        Ok(match (owners.len(), owners.pop_first()) {
            (1, Some(owner)) => Named::Person(owner),
            (0, _) | (_, None) => Named::Nobody,
            _ => Named::Several,
        })
    }

    /// Whether a person has a Patient to be shown: one that was withdrawn leaves none.
    fn is_shown(&self, access: &Access, owner: Owner) -> Result<bool, GatewayError> {
        let listing = self.store().listing(access, owner, ResourceType::of("Patient"))?;
        Ok(listing.is_some_and(|listing| !listing.is_empty()))
    }
}

fn has_left(member: &Value, on: Date) -> bool {
    let ended = member.pointer("/period/end").and_then(Value::as_str);
    // Whoever leaves some time in a year is a member until it is known when.
    let ended = ended.and_then(|end| end.get(..10)?.parse::<Date>().ok());
    member["inactive"].as_bool() == Some(true) || ended.is_some_and(|ended| ended < on)
}

/// A value in which no character has a meaning of its own to a search.
fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if matches!(c, '\\' | ',' | '|' | '$') {
            text.push('\\');
        }
        text.push(c);
    }
    text
}
