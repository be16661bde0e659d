//! Credit is spent in part, oldest first, on invoices that somebody chooses; never more than there is, never what is on its way.

use super::{apply, credit, left};
use crate::api::client::Client;
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use futures::future::join_all;
use jiff::SignedDuration;
use ledger::Currency;
use serde_json::json;

on_both_engines!(credit_is_used_in_part_the_oldest_first, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    credit(&client, &customer, 3_000).await;
    app.advance(SignedDuration::from_secs(1));
    credit(&client, &customer, 5_000).await;
    let before = client.get(&format!("/v1/customers/{customer}/credit")).await.json;
    let grants = before["grants"].as_array().expect("grants");
    let figures: Vec<_> = grants.iter().map(|grant| (&grant["source"], &grant["left"])).collect();
    assert_eq!(figures, [(&json!("surplus"), &json!(3_000)), (&json!("surplus"), &json!(5_000))]);
    assert_eq!(before["left"], json!([{ "currency": "usd", "amount": 8_000 }]));

    let invoice = client.invoice(&customer, 10_000).await;
    let used = apply(&client, "a-1", &invoice, Some(4_000)).await;
    assert_eq!((used.status, &used.json["credit_left"]), (201, &json!(4_000)), "{}", used.text);
    assert_eq!(used.json["grants"][0], json!({ "grant": grants[0]["id"], "amount": 3_000 }));
    assert_eq!(used.json["grants"][1], json!({ "grant": grants[1]["id"], "amount": 1_000 }));
    assert_eq!(client.figures(&invoice).await, [4_000, 0, 6_000, 6_000]);
    let again = apply(&client, "a-1", &invoice, Some(4_000)).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!((again.json, left(&client, &customer).await), (used.json, 4_000));

    let refused = apply(&client, "a-2", &invoice, Some(4_001)).await;
    refused.is(422, "amount_above_credit");
    assert_eq!(refused.json["limits"], json!({ "minimum": 1, "maximum": 4_000 }));
    let other = client.invoice(&customer, 500).await;
    let all = apply(&client, "a-3", &other, None).await;
    assert_eq!(all.json["amount"], 500, "as much as is payable");
    let rest = apply(&client, "a-4", &invoice, None).await;
    assert_eq!(rest.json["amount"], 3_500, "as much as there is");
    apply(&client, "a-5", &invoice, None).await.is(422, "no_credit");
    assert_eq!(client.figures(&invoice).await, [7_500, 0, 2_500, 2_500]);
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, 0);
});

on_both_engines!(credit_never_takes_what_is_on_its_way, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = app.customer.to_string();
    credit(&client, &customer, 5_000).await;
    let invoice = app.invoice(10_000).await;
    let card = app.pay(invoice, 8_000).await;
    let id = invoice.to_string();
    let refused = apply(&client, "a-1", &id, Some(3_000)).await;
    refused.is(422, "amount_above_payable");
    assert_eq!(refused.json["limits"]["maximum"], 2_000);
    let used = apply(&client, "a-2", &id, None).await;
    assert_eq!((&used.json["amount"], &used.json["payable_now"]), (&json!(2_000), &json!(0)));
    apply(&client, "a-3", &id, None).await.is(422, "nothing_payable");
    app.card(card, VISA).await;
    app.settle().await;
    assert_eq!(client.figures(&id).await, [10_000, 0, 0, 0], "paid, no residue");
    assert_eq!(left(&client, &customer).await, 3_000);
});

on_both_engines!(twenty_at_once_spend_it_once, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    credit(&client, &customer, 2_500).await;
    credit(&client, &customer, 2_500).await;
    let [one, two] = [client.invoice(&customer, 50_000).await, client.invoice(&customer, 50_000).await];
    let tries = (0..20).map(|number| {
        let (client, invoice) = (client.clone(), if number % 2 == 0 { one.clone() } else { two.clone() });
        async move { apply(&client, &format!("a-{number}"), &invoice, Some(1_000)).await }
    });
    let answers = join_all(tries).await;
    let done = answers.iter().filter(|answer| answer.status == 201).count();
    let codes: Vec<&str> =
        answers.iter().map(|answer| answer.code()).filter(|code| !code.is_empty()).collect();
    assert_eq!(done, 5, "{codes:?}");
    assert!(codes.iter().all(|code| ["amount_above_credit", "no_credit"].contains(code)), "{codes:?}");
    let paid = client.figures(&one).await[0] + client.figures(&two).await[0];
    assert_eq!((paid, left(&client, &customer).await), (5_000, 0));
});

// Acceptance scenario 8.
on_both_engines!(a_cheque_and_a_credit_note_beside_a_debit_leave_no_residue, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    app.offer_debits().await;
    let invoice = app.invoice(100_000).await;
    app.debit(invoice, 40_000, "000123456789").await;
    let id = invoice.to_string();
    crate::credit::wire(&client, "w", &id, 25_000).await;
    assert_eq!(client.figures(&id).await, [25_000, 40_000, 75_000, 35_000]);
    let above = json!({ "invoice": id, "amount": 35_000, "reason": "Two days less" });
    let note = client.post_once("n", "/v1/credit_notes", above).await;
    assert_eq!((note.status, &note.json["to_credit"]), (201, &json!(0)), "{}", note.text);
    assert_eq!(client.figures(&id).await, [25_000, 40_000, 40_000, 0]);
    app.days(7).await;
    assert_eq!(client.figures(&id).await, [65_000, 0, 0, 0]);
    let shown = client.get(&format!("/v1/invoices/{id}")).await.json;
    assert_eq!((&shown["progress"], &shown["reduced"]), (&json!("paid"), &json!(35_000)));
    assert_eq!(app.balance(chart::RECEIVABLE, Currency::USD).await, 0);
});

// Acceptance scenario 10.
on_both_engines!(all_of_it_recorded_beside_a_debit_is_credit_or_goes_back, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    app.offer_debits().await;
    for (account, settles) in [("000123456789", true), ("000222222227", false)] {
        let invoice = app.invoice(100_000).await;
        app.debit(invoice, 40_000, account).await;
        let id = invoice.to_string();
        let mut body = Client::wire(&id, 100_000);
        body["surplus"] = json!("customer_credit");
        let paid = client.post_once(&format!("w-{settles}"), "/v1/payments", body).await;
        assert_eq!((paid.status, &paid.json["customer_credit"]), (201, &json!(40_000)), "{}", paid.text);
        assert_eq!(client.figures(&id).await, [60_000, 40_000, 40_000, 0]);
        app.days(7).await;
        assert_eq!(client.figures(&id).await, [100_000, 0, 0, 0], "settles: {settles}");
    }
    assert_eq!(left(&client, &app.customer.to_string()).await, 40_000, "of the debit that was paid as well");
});
