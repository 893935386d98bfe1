//! Provenance: per woven resource, every source version, and per element which rule chose.
//! <https://hl7.org/fhir/R4/provenance.html>

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
/// How many endpoints are named as authors at most.
const AUTHORS_MAX: usize = 100;

/// Renders the Provenance of a woven resource as it stands. Its id is `{Type}.{id}`, and it names
/// its target without a version, so that clients find it by the reference they hold.
///
/// `base_urls` gives an endpoint's base URL; a source whose endpoint has none is named by its
/// key. `gateway_url` is what our own links begin with.
pub fn provenance(
    target: (ResourceType, DerivedId),
    recorded: Timestamp,
    members: &[Member],
    choices: &[Choice],
    base_urls: &dyn Fn(&str) -> Option<String>,
    gateway_url: &str,
) -> Value {
    let (resource_type, id) = target;
    let activity = if members.len() > 1 { "merge" } else { "transform" };
    let mut agents = vec![agent("assembler", gateway_url, "careweave")];
    let mut endpoints: Vec<&str> = members.iter().map(|m| &*m.key.endpoint).collect();
    endpoints.sort_unstable();
    endpoints.dedup();
    agents.extend(endpoints.into_iter().take(AUTHORS_MAX).map(|endpoint| {
        let url = base_urls(endpoint).unwrap_or_else(|| unaddressed(endpoint));
        agent("author", &url, endpoint)
    }));
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
    let entities: Vec<Value> = members.iter().map(|m| entity(m, base_urls)).collect();
    if !entities.is_empty() {
        rendered["entity"] = Value::Array(entities);
    }
    rendered
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

fn entity(member: &Member, base_urls: &dyn Fn(&str) -> Option<String>) -> Value {
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
    json!({
        "extension": [{"url": RULE_URL, "valueCode": &*member.rule}],
        "role": "source",
        "what": {"reference": address, "type": key.resource_type.name()},
    })
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
