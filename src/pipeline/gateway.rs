//! The gateway: a store with the policy, the model and the endpoints that go with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::care::Care;
use crate::config::{EndpointKind, SecondReviewer};
use crate::fhir::Validator;
use crate::fhir::search::SearchTable;
use crate::fhir::{Reference, parse_reference};
use crate::flow::{Access, Decision, DisclosureClass, Hash, RecordKey, ViewStamp};
use crate::identity::Model;
use crate::ingest::Ingest;
use crate::reconcile::{EndpointFacts, Policy, UNADDRESSED, WEAVE_VERSION};
use crate::store::{AuditEntry, Cursor, Store, StoreError};
use crate::telemetry::FlowMetrics;

use super::audit::AuditWriter;
use super::ingest::FILES;
use super::stop::Stop;
use super::turns::Turns;

/// What a gateway is made of.
pub struct GatewayOptions {
    /// What all links begin with, without trailing slash.
    pub public_base_url: String,
    /// The endpoints.
    pub endpoints: Vec<EndpointSettings>,
    /// Weights and thresholds of matching.
    pub model: Model,
    /// Survivorship and finding rules.
    pub policy: Policy,
    /// The day to weave for; `None`: today, in UTC.
    pub as_of: Option<Date>,
}

/// What the gateway needs to know of an endpoint.
#[derive(Clone, Debug, Default)]
pub struct EndpointSettings {
    /// Its id.
    pub id: Arc<str>,
    /// Its name, its base URL, its trust, its organizations.
    pub facts: EndpointFacts,
    /// How it is read.
    pub kind: EndpointKind,
}

/// The running gateway, shared by API, CLI and workers.
pub struct Gateway {
    store: Arc<dyn Store>,
    options: GatewayOptions,
    facts: BTreeMap<Arc<str>, EndpointFacts>,
    audit: AuditWriter,
    turns: Turns,
    ingest: OnceLock<Arc<Ingest>>,
    validator: OnceLock<Arc<Validator>>,
    stop: Stop,
    metrics: FlowMetrics,
    dirty_homes_max: usize,
    second_reviewer: SecondReviewer,
    care: Arc<Care>,
    homes_per_settle: usize,
    panel_members_max: usize,
    domains: BTreeSet<Box<str>>,
    /// The endpoints' states as of a generation of the store's cursors.
    states: Mutex<Option<(u64, Arc<[EndpointState]>)>>,
    /// Hash of all that views depend on besides sources, links and model.
    rules: Hash,
}

/// How many dirty homes one transaction takes on unless told otherwise.
const HOMES_PER_SETTLE: usize = 64;
/// How many members a panel may have unless told otherwise.
const PANEL_MEMBERS_MAX: usize = 50_000;

/// What is known of an endpoint's freshness; handed out with every answer (P6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointState {
    /// Its id.
    pub id: Arc<str>,
    /// Its name.
    pub name: Box<str>,
    /// Its base URL, without trailing slash; empty if it has none.
    pub base_url: Box<str>,
    /// `complete`, `running`, `never pulled`, `never ingested`, `failed: …` (without patient
    /// data).
    pub state: Box<str>,
    /// Whether its data may be out of date or partial.
    pub stale: bool,
    /// Everything up to here is held.
    pub complete_until: Option<Timestamp>,
}

