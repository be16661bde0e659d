//! Bank debits on the hosted page: what is asked for, and what is read while they are under way, when they fail and when
//! a bank takes them back.

use crate::support::*;
use billing::payment::{Decline, Method, PaymentState};
use gateway::{
    BankAccountKind, BankFacts, BankHolder, CallError, CannotCharge, DebitFailure, PaymentFacts, Processor,
    VerificationKind, VerificationState,
};
use jiff::civil::date;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const PAGE: &str = "/v1/checkout/sessions/cs_test_a1";

/// A debit in this state: the intent's status and the charge's.
fn debit(status: &str, charge_status: &str) -> Value {
    let mut intent = intent(status);
    intent["created"] = json!(1_700_000_050);
    intent["payment_method"] = json!("pm_1");
    intent["latest_charge"] = json!({
        "id": CHARGE, "object": "charge", "livemode": false, "status": charge_status, "created": 1_700_000_100,
        "balance_transaction": null, "payment_method": "pm_1", "disputed": false, "failure_code": null,
        "payment_method_details": { "type": "us_bank_account", "us_bank_account": {
            "account_holder_type": "company", "account_type": "checking", "bank_name": "STRIPE TEST BANK",
            "expected_debit_date": "2023-11-17", "fingerprint": "FFDMA0xfhBjWSZLu", "last4": "6789",
            "mandate": "mandate_1", "routing_number": "110000000",
        } },
    });
    intent
}

/// One that arrived, with its line in the books.
fn settled() -> Value {
    let mut intent = debit("succeeded", "succeeded");
    intent["amount_received"] = json!(50_000);
    intent["latest_charge"]["balance_transaction"] = json!({
        "id": "txn_1", "object": "balance_transaction", "amount": 50_000, "fee": 500, "net": 49_500,
        "currency": "usd", "created": 1_700_300_000, "type": "payment", "reporting_category": "charge",
    });
    intent
}

fn failed(code: &str, return_code: Value) -> Value {
    let mut intent = debit("requires_payment_method", "failed");
    intent["latest_charge"]["failure_code"] = json!(code);
    intent["latest_charge"]["outcome"] = json!({ "network_decline_code": return_code });
    intent["last_payment_error"] = json!({ "type": "invalid_request_error", "code": code, "charge": CHARGE });
    intent
}

async fn read_from(server: &MockServer, session: Value) -> Result<PaymentFacts, CallError> {
    answer(server, "GET", PAGE, 200, session).await;
    stripe(&server.uri()).read_session(SESSION).await
}

async fn read(session: Value) -> Result<PaymentFacts, CallError> {
    read_from(&MockServer::start().await, session).await
}

#[test]
fn the_page_takes_one_method_and_may_keep_it() {
    let stripe = stripe("http://127.0.0.1:9");
    let mut request = request();
    request.method = Method::UsBankAccount;
    request.save = true;
    assert_eq!(stripe.checkout(&request), Err(CannotCharge::NoCustomer));
    request.customer = Some("cus_1".to_owned());
    let asked = parameters(&stripe.checkout(&request).unwrap());
    let value = |name: &str| asked.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(value("payment_method_types[0]"), Some("us_bank_account"));
    assert_eq!(value("payment_method_options[us_bank_account][verification_method]"), Some("automatic"));
    assert_eq!(value("payment_intent_data[setup_future_usage]"), Some("off_session"));
    assert_eq!(value("customer"), Some("cus_1"));

    (request.method, request.save) = (Method::SepaDebit, false);
    let currency = Currency::USD;
    assert_eq!(
        stripe.checkout(&request),
        Err(CannotCharge::Method { method: Method::SepaDebit, currency }),
        "euros only"
    );
    request.charge = Money::new(50_000, Currency::EUR);
    let asked = parameters(&stripe.checkout(&request).unwrap());
    let names: Vec<_> = asked.iter().map(|(name, _)| name.as_str()).collect();
    assert!(asked.contains(&("payment_method_types[0]".to_owned(), "sepa_debit".to_owned())));
    assert!(!names.iter().any(|name| name.contains("verification") || name.contains("future_usage")));
}

#[test]
fn limits_are_the_networks() {
    let stripe = stripe("http://127.0.0.1:9");
    let most = |method, currency| stripe.method_limits(method, currency).maximum_minor;
    assert_eq!(most(Method::UsBankAccount, Currency::USD), 99_999_999);
    assert_eq!(most(Method::SepaDebit, Currency::EUR), 1_000_000);
    assert_eq!((most(Method::UsBankAccount, Currency::EUR), most(Method::Cash, Currency::USD)), (0, 0));
}

