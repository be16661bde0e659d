//! The processor does not answer, answers late, or knows of a refund that nobody asked for here.

use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::chart;
use billing::ids::PaymentId;
use billing::refund::RefundMeaning::OwedAgain;
use billing::refund::RefundState::{Failed, Pending, Requested, Submitting, Succeeded, Unknown};
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::record_refund::{RefundOutcome, record_refund};
use paydown::actions::request_refund::RefundOf;
use paydown::actions::run_jobs;
use sandbox::{Fault, FaultKind};
use serde_json::{Value, json};
use store::refunds::RefundOrigin;
use store::verify;

const ROUTE: &str = "POST /v1/refunds";

fn arm(app: &TestApp, kind: FaultKind, times: u32) {
    app.sandbox.arm_fault(Fault { times, delay_ms: Some(20), ..Fault::once(ROUTE, kind) });
}

impl TestApp {
    /// Somebody refunds in the processor's dashboard.
    async fn refund_in_dashboard(&self, payment: PaymentId, amount: i64) -> Value {
        let intent = self.attempt(payment).await.payment_intent_id.expect("it was paid");
        let url = format!("{}/v1/refunds", self.sandbox.base_url());
        let form = format!("payment_intent={intent}&amount={amount}");
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let request = self.http.post(url).bearer_auth(PROCESSOR_KEY).header(kind.0, kind.1).body(form);
        let answer = request.send().await.expect("the processor answers");
        let refund: Value = answer.json().await.expect("answers are JSON");
        assert_eq!(refund["object"], "refund", "{refund}");
        refund
    }
}

/// The call goes wrong in this way, once: the refund is made once all the same.
async fn is_resolved(app: &TestApp, kind: FaultKind) {
    let (invoice, payment) = app.paid_by_visa().await;
    // Else its webhook tells before anybody asks.
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    arm(app, kind, 1);
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Unknown, "neither sent nor failed");
    assert_eq!(app.balance(chart::REFUNDS_PAYABLE, Currency::USD).await, -40_000, "it keeps its amount");
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!(app.refund_history(id).await, [Requested, Submitting, Unknown, Succeeded]);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (100_000, 0, 0)));
}

on_both_engines!(a_timeout_before_the_refund_is_made_is_resolved, async |app: &mut TestApp| {
    is_resolved(app, FaultKind::TimeoutBefore).await;
});

on_both_engines!(a_timeout_after_the_refund_was_made_is_resolved, async |app: &mut TestApp| {
    is_resolved(app, FaultKind::TimeoutAfter).await;
});

on_both_engines!(an_answer_that_is_cut_short_is_resolved, async |app: &mut TestApp| {
    is_resolved(app, FaultKind::Truncated).await;
});

on_both_engines!(a_webhook_resolves_what_was_not_answered, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    arm(app, FaultKind::TimeoutAfter, 1);
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Unknown);
    app.settle().await;
    assert_eq!(app.stored_refund(id).await.state, Succeeded);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (100_000, 0, 0)));
});

// A stored 500 comes back for ever: after three, the list is asked, and it knows the refund.
on_both_engines!(three_failures_after_the_refund_are_resolved_by_the_list, async |app: &mut TestApp| {
    let (_, payment) = app.paid_by_visa().await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    arm(app, FaultKind::Status500After, 1);
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Unknown);
    for _ in 0..4 {
        app.settle_after(SignedDuration::from_secs(35)).await;
    }
    let refund = app.stored_refund(id).await;
    assert_eq!((refund.state, refund.calls, app.refunds_made()), (Succeeded, 3, 1), "asked, not sent again");
});

// Absence from the list is proof once no call can still be on its way; then the money is the customer's.
on_both_engines!(three_failures_before_the_refund_end_it_after_an_hour, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    arm(app, FaultKind::Status500Before, 1);
    let (id, _) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    for _ in 0..4 {
        app.settle_after(SignedDuration::from_secs(35)).await;
        assert_eq!(app.stored_refund(id).await.state, Unknown);
    }
    app.settle_after(SignedDuration::from_mins(20)).await;
    assert_eq!((app.stored_refund(id).await.state, app.figures(invoice).await), (Unknown, (100_000, 0, 0)));
    app.settle_after(SignedDuration::from_hours(2)).await;
    assert_eq!(app.stored_refund(id).await.state, Failed);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (0, (60_000, 0, 40_000)));
    assert_eq!(app.anomalies(payment).await, ["refund_failed"]);
});

on_both_engines!(a_silent_processor_is_handed_to_a_person, async |app: &mut TestApp| {
    let (_, payment) = app.paid_by_visa().await;
    app.use_processor_key("sk_test_taken_back").await;
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Submitting, "a key that was taken back says nothing of a refund");
    for _ in 1..=6 {
        app.settle_after(SignedDuration::from_hours(23)).await;
    }
    assert_eq!(app.anomalies(payment).await, ["refund_unresolved"]);
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(25)).await;
    // By now its key may be forgotten: the list has none, and the money is the customer's.
    assert_eq!(app.stored_refund(id).await.state, Failed);
    assert_eq!(app.refunds_made(), 0);
});

