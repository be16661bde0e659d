//! Paying without a mouse: the order of the focus, that it can be seen, and what Enter, Space and Escape do.

use crate::stage::{Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use thirtyfour::Key;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_paid_by_keys_alone() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        assert_eq!(visitor.tab().await, "Skip to the content");
        visitor.enter().await;
        assert_eq!(visitor.tab().await, "Change amount");
        assert_eq!(expanded(visitor).await, "false");
        assert_eq!(visitor.tab().await, "Pay $1,250.00");
        assert_eq!(visitor.tab_back().await, "Change amount");
        visitor.enter().await;
        visitor.is_at("Amount to pay now, in US dollars").await;
        assert_eq!(expanded(visitor).await, "true");
        visitor.keys("500").await;
        // The old figure was selected, so what is typed replaces it.
        assert_eq!(typed(visitor).await, "500");
        for words in ["Half $625.00", "All $1,250.00", "Confirm amount", "Cancel"] {
            assert_eq!(visitor.tab().await, words);
            sees_focus(visitor).await;
        }
        visitor.keys(Key::Escape).await;
        visitor.is_at("Change amount").await;
        visitor.sees("Amount not changed").await;
        visitor.sees("Amount due $1,250.00").await;
        visitor.keys(Key::Space).await;
        visitor.is_at("Amount to pay now, in US dollars").await;
        visitor.keys("500").await;
        visitor.enter().await;
        visitor.is_at("Pay partial amount: $500.00").await;
        visitor.sees("Amount to pay is now $500.00. $750.00 will be left.").await;
        sees_focus(visitor).await;
        visitor.enter().await;
        visitor.is_at("Check and pay").await;
        assert_eq!(visitor.tab().await, "Change the amount");
        assert_eq!(visitor.tab().await, "E-mail for the receipt");
        visitor.keys("payer@acme.example").await;
        assert_eq!(visitor.tab().await, "Your reference, optional (shows on the receipt)");
        assert_eq!(visitor.tab().await, "Continue to the card page");
        visitor.enter().await;
        visitor.sees("Card number").await;
        type_card_by_keys(visitor).await;
        visitor.is_at("Payment received").await;
        assert_eq!(visitor.tab().await, "See the receipt");
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_is_paid_by_keys_alone_without_javascript() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        assert_eq!(visitor.tab().await, "Skip to the content");
        visitor.enter().await;
        assert_eq!(visitor.tab().await, "Change amount");
        visitor.enter().await;
        visitor.is_at("Amount to pay now, in US dollars").await;
        visitor.hold(Key::Control, "a").await;
        visitor.keys("500").await;
        visitor.enter().await;
        visitor.sees("You are paying $500.00").await;
        assert_eq!(visitor.title().await, "Paying $500.00 of $1,250.00 – Invoice INV-1042 – Northwind");
        assert_eq!(visitor.tab().await, "Skip to the content");
        visitor.enter().await;
        assert_eq!(visitor.tab().await, "Change amount");
        assert_eq!(visitor.tab().await, "Pay partial amount: $500.00");
        visitor.enter().await;
        visitor.is_at("Check and pay").await;
        assert_eq!(visitor.tab().await, "Change the amount");
        assert_eq!(visitor.tab().await, "E-mail for the receipt");
        visitor.keys("payer@acme.example").await;
        visitor.enter().await;
        visitor.sees("Card number").await;
        type_card_by_keys(visitor).await;
        visitor.is_at("Payment received").await;
        assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
    })
    .await;
}

async fn type_card_by_keys(visitor: &Visitor) {
    for (label, text) in
        [("Card number", VISA), ("Expiry", "12/34"), ("Security code", "123"), ("Name on card", "Dana Payer")]
    {
        assert_eq!(visitor.tab().await, label);
        sees_focus(visitor).await;
        visitor.keys(text).await;
    }
    assert_eq!(visitor.tab().await, "Pay $500.00");
    sees_focus(visitor).await;
    visitor.enter().await;
}

/// The focus has a ring of 3 px, around the thing itself or the box it is drawn in, and is inside the window.
async fn sees_focus(visitor: &Visitor) {
    let script = "const at = document.activeElement, box = at.getBoundingClientRect(); \
        const ring = [at, at.closest('.field')].some(one => one && getComputedStyle(one).outlineStyle == 'solid' \
            && parseFloat(getComputedStyle(one).outlineWidth) >= 3); \
        return ring && box.top >= 0 && box.bottom <= innerHeight";
    let seen = visitor.ask(script, vec![]).await;
    assert_eq!(seen, true, "the focus at {:?} cannot be seen", visitor.focus().await);
}

async fn expanded(visitor: &Visitor) -> String {
    let script = "return document.activeElement.getAttribute('aria-expanded') \
        ?? document.querySelector('.amount-form') !== null";
    let answer = visitor.ask(script, vec![]).await;
    answer.as_str().map_or_else(|| answer.to_string(), str::to_owned)
}

async fn typed(visitor: &Visitor) -> String {
    let script = "return document.activeElement.value";
    visitor.ask(script, vec![]).await.as_str().unwrap_or_default().to_owned()
}
