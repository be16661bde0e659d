//! Credit notes: how much, how much of it is tax, and where it goes.

use super::{left, wire};
use crate::api::client::{Answer, Client};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use futures::future::join_all;
use ledger::Currency;
use serde_json::json;

async fn note(client: &Client, key: &str, invoice: &str, amount: i64) -> Answer {
    let body = json!({ "invoice": invoice, "amount": amount, "reason": "Two days less" });
    client.post_once(key, "/v1/credit_notes", body).await
}

/// An invoice of 100.00 at 19 % and 50.00 at 7 %: 172.50.
async fn taxed(client: &Client, customer: &str) -> String {
    let line = |net: i64, rate: &str| json!({ "description": "Work", "quantity": 1, "unit_amount": net, "tax_rate": rate });
    let body = json!({
        "customer": customer, "currency": "usd", "due_on": "2026-12-30",
        "lines": [line(10_000, "19"), line(5_000, "7")],
    });
    let draft = client.post("/v1/invoices", body).await;
    assert_eq!(draft.status, 201, "{}", draft.text);
    let id = draft.text_of("id");
    let issued = client.send("POST", &format!("/v1/invoices/{id}/finalize"), &[], None).await;
    assert_eq!((issued.status, &issued.json["total"]), (200, &json!(17_250)), "{}", issued.text);
    id
}

on_both_engines!(
    tax_of_two_rates_is_credited_in_proportion_and_whole_in_the_end,
    async |app: &mut TestApp| {
        let client = Client::open(app).await;
        let customer = client.customer("Globex").await;
        let invoice = taxed(&client, &customer).await;
        let first = note(&client, "n-1", &invoice, 5_000).await;
        assert_eq!(first.status, 201, "{}", first.text);
        // 19.00 × 50.00 ÷ 172.50 and 3.50 × 50.00 ÷ 172.50, rounded down.
        assert_eq!(
            first.json["taxes"],
            json!([{ "rate": "7", "amount": 101 }, { "rate": "19", "amount": 550 }])
        );
        assert_eq!((&first.json["tax"], &first.json["to_invoice"]), (&json!(651), &json!(5_000)));
        assert_eq!(client.figures(&invoice).await, [0, 0, 12_250, 12_250]);
        let above = note(&client, "n-2", &invoice, 12_251).await;
        above.is(422, "amount_above_creditable");
        assert_eq!(above.json["limits"]["maximum"], 12_250);
        let rest =
            client.post_once("n-3", "/v1/credit_notes", json!({ "invoice": invoice, "reason": "All" })).await;
        assert_eq!((&rest.json["amount"], &rest.json["tax"]), (&json!(12_250), &json!(2_250 - 651)));
        assert_eq!(client.get(&format!("/v1/invoices/{invoice}")).await.json["progress"], "credited");
        assert_eq!(app.balance(chart::TAX_PAYABLE, Currency::USD).await, 0);
        let net = app.balance(chart::REVENUE, Currency::USD).await
            + app.balance(chart::CREDIT_NOTES, Currency::USD).await;
        assert_eq!(net, 0);
        note(&client, "n-4", &invoice, 1).await.is(422, "amount_above_creditable");
        let shown = client.get(&format!("/v1/credit_notes/{}", rest.text_of("id"))).await;
        assert_eq!(shown.json, rest.json);
    }
);

on_both_engines!(what_was_paid_becomes_credit_that_goes_back, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = wire(&client, "w", &invoice, 8_000).await.text_of("id");
    let credited = note(&client, "n-1", &invoice, 5_000).await;
    assert_eq!((&credited.json["to_invoice"], &credited.json["to_credit"]), (&json!(2_000), &json!(3_000)));
    assert_eq!(client.figures(&invoice).await, [8_000, 0, 0, 0]);
    let shown = client.get(&format!("/v1/customers/{customer}/credit")).await.json;
    assert_eq!(shown["grants"][0]["source"], "credit_note");
    assert_eq!(shown["grants"][0]["credit_note"], credited.json["id"]);
    assert_eq!(
        (&shown["grants"][0]["born_on"], &shown["grants"][0]["payment"]),
        (&json!(invoice), &json!(null))
    );
    // The payment was for something else: the invoice takes its credit again.
    let other = client.invoice(&customer, 7_000).await;
    let body = json!({ "from": invoice, "payment": payment, "to": other, "amount": 7_000 });
    assert_eq!(crate::credit::move_it(&client, "m", body).await.status, 201);
    assert_eq!(client.figures(&invoice).await, [4_000, 0, 4_000, 4_000]);
    assert_eq!(left(&client, &customer).await, 0);
    let void = client.send("POST", &format!("/v1/invoices/{invoice}/void"), &[], None).await;
    void.is(409, "cannot_void");
});

on_both_engines!(an_invoice_with_a_credit_note_is_not_voided, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = wire(&client, "w", &invoice, 10_000).await.text_of("id");
    note(&client, "n-1", &invoice, 3_000).await;
    // All of it went to credit, so the figures alone do not show it once the money is elsewhere.
    let other = client.invoice(&customer, 20_000).await;
    crate::credit::apply(&client, "a", &other, None).await;
    let body = json!({ "from": invoice, "payment": payment, "to": other });
    assert_eq!(crate::credit::move_it(&client, "m", body).await.status, 201);
    assert_eq!(client.figures(&invoice).await, [0, 0, 10_000, 10_000]);
    let void = client.send("POST", &format!("/v1/invoices/{invoice}/void"), &[], None).await;
    void.is(409, "cannot_void");
    let draft = json!({
        "customer": customer, "currency": "usd", "due_on": "2026-12-30",
        "lines": [{ "description": "Work", "quantity": 1, "unit_amount": 100 }],
    });
    let draft = client.post("/v1/invoices", draft).await.text_of("id");
    note(&client, "n-2", &draft, 100).await.is(409, "not_open");
});

on_both_engines!(numbers_have_no_gap_however_many_ask_at_once, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 1_000).await;
    let tries = (0..20).map(|number| {
        let (client, invoice) = (client.clone(), invoice.clone());
        async move { note(&client, &format!("n-{number}"), &invoice, 100).await }
    });
    let answers = join_all(tries).await;
    let mut numbers: Vec<String> =
        answers.iter().filter(|answer| answer.status == 201).map(|answer| answer.text_of("number")).collect();
    numbers.sort();
    let wanted: Vec<String> = (1..=10).map(|number| format!("CN-{number:04}")).collect();
    assert_eq!(numbers, wanted, "half of them are refused, and no number is lost");
    assert!(answers.iter().all(|answer| answer.status == 201 || answer.code() == "amount_above_creditable"));
    let listed = client.get("/v1/credit_notes?limit=4").await;
    assert_eq!(
        (listed.json["data"].as_array().map(Vec::len), &listed.json["has_more"]),
        (Some(4), &json!(true))
    );
    assert_eq!(client.figures(&invoice).await, [0, 0, 0, 0]);
});
