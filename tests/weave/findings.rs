//! Conflicts and findings appear, change and resolve with the data and the day.

use super::*;

/// The DetectedIssues of one rule on a day.
pub(super) fn told(sources: &[(&str, Value)], day: Date, rule: &str) -> Vec<Value> {
    let view = woven_on(day, charts(records(sources)), Vec::new(), &NoPreviousRows);
    let issues = rows(&view, "DetectedIssue").into_iter().map(body);
    issues.filter(|issue| issue["code"]["coding"][0]["code"] == rule).collect()
}

/// The one DetectedIssue of a rule, which names what it is about, who says so, and what to do.
pub(super) fn one(sources: &[(&str, Value)], day: Date, rule: &str) -> Value {
    let mut all = told(sources, day, rule);
    assert_eq!(all.len(), 1, "{rule}: {all:?}");
    let issue = all.remove(0);
    let check = StructureCheck::new(&[]).unwrap();
    let problems = check.check(&issue.to_string(), &issue);
    assert!(problems.is_empty(), "{problems:?} in {issue}");
    assert!(!issue["implicated"].as_array().unwrap().is_empty(), "{issue}");
    assert!(!issue["evidence"][0]["detail"].as_array().unwrap().is_empty(), "{issue}");
    assert!(issue["severity"].is_string() && issue["detail"].as_str().unwrap().len() > 20);
    issue
}

pub(super) fn none(sources: &[(&str, Value)], day: Date, rule: &str) {
    let found = told(sources, day, rule);
    assert!(found.is_empty(), "{rule}: {found:?}");
}

pub(super) fn with(
    base: &[(&'static str, Value)],
    more: Vec<(&'static str, Value)>,
) -> Vec<(&'static str, Value)> {
    base.iter().cloned().chain(more).collect()
}

pub(super) fn set(mut resource: Value, members: Value) -> Value {
    for (name, value) in members.as_object().unwrap() {
        resource[name] = value.clone();
    }
    resource
}

pub(super) fn persons() -> Vec<(&'static str, Value)> {
    ENDPOINTS.map(|endpoint| (endpoint, patient())).to_vec()
}

fn referral(status: &str) -> Value {
    set(
        order("s", "2026-01-05", "order", "1"),
        json!({
        "status": status,
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "3457005"}]}}),
    )
}

fn task(id: &str, status: &str, changed: &str) -> Value {
    about_p(json!({"resourceType": "Task", "id": id, "status": status, "intent": "order",
        "code": {"text": "Fulfill"}, "authoredOn": "2026-01-06T08:00:00Z",
        "lastModified": format!("{changed}T08:00:00Z"),
        "owner": {"display": "Food bank"},
        "focus": {"reference": "ServiceRequest/s"}}))
}

pub(super) fn medication(id: &str, drug: &str, day: &str, dose: &str) -> Value {
    about_p(json!({"resourceType": "MedicationRequest", "id": id, "status": "active",
        "intent": "order", "medicationCodeableConcept": {"text": drug}, "authoredOn": day,
        "dosageInstruction": [{"text": dose}]}))
}

pub(super) fn encounter(id: &str, class: &str, start: &str, end: &str) -> Value {
    about_p(json!({"resourceType": "Encounter", "id": id, "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": class},
        "period": {"start": start, "end": end}}))
}

fn plan(id: &str, members: Value) -> Value {
    let plan = json!({"resourceType": "CarePlan", "id": id, "status": "active", "intent": "plan",
        "title": format!("Plan {id}")});
    set(about_p(plan), members)
}

/// Every state of an order and its task: what is told, and by which rule.
#[test]
fn orders_and_tasks_that_do_not_fit() {
    let case =
        |request: Value, task: Value| with(&persons(), vec![("valley", request), ("valley", task)]);
    let open = || task("t", "in-progress", "2026-01-20");
    let done = || task("t", "completed", "2026-01-20");
    let proposal = || set(referral("active"), json!({"intent": "proposal"}));
    for (request, task, rule, severity) in [
        (referral("completed"), open(), "C1", "moderate"),
        (referral("revoked"), open(), "C2", "high"),
        (referral("entered-in-error"), open(), "C2", "high"),
        (referral("active"), done(), "C3", "low"),
        (proposal(), open(), "C13", "moderate"),
        (referral("active"), task("t", "accepted", "2026-01-02"), "C14", "low"),
        (referral("active"), done(), "awaiting-closure", "low"),
        (referral("active"), open(), "open-loop", "moderate"),
    ] {
        let issue = one(&case(request, task), DAY, rule);
        assert_eq!(issue["severity"], severity, "{issue}");
    }
    none(&case(referral("completed"), done()), DAY, "C1");
    let with_output = set(
        done(),
        json!({"output": [
        {"type": {"text": "result"}, "valueString": "food"}]}),
    );
    none(&case(referral("active"), with_output), DAY, "C3");
    let delivered = about_p(json!({"resourceType": "Procedure", "id": "o", "status": "completed",
        "code": {"text": "Provision of food"}, "basedOn": [{"reference": "ServiceRequest/s"}]}));
    none(&with(&case(referral("active"), done()), vec![("valley", delivered)]), DAY, "C3");
}

