//! Bank debits: accepted at once, decided by the clock, taken back after success.

use serde_json::{Value, json};

use crate::bench::{Bench, START, id, items};

const DAY: i64 = 24 * 60 * 60;

/// Status and payment status of the session, status of its intent and of its charge.
fn status(session: &Value) -> (&str, &str, &str, &str) {
    let intent = &session["payment_intent"];
    (
        session["status"].as_str().unwrap_or("none"),
        session["payment_status"].as_str().unwrap_or("none"),
        intent["status"].as_str().unwrap_or("none"),
        intent["latest_charge"]["status"].as_str().unwrap_or("none"),
    )
}

#[tokio::test]
async fn a_debit_is_on_its_way_for_four_business_days_and_then_succeeds() {
    let bench = Bench::start().await;
    let session = bench.debit("000123456789").await;
    assert_eq!(status(&session), ("complete", "unpaid", "processing", "pending"));
    let charge = &session["payment_intent"]["latest_charge"];
    assert!(id(charge).starts_with("py_"), "{charge}");
    assert_eq!(charge["balance_transaction"], json!(null), "nothing is booked before it succeeds");
    let account = &charge["payment_method_details"]["us_bank_account"];
    assert_eq!(
        (
            account["last4"].as_str(),
            account["routing_number"].as_str(),
            account["account_holder_type"].as_str()
        ),
        (Some("6789"), Some("110000000"), Some("company"))
    );
    assert_eq!(account["expected_debit_date"], "2026-11-23");
    let mandate =
        bench.get(&format!("/v1/mandates/{}", account["mandate"].as_str().expect("one"))).await.ok();
    assert_eq!((mandate["status"].as_str(), mandate["type"].as_str()), (Some("active"), Some("single_use")));
    assert_eq!(mandate["single_use"], json!({ "amount": 50_000, "currency": "usd" }));
    assert_eq!(mandate["customer_acceptance"]["online"]["ip_address"], "127.0.0.1");
    assert!(bench.assert_books().currencies.values().all(|books| books.captured_minor == 0));

    bench.advance_days(3).await;
    assert_eq!(bench.session(&session).await["payment_intent"]["status"], "processing");
    bench.advance_days(1).await;
    let paid = bench.session(&session).await;
    assert_eq!(status(&paid), ("complete", "paid", "succeeded", "succeeded"));
    let transaction = &paid["payment_intent"]["latest_charge"]["balance_transaction"];
    assert_eq!(
        (transaction["amount"].as_i64(), transaction["fee"].as_i64(), transaction["type"].as_str()),
        (Some(50_000), Some(400), Some("payment"))
    );
    assert_eq!(transaction["created"], START + 4 * DAY, "booked on its day, whenever somebody asks");
    assert_eq!(
        bench.event_types().await,
        [
            "payment_intent.created",
            "charge.pending",
            "payment_intent.processing",
            "checkout.session.completed",
            "charge.succeeded",
            "payment_intent.succeeded",
            "checkout.session.async_payment_succeeded",
        ]
    );
    assert_eq!(bench.assert_books().currencies["usd"].net_minor, 49_600);
}

#[tokio::test]
async fn the_fee_of_a_debit_is_capped() {
    let bench = Bench::start().await;
    let mut form = crate::bench::session_form("125000", "usd");
    form.retain(|(name, _)| *name != "payment_method_types[0]");
    form.push(("payment_method_types[]", "us_bank_account"));
    let session = bench.post("/v1/checkout/sessions", &form).await.ok();
    bench.pay(&session, json!({ "account": "000123456789" })).await;
    bench.advance_days(4).await;
    assert_eq!(bench.assert_books().currencies["usd"].fees_minor, 500);
}

