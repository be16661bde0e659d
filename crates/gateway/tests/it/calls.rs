//! Every way a call can end badly, and what it proves.

use crate::support::*;
use gateway::stripe::{ConfigError, Stripe, StripeConfig};
use gateway::{CallError, Processor, SecretText, SessionFacts};
use serde_json::json;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

async fn send_to(address: &str) -> Result<SessionFacts, CallError> {
    let stripe = stripe(address);
    let call = stripe.checkout(&request()).unwrap();
    stripe.send(&call, "key").await
}

async fn sent_and_answered(template: ResponseTemplate) -> CallError {
    let server = MockServer::start().await;
    answer_with(&server, "POST", "/v1/checkout/sessions", template).await;
    let error = send_to(&server.uri()).await.unwrap_err();
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "never repeated by itself: {error}");
    error
}

fn refusal(status: u16, error: serde_json::Value) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("Request-Id", "req_7")
        .set_body_json(json!({ "error": error }))
}

#[tokio::test]
async fn a_refusal_is_definitive_and_named() {
    let invalid = json!({
        "type": "invalid_request_error", "code": "amount_too_small", "param": "line_items", "message": "Too small.",
    });
    let error = sent_and_answered(refusal(400, invalid)).await;
    assert!(error.is_definitive() && !error.may_have_happened());
    assert_eq!(
        error,
        CallError::Refused {
            status: 400,
            code: Some("amount_too_small".to_owned()),
            message: "Too small.".to_owned(),
            param: Some("line_items".to_owned()),
            request_id: Some("req_7".to_owned()),
        }
    );
    let declined = json!({ "type": "card_error", "code": "card_declined", "decline_code": "lost_card" });
    let error = sent_and_answered(refusal(402, declined)).await;
    assert!(matches!(error, CallError::Refused { status: 402, .. }), "{error}");
    let error =
        sent_and_answered(refusal(401, json!({ "message": "Invalid API Key provided: ****down" }))).await;
    assert!(matches!(error, CallError::Refused { status: 401, code: None, .. }), "{error}");
}

#[tokio::test]
async fn a_refusal_that_is_not_stripes_proves_nothing() {
    let error = sent_and_answered(ResponseTemplate::new(403).set_body_string("<h1>Forbidden</h1>")).await;
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
    assert!(!error.is_definitive() && error.may_have_happened());
}

#[tokio::test]
async fn a_key_that_was_used_for_another_body_is_no_refusal() {
    let error = sent_and_answered(refusal(400, json!({ "type": "idempotency_error" }))).await;
    assert_eq!(error, CallError::KeyReused { request_id: Some("req_7".to_owned()) });
    assert!(!error.is_definitive() && error.may_have_happened());
}

#[tokio::test]
async fn a_running_call_is_waited_for() {
    let error = sent_and_answered(refusal(409, json!({ "code": "idempotency_key_in_use" }))).await;
    assert_eq!(error, CallError::InProgress { request_id: Some("req_7".to_owned()) });
    assert!(!error.is_definitive() && error.may_have_happened());
}

#[tokio::test]
async fn a_rate_limit_says_how_long() {
    for (header, seconds) in [("7", 7), ("0", 1), ("999999", 3_600), ("soon", 1)] {
        let template = refusal(429, json!({ "code": "rate_limit" })).insert_header("Retry-After", header);
        let error = sent_and_answered(template).await;
        assert_eq!(error, CallError::RateLimited { retry_after_seconds: seconds });
        assert!(!error.is_definitive() && !error.may_have_happened());
    }
}

#[tokio::test]
async fn a_failure_inside_may_have_had_its_effect() {
    for status in [500, 502, 503, 504, 424] {
        let error = sent_and_answered(refusal(status, json!({ "type": "api_error" }))).await;
        assert_eq!(error, CallError::ServerError { status, request_id: Some("req_7".to_owned()) });
        assert!(!error.is_definitive() && error.may_have_happened());
    }
}

#[tokio::test]
async fn an_answer_that_is_no_session_is_unreadable() {
    for body in [r#"{"id":"cs_test_a1","livemode":fal"#, "", "[]", r#"{"id":"cs_test_a1"}"#] {
        let error = sent_and_answered(ResponseTemplate::new(200).set_body_string(body)).await;
        assert!(matches!(error, CallError::Unreadable(_)), "{body}: {error}");
        assert!(!error.is_definitive() && error.may_have_happened());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let mut endless = session();
    endless["padding"] = json!("x".repeat(9 * 1024 * 1024));
    let error = sent_and_answered(ResponseTemplate::new(200).set_body_json(endless)).await;
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = MockServer::start().await;
    let elsewhere =
        ResponseTemplate::new(307).insert_header("Location", format!("{}/elsewhere", server.uri()));
    answer_with(&server, "POST", "/v1/checkout/sessions", elsewhere).await;
    answer(&server, "POST", "/elsewhere", 200, session()).await;
    let error = send_to(&server.uri()).await.unwrap_err();
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_slow_answer_is_no_answer() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_body_json(session()).set_delay(Duration::from_secs(30));
    answer_with(&server, "POST", "/v1/checkout/sessions", slow).await;
    let stripe = stripe_with(&server.uri(), TEST_KEY, Duration::from_millis(200));
    let call = stripe.checkout(&request()).unwrap();
    let error = stripe.send(&call, "key").await.unwrap_err();
    assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
    assert!(!error.is_definitive() && error.may_have_happened());
}

#[tokio::test]
async fn a_refused_connection_was_never_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = send_to(&address).await.unwrap_err();
    assert!(matches!(error, CallError::NotSent(_)), "{error}");
    assert!(!error.is_definitive() && !error.may_have_happened());
}

