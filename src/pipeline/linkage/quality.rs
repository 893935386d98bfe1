//! How good links are, where the truth is known.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::Serialize;

use super::records::refuse_header;
use super::{Pairs, Records, TableError};
use crate::flow::MatchGrade;

/// Who each record is, as far as known.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    /// By position; equal numbers are one person. None: not told.
    person: Vec<Option<u32>>,
}

/// Right pairs, wrong pairs, and how many there are.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize)]
pub struct Share {
    /// Pairs found that are right.
    pub right: u64,
    /// Pairs found that are wrong.
    pub wrong: u64,
    /// Right pairs in all.
    pub truth: u64,
    /// Right of those found.
    pub precision: f64,
    /// Found of the right.
    pub recall: f64,
    /// Their harmonic mean.
    pub f1: f64,
}

impl Share {
    fn of(right: u64, wrong: u64, truth: u64) -> Self {
        let part = |part: u64, whole: u64| {
            if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
        };
        let (precision, recall) = (part(right, right + wrong), part(right, truth));
        let sum = precision + recall;
        let f1 = if sum == 0.0 { 0.0 } else { 2.0 * precision * recall / sum };
        Self { right, wrong, truth, precision, recall, f1 }
    }
}

/// Precision and recall of pairs, before and after clustering, and along the weight.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Quality {
    /// Pairs that any block proposed and that reached at least the grade possible.
    pub possible: Share,
    /// Pairs of grade probable or certain.
    pub probable: Share,
    /// Pairs of grade certain.
    pub certain: Share,
    /// Pairs within persons made of certain links.
    pub persons_certain: Share,
    /// Pairs within persons made of certain and probable links.
    pub persons_probable: Share,
    /// Pairs from a weight on, in bits.
    pub curve: Vec<(f64, Share)>,
}

impl Truth {
    /// Who is who by position: equal numbers are one person.
    pub fn of(person: Vec<Option<u32>>) -> Self {
        Self { person }
    }

    /// Reads `id,person` (any header), or `id_a,id_b`: pairs that are one person.
    ///
    /// # Errors
    /// When the file cannot be read, has fewer than two columns, or none of the records' ids.
    pub fn read(path: &Path, records: &Records) -> Result<Self, TableError> {
        let file = path.display().to_string();
        let failed = |source| TableError::Read { file: file.clone(), source };
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(failed)?;
        let header = reader.headers().map_err(failed)?.clone();
        let refused = |reason: String| TableError::Table { file: file.clone(), reason };
        refuse_header(&header).map_err(refused)?;
        let column = |names: &[&str]| {
            header.iter().position(|h| names.contains(&h.trim().to_lowercase().as_str()))
        };
        let (a, b) = match (column(&["id_a"]), column(&["id_b"])) {
            (Some(a), Some(b)) => (a, b),
            _ if header.len() < 2 => {
                return Err(refused("needs the columns id,person or id_a,id_b".into()));
            }
            _ => {
                let id = column(&["id", "rec_id", "record_id", "unique_id"]).unwrap_or(0);
                let names = ["person", "person_id", "entity_id", "entity", "cluster", "cluster_id"];
                (id, column(&names).unwrap_or(if id == 0 { 1 } else { 0 }))
            }
        };
        let pairs = header.get(a).is_some_and(|h| h.trim().eq_ignore_ascii_case("id_a"));
        let mut rows = Vec::new();
        for row in reader.records() {
            let row = row.map_err(failed)?;
            let cell = |at: usize| row.get(at).unwrap_or_default().trim().to_owned();
            rows.push((cell(a), cell(b)));
        }
        let known: HashSet<&str> = records.ids.iter().map(|id| &**id).collect();
        if !records.is_empty() && !rows.iter().any(|(id, _)| known.contains(id.as_str())) {
            return Err(refused("none of its ids is one of the records; see --id".into()));
        }
        Ok(if pairs { Self::of_pairs(&rows, records) } else { Self::of_persons(&rows, records) })
    }

