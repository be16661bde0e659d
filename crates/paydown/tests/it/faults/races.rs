//! Many at once, and two servers on one PostgreSQL database: nobody pays twice, nothing is booked twice.

use crate::builders::{DECLINED, VISA};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::chart;
use billing::payment::PaymentState::{RequiresAction, Submitting, Succeeded};
use futures::future::join_all;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::reconcile_payment::reconcile_payment;
use paydown::actions::run_jobs;
use paydown::actions::start_payment::{Started, start_payment};
use serde_json::json;
use store::payments::Ending;
use store::testing::TestDatabase;

// Each payer of a crowd pays, is declined, turns back or leaves, while webhooks come in twice and jobs run. Whatever
// they did, the proof at the end holds.
on_both_engines!(a_crowd_on_one_invoice_leaves_the_books_equal, async |app: &mut TestApp| {
    app.control("/webhooks", json!({ "mode": "duplicate" })).await;
    let invoice = app.invoice(100_000).await;
    let app: &TestApp = app;
    let crowd = join_all((0..24).map(|payer| async move {
        let Started::New(payment) = app.start_payment(app.ask(invoice, 9_000 + payer)).await else {
            return 0;
        };
        app.submit(payment).await;
        if payer % 4 == 1 {
            app.card(payment, DECLINED).await;
        }
        if payer % 4 < 2 {
            app.card(payment, VISA).await;
        }
        if payer % 4 == 1 || payer % 4 == 2 {
            let ending = Ending::PayerCanceled;
            cancel_payment(&app.app, app.merchant, payment, ending).await.expect("the processor is asked");
        }
        app.settle().await;
        if payer % 4 < 2 { 9_000 + payer } else { 0 }
    }));
    let paid: i64 = crowd.await.into_iter().sum();
    app.settle_after(SignedDuration::from_mins(31)).await;
    assert!(paid > 0);
    assert_eq!(app.figures(invoice).await, (100_000 - paid, 0, paid));
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_reserve_an_amount_once() {
    let app = TestApp::start(TestDatabase::postgres().await).await;
    let second = app.second().await;
    let invoice = app.invoice(100_000).await;
    let payers = (0..10).map(|payer| {
        let program = if payer % 2 == 0 { &app.app } else { &second };
        start_payment(program, app.ask(invoice, 100_000))
    });
    let answers: Result<Vec<Started>, _> = join_all(payers).await.into_iter().collect();
    let answers = answers.expect("every payer gets an answer");
    let new = answers.iter().filter(|answer| matches!(answer, Started::New(_))).count();
    let refused = answers.iter().filter(|answer| matches!(answer, Started::Refused(_))).count();
    assert_eq!((new, refused), (1, 9), "{answers:?}");
    assert_eq!(app.figures(invoice).await, (100_000, 100_000, 0));
    second.store.close().await.expect("the store closes");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_servers_book_a_capture_once() {
    let app = TestApp::start(TestDatabase::postgres().await).await;
    let second = app.second().await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.card(payment, VISA).await;
    app.sandbox.drain_webhooks().await.expect("the sandbox delivers");
    let lookers = (0..8).map(|looker| {
        let program = if looker % 2 == 0 { &app.app } else { &second };
        reconcile_payment(program, app.merchant, payment, "return page")
    });
    let (looks, ours, theirs) =
        tokio::join!(join_all(lookers), run_jobs::run_due(&app.app), run_jobs::run_due(&second));
    ours.and(theirs).expect("jobs run on both");
    for look in looks {
        let look = look.expect("every look is answered").expect("the payment is there");
        assert_eq!(look.state(), Succeeded);
    }
    assert_eq!(app.history(payment).await, [Submitting, RequiresAction, Succeeded]);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
    second.store.close().await.expect("the store closes");
    app.finish().await;
}