#[test]
fn a_task_whose_parts_are_done_is_told_until_it_is_done_itself() {
    let part = |status: &str| {
        set(
            task("c", status, "2026-01-21"),
            json!({"partOf": [{"reference": "Task/t"}], "owner": {"display": "Driver"}}),
        )
    };
    let of = |whole: &str, status: &str| {
        with(
            &persons(),
            vec![
                ("valley", referral("active")),
                ("valley", task("t", whole, "2026-01-20")),
                ("valley", part(status)),
            ],
        )
    };
    let issue = one(&of("in-progress", "completed"), DAY, "C15");
    assert_eq!(issue["implicated"].as_array().unwrap().len(), 2);
    none(&of("in-progress", "in-progress"), DAY, "C15");
    none(&of("completed", "completed"), DAY, "C15");
}

#[test]
fn two_sources_that_end_one_thing_differently_are_both_shown() {
    let ended = |id: &str, status: &str| {
        set(
            goal(id, "Walk daily", status),
            json!({
        "identifier": [{"system": "urn:oid:1.2.3", "value": "G1"}]}),
        )
    };
    let sources = |other: &str| {
        with(&persons(), vec![("valley", ended("a", "completed")), ("mercy", ended("b", other))])
    };
    let issue = one(&sources("cancelled"), DAY, "C11");
    assert_eq!(issue["evidence"][0]["detail"].as_array().unwrap().len(), 2);
    none(&sources("active"), DAY, "C11");
}

#[test]
fn a_loop_tells_its_stage_and_when_it_is_stuck() {
    let alone = with(&persons(), vec![("valley", referral("active"))]);
    let early = one(&alone, date(2026, 1, 12), "open-loop");
    assert_eq!(early["severity"], "low", "{early}");
    assert_eq!(one(&alone, date(2026, 1, 13), "open-loop")["severity"], "moderate");
    let at = |status: &str| with(&alone, vec![("valley", task("t", status, "2026-02-20"))]);
    for (status, stage) in [
        ("requested", "not answered"),
        ("accepted", "not begun"),
        ("in-progress", "under way"),
        ("on-hold", "on hold"),
        ("rejected", "turned down"),
    ] {
        let issue = one(&at(status), DAY, "open-loop");
        assert!(issue["detail"].as_str().unwrap().contains(stage), "{issue}");
    }
    none(&at("completed"), DAY, "open-loop");
    none(&with(&persons(), vec![("valley", referral("completed"))]), DAY, "open-loop");
    let laboratory = vec![("valley", order("s", "2026-01-05", "order", "1"))];
    none(&with(&persons(), laboratory), DAY, "open-loop");
}

#[test]
fn one_test_ordered_twice_is_told_within_the_window() {
    let second = |day: &str, members: Value| {
        with(
            &persons(),
            vec![
                ("valley", order("a", "2026-02-01", "order", "1")),
                ("mercy", set(order("b", day, "order", "2"), members)),
            ],
        )
    };
    let issue = one(&second("2026-02-15", json!({})), DAY, "duplicate-order");
    assert!(issue["detail"].as_str().unwrap().contains("2026-02-15 by mercy"), "{issue}");
    none(&second("2026-02-16", json!({})), DAY, "duplicate-order");
    none(&second("2026-02-10", json!({"status": "completed"})), DAY, "duplicate-order");
    none(&second("2026-02-10", json!({"intent": "proposal"})), DAY, "duplicate-order");
    none(
        &second("2026-02-10", json!({"bodySite": [{"text": "left knee"}]})),
        DAY,
        "duplicate-order",
    );
    let chain = with(
        &persons(),
        vec![
            ("valley", order("a", "2026-02-01", "order", "1")),
            (
                "valley",
                set(
                    order("b", "2026-02-03", "order", "2"),
                    json!({"basedOn": [{"reference": "ServiceRequest/a"}]}),
                ),
            ),
        ],
    );
    none(&chain, DAY, "duplicate-order");
}