#[tokio::test]
async fn a_debit_on_its_way_is_processing_and_says_from_where() {
    let facts = read(session_with("complete", debit("processing", "pending"))).await.unwrap();
    assert_eq!(facts.state, PaymentState::Processing, "complete and unpaid is no success");
    assert_eq!((facts.captured, facts.captured_at, facts.fee), (None, None, None));
    assert_eq!(facts.expected_on, Some(date(2023, 11, 17)));
    let bank = BankFacts {
        bank_name: Some("STRIPE TEST BANK".to_owned()),
        last4: "6789".to_owned(),
        country: None,
        holder: Some(BankHolder::Business),
        account: Some(BankAccountKind::Checking),
        fingerprint: Some("FFDMA0xfhBjWSZLu".to_owned()),
        payment_method_id: Some("pm_1".to_owned()),
        mandate_id: Some("mandate_1".to_owned()),
    };
    assert_eq!((facts.bank, facts.card, facts.decline), (Some(bank), None, None));
}

#[tokio::test]
async fn a_debit_is_captured_when_it_enters_the_books_not_when_it_was_started() {
    let facts = read(session_with("complete", settled())).await.unwrap();
    assert_eq!(facts.state, PaymentState::Succeeded);
    assert_eq!(facts.captured, Some(Money::new(50_000, Currency::USD)));
    assert_eq!(facts.captured_at, Some(at(1_700_300_000)));
    assert_eq!(facts.fee.as_ref().map(|fee| fee.fee.minor()), Some(500));
    assert!(facts.returned.is_none() && facts.before_return().is_none());
    let mut awaited = settled();
    awaited["latest_charge"]["balance_transaction"]["created"] = json!(1_700_000_101);
    let facts = read(session_with("complete", awaited)).await.unwrap();
    assert_eq!((facts.captured_at, facts.fee.is_some()), (None, true), "the line is as old as the debit");
    let mut without_line = settled();
    without_line["latest_charge"]["balance_transaction"] = json!(null);
    let facts = read(session_with("complete", without_line)).await.unwrap();
    assert_eq!((facts.state, facts.captured_at), (PaymentState::Succeeded, None));
}

#[tokio::test]
async fn a_debit_that_fails_says_why_in_the_banks_own_words() {
    for (code, sent, reason) in [
        ("insufficient_funds", json!("R01"), Decline::InsufficientFunds),
        ("account_closed", json!("R02"), Decline::NoReason),
        ("debit_not_authorized", json!("R10"), Decline::NoReason),
        ("account_closed", json!(null), Decline::NoReason),
    ] {
        let facts = read(session_with("complete", failed(code, sent.clone()))).await.unwrap();
        assert_eq!(facts.state, PaymentState::Failed);
        let return_code = sent.as_str().map(str::to_owned);
        assert_eq!(facts.debit_failure, Some(DebitFailure { return_code, code: Some(code.to_owned()) }));
        let decline = facts.decline.unwrap();
        assert_eq!((decline.reason, decline.code.as_deref()), (reason, Some(code)));
        assert!(facts.bank.is_some() && facts.captured.is_none());
    }
    // The charge alone says it too.
    let mut silent = failed("insufficient_funds", json!("R01"));
    silent["last_payment_error"] = json!(null);
    let facts = read(session_with("complete", silent)).await.unwrap();
    assert_eq!(facts.state, PaymentState::Failed);
    assert_eq!(facts.decline.unwrap().reason, Decline::InsufficientFunds);
    // And so does the error alone, with the code of the network on it.
    let mut unsaid = failed("account_closed", json!(null));
    unsaid["latest_charge"]["failure_code"] = json!(null);
    unsaid["last_payment_error"]["network_decline_code"] = json!("R02");
    let failure = read(session_with("complete", unsaid)).await.unwrap().debit_failure.unwrap();
    assert_eq!(
        (failure.return_code.as_deref(), failure.code.as_deref()),
        (Some("R02"), Some("account_closed"))
    );
}

#[tokio::test]
async fn a_european_debit_is_read_the_same_way() {
    let mut intent = failed("insufficient_funds", json!("AM04"));
    intent["currency"] = json!("eur");
    intent["latest_charge"]["payment_method_details"] = json!({ "type": "sepa_debit", "sepa_debit": {
        "bank_code": "37040044", "country": "DE", "fingerprint": "vifs0Ho7vwRn1Miu", "last4": "3000",
        "mandate": { "id": "mandate_2", "object": "mandate" }, "expected_debit_date": "no day",
    } });
    let facts = read(session_with("complete", intent)).await.unwrap();
    let bank = facts.bank.unwrap();
    assert_eq!((bank.last4.as_str(), bank.country.as_deref()), ("3000", Some("DE")));
    assert_eq!((bank.mandate_id.as_deref(), bank.holder), (Some("mandate_2"), None));
    assert_eq!((facts.expected_on, facts.state), (None, PaymentState::Failed));
    assert_eq!(facts.debit_failure.unwrap().return_code.as_deref(), Some("AM04"));
}

