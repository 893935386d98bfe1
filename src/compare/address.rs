//! Postal addresses in comparable form.
//! <https://hl7.org/fhir/R4/datatypes.html#Address>

use serde_json::Value;

use super::name::fold;
use crate::flow::Address;

/// Most lines of one address that are read.
const LINES_MAX: usize = 4;

/// Street words and what they stand for.
const STREET_WORDS: [(&str, &str); 58] = [
    ("aly", "alley"),
    ("anx", "annex"),
    ("av", "avenue"),
    ("ave", "avenue"),
    ("aven", "avenue"),
    ("blvd", "boulevard"),
    ("boul", "boulevard"),
    ("br", "branch"),
    ("brg", "bridge"),
    ("byp", "bypass"),
    ("c", "calle"),
    ("cir", "circle"),
    ("cl", "close"),
    ("cct", "circuit"),
    ("crt", "court"),
    ("ct", "court"),
    ("cres", "crescent"),
    ("cr", "crescent"),
    ("cv", "cove"),
    ("dr", "drive"),
    ("drv", "drive"),
    ("est", "estate"),
    ("expy", "expressway"),
    ("ext", "extension"),
    ("fwy", "freeway"),
    ("gdns", "gardens"),
    ("gr", "grove"),
    ("grv", "grove"),
    ("hts", "heights"),
    ("hwy", "highway"),
    ("jct", "junction"),
    ("la", "lane"),
    ("ln", "lane"),
    ("lp", "loop"),
    ("mnr", "manor"),
    ("mt", "mount"),
    ("mtn", "mountain"),
    ("pde", "parade"),
    ("pk", "park"),
    ("pkwy", "parkway"),
    ("pky", "parkway"),
    ("pl", "place"),
    ("plz", "plaza"),
    ("pt", "point"),
    ("rd", "road"),
    ("rte", "route"),
    ("rt", "route"),
    ("sq", "square"),
    ("st", "street"),
    ("str", "street"),
    ("ter", "terrace"),
    ("terr", "terrace"),
    ("tce", "terrace"),
    ("trl", "trail"),
    ("tpke", "turnpike"),
    ("vis", "vista"),
    ("vlg", "village"),
    ("wy", "way"),
];

const DIRECTIONS: [(&str, &str); 8] = [
    ("n", "north"),
    ("s", "south"),
    ("e", "east"),
    ("w", "west"),
    ("ne", "northeast"),
    ("nw", "northwest"),
    ("se", "southeast"),
    ("sw", "southwest"),
];

const UNIT_WORDS: [&str; 15] = [
    "apt",
    "apartment",
    "unit",
    "suite",
    "ste",
    "flat",
    "room",
    "rm",
    "floor",
    "fl",
    "lot",
    "trlr",
    "trailer",
    "apto",
    "piso",
];

/// Lines that say there is no address.
const NO_STREET: [&str; 9] = [
    "unknown",
    "homeless",
    "no fixed address",
    "no fixed abode",
    "general delivery",
    "none",
    "undomiciled",
    "address unknown",
    "not provided",
];

/// Reads a FHIR Address; `None` if nothing comparable is in it.
pub fn address(value: &Value) -> Option<Address> {
    let text_of = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let lines: Vec<String> = value
        .get("line")
        .and_then(Value::as_array)
        .map(|lines| lines.iter().filter_map(Value::as_str).take(LINES_MAX).map(line).collect())
        .unwrap_or_default();
    let [city, state, postal] = ["city", "state", "postalCode"].map(text_of);
    address_of_parts(&lines.join(" "), city, state, postal)
}

/// An address by its parts as text, the lines folded; `None` if nothing comparable is in it.
fn address_of_parts(lines: &str, city: &str, state: &str, postal: &str) -> Option<Address> {
    let mut read = Address {
        city: known(&fold(city)),
        state: known(&fold(state)),
        postcode: postcode(postal),
        ..Address::default()
    };
    street(lines, &mut read);
    (read != Address::default()).then_some(read)
}

/// An address by its parts as text; `None` if nothing comparable is in it.
pub fn address_of(lines: &str, city: &str, state: &str, postal: &str) -> Option<Address> {
    address_of_parts(&line(lines), city, state, postal)
}

fn line(text: &str) -> String {
    fold(&text.replace('#', " unit "))
}

/// A postcode in lower case without white space, ZIP+4 cut to 5; empty for placeholders.
pub fn postcode(text: &str) -> Box<str> {
    let compact: String =
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let digits = compact.bytes().all(|b| b.is_ascii_digit());
    let cut = if digits && compact.len() == 9 { &compact[..5] } else { &compact };
    let placeholder = digits && (cut.bytes().all(|b| b == b'0') || cut.bytes().all(|b| b == b'9'));
    if placeholder || cut.len() > 12 { "".into() } else { cut.into() }
}

