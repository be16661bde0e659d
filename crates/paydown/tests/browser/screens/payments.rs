//! Check and pay, the processor's page and the bank, and every result of a payment.

use crate::stage::{Stage, play};
use crate::steps::{CHALLENGED, EMPTY, VISA};
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use store::payments::Ending;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_way_to_paying() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, path) = open(stage, visitor, "INV-1042").await;
        let pay = format!("{path}/pay?amount=50000");
        visitor.examine_at("pay", &pay, "Check and pay").await;
        visitor.press("Continue to the card page").await;
        visitor.sees("Enter the e-mail address for the receipt").await;
        visitor.examine("pay-error").await;
        visitor.go_to_card_page().await;
        visitor.examine("card-page").await;
        visitor.press("Pay $500.00").await;
        visitor.sees("There is a problem").await;
        visitor.examine("card-page-problems").await;
        visitor.pay_by(EMPTY, "$500.00").await;
        visitor.sees("The payment did not go through").await;
        visitor.examine("card-page-declined").await;
        visitor.pay_by(CHALLENGED, "$500.00").await;
        visitor.sees("Is it you?").await;
        visitor.examine("bank").await;
        visitor.press("Approve").await;
        visitor.sees("Type the 6 digits").await;
        visitor.examine("bank-problem").await;
        visitor.press("Do nothing").await;
        visitor.sees("You left before your bank finished").await;
        visitor.examine("card-page-left-bank").await;
        let card_page = visitor.at().await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("Payment received").await;
        visitor.go(&card_page).await;
        visitor.sees("This payment is complete").await;
        visitor.examine("card-page-complete").await;
        visitor.examine_at("pay-again", &pay, "You paid $500.00 on this invoice").await;
        let passed_on = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
        stage.app.set_surcharge(Currency::USD, passed_on).await;
        visitor.examine_at("pay-fee", &pay, "Charged to your card $514.80").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn how_a_payment_ends() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, path) = open(stage, visitor, "INV-1042").await;
        pay_part(visitor, &path).await;
        visitor.press("Cancel and go back").await;
        visitor.sees("You cancelled this payment").await;
        visitor.examine("result-cancelled").await;

        pay_part(visitor, &path).await;
        visitor.pay_by(EMPTY, "$500.00").await;
        visitor.sees("The payment did not go through").await;
        let card_page = visitor.at().await;
        stage.app.settle().await;
        let declined = format!("/p/northwind/payments/{}", stage.newest_payment(invoice).await);
        visitor.examine_at("result-declined-open", &declined, "Your bank said no").await;
        visitor.go(&card_page).await;
        visitor.press("Cancel and go back").await;
        visitor.sees("Your bank said no").await;
        visitor.examine("result-declined").await;

        pay_part(visitor, &path).await;
        let unfinished = stage.newest_payment(invoice).await;
        let unfinished = format!("/p/northwind/payments/{unfinished}");
        visitor.examine_at("result-unfinished", &unfinished, "Not finished yet").await;
        visitor.press("Cancel it and start again").await;

        let unknown = stage.unknown_payment(invoice, 10_000).await;
        let unknown = format!("/p/northwind/payments/{unknown}");
        visitor.examine_at("result-unknown", &unknown, "We do not know yet").await;

        let theirs = stage.app.pay(invoice, 10_000).await;
        let at = format!("/p/northwind/payments/{theirs}");
        visitor.examine_at("result-someone-elses", &at, "Somebody is paying this").await;
        let (app, merchant) = (&stage.app.app, stage.app.merchant);
        cancel_payment(app, merchant, theirs, Ending::PayerCanceled).await.expect("it is given up");
        visitor.examine_at("result-someone-elses-ended", &at, "This payment was not finished").await;

        pay_part(visitor, &path).await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("Payment received").await;
        visitor.examine("result-received").await;
        visitor.press("See the receipt").await;
        visitor.sees("Paid to Northwind").await;
        visitor.examine("receipt").await;

        let (_, path) = open(stage, visitor, "INV-1043").await;
        visitor.go(&format!("{path}/pay")).await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$1,250.00").await;
        visitor.sees("Paid in full").await;
        visitor.examine("result-full").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_was_left_open_ends() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, path) = open(stage, visitor, "INV-1042").await;
        pay_part(visitor, &path).await;
        let card_page = visitor.at().await;
        let link = stage.link(invoice).await;
        let payment = stage.newest_payment(invoice).await;
        // In steps, as time passes: the processor closes its page by itself and we hear of it.
        for _ in 0..5 {
            stage.app.settle_after(SignedDuration::from_mins(10)).await;
        }
        visitor.go(&card_page).await;
        visitor.sees("This page has expired").await;
        visitor.examine("card-page-expired").await;
        visitor.go(&link).await;
        let expired = format!("/p/northwind/payments/{payment}");
        visitor.examine_at("result-expired", &expired, "You ran out of time").await;
        assert_eq!(stage.app.figures(invoice).await, (125_000, 0, 0));
    })
    .await;
}

/// An invoice of 1,250.00 opened by link, every file fetched anew for each page.
async fn open(stage: &Stage, visitor: &Visitor, number: &str) -> (InvoiceId, String) {
    visitor.forgets_files().await;
    let invoice = stage.invoice(number, 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    (invoice, stage.path(invoice))
}

async fn pay_part(visitor: &Visitor, path: &str) {
    visitor.go(&format!("{path}/pay?amount=50000")).await;
    visitor.go_to_card_page().await;
}
