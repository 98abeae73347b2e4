//! The decoder of header blocks.

use crate::field::{is_field_name, is_field_value};
use crate::statics::{self, STATIC_LEN};
use crate::{ENTRY_OVERHEAD, Line, LineName, Pseudo, TABLE_SIZE, huffman, integer};
use ringwire_http::{Names, Token};
use std::collections::VecDeque;
use std::fmt;

/// Decodes header blocks, and holds the dynamic table that they fill.
///
/// ```
/// # use ringwire_hpack::{Decoder, LineName, Pseudo};
/// # use ringwire_http::Names;
/// let mut decoder = Decoder::new(Names::HTTP);
/// let mut lines = Vec::new();
/// let size = decoder.decode(b"\x82\x44\x02/a", 4096, &mut |line| lines.push(format!("{:?} {:?}", line.name, line.value)));
/// assert_eq!(size, Ok(42 + 39));
/// assert_eq!(lines, ["Pseudo(Method) [71, 69, 84]", "Pseudo(Path) [47, 97]"]);
/// ```
pub struct Decoder {
    names: &'static Names,
    /// The newest entry first.
    entries: VecDeque<Entry>,
    size: usize,
    size_max: usize,
    generation: u64,
    /// Buffers for text that is Huffman-coded.
    name: Vec<u8>,
    value: Vec<u8>,
}

struct Entry {
    name: EntryName,
    value: Box<[u8]>,
    /// Whether HTTP allows the value.
    allowed: bool,
}

enum EntryName {
    Pseudo(Pseudo),
    Known(Token),
    Text(Box<str>),
    /// A name that HTTP/2 does not allow, of this length.
    Malformed(usize),
}

/// The reason why a block cannot be decoded. The connection cannot go on: <https://www.rfc-editor.org/rfc/rfc9113#section-4.3>.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecodeError {
    /// The block ends inside a field.
    Truncated,
    /// An integer is longer or larger than anything here can be.
    Integer,
    /// No entry has this index.
    Index,
    /// The table's size is changed in the middle of a block, or to more than was allowed.
    TableSize,
    /// Text is not Huffman-coded as it should be.
    Huffman,
}

impl Decoder {
    /// A decoder with an empty table of the default size. Names are classified by `names`.
    pub fn new(names: &'static Names) -> Self {
        Self {
            names,
            entries: VecDeque::new(),
            size: 0,
            size_max: TABLE_SIZE,
            generation: 0,
            name: Vec::new(),
            value: Vec::new(),
        }
    }

    /// A number that changes whenever the table does. While it stays, a block that did not change the table means what it
    /// meant before.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Decodes a whole block and returns the size of its list: the text of all fields, and 32 bytes for each.
    ///
    /// Lines are visited until the size exceeds `list_max`; the rest of the block still goes into the table, so that the
    /// connection can go on.
    ///
    /// # Errors
    /// The block is not what RFC 7541 allows. The table is of no further use.
    pub fn decode(
        &mut self,
        mut block: &[u8],
        list_max: usize,
        visit: &mut impl FnMut(Line<'_>),
    ) -> Result<usize, DecodeError> {
        let mut list = List { size: 0, max: list_max, visit };
        while let Some(&first) = block.first().filter(|first| **first & 0xe0 == 0x20) {
            debug_assert_eq!(first >> 5, 1);
            self.resize(integer::take(&mut block, 5)?)?;
        }
        while let Some(&first) = block.first() {
            if first & 0x80 != 0 {
                let index = integer::take(&mut block, 7)?;
                self.indexed(index, &mut list)?;
            } else if first & 0x40 != 0 {
                self.literal(&mut block, 6, Insert::Yes, &mut list)?;
            } else if first & 0x20 != 0 {
                return Err(DecodeError::TableSize);
            } else {
                self.literal(&mut block, 4, Insert::No, &mut list)?;
            }
        }
        Ok(list.size)
    }

    fn indexed(&self, index: usize, list: &mut List<'_, impl FnMut(Line<'_>)>) -> Result<(), DecodeError> {
        if (1..=STATIC_LEN).contains(&index) {
            let (name, value) = statics::entry(index, self.names);
            list.add(statics::len(index), Line { name, value: value.as_bytes() });
        } else {
            let entry = self.entry(index)?;
            list.add(entry.text_len(), Line { name: entry.line_name(), value: &entry.value });
        }
        Ok(())
    }

