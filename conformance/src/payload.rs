//! What a server says it observed of a call, and the suite's messages as those of the library.

use conformance_rust::connectrpc::conformance::v1::conformance_payload::{ConnectGetInfo, RequestInfo};
use conformance_rust::connectrpc::conformance::v1::{self, ConformancePayload, Header};
use ringwire_message::buffa::{Message, MessageName};
use ringwire_message::buffa_types::google::protobuf::Any;
use ringwire_service::{Call, Code, Error, Metadata, Result};
use std::time::Instant;

/// All that a server observed of a call: its headers, its time, its messages.
pub(crate) fn request_info(call: &Call, requests: Vec<Any>) -> RequestInfo {
    let timeout = call.deadline().map(|deadline| deadline.saturating_duration_since(Instant::now()));
    RequestInfo {
        request_headers: headers(call.headers()),
        timeout_ms: timeout.and_then(|timeout| i64::try_from(timeout.as_millis()).ok()),
        requests,
        connect_get_info: call.head().query().map(get_info).into(),
        ..RequestInfo::default()
    }
}

/// A request as it is sent back.
pub(crate) fn any<M: Message + MessageName>(request: &M) -> Any {
    Any::pack(request, M::TYPE_URL)
}

/// A payload, and for those that have it what was observed.
pub(crate) fn payload(data: Vec<u8>, info: Option<RequestInfo>) -> ConformancePayload {
    ConformancePayload { data, request_info: info.into(), ..ConformancePayload::default() }
}

/// The error that a client asked for.
pub(crate) fn error(asked: v1::Error) -> Error {
    let code = u32::try_from(asked.code.to_i32()).ok().and_then(Code::from_grpc_number);
    let error = Error::new(code.unwrap_or(Code::Unknown), asked.message.unwrap_or_default());
    asked.details.into_iter().fold(error, |error, detail| {
        let type_name = detail.type_url.rsplit('/').next().unwrap_or_default();
        error.with_detail_raw(type_name, detail.value)
    })
}

/// Adds the fields that a client asked for.
pub(crate) fn append(metadata: &mut Metadata, fields: Vec<Header>) -> Result<()> {
    for Header { name, value: values, .. } in fields {
        for value in values {
            metadata.append(name.clone(), value)?;
        }
    }
    Ok(())
}

/// One entry per name, as the suite wants it: of two, it would read the last.
pub(crate) fn headers(metadata: &Metadata) -> Vec<Header> {
    let mut headers: Vec<Header> = Vec::new();
    for (name, value) in metadata.iter() {
        let value = String::from_utf8_lossy(value).into_owned();
        match headers.iter_mut().find(|header| header.name == name) {
            Some(header) => header.value.push(value),
            None => headers.push(Header { name: name.to_owned(), value: vec![value], ..Header::default() }),
        }
    }
    headers
}

/// The parameters of a request without a body, as they travelled.
fn get_info(query: &str) -> ConnectGetInfo {
    let parameters = query.split('&').map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        Header { name: name.to_owned(), value: vec![value.to_owned()], ..Header::default() }
    });
    ConnectGetInfo { query_params: parameters.collect(), ..ConnectGetInfo::default() }
}
