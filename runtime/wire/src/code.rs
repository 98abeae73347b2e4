//! The sixteen codes an RPC can fail with, and their spellings: name, gRPC number, HTTP status.
//!
//! Success is not a code: where a wire format has a number for it, the functions here say so in
//! their types.

use std::fmt;
use std::str::FromStr;

use crate::decimal;

/// Why an RPC failed, as [Connect][1] and [gRPC][2] define it.
///
/// [1]: https://connectrpc.com/docs/protocol#error-codes
/// [2]: https://grpc.github.io/grpc/core/md_doc_statuscodes.html
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[repr(u8)]
pub enum Code {
    /// The caller cancelled the call.
    Canceled = 1,
    /// The failure fits no other code, or came from a peer that used none.
    Unknown = 2,
    /// The request is wrong, whatever the state of the system.
    InvalidArgument = 3,
    /// The time allowed for the call ran out.
    DeadlineExceeded = 4,
    /// What was asked for does not exist.
    NotFound = 5,
    /// What should have been created exists.
    AlreadyExists = 6,
    /// The caller is known, and may not do this.
    PermissionDenied = 7,
    /// A quota or a limit is used up.
    ResourceExhausted = 8,
    /// The system is not in the state that the call needs.
    FailedPrecondition = 9,
    /// The call lost a race and may be tried again from an earlier step.
    Aborted = 10,
    /// The call reached past the end of something.
    OutOfRange = 11,
    /// The server does not do this.
    Unimplemented = 12,
    /// An invariant of the server, or of the protocol, is broken.
    Internal = 13,
    /// The server cannot be reached or cannot serve now; trying again may help.
    Unavailable = 14,
    /// Data is lost beyond repair.
    DataLoss = 15,
    /// The caller is not known.
    Unauthenticated = 16,
}

impl Code {
    /// Every code, in the order of its gRPC number.
    pub const ALL: [Self; 16] = [
        Self::Canceled,
        Self::Unknown,
        Self::InvalidArgument,
        Self::DeadlineExceeded,
        Self::NotFound,
        Self::AlreadyExists,
        Self::PermissionDenied,
        Self::ResourceExhausted,
        Self::FailedPrecondition,
        Self::Aborted,
        Self::OutOfRange,
        Self::Unimplemented,
        Self::Internal,
        Self::Unavailable,
        Self::DataLoss,
        Self::Unauthenticated,
    ];

    /// The name, as Connect spells it: lower case, words joined by `_`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
            Self::InvalidArgument => "invalid_argument",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::NotFound => "not_found",
            Self::AlreadyExists => "already_exists",
            Self::PermissionDenied => "permission_denied",
            Self::ResourceExhausted => "resource_exhausted",
            Self::FailedPrecondition => "failed_precondition",
            Self::Aborted => "aborted",
            Self::OutOfRange => "out_of_range",
            Self::Unimplemented => "unimplemented",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::DataLoss => "data_loss",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// The code of exactly this name, or `None`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// The gRPC status number, 1 to 16.
    pub const fn grpc_number(self) -> u8 {
        self as u8
    }

    /// The code of a gRPC status number; `None` for 0, which is success, and for numbers above 16.
    pub const fn from_grpc_number(number: u32) -> Option<Self> {
        if number == 0 || number > Self::ALL.len() as u32 {
            return None;
        }
        Some(Self::ALL[number as usize - 1])
    }

    /// The value of `grpc-status`, which is [`grpc_number`](Self::grpc_number) in decimal.
    pub const fn grpc_status(self) -> &'static str {
        GRPC_STATUS[self as usize]
    }

    /// The HTTP status of a Connect unary error.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Canceled => 499,
            Self::InvalidArgument | Self::FailedPrecondition | Self::OutOfRange => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists | Self::Aborted => 409,
            Self::ResourceExhausted => 429,
            Self::Unknown | Self::Internal | Self::DataLoss => 500,
            Self::Unimplemented => 501,
            Self::Unavailable => 503,
            Self::DeadlineExceeded => 504,
        }
    }

    /// The code of a response that carries nothing but an HTTP status.
    ///
    /// Not the inverse of [`http_status`](Self::http_status): such a response comes from a proxy or
    /// from a server that speaks no RPC, so its 404 says that the method is unknown, not a resource.
    /// Statuses that HTTP does not define are [`Unknown`](Self::Unknown), like most it does.
    pub const fn from_http_status(status: u16) -> Self {
        match status {
            400 => Self::Internal,
            401 => Self::Unauthenticated,
            403 => Self::PermissionDenied,
            404 => Self::Unimplemented,
            429 | 502 | 503 | 504 => Self::Unavailable,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Self::from_name(name).ok_or(UnknownCode)
    }
}

