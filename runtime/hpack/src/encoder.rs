//! The encoder of header blocks.

use crate::statics::{self, STATIC_LEN};
use crate::{ENTRY_OVERHEAD, TABLE_SIZE, huffman, integer};
use ringwire_http::{HeadersMut, Method, Names, Scheme, TOKENS_MAX, Token};
use std::collections::VecDeque;
use std::fmt;

/// Encodes header blocks.
///
/// A field that comes for the second time enters the dynamic table, and from then on is one byte. A field that comes once,
/// such as a length or an error's text, does not push the others out. Secrets enter no table, here or further on.
///
/// ```
/// # use ringwire_hpack::Encoder;
/// # use ringwire_http::{HeadersMut, Names, Token};
/// let mut encoder = Encoder::new(Names::HTTP);
/// let mut lens = Vec::new();
/// for _ in 0..3 {
///     let mut out = Vec::new();
///     encoder.block(&mut out).append_known(Token::CONTENT_TYPE, b"application/grpc");
///     lens.push(out.len());
/// }
/// assert_eq!(lens, [14, 13, 1]);
/// ```
pub struct Encoder {
    names: &'static Names,
    /// The newest entry last.
    entries: VecDeque<Entry>,
    size: usize,
    size_max: usize,
    /// The smallest and the last size that the peer has to be told.
    resized: Option<usize>,
    /// The number of entries ever inserted.
    inserted: u64,
    /// For each token the number of its newest entry, counted from 1; 0 if there never was one.
    newest: [u64; TOKENS_MAX],
    /// Hashes of fields that came once lately.
    seen: [u32; SEEN],
    seen_next: usize,
}

struct Entry {
    name: EntryName,
    value: Box<[u8]>,
    hash: u32,
    /// The address of a text that lives as long as the program and equals the value; 0 if none is known.
    address: usize,
}

enum EntryName {
    Known(Token),
    Text(Box<str>),
}

#[derive(Clone, Copy)]
enum Name<'a> {
    Known(Token),
    Text(&'a str),
}

/// A header block that is being written; a sink of fields. Pseudo-header fields come first.
#[derive(Debug)]
pub struct Block<'a> {
    encoder: &'a mut Encoder,
    out: &'a mut Vec<u8>,
}

impl Encoder {
    /// An encoder with an empty table of the default size. Names are classified by `names`.
    pub fn new(names: &'static Names) -> Self {
        Self {
            names,
            entries: VecDeque::new(),
            size: 0,
            size_max: TABLE_SIZE,
            resized: None,
            inserted: 0,
            newest: [0; TOKENS_MAX],
            seen: [0; SEEN],
            seen_next: 0,
        }
    }

    /// Bounds the table to what the peer allows; more than the default is not used.
    pub fn set_table_size(&mut self, peer_max: u32) {
        let size_max = usize::try_from(peer_max).unwrap_or(TABLE_SIZE).min(TABLE_SIZE);
        if size_max != self.size_max {
            // The smallest size in between has to be told as well: RFC 7541, section 4.2.
            self.resized = Some(self.resized.unwrap_or(self.size_max).min(size_max));
            self.size_max = size_max;
            self.evict(size_max);
        }
    }

    /// Begins a block, which is appended to `out`. Blocks must reach the peer in the order in which they are written, each
    /// behind what [`put_table_size`](Self::put_table_size) appends.
    pub fn block<'a>(&'a mut self, out: &'a mut Vec<u8>) -> Block<'a> {
        Block { encoder: self, out }
    }

    /// Whether [`put_table_size`](Self::put_table_size) has anything to append.
    pub fn has_table_size(&self) -> bool {
        self.resized.is_some()
    }

    /// Appends what the peer has to know of the table's size before it reads the next block; nothing, as a rule.
    pub fn put_table_size(&mut self, out: &mut Vec<u8>) {
        if let Some(smallest) = self.resized.take() {
            if smallest < self.size_max {
                integer::put(out, 0x20, 5, smallest);
            }
            integer::put(out, 0x20, 5, self.size_max);
        }
    }

    /// Appends a field whose value never changes: most often it is known by its address.
    #[inline]
    fn append_static(&mut self, token: Token, value: &'static str, out: &mut Vec<u8>) {
        if let Some((place, entry)) = self.newest(token)
            && entry.address == value.as_ptr() as usize
            && entry.value.len() == value.len()
            && place < PLACE_SHORT
            && out.len() < out.capacity()
        {
            return out.push(0x80 | place as u8);
        }
        self.append_new_static(token, value, out);
    }

