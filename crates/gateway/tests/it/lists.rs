//! Lists are followed to their end: only then is absence a proof, and only then is a span covered.

use crate::support::*;
use billing::payment::{Method, PaymentState};
use gateway::stripe::{event_kind, read_event};
use gateway::{CallError, EventKind, ListedPage, Origin, Processor, SessionFacts, Span};
use ledger::{Currency, Money};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

const SESSIONS: &str = "/v1/checkout/sessions";

fn foreign(id: &str) -> Value {
    let mut session = session();
    session["id"] = json!(id);
    session["client_reference_id"] = json!(null);
    session["metadata"] = json!({ "cart": "7" });
    session
}

async fn page(server: &MockServer, at: &str, after: Option<&str>, data: Value, has_more: bool) {
    let mock = Mock::given(method("GET")).and(path(at)).and(query_param("limit", "100"));
    let mock = match after {
        None => mock.and(query_param_is_missing("starting_after")),
        Some(id) => mock.and(query_param("starting_after", id)),
    };
    let body = json!({ "object": "list", "data": data, "has_more": has_more });
    mock.respond_with(ResponseTemplate::new(200).set_body_json(body)).expect(1).mount(server).await;
}

#[tokio::test]
async fn an_attempt_is_found_on_a_later_page_and_read_whole() {
    let server = MockServer::start().await;
    page(&server, SESSIONS, None, json!([foreign("cs_9"), foreign("cs_8")]), true).await;
    page(&server, SESSIONS, Some("cs_8"), json!([foreign("cs_7"), session()]), true).await;
    answer(&server, "GET", "/v1/checkout/sessions/cs_test_a1", 200, session_with("complete", paid_intent()))
        .await;
    let found = stripe(&server.uri())
        .find_attempt(attempt(), at(1_700_000_000), at(1_700_000_060))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.attempt, found.state), (Some(attempt()), PaymentState::Succeeded));
}

#[tokio::test]
async fn absence_is_proved_by_the_whole_list_from_a_little_earlier() {
    let server = MockServer::start().await;
    page(&server, SESSIONS, None, json!([foreign("cs_9")]), true).await;
    page(&server, SESSIONS, Some("cs_9"), json!([foreign("cs_8")]), false).await;
    assert_eq!(
        stripe(&server.uri()).find_attempt(attempt(), at(1_700_000_000), at(1_700_000_060)).await,
        Ok(None)
    );
    for request in server.received_requests().await.unwrap() {
        let since =
            request.url.query_pairs().find(|(name, _)| name == "created[gte]").unwrap().1.into_owned();
        assert_eq!(since, (1_700_000_000 - 600).to_string());
    }
}

#[tokio::test]
async fn a_list_that_breaks_off_proves_nothing() {
    let server = MockServer::start().await;
    page(&server, SESSIONS, None, json!([]), true).await;
    let error = stripe(&server.uri()).find_attempt(attempt(), at(0), at(60)).await.unwrap_err();
    assert!(matches!(error, CallError::Unreadable(_)), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "there is nothing to go on after");

    let server = MockServer::start().await;
    page(&server, SESSIONS, None, json!([foreign("cs_9")]), true).await;
    let found = stripe(&server.uri()).find_attempt(attempt(), at(0), at(60)).await;
    assert!(found.is_err(), "the second page failed, which is not an absence: {found:?}");
}

/// An open page made for a payment of ours: 488.10 for the invoice and 11.90 on top.
fn marked(id: &str, second: i64) -> Value {
    let mut session = session();
    session["id"] = json!(id);
    session["created"] = json!(second);
    session["amount_total"] = json!(50_000);
    session["currency"] = json!("usd");
    session["payment_method_types"] = json!(["us_bank_account"]);
    session["customer_details"] = json!({ "email": "ada@example.com" });
    session["metadata"]["paydown_payment"] = json!(request().payment.to_string());
    session["metadata"]["paydown_invoice_id"] = json!(invoice().to_string());
    session["metadata"]["paydown_surcharge"] = json!("1190");
    session
}

