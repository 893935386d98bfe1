//! Social needs by domain: what was found, what is wanted, what was asked for, and who could help;
//! with what the person agreed to and whether they may be contacted.
//! <https://build.fhir.org/ig/HL7/fhir-sdoh-clinicalcare/>

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;
use serde_json::Value;

use super::concepts::Concepts;
use super::progress::{name, shown};

/// The code system of domains, of capacity, and of the order not to contact.
pub const SDOH_CODES: &str =
    "http://hl7.org/fhir/us/sdoh-clinicalcare/CodeSystem/SDOHCC-CodeSystemTemporaryCodes";
const CAPACITY: &str = "http://hl7.org/fhir/us/sdoh-clinicalcare/StructureDefinition/\
                        SDOHCC-ExtensionHealthcareServiceCapacityStatus";
const DO_NOT_CONTACT: &str = "contacting-subject-prohibited";
/// A strength is no need.
const STRENGTH: &str = "protective-factor";

/// The needs of a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Needs {
    /// By domain: a code of the domain, in alphabetical order.
    pub domains: BTreeMap<String, Domain>,
    /// What the person agreed to, or refused.
    pub consents: Vec<Consented>,
    /// The requests that say that the person must not be contacted.
    pub do_not_contact: Vec<String>,
}

/// What there is in one domain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Domain {
    /// Conditions.
    pub needs: Vec<Told>,
    /// Answers and findings: Observations.
    pub answers: Vec<Told>,
    /// Goals.
    pub goals: Vec<Told>,
    /// Requests for services, with their tasks.
    pub requests: Vec<Requested>,
    /// Community services that offer help.
    pub services: Vec<Service>,
}

/// A resource in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The resource.
    pub reference: String,
    /// What it says; of an observation with the answer.
    pub says: String,
    /// Its status; of a condition the clinical one.
    pub status: String,
    /// Of a condition, whether it is confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certainty: Option<String>,
}

/// A request, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requested {
    /// The request.
    #[serde(flatten)]
    pub request: Told,
    /// Whether it forbids to contact the person.
    pub do_not_contact: bool,
    /// The tasks on it.
    pub tasks: Vec<Told>,
}

/// A community service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The HealthcareService.
    pub reference: String,
    /// Its name.
    pub name: String,
    /// Who provides it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provided_by: Option<String>,
    /// What it answered about its capacity: `capacity`, `no-capacity`, `waitlist`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// How it is reached.
    pub contacts: Vec<String>,
}

/// A Consent in a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Consented {
    /// The Consent.
    pub reference: String,
    /// Its status.
    pub status: String,
    /// What it is about.
    pub scope: String,
    /// Its categories.
    pub categories: Vec<String>,
    /// `permit` or `deny`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Until when it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

impl Needs {
    /// Of the resources of a person's view. Community services are added by domain.
    pub fn of(resources: &[Value], concepts: &Concepts) -> Self {
        let mut needs = Self::default();
        let mut of_need: HashMap<String, BTreeSet<String>> = HashMap::new();
        for resource in resources.iter().filter(|r| kind(r) == "Condition") {
            let domains = domains(resource, concepts);
            for domain in &domains {
                needs.domain(domain).needs.push(told(resource));
            }
            of_need.insert(reference(resource), domains);
        }
        let tasks = tasks(resources);
        for resource in resources {
            let reached = |names: &[&str]| -> BTreeSet<String> {
                let all = names.iter().flat_map(|name| list(resource, name));
                let targets = all.filter_map(|r| of_need.get(r.get("reference")?.as_str()?));
                domains(resource, concepts).into_iter().chain(targets.flatten().cloned()).collect()
            };
            match kind(resource) {
                "Observation" => {
                    for domain in domains(resource, concepts) {
                        needs.domain(&domain).answers.push(told(resource));
                    }
                }
                "Goal" => {
                    for domain in reached(&["addresses"]) {
                        needs.domain(&domain).goals.push(told(resource));
                    }
                }
                "ServiceRequest" => {
                    let requested = Requested {
                        request: told(resource),
                        do_not_contact: forbids_contact(resource),
                        tasks: tasks.get(&reference(resource)).cloned().unwrap_or_default(),
                    };
                    if requested.do_not_contact {
                        needs.do_not_contact.push(reference(resource));
                    }
                    for domain in reached(&["reasonReference"]) {
                        needs.domain(&domain).requests.push(requested.clone());
                    }
                }
                "Consent" => needs.consents.push(consented(resource)),
                _ => {}
            }
        }
        needs
    }

    fn domain(&mut self, domain: &str) -> &mut Domain {
        self.domains.entry(domain.to_owned()).or_default()
    }
}

