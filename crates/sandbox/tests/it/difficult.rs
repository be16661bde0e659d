//! The rest of the ways in which a processor is difficult: spoiled answers, skewed dates, forgotten keys, late news.

use std::time::Duration;

use sandbox::{Fault, FaultKind, SandboxData};
use serde_json::json;

use crate::bench::{Bench, KEY, Listener, session_form};

const PATH: &str = "/v1/checkout/sessions";
const ROUTE: &str = "POST /v1/checkout/sessions";

#[tokio::test]
async fn a_spoiled_answer_was_given_and_can_be_had_again_with_its_key() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    for (count, fault) in [(1, FaultKind::Truncated), (2, FaultKind::InvalidJson), (3, FaultKind::SlowDrip)] {
        let key = format!("key-{count}");
        bench.sandbox.arm_fault(Fault { delay_ms: Some(200), ..Fault::once(ROUTE, fault) });
        let answer = bench.send(PATH, &form, Some(&key)).await.expect("headers come");
        assert_eq!(answer.status(), 200);
        let text = answer.text().await;
        match fault {
            FaultKind::Truncated => assert!(text.is_err(), "the body ends early"),
            FaultKind::InvalidJson => assert!(text.expect("a whole body").starts_with("<html>")),
            _ => assert!(text.expect("a whole body").contains("cs_test_")),
        }
        let again = bench.post_with_key(PATH, &form, &key).await;
        assert_eq!(again.header("idempotent-replayed"), Some("true"), "{fault:?}");
        assert_eq!(bench.sandbox.books().expect("books").sessions, count);
    }
    bench.sandbox.arm_fault(Fault { delay_ms: Some(60_000), ..Fault::once(ROUTE, FaultKind::SlowDrip) });
    let request =
        bench.client.post(bench.url(PATH)).bearer_auth(KEY).form(&form).timeout(Duration::from_millis(300));
    let answer = request.send().await.expect("headers come");
    assert!(answer.bytes().await.expect_err("the rest does not").is_timeout());
    bench.sandbox.arm_fault(Fault::once(ROUTE, FaultKind::Conflict));
    assert_eq!(
        bench.post_with_key(PATH, &form, "key-9").await.refused(409)["code"],
        "idempotency_key_in_use"
    );
    assert_eq!(bench.post_with_key(PATH, &form, "key-9").await.status, 200);
    let refused = bench
        .client
        .post(bench.url("/control/faults"))
        .json(&json!({ "route": "POST /c/pay/{id}", "fault": "invalid_json" }))
        .send()
        .await;
    assert_eq!(refused.expect("an answer").status(), 400);
}

#[tokio::test]
async fn dates_are_those_of_the_clock_and_can_be_skewed() {
    let bench = Bench::start().await;
    let answer = bench.get("/v1/account").await;
    assert_eq!(answer.header("date"), Some("Sun, 22 Nov 2026 22:00:00 GMT"));
    bench.control("/clock", json!({ "skew_seconds": -600 })).await;
    let answer = bench.get("/v1/account").await;
    assert_eq!(answer.header("date"), Some("Sun, 22 Nov 2026 21:50:00 GMT"));
}

#[tokio::test]
async fn a_forgotten_key_does_the_call_again() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    bench.post_with_key(PATH, &form, "key-1").await.ok();
    assert_eq!(bench.control("/keys/forget", json!({})).await["forgotten"], 1);
    assert_eq!(bench.post_with_key(PATH, &form, "key-1").await.header("idempotent-replayed"), None);
    assert_eq!(bench.sandbox.books().expect("books").sessions, 2);
}

#[tokio::test]
async fn a_payer_can_type_what_happens_to_the_news() {
    let (listener, target) = Listener::start().await;
    let bench = Bench::start_with(SandboxData::Memory, Some(target)).await;
    for (name, at_once, a_day_later) in
        [("Lost Webhook", 0, 0), ("Late Webhook", 0, 1), ("Double Webhook", 2, 2)]
    {
        let seen = || listener.types().iter().filter(|kind| *kind == "charge.succeeded").count();
        let before = seen();
        let session = bench.open_session().await;
        bench.pay(&session, json!({ "card": "4242424242424242", "name": name })).await;
        bench.sandbox.drain_webhooks().await.expect("drains");
        assert_eq!(seen() - before, at_once, "{name}");
        bench.advance_days(1).await;
        bench.sandbox.drain_webhooks().await.expect("drains");
        assert_eq!(seen() - before, a_day_later, "{name}");
    }
    let session = bench.open_session().await;
    bench.pay(&session, json!({ "card": "4242424242424242", "name": "Wrong Amount" })).await;
    assert_eq!(bench.session(&session).await["payment_intent"]["amount_received"], 49_999);
    bench.assert_books();
}
