//! Making a card page goes wrong: the same call goes out again under the same key, or we ask by list. In the end there
//! is one page and no lost hold.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::PaymentState;
use gateway::PaymentFacts;
use jiff::SignedDuration;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::record_outcome::{Outcome, record_outcome};
use paydown::actions::submit_attempt::{PAYER_WAITS, Submitted};
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::payments::Ending;

const ROUTE: &str = "POST /v1/checkout/sessions";

fn fault(kind: FaultKind, times: u32) -> Fault {
    Fault { times, delay_ms: Some(20), ..Fault::once(ROUTE, kind) }
}

/// Starts and submits a payment of 400.00 while the fault is armed.
async fn submit_under(app: &TestApp, kind: FaultKind, times: u32) -> (InvoiceId, PaymentId, Submitted) {
    app.sandbox.arm_fault(fault(kind, times));
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let submitted = app.submit(payment).await;
    (invoice, payment, submitted)
}

/// The fault passes within the payer's patience.
async fn is_overcome(app: &TestApp, kind: FaultKind) {
    let (invoice, payment, submitted) = submit_under(app, kind, 2).await;
    assert!(matches!(submitted, Submitted::CardPage(_)), "{submitted:?}");
    assert_eq!(app.attempt(payment).await.calls, 3, "sent again under the same key");
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (100_000, 40_000, 0)));
    app.card(payment, VISA).await;
    app.settle().await;
    assert_eq!((app.pages_made(), app.figures(invoice).await), (1, (60_000, 0, 40_000)));
}

on_both_engines!(a_timeout_before_the_page_is_made_is_overcome, async |app: &mut TestApp| {
    is_overcome(app, FaultKind::TimeoutBefore).await;
});

on_both_engines!(a_timeout_after_the_page_is_made_is_overcome, async |app: &mut TestApp| {
    is_overcome(app, FaultKind::TimeoutAfter).await;
});

on_both_engines!(too_many_calls_are_overcome, async |app: &mut TestApp| {
    is_overcome(app, FaultKind::TooManyRequests).await;
});

on_both_engines!(a_reset_is_overcome, async |app: &mut TestApp| {
    is_overcome(app, FaultKind::Reset).await;
});

// A stored 500 comes back for ever: after three, the list is asked, and it knows the page.
on_both_engines!(
    three_failures_after_the_page_was_made_are_resolved_by_the_list,
    async |app: &mut TestApp| {
        let (invoice, payment, submitted) = submit_under(app, FaultKind::Status500After, 1).await;
        assert_eq!(submitted, Submitted::State(PaymentState::Unknown));
        assert_eq!(app.attempt(payment).await.calls, 3);
        assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "neither paid nor failed: held");
        app.settle_after(SignedDuration::from_secs(6)).await;
        assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
        assert_eq!((app.attempt(payment).await.calls, app.pages_made()), (3, 1), "asked, not sent again");
        app.card(payment, VISA).await;
        app.settle().await;
        assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    }
);

// The list is proof of absence only after the longest life of a page.
on_both_engines!(three_failures_before_the_page_are_given_up_after_a_day, async |app: &mut TestApp| {
    let (invoice, payment, submitted) = submit_under(app, FaultKind::Status500Before, 1).await;
    assert_eq!(submitted, Submitted::State(PaymentState::Unknown));
    let turned_back = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(turned_back.expect("it is looked at later"), PaymentState::Unknown, "no page, no proof");
    for hours in [0, 1, 23] {
        app.settle_after(SignedDuration::from_secs(6 + hours * 3_600)).await;
        assert_eq!(app.state(payment).await, PaymentState::Unknown);
        assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
    }
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.state(payment).await, PaymentState::Canceled);
    assert_eq!((app.pages_made(), app.figures(invoice).await), (0, (100_000, 0, 0)));
});

on_both_engines!(
    a_processor_that_is_silent_for_five_days_is_handed_to_a_person,
    async |app: &mut TestApp| {
        let (invoice, payment, _) = submit_under(app, FaultKind::Status500Before, 1).await;
        let list = "GET /v1/checkout/sessions";
        app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(list, FaultKind::Status500Before) });
        for day in 1..=6 {
            assert_eq!(app.anomalies(payment).await, [""; 0], "before day {day}");
            app.settle_after(SignedDuration::from_hours(if day == 6 { 48 } else { 23 })).await;
            assert_eq!(app.state(payment).await, PaymentState::Unknown, "silence proves nothing");
            assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0));
        }
        assert_eq!(app.anomalies(payment).await, ["unresolved"]);
        app.settle_after(SignedDuration::from_hours(25)).await;
        assert_eq!(app.anomalies(payment).await, ["unresolved"], "told once");
        app.disarm_faults().await;
        app.settle_after(SignedDuration::from_hours(25)).await;
        assert_eq!(app.state(payment).await, PaymentState::Canceled);
        assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    }
);

