//! Settling a payment by hand: strict about what is said, done once, and refused while the processor answers.

use super::client::{Client, new_key};
use crate::on_both_engines;
use crate::test_app::TestApp;
use billing::ids::PaymentId;
use billing::payment::PaymentState;
use paydown::actions::submit_attempt::Submitted;
use paydown::api_key::Scope;
use sandbox::{Fault, FaultKind};
use serde_json::json;
use store::audit;
use store::db::Tx;

/// A payment of 40.00 whose outcome is unknown, and a processor that cannot tell.
pub async fn unknown_payment(app: &TestApp) -> PaymentId {
    let pages = "POST /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault { delay_ms: Some(20), ..Fault::once(pages, FaultKind::Status500After) });
    let invoice = app.invoice(10_000).await;
    let payment = app.reserve(app.ask(invoice, 4_000)).await;
    let list = "GET /v1/checkout/sessions";
    app.sandbox.arm_fault(Fault { times: 1_000, ..Fault::once(list, FaultKind::Status500Before) });
    assert_eq!(app.submit(payment).await, Submitted::State(PaymentState::Unknown));
    payment
}

on_both_engines!(a_word_is_taken_once, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let payment = unknown_payment(app).await;
    let here = format!("/v1/payments/{payment}/resolve");
    let word = |status: &str| json!({ "status": status, "reason": "Their support says so" });
    client.post(&here, word("failed")).await.is(400, "missing_idempotency_key");
    let mut lacking = word("succeeded");
    assert_eq!(
        client.post_once("k", &here, lacking.clone()).await.is(422, "invalid_request").json["param"],
        "charge"
    );
    lacking["charge"] = json!("ch_1");
    assert_eq!(
        client.post_once("k", &here, lacking).await.is(422, "invalid_request").json["param"],
        "amount"
    );
    let mut extra = word("failed");
    extra["amount"] = json!(4_000);
    assert_eq!(client.post_once("k", &here, extra).await.is(422, "invalid_request").json["param"], "amount");
    let card = json!({ "status": "failed", "reason": "4242424242424242" });
    client.post_once("k", &here, card).await.is(422, "card_number");
    client
        .post_once("k", &here, json!({ "status": "unknown", "reason": "x" }))
        .await
        .is(422, "invalid_request");
    client.post_once("k", &here, word("returned")).await.is(409, "not_resolvable");
    let nobody = "/v1/payments/pay_00000000000000000000000000/resolve";
    client.post_once("k", nobody, word("failed")).await.is(404, "not_found");

    let noted = client.post_once("k", &here, word("failed")).await;
    assert_eq!((noted.status, &noted.json["stage"]), (200, &json!("proposed")), "{}", noted.text);
    assert_eq!(noted.json["payment"]["status"], "unknown", "one person alone settles nothing");
    client.post_once("k-1", &here, word("failed")).await.is(409, "second_person_needed");
    let second = client.with_key(&new_key(app, app.merchant, &[Scope::PaymentsWrite], 60_000).await);
    let settled = second.post_once("k", &here, word("failed")).await;
    assert_eq!((settled.status, &settled.json["stage"]), (200, &json!("settled")), "{}", settled.text);
    assert_eq!(settled.json["payment"]["status"], "failed");
    for (caller, first) in [(&client, &noted), (&second, &settled)] {
        let again = caller.post_once("k", &here, word("failed")).await;
        assert_eq!((again.status, again.header("idempotent-replayed")), (200, Some("true")));
        assert_eq!(again.text, first.text);
    }
    client.post_once("k", &here, word("canceled")).await.is(422, "idempotency_key_reused");
    client.post_once("k-2", &here, word("failed")).await.is(409, "not_resolvable");
    let merchant = app.merchant;
    let read = async move |tx: &mut Tx| audit::list_by_object(tx, merchant, &payment.to_string(), 10).await;
    let trail = app.app.store.read(read).await.expect("the trail can be read");
    assert_eq!(trail.len(), 2);
    assert_ne!(trail[0].actor, trail[1].actor);
    assert!(trail[0].actor.starts_with("key:key_"), "{trail:?}");
    app.disarm_faults().await;
    app.settle_after(jiff::SignedDuration::from_mins(6)).await;
});

on_both_engines!(the_processors_word_counts, async |app: &mut TestApp| {
    let client = Client::open(app).await;
    let payment = unknown_payment(app).await;
    app.disarm_faults().await;
    let body = json!({ "status": "canceled", "reason": "The payer says they closed it" });
    let refused = client.post_once("k", &format!("/v1/payments/{payment}/resolve"), body).await;
    refused.is(409, "processor_answered");
    let shown = client.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(shown.json["status"], "requires_action");
});
