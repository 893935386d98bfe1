//! Bundles and NDJSON as raw bytes: taken apart and put together without parsing what is inside.
//! <https://hl7.org/fhir/R4/bundle.html>, <https://hl7.org/fhir/R4/nd-json.html>

mod answered;
mod members;
mod searchset;
mod split;

use serde_json::value::RawValue;

pub use answered::{AnsweredEntry, answered};
pub use searchset::{SearchsetEntry, searchset};
pub use split::{Header, RawEntry, Split, SplitError, resource_header, split};

/// How deep JSON may be nested. The deepest R4 content in use (a Bundle of questionnaires in
/// questionnaires) stays below 30.
pub const DEPTH_MAX: usize = 64;

/// The lines of NDJSON that are not blank, without white space at their ends.
pub fn lines(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    without_byte_order_mark(input)
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

/// The raw values of some members of a JSON object, of a repeated member the last; `None` for
/// what is no JSON object.
pub fn members<'a, const N: usize>(
    json: &'a [u8],
    wanted: [&'static str; N],
) -> Option<[Option<&'a RawValue>; N]> {
    members::Members::read(json, wanted).ok().map(|found| found.0)
}

/// Whether brackets and braces nest deeper than `limit`, by one scan that respects strings.
/// What is no JSON gets some answer.
pub fn nests_deeper_than(limit: usize, json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                if depth > limit {
                    return true;
                }
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
    }
    false
}

fn skip_string(bytes: &mut std::slice::Iter<'_, u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
}

fn without_byte_order_mark(input: &[u8]) -> &[u8] {
    input.strip_prefix(b"\xef\xbb\xbf").unwrap_or(input)
}

#[cfg(test)]
mod tests;
