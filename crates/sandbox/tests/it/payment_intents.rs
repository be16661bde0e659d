//! Charging without a hosted page.

use serde_json::json;

use crate::bench::{Bench, id, items};

#[tokio::test]
async fn a_test_method_is_charged_at_once() {
    let bench = Bench::start().await;
    let form = [
        ("amount", "5000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa"),
        ("confirm", "true"),
        ("off_session", "true"),
        ("metadata[attempt]", "att_1"),
        ("expand[]", "latest_charge.balance_transaction"),
    ];
    let intent = bench.post("/v1/payment_intents", &form).await.ok();
    assert_eq!(
        (intent["status"].as_str(), intent["amount_received"].as_i64()),
        (Some("succeeded"), Some(5_000))
    );
    assert_eq!(intent["latest_charge"]["balance_transaction"]["net"], 5_000 - 175);
    let error = bench.post(&format!("/v1/payment_intents/{}/confirm", id(&intent)), &[]).await.refused(400);
    assert_eq!(error["code"], "payment_intent_unexpected_state");
    let error = bench.post(&format!("/v1/payment_intents/{}/cancel", id(&intent)), &[]).await.refused(400);
    assert_eq!(error["payment_intent"]["status"], "succeeded");
    let listed = bench.get("/v1/payment_intents").await.ok();
    assert_eq!(items(&listed).iter().map(id).collect::<Vec<_>>(), [id(&intent)]);
}

#[tokio::test]
async fn a_decline_is_a_402_that_leaves_the_intent_and_its_failed_charge() {
    let bench = Bench::start().await;
    let form = [
        ("amount", "5000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_visa_chargeDeclinedInsufficientFunds"),
        ("confirm", "true"),
    ];
    let error = bench.post("/v1/payment_intents", &form).await.refused(402);
    assert_eq!((error["type"].as_str(), error["code"].as_str()), (Some("card_error"), Some("card_declined")));
    assert_eq!(error["decline_code"], "insufficient_funds");
    let path = format!("/v1/payment_intents/{}", id(&error["payment_intent"]));
    let intent = bench.get(&path).await.ok();
    assert_eq!(intent["status"], "requires_payment_method");
    assert_eq!(intent["latest_charge"], error["charge"]);
    let intent =
        bench.post(&format!("{path}/confirm"), &[("payment_method", "pm_card_mastercard")]).await.ok();
    assert_eq!(intent["status"], "succeeded");
}

#[tokio::test]
async fn a_card_whose_bank_wants_the_payer_is_declined_without_one() {
    let bench = Bench::start().await;
    let method = [
        ("amount", "5000"),
        ("currency", "usd"),
        ("payment_method", "pm_card_threeDSecure2Required"),
        ("confirm", "true"),
    ];
    let absent: Vec<_> = method.iter().copied().chain([("off_session", "true")]).collect();
    let error = bench.post("/v1/payment_intents", &absent).await.refused(402);
    assert_eq!(error["code"], "authentication_required");
    let present: Vec<_> = method.iter().copied().chain([("return_url", "http://127.0.0.1:9/back")]).collect();
    let intent = bench.post("/v1/payment_intents", &present).await.ok();
    assert_eq!(intent["status"], "requires_action");
    let bank =
        bench.browse(intent["next_action"]["redirect_to_url"]["url"].as_str().expect("an address")).await;
    let form = [
        ("token", bank.value("token")),
        ("bank-code", bank.texts(".digits").remove(0)),
        ("answer", "approve".to_owned()),
    ];
    let location = bench.submit(&bank, &form).await;
    assert!(
        location.starts_with("http://127.0.0.1:9/back?payment_intent=pi_")
            && location.ends_with("redirect_status=succeeded"),
        "{location}"
    );
}

#[tokio::test]
async fn an_intent_can_wait_be_canceled_and_is_refused_where_checkout_owns_it() {
    let bench = Bench::start().await;
    let waiting = bench.post("/v1/payment_intents", &[("amount", "5000"), ("currency", "usd")]).await.ok();
    assert_eq!(waiting["status"], "requires_payment_method");
    let path = format!("/v1/payment_intents/{}", id(&waiting));
    let error = bench.post(&format!("{path}/confirm"), &[]).await.refused(400);
    assert_eq!(error["code"], "payment_intent_unexpected_state");
    let error =
        bench.post(&format!("{path}/confirm"), &[("payment_method", "pm_card_none")]).await.refused(404);
    assert_eq!(error["param"], "payment_method");
    let canceled = bench.post(&format!("{path}/cancel"), &[("cancellation_reason", "abandoned")]).await.ok();
    assert_eq!(
        (canceled["status"].as_str(), canceled["cancellation_reason"].as_str()),
        (Some("canceled"), Some("abandoned"))
    );

    let session = bench.open_session().await;
    bench.pay(&session, json!({ "card": "4000000000000002" })).await;
    let intent_id = id(&bench.session(&session).await["payment_intent"]).to_owned();
    for verb in ["confirm", "cancel"] {
        let error = bench.post(&format!("/v1/payment_intents/{intent_id}/{verb}"), &[]).await.refused(400);
        assert!(error["message"].as_str().expect("a text").contains("Checkout"), "{error}");
    }
}
