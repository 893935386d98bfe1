//! From entries to versions: first every entry gets its key, then references can resolve.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::home::{home, subject_issue};
use super::key::{content_hash, derived, derived_id, given_id, localise};
use super::lift::Contained;
use super::received::{Received, What};
use super::references::{Context, links, subject};
use super::{Claim, Ingest, UnusableInput, deletion, facts};
use crate::fhir::bundle::resource_header;
use crate::fhir::{Problem, Reference, ResourceType, parse_moment, parse_reference};
use crate::flow::{
    Content, Hash, Home, Ingested, Link, Quarantined, RecordIssue, RecordKey, RefTarget, Role,
    SourceRecord, Stamp, State,
};

/// One input on its way to versions.
pub(super) struct Batch<'a> {
    ingest: &'a Ingest,
    endpoint: Arc<str>,
    observed_at: Timestamp,
    /// Per scope: what literal references are known to lead to.
    named: BTreeMap<usize, BTreeMap<String, RefTarget>>,
    out: Ingested,
}

/// A usable resource with its key.
struct Entry {
    scope: usize,
    full_url: Option<String>,
    key: RecordKey,
    stamp: Stamp,
    /// Hash of the content as stated, if it has to stand in for an id.
    unnamed: Option<Hash>,
    body: Bytes,
    resource: Value,
    issues: Vec<RecordIssue>,
}

/// Why a resource cannot be used.
struct Unusable {
    code: Box<str>,
    reason: Box<str>,
}

/// Per Bundle: `fullUrl` without version → the entry's key.
type FullUrls = BTreeMap<usize, BTreeMap<String, RecordKey>>;

impl<'a> Batch<'a> {
    pub(super) fn new(ingest: &'a Ingest, endpoint: &str, observed_at: Timestamp) -> Self {
        let (endpoint, named) = (endpoint.into(), BTreeMap::new());
        Self { ingest, endpoint, observed_at, named, out: Ingested::default() }
    }

    /// What a client writes: each is one record, housed where its claim says.
    pub(super) fn claims(mut self, claims: Vec<Claim>) -> Ingested {
        let none = FullUrls::new();
        for (scope, claim) in claims.into_iter().enumerate() {
            let item = Received::resource(scope, claim.body.clone());
            match self.entry(&item, &claim.body) {
                Ok(entry) => {
                    self.named.insert(scope, claim.named);
                    let from = self.out.records.len();
                    self.record(entry, &none);
                    for record in &mut self.out.records[from..] {
                        record.home = claim.home.clone().unwrap_or_else(|| record.home.clone());
                    }
                }
                Err(why) => self.quarantine(&claim.body, why),
            }
        }
        self.house_provenance();
        self.out
    }

    /// Accounts for every entry.
    pub(super) fn take(mut self, received: Vec<Received>) -> Ingested {
        let mut entries = Vec::new();
        for item in received {
            match &item.what {
                What::NotRecord => self.out.not_records += 1,
                What::Deleted => self.delete(&item),
                What::Unusable { bytes, code, reason } => {
                    let why = Unusable { code: (*code).into(), reason: reason.clone() };
                    self.quarantine(bytes, why);
                }
                What::Resource(body) => match self.entry(&item, body) {
                    Ok(entry) => entries.push(entry),
                    Err(why) => self.quarantine(body, why),
                },
            }
        }
        part_namesakes(&mut entries);
        let full_urls = full_urls(&entries);
        for entry in entries {
            self.record(entry, &full_urls);
        }
        self.house_provenance();
        self.out
    }

    /// Accounts for an input that is unusable as a whole.
    pub(super) fn refuse(mut self, input: &UnusableInput<'_>) -> Ingested {
        self.quarantine(input.bytes, Unusable::new(input.code, input.reason));
        let kind = ResourceType::parse(input.resource_type).map_or("", ResourceType::name);
        for unusable in &mut self.out.quarantined {
            unusable.resource_type = kind.into();
        }
        self.out
    }

