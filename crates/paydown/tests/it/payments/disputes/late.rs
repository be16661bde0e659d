//! What tells of a dispute is only a hint of where to look: lost, twice, in reverse, days late or about what is unknown, the end is
//! the same.

use super::{DAY, FEE};
use crate::faults::webhooks::{receive, sign, stored_state};
use crate::on_both_engines;
use crate::test_app::{TestApp, WEBHOOK_SECRET};
use billing::chart;
use billing::dispute::DisputeState::{Lost, NeedsResponse, Won};
use billing::payment::PaymentState::ChargedBack;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::apply_event::Received;
use paydown::actions::catch_up::catch_up;
use paydown::actions::run_jobs;
use serde_json::{Value, json};
use store::inbox::InboxState;

/// A whole dispute while webhooks are treated in this manner.
async fn is_lost_under(app: &TestApp, mode: &str) {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": mode })).await;
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    let dispute = app.dispute(payment).await;
    assert_eq!(app.dispute_history(dispute.id).await, [NeedsResponse, Lost]);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.anomalies(payment).await, ["dispute_opened"]);
}

on_both_engines!(a_dispute_told_twice_is_booked_once, async |app: &mut TestApp| {
    is_lost_under(app, "duplicate").await;
});

on_both_engines!(a_dispute_told_in_reverse_is_booked_once, async |app: &mut TestApp| {
    is_lost_under(app, "reverse").await;
});

on_both_engines!(a_dispute_nobody_told_of_is_found, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let name = app.contest(payment, json!({})).await;
    assert_eq!(app.disputes(payment).await, []);
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.dispute(payment).await.state, NeedsResponse);
    app.decide(&name, "won").await;
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.dispute(payment).await.state, Won);
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 0);
});

on_both_engines!(a_dispute_heard_of_when_it_is_over_is_booked_whole, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    let name = app.contest(payment, json!({})).await;
    app.advance(DAY * 3);
    app.decide(&name, "lost").await;
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    let dispute = app.dispute(payment).await;
    assert_eq!(app.dispute_history(dispute.id).await, [Lost], "what came before was never seen");
    assert_eq!(
        (app.dollars_on(chart::DISPUTE_HOLD).await, app.dollars_on(chart::DISPUTE_FEE).await),
        (0, FEE)
    );
    assert_eq!(app.state(payment).await, ChargedBack);
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0));
    assert_eq!(app.anomalies(payment).await, [""; 0], "there is nothing to answer any more");
});

on_both_engines!(a_dispute_of_a_payment_that_was_lost_brings_it_back, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let backup = app.back_up().await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.contest(payment, json!({})).await;
    app.restore(backup).await;
    catch_up(&app.app, app.merchant).await.expect("the list of pages is read");
    run_jobs::poll(&app.app).await.expect("the list is read");
    app.settle().await;
    assert_eq!(app.dispute(payment).await.state, NeedsResponse);
    assert_eq!(app.figures(invoice).await, (60_000, 0, 40_000));
    assert_eq!(app.dollars_on(chart::DISPUTE_HOLD).await, 40_000);
});

/// A signed event about a dispute comes in, and what it tells of is asked for.
async fn tell(app: &TestApp, id: &str, object: Value) {
    let now = app.app.clock.now().as_second();
    let event = json!({
        "id": id, "object": "event", "type": "charge.dispute.created", "created": now, "livemode": false,
        "data": { "object": object },
    })
    .to_string();
    let signature = sign(WEBHOOK_SECRET, now, &event);
    assert_eq!(receive(app, &event, &signature).await, Received::Stored);
    app.settle().await;
}

on_both_engines!(a_dispute_of_nothing_of_ours_is_a_persons, async |app: &mut TestApp| {
    let object = json!({ "id": "du_unheard_of", "object": "dispute", "payment_intent": "pi_foreign" });
    tell(app, "evt_1", object.clone()).await;
    tell(app, "evt_2", object).await;
    assert_eq!(stored_state(app, "evt_1").await, Some(InboxState::Parked));
    assert_eq!(app.anomalies_of_merchant().await, ["unknown_dispute"], "said once");
    // It blocks nobody else.
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    app.contest(payment, json!({})).await;
    assert_eq!(app.dispute(payment).await.state, NeedsResponse);
});

// Nothing captured is left of the payment by then, and the processor keeps its fee all the same.
on_both_engines!(
    the_fee_of_a_payment_that_was_charged_back_is_booked_when_it_is_told,
    async |app: &mut TestApp| {
        app.control("/fees", json!({ "mode": "later" })).await;
        let invoice = app.invoice(100_000).await;
        let payment = app.pay_with_visa(invoice, 40_000).await;
        let name = app.contest(payment, json!({})).await;
        app.decide(&name, "lost").await;
        assert_eq!(app.state(payment).await, ChargedBack);
        assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 0);
        app.control("/fees/release", json!({})).await;
        app.settle().await;
        assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
        assert_eq!(app.balance(chart::CLEARING, Currency::USD).await, -1_190 - FEE);
    }
);

on_both_engines!(the_fee_of_a_payment_that_was_charged_back_is_asked_for, async |app: &mut TestApp| {
    app.control("/fees", json!({ "mode": "later" })).await;
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let name = app.contest(payment, json!({})).await;
    app.decide(&name, "lost").await;
    app.control("/webhooks", json!({ "mode": "lose" })).await;
    app.control("/fees/release", json!({})).await;
    app.settle_after(SignedDuration::from_mins(2)).await;
    assert_eq!(app.balance(chart::PROCESSING_FEE, Currency::USD).await, 1_190);
});
