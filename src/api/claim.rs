//! From what a client sends to its claim: which record it is of, where that lives, what its
//! references name.
//!
//! A new resource is a record of the client under an id made of what it says. An update of a
//! resource of the view is the client's own record about the same thing: marked as such
//! (`meta.source`), and living in the chart of the record that it is about, so that it goes where
//! that goes, also after an unlink.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::fhir::{Issue, ResourceType, canonical_bytes};
use crate::flow::{DerivedId, Hash, Home, Member, Owner, RecordKey, about};
use crate::reconcile::TAG_SYSTEM;
use crate::store::Issued;

use super::body::type_of;
use super::error::ApiError;
use super::reader::{Reader, RowRef};
use super::{provenance, read, served};

/// One write, decided but not done.
pub(super) struct Planned {
    /// Its type.
    pub(super) resource_type: ResourceType,
    /// The client's records that it is about: one, or those that it withdraws.
    pub(super) keys: Vec<RecordKey>,
    /// The id under which the answer is read.
    pub(super) target: DerivedId,
    /// What the client states, with the record's id; `None`: it withdraws its claim.
    pub(super) resource: Option<Value>,
    /// Where it lives, and whose that is; `None`: with the patient that it names.
    pub(super) place: Option<(Home, Option<Owner>)>,
    /// The resource was not there before.
    pub(super) is_new: bool,
    /// `If-Match`.
    pub(super) if_match: Option<String>,
    /// Where the resource stood, if not by itself: `Bundle.entry[2].resource`.
    pub(super) within: Option<String>,
}

/// Plans a create.
///
/// # Errors
/// `OtherResource` when the body is of another type, `MadeHere` for what careweave makes.
pub(super) fn create(
    reader: &Reader<'_>,
    client: &Arc<str>,
    resource_type: ResourceType,
    resource: Value,
) -> Result<Planned, ApiError> {
    let mut resource = stated(resource, resource_type)?;
    if resource_type.name() == served::FINDING_TYPE {
        return Err(ApiError::MadeHere);
    }
    resource.shift_remove("id");
    let content = canonical_bytes(Value::Object(resource.clone()));
    let (key, is_new) = new_key(reader, client, resource_type, &content)?;
    resource.insert("id".to_owned(), json!(&*key.id));
    Ok(Planned {
        resource_type,
        target: reader.store().id_key().record(&key),
        keys: vec![key],
        resource: Some(Value::Object(resource)),
        place: None,
        is_new,
        if_match: None,
        within: None,
    })
}

/// The same again is the same record, as long as it stands as it was stated; so a create that
/// is sent again creates nothing.
fn new_key(
    reader: &Reader<'_>,
    client: &Arc<str>,
    resource_type: ResourceType,
    content: &[u8],
) -> Result<(RecordKey, bool), ApiError> {
    let mut number = 0_u64;
    loop {
        let parts = [resource_type.name().as_bytes(), content, &number.to_be_bytes()];
        let id = format!("h-{:032x}", Hash::of_parts(parts).0);
        let key = RecordKey::new(client, resource_type, &id);
        let derived = reader.store().id_key().record(&key);
        let header = reader.store().headers(reader.access, &[derived])?.pop().flatten();
        match header {
            None => return Ok((key, true)),
            Some(header) if header.versions().len() == 1 => return Ok((key, false)),
            // Changed or withdrawn since.
            Some(_) => number += 1,
        }
    }
}

/// Plans an update of what stands under an id.
///
/// # Errors
/// `ForeignId` for an id that is none of ours, `MadeHere` for what careweave makes, `Gone`.
pub(super) fn update(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    (resource_type, id): (ResourceType, &str),
    resource: Value,
) -> Result<Planned, ApiError> {
    let mut resource = stated(resource, resource_type)?;
    if resource.get("id").and_then(Value::as_str) != Some(id) {
        return Err(ApiError::OtherResource);
    }
    let id = own_id(resource_type, id)?;
    let (key, mark, home, target) = match reader.locate(resource_type, id) {
        Ok(row) => claim_about(reader, client, id, &row)?,
        Err(absent) => {
            let (key, home) = withdrawn_by(reader, client, id)?.ok_or(match absent {
                ApiError::NotFound => ApiError::ForeignId,
                other => other,
            })?;
            (key.clone(), key.id.parse().ok(), home, None)
        }
    };
    resource.insert("id".to_owned(), json!(&*key.id));
    if let Some(mark) = mark {
        let meta = resource.entry("meta").or_insert_with(|| json!({}));
        meta["source"] = json!(about(resource_type, mark));
    }
    let owner = reader.whose(resource_type, id)?;
    Ok(Planned {
        resource_type,
        keys: vec![key],
        target: target.unwrap_or(id),
        resource: Some(Value::Object(resource)),
        place: Some((home, owner)),
        is_new: target.is_none(),
        if_match: None,
        within: None,
    })
}

/// The client's record about a row, the id of the record that it is marked to be about, where it
/// lives, and the id to answer under.
type AboutRow = (RecordKey, Option<DerivedId>, Home, Option<DerivedId>);

