//! An invoice is voided only while nothing is paid or on its way, and then takes no money.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::chart;
use billing::ids::InvoiceId;
use billing::invoice::{CannotVoid, Lifecycle};
use ledger::{Currency, Money};
use paydown::actions::start_payment::Started;
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use store::db::Tx;
use store::postings::{self, CauseKind};

async fn void(app: &TestApp, invoice: InvoiceId) -> Result<(), CannotVoid> {
    let input = VoidInvoice { merchant: app.merchant, invoice, actor: "cli:test".to_owned() };
    void_invoice(&app.app, input).await.expect("the invoice is read").expect("it is there")
}

on_both_engines!(an_invoice_with_money_on_it_is_not_voided, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    let usd = |minor| Money::new(minor, Currency::USD);
    assert_eq!(void(app, invoice).await, Err(CannotVoid::InProgress(usd(40_000))));
    app.card(payment, crate::builders::VISA).await;
    app.settle().await;
    assert_eq!(void(app, invoice).await, Err(CannotVoid::Paid(usd(40_000))));
    assert_eq!(app.stored_invoice(invoice).await.lifecycle, Lifecycle::Open);
});

on_both_engines!(a_voided_invoice_is_reversed_and_takes_no_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    assert_eq!(void(app, invoice).await, Ok(()));
    assert_eq!(void(app, invoice).await, Err(CannotVoid::NotOpen(Lifecycle::Void)));
    for account in [chart::RECEIVABLE, chart::REVENUE] {
        assert_eq!(app.balance(account, Currency::USD).await, 0);
    }
    let (merchant, cause) = (app.merchant, invoice.to_string());
    let found = app.app.store.read(async move |tx: &mut Tx| {
        postings::find_by_cause(tx, merchant, CauseKind::InvoiceVoided, &cause).await
    });
    assert!(found.await.expect("postings can be read").is_some(), "the reversal is a posting of its own");
    let answer = app.start_payment(app.ask(invoice, 40_000)).await;
    let Started::Refused(refusal) = answer else { panic!("a void invoice took a payment: {answer:?}") };
    assert_eq!(refusal.kind, RefusalKind::NothingLeft);
    assert_eq!(app.pages_made(), 0);
});