/// A name that is no code's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the name of a code")
    }
}

impl std::error::Error for UnknownCode {}

/// Reads the value of `grpc-status`: success, a code, or `None` where it is not a number.
///
/// A number that no code has is [`Code::Unknown`], as gRPC asks of its clients.
pub fn parse_grpc_status(value: &[u8]) -> Option<Result<(), Code>> {
    let number = u32::try_from(decimal::parse(value, GRPC_STATUS_DIGITS_MAX)?).ok()?;
    if number == 0 {
        return Some(Ok(()));
    }
    Some(Err(Code::from_grpc_number(number).unwrap_or(Code::Unknown)))
}

/// The value of `grpc-status` for success.
pub const GRPC_STATUS_OK: &str = GRPC_STATUS[0];

const GRPC_STATUS: [&str; 17] =
    ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16"];
// Nine digits fit a u32 whatever they are; no status needs more than two.
const GRPC_STATUS_DIGITS_MAX: usize = 9;

#[cfg(test)]
mod tests {
    use super::*;

    /// One row of the tables: name, gRPC number, HTTP status; there and back.
    #[track_caller]
    fn check(code: Code, name: &str, number: u8, http_status: u16) {
        assert_eq!(code.as_str(), name);
        assert_eq!(code.to_string(), name);
        assert_eq!(name.parse(), Ok(code));
        assert_eq!(code.grpc_number(), number);
        assert_eq!(Code::from_grpc_number(number.into()), Some(code));
        assert_eq!(code.grpc_status(), number.to_string());
        assert_eq!(parse_grpc_status(code.grpc_status().as_bytes()), Some(Err(code)));
        assert_eq!(code.http_status(), http_status);
    }

    #[test]
    fn every_code_has_a_name_a_number_and_a_status() {
        check(Code::Canceled, "canceled", 1, 499);
        check(Code::Unknown, "unknown", 2, 500);
        check(Code::InvalidArgument, "invalid_argument", 3, 400);
        check(Code::DeadlineExceeded, "deadline_exceeded", 4, 504);
        check(Code::NotFound, "not_found", 5, 404);
        check(Code::AlreadyExists, "already_exists", 6, 409);
        check(Code::PermissionDenied, "permission_denied", 7, 403);
        check(Code::ResourceExhausted, "resource_exhausted", 8, 429);
        check(Code::FailedPrecondition, "failed_precondition", 9, 400);
        check(Code::Aborted, "aborted", 10, 409);
        check(Code::OutOfRange, "out_of_range", 11, 400);
        check(Code::Unimplemented, "unimplemented", 12, 501);
        check(Code::Internal, "internal", 13, 500);
        check(Code::Unavailable, "unavailable", 14, 503);
        check(Code::DataLoss, "data_loss", 15, 500);
        check(Code::Unauthenticated, "unauthenticated", 16, 401);
    }

    #[test]
    fn names_are_exact() {
        for name in ["", "ok", "Canceled", "CANCELLED", "cancelled", "not found", " internal"] {
            assert_eq!(Code::from_name(name), None, "{name:?}");
        }
    }

    #[test]
    fn numbers_outside_the_table_are_no_code() {
        for number in [0, 17, 255, 256 + 1, u32::MAX] {
            assert_eq!(Code::from_grpc_number(number), None, "{number}");
        }
    }

    #[test]
    fn http_status_of_a_bare_response() {
        for status in 0..=u16::MAX {
            let want = match status {
                400 => Code::Internal,
                401 => Code::Unauthenticated,
                403 => Code::PermissionDenied,
                404 => Code::Unimplemented,
                429 | 502 | 503 | 504 => Code::Unavailable,
                _ => Code::Unknown,
            };
            assert_eq!(Code::from_http_status(status), want, "{status}");
        }
    }

    #[test]
    fn grpc_status_text() {
        for (value, want) in [
            ("0", Some(Ok(()))),
            ("00", Some(Ok(()))),
            ("5", Some(Err(Code::NotFound))),
            ("05", Some(Err(Code::NotFound))),
            ("16", Some(Err(Code::Unauthenticated))),
            ("17", Some(Err(Code::Unknown))),
            ("999999999", Some(Err(Code::Unknown))),
            ("1000000000", None),
            ("", None),
            ("-1", None),
            ("+1", None),
            ("1 ", None),
            ("0x1", None),
            ("\u{663}", None),
        ] {
            assert_eq!(parse_grpc_status(value.as_bytes()), want, "{value:?}");
        }
    }
}
