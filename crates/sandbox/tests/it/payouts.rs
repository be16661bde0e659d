//! Payouts: daily by the clock with their items, by hand, failed, below zero.

use serde_json::{Value, json};

use crate::bench::{Bench, id, items};

async fn daily(bench: &Bench) {
    bench.control("/payouts", json!({ "schedule": "daily" })).await;
}

async fn payouts(bench: &Bench) -> Vec<Value> {
    items(&bench.get("/v1/payouts").await.ok()).clone()
}

async fn items_of(bench: &Bench, payout: &Value) -> Vec<Value> {
    items(&bench.get(&format!("/v1/balance_transactions?limit=100&payout={}", id(payout))).await.ok()).clone()
}

#[tokio::test]
async fn what_is_available_at_midnight_is_paid_out_with_its_items() {
    let bench = Bench::start().await;
    daily(&bench).await;
    bench.charge("4242424242424242").await;
    let refunded = bench.charge("4242424242424242").await;
    let charge = id(&refunded["payment_intent"]["latest_charge"]).to_owned();
    bench.post("/v1/refunds", &[("charge", &charge), ("amount", "10000")]).await.ok();
    bench.advance_days(1).await;
    // The refund is available at once, the charges after two days: the first payout takes from the bank.
    let first = payouts(&bench).await.remove(0);
    assert_eq!((first["amount"].as_i64(), first["status"].as_str()), (Some(-10_000), Some("in_transit")));
    bench.advance_days(2).await;
    let made = payouts(&bench).await;
    assert_eq!(made.len(), 2);
    assert_eq!(
        (made[0]["amount"].as_i64(), made[0]["automatic"].as_bool()),
        (Some(2 * (50_000 - 1_480)), Some(true))
    );
    assert_eq!(made[1]["status"], "paid");
    for payout in &made {
        let lines = items_of(&bench, payout).await;
        let own = lines.iter().filter(|line| line["type"] == "payout").count();
        let sum: i64 = lines
            .iter()
            .filter(|line| line["type"] != "payout")
            .map(|line| line["net"].as_i64().expect("a number"))
            .sum();
        assert_eq!((own, Some(sum)), (1, payout["amount"].as_i64()));
    }
    bench.advance_days(3).await;
    let types = bench.event_types().await;
    assert_eq!(types.iter().filter(|kind| *kind == "payout.paid").count(), 2);
    assert_eq!(types.last().map(String::as_str), Some("payout.reconciliation_completed"));
    let books = bench.assert_books();
    assert_eq!((books.payouts, books.currencies["usd"].net_minor), (2, 0));
    assert_eq!(books.currencies["usd"].paid_out_minor, 100_000 - 2 * 1_480 - 10_000);
}

#[tokio::test]
async fn a_failed_payout_is_an_item_of_a_later_one() {
    let bench = Bench::start().await;
    daily(&bench).await;
    bench.charge("4242424242424242").await;
    bench.control("/payouts", json!({ "next_fails_with": "account_closed" })).await;
    bench.advance_days(3).await;
    let payout = payouts(&bench).await.remove(0);
    bench.advance_days(1).await;
    let failed = bench.get(&format!("/v1/payouts/{}", id(&payout))).await.ok();
    assert_eq!(
        (failed["status"].as_str(), failed["failure_code"].as_str()),
        (Some("failed"), Some("account_closed"))
    );
    let books = bench.assert_books();
    assert_eq!(
        (books.payouts, books.currencies["usd"].paid_out_minor),
        (2, 48_520),
        "the same midnight sends it again"
    );
    bench.advance_days(3).await;
    let later = payouts(&bench).await.remove(0);
    assert_eq!(later["amount"], payout["amount"]);
    let lines = items_of(&bench, &later).await;
    assert!(
        lines.iter().any(|line| line["type"] == "payout_failure" && line["source"] == payout["id"]),
        "{lines:?}"
    );
    assert_eq!(later["status"], "paid");
    bench.control(&format!("/payouts/{}/fail", id(&later)), json!({ "code": "no_account" })).await;
    assert_eq!(bench.last_event("payout.failed").await["data"]["object"]["failure_code"], "no_account");
    bench.assert_books();
}

#[tokio::test]
async fn a_payout_by_hand_takes_at_most_what_is_available_and_lists_no_items() {
    let bench = Bench::start().await;
    bench.charge("4242424242424242").await;
    let form = [("amount", "40000"), ("currency", "usd")];
    let error = bench.post("/v1/payouts", &form).await.refused(400);
    assert_eq!(error["code"], "balance_insufficient");
    bench.advance_days(2).await;
    assert!(payouts(&bench).await.is_empty(), "nothing is paid out unless asked");
    let balance = bench.get("/v1/balance").await.ok();
    assert_eq!(balance["available"][0]["amount"], 48_520);
    let payout = bench.post("/v1/payouts", &form).await.ok();
    assert_eq!((payout["automatic"].as_bool(), payout["status"].as_str()), (Some(false), Some("in_transit")));
    bench.get(&format!("/v1/balance_transactions?payout={}", id(&payout))).await.refused(400);
    bench.advance_days(1).await;
    assert_eq!(bench.get(&format!("/v1/payouts/{}", id(&payout))).await.ok()["status"], "paid");
    let books = bench.assert_books();
    assert_eq!((books.currencies["usd"].paid_out_minor, books.currencies["usd"].net_minor), (40_000, 8_520));
}

#[tokio::test]
async fn a_return_after_the_payout_is_taken_from_the_bank() {
    let bench = Bench::start().await;
    daily(&bench).await;
    bench.debit("92100040").await;
    bench.advance_days(10).await;
    assert_eq!(bench.assert_books().currencies["usd"].net_minor, 0);
    bench.advance_days(40).await;
    let last = payouts(&bench).await.remove(0);
    assert_eq!(last["amount"], -51_500);
    assert_eq!(bench.assert_books().currencies["usd"].net_minor, 0);
}
