//! The description and the server are one: every route and every error that is described can be had, and nothing else comes.

use super::by_hand::unknown_payment;
use super::client::{Client, Seen, description, new_key};
use super::disputes;
use super::payouts;
use super::saved;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use paydown::actions::issue_credit_note::{IssueCreditNote, issue_credit_note};
use paydown::api::problem::Code;
use paydown::api_key::Scope;
use paydown::processors::STRIPE;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use store::db::Tx;
use store::processor_accounts::{self, ProcessorAccount};

on_both_engines!(every_route_and_every_error_is_as_described, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let served = client.get("/v1/openapi.json").await;
    assert_eq!(served.json, *description());
    assert_eq!(served.json["openapi"], "3.1.0");
    succeed(&client).await;
    // Before anything else is paid by card: it tells what its payout is made of.
    payouts::are_shown(app, &client).await;
    app.control("/payouts", json!({ "schedule": "manual" })).await;
    refund(app, &client).await;
    saved::succeed_and_refuse(app, &client).await;
    refuse(app, &client).await;
    crate::credit::every_route(app, &client).await;
    surcharges(&client).await;
    reverse(&client).await;
    saved::present_again(app, &client).await;
    settle_by_hand(app, &client).await;
    disputes::walk(app, &client).await;
    break_down(app, &client).await;
    let seen = client.seen.lock().expect("nobody panics here").clone();
    let mut missing = Vec::new();
    for (template, item) in description()["paths"].as_object().expect("paths") {
        for method in item.as_object().expect("operations").keys() {
            let name = format!("{} {template}", method.to_uppercase());
            let well = |(of, status, _): &&Seen| *of == name && (200..300).contains(status);
            if !seen.iter().any(|answer| well(&answer)) {
                missing.push(name);
            }
        }
    }
    assert!(missing.is_empty(), "no answer that is none of an error was had from {missing:?}");
    let codes: BTreeSet<&str> = seen.iter().filter_map(|(_, _, code)| code.as_deref()).collect();
    // What no route answers of itself: an address or a method that is not described, and time that ran out.
    let elsewhere = [Code::MethodNotAllowed, Code::Timeout];
    let all: Vec<&str> =
        Code::ALL.iter().filter(|code| !elsewhere.contains(code)).map(|code| code.as_str()).collect();
    let missing: Vec<_> = all.into_iter().filter(|code| !codes.contains(code)).collect();
    assert!(missing.is_empty(), "these errors were not had: {missing:?}");
});

async fn succeed(client: &Client) {
    let customer = client.customer("Acme").await;
    for path in
        ["/v1/customers", "/v1/invoices", "/v1/payments", "/v1/refunds", "/v1/refund_limits", "/v1/events"]
    {
        assert_eq!(client.get(path).await.status, 200);
    }
    assert_eq!(client.get(&format!("/v1/customers/{customer}")).await.status, 200);
    let contacts = format!("/v1/customers/{customer}/contacts");
    assert_eq!(
        client.post(&contacts, json!({ "email": "lee@acme.example", "name": null })).await.status,
        201
    );
    assert_eq!(client.get(&contacts).await.json["data"].as_array().map(Vec::len), Some(2));
    let [invoice, other] = [client.invoice(&customer, 9_000).await, client.invoice(&customer, 9_000).await];
    assert_eq!(client.get(&format!("/v1/invoices/{invoice}")).await.status, 200);
    let quotes = format!("/v1/invoices/{invoice}/quotes");
    assert_eq!(client.post(&quotes, json!({ "amount": 500 })).await.status, 200);
    let links = format!("/v1/invoices/{invoice}/links");
    assert_eq!(client.post(&links, json!({})).await.status, 201);
    assert_eq!(client.get(&links).await.status, 200);
    assert_eq!(client.delete(&links).await.status, 200);
    let paid = client.post_once("p-1", "/v1/payments", Client::wire(&invoice, 1_000)).await;
    assert_eq!(client.get(&format!("/v1/payments/{}", paid.text_of("id"))).await.status, 200);
    assert_eq!(client.send("POST", &format!("/v1/invoices/{other}/void"), &[], None).await.status, 200);
}

