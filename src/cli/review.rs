//! `review`: the steward's queue, and what stewards decide.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::gateway::{open_gateway, read_config};
use super::output::Output;
use super::person_text::audited;
use super::review_conflicts::{self, ConflictsArgs, ReopenArgs, ResolveArgs};
use super::review_names::{Named, decider, pair_name};
use super::review_notes::{AssignArgs, LogArgs, NoteArgs};
use super::review_queue::{self, ListArgs};
use super::review_said::{risk_json, risk_text};
use super::review_text::{outcome_text, persons_text, show_text};
use super::{CliError, Common};
use crate::flow::{Access, ChartKey, DerivedId, Home, PastDecision, Verdict};
use crate::pipeline::{Decided, Gateway, GatewayError, PersonNow, Risk};
use crate::store::StoreError;

const NAMES: &str = "A pair is named by the id that `review list` shows (or its beginning), or by \
                     two charts: ENDPOINT/Patient/ID, or an id of this gateway.";

/// What to do with the queue.
#[derive(Subcommand)]
pub(super) enum ReviewCommand {
    /// Lists pairs that may be one person, the most alike first
    #[command(after_help = review_queue::LIST_HELP)]
    List(ListArgs),
    /// Shows both sides of a pair, why they are alike, and what a link would do
    #[command(after_help = NAMES, long_about = None)]
    Show {
        /// A pair, or two charts
        #[arg(required = true, num_args = 1..=2, value_name = "PAIR | CHART CHART")]
        names: Vec<String>,
    },
    /// Decides that two charts are one person
    #[command(after_help = "Example: careweave review link mercy/Patient/1001 valley/Patient/7 \
                            --note 'same insurance card'")]
    Link {
        /// Says what would come of it and why it may be wrong, and decides nothing
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        args: DecideArgs,
    },
    /// Parts charts that are shown as one person: one chart from all others, or one from another
    #[command(after_help = "Example: careweave review unlink mercy/Patient/1001\n\nOf one chart: \
                            it is decided to be no match of any other chart of its person; those \
                            stay together. Of two: only these are decided to be no match, and \
                            charts linked with both go with the one they are more like.")]
    Unlink(DecideArgs),
    /// Decides that two charts are not one person, now and after every pull
    #[command(after_help = "Example: careweave review no-match 3k9f8a7b2c --note 'father and son'")]
    NoMatch(DecideArgs),
    /// Takes the last decision about a pair back, or the last one that named a chart
    #[command(after_help = "Example: careweave review undo 3k9f8a7b2c\n\nWhat stood before it \
                            stands again. `undo CHART` takes back all that one `unlink CHART` \
                            decided.")]
    Undo(DecideArgs),
    /// Says who is to look at a pair, and how soon
    #[command(after_help = "Example: careweave review assign 3k9f8a7b2c --to anna --priority high")]
    Assign(AssignArgs),
    /// Notes that you looked at a pair and cannot tell; it stays in the queue
    #[command(
        after_help = "Example: careweave review not-sure 3k9f8a7b2c --note 'asked the clinic'"
    )]
    NotSure(NoteArgs),
    /// Notes something about a pair
    #[command(after_help = "Example: careweave review note 3k9f8a7b2c --note 'card seen'")]
    Note(NoteArgs),
    /// Lists what stewards did about a person, a chart or a pair: who, when and why
    #[command(after_help = "Example: careweave review history mercy/Patient/1001")]
    History(LogArgs),
    /// Lists what sources disagree on
    #[command(after_help = "Example: careweave review conflicts --rule C11 --limit 10")]
    Conflicts(ConflictsArgs),
    /// Resolves a conflict or finding: one side is shown, or it is accepted as it is
    #[command(after_help = "Example: careweave review resolve 3k9f8a7b2c… --prefer mercy/Goal/g1 \
                            --note 'asked the patient'\n\nIt holds until one of the source \
                            records that it was decided on changes; then the conflict is back.")]
    Resolve(ResolveArgs),
    /// Takes back how a conflict or finding was resolved
    #[command(after_help = "Example: careweave review reopen 3k9f8a7b2c… --note 'new results'")]
    Reopen(ReopenArgs),
}

