//! Webhooks: signed, retried, held, lost, doubled, turned around.

use std::sync::atomic::Ordering;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sandbox::SandboxData;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::bench::{Bench, Listener, START, WEBHOOK_SECRET, eventually, id};

const STORY: [&str; 4] =
    ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"];

async fn bench() -> (Bench, Listener) {
    let (listener, target) = Listener::start().await;
    (Bench::start_with(SandboxData::Memory, Some(target)).await, listener)
}

async fn pay(bench: &Bench) -> Value {
    let session = bench.open_session().await;
    bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    session
}

#[tokio::test]
async fn deliveries_are_signed_and_in_order() {
    let (bench, listener) = bench().await;
    bench.control("/clock", json!({ "advance_seconds": 3_600 })).await;
    pay(&bench).await;
    eventually("four deliveries", async || listener.arrived().len() == 4).await;
    assert_eq!(listener.types(), STORY);
    for arrived in listener.arrived() {
        let (time, signature) = arrived.signature.split_once(",v1=").expect("a time and a signature");
        let time = time.strip_prefix("t=").expect("a time");
        assert_eq!(time, START.to_string(), "the clock that was handed in, without the sandbox's offset");
        let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("a key");
        mac.update(format!("{time}.").as_bytes());
        mac.update(&arrived.payload);
        assert_eq!(signature, data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()));
        assert_eq!(arrived.event["created"], START + 3_600);
        let fetched = bench.get(&format!("/v1/events/{}", id(&arrived.event))).await.ok();
        assert_eq!(fetched["data"], arrived.event["data"]);
    }
}

#[tokio::test]
async fn a_refused_delivery_is_tried_again() {
    let (bench, listener) = bench().await;
    listener.refuse_next(3);
    pay(&bench).await;
    eventually("all four, some of them late", async || listener.arrived().len() == 4).await;
    let log = bench.control_get("/webhooks").await;
    let attempts: i64 = log["deliveries"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["attempts"].as_i64().expect("a number"))
        .sum();
    assert_eq!(attempts, 7);
}

#[tokio::test]
async fn held_deliveries_wait_for_their_release_in_either_order() {
    let (bench, listener) = bench().await;
    bench.control("/webhooks", json!({ "mode": "hold" })).await;
    pay(&bench).await;
    assert_eq!(bench.sandbox.drain_webhooks().await.expect("drains"), 0);
    assert!(listener.arrived().is_empty());
    assert_eq!(bench.control("/webhooks/release", json!({})).await["released"], 4);
    bench.sandbox.drain_webhooks().await.expect("drains");
    assert_eq!(listener.types(), STORY);
    pay(&bench).await;
    assert_eq!(bench.control("/webhooks/release", json!({ "order": "reverse" })).await["released"], 4);
    bench.sandbox.drain_webhooks().await.expect("drains");
    let reversed: Vec<_> = STORY.iter().rev().copied().collect();
    assert_eq!(listener.types()[4..], reversed);
}

#[tokio::test]
async fn lost_deliveries_stay_lost_but_the_event_can_be_sent_again() {
    let (bench, listener) = bench().await;
    bench.control("/webhooks", json!({ "mode": "lose" })).await;
    pay(&bench).await;
    bench.control("/webhooks", json!({ "mode": "normal" })).await;
    bench.sandbox.drain_webhooks().await.expect("drains");
    assert!(listener.arrived().is_empty());
    let events = bench.get("/v1/events?type=checkout.session.completed").await.ok();
    bench.control("/webhooks/resend", json!({ "event": id(&events["data"][0]) })).await;
    bench.sandbox.drain_webhooks().await.expect("drains");
    assert_eq!(listener.types(), ["checkout.session.completed"]);
    let unknown = bench
        .client
        .post(bench.url("/control/webhooks/resend"))
        .json(&json!({ "event": "evt_none" }))
        .send()
        .await;
    assert_eq!(unknown.expect("an answer").status(), 404);
}

#[tokio::test]
async fn duplicates_come_twice_with_one_id() {
    let (bench, listener) = bench().await;
    bench.control("/webhooks", json!({ "mode": "duplicate" })).await;
    pay(&bench).await;
    bench.sandbox.drain_webhooks().await.expect("drains");
    let ids: Vec<String> = listener.arrived().iter().map(|arrived| id(&arrived.event).to_owned()).collect();
    assert_eq!(ids.len(), 8);
    assert!(ids.chunks(2).all(|pair| pair[0] == pair[1]), "{ids:?}");
}

#[tokio::test]
async fn a_burst_can_come_newest_first() {
    let (bench, listener) = bench().await;
    bench.control("/webhooks", json!({ "mode": "reverse", "delay_ms": 300 })).await;
    pay(&bench).await;
    eventually("four deliveries", async || listener.arrived().len() == 4).await;
    let reversed: Vec<_> = STORY.iter().rev().copied().collect();
    assert_eq!(listener.types(), reversed);
}

#[tokio::test]
async fn deliveries_can_be_late() {
    let (bench, listener) = bench().await;
    bench.control("/webhooks", json!({ "mode": "normal", "delay_ms": 60_000 })).await;
    pay(&bench).await;
    let log = bench.control_get("/webhooks").await;
    assert!(log["deliveries"].as_array().expect("a list").iter().all(|line| line["state"] == "due"), "{log}");
    assert!(listener.arrived().is_empty());
    assert_eq!(bench.sandbox.drain_webhooks().await.expect("drains"), 0);
    assert_eq!(listener.types(), STORY, "a drain does not wait");
}

#[tokio::test]
async fn the_target_can_be_named_after_the_start() {
    let bench = Bench::start().await;
    pay(&bench).await;
    let (listener, target) = Listener::start().await;
    bench.sandbox.set_webhook(Some(target));
    bench.now.store(START + 5, Ordering::SeqCst);
    pay(&bench).await;
    bench.sandbox.drain_webhooks().await.expect("drains");
    assert_eq!(listener.types(), STORY, "what happened before is not told");
    assert!(listener.arrived()[0].signature.starts_with(&format!("t={}", START + 5)));
}
