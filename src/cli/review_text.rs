//! The review queue and its pairs as text and JSON.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::person_text::name_of;
use super::review_names::pair_name;
use super::review_said::{note_json, risk_json, risk_text, state_text};
use crate::flow::{Comparison, DerivedId, MatchGrade, PastDecision};
use crate::identity::{linking_grade, waterfall_text};
use crate::pipeline::{Outcome, PairState, PersonNow, Queued, Side};

/// Everything about a pair.
pub(super) struct Shown {
    pub(super) id: DerivedId,
    pub(super) since: Option<Timestamp>,
    pub(super) sides: [Side; 2],
    /// Both are one person already.
    pub(super) together: bool,
    pub(super) comparison: Option<Comparison>,
    pub(super) outcome: Option<Outcome>,
    pub(super) decisions: Vec<PastDecision>,
    pub(super) state: PairState,
}

/// A pair of the queue in three lines.
pub(super) fn list_line(queued: &Queued, a: &Side, b: &Side, today: Date) -> String {
    let pair = &queued.pair;
    let age = |at: Timestamp| {
        let since = at.to_zoned(TimeZone::UTC).date();
        let days = (today - since).get_days();
        format!(", since {since} ({days} days)")
    };
    let since = queued.since.map(age).unwrap_or_default();
    format!(
        "{}  {:+.1} bits  {}{since}{}\n  {}\n  {}",
        pair_name(queued.id),
        pair.weight_bits,
        reason_text(pair.grade, &pair.reason),
        state_text(&queued.state),
        side_line(a),
        side_line(b)
    )
}

/// The same as JSON.
pub(super) fn list_json(queued: &Queued, a: &Side, b: &Side, now: Timestamp) -> Value {
    let state = &queued.state;
    json!({
        "age_days": queued.since.map(|at| now.duration_since(at).as_hours() / 24),
        "assignee": state.assignee,
        "priority": state.priority,
        "not_sure": state.not_sure,
        "proposed_by": state.proposal.as_ref().map(|proposal| &proposal.by),
        "notes": state.notes.len(),
        "id": pair_name(queued.id),
        "weight_bits": queued.pair.weight_bits,
        "grade": grade_word(queued.pair.grade),
        "reason": queued.pair.reason,
        "since": queued.since.map(|at| at.to_string()),
        "charts": [side_json(a), side_json(b)],
    })
}

/// Both sides, field by field, the waterfall, what a link would do, and past decisions.
pub(super) fn show_text(shown: &Shown) -> String {
    let mut text = format!("pair {}", pair_name(shown.id));
    if let Some(since) = shown.since {
        let _ = write!(text, ", first queued {}", day(since));
    }
    text.push_str(if shown.together { "; they are one person now\n\n" } else { "\n\n" });
    text.push_str(&fields_text(&shown.sides));
    text.push('\n');
    match &shown.comparison {
        Some(comparison) => text.push_str(&waterfall_text(comparison)),
        None => text.push_str("not compared: the Patient of one has not come\n"),
    }
    if let Some(outcome) = &shown.outcome {
        text.push_str(&outcome_text(outcome, shown.together));
    }
    let said = state_text(&shown.state);
    if !said.is_empty() {
        let _ = write!(text, "\n{}\n", said.trim_start_matches(", "));
    }
    for note in shown.state.notes.iter().filter(|note| !note.note.is_empty()) {
        let _ =
            write!(text, "\nnoted {} by {}: {}", day(note.at), plain(&note.by), plain(&note.note));
    }
    text.push_str("\ndecisions:");
    for past in &shown.decisions {
        let _ = write!(text, "\n  {}", decision_text(past));
    }
    if shown.decisions.is_empty() {
        text.push_str(" none");
    }
    text
}

impl Shown {
    /// The same as JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": pair_name(self.id),
            "since": self.since.map(|at| at.to_string()),
            "one_person": self.together,
            "charts": self.sides.iter().map(|side| {
                let mut shown = side_json(side);
                shown["patient"] = patient_of(side).unwrap_or(Value::Null);
                shown
            }).collect::<Vec<_>>(),
            "comparison": self.comparison.as_ref().map(comparison_json),
            "if_linked": self.outcome.as_ref().map(Outcome::json),
            "assignee": self.state.assignee,
            "priority": self.state.priority,
            "not_sure": self.state.not_sure,
            "proposal": self.state.proposal.as_ref().map(note_json),
            "notes": self.state.notes.iter().map(note_json).collect::<Vec<_>>(),
            "decisions": self.decisions.iter().map(decision_json).collect::<Vec<_>>(),
        })
    }
}

impl Outcome {
    /// As JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "persons": self.persons.iter().map(PersonNow::json).collect::<Vec<_>>(),
            "effect": self.effect.as_ref().map(|effect| json!({
                "joins": effect.joins, "into": effect.into.to_string(),
                "moves": {"charts": effect.charts, "records": effect.records,
                          "plans": effect.plans}, "parted": effect.parted,
            })),
            "risks": self.risks.iter().map(risk_json).collect::<Vec<_>>(),
            "kept_apart_by": self.kept_apart_by.iter().map(|d| json!({
                "charts": [d.a.to_string(), d.b.to_string()],
                "by": d.by,
                "at": d.at.to_string(),
                "note": d.note,
            })).collect::<Vec<_>>(),
        })
    }
}

