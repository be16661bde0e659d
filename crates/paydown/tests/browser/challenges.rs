//! A saved card is charged from our page: at once, or after its bank has seen the payer; and what becomes of it when the bank, the
//! payer or the time says no.

use crate::acts::with_and_without_javascript;
use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;
use billing::payment::Method;
use jiff::SignedDuration;
use serde_json::json;

/// Its bank wants to see the payer each time.
const ALWAYS_ASKS: &str = "4000002760003184";
/// It can be kept although no charge of it succeeds.
const NEVER_PAYS: &str = "4000000000000341";

/// Signed in, with this card saved, at "Check and pay" for 400.00 of 1,000.00.
async fn checks(stage: &Stage, visitor: &Visitor, card: &str) -> (InvoiceId, String) {
    stage.saves(Method::Card, json!({ "card": card })).await;
    let invoice = stage.invoice("INV-1042", 100_000).await;
    stage.signs_in(visitor).await;
    let pay = format!("{}/pay?amount=40000", stage.path(invoice));
    visitor.go(&pay).await;
    (invoice, pay)
}

async fn is_asked_by_the_bank(stage: &Stage, visitor: &Visitor) {
    let (invoice, pay) = checks(stage, visitor, ALWAYS_ASKS).await;
    visitor.press("Pay $400.00").await;
    visitor.sees("Your bank wants to check it is you").await;
    visitor.sees("No money has been taken.").await;
    visitor.sees("You will go to your bank’s page and come back here. $400.00 to Northwind.").await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 40_000, 0));
    visitor.press("Continue to your bank").await;
    visitor.approves().await;
    visitor.sees("Payment received").await;
    visitor.sees("$400.00 paid. $600.00 is left on INV-1042").await;

    visitor.go(&pay).await;
    visitor.press("Pay $400.00").await;
    visitor.press("Continue to your bank").await;
    visitor.press("Refuse").await;
    visitor.sees("Your bank said no").await;
    visitor.sees("No money has been taken. Your bank did not confirm it was you.").await;
    visitor.sees("You can try again, use another way, or pay less.").await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));

    // The payer does nothing at the bank, comes back, and turns to another way.
    visitor.go(&pay).await;
    visitor.press("Pay $400.00").await;
    let challenge = visitor.at().await;
    visitor.press("Continue to your bank").await;
    visitor.press("Do nothing").await;
    visitor.sees("Your bank wants to check it is you").await;
    let result = visitor.at().await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("Your bank wants to check it is you before $400.00 is paid by your saved card.").await;
    assert!(visitor.offers("Continue to your bank").await);
    visitor.go(&result).await;
    visitor.press("Use another way").await;
    visitor.sees("Left to pay $600.00").await;
    visitor.go(&result).await;
    visitor.sees("You left before it was paid").await;
    visitor.sees("No money has been taken. You left before your bank finished.").await;
    visitor.go(&challenge).await;
    visitor.sees("You left before it was paid").await;

    // The bank does not wait for ever.
    visitor.go(&pay).await;
    visitor.press("Pay $400.00").await;
    visitor.sees("Your bank waits 10 minutes.").await;
    stage.app.settle_after(SignedDuration::from_mins(11)).await;
    visitor.press("Continue to your bank").await;
    visitor.sees("No money has been taken.").await;
    visitor.sees("You ran out of time").await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
}

with_and_without_javascript!(
    the_bank_of_a_saved_card_asks,
    the_bank_of_a_saved_card_asks_without_javascript,
    is_asked_by_the_bank
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_card_is_declined() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, _) = checks(stage, visitor, NEVER_PAYS).await;
        visitor.press("Pay $400.00").await;
        visitor.sees("Your bank said no").await;
        visitor
            .sees("No money has been taken. Your bank did not say why. Call the number on your card.")
            .await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0), "the hold is gone");
        visitor.press("Try again").await;
        visitor.sees("Paying now $400.00").await;
        visitor.press("Use another card or bank account").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$400.00").await;
        visitor.sees("$400.00 paid. $600.00 is left on INV-1042").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_saved_card_that_was_removed_in_another_tab_is_not_charged() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, _) = checks(stage, visitor, VISA).await;
        let first = visitor.new_tab().await;
        visitor.go("/p/northwind/methods").await;
        visitor.press_named("Remove Visa ending 4242").await;
        visitor.press("Remove it").await;
        visitor.sees("Nothing is saved.").await;
        visitor.switch_to(first).await;
        visitor.press("Pay $400.00").await;
        visitor.sees("There is a problem No money has been taken. This saved card or account cannot be used any more.").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
        // What was removed is not offered again; the amount is kept.
        visitor.sees_no("Visa ending 4242").await;
        visitor.sees("Paying now $400.00").await;
        assert!(visitor.offers("Continue to the card page").await);
    })
    .await;
}
