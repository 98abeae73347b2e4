//! How gRPC says that an RPC ended: `grpc-status`, `grpc-message` and `grpc-status-details-bin`.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ringwire_http::{Headers, HeadersMut};
use ringwire_wire::base64::{self, Alphabet};
use ringwire_wire::{Code, Metadata, code, percent};

use super::names::{GRPC_MESSAGE, GRPC_STATUS, GRPC_STATUS_DETAILS_BIN};
use super::{Outcome, TrailersPlace, append_custom};
use crate::response;
use crate::{Error, ErrorDetail};

/// Appends the fields that end an RPC, then the custom ones.
pub(super) fn write(outcome: Result<(), &Error>, trailers: &Metadata, sink: &mut dyn HeadersMut) {
    match outcome {
        Ok(()) => sink.append_static(GRPC_STATUS, code::GRPC_STATUS_OK),
        Err(error) => write_error(error, sink),
    }
    append_custom(trailers, sink);
}

fn write_error(error: &Error, sink: &mut dyn HeadersMut) {
    sink.append_static(GRPC_STATUS, error.code().grpc_status());
    let mut value = BytesMut::new();
    if !error.message().is_empty() {
        percent::encode_within(error.message(), MESSAGE_LEN_MAX, &mut value);
        sink.append_known(GRPC_MESSAGE, &value);
    }
    if !error.details().is_empty() {
        let mut status = BytesMut::new();
        write_status(error, &mut status);
        // Without them the caller still has the code and the message; with them, perhaps no answer at all.
        if status.len() <= DETAILS_LEN_MAX {
            value.clear();
            base64::encode(Alphabet::Standard, &status, &mut value);
            sink.append_known(GRPC_STATUS_DETAILS_BIN, &value);
        }
    }
    append_custom(error.outgoing_metadata(), sink);
}

/// Whether a field of this name says how an RPC ended.
pub(crate) fn is_status(name: &str) -> bool {
    [STATUS, MESSAGE, DETAILS].iter().any(|status| status.eq_ignore_ascii_case(name))
}

/// Reads how an RPC ended.
pub(super) fn read(fields: &dyn Headers) -> Result<(), Error> {
    result(fields.known(GRPC_STATUS), || response::read(fields, |name| Some(name)))
}

/// Takes the fields that end an RPC out of `fields`; those that are left are its trailers.
pub(super) fn take_from(mut fields: Metadata) -> Outcome {
    let result = result(fields.get(STATUS), || fields.clone());
    for name in [STATUS, MESSAGE, DETAILS] {
        fields.remove(name);
    }
    Outcome { result, trailers: TrailersPlace::Own(fields) }
}

fn result(status: Option<&[u8]>, fields: impl FnOnce() -> Metadata) -> Result<(), Error> {
    match status.map(code::parse_grpc_status) {
        Some(Some(Ok(()))) => Ok(()),
        Some(Some(Err(code))) => Err(read_error(code, &fields()).sent_by_peer()),
        Some(None) => Err(Error::unknown("the server's grpc-status is not a number")),
        None => Err(Error::unknown("the server's trailers lack grpc-status")),
    }
}

fn read_error(code: Code, fields: &Metadata) -> Error {
    // Details that cannot be read are left out: code and message are worth more than they.
    let status = fields.get_bin(DETAILS).ok().and_then(read_status).unwrap_or_default();
    let message = match fields.get(MESSAGE) {
        Some(message) => percent::decode(message).into_owned(),
        None => status.message,
    };
    Error::new(code, message).with_details(status.details)
}

/// Appends a `google.rpc.Status`: code 1, message 2, details 3, each an `Any` of type URL 1 and value 2.
fn write_status(error: &Error, out: &mut BytesMut) {
    put_varint(tag(1, VARINT), out);
    put_varint(u64::from(error.code().grpc_number()), out);
    if !error.message().is_empty() {
        put_bytes(2, &[error.message().as_bytes()], out);
    }
    let mut any = BytesMut::new();
    for detail in error.details() {
        any.clear();
        put_bytes(1, &[TYPE_URL_PREFIX, detail.type_name.as_bytes()], &mut any);
        if !detail.value.is_empty() {
            put_bytes(2, &[&detail.value], &mut any);
        }
        put_bytes(3, &[&any], out);
    }
}