impl PersonNow {
    /// As JSON.
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id.map(|id| id.to_string()),
            "charts": self.charts.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "records": self.records,
            "plans": self.plans,
        })
    }
}

/// `now one person X: …`, or each of several.
pub(super) fn persons_text(persons: &[PersonNow]) -> String {
    match persons {
        [] => "none of them is shown as a person yet: no Patient has come".to_owned(),
        [one] => format!("now one person {}", person_text(one)),
        several => {
            let lines: Vec<String> =
                several.iter().map(|p| format!("  {}", person_text(p))).collect();
            format!("now {} persons:\n{}", several.len(), lines.join("\n"))
        }
    }
}

fn person_text(person: &PersonNow) -> String {
    let id = person.id.map_or_else(|| "of".to_owned(), |id| format!("{id}:"));
    let charts: Vec<String> = person.charts.iter().map(ToString::to_string).collect();
    let (records, plans) = (person.records, person.plans);
    format!("{id} {} with {records} records, {plans} of them care plans", charts.join(", "))
}

pub(super) fn outcome_text(outcome: &Outcome, together: bool) -> String {
    if !outcome.kept_apart_by.is_empty() {
        let lines = outcome
            .kept_apart_by
            .iter()
            .map(|d| format!("  {} and {}, no-match by {} on {}\n", d.a, d.b, d.by, day(d.at)));
        return format!("\na link is refused; undo these first:\n{}", lines.collect::<String>());
    }
    if together {
        return "\na link would keep them one person whatever their records become\n".to_owned();
    }
    let lines = outcome.persons.iter().map(|person| match person.id {
        Some(_) => format!("  as now: {}\n", person_text(person)),
        None => format!("  one person {}\n", person_text(person)),
    });
    let risks = outcome.risks.iter().map(|risk| format!("  careful: {}\n", risk_text(risk)));
    let risks: String = risks.collect();
    let does = outcome.effect.as_ref().map_or_else(String::new, |effect| {
        let (charts, records, plans) = (effect.charts, effect.records, effect.plans);
        let parted = match effect.parted {
            0 => String::new(),
            some => format!("; {} of theirs would no longer be with them", counted(some, "chart")),
        };
        format!(
            "\na link joins {} persons, and moves {} with {} and {} to {}{parted}\n",
            effect.joins,
            counted(charts, "chart"),
            counted(records, "record"),
            counted(plans, "care plan"),
            effect.into
        )
    });
    format!("{does}\na link would make:\n{}{risks}", lines.collect::<String>())
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn decision_text(past: &PastDecision) -> String {
    let note =
        |note: &str| if note.is_empty() { String::new() } else { format!(": {}", plain(note)) };
    let decision = &past.decision;
    let mut text = format!(
        "{} {} by {}{}",
        day(decision.at),
        decision.verdict.word(),
        plain(&decision.by),
        note(&decision.note)
    );
    if let Some(undo) = &past.undone {
        let _ =
            write!(text, "; undone {} by {}{}", day(undo.at), plain(&undo.by), note(&undo.note));
    }
    text
}

fn decision_json(past: &PastDecision) -> Value {
    let decision = &past.decision;
    json!({
        "decision": decision.verdict.word(),
        "by": decision.by,
        "at": decision.at.to_string(),
        "note": decision.note,
        "undone": past.undone.as_ref().map(|undo| {
            json!({"by": undo.by, "at": undo.at.to_string(), "note": undo.note})
        }),
    })
}

fn comparison_json(comparison: &Comparison) -> Value {
    json!({
        "weight_bits": comparison.weight_bits,
        "probability": comparison.probability,
        "grade": grade_word(linking_grade(comparison)),
        "unproven": comparison.unproven,
        "steps": steps_json(comparison),
        "vetoes": comparison.vetoes,
    })
}

/// The steps of a waterfall, each with the sum so far.
pub(super) fn steps_json(comparison: &Comparison) -> Vec<Value> {
    let mut total = 0.0;
    let step = comparison.waterfall.iter().map(|step| {
        total += step.weight_bits;
        let (field, level, bits) = (&step.field, &step.level, step.weight_bits);
        json!({"field": field, "level": level, "weight_bits": bits, "total_bits": total})
    });
    step.collect()
}

/// A grade as programs read it.
pub(super) fn grade_word(grade: MatchGrade) -> &'static str {
    match grade {
        MatchGrade::Certain => "certain",
        MatchGrade::Probable => "probable",
        MatchGrade::Possible => "possible",
        MatchGrade::CertainlyNot => "certainly-not",
    }
}

