//! From words to an expression, by precedence.
//! <http://hl7.org/fhirpath/N1/grammar.html>

use super::ast::{Expr, Operator, TYPE_STRENGTH, TypeName, TypeTest};
use super::function::Function;
use super::item::Item;
use super::lexer::{Token, tokens};
use super::regexes::regex;

/// Deeper or longer chained expressions are refused: evaluation follows their depth.
const DEPTH_MAX: usize = 100;
const LENGTH_MAX: usize = 20_000;

/// Polarity binds stronger than any operator.
const POLARITY_STRENGTH: u8 = 11;

/// Parses an expression.
///
/// # Errors
/// Says what is not understood.
pub(super) fn parse(text: &str) -> Result<Expr, String> {
    if text.len() > LENGTH_MAX {
        return Err(format!("longer than {LENGTH_MAX} bytes"));
    }
    let mut parser = Parser { tokens: tokens(text)?, at: 0, depth: 0 };
    let expression = parser.expression(0)?;
    match parser.peek() {
        None => Ok(expression),
        Some(_) => Err("something follows the end of the expression".to_owned()),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Symbol(s)) if *s == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) { Ok(()) } else { Err(format!("\"{symbol}\" is missing")) }
    }

    fn deeper(&mut self) -> Result<(), String> {
        self.depth += 1;
        match self.depth > DEPTH_MAX {
            true => Err(format!("nested or chained more than {DEPTH_MAX} levels")),
            false => Ok(()),
        }
    }

    fn expression(&mut self, strength_min: u8) -> Result<Expr, String> {
        let depth = self.depth;
        self.deeper()?;
        let mut left = if self.take("-") {
            Expr::Negate(Box::new(self.expression(POLARITY_STRENGTH)?))
        } else if self.take("+") {
            self.expression(POLARITY_STRENGTH)?
        } else {
            self.chain()?
        };
        loop {
            if let Some(test) = self.type_operator(strength_min) {
                self.deeper()?;
                left = Expr::Typed(Box::new(left), test, self.type_name()?);
                continue;
            }
            let Some(operator) = self.operator().filter(|o| o.strength() > strength_min) else {
                break;
            };
            self.at += 1;
            self.deeper()?;
            let right = self.expression(operator.strength())?;
            left = Expr::Binary(operator, Box::new(left), Box::new(right));
        }
        self.depth = depth;
        Ok(left)
    }

    fn type_operator(&mut self, strength_min: u8) -> Option<TypeTest> {
        let test = match self.peek() {
            Some(Token::Name(name, false)) if name == "is" => TypeTest::Is,
            Some(Token::Name(name, false)) if name == "as" => TypeTest::As,
            _ => return None,
        };
        if TYPE_STRENGTH <= strength_min {
            return None;
        }
        self.at += 1;
        Some(test)
    }

    fn operator(&self) -> Option<Operator> {
        let word = match self.peek()? {
            Token::Symbol(symbol) => *symbol,
            Token::Name(name, false) => name.as_str(),
            _ => return None,
        };
        Some(match word {
            "*" => Operator::Times,
            "/" => Operator::Divide,
            "div" => Operator::Div,
            "mod" => Operator::Mod,
            "+" => Operator::Plus,
            "-" => Operator::Minus,
            "&" => Operator::Concatenate,
            "|" => Operator::Union,
            "<=" => Operator::LessOrEqual,
            "<" => Operator::Less,
            ">" => Operator::Greater,
            ">=" => Operator::GreaterOrEqual,
            "=" => Operator::Equal,
            "~" => Operator::Equivalent,
            "!=" => Operator::NotEqual,
            "!~" => Operator::NotEquivalent,
            "in" => Operator::In,
            "contains" => Operator::Contains,
            "and" => Operator::And,
            "or" => Operator::Or,
            "xor" => Operator::Xor,
            "implies" => Operator::Implies,
            _ => return None,
        })
    }

    /// A term, and what is done with it: `.name`, `.call()`, `[index]`.
    fn chain(&mut self) -> Result<Expr, String> {
        let mut left = self.term()?;
        loop {
            if self.take(".") {
                self.deeper()?;
                left = self.invocation(Some(left))?;
            } else if self.take("[") {
                self.deeper()?;
                let index = self.expression(0)?;
                self.expect("]")?;
                left = Expr::Indexer(Box::new(left), Box::new(index));
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Expr, String> {
        if self.take("(") {
            let inner = self.expression(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.take("{") {
            self.expect("}")?;
            return Ok(Expr::Nothing);
        }
        match self.peek().cloned() {
            Some(Token::Literal(item)) => {
                self.at += 1;
                Ok(Expr::Literal(item))
            }
            Some(Token::Constant(name)) => {
                self.at += 1;
                Ok(Expr::Constant(name.into()))
            }
            Some(Token::Name(..) | Token::Special(_)) => self.invocation(None),
            Some(Token::Symbol(symbol)) => Err(format!("\"{symbol}\" stands where a value must")),
            None => Err("it ends where a value must stand".to_owned()),
        }
    }

    fn invocation(&mut self, before: Option<Expr>) -> Result<Expr, String> {
        let token = self.peek().cloned();
        self.at += 1;
        match token {
            Some(Token::Special(name)) if before.is_none() => match name.as_str() {
                "this" => Ok(Expr::This),
                "index" => Ok(Expr::Index),
                "total" => Ok(Expr::Total),
                _ => Err(format!("${name} is not known")),
            },
            Some(Token::Name(name, is_quoted)) => {
                if !is_quoted && before.is_none() && (name == "true" || name == "false") {
                    let value = super::item::Item::Bool(name == "true");
                    return Ok(Expr::Literal(value));
                }
                if self.take("(") {
                    return self.call(before, &name);
                }
                Ok(Expr::Member(before.map(Box::new), name.into()))
            }
            _ => Err("a name is missing".to_owned()),
        }
    }

    fn call(&mut self, before: Option<Expr>, name: &str) -> Result<Expr, String> {
        let test = match name {
            "is" => Some(TypeTest::Is),
            "as" => Some(TypeTest::As),
            "ofType" => Some(TypeTest::OfType),
            _ => None,
        };
        if let Some(test) = test {
            let named = self.type_name()?;
            self.expect(")")?;
            return Ok(Expr::Typed(Box::new(before.unwrap_or(Expr::This)), test, named));
        }
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                arguments.push(self.expression(0)?);
                if !self.take(",") {
                    break;
                }
            }
            self.expect(")")?;
        }
        let function = Function::named(name, arguments.len())?;
        let takes_pattern = matches!(
            function,
            Function::Matches | Function::MatchesFull | Function::ReplaceMatches
        );
        if takes_pattern && let Some(Expr::Literal(Item::String(pattern))) = arguments.first() {
            regex(pattern).map_err(|fault| fault.to_string())?;
        }
        Ok(Expr::Call(before.map(Box::new), function, arguments))
    }

    fn type_name(&mut self) -> Result<TypeName, String> {
        let mut part = || match self.peek().cloned() {
            Some(Token::Name(name, _)) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err("a type is missing".to_owned()),
        };
        let first = part()?;
        if self.take(".") {
            let name = match self.peek().cloned() {
                Some(Token::Name(name, _)) => name,
                _ => return Err("a type is missing".to_owned()),
            };
            self.at += 1;
            return Ok(TypeName { namespace: Some(first.into()), name: name.into() });
        }
        Ok(TypeName { namespace: None, name: first.into() })
    }
}
