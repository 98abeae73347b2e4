//! What calls, handlers and interceptors wish for, against the policy of the server.

use crate::greet::*;
use crate::support::{envelopes, now, post, routes, text};
use ringwire_compress::{CompressionPolicy, Compressions, Gzip};
use ringwire_service::{Call, Compress, Next, Requests, Response, Responses, Result, Router, Sent};

/// Says the request's name a hundred times; wishes as the request's first letter says.
struct Verbose;

fn wish(name: &str) -> Compress {
    match name.as_bytes() {
        [b'a', ..] => Compress::Always,
        [b'n', ..] => Compress::Never,
        _ => Compress::ByPolicy,
    }
}

fn answer(name: &str) -> GreetResponse {
    GreetResponse { greeting: name.repeat(100), ..Default::default() }
}

impl Greet for Verbose {
    async fn greet(&self, call: &mut Call, request: GreetRequestView<'_>) -> Result<GreetResponse> {
        if request.name != "silent" {
            call.set_compress(wish(request.name));
        }
        Ok(answer(request.name))
    }

    async fn collect_into(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, GreetRequest>,
        mut response: Response<'_, GreetResponse>,
    ) -> Result<Sent> {
        let request = requests.next().await?.unwrap();
        response.set_compress(wish(request.name));
        response.send(&answer(request.name)).await
    }

    async fn spell(
        &self,
        call: &mut Call,
        request: GreetRequestView<'_>,
        mut responses: Responses<'_, GreetResponse>,
    ) -> Result<()> {
        call.set_compress(wish(request.name));
        responses.send(&answer(request.name)).await
    }

    async fn chat(
        &self,
        _: &mut Call,
        mut requests: Requests<'_, ChatRequest>,
        mut responses: Responses<'_, ChatResponse>,
    ) -> Result<()> {
        while let Some(request) = requests.next().await? {
            responses.set_compress(wish(request.line));
            responses.send(&ChatResponse { line: request.line.repeat(100), ..Default::default() }).await?;
        }
        Ok(())
    }
}

fn router() -> Router {
    static GZIP: Gzip = Gzip;
    let router = Router::new().add(GreetServer::new(Verbose));
    router.compressions(Compressions::none().with(&GZIP))
}

/// Whether the first message of the answer is compressed.
fn is_compressed(router: Router, method: &str, name: &str) -> bool {
    let head = post(format!("/greet.v1.Greet/{method}"), "application/grpc")
        .with_field("grpc-accept-encoding", "gzip");
    let answer = now(routes(router).answer(head, envelopes(&[&text(name)])));
    answer.body[0] == 1
}

#[test]
fn a_wish_wins_over_the_policy() {
    let never = CompressionPolicy::default().with_min_size(usize::MAX);
    for method in ["Greet", "Collect", "Spell", "Chat"] {
        for (policy, name, want) in [
            (never, "always", true),
            (never, "by policy", false),
            (CompressionPolicy::ALWAYS, "never", false),
            (CompressionPolicy::ALWAYS, "by policy", true),
        ] {
            let router = router().compression_policy(policy);
            assert_eq!(is_compressed(router, method, name), want, "{method} {name}");
        }
    }
}

#[test]
fn interceptors_may_wish_too() {
    let router = || {
        router().compression_policy(CompressionPolicy::ALWAYS).intercept(
            async |call: &mut Call, next: Next<'_>| {
                call.set_compress(Compress::Never);
                next.run(call).await
            },
        )
    };
    assert!(!is_compressed(router(), "Greet", "silent"));
    // The wish of the handler comes last.
    assert!(is_compressed(router(), "Greet", "always"));
}

#[test]
fn without_a_word_of_the_application_the_standard_compressions_are_offered() {
    let router = || Router::new().add(GreetServer::new(Verbose));
    // A hundred times itself is past the policy's least size, or not.
    assert!(is_compressed(router(), "Greet", "by the policy"));
    assert!(!is_compressed(router(), "Greet", "short"));
    let none = router().compressions(Compressions::none());
    assert!(!is_compressed(none, "Greet", "by the policy"));
}