#[tokio::test]
async fn pages_are_listed_with_what_they_were_made_for() {
    let server = MockServer::start().await;
    let older = [("paydown_surcharge", json!("50000")), ("paydown_invoice_id", json!("INV-1042"))];
    let unclear = older.map(|(mark, value)| {
        let mut session = marked("cs_unclear", 1_700_000_010);
        session["metadata"][mark] = value;
        session
    });
    let odd = json!({ "id": "cs_odd", "object": "checkout.session", "livemode": "perhaps" });
    page(&server, SESSIONS, None, json!([odd, foreign("cs_9"), session(), unclear[0]]), true).await;
    page(&server, SESSIONS, Some("cs_unclear"), json!([unclear[1], marked("cs_ours", 1_700_000_005)]), false)
        .await;
    let span = Span { from: at(1_700_000_000), to: None };
    let list = stripe(&server.uri()).list_pages(span).await.unwrap();
    assert_eq!(list.rest, None);
    let request = request();
    let origin = Origin {
        attempt: attempt(),
        payment: request.payment,
        merchant: request.merchant,
        invoice: invoice(),
        amount: Money::new(48_810, Currency::USD),
        surcharge: Money::new(1_190, Currency::USD),
        method: Method::UsBankAccount,
        payer_email: Some("ada@example.com".to_owned()),
        made_at: at(1_700_000_005),
    };
    let page = SessionFacts {
        id: "cs_ours".to_owned(),
        url: Some("https://checkout.stripe.com/c/pay/cs_test_a1".to_owned()),
        open: true,
        expires_at: at(1_700_003_600),
    };
    assert_eq!(list.pages, [ListedPage { page, origin }]);
}

#[tokio::test]
async fn a_list_of_pages_that_is_too_long_says_what_is_left() {
    let server = MockServer::start().await;
    let endless = json!({ "object": "list", "data": [marked("cs_1", 1_700_000_005)], "has_more": true });
    let always = Mock::given(method("GET")).and(path(SESSIONS));
    always.respond_with(ResponseTemplate::new(200).set_body_json(endless)).mount(&server).await;
    let stripe = stripe(&server.uri());
    let list = stripe.list_pages(Span { from: at(1_700_000_000), to: None }).await.unwrap();
    let rest = Span { from: at(1_700_000_000), to: Some(at(1_700_000_005)) };
    assert_eq!(list.rest, Some(rest));
    let error = stripe.list_pages(rest).await.unwrap_err();
    assert!(matches!(error, CallError::Unreadable(_)), "it gets no further: {error}");
}

/// A page of the list of payments' events, and at its first an empty list of the other kinds.
async fn event_page(server: &MockServer, after: Option<&str>, data: Value, has_more: bool) {
    if after.is_none() {
        kinds_page(server, OTHERS, None, json!([]), false).await;
    }
    kinds_page(server, PAYMENTS, after, data, has_more).await;
}

/// A kind that only this of the two lists asks for.
const PAYMENTS: &str = "payment_intent.succeeded";
const OTHERS: &str = "payout.paid";

async fn kinds_page(server: &MockServer, kind: &str, after: Option<&str>, data: Value, has_more: bool) {
    let mock = Mock::given(method("GET")).and(path("/v1/events")).and(query_param("types[]", kind));
    let mock = match after {
        None => mock.and(query_param_is_missing("starting_after")),
        Some(id) => mock.and(query_param("starting_after", id)),
    };
    let body = json!({ "object": "list", "data": data, "has_more": has_more });
    mock.respond_with(ResponseTemplate::new(200).set_body_json(body)).expect(1).mount(server).await;
}

fn event(number: i64, kind: &str, object: &Value) -> Value {
    json!({
        "id": format!("evt_{number}"), "object": "event", "type": kind, "created": 1_700_000_000 + number,
        "livemode": false, "data": { "object": object },
    })
}