/// A failed gateway call.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The store failed.
    #[error("the store failed: {0}")]
    Store(#[from] StoreError),
    /// A link that standing no-match decisions forbid; nothing was decided.
    #[error("nothing was decided: standing no-match decisions keep apart whom the link would join")]
    KeptApart(Vec<Decision>),
    /// A link that this steward has proposed already; nothing was decided.
    #[error("{by} has proposed this link; another steward must make it")]
    NeedsAnother {
        /// Who proposed it.
        by: Box<str>,
    },
    /// A name or a note beyond its bound; nothing was written.
    #[error("{what} is longer than {most} characters; make it shorter")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// How many characters it may have.
        most: usize,
    },
    /// A pair has as many notes as it may have.
    #[error("this pair has {most} notes, which is the most; decide about it")]
    TooManyNotes {
        /// How many there may be.
        most: usize,
    },
    /// No view has such a conflict or finding now.
    #[error("no conflict or finding has this id now; careweave review conflicts lists them")]
    NoConflict,
    /// The preferred record is none of the sides; these are.
    #[error("the preferred record is not a side of this conflict")]
    NoSide(Vec<RecordKey>),
    /// The profiles by which claims are checked do not compile.
    #[error("the profiles do not compile: {0}")]
    Profiles(String),
    /// The audit trail takes no entries, so nothing may be disclosed.
    #[error("the audit trail takes no entries; nothing may be disclosed until it does")]
    Audit,
}

impl Gateway {
    /// Puts a gateway on a store.
    pub fn new(store: Arc<dyn Store>, options: GatewayOptions) -> Self {
        let facts = options.endpoints.iter().map(|e| (e.id.clone(), e.facts.clone())).collect();
        let audit = AuditWriter::start(store.clone());
        let rules = rules_of(&options);
        let metrics = FlowMetrics::new(options.endpoints.iter().map(|e| e.id.clone()));
        Self {
            store,
            options,
            facts,
            audit,
            turns: Turns::default(),
            ingest: OnceLock::new(),
            validator: OnceLock::new(),
            stop: Stop::new(),
            metrics,
            dirty_homes_max: usize::MAX,
            second_reviewer: SecondReviewer::Never,
            care: Care::embedded(),
            homes_per_settle: HOMES_PER_SETTLE,
            panel_members_max: PANEL_MEMBERS_MAX,
            domains: BTreeSet::new(),
            states: Mutex::default(),
            rules,
        }
    }

    /// The same with a bound on dirty homes: beyond it a pulled page is accepted only after some
    /// were settled.
    pub fn with_dirty_homes_max(self, dirty_homes_max: usize) -> Self {
        Self { dirty_homes_max, ..self }
    }

    /// The same with a policy of which links need a second steward; without it none does.
    pub fn with_second_reviewer(self, second_reviewer: SecondReviewer) -> Self {
        Self { second_reviewer, ..self }
    }

    /// Which links need a second steward.
    pub(super) fn second_reviewer(&self) -> SecondReviewer {
        self.second_reviewer
    }

    /// The same with other care-management data than what is compiled in.
    pub fn with_care(self, care: Arc<Care>) -> Self {
        Self { care, ..self }
    }

    /// The same with another number of dirty homes that one transaction takes on, which bounds
    /// its memory; 64 without.
    pub fn with_homes_per_settle(self, homes: usize) -> Self {
        Self { homes_per_settle: homes.max(1), ..self }
    }

    /// The same with another number of members that a panel may have; 50,000 without.
    pub fn with_panel_members_max(self, panel_members_max: usize) -> Self {
        Self { panel_members_max, ..self }
    }

    /// How many members a panel may have.
    pub fn panel_members_max(&self) -> usize {
        self.panel_members_max
    }

    /// The same with the systems of identifiers that cross-references are given for; without
    /// them any system is.
    pub fn with_domains(self, domains: impl IntoIterator<Item = Box<str>>) -> Self {
        Self { domains: domains.into_iter().collect(), ..self }
    }

    /// The systems of identifiers that cross-references are given for; none: any.
    pub fn domains(&self) -> &BTreeSet<Box<str>> {
        &self.domains
    }

