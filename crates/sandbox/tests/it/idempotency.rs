//! Idempotency keys.

use serde_json::json;

use crate::bench::{Bench, eventually, id, session_form};

const PATH: &str = "/v1/checkout/sessions";

#[tokio::test]
async fn the_same_key_and_request_get_the_same_answer() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    let first = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let first_request = first.header("request-id").expect("an id").to_owned();
    let second = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.header("original-request"), Some(first_request.as_str()));
    assert_eq!(first.ok(), second.ok());
    assert_eq!(bench.sandbox.books().expect("books").sessions, 1);
    let other = bench.post_with_key(PATH, &form, "key-2").await.ok();
    assert_eq!(bench.sandbox.books().expect("books").sessions, 2);
    assert!(id(&other).starts_with("cs_test_"));
}

#[tokio::test]
async fn another_request_under_the_same_key_is_refused() {
    let bench = Bench::start().await;
    bench.post_with_key(PATH, &session_form("50000", "usd"), "key-1").await.ok();
    let error = bench.post_with_key(PATH, &session_form("50001", "usd"), "key-1").await.refused(400);
    assert_eq!(error["type"], "idempotency_error");
    let error = bench.post_with_key("/v1/customers", &[("name", "Acme")], "key-1").await.refused(400);
    assert_eq!(error["type"], "idempotency_error");
    assert_eq!(bench.sandbox.books().expect("books").sessions, 1);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    bench.post_with_key(PATH, &form, "key-1").await.ok();
    bench.control("/clock", json!({ "advance_seconds": 24 * 60 * 60 - 1 })).await;
    assert_eq!(bench.post_with_key(PATH, &form, "key-1").await.header("idempotent-replayed"), Some("true"));
    bench.control("/clock", json!({ "advance_seconds": 1 })).await;
    assert_eq!(bench.post_with_key(PATH, &form, "key-1").await.header("idempotent-replayed"), None);
    assert_eq!(bench.sandbox.books().expect("books").sessions, 2);
}

#[tokio::test]
async fn a_key_whose_call_is_under_way_is_a_409_that_is_not_kept() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    bench
        .control("/faults", json!({ "route": format!("POST {PATH}"), "fault": "slow", "delay_ms": 1_500 }))
        .await;
    let first = bench.post_with_key(PATH, &form, "key-1");
    let second = async {
        eventually("the fault being used", async || {
            bench.control_get("/faults").await["faults"] == json!([])
        })
        .await;
        bench.post_with_key(PATH, &form, "key-1").await.refused(409)
    };
    let (first, error) = tokio::join!(first, second);
    assert_eq!(error["code"], "idempotency_key_in_use");
    let replayed = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.ok(), replayed.ok());
    assert_eq!(bench.sandbox.books().expect("books").sessions, 1);
}

#[tokio::test]
async fn refusals_before_execution_are_not_kept_and_declines_are() {
    let bench = Bench::start().await;
    bench.post_with_key(PATH, &session_form("49", "usd"), "key-1").await.refused(400);
    bench.post_with_key(PATH, &session_form("50", "usd"), "key-1").await.ok();
    let form = [
        ("amount", "5000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa_chargeDeclined"),
        ("confirm", "true"),
    ];
    let first = bench.post_with_key("/v1/payment_intents", &form, "key-2").await.refused(402);
    let second = bench.post_with_key("/v1/payment_intents", &form, "key-2").await;
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(second.refused(402), first);
    assert_eq!(bench.sandbox.books().expect("books").charges, 1);
}
