//! After the restore of an older backup the processor knows payments that the database has lost. They are made again
//! before anything else is charged.

use super::unbooked::page_without_a_payment;
use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::ids::{AttemptId, InvoiceId};
use billing::payment::PaymentState;
use billing::surcharge::Surcharge;
use gateway::Span;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::adopt_payment::{Adopted, adopt_unread};
use paydown::actions::start_payment::Started;
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use paydown::app::App;
use serde_json::json;

/// What a payer hears who asks for this much.
async fn refusal(app: &TestApp, invoice: InvoiceId, amount_minor: i64) -> RefusalKind {
    match app.start_payment(app.ask(invoice, amount_minor)).await {
        Started::Refused(refusal) => refusal.kind,
        other => panic!("{amount_minor} was not refused: {other:?}"),
    }
}

on_both_engines!(what_was_paid_since_the_backup_is_not_asked_for_again, async |app: &mut TestApp| {
    let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, surcharge).await;
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let mut form = app.ask(invoice, 40_000);
    form.surcharge_minor = 1_190;
    let payment = app.pay_as(form).await;
    app.card(payment, VISA).await;
    app.settle().await;
    app.restore(backup).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "the backup knows nothing of it");

    refusal(app, invoice, 100_000).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "the first who pays makes us look");
    let made = app.payment(payment).await;
    assert_eq!(made.state, PaymentState::Succeeded);
    assert_eq!((made.amount_minor, made.surcharge_minor), (40_000, 1_190));
    assert_eq!(made.receipt_email.as_deref(), Some("dana@acme.example"));
    let receipt = app.receipt(payment).await.expect("it has its receipt");
    assert_eq!((receipt.amount_minor, receipt.surcharge_minor), (40_000, 1_190));
    assert_eq!(app.anomalies(payment).await, ["payment_adopted"]);
});

on_both_engines!(no_second_receipt_goes_out_for_what_was_paid_long_ago, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.advance(SignedDuration::from_hours(48));
    app.restore(backup).await;
    refusal(app, invoice, 100_000).await;
    assert_eq!(app.state(payment).await, PaymentState::Succeeded);
    assert_eq!(app.mails(invoice).await, []);
});

on_both_engines!(a_page_that_is_still_open_holds_its_amount_again, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay(invoice, 40_000).await;
    app.restore(backup).await;
    let kind = refusal(app, invoice, 70_000).await;
    assert!(matches!(kind, RefusalKind::Above { .. }), "{kind:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(
        app.history(payment).await,
        [PaymentState::Submitting, PaymentState::RequiresAction, PaymentState::Succeeded]
    );
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_page_that_nobody_finishes_is_ended_as_ever, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay(invoice, 40_000).await;
    app.restore(backup).await;
    refusal(app, invoice, 100_000).await;
    app.settle_after(SignedDuration::from_mins(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Canceled);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(what_ended_without_money_is_not_made_again, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay(invoice, 40_000).await;
    app.settle_after(SignedDuration::from_mins(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Canceled);
    app.restore(backup).await;
    let other = app.pay_with_visa(invoice, 100_000).await;
    assert_eq!(app.anomalies_of_merchant().await, Vec::<String>::new());
    assert_eq!(app.state(other).await, PaymentState::Succeeded);
});

async fn void(app: &TestApp, invoice: InvoiceId) {
    let input = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    let voided = void_invoice(&app.app, input).await.expect("the invoice is read").expect("it is there");
    assert_eq!(voided, Ok(()));
}

on_both_engines!(money_that_fits_nowhere_is_the_customers_credit, async |app: &mut TestApp| {
    let (paid, open) = (app.invoice(100_000).await, app.invoice(100_000).await);
    let backup = app.back_up().await;
    let captured = app.pay_with_visa(paid, 40_000).await;
    let unfinished = app.pay(open, 40_000).await;
    let page = app.session(unfinished).await;
    app.restore(backup).await;
    void(app, paid).await;
    void(app, open).await;
    let third = app.invoice(5_000).await;
    app.pay_with_visa(third, 5_000).await;
    assert_eq!(app.anomalies(captured).await, ["payment_adopted", "surplus"]);
    assert_eq!(app.receipt(captured).await.expect("it has its receipt").credit_minor, 40_000);
    assert_eq!(app.anomalies_of_merchant().await.len(), 2, "of the page that was ended nothing is left");
    assert_eq!(app.session_status(&page).await, "expired");
});

on_both_engines!(an_event_is_enough_to_find_it, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.pay_with_visa(invoice, 10_000).await;
    let attempt = app.app.mint().id(AttemptId::new);
    let session = page_without_a_payment(app, attempt, (app.payment_id(), invoice)).await;
    app.control(&format!("/sessions/{session}/pay"), json!({ "card": VISA })).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (50_000, 0, 50_000));
    assert_eq!(app.anomalies_of_merchant().await, ["payment_adopted"]);
});

on_both_engines!(a_page_of_the_lost_form_is_a_payment_of_its_own, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let sent_again = app.pay_with_visa(invoice, 10_000).await;
    let attempt = app.app.mint().id(AttemptId::new);
    let session = page_without_a_payment(app, attempt, (sent_again, invoice)).await;
    app.control(&format!("/sessions/{session}/pay"), json!({ "card": VISA })).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (50_000, 0, 50_000), "both were captured, both are booked");
    assert_eq!(app.payment(sent_again).await.amount_minor, 10_000);
});

on_both_engines!(a_page_that_cannot_be_read_holds_its_amount, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay(invoice, 40_000).await;
    app.restore(backup).await;
    let App { store, secrets, processors, clock, .. } = &app.app;
    let processor = processors.of(store, secrets, app.merchant).await.expect("the key opens");
    let span = Span { from: clock.now() - SignedDuration::from_hours(1), to: None };
    let list = processor.expect("it is connected").list_pages(span).await.expect("the list is read");
    let adopted = adopt_unread(&app.app, &list.pages[0]).await.expect("it is written");
    assert_eq!(adopted, Adopted::Made(payment));
    assert_eq!(app.state(payment).await, PaymentState::Unknown);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    app.card(payment, VISA).await;
    app.settle_after(SignedDuration::from_secs(5)).await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});

on_both_engines!(a_repeat_waits_for_no_list, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let form = app.ask(invoice, 10_000);
    app.pay_as(form.clone()).await;
    app.restart().await;
    let silent = json!({ "route": "GET /v1/checkout/sessions", "fault": "status_500_before", "times": 1 });
    app.control("/faults", silent).await;
    let answer = app.start_payment(form).await;
    assert!(matches!(answer, Started::Repeated(_)), "{answer:?}");
    app.disarm_faults().await;
    app.settle_after(SignedDuration::from_mins(31)).await;
});

on_both_engines!(nothing_is_charged_before_the_list_was_read, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.restart().await;
    let silent = json!({ "route": "GET /v1/checkout/sessions", "fault": "status_500_before", "times": 1 });
    app.control("/faults", silent).await;
    let answer = app.start_payment(app.ask(invoice, 10_000)).await;
    assert!(matches!(answer, Started::CatchingUp), "{answer:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    let answer = app.start_payment(app.ask(invoice, 10_000)).await;
    assert!(
        matches!(answer, Started::CatchingUp),
        "who comes right after is not asked about again: {answer:?}"
    );
    app.advance(SignedDuration::from_secs(3));
    app.pay_with_visa(invoice, 10_000).await;
});
