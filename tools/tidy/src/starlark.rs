//! Just enough of Starlark to read BUILD files.
//!
//! The contract: strings, lists, sums, calls and names are read; anything else is [`Expr::Other`], and who needs its
//! value says so.

use crate::rust::Layers;

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// A string.
    Text(String),
    /// A name, with its dots.
    Name(String),
    /// A list or a tuple.
    List(Vec<Self>),
    /// A dictionary.
    Dict(Vec<(Self, Self)>),
    /// A call.
    Call(Call),
    /// `a + b`.
    Sum(Box<Self>, Box<Self>),
    /// `name = value`, as a statement.
    Assign(String, Box<Self>),
    /// Whatever else Starlark can say.
    Other,
}

impl Expr {
    /// The expressions inside this one.
    pub fn children(&self) -> Box<dyn Iterator<Item = &Self> + '_> {
        match self {
            Self::List(items) => Box::new(items.iter()),
            Self::Dict(entries) => Box::new(entries.iter().flat_map(|(key, value)| [key, value])),
            Self::Call(call) => Box::new(call.arguments.iter().map(|(_, value)| value)),
            Self::Sum(a, b) => Box::new([&**a, &**b].into_iter()),
            Self::Assign(_, value) => Box::new(std::iter::once(&**value)),
            Self::Text(_) | Self::Name(_) | Self::Other => Box::new(std::iter::empty()),
        }
    }
}

/// A call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The function's name, with its dots.
    pub callee: String,
    /// Values in order, with the names of those that have one.
    pub arguments: Vec<(Option<String>, Expr)>,
    /// The line, counted from one.
    pub line: usize,
}

impl Call {
    /// The argument of a name.
    pub fn get(&self, name: &str) -> Option<&Expr> {
        self.arguments.iter().find(|(key, _)| key.as_deref() == Some(name)).map(|(_, value)| value)
    }

    /// The string argument of a name.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Expr::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// For a call of `glob`: whether it matches a file of the package.
    pub fn globs(&self, file: &str) -> bool {
        let any = |expr: Option<&Expr>| match expr {
            Some(Expr::List(patterns)) => {
                patterns.iter().any(|pattern| matches!(pattern, Expr::Text(pattern) if glob(pattern, file)))
            }
            _ => false,
        };
        let first = self.arguments.iter().find(|(name, _)| name.is_none()).map(|(_, value)| value);
        any(first.or_else(|| self.get("include"))) && !any(self.get("exclude"))
    }
}

/// Reads the statements of a BUILD file.
pub fn parse(text: &str) -> Result<Vec<Expr>, String> {
    let tokens = tokens(text);
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut statements = Vec::new();
    while parser.at < tokens.len() {
        statements.push(parser.statement()?);
    }
    Ok(statements)
}

/// All calls of a BUILD file that are statements, or stand in a list comprehension that is one.
pub fn calls(statements: &[Expr]) -> impl Iterator<Item = &Call> {
    statements.iter().filter_map(|statement| match statement {
        Expr::Call(call) => Some(call),
        Expr::List(items) => match items.as_slice() {
            [Expr::Call(call)] => Some(call),
            _ => None,
        },
        _ => None,
    })
}

/// The string that a file starts with.
pub fn docstring(text: &str) -> Option<String> {
    match tokens(text).first() {
        Some(Token { kind: Kind::Text(text), .. }) => Some(text.clone()),
        _ => None,
    }
}

/// Code, strings and comments of a Starlark file, as [`Layers`] has them for Rust.
pub fn layers(text: &str) -> Layers {
    let blank: Vec<u8> = text.bytes().map(|b| if b == b'\n' { b'\n' } else { b' ' }).collect();
    let (mut code, mut strings, mut comments) = (blank.clone(), blank.clone(), blank);
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (start, layer) = (at, bytes[at]);
        if layer == b'#' {
            at += bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - at);
            comments[start..at].copy_from_slice(&bytes[start..at]);
        } else if layer == b'"' || layer == b'\'' {
            let (content, end) = quoted(bytes, at);
            strings[content.clone()].copy_from_slice(&bytes[content]);
            code[start] = b'"';
            code[end - 1] = b'"';
            at = end;
        } else {
            at += 1;
            code[start..at].copy_from_slice(&bytes[start..at]);
        }
    }
    let text = |layer| String::from_utf8_lossy(layer).into_owned();
    Layers { code: text(&code), strings: text(&strings), comments: text(&comments) }
}

/// Whether a glob pattern of Bazel's matches a path.
fn glob(pattern: &str, path: &str) -> bool {
    match pattern.split_once('/') {
        Some(("**", rest)) => {
            glob(rest, path) || path.split_once('/').is_some_and(|(_, deeper)| glob(pattern, deeper))
        }
        Some((first, rest)) => {
            path.split_once('/').is_some_and(|(name, deeper)| star(first, name) && glob(rest, deeper))
        }
        None if pattern == "**" => true,
        None => !path.contains('/') && star(pattern, path),
    }
}

