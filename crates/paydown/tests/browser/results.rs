//! The results of payments by card, a row of the table after another: why the bank said no, what can be done then, a page that
//! ran out of time, an answer that is not known, and what is pressed twice.

use crate::acts::with_and_without_javascript;
use crate::builders::VISA;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::ids::{InvoiceId, PaymentId};
use billing::payment::Method;
use jiff::SignedDuration;
use serde_json::json;

/// Each card that is declined, with what its payer is told.
const REASONS: [(&str, &str); 8] = [
    ("4000000000009995", "There was not enough money available."),
    ("4000000000000069", "The card has expired."),
    ("4000000000000127", "The security code did not match."),
    ("4000000000006975", "It is over the limit on this card. Pay part of it?"),
    ("4000000000000119", "The card network had a problem."),
    ("4000000000000002", "Your bank did not say why. Call the number on your card."),
    // Lost and stolen: whoever holds the card learns nothing.
    ("4000000000009987", "Your bank did not say why. Call the number on your card."),
    ("4000000000009979", "Your bank did not say why. Call the number on your card."),
];

/// From the link to the open card page for 500.00 of 1,250.00.
async fn opens_card_page(stage: &Stage, visitor: &Visitor, number: &str) -> (InvoiceId, PaymentId) {
    let invoice = stage.invoice(number, 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.go(&format!("{}/pay?amount=50000", stage.path(invoice))).await;
    visitor.go_to_card_page().await;
    (invoice, stage.newest_payment(invoice).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_reason_of_a_card_in_words() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        for (n, (card, words)) in REASONS.iter().enumerate() {
            let (invoice, payment) = opens_card_page(stage, visitor, &format!("INV-{n}")).await;
            stage.app.card(payment, card).await;
            stage.app.settle().await;
            visitor.go(&format!("/p/northwind/payments/{payment}")).await;
            visitor.sees("Your bank said no").await;
            visitor.sees(&format!("No money has been taken. {words}")).await;
            visitor.sees("You can try again, use another way, or pay less.").await;
            for way in ["Try again", "Use another way", "Pay less"] {
                assert!(visitor.offers(way).await, "{card}: {way}");
            }
            assert_eq!(stage.app.figures(invoice).await, (125_000, 50_000, 0), "{card}: the page is open");
        }
    })
    .await;
}

/// The three ways on after a decline, the amount kept: again on the same page, another way, and less.
async fn goes_on_after_a_decline(stage: &Stage, visitor: &Visitor) {
    let (invoice, payment) = opens_card_page(stage, visitor, "INV-1042").await;
    let result = format!("/p/northwind/payments/{payment}");
    stage.app.card(payment, "4000000000006975").await;
    stage.app.settle().await;
    visitor.go(&result).await;
    visitor.press("Try again").await;
    visitor.sees("Card number").await;
    visitor.sees("$500.00").await;
    visitor.go(&result).await;
    visitor.press("Use another way").await;
    visitor.sees("Amount due $1,250.00").await;
    assert_eq!(stage.app.figures(invoice).await, (125_000, 0, 0), "the first page has ended");
    visitor.go(&result).await;
    visitor.sees("Your bank said no").await;
    visitor.press("Try again").await;
    visitor.sees("Paying now $500.00").await;
    visitor.go(&result).await;
    visitor.press("Pay less").await;
    visitor.sees("How much do you want to pay now?").await;
    let typed = "return document.getElementById('amount').value";
    assert_eq!(visitor.ask(typed, vec![]).await, "500.00", "the amount is kept");
    visitor.fill("Amount to pay now, in US dollars", "200").await;
    visitor.press("Confirm amount").await;
    visitor.press("Pay partial amount: $200.00").await;
    visitor.sees("Paying now $200.00").await;
}

with_and_without_javascript!(
    a_decline_is_gone_on_from,
    a_decline_is_gone_on_from_without_javascript,
    goes_on_after_a_decline
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_card_page_runs_out_of_time() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let (invoice, payment) = opens_card_page(stage, visitor, "INV-1042").await;
        let link = stage.link(invoice).await;
        // In steps, as time passes: the processor closes its page by itself and we hear of it.
        for _ in 0..5 {
            stage.app.settle_after(SignedDuration::from_mins(10)).await;
        }
        visitor.go(&link).await;
        visitor.go(&format!("/p/northwind/payments/{payment}")).await;
        visitor.sees("You ran out of time").await;
        visitor.sees("No money has been taken. INV-1042 still shows $1,250.00 left.").await;
        visitor.press("Try again").await;
        visitor.sees("Paying now $500.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_not_known_is_not_to_be_paid_again() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        stage.saves(Method::Card, json!({ "card": VISA })).await;
        let invoice = stage.invoice("INV-1042", 125_000).await;
        stage.signs_in(visitor).await;
        visitor.go(&format!("{}/pay?amount=50000", stage.path(invoice))).await;
        let broken = json!({ "route": "POST /v1/payment_intents", "fault": "status_500_after", "times": 9 });
        stage.app.control("/faults", broken).await;
        visitor.press("Pay $500.00").await;
        visitor.sees("We do not know yet").await;
        visitor.sees("Do not pay it again.").await;
        visitor.sees("INV-1042 shows $500.00 as in progress.").await;
        for refused in ["Try again", "Pay less", "Use another way"] {
            assert!(!visitor.offers(refused).await, "{refused}");
        }
        visitor.press("Back to invoice").await;
        visitor.sees("We are checking a payment of $500.00. Do not pay it again.").await;
        visitor.sees("Left to pay $750.00").await;
        // What was charged is found, once.
        stage.app.disarm_faults().await;
        stage.app.settle_after(SignedDuration::from_mins(5)).await;
        visitor.reload().await;
        visitor.sees("Paid so far $500.00").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pressing_pay_twice_takes_it_once_and_says_so() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        stage.saves(Method::Card, json!({ "card": VISA })).await;
        let invoice = stage.invoice("INV-1042", 125_000).await;
        stage.signs_in(visitor).await;
        let pay = format!("{}/pay?amount=50000", stage.path(invoice));
        visitor.go(&pay).await;
        let intent = "return document.querySelector('[name=intent]').value";
        let sent = visitor.ask(intent, vec![]).await;
        visitor.press_twice("Pay $500.00").await;
        visitor.sees("Payment received").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
        // A browser that sends the same drawn form once more, as after going back or on a line that broke.
        visitor.go(&pay).await;
        visitor.ask("document.querySelector('[name=intent]').value = arguments[0]", vec![sent]).await;
        visitor.press("Pay $500.00").await;
        visitor.sees("Payment received").await;
        visitor.sees("You pressed Pay twice. We only took it once.").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_breaks_while_it_waits_is_no_failure() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let payment = crate::waiting::wait_for_the_bank(stage, visitor, "INV-1042").await;
        visitor.is_offline(true).await;
        visitor.sees("You are offline").await;
        const ASKED: &str = "return performance.getEntriesByType('resource').filter(one => one.name.endsWith('/state')).length";
        let asked = async || visitor.ask(ASKED, vec![]).await.as_i64().unwrap_or(0);
        let before = asked().await;
        let again = async || Ok((asked().await > before).then_some(()));
        visitor.until("ask in vain", again).await;
        visitor.sees("We are waiting for an answer.").await;
        for word in ["failed", "No money", "said no", "went wrong"] {
            visitor.sees_no(word).await;
        }
        visitor.is_offline(false).await;
        crate::waiting::the_bank_answers(stage, visitor, payment).await;
        visitor.sees("Payment received").await;
    })
    .await;
}