    #[inline(never)]
    fn append_new_static(&mut self, token: Token, value: &'static str, out: &mut Vec<u8>) {
        self.append_known(token, value.as_bytes(), out);
        let newest = self.newest(token).map(|(place, _)| self.entries.len() + STATIC_LEN - place);
        if let Some(entry) = newest.and_then(|place| self.entries.get_mut(place))
            && *entry.value == *value.as_bytes()
        {
            entry.address = value.as_ptr() as usize;
        }
    }

    #[inline]
    fn append_known(&mut self, token: Token, value: &[u8], out: &mut Vec<u8>) {
        if let Some((place, entry)) = self.newest(token)
            && *entry.value == *value
        {
            return integer::put(out, 0x80, 7, place);
        }
        self.append(Name::Known(token), value, out);
    }

    #[inline(never)]
    fn append(&mut self, name: Name<'_>, value: &[u8], out: &mut Vec<u8>) {
        debug_assert!(
            !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)),
            "a sink is given allowed values"
        );
        if is_secret(name, value) {
            let index = self.name_index(name);
            integer::put(out, 0x10, 4, index);
            return put_rest(name, index, value, out);
        }
        let hash = hash(name, value);
        if let Some(place) = self.find(name, value, hash) {
            return integer::put(out, 0x80, 7, place);
        }
        let index = self.name_index(name);
        let size = name.as_str().len() + value.len() + ENTRY_OVERHEAD;
        // An entry that would push out half of the others is not worth it.
        if size <= self.size_max / 2 && self.is_seen(hash) {
            integer::put(out, 0x40, 6, index);
            self.insert(Entry { name: name.into(), value: value.into(), hash, address: 0 }, size);
        } else {
            integer::put(out, 0, 4, index);
        }
        put_rest(name, index, value, out);
    }

    /// The index and the newest entry of a token.
    fn newest(&self, token: Token) -> Option<(usize, &Entry)> {
        let number = self.newest[token.index()];
        let age = (self.inserted - number) as usize;
        if number == 0 || age >= self.entries.len() {
            return None;
        }
        Some((STATIC_LEN + 1 + age, &self.entries[self.entries.len() - 1 - age]))
    }

    fn find(&self, name: Name<'_>, value: &[u8], hash: u32) -> Option<usize> {
        let mut entries = self.entries.iter().rev();
        let age =
            entries.position(|entry| entry.hash == hash && *entry.value == *value && entry.name == name)?;
        Some(STATIC_LEN + 1 + age)
    }

    /// The index of an entry of this name; 0 if there is none.
    fn name_index(&self, name: Name<'_>) -> usize {
        match name {
            Name::Known(token) => {
                statics::find_token(token).or_else(|| Some(self.newest(token)?.0)).unwrap_or_default()
            }
            Name::Text(text) => statics::find_name(text)
                .or_else(|| {
                    let age = self.entries.iter().rev().position(|entry| entry.name == name)?;
                    Some(STATIC_LEN + 1 + age)
                })
                .unwrap_or_default(),
        }
    }

    /// Whether this field came before; it has come now.
    fn is_seen(&mut self, hash: u32) -> bool {
        if self.seen.contains(&hash) {
            return true;
        }
        self.seen[self.seen_next] = hash;
        self.seen_next = (self.seen_next + 1) % SEEN;
        false
    }

    fn insert(&mut self, entry: Entry, size: usize) {
        self.evict(self.size_max - size);
        self.size += size;
        self.inserted += 1;
        if let EntryName::Known(token) = entry.name {
            self.newest[token.index()] = self.inserted;
        }
        self.entries.push_back(entry);
    }

    fn evict(&mut self, size: usize) {
        while self.size > size {
            let first = self.entries.pop_front().expect("entries make up the size");
            self.size -= Name::from(&first.name).as_str().len() + first.value.len() + ENTRY_OVERHEAD;
        }
    }
}

impl Block<'_> {
    /// Appends `:method`.
    pub fn method(&mut self, method: &Method) {
        match method {
            Method::Get => self.out.push(0x82),
            Method::Post => self.out.push(0x83),
            other => self.encoder.append(Name::Text(":method"), other.as_str().as_bytes(), self.out),
        }
    }

    /// Appends `:scheme`.
    pub fn scheme(&mut self, scheme: Scheme) {
        self.out.push(match scheme {
            Scheme::Http => 0x86,
            Scheme::Https => 0x87,
        });
    }

    /// Appends `:authority`.
    pub fn authority(&mut self, authority: &str) {
        self.encoder.append(Name::Text(":authority"), authority.as_bytes(), self.out);
    }

    /// Appends `:path`.
    pub fn path(&mut self, path: &str) {
        match path {
            "/" => self.out.push(0x84),
            other => self.encoder.append(Name::Text(":path"), other.as_bytes(), self.out),
        }
    }
}

