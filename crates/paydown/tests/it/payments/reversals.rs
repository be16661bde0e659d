//! Recorded money that was not there after all: a cheque that bounced, an entry that was wrong.

use crate::api::client::{Answer, Client, new_key};
use crate::credit::{apply, left};
use crate::on_both_engines;
use crate::pages::{New, Tells as _, open_by_link, payment_path, texts};
use crate::test_app::TestApp;
use crate::web::Browser;
use billing::chart;
use billing::invoice::{Progress, progress};
use billing::payment::PaymentState::{Returned, Succeeded};
use ledger::Currency;
use paydown::api_key::Scope;
use serde_json::{Value, json};
use store::audit::{self, acts};
use store::db::Tx;
use store::mails::MailKind;

const USD: Currency = Currency::USD;

async fn reverse(client: &Client, key: &str, payment: &str, kind: &str) -> Answer {
    let body = json!({ "kind": kind, "reason": "The bank sent it back on 18 November" });
    client.post_once(key, &format!("/v1/payments/{payment}/reverse"), body).await
}

async fn cheque(client: &Client, key: &str, invoice: &str, amount: i64) -> String {
    let mut body = Client::wire(invoice, amount);
    body["method"] = json!("cheque");
    body["surplus"] = json!("customer_credit");
    let paid = client.post_once(key, "/v1/payments", body).await;
    assert_eq!(paid.status, 201, "{}", paid.text);
    paid.text_of("id")
}

on_both_engines!(a_cheque_that_bounced_is_owed_again, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let invoice = app.invoice(100_000).await;
    let payment = cheque(&client, "c-1", &invoice.to_string(), 40_000).await;
    let card = app.pay_with_visa(invoice, 60_000).await;
    let stored = app.stored_invoice(invoice).await;
    assert_eq!(progress(stored.lifecycle, &stored.figures), Some(Progress::Paid));

    let reversed = reverse(&client, "v-1", &payment, "bounced").await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    let part = json!([{ "invoice": invoice.to_string(), "amount": 40_000 }]);
    assert_eq!((&reversed.json["invoices"], &reversed.json["owed"]), (&part, &json!(0)));
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000), "the card payment stays where it is");
    assert_eq!(app.balance(chart::BANK, USD).await, 0);
    let id = payment.parse().expect("an id");
    assert_eq!(app.history(id).await, [Succeeded, Returned]);
    let shown = client.get(&format!("/v1/payments/{payment}")).await.json;
    assert_eq!((&shown["status"], &shown["return_code"]), (&json!("returned"), &json!("bounced")));
    let kinds: Vec<_> = app.mails(invoice).await.into_iter().filter(|(_, to)| to.contains("dana")).collect();
    assert!(kinds.iter().any(|(kind, _)| *kind == MailKind::Returned), "{kinds:?}");
    let (merchant, object) = (app.merchant, payment.clone());
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &object, 10).await;
    let trail = app.app.store.read(read).await.expect("the trail can be read");
    let said = trail.iter().find(|row| row.act == acts::PAYMENT_REVERSE).expect("somebody reversed it");
    assert!(said.actor.starts_with("key:key_") && said.after.contains("18 November"), "{trail:?}");

    // Asked again it is answered again; reversed anew it is refused; what a card paid is refunded instead.
    let again = reverse(&client, "v-1", &payment, "bounced").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(again.text, reversed.text);
    reverse(&client, "v-2", &payment, "bounced").await.is(409, "already_reversed");
    let refused = reverse(&client, "v-3", &card.to_string(), "bounced").await;
    let words = refused.is(409, "not_reversible").json["detail"].as_str().unwrap_or_default();
    assert!(words.contains("refund it instead"), "{words}");
    assert_eq!(app.figures(invoice).await, (40_000, 0, 60_000));
    let refund = json!({ "payment": payment, "amount": 100, "reason": "no" });
    client.post_once("r-1", "/v1/refunds", refund).await.is(409, "not_refundable");
    app.pay_with_visa(invoice, 40_000).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000), "what is owed again can be paid again");
});

