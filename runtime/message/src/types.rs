//! Which messages `google.protobuf.Any` may hold in JSON.
//!
//! The binary format carries an `Any` unopened. JSON spells its content out, so both directions need to know the
//! type. A generated crate has a function that registers its messages, one [`register`] each; an application adds
//! those functions to a [`Types`] and installs it.
//!
//! buffa keeps one registry for the process, because serde hands no context to the conversion of a field. So
//! nothing is global before [`Types::install`], what is installed stays, and installing more adds to it.

use crate::{Message, json};
use buffa::MessageName;
use buffa::type_registry::{JsonAnyEntry, TypeRegistry, set_type_registry};
use buffa_types::google::protobuf as wkt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::PoisonError;

/// A function that registers the messages of one crate; generated crates have one.
pub type Register = fn(&mut TypeRegistry);

/// The messages that an application wants to see inside `Any`, as the functions that register them.
#[derive(Clone, Debug)]
pub struct Types(Vec<Register>);

impl Types {
    /// The well-known types of protobuf.
    #[must_use]
    pub fn new() -> Self {
        Self(vec![well_known])
    }

    /// Adds the messages of a crate: `.with(greet_rust::register_types)`.
    #[must_use]
    pub fn with(mut self, register: Register) -> Self {
        add(&mut self.0, register);
        self
    }

    /// Makes the types known to all JSON of this process, beside those that were installed before.
    pub fn install(&self) {
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let before = installed.len();
        for &register in &self.0 {
            add(&mut installed, register);
        }
        // buffa leaks the registry that it replaces, so an installation that adds nothing replaces nothing.
        if installed.len() > before {
            let mut registry = TypeRegistry::new();
            installed.iter().for_each(|register| register(&mut registry));
            set_type_registry(registry);
        }
    }
}

impl Default for Types {
    fn default() -> Self {
        Self::new()
    }
}

/// Registers one message. Its JSON is decoded within the limits of the message that the `Any` is part of.
pub fn register<M>(registry: &mut TypeRegistry)
where
    M: Message + buffa::Message + MessageName + Serialize + DeserializeOwned,
{
    registry.register_json_any(entry::<M>(false));
}

fn entry<M>(is_wkt: bool) -> JsonAnyEntry
where
    M: buffa::Message + MessageName + Serialize + DeserializeOwned,
{
    JsonAnyEntry {
        type_url: M::TYPE_URL,
        to_json: buffa::type_registry::any_to_json::<M>,
        from_json: json::any_from_json::<M>,
        is_wkt,
    }
}

fn well_known(registry: &mut TypeRegistry) {
    /// Their JSON is not an object, so it stands in a `value` beside the `@type`.
    macro_rules! with_value {
        ($($message:ident)*) => {$( registry.register_json_any(entry::<wkt::$message>(true)); )*};
    }
    with_value! {
        Any BoolValue BytesValue DoubleValue Duration FieldMask FloatValue Int32Value Int64Value ListValue
        StringValue Struct Timestamp UInt32Value UInt64Value Value
    }
    registry.register_json_any(entry::<wkt::Empty>(false));
}

fn add(registrations: &mut Vec<Register>, register: Register) {
    if !registrations.iter().any(|&known| std::ptr::fn_addr_eq(known, register)) {
        registrations.push(register);
    }
}

// The registry it mirrors belongs to the process too; locked only while installing.
#[allow(clippy::disallowed_types)]
static INSTALLED: std::sync::Mutex<Vec<Register>> = std::sync::Mutex::new(Vec::new());
