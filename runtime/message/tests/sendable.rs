//! What can be sent where a message is expected, and that the compiler finds out which by itself.

use buffa::OwnedView;
use buffa_types::google::protobuf::__buffa::view::{StringValueOwnedView, StringValueView};
use buffa_types::google::protobuf::StringValue;
use bytes::{Bytes, BytesMut};
use ringwire_message::{Codec, DecodeLimits, Encode, Json, Message, PreEncoded, Proto, Raw, RawView};
use std::marker::PhantomData;

/// What a service's `Responses<'_, M>` looks like from here.
struct Responses<M>(BytesMut, PhantomData<fn() -> M>);

impl<M: Message> Responses<M> {
    async fn send<K>(&mut self, codec: &'static dyn Codec, message: &impl Encode<M, K>) {
        std::future::ready(()).await;
        message.encode(codec, usize::MAX, &mut self.0).expect("valid");
    }

    /// Generic code that knows of `M` only that it is a message.
    async fn echo(&mut self, codec: &'static dyn Codec, body: Bytes) {
        let limits = DecodeLimits::default();
        let body = M::viewable(codec, body, &limits).expect("valid");
        let view = M::view(&body, &limits).expect("valid");
        self.send(codec, &view).await;
        let owned = M::owned(&Proto, body.clone(), &limits).expect("valid");
        self.send(codec, &owned).await;
    }
}

fn now<T>(future: impl Future<Output = T> + Send) -> T {
    match std::pin::pin!(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("nothing here waits"),
    }
}

fn check<M: Message, K>(message: &impl Encode<M, K>, proto: &[u8], json: &str) {
    let mut responses = Responses(BytesMut::new(), PhantomData);
    now(responses.send(&Proto, message));
    assert_eq!(responses.0, proto);
    responses.0.clear();
    now(responses.send(&Json, message));
    assert_eq!(responses.0, json);
}

const PROTO: &[u8] = b"\x0a\x02hi";
const JSON: &str = "\"hi\"";

#[test]
fn a_message_its_views_and_its_bytes_are_sent_alike() {
    let body = Bytes::from_static(PROTO);
    check::<StringValue, _>(&StringValue { value: "hi".into(), ..Default::default() }, PROTO, JSON);
    check::<StringValue, _>(&StringValueView { value: "hi", ..Default::default() }, PROTO, JSON);
    let shared = OwnedView::<StringValueView<'static>>::decode(body.clone()).expect("valid");
    check::<StringValue, _>(&shared, PROTO, JSON);
    check::<StringValue, _>(&StringValueOwnedView::decode(body.clone()).expect("valid"), PROTO, JSON);
    check::<StringValue, _>(&PreEncoded::proto(body.clone()), PROTO, JSON);
    check::<StringValue, _>(&PreEncoded::json(JSON), PROTO, JSON);
    check::<StringValue, _>(&PreEncoded::new(&shared).expect("valid"), PROTO, JSON);
}

#[test]
fn a_raw_message_is_sent_untouched_in_every_codec() {
    let body = Bytes::from_static(b"any\x01thing");
    check::<Raw, _>(&Raw(body.clone()), &body, "any\u{1}thing");
    check::<Raw, _>(&RawView(&body), &body, "any\u{1}thing");
}

#[test]
fn generic_code_can_send_what_it_received() {
    let mut responses = Responses::<StringValue>(BytesMut::new(), PhantomData);
    now(responses.echo(&Json, Bytes::from_static(JSON.as_bytes())));
    assert_eq!(responses.0, "\"hi\"\"hi\"");
}
