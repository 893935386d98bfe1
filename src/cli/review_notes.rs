//! `review assign`, `not-sure`, `note` and `history`: what stewards say beside decisions.

use std::collections::BTreeSet;

use clap::Args;
use serde_json::{Value, json};

use super::CliError;
use super::review::Review;
use super::review_names::{Named, decider, pair_name};
use super::review_queue::Urgency;
use super::review_said::{log_json, log_line};
use crate::flow::{Access, ChartKey, DerivedId, Home, NoteKind};

/// Who is to look at a pair, and how soon.
#[derive(Args)]
pub(super) struct AssignArgs {
    /// A pair, or two charts
    #[arg(required = true, num_args = 1..=2, value_name = "PAIR | CHART CHART")]
    names: Vec<String>,
    /// Who is to look at it
    #[arg(long, value_name = "NAME", conflicts_with = "nobody")]
    to: Option<String>,
    /// Takes it from whoever has it
    #[arg(long)]
    nobody: bool,
    /// How soon
    #[arg(long, value_enum)]
    priority: Option<Urgency>,
    #[command(flatten)]
    said: Said,
}

/// A pair, and what to note.
#[derive(Args)]
pub(super) struct NoteArgs {
    /// A pair, or two charts
    #[arg(required = true, num_args = 1..=2, value_name = "PAIR | CHART CHART")]
    names: Vec<String>,
    #[command(flatten)]
    said: Said,
}

#[derive(Args)]
struct Said {
    /// Why, or what is to be noted
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
    /// Who says so; the user of the operating system if not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Whose history.
#[derive(Args)]
pub(super) struct LogArgs {
    /// A person or chart; or a pair, or two charts
    #[arg(required = true, num_args = 1..=2, value_name = "PERSON | CHART | PAIR")]
    names: Vec<String>,
}

impl Review<'_> {
    pub(super) fn assign(&self, args: &AssignArgs) -> Result<(), CliError> {
        let mut kinds = Vec::new();
        match (&args.to, args.nobody) {
            (Some(to), _) if to.trim().is_empty() => {
                let text = "--to names nobody; give a name, or --nobody";
                return Err(CliError::Usage(text.to_owned()));
            }
            (Some(to), _) => kinds.push(NoteKind::Assigned(Some(to.trim().into()))),
            (None, true) => kinds.push(NoteKind::Assigned(None)),
            (None, false) => {}
        }
        kinds.extend(args.priority.map(|priority| NoteKind::Priority(priority.priority())));
        if kinds.is_empty() {
            let text = "say what to change: --to NAME, --nobody or --priority";
            return Err(CliError::Usage(text.to_owned()));
        }
        self.note_all("assign", &args.names, kinds, &args.said)
    }

    pub(super) fn not_sure(&self, args: &NoteArgs) -> Result<(), CliError> {
        self.note_all("not-sure", &args.names, vec![NoteKind::NotSure], &args.said)
    }

    pub(super) fn remark(&self, args: &NoteArgs) -> Result<(), CliError> {
        if args.said.note.trim().is_empty() {
            return Err(CliError::Usage("say what to note with --note TEXT".to_owned()));
        }
        self.note_all("note", &args.names, vec![NoteKind::Remark], &args.said)
    }

    fn note_all(
        &self,
        word: &str,
        names: &[String],
        kinds: Vec<NoteKind>,
        said: &Said,
    ) -> Result<(), CliError> {
        let by = decider(said.by.as_deref())?;
        let (a, b) = Named::of(self.gateway, names)?.charts()?;
        let homes = (Home::Chart(a.clone()), Home::Chart(b.clone()));
        for kind in kinds {
            self.gateway.note_pair((&homes.0, &homes.1), kind, &by, &said.note)?;
        }
        let access = Access::open();
        let persons = self.gateway.persons_of(&access, &[a.clone(), b.clone()])?;
        self.audited(&format!("review {word}"), persons.iter().filter_map(|p| p.id).collect())?;
        let state = self.gateway.pair_state(&access, &homes.0, &homes.1)?;
        let id = pair_name(self.gateway.store().id_key().pair(&homes.0, &homes.1));
        if self.output.is_json() {
            return self.output.json(&json!({
                "pair": id, "by": by, "assignee": state.assignee,
                "priority": state.priority, "not_sure": state.not_sure,
                "notes": state.notes.len(),
            }));
        }
        let assignee = state.assignee.map_or_else(|| "nobody".to_owned(), String::from);
        let priority = state.priority.word();
        self.output.line(&format!(
            "{word} by {by}: pair {id} of {a} and {b}, for {assignee}, priority {priority}"
        ))
    }

    pub(super) fn history(&self, args: &LogArgs) -> Result<(), CliError> {
        let access = Access::open();
        let (charts, entries, cut) = match Named::of(self.gateway, &args.names)? {
            Named::Chart(chart) => {
                let persons = self.gateway.persons_of(&access, std::slice::from_ref(&chart))?;
                let charts: Vec<ChartKey> = match persons.into_iter().next() {
                    Some(person) => person.charts,
                    None => vec![chart],
                };
                let log = self.gateway.steward_log(&access, &charts)?;
                (charts, log.entries, log.cut)
            }
            named @ Named::Two(..) => {
                let (a, b) = named.charts()?;
                let pair = (Home::Chart(a.clone()), Home::Chart(b.clone()));
                (vec![a, b], self.gateway.pair_log(&access, &pair)?, false)
            }
        };
        let persons = self.gateway.persons_of(&access, &charts)?;
        let persons: BTreeSet<DerivedId> = persons.iter().filter_map(|p| p.id).collect();
        self.audited("review history", persons)?;
        let id = |a: &Home, b: &Home| pair_name(self.gateway.store().id_key().pair(a, b));
        if self.output.is_json() {
            let entries: Vec<Value> =
                entries.iter().map(|entry| log_json(entry, &id(&entry.a, &entry.b))).collect();
            return self.output.json(&json!({
                "charts": charts.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "entries": entries, "cut": cut,
            }));
        }
        for entry in &entries {
            self.output.line(&log_line(entry, &id(&entry.a, &entry.b)))?;
        }
        if cut {
            self.output.line("a chart has more partners than are looked at; name a pair")?;
        }
        if entries.is_empty() {
            return self.output.line("no steward has decided or noted anything about them");
        }
        Ok(())
    }
}