fn known(text: &str) -> Box<str> {
    if NO_STREET.contains(&text) { "".into() } else { text.into() }
}

/// Parts a folded street text into box or house number, street and unit.
fn street(text: &str, into: &mut Address) {
    if NO_STREET.contains(&text) {
        return;
    }
    let mut words: Vec<&str> = text.split(' ').filter(|w| !w.is_empty()).collect();
    if let Some(number) = take_box(&mut words) {
        into.number = format!("box {number}").into();
    }
    into.unit = take_unit(&mut words);
    if into.number.is_empty()
        && words.first().is_some_and(|w| w.starts_with(|c: char| c.is_ascii_digit()))
    {
        // "1st" in "1st avenue" is a street, not a house.
        let ordinal = ["st", "nd", "rd", "th"].iter().any(|o| words[0].ends_with(o));
        if !ordinal {
            into.number = words.remove(0).into();
        }
    }
    let last = words.len().saturating_sub(1);
    let expanded: Vec<&str> =
        words.iter().enumerate().map(|(i, word)| expand(word, i, last)).collect();
    into.street = expanded.join(" ").into();
}

/// Whether a word only says what kind of way it is: `street`, `avenue` …
pub fn is_street_word(word: &str) -> bool {
    STREET_WORDS.iter().any(|(_, long)| *long == word)
}

fn take_box<'a>(words: &mut Vec<&'a str>) -> Option<&'a str> {
    let at = words.iter().position(|w| matches!(*w, "box" | "pobox" | "apartado"))?;
    let number = *words.get(at + 1)?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let start = match (at.checked_sub(2).map(|i| words[i]), at.checked_sub(1).map(|i| words[i])) {
        (Some("p"), Some("o")) => at - 2,
        (_, Some("po")) => at - 1,
        _ if words[at] == "box" && at > 0 => return None,
        _ => at,
    };
    words.drain(start..at + 2);
    Some(number)
}

fn take_unit(words: &mut Vec<&str>) -> Box<str> {
    let is_unit = |i: usize, w: &str| {
        i > 0 && UNIT_WORDS.contains(&w)
            || (i == 0 && matches!(w, "apt" | "unit" | "flat" | "apartment"))
    };
    let Some(at) = (0..words.len()).find(|&i| is_unit(i, words[i])) else {
        return "".into();
    };
    // "apt #4" reads "apt unit 4".
    let mut end = at + 1;
    while words.get(end).is_some_and(|w| UNIT_WORDS.contains(w)) {
        end += 1;
    }
    let Some(&name) = words.get(end) else {
        return "".into();
    };
    // "unit lane" is a street; a unit is a number or one or two letters.
    if !(name.len() <= 2 || name.contains(|c: char| c.is_ascii_digit())) {
        return "".into();
    }
    words.drain(at..=end);
    name.trim_start_matches('0').into()
}

fn expand(word: &str, at: usize, last: usize) -> &str {
    if at == 0 && last > 0 && word == "st" {
        return "saint";
    }
    let expanded = |table: &'static [(&str, &str)]| {
        table.iter().find(|(short, _)| *short == word).map(|(_, long)| *long)
    };
    let direction = (last > 0).then(|| expanded(&DIRECTIONS)).flatten();
    let street_word = || {
        let leading = matches!(word, "c" | "av" | "mt" | "pt" | "rt" | "rte");
        if at > 0 || leading { expanded(&STREET_WORDS) } else { None }
    };
    direction.or_else(street_word).unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(line: &str) -> (String, String, String) {
        let read = address(&json!({"line": [line]})).unwrap_or_default();
        (read.number.into(), read.street.into(), read.unit.into())
    }

    #[test]
    fn street_words_units_and_boxes_are_read() {
        let expected = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(of("12 N. Main St., Apt 4B"), expected("12", "north main street", "4b"));
        assert_eq!(of("12 North Main Street #4b"), expected("12", "north main street", "4b"));
        assert_eq!(of("P.O. Box 77"), expected("box 77", "", ""));
        assert_eq!(of("PO BOX 77"), expected("box 77", "", ""));
        assert_eq!(of("9 St James Ave"), expected("9", "saint james avenue", ""));
        assert_eq!(of("1st Avenue"), expected("", "1st avenue", ""));
        assert_eq!(of("homeless"), expected("", "", ""));
    }

    #[test]
    fn postcodes_lose_their_tail_and_placeholders() {
        assert_eq!(&*postcode("02139-4307"), "02139");
        assert_eq!(&*postcode("SW1A 1AA"), "sw1a1aa");
        assert_eq!(&*postcode("00000"), "");
    }
}
