//! Functions of one text.
//! <http://hl7.org/fhirpath/N1/#string-manipulation>

use super::Fault;
use super::ast::Expr;
use super::eval::{Eval, Focus, fault, one_of};
use super::function::Function;
use super::item::{Item, Items};
use super::regexes::regex;

/// Texts longer than this are not made.
const LENGTH_MAX: usize = 10 << 20;

impl<'v> Eval<'_, 'v> {
    /// Evaluates a function of one text.
    pub(super) fn text_call(
        &self,
        function: Function,
        input: &Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        if function == Function::Join {
            return self.join(input, arguments, focus);
        }
        let text = match one_of(input)? {
            None => return Ok(Vec::new()),
            Some(Item::String(text)) => text,
            Some(_) => return fault("a text is needed"),
        };
        self.spend(text.len() / 64)?;
        if function == Function::Substring {
            let Some(start) = self.integer(&arguments[0], focus)? else { return Ok(Vec::new()) };
            let length = match arguments.get(1) {
                Some(length) => self.integer(length, focus)?,
                None => None,
            };
            return Ok(substring(&text, start, length).map(string).into_iter().collect());
        }
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let Some(value) = self.string(argument, focus)? else { return Ok(Vec::new()) };
            given.push(value);
        }
        let first = given.first().map_or("", String::as_str);
        let second = given.get(1).map_or("", String::as_str);
        let place = |at: Option<usize>| {
            let letters = at.map(|at| text[..at].chars().count());
            Item::Integer(letters.and_then(|n| i64::try_from(n).ok()).unwrap_or(-1))
        };
        Ok(vec![match function {
            Function::StartsWith => Item::Bool(text.starts_with(first)),
            Function::EndsWith => Item::Bool(text.ends_with(first)),
            Function::Contains => Item::Bool(text.contains(first)),
            Function::IndexOf => place(text.find(first)),
            Function::LastIndexOf => place(text.rfind(first)),
            Function::Length => Item::Integer(text.chars().count() as i64),
            Function::Upper => string(text.to_uppercase()),
            Function::Lower => string(text.to_lowercase()),
            Function::Trim => string(text.trim().to_owned()),
            Function::ToChars => return Ok(text.chars().map(|c| string(c.to_string())).collect()),
            Function::Split => return Ok(split(&text, first)),
            Function::Matches => Item::Bool(regex(first)?.is_match(&text)),
            Function::MatchesFull => Item::Bool(regex(&format!("^(?:{first})$"))?.is_match(&text)),
            Function::ReplaceMatches => match first.is_empty() {
                true => Item::String(text.clone()),
                false => bounded(regex(first)?.replace_all(&text, second).into_owned())?,
            },
            Function::Replace => bounded(replaced(&text, first, second))?,
            Function::Escape | Function::Unescape => escape(function, &text, first)?,
            Function::Encode | Function::Decode => {
                return Ok(coded(function, &text, first).map(string).into_iter().collect());
            }
            _ => return fault("not a function of texts"),
        }])
    }

    fn join(
        &self,
        input: &Items<'v>,
        arguments: &[Expr],
        focus: &Focus<'v>,
    ) -> Result<Items<'v>, Fault> {
        let between = match arguments.first() {
            Some(argument) => self.string(argument, focus)?.unwrap_or_default(),
            None => String::new(),
        };
        let texts: Vec<_> = input.iter().filter_map(Item::text).collect();
        match texts.is_empty() {
            true => Ok(Vec::new()),
            false => Ok(vec![bounded(texts.join(&between))?]),
        }
    }
}

fn string<'v>(text: String) -> Item<'v> {
    Item::String(text.into())
}

fn bounded<'v>(text: String) -> Result<Item<'v>, Fault> {
    if text.len() > LENGTH_MAX { fault("a text grows too long") } else { Ok(string(text)) }
}

fn substring(text: &str, start: i64, length: Option<i64>) -> Option<String> {
    let start = usize::try_from(start).ok()?;
    let length = length.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(0));
    let mut rest = text.chars().skip(start).peekable();
    rest.peek()?;
    Some(rest.take(length).collect())
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    // Every place between letters matches an empty pattern.
    if text.len().saturating_mul(to.len().max(1)) > LENGTH_MAX {
        return "x".repeat(LENGTH_MAX + 1);
    }
    text.replace(from, to)
}

fn split<'v>(text: &str, at: &str) -> Items<'v> {
    match at.is_empty() {
        true => text.chars().map(|c| string(c.to_string())).collect(),
        false => text.split(at).map(|part| string(part.to_owned())).collect(),
    }
}

fn escape<'v>(function: Function, text: &str, target: &str) -> Result<Item<'v>, Fault> {
    let pairs: &[(&str, &str)] = match target {
        "html" => &[("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;")],
        "json" => &[("\\", "\\\\"), ("\"", "\\\"")],
        _ => return fault("escape and unescape know html and json"),
    };
    let is_forward = function == Function::Escape;
    let pairs: Vec<_> = match is_forward {
        true => pairs.to_vec(),
        false => pairs.iter().rev().map(|(plain, safe)| (*safe, *plain)).collect(),
    };
    let done = pairs.into_iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
    bounded(done)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn coded(function: Function, text: &str, form: &str) -> Option<String> {
    let decodes = function == Function::Decode;
    match form {
        "hex" if decodes => {
            let pairs = text
                .as_bytes()
                .chunks(2)
                .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
            String::from_utf8(pairs.collect::<Option<Vec<u8>>>()?).ok()
        }
        "hex" => Some(text.bytes().map(|b| format!("{b:02x}")).collect()),
        "base64" | "urlbase64" => {
            let is_url = form == "urlbase64";
            match decodes {
                true => from_base64(&text.replace('-', "+").replace('_', "/")),
                false if is_url => Some(base64(text).replace('+', "-").replace('/', "_")),
                false => Some(base64(text)),
            }
        }
        _ => None,
    }
}

fn base64(text: &str) -> String {
    let mut coded = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let letter = BASE64[(bits >> (18 - 6 * at) & 63) as usize];
            coded.push(if at <= chunk.len() { char::from(letter) } else { '=' });
        }
    }
    coded
}

fn from_base64(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.trim_end_matches('=').bytes() {
        let value = BASE64.iter().position(|known| *known == letter)?;
        bits = bits << 6 | u32::try_from(value).ok()?;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 255) as u8);
        }
    }
    String::from_utf8(bytes).ok()
}