    /// A gateway on the embedded profiles whose endpoints are in these states.
    #[cfg(test)]
    pub fn for_tests(store: Arc<dyn Store>, states: Vec<EndpointState>) -> Self {
        let mut cursors = crate::store::Accept::default();
        let mut endpoints = Vec::new();
        for state in states {
            let facts = EndpointFacts {
                base_url: state.base_url.to_string(),
                name: state.name.to_string(),
                ..EndpointFacts::default()
            };
            let cursor = crate::flow::Cursor {
                state: state.state,
                complete_until: state.complete_until,
                ..crate::flow::Cursor::default()
            };
            cursors.cursors.insert((state.id.clone(), "endpoint".into()), cursor);
            endpoints.push(EndpointSettings { id: state.id, facts, ..Default::default() });
        }
        store.accept(cursors).expect("a store in a test takes cursors");
        let options = GatewayOptions {
            public_base_url: "http://gateway.test".to_owned(),
            endpoints,
            model: Model::embedded(),
            policy: Policy::embedded(),
            as_of: None,
        };
        Self::new(store, options)
    }

    /// The store, for reads.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What care management goes by.
    pub fn care(&self) -> &Care {
        &self.care
    }

    /// The search parameters in force.
    pub fn search_table(&self) -> &SearchTable {
        SearchTable::embedded()
    }

    /// The match model in force.
    pub fn model(&self) -> &Model {
        &self.options.model
    }

    /// The policy in force.
    pub fn policy(&self) -> &Policy {
        &self.options.policy
    }

    /// What is configured of the endpoints, by id.
    pub fn endpoint_facts(&self) -> &BTreeMap<Arc<str>, EndpointFacts> {
        &self.facts
    }

    /// What all links begin with, without trailing slash: `http://127.0.0.1:8080`.
    pub fn public_base_url(&self) -> &str {
        &self.options.public_base_url
    }

    /// The present moment, in whole milliseconds.
    pub fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
    }

    /// The day views are woven for.
    pub fn today(&self) -> Date {
        self.options.as_of.unwrap_or_else(|| self.now().to_zoned(TimeZone::UTC).date())
    }

    /// What a view woven now is stamped with.
    pub fn view_stamp(&self) -> ViewStamp {
        ViewStamp {
            weave: WEAVE_VERSION,
            policy: self.rules,
            model: self.model().hash(),
            class: DisclosureClass::Full,
            as_of: self.today(),
        }
    }

    /// What the flow did so far.
    pub fn metrics(&self) -> &FlowMetrics {
        &self.metrics
    }

    /// Homes that may be dirty before pulls wait.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    pub(super) fn homes_per_settle(&self) -> usize {
        self.homes_per_settle
    }

    pub(super) fn dirty_homes_max(&self) -> usize {
        self.dirty_homes_max
    }

    /// Has work under way end at its next safe point: pulls after the page in hand, settling
    /// after the batch in hand. It does not begin again.
    pub fn stop(&self) {
        self.stop.tell();
    }

    /// Whether the gateway was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_told()
    }

    /// Returns when the gateway is told to stop.
    pub async fn stopping(&self) {
        self.stop.told().await;
    }

    /// Whether the audit trail took what came last.
    pub(super) fn audit_takes_entries(&self) -> bool {
        self.audit.takes_entries()
    }

    /// The configured endpoints.
    pub(super) fn endpoints(&self) -> &[EndpointSettings] {
        &self.options.endpoints
    }

    /// What reads the claims of clients, once it is made.
    pub(super) fn ingest_cell(&self) -> &OnceLock<Arc<Ingest>> {
        &self.ingest
    }

    /// What validates resources, once it is made.
    pub(super) fn validator_cell(&self) -> &OnceLock<Arc<Validator>> {
        &self.validator
    }

    /// Writes an audit entry; returns when it is durable. Entries are committed in groups.
    ///
    /// # Errors
    /// When the store fails: nothing may be disclosed then.
    pub async fn audit(&self, entry: AuditEntry) -> Result<(), GatewayError> {
        self.audit.append(entry).await
    }

    /// Writes an audit entry and tells whether it is durable: `false` means that nothing may be
    /// disclosed. For blocking threads: who waits for the answer is woken once.
    pub fn audit_then(&self, entry: AuditEntry, tell: impl FnOnce(bool) + Send + 'static) {
        self.audit.append_then(entry, tell);
    }

    /// The state of every configured endpoint, by id; the same `Arc` as long as no cursor is
    /// stored.
    pub fn endpoint_states(&self) -> Arc<[EndpointState]> {
        // Before the cursors: those of a later commit may be among what is read, never the other
        // way round.
        let generation = self.store.cursors_generation();
        let mut known = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, states)) = known.as_ref()
            && *of == generation
        {
            return states.clone();
        }
        let mut failed = false;
        let states = self.options.endpoints.iter().map(|endpoint| {
            let cursors = self.store.cursors(&Access::system(), &endpoint.id);
            failed |= cursors.is_err();
            state_of(endpoint, cursors.unwrap_or_default())
        });
        let states: Arc<[EndpointState]> = states.collect();
        // What could not be read is tried again.
        *known = (!failed).then(|| (generation, states.clone()));
        states
    }

    /// The source record that an absolute URL under one of the endpoints' bases names, or that we
    /// name for want of a base.
    pub fn record_of_url(&self, url: &str) -> Option<RecordKey> {
        if let Some((endpoint, local)) =
            url.strip_prefix(UNADDRESSED).and_then(|named| named.split_once('/'))
        {
            let Reference::Relative { resource_type, id, .. } = parse_reference(local) else {
                return None;
            };
            let (endpoint, facts) = self.facts.get_key_value(endpoint)?;
            let named = facts.base_url.is_empty();
            return named.then(|| RecordKey::new(endpoint, resource_type, id));
        }
        let Reference::Absolute { base, resource_type, id, .. } = parse_reference(url) else {
            return None;
        };
        let base = base.trim_end_matches('/');
        let endpoint = self.options.endpoints.iter().find(|e| e.facts.base_url == base)?;
        Some(RecordKey::new(&endpoint.id, resource_type, id))
    }
}

