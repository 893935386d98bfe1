//! Address, phone, e-mail and member number: what a household shares, so it counts once.

use super::identifier_field::IdentifierEvidence;
use super::levels::{AddressLevel, EmailLevel, Levels, MISSING, MemberLevel, Pattern, PhoneLevel};
use super::model::FieldBits;
use crate::compare::address::is_street_word;
use crate::compare::similarity::{is_like, is_within};
use crate::flow::{Address, Demographics};

/// Most addresses, phones or e-mails of a chart that are compared.
const ITEMS_MAX: usize = 8;

/// What the two charts' households have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Household {
    pub(super) address: Option<AddressLevel>,
    pub(super) phone: Option<PhoneLevel>,
    pub(super) email: Option<EmailLevel>,
    pub(super) member_number: bool,
}

impl Household {
    /// Compares everything a household shares.
    pub(super) fn compare(a: &Demographics, b: &Demographics, ids: IdentifierEvidence) -> Self {
        Self {
            address: best(&a.addresses, &b.addresses, compare_addresses),
            phone: best(&a.phones, &b.phones, |x, y| Some(compare_phones(x, y))),
            email: best(&a.emails, &b.emails, |x, y| Some(compare_emails(x, y))),
            member_number: ids.member_number,
        }
    }

    /// Whether they seem to live together.
    pub(super) fn is_shared(&self) -> bool {
        self.address.is_some_and(|l| l <= AddressLevel::SameStreet)
            || self.reaches_both()
            || self.member_number
    }

    /// Whether an address in full, a phone or an e-mail is the same.
    pub(super) fn agrees_well(&self) -> bool {
        self.address.is_some_and(|l| l <= AddressLevel::Close) || self.reaches_both()
    }

    /// Whether anything agrees that is narrower than a city.
    pub(super) fn agrees(&self) -> bool {
        self.is_shared() || self.address.is_some_and(|l| l <= AddressLevel::SamePostcode)
    }

    fn reaches_both(&self) -> bool {
        self.phone == Some(PhoneLevel::Exact) || self.email.is_some_and(|l| l <= EmailLevel::Close)
    }

    /// How many of address in full, phone and e-mail are the same.
    pub(super) fn pieces(&self) -> usize {
        usize::from(self.address == Some(AddressLevel::Exact))
            + usize::from(self.phone == Some(PhoneLevel::Exact))
            + usize::from(self.email.is_some_and(|l| l <= EmailLevel::Close))
    }

    /// Notes the levels.
    pub(super) fn note(&self, pattern: &mut Pattern) {
        let noted = |level: Option<usize>| level.and_then(|l| u8::try_from(l).ok());
        let levels = [
            noted(self.address.map(Levels::index)),
            noted(self.phone.map(Levels::index)),
            noted(self.email.map(Levels::index)),
            noted(self.member_number.then_some(MemberLevel::Same.index())),
        ];
        for (slot, level) in pattern[HOUSEHOLD].iter_mut().zip(levels) {
            *slot = level.unwrap_or(MISSING);
        }
    }
}

/// Where the fields of a household lie in a pattern.
pub(super) const HOUSEHOLD: std::ops::RangeInclusive<usize> =
    AddressLevel::FIELD..=MemberLevel::FIELD;

/// The weights of a household's fields: the strongest agreement in full, others in part, and of
/// what differs only the strongest, since address and phone go together.
pub(super) fn household_bits(pattern: &Pattern, bits: &FieldBits, share: f64) -> [f64; 4] {
    let mut full = [0.0; 4];
    for (slot, field) in full.iter_mut().zip(HOUSEHOLD) {
        if pattern[field] != MISSING {
            *slot = bits.at(field, pattern[field]);
        }
    }
    counted(full, share)
}

/// What a household's fields weigh together.
pub(super) fn household_total(full: [f64; 4], share: f64) -> f64 {
    counted(full, share).iter().sum()
}

fn counted(full: [f64; 4], share: f64) -> [f64; 4] {
    let at_extreme = |pick: fn(f64, f64) -> bool| {
        (1..4).fold(0, |best: usize, i| if pick(full[i], full[best]) { i } else { best })
    };
    let most = at_extreme(|x, y| x > y);
    let least = at_extreme(|x, y| x < y);
    let mut counted = full;
    for (i, slot) in counted.iter_mut().enumerate() {
        *slot = match full[i] {
            all if i == most || i == least && all < 0.0 => all,
            part if part > 0.0 => part * share,
            _ => 0.0,
        };
    }
    counted
}

