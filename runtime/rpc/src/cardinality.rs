//! How many messages may come: any number, or exactly one.

use bytes::Bytes;

use crate::Error;
use crate::receive::Side;

/// Lets the messages of a stream pass, and holds a lone message until it is certain to be the only one.
#[derive(Debug)]
pub(crate) enum Cardinality {
    Any,
    One { side: Side, held: Option<Bytes>, handed_out: bool },
}

impl Cardinality {
    #[inline]
    pub(crate) fn new(side: Side, has_one: bool) -> Self {
        if has_one { Self::One { side, held: None, handed_out: false } } else { Self::Any }
    }

    /// How many bytes are held.
    #[inline]
    pub(crate) fn held(&self) -> usize {
        match self {
            Self::One { held: Some(message), .. } => message.len(),
            Self::One { held: None, .. } | Self::Any => 0,
        }
    }

    /// Takes a message; gives it back if it may be handed out at once.
    pub(crate) fn message(&mut self, message: Bytes) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Any => Ok(Some(message)),
            Self::One { side, held: Some(_), .. } => Err(Error::unimplemented(match side {
                Side::Server => "a second request to a method that takes one",
                Side::Client => "a second response from a method that gives one",
            })),
            Self::One { held, .. } => {
                *held = Some(message);
                Ok(None)
            }
        }
    }

    /// Takes a message that the end of the stream follows at once, and gives it back.
    #[inline]
    pub(crate) fn last(&mut self, message: Bytes) -> Result<Bytes, Error> {
        match self {
            Self::Any => Ok(message),
            Self::One { held: None, handed_out, .. } => {
                *handed_out = true;
                Ok(message)
            }
            Self::One { held: Some(_), .. } => self.message(message).map(Option::unwrap_or_default),
        }
    }

    /// Takes the end of the stream; gives the message that was held, once.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<Option<Bytes>, Error> {
        match self {
            Self::Any | Self::One { handed_out: true, .. } => Ok(None),
            Self::One { side, held, handed_out } => match held.take() {
                Some(message) => {
                    *handed_out = true;
                    Ok(Some(message))
                }
                None => Err(Error::unimplemented(match side {
                    Side::Server => "no request to a method that takes one",
                    Side::Client => "no response from a method that gives one",
                })),
            },
        }
    }
}
