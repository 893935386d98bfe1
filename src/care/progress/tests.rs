//! Goals against readings in other units, from several sides; check-ins.

#![expect(clippy::unwrap_used, reason = "test")]
use serde_json::{Value, json};

use super::{Progress, Standing, progress};

fn on() -> jiff::civil::Date {
    jiff::civil::date(2026, 6, 1)
}

fn reading(id: &str, code: &str, day: &str, value: Value) -> Value {
    let mut made = json!({"resourceType": "Observation", "id": id, "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "effectiveDateTime": day});
    made.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    made
}

fn amount(value: f64, unit: &str) -> Value {
    json!({"valueQuantity": {"value": value, "unit": unit,
        "system": "http://unitsofmeasure.org", "code": unit}})
}

fn goal(code: &str, detail: Value) -> Value {
    let mut target = json!({"measure": {"coding": [{"system": "http://loinc.org", "code": code}],
        "text": "what is measured"}});
    target.as_object_mut().unwrap().extend(detail.as_object().unwrap().clone());
    json!({"resourceType": "Goal", "id": "g", "lifecycleStatus": "active",
        "description": {"text": "the goal"}, "target": [target]})
}

fn aim(comparator: &str, value: f64, unit: &str) -> Value {
    let mut quantity = json!({"value": value, "unit": unit, "code": unit});
    if !comparator.is_empty() {
        quantity["comparator"] = json!(comparator);
    }
    json!({"detailQuantity": quantity})
}

/// Met, trend, proposal of a goal with readings on successive days.
fn told(goal: &Value, readings: &[Value]) -> (Option<bool>, Option<String>, Option<String>) {
    let mut all = vec![goal.clone()];
    all.extend(readings.iter().cloned());
    let Progress { goals, .. } = progress(&all, on());
    let [goal] = goals.try_into().unwrap();
    let trend = serde_json::to_value(goal.targets[0].trend).unwrap();
    (
        goal.targets[0].met,
        trend.as_str().map(str::to_owned),
        goal.proposed.map(|proposed| proposed.achievement.to_owned()),
    )
}

fn series(code: &str, values: &[(f64, &str)]) -> Vec<Value> {
    let each = values.iter().enumerate();
    each.map(|(n, (value, unit))| {
        reading(&format!("o{n}"), code, &format!("2026-0{}-01", n + 1), amount(*value, unit))
    })
    .collect()
}

#[test]
#[rustfmt::skip]
fn readings_are_compared_in_the_unit_of_the_target() {
    for (code, detail, values, met, trend, proposed) in [
        ("4548-4", aim("<", 7.0, "%"), &[(8.4, "%"), (7.6, "%"), (6.8, "%")][..],
            Some(true), "improving", "achieved"),
        ("4548-4", aim("<", 7.0, "%"), &[(7.0, "%")], Some(false), "", ""),
        ("4548-4", aim("<=", 7.0, "%"), &[(7.0, "%")], Some(true), "", "achieved"),
        ("29463-7", aim("<", 80.0, "kg"), &[(190.0, "[lb_av]"), (175.0, "[lb_av]")],
            Some(true), "improving", "achieved"),
        ("29463-7", aim("<", 80.0, "kg"), &[(81.0, "kg"), (190.0, "[lb_av]")],
            Some(false), "worsening", "worsening"),
        ("29463-7", aim("", 80.0, "kg"), &[(90.0, "kg"), (79.0, "kg")],
            Some(true), "improving", "achieved"),
        ("29463-7", aim("", 80.0, "kg"), &[(70.0, "kg"), (79.0, "kg")],
            Some(false), "improving", "improving"),
        ("2345-7", aim("<", 126.0, "mg/dL"), &[(8.0, "mmol/L"), (6.0, "mmol/L")],
            Some(true), "improving", "achieved"),
        // No way from mass to substance for what is not known, none between two dimensions.
        ("9999-9", aim("<", 126.0, "mg/dL"), &[(6.0, "mmol/L")], None, "", ""),
        ("29463-7", aim("<", 80.0, "kg"), &[(60.0, "cm")], None, "", ""),
        ("8310-5", aim("<", 38.0, "Cel"), &[(101.0, "[degF]"), (99.0, "[degF]")],
            Some(true), "improving", "achieved"),
        ("4548-4", json!({"detailRange": {"low": {"value": 4, "code": "%"},
            "high": {"value": 6, "code": "%"}}}), &[(7.0, "%"), (7.05, "%")],
            Some(false), "no-change", "no-change"),
    ] {
        let said = told(&goal(code, detail.clone()), &series(code, values));
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        assert_eq!(said, (met, some(trend), some(proposed)), "{detail} of {values:?}");
    }
}

#[test]
fn what_is_proposed_follows_what_was_said_and_when() {
    let answer = |id: &str, day: &str, code: &str| {
        let coding = json!([{"system": "http://loinc.org", "code": code}]);
        reading(id, "88124-3", day, json!({"valueCodeableConcept": {"coding": coding}}))
    };
    let no_risk = json!({"detailCodeableConcept":
        {"coding": [{"system": "http://loinc.org", "code": "LA19983-8"}]}});
    let mut food = goal("88124-3", no_risk);
    food["startDate"] = json!("2026-03-01");
    let (risk, none) =
        (answer("a", "2026-02-01", "LA19952-3"), answer("b", "2026-05-01", "LA19983-8"));
    let proposed = |goal: &Value, readings: &[&Value]| {
        told(goal, &readings.iter().map(|r| (*r).clone()).collect::<Vec<_>>()).2
    };
    assert_eq!(proposed(&food, &[&risk]), None, "what was before the start says nothing yet");
    assert_eq!(proposed(&food, &[&risk, &none]).as_deref(), Some("achieved"));
    let all = [food.clone(), risk.clone(), none.clone()];
    let [of_food] = progress(&all, on()).goals.try_into().unwrap();
    let why = of_food.proposed.unwrap();
    assert_eq!(why.evidence, ["Observation/a", "Observation/b"]);
    assert!(why.because.contains("on 2026-05-01"), "{}", why.because);

    let mut decided = food.clone();
    decided["statusDate"] = json!("2026-05-20");
    assert_eq!(proposed(&decided, &[&risk, &none]), None, "the team spoke after the reading");
    let with = |code: &str, day: &str| {
        let mut goal = food.clone();
        goal["achievementStatus"] = json!({"coding": [{"code": code}]});
        goal["statusDate"] = json!(day);
        goal
    };
    let achieved = with("achieved", "2026-04-01");
    assert_eq!(proposed(&achieved, &[&risk, &none]).as_deref(), Some("sustaining"));
    let again = answer("c", "2026-05-30", "LA19952-3");
    assert_eq!(proposed(&achieved, &[&risk, &none, &again]).as_deref(), Some("worsening"));
    let mut over = with("in-progress", "2026-04-01");
    over["target"][0]["dueDate"] = json!("2026-05-31");
    assert_eq!(proposed(&over, &[&risk, &again]).as_deref(), Some("not-achieved"));
    over["lifecycleStatus"] = json!("completed");
    assert_eq!(proposed(&over, &[&risk, &again]), None);
    let mut wrong = none.clone();
    wrong["status"] = json!("entered-in-error");
    assert_eq!(proposed(&food, &[&risk, &wrong]), None);
}

#[test]
fn check_ins_are_due_one_interval_after_the_last() {
    let weigh = json!({"text": "Weigh in"});
    let request = json!({"resourceType": "ServiceRequest", "id": "r", "status": "active",
        "intent": "order", "code": weigh, "authoredOn": "2026-05-01",
        "occurrenceTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "wk"}}});
    let call = json!({"resourceType": "CarePlan", "id": "p", "status": "active",
        "period": {"start": "2026-05-25"}, "activity": [{"detail": {"status": "in-progress",
            "code": {"text": "Call"},
            "scheduledTiming": {"code": {"coding": [{"code": "MO"}]}}}}]});
    let mut done = reading("o", "29463-7", "2026-05-24", amount(80.0, "kg"));
    done["basedOn"] = json!([{"reference": "ServiceRequest/r"}]);
    let all = [request.clone(), call, done];
    let [called, weighed] = progress(&all, on()).check_ins.try_into().unwrap();
    assert_eq!((called.due.to_string(), called.standing), ("2026-05-25".into(), Standing::Overdue));
    assert_eq!((called.what.as_str(), called.every.as_str()), ("Call", "1 month"));
    assert_eq!(
        (weighed.due.to_string(), weighed.standing),
        ("2026-05-31".into(), Standing::Overdue)
    );
    assert_eq!(weighed.done_by.as_deref(), Some("Observation/o"));
    let next = jiff::civil::date(2026, 5, 31);
    let [_, weighed] = progress(&all, next).check_ins.try_into().unwrap();
    assert_eq!(weighed.standing, Standing::Due);
    for (path, value) in [
        ("status", json!("completed")),
        ("doNotPerform", json!(true)),
        (
            "occurrenceTiming",
            json!({"repeat": {"period": 1, "periodUnit": "wk",
            "boundsPeriod": {"start": "2026-01-01", "end": "2025-12-31"}}}),
        ),
    ] {
        let mut ended = request.clone();
        ended[path] = value;
        assert_eq!(progress(&[ended], on()).check_ins, [], "{path}");
    }
}
