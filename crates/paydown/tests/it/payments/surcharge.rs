//! A surcharge is paid on top and never touches the invoice's balance. Acceptance scenario 5.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::ids::CustomerId;
use billing::payment::Method;
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::set_surcharge::{SetSurcharge, set_surcharge};
use paydown::actions::start_payment::{Agreement, StartPayment, Started, offered, surcharge};
use serde_json::json;
use store::db::Tx;

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

/// What a payment of 400.00 by this method is charged on top.
async fn on_top(app: &TestApp, customer: CustomerId, method: Method) -> i64 {
    let (merchant, processor) = (app.merchant, app.processor().await);
    let invoice = app.invoice_of(customer, Currency::USD, 100_000).await;
    let invoice = app.stored_invoice(invoice).await;
    let read = async move |tx: &mut Tx| {
        let offers = offered(tx, merchant, &*processor, Currency::USD).await?;
        let offer = offers.into_iter().find(|(of, _)| *of == method).expect("it is offered");
        surcharge(tx, &invoice, Money::new(40_000, Currency::USD), offer).await
    };
    app.app.store.read(read).await.expect("it can be read").minor()
}

on_both_engines!(a_customers_own_surcharge_takes_the_place_of_the_merchants, async |app: &mut TestApp| {
    app.offer_debits().await;
    let other = app.another_customer("Globex", "lee@globex.example").await;
    let percent = |rate_millionths| Surcharge { rate_millionths, ..Surcharge::NONE };
    let (cards, debits) = ((Method::Card, Currency::USD), (Method::UsBankAccount, Currency::USD));
    app.set_surcharge_of(None, cards, percent(30_000)).await;
    app.set_surcharge_of(None, debits, percent(5_000)).await;
    app.set_surcharge_of(Some(other), cards, percent(10_000)).await;
    app.set_surcharge_of(Some(other), debits, Surcharge::NONE).await;
    assert_eq!(
        (on_top(app, app.customer, cards.0).await, on_top(app, app.customer, debits.0).await),
        (1_200, 200)
    );
    assert_eq!((on_top(app, other, cards.0).await, on_top(app, other, debits.0).await), (400, 0));
    let capped = Surcharge { cap_minor: Some(150), ..percent(5_000) };
    app.set_surcharge_of(None, debits, capped).await;
    assert_eq!(on_top(app, app.customer, debits.0).await, 150);
    let back = SetSurcharge {
        merchant: app.merchant,
        customer: Some(other),
        method: cards.0,
        currency: cards.1,
        surcharge: None,
        actor: "test".to_owned(),
    };
    set_surcharge(&app.app, back).await.expect("stored").expect("it can be taken back");
    assert_eq!(on_top(app, other, cards.0).await, 1_200, "the merchant's holds again");
});

on_both_engines!(a_debit_carries_its_own_surcharge, async |app: &mut TestApp| {
    app.offer_debits().await;
    let one_percent = Surcharge { rate_millionths: 10_000, ..Surcharge::NONE };
    app.set_surcharge_of(None, (Method::UsBankAccount, Currency::USD), one_percent).await;
    let invoice = app.invoice(100_000).await;
    let agreement = Agreement { wording: "Take it, once.".to_owned(), user_agent: None };
    let ask = app.ask(invoice, 40_000);
    let ask = StartPayment {
        method: Method::UsBankAccount,
        agreement: Some(agreement),
        surcharge_minor: 400,
        ..ask
    };
    let payment = app.pay_as(ask).await;
    app.card_page(payment, json!({ "account": "000123456789" })).await;
    for _ in 0..7 {
        app.settle_after(SignedDuration::from_hours(24)).await;
    }
    assert_eq!(app.payment(payment).await.captured, Some(Money::new(40_400, Currency::USD)));
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000), "it never touches the invoice");
    let receipt = app.receipt(payment).await.expect("a receipt");
    assert_eq!((receipt.amount_minor, receipt.surcharge_minor), (40_000, 400));
});

on_both_engines!(a_debit_card_gets_its_surcharge_back, async |app: &mut TestApp| {
    let percent = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    app.set_surcharge(Currency::USD, percent).await;
    let invoice = app.invoice(100_000).await;
    for (card, kept) in [("4000056655665556", 0), (VISA, 1_190)] {
        let payment = app.pay_as(StartPayment { surcharge_minor: 1_190, ..app.ask(invoice, 40_000) }).await;
        app.card(payment, card).await;
        app.settle().await;
        app.background_work().await;
        app.settle().await;
        assert_eq!(app.payment(payment).await.captured, Some(Money::new(41_190, Currency::USD)));
        assert_eq!(app.balance(chart::SURCHARGE_INCOME, Currency::USD).await, -kept, "{card}");
    }
    assert_eq!(app.figures(invoice).await, (20_000, 0, 80_000), "the invoice is not touched");
});