/// A recorded receipt is reversed once, and one through the processor never.
async fn reverse(client: &Client) {
    let customer = client.customer("Initrode").await;
    let invoice = client.invoice(&customer, 9_000).await;
    let paid = client.post_once("v-1", "/v1/payments", Client::wire(&invoice, 1_000)).await.text_of("id");
    let body = json!({ "kind": "bounced", "reason": "It came back" });
    let here = format!("/v1/payments/{paid}/reverse");
    assert_eq!(client.post_once("v-2", &here, body.clone()).await.status, 200);
    client.post_once("v-3", &here, body.clone()).await.is(409, "already_reversed");
    let all = client.get("/v1/payments?limit=100").await.json;
    let card = all["data"].as_array().and_then(|all| all.iter().find(|one| one["method"] == "card")).cloned();
    let card = card.expect("somebody paid by card");
    let here = format!("/v1/payments/{}/reverse", card["id"].as_str().unwrap_or_default());
    client.post_once("v-4", &here, body).await.is(409, "not_reversible");
}

async fn surcharges(client: &Client) {
    let put = async |body: Value| {
        let body = Some(body.to_string().into_bytes());
        client.send("PUT", "/v1/surcharges", &[], body).await
    };
    let cards =
        json!({ "method": "card", "currency": "eur", "rate_millionths": 29_000, "fixed": 30, "cap": 1_000 });
    let set = put(cards.clone()).await;
    assert_eq!((set.status, &set.json["rate_millionths"]), (200, &json!(29_000)), "{}", set.text);
    let customer = client.customer("Hooli").await;
    let own = json!({ "method": "card", "currency": "eur", "customer": customer });
    assert_eq!(put(own.clone()).await.json["fixed"], 0, "nothing is passed on to this one");
    let all = client.get("/v1/surcharges").await;
    assert_eq!((all.status, all.json["data"].as_array().map(Vec::len)), (200, Some(2)), "{}", all.text);
    let mut inherits = own;
    inherits["inherit"] = json!(true);
    assert_eq!(put(inherits.clone()).await.json["fixed"], 30, "the merchant's holds again");
    assert_eq!(client.get("/v1/surcharges").await.json["data"].as_array().map(Vec::len), Some(1));
    inherits["customer"] = json!("cus_00000000000000000000000000");
    put(inherits).await.is(404, "not_found");
    put(json!({ "method": "card", "currency": "eur", "inherit": true })).await.is(422, "invalid_request");
    put(json!({ "method": "cheque", "currency": "eur" })).await.is(422, "invalid_request");
    put(json!({ "method": "card", "currency": "eur", "rate_millionths": 1_000_001 }))
        .await
        .is(422, "invalid_request");
}

/// Refunds in each of their ways, and each reason why one is not made.
async fn refund(app: &TestApp, client: &Client) {
    let other = client.with_key(&new_key(app, app.merchant, &Scope::ALL, 60_000).await);
    let customer = client.customer("Hooli").await;
    let invoice = client.invoice(&customer, 9_000).await;
    let paid = client.post_once("r-1", "/v1/payments", Client::wire(&invoice, 9_000)).await.text_of("id");
    let of = |amount: i64, meaning: &str| json!({ "payment": paid, "amount": amount, "meaning": meaning, "reason": "fewer" });
    let limit = |amount: Value| json!({ "currency": "usd", "amount": amount });
    assert_eq!(client.post("/v1/refund_limits", limit(json!(1))).await.status, 200);
    let asked = client.post_once("r-2", "/v1/refunds", of(1_000, "owed_again")).await.text_of("id");
    let at = |act: &str| format!("/v1/refunds/{asked}/{act}");
    assert_eq!(client.get(&format!("/v1/refunds/{asked}")).await.status, 200);
    client.send("POST", &at("approve"), &[], None).await.is(409, "second_person_needed");
    assert_eq!(other.send("POST", &at("approve"), &[], None).await.status, 200);
    assert_eq!(client.post(&at("paid"), json!({ "paid_on": "2026-11-16" })).await.status, 200);
    client.post(&at("refuse"), json!({ "reason": "too late" })).await.is(409, "refund_not_waiting");
    let second = client.post_once("r-3", "/v1/refunds", of(1_000, "owed_again")).await.text_of("id");
    let refuse = format!("/v1/refunds/{second}/refuse");
    assert_eq!(client.post(&refuse, json!({ "reason": "a mistake" })).await.status, 200);
    client.post_once("r-4", "/v1/refunds", of(9_000, "owed_again")).await.is(409, "refund_above_left");
    // All that the invoice asks for was credited: nothing of its price is left to be given back.
    let all = IssueCreditNote {
        merchant: app.merchant,
        invoice: invoice.parse().expect("an id"),
        amount: None,
        reason: "never delivered".to_owned(),
        actor: "cli:test".to_owned(),
    };
    issue_credit_note(&app.app, all, None).await.expect("a credit note");
    client
        .post_once("r-5", "/v1/refunds", of(1_000, "price_given_back"))
        .await
        .is(409, "price_not_given_back");
    let begun = app.pay(app.invoice(5_000).await, 5_000).await.to_string();
    let of_it = json!({ "payment": begun, "reason": "too early" });
    client.post_once("r-6", "/v1/refunds", of_it).await.is(409, "not_refundable");
    assert_eq!(client.post("/v1/refund_limits", limit(Value::Null)).await.status, 200);
}

