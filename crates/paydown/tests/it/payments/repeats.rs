//! One form makes one payment, and no crowd pays more than is owed. Acceptance scenario 9.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::amount::RefusalKind;
use billing::payment::PaymentState;
use futures::future::join_all;
use jiff::SignedDuration;
use paydown::actions::start_payment::{Payer, StartPayment, Started};
use paydown::actions::sweep::sweep_bodies;
use store::db::Tx;
use store::idempotency::{self, Key};

on_both_engines!(a_form_sent_again_finds_its_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let form = app.ask(invoice, 40_000);
    let payment = app.pay_as(form.clone()).await;
    let Started::Repeated(found) = app.start_payment(form.clone()).await else { panic!("not repeated") };
    assert_eq!((found.id, found.amount_minor), (payment, 40_000));
    let other = StartPayment { amount_minor: 50_000, ..form.clone() };
    let Started::OtherAmount(found) = app.start_payment(other).await else { panic!("not noticed") };
    assert_eq!((found.id, found.amount_minor), (payment, 40_000));
    let stranger = Payer { session_hash: [2; 32], ..form.payer.clone() };
    let answer = app.start_payment(StartPayment { payer: stranger, ..form.clone() }).await;
    assert!(matches!(answer, Started::NotFound), "a stranger learns nothing: {answer:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));

    app.card(payment, VISA).await;
    app.settle().await;
    let Started::Repeated(found) = app.start_payment(form).await else { panic!("not repeated") };
    assert_eq!(found.state, PaymentState::Succeeded, "Back and submit shows how it ended");
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (60_000, 0, 40_000)));
});

// The record of the form has had its month; the payment says what the form asked for.
on_both_engines!(a_form_sent_again_after_a_month_finds_its_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let form = app.ask(invoice, 40_000);
    let payment = app.pay_as(form.clone()).await;
    app.card(payment, VISA).await;
    app.settle_after(SignedDuration::from_hours(24 * 31)).await;
    sweep_bodies(&app.app).await.expect("old records go");
    let (merchant, id) = (app.merchant, payment.to_string());
    let record = app.app.store.read(async move |tx: &mut Tx| {
        idempotency::find(tx, merchant, Key { owner: "portal", route: "start_payment", key: &id }).await
    });
    assert!(record.await.expect("records can be read").is_none());
    let Started::Repeated(found) = app.start_payment(form.clone()).await else { panic!("not repeated") };
    assert_eq!((found.id, found.state), (payment, PaymentState::Succeeded));
    let other = StartPayment { amount_minor: 50_000, ..form };
    assert!(matches!(app.start_payment(other).await, Started::OtherAmount(_)));
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (60_000, 0, 40_000)));
});

on_both_engines!(a_double_click_makes_one_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let form = app.ask(invoice, 100_000);
    let clicks = join_all((0..4).map(|_| app.start_payment(form.clone()))).await;
    let new = clicks.iter().filter(|answer| matches!(answer, Started::New(_))).count();
    let repeated = clicks.iter().filter(|answer| matches!(answer, Started::Repeated(_))).count();
    assert_eq!((new, repeated), (1, 3), "{clicks:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 100_000, 0));
    app.submit(form.payment).await;
    app.card(form.payment, VISA).await;
});

on_both_engines!(two_tabs_that_ask_for_too_much_make_one_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let (one, other) = tokio::join!(
        app.start_payment(app.ask(invoice, 60_000)),
        app.start_payment(app.ask(invoice, 70_000)),
    );
    let answers = [one, other];
    let payments: Vec<_> = answers.iter().filter_map(started).collect();
    assert_eq!(payments.len(), 1, "{answers:?}");
    let refused = answers.iter().find_map(refusal).expect("the other one is refused");
    assert!(matches!(refused, RefusalKind::Above { .. }), "{refused:?}");
    app.submit(payments[0]).await;
    app.card(payments[0], VISA).await;
    app.settle().await;
    let (open, pending, paid) = app.figures(invoice).await;
    assert!((paid == 60_000 || paid == 70_000) && open + paid == 100_000 && pending == 0);
});

on_both_engines!(ten_who_pay_all_at_once_make_one_payment, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let answers = join_all((0..10).map(|_| app.start_payment(app.ask(invoice, 100_000)))).await;
    let payments: Vec<_> = answers.iter().filter_map(started).collect();
    assert_eq!(payments.len(), 1, "{answers:?}");
    let others: Vec<_> = answers.iter().filter_map(refusal).collect();
    assert_eq!(others, vec![&RefusalKind::AllInProgress; 9]);
    app.submit(payments[0]).await;
    app.card(payments[0], VISA).await;
    app.settle().await;
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (0, 0, 100_000)));
    let refused = app.start_payment(app.ask(invoice, 1)).await;
    assert_eq!(refusal(&refused), Some(&RefusalKind::NothingLeft));
});

fn started(answer: &Started) -> Option<billing::ids::PaymentId> {
    match answer {
        Started::New(payment) => Some(*payment),
        _ => None,
    }
}

fn refusal(answer: &Started) -> Option<&RefusalKind> {
    match answer {
        Started::Refused(refusal) => Some(&refusal.kind),
        _ => None,
    }
}
