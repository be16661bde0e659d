//! Every object we read, in the shapes Stripe publishes: `contracts/stripe/fixtures.json`, which lies beside the
//! repository. The fixtures show shapes, not states that belong together.

use crate::support::*;
use billing::dispute::DisputeState;
use billing::payment::{Method, PaymentState};
use billing::payout::PayoutState;
use billing::refund::RefundState;
use gateway::stripe::verify;
use gateway::{EventKind, LineKind, MandateState, Processor, SecretText, SetupState, Span};
use hmac::{Hmac, KeyInit, Mac};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use std::path::Path;
use wiremock::MockServer;

const FIXTURES: &str = "../../../shared/contracts/stripe/fixtures.json";

fn fixture(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FIXTURES);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| {
        panic!("Stripe's published fixtures are needed at {}: {error}", path.display())
    });
    let fixtures: Value = serde_json::from_str(&text).expect("the fixtures are JSON");
    let found = fixtures["resources"][name].clone();
    assert!(found.is_object(), "the fixtures have no {name}");
    found
}

fn path_of(session: &Value) -> (String, String) {
    let id = session["id"].as_str().unwrap().to_owned();
    (format!("/v1/checkout/sessions/{id}"), id)
}

#[tokio::test]
async fn a_session_and_its_unexpanded_payment() {
    let server = MockServer::start().await;
    let session = fixture("checkout.session");
    let (path, id) = path_of(&session);
    let intent_id = session["payment_intent"].as_str().unwrap();
    answer(&server, "GET", &path, 200, session.clone()).await;
    answer(&server, "GET", &format!("/v1/payment_intents/{intent_id}"), 200, fixture("payment_intent")).await;
    let facts = stripe(&server.uri()).read_session(&id).await.unwrap();
    assert_eq!(facts.state, PaymentState::RequiresAction);
    assert_eq!((facts.payment_intent_id.as_deref(), facts.attempt), (Some(intent_id), None));
    assert_eq!(facts.decline, None, "an error without a code is about no card");
    let page = facts.session.unwrap();
    assert_eq!((page.id, page.open, page.expires_at), (id, true, at(1_234_567_890)));
    assert_eq!(page.url.as_deref(), session["url"].as_str());
}

#[tokio::test]
async fn a_session_with_everything_expanded() {
    let server = MockServer::start().await;
    let mut charge = fixture("charge");
    charge["balance_transaction"] = fixture("balance_transaction");
    let mut intent = fixture("payment_intent");
    intent["status"] = json!("succeeded");
    intent["amount_received"] = intent["amount"].clone();
    intent["latest_charge"] = charge.clone();
    let mut session = fixture("checkout.session");
    session["status"] = json!("complete");
    session["payment_intent"] = intent;
    let (path, id) = path_of(&session);
    answer(&server, "GET", &path, 200, session).await;
    let facts = stripe(&server.uri()).read_session(&id).await.unwrap();
    assert_eq!(facts.state, PaymentState::Succeeded);
    assert_eq!(facts.captured, Some(Money::new(1_099, Currency::USD)));
    assert_eq!(facts.charge_id.as_deref(), charge["id"].as_str());
    let card = facts.card.unwrap();
    assert_eq!((card.brand.as_str(), card.last4.as_str(), card.exp_year), ("visa", "4242", 2030));
    let fee = facts.fee.unwrap();
    assert_eq!((fee.fee, fee.net), (Money::new(0, Currency::USD), Money::new(100, Currency::USD)));
}

#[tokio::test]
async fn events_in_a_list_and_in_a_webhook() {
    let server = MockServer::start().await;
    let published = fixture("event");
    answer(&server, "GET", "/v1/events", 200, json!({ "data": [published], "has_more": false })).await;
    let list = stripe(&server.uri()).list_events(Span { from: at(0), to: None }).await.unwrap();
    let event = &list.events[0].event;
    assert_eq!(event.kind, EventKind::NotOurs("plan.created".to_owned()));
    assert_eq!(event.object_kind.as_deref(), Some("plan"));

    for (name, kind, is_ours) in [
        ("checkout.session", "checkout.session.completed", true),
        ("payment_intent", "payment_intent.succeeded", true),
        ("charge", "charge.updated", true),
        ("customer", "customer.created", false),
        ("dispute", "charge.dispute.created", false),
        ("payout", "payout.paid", false),
        ("refund", "refund.updated", false),
        ("mandate", "mandate.updated", false),
        ("setup_intent", "setup_intent.succeeded", false),
        ("payment_method", "payment_method.detached", false),
    ] {
        let mut event = fixture("event");
        event["type"] = json!(kind);
        event["data"]["object"] = fixture(name);
        let body = event.to_string();
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"whsec_1").unwrap();
        mac.update(format!("1234567890.{body}").as_bytes());
        let signature = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        let header = format!("t=1234567890,v1={signature}");
        let read =
            verify(body.as_bytes(), &header, &[SecretText::from("whsec_1")], at(1_234_567_890)).unwrap();
        assert_eq!((read.kind.as_str(), read.kind.concerns_payment()), (kind, is_ours));
        assert_eq!(read.object_kind.as_deref(), Some(name));
        assert_eq!(read.object_id.as_deref(), fixture(name)["id"].as_str());
        assert_eq!(read.session_id.is_some(), name == "checkout.session");
        assert_eq!(read.attempt, None);
    }
}

