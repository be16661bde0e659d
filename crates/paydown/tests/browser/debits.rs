//! Payments from a bank account: the choice, the agreement, the bank page, and what becomes of the money.

use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;

/// A bank account that pays.
pub const GOOD: &str = "000123456789";
/// One without enough money in it.
const EMPTY_ACCOUNT: &str = "000222222227";

/// From the link to the page "Check and pay" for 400.00 of 1,000.00.
async fn check_and_pay(stage: &Stage, visitor: &Visitor) -> InvoiceId {
    stage.app.offer_debits().await;
    let invoice = stage.invoice("INV-1042", 100_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.choose("400").await;
    visitor.press("Pay partial amount: $400.00").await;
    visitor.sees("How do you want to pay?").await;
    invoice
}

/// Acceptance scenarios 1 and 4 of the rules, as a payer and another one see them.
async fn pays_from_an_account(stage: &Stage, visitor: &Visitor) {
    let invoice = check_and_pay(stage, visitor).await;
    visitor.tick("Bank account in the US").await;
    visitor
        .sees("You allow Northwind to take $400.00 from the bank account that you give on the next page")
        .await;
    visitor.go_to_bank_page().await;
    visitor.type_account("000123456788").await;
    visitor.press("Agree and pay $400.00").await;
    visitor.sees("Use account number 000123456789").await;
    visitor.type_account(GOOD).await;
    visitor.agree().await;
    visitor.press("Agree and pay $400.00").await;
    visitor.sees("Payment started").await;
    visitor.sees("from the account ending 6789").await;
    visitor.sees("it cannot be stopped here").await;
    visitor.sees_no("Payment received").await;

    visitor.press("Back to invoice").await;
    visitor.sees("is still clearing").await;
    visitor.sees("$600.00").await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 40_000, 0));
    // A second person asks for more than is left.
    visitor.go(&format!("{}/pay?amount=70000", stage.path(invoice))).await;
    visitor.sees("$600.00").await;

    stage.app.days(7).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.sees_no("is still clearing").await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
    let payment = stage.newest_payment(invoice).await;
    visitor.go(&format!("/p/northwind/payments/{payment}")).await;
    visitor.sees("Payment received").await;
    visitor.sees("$600.00 is left on INV-1042").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_is_in_progress_until_the_bank_has_paid() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| pays_from_an_account(stage, visitor).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_without_scripts() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| pays_from_an_account(stage, visitor).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_that_the_bank_does_not_pay() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = check_and_pay(stage, visitor).await;
        visitor.debit(EMPTY_ACCOUNT, "$400.00").await;
        visitor.sees("Payment started").await;
        let result = visitor.at().await;
        stage.app.days(7).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.go(&result).await;
        visitor.sees("The bank did not pay").await;
        visitor.sees("No money has been taken").await;
        visitor.sees_no("there was not enough money").await;
        visitor.go(&stage.path(invoice)).await;
        visitor.sees("$1,000.00").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_debit_that_the_bank_takes_back_after_the_invoice_was_paid() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = check_and_pay(stage, visitor).await;
        visitor.debit("92100020", "$400.00").await;
        visitor.sees("Payment started").await;
        let result = visitor.at().await;
        stage.app.days(7).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.go(&format!("{}/pay?amount=60000", stage.path(invoice))).await;
        visitor.fill("E-mail for the receipt", "payer@acme.example").await;
        visitor.press("Continue").await;
        visitor.pay_by(VISA, "$600.00").await;
        visitor.sees("Paid in full").await;
        stage.app.days(22).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.sees("$400.00 that was paid here was taken back by the bank, so it is owed again.").await;
        visitor.go(&result).await;
        visitor.sees("The bank took it back").await;
        visitor.sees("$400.00 is left on INV-1042").await;
        assert_eq!(stage.app.figures(invoice).await, (40_000, 0, 60_000));
    })
    .await;
}
