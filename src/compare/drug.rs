//! Drugs as they are written: ingredients, strengths and form, from an RxNorm name
//! (`lisinopril 10 MG Oral Tablet`) or from what somebody typed (`Lisinopril 10mg tab`).
//! <https://www.nlm.nih.gov/research/umls/rxnorm/overview.html>

use std::collections::BTreeSet;

use super::quantity::quantity;
use super::wording::is_slip;

/// What a drug's name says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Drug {
    ingredients: BTreeSet<String>,
    strengths: BTreeSet<String>,
    form: Option<&'static str>,
    slow: bool,
}

/// Salts and esters: which one it is is seldom said, and the strength says the drug.
#[rustfmt::skip]
const SALTS: [&str; 26] = [
    "acetate", "bitartrate", "besylate", "bromide", "calcium", "carbonate", "chloride", "citrate",
    "disodium", "fumarate", "gluconate", "hbr", "hcl", "hydrobromide", "hydrochloride", "maleate",
    "magnesium", "mesylate", "nitrate", "phosphate", "potassium", "propionate", "sodium",
    "succinate", "sulfate", "tartrate",
];

/// Word → form.
#[rustfmt::skip]
const FORMS: [(&str, &str); 30] = [
    ("tablet", "solid"), ("tablets", "solid"), ("tab", "solid"), ("tabs", "solid"),
    ("capsule", "solid"), ("capsules", "solid"), ("cap", "solid"), ("caps", "solid"),
    ("pill", "solid"), ("injection", "injection"), ("injectable", "injection"),
    ("inj", "injection"), ("syringe", "injection"), ("vial", "injection"), ("pen", "injection"),
    ("cream", "topical"), ("ointment", "topical"), ("gel", "topical"), ("lotion", "topical"),
    ("topical", "topical"), ("patch", "patch"), ("transdermal", "patch"),
    ("inhaler", "inhaled"), ("inhalation", "inhaled"), ("inhalant", "inhaled"),
    ("nasal", "nasal"), ("ophthalmic", "eye"), ("otic", "ear"), ("suppository", "rectal"),
    ("rectal", "rectal"),
];

/// Words that say nothing about which drug it is.
#[rustfmt::skip]
const VOID: [&str; 26] = [
    "a", "actuat", "and", "bottle", "by", "daily", "day", "dose", "each", "film", "coated", "for",
    "hr", "in", "mouth", "of", "oral", "po", "pack", "per", "product", "solution", "suspension",
    "take", "the", "usp",
];
const SLOW: [&str; 10] =
    ["er", "xr", "xl", "sr", "cr", "la", "extended", "sustained", "delayed", "dr"];
const SLOW_TOO: [&str; 2] = ["release", "controlled"];

fn drug(text: &str) -> Drug {
    let tokens: Vec<&str> = text.split(' ').collect();
    let mut drug = Drug::default();
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        if token.starts_with(|c: char| c.is_ascii_digit()) {
            let unit = tokens.get(i + 1).copied().unwrap_or_default();
            let (value, base) = quantity(token, unit);
            let per = matches!(tokens.get(i + 2), Some(&("ml" | "actuat" | "hr")));
            // `24 HR` says how long, not how much.
            if unit != "hr" && unit != "day" && *base != *unit || matches!(unit, "unt" | "%") {
                drug.strengths.insert(format!("{value} {base}"));
            }
            i += if per { 3 } else { 2 };
            continue;
        }
        if SLOW.contains(&token) {
            drug.slow = true;
        } else if let Some((_, form)) = FORMS.iter().find(|(word, _)| *word == token) {
            drug.form = Some(form);
        } else if !VOID.contains(&token) && !SALTS.contains(&token) && !SLOW_TOO.contains(&token) {
            drug.ingredients.insert(if token == "hctz" { HCTZ.into() } else { token.to_owned() });
        }
        i += 1;
    }
    // A salt by itself (potassium chloride) is the drug.
    if drug.ingredients.is_empty() {
        drug.ingredients = tokens.iter().filter(|t| SALTS.contains(t)).map(|&t| t.into()).collect();
    }
    drug
}

const HCTZ: &str = "hydrochlorothiazide";

/// How two names of drugs compare, both normalised ([`super::clinical_text`]): `None` if they are
/// not of one drug; else whether both say how strong it is. A form, or a strength, that only one
/// states is neutral.
pub fn same_drug(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (drug(a), drug(b));
    let other_form = a.form.is_some() && b.form.is_some() && a.form != b.form;
    let both_strong = !a.strengths.is_empty() && !b.strengths.is_empty();
    if a.ingredients.is_empty() || other_form {
        return None;
    }
    if a.slow != b.slow || both_strong && a.strengths != b.strengths {
        return None;
    }
    // A slip in a name is one only where something else says that it is this drug.
    let named = a.ingredients == b.ingredients || both_strong && but_for_slips(&a, &b);
    named.then_some(both_strong)
}

/// Whether the names are the same but for slips of the pen.
fn but_for_slips(a: &Drug, b: &Drug) -> bool {
    let left = |x: &Drug, y: &Drug| -> Vec<String> {
        x.ingredients.difference(&y.ingredients).cloned().collect()
    };
    let (x, mut y) = (left(a, b), left(b, a));
    x.len() == y.len()
        && x.iter().all(|word| match y.iter().position(|other| is_slip(word, other)) {
            Some(found) => {
                y.swap_remove(found);
                true
            }
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::super::clinical_text;
    use super::*;

    fn same(a: &str, b: &str) -> Option<bool> {
        same_drug(&clinical_text(a), &clinical_text(b))
    }

    #[test]
    fn one_drug_in_several_hands_is_one() {
        for (a, b) in [
            ("losartan potassium 50 MG Oral Tablet", "Losartan 50mg tab"),
            (
                "24 HR metoprolol succinate 100 MG Extended Release Oral Tablet",
                "Metoprolol ER 100 mg",
            ),
            ("levothyroxine sodium 0.05 MG Oral Tablet", "Levothyroxine 50 mcg tablet"),
            ("potassium chloride 20 mEq tab", "Potassium Chloride 20 MEQ"),
            ("Loratadne 10 mg tab", "Loratadine 10 MG Oral Tablet"),
            ("Nirtoglycerin 0.4 milligrams", "nitroglycerin 400 micrograms"),
        ] {
            assert!(same(a, b).is_some(), "{a} | {b}");
        }
        assert_eq!(same("Losartan", "Losartan 50 mg tablet"), Some(false));
    }

    #[test]
    fn other_strengths_forms_and_releases_are_others() {
        for (a, b) in [
            ("Losartan 50 mg tablet", "Losartan 100 mg tablet"),
            ("Metoprolol 100 mg", "Metoprolol ER 100 mg"),
            ("Hydrocortisone 1% cream", "Hydrocortisone 10 mg tablet"),
            ("Prednisone 5 mg", "Prednisolone 5 mg"),
            ("Loratadne", "Loratadine 10 mg"),
            ("Chlorpromazine 100 mg tab", "Chlorpropamide 100 mg tab"),
            ("Losartan 50 mg / hydrochlorothiazide 12.5 mg tablet", "Losartan 50 mg tablet"),
        ] {
            assert_eq!(same(a, b), None, "{a} | {b}");
        }
    }
}