#[test]
fn one_ingredient_prescribed_twice_is_told_and_other_doses_clash() {
    let of = |drug: &str, day: &str, dose: &str| {
        with(
            &persons(),
            vec![
                (
                    "valley",
                    medication("a", "Metformin 500 MG Oral Tablet", "2026-01-05", "1 tablet"),
                ),
                ("mercy", medication("b", drug, day, dose)),
            ],
        )
    };
    let salt = "metformin hydrochloride 500 MG Extended Release Tablet";
    let twice = one(&of(salt, "2026-02-01", "1 tablet"), DAY, "duplicate-therapy");
    assert_eq!(twice["severity"], "moderate");
    let more = "Metformin 1000 MG Oral Tablet";
    let clash = one(&of(more, "2026-02-01", "1 tablet"), DAY, "clashing-therapy");
    assert_eq!(clash["severity"], "high");
    for sources in
        [of("Lisinopril 10 MG", "2026-02-01", "1 tablet"), of(more, "2026-09-01", "1 tablet")]
    {
        none(&sources, DAY, "duplicate-therapy");
        none(&sources, DAY, "clashing-therapy");
    }
}

#[test]
fn instructions_that_contradict_each_other_are_told() {
    let aim = |id: &str, comparator: &str, value: u8| {
        set(
            goal(id, &format!("Weight {id}"), "active"),
            json!({"target": [{"measure": {"text": "Body weight"}, "detailQuantity":
            {"value": value, "comparator": comparator, "unit": "kg"}}]}),
        )
    };
    let goals = |a: Value, b: Value| with(&persons(), vec![("valley", a), ("mercy", b)]);
    let issue = one(&goals(aim("a", "<", 70), aim("b", ">=", 75)), DAY, "contradicting-goals");
    assert_eq!(issue["severity"], "high");
    none(&goals(aim("a", "<", 70), aim("b", ">=", 65)), DAY, "contradicting-goals");

    let order = || order("a", "2026-02-01", "order", "1");
    let ban = set(super::order("b", "2026-02-02", "order", "2"), json!({"doNotPerform": true}));
    one(&goals(order(), ban), DAY, "contradicting-orders");
    let plan = |banned: bool| {
        plan(
            "c",
            json!({"activity": [{"detail": {
        "status": "in-progress", "doNotPerform": banned,
        "code": {"coding": [{"system": "http://loinc.org", "code": "4548-4"}]}}}]}),
        )
    };
    one(&goals(order(), plan(true)), DAY, "contradicting-orders");
    none(&goals(order(), plan(false)), DAY, "contradicting-orders");
}

#[test]
fn a_discharge_wants_a_visit_and_its_medications_gone_through() {
    let stay = || encounter("e", "IMP", "2026-01-01", "2026-01-10T12:00:00Z");
    let home = with(
        &persons(),
        vec![
            ("valley", stay()),
            ("valley", medication("m", "Metformin 500 MG", "2026-01-05", "1 tablet")),
        ],
    );
    none(&home, date(2026, 1, 24), "no-follow-up");
    one(&home, date(2026, 1, 25), "no-follow-up");
    none(&home, date(2026, 4, 11), "no-follow-up");
    let visit = |day: &str| with(&home, vec![("mercy", encounter("v", "AMB", day, day))]);
    none(&visit("2026-01-20"), DAY, "no-follow-up");
    one(&visit("2026-01-09"), DAY, "no-follow-up");
    let back = encounter("f", "IMP", "2026-01-12", "2026-01-30");
    let again = with(&home, vec![("mercy", back)]);
    assert!(one(&again, DAY, "no-follow-up")["detail"].as_str().unwrap().contains("2026-01-30"));

    none(&home, date(2026, 1, 10), "medications-unreconciled");
    let soon = one(&home, date(2026, 1, 11), "medications-unreconciled");
    let late = one(&home, date(2026, 2, 10), "medications-unreconciled");
    assert_eq!((&soon["severity"], &late["severity"]), (&json!("moderate"), &json!("high")));
    let reconciled = about_p(json!({"resourceType": "Procedure", "id": "r", "status": "completed",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "430193006"}]},
        "performedDateTime": "2026-01-12"}));
    none(&with(&home, vec![("mercy", reconciled)]), DAY, "medications-unreconciled");
}

#[test]
fn plans_that_nobody_keeps_and_ended_ones_with_work_left_are_told() {
    let kept = |members: Value| {
        with(
            &persons(),
            vec![("valley", plan("c", members)), ("valley", goal("g", "Walk daily", "active"))],
        )
    };
    let begun = |status: &str| {
        json!({"status": status, "period": {"start": "2025-01-10"},
        "goal": [{"reference": "Goal/g"}]})
    };
    none(&kept(begun("active")), date(2026, 1, 10), "stale-plan");
    one(&kept(begun("active")), date(2026, 1, 11), "stale-plan");
    one(&kept(begun("completed")), DAY, "C8");
    let successor = plan("d", json!({"goal": [{"reference": "Goal/g"}]}));
    none(&with(&kept(begun("completed")), vec![("valley", successor)]), DAY, "C8");
}

