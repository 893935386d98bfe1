//! People, and how each organisation writes one down.

use jiff::ToSpan;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::names::{CITIES, FAMILY, FEMALE, MALE, STATE, STREETS};
use super::rng::Rng;
use super::world::{HARBOR, MERCY, SYSTEMS, VALLEY, to};

/// One human.
#[derive(Clone)]
pub(super) struct Person {
    /// Their number; 0 is the showcase.
    pub(super) number: usize,
    /// Where they have been seen.
    pub(super) seen_at: Vec<usize>,
    given: String,
    nickname: String,
    middle: char,
    family: String,
    suffix: &'static str,
    female: bool,
    birth: Date,
    twin: bool,
    ssn: String,
    member: String,
    phone: String,
    home: Home,
    former_home: Home,
}

#[derive(Clone)]
struct Home {
    line: String,
    city: &'static str,
    postcode: &'static str,
}

/// Persons 1 and 2 are twins, 3 and 4 father and son of one name: look-alikes on purpose.
const TWIN: usize = 2;
const SENIOR: usize = 3;
const JUNIOR: usize = 4;

/// Makes people. Each depends on the seed and their number only.
pub(super) fn people(seed: u64, count: usize, today: Date) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::with_capacity(count);
    for number in 0..count {
        let person = match number {
            TWIN => twin_of(&person(seed, 1, today), seed),
            JUNIOR => junior_of(&people[SENIOR], seed),
            _ => person(seed, number, today),
        };
        people.push(person);
    }
    people
}

fn person(seed: u64, number: usize, today: Date) -> Person {
    let mut rng = Rng::new(seed, 0x1000 + u64::try_from(number).unwrap_or(0));
    let female = rng.chance(52);
    let (given, nickname) = *rng.pick(if female { &FEMALE } else { &MALE });
    let family = *rng.pick(&FAMILY);
    let age_days = rng.between(28 * 365, 91 * 365);
    let letter = u32::try_from(rng.below(26)).unwrap_or(0);
    let mut person = Person {
        number,
        seen_at: seen_at(number, &mut rng),
        given: given.to_owned(),
        nickname: nickname.to_owned(),
        middle: char::from_u32(u32::from('A') + letter).unwrap_or('A'),
        family: family.to_owned(),
        suffix: "",
        female,
        birth: today.saturating_sub(age_days.days()),
        twin: false,
        ssn: ssn(&mut rng),
        member: member(&mut rng),
        phone: format!("330555{}", rng.between(2000, 9899)),
        home: home(&mut rng),
        former_home: home(&mut rng),
    };
    match number {
        0 => {
            person.call("Josephine", "Josie");
            person.female = true;
            person.family = "Núñez".to_owned();
        }
        1 => {
            person.call("Marisol", "");
            person.female = true;
            person.twin = true;
        }
        SENIOR => {
            person.call("Theodore", "Theo");
            person.female = false;
            person.suffix = "Sr";
            person.birth = today.saturating_sub((68 * 365 + 40).days());
        }
        _ => {}
    }
    person
}

fn twin_of(first: &Person, seed: u64) -> Person {
    let mut rng = Rng::new(seed, 0x2000);
    Person {
        number: TWIN,
        given: "Marisela".to_owned(),
        ssn: ssn(&mut rng),
        member: member(&mut rng),
        ..first.clone()
    }
}

fn junior_of(senior: &Person, seed: u64) -> Person {
    let mut rng = Rng::new(seed, 0x2001);
    Person {
        number: JUNIOR,
        suffix: "Jr",
        birth: senior.birth.saturating_add((27 * 365 + 90).days()),
        ssn: ssn(&mut rng),
        member: member(&mut rng),
        ..senior.clone()
    }
}

fn seen_at(number: usize, rng: &mut Rng) -> Vec<usize> {
    match number {
        0 => return vec![MERCY, VALLEY, HARBOR],
        1 | TWIN => return vec![MERCY, VALLEY],
        SENIOR | JUNIOR => return vec![MERCY, HARBOR],
        _ => {}
    }
    let left_out = rng.below(3);
    match rng.below(100) {
        0..25 => vec![left_out],
        25..70 => (0..3).filter(|at| *at != left_out).collect(),
        _ => vec![MERCY, VALLEY, HARBOR],
    }
}

/// Area 999 was never issued.
fn ssn(rng: &mut Rng) -> String {
    format!("999-{:02}-{:04}", rng.between(10, 98), rng.between(1001, 9998))
}

fn member(rng: &mut Rng) -> String {
    format!("HHP{:08}", rng.between(10_000_000, 99_999_999))
}

fn home(rng: &mut Rng) -> Home {
    let (city, postcode) = *rng.pick(&CITIES);
    let unit = if rng.chance(20) { format!(" Apt {}", rng.between(1, 40)) } else { String::new() };
    let line = format!("{} {}{unit}", rng.between(11, 2890), rng.pick(&STREETS));
    Home { line, city, postcode }
}

impl Person {
    fn call(&mut self, given: &str, nickname: &str) {
        self.given = given.to_owned();
        self.nickname = nickname.to_owned();
    }

    /// The family name, for others to mention.
    pub(super) fn family(&self) -> &str {
        &self.family
    }