    fn literal(
        &mut self,
        block: &mut &[u8],
        prefix: u32,
        insert: Insert,
        list: &mut List<'_, impl FnMut(Line<'_>)>,
    ) -> Result<(), DecodeError> {
        let index = integer::take(block, prefix)?;
        let (name, name_len) = match index {
            0 => {
                let text = take_text(block, &mut self.name)?;
                (classify(text, self.names), text.len())
            }
            1..=STATIC_LEN => {
                let (name, value) = statics::entry(index, self.names);
                (name, statics::len(index) - value.len())
            }
            _ => {
                let entry = entry(&self.entries, index)?;
                (entry.name.as_line_name(), entry.name.len())
            }
        };
        let value = take_text(block, &mut self.value)?;
        let allowed = is_field_value(value);
        list.add(
            name_len + value.len(),
            Line { name: if allowed { name } else { LineName::Malformed }, value },
        );
        if let Insert::Yes = insert {
            let entry = Entry { name: EntryName::new(name, name_len), value: value.into(), allowed };
            self.insert(entry);
        }
        Ok(())
    }

    fn entry(&self, index: usize) -> Result<&Entry, DecodeError> {
        entry(&self.entries, index)
    }

    fn insert(&mut self, entry: Entry) {
        self.generation += 1;
        let size = entry.size();
        self.evict(self.size_max.saturating_sub(size));
        // An entry larger than the table empties it and is not kept: RFC 7541, section 4.4.
        if size <= self.size_max {
            self.size += size;
            self.entries.push_front(entry);
        }
    }

    fn resize(&mut self, size_max: usize) -> Result<(), DecodeError> {
        if size_max > TABLE_SIZE {
            return Err(DecodeError::TableSize);
        }
        self.generation += 1;
        self.size_max = size_max;
        self.evict(size_max);
        Ok(())
    }

    fn evict(&mut self, size: usize) {
        while self.size > size {
            let last = self.entries.pop_back().expect("entries make up the size");
            self.size -= last.size();
        }
    }
}

fn entry(entries: &VecDeque<Entry>, index: usize) -> Result<&Entry, DecodeError> {
    let place = index.checked_sub(STATIC_LEN + 1).ok_or(DecodeError::Index)?;
    entries.get(place).ok_or(DecodeError::Index)
}

impl Entry {
    fn text_len(&self) -> usize {
        self.name.len() + self.value.len()
    }

    fn size(&self) -> usize {
        self.text_len() + ENTRY_OVERHEAD
    }

    fn line_name(&self) -> LineName<'_> {
        if self.allowed { self.name.as_line_name() } else { LineName::Malformed }
    }
}

impl EntryName {
    fn new(name: LineName<'_>, len: usize) -> Self {
        match name {
            LineName::Pseudo(pseudo) => Self::Pseudo(pseudo),
            LineName::Known(token) => Self::Known(token),
            LineName::Text(text) => Self::Text(text.into()),
            LineName::Malformed => Self::Malformed(len),
        }
    }

    fn as_line_name(&self) -> LineName<'_> {
        match self {
            Self::Pseudo(pseudo) => LineName::Pseudo(*pseudo),
            Self::Known(token) => LineName::Known(*token),
            Self::Text(text) => LineName::Text(text),
            Self::Malformed(_) => LineName::Malformed,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Pseudo(pseudo) => pseudo.len(),
            Self::Known(token) => token.as_str().len(),
            Self::Text(text) => text.len(),
            Self::Malformed(len) => *len,
        }
    }
}

enum Insert {
    Yes,
    No,
}

/// The list that a block makes.
struct List<'a, V> {
    size: usize,
    max: usize,
    visit: &'a mut V,
}

impl<V: FnMut(Line<'_>)> List<'_, V> {
    fn add(&mut self, text_len: usize, line: Line<'_>) {
        self.size = self.size.saturating_add(text_len + ENTRY_OVERHEAD);
        if self.size <= self.max {
            (self.visit)(line);
        }
    }
}

fn classify<'a>(name: &'a [u8], names: &'static Names) -> LineName<'a> {
    if let Some(token) = names.find(name) {
        return LineName::Known(token);
    }
    if let Some(pseudo) = Pseudo::find(name) {
        return LineName::Pseudo(pseudo);
    }
    match std::str::from_utf8(name) {
        Ok(text) if is_field_name(name) => LineName::Text(text),
        _ => LineName::Malformed,
    }
}

/// Takes a string off the front of `block`: <https://www.rfc-editor.org/rfc/rfc7541#section-5.2>.
fn take_text<'b, 'a: 'b>(block: &mut &'a [u8], buffer: &'b mut Vec<u8>) -> Result<&'b [u8], DecodeError> {
    let coded = block.first().ok_or(DecodeError::Truncated)? & 0x80 != 0;
    let len = integer::take(block, 7)?;
    let (text, rest) = block.split_at_checked(len).ok_or(DecodeError::Truncated)?;
    *block = rest;
    if !coded {
        return Ok(text);
    }
    buffer.clear();
    huffman::decode(text, buffer)?;
    Ok(buffer)
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "the header block ends inside a field",
            Self::Integer => "an integer of the header block is too large",
            Self::Index => "the header block names an entry that is not there",
            Self::TableSize => "the header block changes the size of the table where or as it must not",
            Self::Huffman => "text of the header block is not Huffman-coded as it should be",
        })
    }
}

impl std::error::Error for DecodeError {}

/// The size only: fields may be secrets.
impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("entries", &self.entries.len())
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
