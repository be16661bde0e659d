//! The stored body of a checkout, parameter by parameter, and how it goes out.

use crate::support::*;
use billing::ids::{ContactId, MerchantId};
use gateway::{CannotCharge, NewCustomer, Processor, StoredCall};
use ledger::{Currency, Money};
use serde_json::json;
use wiremock::matchers::{body_string, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const NOWHERE: &str = "http://127.0.0.1:9";

#[test]
fn the_body_is_exactly_this() {
    let request = request();
    let call = stripe(NOWHERE).checkout(&request).unwrap();
    assert_eq!(call.route, "POST /v1/checkout/sessions");
    let (attempt, payment) = (request.attempt.to_string(), request.payment.to_string());
    let invoice = invoice().to_string();
    let expected = [
        ("adaptive_pricing[enabled]", "false"),
        ("allow_promotion_codes", "false"),
        ("automatic_tax[enabled]", "false"),
        ("cancel_url", "https://pay.example.com/back"),
        ("client_reference_id", &attempt),
        ("customer_email", "ada+pay@example.com"),
        ("expires_at", "1700003600"),
        ("line_items[0][price_data][currency]", "usd"),
        ("line_items[0][price_data][product_data][name]", "Invoice INV-1042, part payment"),
        ("line_items[0][price_data][unit_amount]", "50000"),
        ("line_items[0][quantity]", "1"),
        ("locale", "en"),
        ("metadata[paydown_attempt]", &attempt),
        ("metadata[paydown_invoice]", "INV-1042"),
        ("metadata[paydown_invoice_id]", &invoice),
        ("metadata[paydown_merchant]", "mer_1"),
        ("metadata[paydown_payment]", &payment),
        ("metadata[paydown_surcharge]", "1190"),
        ("mode", "payment"),
        ("payment_intent_data[description]", "Invoice INV-1042, part payment"),
        ("payment_intent_data[metadata][paydown_attempt]", &attempt),
        ("payment_intent_data[metadata][paydown_invoice]", "INV-1042"),
        ("payment_intent_data[metadata][paydown_invoice_id]", &invoice),
        ("payment_intent_data[metadata][paydown_merchant]", "mer_1"),
        ("payment_intent_data[metadata][paydown_payment]", &payment),
        ("payment_intent_data[metadata][paydown_surcharge]", "1190"),
        ("payment_intent_data[statement_descriptor_suffix]", "INV-1042"),
        ("payment_method_types[0]", "card"),
        ("submit_type", "pay"),
        ("success_url", "https://pay.example.com/done?session={CHECKOUT_SESSION_ID}"),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(parameters(&call), expected);
}

#[test]
fn a_payer_with_a_record_is_named_by_it_alone() {
    let mut request = request();
    request.customer = Some("cus_1".to_owned());
    let parameters = parameters(&stripe(NOWHERE).checkout(&request).unwrap());
    assert!(parameters.contains(&("customer".to_owned(), "cus_1".to_owned())));
    assert!(!parameters.iter().any(|(name, _)| name == "customer_email"), "Stripe refuses both at once");
}

#[tokio::test]
async fn a_record_of_a_payer_is_made_under_its_key() {
    let server = MockServer::start().await;
    let contact = ContactId::new(at(1_700_000_000), [9; 10]);
    let body = format!(
        "name=Ada+Payer&email=ada%40example.com&metadata%5Bpaydown_contact%5D={contact}&metadata%5Bpaydown_merchant%5D=mer_1"
    );
    let customer = json!({ "id": "cus_1", "object": "customer", "livemode": false });
    Mock::given(method("POST"))
        .and(path("/v1/customers"))
        .and(header("Idempotency-Key", "key"))
        .and(body_string(body))
        .respond_with(ResponseTemplate::new(200).set_body_json(customer))
        .mount(&server)
        .await;
    let (name, email) = ("Ada Payer".to_owned(), "ada@example.com".to_owned());
    let new = NewCustomer { contact, merchant: MerchantId(1), name, email };
    assert_eq!(stripe(&server.uri()).create_customer(&new, "key").await.unwrap(), "cus_1");
    let live = json!({ "id": "cus_2", "object": "customer", "livemode": true });
    server.reset().await;
    answer(&server, "POST", "/v1/customers", 200, live).await;
    let error = stripe(&server.uri()).create_customer(&new, "key").await.unwrap_err();
    assert_eq!(error, gateway::CallError::WrongMode { expected_live: false });
}

#[test]
fn the_same_request_is_the_same_bytes() {
    let stripe = stripe(NOWHERE);
    assert_eq!(stripe.checkout(&request()), stripe.checkout(&request()));
}

#[test]
fn what_is_not_known_is_left_out_not_sent_empty() {
    let mut request = request();
    request.payer_email = None;
    request.statement_suffix = None;
    let call = stripe(NOWHERE).checkout(&request).unwrap();
    assert!(parameters(&call).iter().all(|(_, value)| !value.is_empty()));
    assert!(!call.body.contains("customer_email") && !call.body.contains("descriptor"));
}

#[test]
fn the_amount_is_written_as_the_currency_wants_it() {
    let stripe = stripe(NOWHERE);
    let mut request = request();
    for (minor, code, written) in [(1_000, "JPY", "1000"), (5, "ISK", "500"), (12_340, "KWD", "12340")] {
        request.charge = Money::new(minor, Currency::try_new(code).unwrap());
        let call = stripe.checkout(&request).unwrap();
        let amount = parameters(&call).into_iter().find(|(name, _)| name.ends_with("[unit_amount]")).unwrap();
        assert_eq!(amount.1, written, "{code}");
    }
    request.charge = Money::new(12_345, Currency::KWD);
    assert_eq!(stripe.checkout(&request), Err(CannotCharge::OffStep { step_minor: 10 }));
}

#[tokio::test]
async fn the_stored_bytes_go_out_under_the_stored_key() {
    let server = MockServer::start().await;
    let stripe = stripe(&server.uri());
    let call = stripe.checkout(&request()).unwrap();
    Mock::given(method("POST"))
        .and(path("/v1/checkout/sessions"))
        .and(header("Idempotency-Key", "att-key-1"))
        .and(header("Stripe-Version", gateway::stripe::API_VERSION))
        .and(header("Authorization", format!("Bearer {TEST_KEY}").as_str()))
        .and(header("Content-Type", "application/x-www-form-urlencoded"))
        .and(body_string(call.body.clone()))
        .respond_with(ResponseTemplate::new(200).set_body_json(session()))
        .expect(2)
        .mount(&server)
        .await;
    let first = stripe.send(&call, "att-key-1").await.unwrap();
    assert_eq!(first.id, SESSION);
    assert!(first.open && first.url.clone().unwrap().starts_with("https://checkout.stripe.com/"));
    assert_eq!(stripe.send(&call, "att-key-1").await.unwrap(), first);
}

// A refusal has to be the answer to this call, so nothing is read along with it.
#[tokio::test]
async fn sending_reads_nothing_else() {
    let server = MockServer::start().await;
    let paid_meanwhile = session_with("complete", json!(INTENT));
    answer(&server, "POST", "/v1/checkout/sessions", 200, paid_meanwhile).await;
    let stripe = stripe(&server.uri());
    let call = stripe.checkout(&request()).unwrap();
    let page = stripe.send(&call, "key").await.unwrap();
    assert!(!page.open && page.url.is_none());
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn only_a_call_we_know_is_sent() {
    let server = MockServer::start().await;
    let call = StoredCall { route: "POST /v1/refunds".to_owned(), body: String::new() };
    let error = stripe(&server.uri()).send(&call, "key").await.unwrap_err();
    assert!(!error.may_have_happened(), "{error}");
    assert!(server.received_requests().await.unwrap().is_empty());
}
