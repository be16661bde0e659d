//! What is read from sessions and payment intents, and where an answer makes a second call necessary.

use crate::support::*;
use billing::ids::MerchantId;
use billing::payment::{Decline, PaymentState};
use gateway::{CallError, CardFacts, PaymentFacts, Processor};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use wiremock::matchers::{body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SESSION_PATH: &str = "/v1/checkout/sessions/cs_test_a1";
const EXPIRE_PATH: &str = "/v1/checkout/sessions/cs_test_a1/expire";

async fn read(session: Value) -> Result<PaymentFacts, CallError> {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path(SESSION_PATH))
        .and(query_param("expand[]", "payment_intent.latest_charge.balance_transaction"))
        .respond_with(ResponseTemplate::new(200).set_body_json(session))
        .mount(&server)
        .await;
    stripe(&server.uri()).read_session(SESSION).await
}

#[tokio::test]
async fn a_paid_session_says_all_of_it() {
    let facts = read(session_with("complete", paid_intent())).await.unwrap();
    assert_eq!(facts.state, PaymentState::Succeeded);
    assert_eq!((facts.attempt, facts.merchant), (Some(attempt()), Some(MerchantId(1))));
    assert_eq!(facts.captured, Some(Money::new(50_000, Currency::USD)));
    assert_eq!(facts.captured_at, Some(at(1_700_000_100)));
    assert_eq!(facts.payment_intent_id.as_deref(), Some(INTENT));
    assert_eq!(facts.charge_id.as_deref(), Some(CHARGE));
    let (brand, last4, funding) = ("visa".to_owned(), "4242".to_owned(), "credit".to_owned());
    assert_eq!(facts.card, Some(CardFacts { brand, last4, exp_month: 8, exp_year: 2030, funding }));
    let fee = facts.fee.unwrap();
    assert_eq!((fee.fee.minor(), fee.net.minor()), (1_480, 48_520));
    assert_eq!(fee.balance_transaction_id, "txn_1");
    let page = facts.session.unwrap();
    assert!(!page.open && page.url.is_none(), "a complete page has no address to send anyone to");
    assert!(facts.decline.is_none() && !facts.live);
}

#[tokio::test]
async fn a_fee_may_come_later_and_never_stands_in_the_way() {
    for line in [json!(null), json!("txn_1"), json!({ "id": "txn_1", "fee": 1, "net": 1, "currency": "zzz" })]
    {
        let mut session = session_with("complete", paid_intent());
        session["payment_intent"]["latest_charge"]["balance_transaction"] = line;
        let facts = read(session).await.unwrap();
        assert_eq!(facts.captured, Some(Money::new(50_000, Currency::USD)));
        assert_eq!(facts.fee, None);
    }
}

#[tokio::test]
async fn a_capture_is_read_in_the_currency_it_was_made_in() {
    for (wire, code, minor) in
        [(500, "isk", 5), (1_000, "jpy", 1_000), (45_000, "eur", 45_000), (5_125, "kwd", 5_125)]
    {
        let mut session = session_with("complete", paid_intent());
        session["payment_intent"]["amount_received"] = json!(wire);
        session["payment_intent"]["currency"] = json!(code);
        let facts = read(session).await.unwrap();
        assert_eq!(facts.captured, Some(Money::new(minor, Currency::try_new(code).unwrap())));
    }
    for (wire, code) in [(0, "usd"), (-1, "usd"), (50_000, "zzz"), (501, "isk")] {
        let mut session = session_with("complete", paid_intent());
        session["payment_intent"]["amount_received"] = json!(wire);
        session["payment_intent"]["currency"] = json!(code);
        assert!(
            matches!(read(session).await, Err(CallError::Unreadable(_))),
            "{wire} {code} cannot be booked"
        );
    }
}

#[tokio::test]
async fn a_decline_leaves_the_page_open_and_is_told() {
    let facts = read(session_with("open", declined_intent("requires_payment_method"))).await.unwrap();
    assert_eq!(facts.state, PaymentState::RequiresAction);
    let decline = facts.decline.unwrap();
    assert_eq!(decline.reason, Decline::InsufficientFunds);
    assert_eq!(decline.declined_at, Some(at(1_700_000_100)));
    assert_eq!(decline.code.as_deref(), Some("insufficient_funds"));
    assert!(facts.session.unwrap().open && facts.captured.is_none() && facts.fee.is_none());

    let facts = read(session_with("expired", declined_intent("canceled"))).await.unwrap();
    assert_eq!(facts.state, PaymentState::Failed);
    assert_eq!(facts.decline.unwrap().reason, Decline::InsufficientFunds);
}

#[tokio::test]
async fn a_failed_challenge_is_a_decline_without_a_charge() {
    let mut intent = intent("requires_payment_method");
    intent["last_payment_error"] = json!({
        "type": "invalid_request_error", "code": "payment_intent_authentication_failure",
    });
    let decline = read(session_with("open", intent)).await.unwrap().decline.unwrap();
    assert_eq!((decline.reason, decline.declined_at), (Decline::NotAuthenticated, None));
}

