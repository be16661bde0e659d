//! Saved methods, the pages that charge them, and the agreement to debit an account, in every state a payer can see.

use crate::builders::VISA;
use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::payment::Method;
use jiff::SignedDuration;
use serde_json::json;

const METHODS: &str = "/p/northwind/methods";
/// Its bank wants to see the payer each time.
const ALWAYS_ASKS: &str = "4000002760003184";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saved_methods_and_agreements() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        stage.app.offer_debits().await;
        stage.signs_in(visitor).await;
        visitor.examine_at("methods-empty", METHODS, "Nothing is saved.").await;
        visitor.examine_at("method-add", &format!("{METHODS}/add"), "What do you want to save?").await;
        visitor.tick("Bank account in Europe (SEPA)").await;
        visitor.examine("method-add-sepa").await;
        visitor.tick("Card").await;
        visitor.press("Continue").await;
        visitor.sees("Keep this card").await;
        visitor.examine("card-page-to-keep").await;
        visitor.press("Cancel and go back").await;
        visitor.sees("Nothing was charged and nothing was saved.").await;
        visitor.examine("methods-not-added").await;

        stage.saves(Method::Card, json!({ "card": VISA })).await;
        stage.saves(Method::UsBankAccount, json!({ "account": GOOD })).await;
        stage.saves(Method::SepaDebit, json!({ "iban": "AT611904300234573201" })).await;
        stage.app.control("/verification", json!({ "us_bank_account": "microdeposits" })).await;
        stage.saves(Method::UsBankAccount, json!({ "account": "000222222227" })).await;
        visitor.examine_at("methods", METHODS, "Visa ending 4242").await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        let pay = format!("{}/pay?amount=40000", stage.path(invoice));
        visitor.examine_at("pay-saved", &pay, "Visa ending 4242").await;
        visitor.tick("STRIPE TEST BANK account ending 6789").await;
        visitor.examine("pay-saved-account").await;
        visitor.press("Pay now").await;
        visitor.sees("We will take $400.00").await;
        visitor.examine("result-held").await;
        let held = visitor.at().await;
        visitor.examine_at("invoice-held", &stage.path(invoice), "goes to the bank on 16 Nov").await;
        visitor.go(METHODS).await;
        visitor.press_named("Remove STRIPE TEST BANK account ending 6789").await;
        visitor.sees("has not been sent yet is stopped.").await;
        visitor.examine("method-remove").await;

        visitor.go(METHODS).await;
        let agreement = visitor.first_link(".method:has([aria-label*='6789']) div").await;
        visitor.examine_at("agreement", &agreement, "It holds.").await;
        visitor.go(&held).await;
        visitor.press("Stop this payment (until 16:00 Eastern time today)").await;
        visitor.sees("Payment stopped").await;
        visitor.examine("result-stopped").await;
        visitor.go(&pay).await;
        visitor.tick("STRIPE TEST BANK account ending 6789").await;
        visitor.press("Pay now").await;
        visitor.sees("We will take $400.00").await;
        stage.app.settle_after(SignedDuration::from_hours(13)).await;
        visitor.press("Stop this payment (until 16:00 Eastern time today)").await;
        visitor.sees("It was too late to stop this payment").await;
        visitor.examine("result-stopped-too-late").await;
        visitor.go(&agreement).await;
        visitor.press("Take this agreement back").await;
        visitor.sees("It ended on").await;
        visitor.examine("agreement-ended").await;
        visitor
            .examine_at("methods-agreement-ended", METHODS, "Your agreement for this account has ended.")
            .await;
        stage.app.days(9).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_card_and_its_bank() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        stage.saves(Method::Card, json!({ "card": ALWAYS_ASKS })).await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        stage.signs_in(visitor).await;
        let pay = format!("{}/pay?amount=40000", stage.path(invoice));
        visitor.examine_at("pay-saved-card", &pay, "Pay $400.00").await;
        visitor.press("Pay $400.00").await;
        visitor.sees("Your bank wants to check it is you").await;
        visitor.examine("challenge").await;
        visitor.press("Continue to your bank").await;
        visitor.press("Do nothing").await;
        visitor.sees("Your bank wants to check it is you").await;
        visitor.examine("result-challenge-open").await;
        let result = visitor.at().await;
        visitor.press("Use another way").await;
        visitor.sees("Amount due $1,000.00").await;
        visitor.examine_at("result-left-the-bank", &result, "You left before it was paid").await;
        visitor.go(&pay).await;
        let first = visitor.new_tab().await;
        visitor.go(METHODS).await;
        visitor.press("Remove").await;
        visitor.press("Remove it").await;
        visitor.sees("Removed. It cannot be charged any more.").await;
        visitor.examine("methods-removed").await;
        visitor.switch_to(first).await;
        visitor.press("Pay $400.00").await;
        visitor.sees("This saved card or account cannot be used any more.").await;
        visitor.examine("pay-saved-gone").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}
