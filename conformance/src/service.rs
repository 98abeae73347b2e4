//! The service that the suite calls.

use crate::payload::{any, append, error, payload, request_info};
use crate::script::Script;
use conformance_rust::connectrpc::conformance::v1::conformance_payload::RequestInfo;
use conformance_rust::connectrpc::conformance::v1::unary_response_definition::Response;
use conformance_rust::connectrpc::conformance::v1::*;
use ringwire_service::{Call, ErrorDetails, Requests, Responses, Result};
use std::time::Duration;

/// The service that the suite calls: each request says how it wants to be answered.
///
/// `Unimplemented` is not written.
#[derive(Clone, Copy, Debug)]
pub struct Conformance;

impl ConformanceService for Conformance {
    async fn unary(&self, call: &mut Call, request: UnaryRequestView<'_>) -> Result<UnaryResponse> {
        let request = request.to_owned_message()?;
        let info = request_info(call, vec![any(&request)]);
        let payload = answer(call, request.response_definition.into_option(), info).await?;
        Ok(UnaryResponse { payload: payload.into(), ..Default::default() })
    }

    async fn idempotent_unary(
        &self,
        call: &mut Call,
        request: IdempotentUnaryRequestView<'_>,
    ) -> Result<IdempotentUnaryResponse> {
        let request = request.to_owned_message()?;
        let info = request_info(call, vec![any(&request)]);
        let payload = answer(call, request.response_definition.into_option(), info).await?;
        Ok(IdempotentUnaryResponse { payload: payload.into(), ..Default::default() })
    }

    async fn client_stream(
        &self,
        call: &mut Call,
        mut requests: Requests<'_, ClientStreamRequest>,
    ) -> Result<ClientStreamResponse> {
        let mut definition = None;
        let mut received = Vec::new();
        while let Some(request) = requests.next().await? {
            let request = request.to_owned_message()?;
            received.push(any(&request));
            if received.len() == 1 {
                definition = request.response_definition.into_option();
            }
        }
        let info = request_info(call, received);
        let payload = answer(call, definition, info).await?;
        Ok(ClientStreamResponse { payload: payload.into(), ..Default::default() })
    }

    async fn server_stream(
        &self,
        call: &mut Call,
        request: ServerStreamRequestView<'_>,
        mut responses: Responses<'_, ServerStreamResponse>,
    ) -> Result<()> {
        let request = request.to_owned_message()?;
        let mut info = Some(request_info(call, vec![any(&request)]));
        let mut script = Script::begin(call, request.response_definition.into_option())?;
        script.announce(&mut responses).await?;
        while let Some(data) = script.next().await {
            let payload = payload(data, info.take()).into();
            responses.send(&ServerStreamResponse { payload, ..Default::default() }).await?;
        }
        script.end(info)
    }

    async fn bidi_stream(
        &self,
        call: &mut Call,
        mut requests: Requests<'_, BidiStreamRequest>,
        mut responses: Responses<'_, BidiStreamResponse>,
    ) -> Result<()> {
        let mut received = Vec::new();
        let mut begun: Option<(Script, bool)> = None;
        while let Some(request) = requests.next().await? {
            let request = request.to_owned_message()?;
            received.push(any(&request));
            let (script, full_duplex) = match &mut begun {
                Some(begun) => begun,
                None => {
                    let script = Script::begin(call, request.response_definition.into_option())?;
                    if request.full_duplex {
                        script.announce(&mut responses).await?;
                    }
                    begun.insert((script, request.full_duplex))
                }
            };
            if *full_duplex {
                let has_answered = script.has_answered();
                let Some(data) = script.next().await else { break };
                let received = std::mem::take(&mut received);
                let info = match has_answered {
                    false => request_info(call, received),
                    true => RequestInfo { requests: received, ..Default::default() },
                };
                let payload = payload(data, Some(info)).into();
                responses.send(&BidiStreamResponse { payload, ..Default::default() }).await?;
            }
        }
        let Some((mut script, _)) = begun else { return Ok(()) };
        let mut info = (!script.has_answered()).then(|| request_info(call, received));
        script.announce(&mut responses).await?;
        while let Some(data) = script.next().await {
            let payload = payload(data, info.take()).into();
            responses.send(&BidiStreamResponse { payload, ..Default::default() }).await?;
        }
        script.end(info)
    }
}

/// What a method with one response answers.
async fn answer(
    call: &mut Call,
    definition: Option<UnaryResponseDefinition>,
    info: RequestInfo,
) -> Result<ConformancePayload> {
    let definition = definition.unwrap_or_default();
    append(&mut *call.response_headers_mut()?, definition.response_headers)?;
    append(call.response_trailers_mut(), definition.response_trailers)?;
    tokio::time::sleep(Duration::from_millis(definition.response_delay_ms.into())).await;
    match definition.response {
        Some(Response::Error(asked)) => Err(error(*asked).with_detail(&info)),
        Some(Response::ResponseData(data)) => Ok(payload(data, Some(info))),
        None => Ok(payload(Vec::new(), Some(info))),
    }
}