/// A debit that waits for what the payer reads from the statement; there is no charge yet.
fn unverified() -> Value {
    let mut intent = intent("requires_action");
    intent["created"] = json!(1_700_000_050);
    intent["payment_method"] = json!("pm_1");
    intent["next_action"] = json!({ "type": "verify_with_microdeposits", "verify_with_microdeposits": {
        "arrival_date": 1_700_172_800, "microdeposit_type": "descriptor_code",
        "hosted_verification_url": "https://payments.stripe.com/microdeposit/pacs_test_1",
    } });
    intent
}

#[tokio::test]
async fn small_deposits_are_waited_for_and_the_account_is_told() {
    let server = MockServer::start().await;
    let method = json!({
        "id": "pm_1", "object": "payment_method", "livemode": false, "type": "us_bank_account", "us_bank_account": {
            "account_holder_type": "individual", "account_type": "savings", "bank_name": "TEST BANK", "last4": "6789",
        },
    });
    answer(&server, "GET", "/v1/payment_methods/pm_1", 200, method).await;
    let facts = read_from(&server, session_with("complete", unverified())).await.unwrap();
    assert_eq!(
        (facts.state, facts.bank_waits),
        (PaymentState::RequiresAction, false),
        "no bank waits to see anyone"
    );
    let waits = facts.verification.unwrap();
    assert_eq!((waits.state, waits.kind), (VerificationState::Waiting, Some(VerificationKind::Code)));
    assert_eq!(waits.url.as_deref(), Some("https://payments.stripe.com/microdeposit/pacs_test_1"));
    assert_eq!((waits.arrives_at, waits.since), (Some(at(1_700_172_800)), Some(at(1_700_000_050))));
    assert_eq!(waits.until, Some(at(1_700_000_050 + 10 * 86_400)));
    assert!(!waits.last_try_was_wrong && facts.decline.is_none());
    let bank = facts.bank.unwrap();
    assert_eq!((bank.last4.as_str(), bank.holder), ("6789", Some(BankHolder::Personal)));
    assert_eq!(
        (bank.account, bank.payment_method_id.as_deref()),
        (Some(BankAccountKind::Savings), Some("pm_1"))
    );
}

#[tokio::test]
async fn a_wrong_guess_is_no_decline_and_too_many_are_an_end() {
    let server = MockServer::start().await;
    let method = json!({ "id": "pm_1", "livemode": false, "type": "us_bank_account", "us_bank_account": { "last4": "6789" } });
    answer(&server, "GET", "/v1/payment_methods/pm_1", 200, method).await;
    let mut wrong = unverified();
    let mismatch = "payment_method_microdeposit_verification_amounts_mismatch";
    wrong["last_payment_error"] = json!({ "type": "invalid_request_error", "code": mismatch });
    wrong["next_action"]["verify_with_microdeposits"]["microdeposit_type"] = json!("amounts");
    let facts = read_from(&server, session_with("complete", wrong)).await.unwrap();
    assert_eq!((facts.state, facts.decline), (PaymentState::RequiresAction, None));
    let waits = facts.verification.unwrap();
    assert!(waits.last_try_was_wrong);
    assert_eq!((waits.state, waits.kind), (VerificationState::Waiting, Some(VerificationKind::Amounts)));

    for (code, state) in [
        ("payment_method_microdeposit_verification_attempts_exceeded", VerificationState::TooManyTries),
        ("payment_method_microdeposit_verification_timeout", VerificationState::TimedOut),
        ("payment_method_microdeposit_failed", VerificationState::NotDelivered),
    ] {
        let mut over = intent("requires_payment_method");
        over["last_payment_error"] = json!({ "type": "invalid_request_error", "code": code });
        let facts = read(session_with("complete", over)).await.unwrap();
        assert_eq!(facts.state, PaymentState::Failed, "{code}");
        let ended = facts.verification.unwrap();
        assert_eq!((ended.state, ended.url), (state, None), "{code}");
    }
}

