//! From tokens to an expression, by recursive descent with a bounded depth.

use super::lex::{Kind, Token, tokens};
use super::select::{Expr, SelectorError};
use super::term::{self, Leaf, LeafKind};

/// Parentheses and `!` inside each other; no person reads more.
const MAX_DEPTH: u32 = 64;

const FORMS: &str = "write a name, `@group`, `label=value` or `*`";

pub(crate) fn flaw(at: usize, what: impl Into<String>, hint: &str) -> SelectorError {
    SelectorError { at, what: what.into(), hint: hint.to_owned() }
}

pub(crate) fn parse(text: &str) -> Result<Expr, SelectorError> {
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(flaw(
            0,
            "the selector is empty",
            "write a name, `@group` or `label=value`; `*` means every target",
        ));
    }
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        end: text.len(),
        depth: 0,
        negated: false,
        names_left: crate::nodeset::MAX_NAMES,
    };
    let expr = parser.any()?;
    match parser.peek() {
        None => Ok(expr),
        Some(Token { at, kind: Kind::Close }) => {
            Err(flaw(*at, "`)` without `(`", "remove it, or open the parenthesis"))
        }
        Some(Token { at, .. }) => {
            Err(flaw(*at, "two terms with nothing between them", "put `,` for either or `&` for both between them"))
        }
    }
}

struct Parser<'a> {
    tokens: &'a [Token<'a>],
    next: usize,
    end: usize,
    depth: u32,
    /// Whether an odd number of `!` stands before what is parsed now.
    negated: bool,
    /// Names that ranges may still expand to, over the whole selector.
    names_left: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next)
    }

    fn take(&mut self, kind: &Kind<'_>) -> bool {
        let found = self.peek().is_some_and(|token| token.kind == *kind);
        self.next += usize::from(found);
        found
    }

    fn any(&mut self) -> Result<Expr, SelectorError> {
        let mut list = vec![self.all()?];
        loop {
            let comma = self.peek().is_some_and(|token| token.kind == Kind::Comma);
            if !comma && !self.take(&Kind::Or) {
                break;
            }
            if comma {
                self.next += 1;
                self.refuse_not_after_comma()?;
            }
            list.push(self.all()?);
        }
        Ok(one_or(merged(list), Expr::Any))
    }

    /// `@web,!web3` looks like "without web3" and would mean "or anything but web3": nearly everything.
    fn refuse_not_after_comma(&self) -> Result<(), SelectorError> {
        match self.peek() {
            Some(Token { at, kind: Kind::Not }) => {
                Err(flaw(*at, "`!` after a comma, which means or", "to leave targets out write `@web & !web3`"))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn all(&mut self) -> Result<Expr, SelectorError> {
        let mut list = vec![self.unary()?];
        while self.take(&Kind::And) {
            list.push(self.unary()?);
        }
        Ok(one_or(list, Expr::All))
    }

    fn unary(&mut self) -> Result<Expr, SelectorError> {
        let at = self.peek().map_or(self.end, |token| token.at);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(flaw(at, format!("nested more than {MAX_DEPTH} deep"), "write it flatter"));
        }
        let expr = if self.take(&Kind::Not) {
            self.negated = !self.negated;
            let inner = self.unary();
            self.negated = !self.negated;
            Expr::Not(Box::new(inner?))
        } else if self.take(&Kind::Open) {
            let inner = self.any()?;
            if !self.take(&Kind::Close) {
                return Err(flaw(at, "`(` without `)`", "close the parenthesis"));
            }
            inner
        } else {
            Expr::Leaf(self.leaf()?)
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn leaf(&mut self) -> Result<Leaf, SelectorError> {
        let Some(token) = self.peek() else {
            return Err(flaw(self.end, "the selector ends where a term is expected", FORMS));
        };
        let (text, quoted) = match token.kind {
            Kind::Word(word) => (word, false),
            Kind::Quoted(word) => (word, true),
            Kind::Equals | Kind::Differs => {
                return Err(flaw(token.at, "a label without a name", "write `label=value`"));
            }
            Kind::And | Kind::Or | Kind::Comma | Kind::Not | Kind::Open | Kind::Close => {
                return Err(flaw(token.at, "an operator where a term is expected", FORMS));
            }
        };
        self.next += 1;
        let equal = self.take(&Kind::Equals);
        if equal || self.take(&Kind::Differs) {
            return self.label(token.at, text, equal);
        }
        let kind = if quoted { LeafKind::Quoted(text.to_owned()) } else { self.word(token.at, text)? };
        let shown = if quoted { format!("\"{text}\"") } else { text.to_owned() };
        Ok(Leaf { text: shown, at: token.at, negated: self.negated, kind })
    }

    fn label(&mut self, at: usize, key: &str, equal: bool) -> Result<Leaf, SelectorError> {
        let value = match self.peek() {
            Some(Token { kind: Kind::Word(word), at }) => {
                let values = term::names(word, self.names_left).map_err(|e| e.moved(*at))?;
                self.names_left -= values.len().min(self.names_left);
                values
            }
            Some(Token { kind: Kind::Quoted(word), .. }) => term::exactly(word),
            Some(Token { at, .. }) => {
                return Err(flaw(*at, "a label without a value", "write `label=value`, or `label=\"\"`"));
            }
            None => {
                return Err(flaw(self.end, "a label without a value", "write `label=value`, or `label=\"\"`"));
            }
        };
        let shown = match self.peek() {
            Some(Token { kind: Kind::Quoted(word), .. }) => format!("\"{word}\""),
            Some(Token { kind: Kind::Word(word), .. }) => (*word).to_owned(),
            Some(_) | None => String::new(),
        };
        self.next += 1;
        let text = format!("{key}{}{shown}", if equal { "=" } else { "!=" });
        let kind = LeafKind::Label { key: key.to_owned(), equal, value };
        Ok(Leaf { text, at, negated: self.negated, kind })
    }

    fn word(&mut self, at: usize, word: &str) -> Result<LeafKind, SelectorError> {
        if word == "*" || word == "all" {
            return Ok(LeafKind::All);
        }
        if let Some(group) = word.strip_prefix('@') {
            if group.is_empty() {
                return Err(flaw(at, "`@` without a group", "write `@web`"));
            }
            if group.contains(['[', '*', '?']) {
                return Err(flaw(at, "ranges and wildcards do not work for groups", "write `@web1,@web2`"));
            }
            return Ok(LeafKind::Group(group.to_owned()));
        }
        let names = term::names(word, self.names_left).map_err(|e| e.moved(at))?;
        self.names_left -= names.len().min(self.names_left);
        Ok(LeafKind::Names(names))
    }
}

/// Plain names beside each other become one part: `a,b,@c,d` is `(a,b) | @c | d`.
fn merged(list: Vec<Expr>) -> Vec<Expr> {
    let mut out: Vec<Expr> = Vec::with_capacity(list.len());
    for expr in list {
        match (out.last_mut(), expr) {
            (
                Some(Expr::Leaf(Leaf { text, kind: LeafKind::Names(names), .. })),
                Expr::Leaf(Leaf { text: more, kind: LeafKind::Names(others), .. }),
            ) if !names.has_wildcards() && !others.has_wildcards() => {
                text.push(',');
                text.push_str(&more);
                names.absorb(others);
            }
            (_, expr) => out.push(expr),
        }
    }
    out
}

fn one_or(mut list: Vec<Expr>, make: fn(Vec<Expr>) -> Expr) -> Expr {
    match list.pop() {
        Some(only) if list.is_empty() => only,
        Some(last) => {
            list.push(last);
            make(list)
        }
        None => make(list),
    }
}
