//! Saved methods, mandates and the cut-off, as a program has them.

use super::client::Client;
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::payment::PaymentState::{Canceled, Created, Processing};
use jiff::SignedDuration;
use serde_json::json;
use store::audit;
use store::audit::acts;
use store::db::Tx;

/// Everything that can be asked of them, well and badly.
pub async fn succeed_and_refuse(app: &TestApp, client: &Client) {
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let card = app.keep_card(invoice, VISA).await;
    let (debit, account) = app.keep_account(invoice, "000123456789").await;
    let customer = app.customer;
    let listed = client.get(&format!("/v1/customers/{customer}/payment_methods")).await;
    let rows = listed.json["data"].as_array().expect("rows");
    let mut ids: Vec<_> = rows.iter().map(|row| row["id"].as_str().expect("an id").to_owned()).collect();
    // Both were kept at one instant.
    let mut kept = [account.id.to_string(), card.id.to_string()];
    ids.sort();
    kept.sort();
    assert_eq!(ids, kept);
    let charge = |amount: i64| json!({ "payment_method": card.id.to_string(), "invoice": invoice.to_string(), "amount": amount });
    let paid = client.post_once("c-1", "/v1/payments", charge(5_000)).await;
    assert_eq!((paid.status, paid.json["status"].as_str()), (201, Some("succeeded")), "{}", paid.text);
    assert_eq!(paid.json["payment_method"], card.id.to_string());
    let again = client.post_once("c-1", "/v1/payments", charge(5_000)).await;
    assert_eq!(
        (again.text_of("id"), again.header("idempotent-replayed")),
        (paid.text_of("id"), Some("true"))
    );
    client.post_once("c-1", "/v1/payments", charge(6_000)).await.is(422, "idempotency_key_reused");
    client.post_once("c-2", "/v1/payments", charge(900_000)).await.is(422, "amount_above_payable");
    let mut with_fee = charge(5_000);
    with_fee["surcharge"] = json!(100);
    client.post_once("c-2", "/v1/payments", with_fee).await.is(422, "surcharge_changed");
    client
        .post(&format!("/v1/payments/{}/cancel", paid.text_of("id")), json!({}))
        .await
        .is(409, "cannot_cancel");
    let mandates = client.get("/v1/mandates").await;
    let first = mandates.json["data"][0]["id"].as_str().expect("a mandate").to_owned();
    let shown = client.get(&format!("/v1/mandates/{first}")).await;
    assert_eq!((&shown.json["intact"], &shown.json["last4"]), (&json!(true), &json!("6789")));
    let held =
        json!({ "payment_method": account.id.to_string(), "invoice": invoice.to_string(), "amount": 5_000 });
    let held = client.post_once("c-3", "/v1/payments", held).await;
    assert_eq!(held.json["status"], "created", "{}", held.text);
    let called_off = client.post(&format!("/v1/payments/{}/cancel", held.text_of("id")), json!({})).await;
    assert_eq!((called_off.status, called_off.json["status"].as_str()), (200, Some("canceled")));
    let once = app.charge(app.ask_saved(invoice, 5_000, &account).await).await.0;
    let mandates = client.get("/v1/mandates").await;
    let mut all = mandates.json["data"].as_array().expect("a list").iter();
    let of_once =
        all.find(|mandate| mandate["given_for"] == once.to_string()).expect("it has one of its own");
    let of_once = of_once["id"].as_str().expect("an id");
    client.post(&format!("/v1/mandates/{of_once}/end"), json!({})).await.is(409, "for_one_debit");
    assert_eq!(app.state(once).await, Created);
    let ended = client.post(&format!("/v1/mandates/{first}/end"), json!({})).await;
    assert_eq!(ended.json["stopped"], json!([once.to_string()]), "{}", ended.text);
    assert_eq!(app.state(debit).await, Processing);
    let removed = client.delete(&format!("/v1/payment_methods/{}", card.id)).await;
    assert_eq!(removed.status, 200, "{}", removed.text);
    client.post_once("c-4", "/v1/payments", charge(5_000)).await.is(409, "payment_method_unusable");
    assert_eq!(client.get("/v1/debit_cut_off").await.json["time"], "16:00");
    let set = client.send("PUT", "/v1/debit_cut_off", &[], Some(br#"{"time":"17:30"}"#.to_vec())).await;
    assert_eq!((set.status, set.json["time"].as_str()), (200, Some("17:30")));
    let bad = client.send("PUT", "/v1/debit_cut_off", &[], Some(br#"{"time":"25:00"}"#.to_vec())).await;
    bad.is(422, "invalid_request");
    app.settle().await;
}

/// A debit that came back is presented again, and not while it is on its way.
pub async fn present_again(app: &TestApp, client: &Client) {
    let invoice = app.invoice(100_000).await;
    let (first, _) = app.keep_account(invoice, "91010002").await;
    app.days(4).await;
    let here = format!("/v1/payments/{first}/retry");
    let again = client.send("POST", &here, &[("idempotency-key", "y-1")], None).await;
    assert_eq!((again.status, again.text_of("retry_of")), (201, first.to_string()), "{}", again.text);
    client.send("POST", &here, &[("idempotency-key", "y-2")], None).await.is(409, "not_retryable");
}

on_both_engines!(staff_call_a_debit_off_and_only_the_processor_says_whether, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    let (_, account) = app.keep_account(invoice, "000123456789").await;
    let body =
        json!({ "payment_method": account.id.to_string(), "invoice": invoice.to_string(), "amount": 5_000 });
    let sent = client.post_once("k", "/v1/payments", body).await;
    let id = sent.text_of("id").parse().expect("an id");
    app.settle_after(SignedDuration::from_hours(12)).await;
    assert_eq!(app.state(id).await, Processing);
    // The practice processor calls nothing off that its bank has: the payment goes on.
    let answer = client.post(&format!("/v1/payments/{id}/cancel"), json!({})).await;
    let state = app.state(id).await;
    if state == Canceled {
        assert_eq!(answer.status, 200);
    } else {
        answer.is(409, "cannot_cancel");
        app.days(7).await;
    }
    let (merchant, object) = (app.merchant, id.to_string());
    let read = async move |tx: &mut Tx| audit::exists(tx, merchant, &object, acts::PAYMENT_CANCEL).await;
    assert!(app.app.store.read(read).await.expect("the trail can be read"), "whoever asked is known");
    app.days(8).await;
});
