//! The processor's page and the way back from it: banks that ask, banks that refuse, payers who turn back.

use crate::stage::{Stage, play};
use crate::steps::{CHALLENGED, EMPTY, VISA};
use crate::visitor::{Script, Visitor};

/// From the link to the processor's page for 500.00 of 1,250.00.
async fn at_card_page(stage: &Stage, visitor: &Visitor) -> billing::ids::InvoiceId {
    let invoice = stage.invoice("INV-1042", 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.choose("500").await;
    visitor.press("Pay partial amount: $500.00").await;
    visitor.go_to_card_page().await;
    invoice
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bank_asks_and_the_payer_approves() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.pay_by(CHALLENGED, "$500.00").await;
        visitor.sees("Is it you?").await;
        visitor.fill("Code", "000000").await;
        visitor.press("Approve").await;
        visitor.sees("Type the 6 digits that are shown above").await;
        let code = visitor.ask("return document.querySelector('.digits').textContent", vec![]).await;
        visitor.fill("Code", code.as_str().expect("a code")).await;
        visitor.press("Approve").await;
        visitor.sees("Payment received").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payer_refuses_the_banks_question() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.pay_by(CHALLENGED, "$500.00").await;
        visitor.press("Refuse").await;
        visitor.sees("No money has been taken. Try again, or use another card.").await;
        visitor.press("Cancel and go back").await;
        visitor.sees("Your bank said no").await;
        visitor.sees("No money has been taken. Your bank did not confirm it was you.").await;
        assert_eq!(stage.app.figures(invoice).await, (125_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payer_leaves_the_banks_question_and_comes_back_to_it() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.pay_by(CHALLENGED, "$500.00").await;
        visitor.press("Do nothing").await;
        visitor.sees("You left before your bank finished. No money has been taken.").await;
        visitor.go(&stage.path(invoice)).await;
        visitor.sees("You started a card payment of $500.00").await;
        visitor.press("Continue to the card page").await;
        visitor.press("Continue at your bank").await;
        let code = visitor.ask("return document.querySelector('.digits').textContent", vec![]).await;
        visitor.fill("Code", code.as_str().expect("a code")).await;
        visitor.press("Approve").await;
        visitor.sees("Payment received").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_card_is_followed_by_another() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.pay_by("4111 1111 1111 1111", "$500.00").await;
        visitor.sees("This is a practice page. Use 4242 4242 4242 4242").await;
        visitor.pay_by(EMPTY, "$500.00").await;
        visitor.sees("Your card has insufficient funds. No money has been taken.").await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("$500.00 paid. $750.00 is left on INV-1042").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_card_becomes_a_smaller_payment() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.pay_by(EMPTY, "$500.00").await;
        visitor.press("Cancel and go back").await;
        visitor.sees("Your bank said no").await;
        visitor.sees("No money has been taken. There was not enough money available.").await;
        visitor.press("Pay less").await;
        visitor.fill("Amount to pay now, in US dollars", "200").await;
        visitor.enter().await;
        visitor.press("Pay partial amount: $200.00").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$200.00").await;
        visitor.sees("$200.00 paid. $1,050.00 is left on INV-1042").await;
        assert_eq!(stage.app.figures(invoice).await, (105_000, 0, 20_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_payer_turns_back_and_tries_again() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.press("Cancel and go back").await;
        visitor.sees("You cancelled this payment").await;
        visitor.sees("No money has been taken. INV-1042 still shows $1,250.00 left.").await;
        assert_eq!(stage.app.figures(invoice).await, (125_000, 0, 0));
        visitor.press("Try again").await;
        visitor.sees("Paying now $500.00").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("Payment received").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unfinished_payment_is_cancelled_from_the_invoice() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = at_card_page(stage, visitor).await;
        visitor.go(&stage.path(invoice)).await;
        visitor.sees("You started a card payment of $500.00 at 04:00").await;
        visitor.sees("In progress $500.00").await;
        visitor.sees("Left to pay $750.00").await;
        visitor.press("Cancel it and start again").await;
        visitor.sees("Amount due $1,250.00").await;
        visitor.press("1 try not completed").await;
        visitor.sees("Started 16 Nov, not completed. No money was taken").await;
    })
    .await;
}