#[test]
fn several_care_managers_are_told_until_one_is_left() {
    let team = |id: &str, name: &str, end: &str| {
        about_p(json!({
        "resourceType": "CareTeam", "id": id, "status": "active", "name": format!("Team {id}"),
        "participant": [{"role": [{"coding": [{"system": "http://snomed.info/sct",
            "code": "768820003"}]}], "member": {"display": name}, "period": {"end": end}}]}))
    };
    let both = |name: &str, end: &str| {
        with(
            &persons(),
            vec![("valley", team("a", "Ann Lee", "2027-01-01")), ("mercy", team("b", name, end))],
        )
    };
    let issue = one(&both("Bo Kim", "2026-03-01"), DAY, "several-care-managers");
    assert!(issue["detail"].as_str().unwrap().contains("Bo Kim; Ann Lee"), "{issue}");
    none(&both("Bo Kim", "2026-02-28"), DAY, "several-care-managers");
    none(&both("Ann Lee", "2026-03-01"), DAY, "several-care-managers");
}

/// Records whose dates set every rule that looks at the day, `off` days apart.
fn dated(days: &[u16]) -> Vec<(&'static str, Value)> {
    let day = |i: usize| (date(2026, 1, 1) + jiff::Span::new().days(days[i])).to_string();
    let due = set(goal("g", "Walk daily", "active"), json!({"target": [{"dueDate": day(0)}]}));
    let restricted = set(
        task("u", "requested", &day(5)),
        json!({
        "restriction": {"period": {"end": day(1)}}}),
    );
    let lapsing = set(
        medication("n", "Metformin 1000 MG", "2026-01-04", "1"),
        json!({
        "dispenseRequest": {"validityPeriod": {"end": day(4)}}}),
    );
    let team = |id: &str, name: &str, end: String| {
        about_p(json!({
        "resourceType": "CareTeam", "id": id, "status": "active", "period": {"end": end},
        "participant": [{"role": [{"text": "Care manager"}], "member": {"display": name}}]}))
    };
    with(
        &persons(),
        vec![
            ("valley", due),
            ("valley", referral("active")),
            ("valley", restricted),
            ("valley", plan("c", json!({"period": {"end": day(2)}}))),
            ("mercy", plan("d", json!({"period": {"start": day(6)}}))),
            ("mercy", encounter("e", "IMP", "2025-12-31", &day(3))),
            ("mercy", medication("m", "Metformin 500 MG", "2026-01-05", "1")),
            ("stjude", lapsing),
            ("valley", team("a", "Ann Lee", day(7))),
            ("mercy", team("b", "Bo Kim", day(0))),
        ],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    /// The announced day is the first on which anything is told otherwise, or earlier; between
    /// now and then nothing changes.
    #[test]
    fn nothing_changes_before_the_announced_day(days in prop::collection::vec(0u16..60, 8)) {
        let given = charts(records(&dated(&days)));
        let again = |c: &ChartInput| ChartInput { key: c.key.clone(), records: c.records.clone() };
        let on = |day: Date| {
            woven_on(day, given.iter().map(again).collect(), Vec::new(), &NoPreviousRows)
        };
        let told = |view: &View| {
            let ours = view.tables.values().flatten().filter(|row| row.made_by_us);
            ours.map(|row| row.body.clone()).collect::<Vec<_>>()
        };
        let mut announced = on(date(2025, 12, 30));
        let mut changes = 0;
        let last = date(2027, 6, 1);
        let mut day = date(2025, 12, 31);
        while day <= last {
            let view = on(day);
            if announced.next_change == Some(day) {
                changes += usize::from(told(&view) != told(&announced));
                announced = view;
            } else {
                prop_assert_eq!(told(&view), told(&announced), "on {}", day);
                prop_assert_eq!(view.next_change, announced.next_change);
            }
            // Days on which nothing is announced are sampled: each takes a weave.
            let next = announced.next_change.filter(|next| *next > day).unwrap_or(last);
            let gap = (next - day).get_days();
            day += jiff::Span::new().days(if gap > 3 { gap / 3 } else { 1 });
        }
        prop_assert!(changes > 5, "{} changes", changes);
        prop_assert_eq!(announced.next_change, None);
    }
}
