//! Checkout sessions: what is refused, how one expires, how lists and expansion read.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::bench::{Bench, START, eventually, id, items, session_form};

#[tokio::test]
async fn a_new_session_is_open_unpaid_and_has_no_payment_intent() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    assert_eq!(session["status"], "open");
    assert_eq!(session["payment_status"], "unpaid");
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["amount_total"], 50_000);
    assert_eq!(session["client_reference_id"], "att_1");
    assert_eq!(session["metadata"], json!({ "attempt": "att_1" }));
    assert_eq!(session["adaptive_pricing"]["enabled"], false);
    assert_eq!(session["expires_at"], START + 24 * 60 * 60);
    assert_eq!(session["url"], bench.url(&format!("/c/pay/{}", id(&session))));
}

#[tokio::test]
async fn what_is_wrong_with_a_session_is_named() {
    let bench = Bench::start().await;
    let (soon, late) = ((START + 28 * 60).to_string(), (START + 24 * 60 * 60 + 61).to_string());
    let table: &[(&str, Option<&str>, &str, Option<&str>)] = &[
        ("mode", None, "mode", Some("parameter_missing")),
        ("mode", Some("subscription"), "mode", None),
        ("success_url", None, "success_url", Some("parameter_missing")),
        ("success_url", Some("javascript:alert(1)"), "success_url", Some("url_invalid")),
        ("line_items[0][quantity]", None, "line_items[0][quantity]", Some("parameter_missing")),
        (
            "line_items[0][price_data][unit_amount]",
            Some("49"),
            "line_items[0][price_data][unit_amount]",
            Some("amount_too_small"),
        ),
        (
            "line_items[0][price_data][unit_amount]",
            Some("5.00"),
            "line_items[0][price_data][unit_amount]",
            Some("parameter_invalid_integer"),
        ),
        ("line_items[0][price_data][currency]", Some("xyz"), "line_items[0][price_data][currency]", None),
        ("expires_at", Some(&soon), "expires_at", None),
        ("expires_at", Some(&late), "expires_at", None),
        ("payment_method_types[0]", Some("bacs_debit"), "payment_method_types", None),
        ("customer", Some("cus_1"), "customer_email", None),
        ("customer_email", Some("nobody"), "customer_email", Some("email_invalid")),
        ("colour", Some("blue"), "colour", Some("parameter_unknown")),
        (
            "payment_intent_data[colour]",
            Some("blue"),
            "payment_intent_data[colour]",
            Some("parameter_unknown"),
        ),
    ];
    for (name, value, param, code) in table {
        let mut form = session_form("50000", "usd");
        form.retain(|(given, _)| given != name);
        form.extend(value.map(|value| (*name, value)));
        let error = bench.post("/v1/checkout/sessions", &form).await.refused(400);
        assert_eq!(error["type"], "invalid_request_error", "{name}={value:?}");
        assert_eq!(error["param"], *param, "{name}={value:?}: {error}");
        assert_eq!(error["code"].as_str(), *code, "{name}={value:?}: {error}");
    }
    assert_eq!(bench.sandbox.books().expect("books").sessions, 0, "a refused call leaves nothing");
}

#[tokio::test]
async fn a_session_expires_by_the_clock_and_its_payment_intent_is_canceled() {
    let bench = Bench::start().await;
    let half_an_hour = (START + 30 * 60).to_string();
    let mut form = session_form("50000", "usd");
    form.push(("expires_at", &half_an_hour));
    let session = bench.post("/v1/checkout/sessions", &form).await.ok();
    bench.pay(&session, json!({ "card": "4000002500003155", "challenge": "nothing" })).await;
    assert_eq!(bench.session(&session).await["payment_intent"]["status"], "requires_action");
    bench.control("/clock", json!({ "advance_seconds": 30 * 60 - 1 })).await;
    assert_eq!(bench.session(&session).await["status"], "open");
    bench.control("/clock", json!({ "advance_seconds": 1 })).await;
    let expired = bench.session(&session).await;
    assert_eq!(expired["status"], "expired");
    assert_eq!(expired["url"], json!(null));
    assert_eq!(expired["payment_intent"]["status"], "canceled");
    let types = bench.event_types().await;
    assert_eq!(types[types.len() - 2..], ["payment_intent.canceled", "checkout.session.expired"]);
    let page = bench.browse(&bench.url(&format!("/c/pay/{}", id(&session)))).await;
    assert_eq!(page.texts("h1"), ["This page has expired"]);
    assert_eq!(page.attribute("main a", "href").as_deref(), Some("http://127.0.0.1:9/cancel"));
}

