//! A bank account that has to be proved by two small deposits before it is debited: on their way, to be entered, wrong, wrong too
//! often, too late, not delivered. Each says that no money was taken.

use crate::acts::with_and_without_javascript;
use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;
use jiff::SignedDuration;
use serde_json::json;

/// Deposits do not reach it.
const UNREACHABLE: &str = "000666666661";

/// Dana asks for 400.00 from an account that has to be proved; the address of the result.
async fn begins(stage: &Stage, visitor: &Visitor, account: &str) -> (InvoiceId, String) {
    stage.app.offer_debits().await;
    stage.app.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
    let invoice = stage.invoice("INV-1042", 100_000).await;
    stage.signs_in(visitor).await;
    visitor.go(&format!("{}/pay?amount=40000", stage.path(invoice))).await;
    visitor.debit(account, "$400.00").await;
    visitor.sees("Two small amounts are on their way").await;
    visitor.sees("No money has been taken.").await;
    (invoice, visitor.at().await)
}

/// Two days later the deposits are there.
async fn comes_back(stage: &Stage, visitor: &Visitor, result: &str) {
    stage.app.days(3).await;
    stage.signs_in(visitor).await;
    visitor.go(result).await;
    visitor.sees("Enter the two small amounts").await;
    visitor.sees("No money has been taken.").await;
}

async fn enters(visitor: &Visitor, first: &str, second: &str) {
    visitor.press("Enter what you read").await;
    visitor.fill("First amount, in cents", first).await;
    visitor.fill("Second amount, in cents", second).await;
    visitor.press("Verify").await;
}

async fn proves_an_account(stage: &Stage, visitor: &Visitor) {
    let (invoice, result) = begins(stage, visitor, GOOD).await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 40_000, 0));
    visitor.go(&stage.path(invoice)).await;
    visitor
        .sees("You started a payment of $400.00 from a bank account on 16 Nov and have not finished it.")
        .await;
    visitor.press("See that payment").await;
    visitor.sees("Two small amounts are on their way").await;
    comes_back(stage, visitor, &result).await;
    enters(visitor, "1", "2").await;
    visitor.sees("There is a problem").await;
    visitor.go(&format!("{result}/return")).await;
    visitor.sees("No money has been taken. The amounts you entered are not those we sent.").await;
    enters(visitor, "32", "45").await;
    visitor.sees("Your account is verified").await;
    visitor.press("Continue").await;
    visitor.sees("Payment started").await;
    visitor.sees("from the account ending 6789").await;
    stage.app.days(8).await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
}

with_and_without_javascript!(
    an_account_is_proved_and_debited,
    an_account_is_proved_and_debited_without_javascript,
    proves_an_account
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_is_wrong_too_often() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, result) = begins(stage, visitor, GOOD).await;
        comes_back(stage, visitor, &result).await;
        enters(visitor, "10", "11").await;
        visitor.sees("Too many tries").await;
        stage.app.settle().await;
        visitor.go(&result).await;
        visitor.sees("Too many tries No money has been taken.").await;
        visitor.press("Use another way").await;
        visitor.sees("Amount due $1,000.00").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proof_comes_too_late() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, result) = begins(stage, visitor, GOOD).await;
        stage.app.days(11).await;
        stage.signs_in(visitor).await;
        visitor.go(&result).await;
        visitor.sees("The time for the small amounts is over No money has been taken.").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deposits_do_not_arrive() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, result) = begins(stage, visitor, UNREACHABLE).await;
        stage.app.days(3).await;
        stage.signs_in(visitor).await;
        visitor.go(&result).await;
        visitor.sees("The small amounts did not arrive No money has been taken.").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

/// An account that is kept without paying is proved as well.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_is_saved_is_proved_too() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        stage.app.offer_debits().await;
        stage.app.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
        stage.signs_in(visitor).await;
        visitor.go("/p/northwind/methods/add").await;
        visitor.tick("Bank account in the US").await;
        visitor.press("Continue").await;
        visitor.type_account(GOOD).await;
        visitor.agree().await;
        visitor.press("Agree and keep this account").await;
        visitor.sees("Two small amounts are on their way").await;
        stage.app.settle_after(SignedDuration::from_hours(72)).await;
        stage.signs_in(visitor).await;
        visitor.go("/p/northwind/methods").await;
        visitor.sees("Enter the two small amounts").await;
        enters(visitor, "32", "45").await;
        visitor.sees("Your account is verified").await;
        visitor.press("Continue").await;
        visitor.sees("STRIPE TEST BANK account ending 6789").await;
    })
    .await;
}
