//! Choosing an amount: what is typed is what is paid, the line under the field, and what happens to a figure that cannot
//! be paid.

use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use serde_json::json;

const FIELD: &str = "Amount to pay now, in US dollars";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enter_confirms_what_was_typed() {
    play(Script::On, type_and_press_enter).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn enter_confirms_what_was_typed_without_javascript() {
    play(Script::Off, type_and_press_enter).await;
}

async fn type_and_press_enter(stage: &Stage, visitor: &Visitor) {
    let invoice = stage.invoice("INV-1042", 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.press("Change amount").await;
    visitor.fill(FIELD, "120.00").await;
    visitor.enter().await;
    visitor.sees("You are paying $120.00").await;
    visitor.sees("Left after this $1,130.00").await;
    assert!(visitor.offers("Pay partial amount: $120.00").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amount_that_cannot_be_paid_is_explained_and_kept() {
    play(Script::On, type_too_much).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_amount_that_cannot_be_paid_is_explained_and_kept_without_javascript() {
    play(Script::Off, type_too_much).await;
}

async fn type_too_much(stage: &Stage, visitor: &Visitor) {
    let invoice = stage.invoice("INV-1042", 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.press("Change amount").await;
    visitor.fill(FIELD, "1,250.01").await;
    visitor.enter().await;
    let why = "Amount to pay now must be $1,250.00 or less, which is all that is left";
    visitor.is_at(&format!("There is a problem {why}")).await;
    assert!(visitor.title().await.starts_with("Error: "), "{}", visitor.title().await);
    assert_eq!(visitor.tab().await, why, "the summary leads to the field");
    visitor.enter().await;
    visitor.is_at(FIELD).await;
    let field = "const at = document.getElementById('amount'); \
        return [at.value, at.getAttribute('aria-invalid'), at.getAttribute('aria-describedby')]";
    assert_eq!(visitor.ask(field, vec![]).await, json!(["1,250.01", "true", "hint why"]));
    visitor.fill(FIELD, "120").await;
    visitor.press("Confirm amount").await;
    visitor.sees("You are paying $120.00").await;
    assert!(!visitor.title().await.starts_with("Error"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_is_told_while_typing() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.press("Change amount").await;
        visitor.fill(FIELD, "500").await;
        visitor.sees("Left to pay after this: $750.00, due 30 Nov.").await;
        visitor.fill(FIELD, "1,250").await;
        visitor.sees("This pays all that is left.").await;
        visitor.fill(FIELD, "1,234.567").await;
        let silent = "return document.querySelector('.live').textContent === '' || null";
        visitor
            .until("hear nothing about an unclear figure", async || {
                Ok(visitor.ask(silent, vec![]).await.as_bool())
            })
            .await;
        visitor.press("Half $625.00").await;
        visitor.sees("You are paying $625.00").await;
        visitor.press("Pay the full $1,250.00 instead").await;
        visitor.sees("Amount due $1,250.00").await;
        assert!(visitor.offers("Pay $1,250.00").await);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn composing_text_is_not_confirming_it() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.press("Change amount").await;
        visitor.is_at(FIELD).await;
        compose(visitor, "５００").await;
        // While an input method composes, its keys are its own.
        for key in ["Enter", "Escape"] {
            composing_key(visitor, key).await;
            visitor.is_at(FIELD).await;
        }
        let composed = visitor.ask("return document.activeElement.value", vec![]).await;
        assert_eq!(composed, "５００", "neither key took the field away");
        visitor.devtools("Input.insertText", json!({ "text": "５００" })).await;
        visitor.enter().await;
        visitor.sees("You are paying $500.00").await;
    })
    .await;
}

async fn compose(visitor: &Visitor, text: &str) {
    let end = text.chars().count();
    let wish = json!({ "text": text, "selectionStart": end, "selectionEnd": end });
    visitor.devtools("Input.imeSetComposition", wish).await;
}

/// A key as a browser reports it while an input method has it: with the code of "being processed".
async fn composing_key(visitor: &Visitor, key: &str) {
    let event = |kind: &str| json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": 229 });
    visitor.devtools("Input.dispatchKeyEvent", event("rawKeyDown")).await;
    visitor.devtools("Input.dispatchKeyEvent", event("keyUp")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pasted_figure_is_read() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 200_000).await;
        visitor.go(&format!("{}/pay", path_of(stage, visitor, invoice).await)).await;
        // From a field of the same page into the clipboard, as out of a spreadsheet.
        visitor.fill("Your reference, optional (shows on the receipt)", " $1,234.56 ").await;
        visitor.edit('a', "selectAll").await;
        visitor.edit('c', "copy").await;
        visitor.press("Back to invoice").await;
        visitor.press("Change amount").await;
        visitor.is_at(FIELD).await;
        visitor.edit('v', "paste").await;
        visitor.sees("Left to pay after this: $765.44, due 30 Nov.").await;
        visitor.enter().await;
        visitor.sees("You are paying $1,234.56").await;
    })
    .await;
}

async fn path_of(stage: &Stage, visitor: &Visitor, invoice: billing::ids::InvoiceId) -> String {
    visitor.go(&stage.link(invoice).await).await;
    visitor.path().await
}