fn returned(status: &str) -> Value {
    json!({
        "id": "du_1", "object": "dispute", "livemode": false, "status": status, "amount": 50_000, "currency": "usd",
        "created": 1_703_000_000, "reason": "insufficient_funds", "charge": CHARGE, "payment_intent": INTENT,
        "payment_method_details": { "type": "us_bank_account", "us_bank_account": { "network_reason_code": "R01" } },
        "balance_transactions": [{
            "id": "txn_2", "object": "balance_transaction", "amount": -50_000, "fee": 1_500, "net": -51_500,
            "currency": "usd", "created": 1_703_000_001, "type": "adjustment", "reporting_category": "dispute",
            "source": "du_1", "exchange_rate": null,
        }],
    })
}

async fn read_contested(dispute: Value) -> Result<PaymentFacts, CallError> {
    let server = MockServer::start().await;
    let list = json!({ "object": "list", "data": [dispute], "has_more": false });
    Mock::given(method("GET"))
        .and(path("/v1/disputes"))
        .and(query_param("payment_intent", INTENT))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .expect(1)
        .mount(&server)
        .await;
    let mut contested = settled();
    contested["latest_charge"]["disputed"] = json!(true);
    read_from(&server, session_with("complete", contested)).await
}

#[tokio::test]
async fn a_dispute_of_a_debit_is_a_return() {
    let facts = read_contested(returned("lost")).await.unwrap();
    assert_eq!(facts.state, PaymentState::Returned);
    assert_eq!(facts.captured, Some(Money::new(50_000, Currency::USD)), "it was captured before");
    let before = facts.before_return().unwrap();
    assert_eq!((before.state, before.returned), (PaymentState::Succeeded, None));
    assert_eq!(before.captured, facts.captured);
    let back = facts.returned.unwrap();
    assert_eq!((back.dispute_id.as_str(), back.amount), ("du_1", Money::new(50_000, Currency::USD)));
    assert_eq!((back.reason.as_str(), back.return_code.as_deref()), ("insufficient_funds", Some("R01")));
    assert_eq!((back.at, back.fee()), (at(1_703_000_000), Some(Money::new(1_500, Currency::USD))));
    assert_eq!((back.lines[0].amount.minor(), back.lines[0].source_id.as_deref()), (-50_000, Some("du_1")));
}

#[tokio::test]
async fn what_was_decided_for_the_merchant_is_no_return() {
    for status in ["won", "prevented", "warning_needs_response", "warning_closed"] {
        let facts = read_contested(returned(status)).await.unwrap();
        assert_eq!((facts.state, facts.returned), (PaymentState::Succeeded, None), "{status}");
    }
    let mut live = returned("lost");
    live["livemode"] = json!(true);
    assert_eq!(read_contested(live).await.unwrap_err(), CallError::WrongMode { expected_live: false });
    let mut unreadable = returned("lost");
    unreadable["currency"] = json!("zzz");
    assert!(matches!(read_contested(unreadable).await, Err(CallError::Unreadable(_))), "it cannot be booked");
}

#[tokio::test]
async fn the_dispute_of_a_card_changes_nothing_of_the_payment() {
    let server = MockServer::start().await;
    let mut contested = paid_intent();
    contested["latest_charge"]["disputed"] = json!(true);
    let facts = read_from(&server, session_with("complete", contested)).await.unwrap();
    assert_eq!((facts.state, facts.returned), (PaymentState::Succeeded, None));
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "its disputes are asked for elsewhere");
}

#[tokio::test]
async fn a_debit_that_is_called_off_is_what_the_processor_says() {
    for (status, answered, state) in [
        (200, debit("canceled", "failed"), PaymentState::Canceled),
        (400, debit("processing", "pending"), PaymentState::Processing),
        (400, settled(), PaymentState::Succeeded),
    ] {
        let server = MockServer::start().await;
        let refusal = json!({ "error": { "type": "invalid_request_error", "code": "payment_intent_unexpected_state" } });
        let answered_at_once = if status == 200 { answered.clone() } else { refusal };
        answer(&server, "POST", "/v1/payment_intents/pi_1/cancel", status, answered_at_once).await;
        answer(&server, "GET", "/v1/checkout/sessions", 200, json!({ "data": [], "has_more": false })).await;
        answer(&server, "GET", "/v1/payment_intents/pi_1", 200, answered).await;
        let facts = stripe(&server.uri()).cancel_payment(INTENT, "cancel-1").await.unwrap();
        assert_eq!(facts.state, state);
    }
    let server = MockServer::start().await;
    answer(&server, "POST", "/v1/payment_intents/pi_1/cancel", 500, json!({})).await;
    let error = stripe(&server.uri()).cancel_payment(INTENT, "cancel-1").await.unwrap_err();
    assert!(matches!(error, CallError::ServerError { .. }), "{error}");
}
