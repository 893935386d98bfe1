//! The person under the loom: all current claims, and what each reference stands for.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::compare::{Likeness, clinical_text, likeness};
use crate::fhir::ResourceType;
use crate::flow::{
    ChartKey, DIRECTORY_TYPES, DerivedId, IdKey, Identifier, Link, RecordKey, RefTarget, Role,
};

use super::claim::Claim;
use super::input::{EndpointFacts, Outside, Standing};
use super::overrides::Overrides;
use super::policy::Policy;
use super::provenance::unaddressed;

/// All claims of one person (or one directory entry), sorted by key, with their groups.
pub(super) struct Person<'a> {
    pub(super) claims: Vec<Claim<'a>>,
    /// Groups found so far; a type's groups come after those of the types it looks at.
    pub(super) groups: Vec<Group>,
    /// The group of each claim.
    pub(super) group_of: Vec<Option<usize>>,
    /// Pairs of claims that a rule found related, and which disagree.
    pub(super) related: Vec<Related>,
    /// What stewards decided about conflicts of this person.
    pub(super) overrides: Overrides,
    pub(super) policy: &'a Policy,
    pub(super) ids: &'a IdKey,
    pub(super) endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    outside: &'a dyn Outside,
    charts: BTreeSet<ChartKey>,
    by_key: HashMap<&'a RecordKey, usize>,
    by_identifier: HashMap<(&'a str, &'a str, &'a str), Vec<usize>>,
    standings: RefCell<HashMap<RecordKey, Standing>>,
    systems: RefCell<HashMap<RecordKey, BTreeSet<Arc<str>>>>,
    /// Groups of problems by what a reference calls them.
    called: RefCell<HashMap<String, Vec<usize>>>,
    /// The endpoints at which this person's records refer to a member of a directory entry.
    held_at: OnceCell<HashMap<DerivedId, BTreeSet<Arc<str>>>>,
}

/// Claims that state one thing.
pub(super) struct Group {
    pub(super) resource_type: ResourceType,
    /// Live members by key, each with the rule that put it here.
    pub(super) members: Vec<(usize, &'static str)>,
    /// Members whose source has withdrawn its claim.
    pub(super) withdrawn: Vec<(usize, &'static str)>,
    /// The member whose id is shown: for ids only, because it depends on what came first.
    pub(super) shown: usize,
}

impl Group {
    /// All that state it or once did.
    pub(super) fn all(&self) -> impl Iterator<Item = usize> {
        self.members.iter().chain(&self.withdrawn).map(|(claim, _)| *claim)
    }

    /// The live member with the smallest key.
    pub(super) fn first(&self) -> usize {
        self.members.first().map_or(self.shown, |(claim, _)| *claim)
    }
}

/// Two claims about related things that do not agree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Related {
    pub(super) rule: &'static str,
    pub(super) a: usize,
    pub(super) b: usize,
}

/// What a reference stands for, comparable across endpoints.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Canon {
    /// A group of this person.
    Group(usize),
    /// A directory entry, by its shown id.
    Directory(DerivedId),
    /// A record of which no more is known than its key.
    Record(RecordKey),
    /// A name that nothing held answers to.
    Named(Box<str>, Box<str>),
    /// A URL outside.
    Url(Box<str>),
}

impl<'a> Person<'a> {
    pub(super) fn new(
        mut claims: Vec<Claim<'a>>,
        charts: BTreeSet<ChartKey>,
        surroundings: Surroundings<'a>,
    ) -> Self {
        claims.sort_by(|a, b| {
            (a.key().resource_type, a.key()).cmp(&(b.key().resource_type, b.key()))
        });
        let by_key = claims.iter().enumerate().map(|(i, c)| (c.key(), i)).collect();
        let mut by_identifier: HashMap<_, Vec<usize>> = HashMap::new();
        for (i, claim) in claims.iter().enumerate().filter(|(_, c)| c.is_live()) {
            for id in claim.facts.identifiers.iter().filter(|id| !id.system.is_empty()) {
                let key = (claim.endpoint(), &*id.system, &*id.value);
                by_identifier.entry(key).or_default().push(i);
            }
        }
        let Surroundings { outside, endpoints, policy, ids } = surroundings;
        Self {
            group_of: vec![None; claims.len()],
            claims,
            groups: Vec::new(),
            related: Vec::new(),
            overrides: Overrides::default(),
            policy,
            ids,
            endpoints,
            outside,
            charts,
            by_key,
            by_identifier,
            standings: RefCell::default(),
            systems: RefCell::default(),
            called: RefCell::default(),
            held_at: OnceCell::new(),
        }
    }

