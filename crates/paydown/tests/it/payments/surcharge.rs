//! A surcharge is paid on top and never touches the invoice's balance. Acceptance scenario 5.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::surcharge::Surcharge;
use ledger::{Currency, Money};
use paydown::actions::start_payment::{StartPayment, Started};

/// Pays a part of an invoice with a surcharge of 2.9 % and `fixed_minor`; the charge is `charge_minor`.
async fn passes_on(app: &TestApp, currency: Currency, part_minor: i64, fixed_minor: i64, charge_minor: i64) {
    app.set_surcharge(currency, Surcharge { rate_millionths: 29_000, fixed_minor, cap_minor: None }).await;
    let invoice = app.invoice_in(currency, 1_000_000).await;
    let surcharge_minor = charge_minor - part_minor;
    let form = StartPayment { surcharge_minor, ..app.ask(invoice, part_minor) };
    let payment = app.pay_as(form).await;
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!(app.payment(payment).await.captured, Some(Money::new(charge_minor, currency)));
    assert_eq!(app.figures(invoice).await, (1_000_000 - part_minor, 0, part_minor));
    assert_eq!(app.balance(chart::SURCHARGE_INCOME, currency).await, -surcharge_minor);
    let receipt = app.receipt(payment).await.expect("a receipt");
    assert_eq!((receipt.amount_minor, receipt.surcharge_minor), (part_minor, surcharge_minor));
}

on_both_engines!(a_surcharge_is_charged_and_the_balance_falls_by_the_amount, async |app: &mut TestApp| {
    passes_on(app, Currency::USD, 40_000, 30, 41_190).await;
});

on_both_engines!(a_surcharge_in_yen_has_no_decimals, async |app: &mut TestApp| {
    passes_on(app, Currency::JPY, 40_000, 40, 41_200).await;
});

// 2.9 % of 123.450 is 3.580; with 0.305 that is 3.885, which the processor cannot charge: up to 3.890.
on_both_engines!(a_surcharge_in_dinar_ends_in_zero, async |app: &mut TestApp| {
    passes_on(app, Currency::KWD, 123_450, 305, 127_340).await;
});

on_both_engines!(
    a_surcharge_that_changed_is_shown_again_before_anything_is_reserved,
    async |app: &mut TestApp| {
        let invoice = app.invoice(100_000).await;
        let form = app.ask(invoice, 40_000);
        let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
        app.set_surcharge(Currency::USD, surcharge).await;
        let answer = app.start_payment(form).await;
        let Started::SurchargeChanged(now) = answer else {
            panic!("the old surcharge was taken: {answer:?}")
        };
        assert_eq!(now, Money::new(1_190, Currency::USD));
        assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    }
);