/// About whom, and on whose word.
#[derive(Args)]
pub(super) struct DecideArgs {
    /// A pair, or two charts; for unlink and undo also one chart
    #[arg(required = true, num_args = 1..=2, value_name = "PAIR | CHART [CHART]")]
    names: Vec<String>,
    /// Why; kept with the decision
    #[arg(long, default_value = "", value_name = "TEXT")]
    note: String,
    /// Who decides; the user of the operating system if not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

/// Opens the store and does it.
pub(super) fn run(
    command: &ReviewCommand,
    common: &Common,
    output: &Output,
) -> Result<(), CliError> {
    let config = read_config(common)?;
    let gateway = open_gateway(&config).map_err(told_in_use)?;
    gateway.settle_all(&mut |_, _| {})?;
    let review = Review {
        gateway: &gateway,
        output,
        runtime: tokio::runtime::Builder::new_current_thread().build()?,
    };
    match command {
        ReviewCommand::List(args) => review.list(args),
        ReviewCommand::Assign(args) => review.assign(args),
        ReviewCommand::NotSure(args) => review.not_sure(args),
        ReviewCommand::Note(args) => review.remark(args),
        ReviewCommand::History(args) => review.history(args),
        ReviewCommand::Show { names } => review.show(names),
        ReviewCommand::Link { dry_run: false, args } => review.link(args),
        ReviewCommand::Link { dry_run: true, args } => review.would_link(args),
        ReviewCommand::Unlink(args) => review.unlink(args),
        ReviewCommand::NoMatch(args) => review.no_match(args),
        ReviewCommand::Undo(args) => review.undo(args),
        ReviewCommand::Conflicts(args) => review.conflicts(args),
        ReviewCommand::Resolve(args) => {
            let done = review_conflicts::resolve(&gateway, args)?;
            review.told("review resolve", args.issue(), &done)
        }
        ReviewCommand::Reopen(args) => {
            let done = review_conflicts::reopen(&gateway, args)?;
            review.told("review reopen", args.issue(), &done)
        }
    }
}

/// The embedded store has one user at a time, and it is mostly `serve`.
fn told_in_use(error: CliError) -> CliError {
    match error {
        CliError::Store(StoreError::InUse { path }) => CliError::Failed(format!(
            "the store in {path} is in use, most likely by a running `careweave serve`; stop that \
             one (ctrl-c or SIGTERM), review, and start it again: its pulls go on where they \
             stopped"
        )),
        other => other,
    }
}

/// Names the decisions that are in the way: the steward knows these charts.
fn told_kept_apart(error: GatewayError) -> CliError {
    let GatewayError::KeptApart(decisions) = &error else { return error.into() };
    let standing = decisions.iter().map(|d| format!("  {} and {}, by {}", d.a, d.b, d.by));
    let standing: Vec<String> = standing.collect();
    CliError::Failed(format!("{error}; undo first, if it was wrong:\n{}", standing.join("\n")))
}

pub(super) struct Review<'a> {
    pub(super) gateway: &'a Gateway,
    pub(super) output: &'a Output,
    runtime: tokio::runtime::Runtime,
}

