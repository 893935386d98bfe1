//! `review list`: pages of the steward's queue.

use std::collections::BTreeSet;

use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::CliError;
use super::review::Review;
use super::review_names::{Named, pair_name};
use super::review_text::{list_json, list_line};
use crate::flow::{Access, MatchGrade, Priority};
use crate::pipeline::{QueueFilter, QueueOrder};

pub(super) const LIST_HELP: &str = "\
Examples:
  careweave review list --limit 10
  careweave review list --assignee anna --sort priority
  careweave review list --unassigned --grade probable --older-than 7
  careweave review list --proposed";

/// Which pairs, and in which order.
#[derive(Args)]
pub(super) struct ListArgs {
    /// How many pairs
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Goes on behind this pair
    #[arg(long, value_name = "PAIR")]
    after: Option<String>,
    /// What comes first
    #[arg(long, value_enum, default_value_t = Sort::Score)]
    sort: Sort,
    /// Only pairs of this grade
    #[arg(long, value_enum)]
    grade: Option<Grade>,
    /// Only pairs that are queued for this reason, or one that begins so
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Only pairs with a chart of this endpoint
    #[arg(long, value_name = "ID")]
    endpoint: Option<String>,
    /// Only what this steward is to look at
    #[arg(long, value_name = "NAME", conflicts_with = "unassigned")]
    assignee: Option<String>,
    /// Only what nobody is to look at
    #[arg(long)]
    unassigned: bool,
    /// Only pairs of this priority
    #[arg(long, value_enum)]
    priority: Option<Urgency>,
    /// Only links that wait for a second steward, also of pairs that are not queued
    #[arg(long)]
    proposed: bool,
    /// Only what has been queued for more days than this
    #[arg(long, value_name = "DAYS")]
    older_than: Option<u16>,
}

/// What comes first.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Sort {
    /// The most alike
    Score,
    /// The longest in the queue
    Age,
    /// The most urgent, then the most alike
    Priority,
}

/// Grades that are queued.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Grade {
    /// Would be linked, but for something
    Certain,
    /// Likely
    Probable,
    /// Not unlikely
    Possible,
}

/// How soon.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Urgency {
    /// First
    High,
    /// As the queue has it
    Normal,
    /// When there is time
    Low,
}

impl Urgency {
    pub(super) fn priority(self) -> Priority {
        match self {
            Self::High => Priority::High,
            Self::Normal => Priority::Normal,
            Self::Low => Priority::Low,
        }
    }
}

impl ListArgs {
    fn filter(&self, now: Timestamp) -> QueueFilter {
        let nobody = self.unassigned.then_some(None);
        let ago = |days: u16| now - SignedDuration::from_hours(24 * i64::from(days));
        QueueFilter {
            grade: self.grade.map(|grade| match grade {
                Grade::Certain => MatchGrade::Certain,
                Grade::Probable => MatchGrade::Probable,
                Grade::Possible => MatchGrade::Possible,
            }),
            reason: self.reason.clone(),
            endpoint: self.endpoint.clone(),
            assignee: self.assignee.clone().map(Some).or(nobody),
            priority: self.priority.map(Urgency::priority),
            proposed: self.proposed,
            before: self.older_than.map(ago),
        }
    }

    fn order(&self) -> QueueOrder {
        match self.sort {
            Sort::Score => QueueOrder::Score,
            Sort::Age => QueueOrder::Age,
            Sort::Priority => QueueOrder::Priority,
        }
    }

    fn is_filtered(&self) -> bool {
        let named = [&self.reason, &self.endpoint, &self.assignee];
        named.iter().any(|name| name.is_some())
            || self.grade.is_some()
            || self.priority.is_some()
            || self.older_than.is_some()
            || self.unassigned
            || self.proposed
    }
}

impl Review<'_> {
    pub(super) fn list(&self, args: &ListArgs) -> Result<(), CliError> {
        let access = Access::open();
        let after =
            args.after.as_deref().map(|name| Named::pair(self.gateway, name)).transpose()?;
        let filter = args.filter(self.gateway.now());
        let limit = usize::from(args.limit);
        let page =
            self.gateway.review_page(&access, &filter, args.order(), after.as_ref(), limit)?;
        let mut pairs = Vec::new();
        let mut told = BTreeSet::new();
        for queued in &page.pairs {
            let a = self.gateway.review_side(&access, &queued.pair.a)?;
            let b = self.gateway.review_side(&access, &queued.pair.b)?;
            told.extend(a.person.into_iter().chain(b.person));
            pairs.push((queued, a, b));
        }
        self.audited("review list", told)?;
        let next = page.pairs.last().filter(|_| page.more).map(|queued| pair_name(queued.id));
        if self.output.is_json() {
            let now = self.gateway.now();
            let pairs: Vec<Value> = pairs.iter().map(|(q, a, b)| list_json(q, a, b, now)).collect();
            return self.output.json(&json!({
                "pairs": pairs, "total": page.total, "next": next, "unseen": page.unseen
            }));
        }
        let now = self.gateway.now().to_zoned(TimeZone::UTC).date();
        for (queued, a, b) in &pairs {
            self.output.line(&list_line(queued, a, b, now))?;
        }
        if page.unseen > 0 {
            self.output.line(&format!("{} less alike pairs were not looked at", page.unseen))?;
        }
        self.output.line(&match next {
            Some(next) => format!(
                "{} of {} pairs; more: careweave review list --after {next}, with the same options",
                pairs.len(),
                page.total
            ),
            None if args.is_filtered() => {
                format!("{} of {} pairs fit; that was the last", pairs.len(), page.total)
            }
            None if page.total == 0 => "nothing to review".to_owned(),
            None => format!("{} pairs in the queue; that was the last", page.total),
        })
    }
}
