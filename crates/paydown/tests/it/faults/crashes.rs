//! The program dies between its steps, or its client leaves: nothing is lost, nothing happens twice.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{GUARD, TestApp};
use billing::payment::PaymentState;
use gateway::PaymentFacts;
use jiff::SignedDuration;
use paydown::actions::record_outcome::{Outcome, Recorded, record_outcome};
use paydown::actions::submit_attempt::{Submitted, submit_undisturbed};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use std::time::Duration;
use store::payments::Ending;
use store::testing::TestDatabase;

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

// The call was noted, and the bytes never left. The processor keeps a key's first answer for a day: that it refuses
// the call now, since the page's time is over, is proof that there was none.
on_both_engines!(
    a_start_half_an_hour_after_a_crash_in_the_call_frees_the_amount,
    async |app: &mut TestApp| {
        let invoice = app.invoice(100_000).await;
        let payment = app.reserve(app.ask(invoice, 40_000)).await;
        app.note_call(payment).await;
        app.advance(SignedDuration::from_mins(35));
        app.restart().await;
        app.settle().await;
        let ended = app.payment(payment).await;
        assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Abandoned)));
        assert_eq!((app.pages_made(), app.figures(invoice).await), (0, (100_000, 0, 0)));
    }
);

// The same, but the page was made: the first answer comes back, and the page is ended before the amount is free.
on_both_engines!(a_page_made_before_a_long_crash_is_found_by_its_key, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.note_call(payment).await;
    let session = app.make_page_unrecorded(payment).await;
    app.advance(SignedDuration::from_mins(35));
    app.restart().await;
    app.settle().await;
    assert_eq!(app.session(payment).await, session);
    assert_eq!((app.pages_made(), app.page_status(payment).await.as_str()), (1, "expired"));
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::Abandoned)));
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

// Somebody decided that the page was never made, and meanwhile it was: what they decided is stale.
on_both_engines!(a_page_that_came_to_light_is_not_ended_by_an_older_look, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let attempt = app.attempt(payment).await;
    let never_made = |calls| Outcome {
        merchant: app.merchant,
        payment,
        facts: PaymentFacts {
            attempt: Some(attempt.id),
            ..PaymentFacts::of_state(PaymentState::Canceled, false)
        },
        source: "an older look",
        ending: Some(Ending::Abandoned),
        unmade_after_calls: Some(calls),
    };
    app.note_call(payment).await;
    let recorded = record_outcome(&app.app, never_made(0)).await.expect("it is recorded");
    assert_eq!(recorded, Recorded::Stale(PaymentState::Submitting), "the call went out again meanwhile");
    assert!(matches!(app.submit(payment).await, Submitted::CardPage(_)));
    let calls = app.attempt(payment).await.calls;
    let recorded = record_outcome(&app.app, never_made(calls)).await.expect("it is recorded");
    assert_eq!(recorded, Recorded::Stale(PaymentState::RequiresAction), "there is a page by now");
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "the hold stays");
});

// The database goes away while T1 commits: it is run again, and the payment is started once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_lost_in_commit_starts_one_payment() {
    let app = TestApp::start(TestDatabase::postgres().await).await;
    let invoice = app.invoice(100_000).await;
    app.database
        .execute(
            "CREATE SEQUENCE commits;
             CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               IF nextval('commits') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN NULL;
             END $$;
             CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON payments DEFERRABLE INITIALLY DEFERRED
               FOR EACH ROW EXECUTE FUNCTION hang_up()",
        )
        .await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "held once");
    assert!(matches!(app.submit(payment).await, Submitted::CardPage(_)));
    app.finish().await;
}
