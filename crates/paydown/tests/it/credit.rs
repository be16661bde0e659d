//! Customer credit, credit notes, write-offs, receipts without a payer: what lowers an invoice beside a payment, by staff through
//! the API and by payers in the portal.

mod applying;
mod moving;
mod notes;
mod portal;
mod unmatched;
mod write_offs;

use crate::api::client::{Answer, Client};
use crate::test_app::TestApp;
use serde_json::{Value, json};

/// Credit of a customer that no invoice wants back: an invoice of its own, paid with so much too much.
pub async fn credit(client: &Client, customer: &str, minor: i64) -> String {
    let invoice = client.invoice(customer, 1_000).await;
    let mut body = Client::wire(&invoice, 1_000 + minor);
    body["surplus"] = json!("customer_credit");
    let key = format!("credit-{invoice}");
    let paid = client.post_once(&key, "/v1/payments", body).await;
    assert_eq!((paid.status, &paid.json["customer_credit"]), (201, &json!(minor)), "{}", paid.text);
    invoice
}

/// Sets credit against an invoice; without an amount, as much as goes.
pub async fn apply(client: &Client, key: &str, invoice: &str, amount: Option<i64>) -> Answer {
    let mut body = json!({ "invoice": invoice });
    if let Some(amount) = amount {
        body["amount"] = json!(amount);
    }
    client.post_once(key, "/v1/credit_applications", body).await
}

/// What a customer has left in dollars.
pub async fn left(client: &Client, customer: &str) -> i64 {
    let shown = client.get(&format!("/v1/customers/{customer}/credit")).await;
    assert_eq!(shown.status, 200, "{}", shown.text);
    shown.json["left"][0]["amount"].as_i64().unwrap_or(0)
}

/// Money that came by transfer for one invoice.
pub async fn wire(client: &Client, key: &str, invoice: &str, minor: i64) -> Answer {
    let paid = client.post_once(key, "/v1/payments", Client::wire(invoice, minor)).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    paid
}

/// Moves what a payment has on an invoice.
pub async fn move_it(client: &Client, key: &str, body: Value) -> Answer {
    client.post_once(key, "/v1/allocation_moves", body).await
}

/// A customer that owes a returned payment: a debit of so much was paid, taken off to credit, spent, and taken back by the bank.
pub async fn owe_a_returned_payment(app: &TestApp, client: &Client, minor: i64) -> String {
    app.offer_debits().await;
    let first = app.invoice(minor).await;
    // Returned with R01 ten days after it was paid.
    let debit = app.debit(first, minor, "92010010").await;
    app.days(7).await;
    let customer = app.customer.to_string();
    let off = json!({ "from": first.to_string(), "payment": debit.to_string() });
    assert_eq!(move_it(client, "owe-1", off).await.status, 201);
    let second = client.invoice(&customer, minor).await;
    assert_eq!(apply(client, "owe-2", &second, None).await.status, 201);
    app.days(14).await;
    customer
}

/// Each route of this family with an answer that is no error, and each error that it alone can give.
pub async fn every_route(app: &TestApp, client: &Client) {
    let customer = owe_a_returned_payment(app, client, 40_000).await;
    let demand = |amount: i64| json!({ "customer": customer, "due_on": "2027-01-15", "amount": amount });
    let ask =
        async |key: &str, body: Value| client.post_once(key, "/v1/returned_payment_demands", body).await;
    ask("e-1", demand(40_001)).await.is(422, "amount_above_owed");
    let demanded = ask("e-2", demand(40_000)).await;
    assert_eq!(demanded.status, 201, "{}", demanded.text);
    ask("e-3", demand(1)).await.is(422, "nothing_owed");
    let note = |invoice: &str, amount: i64| json!({ "invoice": invoice, "amount": amount, "reason": "Less" });
    let credit_note = async |key: &str, body: Value| client.post_once(key, "/v1/credit_notes", body).await;
    credit_note("e-4", note(&demanded.text_of("id"), 1)).await.is(409, "cannot_credit");

    let invoice = client.invoice(&customer, 9_000).await;
    apply(client, "e-5", &invoice, None).await.is(422, "no_credit");
    credit(client, &customer, 2_000).await;
    apply(client, "e-6", &invoice, Some(2_001)).await.is(422, "amount_above_credit");
    assert_eq!(apply(client, "e-7", &invoice, None).await.status, 201);
    assert_eq!(left(client, &customer).await, 0);
    credit_note("e-8", note(&invoice, 9_001)).await.is(422, "amount_above_creditable");
    let issued = credit_note("e-9", note(&invoice, 1_000)).await;
    let shown = client.get(&format!("/v1/credit_notes/{}", issued.text_of("id"))).await;
    assert_eq!((shown.status, client.get("/v1/credit_notes").await.status), (200, 200));
    let payment = wire(client, "e-10", &invoice, 3_000).await.text_of("id");
    let body = json!({ "from": invoice, "payment": payment, "amount": 3_001 });
    move_it(client, "e-11", body).await.is(422, "amount_above_allocated");
    let body = json!({ "from": invoice, "payment": payment });
    assert_eq!(move_it(client, "e-12", body).await.status, 201);
    let body = json!({ "invoice": invoice, "reason": "Insolvent" });
    assert_eq!(client.post_once("e-13", "/v1/write_offs", body).await.status, 201);

    let body = json!({ "method": "cash", "amount": 500, "currency": "usd", "received_on": "2026-11-15" });
    let receipt = client.post_once("e-14", "/v1/unmatched_receipts", body).await.text_of("id");
    let at = format!("/v1/unmatched_receipts/{receipt}");
    assert_eq!((client.get("/v1/unmatched_receipts").await.status, client.get(&at).await.status), (200, 200));
    let body = json!({ "customer_credit": 500, "customer": customer });
    assert_eq!(client.post_once("e-15", &format!("{at}/matches"), body).await.status, 201);
}