    /// The claim with this key.
    pub(super) fn claim_of(&self, key: &RecordKey) -> Option<usize> {
        self.by_key.get(key).copied()
    }

    /// Whether a record is the Patient of one of the person's charts, come or not.
    pub(super) fn is_own_patient(&self, key: &RecordKey) -> bool {
        key.resource_type.name() == "Patient"
            && self
                .charts
                .contains(&ChartKey { endpoint: key.endpoint.clone(), patient: key.id.clone() })
    }

    /// The charts of the person, sorted.
    pub(super) fn charts(&self) -> impl Iterator<Item = &ChartKey> {
        self.charts.iter()
    }

    /// The group of the person's Patients, which is made first.
    pub(super) fn patient_group(&self) -> Option<usize> {
        self.groups.iter().position(|g| g.resource_type.name() == "Patient")
    }

    /// What a record that is not this person's stands for.
    pub(super) fn standing(&self, key: &RecordKey) -> Standing {
        if let Some(known) = self.standings.borrow().get(key) {
            return known.clone();
        }
        let standing = self.outside.stands_for(key);
        self.standings.borrow_mut().insert(key.clone(), standing.clone());
        standing
    }

    /// The one record that an identifier names within an endpoint: this person's first.
    pub(super) fn identified(
        &self,
        endpoint: &str,
        resource_type: Option<ResourceType>,
        identifier: &Identifier,
    ) -> Option<RecordKey> {
        if identifier.system.is_empty() {
            return None;
        }
        let key = (endpoint, &*identifier.system, &*identifier.value);
        let fits =
            |i: &&usize| resource_type.is_none_or(|t| self.claims[**i].key().resource_type == t);
        let mut own = self.by_identifier.get(&key).into_iter().flatten().filter(fits);
        match (own.next(), own.next()) {
            (Some(&only), None) => Some(self.claims[only].key().clone()),
            (Some(_), Some(_)) => None,
            (None, _) => self.outside.identified(endpoint, resource_type, identifier),
        }
    }

    /// Whether a reference of a claim is to the person, however it is put.
    pub(super) fn is_to_self(&self, claim: &Claim<'_>, link: &Link) -> bool {
        match &link.to {
            RefTarget::Record(key) => self.is_own_patient(key),
            // The chart is known by nothing else, so its subject is what the chart is.
            RefTarget::Identified { resource_type, .. } => {
                link.role == Role::Subject
                    && resource_type.is_none_or(|t| t.name() == "Patient")
                    && claim.header.home().chart().is_some_and(ChartKey::is_by_identifier)
            }
            RefTarget::External(_) | RefTarget::Dangling(_) => false,
        }
    }

    /// What a reference stands for, as far as is known; `None` if it leads nowhere.
    pub(super) fn canon(&self, claim: &Claim<'_>, target: &RefTarget) -> Option<Canon> {
        match target {
            RefTarget::Record(key) => Some(self.canon_of_record(key)),
            RefTarget::Identified { resource_type, identifier } => {
                match self.identified(claim.endpoint(), *resource_type, identifier) {
                    Some(key) => Some(self.canon_of_record(&key)),
                    None if identifier.system.is_empty() => None,
                    None => Some(Canon::Named(identifier.system.clone(), identifier.value.clone())),
                }
            }
            RefTarget::External(url) => Some(Canon::Url(url.clone())),
            RefTarget::Dangling(_) => None,
        }
    }

    fn canon_of_record(&self, key: &RecordKey) -> Canon {
        if let Some(group) = self.claim_of(key).and_then(|i| self.group_of[i]) {
            return Canon::Group(group);
        }
        if self.is_own_patient(key) {
            return self.patient_group().map_or(Canon::Record(key.clone()), Canon::Group);
        }
        if self.claim_of(key).is_some() {
            return Canon::Record(key.clone());
        }
        match self.standing(key) {
            Standing::Directory(_, shown) => Canon::Directory(shown),
            Standing::OtherPerson(_) | Standing::Stored | Standing::Unknown => {
                Canon::Record(key.clone())
            }
        }
    }

    /// What the references of a role stand for, sorted.
    pub(super) fn canons(&self, claim: &Claim<'_>, role: Role) -> BTreeSet<Canon> {
        claim.facts.linked(role).filter_map(|t| self.canon(claim, t)).collect()
    }

