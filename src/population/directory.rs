//! The directory: organisations, practitioners and places, the same ones under different ids.

use serde_json::{Value, json};

use super::world::{HARBOR, MERCY, NPI, SYSTEMS, VALLEY, World, coded, to};

/// References to the directory entries, per organisation that states them.
pub(super) struct Directory {
    /// Mercy, Valley, Harbor themselves.
    pub(super) custodians: [[String; 3]; 3],
    /// A food pantry, a transport service and a laboratory.
    pub(super) services: [[String; 3]; 3],
    /// Practitioners, the first four of Mercy, the next four of Valley, the rest of Harbor.
    pub(super) practitioners: Vec<[String; 3]>,
    /// Each organisation's place.
    pub(super) places: [[String; 3]; 3],
}

const CUSTODIANS: [(&str, &str); 3] = [
    ("Mercy General Hospital", "prov"),
    ("Valley Family Practice", "prov"),
    ("Harbor Health Plan", "pay"),
];
const SERVICES: [(&str, &str); 3] = [
    ("Tamarack Food Pantry", "cg"),
    ("Pell River Rides", "cg"),
    ("Stonebridge Laboratory", "prov"),
];
const PRACTITIONERS: [(&str, &str, &str); 12] = [
    ("Rosalind", "Achterberg", "394802001"),
    ("Kwame", "Boateng", "394579002"),
    ("Ingrid", "Halvorsen", "394583002"),
    ("Declan", "Kavanagh", "394802001"),
    ("Priya", "Ramaswamy", "419772000"),
    ("Otis", "Weatherby", "419772000"),
    ("Hazel", "Pemberton", "419772000"),
    ("Yusuf", "Rahimi", "419772000"),
    ("Beatrix", "Lockhart", ""),
    ("Silas", "Fontaine", ""),
    ("Noor", "Oduya", ""),
    ("Wendell", "Claiborne", ""),
];

/// Lets every organisation state the directory as it knows it.
pub(super) fn populate(world: &mut World) -> Directory {
    let custodians = [0, 1, 2].map(|n| organization(world, CUSTODIANS[n], 100 + n));
    let services = [0, 1, 2].map(|n| organization(world, SERVICES[n], 200 + n));
    let places = [0, 1, 2].map(|n| place(world, n, &custodians[n]));
    let practitioners: Vec<[String; 3]> =
        (0..PRACTITIONERS.len()).map(|n| practitioner(world, n)).collect();
    for (number, references) in practitioners.iter().enumerate() {
        role(world, number, references, &custodians[employer(number)]);
    }
    Directory { custodians, services, practitioners, places }
}

/// Which organisation a practitioner works for.
fn employer(practitioner: usize) -> usize {
    [MERCY, VALLEY, HARBOR][practitioner / 4 % 3]
}

fn organization(world: &mut World, (name, kind): (&str, &str), number: usize) -> [String; 3] {
    let fact = world.fact("npi");
    let npi = npi(number);
    [MERCY, VALLEY, HARBOR].map(|at| {
        let name = if at == HARBOR { name.to_uppercase() } else { name.to_owned() };
        let own = json!({"system": format!("{}/org", SYSTEMS[at]), "value": format!("O{number}")});
        let kind = coded("http://terminology.hl7.org/CodeSystem/organization-type", kind, kind);
        world.add(
            at,
            fact,
            json!({
                "resourceType": "Organization",
                "identifier": [{"system": NPI, "value": npi}, own],
                "active": true,
                "type": [{"coding": kind["coding"]}],
                "name": name,
            }),
        )
    })
}

fn place(world: &mut World, number: usize, custodian: &[String; 3]) -> [String; 3] {
    let fact = world.fact("identifier");
    let (name, _) = CUSTODIANS[number];
    let code = format!("L{number}");
    [MERCY, VALLEY, HARBOR].map(|at| {
        world.add(
            at,
            fact,
            json!({
                "resourceType": "Location",
                "identifier": [{"system": "http://region.example/place", "value": code}],
                "status": "active",
                "name": format!("{name} main site"),
                "managingOrganization": to(&custodian[at]),
            }),
        )
    })
}

fn practitioner(world: &mut World, number: usize) -> [String; 3] {
    let fact = world.fact("npi");
    let (given, family, _) = PRACTITIONERS[number];
    [MERCY, VALLEY, HARBOR].map(|at| {
        let name = match at {
            VALLEY => json!({"text": format!("Dr. {given} {family}"), "family": family,
                "given": [given]}),
            _ => json!({"family": family, "given": [given], "prefix": ["Dr."]}),
        };
        world.add(
            at,
            fact,
            json!({
                "resourceType": "Practitioner",
                "identifier": [{"system": NPI, "value": npi(number)}],
                "active": true,
                "name": [name],
            }),
        )
    })
}

fn role(world: &mut World, number: usize, practitioner: &[String; 3], organization: &[String; 3]) {
    let at = employer(number);
    let fact = world.fact("own");
    let specialty = PRACTITIONERS[number].2;
    let mut role = json!({
        "resourceType": "PractitionerRole",
        "active": true,
        "practitioner": to(&practitioner[at]),
        "organization": to(&organization[at]),
    });
    if !specialty.is_empty() {
        role["specialty"] =
            json!([{"coding": [{"system": super::world::SNOMED, "code": specialty}]}]);
    }
    world.add(at, fact, role);
}

/// A made-up NPI whose check digit is right.
/// <https://www.cms.gov/medicare/regulations-guidance/administrative-simplification/nppes>
fn npi(number: usize) -> Value {
    let digits = format!("1999{number:05}");
    // The Luhn sum of the constant prefix 80840 is 24.
    let doubled = |(index, digit): (usize, char)| {
        let digit = digit.to_digit(10).unwrap_or(0);
        if index % 2 == 1 {
            return digit;
        }
        if digit > 4 { digit * 2 - 9 } else { digit * 2 }
    };
    let sum: u32 = 24 + digits.chars().rev().enumerate().map(doubled).sum::<u32>();
    json!(format!("{digits}{}", (10 - sum % 10) % 10))
}
