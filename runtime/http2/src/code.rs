//! Error codes: <https://www.rfc-editor.org/rfc/rfc9113#section-7>.

use ringwire_http::Reset;
use std::fmt;

/// An error code of RST_STREAM or GOAWAY.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct ErrorCode(pub u32);

macro_rules! codes {
    ($($value:literal $name:ident)*) => {
        impl ErrorCode {
            $(
                #[doc = concat!("`", stringify!($name), "`")]
                pub const $name: Self = Self($value);
            )*

            fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some(stringify!($name)),)*
                    _ => None,
                }
            }
        }
    };
}

codes! {
    0 NO_ERROR
    1 PROTOCOL_ERROR
    2 INTERNAL_ERROR
    3 FLOW_CONTROL_ERROR
    4 SETTINGS_TIMEOUT
    5 STREAM_CLOSED
    6 FRAME_SIZE_ERROR
    7 REFUSED_STREAM
    8 CANCEL
    9 COMPRESSION_ERROR
    10 CONNECT_ERROR
    11 ENHANCE_YOUR_CALM
    12 INADEQUATE_SECURITY
    13 HTTP_1_1_REQUIRED
}

impl From<Reset> for ErrorCode {
    fn from(reset: Reset) -> Self {
        match reset {
            Reset::NoError => Self::NO_ERROR,
            Reset::Cancelled | Reset::Disconnected => Self::CANCEL,
            Reset::Refused => Self::REFUSED_STREAM,
            Reset::Malformed => Self::PROTOCOL_ERROR,
            Reset::FlowControl => Self::FLOW_CONTROL_ERROR,
            Reset::Excessive => Self::ENHANCE_YOUR_CALM,
            Reset::Http11Required => Self::HTTP_1_1_REQUIRED,
            Reset::Internal => Self::INTERNAL_ERROR,
            Reset::Other(code) => Self(code),
        }
    }
}

impl From<ErrorCode> for Reset {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NO_ERROR => Self::NoError,
            ErrorCode::CANCEL => Self::Cancelled,
            ErrorCode::REFUSED_STREAM => Self::Refused,
            ErrorCode::PROTOCOL_ERROR => Self::Malformed,
            ErrorCode::FLOW_CONTROL_ERROR => Self::FlowControl,
            ErrorCode::ENHANCE_YOUR_CALM => Self::Excessive,
            ErrorCode::HTTP_1_1_REQUIRED => Self::Http11Required,
            ErrorCode::INTERNAL_ERROR => Self::Internal,
            ErrorCode(code) => Self::Other(code),
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{:#x}", self.0),
        }
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_resets_translate_both_ways() {
        for code in (0..20).map(ErrorCode) {
            assert_eq!(ErrorCode::from(Reset::from(code)), code);
        }
        assert_eq!(ErrorCode::from(Reset::Disconnected), ErrorCode::CANCEL);
    }

    #[test]
    fn codes_have_their_names() {
        assert_eq!(format!("{} {:?}", ErrorCode(11), ErrorCode(0x20)), "ENHANCE_YOUR_CALM 0x20");
    }
}
