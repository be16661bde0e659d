//! Lists are followed to their end: only then is absence a proof, and only then is a span covered.

use crate::support::*;
use billing::payment::PaymentState;
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
    page(&server, "/v1/events", None, json!(newest), true).await;
    page(
        &server,
        "/v1/events",
        Some("evt_2"),
        json!([event(1, "payment_intent.created", &intent("x"))]),
        false,
    )
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
    let first = &server.received_requests().await.unwrap()[0];
    let types = first.url.query_pairs().filter(|(name, _)| name == "types[]").count();
    assert!((1..=20).contains(&types), "Stripe takes at most 20, and was asked for {types}");
    assert!(first.url.query_pairs().any(|pair| pair == ("created[gte]".into(), "1700000000".into())));
    assert!(first.url.query_pairs().all(|(name, _)| name != "created[lte]"), "up to the latest");
}

#[tokio::test]
async fn a_part_of_a_span_is_asked_for_and_an_event_that_cannot_be_read_is_left_out() {
    let server = MockServer::start().await;
    let charge = json!({ "id": "ch_1", "object": "charge", "payment_intent": "pi_1" });
    let data = json!([{ "id": "evt_3" }, event(2, "charge.refunded", &charge), "no event at all"]);
    page(&server, "/v1/events", None, data, true).await;
    page(&server, "/v1/events", Some("evt_2"), json!([event(1, "payout.paid", &json!({}))]), false).await;
    let span = Span { from: at(1_700_000_000), to: Some(at(1_700_000_009)) };
    let list = stripe(&server.uri()).list_events(span).await.unwrap();
    assert!(list.complete);
    assert_eq!(ids(&list.events), ["evt_1", "evt_2"]);
    assert_eq!(list.events[0].event.kind, EventKind::NotBooked("payout.paid".to_owned()));
    assert_eq!(list.events[1].event.kind, EventKind::NotBooked("charge.refunded".to_owned()));
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
        page(&server, "/v1/events", after.as_deref(), data, number > 1).await;
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
    let body = json!({ "data": [event(1, "charge.updated", &json!({}))], "has_more": true });
    answer(&server, "GET", "/v1/events", 200, body).await;
    let list = stripe(&server.uri()).list_events(since(0)).await.unwrap();
    assert!(!list.complete);
    assert_eq!(list.events.len(), 20, "one on each page");
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