#[tokio::test]
async fn each_published_account_fails_in_its_way() {
    let bench = Bench::start().await;
    for (account, code, network) in [
        ("000111111113", "account_closed", Some("R02")),
        ("000111111116", "no_account", Some("R03")),
        ("000222222227", "insufficient_funds", Some("R01")),
        ("000333333335", "debit_not_authorized", Some("R10")),
        ("000444444440", "invalid_currency", None),
        ("000777777771", "charge_exceeds_source_limit", None),
        ("000888888885", "tokenized_account_number_deactivated", None),
    ] {
        let session = bench.debit(account).await;
        assert_eq!(session["payment_intent"]["status"], "processing", "{account}");
        bench.advance_days(4).await;
        let failed = bench.session(&session).await;
        assert_eq!(status(&failed), ("complete", "unpaid", "requires_payment_method", "failed"), "{account}");
        let error = &failed["payment_intent"]["last_payment_error"];
        assert_eq!((error["code"].as_str(), error["network_decline_code"].as_str()), (Some(code), network));
        let charge = &failed["payment_intent"]["latest_charge"];
        assert_eq!(charge["failure_code"], code);
        assert_eq!(charge["outcome"]["network_decline_code"].as_str(), network);
        bench.last_event("checkout.session.async_payment_failed").await;
    }
    let books = bench.assert_books();
    assert_eq!((books.charges, books.charges_succeeded), (7, 0));
    let stuck = bench.debit("000000000009").await;
    bench.advance_days(40).await;
    assert_eq!(bench.session(&stuck).await["payment_intent"]["status"], "processing");
}

#[tokio::test]
async fn any_code_can_be_typed_with_the_day_before_success() {
    let bench = Bench::start().await;
    for (code, days) in [("R01", 2_u32), ("R29", 1), ("R16", 30)] {
        let number = bench.control_get(&format!("/bank_accounts?code={code}&days={days}")).await;
        let session = bench.debit(number["number"].as_str().expect("a number")).await;
        bench.advance_days(days - 1).await;
        assert_eq!(bench.session(&session).await["payment_intent"]["status"], "processing", "{code}");
        bench.advance_days(1).await;
        let intent = &bench.session(&session).await["payment_intent"];
        assert_eq!(intent["last_payment_error"]["network_decline_code"], code);
        let mandate = intent["latest_charge"]["payment_method_details"]["us_bank_account"]["mandate"].clone();
        let mandate = bench.get(&format!("/v1/mandates/{}", mandate.as_str().expect("one"))).await.ok();
        let expected = if code == "R01" { "active" } else { "inactive" };
        assert_eq!(mandate["status"], expected, "{code}");
    }
    bench.assert_books();
}

#[tokio::test]
async fn a_return_after_success_is_a_dispute_that_is_lost_at_once() {
    let bench = Bench::start().await;
    let session = bench.debit("92010040").await;
    bench.advance_days(4).await;
    assert_eq!(bench.session(&session).await["payment_status"], "paid");
    bench.advance_days(39).await;
    assert_eq!(bench.assert_books().disputes, 0);
    bench.advance_days(1).await;
    let disputes = bench.get("/v1/disputes").await.ok();
    let dispute = &disputes["data"][0];
    assert_eq!(
        (dispute["status"].as_str(), dispute["reason"].as_str(), dispute["amount"].as_i64()),
        (Some("lost"), Some("insufficient_funds"), Some(50_000))
    );
    assert_eq!(dispute["payment_method_details"], json!({ "type": "us_bank_account" }));
    assert_eq!(dispute["evidence_details"]["due_by"], json!(null));
    let transaction = &dispute["balance_transactions"][0];
    assert_eq!(
        (transaction["amount"].as_i64(), transaction["fee"].as_i64(), transaction["net"].as_i64()),
        (Some(-50_000), Some(1_500), Some(-51_500))
    );
    let types = bench.event_types().await;
    assert_eq!(
        types[types.len() - 4..],
        [
            "charge.updated",
            "charge.dispute.created",
            "charge.dispute.funds_withdrawn",
            "charge.dispute.closed"
        ]
    );
    assert_eq!(bench.last_event("charge.dispute.closed").await["created"], START + 44 * DAY);
    let error = bench.post(&format!("/v1/disputes/{}", id(dispute)), &[("evidence[receipt]", "")]).await;
    error.refused(400);
    let charge = bench.session(&session).await["payment_intent"]["latest_charge"].clone();
    assert_eq!((charge["disputed"].as_bool(), charge["status"].as_str()), (Some(true), Some("succeeded")));
    let books = bench.assert_books();
    assert_eq!(books.currencies["usd"].disputed_minor, 50_000);
    assert_eq!(books.currencies["usd"].net_minor, 49_600 - 51_500);
}