on_both_engines!(what_was_spent_and_refunded_of_it_is_owed_by_the_customer, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let [first, second] = [client.invoice(&customer, 30_000).await, client.invoice(&customer, 5_000).await];
    let payment = cheque(&client, "c-1", &first, 50_000).await;
    assert_eq!(left(&client, &customer).await, 20_000);
    assert_eq!(apply(&client, "a-1", &second, Some(5_000)).await.status, 201);
    let refund = async |key: &str, amount: i64| {
        let body = json!({ "payment": payment, "amount": amount, "reason": "fewer" });
        client.post_once(key, "/v1/refunds", body).await.text_of("id")
    };
    // What a refund takes off the invoice, its own credit fills again.
    let paid = refund("r-1", 4_000).await;
    let done = client.post(&format!("/v1/refunds/{paid}/paid"), json!({ "paid_on": "2026-11-16" })).await;
    assert_eq!(done.status, 200, "{}", done.text);
    let waits = refund("r-2", 1_000).await;
    assert_eq!((client.figures(&first).await[2], left(&client, &customer).await), (0, 10_000));

    let reversed = reverse(&client, "v-1", &payment, "entered_wrongly").await;
    assert_eq!(reversed.status, 200, "{}", reversed.text);
    let places = ["customer_credit", "unapplied", "owed"].map(|name| reversed.json[name].as_i64());
    assert_eq!(places, [Some(11_000), Some(0), Some(9_000)], "{}", reversed.text);
    assert_eq!(reversed.json["invoices"], json!([{ "invoice": first, "amount": 30_000 }]));
    let withdrawn = client.get(&format!("/v1/refunds/{waits}")).await.json;
    assert_eq!(withdrawn["status"], "canceled", "what was not paid yet is withdrawn");
    assert_eq!(client.figures(&first).await[2], 30_000);
    assert_eq!(client.figures(&second).await[2], 0, "another invoice keeps the credit that paid it");
    assert_eq!(left(&client, &customer).await, 0);
    assert_eq!(app.balance(chart::BANK, USD).await, -4_000);
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, USD).await, 9_000);
    let body = json!({ "customer": customer, "due_on": "2027-01-15" });
    let demanded = client.post_once("d-1", "/v1/returned_payment_demands", body).await;
    assert_eq!((demanded.status, &demanded.json["total"]), (201, &json!(9_000)), "{}", demanded.text);
    assert_eq!(app.balance(chart::RETURNED_RECEIVABLE, USD).await, 0);
});

on_both_engines!(a_receipt_is_reversed_whoever_it_turned_out_to_be_of, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let record = async |key: &str, amount: i64| {
        let body =
            json!({ "method": "wire", "amount": amount, "currency": "usd", "received_on": "2026-11-15" });
        client.post_once(key, "/v1/unmatched_receipts", body).await.text_of("id")
    };
    let nobodys = record("u-1", 7_000).await;
    let reversed = reverse(&client, "v-1", &nobodys, "entered_wrongly").await;
    assert_eq!((reversed.status, &reversed.json["unapplied"]), (200, &json!(7_000)), "{}", reversed.text);
    assert_eq!(app.balance(chart::UNAPPLIED, USD).await, 0);
    assert_eq!(app.balance(chart::BANK, USD).await, 0);
    assert_eq!(client.get("/v1/unmatched_receipts").await.json["data"], json!([]));
    reverse(&client, "v-2", &nobodys, "bounced").await.is(409, "already_reversed");
    let match_it = async |key: &str, receipt: &str, body: Value| {
        client.post_once(key, &format!("/v1/unmatched_receipts/{receipt}/matches"), body).await
    };
    let part = json!({ "allocations": [{ "invoice": invoice, "amount": 6_000 }] });
    match_it("m-1", &nobodys, part.clone()).await.is(422, "allocations_above_amount");

    let matched = record("u-2", 9_000).await;
    assert_eq!(match_it("m-2", &matched, part).await.status, 201);
    let reversed = reverse(&client, "v-3", &matched, "bounced").await;
    assert_eq!(reversed.json["invoices"], json!([{ "invoice": invoice, "amount": 6_000 }]));
    assert_eq!(reversed.json["unapplied"], json!(3_000));
    assert_eq!(client.figures(&invoice).await[2], 10_000);
    assert_eq!(app.balance(chart::UNAPPLIED, USD).await, 0);
    assert_eq!(client.get("/v1/unmatched_receipts").await.json["data"], json!([]));
});

