//! What a client wrote down for a stream to answer, played.

use crate::payload::{append, error};
use conformance_rust::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use conformance_rust::connectrpc::conformance::v1::{self, StreamResponseDefinition};
use ringwire_service::{Call, ErrorDetails, Message, Responses, Result};
use std::time::Duration;

/// The answers that are left.
pub(crate) struct Script {
    data: std::vec::IntoIter<Vec<u8>>,
    delay: Duration,
    error: Option<v1::Error>,
    answered: bool,
}

impl Script {
    /// Sets the headers and trailers of the response.
    pub(crate) fn begin(call: &mut Call, definition: Option<StreamResponseDefinition>) -> Result<Self> {
        let definition = definition.unwrap_or_default();
        append(&mut *call.response_headers_mut()?, definition.response_headers)?;
        append(call.response_trailers_mut(), definition.response_trailers)?;
        Ok(Self {
            data: definition.response_data.into_iter(),
            delay: Duration::from_millis(definition.response_delay_ms.into()),
            error: definition.error.into_option(),
            answered: false,
        })
    }

    /// Lets the headers leave, if an answer will follow them.
    pub(crate) async fn announce<M: Message>(&self, responses: &mut Responses<'_, M>) -> Result<()> {
        if self.data.len() > 0 { responses.flush().await } else { Ok(()) }
    }

    /// The data of the next answer, when it is time for it.
    pub(crate) async fn next(&mut self) -> Option<Vec<u8>> {
        let data = self.data.next()?;
        self.answered = true;
        tokio::time::sleep(self.delay).await;
        Some(data)
    }

    /// Whether there was an answer.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered
    }

    /// The end. `info` is what no answer said: it goes with the error.
    pub(crate) fn end(self, info: Option<RequestInfo>) -> Result<()> {
        let Some(asked) = self.error else { return Ok(()) };
        let error = error(asked);
        Err(match info {
            Some(info) => error.with_detail(&info),
            None => error,
        })
    }
}
