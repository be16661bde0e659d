//! A Stripe that says what a test wants, and the objects it says it with. Never a second implementation of Stripe.

use billing::ids::{AttemptId, InvoiceId, MerchantId, PaymentId};
use billing::payment::Method;
use gateway::stripe::{Stripe, StripeConfig};
use gateway::{Checkout, SecretText, StoredCall};
use jiff::Timestamp;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use std::time::Duration;
use url::form_urlencoded;
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

pub const TEST_KEY: &str = "sk_test_51Paydown";
pub const SESSION: &str = "cs_test_a1";
pub const INTENT: &str = "pi_1";
pub const CHARGE: &str = "ch_1";

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

pub fn attempt() -> AttemptId {
    AttemptId::new(at(1_700_000_000), [7; 10])
}

pub fn stripe(address: &str) -> Stripe {
    stripe_with(address, TEST_KEY, Duration::from_secs(10))
}

pub fn stripe_with(address: &str, key: &str, call_timeout: Duration) -> Stripe {
    // The first test to come installs it.
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut config = StripeConfig::new(SecretText::from(key));
    config.address = address.to_owned();
    config.call_timeout = call_timeout;
    Stripe::try_new(config).unwrap()
}

pub fn invoice() -> InvoiceId {
    InvoiceId::new(at(1_700_000_000), [6; 10])
}

pub fn request() -> Checkout {
    Checkout {
        attempt: attempt(),
        payment: PaymentId::new(at(1_700_000_000), [8; 10]),
        merchant: MerchantId(1),
        method: Method::Card,
        save: false,
        charge: Money::new(50_000, Currency::USD),
        description: "Invoice INV-1042, part payment".to_owned(),
        invoice: invoice(),
        invoice_number: "INV-1042".to_owned(),
        surcharge_minor: 1_190,
        customer: None,
        payer_email: Some("ada+pay@example.com".to_owned()),
        success_url: "https://pay.example.com/done?session={CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: "https://pay.example.com/back".to_owned(),
        expires_at: at(1_700_003_600),
        statement_suffix: Some("INV-1042".to_owned()),
        locale: "en-US".to_owned(),
    }
}

/// An open page that nobody has submitted.
pub fn session() -> Value {
    json!({
        "id": SESSION, "object": "checkout.session", "livemode": false, "status": "open", "payment_status": "unpaid",
        "url": "https://checkout.stripe.com/c/pay/cs_test_a1", "expires_at": 1_700_003_600, "payment_intent": null,
        "client_reference_id": attempt().to_string(),
        "metadata": { "paydown_attempt": attempt().to_string(), "paydown_merchant": "mer_1" },
    })
}

/// A session in this status, with this payment intent in it.
pub fn session_with(status: &str, intent: Value) -> Value {
    let mut session = session();
    session["status"] = json!(status);
    session["payment_intent"] = intent;
    session
}

/// A payment intent without a charge.
pub fn intent(status: &str) -> Value {
    json!({
        "id": INTENT, "object": "payment_intent", "livemode": false, "status": status, "currency": "usd",
        "amount": 50_000, "amount_received": 0, "latest_charge": null, "last_payment_error": null, "metadata": {},
    })
}

/// One that succeeded, with its charge, card and fee.
pub fn paid_intent() -> Value {
    let mut intent = intent("succeeded");
    intent["amount_received"] = json!(50_000);
    intent["latest_charge"] = charge("succeeded");
    intent["latest_charge"]["balance_transaction"] = json!({
        "id": "txn_1", "object": "balance_transaction", "amount": 50_000, "fee": 1_480, "net": 48_520, "currency": "usd",
    });
    intent
}

/// One whose last card was declined.
pub fn declined_intent(status: &str) -> Value {
    let mut intent = intent(status);
    intent["latest_charge"] = charge("failed");
    intent["last_payment_error"] = json!({
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "charge": CHARGE,
        "message": "Your card has insufficient funds.",
    });
    intent
}

fn charge(status: &str) -> Value {
    json!({
        "id": CHARGE, "object": "charge", "livemode": false, "status": status, "created": 1_700_000_100,
        "balance_transaction": null,
        "payment_method_details": { "type": "card", "card": {
            "brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030, "funding": "credit",
        } },
    })
}

/// The parameters of a stored body, in the order of their names.
pub fn parameters(call: &StoredCall) -> Vec<(String, String)> {
    let mut parameters: Vec<_> = form_urlencoded::parse(call.body.as_bytes()).into_owned().collect();
    parameters.sort();
    parameters
}

pub async fn answer(server: &MockServer, verb: &str, at: &str, status: u16, body: Value) {
    answer_with(server, verb, at, ResponseTemplate::new(status).set_body_json(body)).await;
}

pub async fn answer_with(server: &MockServer, verb: &str, at: &str, template: ResponseTemplate) {
    Mock::given(method(verb)).and(path(at)).respond_with(template).mount(server).await;
}
