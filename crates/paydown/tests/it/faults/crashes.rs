//! The program dies between its steps, or its client leaves: nothing is lost, nothing happens twice.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{GUARD, TestApp};
use billing::payment::PaymentState;
use jiff::SignedDuration;
use paydown::actions::submit_attempt::{Submitted, submit_undisturbed};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use std::time::Duration;
use store::payments::Ending;

on_both_engines!(a_crash_before_the_call_is_made_good_after_the_start, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let key = app.attempt(payment).await.processor_key;
    app.restart().await;
    app.settle().await;
    let attempt = app.attempt(payment).await;
    assert_eq!((attempt.calls, attempt.processor_key), (1, key), "the stored call under the stored key");
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (100_000, 40_000, 0)));

    app.settle_after(SignedDuration::from_mins(15)).await;
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Abandoned)));
    assert_eq!(app.page_status(payment).await, "expired", "the payer has gone");
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_start_long_after_the_crash_frees_what_was_never_sent, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.advance(SignedDuration::from_hours(1));
    app.restart().await;
    app.settle().await;
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Abandoned)));
    assert_eq!((app.pages_made(), app.figures(invoice).await), (0, (100_000, 0, 0)));
});

on_both_engines!(a_crash_after_the_call_finds_the_page_that_was_made, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let session = app.make_page_unrecorded(payment).await;
    app.restart().await;
    app.settle().await;
    assert_eq!(app.session(payment).await, session);
    assert_eq!((app.pages_made(), app.state(payment).await), (1, PaymentState::RequiresAction));
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_success_that_a_crash_swallowed_is_booked_once, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let session = app.make_page_unrecorded(payment).await;
    app.control(&format!("/sessions/{session}/pay"), json!({ "card": VISA })).await;
    app.restart().await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    app.restart().await;
    app.settle_after(SignedDuration::from_mins(1)).await;
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (60_000, 0, 40_000)));
});

on_both_engines!(a_client_that_leaves_cancels_nothing, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let route = "POST /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault { delay_ms: Some(600), ..Fault::once(route, FaultKind::Slow) });
    let call = submit_undisturbed(&app.app, app.merchant, payment);
    let left = tokio::time::timeout(Duration::from_millis(100), call).await;
    assert!(left.is_err(), "the client left before the answer");
    app.background_work().await;
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_call_that_was_cut_off_is_sent_again_by_the_reconciler, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let route = "POST /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(route, FaultKind::TimeoutAfter) });
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Submitting, "no answer, no news");
    app.settle_after(SignedDuration::from_secs(6)).await;
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    assert_eq!((app.pages_made(), app.attempt(payment).await.calls), (1, 2));
    let submitted = tokio::time::timeout(GUARD, app.submit(payment)).await.expect("an answer");
    assert!(matches!(submitted, Submitted::CardPage(_)), "{submitted:?}");
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (100_000, 40_000, 0)));
});
