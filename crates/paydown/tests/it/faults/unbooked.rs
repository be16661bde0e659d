//! What the processor did that no book shows: nobody is left to believe account 1200, a person is told.

use super::webhooks::{receive, sign, stored_state};
use crate::on_both_engines;
use crate::test_app::{TestApp, WEBHOOK_SECRET};
use billing::ids::{AttemptId, InvoiceId, PaymentId};
use billing::payment::Method;
use gateway::Checkout;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::actions::apply_event::Received;
use paydown::app::App;
use serde_json::{Value, json};
use store::anomalies;
use store::db::Tx;
use store::inbox::InboxState;

/// A signed event of this kind about this object comes in.
async fn tell(app: &TestApp, id: &str, kind: &str, object: Value) {
    let now = app.app.clock.now().as_second();
    let event = json!({
        "id": id, "object": "event", "type": kind, "created": now, "livemode": false, "data": { "object": object },
    })
    .to_string();
    let signature = sign(WEBHOOK_SECRET, now, &event);
    assert_eq!(receive(app, &event, &signature).await, Received::Stored);
}

/// Kinds and details of everything a person has to look at, oldest first.
async fn told(app: &TestApp) -> Vec<(String, String)> {
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| anomalies::list(tx, merchant, 100).await;
    let found = app.app.store.read(read).await.expect("anomalies can be read");
    found.into_iter().rev().map(|anomaly| (anomaly.kind, anomaly.detail)).collect()
}

on_both_engines!(payouts_and_unknown_disputes_are_a_persons, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_with_visa(invoice, 40_000).await;
    let intent = app.attempt(payment).await.payment_intent_id.expect("it was paid");
    let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": intent });
    tell(app, "evt_1", "charge.refunded", charge.clone()).await;
    tell(app, "evt_2", "charge.refunded", charge).await;
    let dispute = json!({ "id": "du_1", "object": "dispute", "payment_intent": intent });
    tell(app, "evt_3", "charge.dispute.funds_withdrawn", dispute).await;
    tell(app, "evt_4", "payout.created", json!({ "id": "po_1", "object": "payout" })).await;
    tell(app, "evt_5", "payout.paid", json!({ "id": "po_1", "object": "payout" })).await;
    let foreign = json!({ "id": "ch_2", "object": "charge", "payment_intent": "pi_foreign" });
    tell(app, "evt_6", "charge.refunded", foreign).await;
    tell(app, "evt_7", "customer.created", json!({ "id": "cus_1", "object": "customer" })).await;
    app.settle().await;
    for (event, state) in [
        ("evt_1", InboxState::Applied),
        ("evt_3", InboxState::Parked),
        ("evt_5", InboxState::Parked),
        ("evt_6", InboxState::Parked),
        ("evt_7", InboxState::Ignored),
    ] {
        assert_eq!(stored_state(app, event).await, Some(state), "{event}");
    }
    assert_eq!(app.anomalies(payment).await, [""; 0], "the processor has no refund of it");
    let mut all: Vec<String> = told(app).await.into_iter().map(|(kind, _)| kind).collect();
    all.sort_unstable();
    assert_eq!(all, ["payout_unknown", "unknown_dispute"]);
});

on_both_engines!(a_payment_that_only_the_processor_knows_is_named, async |app: &mut TestApp| {
    let attempt = app.app.mint().id(AttemptId::new);
    let lost = app.app.mint().id(InvoiceId::new);
    let session = page_without_a_payment(app, attempt, (app.payment_id(), lost)).await;
    let object = json!({
        "id": session, "object": "checkout.session",
        "metadata": { "paydown_attempt": attempt.to_string(), "paydown_invoice": "INV-77" },
    });
    tell(app, "evt_1", "checkout.session.completed", object.clone()).await;
    tell(app, "evt_2", "checkout.session.completed", object).await;
    app.settle().await;
    assert_eq!(stored_state(app, "evt_1").await, Some(InboxState::Parked));
    let told = told(app).await;
    assert_eq!(told.len(), 1, "the same is said once: {told:?}");
    let (kind, detail) = &told[0];
    assert_eq!(kind, "unknown_payment");
    assert!(detail.starts_with("invoice INV-77:") && detail.contains(&session), "{detail}");
});

/// A page at the processor with our marks, 400.00 of an invoice, as one that was made after the backup from which we were restored.
pub async fn page_without_a_payment(
    app: &TestApp,
    attempt: AttemptId,
    (payment, invoice): (PaymentId, InvoiceId),
) -> String {
    let App { store, secrets, processors, .. } = &app.app;
    let processor = processors.of(store, secrets, app.merchant).await.expect("the key opens");
    let processor = processor.expect("it is connected");
    let checkout = Checkout {
        attempt,
        payment,
        merchant: app.merchant,
        method: Method::Card,
        save: false,
        charge: Money::new(40_000, Currency::USD),
        description: "Work".to_owned(),
        invoice,
        invoice_number: "INV-77".to_owned(),
        surcharge_minor: 0,
        customer: None,
        payer_email: None,
        success_url: "http://127.0.0.1:9/return".to_owned(),
        cancel_url: "http://127.0.0.1:9/back".to_owned(),
        expires_at: app.app.clock.now() + SignedDuration::from_hours(1),
        statement_suffix: None,
        locale: "en".to_owned(),
    };
    let call = processor.checkout(&checkout).expect("dollars are charged");
    let facts = processor.send(&call, "key-of-the-lost").await.expect("the page is made");
    facts.id
}