    fn delete(&mut self, item: &Received) {
        let Some((resource_type, id)) = &item.request else {
            self.out.not_records += 1;
            return;
        };
        let stamp = Stamp {
            version_id: item.version_id.clone(),
            last_updated: item.last_modified,
            observed_at: self.observed(item),
        };
        let key = self.key(*resource_type, id);
        self.out.records.push(deletion(key, stamp));
    }

    fn entry(&self, item: &Received, body: &Bytes) -> Result<Entry, Unusable> {
        let text = std::str::from_utf8(body)
            .map_err(|_| Unusable::new("structure", "not UTF-8; send UTF-8"))?;
        let resource: Value = serde_json::from_str(text)
            .map_err(|_| Unusable::new("structure", "not JSON; send FHIR JSON"))?;
        let name = resource.get("resourceType").and_then(Value::as_str);
        let name = name
            .ok_or_else(|| Unusable::new("structure", "no resourceType; send FHIR R4 resources"))?;
        let resource_type = ResourceType::parse(name).ok_or_else(|| {
            Unusable::new("not-supported", "resourceType is none of R4; send FHIR R4 resources")
        })?;
        let problems = self.ingest.check.check(text, &resource);
        if let Some(fatal) = problems.iter().find(|p| p.fatal && !is_defaulted(p)) {
            let reason = format!("{}: {}", fatal.expression, fatal.text);
            return Err(Unusable::new(fatal.code, &reason));
        }
        let given = given_id(resource_type, &resource, item).map_err(|_| {
            Unusable::new("value", "id is not 1 to 64 of A-Z a-z 0-9 - . as R4 wants; correct it")
        })?;
        let (id, unnamed) = match given {
            Some(id) => (id, None),
            None => {
                let hash = content_hash(resource.clone());
                (derived(resource_type, &resource, hash), Some(hash))
            }
        };
        let issues = problems.into_iter().map(|p| RecordIssue {
            code: p.code.into(),
            expression: p.expression.into(),
            text: p.text.into(),
        });
        Ok(Entry {
            scope: item.scope,
            full_url: item.full_url.clone(),
            key: self.key(resource_type, &id),
            stamp: self.stamp(&resource, item),
            unnamed,
            body: body.clone(),
            issues: issues.collect(),
            resource,
        })
    }

    fn stamp(&self, resource: &Value, item: &Received) -> Stamp {
        let meta = |name| resource.get("meta").and_then(|m| m.get(name)).and_then(Value::as_str);
        let last_updated = meta("lastUpdated").and_then(parse_moment).map(|moment| moment.from);
        Stamp {
            version_id: meta("versionId").map(Into::into).or_else(|| item.version_id.clone()),
            last_updated: last_updated.or(item.last_modified),
            observed_at: self.observed(item),
        }
    }

    /// What a history states later held earlier, should neither version have a stamp.
    fn observed(&self, item: &Received) -> Timestamp {
        let age = SignedDuration::from_nanos(i64::from(item.newer));
        self.observed_at.checked_sub(age).unwrap_or(self.observed_at)
    }

