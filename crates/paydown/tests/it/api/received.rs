//! Money that was received outside: all of it is booked, whatever the merchant's policy asks of payers.

use super::client::Client;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::payment::{Ending, PaymentState};
use billing::policy::{Minimum, Partial, PolicyLayer};
use paydown::actions::cancel_payment::cancel_payment;
use serde_json::json;
use store::db::Tx;
use store::policies::Scope;
use store::postings;

on_both_engines!(a_cheque_pays_a_part_and_the_rest_stays, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 125_000).await;
    let body = json!({
        "method": "cheque", "reference": "10077", "received_on": "2026-11-15", "currency": "USD",
        "allocations": [{ "invoice": invoice, "amount": 50_000 }],
    });
    let paid = client.post_once("k-1", "/v1/payments", body).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    for (name, value) in [
        ("method", json!("cheque")),
        ("status", json!("succeeded")),
        ("currency", json!("usd")),
        ("amount", json!(50_000)),
        ("surcharge", json!(0)),
        ("reference", json!("10077")),
        ("received_on", json!("2026-11-15")),
        ("customer", json!(customer)),
        ("customer_credit", json!(0)),
    ] {
        assert_eq!(paid.json[name], value, "{name}");
    }
    assert_eq!(paid.json["allocations"][0]["amount"], 50_000);
    assert_eq!(client.figures(&invoice).await, [50_000, 0, 75_000, 75_000]);
    let shown = client.get(&format!("/v1/invoices/{invoice}")).await;
    assert_eq!(shown.json["progress"], "partially_paid");
    let again = client.get(&format!("/v1/payments/{}", paid.text_of("id"))).await;
    assert_eq!(again.json, paid.json);
    let merchant = app.merchant;
    let bank = async move |tx: &mut Tx| postings::balances(tx, merchant, chart::BANK).await;
    let bank = app.app.store.read(bank).await.expect("balances");
    assert_eq!(bank.iter().map(|money| money.minor()).collect::<Vec<_>>(), [50_000]);
});

on_both_engines!(one_transfer_pays_several_invoices, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let [one, two, three] = [
        client.invoice(&customer, 10_000).await,
        client.invoice(&customer, 20_000).await,
        client.invoice(&customer, 30_000).await,
    ];
    let body = json!({
        "method": "wire", "received_on": "2026-11-16", "currency": "usd",
        "allocations": [
            { "invoice": three, "amount": 30_000 }, { "invoice": one, "amount": 10_000 }, { "invoice": two, "amount": 500 },
        ],
    });
    let paid = client.post_once("k-1", "/v1/payments", body).await;
    assert_eq!((paid.status, &paid.json["amount"]), (201, &json!(40_500)), "{}", paid.text);
    assert_eq!(paid.json["allocations"].as_array().map(Vec::len), Some(3));
    assert_eq!(client.figures(&one).await, [10_000, 0, 0, 0]);
    assert_eq!(client.figures(&two).await, [500, 0, 19_500, 19_500]);
    assert_eq!(client.figures(&three).await, [30_000, 0, 0, 0]);
    let listed = client.get(&format!("/v1/payments?invoice={two}")).await;
    assert_eq!(listed.json["data"][0], paid.json);
});

on_both_engines!(more_than_is_left_is_refused_with_the_surplus_or_kept, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 125_000).await;
    let refused = client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 130_000)).await;
    refused.is(422, "surplus");
    assert_eq!((&refused.json["surplus"], &refused.json["currency"]), (&json!(5_000), &json!("usd")));
    assert_eq!(refused.json["payable"], json!([{ "invoice": invoice, "payable_now": 125_000 }]));
    assert_eq!(client.figures(&invoice).await, [0, 0, 125_000, 125_000], "nothing changed");
    // The refusal stored nothing: the same key may carry what is right.
    let mut body = Client::wire(&invoice, 130_000);
    body["surplus"] = json!("customer_credit");
    let kept = client.post_once("k-1", "/v1/payments", body).await;
    assert_eq!((kept.status, &kept.json["customer_credit"]), (201, &json!(5_000)), "{}", kept.text);
    assert_eq!(kept.json["allocations"][0]["amount"], 125_000);
    assert_eq!(client.figures(&invoice).await, [125_000, 0, 0, 0]);
    // An amount above all allocations is the same.
    let other = client.invoice(&customer, 1_000).await;
    let mut body = Client::wire(&other, 1_000);
    body["amount"] = json!(1_700);
    let refused = client.post_once("k-2", "/v1/payments", body.clone()).await;
    assert_eq!(refused.is(422, "surplus").json["surplus"], 700);
    body["surplus"] = json!("customer_credit");
    let kept = client.post_once("k-2", "/v1/payments", body).await;
    assert_eq!((kept.status, &kept.json["customer_credit"]), (201, &json!(700)), "{}", kept.text);
});

