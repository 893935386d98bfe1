//! The words of an expression.
//! <http://hl7.org/fhirpath/N1/#lexical-elements>

use super::item::Item;
use super::temporal::Temporal;
use rust_decimal::Decimal;

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name; `true` if it stood in back quotes and so is no keyword.
    Name(String, bool),
    /// `$this`
    Special(String),
    /// `%name`
    Constant(String),
    Literal(Item<'static>),
    Symbol(&'static str),
}

const SYMBOLS: [&str; 24] = [
    "!=", "!~", "<=", ">=", "(", ")", "[", "]", "{", "}", ".", ",", "+", "-", "*", "/", "&", "|",
    "<", ">", "=", "~", "!", ":",
];

/// Cuts an expression into words.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = without_blanks(text)?;
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '\'' => string(rest)?,
            '`' => {
                let (name, after) = quoted(&rest[1..], '`')?;
                (Token::Name(name, true), after)
            }
            '"' => {
                let (name, after) = quoted(&rest[1..], '"')?;
                (Token::Name(name, true), after)
            }
            '0'..='9' => number(rest)?,
            '@' => moment(rest)?,
            '%' => constant(&rest[1..])?,
            '$' => {
                let (name, after) = name(&rest[1..]);
                (Token::Special(name.to_owned()), after)
            }
            'A'..='Z' | 'a'..='z' | '_' => {
                let (name, after) = name(rest);
                (Token::Name(name.to_owned(), false), after)
            }
            _ => symbol(rest)?,
        };
        found.push(token);
        rest = without_blanks(after)?;
    }
    Ok(found)
}

fn without_blanks(text: &str) -> Result<&str, String> {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let (_, after) = comment.split_once("*/").ok_or("a comment does not end")?;
            rest = after.trim_start();
        } else {
            return Ok(rest);
        }
    }
}

fn name(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    text.split_at(end)
}

fn symbol(text: &str) -> Result<(Token, &str), String> {
    for symbol in SYMBOLS {
        if let Some(after) = text.strip_prefix(symbol) {
            return Ok((Token::Symbol(symbol), after));
        }
    }
    Err("a sign that FHIRPath does not have".to_owned())
}

fn string(text: &str) -> Result<(Token, &str), String> {
    let (content, after) = quoted(&text[1..], '\'')?;
    Ok((Token::Literal(Item::String(content.into())), after))
}

fn constant(text: &str) -> Result<(Token, &str), String> {
    let (name, after) = match text.chars().next() {
        Some(quote @ ('`' | '\'' | '"')) => quoted(&text[1..], quote)?,
        _ => {
            let (name, after) = name(text);
            (name.to_owned(), after)
        }
    };
    if name.is_empty() {
        Err("a % without name".into())
    } else {
        Ok((Token::Constant(name), after))
    }
}

/// The content up to the closing quote, and what follows it.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut content = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c == quote {
            return Ok((content, &text[at + 1..]));
        }
        if c != '\\' {
            content.push(c);
            continue;
        }
        match chars.next().map(|(_, escaped)| escaped) {
            Some('n') => content.push('\n'),
            Some('r') => content.push('\r'),
            Some('t') => content.push('\t'),
            Some('f') => content.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).map(|(_, digit)| digit).collect();
                let letter = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                content.push(letter.ok_or("an escape that is no letter")?);
            }
            // Definitions write '\.' and '\d' for the pattern's own backslash.
            Some(other) if !"\\'\"`/".contains(other) => {
                content.push('\\');
                content.push(other);
            }
            Some(other) => content.push(other),
            None => break,
        }
    }
    Err("a quote does not end".to_owned())
}

fn number(text: &str) -> Result<(Token, &str), String> {
    let digits = |t: &str| t.len() - t.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let mut end = digits(text);
    let is_whole = match text[end..].strip_prefix('.').map(digits) {
        Some(decimals) if decimals > 0 => {
            end += 1 + decimals;
            false
        }
        _ => true,
    };
    let (number, after) = text.split_at(end);
    let item = match number.parse() {
        Ok(whole) if is_whole => Item::Integer(whole),
        _ => Item::Decimal(number.parse().map_err(|_| "a number with too many digits")?),
    };
    Ok(with_unit(item, after))
}

/// A number and a unit are a quantity.
fn with_unit<'t>(number: Item<'static>, after: &'t str) -> (Token, &'t str) {
    let value = match &number {
        Item::Integer(whole) => Decimal::from(*whole),
        Item::Decimal(decimal) => *decimal,
        _ => return (Token::Literal(number), after),
    };
    let trimmed = after.trim_start();
    if let Some(inner) = trimmed.strip_prefix('\'')
        && let Ok((unit, after)) = quoted(inner, '\'')
    {
        return (Token::Literal(Item::Quantity(value, unit.into())), after);
    }
    let (word, rest) = name(trimmed);
    match super::quantity::calendar_unit(word) {
        Some(_) => (Token::Literal(Item::Quantity(value, word.to_owned().into())), rest),
        None => (Token::Literal(number), after),
    }
}

fn moment(text: &str) -> Result<(Token, &str), String> {
    let allowed = |c: char| c.is_ascii_digit() || "-:TZ+.".contains(c);
    let mut end = text[1..].find(|c| !allowed(c)).map_or(text.len(), |at| at + 1);
    // `@2015.is(Date)`: the dot belongs to the literal only between digits.
    while end > 1 && text[..end].ends_with(['.', '-', '+']) {
        end -= 1;
    }
    let literal = &text[1..end];
    let read = match literal.strip_prefix('T') {
        Some(time) => Temporal::time(time),
        None if literal.contains('T') => Temporal::date_time(literal.trim_end_matches('T')),
        None => Temporal::date(literal),
    };
    let temporal = read.ok_or("a date or time that does not exist")?;
    Ok((Token::Literal(Item::Temporal(temporal)), &text[end..]))
}