#[tokio::test]
async fn the_sweeper_tells_of_an_expiry_that_nobody_asks_about() {
    let (listener, target) = crate::bench::Listener::start().await;
    let bench = Bench::start_with(sandbox::SandboxData::Memory, Some(target)).await;
    bench.open_session().await;
    bench.now.store(START + 25 * 60 * 60, Ordering::SeqCst);
    eventually("the webhook of the expiry", async || listener.types() == ["checkout.session.expired"]).await;
}

#[tokio::test]
async fn an_open_session_can_be_expired_once_and_a_paid_one_cannot() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    let path = format!("/v1/checkout/sessions/{}/expire", id(&session));
    bench.pay(&session, json!({ "card": "4000000000000002" })).await;
    let expired = bench.post(&path, &[("expand[]", "payment_intent")]).await.ok();
    assert_eq!(expired["status"], "expired");
    assert_eq!(expired["payment_intent"]["status"], "canceled");
    let error = bench.post(&path, &[]).await.refused(400);
    assert!(error["message"].as_str().expect("a text").contains("status of expired"), "{error}");

    let paid = bench.open_session().await;
    bench.pay(&paid, json!({ "card": "4242424242424242" })).await;
    let error = bench.post(&format!("/v1/checkout/sessions/{}/expire", id(&paid)), &[]).await.refused(400);
    assert!(error["message"].as_str().expect("a text").contains("status of complete"), "{error}");
}

#[tokio::test]
async fn lists_are_newest_first_in_pages_and_can_be_filtered() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for index in 0..5 {
        bench.now.store(START + index, Ordering::SeqCst);
        ids.push(id(&bench.open_session().await).to_owned());
    }
    ids.reverse();
    let first = bench.get("/v1/checkout/sessions?limit=2").await.ok();
    assert_eq!((id(&first["data"][0]), id(&first["data"][1])), (ids[0].as_str(), ids[1].as_str()));
    assert_eq!(first["has_more"], true);
    let second = bench.get(&format!("/v1/checkout/sessions?limit=3&starting_after={}", ids[1])).await.ok();
    assert_eq!(items(&second).iter().map(id).collect::<Vec<_>>(), ids[2..]);
    assert_eq!(second["has_more"], false);
    let back = bench.get(&format!("/v1/checkout/sessions?limit=1&ending_before={}", ids[2])).await.ok();
    assert_eq!(items(&back).iter().map(id).collect::<Vec<_>>(), [ids[1].as_str()]);
    assert_eq!(back["has_more"], true);
    let recent = bench.get(&format!("/v1/checkout/sessions?created[gte]={}", START + 3)).await.ok();
    assert_eq!(items(&recent).len(), 2);
    bench.control(&format!("/sessions/{}/pay", ids[4]), json!({ "card": "pm_card_visa" })).await;
    let complete = bench
        .get("/v1/checkout/sessions?status=complete&expand[]=data.payment_intent.latest_charge")
        .await
        .ok();
    assert_eq!(items(&complete).len(), 1);
    let intent = &complete["data"][0]["payment_intent"];
    assert_eq!(intent["latest_charge"]["status"], "succeeded");
    let of_intent = bench.get(&format!("/v1/checkout/sessions?payment_intent={}", id(intent))).await.ok();
    assert_eq!(items(&of_intent).iter().map(id).collect::<Vec<_>>(), [ids[4].as_str()]);
    let error = bench.get("/v1/checkout/sessions?limit=101").await.refused(400);
    assert_eq!(error["param"], "limit");
    bench.get("/v1/checkout/sessions?expand[]=data.amount_total").await.refused(400);
}
