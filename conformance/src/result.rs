//! What became of a call, in the runner's words.

use crate::payload::headers;
use conformance_rust::connectrpc::conformance::v1::{self, *};
use ringwire_client::{Error, Metadata};
use ringwire_message::buffa_types::google::protobuf::Any;

/// A response, which is a payload.
pub(crate) trait Answer {
    fn payload(self) -> ConformancePayload;
}

macro_rules! answers {
    ($($message:ty)*) => {
        $(impl Answer for $message {
            fn payload(self) -> ConformancePayload {
                self.payload.into_option().unwrap_or_default()
            }
        })*
    };
}

answers!(UnaryResponse IdempotentUnaryResponse ClientStreamResponse ServerStreamResponse BidiStreamResponse);

impl Answer for UnimplementedResponse {
    fn payload(self) -> ConformancePayload {
        ConformancePayload::default()
    }
}

pub(crate) fn result(
    headers_received: &Metadata,
    payloads: Vec<ConformancePayload>,
    trailers: &Metadata,
    error: Option<&Error>,
) -> ClientResponseResult {
    ClientResponseResult {
        response_headers: headers(headers_received),
        payloads,
        error: error.map(told).into(),
        response_trailers: headers(trailers),
        ..ClientResponseResult::default()
    }
}

/// A call without a response. Its error brings all the metadata that there is; where the suite tells trailers from headers,
/// for streams, a server that begins with the end has sent trailers.
pub(crate) fn failed(error: &Error) -> ClientResponseResult {
    result(&Metadata::new(), Vec::new(), error.metadata(), Some(error))
}

fn told(error: &Error) -> v1::Error {
    let code = i32::from(error.code().grpc_number());
    let details = error.details().iter().map(|detail| Any {
        type_url: format!("type.googleapis.com/{}", detail.type_name),
        value: detail.value.to_vec().into(),
        ..Any::default()
    });
    v1::Error {
        code: code.into(),
        message: Some(error.message().to_owned()),
        details: details.collect(),
        ..v1::Error::default()
    }
}