    fn of_persons(rows: &[(String, String)], records: &Records) -> Self {
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let mut by_id: HashMap<&str, u32> = HashMap::new();
        for (id, person) in rows {
            let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
            by_id.insert(id, *numbers.entry(person).or_insert(next));
        }
        Self { person: records.ids.iter().map(|id| by_id.get(&**id).copied()).collect() }
    }

    fn of_pairs(rows: &[(String, String)], records: &Records) -> Self {
        let mut at: HashMap<&str, Vec<usize>> = HashMap::new();
        for (n, id) in records.ids.iter().enumerate() {
            at.entry(id).or_default().push(n);
        }
        let mut root: Vec<usize> = (0..records.len()).collect();
        fn find(root: &mut [usize], mut n: usize) -> usize {
            while root[n] != n {
                root[n] = root[root[n]];
                n = root[n];
            }
            n
        }
        for (a, b) in rows {
            let first = at.get(a.as_str()).and_then(|list| list.first());
            let second = at.get(b.as_str()).and_then(|list| list.last());
            if let (Some(&x), Some(&y)) = (first, second) {
                let (x, y) = (find(&mut root, x), find(&mut root, y));
                root[x.max(y)] = x.min(y);
            }
        }
        let person = (0..records.len()).map(|n| u32::try_from(find(&mut root, n)).ok()).collect();
        Self { person }
    }

    fn same(&self, a: u32, b: u32) -> bool {
        let (x, y) = (self.person[a as usize], self.person[b as usize]);
        x.is_some() && x == y
    }

    /// Right pairs in all.
    fn pairs(&self, records: &Records) -> u64 {
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for (n, person) in self.person.iter().enumerate() {
            if let Some(person) = person {
                members.entry(*person).or_default().push(u32::try_from(n).unwrap_or(u32::MAX));
            }
        }
        members.values().map(|group| pairs_within(group, records).count() as u64).sum()
    }

    /// Measures pairs and the persons made of them.
    pub fn quality(
        &self,
        records: &Records,
        pairs: &Pairs,
        certain: &[u32],
        probable: &[u32],
    ) -> Quality {
        let truth = self.pairs(records);
        let of = |counts: &dyn Fn(&super::Pair) -> bool| {
            let mut share = (0, 0);
            for pair in pairs.list.iter().filter(|p| counts(p)) {
                if self.same(pair.a, pair.b) { share.0 += 1 } else { share.1 += 1 }
            }
            Share::of(share.0, share.1, truth)
        };
        let from = |grade: MatchGrade| of(&move |pair| pair.grade >= grade);
        let steps = [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0, 18.0, 21.0, 25.0, 30.0];
        let curve = steps
            .map(|bits| (bits, of(&move |p| p.weight_bits >= bits && !p.is_contradiction)))
            .to_vec();
        Quality {
            possible: from(MatchGrade::Possible),
            probable: from(MatchGrade::Probable),
            certain: from(MatchGrade::Certain),
            persons_certain: self.of_groups(records, certain, truth),
            persons_probable: self.of_groups(records, probable, truth),
            curve,
        }
    }

    fn of_groups(&self, records: &Records, person: &[u32], truth: u64) -> Share {
        let mut members: HashMap<u32, Vec<u32>> = HashMap::new();
        for (n, first) in person.iter().enumerate() {
            members.entry(*first).or_default().push(u32::try_from(n).unwrap_or(u32::MAX));
        }
        let (mut right, mut wrong) = (0, 0);
        for group in members.values().filter(|group| group.len() > 1) {
            for (a, b) in pairs_within(group, records) {
                if self.same(a, b) { right += 1 } else { wrong += 1 }
            }
        }
        Share::of(right, wrong, truth)
    }
}

fn pairs_within<'a>(
    group: &'a [u32],
    records: &'a Records,
) -> impl Iterator<Item = (u32, u32)> + 'a {
    let pairs =
        group.iter().enumerate().flat_map(|(n, &a)| group[n + 1..].iter().map(move |&b| (a, b)));
    pairs.filter(|(a, b)| records.may_match(*a, *b))
}
