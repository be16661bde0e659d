//! What the processor keeps for a payer: leaving it, listing and removing it, the mandate, and charging it without a page.

use crate::support::*;
use billing::ids::{ContactId, MerchantId};
use billing::payment::{Decline, Method, PaymentState};
use gateway::{
    CallError, CannotCharge, MandateState, PaymentFacts, Processor, SavedCharge, SetupFacts, SetupPage,
    SetupState, StoredCall, VerificationState,
};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use wiremock::matchers::{body_string, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

const NOWHERE: &str = "http://127.0.0.1:9";
const INTENTS: &str = "/v1/payment_intents";
const PAGE: &str = "/v1/checkout/sessions/cs_test_a1";

fn contact() -> ContactId {
    ContactId::new(at(1_700_000_000), [9; 10])
}

fn setup_page() -> SetupPage {
    SetupPage {
        reference: "setup-7".to_owned(),
        merchant: MerchantId(1),
        contact: contact(),
        method: Method::UsBankAccount,
        customer: "cus_1".to_owned(),
        description: "Northwind IT".to_owned(),
        success_url: "https://pay.example.com/done".to_owned(),
        cancel_url: "https://pay.example.com/back".to_owned(),
        expires_at: at(1_700_003_600),
        locale: "en-US".to_owned(),
    }
}

fn saved_charge() -> SavedCharge {
    let request = request();
    SavedCharge {
        attempt: request.attempt,
        payment: request.payment,
        merchant: request.merchant,
        invoice: request.invoice,
        invoice_number: request.invoice_number,
        charge: request.charge,
        surcharge_minor: request.surcharge_minor,
        method: Method::Card,
        customer: "cus_1".to_owned(),
        payment_method_id: "pm_1".to_owned(),
        mandate_id: None,
        return_url: None,
        description: request.description,
        statement_suffix: request.statement_suffix,
    }
}

fn owned(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_setup_page_asks_for_nothing_but_the_method() {
    let request = setup_page();
    let call = stripe(NOWHERE).setup_page(&request).unwrap();
    assert_eq!(call.route, "POST /v1/checkout/sessions");
    let contact = contact().to_string();
    let expected = [
        ("cancel_url", "https://pay.example.com/back"),
        ("client_reference_id", "setup-7"),
        ("customer", "cus_1"),
        ("expires_at", "1700003600"),
        ("locale", "en"),
        ("metadata[paydown_contact]", &contact),
        ("metadata[paydown_merchant]", "mer_1"),
        ("metadata[paydown_setup]", "setup-7"),
        ("mode", "setup"),
        ("payment_method_options[us_bank_account][verification_method]", "automatic"),
        ("payment_method_types[0]", "us_bank_account"),
        ("setup_intent_data[description]", "Northwind IT"),
        ("setup_intent_data[metadata][paydown_contact]", &contact),
        ("setup_intent_data[metadata][paydown_merchant]", "mer_1"),
        ("setup_intent_data[metadata][paydown_setup]", "setup-7"),
        ("success_url", "https://pay.example.com/done"),
    ];
    assert_eq!(parameters(&call), owned(&expected));
    let cheque = SetupPage { method: Method::Cheque, ..request };
    assert_eq!(stripe(NOWHERE).setup_page(&cheque), Err(CannotCharge::NotKept(Method::Cheque)));
}

fn setup_session(status: &str, intent: Value) -> Value {
    let mut session = session();
    session["mode"] = json!("setup");
    session["status"] = json!(status);
    session["client_reference_id"] = json!("setup-7");
    session["metadata"] = json!({
        "paydown_setup": "setup-7", "paydown_merchant": "mer_1", "paydown_contact": contact().to_string(),
    });
    session["setup_intent"] = intent;
    session
}

fn setup_intent(status: &str) -> Value {
    json!({
        "id": "seti_1", "object": "setup_intent", "livemode": false, "status": status, "created": 1_700_000_050,
        "payment_method": "pm_1", "mandate": "mandate_1", "next_action": null, "last_setup_error": null,
    })
}

async fn read_setup(session: Value) -> Result<SetupFacts, CallError> {
    let server = MockServer::start().await;
    answer(&server, "GET", PAGE, 200, session).await;
    stripe(&server.uri()).read_setup(SESSION).await
}

#[tokio::test]
async fn a_setup_says_where_it_stands() {
    let open = read_setup(setup_session("open", json!(null))).await.unwrap();
    assert_eq!((open.state, open.reference.as_deref()), (SetupState::RequiresAction, Some("setup-7")));
    assert_eq!((open.merchant, open.contact), (Some(MerchantId(1)), Some(contact())));
    assert!(open.session.open && open.payment_method_id.is_none() && open.setup_id.is_none());

    let done = read_setup(setup_session("complete", setup_intent("succeeded"))).await.unwrap();
    assert_eq!((done.state, done.setup_id.as_deref()), (SetupState::Succeeded, Some("seti_1")));
    assert_eq!(
        (done.payment_method_id.as_deref(), done.mandate_id.as_deref()),
        (Some("pm_1"), Some("mandate_1"))
    );

    let mut declined = setup_intent("requires_payment_method");
    declined["last_setup_error"] = json!({ "code": "card_declined", "decline_code": "insufficient_funds" });
    let failed = read_setup(setup_session("expired", declined.clone())).await.unwrap();
    assert_eq!(
        (failed.state, failed.decline.unwrap().reason),
        (SetupState::Failed, Decline::InsufficientFunds)
    );
    let again = read_setup(setup_session("open", declined)).await.unwrap();
    assert_eq!(again.state, SetupState::RequiresAction, "the page takes another card");

    for (status, intent, state) in [
        ("expired", json!(null), SetupState::Canceled),
        ("expired", setup_intent("canceled"), SetupState::Canceled),
        ("complete", setup_intent("processing"), SetupState::Processing),
        ("complete", setup_intent("a_word_of_next_year"), SetupState::Unknown),
    ] {
        assert_eq!(read_setup(setup_session(status, intent)).await.unwrap().state, state, "{status}");
    }

    let mut waits = setup_intent("requires_action");
    waits["next_action"] = json!({ "type": "verify_with_microdeposits", "verify_with_microdeposits": {
        "arrival_date": 1_700_172_800, "microdeposit_type": "amounts", "hosted_verification_url": "https://x.test/v",
    } });
    let waits = read_setup(setup_session("complete", waits)).await.unwrap();
    assert_eq!(waits.state, SetupState::RequiresAction);
    assert_eq!(waits.verification.unwrap().state, VerificationState::Waiting);

    let mut live = setup_intent("succeeded");
    live["livemode"] = json!(true);
    let error = read_setup(setup_session("complete", live)).await.unwrap_err();
    assert_eq!(error, CallError::WrongMode { expected_live: false });
}

#[tokio::test]
async fn an_unexpanded_setup_is_read_and_a_refused_expiry_is_answered_with_what_is() {
    let server = MockServer::start().await;
    let refusal = json!({ "error": { "type": "invalid_request_error" } });
    answer(&server, "POST", "/v1/checkout/sessions/cs_test_a1/expire", 400, refusal).await;
    answer(&server, "GET", PAGE, 200, setup_session("complete", json!("seti_1"))).await;
    answer(&server, "GET", "/v1/setup_intents/seti_1", 200, setup_intent("succeeded")).await;
    let facts = stripe(&server.uri()).expire_setup(SESSION, "end-1").await.unwrap();
    assert_eq!((facts.state, facts.payment_method_id.as_deref()), (SetupState::Succeeded, Some("pm_1")));
}

fn card_method(id: &str) -> Value {
    json!({
        "id": id, "object": "payment_method", "livemode": false, "type": "card", "created": 1_700_000_000,
        "customer": "cus_1", "card": { "brand": "visa", "last4": "4242", "exp_month": 4, "exp_year": 2028, "funding": "debit" },
    })
}

#[tokio::test]
async fn what_is_kept_is_listed_to_the_end() {
    let server = MockServer::start().await;
    let at_page = "/v1/customers/cus_1/payment_methods";
    let bank = json!({
        "id": "pm_2", "object": "payment_method", "livemode": false, "type": "us_bank_account", "customer": { "id": "cus_1" },
        "us_bank_account": { "account_holder_type": "company", "bank_name": "TEST BANK", "last4": "6789" },
    });
    let wallet =
        json!({ "id": "pm_3", "object": "payment_method", "livemode": false, "type": "link", "link": {} });
    let last = json!({ "data": [wallet, card_method("pm_4")], "has_more": false });
    Mock::given(method("GET"))
        .and(path(at_page))
        .and(query_param("starting_after", "pm_2"))
        .respond_with(ResponseTemplate::new(200).set_body_json(last))
        .with_priority(1)
        .mount(&server)
        .await;
    let first = json!({ "data": [card_method("pm_1"), bank], "has_more": true });
    answer(&server, "GET", at_page, 200, first).await;
    let found = stripe(&server.uri()).list_saved("cus_1").await.unwrap();
    let ids: Vec<_> = found.iter().map(|saved| (saved.id.as_str(), saved.method)).collect();
    let expected = [("pm_1", Method::Card), ("pm_2", Method::UsBankAccount), ("pm_4", Method::Card)];
    assert_eq!(ids, expected, "what we do not charge is left out");
    let card = found[0].card.as_ref().unwrap();
    assert_eq!((card.last4.as_str(), card.exp_month, card.exp_year), ("4242", 4, 2028));
    let bank = found[1].bank.as_ref().unwrap();
    assert_eq!((bank.last4.as_str(), bank.payment_method_id.as_deref()), ("6789", Some("pm_2")));
    assert_eq!((found[1].customer.as_deref(), found[0].created_at), (Some("cus_1"), Some(at(1_700_000_000))));
}

#[tokio::test]
async fn removing_twice_is_removing() {
    let server = MockServer::start().await;
    let refusal = json!({ "error": { "type": "invalid_request_error", "message": "not attached" } });
    answer(&server, "POST", "/v1/payment_methods/pm_1/detach", 400, refusal).await;
    let mut gone = card_method("pm_1");
    gone["customer"] = json!(null);
    answer(&server, "GET", "/v1/payment_methods/pm_1", 200, gone).await;
    stripe(&server.uri()).remove_saved("pm_1", "remove-1").await.unwrap();

    let server = MockServer::start().await;
    let refusal = json!({ "error": { "type": "invalid_request_error" } });
    answer(&server, "POST", "/v1/payment_methods/pm_1/detach", 400, refusal).await;
    answer(&server, "GET", "/v1/payment_methods/pm_1", 200, card_method("pm_1")).await;
    let error = stripe(&server.uri()).remove_saved("pm_1", "remove-1").await.unwrap_err();
    assert!(error.is_definitive(), "it is still there: {error}");
}

#[tokio::test]
async fn a_default_is_set_and_read() {
    let server = MockServer::start().await;
    let chosen = json!({
        "id": "cus_1", "object": "customer", "livemode": false,
        "invoice_settings": { "default_payment_method": "pm_1" },
    });
    Mock::given(method("POST"))
        .and(path("/v1/customers/cus_1"))
        .and(header("Idempotency-Key", "default-1"))
        .and(body_string("invoice_settings%5Bdefault_payment_method%5D=pm_1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(chosen.clone()))
        .expect(1)
        .mount(&server)
        .await;
    answer(&server, "GET", "/v1/customers/cus_1", 200, chosen).await;
    let stripe = stripe(&server.uri());
    stripe.set_default_saved("cus_1", "pm_1", "default-1").await.unwrap();
    assert_eq!(stripe.default_saved("cus_1").await.unwrap().as_deref(), Some("pm_1"));
}

#[tokio::test]
async fn a_mandate_says_whether_it_may_be_used() {
    for (status, state) in [
        ("active", MandateState::Active),
        ("inactive", MandateState::Inactive),
        ("pending", MandateState::Pending),
        ("a_word_of_next_year", MandateState::Unknown),
    ] {
        let server = MockServer::start().await;
        let mandate = json!({
            "id": "mandate_1", "object": "mandate", "livemode": false, "status": status, "type": "multi_use",
            "payment_method": "pm_1", "payment_method_details": { "type": "us_bank_account", "us_bank_account": {} },
            "customer_acceptance": { "accepted_at": 1_700_000_040, "type": "online",
                "online": { "ip_address": "192.0.2.7", "user_agent": "Browser" } },
        });
        answer(&server, "GET", "/v1/mandates/mandate_1", 200, mandate).await;
        let facts = stripe(&server.uri()).read_mandate("mandate_1").await.unwrap();
        assert_eq!((facts.state, facts.is_reusable), (state, true), "{status}");
        assert_eq!(
            (facts.accepted_at, facts.accepted_from.as_deref()),
            (Some(at(1_700_000_040)), Some("192.0.2.7"))
        );
        assert_eq!((facts.payment_method_id.as_deref(), facts.url), (Some("pm_1"), None));
    }
}

#[test]
fn a_charge_of_what_is_kept_says_whether_the_payer_is_there() {
    let stripe = stripe(NOWHERE);
    let request = saved_charge();
    let call = stripe.saved_charge(&request).unwrap();
    assert_eq!(call.route, "POST /v1/payment_intents");
    let (attempt, payment, invoice) =
        (request.attempt.to_string(), request.payment.to_string(), request.invoice.to_string());
    let expected = [
        ("amount", "50000"),
        ("confirm", "true"),
        ("currency", "usd"),
        ("customer", "cus_1"),
        ("description", "Invoice INV-1042, part payment"),
        ("error_on_requires_action", "false"),
        ("expand[]", "latest_charge.balance_transaction"),
        ("metadata[paydown_attempt]", &attempt),
        ("metadata[paydown_invoice]", "INV-1042"),
        ("metadata[paydown_invoice_id]", &invoice),
        ("metadata[paydown_merchant]", "mer_1"),
        ("metadata[paydown_payment]", &payment),
        ("metadata[paydown_surcharge]", "1190"),
        ("off_session", "true"),
        ("payment_method", "pm_1"),
        ("payment_method_types[0]", "card"),
        ("statement_descriptor_suffix", "INV-1042"),
    ];
    assert_eq!(parameters(&call), owned(&expected));
    assert_eq!(stripe.saved_charge(&request).unwrap(), call, "the same request is the same bytes");

    let debit = SavedCharge {
        method: Method::UsBankAccount,
        mandate_id: Some("mandate_1".to_owned()),
        return_url: Some("https://pay.example.com/done".to_owned()),
        ..request
    };
    let asked = parameters(&stripe.saved_charge(&debit).unwrap());
    let has = |name: &str, value: &str| asked.contains(&(name.to_owned(), value.to_owned()));
    assert!(has("mandate", "mandate_1") && has("payment_method_types[0]", "us_bank_account"));
    assert!(has("return_url", "https://pay.example.com/done"));
    assert!(!asked.iter().any(|(name, _)| name == "off_session" || name.starts_with("statement")));
    let euros = SavedCharge { charge: Money::new(1_000, Currency::EUR), ..debit };
    let refused = CannotCharge::Method { method: Method::UsBankAccount, currency: Currency::EUR };
    assert_eq!(stripe.saved_charge(&euros), Err(refused));
}

async fn charged(status: u16, body: Value) -> Result<PaymentFacts, CallError> {
    let server = MockServer::start().await;
    answer(&server, "POST", INTENTS, status, body).await;
    let stripe = stripe(&server.uri());
    let answer = stripe.send_charge(&stripe.saved_charge(&saved_charge()).unwrap(), "key").await;
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "nothing else is called");
    answer
}

#[tokio::test]
async fn a_charge_is_answered_with_its_state() {
    let paid = charged(200, paid_intent()).await.unwrap();
    assert_eq!((paid.state, paid.captured.map(Money::minor)), (PaymentState::Succeeded, Some(50_000)));
    assert_eq!(charged(200, intent("processing")).await.unwrap().state, PaymentState::Processing);
    let mut challenge = intent("requires_action");
    challenge["next_action"] =
        json!({ "type": "redirect_to_url", "redirect_to_url": { "url": "https://bank.test/3ds" } });
    let facts = charged(200, challenge).await.unwrap();
    assert_eq!((facts.state, facts.bank_waits), (PaymentState::RequiresAction, true));
    assert_eq!(facts.challenge_url.as_deref(), Some("https://bank.test/3ds"));
}

#[tokio::test]
async fn a_decline_of_our_own_charge_is_its_end() {
    let mut declined = declined_intent("requires_payment_method");
    declined["latest_charge"] = json!(CHARGE);
    let error = json!({ "error": {
        "type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "payment_intent": declined,
    } });
    let facts = charged(402, error).await.unwrap();
    assert_eq!((facts.state, facts.payment_intent_id.as_deref()), (PaymentState::Failed, Some(INTENT)));
    assert_eq!(
        (facts.decline.unwrap().reason, facts.charge_id.as_deref()),
        (Decline::InsufficientFunds, Some(CHARGE))
    );

    let mut unseen = intent("requires_payment_method");
    unseen["last_payment_error"] = json!({ "type": "card_error", "code": "authentication_required" });
    let error = json!({ "error": { "type": "card_error", "code": "authentication_required", "payment_intent": unseen } });
    let facts = charged(402, error).await.unwrap();
    assert_eq!(
        (facts.state, facts.decline.unwrap().reason),
        (PaymentState::Failed, Decline::NotAuthenticated)
    );
}

#[tokio::test]
async fn what_is_no_decline_stays_an_error() {
    let error = charged(402, json!({ "error": { "type": "card_error", "code": "card_declined" } }))
        .await
        .unwrap_err();
    assert!(error.is_definitive(), "{error}");
    let odd = json!({ "error": { "type": "card_error", "payment_intent": { "id": 7 } } });
    let error = charged(402, odd).await.unwrap_err();
    assert!(error.may_have_happened() && !error.is_definitive(), "{error}");
    // A refusal of the call itself carries the payment too, and made no charge.
    let mandate = json!({ "error": {
        "type": "invalid_request_error", "code": "payment_intent_mandate_invalid",
        "payment_intent": intent("requires_payment_method"),
    } });
    let error = charged(400, mandate).await.unwrap_err();
    assert!(
        matches!(&error, CallError::Refused { status: 400, code: Some(code), .. } if code.ends_with("mandate_invalid"))
    );
    let error = charged(500, json!({})).await.unwrap_err();
    assert!(error.may_have_happened(), "{error}");
    let mut live = paid_intent();
    live["livemode"] = json!(true);
    assert_eq!(charged(200, live).await.unwrap_err(), CallError::WrongMode { expected_live: false });
}

#[tokio::test]
async fn a_call_goes_only_where_it_was_made_for() {
    let server = MockServer::start().await;
    let stripe = stripe(&server.uri());
    let page = stripe.checkout(&request()).unwrap();
    let charge = stripe.saved_charge(&saved_charge()).unwrap();
    let refund = StoredCall { route: "POST /v1/refunds".to_owned(), body: String::new() };
    let never_sent = |error: CallError| matches!(error, CallError::NotSent(_));
    for call in [&charge, &refund] {
        assert!(never_sent(stripe.send(call, "key").await.unwrap_err()));
    }
    for call in [&page, &refund] {
        assert!(never_sent(stripe.send_charge(call, "key").await.unwrap_err()));
    }
    for call in [&page, &charge] {
        assert!(never_sent(stripe.send_refund(call, "key").await.unwrap_err()));
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_charge_is_found_in_the_list_or_proved_absent() {
    let server = MockServer::start().await;
    let mut ours = intent("processing");
    ours["metadata"] = json!({ "paydown_attempt": attempt().to_string() });
    let mut other = intent("succeeded");
    other["id"] = json!("pi_9");
    let second = json!({ "data": [ours.clone()], "has_more": false });
    Mock::given(method("GET"))
        .and(path(INTENTS))
        .and(query_param("starting_after", "pi_9"))
        .respond_with(ResponseTemplate::new(200).set_body_json(second))
        .with_priority(1)
        .mount(&server)
        .await;
    answer(&server, "GET", INTENTS, 200, json!({ "data": [other.clone()], "has_more": true })).await;
    answer(&server, "GET", "/v1/checkout/sessions", 200, json!({ "data": [], "has_more": false })).await;
    answer(&server, "GET", "/v1/payment_intents/pi_1", 200, ours).await;
    let stripe_here = stripe(&server.uri());
    let found =
        stripe_here.find_charge(attempt(), at(1_700_000_000), at(1_700_000_060)).await.unwrap().unwrap();
    assert_eq!((found.state, found.attempt), (PaymentState::Processing, Some(attempt())));

    let server = MockServer::start().await;
    answer(&server, "GET", INTENTS, 200, json!({ "data": [other], "has_more": false })).await;
    let absent = stripe(&server.uri()).find_charge(attempt(), at(1_700_000_000), at(1_700_000_060)).await;
    assert_eq!(absent, Ok(None));
    let asked = &server.received_requests().await.unwrap()[0];
    let value = |name: &str| asked.url.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    assert_eq!(
        (value("created[gte]"), value("created[lte]")),
        ("1699999400".to_owned(), "1700000660".to_owned())
    );
}
