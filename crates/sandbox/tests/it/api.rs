//! What holds for every call: keys, unknown addresses, headers, events and books.

use serde_json::json;

use crate::bench::{Bench, KEY, START, id, items};

#[tokio::test]
async fn a_call_needs_the_key_as_bearer_or_basic_user() {
    let bench = Bench::start().await;
    let url = bench.url("/v1/balance");
    let without = bench.client.get(&url).send().await.expect("an answer");
    assert_eq!(without.status(), 401);
    assert_eq!(
        without.json::<serde_json::Value>().await.expect("JSON")["error"]["type"],
        "invalid_request_error"
    );
    assert_eq!(
        bench.client.get(&url).bearer_auth("sk_test_other").send().await.expect("an answer").status(),
        401
    );
    assert_eq!(
        bench.client.get(&url).basic_auth(KEY, None::<&str>).send().await.expect("an answer").status(),
        200
    );
    assert_eq!(bench.client.get(&url).bearer_auth(KEY).send().await.expect("an answer").status(), 200);
}

#[tokio::test]
async fn answers_carry_a_request_id_and_the_version_that_was_asked_for() {
    let bench = Bench::start().await;
    let sent = bench
        .client
        .get(bench.url("/v1/account"))
        .bearer_auth(KEY)
        .header("stripe-version", "2024-06-20")
        .send()
        .await;
    let response = sent.expect("an answer");
    assert_eq!(response.headers()["stripe-version"], "2024-06-20");
    let first = response.headers()["request-id"].to_str().expect("a text").to_owned();
    assert!(first.starts_with("req_"), "{first}");
    let account = response.json::<serde_json::Value>().await.expect("JSON");
    assert!(id(&account).starts_with("acct_"));
    let next = bench.get("/v1/account").await;
    assert_ne!(next.header("request-id"), Some(first.as_str()));
    let error = bench.get("/v1/nothing").await.refused(404);
    assert!(error["message"].as_str().expect("a text").contains("/v1/nothing"), "{error}");
}

#[tokio::test]
async fn customers_are_kept_and_read_back() {
    let bench = Bench::start().await;
    let made =
        bench.post("/v1/customers", &[("name", "Acme Inc."), ("email", "dana@acme.example")]).await.ok();
    assert_eq!(bench.get(&format!("/v1/customers/{}", id(&made))).await.ok(), made);
    let error = bench.get("/v1/customers/cus_none").await.refused(404);
    assert_eq!((error["code"].as_str(), error["param"].as_str()), (Some("resource_missing"), Some("id")));
    let mut form = crate::bench::session_form("50000", "usd");
    form.retain(|(name, _)| *name != "customer_email");
    form.push(("customer", id(&made)));
    let session = bench.post("/v1/checkout/sessions", &form).await.ok();
    assert_eq!(session["customer"], made["id"]);
    assert_eq!(session["customer_details"]["email"], "dana@acme.example");
}

#[tokio::test]
async fn events_tell_the_whole_story_and_can_be_picked_by_type() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    bench.pay(&session, json!({ "card": "4000000000000002" })).await;
    bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.failed",
            "payment_intent.payment_failed",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.completed",
        ]
    );
    let charges = bench.get("/v1/events?type=charge.*").await.ok();
    assert_eq!(
        items(&charges).iter().map(|event| event["type"].as_str()).collect::<Vec<_>>(),
        [Some("charge.succeeded"), Some("charge.failed")]
    );
    let two = bench.get("/v1/events?types[]=charge.failed&types[]=checkout.session.completed").await.ok();
    assert_eq!(items(&two).len(), 2);
    let one = &two["data"][0];
    assert_eq!(one["data"]["object"]["id"], session["id"]);
    assert_eq!(one["data"]["object"]["payment_status"], "paid");
    assert_eq!(bench.get(&format!("/v1/events/{}", id(one))).await.ok(), *one);
    let later = bench.get(&format!("/v1/events?created[gte]={}", START + 1)).await.ok();
    assert!(items(&later).is_empty());
}

#[tokio::test]
async fn the_books_add_up_in_every_currency() {
    let bench = Bench::start().await;
    for (amount, currency) in [("50000", "usd"), ("125000", "usd"), ("5000", "jpy"), ("1020", "eur")] {
        let session =
            bench.post("/v1/checkout/sessions", &crate::bench::session_form(amount, currency)).await.ok();
        bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    }
    let declined = bench.open_session().await;
    bench.pay(&declined, json!({ "card": "4000000000000002" })).await;
    let books = bench.sandbox.books().expect("books");
    let usd = &books.currencies["usd"];
    // 2.9 % of 500.00 and 1,250.00 is 14.50 and 36.25, and 0.30 for each.
    assert_eq!(
        (usd.captured_minor, usd.gross_minor, usd.fees_minor, usd.net_minor),
        (175_000, 175_000, 5_135, 169_865)
    );
    let jpy = &books.currencies["jpy"];
    assert_eq!((jpy.gross_minor, jpy.fees_minor, jpy.net_minor), (5_000, 185, 4_815));
    assert_eq!(books.currencies["eur"].net_minor, 960, "2.9 % of 10.20 is 29.58 cents, rounded to 30");
    assert_eq!((books.sessions, books.open_sessions, books.payment_intents), (5, 1, 5));
    assert_eq!((books.charges, books.charges_succeeded), (5, 4));
    assert_eq!(bench.control_get("/books").await, serde_json::to_value(&books).expect("JSON"));
    let list = bench.get("/v1/balance_transactions?type=charge&currency=usd").await.ok();
    let nets: Vec<i64> = items(&list).iter().map(|line| line["net"].as_i64().expect("a number")).collect();
    assert_eq!(nets, [121_345, 48_520]);
    assert_eq!(list["data"][0]["fee_details"][0]["amount"], 3_655);
    let balance = bench.get("/v1/balance").await.ok();
    let pending: Vec<_> =
        balance["pending"].as_array().expect("a list").iter().map(|line| line["amount"].as_i64()).collect();
    assert_eq!(pending, [Some(960), Some(4_815), Some(169_865)]);
}

