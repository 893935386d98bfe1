//! Pairs of statements that are one fact, against pairs that came to be one row.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use careweave::flow::View;

use crate::world::{Statement, World};

/// Pairs of one type.
#[derive(Clone, Copy, Default)]
pub(crate) struct Score {
    pub(crate) right: u64,
    pub(crate) wrong: u64,
    pub(crate) missed: u64,
}

impl Score {
    pub(crate) fn precision(&self) -> f64 {
        ratio(self.right, self.right + self.wrong)
    }

    pub(crate) fn recall(&self) -> f64 {
        ratio(self.right, self.right + self.missed)
    }

    fn add(&mut self, other: Self) {
        self.right += other.right;
        self.wrong += other.wrong;
        self.missed += other.missed;
    }

    pub(crate) fn f1(&self) -> f64 {
        ratio(2 * self.right, 2 * self.right + self.wrong + self.missed)
    }
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

pub(crate) struct Scores {
    by_type: BTreeMap<String, Score>,
    /// Per type and change; a pair counts once for each change of either statement.
    by_change: BTreeMap<(String, &'static str), Score>,
    shown: BTreeMap<(String, bool), usize>,
    show: usize,
}

impl Scores {
    /// Shows the first so many errors of each kind and type.
    pub(crate) fn showing(show: usize) -> Self {
        Self { by_type: BTreeMap::new(), by_change: BTreeMap::new(), shown: BTreeMap::new(), show }
    }

    pub(crate) fn of(&self, kind: &str) -> Score {
        self.by_type.get(kind).copied().unwrap_or_default()
    }

    /// Compares one person's view with the truth.
    pub(crate) fn add(&mut self, world: &World, view: &View) {
        let mut rows = BTreeMap::new();
        for (kind, table) in &view.tables {
            for (n, row) in table.iter().enumerate().filter(|(_, row)| !row.made_by_us) {
                for member in &row.members {
                    let key = (member.key.endpoint.to_string(), member.key.id.to_string());
                    rows.insert((kind.name(), key), (n, member.rule.to_string()));
                }
            }
        }
        let mut stated: BTreeMap<&str, Vec<_>> = BTreeMap::new();
        for statement in &world.statements {
            let Some(fact) = statement.fact else { continue };
            let kind = statement.body["resourceType"].as_str().unwrap();
            let site = world.sites[statement.site].name.to_owned();
            let key = (site, statement.body["id"].as_str().unwrap().to_owned());
            let row = rows.get(&(kind, key)).unwrap_or_else(|| panic!("{kind} is in no row"));
            stated.entry(kind).or_default().push((fact, row, statement));
        }
        for (kind, stated) in stated {
            for (n, a) in stated.iter().enumerate() {
                for b in &stated[n + 1..] {
                    let found = match (a.0 == b.0, a.1.0 == b.1.0) {
                        (true, true) => Score { right: 1, ..Score::default() },
                        (true, false) => Score { missed: 1, ..Score::default() },
                        (false, true) => Score { wrong: 1, ..Score::default() },
                        (false, false) => continue,
                    };
                    self.by_type.entry(kind.to_owned()).or_default().add(found);
                    for &change in a.2.changes.iter().chain(&b.2.changes).collect::<BTreeSet<_>>() {
                        self.by_change.entry((kind.to_owned(), change)).or_default().add(found);
                    }
                    if found.right == 0 {
                        self.show(kind, found.missed > 0, [a.2, b.2], &b.1.1);
                    }
                }
            }
        }
    }

    fn show(&mut self, kind: &str, missed: bool, pair: [&Statement; 2], rule: &str) {
        let shown = self.shown.entry((kind.to_owned(), missed)).or_default();
        if *shown < self.show {
            *shown += 1;
            let word = if missed { "missed" } else { "wrong" };
            println!("{word} ({rule}):");
            for statement in pair {
                println!("  {:?}\n  {}", statement.changes, statement.body);
            }
        }
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<52} {:>7} {:>6} {:>6} {:>9} {:>7} {:>7}",
            "type", "right", "wrong", "missed", "precision", "recall", "F1"
        )?;
        let mut all = Score::default();
        for (kind, score) in &self.by_type {
            all.add(*score);
            line(f, kind, score)?;
        }
        line(f, "all", &all)?;
        for ((kind, change), score) in &self.by_change {
            line(f, &format!("{kind}, {change}"), score)?;
        }
        Ok(())
    }
}

fn line(f: &mut fmt::Formatter<'_>, kind: &str, score: &Score) -> fmt::Result {
    writeln!(
        f,
        "{kind:<52} {:>7} {:>6} {:>6} {:>9.4} {:>7.4} {:>7.4}",
        score.right,
        score.wrong,
        score.missed,
        score.precision(),
        score.recall(),
        score.f1()
    )
}