#[tokio::test]
async fn sepa_debits_do_the_same_with_codes_of_their_own() {
    let bench = Bench::start().await;
    let before = bench.control_get("/bank_accounts?code=AC04&days=2").await;
    let after = bench.control_get("/bank_accounts?code=MD06&days=40&after=true").await;
    for (iban, days, intent_status, code) in [
        ("AT61 1904 3002 3457 3201", 4, "succeeded", None),
        ("AT861904300235473202", 4, "requires_payment_method", Some("MS03")),
        ("AT981904300002222227", 4, "requires_payment_method", Some("AM04")),
        (before["number"].as_str().expect("an IBAN"), 2, "requires_payment_method", Some("AC04")),
        (after["number"].as_str().expect("an IBAN"), 44, "succeeded", None),
    ] {
        let session = bench.open_session_for(&["sepa_debit"], &[]).await;
        bench.pay(&session, json!({ "iban": iban })).await;
        bench.advance_days(days + 2).await;
        let intent = &bench.session(&session).await["payment_intent"];
        assert_eq!(intent["status"], intent_status, "{iban}");
        assert_eq!(intent["last_payment_error"]["network_decline_code"].as_str(), code, "{iban}");
    }
    bench.advance_days(2).await;
    let disputes = bench.get("/v1/disputes").await.ok();
    assert_eq!(items(&disputes).len(), 1);
    assert_eq!(disputes["data"][0]["reason"], "customer_initiated");
    assert_eq!(disputes["data"][0]["payment_method_details"]["type"], "sepa_debit");
    let soon = bench.open_session_for(&["sepa_debit"], &[]).await;
    bench.pay(&soon, json!({ "iban": "AT321904300235473204" })).await;
    bench.control("/clock", json!({ "advance_seconds": 180 })).await;
    assert_eq!(bench.session(&soon).await["payment_status"], "paid");
    bench.assert_books();
}

#[tokio::test]
async fn a_debit_can_be_stopped_for_an_hour() {
    let bench = Bench::start().await;
    let session = bench.debit("000123456789").await;
    let path = format!("/v1/payment_intents/{}/cancel", id(&session["payment_intent"]));
    let canceled = bench.post(&path, &[]).await.ok();
    assert_eq!(canceled["status"], "canceled");
    bench.advance_days(6).await;
    let session = bench.session(&session).await;
    assert_eq!(status(&session), ("complete", "unpaid", "canceled", "failed"));

    let sent = bench.debit("000123456789").await;
    bench.control("/clock", json!({ "advance_seconds": 3_600 })).await;
    let path = format!("/v1/payment_intents/{}/cancel", id(&sent["payment_intent"]));
    assert_eq!(bench.post(&path, &[]).await.refused(400)["code"], "payment_intent_unexpected_state");
    bench.assert_books();
}

#[tokio::test]
async fn types_go_with_their_currency() {
    let bench = Bench::start().await;
    for (kind, currency) in [("us_bank_account", "eur"), ("sepa_debit", "usd"), ("bacs_debit", "gbp")] {
        let mut form = crate::bench::session_form("50000", currency);
        form.retain(|(name, _)| *name != "payment_method_types[0]");
        form.push(("payment_method_types[]", kind));
        let error = bench.post("/v1/checkout/sessions", &form).await.refused(400);
        assert_eq!(error["param"], "payment_method_types", "{kind}");
    }
}

#[tokio::test]
async fn the_control_api_ends_a_debit_at_once() {
    let bench = Bench::start().await;
    let session = bench.debit("000000000009").await;
    let path = format!("/payment_intents/{}/debit", id(&session["payment_intent"]));
    assert_eq!(
        bench.control(&path, json!({ "code": "R03" })).await["last_payment_error"]["code"],
        "no_account"
    );
    let session = bench.debit("000000000009").await;
    let path = format!("/payment_intents/{}/debit", id(&session["payment_intent"]));
    let paid = bench.control(&path, json!({})).await;
    assert_eq!(paid["status"], "succeeded");
    let path = format!("/charges/{}/return", paid["latest_charge"].as_str().expect("a charge"));
    assert_eq!(bench.control(&path, json!({ "code": "R05" })).await["disputed"], true);
    bench.assert_books();
}
