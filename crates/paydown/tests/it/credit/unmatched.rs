//! Money without a payer waits for its place, and finds it in parts.

use super::{apply, left};
use crate::api::client::{Answer, Client};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use ledger::Currency;
use serde_json::{Value, json};

async fn record(client: &Client, key: &str, amount: i64) -> String {
    let body = json!({
        "method": "wire", "amount": amount, "currency": "usd", "received_on": "2026-11-15",
        "payer": "GLOBEX CORP SPRINGFIELD", "reference": "transfer 9",
    });
    let recorded = client.post_once(key, "/v1/unmatched_receipts", body).await;
    assert_eq!((recorded.status, &recorded.json["left"]), (201, &json!(amount)), "{}", recorded.text);
    recorded.text_of("id")
}

async fn match_it(client: &Client, key: &str, receipt: &str, body: Value) -> Answer {
    client.post_once(key, &format!("/v1/unmatched_receipts/{receipt}/matches"), body).await
}

on_both_engines!(a_receipt_finds_its_place_in_parts, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let [one, two] = [client.invoice(&customer, 10_000).await, client.invoice(&customer, 25_000).await];
    let receipt = record(&client, "r-1", 40_000).await;
    assert_eq!(app.balance(chart::UNAPPLIED, Currency::USD).await, -40_000);
    assert_eq!(app.balance(chart::BANK, Currency::USD).await, 40_000);
    client.get(&format!("/v1/payments/{receipt}")).await.is(404, "not_found");
    let waiting = client.get("/v1/unmatched_receipts").await;
    assert_eq!(waiting.json["data"][0]["payer"], "GLOBEX CORP SPRINGFIELD");

    let part = |invoice: &str, amount: i64| json!([{ "invoice": invoice, "amount": amount }]);
    let above = json!({ "allocations": part(&one, 10_001) });
    let refused = match_it(&client, "m-0", &receipt, above).await;
    assert_eq!(refused.is(422, "amount_above_payable").json["limits"]["maximum"], 10_000);
    let first = match_it(&client, "m-1", &receipt, json!({ "allocations": part(&one, 10_000) })).await;
    assert_eq!((first.status, &first.json["customer"]), (201, &json!(customer)), "{}", first.text);
    assert_eq!((&first.json["amount"], &first.json["status"]), (&json!(40_000), &json!("succeeded")));
    assert_eq!(client.figures(&one).await, [10_000, 0, 0, 0]);
    assert_eq!(app.balance(chart::UNAPPLIED, Currency::USD).await, -30_000);

    // From now on it is a payment of that customer.
    let theirs = client.customer("Initech").await;
    let invoice = client.invoice(&theirs, 5_000).await;
    let wrong = json!({ "allocations": part(&invoice, 5_000) });
    match_it(&client, "m-2", &receipt, wrong).await.is(422, "customer_mismatch");
    match_it(&client, "m-2", &receipt, json!({})).await.is(422, "invalid_request");
    let both = json!({ "allocations": part(&two, 20_000), "customer_credit": 10_001 });
    let refused = match_it(&client, "m-3", &receipt, both).await;
    assert_eq!(refused.is(422, "allocations_above_amount").json["limits"]["maximum"], 30_000);
    let both = json!({ "allocations": part(&two, 20_000), "customer_credit": 4_000 });
    let second = match_it(&client, "m-4", &receipt, both.clone()).await;
    assert_eq!(second.json["allocations"].as_array().map(Vec::len), Some(2), "{}", second.text);
    let again = match_it(&client, "m-4", &receipt, both).await;
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!((client.figures(&two).await[0], left(&client, &customer).await), (20_000, 4_000));
    assert_eq!(client.get("/v1/unmatched_receipts").await.json["data"][0]["left"], 6_000);
    match_it(&client, "m-5", &receipt, json!({ "customer_credit": 6_000 })).await;
    assert_eq!(client.get("/v1/unmatched_receipts").await.json["data"], json!([]));
    assert_eq!(client.get(&format!("/v1/unmatched_receipts/{receipt}")).await.json["left"], 0);
    apply(&client, "a", &two, None).await;
    assert_eq!((client.figures(&two).await[2], left(&client, &customer).await), (0, 5_000));
    assert_eq!(app.balance(chart::UNAPPLIED, Currency::USD).await, 0);
});

on_both_engines!(a_receipt_may_be_credit_alone_of_whom_somebody_names, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let receipt = record(&client, "r-1", 7_000).await;
    let nobodys = match_it(&client, "m-1", &receipt, json!({ "customer_credit": 7_000 })).await;
    assert_eq!(nobodys.is(422, "invalid_request").json["param"], "customer");
    let body = json!({ "customer_credit": 7_000, "customer": customer });
    let matched = match_it(&client, "m-2", &receipt, body).await;
    assert_eq!((matched.status, &matched.json["customer_credit"]), (201, &json!(7_000)), "{}", matched.text);
    let shown = client.get(&format!("/v1/customers/{customer}/credit")).await.json;
    assert_eq!(
        (&shown["grants"][0]["source"], &shown["grants"][0]["payment"]),
        (&json!("matched"), &json!(receipt))
    );
    let late = json!({
        "method": "cash", "amount": 1, "currency": "usd", "received_on": "2030-01-01",
    });
    client.post_once("r-2", "/v1/unmatched_receipts", late).await.is(422, "date_in_future");
});