/// Accepts one connection, reads a request, writes this and hangs up.
async fn hang_up_after(written: &'static str) -> CallError {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 64 * 1024];
        assert!(connection.read(&mut request).await.unwrap() > 0);
        connection.write_all(written.as_bytes()).await.unwrap();
    });
    let error = send_to(&address).await.unwrap_err();
    server.await.unwrap();
    error
}

#[tokio::test]
async fn a_connection_lost_after_sending_is_no_answer() {
    for written in ["", "HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n{\"id\":\"cs_test_a1\","] {
        let error = hang_up_after(written).await;
        assert!(matches!(error, CallError::NoAnswer(_)), "{error}");
        assert!(error.may_have_happened());
    }
}

#[tokio::test]
async fn live_and_test_never_mix() {
    let server = MockServer::start().await;
    let mut live = session();
    live["livemode"] = json!(true);
    answer(&server, "GET", "/v1/checkout/sessions/cs_test_a1", 200, live).await;
    let error = stripe(&server.uri()).read_session(SESSION).await.unwrap_err();
    assert_eq!(error, CallError::WrongMode { expected_live: false });
    assert_eq!(error.to_string(), "the key is test, the answer is live");

    for part in ["payment_intent", "latest_charge"] {
        let server = MockServer::start().await;
        let mut mixed = session_with("complete", paid_intent());
        match part {
            "payment_intent" => mixed["payment_intent"]["livemode"] = json!(true),
            _ => mixed["payment_intent"]["latest_charge"]["livemode"] = json!(true),
        }
        answer(&server, "GET", "/v1/checkout/sessions/cs_test_a1", 200, mixed).await;
        let error = stripe(&server.uri()).read_session(SESSION).await.unwrap_err();
        assert_eq!(error, CallError::WrongMode { expected_live: false }, "{part}");
    }
}

#[tokio::test]
async fn an_id_from_outside_is_no_path() {
    let server = MockServer::start().await;
    let stripe = stripe(&server.uri());
    for id in ["", "cs_1/../../v1/account", "cs_1?expand[]=x", "cs_1%2f", "cs 1", &"a".repeat(256)] {
        assert!(matches!(stripe.read_session(id).await, Err(CallError::NotSent(_))), "{id}");
        assert!(matches!(stripe.expire_session(id, "key").await, Err(CallError::NotSent(_))), "{id}");
        assert!(matches!(stripe.read_payment_intent(id).await, Err(CallError::NotSent(_))), "{id}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[test]
fn a_key_says_its_mode_and_never_crosses_a_network_in_the_clear() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let connect = |key: &str, address: &str| {
        let mut config = StripeConfig::new(SecretText::from(key));
        config.address = address.to_owned();
        assert!(key.is_empty() || !format!("{config:?}").contains(key), "a key is never printed");
        Stripe::try_new(config).map(|stripe| stripe.is_live())
    };
    let stripe = "https://api.stripe.com";
    for (key, live) in [("sk_test_1", false), ("rk_test_1", false), ("sk_live_1", true), ("rk_live_1", true)]
    {
        assert_eq!(connect(key, stripe).unwrap(), live, "{key}");
    }
    for wrong in
        ["", "sk_test_", "pk_test_1", "pk_live_1", "whsec_1", "sk_prod_1", "sk_live_1\n", "sk_live_1 "]
    {
        assert!(matches!(connect(wrong, stripe), Err(ConfigError::NotASecretKey)), "{wrong:?}");
    }
    for local in ["http://127.0.0.1:4001", "http://localhost:4001", "http://[::1]:4001"] {
        assert!(!connect("sk_test_1", local).unwrap());
        assert!(matches!(connect("sk_live_1", local), Err(ConfigError::Plain(_))));
    }
    assert!(matches!(connect("sk_test_1", "http://10.0.0.7:4001"), Err(ConfigError::Plain(_))));
    for wrong in ["", "api.stripe.com", "ftp://api.stripe.com", "https://api.stripe.com/v1", "https://x/?y=1"]
    {
        assert!(matches!(connect("sk_test_1", wrong), Err(ConfigError::Address(_))), "{wrong:?}");
    }
}

#[tokio::test]
async fn the_difference_of_the_clocks_is_noticed_at_every_answer() {
    let server = MockServer::start().await;
    let dated = |date: &str| refusal(404, json!({ "message": "none" })).insert_header("Date", date);
    let mock = |template: ResponseTemplate| {
        Mock::given(method("GET")).and(path("/v1/account")).respond_with(template).up_to_n_times(1)
    };
    mock(dated("Tue, 14 Nov 2023 22:13:20 GMT")).mount(&server).await;
    mock(dated("Tue, 14 Nov 2023 22:14:50 GMT")).mount(&server).await;
    mock(dated("some day")).mount(&server).await;
    assert_eq!(stripe(&server.uri()).clock_skew(), None);
    let stripe = stripe(&server.uri()).with_clock(|| at(1_700_000_060));
    assert_eq!(stripe.clock_skew(), None, "nothing was asked yet");
    for seconds in [60, -30, -30] {
        assert!(stripe.account().await.is_err());
        assert_eq!(
            stripe.clock_skew().map(|skew| skew.as_secs()),
            Some(seconds),
            "an error tells the time too"
        );
    }
}