/// The state of a client.
const WRITES: &str = "writes";

fn state_of(endpoint: &EndpointSettings, mut cursors: BTreeMap<Arc<str>, Cursor>) -> EndpointState {
    // Files that came besides do not make what is pulled any more or less complete.
    let besides = match endpoint.kind {
        EndpointKind::Files | EndpointKind::Client => None,
        EndpointKind::Fhir | EndpointKind::Bulk | EndpointKind::Feed => cursors.remove(FILES),
    };
    let worst = cursors.values().map(|c| &*c.state).find(|state| *state != "complete");
    let state = match (worst, endpoint.kind, besides) {
        (Some(state), ..) => state,
        (None, ..) if !cursors.is_empty() => "complete",
        (None, EndpointKind::Files, _) => "never ingested",
        // What a client has to say it writes: nothing of it can be missing here.
        (None, EndpointKind::Client, _) => WRITES,
        (None, _, Some(_)) => "never pulled: only files were ingested",
        (None, _, None) => "never pulled",
    };
    EndpointState {
        id: endpoint.id.clone(),
        name: endpoint.facts.name.as_str().into(),
        base_url: endpoint.facts.base_url.as_str().into(),
        state: state.into(),
        stale: state != "complete" && state != WRITES,
        complete_until: cursors.values().filter_map(|c| c.complete_until).min(),
    }
}

/// Policy, what is configured of the endpoints, and the search parameters by whose place values
/// are stored.
fn rules_of(options: &GatewayOptions) -> Hash {
    let mut endpoints: Vec<String> =
        options.endpoints.iter().map(|e| format!("{} {:?}", e.id, e.facts)).collect();
    endpoints.sort();
    let policy = options.policy.hash().0.to_be_bytes();
    let search = SearchTable::embedded().fingerprint().to_be_bytes();
    let parts = [policy.as_slice(), search.as_slice()];
    Hash::of_parts(parts.into_iter().chain(endpoints.iter().map(String::as_bytes)))
}
