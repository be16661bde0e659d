//! Saved methods as their owner keeps them: added without paying, offered first, removed; and the agreement to debit an account,
//! shown with its proof and taken back.

use crate::acts::with_and_without_javascript;
use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use billing::payment::Method;
use serde_json::json;

const METHODS: &str = "/p/northwind/methods";
const ACCOUNT: &str = "STRIPE TEST BANK account ending 6789";

/// From the list to the processor's page for a card or an account.
async fn adds(visitor: &Visitor, way: &str) {
    visitor.press("Add a card or account").await;
    visitor.sees("What do you want to save?").await;
    visitor.tick(way).await;
    visitor.press("Continue").await;
}

async fn keeps_and_removes(stage: &Stage, visitor: &Visitor) {
    stage.app.offer_debits().await;
    let invoice = stage.invoice("INV-1042", 100_000).await;
    stage.signs_in(visitor).await;
    visitor.press("Saved methods").await;
    visitor.sees("Nothing is saved.").await;

    adds(visitor, "Card").await;
    visitor.type_card("4000 0000 0000 0002").await;
    visitor.press("Keep this card").await;
    visitor.sees("Your card was declined").await;
    visitor.press("Cancel and go back").await;
    visitor.sees("Nothing was charged and nothing was saved. Your bank said no.").await;
    adds(visitor, "Card").await;
    visitor.press("Cancel and go back").await;
    visitor.sees("Nothing was charged and nothing was saved.").await;
    adds(visitor, "Card").await;
    visitor.type_card(VISA).await;
    visitor.press("Keep this card").await;
    visitor.sees("Saved. You can pay with it now.").await;
    visitor.sees("Visa ending 4242 Offered first").await;

    adds(visitor, "Bank account in the US").await;
    visitor.type_account(GOOD).await;
    visitor.agree().await;
    visitor.press("Agree and keep this account").await;
    visitor.sees("Saved. You can pay with it now.").await;
    visitor.sees(ACCOUNT).await;
    visitor.press_named(&format!("Offer first: {ACCOUNT}")).await;
    visitor.sees(&format!("{ACCOUNT} Offered first")).await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0), "nothing was charged");

    // The account is chosen now. What removing it does is said before it is done: the debit that waits is stopped.
    visitor.go(&format!("{}/pay?amount=40000", stage.path(invoice))).await;
    visitor.press("Pay now").await;
    visitor.sees("We will take $400.00").await;
    let held = visitor.at().await;
    visitor.go(METHODS).await;
    visitor.press_named(&format!("Remove {ACCOUNT}")).await;
    visitor.sees(&format!("Remove {ACCOUNT}?")).await;
    visitor.sees("You take back your leave to debit this account.").await;
    visitor.sees("The debit of $400.00 that has not been sent yet is stopped.").await;
    visitor.press("Keep it").await;
    visitor.sees(ACCOUNT).await;
    visitor.press_named(&format!("Remove {ACCOUNT}")).await;
    visitor.press("Remove it").await;
    visitor.sees("Removed. It cannot be charged any more.").await;
    visitor.sees_no(ACCOUNT).await;
    visitor.sees("Visa ending 4242 Offered first").await;
    visitor.go(&held).await;
    visitor.sees("Payment stopped").await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
}

with_and_without_javascript!(
    saved_methods_are_added_chosen_and_removed,
    saved_methods_are_added_chosen_and_removed_without_javascript,
    keeps_and_removes
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agreement_is_proved_and_taken_back() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        stage.app.offer_debits().await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        stage.saves(Method::UsBankAccount, json!({ "account": GOOD })).await;
        stage.signs_in(visitor).await;
        visitor.go(METHODS).await;
        visitor.press("Your agreement").await;
        visitor.sees("It holds.").await;
        visitor.sees("You allow Northwind to take amounts from the account, each when you ask for it.").await;
        visitor.sees(ACCOUNT).await;
        visitor.sees("16 November 2026, 04:00 Eastern time").await;
        visitor.sees("Fingerprint of the text (SHA-256)").await;
        assert_eq!(visitor.print("agreement", (8.27, 11.69)).await, 1, "sheets");
        visitor.press("Take this agreement back").await;
        visitor.sees("It ended on 16 November 2026. Nothing more is taken on it.").await;
        assert!(!visitor.offers("Take this agreement back").await);
        visitor.go(METHODS).await;
        visitor.sees("Your agreement for this account has ended. Add it again to pay with it.").await;
        visitor.go(&format!("{}/pay?amount=40000", stage.path(invoice))).await;
        visitor.sees("How do you want to pay?").await;
        visitor.sees_no("6789").await;
    })
    .await;
}