fn reason_text(grade: MatchGrade, reason: &str) -> String {
    match reason {
        "below-certain" => grade_word(grade).to_owned(),
        "unproven" => "unproven: only a block beyond its cap proposed it".to_owned(),
        cut => format!("cut, by {cut}"),
    }
}

fn patient_of(side: &Side) -> Option<Value> {
    serde_json::from_slice(side.patient.as_ref()?).ok()
}

fn side_line(side: &Side) -> String {
    let Some(patient) = patient_of(side) else {
        return format!("{:28} {}", side.home.to_string(), waiting_text(side));
    };
    let said = |name: &str| plain(patient[name].as_str().unwrap_or("unknown"));
    let withdrawn = if side.withdrawn { "  (withdrawn since)" } else { "" };
    format!(
        "{:28} {:28} {:8} {:10}{withdrawn}",
        side.home.to_string(),
        plain(&name_of(&patient)),
        said("gender"),
        said("birthDate")
    )
}

fn waiting_text(side: &Side) -> &'static str {
    match side.home.chart() {
        Some(chart) if chart.is_by_identifier() => "(known by an identifier only)",
        Some(_) => "(its Patient has not come)",
        None => "(a directory record)",
    }
}

fn side_json(side: &Side) -> Value {
    let patient = patient_of(side);
    let said = |name: &str| patient.as_ref().map_or(Value::Null, |p| p[name].clone());
    json!({
        "chart": side.home.to_string(),
        "endpoint": side.home.endpoint(),
        "person": side.person.map(|id| id.to_string()),
        "name": patient.as_ref().map(name_of),
        "gender": said("gender"),
        "birthDate": said("birthDate"),
        "withdrawn": side.withdrawn,
    })
}

/// Both sides beside each other, a row a field that at least one states.
fn fields_text(sides: &[Side; 2]) -> String {
    let [left, right] = sides.each_ref().map(fields_of);
    let width = left.iter().flat_map(|(_, values)| values).map(|v| v.chars().count()).max();
    let width = width.unwrap_or(0).clamp(20, 48);
    let mut text = String::new();
    for ((field, a), (_, b)) in left.iter().zip(&right) {
        for row in 0..a.len().max(b.len()) {
            let label = if row == 0 { field } else { "" };
            let at = |values: &[String]| values.get(row).cloned().unwrap_or_default();
            let mark = if row == 0 && a == b { "=" } else { " " };
            let _ = writeln!(text, "{label:14} {:width$} {mark} {}", at(a), at(b));
        }
    }
    text
}

/// The fields of one side in fixed order; one that it does not state is empty.
fn fields_of(side: &Side) -> Vec<(&'static str, Vec<String>)> {
    let patient = patient_of(side).unwrap_or(Value::Null);
    let each = |name: &str, text: &dyn Fn(&Value) -> String| -> Vec<String> {
        let values = patient[name].as_array().map(Vec::as_slice).unwrap_or_default();
        values.iter().map(|value| plain(text(value).trim())).collect()
    };
    let one = |name: &str| -> Vec<String> {
        match &patient[name] {
            Value::Null => Vec::new(),
            Value::String(text) => vec![plain(text)],
            other => vec![plain(&other.to_string())],
        }
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let words = |value: &Value| -> String {
        let words = value.as_array().map(Vec::as_slice).unwrap_or_default();
        words.iter().map(text).collect::<Vec<_>>().join(" ")
    };
    let name = |name: &Value| {
        let used = name["use"].as_str().filter(|u| *u != "official" && *u != "usual");
        let used = used.map(|u| format!(" ({u})")).unwrap_or_default();
        let full = name_of(&json!({"name": [name]}));
        format!("{full} {}{used}", words(&name["suffix"]))
    };
    let identifier = |id: &Value| format!("{}|{}", text(&id["system"]), text(&id["value"]));
    let address = |a: &Value| {
        let parts =
            [words(&a["line"]), text(&a["city"]), text(&a["state"]), text(&a["postalCode"])];
        parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
    };
    let telecom = |t: &Value| format!("{} {}", text(&t["system"]), text(&t["value"]));
    let mut chart = vec![side.home.to_string()];
    if side.patient.is_none() {
        chart.push(waiting_text(side).to_owned());
    }
    if side.withdrawn {
        chart.push("(withdrawn since)".to_owned());
    }
    let person = side.person.map(|id| id.to_string());
    let deceased = [one("deceasedBoolean"), one("deceasedDateTime")].concat();
    let birth = [one("multipleBirthBoolean"), one("multipleBirthInteger")].concat();
    vec![
        ("chart", chart),
        ("person", person.into_iter().collect()),
        ("name", each("name", &name)),
        ("sex", one("gender")),
        ("born", one("birthDate")),
        ("died", deceased),
        ("multiple birth", birth),
        ("identifier", each("identifier", &identifier)),
        ("address", each("address", &address)),
        ("telecom", each("telecom", &telecom)),
        ("active", one("active")),
    ]
}

/// Text without control characters: a terminal would obey them.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn day(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).date().to_string()
}
