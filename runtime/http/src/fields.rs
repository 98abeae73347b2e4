//! Header or trailer fields as one block of text.

use crate::{Headers, HeadersMut, Names, TOKENS_MAX, Token};
use std::fmt;

/// Header or trailer fields, in order. All text lies in two buffers, and fields with a [`Token`] are found by index.
#[derive(Clone)]
pub struct Fields {
    names: &'static Names,
    /// Absent until there is a field. What moves fields about moves a pointer.
    list: Option<Box<List>>,
}

#[derive(Clone)]
struct List {
    entries: Vec<Entry>,
    /// The names that have no token.
    name_text: String,
    values: Vec<u8>,
    /// For each token, one more than the place of its first field; 0 if there is none, `FAR` if the place is too high.
    first: [u8; TOKENS_MAX],
    /// A bit for each token that has more than one field.
    repeated: u64,
}

#[derive(Clone, Copy)]
struct Entry {
    name: Name,
    value_start: u32,
    value_end: u32,
}

#[derive(Clone, Copy)]
enum Name {
    Known(Token),
    Text { start: u32, end: u32 },
}

impl Fields {
    /// No fields. Names are classified by `names`.
    pub const fn new(names: &'static Names) -> Self {
        Self { names, list: None }
    }

    /// A copy of these fields, with names classified by `names`.
    pub fn copied(names: &'static Names, from: &(impl Headers + ?Sized)) -> Self {
        let mut fields = Self::new(names);
        from.for_each(&mut |name, value| fields.append(name, value));
        fields
    }

    /// Makes room for `fields` fields with values of `value_bytes` bytes in all.
    pub fn reserve(&mut self, fields: usize, value_bytes: usize) {
        let list = self.list_mut();
        list.entries.reserve(fields);
        list.values.reserve(value_bytes);
    }

    /// The names that are classified.
    pub fn names(&self) -> &'static Names {
        self.names
    }

    /// The number of fields; a repeated field counts once per value.
    pub fn len(&self) -> usize {
        self.entries().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// The fields, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Field<'_>> {
        self.entries().iter().map(|entry| {
            let list = self.list.as_deref().expect("a list with an entry");
            Field { token: entry.token(), name: list.name(entry), value: list.value(entry) }
        })
    }

    /// Removes all fields, and keeps the buffers.
    pub fn clear(&mut self) {
        if let Some(list) = &mut self.list {
            list.entries.clear();
            list.name_text.clear();
            list.values.clear();
            list.first = [0; TOKENS_MAX];
            list.repeated = 0;
        }
    }

    /// Whether there is more than one field of this token.
    pub fn is_repeated(&self, token: Token) -> bool {
        self.list.as_ref().is_some_and(|list| list.repeated >> token.index() & 1 == 1)
    }

    /// Whether there is more than one field of any token.
    #[inline]
    pub fn has_repeated(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.repeated != 0)
    }

    /// The values of all fields of this token, in order.
    pub fn all(&self, token: Token) -> impl Iterator<Item = &[u8]> {
        self.iter().filter(move |field| field.token == Some(token)).map(|field| field.value)
    }

    fn entries(&self) -> &[Entry] {
        self.list.as_ref().map_or(&[], |list| &list.entries)
    }

    fn list_mut(&mut self) -> &mut List {
        self.list.get_or_insert_with(Box::default)
    }
}

impl List {
    fn name<'a>(&'a self, entry: &'a Entry) -> &'a str {
        match entry.name {
            Name::Known(token) => token.as_str(),
            Name::Text { start, end } => &self.name_text[start as usize..end as usize],
        }
    }

    fn value(&self, entry: &Entry) -> &[u8] {
        &self.values[entry.value_start as usize..entry.value_end as usize]
    }

    fn push(&mut self, name: Name, value: &[u8]) {
        let value_start = text_offset(self.values.len());
        self.values.extend_from_slice(value);
        if let Name::Known(token) = name {
            let first = &mut self.first[token.index()];
            if *first == 0 {
                *first = u8::try_from(self.entries.len() + 1).unwrap_or(FAR);
            } else {
                self.repeated |= 1 << token.index();
            }
        }
        self.entries.push(Entry { name, value_start, value_end: text_offset(self.values.len()) });
    }
}

impl Default for List {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            name_text: String::new(),
            values: Vec::new(),
            first: [0; TOKENS_MAX],
            repeated: 0,
        }
    }
}

/// A field: a name and a value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field<'a> {
    /// The token of the name, if it has one.
    pub token: Option<Token>,
    /// The name, in lower case.
    pub name: &'a str,
    /// The value.
    pub value: &'a [u8],
}

impl Entry {
    fn token(&self) -> Option<Token> {
        match self.name {
            Name::Known(token) => Some(token),
            Name::Text { .. } => None,
        }
    }
}

impl Headers for Fields {
    fn get(&self, name: &str) -> Option<&[u8]> {
        if let Some(token) = self.names.find(name.as_bytes()) {
            return self.known(token);
        }
        let list = self.list.as_deref()?;
        list.entries.iter().find(|entry| list.name(entry) == name).map(|entry| list.value(entry))
    }

