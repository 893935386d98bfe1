//! Provenance: per woven resource, every source version, and per element which rule chose.
//! <https://hl7.org/fhir/R4/provenance.html>
//!
//! What an endpoint itself states of where a record is from stays: who wrote it and who passed it
//! on stand at the source version, and the writers are our authors too, so that an exchange is
//! not taken for the author of what it only transmitted.
//! <https://hl7.org/fhir/us/core/basic-provenance.html>

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::fhir::ResourceType;
use crate::flow::{Choice, DerivedId, Member};

const PARTICIPANT: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";
const LIFECYCLE: &str = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle";
/// What an endpoint without base URL is named by, and its records with `/Type/id` behind: this
/// and its id.
pub const UNADDRESSED: &str = "urn:careweave:endpoint:";
/// How a source came to be a member.
const RULE_URL: &str = "urn:careweave:provenance:rule";
/// One element for which a rule had to choose.
const CHOICE_URL: &str = "urn:careweave:provenance:choice";
/// The Provenance in which an endpoint says where the source is from.
const STATED_URL: &str = "urn:careweave:provenance:stated";
/// How many authors are named at most, and how many agents per source.
const AUTHORS_MAX: usize = 100;

/// A Provenance that endpoints state about a woven resource.
#[derive(Clone, Debug)]
pub struct StatedProvenance {
    /// `Provenance/id` in the view.
    pub reference: String,
    /// The endpoints that state it.
    pub endpoints: BTreeSet<Arc<str>>,
    /// Its agents, with the view's references.
    pub agents: Vec<Value>,
}

/// Renders the Provenance of a woven resource as it stands. Its id is `{Type}.{id}`, and it names
/// its target without a version, so that clients find it by the reference they hold.
///
/// `base_urls` gives an endpoint's base URL; a source whose endpoint has none is named by its
/// key. `gateway_url` is what our own links begin with. `stated` is what endpoints say themselves
/// of where their records are from.
pub fn provenance(
    target: (ResourceType, DerivedId),
    recorded: Timestamp,
    (members, choices): (&[Member], &[Choice]),
    stated: &[StatedProvenance],
    base_urls: &dyn Fn(&str) -> Option<String>,
    gateway_url: &str,
) -> Value {
    let (resource_type, id) = target;
    let activity = if members.len() > 1 { "merge" } else { "transform" };
    let agents = agents(members, stated, base_urls, gateway_url);
    let mut rendered = json!({
        "resourceType": "Provenance",
        "id": format!("{resource_type}.{id}"),
        "meta": {"source": gateway_url},
    });
    let extensions: Vec<Value> = choices.iter().map(choice).collect();
    if !extensions.is_empty() {
        rendered["extension"] = Value::Array(extensions);
    }
    rendered["target"] = json!([{"reference": format!("{resource_type}/{id}")}]);
    rendered["recorded"] = json!(recorded.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string());
    rendered["activity"] = json!({"coding": [{"system": LIFECYCLE, "code": activity}]});
    rendered["agent"] = Value::Array(agents);
    let entities: Vec<Value> = members.iter().map(|m| entity(m, stated, base_urls)).collect();
    if !entities.is_empty() {
        rendered["entity"] = Value::Array(entities);
    }
    rendered
}

/// We, who assembled it; who wrote it: for each endpoint those whom it names, else itself; and who
/// transmitted it, if all agree (US Core has at most one; each source has its own).
fn agents(
    members: &[Member],
    stated: &[StatedProvenance],
    base_urls: &dyn Fn(&str) -> Option<String>,
    gateway_url: &str,
) -> Vec<Value> {
    let mut authors: Vec<Value> = Vec::new();
    let mut transmitters: Vec<Value> = Vec::new();
    let endpoints: BTreeSet<&str> = members.iter().map(|m| &*m.key.endpoint).collect();
    for endpoint in endpoints {
        let named = || agents_at(endpoint, stated);
        transmitters.extend(named().filter(|a| has_role(a, &["transmitter"])).cloned());
        let before = authors.len();
        authors.extend(named().filter(|a| has_role(a, &["author", "composer"])).cloned());
        if authors.len() == before {
            let url = base_urls(endpoint).unwrap_or_else(|| unaddressed(endpoint));
            authors.push(agent("author", &url, endpoint));
        }
    }
    let mut agents = vec![agent("assembler", gateway_url, "careweave")];
    agents.extend(without_repeats(authors).into_iter().take(AUTHORS_MAX));
    let transmitters = without_repeats(transmitters);
    if transmitters.len() == 1 {
        agents.extend(transmitters);
    }
    agents
}