impl Review<'_> {
    fn conflicts(&self, args: &ConflictsArgs) -> Result<(), CliError> {
        let listed = review_conflicts::list(self.gateway, args)?;
        self.audited("review conflicts", listed.persons.iter().copied().collect())?;
        listed.print(self.output)
    }

    /// Prints what a decision about a conflict has come to.
    fn told(&self, action: &str, issue: &str, done: &(DerivedId, String)) -> Result<(), CliError> {
        self.audited(action, BTreeSet::from([done.0]))?;
        review_conflicts::tell(self.gateway, self.output, issue, done)
    }

    fn show(&self, names: &[String]) -> Result<(), CliError> {
        let access = Access::open();
        let (a, b) = Named::of(self.gateway, names)?.two()?;
        let side_a = self.gateway.review_side(&access, &a)?;
        let side_b = self.gateway.review_side(&access, &b)?;
        self.audited("review show", side_a.person.into_iter().chain(side_b.person).collect())?;
        let store = self.gateway.store();
        let id = store.id_key().pair(&a, &b);
        let known = store.known_pairs(&access, &id.to_string(), 1)?;
        let shown = super::review_text::Shown {
            id,
            since: known.first().and_then(|pair| pair.queued),
            comparison: self.gateway.comparison(&a, &b)?,
            outcome: match (a.chart(), b.chart()) {
                (Some(a), Some(b)) => {
                    Some(self.gateway.if_linked(&access, &(a.clone(), b.clone()))?)
                }
                _ => None,
            },
            decisions: store.past_decisions(&access, &a, &b)?,
            state: self.gateway.pair_state(&access, &a, &b)?,
            together: side_a.person.is_some() && side_a.person == side_b.person,
            sides: [side_a, side_b],
        };
        match self.output.is_json() {
            true => self.output.json(&shown.json()),
            false => self.output.line(&show_text(&shown)),
        }
    }

    fn link(&self, args: &DecideArgs) -> Result<(), CliError> {
        let pair = Named::of(self.gateway, &args.names)?.charts()?;
        self.decide("link", Verdict::Link, &[pair], args)
    }

    fn would_link(&self, args: &DecideArgs) -> Result<(), CliError> {
        let access = Access::open();
        let charts = Named::of(self.gateway, &args.names)?.charts()?;
        let outcome = self.gateway.if_linked(&access, &charts)?;
        let touched = self.touched(std::slice::from_ref(&charts))?;
        let persons = self.gateway.persons_of(&access, &touched)?;
        self.audited("review link --dry-run", persons.iter().filter_map(|p| p.id).collect())?;
        if self.output.is_json() {
            return self.output.json(&json!({"if_linked": outcome.json()}));
        }
        let together = outcome.effect.is_none() && persons.len() == 1;
        self.output.line(outcome_text(&outcome, together).trim())?;
        self.output.line("nothing was decided (--dry-run)")
    }

    fn no_match(&self, args: &DecideArgs) -> Result<(), CliError> {
        let pair = Named::of(self.gateway, &args.names)?.charts()?;
        self.decide("no-match", Verdict::NoMatch, &[pair], args)
    }

    fn unlink(&self, args: &DecideArgs) -> Result<(), CliError> {
        let access = Access::open();
        let alone = |chart: &ChartKey| {
            CliError::Failed(format!("{chart} is a person by itself; there is nothing to part"))
        };
        let pairs = match Named::of(self.gateway, &args.names)? {
            Named::Chart(chart) => {
                let person = self.gateway.persons_of(&access, std::slice::from_ref(&chart))?;
                let charts = person.into_iter().flat_map(|person| person.charts);
                let others = charts.filter(|other| *other != chart);
                let pairs: Vec<_> = others.map(|other| (chart.clone(), other)).collect();
                if pairs.is_empty() {
                    return Err(alone(&chart));
                }
                pairs
            }
            named @ Named::Two(..) => {
                let (a, b) = named.charts()?;
                if self.gateway.persons_of(&access, &[a.clone(), b.clone()])?.len() > 1 {
                    return Err(CliError::Failed(format!(
                        "{a} and {b} are two persons already; to keep them so whatever comes, use \
                         careweave review no-match"
                    )));
                }
                vec![(a, b)]
            }
        };
        self.decide("unlink", Verdict::NoMatch, &pairs, args)
    }

    fn decide(
        &self,
        word: &'static str,
        verdict: Verdict,
        pairs: &[(ChartKey, ChartKey)],
        args: &DecideArgs,
    ) -> Result<(), CliError> {
        let by = decider(args.by.as_deref())?;
        let touched = self.touched(pairs)?;
        let decided = self.gateway.decide_all(verdict, pairs, &by, &args.note);
        if let Decided::Waits(risks) = decided.map_err(told_kept_apart)? {
            return self.tell_waiting(&by, pairs, &risks);
        }
        self.tell(word, &by, pairs, &touched)
    }

    /// Says that a second steward must make a link, and why.
    fn tell_waiting(
        &self,
        by: &str,
        pairs: &[(ChartKey, ChartKey)],
        risks: &[Risk],
    ) -> Result<(), CliError> {
        let touched = self.touched(pairs)?;
        let persons = self.gateway.persons_of(&Access::open(), &touched)?;
        self.audited("review link proposed", persons.iter().filter_map(|p| p.id).collect())?;
        let ids: Vec<String> = pairs.iter().map(|(a, b)| self.pair_id(a, b)).collect();
        if self.output.is_json() {
            let persons: Vec<Value> = persons.iter().map(PersonNow::json).collect();
            let risks: Vec<Value> = risks.iter().map(risk_json).collect();
            return self.output.json(&json!({
                "decision": "proposed", "by": by, "pairs": ids, "risks": risks,
                "persons": persons
            }));
        }
        for ((a, b), id) in pairs.iter().zip(&ids) {
            self.output.line(&format!("link proposed by {by}: {a} and {b} (pair {id})"))?;
        }
        for risk in risks {
            self.output.line(&format!("  {}", risk_text(risk)))?;
        }
        self.output.line(&format!(
            "nothing is linked yet: another steward must say so, too: careweave review link {}",
            ids.first().map_or("PAIR", String::as_str)
        ))
    }

    fn undo(&self, args: &DecideArgs) -> Result<(), CliError> {
        let by = decider(args.by.as_deref())?;
        let pairs = match Named::of(self.gateway, &args.names)? {
            Named::Chart(chart) => self.last_of(chart)?,
            named @ Named::Two(..) => vec![named.charts()?],
        };
        let touched = self.touched(&pairs)?;
        if self.gateway.undo(&pairs, &by, &args.note)? == 0 {
            return Err(CliError::Failed("no decision or proposal stands about them".to_owned()));
        }
        self.tell("undo", &by, &pairs, &touched)
    }

    /// The pairs of the last decision that named a chart.
    fn last_of(&self, chart: ChartKey) -> Result<Vec<(ChartKey, ChartKey)>, CliError> {
        let home = Home::Chart(chart);
        let standing = self.gateway.store().decisions(&Access::open(), &home)?;
        let last = standing.iter().map(|d| d.at).max();
        let of_last = standing.iter().filter(|d| Some(d.at) == last);
        let charts = |d: &crate::flow::Decision| Some((d.a.chart()?.clone(), d.b.chart()?.clone()));
        Ok(of_last.filter_map(charts).collect())
    }

    /// All charts of the persons that a decision about these pairs may change.
    fn touched(&self, pairs: &[(ChartKey, ChartKey)]) -> Result<Vec<ChartKey>, CliError> {
        let named: Vec<ChartKey> = pairs
            .iter()
            .flat_map(|(a, b)| [a, b])
            .cloned()
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let persons = self.gateway.persons_of(&Access::open(), &named)?;
        let all: BTreeSet<ChartKey> =
            persons.into_iter().flat_map(|person| person.charts).chain(named).collect();
        Ok(all.into_iter().collect())
    }

    /// Prints what is so now. Everything said is durable.
    fn tell(
        &self,
        word: &'static str,
        by: &str,
        pairs: &[(ChartKey, ChartKey)],
        touched: &[ChartKey],
    ) -> Result<(), CliError> {
        self.gateway.settle_all(&mut |_, _| {})?;
        let access = Access::open();
        let persons = self.gateway.persons_of(&access, touched)?;
        self.audited(&format!("review {word}"), persons.iter().filter_map(|p| p.id).collect())?;
        let ids = pairs.iter().map(|(a, b)| self.pair_id(a, b));
        if self.output.is_json() {
            let ids: Vec<String> = ids.collect();
            let persons: Vec<Value> = persons.iter().map(PersonNow::json).collect();
            let told = json!({"decision": word, "by": by, "pairs": ids, "persons": persons});
            return self.output.json(&told);
        }
        for ((a, b), id) in pairs.iter().zip(ids) {
            self.output.line(&format!("{word} by {by}: {a} and {b} (pair {id})"))?;
        }
        self.output.line(&persons_text(&persons))?;
        for (a, b) in pairs {
            let (a, b) = (Home::Chart(a.clone()), Home::Chart(b.clone()));
            let history = self.gateway.store().past_decisions(&access, &a, &b)?;
            let standing = history.iter().rev().find(|past| past.undone.is_none());
            if let (Some(PastDecision { decision, .. }), "undo") = (standing, word) {
                let verdict = decision.verdict.word();
                self.output.line(&format!("the {verdict} by {} stands again", decision.by))?;
            }
        }
        Ok(())
    }

    fn pair_id(&self, a: &ChartKey, b: &ChartKey) -> String {
        let (a, b) = (Home::Chart(a.clone()), Home::Chart(b.clone()));
        pair_name(self.gateway.store().id_key().pair(&a, &b))
    }

    pub(super) fn audited(
        &self,
        action: &str,
        persons: BTreeSet<DerivedId>,
    ) -> Result<(), CliError> {
        let persons: Vec<DerivedId> = persons.into_iter().collect();
        self.runtime.block_on(audited(self.gateway, action, &persons))
    }
}