// The key is taken back between the two sendings: the refusal of the second says nothing of the first.
on_both_engines!(a_refusal_says_nothing_of_an_earlier_sending, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    arm(app, FaultKind::TimeoutAfter, 1);
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Unknown);
    app.use_processor_key("sk_test_taken_back").await;
    app.settle_after(SignedDuration::from_secs(31)).await;
    assert_eq!(app.stored_refund(id).await.state, Unknown);
    assert_eq!(app.balance(chart::REFUNDS_PAYABLE, Currency::USD).await, -40_000, "it keeps its amount");
    app.use_processor_key(PROCESSOR_KEY).await;
    app.settle_after(SignedDuration::from_hours(2)).await;
    assert_eq!(app.stored_refund(id).await.state, Succeeded);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (100_000, 0, 0)));
});

on_both_engines!(a_refund_that_ended_and_was_paid_all_the_same_is_a_persons, async |app: &mut TestApp| {
    let (_, payment) = app.paid_by_visa().await;
    arm(app, FaultKind::TimeoutBefore, 1);
    let (id, state) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(state, Unknown);
    let never = RefundOutcome::never_made(app.merchant, id, "the list has none".to_owned(), "reconciler");
    let paid = RefundOutcome { state: Succeeded, source: "webhook", ..never.clone() };
    for outcome in [never, paid.clone(), paid] {
        assert_eq!(record_refund(&app.app, outcome).await.expect("it is recorded"), Failed);
    }
    let mut told = app.anomalies(payment).await;
    told.sort_unstable();
    assert_eq!(told, ["refund_contradicts", "refund_failed"], "once, and not swallowed");
});

on_both_engines!(what_is_disputed_before_it_is_sent_waits, async |app: &mut TestApp| {
    let (_, payment) = app.paid_by_visa().await;
    let id = app.begin_refund(RefundOf::Payment(payment), Some(10_000), OwedAgain).await;
    let charge = app.attempt(payment).await.charge_id.expect("it was captured");
    let with = json!({ "amount": 10_000 });
    let told = app.control(&format!("/charges/{charge}/dispute"), with).await;
    app.settle().await;
    assert_eq!(app.send_refund(id).await, Requested, "its bank decides first");
    let name = told["id"].as_str().expect("an id");
    app.control(&format!("/disputes/{name}"), json!({ "outcome": "won" })).await;
    app.settle().await;
    assert_eq!(app.send_refund(id).await, Succeeded);
    assert_eq!(app.refunds_made(), 1);
});

on_both_engines!(what_was_not_sent_before_a_crash_is_sent_after_it, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    let id = app.begin_refund(RefundOf::Payment(payment), None, OwedAgain).await;
    app.restart().await;
    app.settle().await;
    assert_eq!(app.stored_refund(id).await.state, Succeeded);
    assert_eq!((app.refunds_made(), app.figures(invoice).await), (1, (100_000, 0, 0)));
});

on_both_engines!(a_refund_in_the_dashboard_is_taken_into_the_books, async |app: &mut TestApp| {
    let (invoice, payment) = app.paid_by_visa().await;
    app.refund_in_dashboard(payment, 15_000).await;
    app.settle().await;
    let all = app.refunds_of(payment).await;
    assert_eq!(all.len(), 1, "several events, one refund: {all:?}");
    assert_eq!((all[0].state, all[0].origin), (Succeeded, RefundOrigin::Adopted));
    assert_eq!(app.figures(invoice).await, (75_000, 0, 25_000));
    assert_eq!(app.anomalies(payment).await, ["refund_adopted"]);
    app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
});

// Two people give the same money back, one of them past the program: the processor refuses the second, and until it has, ours is
// asked for and not sent.
on_both_engines!(
    a_refund_in_the_dashboard_comes_before_one_that_was_asked_for_here,
    async |app: &mut TestApp| {
        let (invoice, payment) = app.paid_by_visa().await;
        let id = app.begin_refund(RefundOf::Payment(payment), None, OwedAgain).await;
        app.refund_in_dashboard(payment, 15_000).await;
        app.settle().await;
        assert_eq!(app.stored_refund(id).await.state, Requested);
        let report =
            verify::verify(&app.app.store, &verify::Options::default()).await.expect("it can be read");
        assert!(report.is_clean(), "{:#?}", report.findings);
        assert_eq!(app.send_refund(id).await, Failed, "so much is not left");
        app.settle().await;
        assert_eq!(app.refunds_of(payment).await.len(), 2);
        assert_eq!(
            app.figures(invoice).await,
            (60_000, 0, 40_000),
            "what did not reach the payer pays it again"
        );
        let owed = app.balance(chart::RETURNED_RECEIVABLE, Currency::USD).await;
        assert_eq!(owed, 15_000, "and what did is owed by the customer");
    }
);

on_both_engines!(a_lost_webhook_of_a_refund_is_made_good, async |app: &mut TestApp| {
    let (_, payment) = app.partly_paid("4000000000007726").await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let (id, state) = app.refund(RefundOf::Payment(payment), Some(20_000), OwedAgain).await;
    assert_eq!(state, Pending);
    for _ in 0..3 {
        app.settle_after(SignedDuration::from_hours(25)).await;
    }
    assert_eq!(app.stored_refund(id).await.state, Succeeded, "the clock finds it out");
});

// Nobody asks about a refund that was paid: only the list of events tells that it came back.
on_both_engines!(a_lost_webhook_of_a_late_failure_is_made_good, async |app: &mut TestApp| {
    let (invoice, payment) = app.partly_paid("4000000000005126").await;
    let (id, _) = app.refund(RefundOf::Payment(payment), None, OwedAgain).await;
    app.settle_after(SignedDuration::from_mins(1)).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.settle_after(SignedDuration::from_hours(4 * 24)).await;
    assert_eq!(app.stored_refund(id).await.state, Succeeded);
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.stored_refund(id).await.state, Failed);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
});
