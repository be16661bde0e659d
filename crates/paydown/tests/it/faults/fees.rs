//! The processor's fee may come after the success. It is posted once, exactly.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::payment::PaymentState;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use serde_json::json;
use store::payments::Ending;

on_both_engines!(a_fee_that_comes_later_is_posted_once, async |app: &mut TestApp| {
    app.control("/fees", json!({ "mode": "later" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded, "the success does not wait for the fee");
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 0);
    assert_eq!(app.balance(chart::CLEARING, Currency::USD).await, 40_000);
    app.control("/fees/release", json!({})).await;
    app.settle().await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
    for _ in 0..3 {
        app.settle_after(SignedDuration::from_mins(2)).await;
    }
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
    assert_eq!(app.balance(chart::CLEARING, Currency::USD).await, 40_000 - 1_190);
});

on_both_engines!(a_fee_whose_webhook_was_lost_is_asked_for, async |app: &mut TestApp| {
    app.control("/fees", json!({ "mode": "later" })).await;
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.control("/fees/release", json!({})).await;
    app.settle().await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 0);
    app.settle_after(SignedDuration::from_mins(2)).await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
});

// By then the payment's own job has long been done.
on_both_engines!(the_late_fee_of_a_payment_that_had_ended_is_asked_for, async |app: &mut TestApp| {
    app.control("/fees", json!({ "mode": "later" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    let ended = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(ended.expect("the processor is asked"), PaymentState::Canceled);
    app.settle_after(SignedDuration::from_mins(31)).await;
    let session = app.session(payment).await;
    app.control(&format!("/sessions/{session}/succeed_after_end"), json!({})).await;
    app.settle().await;
    assert_eq!(app.balance(chart::CLEARING, Currency::USD).await, 40_000);
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.control("/fees/release", json!({})).await;
    app.settle_after(SignedDuration::from_mins(2)).await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
});

// Nothing is kept: that too is known, and nobody goes on asking for a week.
on_both_engines!(a_fee_of_nothing_is_known_and_asked_for_no_more, async |app: &mut TestApp| {
    app.control("/fees", json!({ "basis_points": 0, "fixed": { "usd": 0 } })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.settle_after(SignedDuration::from_mins(2)).await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 0);
    assert!(app.attempt(payment).await.balance_transaction_id.is_some());
    assert_eq!(app.next_due_at().await, None, "no job waits");
});
