//! What is given up, and what comes of it after all.

use super::wire;
use crate::api::client::{Answer, Client};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::payment::PaymentState;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use serde_json::json;
use store::payments::Ending;

async fn write_off(client: &Client, key: &str, invoice: &str, amount: Option<i64>) -> Answer {
    let mut body = json!({ "invoice": invoice, "reason": "Insolvent" });
    if let Some(amount) = amount {
        body["amount"] = json!(amount);
    }
    client.post_once(key, "/v1/write_offs", body).await
}

on_both_engines!(a_written_off_invoice_is_paid_after_all, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    wire(&client, "w-1", &invoice, 4_000).await;
    write_off(&client, "o-1", &invoice, Some(6_001)).await.is(422, "amount_above_payable");
    let done = write_off(&client, "o-2", &invoice, None).await;
    assert_eq!((done.status, &done.json["status"]), (201, &json!("uncollectible")), "{}", done.text);
    assert_eq!((client.figures(&invoice).await, &done.json["amount"]), ([4_000, 0, 0, 0], &json!(6_000)));
    write_off(&client, "o-3", &invoice, None).await.is(422, "nothing_payable");
    assert_eq!(app.balance(chart::BAD_DEBT, Currency::USD).await, 6_000);

    // A part comes, and undoes the write-off by as much; then more than was ever owed.
    wire(&client, "w-2", &invoice, 1_500).await;
    assert_eq!(client.figures(&invoice).await, [5_500, 0, 0, 0]);
    assert_eq!(app.balance(chart::BAD_DEBT, Currency::USD).await, 4_500);
    let refused = client.post_once("w-3", "/v1/payments", Client::wire(&invoice, 4_700)).await;
    assert_eq!(refused.is(422, "surplus").json["surplus"], 200);
    let mut body = Client::wire(&invoice, 4_700);
    body["surplus"] = json!("customer_credit");
    let paid = client.post_once("w-3", "/v1/payments", body).await;
    assert_eq!((paid.status, &paid.json["customer_credit"]), (201, &json!(200)), "{}", paid.text);
    assert_eq!(client.figures(&invoice).await, [10_000, 0, 0, 0]);
    assert_eq!(app.balance(chart::BAD_DEBT, Currency::USD).await, 0);
    assert_eq!(app.balance(chart::RECEIVABLE, Currency::USD).await, 0);
});

on_both_engines!(what_is_on_its_way_is_not_given_up, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let invoice = app.invoice(10_000).await;
    let card = app.pay(invoice, 8_000).await;
    let id = invoice.to_string();
    write_off(&client, "o-1", &id, Some(2_001)).await.is(422, "amount_above_payable");
    let done = write_off(&client, "o-2", &id, None).await;
    assert_eq!((&done.json["amount"], &done.json["status"]), (&json!(2_000), &json!("open")));
    app.card(card, crate::builders::VISA).await;
    app.settle().await;
    assert_eq!(client.figures(&id).await, [8_000, 0, 0, 0]);
    assert_eq!(client.get(&format!("/v1/invoices/{id}")).await.json["reduced"], 2_000);
});

on_both_engines!(a_card_that_pays_after_the_end_undoes_a_write_off, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let invoice = app.invoice(10_000).await;
    let payment = app.pay(invoice, 8_000).await;
    let ended = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(ended.expect("the processor is asked"), PaymentState::Canceled);
    let id = invoice.to_string();
    assert_eq!(write_off(&client, "o-1", &id, None).await.json["status"], "uncollectible");
    let session = app.session(payment).await;
    app.control(&format!("/sessions/{session}/succeed_after_end"), json!({})).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(client.figures(&id).await, [8_000, 0, 0, 0]);
    assert_eq!(app.balance(chart::BAD_DEBT, Currency::USD).await, 2_000);
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, 0);
});