fn claim_about(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    id: DerivedId,
    row: &RowRef,
) -> Result<AboutRow, ApiError> {
    if row.row().made_by_us {
        return Err(ApiError::MadeHere);
    }
    let members = members(reader, row)?;
    let own = |m: &&Member| m.key.endpoint == *client && !m.key.id.contains('#');
    let mine = members.iter().find(own);
    let others = || members.iter().filter(|m| !own(m));
    let named = [id, row.row().id].into_iter();
    let other =
        named.filter_map(|id| others().find(|m| m.id == id)).next().or_else(|| others().next());
    if served::in_directory(row.resource_type) && mine.is_none() {
        return Err(ApiError::DirectoryEntry);
    }
    let key = match (mine, other) {
        (Some(mine), _) => mine.key.clone(),
        (None, Some(other)) => RecordKey::new(client, row.resource_type, &other.id.to_string()),
        (None, None) => return Err(ApiError::MadeHere),
    };
    let lives_with = mine.or(other).map_or(id, |member| member.id);
    let home = home_of(reader, lives_with)?.ok_or(ApiError::NotFound)?;
    let mark = other.filter(|_| !served::in_directory(row.resource_type)).map(|m| m.id);
    let is_retired_patient = row.row().id != id && row.resource_type.name() == "Patient";
    let target = if is_retired_patient { row.row().id } else { id };
    Ok((key, mark, home, Some(target)))
}

/// Plans a withdrawal of the client's claims about what stands under an id; `None` if they are
/// withdrawn already.
///
/// # Errors
/// `NoClaim` when the client has made none.
pub(super) fn delete(
    reader: &mut Reader<'_>,
    client: &Arc<str>,
    (resource_type, id): (ResourceType, &str),
) -> Result<Option<Planned>, ApiError> {
    let id = own_id(resource_type, id).map_err(|_| ApiError::NotFound)?;
    let row = match reader.locate(resource_type, id) {
        Ok(row) => row,
        Err(ApiError::Gone) => {
            return match withdrawn_by(reader, client, id)? {
                Some(_) => Ok(None),
                None => Err(ApiError::NoClaim),
            };
        }
        Err(other) => return Err(other),
    };
    let own = |m: &Member| m.key.endpoint == *client && !m.key.id.contains('#');
    let keys: Vec<RecordKey> =
        members(reader, &row)?.into_iter().filter(own).map(|member| member.key).collect();
    if keys.is_empty() {
        return Err(ApiError::NoClaim);
    }
    Ok(Some(Planned {
        resource_type,
        keys,
        target: id,
        resource: None,
        place: None,
        is_new: false,
        if_match: None,
        within: None,
    }))
}

impl Planned {
    /// An issue with its elements named from where the resource stood.
    pub(super) fn placed(&self, mut issue: Issue) -> Issue {
        let Some(within) = &self.within else { return issue };
        for expression in &mut issue.expression {
            let rest = expression.strip_prefix(self.resource_type.name());
            *expression = format!("{within}{}", rest.unwrap_or_default());
        }
        issue
    }

    /// Whether the resource still stands in the version that the client knows.
    ///
    /// # Errors
    /// `VersionConflict` when it does not.
    pub(super) fn check_version(&self, reader: &mut Reader<'_>) -> Result<(), ApiError> {
        let Some(tags) = &self.if_match else { return Ok(()) };
        let row = reader.referred(&format!("{}/{}", self.resource_type, self.target))?;
        let version = row.as_ref().map_or(0, |row| row.row().version);
        match row.is_some_and(|row| read::names(tags, &read::etag(&row))) {
            true => Ok(()),
            false => Err(ApiError::VersionConflict { version }),
        }
    }
}

/// The id of a row. What has an id of another form is made here, or comes from elsewhere.
pub(super) fn own_id(resource_type: ResourceType, id: &str) -> Result<DerivedId, ApiError> {
    let absent = match provenance::of_id(resource_type, id) {
        Some(_) => ApiError::MadeHere,
        None => ApiError::ForeignId,
    };
    id.parse().map_err(|_| absent)
}

/// What the client itself says: nothing that the server puts in.
fn stated(resource: Value, resource_type: ResourceType) -> Result<Map<String, Value>, ApiError> {
    if type_of(&resource) != Some(resource_type) {
        return Err(ApiError::OtherResource);
    }
    let Value::Object(mut resource) = resource else { return Err(ApiError::OtherResource) };
    if let Some(Value::Object(meta)) = resource.get_mut("meta") {
        // As the view shows it, `source` tells of somebody else's record.
        for name in ["versionId", "lastUpdated", "source"] {
            meta.shift_remove(name);
        }
        if let Some(Value::Array(tags)) = meta.get_mut("tag") {
            tags.retain(|tag| tag["system"] != TAG_SYSTEM);
            if tags.is_empty() {
                meta.shift_remove("tag");
            }
        }
        if meta.is_empty() {
            resource.shift_remove("meta");
        }
    }
    Ok(resource)
}

fn members(reader: &mut Reader<'_>, row: &RowRef) -> Result<Vec<Member>, ApiError> {
    let table = reader.table(row)?;
    let at = table.rows.binary_search_by_key(&row.row().id, |kept| kept.id);
    Ok(at.map(|at| table.rows[at].members.clone()).unwrap_or_default())
}

fn home_of(reader: &Reader<'_>, id: DerivedId) -> Result<Option<Home>, ApiError> {
    let header = reader.store().headers(reader.access, &[id])?.pop().flatten();
    Ok(header.map(|header| header.home().clone()))
}

/// The client's own record under an id, which it has withdrawn.
fn withdrawn_by(
    reader: &Reader<'_>,
    client: &Arc<str>,
    id: DerivedId,
) -> Result<Option<(RecordKey, Home)>, ApiError> {
    let Some(Issued::Record(record)) = reader.store().issued(reader.access, id)? else {
        return Ok(None);
    };
    Ok((record.key.endpoint == *client).then_some((record.key, record.home)))
}
