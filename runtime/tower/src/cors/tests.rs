use std::convert::Infallible;
use std::future::{Ready, ready};

use http::header::{AUTHORIZATION, CONTENT_TYPE};

use super::*;

/// Answers everything with 200 and one header of its own.
#[derive(Clone)]
struct Ok200;

impl Service<Request<()>> for Ok200 {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::builder().header(VARY, "accept-encoding").body("called".into()).unwrap()))
    }
}

/// Sends `method` with `headers`; compares the status and the headers that CORS is about, sorted.
async fn check(cors: Cors, method: Method, headers: &[(&str, &str)], status: u16, expected: &[&str]) {
    let mut request = Request::builder().method(method).uri("/");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut service = cors.layer(Ok200);
    let response = service.call(request.body(()).unwrap()).await.unwrap();
    assert_eq!(response.status().as_u16(), status);
    let mut lines: Vec<_> = response
        .headers()
        .iter()
        .filter(|(name, _)| *name == VARY || name.as_str().starts_with("access-control-"))
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_preflight_is_answered_for_an_allowed_origin() {
    check(
        Cors::origins(["https://app.example", "https://two.example"]),
        Method::OPTIONS,
        &[("origin", "https://two.example"), ("access-control-request-method", "POST")],
        204,
        &[
            &format!("access-control-allow-headers: {}", browser::REQUEST_HEADERS),
            "access-control-allow-methods: GET, POST",
            "access-control-allow-origin: https://two.example",
            "access-control-max-age: 7200",
            "vary: origin",
        ],
    )
    .await;
}

#[tokio::test]
async fn a_preflight_from_elsewhere_allows_nothing() {
    for origin in ["https://app.example.evil", "http://app.example", "https://app.example:8443", "null", "*"]
    {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        check(Cors::origins(["https://app.example"]), Method::OPTIONS, &headers, 204, &["vary: origin"])
            .await;
    }
}

#[tokio::test]
async fn a_call_from_an_allowed_origin_is_exposed() {
    check(
        Cors::origins(["https://app.example"]),
        Method::POST,
        &[("origin", "https://app.example")],
        200,
        &[
            "access-control-allow-origin: https://app.example",
            &format!("access-control-expose-headers: {}", browser::RESPONSE_HEADERS),
            "vary: accept-encoding",
            "vary: origin",
        ],
    )
    .await;
}

#[tokio::test]
async fn other_calls_pass_through_and_still_vary() {
    let cors = Cors::origins(["https://app.example"]);
    check(cors.clone(), Method::POST, &[], 200, &["vary: accept-encoding", "vary: origin"]).await;
    let headers = [("origin", "https://evil.example")];
    check(cors.clone(), Method::POST, &headers, 200, &["vary: accept-encoding", "vary: origin"]).await;
    // Not a preflight: the service may have an answer of its own.
    check(cors, Method::OPTIONS, &[], 200, &["vary: accept-encoding", "vary: origin"]).await;
}

#[tokio::test]
async fn any_origin_is_the_same_answer_for_all() {
    check(
        Cors::any_origin(),
        Method::GET,
        &[("origin", "null")],
        200,
        &[
            "access-control-allow-origin: *",
            &format!("access-control-expose-headers: {}", browser::RESPONSE_HEADERS),
            "vary: accept-encoding",
        ],
    )
    .await;
}

#[tokio::test]
async fn credentials_and_own_headers_are_told() {
    let cors = Cors::origins_with_credentials(["https://app.example"])
        .request_headers([AUTHORIZATION, CONTENT_TYPE])
        .response_headers([HeaderName::from_static("x-served-by"), HeaderName::from_static("trailer-x-cost")])
        .max_age(Duration::from_secs(60));
    check(
        cors.clone(),
        Method::OPTIONS,
        &[("origin", "https://app.example"), ("access-control-request-method", "GET")],
        204,
        &[
            "access-control-allow-credentials: true",
            &format!(
                "access-control-allow-headers: {}, authorization, content-type",
                browser::REQUEST_HEADERS
            ),
            "access-control-allow-methods: GET, POST",
            "access-control-allow-origin: https://app.example",
            "access-control-max-age: 60",
            "vary: origin",
        ],
    )
    .await;
    check(
        cors,
        Method::POST,
        &[("origin", "https://app.example")],
        200,
        &[
            "access-control-allow-credentials: true",
            "access-control-allow-origin: https://app.example",
            &format!(
                "access-control-expose-headers: {}, x-served-by, trailer-x-cost",
                browser::RESPONSE_HEADERS
            ),
            "vary: accept-encoding",
            "vary: origin",
        ],
    )
    .await;
}
