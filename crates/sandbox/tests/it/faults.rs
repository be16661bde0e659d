//! Each fault does what it says, before or after the effect, and is used up.

use std::time::Duration;

use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::bench::{Bench, session_form};

const PATH: &str = "/v1/checkout/sessions";
const ROUTE: &str = "POST /v1/checkout/sessions";

fn short(fault: FaultKind) -> Fault {
    Fault { delay_ms: Some(20), ..Fault::once(ROUTE, fault) }
}

fn sessions(bench: &Bench) -> i64 {
    bench.sandbox.books().expect("books").sessions
}

#[tokio::test]
async fn a_timeout_before_the_effect_leaves_nothing() {
    let bench = Bench::start().await;
    bench.sandbox.arm_fault(short(FaultKind::TimeoutBefore));
    let form = session_form("50000", "usd");
    bench.send(PATH, &form, Some("key-1")).await.expect_err("no answer comes");
    assert_eq!(sessions(&bench), 0);
    let resent = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!(resent.header("idempotent-replayed"), None);
    assert_eq!((resent.status, sessions(&bench)), (200, 1));
}

#[tokio::test]
async fn a_timeout_after_the_effect_can_be_resent_with_its_key() {
    let bench = Bench::start().await;
    bench.sandbox.arm_fault(Fault { times: 2, ..short(FaultKind::TimeoutAfter) });
    let form = session_form("50000", "usd");
    bench.send(PATH, &form, Some("key-1")).await.expect_err("no answer comes");
    assert_eq!(sessions(&bench), 1);
    bench.send(PATH, &form, Some("key-1")).await.expect_err("none comes the second time");
    let resent = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!(resent.header("idempotent-replayed"), Some("true"));
    assert_eq!((resent.status, sessions(&bench)), (200, 1));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_stop_the_call() {
    let bench = Bench::start().await;
    bench.sandbox.arm_fault(Fault { delay_ms: Some(300), ..Fault::once(ROUTE, FaultKind::Slow) });
    let form = session_form("50000", "usd");
    let impatient = bench.client.post(bench.url(PATH)).bearer_auth(crate::bench::KEY).form(&form);
    let error = impatient.timeout(Duration::from_millis(100)).send().await.expect_err("the caller gives up");
    assert!(error.is_timeout());
    crate::bench::eventually("the session", async || sessions(&bench) == 1).await;
}

#[tokio::test]
async fn a_500_is_kept_under_its_key_for_ever() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    bench.sandbox.arm_fault(short(FaultKind::Status500Before));
    assert_eq!(bench.post_with_key(PATH, &form, "key-1").await.refused(500)["type"], "api_error");
    let again = bench.post_with_key(PATH, &form, "key-1").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (500, Some("true")));
    assert_eq!(sessions(&bench), 0);
    bench.sandbox.arm_fault(short(FaultKind::Status500After));
    bench.post_with_key(PATH, &form, "key-2").await.refused(500);
    bench.post_with_key(PATH, &form, "key-2").await.refused(500);
    assert_eq!(sessions(&bench), 1, "it was done, whatever the answer says");
    let listed = bench.get("/v1/checkout/sessions").await.ok();
    assert_eq!(listed["data"][0]["client_reference_id"], "att_1");
}

#[tokio::test]
async fn a_429_is_not_kept() {
    let bench = Bench::start().await;
    let form = session_form("50000", "usd");
    bench.control("/faults", json!({ "route": ROUTE, "fault": "429", "times": 2 })).await;
    for _ in 0..2 {
        let refused = bench.post_with_key(PATH, &form, "key-1").await;
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(refused.refused(429)["code"], "rate_limit");
    }
    bench.post_with_key(PATH, &form, "key-1").await.ok();
    assert_eq!(sessions(&bench), 1);
}

#[tokio::test]
async fn a_reset_cuts_the_connection() {
    let bench = Bench::start().await;
    bench.sandbox.arm_fault(short(FaultKind::Reset));
    let error = bench.send(PATH, &session_form("50000", "usd"), None).await.expect_err("no answer comes");
    assert!(error.is_request(), "{error:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    let mut is_reset = false;
    while let Some(error) = cause {
        is_reset |= error
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset);
        cause = error.source();
    }
    assert!(is_reset, "the socket was reset, not closed in order: {error:?}");
    assert_eq!(sessions(&bench), 0);
}

#[tokio::test]
async fn faults_hit_reads_and_pages_too_and_can_be_disarmed() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    let path = format!("/v1/checkout/sessions/{}", crate::bench::id(&session));
    bench
        .control(
            "/faults",
            json!({ "route": "GET /v1/checkout/sessions/{id}", "fault": "status_500_before" }),
        )
        .await;
    bench.get(&path).await.refused(500);
    bench.get(&path).await.ok();

    let page = bench.browse(session["url"].as_str().expect("an address")).await;
    let form = [
        ("token", page.value("token")),
        ("card-number", "4242424242424242".into()),
        ("expiry", "12/34".into()),
        ("code", "123".into()),
        ("name", "Dana".into()),
    ];
    bench
        .control("/faults", json!({ "route": "POST /c/pay/{id}", "fault": "timeout_before", "delay_ms": 20 }))
        .await;
    bench.client.post(&page.address).form(&form).send().await.expect_err("no answer comes");
    assert_eq!(bench.sandbox.books().expect("books").charges, 0);
    bench
        .control("/faults", json!({ "route": "POST /c/pay/{id}", "fault": "timeout_after", "delay_ms": 20 }))
        .await;
    bench.client.post(&page.address).form(&form).send().await.expect_err("no answer comes");
    assert_eq!(bench.sandbox.books().expect("books").charges_succeeded, 1);

    bench.control("/faults", json!({ "route": ROUTE, "fault": "reset" })).await;
    let disarmed = bench.client.delete(bench.url("/control/faults")).send().await.expect("an answer");
    assert_eq!(disarmed.json::<Value>().await.expect("JSON"), json!({ "faults": [] }));
    bench.open_session().await;
    let refused = bench
        .client
        .post(bench.url("/control/faults"))
        .json(&json!({ "route": ROUTE, "fault": "fire" }))
        .send()
        .await;
    assert_eq!(refused.expect("an answer").status(), 400);
}
