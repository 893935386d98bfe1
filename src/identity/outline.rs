//! A record in a few words side by side in memory: what tells at a glance that two records cannot
//! match, before their demographics are looked up and compared.

use std::hash::{DefaultHasher, Hash as _, Hasher};

use super::model::{IdentifierClass, Model};
use crate::compare::similarity::{WORD_LEN_MAX, sound};
use crate::flow::{Address, Demographics, Identifier, PartialDate, PersonName};

/// What of a record is looked at first. [`Glance`](super::Glance) makes and compares them.
#[derive(Clone, Debug, Default)]
pub struct Outline {
    pub(super) name: NameOutline,
    pub(super) birth: Option<PartialDate>,
    /// Zero if not stated.
    pub(super) gender: u32,
    pub(super) identifier: Stated<IdentifierOutline>,
    pub(super) address: Stated<AddressOutline>,
    pub(super) phone: Stated<Figures>,
    pub(super) email: Stated<Letters>,
}

/// None, one, or several, of which nothing is told.
#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Stated<T> {
    #[default]
    None,
    One(T),
    Several,
}

impl<T> Stated<T> {
    fn of<S>(items: &[S], outline: impl FnOnce(&S) -> T) -> Self {
        match items {
            [] => Self::None,
            [one] => Self::One(outline(one)),
            _ => Self::Several,
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct NameOutline {
    /// More than one name, or more than two given names: nothing is told.
    pub(super) is_several: bool,
    pub(super) given: Letters,
    /// All given names as one word.
    pub(super) whole: Letters,
    pub(super) middle: Letters,
    /// Family name without spaces.
    pub(super) family: Letters,
    /// The family name has several words.
    pub(super) is_double: bool,
    /// Nickname groups of the first and the middle name, as bits.
    pub(super) nicknames: u32,
    pub(super) middle_nicknames: u32,
    /// What agreement on the first name and on the family name adds for its rarity, in bits.
    pub(super) given_rarity: f32,
    pub(super) family_rarity: f32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct IdentifierOutline {
    pub(super) system: u32,
    pub(super) value: Figures,
    pub(super) class: IdentifierClass,
    pub(super) is_old: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct AddressOutline {
    pub(super) number: u32,
    pub(super) street: Letters,
    pub(super) city: Letters,
    pub(super) postcode: Figures,
}

/// A word by its letters. Nothing that can be like it looks unlike it here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Letters {
    /// Zero if there is no word.
    pub(super) hash: u32,
    /// Which letters it has, as bits.
    set: u32,
    start: [u8; 4],
    sound: u16,
    len: u8,
    /// Too long, or with letters beyond ASCII.
    is_odd: bool,
}

impl Letters {
    fn of(text: &str) -> Self {
        let code = sound(text);
        let sound = if code.len() >= 3 { (hashed(&code) & 0xffff) as u16 | 1 } else { 0 };
        Self { sound, ..Self::without_sound(text) }
    }

    fn without_sound(text: &str) -> Self {
        if text.is_empty() {
            return Self::default();
        }
        let mut start = [0; 4];
        for (slot, letter) in start.iter_mut().zip(text.bytes()) {
            *slot = letter;
        }
        Self {
            hash: hashed(text) | 1,
            set: text.bytes().fold(0, |set, b| set | 1 << (b & 0x1f)),
            start,
            sound: 0,
            len: u8::try_from(text.len()).unwrap_or(u8::MAX),
            is_odd: !text.is_ascii() || text.len() > WORD_LEN_MAX,
        }
    }

    pub(super) fn is_known(self) -> bool {
        self.hash != 0
    }

    pub(super) fn is(self, other: Self) -> bool {
        self.is_known() && self.hash == other.hash
    }

    pub(super) fn is_initial(self) -> bool {
        self.len == 1
    }

    pub(super) fn shortest(self, other: Self) -> u32 {
        u32::from(self.len.min(other.len))
    }

    /// Whether so many edits may part the two.
    pub(super) fn may_be_within(self, other: Self, edits: u32) -> bool {
        let odd = self.is_odd || other.is_odd;
        let apart = (self.set ^ other.set).count_ones();
        odd || apart <= edits * 2 && u32::from(self.len.abs_diff(other.len)) <= edits
    }

    /// Whether one may be a misspelling or a form of the other.
    pub(super) fn may_be_like(self, other: Self) -> bool {
        if !self.is_known() || !other.is_known() {
            return false;
        }
        self.may_be_within(other, 2)
            || self.sound != 0 && self.sound == other.sound
            || self.start[..3] == other.start[..3]
            || self.jaro_winkler_at_most(other) >= 0.86
    }

    fn jaro_winkler_at_most(self, other: Self) -> f32 {
        // A letter that the other has not is not shared.
        let left = |x: Self, y: Self| f32::from(x.len) - (x.set & !y.set).count_ones() as f32;
        let shared = left(self, other).min(left(other, self)).max(0.0);
        let jaro = (shared / f32::from(self.len) + shared / f32::from(other.len) + 1.0) / 3.0;
        let same = self.start.iter().zip(other.start).take_while(|(x, y)| **x == *y).count();
        jaro + 0.1 * same as f32 * (1.0 - jaro)
    }

    /// Whether most words of one text may stand in the other.
    pub(super) fn may_share_words(self, other: Self) -> bool {
        let odd = self.is_odd || other.is_odd;
        let missing = |x: Self, y: Self| (x.set & !y.set).count_ones();
        let fewest = missing(self, other).min(missing(other, self));
        // A fifth of the letters, and a slip in each word of four or more.
        odd || fewest <= u32::from(self.len.max(other.len)) * 2 / 5 + 1
    }
}

/// Digits, four bits each, behind a first place that is never zero; other text by its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Figures(u64);

impl Figures {
    const IS_HASH: u64 = 1 << 63;

    fn of(text: &str) -> Self {
        let (first, digits) = text.strip_prefix('+').map_or((1, text), |digits| (2, digits));
        if text.is_empty() {
            return Self(0);
        }
        if digits.len() > 14 || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Self(long_hash(text) | Self::IS_HASH);
        }
        Self(digits.bytes().fold(first, |all, b| all << 4 | u64::from(b & 0xf)))
    }

    pub(super) fn is_known(self) -> bool {
        self.0 != 0
    }

    /// Whether at most one edit may part the two.
    pub(super) fn may_be_within_one(self, other: Self) -> bool {
        if (self.0 | other.0) & Self::IS_HASH != 0 {
            return true;
        }
        let places = |x: Self| x.0.leading_zeros() / 4;
        let apart = self.0 ^ other.0;
        let differing = (apart | apart >> 1 | apart >> 2 | apart >> 3) & 0x1111_1111_1111_1111;
        match places(self).abs_diff(places(other)) {
            0 => differing.count_ones() <= 2,
            longer => longer == 1,
        }
    }
}

impl Outline {
    pub(super) fn of(d: &Demographics, model: &Model) -> Self {
        Self {
            name: NameOutline::of(&d.names, model),
            birth: d.birth_date,
            gender: d.gender.as_ref().map_or(0, |g| hashed(g) | 1),
            identifier: Stated::of(&d.identifiers, |i| IdentifierOutline::of(i, model)),
            address: Stated::of(&d.addresses, AddressOutline::of),
            phone: Stated::of(&d.phones, |text| Figures::of(text)),
            email: Stated::of(&d.emails, |text| Letters::without_sound(text)),
        }
    }
}

impl NameOutline {
    fn of(names: &[PersonName], model: &Model) -> Self {
        let name = match names {
            [] => return Self::default(),
            [name] if name.given.len() <= 2 => name,
            _ => return Self { is_several: true, ..Self::default() },
        };
        let family = name.family.replace(' ', "");
        let given = |at: usize| name.given.get(at).map_or("", |word| &**word);
        Self {
            is_several: false,
            given: Letters::of(given(0)),
            whole: Letters::without_sound(&name.given.concat()),
            middle: Letters::without_sound(given(1)),
            is_double: name.family.contains(' '),
            nicknames: model.nicknames.group_bits(given(0)),
            middle_nicknames: model.nicknames.group_bits(given(1)),
            given_rarity: rarity(model.given.adjustment_bits(given(0))),
            family_rarity: rarity(model.family.adjustment_bits(&family)),
            family: Letters::of(&family),
        }
    }
}

impl IdentifierOutline {
    fn of(identifier: &Identifier, model: &Model) -> Self {
        Self {
            system: if identifier.system.is_empty() { 0 } else { hashed(&identifier.system) | 1 },
            value: Figures::of(&identifier.value),
            class: model.class_of(identifier),
            is_old: identifier.old,
        }
    }
}

impl AddressOutline {
    fn of(address: &Address) -> Self {
        Self {
            number: if address.number.is_empty() { 0 } else { hashed(&address.number) | 1 },
            street: Letters::without_sound(&address.street),
            city: Letters::without_sound(&address.city),
            postcode: Figures::of(&address.postcode),
        }
    }
}

/// In half the bits, and not less than it was.
fn rarity(bits: f64) -> f32 {
    bits as f32 + 1e-3
}

fn hashed(text: &str) -> u32 {
    (long_hash(text) >> 32) as u32
}

fn long_hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
