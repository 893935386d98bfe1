//! The blocks of a table in memory: who shares a key, and which pairs that proposes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::thread;

use super::{Records, threads};
use crate::flow::Demographics;
use crate::identity::{Model, ShortKey, short_keys};

/// Blocks that stayed beyond their cap after they were split: their pairs were not compared
/// unless another block proposes them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Overfull {
    /// Blocks.
    pub blocks: u64,
    /// Records in them, some several times.
    pub records: u64,
}

/// Blocks of at least two records.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    /// Where the members of a block begin; one more than there are blocks.
    starts: Vec<u32>,
    members: Vec<u32>,
    /// The pass of each block, by position in the model.
    pass: Vec<u8>,
    /// Where the blocks of a record begin, and those blocks in ascending order.
    record_starts: Vec<u32>,
    blocks_of: Vec<u32>,
    /// Blocks beyond their cap.
    pub(super) overfull: Overfull,
}

type Posting = (ShortKey, u32);

impl Blocks {
    pub(super) fn of(records: &Records, model: &Model) -> Self {
        let postings = postings(records, model);
        let mut blocks = Self { starts: vec![0], ..Self::default() };
        for part in &postings {
            let mut at = 0;
            while at < part.len() {
                let key = part[at].0;
                let len = part[at..].iter().take_while(|(other, _)| *other == key).count();
                if len > 1 {
                    blocks.add(key.pass(), &part[at..at + len], records, model.block_cap());
                }
                at += len;
            }
        }
        drop(postings);
        blocks.index(records.len());
        blocks
    }

    fn add(&mut self, pass: usize, block: &[Posting], records: &Records, cap: usize) {
        if block.len() <= cap {
            self.push(pass, block.iter().map(|(_, record)| *record));
            return;
        }
        // A value that many share: only those whose given name and birth year agree as well.
        let mut split: Vec<(u64, u32)> = block
            .iter()
            .filter_map(|&(_, n)| Some((further_key(&records.people[n as usize])?, n)))
            .collect();
        split.sort_unstable();
        let mut left_out = block.len() - split.len();
        for part in split.chunk_by(|x, y| x.0 == y.0) {
            match part.len() {
                1 => {}
                len if len <= cap => self.push(pass, part.iter().map(|(_, record)| *record)),
                len => left_out += len,
            }
        }
        if left_out > 0 {
            self.overfull.blocks += 1;
            self.overfull.records += left_out as u64;
        }
    }

    fn push(&mut self, pass: usize, members: impl Iterator<Item = u32>) {
        self.members.extend(members);
        self.starts.push(u32::try_from(self.members.len()).unwrap_or(u32::MAX));
        self.pass.push(u8::try_from(pass).unwrap_or(u8::MAX));
    }

    /// Notes for every record the blocks it is in.
    fn index(&mut self, records: usize) {
        let mut starts = vec![0u32; records + 1];
        for &member in &self.members {
            starts[member as usize + 1] += 1;
        }
        for n in 0..records {
            starts[n + 1] += starts[n];
        }
        let mut next = starts.clone();
        let mut blocks_of = vec![0u32; self.members.len()];
        for block in 0..self.len() {
            for &member in self.members(block) {
                let slot = &mut next[member as usize];
                blocks_of[*slot as usize] = u32::try_from(block).unwrap_or(u32::MAX);
                *slot += 1;
            }
        }
        (self.record_starts, self.blocks_of) = (starts, blocks_of);
    }

    pub(super) fn len(&self) -> usize {
        self.pass.len()
    }

    /// The records of a block, ascending.
    pub(super) fn members(&self, block: usize) -> &[u32] {
        &self.members[range(&self.starts, block)]
    }

    /// The passes that propose a pair, as bits, if this block is the first that does.
    pub(super) fn passes_if_first(&self, block: usize, a: u32, b: u32) -> Option<u32> {
        let of = |n: u32| &self.blocks_of[range(&self.record_starts, n as usize)];
        let (mut ours, mut theirs) = (of(a).iter().peekable(), of(b).iter().peekable());
        let mut passes = 0;
        while let (Some(&&x), Some(&&y)) = (ours.peek(), theirs.peek()) {
            match x.cmp(&y) {
                std::cmp::Ordering::Less => ours.next(),
                std::cmp::Ordering::Greater => theirs.next(),
                std::cmp::Ordering::Equal => {
                    if passes == 0 && x as usize != block {
                        return None;
                    }
                    passes |= 1 << u32::from(self.pass[x as usize]).min(31);
                    ours.next();
                    theirs.next()
                }
            };
        }
        (passes != 0).then_some(passes)
    }
}

fn range(starts: &[u32], n: usize) -> Range<usize> {
    starts[n] as usize..starts[n + 1] as usize
}

/// All keys with their records, in sorted parts.
fn postings(records: &Records, model: &Model) -> Vec<Vec<Posting>> {
    let parts = threads().next_power_of_two();
    let part_of = |key: ShortKey| key.top_bits(parts.trailing_zeros());
    let chunk = records.len().div_ceil(threads()).max(1);
    let made: Vec<Vec<Vec<Posting>>> = thread::scope(|scope| {
        let running: Vec<_> = records
            .people
            .chunks(chunk)
            .enumerate()
            .map(|(at, people)| {
                scope.spawn(move || {
                    let mut out = vec![Vec::with_capacity(people.len() * 10); parts];
                    let mut keys = Vec::new();
                    for (n, person) in people.iter().enumerate() {
                        short_keys(person, model, &mut keys);
                        let record = u32::try_from(at * chunk + n).unwrap_or(u32::MAX);
                        keys.iter().for_each(|key| out[part_of(*key)].push((*key, record)));
                    }
                    out
                })
            })
            .collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    let mut joined: Vec<Vec<Posting>> = vec![Vec::new(); parts];
    for out in made {
        for (part, postings) in joined.iter_mut().zip(out) {
            if part.is_empty() { *part = postings } else { part.extend(postings) }
        }
    }
    thread::scope(|scope| {
        joined.iter_mut().for_each(|part| {
            scope.spawn(|| part.sort_unstable());
        });
    });
    joined
}

/// What splits a block: given name and birth year. Without both a record is in no part.
fn further_key(person: &Demographics) -> Option<u64> {
    let given = person.names.first()?.given.first()?;
    let mut hasher = DefaultHasher::new();
    (given, person.birth_date?.year).hash(&mut hasher);
    Some(hasher.finish())
}
