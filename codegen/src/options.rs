//! What can be asked of the generated code, with types.

use std::fmt;
use std::str::FromStr;

/// Messages, services, or both.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// A crate of messages.
    Messages,
    /// A facade: services, and the messages of other crates under the modules of their packages.
    Services,
    /// All in one.
    Both,
}

impl Mode {
    pub(crate) const fn has_messages(self) -> bool {
        matches!(self, Self::Messages | Self::Both)
    }

    pub(crate) const fn has_services(self) -> bool {
        matches!(self, Self::Services | Self::Both)
    }
}

impl FromStr for Mode {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        match text {
            "messages" => Ok(Self::Messages),
            "services" => Ok(Self::Services),
            "both" => Ok(Self::Both),
            _ => Err(OptionError::value("mode", text, "messages, services or both")),
        }
    }
}

/// Whether the text is a crate root or a module.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// A crate root or a file of its own: attributes stand once, at the top.
    File,
    /// Text to `include!`: every item carries its attributes.
    Include,
}

/// Which sides of a service are generated.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Sides {
    /// The client, and the mock of the service.
    pub client: bool,
    /// The trait that handlers implement, and the server.
    pub server: bool,
}

impl Sides {
    /// Messages only.
    pub const NONE: Self = Self { client: false, server: false };
    /// All that there is.
    pub const ALL: Self = Self { client: true, server: true };
}

impl FromStr for Sides {
    type Err = OptionError;

    fn from_str(text: &str) -> Result<Self, OptionError> {
        let mut sides = Self::NONE;
        for side in text.split(['+', ',']).filter(|side| !side.is_empty() && *side != "none") {
            match side {
                "client" => sides.client = true,
                "server" => sides.server = true,
                _ => {
                    return Err(OptionError::value(
                        "services",
                        text,
                        "client, server, client+server, or none",
                    ));
                }
            }
        }
        Ok(sides)
    }
}

/// The paths by which generated code names its runtime.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Runtime {
    /// The crate `ringwire_client`.
    pub client: String,
    /// The crate `ringwire_local`.
    pub local: String,
    /// The crate `ringwire_message`.
    pub message: String,
    /// The crate `ringwire_service`.
    pub service: String,
}

impl Default for Runtime {
    fn default() -> Self {
        Self {
            client: "::ringwire_client".to_owned(),
            local: "::ringwire_local".to_owned(),
            message: "::ringwire_message".to_owned(),
            service: "::ringwire_service".to_owned(),
        }
    }
}

/// What is asked of the generated code.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// Protobuf's JSON mapping. Messages of services need it.
    pub json: bool,
    /// Borrowed views. Messages of services need them.
    pub views: bool,
    /// Fields that are not in the schema survive decoding and encoding.
    pub unknown_fields: bool,
    /// `string` fields that the schema exempts from validation (all of proto2) are bytes.
    pub strict_utf8_mapping: bool,
    /// Services carry their schema, for reflection and for options that interceptors read.
    pub descriptors: bool,
    /// Which sides of a service are generated.
    pub services: Sides,
    /// The paths by which generated code names its runtime.
    pub runtime: Runtime,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            json: true,
            views: true,
            unknown_fields: true,
            strict_utf8_mapping: false,
            descriptors: true,
            services: Sides::ALL,
            runtime: Runtime::default(),
        }
    }
}

impl Options {
    /// The names that [`set`](Self::set) knows, each with its meaning.
    pub const KNOWN: [(&'static str, &'static str); 6] = [
        ("descriptors", "true|false (true): services carry their schema"),
        ("json", "true|false (true): messages have protobuf's JSON mapping"),
        (
            "services",
            "client|server|client+server|none (client+server): which sides of a service are generated",
        ),
        (
            "strict_utf8_mapping",
            "true|false (false): strings that the schema exempts from validation are bytes",
        ),
        ("unknown_fields", "true|false (true): fields that are not in the schema are kept"),
        ("views", "true|false (true): messages have borrowed views"),
    ];

    /// Sets one option by its name. A truth that is only named is set.
    ///
    /// # Errors
    /// There is no such option, or the value is not one of it.
    pub fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), OptionError> {
        let known = Self::KNOWN.iter().map(|(name, _)| *name);
        match name {
            "descriptors" => self.descriptors = truth(name, value)?,
            "json" => self.json = truth(name, value)?,
            "services" => self.services = value.unwrap_or_default().parse()?,
            "strict_utf8_mapping" => self.strict_utf8_mapping = truth(name, value)?,
            "unknown_fields" => self.unknown_fields = truth(name, value)?,
            "views" => self.views = truth(name, value)?,
            _ => return Err(OptionError::Unknown { name: name.to_owned(), known: known.collect() }),
        }
        Ok(())
    }
}

/// An option that is none.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum OptionError {
    /// There is no option of this name.
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: Vec<&'static str>,
    },
    /// The option does not take this value.
    Value {
        /// The option.
        name: String,
        /// The value.
        value: String,
        /// The values that it takes.
        expected: &'static str,
    },
}

impl OptionError {
    pub(crate) fn value(name: &str, value: &str, expected: &'static str) -> Self {
        Self::Value { name: name.to_owned(), value: value.to_owned(), expected }
    }
}

impl fmt::Display for OptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, known } => {
                write!(f, "there is no option {name:?}; the options are {}", known.join(", "))
            }
            Self::Value { name, value, expected } => {
                write!(f, "the option {name} is {expected}, not {value:?}")
            }
        }
    }
}

impl std::error::Error for OptionError {}

fn truth(name: &str, value: Option<&str>) -> Result<bool, OptionError> {
    match value {
        None | Some("true") => Ok(true),
        Some("false") => Ok(false),
        Some(other) => Err(OptionError::value(name, other, "true or false")),
    }
}