on_both_engines!(credit_is_never_kept_while_its_invoice_can_take_it, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 1_000).await;
    let mut body = Client::wire(&invoice, 300);
    body["amount"] = json!(900);
    body["surplus"] = json!("customer_credit");
    let paid = client.post_once("k-1", "/v1/payments", body).await;
    assert_eq!((paid.status, &paid.json["customer_credit"]), (201, &json!(0)), "{}", paid.text);
    assert_eq!(paid.json["allocations"].as_array().map(Vec::len), Some(1));
    assert_eq!(paid.json["allocations"][0]["amount"], 900);
    assert_eq!(client.figures(&invoice).await, [900, 0, 100, 100]);
});

on_both_engines!(the_policy_binds_what_is_asked_for_only, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let invoice = client.invoice(&customer, 100_000).await;
    let layer = PolicyLayer {
        partial: Some(Partial::Never),
        minimum: Some(Minimum::Percent(5_000)),
        ..PolicyLayer::default()
    };
    app.set_policy(Scope::Merchant, layer).await;
    let asked = client.post(&format!("/v1/invoices/{invoice}/quotes"), json!({ "amount": 1 })).await;
    asked.is(422, "partial_not_allowed");
    let paid = client.post_once("k-1", "/v1/payments", Client::wire(&invoice, 1)).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    assert_eq!(client.figures(&invoice).await, [1, 0, 99_999, 99_999]);
});

on_both_engines!(what_cannot_be_recorded_changes_nothing, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Acme").await;
    let other = client.customer("Globex").await;
    let (mine, theirs) = (client.invoice(&customer, 1_000).await, client.invoice(&other, 1_000).await);
    let void = client.invoice(&customer, 1_000).await;
    client.send("POST", &format!("/v1/invoices/{void}/void"), &[], None).await;
    let with = |name: &str, value: serde_json::Value| {
        let mut body = Client::wire(&mine, 500);
        body[name] = value;
        body
    };
    let allocations = |list: &[(&str, i64)]| {
        let list: Vec<_> =
            list.iter().map(|(invoice, amount)| json!({ "invoice": invoice, "amount": amount })).collect();
        with("allocations", json!(list))
    };
    for (body, status, code, param) in [
        (with("amount", json!(400)), 422, "allocations_above_amount", "amount"),
        (with("currency", json!("eur")), 422, "currency_mismatch", "allocations[0].invoice"),
        (with("customer", json!(other)), 422, "customer_mismatch", "allocations[0].invoice"),
        (with("customer", json!("cus_00000000000000000000000000")), 404, "not_found", "customer"),
        (allocations(&[(&mine, 1), (&theirs, 1)]), 422, "customer_mismatch", "allocations[1].invoice"),
        (allocations(&[(&mine, 1), (&mine, 1)]), 422, "invalid_request", "allocations[1].invoice"),
        (allocations(&[(&void, 1)]), 409, "not_open", "allocations[0].invoice"),
        (allocations(&[("inv_00000000000000000000000000", 1)]), 404, "not_found", "allocations[0].invoice"),
        (with("received_on", json!("2026-11-18")), 422, "date_in_future", "received_on"),
        (with("reference", json!("4242 4242 4242 4242")), 422, "card_number", "reference"),
        (with("surplus", json!("keep")), 422, "invalid_request", "surplus"),
        (with("method", json!("card")), 422, "invalid_request", "method"),
        (with("status", json!("succeeded")), 422, "invalid_request", "status"),
    ] {
        let refused = client.post_once("the same key", "/v1/payments", body.clone()).await;
        refused.is(400, "invalid_idempotency_key");
        let refused = client.post_once("the-same-key", "/v1/payments", body).await;
        refused.is(status, code);
        assert_eq!(refused.json["param"], param, "{}", refused.text);
    }
    assert_eq!(client.figures(&mine).await, [0, 0, 1_000, 1_000]);
    assert_eq!(client.get("/v1/payments").await.json["data"], json!([]));
    // A day ahead is the merchant's tomorrow: whoever writes may live east of it.
    let paid = client.post_once("k-2", "/v1/payments", with("received_on", json!("2026-11-17"))).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
});

on_both_engines!(a_card_payment_in_flight_is_left_alone, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let invoice = app.invoice(100_000).await;
    let started = app.pay(invoice, 40_000).await;
    let id = invoice.to_string();
    assert_eq!(client.figures(&id).await, [0, 40_000, 100_000, 60_000]);
    client.post_once("k-1", "/v1/payments", Client::wire(&id, 60_001)).await.is(422, "surplus");
    let mut body = Client::wire(&id, 100_000);
    body["surplus"] = json!("customer_credit");
    let paid = client.post_once("k-1", "/v1/payments", body).await;
    assert_eq!((paid.status, &paid.json["customer_credit"]), (201, &json!(40_000)), "{}", paid.text);
    assert_eq!(client.figures(&id).await, [60_000, 40_000, 40_000, 0]);
    // The card page is given up: the credit goes to the invoice by itself.
    let given_up = cancel_payment(&app.app, app.merchant, started, Ending::PayerCanceled).await;
    assert_eq!(given_up.expect("the processor answers"), PaymentState::Canceled);
    assert_eq!(client.figures(&id).await, [100_000, 0, 0, 0]);
    let shown = client.get(&format!("/v1/payments/{}", paid.text_of("id"))).await;
    assert_eq!(shown.json["allocations"].as_array().map(Vec::len), Some(2));
});
