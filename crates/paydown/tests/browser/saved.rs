//! Saving a card and a bank account, paying with them, and stopping a debit before the cut-off.

use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use jiff::SignedDuration;

/// Signs in and goes to "Check and pay" for 400.00.
async fn check_and_pay(stage: &Stage, visitor: &Visitor) -> String {
    stage.app.offer_debits().await;
    let invoice = stage.invoice("INV-1042", 200_000).await;
    visitor.go("/p/northwind/sign-in").await;
    visitor.sign_in(stage, "dana@acme.example").await;
    visitor.sees("Left to pay to Northwind").await;
    let pay = format!("{}/pay?amount=40000", stage.path(invoice));
    visitor.go(&pay).await;
    visitor.sees("Save for next time").await;
    pay
}

async fn saves_pays_and_stops(stage: &Stage, visitor: &Visitor) {
    let pay = check_and_pay(stage, visitor).await;
    visitor.tick("Save for next time").await;
    visitor.press("Continue").await;
    visitor.sees("Card number").await;
    visitor.pay_by(VISA, "$400.00").await;
    visitor.sees("Payment received").await;
    stage.app.settle().await;

    // The next time the card is offered first, and charged from our page.
    visitor.go(&pay).await;
    visitor.sees("Visa ending 4242").await;
    visitor.sees_no("Save for next time").await;
    visitor.press("Pay $400.00").await;
    visitor.sees("$400.00 paid.").await;

    // An account, saved with a payment from it.
    visitor.go(&pay).await;
    visitor.press("Use another card or bank account").await;
    visitor.tick("Bank account in the US").await;
    visitor.tick("Save for next time").await;
    visitor.press("Continue").await;
    visitor.sees("Account number").await;
    visitor.type_account(GOOD).await;
    visitor.agree().await;
    visitor.press("Agree and pay $400.00").await;
    visitor.sees("it cannot be stopped here").await;
    stage.app.settle().await;

    visitor.go("/p/northwind/methods").await;
    visitor.sees("Visa ending 4242").await;
    visitor.sees("account ending 6789").await;

    // A debit of the saved account waits until the cut-off, and is stopped.
    visitor.go(&pay).await;
    visitor.tick("STRIPE TEST BANK account ending 6789").await;
    visitor.sees("You can stop this until 16:00").await;
    visitor.press("Pay now").await;
    visitor.sees("We will take $400.00").await;
    visitor.press("Back to invoice").await;
    visitor.sees("A bank debit of $400.00 goes to the bank on 16 Nov at 16:00 Eastern time.").await;
    visitor.sees("Started 16 Nov, goes to the bank on 16 Nov at 16:00 Eastern time").await;
    visitor.back().await;
    visitor.press("Stop this payment (until 16:00 Eastern time today)").await;
    visitor.sees("Payment stopped").await;
    visitor.sees("We will not take the $400.00.").await;

    // After the cut-off the page that is still open cannot stop it.
    visitor.go(&pay).await;
    visitor.tick("STRIPE TEST BANK account ending 6789").await;
    visitor.press("Pay now").await;
    visitor.sees("We will take $400.00").await;
    stage.app.settle_after(SignedDuration::from_hours(13)).await;
    visitor.press("Stop this payment (until 16:00 Eastern time today)").await;
    visitor.sees("It was too late to stop this payment").await;
    visitor.sees("it cannot be stopped here").await;
    stage.app.days(9).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_saves_pays_and_stops() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| saves_pays_and_stops(stage, visitor).await)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payer_saves_pays_and_stops_without_scripts() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| saves_pays_and_stops(stage, visitor).await)
        .await;
}
