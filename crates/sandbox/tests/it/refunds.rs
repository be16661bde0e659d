//! Refunds: at once for cards, later for banks, failing late, and never too much.

use serde_json::{Value, json};

use crate::bench::{Bench, id, items};

async fn refund(bench: &Bench, charge: &str, amount: &str) -> Value {
    bench.post("/v1/refunds", &[("charge", charge), ("amount", amount)]).await.ok()
}

fn charge_of(session: &Value) -> String {
    id(&session["payment_intent"]["latest_charge"]).to_owned()
}

#[tokio::test]
async fn a_card_is_refunded_at_once_in_parts_and_never_too_much() {
    let bench = Bench::start().await;
    let session = bench.charge("4242424242424242").await;
    let charge = charge_of(&session);
    let first = bench
        .post(
            "/v1/refunds",
            &[
                ("payment_intent", id(&session["payment_intent"])),
                ("amount", "20000"),
                ("metadata[refund]", "ref_1"),
                ("reason", "requested_by_customer"),
                ("expand[]", "balance_transaction"),
            ],
        )
        .await
        .ok();
    assert_eq!((first["status"].as_str(), first["amount"].as_i64()), (Some("succeeded"), Some(20_000)));
    assert_eq!(first["metadata"], json!({ "refund": "ref_1" }));
    let transaction = &first["balance_transaction"];
    assert_eq!(
        (transaction["amount"].as_i64(), transaction["type"].as_str()),
        (Some(-20_000), Some("refund"))
    );
    let too_much = [("charge", charge.as_str()), ("amount", "30001")];
    let error = bench.post("/v1/refunds", &too_much).await.refused(400);
    assert_eq!(error["param"], "amount");
    assert!(error["message"].as_str().expect("a text").contains("($300.01) is greater than"), "{error}");
    bench.post("/v1/refunds", &[("charge", &charge), ("amount", "0")]).await.refused(400);
    let rest = bench.post("/v1/refunds", &[("charge", &charge)]).await.ok();
    assert_eq!(rest["amount"], 30_000);
    let error = bench.post("/v1/refunds", &[("charge", &charge)]).await.refused(400);
    assert_eq!(error["code"], "charge_already_refunded");
    let charge_now = bench.get(&format!("/v1/charges/{charge}")).await.ok();
    assert_eq!(
        (charge_now["amount_refunded"].as_i64(), charge_now["refunded"].as_bool()),
        (Some(50_000), Some(true))
    );
    let listed = bench.get(&format!("/v1/refunds?charge={charge}&limit=1")).await.ok();
    assert_eq!((id(&listed["data"][0]), listed["has_more"].as_bool()), (id(&rest), Some(true)));
    let of_intent = format!("/v1/refunds?payment_intent={}", id(&session["payment_intent"]));
    assert_eq!(items(&bench.get(&of_intent).await.ok()).len(), 2);
    let types = bench.event_types().await;
    assert_eq!(types[types.len() - 2..], ["refund.created", "charge.refunded"]);
    let books = bench.assert_books();
    assert_eq!((books.refunds, books.currencies["usd"].refunded_minor), (2, 50_000));
}

#[tokio::test]
async fn test_cards_refund_late_and_fail_late() {
    let bench = Bench::start().await;
    let pending = charge_of(&bench.charge("4000000000007726").await);
    let refund_of_pending = refund(&bench, &pending, "100").await;
    assert_eq!(refund_of_pending["status"], "pending");
    let failing = charge_of(&bench.charge("4000000000005126").await);
    let refund_of_failing = refund(&bench, &failing, "50000").await;
    assert_eq!(refund_of_failing["status"], "succeeded");
    bench.advance_days(1).await;
    let path = |refund: &Value| format!("/v1/refunds/{}", id(refund));
    assert_eq!(bench.get(&path(&refund_of_pending)).await.ok()["status"], "succeeded");
    bench.advance_days(2).await;
    let failed = bench.get(&path(&refund_of_failing)).await.ok();
    assert_eq!(failed["status"], "failed");
    assert!(failed["failure_reason"].is_string() && failed["failure_balance_transaction"].is_string());
    bench.last_event("refund.failed").await;
    let charge = bench.get(&format!("/v1/charges/{failing}")).await.ok();
    assert_eq!(charge["amount_refunded"], 0);
    refund(&bench, &failing, "50000").await;
    let books = bench.assert_books();
    assert_eq!(books.currencies["usd"].refunded_minor, 50_100);
}

#[tokio::test]
async fn a_bank_debit_is_refunded_in_days() {
    let bench = Bench::start().await;
    let session = bench.debit("000123456789").await;
    let charge = charge_of(&session);
    let error = bench.post("/v1/refunds", &[("charge", &charge)]).await.refused(400);
    assert_eq!(error["code"], "charge_not_refundable", "nothing was taken yet");
    bench.advance_days(4).await;
    let refund_of_bank = refund(&bench, &charge, "10000").await;
    assert_eq!((refund_of_bank["status"].as_str(), &id(&refund_of_bank)[..4]), (Some("pending"), "pyr_"));
    bench.advance_days(6).await;
    let path = format!("/v1/refunds/{}", id(&refund_of_bank));
    assert_eq!(bench.get(&path).await.ok()["status"], "succeeded");
    assert_eq!(
        bench.control(&format!("/refunds/{}/fail", id(&refund_of_bank)), json!({})).await["status"],
        "failed"
    );

    let failing = bench.debit("93000003").await;
    bench.advance_days(6).await;
    let refund_of_failing = refund(&bench, &charge_of(&failing), "50000").await;
    bench.advance_days(3).await;
    let failed = bench.get(&format!("/v1/refunds/{}", id(&refund_of_failing))).await.ok();
    assert_eq!(failed["status"], "failed");
    assert_eq!(bench.assert_books().currencies["usd"].refunded_minor, 0);
}

#[tokio::test]
async fn a_disputed_charge_is_not_refunded() {
    let bench = Bench::start().await;
    let charge = charge_of(&bench.charge("4000000000000259").await);
    let error = bench.post("/v1/refunds", &[("charge", &charge)]).await.refused(400);
    assert_eq!(error["code"], "charge_disputed");
    let asked = charge_of(&bench.charge("4000000000001976").await);
    refund(&bench, &asked, "50000").await;
    let disputes = bench.get(&format!("/v1/disputes?charge={asked}")).await.ok();
    assert_eq!(disputes["data"][0]["status"], "warning_closed", "an inquiry ends with the full refund");
    bench.assert_books();
}

#[tokio::test]
async fn the_same_key_refunds_once() {
    let bench = Bench::start().await;
    let charge = charge_of(&bench.charge("4242424242424242").await);
    let form = [("charge", charge.as_str()), ("amount", "100")];
    let first = bench.post_with_key("/v1/refunds", &form, "key-r").await.ok();
    let second = bench.post_with_key("/v1/refunds", &form, "key-r").await;
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(id(&second.ok()), id(&first));
    assert_eq!(bench.assert_books().refunds, 1);
}
