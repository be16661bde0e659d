//! The processor captured something else than asked, or when nobody expected it. Whatever it captured is booked.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use crate::web::{Browser, linked};
use billing::chart;
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::PaymentState;
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::start_payment::StartPayment;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use store::payments::Ending;

/// A payment whose capture takes something else than asked.
async fn captures(app: &TestApp, invoice: InvoiceId, amount_minor: i64, mut taken: Value) -> PaymentId {
    let payment = app.pay(invoice, amount_minor).await;
    taken["session"] = app.session(payment).await.into();
    app.control("/capture_override", taken).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    payment
}

async fn cancel(app: &TestApp, payment: PaymentId) {
    let state = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(state.expect("the processor is asked"), PaymentState::Canceled);
}

/// Money for a page that had ended.
async fn money_after_the_end(app: &TestApp, payment: PaymentId) {
    let session = app.session(payment).await;
    app.control(&format!("/sessions/{session}/succeed_after_end"), json!({})).await;
    app.settle().await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
}

on_both_engines!(more_than_asked_fills_the_invoice_and_the_rest_is_credit, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = captures(app, invoice, 100_000, json!({ "amount": 120_000 })).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -20_000);
    assert_eq!(app.anomalies(payment).await, ["capture_differs", "surplus"]);
    let receipt = app.receipt(payment).await.expect("a receipt");
    assert_eq!((receipt.amount_minor, receipt.credit_minor), (120_000, 20_000));
});

on_both_engines!(less_than_asked_leaves_the_difference_to_pay, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = captures(app, invoice, 40_000, json!({ "amount": 30_000 })).await;
    assert_eq!(app.figures(invoice).await, (70_000, 0, 30_000), "nothing stays reserved");
    assert_eq!(app.anomalies(payment).await, ["capture_differs"]);
    app.pay_with_visa(invoice, 70_000).await;
});

on_both_engines!(less_than_asked_fills_the_invoice_before_the_surcharge, async |app: &mut TestApp| {
    let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, surcharge).await;
    let invoice = app.invoice(100_000).await;
    let form = StartPayment { surcharge_minor: 1_190, ..app.ask(invoice, 40_000) };
    let payment = app.pay_as(form).await;
    let session = app.session(payment).await;
    app.control("/capture_override", json!({ "session": session, "amount": 40_500 })).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.balance(chart::SURCHARGE_INCOME, Currency::USD).await, -500);
});

on_both_engines!(more_than_asked_never_takes_what_others_hold, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let other = app.pay(invoice, 60_000).await;
    captures(app, invoice, 40_000, json!({ "amount": 50_000 })).await;
    assert_eq!(app.figures(invoice).await, (60_000, 60_000, 40_000));
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -10_000);
    let session = app.session(other).await;
    app.control("/capture_override", json!({ "session": session, "amount": 30_000 })).await;
    app.card(other, VISA).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (20_000, 0, 80_000), "the credit went back by itself");
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, 0);
});

on_both_engines!(another_currency_is_kept_apart_for_a_person, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = captures(app, invoice, 40_000, json!({ "amount": 40_000, "currency": "eur" })).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "dollars are still owed");
    assert_eq!(app.balance(chart::UNAPPLIED, Currency::EUR).await, -40_000);
    assert_eq!(app.payment(payment).await.captured, Some(Money::new(40_000, Currency::EUR)));
    assert_eq!(app.anomalies(payment).await, ["capture_in_other_currency"]);
});

on_both_engines!(money_after_a_cancellation_is_booked, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    cancel(app, payment).await;
    money_after_the_end(app, payment).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.anomalies(payment).await, ["ghost_capture"]);
    assert_eq!(app.payment(payment).await.ending, None);
});

on_both_engines!(
    money_after_a_cancellation_is_asked_for_until_there_is_an_answer,
    async |app: &mut TestApp| {
        let invoice = app.invoice(100_000).await;
        let payment = app.pay(invoice, 40_000).await;
        cancel(app, payment).await;
        app.settle().await;
        let route = "GET /v1/checkout/sessions/{id}";
        app.sandbox.arm_fault(Fault { times: 100, ..Fault::once(route, FaultKind::Status500Before) });
        let session = app.session(payment).await;
        app.control(&format!("/sessions/{session}/succeed_after_end"), json!({})).await;
        app.settle().await;
        assert_eq!(app.state(payment).await, PaymentState::Canceled, "nobody told us what happened");
        app.disarm_faults().await;
        app.settle_after(SignedDuration::from_mins(3)).await;
        assert_eq!(app.state(payment).await, PaymentState::Succeeded);
        assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    }
);

on_both_engines!(money_after_a_cancellation_never_takes_what_others_hold, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let ghost = app.pay(invoice, 40_000).await;
    cancel(app, ghost).await;
    let other = app.pay(invoice, 100_000).await;
    money_after_the_end(app, ghost).await;
    assert_eq!(app.figures(invoice).await, (100_000, 100_000, 0), "the other hold stands");
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -40_000);
    assert_eq!(app.anomalies(ghost).await, ["ghost_capture", "surplus"]);

    cancel(app, other).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "the credit went back by itself");
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, 0);
});

on_both_engines!(money_after_a_cancellation_of_a_paid_invoice_is_credit, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let ghost = app.pay(invoice, 40_000).await;
    cancel(app, ghost).await;
    app.pay_with_visa(invoice, 100_000).await;
    money_after_the_end(app, ghost).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
    assert_eq!(app.balance(chart::CUSTOMER_CREDIT, Currency::USD).await, -40_000);
});

on_both_engines!(a_link_to_an_invoice_paid_by_credit_alone_opens_the_invoice, async |app: &mut TestApp| {
    let mut browser = Browser::open(app).await;
    let (invoice, link) = linked(app).await;
    let ghost = app.pay(invoice, 125_000).await;
    cancel(app, ghost).await;
    let other = app.pay(invoice, 125_000).await;
    money_after_the_end(app, ghost).await;
    cancel(app, other).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 125_000), "the credit paid it");
    let page = browser.get(&link).await;
    assert_eq!(page.path, format!("/p/northwind/invoices/{invoice}"), "no receipt says so");
    page.says("Paid in full");
});
