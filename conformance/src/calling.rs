//! One call as the runner describes it, made through the generated client.

use crate::cancel::Cancel;
use crate::result::{Answer, failed, result};
use conformance_rust::connectrpc::conformance::v1::client_compat_request::cancel::CancelTiming;
use conformance_rust::connectrpc::conformance::v1::*;
use ringwire_client::{
    Bidi, Channel, ClientProtocol, Codec as Coding, Compression as Compressing, CompressionPolicy, Error,
    GetPolicy, Incoming, Json, Limits, Message, Metadata, Proto, Reply,
};
use ringwire_compress::{Compressions, Gzip, Zstd};
use ringwire_compress_br::Br;
use ringwire_compress_deflate::Deflate;
use ringwire_compress_snappy::Snappy;
use std::fmt;
use std::time::Duration;

/// Why a call was not made.
#[derive(Debug)]
pub(crate) struct Refused(pub(crate) String);

impl Refused {
    pub(crate) fn new(why: &impl fmt::Display) -> Self {
        Self(why.to_string())
    }
}

/// Makes a call, and says how it went.
pub(crate) async fn call(
    request: ClientCompatRequest,
    channel: Channel,
) -> Result<ClientResponseResult, Refused> {
    if request.raw_request.is_set() {
        return Err(Refused("no request of other people's making".to_owned()));
    }
    if request.service.as_deref().is_some_and(|service| service != SERVICE) {
        return Err(Refused(format!("no service {:?}", request.service)));
    }
    let cancel = Cancel::default();
    let channel = configured(channel, &request)?.intercept(cancel.clone());
    let calling = Calling {
        client: ConformanceServiceClient::new(channel),
        cancel,
        headers: headers(&request)?,
        request,
    };
    match calling.request.method.as_deref().unwrap_or_default() {
        "Unary" => {
            let request = calling.only::<UnaryRequest>()?;
            Ok(calling.one(calling.client.unary(&request).headers(&calling.headers)).await)
        }
        "IdempotentUnary" => {
            let request = calling.only::<IdempotentUnaryRequest>()?;
            Ok(calling.one(calling.client.idempotent_unary(&request).headers(&calling.headers)).await)
        }
        "Unimplemented" => {
            let request = calling.only::<UnimplementedRequest>()?;
            Ok(calling.one(calling.client.unimplemented(&request).headers(&calling.headers)).await)
        }
        "ServerStream" => {
            let request = calling.only::<ServerStreamRequest>()?;
            Ok(calling.server_stream(&request).await)
        }
        "ClientStream" => Ok(calling.client_stream(&calling.all()?).await),
        "BidiStream" => Ok(calling.bidi(&calling.all()?).await),
        other => Err(Refused(format!("no method {other:?}"))),
    }
}

struct Calling {
    client: ConformanceServiceClient,
    cancel: Cancel,
    headers: Metadata,
    request: ClientCompatRequest,
}

impl Calling {
    /// A call with one request and one response.
    async fn one<A: Answer>(
        &self,
        call: impl IntoFuture<Output = ringwire_client::Result<Reply<A>>>,
    ) -> ClientResponseResult {
        self.delay().await;
        if let Some(after) = self.cancel_after_close() {
            self.cancel.after(after);
        }
        replied(call.await)
    }

    async fn server_stream(&self, request: &ServerStreamRequest) -> ClientResponseResult {
        self.delay().await;
        if let Some(after) = self.cancel_after_close() {
            self.cancel.after(after);
        }
        match self.client.server_stream(request).headers(&self.headers).await {
            Ok(mut incoming) => {
                let mut payloads = Vec::new();
                let outcome = self.receive_all(&mut incoming, &mut payloads).await;
                result(incoming.headers(), payloads, incoming.trailers(), outcome.err().as_ref())
            }
            Err(error) => failed(&error),
        }
    }

    async fn client_stream(&self, requests: &[ClientStreamRequest]) -> ClientResponseResult {
        let mut stream = match self.client.client_stream().headers(&self.headers).await {
            Ok(stream) => stream,
            Err(error) => return failed(&error),
        };
        let mut sent = 0;
        for request in requests {
            self.delay().await;
            // Why it cannot be sent, the reply knows.
            if stream.send(request).await.is_err() {
                break;
            }
            sent += 1;
        }
        match self.timing() {
            Some(CancelTiming::BeforeCloseSend(_)) => self.cancel.now(),
            _ => {
                if let Some(after) = self.cancel_after_close() {
                    self.cancel.after(after);
                }
            }
        }
        let mut result = replied(stream.finish().await);
        result.num_unsent_requests = unsent(requests.len() - sent);
        result
    }

    async fn bidi(&self, requests: &[BidiStreamRequest]) -> ClientResponseResult {
        let mut stream = match self.client.bidi_stream().headers(&self.headers).await {
            Ok(stream) => stream,
            Err(error) => return failed(&error),
        };
        let mut payloads = Vec::new();
        let mut unsent_len = 0;
        let outcome = self.converse(&mut stream, requests, &mut payloads, &mut unsent_len).await;
        let mut result = result(stream.headers(), payloads, stream.trailers(), outcome.err().as_ref());
        result.num_unsent_requests = unsent(unsent_len);
        result
    }