fn star(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((before, after)) => name.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && star(after, &rest[at..]))
        }),
    }
}

#[derive(Debug)]
struct Token {
    kind: Kind,
    line: usize,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Text(String),
    Word(String),
    Sign(char),
}

fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let (mut at, mut line) = (0, 1);
    let mut tokens = Vec::new();
    while at < bytes.len() {
        let start = at;
        let b = bytes[at];
        if b == b'#' {
            at += bytes[at..].iter().position(|&b| b == b'\n').unwrap_or(bytes.len() - at);
        } else if b == b'"' || b == b'\'' {
            let (content, end) = quoted(bytes, at);
            at = end;
            tokens.push(Token { kind: Kind::Text(text[content].replace("\\\"", "\"")), line });
        } else if b.is_ascii_alphanumeric() || b == b'_' {
            at += bytes[at..]
                .iter()
                .position(|&b| !(b.is_ascii_alphanumeric() || b == b'_'))
                .unwrap_or(bytes.len() - at);
            tokens.push(Token { kind: Kind::Word(text[start..at].to_owned()), line });
        } else {
            at += 1;
            if !b.is_ascii_whitespace() && b.is_ascii() {
                tokens.push(Token { kind: Kind::Sign(char::from(b)), line });
            }
        }
        line += bytes[start..at].iter().filter(|&&b| b == b'\n').count();
    }
    tokens
}