#[tokio::test]
async fn events_come_oldest_first_and_only_our_kinds_are_asked_for() {
    let server = MockServer::start().await;
    let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1" });
    let newest = [event(3, "charge.updated", &charge), event(2, "checkout.session.completed", &session())];
    event_page(&server, None, json!(newest), true).await;
    event_page(&server, Some("evt_2"), json!([event(1, "payment_intent.created", &intent("x"))]), false)
        .await;
    let list = stripe(&server.uri()).list_events(since(1_700_000_000)).await.unwrap();
    assert!(list.complete);
    assert_eq!(ids(&list.events), ["evt_1", "evt_2", "evt_3"]);
    let [first, second, third] = &list.events[..] else { panic!("three events") };
    assert_eq!(first.event.kind, EventKind::NotOurs("payment_intent.created".to_owned()));
    assert_eq!(second.event.session_id.as_deref(), Some(SESSION));
    assert_eq!(second.event.attempt, Some(attempt()));
    assert_eq!(third.event.payment_intent_id.as_deref(), Some("pi_1"));
    assert_eq!(third.event.created_at, at(1_700_000_003));
    let raw: Value = serde_json::from_str(&third.raw).unwrap();
    assert_eq!(raw, event(3, "charge.updated", &charge), "all of it is kept");
    for request in server.received_requests().await.unwrap() {
        let types = request.url.query_pairs().filter(|(name, _)| name == "types[]").count();
        assert!((1..=20).contains(&types), "Stripe takes at most 20, and was asked for {types}");
        assert!(request.url.query_pairs().any(|pair| pair == ("created[gte]".into(), "1700000000".into())));
        assert!(request.url.query_pairs().all(|(name, _)| name != "created[lte]"), "up to the latest");
    }
}

#[tokio::test]
async fn a_part_of_a_span_is_asked_for_and_an_event_that_cannot_be_read_is_left_out() {
    let server = MockServer::start().await;
    let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1" });
    let data = json!([{ "id": "evt_3" }, event(2, "charge.refunded", &charge), "no event at all"]);
    kinds_page(&server, PAYMENTS, None, json!([]), false).await;
    kinds_page(&server, OTHERS, None, data, true).await;
    kinds_page(&server, OTHERS, Some("evt_2"), json!([event(1, "payout.paid", &json!({}))]), false).await;
    let span = Span { from: at(1_700_000_000), to: Some(at(1_700_000_009)) };
    let list = stripe(&server.uri()).list_events(span).await.unwrap();
    assert!(list.complete);
    assert_eq!(ids(&list.events), ["evt_1", "evt_2"]);
    assert_eq!(list.events[0].event.kind, EventKind::Payout("payout.paid".to_owned()));
    assert_eq!(list.events[1].event.kind, EventKind::Refund("charge.refunded".to_owned()));
    for request in server.received_requests().await.unwrap() {
        assert!(request.url.query_pairs().any(|pair| pair == ("created[lte]".into(), "1700000009".into())));
    }
}

#[tokio::test]
async fn a_span_of_one_second_is_read_to_its_end() {
    let server = MockServer::start().await;
    for number in (1..=25).rev() {
        let after = (number < 25).then(|| format!("evt_{}", number + 1));
        let data = json!([event(number, "charge.updated", &json!({}))]);
        event_page(&server, after.as_deref(), data, number > 1).await;
    }
    let span = Span { from: at(1_700_000_000), to: Some(at(1_700_000_000)) };
    let list = stripe(&server.uri()).list_events(span).await.unwrap();
    assert!(list.complete);
    assert_eq!(list.events.len(), 25);
}

fn since(second: i64) -> Span {
    Span { from: at(second), to: None }
}

fn ids(events: &[gateway::ListedEvent]) -> Vec<&str> {
    events.iter().map(|listed| listed.event.id.as_str()).collect()
}

#[tokio::test]
async fn too_many_events_are_cut_and_said_to_be() {
    let server = MockServer::start().await;
    let always = Mock::given(method("GET")).and(path("/v1/events")).and(query_param("types[]", PAYMENTS));
    let body = json!({ "data": [event(5, "charge.updated", &json!({}))], "has_more": true });
    always.respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
    let older = json!([event(6, "payout.paid", &json!({})), event(4, "payout.created", &json!({}))]);
    kinds_page(&server, OTHERS, None, older, false).await;
    let list = stripe(&server.uri()).list_events(since(0)).await.unwrap();
    assert!(!list.complete);
    assert_eq!(list.events.len(), 21, "one on each page, and one of the others");
    assert_eq!(list.events.last().unwrap().event.id, "evt_6");
    let oldest = list.events.iter().map(|listed| listed.event.created_at).min();
    assert_eq!(oldest, Some(at(1_700_000_005)), "what is older comes with the part that is still to be read");
}

