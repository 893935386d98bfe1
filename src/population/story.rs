//! The story of one person: everything the organisations state about them.

use serde_json::Value;

use super::conditions::Stated;
use super::directory::Directory;
use super::person::Person;
use super::rng::Rng;
use super::world::{World, to};
use super::{clinical, conditions, gaps, goals, observations, orders, plans, records, tasks};

/// What is known of one person while their records are being made.
pub(super) struct Story<'a> {
    pub(super) world: &'a mut World,
    pub(super) directory: &'a Directory,
    pub(super) person: &'a Person,
    pub(super) rng: Rng,
    /// Their Patient, per organisation.
    pub(super) patients: [Option<String>; 3],
    pub(super) problems: Vec<Stated>,
    /// Goals, per organisation.
    pub(super) goals: [Vec<String>; 3],
    /// Orders, per organisation.
    pub(super) orders: [Vec<String>; 3],
    /// Care teams, per organisation.
    pub(super) teams: [Option<String>; 3],
}

/// Makes all records of a person.
pub(super) fn tell(world: &mut World, directory: &Directory, person: &Person, seed: u64) {
    let number = u64::try_from(person.number).unwrap_or(0);
    let mut story = Story {
        world,
        directory,
        person,
        rng: Rng::new(seed, 0x10_0000 + number),
        patients: [None, None, None],
        problems: Vec::new(),
        goals: [Vec::new(), Vec::new(), Vec::new()],
        orders: [Vec::new(), Vec::new(), Vec::new()],
        teams: [None, None, None],
    };
    story.register();
    records::tell(&mut story);
    conditions::tell(&mut story);
    goals::tell(&mut story);
    orders::tell(&mut story);
    tasks::tell(&mut story);
    plans::tell(&mut story);
    observations::tell(&mut story);
    clinical::tell(&mut story);
    gaps::tell(&mut story);
    records::tell_unusable(&mut story);
}

impl Story<'_> {
    fn register(&mut self) {
        let fact = self.world.fact("person");
        for at in self.places() {
            let custodian = &self.directory.custodians[at][at];
            let patient = self.person.patient(at, custodian, &mut self.rng);
            let reference = self.world.add(at, fact, patient);
            self.world.patient(at, &reference, self.person.number);
            self.patients[at] = Some(reference);
        }
    }

    /// The organisations that know the person.
    pub(super) fn places(&self) -> Vec<usize> {
        self.person.seen_at.clone()
    }

    /// Whether this organisation knows the person.
    pub(super) fn knows(&self, at: usize) -> bool {
        self.person.seen_at.contains(&at)
    }

    /// Those of the organisations that know the person.
    pub(super) fn among(&self, organisations: &[usize]) -> Vec<usize> {
        organisations.iter().copied().filter(|at| self.knows(*at)).collect()
    }

    /// The person as one organisation refers to them.
    pub(super) fn subject(&self, at: usize) -> Value {
        to(self.patients[at].as_deref().unwrap_or_default())
    }

    /// The person's doctor at an organisation, as that organisation refers to them.
    pub(super) fn doctor(&self, at: usize) -> String {
        self.doctor_seen_from(at, at)
    }

    /// The person's doctor at one organisation, as another refers to them.
    pub(super) fn doctor_seen_from(&self, of: usize, at: usize) -> String {
        self.directory.practitioners[of * 4 + self.person.number % 4][at].clone()
    }

    /// An organisation, as another refers to it.
    pub(super) fn custodian(&self, of: usize, at: usize) -> Value {
        to(&self.directory.custodians[of][at])
    }

    /// The day this many days ago, as text.
    pub(super) fn day(&self, ago: i64) -> String {
        self.world.day(ago).to_string()
    }

    /// A moment on the day this many days ago.
    pub(super) fn moment(&self, ago: i64, hour: i64) -> String {
        format!("{}T{:02}:15:00Z", self.world.day(ago), hour.rem_euclid(24))
    }

    /// The record of a problem at an organisation, if it has one.
    pub(super) fn problem_at(&self, index: usize, at: usize) -> Option<&str> {
        self.problems.get(index).and_then(|p| p.references[at].as_deref())
    }
}
