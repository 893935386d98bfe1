//! A comparison as text that a steward reads.

use std::fmt::Write;

use super::cluster::linking_grade;
use super::veto::Veto;
use crate::flow::{Comparison, MatchGrade};

/// The comparison as a table: one line a field with what was found and its weight in bits, the
/// running total, then what speaks against, and the grade.
pub fn waterfall_text(comparison: &Comparison) -> String {
    let field_width = width(comparison.waterfall.iter().map(|s| s.field.len()), 12);
    let level_width = width(comparison.waterfall.iter().map(|s| s.level.len()), 16);
    let mut text = String::new();
    let mut line = |field: &str, level: &str, bits: &str, total: &str| {
        // Writing to a String cannot fail.
        let _ =
            writeln!(text, "{field:<field_width$}  {level:<level_width$}  {bits:>7}  {total:>7}");
    };
    line("field", "found", "bits", "total");
    let mut total = 0.0;
    for step in &comparison.waterfall {
        total += step.weight_bits;
        let bits = format!("{:+.1}", step.weight_bits);
        line(&step.field.replace('_', " "), &step.level, &bits, &format!("{total:+.1}"));
    }
    let odds = odds_text(comparison.weight_bits);
    line("total", &odds, &format!("{:+.1}", comparison.weight_bits), "");
    for name in &comparison.vetoes {
        let veto = Veto::named(name);
        let sentence: &str = veto.map_or(name, |v| v.sentence());
        let _ = writeln!(text, "against: {sentence} ({name})");
    }
    if comparison.unproven {
        let _ = writeln!(text, "unproven: only a block beyond its cap proposed this pair");
    }
    let _ = writeln!(text, "grade: {}", grade_text(linking_grade(comparison)));
    text
}

fn width(lengths: impl Iterator<Item = usize>, least: usize) -> usize {
    lengths.max().unwrap_or(0).max(least)
}

/// Bits as odds: `1 to 30 against`, `16,000 to 1 for`.
fn odds_text(weight_bits: f64) -> String {
    let ratio = weight_bits.abs().min(60.0).exp2();
    let rounded = if ratio < 1_000.0 {
        format!("{ratio:.0}")
    } else if ratio < 1_000_000.0 {
        format!("{:.0} thousand", ratio / 1e3)
    } else if ratio < 1e9 {
        format!("{:.0} million", ratio / 1e6)
    } else {
        "over a billion".to_owned()
    };
    let side = if weight_bits < 0.0 { "against" } else { "for" };
    format!("{rounded} to 1 {side}")
}

fn grade_text(grade: MatchGrade) -> &'static str {
    match grade {
        MatchGrade::Certain => "certain (linked by the gateway)",
        MatchGrade::Probable => "probable (for a steward to decide)",
        MatchGrade::Possible => "possible (for a steward to decide)",
        MatchGrade::CertainlyNot => "certainly not (not linked)",
    }
}