    /// The record of an entry, and after it those lifted from it.
    fn record(&mut self, mut entry: Entry, full_urls: &FullUrls) {
        let (none, unnamed) = (BTreeMap::new(), BTreeMap::new());
        let contained = Contained::of(&entry.key, &entry.resource);
        let context = Context {
            endpoint: &self.endpoint,
            named: self.named.get(&entry.scope).unwrap_or(&unnamed),
            bases: &self.ingest.bases,
            full_urls: full_urls.get(&entry.scope).unwrap_or(&none),
            base: entry.full_url.as_deref().and_then(base_of),
            contained: &contained,
            container: &entry.key,
        };
        let kind = entry.key.resource_type;
        let found = links(kind.name(), &entry.resource, &context);
        let home = home(&entry.key, &found);
        let about = subject(&found).cloned();
        let mut lifted = Vec::new();
        let mut places = Vec::new();
        for (index, key, body, value) in contained.lifted(&entry.body, &entry.resource) {
            let links = lifted_links(key, value, about.as_ref(), &context);
            lifted.push(lifted_record(&entry, key, body, value, links, &home));
            places.push(index);
        }
        let mut issues = entry.issues;
        issues.extend(subject_issue(&entry.key, &found, &home));
        issues.extend(found.iter().filter_map(|link| dangling(kind, link)));
        let facts = facts::extract(kind, &entry.resource, &entry.resource, found);
        localise(&mut entry.resource, &facts.links, &self.endpoint);
        for (index, inner) in places.into_iter().zip(&lifted) {
            if let Some(value) = entry.resource.pointer_mut(&format!("/contained/{index}")) {
                localise(value, &inner.content.facts.links, &self.endpoint);
            }
        }
        self.out.records.push(SourceRecord {
            key: entry.key,
            parent: None,
            stamp: entry.stamp,
            state: State::Live,
            home,
            hash: content_hash(entry.resource),
            content: Content { body: entry.body, facts, issues },
        });
        self.out.records.append(&mut lifted);
    }

    /// A Provenance lives with what it is about, if that came with it.
    fn house_provenance(&mut self) {
        let provenance = ResourceType::of("Provenance");
        let homes: BTreeMap<RecordKey, Home> = self
            .out
            .records
            .iter()
            .filter(|r| r.home.chart().is_some())
            .map(|r| (r.key.clone(), r.home.clone()))
            .collect();
        let unhoused = self
            .out
            .records
            .iter_mut()
            .filter(|r| r.key.resource_type == provenance && r.home.chart().is_none());
        for record in unhoused {
            let found = record.content.facts.linked(Role::Target).find_map(|to| match to {
                RefTarget::Record(key) => homes.get(key),
                RefTarget::Identified { .. } | RefTarget::External(_) | RefTarget::Dangling(_) => {
                    None
                }
            });
            if let Some(home) = found {
                record.home = home.clone();
            }
        }
    }

    fn quarantine(&mut self, bytes: &Bytes, why: Unusable) {
        let header = resource_header(bytes);
        // Only names that R4 knows: anything else may be patient data in the wrong place.
        let known = header.as_ref().and_then(|h| ResourceType::parse(&h.resource_type));
        self.out.quarantined.push(Quarantined {
            hash: Hash::of_parts([self.endpoint.as_bytes(), bytes]),
            endpoint: self.endpoint.clone(),
            resource_type: known.map_or_else(Box::default, |kind| kind.name().into()),
            id: header.and_then(|h| h.id).unwrap_or_default().into(),
            bytes: bytes.clone(),
            code: why.code,
            reason: why.reason,
            observed_at: self.observed_at,
        });
    }

    fn key(&self, resource_type: ResourceType, id: &str) -> RecordKey {
        RecordKey { endpoint: self.endpoint.clone(), resource_type, id: id.into() }
    }
}

impl Unusable {
    fn new(code: &str, reason: &str) -> Self {
        Self { code: code.into(), reason: reason.into() }
    }
}

/// Resources without id that share an identifier (several results of one accession number) but
/// differ are not versions of one record: their content names them.
fn part_namesakes(entries: &mut [Entry]) {
    let mut hashes: BTreeMap<RecordKey, BTreeSet<Hash>> = BTreeMap::new();
    for entry in entries.iter() {
        let Some(hash) = entry.unnamed else { continue };
        hashes.entry(entry.key.clone()).or_default().insert(hash);
    }
    for entry in entries {
        let Some(hash) = entry.unnamed else { continue };
        if hashes.get(&entry.key).is_some_and(|found| found.len() > 1) {
            entry.key.id = derived_id(hash).into();
        }
    }
}

