//! The blocks of a table in memory: who shares a key, and which pairs that proposes.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::{Mutex, PoisonError};
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

/// A key within its share in the upper half, a record in the lower.
type Posting = u64;

impl Blocks {
    pub(super) fn of(records: &Records, model: &Model) -> Self {
        let dealt = postings(records, model);
        let per_thread = ShortKey::SHARES.div_ceil(threads());
        let ranges: Vec<Range<usize>> = (0..ShortKey::SHARES)
            .step_by(per_thread)
            .map(|from| from..(from + per_thread).min(ShortKey::SHARES))
            .collect();
        let made: Vec<Self> = thread::scope(|scope| {
            let running: Vec<_> = ranges
                .into_iter()
                .map(|shares| scope.spawn(|| Self::of_shares(shares, &dealt, records, model)))
                .collect();
            running.into_iter().filter_map(|thread| thread.join().ok()).collect()
        });
        drop(dealt);
        let mut blocks = Self { starts: vec![0], ..Self::default() };
        made.into_iter().for_each(|part| blocks.append(&part));
        blocks.index(records.len());
        blocks
    }

    fn of_shares(
        shares: Range<usize>,
        dealt: &[Vec<Mutex<Vec<Posting>>>],
        records: &Records,
        model: &Model,
    ) -> Self {
        let mut blocks = Self { starts: vec![0], ..Self::default() };
        for share in shares {
            let mut all: Vec<Posting> = Vec::new();
            for of_thread in dealt {
                let mut slot = of_thread[share].lock().unwrap_or_else(PoisonError::into_inner);
                all.append(&mut std::mem::take(&mut *slot));
            }
            all.sort_unstable();
            for block in all.chunk_by(|x, y| x >> 32 == y >> 32).filter(|block| block.len() > 1) {
                blocks.add(
                    ShortKey::pass_within_share(block[0]),
                    block,
                    records,
                    model.block_cap(),
                );
            }
        }
        blocks
    }

    /// Takes in the blocks of other keys.
    fn append(&mut self, other: &Self) {
        let before = u32::try_from(self.members.len()).unwrap_or(u32::MAX);
        self.members.extend_from_slice(&other.members);
        self.starts.extend(other.starts[1..].iter().map(|start| before + start));
        self.pass.extend_from_slice(&other.pass);
        self.overfull.blocks += other.overfull.blocks;
        self.overfull.records += other.overfull.records;
    }

    fn add(&mut self, pass: usize, block: &[Posting], records: &Records, cap: usize) {
        if block.len() <= cap {
            self.push(pass, block.iter().map(|posting| record_of(*posting)));
            return;
        }
        // A value that many share: only those whose given name and birth year agree as well.
        let mut split: Vec<(u64, u32)> = block
            .iter()
            .filter_map(|posting| {
                let n = record_of(*posting);
                Some((further_key(&records.people[n as usize])?, n))
            })
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

    /// Whether this block is the first that proposes a pair.
    pub(super) fn is_first(&self, block: usize, a: u32, b: u32) -> bool {
        let (ours, theirs) = (self.of_record(a), self.of_record(b));
        let (mut i, mut j) = (0, 0);
        while let (Some(x), Some(y)) = (ours.get(i), theirs.get(j)) {
            if x == y {
                return *x as usize == block;
            }
            i += usize::from(x < y);
            j += usize::from(x > y);
        }
        false
    }

    /// The passes that propose a pair, as bits.
    pub(super) fn passes(&self, a: u32, b: u32) -> u32 {
        let (ours, theirs) = (self.of_record(a), self.of_record(b));
        let (mut i, mut j, mut passes) = (0, 0, 0);
        while let (Some(x), Some(y)) = (ours.get(i), theirs.get(j)) {
            if x == y {
                passes |= 1 << u32::from(self.pass[*x as usize]).min(31);
            }
            i += usize::from(x <= y);
            j += usize::from(x >= y);
        }
        passes
    }

    fn of_record(&self, n: u32) -> &[u32] {
        &self.blocks_of[range(&self.record_starts, n as usize)]
    }
}

fn range(starts: &[u32], n: usize) -> Range<usize> {
    starts[n] as usize..starts[n + 1] as usize
}

fn record_of(posting: Posting) -> u32 {
    (posting & u64::from(u32::MAX)) as u32
}

/// All keys with their records, by thread and share.
fn postings(records: &Records, model: &Model) -> Vec<Vec<Mutex<Vec<Posting>>>> {
    let chunk = records.len().div_ceil(threads()).max(1);
    let deal = |from: usize, people: &[Demographics]| {
        let room = people.len() / 16;
        let mut dealt: Vec<Vec<Posting>> =
            (0..ShortKey::SHARES).map(|_| Vec::with_capacity(room)).collect();
        let mut keys = Vec::new();
        for (n, person) in people.iter().enumerate() {
            short_keys(person, model, &mut keys);
            let record = u64::try_from(from + n).unwrap_or(u64::MAX);
            keys.iter().for_each(|key| dealt[key.share()].push(key.within_share() | record));
        }
        dealt.into_iter().map(Mutex::new).collect()
    };
    thread::scope(|scope| {
        let chunks = records.people.chunks(chunk).enumerate();
        let running: Vec<_> =
            chunks.map(|(at, people)| scope.spawn(move || deal(at * chunk, people))).collect();
        running.into_iter().filter_map(|thread| thread.join().ok()).collect()
    })
}

/// What splits a block: given name and birth year. Without both a record is in no part.
fn further_key(person: &Demographics) -> Option<u64> {
    let given = person.names.first()?.given.first()?;
    let mut hasher = DefaultHasher::new();
    (given, person.birth_date?.year).hash(&mut hasher);
    Some(hasher.finish())
}
