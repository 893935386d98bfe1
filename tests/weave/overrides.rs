//! A steward's override stands as long as the source versions it was decided on.

use careweave::flow::{Dispute, Resolution};

use super::*;

fn target(id: &str, value: u8) -> Value {
    let mut goal = goal(id, "Lose weight", "active");
    goal["identifier"] = json!([{"system": "urn:oid:1.2.3", "value": "G1"}]);
    goal["target"] = json!([{"measure": {"text": "Body weight"},
        "detailQuantity": {"value": value, "comparator": "<", "unit": "kg"}}]);
    goal
}

fn sources(of_mercy: u8) -> Vec<(&'static str, Value)> {
    vec![
        ("valley", patient()),
        ("valley", target("g1", 70)),
        ("mercy", patient()),
        ("mercy", target("g9", of_mercy)),
    ]
}

fn under(overrides: &[Override], sources: &[(&str, Value)]) -> View {
    woven_on(DAY, charts(records(sources)), overrides.to_vec(), &NoPreviousRows)
}

/// The conflict about the goal's target, and what can be decided about it.
fn conflict(view: &View) -> (Value, Dispute) {
    let dispute = view.disputes.iter().find(|d| &*d.matter == "Goal.target").unwrap();
    let issues = rows(view, "DetectedIssue");
    let row = issues.iter().find(|r| r.id == dispute.issue).unwrap();
    (body(row), dispute.clone())
}

fn decided(dispute: &Dispute, resolution: Resolution) -> Override {
    Override {
        matter: dispute.matter.clone(),
        basis: dispute.basis.clone(),
        resolution,
        by: "anna".into(),
        at: at(),
        note: "asked the patient".into(),
    }
}

fn shown(view: &View) -> Value {
    body(rows(view, "Goal")[0])["target"][0]["detailQuantity"]["value"].clone()
}

#[test]
fn a_preferred_side_is_shown_by_name_and_both_sides_stay() {
    let before = under(&[], &sources(75));
    let (open, dispute) = conflict(&before);
    assert!(open.get("mitigation").is_none());
    assert_eq!(dispute.sides.len(), 2);
    for side in &dispute.sides {
        let override_ = decided(&dispute, Resolution::Prefer(*side));
        let view = under(&[override_], &sources(75));
        let goals = rows(&view, "Goal");
        let choice = goals[0].choices.iter().find(|c| &*c.element == "Goal.target").unwrap();
        assert_eq!((&*choice.rule, choice.from, choice.others.len()), ("steward", *side, 1));
        let (issue, after) = conflict(&view);
        assert_eq!(issue["mitigation"][0]["author"]["display"], "anna");
        assert!(issue["mitigation"][0]["action"]["text"].as_str().unwrap().contains("asked"));
        assert!(issue["meta"]["tag"].to_string().contains(RESOLVED));
        assert_eq!(after, dispute, "the decision changes nothing of what it rests on");
        let expected = if *side == KEY.record(&goals[0].members[0].key) { 0 } else { 1 };
        assert_eq!(shown(&view), [75, 70][expected], "mercy is the first by key");
    }
}

#[test]
fn an_override_expires_with_a_source_version_and_says_so() {
    let (_, dispute) = conflict(&under(&[], &sources(75)));
    let accepted = [decided(&dispute, Resolution::Accept)];
    let standing = conflict(&under(&accepted, &sources(75))).0;
    assert_eq!(standing["mitigation"][0]["action"]["coding"][0]["code"], "accept");
    assert_eq!(shown(&under(&accepted, &sources(75))), shown(&under(&[], &sources(75))));

    let view = under(&accepted, &sources(80));
    let back = conflict(&view).0;
    let detail = back["detail"].as_str().unwrap();
    assert!(detail.contains("earlier override, by anna on 2026-01-02, has expired: mercy"));
    assert!(back.get("mitigation").is_none());
    assert!(!back["meta"]["tag"].to_string().contains(RESOLVED));

    // Who agrees needs no override; who comes back to the very same has decided nothing new.
    assert!(!rules(&under(&accepted, &sources(70))).contains(&"value-disagreement".to_owned()));
    assert_eq!(conflict(&under(&accepted, &sources(75))).0, standing);
}

#[test]
fn the_last_of_several_overrides_counts_and_rows_know_of_it() {
    let (_, dispute) = conflict(&under(&[], &sources(75)));
    let first = decided(&dispute, Resolution::Prefer(dispute.sides[0]));
    let later = Override {
        at: at() + jiff::SignedDuration::from_hours(1),
        ..decided(&dispute, Resolution::Prefer(dispute.sides[1]))
    };
    let last = under(std::slice::from_ref(&later), &sources(75));
    for both in [[first.clone(), later.clone()], [later.clone(), first.clone()]] {
        assert_eq!(essence(&under(&both, &sources(75))), essence(&last));
        // A stored row made under another decision is not taken over.
        let before = under(std::slice::from_ref(&first), &sources(75));
        let stored = before
            .tables
            .into_iter()
            .flat_map(|(kind, rows)| rows.into_iter().map(move |row| ((kind, row.id), row)));
        let previous = Previous(stored.collect());
        let again = woven_on(DAY, charts(records(&sources(75))), both.to_vec(), &previous);
        assert_eq!(essence(&again), essence(&last));
    }
}