    /// The groups of problems that are called so by a member. Problems are grouped before what
    /// addresses them, so what was found once stays.
    pub(super) fn problems_called(&self, name: &str) -> Vec<usize> {
        if let Some(known) = self.called.borrow().get(name) {
            return known.clone();
        }
        let text = clinical_text(name);
        let is_called = |group: &Group| {
            group.members.iter().any(|(member, _)| {
                let facts = self.claims[*member].facts;
                let other_names = facts.codes.iter().filter(|t| t.system.is_empty());
                let mut names = other_names.map(|t| &*t.code).chain([&*facts.text]);
                names.any(|n| likeness(n, &text) == Likeness::Alike)
            })
        };
        let problems = self.groups.iter().enumerate();
        let problems = problems.filter(|(_, g)| g.resource_type.name() == "Condition");
        let found: Vec<usize> = problems.filter(|(_, g)| is_called(g)).map(|(n, _)| n).collect();
        self.called.borrow_mut().insert(name.to_owned(), found.clone());
        found
    }

    /// Whether two directory entries are known to be two: one endpoint has both.
    pub(super) fn are_kept_apart(&self, a: DerivedId, b: DerivedId) -> bool {
        let held_at = self.held_at.get_or_init(|| self.read_held_at());
        let of = |id: &DerivedId| held_at.get(id);
        a != b && of(&a).zip(of(&b)).is_some_and(|(a, b)| !a.is_disjoint(b))
    }

    fn read_held_at(&self) -> HashMap<DerivedId, BTreeSet<Arc<str>>> {
        let mut held_at: HashMap<DerivedId, BTreeSet<Arc<str>>> = HashMap::new();
        for target in self.claims.iter().flat_map(|c| &c.facts.links).map(|link| &link.to) {
            if let RefTarget::Record(key) = target
                && DIRECTORY_TYPES.contains(&key.resource_type.name())
                && let Standing::Directory(_, shown) = self.standing(key)
            {
                held_at.entry(shown).or_default().insert(key.endpoint.clone());
            }
        }
        held_at
    }

    /// The endpoints that are the system of those who play a role in a claim.
    pub(super) fn systems_of(&self, claim: &Claim<'_>, role: Role) -> BTreeSet<Arc<str>> {
        let mut systems = BTreeSet::new();
        for target in claim.facts.linked(role) {
            let record = match target {
                RefTarget::Record(key) => Some(key.clone()),
                RefTarget::Identified { resource_type, identifier } => {
                    systems.extend(self.run_by(identifier));
                    self.identified(claim.endpoint(), *resource_type, identifier)
                }
                RefTarget::External(_) | RefTarget::Dangling(_) => None,
            };
            if let Some(key) = record.filter(|key| self.claim_of(key).is_none()) {
                let mut known = self.systems.borrow_mut();
                let of_record =
                    known.entry(key).or_insert_with_key(|key| self.outside.systems_of(key));
                systems.extend(of_record.iter().cloned());
            }
        }
        systems
    }

    /// The endpoints that are configured as the system of the organization of this identifier.
    fn run_by<'b>(&'b self, identifier: &'b Identifier) -> impl Iterator<Item = Arc<str>> + 'b {
        let run = self.endpoints.iter().filter(|(_, facts)| {
            facts.organizations.iter().any(|o| crate::compare::same_identifier(o, identifier))
        });
        run.map(|(endpoint, _)| endpoint.clone())
    }

    /// The claim's own address at its endpoint, if that is configured.
    pub(super) fn url(&self, key: &RecordKey) -> Option<String> {
        source_url(self.endpoints, key)
    }
}

/// What a person is woven among.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) outside: &'a dyn Outside,
    pub(super) endpoints: &'a BTreeMap<Arc<str>, EndpointFacts>,
    pub(super) policy: &'a Policy,
    pub(super) ids: &'a IdKey,
}

/// The address of a source record at its endpoint; a lifted one is a fragment of its parent. One
/// that only gets files may have no base URL; its records are named all the same.
pub(super) fn source_url(
    endpoints: &BTreeMap<Arc<str>, EndpointFacts>,
    key: &RecordKey,
) -> Option<String> {
    let base = match endpoints.get(&key.endpoint)?.base_url.trim_end_matches('/') {
        "" => unaddressed(&key.endpoint),
        base => base.to_owned(),
    };
    match key.id.contains('#') {
        true => Some(format!("{base}/{}", key.id)),
        false => Some(format!("{base}/{}/{}", key.resource_type, key.id)),
    }
}
