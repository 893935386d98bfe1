//! The population: persons with a median of 250 records and one of 20,000, at three providers.

/// The providers.
pub(crate) const PROVIDERS: [&str; 3] = ["mercy", "valley", "harbor"];

/// When all of it was last updated.
pub(crate) const UPDATED: &str = "2026-03-01T08:00:00Z";

/// Records of the largest person.
pub(crate) const LARGEST: u32 = 20_000;

/// Types with their share of a person's records, in thousandths; the mix of a hospital's
/// record, with care management's own types in it. Observations are the rest.
const SHARES: [(&str, u32); 11] = [
    ("Claim", 80),
    ("Encounter", 80),
    ("Immunization", 60),
    ("DiagnosticReport", 50),
    ("Condition", 40),
    ("Procedure", 40),
    ("MedicationRequest", 30),
    ("ServiceRequest", 30),
    ("Task", 20),
    ("Goal", 15),
    ("CarePlan", 5),
];

/// All types that the providers have.
pub(crate) fn types() -> impl Iterator<Item = &'static str> {
    ["Patient", "Practitioner", "Observation"].into_iter().chain(SHARES.map(|(name, _)| name))
}

/// The population of a seed.
#[derive(Clone, Copy)]
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) persons: u32,
}

/// Mixes numbers into one: splitmix64, see Steele, Lea, Flood, "Fast splittable pseudorandom
/// number generators" (2014).
pub(crate) fn mix(parts: &[u64]) -> u64 {
    parts.iter().fold(0x9e37_79b9_7f4a_7c15, |state, part| {
        let mut z = (state ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

impl World {
    /// The provider that has most of a person's records.
    fn home(self, person: u32) -> usize {
        person as usize % PROVIDERS.len()
    }

    /// The second provider of two persons in five.
    fn second(self, person: u32) -> Option<usize> {
        let goes = mix(&[self.seed, u64::from(person), 2]) % 5 < 2;
        goes.then_some((self.home(person) + 1) % PROVIDERS.len())
    }

    /// How many records a person has at home: log-normal around 250.
    fn size(self, person: u32) -> u32 {
        if person == 0 {
            return LARGEST;
        }
        // The sum of twelve uniform numbers is normal enough.
        let uniform =
            |n: u64| mix(&[self.seed, u64::from(person), 100 + n]) as f64 / u64::MAX as f64;
        let normal = (0..12).map(uniform).sum::<f64>() - 6.0;
        ((250.0 * (0.6 * normal).exp()) as u32).clamp(20, LARGEST)
    }

    /// How many records of a type a provider has of a person.
    pub(crate) fn count(self, provider: usize, name: &str, person: u32) -> u32 {
        let share = if provider == self.home(person) {
            5
        } else if self.second(person) == Some(provider) {
            1
        } else {
            return 0;
        };
        let size = self.size(person) * share / 5;
        let of = |thousandths| size * thousandths / 1000;
        match name {
            "Patient" => 1,
            "Practitioner" => 0,
            "Observation" => size - SHARES.iter().map(|(_, share)| of(*share)).sum::<u32>(),
            _ => SHARES.iter().find(|(n, _)| *n == name).map_or(0, |(_, share)| of(*share)),
        }
    }

    /// The identifier that both providers of a person know.
    pub(crate) fn member_number(self, person: u32) -> String {
        format!("M{:07}", mix(&[self.seed, 7]) % 1_000_000 + u64::from(person))
    }

    /// The records that are equal at both providers have the same content number.
    fn content(self, provider: usize, name: &str, person: u32, n: u32) -> u64 {
        let shared = n.is_multiple_of(2);
        let place = if shared { 9 } else { provider as u64 };
        let kind = name.bytes().fold(0, |sum, byte| sum * 31 + u64::from(byte));
        mix(&[self.seed, u64::from(person), kind, u64::from(n), place])
    }

    /// Writes one record as JSON.
    pub(crate) fn write(self, provider: usize, name: &str, person: u32, n: u32, out: &mut String) {
        let content = self.content(provider, name, person, n);
        let record = Record { world: self, provider, name, person, n, content };
        record.write(out);
    }
}

struct Record<'a> {
    world: World,
    provider: usize,
    name: &'a str,
    person: u32,
    n: u32,
    content: u64,
}

const GIVEN: [&str; 12] = [
    "Ada", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Keiko",
    "Liam",
];
const FAMILY: [&str; 12] = [
    "Abelson",
    "Brandt",
    "Castillo",
    "Dube",
    "Eriksen",
    "Farouk",
    "Grimaldi",
    "Hoang",
    "Ibarra",
    "Jansson",
    "Kowalski",
    "Lindqvist",
];
const LOINC: [(&str, &str, &str, &str); 6] = [
    ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "%", "laboratory"),
    ("2339-0", "Glucose [Mass/volume] in Blood", "mg/dL", "laboratory"),
    ("8480-6", "Systolic blood pressure", "mm[Hg]", "vital-signs"),
    ("29463-7", "Body weight", "kg", "vital-signs"),
    ("8867-4", "Heart rate", "/min", "vital-signs"),
    ("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", "laboratory"),
];
const SNOMED: [(&str, &str); 6] = [
    ("44054006", "Type 2 diabetes mellitus"),
    ("38341003", "Hypertensive disorder"),
    ("195967001", "Asthma"),
    ("13645005", "Chronic obstructive pulmonary disease"),
    ("84114007", "Heart failure"),
    ("73211009", "Diabetes mellitus"),
];

impl Record<'_> {
    fn write(&self, out: &mut String) {
        let (name, id) = (self.name, self.id());
        let narrative = "<div xmlns=\\`http://www.w3.org/1999/xhtml\\`>";
        let text = format!(
            "{{'resourceType':'{name}','id':'{id}','meta':{{'versionId':'1',\
                 'lastUpdated':'{UPDATED}'}},'text':{{'status':'generated',\
                 'div':'{narrative}<p>{name} of the bench,\
 as its provider would put it into words for people</p></div>'}},\
                 {}}}",
            self.elements(),
        );
        // Written with other quotes, so that the templates can be read.
        out.push_str(&text.replace(['\'', '`'], "\""));
    }

    fn id(&self) -> String {
        format!("{}-{}", self.person, self.n)
    }

    fn pick<T: Copy>(&self, from: &[T], salt: u64) -> T {
        from[(mix(&[self.content, salt]) % from.len() as u64) as usize]
    }

    fn day(&self) -> String {
        let day = mix(&[self.content, 1]) % 3_000;
        let (year, month) = (2018 + day / 372, day / 31 % 12 + 1);
        format!("{year}-{month:02}-{:02}", day % 28 + 1)
    }

    fn subject(&self) -> String {
        format!("'subject':{{'reference':'Patient/{}-0'}}", self.person)
    }

    fn snomed(&self, element: &str) -> String {
        let (code, display) = self.pick(&SNOMED, 2);
        format!(
            "'{element}':{{'coding':[{{'system':'http://snomed.info/sct',\
                 'code':'{code}','display':'{display}'}}],'text':'{display}'}}"
        )
    }

    fn loinc(&self, element: &str) -> String {
        let (code, display, ..) = self.pick(&LOINC, 3);
        format!(
            "'{element}':{{'coding':[{{'system':'http://loinc.org',\
                 'code':'{code}','display':'{display}'}}],'text':'{display}'}}"
        )
    }

    fn elements(&self) -> String {
        let (subject, day) = (self.subject(), self.day());
        let person = self.person;
        match self.name {
            "Patient" => self.patient(),
            "Practitioner" => "'name':[{'family':'Ohara','given':['Mina']}]".to_owned(),
            "Observation" => self.observation(&subject, &day),
            "Claim" => format!(
                "'status':'active',\
                 'type':{{'coding':[{{'system':\
                 'http://terminology.hl7.org/CodeSystem/claim-type',\
                 'code':'professional'}}]}},'use':'claim',\
                 'patient':{{'reference':'Patient/{person}-0'}},'created':'{day}',\
                 'provider':{{'display':'{}'}},\
                 'priority':{{'coding':[{{'system':\
                 'http://terminology.hl7.org/CodeSystem/processpriority',\
                 'code':'normal'}}]}},'insurance':[{{'sequence':1,'focal':true,\
                 'coverage':{{'display':'Harbor Health Plan'}}}}],\
                 'total':{{'value':129.16,'currency':'USD'}}",
                PROVIDERS[self.provider]
            ),
            "Encounter" => format!(
                "'status':'finished',\
                 'class':{{'system':'http://terminology.hl7.org/CodeSystem/v3-ActCode',\
                 'code':'AMB'}},{},{subject},'period':{{'start':'{day}T09:00:00Z',\
                 'end':'{day}T09:20:00Z'}}",
                self.snomed("serviceType")
            ),
            "Immunization" => format!(
                "'status':'completed',\
                 'vaccineCode':{{'coding':[{{'system':'http://hl7.org/fhir/sid/cvx',\
                 'code':'{}'}}]}},'patient':{{'reference':'Patient/{person}-0'}},\
                 'occurrenceDateTime':'{day}T10:00:00Z','primarySource':true",
                self.pick(&["140", "113", "33", "208"], 4)
            ),
            "DiagnosticReport" => format!(
                "'status':'final',{},{subject},\
                 'effectiveDateTime':'{day}T11:00:00Z','issued':'{day}T12:00:00Z',\
                 'result':[{{'reference':'Observation/{person}-0'}}]",
                self.loinc("code")
            ),
            "Condition" => format!(
                "'clinicalStatus':{{'coding':[{{'system':\
                 'http://terminology.hl7.org/CodeSystem/condition-clinical',\
                 'code':'active'}}]}},\
                 'verificationStatus':{{'coding':[{{'system':\
                 'http://terminology.hl7.org/CodeSystem/condition-ver-status',\
                 'code':'confirmed'}}]}},{},{subject},'onsetDateTime':'{day}'",
                self.snomed("code")
            ),
            _ => self.ordered(&subject, &day),
        }
    }

    /// What is ordered, planned and done.
    fn ordered(&self, subject: &str, day: &str) -> String {
        let person = self.person;
        match self.name {
            "Procedure" => format!(
                "'status':'completed',{},{subject},\
                 'performedDateTime':'{day}T13:00:00Z'",
                self.snomed("code")
            ),
            "MedicationRequest" => format!(
                "'status':'active','intent':'order',\
                 'medicationCodeableConcept':{{'coding':[{{'system':\
                 'http://www.nlm.nih.gov/research/umls/rxnorm',\
                 'code':'{}'}}]}},{subject},'authoredOn':'{day}',\
                 'dosageInstruction':[{{'text':'one tablet in the morning'}}]",
                self.pick(&["860975", "314076", "197361", "310798"], 5)
            ),
            "ServiceRequest" => format!(
                "'status':'active','intent':'order',{},{subject},\
                 'authoredOn':'{day}'",
                self.loinc("code")
            ),
            "Task" => format!(
                "'status':'in-progress','intent':'order',{},\
                 'for':{{'reference':'Patient/{person}-0'}},'authoredOn':'{day}',\
                 'lastModified':'{day}T14:00:00Z'",
                self.snomed("code")
            ),
            "Goal" => format!(
                "'lifecycleStatus':'active',\
                 'description':{{'text':'Goal {} of this person'}},{subject},\
                 'startDate':'{day}'",
                self.content % 1_000
            ),
            _ => format!(
                "'status':'active','intent':'plan','title':'Plan {} of {}',\
                 {subject},'period':{{'start':'{day}'}},\
                 'goal':[{{'reference':'Goal/{person}-0'}}]",
                self.n, PROVIDERS[self.provider]
            ),
        }
    }

    fn observation(&self, subject: &str, day: &str) -> String {
        let (_, _, unit, category) = self.pick(&LOINC, 3);
        let code = self.loinc("code");
        let value = mix(&[self.content, 6]) % 2_000;
        format!(
            "'status':'final',\
                 'category':[{{'coding':[{{'system':\
                 'http://terminology.hl7.org/CodeSystem/observation-category',\
                 'code':'{category}'}}]}}],{code},{subject},\
                 'effectiveDateTime':'{day}T08:{:02}:00Z',\
                 'issued':'{day}T09:00:00Z','valueQuantity':{{'value':{}.{},\
                 'unit':'{unit}','system':'http://unitsofmeasure.org',\
                 'code':'{unit}'}}",
            value % 60,
            value / 10,
            value % 10,
        )
    }

    fn patient(&self) -> String {
        let (seed, person) = (self.world.seed, u64::from(self.person));
        let of = |list: &[&str], salt| {
            list[(mix(&[seed, person, salt]) % list.len() as u64) as usize].to_owned()
        };
        // A family name of one's own, so that a block of names is not a third of all persons.
        let family = format!("{}{}", of(&FAMILY, 11), syllables(mix(&[seed, person, 12])));
        let born = mix(&[seed, person, 13]);
        let (year, month, day) = (1930 + born % 80, born / 80 % 12 + 1, born / 960 % 28 + 1);
        format!(
            "'identifier':[{{'system':'urn:oid:2.16.840.1.113883.3.999',\
                 'value':'{}'}}],'name':[{{'family':'{family}','given':['{}']}}],\
                 'gender':'female','birthDate':'{year}-{month:02}-{day:02}',\
                 'address':[{{'line':['{} Elm Street'],'city':'Springfield',\
                 'state':'MA','postalCode':'{:05}'}}],\
                 'telecom':[{{'system':'phone','value':'413-{:03}-{:04}'}}]",
            self.world.member_number(self.person),
            of(&GIVEN, 14),
            born % 9_000 + 1,
            1_000 + born % 1_700,
            200 + born % 700,
            born / 700 % 10_000,
        )
    }
}

/// A few letters out of a number.
fn syllables(mut number: u64) -> String {
    let mut text = String::new();
    for _ in 0..3 {
        text.push(char::from(b"bdfgklmnprst"[(number % 12) as usize]));
        text.push(char::from(b"aeiou"[(number / 12 % 5) as usize]));
        number /= 60;
    }
    text
}