fn agents_at<'a>(
    endpoint: &'a str,
    stated: &'a [StatedProvenance],
) -> impl Iterator<Item = &'a Value> {
    stated.iter().filter(|s| s.endpoints.contains(endpoint)).flat_map(|s| &s.agents)
}

fn has_role(agent: &Value, roles: &[&str]) -> bool {
    let codings = agent.pointer("/type/coding").and_then(Value::as_array).into_iter().flatten();
    let mut codes = codings.filter_map(|c| c.get("code")?.as_str());
    codes.any(|code| roles.contains(&code))
}

fn without_repeats(agents: Vec<Value>) -> Vec<Value> {
    let mut once: Vec<Value> = Vec::with_capacity(agents.len());
    for agent in agents {
        if !once.contains(&agent) {
            once.push(agent);
        }
    }
    once
}

fn agent(role: &str, url: &str, display: &str) -> Value {
    json!({
        "type": {"coding": [{"system": PARTICIPANT, "code": role}]},
        "who": {
            "identifier": {"system": "urn:ietf:rfc:3986", "value": url},
            "display": display,
        },
    })
}

fn entity(
    member: &Member,
    stated: &[StatedProvenance],
    base_urls: &dyn Fn(&str) -> Option<String>,
) -> Value {
    let key = &member.key;
    let base = base_urls(&key.endpoint);
    let base = base
        .as_deref()
        .map_or_else(|| unaddressed(&key.endpoint), |url| url.trim_end_matches('/').to_owned());
    // A lifted record is a fragment of its parent, which is what has versions.
    let address = if key.id.contains('#') {
        format!("{base}/{}", key.id)
    } else {
        let version = member.version_id.as_deref();
        let history = version.map(|v| format!("/_history/{v}")).unwrap_or_default();
        format!("{base}/{}/{}{history}", key.resource_type, key.id)
    };
    let mut extensions = vec![json!({"url": RULE_URL, "valueCode": &*member.rule})];
    let of_source = stated.iter().filter(|s| s.endpoints.contains(&key.endpoint));
    extensions.extend(of_source.map(
        |stated| json!({"url": STATED_URL, "valueReference": {"reference": stated.reference}}),
    ));
    let mut entity = json!({
        "extension": extensions,
        "role": "source",
        "what": {"reference": address, "type": key.resource_type.name()},
    });
    let agents = without_repeats(agents_at(&key.endpoint, stated).cloned().collect());
    if !agents.is_empty() {
        entity["agent"] = agents.into_iter().take(AUTHORS_MAX).collect();
    }
    entity
}

/// What stands for the base URL of an endpoint that has none.
pub(super) fn unaddressed(endpoint: &str) -> String {
    format!("{UNADDRESSED}{endpoint}")
}

fn choice(choice: &Choice) -> Value {
    let mut parts = vec![
        json!({"url": "element", "valueString": &*choice.element}),
        json!({"url": "rule", "valueCode": &*choice.rule}),
        json!({"url": "from", "valueId": choice.from.to_string()}),
    ];
    parts.extend(choice.others.iter().map(|(from, value)| {
        json!({"url": "other", "extension": [
            {"url": "from", "valueId": from.to_string()},
            {"url": "value", "valueString": &**value},
        ]})
    }));
    json!({"url": CHOICE_URL, "extension": parts})
}