/// What a contained resource is about goes without saying: what its container is about.
fn is_defaulted(problem: &Problem) -> bool {
    let path = problem.expression.as_str();
    let element = path.rsplit('.').next().unwrap_or(path);
    problem.code == "required"
        && path.contains(".contained[")
        && ["subject", "patient", "for"].contains(&element)
}

fn full_urls(entries: &[Entry]) -> FullUrls {
    let mut found = FullUrls::new();
    for entry in entries {
        let Some(url) = &entry.full_url else {
            continue;
        };
        let url = match parse_reference(url) {
            Reference::Absolute { base, resource_type, id, .. } => {
                format!("{base}/{resource_type}/{id}")
            }
            _ => url.clone(),
        };
        // Two resources under one URL are an error of the sender; the smaller key is as good
        // as the other, and does not depend on the order.
        let known = found.entry(entry.scope).or_default().entry(url);
        known
            .and_modify(|key| *key = entry.key.clone().min(key.clone()))
            .or_insert_with(|| entry.key.clone());
    }
    found
}

fn base_of(full_url: &str) -> Option<&str> {
    match parse_reference(full_url) {
        Reference::Absolute { base, .. } => Some(base),
        _ => None,
    }
}

/// The references of a contained resource. What it is about is what its container is about,
/// unless it names a patient outside.
fn lifted_links(
    key: &RecordKey,
    resource: &Value,
    about: Option<&RefTarget>,
    context: &Context<'_>,
) -> Vec<Link> {
    let kind = key.resource_type.name();
    let mut found = links(kind, resource, context);
    let (Some(about), false) = (about, kind == "Patient") else {
        return found;
    };
    let element = if kind == "Task" { "for" } else { "subject" };
    let stated = resource.get(element).and_then(|s| s.get("reference")).and_then(Value::as_str);
    let inside = stated.is_some_and(|literal| literal.starts_with('#'));
    let pointer: Box<str> = format!("/{element}").into();
    if inside {
        found.retain(|link| link.pointer != pointer);
    }
    if inside || !found.iter().any(|link| link.role == Role::Subject) {
        found.insert(0, Link { role: Role::Subject, pointer, to: about.clone() });
    }
    found
}

fn lifted_record(
    parent: &Entry,
    key: &RecordKey,
    body: Bytes,
    resource: &Value,
    links: Vec<Link>,
    parent_home: &Home,
) -> SourceRecord {
    let named = home(key, &links);
    let home = match (&named, parent_home) {
        (Home::Shared(_), Home::Chart(_)) => parent_home.clone(),
        _ => named,
    };
    let issues = links.iter().filter_map(|link| dangling(key.resource_type, link)).collect();
    let mut content = resource.clone();
    localise(&mut content, &links, &key.endpoint);
    SourceRecord {
        key: key.clone(),
        parent: Some(parent.key.clone()),
        stamp: parent.stamp.clone(),
        state: State::Live,
        home,
        hash: content_hash(content),
        content: Content {
            body,
            facts: facts::extract(key.resource_type, resource, &parent.resource, links),
            issues,
        },
    }
}

fn dangling(kind: ResourceType, link: &Link) -> Option<RecordIssue> {
    let RefTarget::Dangling(_) = link.to else {
        return None;
    };
    Some(RecordIssue {
        code: "not-found".into(),
        expression: expression(kind, &link.pointer),
        text: "refers to something that was not sent with it; send both in one Bundle".into(),
    })
}

/// `/target/0/detail` → `Goal.target[0].detail`.
fn expression(kind: ResourceType, pointer: &str) -> Box<str> {
    let mut path = kind.name().to_owned();
    for step in pointer.split('/').skip(1) {
        if step.bytes().all(|b| b.is_ascii_digit()) {
            path.push_str(&format!("[{step}]"));
        } else {
            path.push('.');
            path.push_str(step);
        }
    }
    path.into()
}
