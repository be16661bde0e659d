//! Refunds by the API: asked for once, approved by another key, refused with the figure that is left.

use super::client::{Client, new_key};
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use paydown::api_key::{Scope, USUAL_REQUESTS_PER_MINUTE};
use serde_json::{Value, json};

/// A card payment of 400.00 on an invoice of 1,000.00.
async fn paid_by_card(app: &TestApp) -> (String, String) {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
    (invoice.to_string(), payment.to_string())
}

fn of(payment: &str, amount: i64) -> Value {
    json!({ "payment": payment, "amount": amount, "reason": "two licences fewer" })
}

on_both_engines!(a_card_payment_is_refunded, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let (invoice, payment) = paid_by_card(app).await;
    let asked = client.post_once("k-1", "/v1/refunds", of(&payment, 15_000)).await;
    assert_eq!((asked.status, &asked.json["status"]), (201, &json!("requested")), "{}", asked.text);
    for (name, value) in [
        ("payment", json!(payment)),
        ("source", json!("payment")),
        ("channel", json!("stripe")),
        ("meaning", json!("owed_again")),
        ("amount", json!(15_000)),
        ("currency", json!("usd")),
        ("approval", json!("not_needed")),
        ("invoices", json!([{ "invoice": invoice, "amount": 15_000 }])),
    ] {
        assert_eq!(asked.json[name], value, "{name}");
    }
    let again = client.post_once("k-1", "/v1/refunds", of(&payment, 15_000)).await;
    assert_eq!((again.header("idempotent-replayed"), &again.json), (Some("true"), &asked.json));
    app.background_work().await;
    app.settle().await;
    let shown = client.get(&format!("/v1/refunds/{}", asked.text_of("id"))).await;
    assert_eq!(shown.json["status"], "succeeded");
    assert_eq!(client.figures(&invoice).await, [25_000, 0, 75_000, 75_000]);
    let listed = client.get(&format!("/v1/refunds?payment={payment}")).await;
    assert_eq!(listed.json["data"], json!([shown.json]));
    let above = client.post_once("k-2", "/v1/refunds", of(&payment, 25_001)).await;
    above.is(409, "refund_above_left");
    assert_eq!((&above.json["left"], &above.json["currency"]), (&json!(25_000), &json!("usd")));
    let feed = client.get("/v1/events?limit=100").await;
    let kinds: Vec<&str> = feed.json["data"]
        .as_array()
        .expect("events")
        .iter()
        .filter_map(|event| event["type"].as_str())
        .collect();
    for kind in ["refund.requested", "refund.succeeded"] {
        assert_eq!(kinds.iter().filter(|there| **there == kind).count(), 1, "{kinds:?}");
    }
});

on_both_engines!(another_key_approves, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let other = client.with_key(&new_key(app, app.merchant, &Scope::ALL, USUAL_REQUESTS_PER_MINUTE).await);
    let (_, payment) = paid_by_card(app).await;
    let limits = client.post("/v1/refund_limits", json!({ "currency": "usd", "amount": 10_000 })).await;
    assert_eq!(limits.json, json!({ "data": [{ "currency": "usd", "amount": 10_000 }] }));
    assert_eq!(client.get("/v1/refund_limits").await.json, limits.json);
    let asked = client.post_once("k-1", "/v1/refunds", of(&payment, 10_001)).await;
    assert_eq!(asked.json["approval"], "waiting");
    let approve = format!("/v1/refunds/{}/approve", asked.text_of("id"));
    client.send("POST", &approve, &[], None).await.is(409, "second_person_needed");
    let approved = other.send("POST", &approve, &[], None).await;
    assert_eq!((approved.status, &approved.json["approval"]), (200, &json!("given")), "{}", approved.text);
    other.send("POST", &approve, &[], None).await.is(409, "refund_not_waiting");
    app.background_work().await;
    app.settle().await;
    let shown = client.get(&format!("/v1/refunds/{}", asked.text_of("id"))).await;
    assert_eq!(shown.json["status"], "succeeded");
    let refused = client.post_once("k-2", "/v1/refunds", of(&payment, 20_000)).await;
    let refuse = format!("/v1/refunds/{}/refuse", refused.text_of("id"));
    let withdrawn = client.post(&refuse, json!({ "reason": "asked for by mistake" })).await;
    assert_eq!(
        (withdrawn.status, &withdrawn.json["status"]),
        (200, &json!("canceled")),
        "{}",
        withdrawn.text
    );
    let none = client.post("/v1/refund_limits", json!({ "currency": "usd", "amount": null })).await;
    assert_eq!(none.json, json!({ "data": [] }));
});

on_both_engines!(what_was_received_is_paid_back_from_the_bank, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 9_000).await;
    let paid = client.post_once("p-1", "/v1/payments", Client::wire(&invoice, 9_000)).await;
    let mut body = of(&paid.text_of("id"), 2_000);
    body["invoice"] = json!(invoice);
    body["meaning"] = json!("price_given_back");
    let asked = client.post_once("k-1", "/v1/refunds", body).await;
    assert_eq!((asked.status, &asked.json["channel"]), (201, &json!("bank")), "{}", asked.text);
    assert_eq!(client.figures(&invoice).await, [7_000, 0, 0, 0], "the price is 70.00 now");
    let path = format!("/v1/refunds/{}/paid", asked.text_of("id"));
    let late = client.post(&path, json!({ "paid_on": "2030-01-01" })).await;
    late.is(422, "date_in_future");
    let done = client.post(&path, json!({ "paid_on": "2026-11-16", "reference": "transfer 9" })).await;
    assert_eq!((done.status, &done.json["status"]), (200, &json!("succeeded")), "{}", done.text);
    assert_eq!(
        (&done.json["paid_on"], &done.json["paid_reference"]),
        (&json!("2026-11-16"), &json!("transfer 9"))
    );
    client.post(&path, json!({ "paid_on": "2026-11-16" })).await.is(409, "refund_not_waiting");
    let credit = json!({ "customer": customer, "currency": "usd", "reason": "nothing there" });
    client.post_once("k-2", "/v1/refunds", credit).await.is(409, "refund_above_left");
    let both = json!({ "customer": customer, "payment": paid.text_of("id"), "reason": "unclear" });
    client.post_once("k-3", "/v1/refunds", both).await.is(422, "invalid_request");
});
