//! A part is paid, the rest stays, until nothing is left.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::chart;
use billing::invoice::{Progress, progress};
use billing::payment::PaymentState::{RequiresAction, Submitting, Succeeded};
use ledger::{Currency, Money};
use paydown::actions::start_payment::Started;
use store::mails::MailKind;
use store::receipts::ReceiptLine;

on_both_engines!(a_part_is_paid_and_then_the_rest, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let part = app.pay(invoice, 40_000).await;
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "in progress, nothing paid yet");
    app.card(part, VISA).await;
    app.settle().await;
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.history(part).await, [Submitting, RequiresAction, Succeeded]);
    let stored = app.stored_invoice(invoice).await;
    assert_eq!(progress(stored.lifecycle, &stored.figures), Some(Progress::PartiallyPaid));
    let receipt = app.receipt(part).await.expect("a receipt");
    let line = ReceiptLine {
        invoice_id: invoice,
        applied_minor: 40_000,
        open_before_minor: 100_000,
        open_after_minor: 60_000,
    };
    assert_eq!((receipt.amount_minor, receipt.lines), (40_000, vec![line]));
    let paid = app.payment(part).await;
    assert_eq!(paid.captured, Some(Money::new(40_000, Currency::USD)));
    assert_eq!(paid.instrument_last4.as_deref(), Some("4242"));
    let mail = (MailKind::Received, "dana@acme.example".to_owned());
    assert_eq!(app.mails(invoice).await, [mail], "one receipt, in the outbox");

    let rest = app.pay_with_visa(invoice, 60_000).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
    let stored = app.stored_invoice(invoice).await;
    assert_eq!(progress(stored.lifecycle, &stored.figures), Some(Progress::Paid));
    let receipt = app.receipt(rest).await.expect("a receipt");
    assert_eq!((receipt.lines[0].open_before_minor, receipt.lines[0].open_after_minor), (60_000, 0));
    assert_eq!(app.balance(chart::RECEIVABLE, Currency::USD).await, 0);
    assert_eq!(app.balance(chart::REVENUE, Currency::USD).await, -100_000);
});

// Acceptance scenario 4, with a card page open.
on_both_engines!(a_second_payer_may_pay_what_the_first_left, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let first = app.pay(invoice, 40_000).await;
    let refused = app.start_payment(app.ask(invoice, 70_000)).await;
    let Started::Refused(refusal) = refused else { panic!("700.00 was not refused: {refused:?}") };
    let usd = |minor| Money::new(minor, Currency::USD);
    assert_eq!(refusal.kind, RefusalKind::Above { payable: usd(60_000), pending: usd(40_000) });
    assert_eq!(refusal.limits.map(|(_, most)| most), Some(usd(60_000)));
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "a refusal reserves nothing");

    let second = app.pay(invoice, 60_000).await;
    assert_eq!(app.figures(invoice).await, (100_000, 100_000, 0));
    app.card(second, VISA).await;
    app.card(first, VISA).await;
    app.settle().await;
    assert_eq!((app.state(first).await, app.state(second).await), (Succeeded, Succeeded));
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
});
