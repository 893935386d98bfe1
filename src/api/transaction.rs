//! A transaction: all that its entries write is accepted in one commit, or nothing of it.
//! <https://hl7.org/fhir/R4/http.html#transaction>

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::header;
use axum::response::Response;
use tokio::runtime::Handle;

use crate::fhir::bundle::AnsweredEntry;
use crate::fhir::{Reference, ResourceType, parse_reference};
use crate::flow::{RecordKey, RefTarget};
use crate::store::Issued;

use super::answer::{Interaction, answer};
use super::batch::{conditional_references, preference};
use super::call::Call;
use super::claim::{self, Planned};
use super::create::{self, IF_NONE_EXIST};
use super::entries::{self, Entry, Method, answered_entry, failed_entry, told};
use super::error::ApiError;
use super::inner::ask;
use super::named::Names;
use super::reader::Reader;
use super::respond::Answer;
use super::{Api, body, client, conditional, patch, read, respond, served, write};

/// What an entry is to do.
enum Step {
    /// Write.
    Write(Box<Planned>),
    /// Nothing: what it would create is there, or what it would withdraw is withdrawn.
    Nothing(Box<AnsweredEntry>),
    /// Read, once all is written.
    Read,
}

/// Runs a transaction.
pub(super) async fn run(api: Api, mut call: Call, mut entries: Vec<Entry>) -> Response {
    entries.sort_by_key(|entry| entry.method);
    let writes = entries.iter().any(|entry| !is_read(entry));
    let client = match writes {
        true => client::of(&api, &mut call).map(Some),
        false => Ok(None),
    };
    let client = match client {
        Ok(client) => client.unwrap_or_default(),
        Err(error) => return respond::failure(&error, &call.request_id),
    };
    let about = Interaction { action: "transaction", resource_type: "Bundle" };
    let writing = api.writes.clone().lock_owned().await;
    let within = api.clone();
    answer(api, call, about, move |reader, call| {
        let transaction = Transaction { api: &within, client: &client, entries: &entries };
        let steps = transaction.plan(reader, call)?;
        let answers = transaction.carry_out(reader, call, steps);
        drop(writing);
        answers
    })
    .await
}

struct Transaction<'a> {
    api: &'a Api,
    client: &'a Arc<str>,
    entries: &'a [Entry],
}

