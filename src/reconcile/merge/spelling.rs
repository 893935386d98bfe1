//! One name, phone or address in several spellings: which are the same, and which is shown.

use serde_json::Value;

use crate::compare::{address, contact, name};

use super::element::completeness;

/// The same name but for case, diacritics, punctuation and titles.
pub(super) fn same_name(a: &Value, b: &Value) -> bool {
    if plain_name(a) == plain_name(b) {
        return true;
    }
    let (read_a, read_b) = (name::person_name(a), name::person_name(b));
    read_a.is_some() && read_a == read_b
}

/// The same number or address of one system. Another extension is another phone.
pub(super) fn same_telecom(a: &Value, b: &Value) -> bool {
    let system = |v: &Value| folded(v.get("system"));
    if system(a) != system(b) || is_old(a) != is_old(b) {
        return false;
    }
    let (x, y) = (folded(a.get("value")), folded(b.get("value")));
    if x.contains('@') || y.contains('@') {
        return x == y || contact::email(&x).is_some_and(|x| Some(x) == contact::email(&y));
    }
    let (extension_x, extension_y) = (extension(&x), extension(&y));
    let one_line = extension_x.is_empty() || extension_y.is_empty() || extension_x == extension_y;
    match (contact::phone(&x), contact::phone(&y)) {
        (Some(x), Some(y)) => x == y && one_line,
        _ => digits_or_text(&x) == digits_or_text(&y),
    }
}

/// The same house, street and flat, in a place that both state and on which they do not differ.
pub(super) fn same_address(a: &Value, b: &Value) -> bool {
    if is_old(a) != is_old(b) {
        return false;
    }
    if plain_address(a) == plain_address(b) {
        return true;
    }
    let Some((x, y)) = address::address(a).zip(address::address(b)) else { return false };
    let door = |a: &crate::flow::Address| (a.number.clone(), a.street.clone(), a.unit.clone());
    let stated = !x.number.is_empty();
    let fits = |x: &str, y: &str| x.is_empty() || y.is_empty() || x == y;
    let shared = |x: &str, y: &str| !x.is_empty() && x == y;
    stated
        && door(&x) == door(&y)
        && fits(&x.city, &y.city)
        && fits(&x.state, &y.state)
        && fits(&x.postcode, &y.postcode)
        && (shared(&x.city, &y.city) || shared(&x.postcode, &y.postcode))
}

/// Whether an item is a fuller spelling of what is known: more parts, then more of what spelling
/// can lose (small letters, diacritics, an extension).
pub(super) fn is_fuller(item: &Value, known: &Value) -> bool {
    let rank = |v: &Value| {
        let text = v.to_string();
        let small = text.chars().any(char::is_lowercase) && !shouted(v);
        let marked = text.chars().filter(|c| !c.is_ascii()).count();
        (completeness(v), small, marked, extension(&folded(v.get("value"))).len())
    };
    rank(item) > rank(known)
}

/// Whether all words of the value are in capitals or small letters throughout.
fn shouted(v: &Value) -> bool {
    let words = ["family", "given", "line", "city"].iter().filter_map(|name| v.get(*name));
    let text = words.map(Value::to_string).collect::<String>();
    !text.chars().any(char::is_lowercase) || !text.chars().any(char::is_uppercase)
}

fn is_old(v: &Value) -> bool {
    v.get("use").and_then(Value::as_str) == Some("old")
}

/// The digits after `x`, `ext` or `;ext=`.
fn extension(phone: &str) -> String {
    let at = phone.find(['x', ';', '#']).unwrap_or(phone.len());
    phone[at..].chars().filter(char::is_ascii_digit).collect()
}

fn digits_or_text(value: &str) -> String {
    let digits: String = value.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 7 { value.to_owned() } else { digits }
}

fn folded(value: Option<&Value>) -> String {
    let mut text = String::new();
    match value {
        Some(Value::String(s)) => text.push_str(&s.trim().to_lowercase()),
        Some(Value::Array(items)) => {
            for item in items {
                text.push_str(&folded(Some(item)));
                text.push(' ');
            }
        }
        _ => {}
    }
    text.trim_end().to_owned()
}

fn plain_name(v: &Value) -> [String; 4] {
    ["family", "given", "suffix", "text"].map(|k| match (k, v.get("family")) {
        // The text repeats the parts where there are parts.
        ("text", Some(_)) => String::new(),
        _ => folded(v.get(k)),
    })
}

fn plain_address(v: &Value) -> [String; 4] {
    let zip = |s: String| s.chars().take(5).collect();
    [
        folded(v.get("line")),
        folded(v.get("city")),
        folded(v.get("state")),
        zip(folded(v.get("postalCode"))),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn spellings_of_one_thing_are_the_same() {
        let name = |family: &str, given: &str| json!({"family": family, "given": [given]});
        assert!(same_name(&name("Díaz", "José"), &name("DIAZ", "Jose")));
        assert!(is_fuller(&name("Díaz", "José"), &name("DIAZ", "JOSE")));
        assert!(!is_fuller(&name("DIAZ", "JOSE"), &name("Díaz", "José")));
        assert!(!same_name(&name("Diaz", "Jose"), &name("Diaz", "Josefa")));
        let phone = |value: &str| json!({"system": "phone", "value": value});
        assert!(same_telecom(&phone("(617) 253-1234"), &phone("+1 617 253 1234")));
        assert!(!same_telecom(&phone("617-253-1234 x9"), &phone("617-253-1234 ext 12")));
        assert!(!same_telecom(&phone("617-253-1234"), &phone("617-253-1235")));
        let home = |line: &str, city: &str| json!({"line": [line], "city": city, "state": "MA"});
        assert!(same_address(&home("12 Oak Rd", "Salem"), &home("12 Oak Road", "SALEM")));
        for (line, city) in [("12 Oak Road Apt 2", "Salem"), ("12 Oak Road", "Lynn")] {
            assert!(!same_address(&home("12 Oak Rd", "Salem"), &home(line, city)));
        }
        let mut old = home("12 Oak Road", "Salem");
        old["use"] = json!("old");
        assert!(!same_address(&home("12 Oak Rd", "Salem"), &old));
    }
}
