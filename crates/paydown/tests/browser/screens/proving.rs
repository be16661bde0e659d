//! The proof of a bank account by two small deposits, in every state a payer can see.

use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_small_deposits() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        stage.app.offer_debits().await;
        stage.app.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        stage.signs_in(visitor).await;
        visitor.go(&format!("{}/pay?amount=40000", stage.path(invoice))).await;
        visitor.debit(GOOD, "$400.00").await;
        visitor.sees("Two small amounts are on their way").await;
        visitor.examine("result-proof-waiting").await;
        let result = visitor.at().await;
        let late = stage.dana_debits(invoice, 10_000, GOOD).await;
        let unreachable = stage.dana_debits(invoice, 10_000, "000666666661").await;
        stage.app.days(3).await;
        stage.signs_in(visitor).await;
        visitor.examine_at("result-proof-ready", &result, "Enter the two small amounts").await;
        let unreachable = format!("/p/northwind/payments/{unreachable}");
        visitor
            .examine_at("result-proof-not-delivered", &unreachable, "The small amounts did not arrive")
            .await;
        for (first, second, answer, name, words) in [
            ("1", "2", "There is a problem", "result-proof-wrong", "are not those we sent"),
            ("10", "11", "Too many tries", "result-proof-too-many", "The amounts were wrong too often"),
        ] {
            visitor.go(&result).await;
            visitor.press("Enter what you read").await;
            visitor.fill("First amount, in cents", first).await;
            visitor.fill("Second amount, in cents", second).await;
            visitor.press("Verify").await;
            visitor.sees(answer).await;
            stage.app.settle().await;
            visitor.go(&format!("{result}/return")).await;
            visitor.sees(words).await;
            visitor.examine(name).await;
        }
        stage.app.days(9).await;
        stage.signs_in(visitor).await;
        let late = format!("/p/northwind/payments/{late}");
        visitor.examine_at("result-proof-expired", &late, "The time for the small amounts is over").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}
