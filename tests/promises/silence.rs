//! P4: nothing is silent. Where sources disagree, every disagreement is told.

use serde_json::{Value, json};

use careweave::fhir::ResourceType;
use careweave::flow::Access;

use super::statements::{Said, Statement, all_of, population};
use super::world::World;

#[test]
fn each_planned_activity_that_plans_disagree_on_is_told() {
    let mut said = all_of(&population(7, 1));
    let status = |endpoint: &str| if endpoint == "valley" { "in-progress" } else { "completed" };
    for statement in said.iter_mut().filter(|s| s.key.resource_type.name() == "CarePlan") {
        let status = status(&statement.key.endpoint);
        plan_activities(statement, status);
    }
    let issues = detected_issues(&World::with(&said));
    for activity in ACTIVITIES {
        let told = issues.iter().any(|issue| issue.contains(activity));
        assert!(told, "{activity} is not told: {issues:#?}");
    }
}

const ACTIVITIES: [&str; 2] = ["Walk every day", "Eat less salt"];

fn plan_activities(plan: &mut Statement, status: &str) {
    let Said::Resource(resource) = &mut plan.said else { return };
    let activities = ACTIVITIES
        .map(|text| json!({"detail": {"code": {"text": text}, "status": status}}))
        .to_vec();
    resource["activity"] = Value::Array(activities);
}

fn detected_issues(world: &World) -> Vec<String> {
    let access = Access::system();
    let store = world.gateway.store();
    let kind = ResourceType::of("DetectedIssue");
    let mut issues = Vec::new();
    for owner in store.owners(&access, None, 1000).unwrap() {
        let Some(table) = store.table(&access, owner, kind).unwrap() else { continue };
        let all: Vec<_> = table.rows.iter().map(|row| row.id).collect();
        let bodies = store.bodies(&access, owner, kind, &all).unwrap();
        let bodies = bodies.into_iter().flatten();
        issues.extend(bodies.map(|b| String::from_utf8(b.to_vec()).unwrap()));
    }
    issues
}