// Every 5 seconds within the first minute, then every minute, every 5 minutes, every hour, every day.
on_both_engines!(a_silent_processor_is_asked_ever_less_often, async |app: &mut TestApp| {
    let (invoice, payment, _) = submit_under(app, FaultKind::Status500Before, 1).await;
    let list = "GET /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(list, FaultKind::Status500Before) });
    let began = app.app.clock.now();
    let mut pauses: Vec<i64> = Vec::new();
    while app.app.clock.now().duration_since(began) < SignedDuration::from_hours(73) {
        let due = app.next_due_at().await.expect("it is asked on");
        let pause = due.duration_since(app.app.clock.now());
        pauses.push(pause.as_secs());
        app.settle_after(pause).await;
        assert_eq!(app.state(payment).await, PaymentState::Unknown);
    }
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "it keeps its hold");
    let mut steps = pauses.clone();
    steps.dedup();
    assert_eq!(steps, [5, 60, 300, 3_600, 86_400], "{pauses:?}");
    app.disarm_faults().await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

on_both_engines!(a_refused_call_fails_at_once_and_frees_the_amount, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    app.app.public_url = "nowhere".into();
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    assert_eq!(app.submit(payment).await, Submitted::State(PaymentState::Failed));
    assert_eq!((app.pages_made(), app.figures(invoice).await), (0, (100_000, 0, 0)));
    assert!(app.attempt(payment).await.refusal.is_some(), "the processor's words are kept for staff");
});

// The page was made, its answer was lost, and then the account's key is taken back: a refusal for that reason says
// nothing of the page.
on_both_engines!(a_revoked_key_proves_nothing_of_an_earlier_call, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.note_call(payment).await;
    let session = app.make_page_unrecorded(payment).await;
    app.use_processor_key("sk_test_taken_back").await;
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::Submitting);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "the hold stays");
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!(app.state(payment).await, PaymentState::RequiresAction);
    assert_eq!(app.session(payment).await, session, "the page that was made is the one that is used");
});

// The page was made and the payer was sent there; then the processor cannot be asked any more.
on_both_engines!(an_open_page_nobody_can_ask_about_is_handed_to_a_person, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 40_000).await;
    app.use_processor_key("sk_test_taken_back").await;
    for _ in 1..=5 {
        assert_eq!(app.anomalies(payment).await, [""; 0]);
        app.settle_after(SignedDuration::from_hours(23)).await;
    }
    app.settle_after(SignedDuration::from_hours(30)).await;
    assert_eq!(app.anomalies(payment).await, ["unresolved"]);
    assert_eq!(app.figures(invoice).await, (100_000, 40_000, 0), "silence proves nothing");
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "the page has ended, and the processor says so");
});

// One call hangs longer than we wait for it; the same goes out again while the payer still waits.
on_both_engines!(a_call_that_hangs_is_sent_again_within_the_request, async |app: &mut TestApp| {
    app.sandbox.arm_fault(Fault { delay_ms: Some(8_000), ..Fault::once(ROUTE, FaultKind::TimeoutBefore) });
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    assert!(matches!(app.submit(payment).await, Submitted::CardPage(_)));
    assert_eq!((app.attempt(payment).await.calls, app.pages_made()), (2, 1));
});

on_both_engines!(given_up_before_anything_was_sent_nothing_is_sent, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    let state = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(state.expect("it is noted"), PaymentState::Submitting, "a call may be under way");
    app.settle_after(SignedDuration::from_secs(6)).await;
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::PayerCanceled)));
    // The request that made the payment may still be about to send it: it learns the end and stops trying.
    let late = tokio::time::timeout(PAYER_WAITS / 2, app.submit(payment)).await.expect("an answer at once");
    assert_eq!(late, Submitted::State(PaymentState::Canceled));
    assert_eq!((app.pages_made(), app.figures(invoice).await), (0, (100_000, 0, 0)));
});

on_both_engines!(given_up_while_the_page_was_made_the_page_is_ended_at_once, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask(invoice, 40_000)).await;
    app.note_call(payment).await;
    app.make_page_unrecorded(payment).await;
    let state = cancel_payment(&app.app, app.merchant, payment, Ending::PayerCanceled).await;
    assert_eq!(state.expect("it is noted"), PaymentState::Submitting);
    app.settle_after(SignedDuration::from_secs(6)).await;
    let ended = app.payment(payment).await;
    assert_eq!((ended.state, ended.ending), (PaymentState::Canceled, Some(Ending::PayerCanceled)));
    assert_eq!(
        (app.page_status(payment).await.as_str(), app.figures(invoice).await),
        ("expired", (100_000, 0, 0))
    );
});

// Its list had no such page when it was asked, and the page is paid all the same.
on_both_engines!(
    a_page_that_nobody_knew_of_is_booked_when_it_is_paid_after_the_end,
    async |app: &mut TestApp| {
        let (invoice, payment, submitted) = submit_under(app, FaultKind::Status500After, 1).await;
        assert_eq!(submitted, Submitted::State(PaymentState::Unknown));
        app.advance(SignedDuration::from_mins(2));
        let attempt = app.attempt(payment).await;
        let absent = Outcome {
            merchant: app.merchant,
            payment,
            facts: PaymentFacts::of_state(PaymentState::Canceled, false),
            source: "reconciler",
            ending: Some(Ending::Abandoned),
            unmade_after_calls: Some(attempt.calls),
        };
        record_outcome(&app.app, absent).await.expect("it is recorded");
        assert_eq!(
            (app.state(payment).await, app.figures(invoice).await),
            (PaymentState::Canceled, (100_000, 0, 0))
        );
        assert_eq!(app.attempt(payment).await.session_id, None);
        let page = app.only_page().await;
        app.control(&format!("/sessions/{page}/pay"), json!({ "card": VISA })).await;
        app.settle().await;
        assert_eq!(
            (app.state(payment).await, app.figures(invoice).await),
            (PaymentState::Succeeded, (60_000, 0, 40_000))
        );
        assert_eq!(app.anomalies(payment).await, ["ghost_capture"]);
    }
);
