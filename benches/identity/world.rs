//! A made population as tables have it, a function of its seed: households, twins, fathers and
//! sons of one name, namesakes, moves, name changes, typing errors, missing and default values.

use std::fmt::Write;

/// SplitMix64: <https://doi.org/10.1145/2714064.2660195>
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    fn is(&mut self, percent: f64) -> bool {
        (self.below(1_000_000) as f64) < percent * 10_000.0
    }

    /// Smaller numbers come oftener, about as names do.
    fn common(&mut self, n: u64) -> u64 {
        let share = self.below(1 << 32) as f64 / (1u64 << 32) as f64;
        ((n as f64).powf(share) - 1.0) as u64
    }
}

const GIVEN_F: [&str; 40] = [
    "Mary",
    "Patricia",
    "Jennifer",
    "Linda",
    "Elizabeth",
    "Barbara",
    "Susan",
    "Jessica",
    "Sarah",
    "Karen",
    "Lisa",
    "Nancy",
    "Sandra",
    "Ashley",
    "Emily",
    "Donna",
    "Michelle",
    "Carol",
    "Amanda",
    "Melissa",
    "Deborah",
    "Stephanie",
    "Rebecca",
    "Laura",
    "Helen",
    "Sharon",
    "Cynthia",
    "Amy",
    "Maria",
    "Rosa",
    "Ana",
    "Carmen",
    "Guadalupe",
    "Sofia",
    "Olivia",
    "Emma",
    "Ava",
    "Marie",
    "Maria Elena",
    "Mary Ann",
];
const GIVEN_M: [&str; 40] = [
    "James",
    "Robert",
    "John",
    "Michael",
    "David",
    "William",
    "Richard",
    "Joseph",
    "Thomas",
    "Christopher",
    "Charles",
    "Daniel",
    "Matthew",
    "Anthony",
    "Mark",
    "Steven",
    "Andrew",
    "Paul",
    "Joshua",
    "Kenneth",
    "Kevin",
    "Brian",
    "Timothy",
    "Ronald",
    "Jason",
    "George",
    "Edward",
    "Jeffrey",
    "Ryan",
    "Jacob",
    "Jose",
    "Luis",
    "Juan",
    "Carlos",
    "Jorge",
    "Miguel",
    "Noah",
    "Liam",
    "Jayden",
    "Kayden",
];
const SHORT: [(&str, &str); 16] = [
    ("William", "Bill"),
    ("Robert", "Bob"),
    ("Richard", "Rick"),
    ("James", "Jim"),
    ("Michael", "Mike"),
    ("Elizabeth", "Liz"),
    ("Jennifer", "Jen"),
    ("Patricia", "Pat"),
    ("Deborah", "Debbie"),
    ("Joseph", "Joe"),
    ("Thomas", "Tom"),
    ("Daniel", "Dan"),
    ("Matthew", "Matt"),
    ("Susan", "Sue"),
    ("Christopher", "Chris"),
    ("Steven", "Steve"),
];
const ONSET: [&str; 20] = [
    "B", "Br", "C", "Ch", "D", "F", "G", "Gr", "H", "J", "K", "L", "M", "N", "P", "R", "S", "St",
    "T", "W",
];
const MIDDLE: [&str; 20] = [
    "a", "e", "i", "o", "u", "ar", "el", "in", "or", "al", "er", "on", "an", "ea", "oo", "il",
    "am", "en", "ol", "ur",
];
const CODA: [&str; 20] = [
    "son", "ley", "ton", "man", "er", "ez", "ski", "ford", "well", "ing", "berg", "sen", "ard",
    "ham", "by", "ie", "o", "a", "ell", "ett",
];
const STREETS: [&str; 12] = [
    "Main St",
    "Oak Ave",
    "Maple Dr",
    "Park Rd",
    "Elm St",
    "2nd Ave",
    "Lake Rd",
    "Hill St",
    "Washington Blvd",
    "Cedar Ln",
    "Church St",
    "River Rd",
];

