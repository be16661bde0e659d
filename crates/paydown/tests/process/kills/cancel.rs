//! "Cancel it and start again": the page is ended at the processor, and the hold goes only when that is confirmed.

use super::{END, INVOICE, PART, about_to_pay, is_paid_once, left_alone, on_both_engines};
use crate::payer::{Page, PayForm, Payer};
use crate::place::Place;
use crate::program::until;
use billing::payment::PaymentState;
use serde_json::json;
use store::testing::Change;
use tokio::task::JoinHandle;

/// A payer who was sent to the card page and came back without paying.
async fn turned_round(place: &mut Place) -> (Payer, String, PayForm) {
    place.control("/webhooks", json!({ "mode": "lose" })).await;
    let (mut payer, invoice_path, form) = about_to_pay(place).await;
    assert!(payer.press(&form).await.left_for.is_some(), "the payer goes to the card page");
    (payer, invoice_path, form)
}

fn payment_path(invoice_path: &str, form: &PayForm) -> String {
    let (portal, _) = invoice_path.split_once("/invoices/").expect("a page of an invoice");
    format!("{portal}/payments/{}", form.payment)
}

fn cancel(mut payer: Payer, path: String) -> JoinHandle<(Payer, reqwest::Result<Page>)> {
    tokio::spawn(async move {
        let page = payer.try_cancel(&path).await;
        (payer, page)
    })
}

/// Nothing was paid and nothing is held; the invoice can be paid anew.
async fn is_free(place: Place, mut payer: Payer, invoice_path: &str, form: &PayForm) {
    place.state(&form.payment, PaymentState::Canceled).await;
    assert_eq!(place.figures(INVOICE).await, (125_000, 0, 0));
    assert_eq!(place.sessions().await[0]["status"], "expired");
    payer.get(invoice_path).await.says("Pay $1,250.00");
    let next = payer.form(invoice_path, PART).await;
    assert!(payer.press(&next).await.left_for.is_some(), "another payment can be started");
    place.pay(&next.payment).await;
    payer.get(&format!("{}/return", payment_path(invoice_path, &next))).await.says("Payment received");
    assert_eq!(place.figures(INVOICE).await, (125_000 - PART, 0, PART));
    assert_eq!((place.count_payments().await, place.sessions().await.len()), (2, 2));
    place.finish(&[&payer]).await;
}

on_both_engines!(a_cancel_that_did_not_arrive_leaves_the_page_open, async |mut place: Place| {
    let (payer, invoice_path, form) = turned_round(&mut place).await;
    place.fault(END, "timeout_before").await;
    let cancelled = cancel(payer, payment_path(&invoice_path, &form));
    place.fault_hit().await;
    place.restart().await;
    let payer = left_alone(cancelled, &place).await;
    assert_eq!(place.payment(&form.payment).await.map(|it| it.state), Some(PaymentState::RequiresAction));
    assert_eq!(place.sessions().await[0]["status"], "open");
    place.pay(&form.payment).await;
    let mut payer = payer;
    payer.get(&format!("{}/return", payment_path(&invoice_path, &form))).await.says("Payment received");
    is_paid_once(place, payer, &invoice_path, &form.payment).await;
});

on_both_engines!(a_cancel_that_took_effect_frees_the_invoice, async |mut place: Place| {
    let (payer, invoice_path, form) = turned_round(&mut place).await;
    place.fault(END, "timeout_after").await;
    let cancelled = cancel(payer, payment_path(&invoice_path, &form));
    until("the end of the page", async || {
        place.sessions().await.first().filter(|session| session["status"] == "expired").map(drop)
    })
    .await;
    place.restart().await;
    let payer = left_alone(cancelled, &place).await;
    is_free(place, payer, &invoice_path, &form).await;
});

on_both_engines!(a_cancel_that_was_not_recorded_is_recorded_later, async |mut place: Place| {
    let (mut payer, invoice_path, form) = turned_round(&mut place).await;
    place.database.refuse(Change::Update("payments", "state")).await;
    let page = payer.try_cancel(&payment_path(&invoice_path, &form)).await.expect("an answer");
    assert_eq!(page.left_for, None, "{}", page.html);
    place.kill();
    place.database.let_through().await;
    assert_eq!(place.payment(&form.payment).await.map(|it| it.state), Some(PaymentState::RequiresAction));
    assert_eq!(place.sessions().await[0]["status"], "expired");
    assert_eq!(place.figures(INVOICE).await, (125_000, PART, 0), "the hold stays until it is stored");
    place.serve().await;
    payer.origin.clone_from(&place.origin);
    is_free(place, payer, &invoice_path, &form).await;
});