    #[inline]
    fn known(&self, token: Token) -> Option<&[u8]> {
        let list = self.list.as_deref()?;
        let entry = match list.first[token.index()] {
            0 => return None,
            FAR => list.entries.iter().find(|entry| entry.token() == Some(token))?,
            place => &list.entries[place as usize - 1],
        };
        Some(list.value(entry))
    }

    fn for_each(&self, visit: &mut dyn FnMut(&str, &[u8])) {
        for field in self.iter() {
            visit(field.name, field.value);
        }
    }
}

impl HeadersMut for Fields {
    fn append(&mut self, name: &str, value: &[u8]) {
        if let Some(token) = self.names.find(name.as_bytes()) {
            return self.append_known(token, value);
        }
        let list = self.list_mut();
        let start = text_offset(list.name_text.len());
        list.name_text.push_str(name);
        let end = text_offset(list.name_text.len());
        list.push(Name::Text { start, end }, value);
    }

    fn append_known(&mut self, token: Token, value: &[u8]) {
        self.list_mut().push(Name::Known(token), value);
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|(a, b)| (a.name, a.value) == (b.name, b.value))
    }
}

impl Eq for Fields {}

/// The names only: values may be secrets.
impl fmt::Debug for Fields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|field| field.name)).finish()
    }
}

fn text_offset(len: usize) -> u32 {
    u32::try_from(len).expect("a connection bounds its header lists far below 4 GiB")
}

// Each token has a bit.
const _: () = assert!(TOKENS_MAX <= u64::BITS as usize);

/// The mark of a first field beyond the places that a byte can name.
const FAR: u8 = u8::MAX;

#[cfg(test)]
mod tests {
    use super::*;

    const TEAM: Token = Token::extra(0, "x-team");
    static NAMES: Names = Names::new(&[TEAM]);

    fn fields(list: &[(&str, &str)]) -> Fields {
        let mut fields = Fields::new(&NAMES);
        for (name, value) in list {
            fields.append(name, value.as_bytes());
        }
        fields
    }

    #[test]
    fn fields_keep_their_order_and_the_first_of_a_name_is_found() {
        let list = [("te", "1"), ("x-a", "2"), ("x-team", "3"), ("te", "4"), ("x-a", ""), ("x-b", "6")];
        let fields = fields(&list);
        let read: Vec<_> =
            fields.iter().map(|field| (field.name, std::str::from_utf8(field.value).unwrap())).collect();
        assert_eq!(read, list);
        assert_eq!(fields.len(), 6);
        for (name, want) in [
            ("te", Some("1")),
            ("x-a", Some("2")),
            ("x-team", Some("3")),
            ("x-b", Some("6")),
            ("host", None),
            ("x-c", None),
        ] {
            assert_eq!(Headers::get(&fields, name), want.map(str::as_bytes), "{name}");
        }
        assert_eq!(fields.known(TEAM), Some(&b"3"[..]));
        assert_eq!(fields.known(Token::HOST), None);
        let tokens: Vec<_> = fields.iter().map(|field| field.token).collect();
        assert_eq!(tokens, [Some(Token::TE), None, Some(TEAM), Some(Token::TE), None, None]);
        assert_eq!(fields.all(Token::TE).collect::<Vec<_>>(), [b"1", b"4"]);
        assert_eq!(
            [Token::TE, TEAM, Token::HOST].map(|token| fields.is_repeated(token)),
            [true, false, false]
        );
        assert!(fields.has_repeated());
    }

    #[test]
    fn a_first_field_is_found_at_below_and_above_the_last_place_of_a_byte() {
        for before in [253, 254, 255, 256, 1000] {
            let mut fields = Fields::new(&NAMES);
            (0..before).for_each(|_| fields.append("x-a", b"1"));
            fields.append_known(TEAM, b"2");
            fields.append_known(TEAM, b"3");
            assert_eq!(fields.known(TEAM), Some(&b"2"[..]), "{before}");
        }
    }

    #[test]
    fn what_is_cleared_is_gone() {
        let mut fields = fields(&[("te", "1"), ("x-a", "2"), ("te", "3")]);
        fields.clear();
        assert!(fields.is_empty());
        assert_eq!((fields.known(Token::TE), Headers::get(&fields, "x-a")), (None, None));
        fields.append("te", b"3");
        assert!(!fields.is_repeated(Token::TE) && !fields.has_repeated());
        fields.clear();
        fields.append("x-b", b"3");
        assert_eq!(fields.iter().next().map(|field| (field.name, field.value)), Some(("x-b", &b"3"[..])));
    }

    #[test]
    fn equal_fields_are_equal_whoever_classified_them() {
        let other = Fields::copied(Names::HTTP, &[("x-team", "1")]);
        assert_eq!(fields(&[("x-team", "1")]), other);
        assert_ne!(fields(&[("x-team", "2")]), other);
        assert_ne!(fields(&[]), other);
    }

    #[test]
    fn values_stay_out_of_logs() {
        assert_eq!(format!("{:?}", fields(&[("authorization", "secret")])), r#"["authorization"]"#);
    }
}