/// The content of the string at `at`, and the place after its last quote.
fn quoted(bytes: &[u8], at: usize) -> (std::ops::Range<usize>, usize) {
    let quote = bytes[at];
    let triple = bytes[at..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let start = at + width;
    let mut end = start;
    while end < bytes.len() && !bytes[end..].starts_with(&[quote; 3][..width]) {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    let end = end.min(bytes.len());
    (start..end, (end + width).min(bytes.len()))
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl Parser<'_> {
    fn statement(&mut self) -> Result<Expr, String> {
        let expr = self.expression()?;
        match expr {
            Expr::Name(name) if self.eat('=') => Ok(Expr::Assign(name, Box::new(self.expression()?))),
            expr => Ok(expr),
        }
    }

    fn expression(&mut self) -> Result<Expr, String> {
        let mut expr = self.operand()?;
        loop {
            match self.kind() {
                Some(Kind::Sign('+')) => {
                    self.at += 1;
                    expr = Expr::Sum(Box::new(expr), Box::new(self.operand()?));
                }
                Some(Kind::Sign('%' | '|' | '*' | '/' | '-' | '<' | '>')) => {
                    self.at += 1;
                    self.operand()?;
                    expr = Expr::Other;
                }
                Some(Kind::Word(word))
                    if ["if", "else", "and", "or", "in", "not"].contains(&word.as_str()) =>
                {
                    self.at += 1;
                    self.operand()?;
                    expr = Expr::Other;
                }
                _ => return Ok(expr),
            }
        }
    }

    fn operand(&mut self) -> Result<Expr, String> {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut expr = match self.next()? {
            Kind::Text(text) => Expr::Text(text.clone()),
            Kind::Word(word) if word == "not" || word == "in" => return self.operand(),
            Kind::Word(word) => Expr::Name(word.clone()),
            Kind::Sign('[') => self.items(']')?,
            Kind::Sign('(') => self.items(')')?,
            Kind::Sign('{') => self.entries()?,
            Kind::Sign('-' | '*') => return self.operand(),
            Kind::Sign(sign) => {
                return Err(format!(
                    "line {line}: `{sign}` cannot be read; keep BUILD files to calls of rules"
                ));
            }
        };
        loop {
            expr = match (expr, self.kind()) {
                (Expr::Name(name), Some(Kind::Sign('.'))) => {
                    self.at += 1;
                    match self.next()? {
                        Kind::Word(word) => Expr::Name(format!("{name}.{word}")),
                        _ => Expr::Other,
                    }
                }
                (Expr::Name(callee), Some(Kind::Sign('('))) => {
                    self.at += 1;
                    Expr::Call(Call { callee, arguments: self.arguments()?, line })
                }
                // A method of a value, an index: read over.
                (_, Some(Kind::Sign('.'))) => {
                    self.at += 2;
                    if self.eat('(') {
                        self.arguments()?;
                    }
                    Expr::Other
                }
                // On a line of its own, a bracket starts the next statement.
                (_, Some(Kind::Sign('['))) if self.tokens[self.at].line == self.tokens[self.at - 1].line => {
                    self.at += 1;
                    self.items(']')?;
                    Expr::Other
                }
                (expr, _) => return Ok(expr),
            };
        }
    }

    fn arguments(&mut self) -> Result<Vec<(Option<String>, Expr)>, String> {
        let mut arguments = Vec::new();
        while !self.eat(')') {
            arguments.push(match self.expression()? {
                Expr::Name(name) if self.eat('=') => (Some(name), self.expression()?),
                value => (None, value),
            });
            self.separator(')')?;
        }
        Ok(arguments)
    }

    fn items(&mut self, close: char) -> Result<Expr, String> {
        let mut items = Vec::new();
        while !self.eat(close) {
            items.push(self.expression()?);
            self.separator(close)?;
        }
        Ok(Expr::List(items))
    }

    fn entries(&mut self) -> Result<Expr, String> {
        let mut entries = Vec::new();
        while !self.eat('}') {
            let key = self.expression()?;
            if self.eat(':') {
                entries.push((key, self.expression()?));
            }
            self.separator('}')?;
        }
        Ok(Expr::Dict(entries))
    }

    /// A comma, or the end; of a comprehension, everything after `for`.
    fn separator(&mut self, close: char) -> Result<(), String> {
        if matches!(self.kind(), Some(Kind::Word(word)) if word == "for") {
            let mut depth = 0usize;
            loop {
                match self.kind() {
                    Some(Kind::Sign('(' | '[' | '{')) => depth += 1,
                    Some(Kind::Sign(sign)) if *sign == close && depth == 0 => return Ok(()),
                    Some(Kind::Sign(')' | ']' | '}')) => depth = depth.saturating_sub(1),
                    None => return Err("a bracket is never closed".to_owned()),
                    Some(_) => {}
                }
                self.at += 1;
            }
        }
        if self.eat(',') || self.kind() == Some(&Kind::Sign(close)) {
            return Ok(());
        }
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        Err(format!("line {line}: expected `,` or `{close}`; keep BUILD files to calls of rules"))
    }

    fn kind(&self) -> Option<&Kind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    fn next(&mut self) -> Result<&Kind, String> {
        self.at += 1;
        self.tokens
            .get(self.at - 1)
            .map(|token| &token.kind)
            .ok_or_else(|| "the file ends in an expression".to_owned())
    }

    fn eat(&mut self, sign: char) -> bool {
        let here = self.kind() == Some(&Kind::Sign(sign));
        self.at += usize::from(here);
        here
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_one_asks_for_is_read_over() {
        for text in [
            "x(a = 1 if b else [c for c in d(e)] + f.g(\"h\").i[0], **k)",
            "[y(name = n) for n in (\"a\", \"b\")]",
            "\"\"\"A.\"\"\"\n[x(name = \"{}\".format(n)) for n in N if n not in M]",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error() {
        for text in ["x(a = [", "x(a b)", "x)", "[x for x in y", "x(a ="] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn calls_are_read() {
        let text = "\"\"\"Doc.\"\"\"\nload(\"a\", \"b\")\nD = [\"x\"]\nb(\n    name = \"c\",\n    deps = D + [\"y\"],  # why\n)\n[b(name = n) for n in [1]]\n";
        let statements = parse(text).expect("readable");
        let calls: Vec<_> = calls(&statements).collect();
        assert_eq!(
            calls.iter().map(|call| (call.callee.as_str(), call.line)).collect::<Vec<_>>(),
            [("load", 2), ("b", 4), ("b", 8)]
        );
        assert_eq!(calls[1].text("name"), Some("c"));
        let sum = Expr::Sum(
            Box::new(Expr::Name("D".to_owned())),
            Box::new(Expr::List(vec![Expr::Text("y".to_owned())])),
        );
        assert_eq!(calls[1].get("deps"), Some(&sum));
        assert_eq!(docstring(text).as_deref(), Some("Doc."));
    }

    #[test]
    fn globs_match_as_bazel_matches() {
        for (pattern, path, expected) in [
            ("src/**/*.rs", "src/a.rs", true),
            ("src/**/*.rs", "src/a/b.rs", true),
            ("src/*.rs", "src/a/b.rs", false),
            ("**", "a/b", true),
            ("*.rs", "a.rs", true),
            ("*.rs", "a.rsx", false),
            ("a*b*c", "aXbYc", true),
            ("src/**", "src/a/b", true),
            ("src/**", "test/a", false),
        ] {
            assert_eq!(glob(pattern, path), expected, "{pattern} {path}");
        }
        let Expr::Call(call) = &parse("glob([\"a/*\"], exclude = [\"a/b\"])").expect("readable")[0] else {
            panic!()
        };
        assert!(call.globs("a/c") && !call.globs("a/b") && !call.globs("b/a"));
    }
}
