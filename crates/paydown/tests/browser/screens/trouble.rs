//! The screens of bad days: too many tries, somebody else was faster, the processor is silent, we are broken. Each is
//! brought about as it comes about in life; nothing here draws a page by itself.

use crate::builders::{DECLINED, VISA};
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use crate::waiting::{the_bank_answers, wait_for_the_bank};
use billing::ids::InvoiceId;
use billing::policy::{Identify, PolicyLayer};
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::{Currency, Money};
use paydown::app::App;
use paydown::secrets::SecretKey;
use serde_json::json;
use std::sync::Arc;
use store::policies::Scope;

/// What a merchant passes on of a card's cost: so many millionths.
const fn share(rate_millionths: i64) -> Surcharge {
    Surcharge { rate_millionths, fixed_minor: 0, cap_minor: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_that_is_tried_too_often() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, path) = open(stage, visitor).await;
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        visitor.go_to_card_page().await;
        let payment = stage.newest_payment(invoice).await;
        for _ in 0..10 {
            stage.app.card(payment, DECLINED).await;
            stage.app.settle().await;
        }
        let result = format!("/p/northwind/payments/{payment}");
        visitor.examine_at("result-refused", &result, "We could not take this payment").await;
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        goes_on(visitor).await;
        visitor.sees("Too many tries in a short time Nothing was taken. Try again").await;
        visitor.examine("too-many").await;
        assert_eq!(stage.app.figures(invoice).await, (125_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payments_are_paused_or_nothing_can_be_written() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.expects_failure(503);
        let (invoice, path) = open(stage, visitor).await;
        stage.app.pay_with_visa(invoice, 50_000).await;
        for number in 0..20 {
            let other = stage.invoice(&format!("INV-{number}"), 10_000).await;
            let payment = stage.app.pay(other, 10_000).await;
            stage.app.card(payment, if number < 12 { DECLINED } else { VISA }).await;
            stage.app.settle().await;
        }
        visitor.go(&format!("{path}/pay?amount=30000")).await;
        goes_on(visitor).await;
        visitor.sees("Payments are back at about").await;
        visitor.examine("paused").await;

        visitor.go(&format!("{path}/pay?amount=30000")).await;
        stage.app.app.store.stop_writing("the disk is full");
        goes_on(visitor).await;
        visitor.sees("Payments are not available right now Nothing was taken.").await;
        visitor.examine("nothing-can-be-written").await;
        visitor.examine_at("invoice-read-only", &path, "No payment can be made right now.").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_mistake() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (_, path) = open(stage, visitor).await;
        // A program that was started with another key cannot open what is sealed with ours.
        let secrets = Arc::new(SecretKey::from_bytes([8; 32]));
        stage.answers(App { secrets, processors: Arc::default(), ..stage.app.app.clone() });
        visitor.expects_failure(500);
        visitor.examine_at("our-mistake", &path, "Something went wrong at our end").await;
        stage.answers(stage.app.app.clone());
        visitor.press("Check the invoice").await;
        visitor.sees("Amount due $1,250.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_processor_is_silent_or_slow() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (_, path) = open(stage, visitor).await;
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        let broken =
            json!({ "route": "POST /v1/checkout/sessions", "fault": "status_500_before", "times": 3 });
        stage.app.control("/faults", broken).await;
        goes_on(visitor).await;
        visitor.sees("The card page did not open").await;
        visitor.examine("result-not-opened").await;
        visitor.examine_at("invoice-not-opened", &path, "Left to pay $750.00").await;
        visitor.press("Cancel it and start again").await;
        visitor.sees("is free again as soon as the card page is closed").await;
        visitor.examine("result-giving-up").await;

        let payment = wait_for_the_bank(stage, visitor, "INV-1043").await;
        visitor.examine("result-waiting").await;
        stage.app.advance(SignedDuration::from_mins(3));
        visitor.sees("Still waiting. Do not pay again: INV-1043 shows $500.00 as in progress.").await;
        visitor.examine("result-waiting-long").await;
        the_bank_answers(stage, visitor, payment).await;
        visitor.sees("Payment received").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_merchant_wants_to_know_who_pays() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let above = Identify::Above(Money::new(100_000, Currency::USD));
        let layer = PolicyLayer { identify: Some(above), ..PolicyLayer::default() };
        stage.app.set_policy(Scope::Customer(stage.app.customer), layer).await;
        let (_, path) = open(stage, visitor).await;
        let asked = "To pay $1,250.00 we first send a code to d…@acme.example.";
        visitor.examine_at("identify", &format!("{path}/pay"), asked).await;
        visitor.press("Send me a code").await;
        visitor.sees("Enter your code").await;
        visitor.examine("identify-code").await;
        let code = stage.code(visitor).await;
        visitor
            .fill("Code from the e-mail, 6 digits", if code == "123456" { "654321" } else { "123456" })
            .await;
        visitor.enter().await;
        visitor.sees("That code is not the one we sent. 4 tries left.").await;
        visitor.examine("identify-code-wrong").await;
        visitor.fill("Code from the e-mail, 6 digits", &code).await;
        visitor.press("Continue").await;
        visitor.sees("Paying now $1,250.00").await;
        assert!(visitor.offers("Sign out").await, "the code signed Dana in");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn something_changed_meanwhile() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, path) = open(stage, visitor).await;
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        stage.app.set_surcharge(Currency::USD, share(29_000)).await;
        goes_on(visitor).await;
        visitor.sees("The fee is now").await;
        visitor.examine("pay-fee-changed").await;
        stage.app.set_surcharge(Currency::USD, share(0)).await;

        let intent = "return document.querySelector('[name=intent]').value";
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        let sent = visitor.ask(intent, vec![]).await;
        visitor.go_to_card_page().await;
        // What a browser sends that kept the form of another amount.
        visitor.go(&format!("{path}/pay?amount=30000")).await;
        visitor.ask("document.querySelector('[name=intent]').value = arguments[0]", vec![sent]).await;
        goes_on(visitor).await;
        visitor.sees("You already started a payment of $500.00").await;
        visitor.examine("pay-other-amount").await;
        visitor.press("Cancel it and start again").await;
        visitor.sees("Amount due $1,250.00").await;

        visitor.go(&format!("{path}/pay")).await;
        stage.app.pay_with_visa(invoice, 30_000).await;
        goes_on(visitor).await;
        visitor.sees("$300.00 was paid on this invoice a moment ago, so $950.00 is left.").await;
        visitor.examine("amount-changed").await;
        visitor.go(&format!("{path}/pay")).await;
        stage.app.pay_with_visa(invoice, 95_000).await;
        goes_on(visitor).await;
        visitor.sees("INV-1042 was paid in full a moment ago.").await;
        visitor.examine("amount-paid-meanwhile").await;
    })
    .await;
}

/// An invoice of 1,250.00 opened by link, every file fetched anew for each page.
async fn open(stage: &Stage, visitor: &Visitor) -> (InvoiceId, String) {
    visitor.forgets_files().await;
    let invoice = stage.invoice("INV-1042", 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    (invoice, stage.path(invoice))
}

/// Presses on from "Check and pay", to wherever that leads.
async fn goes_on(visitor: &Visitor) {
    visitor.fill("E-mail for the receipt", "payer@acme.example").await;
    visitor.press("Continue to the card page").await;
}
