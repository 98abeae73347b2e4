//! A deserializer around a deserializer that stops where a limit is crossed.
//!
//! Depth is counted like proto decoding counts it: a message is a level, a repeated field is not. So an object is a
//! level, and an array is one only inside another array, as in `google.protobuf.ListValue`. Elements are counted by
//! their size in memory, which serde's seeds name as a type.

use super::budget::Budget;
use super::named::Named;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use std::fmt;

/// `D`, bounded by a budget.
pub(super) struct Bounded<'b, D> {
    inner: D,
    budget: &'b Budget,
    at: Place,
    /// The name of the field whose value this is, where someone may want to know.
    field: Option<&'b str>,
}

/// Where in its surroundings a value stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Field,
    Element,
}

/// What an object is read into.
#[derive(Clone, Copy, PartialEq)]
enum Object {
    /// A message: its fields are part of what has been paid for.
    Message,
    /// A map, or a message that buffa reads like one: each entry is an element.
    Map,
}

impl<'b, D> Bounded<'b, D> {
    pub(super) fn new(inner: D, budget: &'b Budget) -> Self {
        Self { inner, budget, at: Place::Field, field: None }
    }

    fn watch<V>(&self, visitor: V, object: Object) -> Watch<'b, V> {
        Watch { visitor, budget: self.budget, at: self.at, field: self.field, object }
    }
}

/// Hands on the methods whose values are neither objects nor arrays.
macro_rules! scalars {
    ($($method:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

/// Watches over the values of the methods whose values may be objects or arrays.
macro_rules! watched {
    ($($method:ident($($name:ident: $type:ty),*) $object:ident)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, $($name: $type,)* visitor: V) -> Result<V::Value, D::Error> {
            let visitor = self.watch(visitor, Object::$object);
            self.inner.$method($($name,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    scalars! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_unit deserialize_identifier
    }

    watched! {
        deserialize_any() Map
        deserialize_bytes() Map
        deserialize_byte_buf() Map
        deserialize_option() Map
        deserialize_unit_struct(name: &'static str) Map
        deserialize_newtype_struct(name: &'static str) Map
        deserialize_seq() Map
        deserialize_tuple(len: usize) Map
        deserialize_tuple_struct(name: &'static str, len: usize) Map
        deserialize_map() Map
        deserialize_struct(name: &'static str, fields: &'static [&'static str]) Message
        deserialize_enum(name: &'static str, variants: &'static [&'static str]) Map
    }

    /// What nobody wants: skipped without recursion or memory, or refused.
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        if self.budget.rejects_unknown_fields() {
            let name = self.field.unwrap_or_default();
            return Err(D::Error::custom(format_args!("unknown field `{name}`")));
        }
        self.inner.deserialize_ignored_any(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A visitor that hands on values bounded. What serde calls an enum has no form in protobuf's JSON, so it is refused.
struct Watch<'b, V> {
    visitor: V,
    budget: &'b Budget,
    at: Place,
    field: Option<&'b str>,
    object: Object,
}

macro_rules! visited {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watch<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visited! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_f32(f32) visit_f64(f64) visit_char(char)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, budget, at, field, .. } = self;
        visitor.visit_some(Bounded { inner, budget, at, field })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let Self { visitor, budget, at, field, .. } = self;
        visitor.visit_newtype_struct(Bounded { inner, budget, at, field })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { visitor, budget, at, object, .. } = self;
        if object == Object::Message {
            // What serde derives for a struct would take its fields in their order, too.
            return Err(A::Error::invalid_type(Unexpected::Seq, &visitor));
        }
        match at {
            Place::Field => visitor.visit_seq(Elements { inner, budget }),
            Place::Element => {
                budget.nested(size_of::<V::Value>(), || visitor.visit_seq(Elements { inner, budget }))
            }
        }
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let Self { visitor, budget, object, .. } = self;
        let entries = Entries { inner, budget, object, key: 0, name: None };
        budget.nested(size_of::<V::Value>(), || visitor.visit_map(entries))
    }
}

/// The elements of an array, each of which is paid for.
struct Elements<'b, A> {
    inner: A,
    budget: &'b Budget,
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        // Proto decoding does not count packed numbers: they are hardly larger in memory than on the wire.
        let size = if size_of::<S::Value>() > SCALAR { size_of::<S::Value>() } else { 0 };
        let budget = self.budget;
        self.inner.next_element_seed(Paid { seed, size, budget, at: Place::Element, field: None })
    }
}

/// The fields of a message, or the entries of a map, each of which is paid for.
struct Entries<'b, A> {
    inner: A,
    budget: &'b Budget,
    object: Object,
    /// The size of the key that was read last.
    key: usize,
    /// Its text, kept only for refusing an unknown field by name.
    name: Option<String>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<'_, A> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.key = size_of::<S::Value>();
        if self.budget.rejects_unknown_fields() {
            return self.inner.next_key_seed(Named { inner: seed, name: &mut self.name });
        }
        self.inner.next_key_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let size = match self.object {
            Object::Message => 0,
            Object::Map => self.key + size_of::<S::Value>(),
        };
        let (budget, field) = (self.budget, self.name.as_deref());
        self.inner.next_value_seed(Paid { seed, size, budget, at: Place::Field, field })
    }
}

/// A seed whose value is paid for before it is read.
struct Paid<'b, S> {
    seed: S,
    size: usize,
    budget: &'b Budget,
    at: Place,
    field: Option<&'b str>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Paid<'_, S> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Self { seed, size, budget, at, field } = self;
        budget.element(size)?;
        seed.deserialize(Bounded { inner, budget, at, field })
    }
}

/// The size of the largest number, in bytes.
const SCALAR: usize = 8;