impl Transaction<'_> {
    fn plan(&self, reader: &mut Reader<'_>, call: &Call) -> Result<(Vec<Step>, Names), ApiError> {
        let mut names = Names::new();
        let mut steps = Vec::new();
        let mut written: BTreeSet<RecordKey> = BTreeSet::new();
        for entry in self.entries {
            let step = self.step(reader, call, entry, &mut names)?;
            if let Step::Write(plan) = &step
                && !plan.keys.iter().all(|key| written.insert(key.clone()))
            {
                return Err(ApiError::BadBody("two entries write the same resource"));
            }
            steps.push(step);
        }
        let mut literals = Vec::new();
        let resources = self.entries.iter().filter_map(|entry| entry.resource.as_ref());
        resources.for_each(|resource| conditional_references(resource, &mut literals));
        if literals.len() > self.api.options.bundle_entries_max {
            return Err(ApiError::BadBody("it has too many different conditional references"));
        }
        for literal in literals {
            let Reference::Conditional { resource_type, query } = parse_reference(&literal) else {
                continue;
            };
            let found = self.found(call, resource_type, query)?;
            let [id] = found.as_slice() else { return Err(unfit(found.len())) };
            if let Some(target) = target_of(reader, resource_type, id)? {
                names.insert(literal, target);
            }
        }
        Ok((steps, names))
    }

    fn step(
        &self,
        reader: &mut Reader<'_>,
        call: &Call,
        entry: &Entry,
        names: &mut Names,
    ) -> Result<Step, ApiError> {
        if is_read(entry) {
            return Ok(Step::Read);
        }
        let is_create = entry.method == Method::Post && addressed(&entry.url)?.id.is_none();
        if is_create && let Some(existing) = self.existing(reader, call, entry, names)? {
            return Ok(Step::Nothing(Box::new(existing)));
        }
        let Some(mut plan) = self.planned(reader, call, entry)? else {
            return Ok(Step::Nothing(Box::new(withdrawn_already())));
        };
        if let Some(tags) = entry.condition(&header::IF_MATCH) {
            plan.if_match = Some(tags.to_owned());
        }
        plan.within = Some(format!("Bundle.entry[{}].resource", entry.index));
        if let (Some(url), [key], true) = (&entry.full_url, &*plan.keys, plan.resource.is_some()) {
            names.insert(url.clone(), RefTarget::Record(key.clone()));
        }
        Ok(Step::Write(Box::new(plan)))
    }

    /// What an entry writes; `None` if all that it would withdraw is withdrawn.
    fn planned(
        &self,
        reader: &mut Reader<'_>,
        call: &Call,
        entry: &Entry,
    ) -> Result<Option<Planned>, ApiError> {
        let Addressed { resource_type, id, query } = addressed(&entry.url)?;
        let is_change = matches!(entry.method, Method::Put | Method::Patch | Method::Delete);
        let found = match query.filter(|_| is_change && id.is_none()) {
            Some(query) => Some(conditional::one(self.found(call, resource_type, query)?)?),
            None => None,
        };
        let named = || match (id, &found) {
            (Some(id), _) => Ok(id.to_owned()),
            (None, Some(found)) => found.clone().ok_or(ApiError::NotFound),
            (None, None) => {
                Err(ApiError::BadBody("a request.url is Type to create, else Type/id or Type?…"))
            }
        };
        Ok(Some(match (entry.method, entry.resource.clone(), &entry.patch) {
            (Method::Post, Some(resource), _) if id.is_none() => {
                claim::create(reader, self.client, resource_type, resource)?
            }
            (Method::Put, Some(resource), _) => match &found {
                Some(found) => {
                    let found = found.as_deref();
                    conditional::update(reader, self.client, resource_type, found, resource)?
                }
                None => claim::update(reader, self.client, (resource_type, &named()?), resource)?,
            },
            (Method::Patch, _, Some((media, patch))) => {
                let patch = body::patch(media, patch)?;
                patch::plan(reader, self.client, (resource_type, &named()?), &patch, None)?
            }
            (Method::Delete, ..) => {
                return claim::delete(reader, self.client, (resource_type, &named()?));
            }
            _ => return named().and(Err(ApiError::BadBody("POST names a type alone"))),
        }))
    }

    /// What the condition of a create fits already; what refers to the entry then names that.
    fn existing(
        &self,
        reader: &mut Reader<'_>,
        call: &Call,
        entry: &Entry,
        names: &mut Names,
    ) -> Result<Option<AnsweredEntry>, ApiError> {
        let Addressed { resource_type, query, .. } = addressed(&entry.url)?;
        let stated = entry.condition(&IF_NONE_EXIST).map(str::to_owned);
        let Some(query) = create::both(stated, query.map(str::to_owned)) else { return Ok(None) };
        let Some(id) = conditional::one(self.found(call, resource_type, &query)?)? else {
            return Ok(None);
        };
        let id = &id;
        if let (Some(url), Some(target)) = (&entry.full_url, target_of(reader, resource_type, id)?)
        {
            names.insert(url.clone(), target);
        }
        let base = reader.gateway.public_base_url();
        let place = format!("{base}/fhir/{resource_type}/{id}");
        let mut answer = read::read_row(reader, call, resource_type, id)?;
        if call.prefers("return").as_deref() != Some("representation") {
            answer.body = bytes::Bytes::new();
        }
        Ok(Some(answered_entry(&told(answer.header(header::LOCATION, &place)))))
    }

    fn carry_out(
        &self,
        reader: &mut Reader<'_>,
        call: &mut Call,
        (steps, names): (Vec<Step>, Names),
    ) -> Result<Answer, ApiError> {
        let mut planned = Vec::new();
        let mut answers = Vec::new();
        let mut of_plan = Vec::new();
        for (entry, step) in self.entries.iter().zip(steps) {
            match step {
                Step::Write(plan) => {
                    planned.push(*plan);
                    of_plan.push(entry.index);
                }
                Step::Nothing(answer) => answers.push((entry.index, *answer)),
                Step::Read => {}
            }
        }
        if !planned.is_empty() {
            write::carry_out(reader, self.client, &planned, &names)?;
        }
        call.prefer(&preference(call));
        for (index, plan) in of_plan.into_iter().zip(&planned) {
            let answer = write::answer_of(reader, call, plan)?;
            answers.push((index, answered_entry(&told(answer))));
        }
        for entry in self.entries.iter().filter(|entry| is_read(entry)) {
            let asked = ask(self.api, call, entry.ask("handling=strict"));
            let answer = match Handle::current().block_on(asked) {
                Ok(answered) => answered_entry(&answered),
                Err(error) => failed_entry(&error, &call.request_id),
            };
            answers.push((entry.index, answer));
        }
        Ok(Answer::resource(entries::response("transaction-response", answers)))
    }

    fn found(
        &self,
        call: &Call,
        resource_type: ResourceType,
        query: &str,
    ) -> Result<Vec<String>, ApiError> {
        Handle::current().block_on(conditional::found(self.api, call, resource_type, query))
    }
}

/// What the URL of an entry names.
struct Addressed<'u> {
    resource_type: ResourceType,
    id: Option<&'u str>,
    query: Option<&'u str>,
}

fn addressed(url: &str) -> Result<Addressed<'_>, ApiError> {
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query).filter(|query| !query.is_empty())),
        None => (url, None),
    };
    let (name, id) = match path.split_once('/') {
        Some((name, id)) => (name, Some(id)),
        None => (path, None),
    };
    Ok(Addressed { resource_type: served::parse(name)?, id, query })
}

fn is_read(entry: &Entry) -> bool {
    matches!(entry.method, Method::Get | Method::Head)
}

fn unfit(found: usize) -> ApiError {
    if found == 0 { ApiError::NoneFits } else { ApiError::SeveralFit }
}

fn withdrawn_already() -> AnsweredEntry {
    let status = axum::http::StatusCode::NO_CONTENT.to_string();
    AnsweredEntry { status, ..AnsweredEntry::default() }
}

/// The record that an id of the view was issued for.
fn target_of(
    reader: &Reader<'_>,
    resource_type: ResourceType,
    id: &str,
) -> Result<Option<RefTarget>, ApiError> {
    let Ok(id) = id.parse() else { return Ok(None) };
    Ok(match reader.store().issued(reader.access, id)? {
        Some(Issued::Record(record)) => Some(RefTarget::Record(record.key)),
        Some(Issued::Made { .. }) => {
            Some(RefTarget::External(format!("{resource_type}/{id}").into()))
        }
        None => None,
    })
}
