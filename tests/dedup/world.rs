//! One person seen at several endpoints: who states what, and which statements are one fact.

use serde_json::{Value, json};

use crate::random::Rng;

/// How an endpoint writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Snomed,
    Icd,
    Both,
    TextOnly,
}

pub(crate) struct Site {
    pub(crate) name: &'static str,
    pub(crate) coding: Coding,
    /// Drugs, tests and the like by code; else by text only.
    pub(crate) codes_orders: bool,
    pub(crate) us_units: bool,
    pub(crate) moments: bool,
    pub(crate) upper: bool,
    pub(crate) displays: bool,
}

pub(crate) const SITES: [&str; 6] = ["alder", "birch", "cedar", "dogwood", "elm", "fir"];

/// One resource as one endpoint states it; `fact` is what it truly states, `None` once retracted.
pub(crate) struct Statement {
    pub(crate) site: usize,
    pub(crate) body: Value,
    pub(crate) fact: Option<usize>,
    /// What was changed in it, where the generator tells.
    pub(crate) changes: Vec<&'static str>,
}

/// A thing that is true of the person, where its statements can be referred to.
#[derive(Clone)]
pub(crate) struct Fact {
    pub(crate) id: usize,
    pub(crate) kind: &'static str,
    /// Sites that state it.
    pub(crate) sites: Vec<usize>,
}

pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) sites: Vec<Site>,
    pub(crate) statements: Vec<Statement>,
    facts: usize,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng(seed);
        let count = 2 + rng.below(5);
        let codings = [Coding::Snomed, Coding::Icd, Coding::Both, Coding::TextOnly];
        let sites = SITES[..count].iter().map(|name| Site {
            name,
            coding: codings[[0, 0, 0, 1, 1, 2, 2, 3][rng.below(8)]],
            codes_orders: rng.percent(75),
            us_units: rng.percent(40),
            moments: rng.percent(50),
            upper: rng.percent(15),
            displays: rng.percent(60),
        });
        let sites = sites.collect();
        let mut world = Self { rng, sites, statements: Vec::new(), facts: 0 };
        for site in 0..count {
            let patient = json!({"resourceType": "Patient", "id": "p",
                "name": [{"family": "Vale", "given": ["Ida"]}]});
            world.statements.push(Statement {
                site,
                body: patient,
                fact: None,
                changes: Vec::new(),
            });
        }
        world
    }

    /// A new fact, known at some of the sites: mostly at two or more.
    pub(crate) fn fact(&mut self, kind: &'static str) -> Fact {
        let all: Vec<usize> = (0..self.sites.len()).collect();
        let n = match self.rng.below(10) {
            0..=1 => 1,
            2..=6 => 2,
            _ => 2 + self.rng.below(all.len() - 1),
        };
        let sites = self.rng.some(&all, n).into_iter().copied().collect();
        self.fact_at(kind, sites)
    }

    pub(crate) fn fact_at(&mut self, kind: &'static str, sites: Vec<usize>) -> Fact {
        self.facts += 1;
        Fact { id: self.facts, kind, sites }
    }

    /// The id of the fact's record at a site: nothing in common with its id elsewhere.
    pub(crate) fn id(&self, fact: &Fact, site: usize) -> String {
        let mixed = (fact.id as u64).wrapping_mul(0x9E37_79B9).rotate_left(site as u32 * 5 + 1);
        match site % 3 {
            0 => format!("{}", mixed % 1_000_003),
            1 => format!("{}-{:x}", &fact.kind[..2].to_lowercase(), mixed),
            _ => format!("{:08x}-0000-4000-8000-{:012x}", mixed as u32, fact.id * 7 + site),
        }
    }

    pub(crate) fn reference(&self, fact: &Fact, site: usize) -> Option<Value> {
        let known = fact.sites.contains(&site);
        known.then(|| json!({"reference": format!("{}/{}", fact.kind, self.id(fact, site))}))
    }

    /// States the fact at each of its sites as `render` writes it there.
    pub(crate) fn state(&mut self, fact: &Fact, mut render: impl FnMut(&mut Self, usize) -> Value) {
        let mut retracted = false;
        for (n, &site) in fact.sites.iter().enumerate() {
            let mut body = render(self, site);
            body["resourceType"] = json!(fact.kind);
            body["id"] = json!(self.id(fact, site));
            let subject = subject_element(fact.kind);
            body[subject] = match fact.kind {
                "Appointment" => json!([{"actor": {"reference": "Patient/p"},
                    "status": "accepted"}]),
                _ => json!({"reference": "Patient/p"}),
            };
            let mut label = Some(fact.id);
            // A site takes back what it said; the others' word stands.
            if n > 0 && !retracted && self.rng.percent(3) && retract(&mut body, fact.kind) {
                retracted = true;
                label = None;
            }
            self.statements.push(Statement { site, body, fact: label, changes: Vec::new() });
        }
    }

    /// Text as this site would write it.
    pub(crate) fn text(&mut self, site: usize, variants: &[&str]) -> String {
        let text = *self.rng.one(variants);
        self.written(site, text)
    }

    pub(crate) fn written(&mut self, site: usize, text: &str) -> String {
        let mut text = text.to_owned();
        if self.sites[site].upper {
            text = text.to_uppercase();
        }
        match self.rng.below(10) {
            0 => text.push('.'),
            1 => text = text.replace(' ', "  "),
            2 => text = format!("{text} "),
            _ => {}
        }
        // No value may end in white space.
        text.trim().to_owned()
    }

    /// A day, or a moment of it, as the site writes them.
    pub(crate) fn date(&self, site: usize, day: i32) -> String {
        let date = calendar(day);
        if self.sites[site].moments {
            // One moment, told in the site's own zone.
            let hour = 14 + day.rem_euclid(7);
            if site.is_multiple_of(2) {
                format!("{date}T{hour:02}:15:00Z")
            } else {
                format!("{date}T{:02}:15:00-05:00", hour - 5)
            }
        } else {
            date
        }
    }

    /// A date that may have lost its day or its month on the way.
    pub(crate) fn coarse(&mut self, site: usize, day: i32) -> String {
        match self.rng.below(10) {
            0 => calendar(day)[..4].to_owned(),
            1..=2 => calendar(day)[..7].to_owned(),
            _ => self.date(site, day),
        }
    }

    /// A clinician as the site's own directory has them.
    pub(crate) fn clinician(&self, site: usize, number: usize) -> Value {
        let mut reference = json!({"reference": format!("Practitioner/{site}-{number}")});
        if self.sites[site].displays {
            let (given, family) = CLINICIANS[number];
            reference["display"] = match site % 3 {
                0 => json!(format!("Dr. {given} {family}")),
                1 => json!(format!("{family}, {given} MD")),
                _ => json!(format!("{given} {family}")),
            };
        }
        reference
    }

    pub(crate) fn organization(&self, site: usize, number: usize) -> Value {
        let mut reference = json!({"reference": format!("Organization/{site}-{number}")});
        if self.sites[site].displays {
            reference["display"] = json!(ORGANIZATIONS[number]);
        }
        reference
    }
}

