//! Address, phone, e-mail and member number: what a household shares, so it counts once.

use super::identifier_field::IdentifierEvidence;
use super::levels::{AddressLevel, EmailLevel, Levels, MemberLevel, PhoneLevel};
use super::model::Model;
use crate::compare::similarity::{edit_distance, is_like};
use crate::flow::{Address, Demographics, Step};

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

    /// One step per field: the strongest agreement in full, others in part, and of what differs
    /// only the strongest.
    pub(super) fn steps(&self, model: &Model) -> Vec<Step> {
        let bits = &model.bits;
        let mut parts: Vec<(&str, &str, f64)> = Vec::with_capacity(4);
        if let Some(level) = self.address {
            parts.push(("address", level.word(), bits.address.of(level)));
        }
        if let Some(level) = self.phone {
            parts.push(("phone", level.word(), bits.phone.of(level)));
        }
        if let Some(level) = self.email {
            parts.push(("email", level.word(), bits.email.of(level)));
        }
        if self.member_number {
            let level = MemberLevel::Same;
            parts.push(("member_number", level.word(), bits.member_number.of(level)));
        }
        let at_extreme = |pick: fn(f64, f64) -> bool| {
            (0..parts.len())
                .reduce(|best, i| if pick(parts[i].2, parts[best].2) { i } else { best })
        };
        let most = at_extreme(|x, y| x > y);
        let least = at_extreme(|x, y| x < y);
        parts
            .iter()
            .enumerate()
            .map(|(i, &(field, level, full))| {
                let counted = if Some(i) == most || Some(i) == least && full < 0.0 {
                    full
                } else if full > 0.0 {
                    full * model.household_share
                } else {
                    0.0
                };
                Step { field: field.into(), level: level.into(), weight_bits: counted }
            })
            .collect()
    }
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
    let near_place =
        same(&a.postcode, &b.postcode) || both(&a.city, &b.city) && is_like(&a.city, &b.city);
    let place_known = both(&a.postcode, &b.postcode) || both(&a.city, &b.city);
    let number = same(&a.number, &b.number);
    let is_box = a.number.starts_with("box ") && number;
    let street = same(&a.street, &b.street) || is_box;
    let street_like = street || both(&a.street, &b.street) && alike_streets(&a.street, &b.street);
    let comparable = place_known || both(&a.street, &b.street);
    if !comparable {
        return None;
    }
    let level = if number && street && (near_place || !place_known) {
        if differ(&a.unit, &b.unit) { AddressLevel::Close } else { AddressLevel::Exact }
    } else if street_like && near_place && (number || number_slip(&a.number, &b.number)) {
        AddressLevel::Close
    } else if street_like && near_place {
        AddressLevel::SameStreet
    } else if same(&a.postcode, &b.postcode) {
        AddressLevel::SamePostcode
    } else if same(&a.city, &b.city) {
        AddressLevel::SameCity
    } else {
        AddressLevel::Different
    };
    Some(level)
}

fn alike_streets(a: &str, b: &str) -> bool {
    let (x, y) = (a.replace(' ', ""), b.replace(' ', ""));
    is_like(&x, &y) && edit_distance(&x, &y) <= 3
}

/// One digit more, less or other in a number of several digits, or no number on one side.
fn number_slip(a: &str, b: &str) -> bool {
    a.is_empty() != b.is_empty()
        || (a.len().max(b.len()) >= 3 && a.len().min(b.len()) >= 2 && edit_distance(a, b) == 1)
}

fn compare_phones(a: &str, b: &str) -> PhoneLevel {
    if a == b {
        PhoneLevel::Exact
    } else if edit_distance(a, b) == 1 {
        PhoneLevel::Close
    } else {
        PhoneLevel::Different
    }
}

fn compare_emails(a: &str, b: &str) -> EmailLevel {
    let length = a.len().min(b.len());
    if a == b {
        EmailLevel::Exact
    } else if length >= 10 && edit_distance(a, b) <= 2 {
        EmailLevel::Close
    } else {
        EmailLevel::Different
    }
}
