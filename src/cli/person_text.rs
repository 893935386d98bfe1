//! One person's woven care plan as text, with its sources.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::CliError;
use super::review_conflicts::resolution;
use crate::fhir::ResourceType;
use crate::flow::{Access, DerivedId, Owner};
use crate::pipeline::Gateway;
use crate::store::{AuditEntry, TableRow};

/// Rows of one type with their resources.
pub(super) type Rows = Vec<(TableRow, Value)>;

/// Reads one table of a view.
pub(super) fn read_table(
    gateway: &Gateway,
    owner: Owner,
    resource_type: &str,
) -> Result<Rows, CliError> {
    let access = Access::open();
    let Some(resource_type) = ResourceType::parse(resource_type) else { return Ok(Vec::new()) };
    let Some(table) = gateway.store().table(&access, owner, resource_type)? else {
        return Ok(Vec::new());
    };
    let all: Vec<DerivedId> = table.rows.iter().map(|row| row.id).collect();
    let bodies = gateway.store().bodies(&access, owner, resource_type, &all)?;
    let resource = |body: Option<bytes::Bytes>| serde_json::from_slice(&body?).ok();
    let resources = bodies.into_iter().map(|body| resource(body).unwrap_or(Value::Null));
    Ok(table.rows.into_iter().zip(resources).collect())
}

/// Writes the audit entry that must stand before anything of these persons is printed.
pub(super) async fn audited(
    gateway: &Gateway,
    action: &str,
    persons: &[DerivedId],
) -> Result<(), CliError> {
    let entry = AuditEntry {
        at: gateway.now(),
        reader: "cli".into(),
        action: action.into(),
        resource_type: "Patient".into(),
        owners: persons.to_vec(),
        request_id: format!("cli-{}", std::process::id()).into(),
        count: u32::try_from(persons.len()).unwrap_or(u32::MAX),
    };
    Ok(gateway.audit(entry).await?)
}

/// The care plan of a person as text.
pub(super) async fn person_text(
    gateway: &Gateway,
    person: DerivedId,
    _access: &Access,
) -> Result<String, CliError> {
    audited(gateway, "person show", &[person]).await?;
    let owner = Owner::Person(person);
    let mut text = String::new();
    let patients = read_table(gateway, owner, "Patient")?;
    let Some((row, patient)) = patients.first() else {
        return Ok(format!("Patient/{person} has no live Patient record\n"));
    };
    let said = |name: &str| patient.get(name).and_then(Value::as_str).unwrap_or("unknown");
    line(
        &mut text,
        0,
        &format!("{}, {}, born {}", name_of(patient), said("gender"), said("birthDate")),
    );
    line(&mut text, 0, &format!("Patient/{person}"));
    line(&mut text, 0, &format!("seen at {}", sources(row)));

    let issues = read_table(gateway, owner, "DetectedIssue")?;
    let plans = read_table(gateway, owner, "CarePlan")?;
    if let Some((_, woven)) = plans.iter().find(|(row, _)| row.made_by_us) {
        let of = plans.len() - 1;
        let status = code(woven, "status");
        line(&mut text, 0, &format!("\nCare plan, {status}, woven of {of} source plans"));
        let mut view = View { gateway, owner, tables: BTreeMap::new() };
        view.plan_part(&mut text, woven, "goal", "Goals")?;
        view.plan_part(&mut text, woven, "activity", "Activities")?;
        view.plan_part(&mut text, woven, "addresses", "Problems")?;
        view.plan_part(&mut text, woven, "careTeam", "Care team")?;
        view.plan_part(&mut text, woven, "supportingInfo", "Source plans")?;
    }
    if !issues.is_empty() {
        line(&mut text, 0, "\nDisagreements and findings");
    }
    for (_, issue) in &issues {
        let rule = issue["code"]["coding"][0]["code"].as_str().unwrap_or("?");
        let detail = issue.get("detail").and_then(Value::as_str).unwrap_or_default();
        line(&mut text, 1, &format!("! {rule}: {detail}"));
        if let Some(resolution) = resolution(issue) {
            line(&mut text, 2, &format!("resolved {resolution}"));
        }
    }
    Ok(text.trim_end().to_owned())
}

/// The tables of a person's view, each read once.
struct View<'a> {
    gateway: &'a Gateway,
    owner: Owner,
    tables: BTreeMap<&'static str, Rows>,
}

impl View<'_> {
    /// One list of the woven plan: what it refers to, with status and sources.
    fn plan_part(
        &mut self,
        text: &mut String,
        plan: &Value,
        element: &str,
        title: &str,
    ) -> Result<(), CliError> {
        let Some(items) = plan.get(element).and_then(Value::as_array) else { return Ok(()) };
        line(text, 1, &format!("{title} ({})", items.len()));
        for item in items {
            if let Some(detail) = item.get("detail") {
                let what = concept(&detail["code"]);
                line(text, 2, &format!("- {what} [{}]", code(detail, "status")));
                continue;
            }
            let Some((resource_type, row, resource)) =
                self.find(item.get("reference").unwrap_or(item))?
            else {
                continue;
            };
            let about = self.about(&resource)?;
            line(text, 2, &format!("- {}{about}", title_of(resource_type, &resource)));
            line(text, 4, &format!("{}: {}", rule_of(&row), sources(&row)));
            choices(text, &row);
        }
        Ok(())
    }

    /// What a Goal is for, or what a Task works on: tells apart what is called the same.
    fn about(&mut self, resource: &Value) -> Result<String, CliError> {
        let (word, to) = match resource["resourceType"].as_str() {
            Some("Goal") => ("for", &resource["addresses"][0]),
            Some("Task") => ("on", &resource["focus"]),
            _ => return Ok(String::new()),
        };
        Ok(match self.find(to)? {
            Some((resource_type, _, resource)) => {
                format!(", {word} {}", title_of(resource_type, &resource))
            }
            None => String::new(),
        })
    }

    /// The resource of this person that a Reference, or its literal, names.
    fn find(
        &mut self,
        reference: &Value,
    ) -> Result<Option<(ResourceType, TableRow, Value)>, CliError> {
        let literal = reference.as_str().or_else(|| reference["reference"].as_str());
        let Some((resource_type, id)) = literal.and_then(|l| l.split_once('/')) else {
            return Ok(None);
        };
        let Some(resource_type) = ResourceType::parse(resource_type) else { return Ok(None) };
        if !self.tables.contains_key(resource_type.name()) {
            let rows = read_table(self.gateway, self.owner, resource_type.name())?;
            self.tables.insert(resource_type.name(), rows);
        }
        let rows = self.tables.get(resource_type.name()).map(Vec::as_slice).unwrap_or_default();
        let found = rows.iter().find(|(row, _)| row.id.to_string() == id);
        Ok(found.map(|(row, resource)| (resource_type, row.clone(), resource.clone())))
    }
}

