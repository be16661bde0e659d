//! After the card page: the return of the payer, the intake of a webhook, and its application.

use super::{INVOICE, PART, READ, about_to_pay, is_paid_once, left_alone, on_both_engines};
use crate::payer::{PayForm, Payer};
use crate::place::Place;
use crate::program::until;
use billing::payment::PaymentState;
use serde_json::json;
use std::time::Duration;
use store::db::{DatabaseUrl, Tx};
use store::inbox;
use store::testing::Change;
use tokio::time::timeout;

/// A lease is two minutes.
const SHORTER_THAN_A_LEASE: Duration = Duration::from_secs(60);

/// A payer who was sent to the card page and has paid there; the processor's news wait.
async fn paid_unnoticed(place: &mut Place) -> (Payer, String, PayForm) {
    place.control("/webhooks", json!({ "mode": "hold" })).await;
    let (mut payer, invoice_path, form) = about_to_pay(place).await;
    assert!(payer.press(&form).await.left_for.is_some(), "the payer goes to the card page");
    place.pay(&form.payment).await;
    assert_eq!(place.figures(INVOICE).await, (125_000, PART, 0));
    (payer, invoice_path, form)
}

/// The path of the payer's way back.
fn way_back(invoice_path: &str, form: &PayForm) -> String {
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    format!("{portal}/payments/{}/return", form.payment)
}

/// The processor tells what it has to tell.
async fn news_come(place: &Place) {
    place.control("/webhooks", json!({ "mode": "normal" })).await;
    place.control("/webhooks/release", json!({})).await;
}

on_both_engines!(on_the_payers_return_while_we_ask, async |mut place: Place| {
    let (mut payer, invoice_path, form) = paid_unnoticed(&mut place).await;
    place.fault(READ, "timeout_before").await;
    let back = way_back(&invoice_path, &form);
    let returned = tokio::spawn(async move {
        let page = payer.try_get(&back).await;
        (payer, page)
    });
    place.fault_hit().await;
    place.restart().await;
    let mut payer = left_alone(returned, &place).await;
    payer.get(&way_back(&invoice_path, &form)).await.says("Payment received");
    news_come(&place).await;
    is_paid_once(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(on_the_payers_return_before_t2, async |mut place: Place| {
    let (mut payer, invoice_path, form) = paid_unnoticed(&mut place).await;
    place.database.refuse(Change::Insert("receipts")).await;
    let page = payer.get(&way_back(&invoice_path, &form)).await;
    assert!(!page.words().contains("Payment received"), "nothing is promised that is not stored: {page:?}");
    place.kill();
    place.database.let_through().await;
    let payment = place.payment(&form.payment).await.expect("it is stored");
    assert_eq!(payment.state, PaymentState::RequiresAction);
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    is_paid_once(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(in_the_intake_of_a_webhook, async |mut place: Place| {
    let (mut payer, invoice_path, form) = paid_unnoticed(&mut place).await;
    place.database.refuse(Change::Insert("inbox")).await;
    news_come(&place).await;
    until("a webhook that was not acknowledged", async || {
        let log = place.look("/webhooks").await;
        let tried = |line: &serde_json::Value| line["attempts"].as_i64() > Some(0) && line["state"] == "due";
        log["deliveries"].as_array().is_some_and(|lines| lines.iter().any(tried)).then_some(())
    })
    .await;
    place.kill();
    place.database.let_through().await;
    assert_eq!(place.payment(&form.payment).await.map(|it| it.state), Some(PaymentState::RequiresAction));
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    is_paid_once(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(while_a_webhook_is_applied, async |mut place: Place| {
    let (mut payer, invoice_path, form) = paid_unnoticed(&mut place).await;
    place.fault(READ, "timeout_before").await;
    news_come(&place).await;
    place.fault_hit().await;
    place.restart().await;
    payer.origin.clone_from(&place.origin);
    place.control("/webhooks", json!({ "mode": "duplicate" })).await;
    if matches!(place.database.url(), DatabaseUrl::Sqlite(_)) {
        // Nobody else can be at work on a file: what the dead server had claimed does not wait for its lease.
        let applied = until("every event to be applied", async || {
            let waiting = place.read(async |tx: &mut Tx| inbox::count_waiting(tx).await).await;
            (waiting == 0).then_some(())
        });
        timeout(SHORTER_THAN_A_LEASE, applied).await.expect("the lease was let go");
    }
    is_paid_once(place, payer, &invoice_path, &form.payment).await;
});