#[tokio::test]
async fn a_fee_may_come_after_the_success() {
    let bench = Bench::start().await;
    bench.control("/fees", json!({ "mode": "later" })).await;
    let session = bench.open_session().await;
    bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    let paid = bench.session(&session).await;
    assert_eq!(paid["payment_intent"]["latest_charge"]["status"], "succeeded");
    assert_eq!(paid["payment_intent"]["latest_charge"]["balance_transaction"], json!(null));
    let books = bench.sandbox.books().expect("books");
    assert_eq!((books.currencies["usd"].unbooked_minor, books.currencies["usd"].gross_minor), (50_000, 0));
    assert_eq!(bench.control("/fees/release", json!({})).await["booked"], 1);
    assert_eq!(bench.control("/fees/release", json!({})).await["booked"], 0);
    let booked = bench.session(&session).await;
    assert_eq!(booked["payment_intent"]["latest_charge"]["balance_transaction"]["fee"], 1_480);
    assert_eq!(bench.event_types().await.last().map(String::as_str), Some("charge.updated"));
    let books = bench.sandbox.books().expect("books");
    assert_eq!((books.currencies["usd"].unbooked_minor, books.currencies["usd"].net_minor), (0, 48_520));
}

#[tokio::test]
async fn a_capture_may_take_another_amount_or_currency_once() {
    let bench = Bench::start().await;
    let session = bench.open_session().await;
    bench.control("/capture_override", json!({ "session": id(&session), "amount": 60_000 })).await;
    bench.pay(&session, json!({ "card": "4242424242424242" })).await;
    let paid = bench.session(&session).await;
    assert_eq!(paid["amount_total"], 50_000);
    assert_eq!(paid["payment_intent"]["amount"], 50_000);
    assert_eq!(paid["payment_intent"]["amount_received"], 60_000);
    assert_eq!(paid["payment_intent"]["latest_charge"]["amount_captured"], 60_000);
    assert_eq!(paid["payment_intent"]["latest_charge"]["balance_transaction"]["amount"], 60_000);
    let other = bench.open_session().await;
    bench.control("/capture_override", json!({ "session": id(&other), "currency": "eur" })).await;
    bench.pay(&other, json!({ "card": "4242424242424242" })).await;
    assert_eq!(bench.session(&other).await["payment_intent"]["latest_charge"]["currency"], "eur");
    let books = bench.sandbox.books().expect("books");
    assert_eq!((books.currencies["usd"].gross_minor, books.currencies["eur"].gross_minor), (60_000, 50_000));
}

#[tokio::test]
async fn money_may_be_taken_after_a_session_ended() {
    let bench = Bench::start().await;
    for card in [None, Some("4000002500003155")] {
        let session = bench.open_session().await;
        if let Some(card) = card {
            bench.pay(&session, json!({ "card": card, "challenge": "nothing" })).await;
        }
        let path = format!("/control/sessions/{}/succeed_after_end", id(&session));
        let early = bench.client.post(bench.url(&path)).send().await.expect("an answer");
        assert_eq!(early.status(), 400, "the session is still open");
        bench.post(&format!("/v1/checkout/sessions/{}/expire", id(&session)), &[]).await.ok();
        bench.control(&format!("/sessions/{}/succeed_after_end", id(&session)), json!({})).await;
        let late = bench.session(&session).await;
        assert_eq!(late["status"], "expired");
        assert_eq!(late["payment_intent"]["status"], "succeeded");
        assert_eq!(late["payment_intent"]["amount_received"], 50_000);
        assert_eq!(bench.event_types().await.last().map(String::as_str), Some("payment_intent.succeeded"));
        let again = bench.client.post(bench.url(&path)).send().await.expect("an answer");
        assert_eq!(again.status(), 400, "it was taken already");
    }
    assert_eq!(bench.sandbox.books().expect("books").currencies["usd"].gross_minor, 100_000);
}

#[tokio::test]
async fn the_control_api_explains_itself_and_refuses_other_sites() {
    let bench = Bench::start().await;
    let help = bench
        .client
        .get(bench.url("/control"))
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a text");
    assert!(help.contains("No real money moves") && help.contains("/control/faults"), "{help}");
    let sent = bench
        .client
        .post(bench.url("/control/clock"))
        .header("sec-fetch-site", "cross-site")
        .body("{\"advance_seconds\":1}");
    assert_eq!(sent.send().await.expect("an answer").status(), 403);
    let sent = bench
        .client
        .post(bench.url("/control/clock"))
        .body("{\"advance\":1}")
        .send()
        .await
        .expect("an answer");
    assert_eq!(sent.status(), 400);
    let clock = bench.control_get("/clock").await;
    assert_eq!(clock, json!({ "now": START, "offset_seconds": 0, "skew_seconds": 0 }));
    let listed = bench.control_get("/sessions").await;
    assert_eq!(listed["sessions"], json!([]));
}