on_both_engines!(nobody_reverses_what_is_not_theirs_to_reverse, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let customer = client.customer("Globex").await;
    let invoice = client.invoice(&customer, 10_000).await;
    let payment = cheque(&client, "c-1", &invoice, 4_000).await;
    let at = format!("/v1/payments/{payment}/reverse");
    let said = |kind: &str, reason: &str| json!({ "kind": kind, "reason": reason });
    client.post(&at, said("bounced", "x")).await.is(400, "missing_idempotency_key");
    client.post_once("k", &at, said("lost", "x")).await.is(422, "invalid_request");
    client.post_once("k", &at, said("bounced", "")).await.is(422, "invalid_request");
    client.post_once("k", &at, said("bounced", "card 4242 4242 4242 4242")).await.is(422, "card_number");
    reverse(&client, "k", "pay_00000000000000000000000000", "bounced").await.is(404, "not_found");
    let reader = client.with_key(&new_key(app, app.merchant, &[Scope::PaymentsRead], 60_000).await);
    reverse(&reader, "k", &payment, "bounced").await.is(403, "insufficient_scope");
    assert_eq!(client.figures(&invoice).await[2], 6_000, "nothing was reversed");
    // Two at once: one reverses.
    let [one, two] = ["k-1", "k-2"].map(|key| {
        let (client, payment) = (client.clone(), payment.clone());
        tokio::spawn(async move { reverse(&client, key, &payment, "bounced").await.status })
    });
    let mut ended = [one.await.expect("it is answered"), two.await.expect("it is answered")];
    ended.sort_unstable();
    assert_eq!(ended, [200, 409]);
    assert_eq!(client.figures(&invoice).await[2], 10_000);
});

on_both_engines!(the_payer_reads_that_it_does_not_count, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let mut browser = Browser::open(app).await;
    let (invoice, path) = open_by_link(app, &mut browser, New::usd(app, "INV-1042", 125_000)).await;
    let bounced = cheque(&client, "c-1", &invoice.to_string(), 40_000).await;
    let wrong = cheque(&client, "c-2", &invoice.to_string(), 50_000).await;
    reverse(&client, "v-1", &bounced, "bounced").await;
    reverse(&client, "v-2", &wrong, "entered_wrongly").await;
    app.settle().await;
    let page = browser.get(&path).await;
    page.tells("did not get $400.00 that was noted here: the bank sent it back, so it is owed again.");
    page.tells("No money was taken. $500.00 was noted here as received by mistake, so it is owed again.");
    page.tells("sent back by the bank");
    page.tells("by mistake, taken off");
    let of = |text: &str| payment_path(text.parse().expect("an id"));
    let page = browser.get(&of(&bounced)).await;
    assert_eq!(texts(&page, "h1").concat(), "The bank sent it back");
    page.tells("$400.00 for INV-1042 was sent back by the bank.");
    let page = browser.get(&of(&wrong)).await;
    assert_eq!(texts(&page, "h1").concat(), "Noted by mistake");
    page.tells("No money was taken. $500.00 was noted for INV-1042 by mistake");
    page.tells("INV-1042 still shows $1,250.00 left.");
});