#[tokio::test]
async fn a_success_forgets_the_declines_before_it() {
    let mut intent = paid_intent();
    intent["last_payment_error"] = declined_intent("x")["last_payment_error"].clone();
    let facts = read(session_with("complete", intent)).await.unwrap();
    assert_eq!((facts.state, facts.decline), (PaymentState::Succeeded, None));
}

#[tokio::test]
async fn an_unexpanded_payment_is_read_before_anything_is_said() {
    let server = MockServer::start().await;
    answer(&server, "GET", SESSION_PATH, 200, session_with("expired", json!(INTENT))).await;
    Mock::given(method("GET"))
        .and(path("/v1/payment_intents/pi_1"))
        .and(query_param("expand[]", "latest_charge.balance_transaction"))
        .respond_with(ResponseTemplate::new(200).set_body_json(intent("processing")))
        .expect(1)
        .mount(&server)
        .await;
    let facts = stripe(&server.uri()).read_session(SESSION).await.unwrap();
    assert_eq!(facts.state, PaymentState::Processing, "an expired page alone releases nothing");
}

#[tokio::test]
async fn our_ids_are_found_wherever_stripe_keeps_them() {
    let mut session = session_with("open", intent("requires_payment_method"));
    session["metadata"] = json!(null);
    assert_eq!(read(session.clone()).await.unwrap().attempt, Some(attempt()), "client_reference_id");
    session["client_reference_id"] = json!("cart-7");
    assert_eq!(read(session.clone()).await.unwrap().attempt, None, "not ours");
    session["payment_intent"]["metadata"] =
        json!({ "paydown_attempt": attempt().to_string(), "paydown_merchant": "mer_1" });
    let facts = read(session).await.unwrap();
    assert_eq!((facts.attempt, facts.merchant), (Some(attempt()), Some(MerchantId(1))), "payment intent");
}

#[tokio::test]
async fn expiring_says_what_became_of_the_page() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(EXPIRE_PATH))
        .and(header("Idempotency-Key", "expire-1"))
        .and(body_string("expand%5B%5D=payment_intent.latest_charge.balance_transaction"))
        .respond_with(ResponseTemplate::new(200).set_body_json(session_with("expired", json!(null))))
        .mount(&server)
        .await;
    let facts = stripe(&server.uri()).expire_session(SESSION, "expire-1").await.unwrap();
    assert_eq!(facts.state, PaymentState::Canceled);
    assert!(!facts.session.unwrap().open);
}

#[tokio::test]
async fn a_refused_expiry_is_answered_with_what_is() {
    let refusal = json!({ "error": { "type": "invalid_request_error", "message": "Only open sessions can be expired." } });
    for (found, state) in [
        (session_with("complete", paid_intent()), PaymentState::Succeeded),
        (session_with("open", intent("processing")), PaymentState::Processing),
        (session_with("expired", intent("canceled")), PaymentState::Canceled),
    ] {
        let server = MockServer::start().await;
        answer(&server, "POST", EXPIRE_PATH, 400, refusal.clone()).await;
        answer(&server, "GET", SESSION_PATH, 200, found).await;
        assert_eq!(stripe(&server.uri()).expire_session(SESSION, "expire-1").await.unwrap().state, state);
    }
    for status in [401, 404, 500] {
        let server = MockServer::start().await;
        answer(&server, "POST", EXPIRE_PATH, status, refusal.clone()).await;
        answer(&server, "GET", SESSION_PATH, 200, session()).await;
        assert!(stripe(&server.uri()).expire_session(SESSION, "expire-1").await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn a_payment_is_read_with_its_page() {
    let server = MockServer::start().await;
    let declined = session_with("open", declined_intent("requires_payment_method"));
    Mock::given(method("GET"))
        .and(path("/v1/checkout/sessions"))
        .and(query_param("payment_intent", INTENT))
        .and(query_param("expand[]", "data.payment_intent.latest_charge.balance_transaction"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({ "data": [declined], "has_more": false })),
        )
        .mount(&server)
        .await;
    let facts = stripe(&server.uri()).read_payment_intent(INTENT).await.unwrap();
    assert_eq!(facts.state, PaymentState::RequiresAction, "the page is open for another card");
    assert_eq!(facts.session.unwrap().id, SESSION);
}

#[tokio::test]
async fn a_payment_without_a_page_stands_alone() {
    let server = MockServer::start().await;
    answer(&server, "GET", "/v1/checkout/sessions", 200, json!({ "data": [], "has_more": false })).await;
    answer(&server, "GET", "/v1/payment_intents/pi_1", 200, declined_intent("requires_payment_method")).await;
    let facts = stripe(&server.uri()).read_payment_intent(INTENT).await.unwrap();
    assert_eq!((facts.state, facts.session), (PaymentState::Failed, None));
}