fn best<T, L: Ord + Copy>(a: &[T], b: &[T], compare: impl Fn(&T, &T) -> Option<L>) -> Option<L> {
    let pairs =
        a.iter().take(ITEMS_MAX).flat_map(|x| b.iter().take(ITEMS_MAX).map(move |y| (x, y)));
    pairs.filter_map(|(x, y)| compare(x, y)).min()
}

fn compare_addresses(a: &Address, b: &Address) -> Option<AddressLevel> {
    let both = |x: &str, y: &str| !x.is_empty() && !y.is_empty();
    let same = |x: &str, y: &str| both(x, y) && x == y;
    let differ = |x: &str, y: &str| both(x, y) && x != y;
    let same_postcode = same(&a.postcode, &b.postcode);
    let near_place = same_postcode
        || both(&a.city, &b.city) && is_like(&a.city, &b.city)
        || a.postcode.len().min(b.postcode.len()) >= 4 && is_within(&a.postcode, &b.postcode, 1);
    let place_known = both(&a.postcode, &b.postcode) || both(&a.city, &b.city);
    if !place_known && !both(&a.street, &b.street) {
        return None;
    }
    let number = same(&a.number, &b.number);
    let is_box = a.number.starts_with("box ") && number;
    let street = same(&a.street, &b.street) || is_box;
    let placed = near_place || !place_known;
    let street_like = street || both(&a.street, &b.street) && alike_streets(&a.street, &b.street);
    let number_near = || number || number_slip(&a.number, &b.number);
    let level = if number && street && placed {
        if differ(&a.unit, &b.unit) { AddressLevel::Close } else { AddressLevel::Exact }
    } else if street_like && near_place && number_near() {
        AddressLevel::Close
    } else if street_like && placed || street && number {
        AddressLevel::SameStreet
    } else if same_postcode {
        AddressLevel::SamePostcode
    } else if same(&a.city, &b.city) || both(&a.city, &b.city) && is_like(&a.city, &b.city) {
        AddressLevel::SameCity
    } else {
        AddressLevel::Different
    };
    Some(level)
}

/// The same street but for slips, or of several words most: parts of an address stand in either
/// order, or in one of the two only.
fn alike_streets(a: &str, b: &str) -> bool {
    let slips = a.len().min(b.len()) / 6 + 1;
    if is_within(a, b, slips) {
        return true;
    }
    let length = |text: &str| text.split(' ').map(str::len).sum::<usize>();
    let same = |x: &str, y: &str| x == y || x.len().min(y.len()) >= 4 && is_within(x, y, 1);
    let (mut shared, mut telling) = (0, false);
    for word in a.split(' ').filter(|w| w.len() > 2) {
        if b.split(' ').any(|other| same(word, other)) {
            shared += word.len();
            telling |= word.len() > 3 && !is_street_word(word);
        }
    }
    telling && shared * 10 >= length(a).min(length(b)) * 8
}

/// One digit more, less or other in a number of several digits, or no number on one side.
fn number_slip(a: &str, b: &str) -> bool {
    a.is_empty() != b.is_empty()
        || (a.len().max(b.len()) >= 3 && a.len().min(b.len()) >= 2 && is_within(a, b, 1))
}

fn compare_phones(a: &str, b: &str) -> PhoneLevel {
    if a == b {
        PhoneLevel::Exact
    } else if is_within(a, b, 1) {
        PhoneLevel::Close
    } else {
        PhoneLevel::Different
    }
}

fn compare_emails(a: &str, b: &str) -> EmailLevel {
    let length = a.len().min(b.len());
    if a == b {
        return EmailLevel::Exact;
    }
    if length < 10 || a.len().abs_diff(b.len()) > length / 4 {
        return EmailLevel::Different;
    }
    if is_within(a, b, 2) {
        EmailLevel::Close
    } else if is_within(a, b, length / 4) {
        EmailLevel::Similar
    } else {
        EmailLevel::Different
    }
}