/// A human as they are.
#[derive(Clone)]
pub(crate) struct Person {
    given: String,
    middle: char,
    family: String,
    suffix: &'static str,
    male: bool,
    year: u64,
    month: u64,
    day: u64,
    ssn: u64,
    phone: u64,
    mail: u64,
    home: usize,
}

/// Where a household lives.
#[derive(Clone)]
struct Home {
    line: String,
    city: u64,
    phone: u64,
}

/// What a name is made of, so that there are as many as in life.
fn syllables(mut n: u64) -> String {
    let mut name = ONSET[(n % 20) as usize].to_owned();
    n /= 20;
    name += MIDDLE[(n % 20) as usize];
    n /= 20;
    name += CODA[(n % 20) as usize];
    n /= 20;
    if n > 0 {
        name += MIDDLE[(n % 20) as usize];
        name += CODA[(n / 20 % 20) as usize];
    }
    name
}

fn given(chance: &mut Chance, male: bool) -> String {
    if chance.is(12.0) {
        return syllables(chance.common(4_000) * 7 + 3);
    }
    let list = if male { &GIVEN_M } else { &GIVEN_F };
    list[chance.common(40) as usize % 40].to_owned()
}

fn home(chance: &mut Chance) -> Home {
    let number = chance.below(9_900) + 1;
    let street = match chance.below(10) {
        0..=2 => STREETS[chance.below(12) as usize].to_owned(),
        _ => {
            let name = syllables(chance.below(6_000));
            format!("{name} {}", ["St", "Ave", "Dr", "Ln"][chance.below(4) as usize])
        }
    };
    let unit =
        if chance.is(25.0) { format!(" Apt {}", chance.below(40) + 1) } else { String::new() };
    Home {
        line: format!("{number} {street}{unit}"),
        city: chance.common(3_000),
        phone: 2_000_000_000 + chance.below(7_000_000_000),
    }
}

fn person(chance: &mut Chance, family: &str, at: usize, male: bool, year: u64) -> Person {
    Person {
        given: given(chance, male),
        middle: (b'A' + chance.below(26) as u8) as char,
        family: family.to_owned(),
        suffix: "",
        male,
        year,
        month: chance.below(12) + 1,
        day: chance.below(28) + 1,
        ssn: 100_000_000 + chance.below(560_000_000),
        phone: 2_000_000_000 + chance.below(7_000_000_000),
        mail: chance.next(),
        home: at,
    }
}

/// Makes people, household by household.
fn people(chance: &mut Chance, count: usize, homes: &mut Vec<Home>) -> Vec<Person> {
    let mut all = Vec::with_capacity(count + 8);
    while all.len() < count {
        let at = homes.len();
        homes.push(home(chance));
        let family = syllables(chance.common(60_000));
        let year = 1935 + chance.below(60);
        let father = person(chance, &family, at, true, year);
        if chance.is(60.0) {
            let born = year + chance.below(6);
            let mut mother = person(chance, &family, at, false, born);
            if chance.is(15.0) {
                mother.family = syllables(chance.common(60_000));
            }
            all.push(mother);
        }
        for _ in 0..chance.below(4) {
            let male = chance.is(50.0);
            let born = (year + 20 + chance.below(18)).min(2023);
            let mut child = person(chance, &family, at, male, born);
            if male && chance.is(8.0) {
                child.given.clone_from(&father.given);
                child.suffix = "Jr";
            }
            if chance.is(3.0) {
                let brother = chance.is(50.0);
                let mut twin = person(chance, &family, at, brother, born);
                (twin.month, twin.day) = (child.month, child.day);
                twin.ssn = child.ssn + 1;
                if twin.given == child.given {
                    // Parents do not call twins alike.
                    twin.given = syllables(chance.below(4_000) * 7 + 3);
                }
                all.push(twin);
            }
            all.push(child);
        }
        let mut father = father;
        if all.last().is_some_and(|c| c.suffix == "Jr") {
            father.suffix = "Sr";
        }
        all.push(father);
    }
    all.truncate(count);
    all
}