async fn refuse(app: &TestApp, client: &Client) {
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 9_000).await;
    let quotes = format!("/v1/invoices/{invoice}/quotes");
    client.with_key("nobody").get("/v1/events").await.is(401, "invalid_key");
    let weak = client.with_key(&new_key(app, app.merchant, &[Scope::EventsRead], 1).await);
    weak.get("/v1/invoices").await.is(403, "insufficient_scope");
    weak.get("/v1/events").await.is(429, "rate_limited");
    client
        .send("GET", "/v1/events", &[("origin", "https://a.example")], None)
        .await
        .is(403, "browser_origin");
    client.get("/v1/invoices/inv_x").await.is(404, "not_found");
    client
        .post(&format!("/v1/customers/{customer}/contacts"), json!({ "email": "dana@globex.example" }))
        .await
        .is(409, "address_taken");
    client.send("POST", &format!("/v1/invoices/{invoice}/finalize"), &[], None).await.is(409, "not_draft");
    let draft = |number: &str, unit: i64| {
        json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30", "number": number,
            "lines": [{ "description": "Support", "quantity": 1, "unit_amount": unit }],
        })
    };
    assert_eq!(client.post("/v1/invoices", draft("A", 1)).await.status, 201);
    client.post("/v1/invoices", draft("A", 1)).await.is(409, "number_taken");
    client.post("/v1/invoices", draft("B", -1)).await.is(422, "invalid_lines");
    client.post("/v1/customers", json!({ "name": "4242424242424242" })).await.is(422, "card_number");
    client.post("/v1/customers", json!({})).await.is(422, "invalid_request");
    let nowhere = "/v1/customers?starting_after=cus_00000000000000000000000000";
    client.get(nowhere).await.is(422, "unknown_cursor");
    let record = async |key: &str, body: Value| client.post_once(key, "/v1/payments", body).await;
    record("q-1", Client::wire(&invoice, 1_000)).await;
    record("q-1", Client::wire(&invoice, 2_000)).await.is(422, "idempotency_key_reused");
    record("", Client::wire(&invoice, 1)).await.is(400, "invalid_idempotency_key");
    client.post("/v1/payments", Client::wire(&invoice, 1)).await.is(400, "missing_idempotency_key");
    record("q-2", Client::wire(&invoice, 8_001)).await.is(422, "surplus");
    let with = |name: &str, value: Value| {
        let mut body = Client::wire(&invoice, 2);
        body[name] = value;
        body
    };
    record("q-2", with("amount", json!(1))).await.is(422, "allocations_above_amount");
    record("q-2", with("currency", json!("eur"))).await.is(422, "currency_mismatch");
    record("q-2", with("received_on", json!("2030-01-01"))).await.is(422, "date_in_future");
    let stranger = client.customer("Initech").await;
    record("q-2", with("customer", json!(stranger))).await.is(422, "customer_mismatch");
    client.send("POST", &format!("/v1/invoices/{invoice}/void"), &[], None).await.is(409, "cannot_void");
    let headers = [("idempotency-key", "q-2")];
    client.send("POST", "/v1/payments", &headers, Some(b"{".to_vec())).await.is(400, "invalid_json");
    client
        .send("POST", "/v1/payments", &headers, Some(vec![b' '; 1_100_000]))
        .await
        .is(413, "body_too_large");
    let plain = [("idempotency-key", "q-2"), ("content-type", "text/plain")];
    client.send("POST", "/v1/payments", &plain, Some(b"{}".to_vec())).await.is(415, "unsupported_media_type");
    let ask = async |path: &str, amount: i64| client.post(path, json!({ "amount": amount })).await;
    ask(&quotes, 8_001).await.is(422, "amount_above_payable");
    ask(&quotes, 0).await.is(422, "amount_not_positive");
    ask(&quotes, 10).await.is(422, "amount_not_chargeable");
    ask(&quotes, 7_990).await.is(422, "amount_leaves_too_little");
    quotes_under_policies(app, client, &customer).await;
}