impl HeadersMut for Block<'_> {
    fn append(&mut self, name: &str, value: &[u8]) {
        match self.encoder.names.find(name.as_bytes()) {
            Some(token) => self.encoder.append_known(token, value, self.out),
            None => self.encoder.append(Name::Text(name), value, self.out),
        }
    }

    fn append_known(&mut self, token: Token, value: &[u8]) {
        self.encoder.append_known(token, value, self.out);
    }

    fn append_static(&mut self, token: Token, value: &'static str) {
        self.encoder.append_static(token, value, self.out);
    }
}

/// The line of `:status`: the last bytes of the array, as many as the number says. It uses no table, so that it can be put
/// before fields that are encoded already.
///
/// ```
/// let (line, len) = ringwire_hpack::status(200);
/// assert_eq!(line[line.len() - len..], [0x88]);
/// ```
#[inline]
pub fn status(status: u16) -> ([u8; 5], usize) {
    let index = match status {
        200 => 8,
        204 => 9,
        206 => 10,
        304 => 11,
        400 => 12,
        404 => 13,
        500 => 14,
        _ => {
            debug_assert!((100..1000).contains(&status));
            let digit = |unit: u16| b'0' + (status / unit % 10) as u8;
            return ([0x08, 3, digit(100), digit(10), digit(1)], 5);
        }
    };
    ([0, 0, 0, 0, 0x80 | index], 1)
}

impl<'a> Name<'a> {
    fn as_str(self) -> &'a str {
        match self {
            Self::Known(token) => token.as_str(),
            Self::Text(text) => text,
        }
    }
}

impl<'a> From<&'a EntryName> for Name<'a> {
    fn from(name: &'a EntryName) -> Self {
        match name {
            EntryName::Known(token) => Self::Known(*token),
            EntryName::Text(text) => Self::Text(text),
        }
    }
}

impl From<Name<'_>> for EntryName {
    fn from(name: Name<'_>) -> Self {
        match name {
            Name::Known(token) => Self::Known(token),
            Name::Text(text) => Self::Text(text.into()),
        }
    }
}

impl PartialEq<Name<'_>> for EntryName {
    fn eq(&self, other: &Name<'_>) -> bool {
        match (self, other) {
            (Self::Known(a), Name::Known(b)) => a.index() == b.index(),
            (Self::Text(a), Name::Text(b)) => **a == **b,
            (Self::Known(_), Name::Text(_)) | (Self::Text(_), Name::Known(_)) => false,
        }
    }
}

/// Whether a table, here or in a proxy further on, could give this value away: RFC 7541, section 7.1.3. A long cookie cannot
/// be guessed, and is worth indexing.
fn is_secret(name: Name<'_>, value: &[u8]) -> bool {
    match name {
        Name::Known(token) if token == Token::AUTHORIZATION => true,
        Name::Known(token) if token == Token::COOKIE => value.len() < COOKIE_SHORT,
        Name::Known(_) => matches!(name.as_str(), "proxy-authorization" | "set-cookie"),
        Name::Text(text) => matches!(text, "proxy-authorization" | "set-cookie"),
    }
}

fn put_rest(name: Name<'_>, index: usize, value: &[u8], out: &mut Vec<u8>) {
    if index == 0 {
        put_text(name.as_str().as_bytes(), out);
    }
    put_text(value, out);
}

fn put_text(text: &[u8], out: &mut Vec<u8>) {
    let coded = huffman::encoded_len(text);
    if coded < text.len() {
        integer::put(out, 0x80, 7, coded);
        huffman::encode(text, out);
    } else {
        integer::put(out, 0, 7, text.len());
        out.extend_from_slice(text);
    }
}

/// FNV-1a; 0 stands for no hash. A collision costs a comparison.
fn hash(name: Name<'_>, value: &[u8]) -> u32 {
    let bytes = name.as_str().bytes().chain([0]).chain(value.iter().copied());
    bytes.fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)).max(1)
}

/// The sizes only: fields may be secrets.
impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("entries", &self.entries.len())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

/// Lower places take one byte.
const PLACE_SHORT: usize = 0x7f;
/// Fields that come once lately: more than a response has.
const SEEN: usize = 32;
/// Shorter cookies can be guessed: the bound of nghttp2.
const COOKIE_SHORT: usize = 20;

#[cfg(test)]
mod tests;