    /// The Patient as one organisation has it.
    pub(super) fn patient(&self, at: usize, custodian: &str, rng: &mut Rng) -> Value {
        let mut patient = json!({
            "resourceType": "Patient",
            "identifier": self.identifiers(at, rng),
            "active": true,
            "name": [self.name(at, rng)],
            "telecom": self.telecom(at, rng),
            "gender": if self.female { "female" } else { "male" },
        });
        let birth = match (at, rng.below(100)) {
            (VALLEY, 0..6) => None,
            (VALLEY, 6..9) => Some(self.birth.year().to_string()),
            _ => Some(self.birth.to_string()),
        };
        if let Some(birth) = birth.or_else(|| (self.number == 0).then(|| self.birth.to_string())) {
            patient["birthDate"] = json!(birth);
        }
        let moved = at == VALLEY && self.number > 4 && rng.chance(25);
        patient["address"] = json!([(if moved { &self.former_home } else { &self.home }).json(at)]);
        if self.twin && at == MERCY {
            patient["multipleBirthInteger"] = json!(if self.number == TWIN { 2 } else { 1 });
        }
        if at == MERCY {
            patient["managingOrganization"] = to(custodian);
        }
        patient
    }

    fn identifiers(&self, at: usize, rng: &mut Rng) -> Value {
        const TYPES: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
        let of = |kind: &str, system: String, value: String| {
            json!({"type": {"coding": [{"system": TYPES, "code": kind}]},
                "system": system, "value": value})
        };
        let number = 70_000 + self.number * 13 + at;
        let mut all = Vec::new();
        if at != HARBOR {
            all.push(of("MR", format!("{}/mrn", SYSTEMS[at]), format!("M{number}")));
        }
        let (ssn, member) = ([70, 25, 45][at], [35, 65, 100][at]);
        if rng.chance(ssn) || self.number == 0 && at == MERCY {
            let system = "http://hl7.org/fhir/sid/us-ssn".to_owned();
            all.push(of("SS", system, self.ssn.clone()));
        }
        if rng.chance(member) || self.number == 0 {
            all.push(of("MB", format!("{}/member", SYSTEMS[HARBOR]), self.member.clone()));
        }
        Value::Array(all)
    }

    fn name(&self, at: usize, rng: &mut Rng) -> Value {
        let nickname = !self.nickname.is_empty() && (rng.chance(40) || self.number == 0);
        let typing_error = rng.chance(12) && self.number > 4;
        let (given, family) = match at {
            VALLEY => (
                if nickname { &self.nickname } else { &self.given }.clone(),
                if typing_error { misspelt(&self.family, rng) } else { self.family.clone() },
            ),
            HARBOR => (plain(&self.given), plain(&self.family)),
            _ => (self.given.clone(), self.family.clone()),
        };
        let mut name = json!({"use": "official", "family": family, "given": [given]});
        if at != VALLEY && self.number != JUNIOR && self.number != SENIOR {
            name["given"] = json!([given, self.middle.to_string()]);
        }
        if !self.suffix.is_empty() {
            name["suffix"] = json!([self.suffix]);
        }
        name
    }

    fn telecom(&self, at: usize, rng: &mut Rng) -> Value {
        let (area, rest) = self.phone.split_at(3);
        let (exchange, line) = rest.split_at(3);
        let phone = match at {
            MERCY => format!("({area}) {exchange}-{line}"),
            VALLEY => format!("{area}-{exchange}-{line}"),
            _ => format!("+1{area}{exchange}{line}"),
        };
        let mut telecom = vec![json!({"system": "phone", "value": phone, "use": "home"})];
        if at != MERCY && rng.chance(50) {
            let name = plain(&self.given).to_lowercase();
            let family = plain(&self.family).to_lowercase().replace('\'', "");
            let email = format!("{name}.{family}{}@mail.example", self.birth.year() % 100);
            telecom.push(json!({"system": "email", "value": email}));
        }
        Value::Array(telecom)
    }
}

impl Home {
    fn json(&self, at: usize) -> Value {
        let short = [("Street", "St"), ("Avenue", "Ave"), ("Road", "Rd"), ("Drive", "Dr")];
        let line = match at {
            MERCY => self.line.clone(),
            VALLEY => short.iter().fold(self.line.clone(), |l, (long, s)| l.replace(long, s)),
            _ => self.line.to_uppercase(),
        };
        json!({"use": "home", "line": [line], "city": self.city, "state": STATE,
            "postalCode": self.postcode, "country": "US"})
    }
}

/// Two neighbouring letters change places.
fn misspelt(name: &str, rng: &mut Rng) -> String {
    let mut letters: Vec<char> = name.chars().collect();
    if letters.len() > 3 {
        let at = 1 + rng.below(letters.len() - 3);
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

/// Without diacritics, as systems write that know no better.
fn plain(name: &str) -> String {
    let from = "áàâäãåéèêëíìîïóòôöõøúùûüñçńśýÉ";
    let into = "aaaaaaeeeeiiiioooooouuuuncnsyE";
    let letter = |c: char| from.chars().zip(into.chars()).find(|(f, _)| *f == c).map_or(c, |p| p.1);
    name.chars().map(letter).collect()
}