const ORGANIZATIONS: [&str; 6] = [
    "Harbor Health",
    "Northside Clinic",
    "Valley Care Partners",
    "Saint Anne Hospital",
    "City Community Services",
    "Meadow Home Care",
];

pub(crate) const CLINICIANS: [(&str, &str); 8] = [
    ("Maria", "Okafor"),
    ("John", "Lindqvist"),
    ("Priya", "Raman"),
    ("Samuel", "Brandt"),
    ("Helen", "Tran"),
    ("Luis", "Ferreira"),
    ("Grace", "Whitfield"),
    ("Omar", "Haddad"),
];

pub(crate) fn subject_element(kind: &str) -> &'static str {
    match kind {
        "Task" => "for",
        "AllergyIntolerance" | "Immunization" | "Consent" | "EpisodeOfCare" => "patient",
        "Coverage" => "beneficiary",
        "Appointment" => "participant",
        _ => "subject",
    }
}

fn retract(body: &mut Value, kind: &str) -> bool {
    let element = match kind {
        "Goal" => "lifecycleStatus",
        "CarePlan" | "ServiceRequest" | "Task" | "MedicationRequest" | "Observation"
        | "Procedure" | "Immunization" => "status",
        "Condition" | "AllergyIntolerance" => {
            let system = if kind == "Condition" {
                "http://terminology.hl7.org/CodeSystem/condition-ver-status"
            } else {
                "http://terminology.hl7.org/CodeSystem/allergyintolerance-verification"
            };
            body["verificationStatus"] = json!({"coding": [
                {"system": system, "code": "entered-in-error"}]});
            body.as_object_mut().unwrap().remove("clinicalStatus");
            return true;
        }
        _ => return false,
    };
    body[element] = json!("entered-in-error");
    true
}

/// The day so many days after 2022-01-01.
pub(crate) fn calendar(day: i32) -> String {
    (jiff::civil::date(2022, 1, 1) + jiff::Span::new().days(day)).to_string()
}