impl Service {
    /// Of a HealthcareService; `None` if it is not offered any more.
    pub fn of(service: &Value) -> Option<Self> {
        if service.get("active") == Some(&Value::Bool(false)) {
            return None;
        }
        let capacity = list(service, "extension")
            .filter(|e| e.get("url").and_then(Value::as_str) == Some(CAPACITY))
            .flat_map(|e| list(e, "extension"))
            .find_map(|e| e.pointer("/valueCodeableConcept/coding/0/code")?.as_str());
        let provider = service.get("providedBy");
        let provider = provider.and_then(|p| p.get("display").or_else(|| p.get("reference")));
        let contacts = list(service, "telecom").filter_map(|t| t.get("value")?.as_str());
        Some(Self {
            reference: reference(service),
            name: text(service, "name").to_owned(),
            provided_by: provider.and_then(Value::as_str).map(str::to_owned),
            capacity: capacity.map(str::to_owned),
            contacts: contacts.map(str::to_owned).collect(),
        })
    }
}

/// The domains of a resource: by category, else by a code that the concept map knows.
fn domains(resource: &Value, concepts: &Concepts) -> BTreeSet<String> {
    let own: BTreeSet<String> = sdoh_codes(list(resource, "category")).collect();
    let own: BTreeSet<String> = own.into_iter().filter(|code| code != STRENGTH).collect();
    if !own.is_empty() {
        return own;
    }
    let stated = concepts.stated_by(resource);
    let by_code = stated.iter().filter(|s| s.element.ends_with(".code") && s.code.is_some());
    let domain = |s: &&super::concepts::Stated<'_>| {
        let mut codes = s.concept.targets.iter().flat_map(|target| {
            let of_category = target.element == "Condition.category";
            target.codes.iter().filter(move |code| of_category && code.system == SDOH_CODES)
        });
        // Of several domains the code does not say which.
        let first = codes.next()?;
        codes.next().is_none().then(|| first.code.clone())
    };
    by_code.filter_map(|s| domain(&s)).collect()
}

fn sdoh_codes<'v>(concepts: impl Iterator<Item = &'v Value>) -> impl Iterator<Item = String> {
    let codings = concepts.flat_map(|concept| list(concept, "coding"));
    let ours = codings.filter(|c| c.get("system").and_then(Value::as_str) == Some(SDOH_CODES));
    ours.filter_map(|coding| Some(coding.get("code")?.as_str()?.to_owned()))
}

fn forbids_contact(request: &Value) -> bool {
    sdoh_codes(list(request, "orderDetail")).any(|code| code == DO_NOT_CONTACT)
}

fn tasks(resources: &[Value]) -> HashMap<String, Vec<Told>> {
    let mut found: HashMap<String, Vec<Told>> = HashMap::new();
    for task in resources.iter().filter(|r| kind(r) == "Task") {
        if let Some(focus) = task.pointer("/focus/reference").and_then(Value::as_str) {
            found.entry(focus.to_owned()).or_default().push(told(task));
        }
    }
    found
}

fn told(resource: &Value) -> Told {
    let first_code = |name: &str| {
        let code = resource.pointer(&format!("/{name}/coding/0/code"));
        code.and_then(Value::as_str).map(str::to_owned)
    };
    let status = first_code("clinicalStatus");
    let plain = ["status", "lifecycleStatus"].map(|name| text(resource, name));
    let plain = plain.into_iter().find(|status| !status.is_empty()).unwrap_or_default();
    let says = resource.get("code").or_else(|| resource.get("description")).and_then(name);
    let answer = shown(resource, "value").map(|value| format!(": {value}"));
    Told {
        reference: reference(resource),
        says: says.unwrap_or_default() + &answer.unwrap_or_default(),
        status: status.unwrap_or_else(|| plain.to_owned()),
        certainty: first_code("verificationStatus"),
    }
}

fn consented(consent: &Value) -> Consented {
    let at = |path: &str| consent.pointer(path).and_then(Value::as_str).map(str::to_owned);
    Consented {
        reference: reference(consent),
        status: text(consent, "status").to_owned(),
        scope: consent.get("scope").and_then(name).unwrap_or_default(),
        categories: list(consent, "category").filter_map(name).collect(),
        answer: at("/provision/type"),
        until: at("/provision/period/end"),
    }
}

fn kind(resource: &Value) -> &str {
    text(resource, "resourceType")
}

fn text<'v>(resource: &'v Value, name: &str) -> &'v str {
    resource.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn reference(resource: &Value) -> String {
    format!("{}/{}", kind(resource), text(resource, "id"))
}

fn list<'v>(resource: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    resource.get(name).and_then(Value::as_array).into_iter().flatten()
}
