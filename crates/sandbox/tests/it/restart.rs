//! A restart with the same file keeps everything.

use sandbox::SandboxData;
use serde_json::json;

use crate::bench::{Bench, Listener, id, session_form};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    let (listener, target) = Listener::start().await;
    let first = Bench::start_with(SandboxData::File(file.clone()), Some(target.clone())).await;
    let form = session_form("50000", "usd");
    let kept = first.post_with_key("/v1/checkout/sessions", &form, "key-1").await.ok();
    let open = first.open_session().await;
    first.pay(&kept, json!({ "card": "4242424242424242" })).await;
    first.control("/webhooks", json!({ "mode": "hold" })).await;
    let running = first.open_session().await;
    first
        .control("/faults", json!({ "route": "POST /c/pay/{id}", "fault": "slow", "delay_ms": 60_000 }))
        .await;
    first.pay(&running, json!({ "card": "4242424242424242" })).await;
    first.control("/clock", json!({ "advance_seconds": 60 })).await;
    first.sandbox.drain_webhooks().await.expect("drains");
    let before = first.sandbox.books().expect("books");
    let events = first.event_types().await;
    first.sandbox.shutdown().await;

    let second = Bench::start_with(SandboxData::File(file), Some(target)).await;
    assert_eq!(second.control_get("/clock").await["offset_seconds"], 60);
    let replayed = second.post_with_key("/v1/checkout/sessions", &form, "key-1").await;
    assert_eq!(replayed.header("idempotent-replayed"), Some("true"));
    assert_eq!(replayed.ok()["id"], kept["id"]);
    assert_eq!(second.session(&kept).await["status"], "complete");
    assert_eq!(second.session(&open).await["status"], "open");
    assert_eq!(
        second.session(&running).await["status"],
        "complete",
        "the charge that was under way is ended at the start"
    );
    let after = second.sandbox.books().expect("books");
    assert_eq!(after.charges_succeeded, before.charges_succeeded + 1);
    assert_eq!((after.sessions, after.payment_intents), (before.sessions, before.payment_intents));
    assert!(second.event_types().await.starts_with(&events));
    let arrived = listener.arrived().len();
    assert_eq!(
        second.control("/webhooks/release", json!({})).await["released"],
        5,
        "what was held is still held"
    );
    second.sandbox.drain_webhooks().await.expect("drains");
    assert_eq!(listener.arrived().len(), arrived + 5);
    let fresh = second.open_session().await;
    assert!(![id(&kept), id(&open), id(&running)].contains(&id(&fresh)), "ids are never given twice");
}

#[tokio::test]
async fn what_is_to_happen_later_happens_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    let first = Bench::start_with(SandboxData::File(file.clone()), None).await;
    let paid = first.debit("000123456789").await;
    let returned = first.debit("92010003").await;
    first.control("/payouts", json!({ "schedule": "daily" })).await;
    first.sandbox.shutdown().await;

    let second = Bench::start_with(SandboxData::File(file), None).await;
    assert_eq!(
        second.session(&paid).await["payment_intent"]["status"],
        "processing",
        "a start ends no debit"
    );
    second.advance_days(12).await;
    assert_eq!(second.session(&paid).await["payment_status"], "paid");
    let charge = &second.session(&returned).await["payment_intent"]["latest_charge"];
    assert_eq!(charge["disputed"], true);
    let books = second.assert_books();
    assert!(books.payouts > 0 && books.currencies["usd"].net_minor == 0, "{books:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_version_and_a_live_key_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    rusqlite::Connection::open(&file)
        .expect("a file")
        .pragma_update(None, "user_version", 99)
        .expect("a version");
    let config = |data, key: &str| sandbox::SandboxConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        data,
        secret_key: key.to_owned(),
        webhook: None,
        clock: std::sync::Arc::new(|| crate::bench::START),
        seed: 1,
        public_url: None,
    };
    let newer = sandbox::Sandbox::start(config(SandboxData::File(file), "sk_test_1")).await;
    assert!(newer.err().expect("it is refused").to_string().contains("newer"));
    let live = sandbox::Sandbox::start(config(SandboxData::Memory, "sk_live_1")).await;
    assert!(live.err().expect("it is refused").to_string().contains("sk_test_"));
}

#[tokio::test]
async fn it_stops_when_it_is_dropped() {
    let bench = Bench::start().await;
    let url = bench.url("/v1/balance");
    drop(bench.sandbox);
    crate::bench::eventually("the end", async || bench.client.get(&url).send().await.is_err()).await;
}