fn typo(chance: &mut Chance, text: &str) -> String {
    let mut letters: Vec<char> = text.chars().collect();
    if letters.len() < 3 {
        return text.to_owned();
    }
    let at = chance.below(letters.len() as u64 - 1) as usize;
    let any = (b'a' + chance.below(26) as u8) as char;
    match chance.below(4) {
        0 => letters.swap(at, at + 1),
        1 => letters[at] = any,
        2 => letters.insert(at, any),
        _ => {
            letters.remove(at);
        }
    }
    letters.into_iter().collect()
}

/// The table as CSV with the column `person`, which is the truth, and nothing that tells it.
pub(crate) fn table(records: usize, seed: u64) -> String {
    let mut chance = Chance(seed);
    let mut homes = Vec::new();
    let people = people(&mut chance, records * 6 / 10, &mut homes);
    let mut rows: Vec<(u64, usize)> = (0..people.len()).map(|n| (chance.next(), n)).collect();
    while rows.len() < records {
        let again = chance.below(people.len() as u64) as usize;
        rows.push((chance.next(), again));
    }
    rows.sort_unstable();
    let mut text = String::with_capacity(records * 130);
    text.push_str(
        "id,source,given,middle,family,suffix,sex,dob,line,city,state,zip,phone,email,ssn,person\n",
    );
    for (n, (_, who)) in rows.into_iter().enumerate() {
        row(&mut chance, &mut text, n, who, &people, &homes);
    }
    text
}

fn row(
    chance: &mut Chance,
    text: &mut String,
    n: usize,
    who: usize,
    people: &[Person],
    homes: &[Home],
) {
    let mut p = people[who].clone();
    let mut at = homes[p.home].clone();
    if chance.is(12.0) {
        at = home(chance);
    }
    if !p.male && p.year < 2003 && chance.is(6.0) {
        p.family = syllables(chance.common(60_000));
    }
    if chance.is(8.0)
        && let Some((_, short)) = SHORT.iter().find(|(long, _)| *long == p.given)
    {
        p.given = (*short).to_owned();
    }
    for part in [&mut p.given, &mut p.family, &mut at.line] {
        if chance.is(4.0) {
            *part = typo(chance, part);
        }
    }
    if chance.is(1.0) {
        std::mem::swap(&mut p.given, &mut p.family);
    }
    if chance.is(1.0) {
        p.given.truncate(1);
    }
    match chance.below(100) {
        0 if p.day <= 12 => std::mem::swap(&mut p.day, &mut p.month),
        1 => p.day = chance.below(28) + 1,
        2 => p.year = p.year.saturating_sub(1),
        _ => {}
    }
    let mut dob = format!("{}-{:02}-{:02}", p.year, p.month, p.day);
    if chance.is(2.0) {
        dob = String::new();
    } else if chance.is(0.5) {
        dob = "1900-01-01".to_owned();
    }
    let mut keep = |percent: f64, value: String| {
        if chance.is(percent) { value } else { String::new() }
    };
    let ssn = keep(55.0, format!("{:09}", p.ssn));
    let own = keep(50.0, "own".into());
    let number = if p.year > 2008 || own.is_empty() { at.phone } else { p.phone };
    let phone = keep(75.0, format!("{number:010}"));
    let mail =
        keep(40.0, format!("{}.{:x}@mail.example", p.family.to_lowercase(), p.mail % 0xff_ffff));
    let suffix = keep(60.0, p.suffix.into());
    let middle = keep(60.0, p.middle.to_string());
    let [line, sex] =
        [keep(95.0, at.line), keep(97.0, if p.male { "M".into() } else { "F".into() })];
    let _ = writeln!(
        text,
        "{n},s{},{},{middle},{},{suffix},{sex},{dob},{line},{},{},{:05},{phone},{mail},{ssn},{who}",
        n % 3,
        p.given,
        p.family,
        syllables(at.city + 500),
        ["MA", "NY", "IL", "CA", "TX"][(at.city % 5) as usize],
        10_000 + at.city * 17,
    );
}
