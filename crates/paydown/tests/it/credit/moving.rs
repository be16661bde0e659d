//! What stands on one invoice is moved to another, or taken off to credit.

use super::{apply, credit, left, move_it, wire};
use crate::api::client::Client;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use ledger::Currency;
use serde_json::json;

on_both_engines!(a_payment_is_moved_to_the_invoice_it_was_for, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let [wrong, right] = [client.invoice(&customer, 10_000).await, client.invoice(&customer, 6_000).await];
    let payment = wire(&client, "w-1", &wrong, 10_000).await.text_of("id");
    let to_right = |amount: i64| json!({ "from": wrong, "payment": payment, "to": right, "amount": amount });
    move_it(&client, "m-1", to_right(6_001)).await.is(422, "amount_above_payable");
    let moved = move_it(&client, "m-2", to_right(4_000)).await;
    assert_eq!((moved.status, &moved.json["payment"]), (201, &json!(payment)), "{}", moved.text);
    assert_eq!(client.figures(&wrong).await, [6_000, 0, 4_000, 4_000]);
    assert_eq!(client.figures(&right).await, [4_000, 0, 2_000, 2_000]);
    let listed = client.get(&format!("/v1/payments?invoice={wrong}")).await;
    assert_eq!(listed.json["data"][0]["allocations"].as_array().map(Vec::len), Some(3));

    let other = client.customer("Initech").await;
    let theirs = client.invoice(&other, 5_000).await;
    let body = json!({ "from": wrong, "payment": payment, "to": theirs });
    move_it(&client, "m-3", body).await.is(422, "customer_mismatch");
    let body = json!({ "from": wrong, "payment": payment, "to": wrong });
    move_it(&client, "m-4", body).await.is(422, "invalid_request");
    let body = json!({ "from": wrong, "payment": payment, "amount": 6_001 });
    let refused = move_it(&client, "m-5", body).await;
    refused.is(422, "amount_above_allocated");
    assert_eq!(refused.json["limits"]["maximum"], 6_000);
    assert_eq!(client.figures(&wrong).await, [6_000, 0, 4_000, 4_000], "refusals change nothing");
});

on_both_engines!(what_is_taken_off_is_credit_that_goes_nowhere_by_itself, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = wire(&client, "w-1", &invoice, 10_000).await.text_of("id");
    let body = json!({ "from": invoice, "payment": payment, "amount": 4_000 });
    let off = move_it(&client, "m-1", body).await;
    assert_eq!((off.status, &off.json["to"]), (201, &json!(null)), "{}", off.text);
    assert_eq!(client.figures(&invoice).await, [6_000, 0, 4_000, 4_000], "it does not come straight back");
    let shown = client.get(&format!("/v1/customers/{customer}/credit")).await.json;
    let grant = &shown["grants"][0];
    assert_eq!((&grant["source"], &grant["payment"]), (&json!("taken_off"), &json!(payment)));
    assert_eq!((&grant["born_on"], &grant["left"]), (&json!(null), &json!(4_000)));

    // Spent on another invoice, and taken off that again: the same grant has it.
    let other = client.invoice(&customer, 3_000).await;
    apply(&client, "a-1", &other, None).await;
    assert_eq!((left(&client, &customer).await, client.figures(&other).await[0]), (1_000, 3_000));
    let grant = grant["id"].as_str().expect("an id");
    let back = move_it(&client, "m-2", json!({ "from": other, "grant": grant, "amount": 2_000 })).await;
    assert_eq!((back.status, &back.json["grant"]), (201, &json!(grant)), "{}", back.text);
    assert_eq!((left(&client, &customer).await, client.figures(&other).await[0]), (3_000, 1_000));
    let home = move_it(&client, "m-3", json!({ "from": other, "grant": grant, "to": invoice })).await;
    assert_eq!(home.status, 201, "{}", home.text);
    assert_eq!(client.figures(&invoice).await, [7_000, 0, 3_000, 3_000]);
    let nothing = json!({ "from": other, "grant": grant });
    move_it(&client, "m-4", nothing).await.is(422, "amount_above_allocated");
    move_it(&client, "m-5", json!({ "from": other })).await.is(422, "invalid_request");
});

on_both_engines!(a_grant_that_is_refilled_goes_back_where_it_was_born, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let born_on = credit(&client, &customer, 5_000).await;
    let target = client.invoice(&customer, 5_000).await;
    let used = apply(&client, "a-1", &target, None).await;
    let grant = used.json["grants"][0]["grant"].as_str().expect("an id").to_owned();
    // The money of the invoice it was born on is moved away, so something is payable there.
    let payment = client.get(&format!("/v1/payments?invoice={born_on}")).await;
    let payment = payment.json["data"][0]["id"].as_str().expect("an id").to_owned();
    let body = json!({ "from": born_on, "payment": payment, "amount": 600 });
    assert_eq!(move_it(&client, "m-1", body).await.status, 201);
    assert_eq!(client.figures(&born_on).await, [400, 0, 600, 600]);
    // Its credit comes off the other invoice, and goes back by itself as far as there is room.
    assert_eq!(move_it(&client, "m-2", json!({ "from": target, "grant": grant })).await.status, 201);
    assert_eq!(client.figures(&born_on).await, [1_000, 0, 0, 0]);
    assert_eq!(client.figures(&target).await, [0, 0, 5_000, 5_000]);
    assert_eq!(left(&client, &customer).await, 5_000, "4,400 of it and the 600 that were taken off");
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -5_000);
});

// A bank takes back what was taken off and spent meanwhile: the credit stays spent, and the customer owes it.
on_both_engines!(what_was_spent_and_taken_back_is_owed_and_demanded_again, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = crate::credit::owe_a_returned_payment(app, &client, 40_000).await;
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await, 40_000);
    let shown = client.get(&format!("/v1/customers/{customer}/credit")).await.json;
    assert_eq!(shown["owed_of_returned_payments"], json!([{ "currency": "usd", "amount": 40_000 }]));
    let ask = |body: serde_json::Value| {
        let mut body = body;
        body["customer"] = json!(customer);
        body["due_on"] = json!("2027-01-15");
        body
    };
    let demand =
        async |key: &str, body| client.post_once(key, "/v1/returned_payment_demands", ask(body)).await;
    let refused = demand("d-1", json!({ "amount": 40_001 })).await;
    assert_eq!(refused.is(422, "amount_above_owed").json["limits"]["maximum"], 40_000);
    let revenue = app.balance(chart::REVENUE, Currency::USD).await;
    let part = demand("d-2", json!({ "amount": 15_000 })).await;
    assert_eq!((part.status, &part.json["open"]), (201, &json!(15_000)), "{}", part.text);
    let rest = demand("d-3", json!({})).await;
    assert_eq!(rest.json["total"], 25_000);
    demand("d-4", json!({})).await.is(422, "nothing_owed");
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await, 0);
    assert_eq!(app.balance(chart::REVENUE, Currency::USD).await, revenue, "nothing is earned twice");
    let note = json!({ "invoice": part.text_of("id"), "amount": 1, "reason": "No" });
    client.post_once("n", "/v1/credit_notes", note).await.is(409, "cannot_credit");
    wire(&client, "w", &part.text_of("id"), 15_000).await;
    // One that was a mistake is voided, and is owed as it was.
    let voided = client.send("POST", &format!("/v1/invoices/{}/void", rest.text_of("id")), &[], None).await;
    assert_eq!(voided.status, 200, "{}", voided.text);
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await, 25_000);
});
