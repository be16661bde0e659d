//! The main job, as most payers do it: the link in the mail, a part, the card, the receipt; again until nothing is left.

use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use jiff::SignedDuration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_and_then_the_rest() {
    play(Script::On, pay_in_two).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_and_then_the_rest_without_javascript() {
    play(Script::Off, pay_in_two).await;
}

async fn pay_in_two(stage: &Stage, visitor: &Visitor) {
    let invoice = stage.invoice("INV-1042", 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.sees("Invoice INV-1042").await;
    visitor.sees("Amount due $1,250.00").await;
    // Nothing is in the browser's cache yet.
    visitor.weigh().await.prove_light("the invoice page");

    let before = visitor.clicks();
    visitor.choose("500").await;
    visitor.sees("You are paying $500.00").await;
    visitor.sees("Left after this $750.00").await;
    visitor.press("Pay partial amount: $500.00").await;
    visitor.sees("Check and pay").await;
    visitor.go_to_card_page().await;
    assert!(visitor.clicks() - before <= 4, "{} clicks to the processor's page", visitor.clicks() - before);

    visitor.pay_by(VISA, "$500.00").await;
    visitor.sees("Payment received").await;
    visitor.sees("$500.00 paid. $750.00 is left on INV-1042").await;
    visitor.press("See the receipt").await;
    visitor.sees("Paid to Northwind").await;
    visitor.sees("$1,250.00 open before, $750.00 after").await;
    visitor.press("Back to invoice").await;
    visitor.sees("Partly paid").await;
    visitor.sees("Paid so far $500.00").await;
    visitor.sees("Left to pay $750.00").await;
    visitor.sees("Visa ending 4242 Received 16 Nov").await;
    assert_eq!(bar(visitor).await, "paid left", "the bar shows what is paid and what is left");

    stage.app.advance(SignedDuration::from_mins(5));
    visitor.press("Pay $750.00").await;
    visitor.sees("You paid $500.00 on this invoice 5 minutes ago").await;
    visitor.go_to_card_page().await;
    visitor.pay_by(VISA, "$750.00").await;
    visitor.sees("Paid in full").await;
    visitor.sees("Nothing is left on INV-1042").await;
    visitor.press("Back to invoice").await;
    visitor.sees("Paid in full on 16 Nov").await;
    visitor.sees("$0.00 left after it Receipt $750.00 $750.00 Visa ending 4242 Received 16 Nov $750.00 left after it").await;
    assert!(!visitor.offers("Change amount").await, "nothing is left to choose");
    assert_eq!(bar(visitor).await, "paid");
    assert_eq!(stage.app.figures(invoice).await, (0, 0, 125_000));
}

/// The segments of the bar that can be seen, from the left.
async fn bar(visitor: &Visitor) -> String {
    let script = "return [...document.querySelectorAll('.bar rect')] \
        .filter(part => part.getBoundingClientRect().width > 0).map(part => part.getAttribute('class')).join(' ')";
    visitor.ask(script, vec![]).await.as_str().unwrap_or_default().to_owned()
}