async fn served(path: &str, name: &str) -> (MockServer, Value) {
    let server = MockServer::start().await;
    let found = fixture(name);
    answer(&server, "GET", &format!("{path}/{}", found["id"].as_str().unwrap()), 200, found.clone()).await;
    (server, found)
}

fn id(found: &Value) -> &str {
    found["id"].as_str().unwrap()
}

#[tokio::test]
async fn a_saved_method_a_default_and_a_mandate() {
    let (server, found) = served("/v1/payment_methods", "payment_method").await;
    let saved = stripe(&server.uri()).read_saved(id(&found)).await.unwrap().unwrap();
    assert_eq!((saved.method, saved.customer, saved.bank), (Method::Card, None, None));
    assert_eq!(saved.card.unwrap().last4, "4242");

    let (server, found) = served("/v1/customers", "customer").await;
    assert_eq!(stripe(&server.uri()).default_saved(id(&found)).await.unwrap(), None);

    let (server, found) = served("/v1/mandates", "mandate").await;
    let mandate = stripe(&server.uri()).read_mandate(id(&found)).await.unwrap();
    assert_eq!((mandate.state, mandate.is_reusable), (MandateState::Active, true));
    assert_eq!((mandate.reference.as_deref(), mandate.url), (Some("123456789"), None));
    assert_eq!(mandate.accepted_at, Some(at(123_456_789)));
    assert_eq!(mandate.payment_method_id.as_deref(), found["payment_method"].as_str());
}

#[tokio::test]
async fn a_setup_and_what_is_behind_it() {
    let server = MockServer::start().await;
    let (mut session, intent) = (fixture("checkout.session"), fixture("setup_intent"));
    session["mode"] = json!("setup");
    session["payment_intent"] = json!(null);
    session["setup_intent"] = intent["id"].clone();
    let (path, session_id) = path_of(&session);
    answer(&server, "GET", &path, 200, session).await;
    answer(&server, "GET", &format!("/v1/setup_intents/{}", id(&intent)), 200, intent.clone()).await;
    let setup = stripe(&server.uri()).read_setup(&session_id).await.unwrap();
    assert_eq!((setup.state, setup.reference), (SetupState::RequiresAction, None));
    assert_eq!((setup.setup_id.as_deref(), setup.decline), (intent["id"].as_str(), None));
}

#[tokio::test]
async fn a_refund_a_dispute_a_payout_and_a_line() {
    let (server, found) = served("/v1/refunds", "refund").await;
    let refund = stripe(&server.uri()).read_refund(id(&found)).await.unwrap();
    assert_eq!((refund.state, refund.amount), (RefundState::Succeeded, Money::new(100, Currency::USD)));
    assert_eq!((refund.charge_id.as_deref(), refund.line), (found["charge"].as_str(), None));

    let (server, found) = served("/v1/disputes", "dispute").await;
    let dispute = stripe(&server.uri()).read_dispute(id(&found)).await.unwrap();
    assert_eq!((dispute.state, dispute.is_return), (DisputeState::Inquiry, false));
    assert_eq!((dispute.network_code.as_deref(), dispute.due_at), (Some("10.4"), Some(at(1_723_679_999))));

    let (server, found) = served("/v1/payouts", "payout").await;
    let payout = stripe(&server.uri()).read_payout(id(&found)).await.unwrap();
    assert_eq!((payout.state, payout.amount.minor()), (PayoutState::InTransit, 1_100));
    assert_eq!(
        (payout.line_id.as_deref(), payout.is_automatic),
        (found["balance_transaction"].as_str(), true)
    );

    let (server, found) = served("/v1/balance_transactions", "balance_transaction").await;
    let line = stripe(&server.uri()).read_line(id(&found)).await.unwrap();
    assert_eq!((line.kind, line.net), (LineKind::Charge, Money::new(100, Currency::USD)));
    assert_eq!(line.source_id.as_deref(), found["source"].as_str());
}
