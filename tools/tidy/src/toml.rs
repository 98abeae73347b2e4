//! Just enough of TOML to read Cargo manifests.
//!
//! The contract: tables, arrays of tables, strings on one line, numbers, booleans, arrays and inline tables; anything
//! else is an error that names its line.

use std::collections::BTreeMap;

/// A table.
pub type Table = BTreeMap<String, Value>;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A string.
    Text(String),
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// An array.
    Array(Vec<Self>),
    /// A table, inline or not.
    Table(Table),
}

impl Value {
    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, if it is one.
    pub fn table(&self) -> Option<&Table> {
        match self {
            Self::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The strings of an array, if it is one.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            Self::Array(items) => items.iter().filter_map(Self::text).collect(),
            _ => Vec::new(),
        }
    }
}

/// The value at a path of keys.
pub fn at<'a>(table: &'a Table, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    let value = table.get(*first)?;
    if rest.is_empty() { Some(value) } else { at(value.table()?, rest) }
}

/// Reads a document.
pub fn parse(text: &str) -> Result<Table, String> {
    let mut reader = Reader { text, at: 0 };
    let mut root = Table::new();
    let mut here: Vec<String> = Vec::new();
    loop {
        reader.skip(true);
        if reader.at == text.len() {
            return Ok(root);
        }
        if reader.eat("[[") {
            here = reader.key()?;
            reader.expect("]]")?;
            let last = here.pop().unwrap_or_default();
            let table = reader.descend(&mut root, &here)?;
            let list = table.entry(last.clone()).or_insert_with(|| Value::Array(Vec::new()));
            let Value::Array(items) = list else { return Err(reader.error("is not an array of tables")) };
            items.push(Value::Table(Table::new()));
            here.push(last);
        } else if reader.eat("[") {
            here = reader.key()?;
            reader.expect("]")?;
            reader.descend(&mut root, &here)?;
        } else {
            let (key, value) = reader.entry()?;
            let table = reader.descend(&mut root, &here)?;
            reader.insert(table, &key, value)?;
        }
        reader.skip(false);
        if reader.at < text.len() {
            reader.expect("\n")?;
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn entry(&mut self) -> Result<(Vec<String>, Value), String> {
        let key = self.key()?;
        self.skip(false);
        self.expect("=")?;
        self.skip(false);
        Ok((key, self.value()?))
    }

    fn key(&mut self) -> Result<Vec<String>, String> {
        let mut parts = Vec::new();
        loop {
            self.skip(false);
            let rest = &self.text[self.at..];
            if rest.starts_with(['"', '\'']) {
                parts.push(self.string()?);
            } else {
                let length =
                    rest.find(|c: char| !(c.is_alphanumeric() || "-_".contains(c))).unwrap_or(rest.len());
                if length == 0 {
                    return Err(self.error("needs a key"));
                }
                parts.push(rest[..length].to_owned());
                self.at += length;
            }
            self.skip(false);
            if !self.eat(".") {
                return Ok(parts);
            }
        }
    }

    fn value(&mut self) -> Result<Value, String> {
        let rest = &self.text[self.at..];
        if rest.starts_with(['"', '\'']) {
            return Ok(Value::Text(self.string()?));
        }
        if self.eat("[") {
            let mut items = Vec::new();
            loop {
                self.skip(true);
                if self.eat("]") {
                    return Ok(Value::Array(items));
                }
                items.push(self.value()?);
                self.skip(true);
                if !self.eat(",") && !self.text[self.at..].starts_with(']') {
                    return Err(self.error("needs `,` or `]`"));
                }
            }
        }
        if self.eat("{") {
            let mut table = Table::new();
            loop {
                self.skip(true);
                if self.eat("}") {
                    return Ok(Value::Table(table));
                }
                let (key, value) = self.entry()?;
                self.insert(&mut table, &key, value)?;
                self.skip(true);
                if !self.eat(",") && !self.text[self.at..].starts_with('}') {
                    return Err(self.error("needs `,` or `}`"));
                }
            }
        }
        let length = rest.find(|c: char| !(c.is_alphanumeric() || "+-_.".contains(c))).unwrap_or(rest.len());
        let word = &rest[..length];
        let value = match word {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => Value::Number(
                word.parse().map_err(|_| self.error("has a value of a kind that tidy does not read"))?,
            ),
        };
        self.at += length;
        Ok(value)
    }

    fn string(&mut self) -> Result<String, String> {
        let rest = &self.text[self.at..];
        let quote = if rest.starts_with('"') { '"' } else { '\'' };
        if rest.starts_with("\"\"\"") || rest.starts_with("'''") {
            return Err(self.error("has a string of several lines, which tidy does not read"));
        }
        let mut text = String::new();
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                '\n' => break,
                '\\' if quote == '"' && !escaped => escaped = true,
                c if c == quote && !escaped => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => {
                    text.push(if escaped && c == 'n' { '\n' } else { c });
                    escaped = false;
                }
            }
        }
        Err(self.error("has a string without its end"))
    }

    fn descend<'t>(&self, table: &'t mut Table, path: &[String]) -> Result<&'t mut Table, String> {
        let mut here = table;
        for key in path {
            let value = here.entry(key.clone()).or_insert_with(|| Value::Table(Table::new()));
            here = match value {
                Value::Table(table) => table,
                Value::Array(items) => match items.last_mut() {
                    Some(Value::Table(table)) => table,
                    _ => return Err(self.error("is not a table")),
                },
                _ => return Err(self.error("is not a table")),
            };
        }
        Ok(here)
    }

    fn insert(&self, table: &mut Table, key: &[String], value: Value) -> Result<(), String> {
        let (last, path) = key.split_last().expect("a key has a part");
        self.descend(table, path)?.insert(last.clone(), value);
        Ok(())
    }

    /// Skips blanks and comments, and line ends where they mean nothing.
    fn skip(&mut self, lines: bool) {
        loop {
            let rest = &self.text[self.at..];
            let blank = rest.trim_start_matches(|c: char| c.is_whitespace() && (lines || c != '\n'));
            self.at += rest.len() - blank.len();
            if !blank.starts_with('#') {
                return;
            }
            self.at += blank.find('\n').unwrap_or(blank.len());
        }
    }

    fn eat(&mut self, sign: &str) -> bool {
        let here = self.text[self.at..].starts_with(sign);
        self.at += if here { sign.len() } else { 0 };
        here
    }

    fn expect(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(self.error(&format!("needs {sign:?}"))) }
    }

    fn error(&self, what: &str) -> String {
        format!("line {} {what}", self.text[..self.at].matches('\n').count() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, path: &[&str], expected: &str) {
        let table = parse(text).expect(text);
        assert_eq!(format!("{:?}", at(&table, path).expect(text)), expected);
    }

    #[test]
    fn manifests_are_read() {
        check("# c\n[a.b]\nc = \"d#\" # e\n", &["a", "b", "c"], "Text(\"d#\")");
        check("a.b.c = true", &["a", "b", "c"], "Bool(true)");
        check("a = [\n  \"b\", # c\n  'd\\e',\n]", &["a"], "Array([Text(\"b\"), Text(\"d\\\\e\")])");
        check("[t]\na = { b = 1, c.d = \"x\\\"y\" }\n", &["t", "a", "c", "d"], "Text(\"x\\\"y\")");
        check(
            "[target.'cfg(target_os = \"linux\")'.dependencies]\na = \"1\"",
            &["target", "cfg(target_os = \"linux\")", "dependencies", "a"],
            "Text(\"1\")",
        );
        check(
            "[[bin]]\nname = \"a\"\n[[bin]]\nname = \"b\"\n[c]\n",
            &["bin"],
            "Array([Table({\"name\": Text(\"a\")}), Table({\"name\": Text(\"b\")})])",
        );
        check("a = { level = \"deny\", priority = -1 }", &["a", "priority"], "Number(-1)");
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_line() {
        for text in [
            "\na = 1.5",
            "\na = \"b",
            "\na = \"\"\"b\"\"\"",
            "\n= 1",
            "\na = 1 b = 2",
            "\na = [1 2]",
            "\na = {b = 1",
            "\n[a",
        ] {
            let error = parse(text).expect_err(text);
            assert!(error.starts_with("line 2 "), "{text}: {error}");
        }
    }
}
