//! One browser, several tabs: what a tab shows is what it pays, and together they never pay more than is left.

use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_pay_what_each_shows() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        let path = visitor.path().await;
        visitor.choose("500").await;
        let first = visitor.new_tab().await;
        visitor.go(&path).await;
        visitor.choose("300").await;
        let second = visitor.switch_to(first).await;
        visitor.press("Pay partial amount: $500.00").await;
        visitor.go_to_card_page().await;
        let first = visitor.switch_to(second).await;
        visitor.press("Pay partial amount: $300.00").await;
        visitor.sees("You started a payment of $500.00 on this invoice").await;
        visitor.go_to_card_page().await;
        let second = visitor.switch_to(first).await;
        visitor.pay_by(VISA, "$500.00").await;
        visitor.sees("$500.00 paid.").await;
        visitor.switch_to(second).await;
        visitor.pay_by(VISA, "$300.00").await;
        visitor.sees("$300.00 paid. $450.00 is left on INV-1042").await;
        assert_eq!(stage.app.figures(invoice).await, (45_000, 0, 80_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_tabs_that_ask_for_more_than_is_left_one_pays() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        let path = visitor.path().await;
        visitor.choose("800").await;
        visitor.press("Pay partial amount: $800.00").await;
        let first = visitor.new_tab().await;
        visitor.go(&path).await;
        visitor.choose("700").await;
        visitor.press("Pay partial amount: $700.00").await;
        let second = visitor.switch_to(first).await;
        visitor.go_to_card_page().await;
        let first = visitor.switch_to(second).await;
        visitor.fill("E-mail for the receipt", "payer@acme.example").await;
        visitor.press("Continue to the card page").await;
        visitor.sees("Amount to pay now must be $450.00 or less. $800.00 is already on its way").await;
        visitor.switch_to(first).await;
        visitor.pay_by(VISA, "$800.00").await;
        visitor.sees("$800.00 paid. $450.00 is left on INV-1042").await;
        assert_eq!(stage.app.figures(invoice).await, (45_000, 0, 80_000));
        assert_eq!(stage.app.pages_made(), 1, "the refused amount never reached the processor");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_links_in_two_tabs_both_work() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let (one, other) =
            (stage.invoice("INV-1042", 125_000).await, stage.invoice("INV-1043", 60_000).await);
        visitor.go(&stage.link(one).await).await;
        visitor.sees("Invoice INV-1042").await;
        let first = visitor.new_tab().await;
        visitor.go(&stage.link(other).await).await;
        visitor.sees("Invoice INV-1043").await;
        let second = visitor.switch_to(first).await;
        visitor.reload().await;
        visitor.press("Pay $1,250.00").await;
        visitor.go_to_card_page().await;
        let first = visitor.switch_to(second).await;
        visitor.press("Pay $600.00").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$600.00").await;
        visitor.sees("Nothing is left on INV-1043").await;
        visitor.switch_to(first).await;
        visitor.pay_by(VISA, "$1,250.00").await;
        visitor.sees("Nothing is left on INV-1042").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pressing_twice_going_back_and_sending_again_pay_once() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.choose("500").await;
        visitor.press("Pay partial amount: $500.00").await;
        visitor.fill("E-mail for the receipt", "payer@acme.example").await;
        visitor.press_twice("Continue to the card page").await;
        visitor.sees("Card number").await;
        visitor.back().await;
        visitor.sees("Check and pay").await;
        assert_eq!(stage.app.pages_made(), 1);
        assert_eq!(stage.app.figures(invoice).await, (125_000, 50_000, 0));
    })
    .await;
}