#[tokio::test]
async fn both_lists_of_events_become_one() {
    let server = MockServer::start().await;
    let paid = [event(3, "charge.updated", &json!({})), event(1, "charge.updated", &json!({}))];
    kinds_page(&server, PAYMENTS, None, json!(paid), false).await;
    let refund = json!({ "id": "re_1", "object": "refund", "payment_intent": "pi_1" });
    let others =
        [event(4, "mandate.updated", &json!({ "id": "mandate_1" })), event(2, "refund.updated", &refund)];
    kinds_page(&server, OTHERS, None, json!(others), false).await;
    let list = stripe(&server.uri()).list_events(since(0)).await.unwrap();
    assert!(list.complete);
    assert_eq!(ids(&list.events), ["evt_1", "evt_2", "evt_3", "evt_4"]);
    let second = &list.events[1].event;
    assert_eq!(second.kind, EventKind::Refund("refund.updated".to_owned()));
    assert_eq!(
        (second.object_id.as_deref(), second.payment_intent_id.as_deref()),
        (Some("re_1"), Some("pi_1"))
    );
    assert_eq!(list.events[3].event.kind, EventKind::Mandate("mandate.updated".to_owned()));
}

#[test]
fn each_kind_of_event_says_what_to_fetch() {
    for (word, kind) in [
        ("charge.updated", EventKind::Payment("charge.updated")),
        ("charge.refunded", EventKind::Refund("charge.refunded".to_owned())),
        ("charge.refund.updated", EventKind::Refund("charge.refund.updated".to_owned())),
        ("refund.failed", EventKind::Refund("refund.failed".to_owned())),
        ("charge.dispute.closed", EventKind::Dispute("charge.dispute.closed".to_owned())),
        ("payout.failed", EventKind::Payout("payout.failed".to_owned())),
        ("mandate.updated", EventKind::Mandate("mandate.updated".to_owned())),
        ("setup_intent.succeeded", EventKind::Setup("setup_intent.succeeded".to_owned())),
        ("payment_method.detached", EventKind::SavedMethod("payment_method.detached".to_owned())),
        ("customer.created", EventKind::NotOurs("customer.created".to_owned())),
        ("payment_intent.created", EventKind::NotOurs("payment_intent.created".to_owned())),
    ] {
        assert_eq!(event_kind(word), kind);
        assert_eq!(kind.as_str(), word);
        assert_eq!(kind.concerns_payment(), word == "charge.updated", "{word}");
    }
}

#[test]
fn a_page_without_a_payment_is_told_by_its_event() {
    let mut session = session();
    session["mode"] = json!("setup");
    session["metadata"] = json!({ "paydown_setup": "setup-7" });
    let raw = event(1, "checkout.session.completed", &session).to_string();
    let read = read_event(raw.as_bytes()).unwrap();
    assert_eq!(read.kind, EventKind::Setup("checkout.session.completed".to_owned()));
    assert_eq!((read.session_id.as_deref(), read.setup.as_deref()), (Some(SESSION), Some("setup-7")));
    session["mode"] = json!("payment");
    let raw = event(1, "checkout.session.completed", &session).to_string();
    assert!(read_event(raw.as_bytes()).unwrap().kind.concerns_payment());
}

#[tokio::test]
async fn an_event_of_the_other_mode_is_refused() {
    let server = MockServer::start().await;
    let mut live = event(1, "charge.updated", &json!({}));
    live["livemode"] = json!(true);
    answer(&server, "GET", "/v1/events", 200, json!({ "data": [live], "has_more": false })).await;
    let error = stripe(&server.uri()).list_events(since(0)).await.unwrap_err();
    assert_eq!(error, CallError::WrongMode { expected_live: false });
}

#[tokio::test]
async fn an_account_says_who_it_is() {
    let server = MockServer::start().await;
    let account = json!({
        "id": "acct_1", "object": "account", "country": "US", "default_currency": "usd", "charges_enabled": true,
        "business_profile": { "name": null }, "settings": { "dashboard": { "display_name": "Harbor Supply" } },
    });
    answer(&server, "GET", "/v1/account", 200, account).await;
    let account = stripe(&server.uri()).account().await.unwrap();
    assert_eq!((account.id.as_str(), account.name.as_deref()), ("acct_1", Some("Harbor Supply")));
    assert_eq!(account.default_currency, Some(Currency::USD));
    assert!(account.charges_enabled && !account.live);
}