    async fn converse(
        &self,
        stream: &mut Bidi<BidiStreamRequest, BidiStreamResponse>,
        requests: &[BidiStreamRequest],
        payloads: &mut Vec<ConformancePayload>,
        unsent: &mut usize,
    ) -> Result<(), Error> {
        let is_full = self.request.stream_type == StreamType::STREAM_TYPE_FULL_DUPLEX_BIDI_STREAM;
        *unsent = requests.len();
        for request in requests {
            self.delay().await;
            // Why it cannot be sent, the next message says.
            if stream.send(request).await.is_err() {
                break;
            }
            *unsent -= 1;
            // The server may have less to say than the client.
            if is_full && let Some(response) = stream.next().await? {
                self.received(response, payloads);
            }
        }
        match self.timing() {
            Some(CancelTiming::BeforeCloseSend(_)) => self.cancel.now(),
            _ => {
                stream.close_send().await?;
                if let Some(after) = self.cancel_after_close() {
                    self.cancel.after(after);
                }
            }
        }
        while let Some(response) = stream.next().await? {
            self.received(response, payloads);
        }
        Ok(())
    }

    async fn receive_all<A: Answer + Message>(
        &self,
        incoming: &mut Incoming<A>,
        payloads: &mut Vec<ConformancePayload>,
    ) -> Result<(), Error> {
        while let Some(response) = incoming.next().await? {
            self.received(response, payloads);
        }
        Ok(())
    }

    /// Takes a message, and cancels if it was to be the last.
    fn received(&self, response: impl Answer, payloads: &mut Vec<ConformancePayload>) {
        payloads.push(response.payload());
        if let Some(CancelTiming::AfterNumResponses(number)) = self.timing()
            && payloads.len() == *number as usize
        {
            self.cancel.now();
        }
    }

    fn timing(&self) -> Option<&CancelTiming> {
        self.request.cancel.as_option()?.cancel_timing.as_ref()
    }

    /// Cancelling without a time is cancelling at once.
    fn cancel_after_close(&self) -> Option<Duration> {
        let ms = match &self.request.cancel.as_option()?.cancel_timing {
            Some(CancelTiming::AfterCloseSendMs(ms)) => *ms,
            Some(CancelTiming::BeforeCloseSend(_) | CancelTiming::AfterNumResponses(_)) => return None,
            None => 0,
        };
        Some(Duration::from_millis(ms.into()))
    }

    async fn delay(&self) {
        if self.request.request_delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.request.request_delay_ms.into())).await;
        }
    }

    fn only<Q: ringwire_message::buffa::Message>(&self) -> Result<Q, Refused> {
        let mut all = self.all()?;
        match (all.pop(), all.is_empty()) {
            (Some(request), true) => Ok(request),
            _ => Err(Refused("a method with one request, and not one".to_owned())),
        }
    }

    fn all<Q: ringwire_message::buffa::Message>(&self) -> Result<Vec<Q>, Refused> {
        let decoded = self.request.request_messages.iter().map(|any| Q::decode_from_slice(&any.value));
        decoded.collect::<Result<_, _>>().map_err(|error| Refused::new(&error))
    }
}

/// The channel as this one call wants it.
fn configured(channel: Channel, request: &ClientCompatRequest) -> Result<Channel, Refused> {
    let protocol = match request.protocol.as_known() {
        Some(Protocol::PROTOCOL_CONNECT) => ClientProtocol::CONNECT,
        Some(Protocol::PROTOCOL_GRPC) => ClientProtocol::GRPC,
        Some(Protocol::PROTOCOL_GRPC_WEB) => ClientProtocol::GRPC_WEB,
        _ => return Err(Refused("no such protocol".to_owned())),
    };
    let codec: &'static dyn Coding = match request.codec.as_known() {
        Some(Codec::CODEC_PROTO) => &Proto,
        Some(Codec::CODEC_JSON) => &Json,
        _ => return Err(Refused("no such codec".to_owned())),
    };
    let compression: Option<&'static dyn Compressing> = match request.compression.as_known() {
        Some(Compression::COMPRESSION_UNSPECIFIED | Compression::COMPRESSION_IDENTITY) => None,
        Some(Compression::COMPRESSION_GZIP) => Some(&Gzip),
        Some(Compression::COMPRESSION_BR) => Some(&Br),
        Some(Compression::COMPRESSION_ZSTD) => Some(&Zstd),
        Some(Compression::COMPRESSION_DEFLATE) => Some(&Deflate),
        Some(Compression::COMPRESSION_SNAPPY) => Some(&Snappy),
        None => return Err(Refused("no such compression".to_owned())),
    };
    let mut limits = Limits::default();
    if request.message_receive_limit > 0 {
        limits.receive_max = request.message_receive_limit;
    }
    let mut channel = channel
        .protocol(protocol)
        .codec(codec)
        .compression(compression)
        .compression_policy(CompressionPolicy::ALWAYS)
        .accept(Compressions::default().with(&Br).with(&Deflate).with(&Snappy))
        .limits(limits);
    if request.use_get_http_method {
        channel = channel.get(GetPolicy::Only { url_max: URL_MAX });
    }
    if let Some(timeout) = request.timeout_ms {
        channel = channel.timeout(Duration::from_millis(timeout.into()));
    }
    Ok(channel)
}

fn headers(request: &ClientCompatRequest) -> Result<Metadata, Refused> {
    let mut headers = Metadata::new();
    for header in &request.request_headers {
        for value in &header.value {
            let added = headers.append(header.name.clone(), value.clone());
            added.map_err(|error| Refused::new(&error))?;
        }
    }
    Ok(headers)
}

fn replied<A: Answer>(reply: ringwire_client::Result<Reply<A>>) -> ClientResponseResult {
    match reply {
        Ok(reply) => {
            let (message, headers, trailers) = reply.into_parts();
            result(&headers, vec![message.payload()], &trailers, None)
        }
        Err(error) => failed(&error),
    }
}

fn unsent(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

const SERVICE: &str = "connectrpc.conformance.v1.ConformanceService";
const URL_MAX: usize = 1 << 20;
