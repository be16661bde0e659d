//! Declines, challenges and goodbyes: a hold goes only when the processor confirms the end.

use crate::builders::{CHALLENGED, DECLINED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::{Decline, PaymentState};
use jiff::SignedDuration;
use paydown::actions::cancel_payment::cancel_payment;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::payments::Ending;

async fn cancel(app: &TestApp, payment: PaymentId) -> PaymentState {
    let canceled = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    canceled.expect("the processor is asked")
}

/// An invoice over 1,000.00 with a card page of 400.00 open.
async fn page_open(app: &TestApp) -> (InvoiceId, PaymentId) {
    let invoice = app.invoice(100_000).await;
    (invoice, app.pay(invoice, 40_000).await)
}

on_both_engines!(a_decline_leaves_the_page_open_for_another_card, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card(payment, DECLINED).await;
    app.settle().await;
    let declined = app.payment(payment).await;
    assert_eq!(declined.state, PaymentState::RequiresAction);
    assert_eq!(declined.decline, Some(Decline::NoReason));
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "the hold stays");
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(giving_up_after_a_decline_tells_the_reason, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card(payment, "4000000000009995").await;
    app.settle().await;
    assert_eq!(cancel(app, payment).await, PaymentState::Failed);
    app.settle().await;
    let ended = app.payment(payment).await;
    assert_eq!(ended.decline, Some(Decline::InsufficientFunds));
    assert_eq!(ended.ending, Some(Ending::Declined));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.page_status(payment).await, "expired");
});

on_both_engines!(turning_back_ends_the_page_and_frees_the_amount, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    assert_eq!(cancel(app, payment).await, PaymentState::Canceled);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "free at once");
    assert_eq!(app.page_status(payment).await, "expired");
    assert_eq!(app.payment(payment).await.ending, Some(Ending::PayerCanceled));
    assert_eq!(cancel(app, payment).await, PaymentState::Canceled, "again is the same");
    app.pay_with_visa(invoice, 100_000).await;
});

on_both_engines!(turning_back_from_a_paid_page_books_it, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card(payment, VISA).await;
    assert_eq!(cancel(app, payment).await, PaymentState::Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "the webhooks find it booked");
});

on_both_engines!(turning_back_while_the_charge_runs_keeps_the_hold, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    let slow = Fault { delay_ms: Some(400), ..Fault::once("POST /c/pay/{id}", FaultKind::Slow) };
    app.sandbox.arm_fault(slow);
    app.card(payment, VISA).await;
    assert_eq!(cancel(app, payment).await, PaymentState::Processing);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.arrived("payment_intent.succeeded").await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_challenge_that_is_approved_pays, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card_page(payment, json!({ "card": CHALLENGED, "challenge": "approve" })).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_challenge_that_is_refused_leaves_the_page_open, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card_page(payment, json!({ "card": CHALLENGED, "challenge": "refuse" })).await;
    app.settle().await;
    let refused = app.payment(payment).await;
    assert_eq!(refused.state, PaymentState::RequiresAction);
    assert_eq!(refused.decline, Some(Decline::NotAuthenticated));
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
});

on_both_engines!(a_challenge_that_is_left_alone_is_given_up, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.card_page(payment, json!({ "card": CHALLENGED, "challenge": "nothing" })).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    app.settle_after(SignedDuration::from_mins(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Canceled);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_payer_who_never_returns_is_given_up_after_half_an_hour, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.settle_after(SignedDuration::from_mins(29)).await;
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.settle_after(SignedDuration::from_mins(2)).await;
    assert_eq!(app.page_status(payment).await, "expired", "ended at the processor");
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Abandoned)));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_page_that_closes_by_its_own_clock_frees_the_amount, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    app.settle_after(SignedDuration::from_mins(61)).await;
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Expired)));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_hold_stays_while_the_processor_does_not_confirm_the_end, async |app: &mut TestApp| {
    let (invoice, payment) = page_open(app).await;
    let route = "POST /v1/checkout/sessions/{id}/expire";
    app.sandbox.arm_fault(Fault::once(route, FaultKind::Status500Before));
    assert_eq!(cancel(app, payment).await, PaymentState::RequiresAction);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.settle_after(SignedDuration::from_mins(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Canceled);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});
