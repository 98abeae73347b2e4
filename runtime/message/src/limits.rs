//! What one decode may cost.

/// The bounds of one decode, the same for proto and JSON. The size of the body itself is bounded where it is
/// received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// How deep messages (in JSON: objects and arrays) may nest.
    pub depth_max: u32,
    /// Bytes of memory that the elements of repeated fields and maps may take. Two bytes on the wire can be an empty
    /// message of hundreds of bytes in memory, so the size of the body alone does not bound it.
    pub element_memory_max: usize,
    /// How many fields that are not in the schema a proto message may carry.
    pub unknown_fields_max: usize,
    /// How much of the stack, in bytes, JSON objects may take by nesting. Their decoders need some ten times the
    /// size of a message for each level, so that a hundred levels of a wide message would overflow a thread's usual
    /// 2 MiB.
    pub json_stack_max: usize,
    /// What to do with a field of a JSON message that is not in the schema.
    pub json_unknown_fields: UnknownFields,
}

/// What to do with fields that are not in the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum UnknownFields {
    /// Skip them, so that a newer peer can talk to an older one.
    #[default]
    Ignore,
    /// Refuse the message, and enum values without a name along with it.
    Reject,
}

impl DecodeLimits {
    /// The limits that apply when none are chosen: buffa's own.
    pub const DEFAULT: Self = Self {
        depth_max: buffa::RECURSION_LIMIT,
        element_memory_max: buffa::DEFAULT_ELEMENT_MEMORY_LIMIT,
        unknown_fields_max: buffa::DEFAULT_UNKNOWN_FIELD_LIMIT,
        json_stack_max: 1 << 20,
        json_unknown_fields: UnknownFields::Ignore,
    };
}

impl Default for DecodeLimits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