/// The short values that a rule chose among; a time of change says nothing to a reader.
fn choices(text: &mut String, row: &TableRow) {
    for choice in row.choices.iter().filter(|c| !c.element.ends_with("lastModified")) {
        let others: BTreeSet<&str> = choice.others.iter().map(|(_, v)| &**v).collect();
        let others: Vec<&str> = others.into_iter().take(3).collect();
        if is_short(&others) {
            let (element, rule) = (&choice.element, &choice.rule);
            let others = others.join(", ");
            line(text, 4, &format!("{element} chosen by {rule}; others say {others}"));
        }
    }
}

/// Whether values can be shown on a line.
fn is_short(values: &[&str]) -> bool {
    !values.is_empty() && values.iter().all(|v| v.len() <= 24 && !v.starts_with(['{', '[']))
}

/// What a resource is about, with its status.
pub(super) fn title_of(resource_type: ResourceType, resource: &Value) -> String {
    match resource_type.name() {
        "Goal" => {
            let status = code(resource, "lifecycleStatus");
            let achieved = resource["achievementStatus"]["coding"][0]["code"].as_str();
            let achieved = achieved.map(|a| format!(", {a}")).unwrap_or_default();
            let due = resource["target"][0]["dueDate"].as_str();
            let due = due.map(|d| format!(", due {d}")).unwrap_or_default();
            format!("{} [{status}{achieved}{due}]", concept(&resource["description"]))
        }
        "CarePlan" => {
            let title = resource.get("title").and_then(Value::as_str);
            let title = title.map_or_else(|| concept(&resource["category"][0]), str::to_owned);
            format!("{title} [{}]", code(resource, "status"))
        }
        "Condition" => {
            let status = resource["clinicalStatus"]["coding"][0]["code"].as_str().unwrap_or("?");
            format!("{} [{status}]", concept(&resource["code"]))
        }
        "CareTeam" => {
            let name = resource.get("name").and_then(Value::as_str).unwrap_or("care team");
            format!("{name} [{}]", code(resource, "status"))
        }
        "MedicationRequest" => {
            let what = concept(&resource["medicationCodeableConcept"]);
            format!("MedicationRequest: {what} [{}]", code(resource, "status"))
        }
        name => {
            let when = ["authoredOn", "occurrenceDateTime"].iter().find_map(|e| {
                resource.get(*e).and_then(Value::as_str).map(|d| d.get(..10).unwrap_or(d))
            });
            let when = when.map(|w| format!(", {w}")).unwrap_or_default();
            let what = match (resource.get("code"), resource.get("description")) {
                (None, Some(Value::String(description))) => description.clone(),
                (code, _) => concept(code.unwrap_or(&Value::Null)),
            };
            format!("{name}: {what} [{}{when}]", code(resource, "status"))
        }
    }
}

/// The name of a Patient on one line.
pub(super) fn name_of(patient: &Value) -> String {
    let name = &patient["name"][0];
    if let Some(text) = name["text"].as_str() {
        return text.to_owned();
    }
    let given = name["given"].as_array().map(Vec::as_slice).unwrap_or_default();
    let family = name["family"].as_str();
    let parts: Vec<&str> = given.iter().filter_map(Value::as_str).chain(family).collect();
    if parts.is_empty() { "(no name)".to_owned() } else { parts.join(" ") }
}

/// Which records a row states.
fn sources(row: &TableRow) -> String {
    let members = row
        .members
        .iter()
        .map(|m| format!("{} {}/{}", m.key.endpoint, m.key.resource_type, m.key.id));
    members.collect::<Vec<_>>().join(", ")
}

/// The rules by which records joined a row.
fn rule_of(row: &TableRow) -> String {
    let rules: BTreeSet<&str> = row.members.iter().map(|m| &*m.rule).collect();
    let joined: Vec<&str> = rules.iter().copied().filter(|r| *r != "only").collect();
    if joined.is_empty() { "from".to_owned() } else { format!("same by {}", joined.join(", ")) }
}

fn concept(concept: &Value) -> String {
    let text = concept["text"].as_str();
    let coding = &concept["coding"][0];
    let text = text.or_else(|| coding["display"].as_str()).or_else(|| coding["code"].as_str());
    text.unwrap_or("(not said)").to_owned()
}

fn code<'a>(resource: &'a Value, element: &str) -> &'a str {
    resource.get(element).and_then(Value::as_str).unwrap_or("?")
}

fn line(text: &mut String, indent: usize, content: &str) {
    for _ in 0..indent {
        text.push_str("  ");
    }
    text.push_str(content);
    text.push('\n');
}
