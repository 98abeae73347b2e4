//! Calls of every shape, in every protocol and codec.

use crate::greet::*;
use crate::support::*;
use ringwire_client::{Channel, Code, EndedByServer, Result};
use ringwire_compress::{Compression, CompressionPolicy, Compressions, Gzip, Zstd};
use ringwire_local::LocalChannel;
use ringwire_service::Router;

/// Calls over channels of every kind.
#[track_caller]
fn check(calls: impl AsyncFn(GreetClient) -> Result<()>) {
    let policy = CompressionPolicy { min_size: Some(0), ..Default::default() };
    let plain: Option<&'static dyn Compression> = None;
    for compression in [plain, Some(&Gzip), Some(&Zstd)] {
        let mut router = Router::new().add(GreetServer::new(Greeter)).compression_policy(policy);
        if compression.is_some() {
            router = router.compressions(Compressions::default());
        }
        let channel = Channel::local(router).compression(compression).compression_policy(policy);
        for protocol in PROTOCOLS {
            for codec in CODECS {
                let channel = channel.clone().protocol(protocol).codec(codec);
                let client = GreetClient::new(channel);
                if let Err(error) = now(async { calls(client.clone()).await }) {
                    panic!("{client:?} with {compression:?}: {error:?}");
                }
            }
        }
    }
}

#[test]
fn unary_calls_are_answered() {
    check(async |greet| {
        let reply = greet.greet(&request("Ada")).header("x-team", "rings").await?;
        assert_eq!(reply.greeting, "Hello, Ada!");
        assert_eq!(reply.headers().get_str("served-by")?, "greeter");
        assert_eq!(reply.trailers().get_str("served-for")?, "rings");
        Ok(())
    });
}

#[test]
fn replies_can_be_views() {
    check(async |greet| {
        let reply = greet.greet(&GreetRequestView { name: "Ada", ..Default::default() }).view().await?;
        assert_eq!(reply.greeting(), "Hello, Ada!");
        Ok(())
    });
}

#[test]
fn errors_come_with_code_message_and_metadata() {
    check(async |greet| {
        let error = greet.greet(&request("")).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, "a greeting needs a name"));
        assert_eq!(error.metadata().get_str("served-for")?, "nobody");
        // Whether a stream fails when it begins, or at its first message, is up to the protocol.
        let error = async { greet.spell(&request("")).await?.next().await }.await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, "a greeting needs a name"));
        Ok(())
    });
}

#[test]
fn server_streams_come_message_by_message() {
    check(async |greet| {
        let mut letters = greet.spell(&request("Ada")).await?;
        assert_eq!(letters.headers().get_str("served-by")?, "greeter");
        let mut word = String::new();
        while let Some(letter) = letters.next().await? {
            word += &letter.greeting;
        }
        assert_eq!(word, "Ada");
        assert_eq!(letters.trailers().get_str("served-for")?, "Ada");
        assert!(letters.next().await?.is_none(), "an end stays an end");
        Ok(())
    });
}

#[test]
fn server_streams_fail_after_what_was_sent() {
    check(async |greet| {
        let mut letters = greet.spell(&request("A!")).await?;
        assert_eq!(letters.next_view().await?.unwrap().greeting, "A");
        for _ in 0..2 {
            assert_eq!(letters.next().await.unwrap_err().code(), Code::OutOfRange);
        }
        Ok(())
    });
}

#[test]
fn client_streams_have_one_reply() {
    check(async |greet| {
        let mut names = greet.collect().await?;
        for name in ["Ada", "Grace"] {
            names.send(&request(name)).await?;
        }
        let reply = names.finish().await?;
        assert_eq!(reply.greeting, "Ada and Grace");
        assert_eq!(reply.trailers().get_str("served-for")?, "all");
        Ok(())
    });
}

#[test]
fn a_client_stream_can_be_empty() {
    check(async |greet| {
        assert_eq!(greet.collect().await?.finish().await?.greeting, "");
        Ok(())
    });
}

#[test]
fn a_send_to_a_server_that_has_failed_says_how() {
    check(async |greet| {
        let mut names = greet.collect().await?;
        let mut sent = names.send(&request("stop")).await;
        while sent.is_ok() {
            sent = names.send(&request("more")).await;
        }
        assert_eq!(sent.unwrap_err().code(), Code::FailedPrecondition);
        assert_eq!(names.finish().await.unwrap_err().code(), Code::FailedPrecondition);
        Ok(())
    });
}

#[test]
fn a_send_to_a_server_that_has_answered_says_that_it_is_over() {
    check(async |greet| {
        let mut names = greet.collect().await?;
        names.send(&request("Ada")).await?;
        let mut sent = names.send(&request("enough")).await;
        while sent.is_ok() {
            sent = names.send(&request("more")).await;
        }
        assert!(sent.unwrap_err().source().unwrap().is::<EndedByServer>());
        assert_eq!(names.finish().await?.greeting, "Ada");
        Ok(())
    });
}

#[test]
fn both_ends_of_a_bidi_call_talk_in_turn() {
    check(async |greet| {
        let mut chat = greet.chat().await?;
        for text in ["a", "b"] {
            chat.send(&line(text)).await?;
            assert_eq!(chat.next().await?.unwrap().line, text.to_uppercase());
        }
        chat.close_send().await?;
        assert!(chat.next().await?.is_none());
        Ok(())
    });
}

#[test]
fn a_bidi_call_can_send_everything_first() {
    check(async |greet| {
        let mut chat = greet.chat().await?;
        for number in 0..1000 {
            chat.send(&line(&number.to_string())).await?;
        }
        chat.close_send().await?;
        for number in 0..1000 {
            assert_eq!(chat.next_view().await?.unwrap().line, number.to_string());
        }
        assert!(chat.next().await?.is_none());
        Ok(())
    });
}
