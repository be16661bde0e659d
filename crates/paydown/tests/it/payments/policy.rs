//! What the merchant allows is asked again where the money is reserved, whatever the page said.

use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::ids::InvoiceId;
use billing::policy::{Minimum, Partial, PolicyLayer};
use ledger::{Currency, Money};
use paydown::actions::start_payment::Started;
use store::policies::Scope;

async fn refusal(app: &TestApp, invoice: InvoiceId, amount_minor: i64) -> RefusalKind {
    match app.start_payment(app.ask(invoice, amount_minor)).await {
        Started::Refused(refusal) => refusal.kind,
        other => panic!("{amount_minor} was not refused: {other:?}"),
    }
}

fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}

on_both_engines!(an_invoice_that_takes_no_parts_is_paid_in_full, async |app: &mut TestApp| {
    let never = PolicyLayer { partial: Some(Partial::Never), ..PolicyLayer::default() };
    app.set_policy(Scope::Merchant, never).await;
    let invoice = app.invoice(100_000).await;
    assert_eq!(refusal(app, invoice, 99_000).await, RefusalKind::PartialNotAllowed);
    app.pay_with_visa(invoice, 100_000).await;
    let other = app.invoice(100_000).await;
    let always = PolicyLayer { partial: Some(Partial::Always), ..PolicyLayer::default() };
    app.set_policy(Scope::Invoice(other), always).await;
    app.pay_with_visa(other, 40_000).await;
});

on_both_engines!(the_minimum_is_accepted_and_one_unit_less_is_not, async |app: &mut TestApp| {
    let minimum = PolicyLayer { minimum: Some(Minimum::Amount(usd(2_500))), ..PolicyLayer::default() };
    app.set_policy(Scope::Customer(app.customer), minimum).await;
    let invoice = app.invoice(100_000).await;
    assert_eq!(refusal(app, invoice, 2_499).await, RefusalKind::BelowMinimum { minimum: usd(2_500) });
    app.pay_with_visa(invoice, 2_500).await;
});

on_both_engines!(what_stays_is_never_too_little_to_be_paid, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let crumb = RefusalKind::Crumb { crumb: usd(49), all: usd(100_000), at_most: Some(usd(99_950)) };
    assert_eq!(refusal(app, invoice, 99_951).await, crumb);
    assert_eq!(refusal(app, invoice, 0).await, RefusalKind::NotPositive);
    assert_eq!(refusal(app, invoice, 49).await, RefusalKind::BelowMethod { minimum: usd(50) });
    app.pay_with_visa(invoice, 99_950).await;
    app.pay_with_visa(invoice, 50).await;
    assert_eq!(app.figures(invoice).await, (0, 0, 100_000));
});