/// The refusals that hang on a policy or on what is in flight.
async fn quotes_under_policies(app: &TestApp, client: &Client, customer: &str) {
    use billing::policy::{Minimum, Partial, PolicyLayer};
    use store::policies::Scope as Of;
    let quote = async |invoice: &str, amount: i64| {
        client.post(&format!("/v1/invoices/{invoice}/quotes"), json!({ "amount": amount })).await
    };
    let layer = |partial, minimum| PolicyLayer { partial, minimum, ..PolicyLayer::default() };
    let [whole, most, done] = [
        client.invoice(customer, 5_000).await,
        client.invoice(customer, 5_000).await,
        client.invoice(customer, 5_000).await,
    ];
    let id = |text: &str| text.parse().expect("an id");
    app.set_policy(Of::Invoice(id(&whole)), layer(Some(Partial::Never), None)).await;
    quote(&whole, 100).await.is(422, "partial_not_allowed");
    app.set_policy(Of::Invoice(id(&most)), layer(None, Some(Minimum::Percent(5_000)))).await;
    quote(&most, 2_000).await.is(422, "amount_below_minimum");
    client.post_once("d", "/v1/payments", Client::wire(&done, 5_000)).await;
    quote(&done, 1).await.is(422, "nothing_payable");
    let busy = app.invoice(5_000).await;
    app.pay(busy, 5_000).await;
    quote(&busy.to_string(), 100).await.is(422, "all_in_progress");
    let draft = client.post(
        "/v1/invoices",
        json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30",
            "lines": [{ "description": "Support", "quantity": 1, "unit_amount": 100 }],
        }),
    );
    quote(&draft.await.text_of("id"), 100).await.is(409, "not_open");
}

/// What is settled where the processor has no answer, and refused where it has one.
async fn settle_by_hand(app: &TestApp, client: &Client) {
    let word = json!({ "status": "failed", "reason": "Their support says so" });
    let here = format!("/v1/payments/{}/resolve", unknown_payment(app).await);
    let second = client.with_key(&new_key(app, app.merchant, &Scope::ALL, 60_000).await);
    for caller in [client, &second] {
        assert_eq!(caller.post_once("r-1", &here, word.clone()).await.status, 200);
    }
    client.post_once("r-2", &here, word.clone()).await.is(409, "not_resolvable");
    let here = format!("/v1/payments/{}/resolve", unknown_payment(app).await);
    app.disarm_faults().await;
    client.post_once("r-3", &here, word).await.is(409, "processor_answered");
}

/// What comes when the program itself fails.
async fn break_down(app: &mut TestApp, client: &Client) {
    let invoice = client.get("/v1/invoices").await.json["data"][0]["id"].as_str().expect("an id").to_owned();
    let merchant = app.merchant;
    let spoiled = app.app.store.write(async move |tx: &mut Tx| {
        let account = processor_accounts::find(tx, merchant, STRIPE).await?.expect("a connection");
        let account = ProcessorAccount { secret_key: vec![1; 60], ..account };
        processor_accounts::upsert(tx, &account).await
    });
    spoiled.await.expect("the row is changed behind our back");
    client
        .post(&format!("/v1/invoices/{invoice}/quotes"), json!({ "amount": 100 }))
        .await
        .is(500, "internal");
    app.use_processor_key(PROCESSOR_KEY).await;
    app.app.store.close().await.expect("the store closes");
    let refused = client.get("/v1/invoices").await;
    assert_eq!(refused.is(503, "unavailable").header("retry-after"), Some("1"));
    app.restart().await;
}