fn put_bytes(field: u64, parts: &[&[u8]], out: &mut BytesMut) {
    put_varint(tag(field, LENGTH_DELIMITED), out);
    put_varint(parts.iter().map(|part| part.len() as u64).sum(), out);
    for part in parts {
        out.put_slice(part);
    }
}

fn put_varint(mut value: u64, out: &mut BytesMut) {
    while value >= 0x80 {
        out.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    out.put_u8(value as u8);
}

/// What is read of a `google.rpc.Status`. Its code is left: `grpc-status` says it.
#[derive(Default)]
struct Status {
    message: String,
    details: Vec<ErrorDetail>,
}

fn read_status(mut wire: Bytes) -> Option<Status> {
    let mut status = Status::default();
    while let Some((field, value)) = next_field(&mut wire)? {
        match (field, value) {
            (2, Value::Bytes(message)) => status.message = String::from_utf8_lossy(&message).into_owned(),
            (3, Value::Bytes(any)) => status.details.push(read_any(any)?),
            _ => {}
        }
    }
    Some(status)
}

fn read_any(mut wire: Bytes) -> Option<ErrorDetail> {
    let mut detail = ErrorDetail { type_name: String::new(), value: Bytes::new() };
    while let Some((field, value)) = next_field(&mut wire)? {
        match (field, value) {
            (1, Value::Bytes(url)) => {
                let url = std::str::from_utf8(&url).ok()?;
                detail.type_name = url.rsplit('/').next().unwrap_or_default().to_owned();
            }
            (2, Value::Bytes(value)) => detail.value = value,
            _ => {}
        }
    }
    Some(detail)
}

enum Value {
    Bytes(Bytes),
    Other,
}

/// The next field of a message, `Some(None)` at its end, and `None` where it is malformed.
fn next_field(wire: &mut Bytes) -> Option<Option<(u64, Value)>> {
    if wire.is_empty() {
        return Some(None);
    }
    let tag = take_varint(wire)?;
    let value = match tag & 7 {
        VARINT => {
            take_varint(wire)?;
            Value::Other
        }
        FIXED64 => {
            take(wire, 8)?;
            Value::Other
        }
        LENGTH_DELIMITED => {
            let len = usize::try_from(take_varint(wire)?).ok()?;
            Value::Bytes(take(wire, len)?)
        }
        FIXED32 => {
            take(wire, 4)?;
            Value::Other
        }
        _ => return None,
    };
    Some(Some((tag >> 3, value)))
}

fn take(wire: &mut Bytes, len: usize) -> Option<Bytes> {
    (len <= wire.len()).then(|| wire.split_to(len))
}

fn take_varint(wire: &mut Bytes) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = wire.try_get_u8().ok()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

const fn tag(field: u64, wire_type: u64) -> u64 {
    field << 3 | wire_type
}

const STATUS: &str = GRPC_STATUS.as_str();
const MESSAGE: &str = GRPC_MESSAGE.as_str();
// A peer or a proxy that gets more header fields than it takes drops the whole response: 8 KiB is what the strictest take of one
// line, and few take more than 64 KiB in all.
const MESSAGE_LEN_MAX: usize = 8 * 1024;
const DETAILS_LEN_MAX: usize = 24 * 1024;
const DETAILS: &str = GRPC_STATUS_DETAILS_BIN.as_str();
const TYPE_URL_PREFIX: &[u8] = b"type.googleapis.com/";

// Wire types of the protobuf encoding.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const LENGTH_DELIMITED: u64 = 2;
const FIXED32: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    type Fields = Vec<(String, Vec<u8>)>;

    fn written(error: &Error) -> Fields {
        let mut fields = Fields::new();
        write(Err(error), &Metadata::new(), &mut fields);
        fields
    }

    fn received(fields: &[(String, Vec<u8>)]) -> Outcome {
        let mut metadata = Metadata::new();
        for (name, value) in fields {
            metadata.append_received(name, value).unwrap();
        }
        assert_eq!(read(&fields).map_err(|error| error.to_string()), {
            let taken = take_from(metadata.clone()).result;
            taken.map_err(|error| error.to_string())
        });
        take_from(metadata)
    }

    /// Writes `error`, reads it back, and expects the same code, message and details.
    #[track_caller]
    fn check(error: &Error) {
        let outcome = received(&written(error));
        let got = outcome.result.unwrap_err();
        assert_eq!(
            (got.code(), got.message(), got.details()),
            (error.code(), error.message(), error.details())
        );
    }

    #[test]
    fn errors_come_back() {
        for code in Code::ALL {
            check(&Error::new(code, ""));
            check(&Error::new(code, "\n\r\n \u{263a} \u{1f608} % plain"));
        }
        let long = vec![7; 300];
        check(&Error::aborted("a").with_detail_raw("a.B", "").with_detail_raw("c.D", long));
        check(&Error::aborted("").with_detail_raw("", "x"));
    }

    #[test]
    fn what_no_peer_would_take_is_cut_or_left_out() {
        let message = |len| written(&Error::aborted("a".repeat(len))).remove(1).1;
        assert_eq!(message(MESSAGE_LEN_MAX), "a".repeat(MESSAGE_LEN_MAX).into_bytes());
        let cut = message(MESSAGE_LEN_MAX + 1);
        assert_eq!(cut.len(), MESSAGE_LEN_MAX);
        assert!(cut.ends_with(b"a%E2%80%A6"));

        let details = |len: usize| {
            let fields = written(&Error::aborted("").with_detail_raw("a.B", vec![7; len]));
            fields.iter().any(|(name, _)| name == DETAILS)
        };
        let around = {
            let mut status = BytesMut::new();
            write_status(&Error::aborted("").with_detail_raw("a.B", vec![7; 20_000]), &mut status);
            status.len() - 20_000
        };
        assert!(details(DETAILS_LEN_MAX - around));
        assert!(!details(DETAILS_LEN_MAX - around + 1));
    }

    #[test]
    fn details_are_a_google_rpc_status_in_unpadded_base64() {
        let fields = written(&Error::not_found("m").with_detail_raw("a.B", "v"));
        // 08 05 | 12 01 6d | 1a 1b 0a 17 "type.googleapis.com/a.B" 12 01 76
        let want = "CAUSAW0aHAoXdHlwZS5nb29nbGVhcGlzLmNvbS9hLkISAXY";
        assert_eq!(fields[2], ("grpc-status-details-bin".into(), want.as_bytes().to_vec()));
    }

    #[test]
    fn every_truncation_of_details_keeps_code_and_message() {
        let mut fields = written(&Error::not_found("m").with_detail_raw("a.B", "v"));
        while fields[2].1.pop().is_some() {
            let error = received(&fields).result.unwrap_err();
            assert_eq!((error.code(), error.message()), (Code::NotFound, "m"), "{:?}", fields[2].1.len());
        }
    }

    #[test]
    fn unknown_fields_of_a_status_are_passed_over() {
        let mut status = BytesMut::new();
        write_status(&Error::aborted("m").with_detail_raw("a.B", "v"), &mut status);
        let mut wire = BytesMut::from(&[0x21, 1, 2, 3, 4, 5, 6, 7, 8, 0x2d, 1, 2, 3, 4, 0x30, 0x80, 1][..]);
        wire.extend_from_slice(&status);
        assert_eq!(read_status(wire.freeze()).unwrap().details.len(), 1);
    }

    #[test]
    fn malformed_statuses_are_unknown() {
        for value in ["", "x", "-1", "1.0", "9999999999"] {
            let outcome = received(&[("grpc-status".into(), value.as_bytes().to_vec())]);
            assert_eq!(outcome.result.unwrap_err().code(), Code::Unknown, "{value:?}");
        }
        assert_eq!(received(&[]).result.unwrap_err().code(), Code::Unknown);
    }
}
