//! What a page does while nobody touches it: it waits for news, warns before the session ends, and can be printed.

use crate::stage::{Paper, Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use billing::ids::PaymentId;
use billing::payment::PaymentState;
use jiff::SignedDuration;
use paydown::actions::reconcile_payment::reconcile_payment;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waiting_page_updates_itself() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let payment = wait_for_the_bank(stage, visitor, "INV-1042").await;
        let h1 = "return document.activeElement.tagName";
        assert_eq!(visitor.ask(h1, vec![]).await, "H1");
        stage.app.advance(SignedDuration::from_mins(3));
        visitor.sees("Still waiting. Do not pay again: INV-1042 shows $500.00 as in progress.").await;
        let at = visitor.at().await;
        the_bank_answers(stage, visitor, payment).await;
        visitor.sees("Payment received").await;
        assert_eq!(visitor.at().await, at, "the same address for ever");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_waiting_page_is_asked_without_javascript() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let payment = wait_for_the_bank(stage, visitor, "INV-1042").await;
        the_bank_answers(stage, visitor, payment).await;
        visitor.press("Check now").await;
        visitor.sees("Payment received").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_says_what_was_paid_meanwhile_and_moves_nothing() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.hurries().await;
        let first = stage.invoice("INV-1042", 125_000).await;
        stage.invoice("INV-1043", 50_000).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "dana@acme.example").await;
        visitor.sees("$1,750.00").await;
        let rows =
            "return [...document.querySelectorAll('.list tbody th')].map(row => row.innerText).join(' ')";
        let before = visitor.ask(rows, vec![]).await;
        stage.app.pay_with_visa(first, 125_000).await;
        let said = "return document.getElementById('say').textContent";
        let heard = async || Ok((visitor.ask(said, vec![]).await == "INV-1042 is now paid").then_some(()));
        visitor.until("hear that it is paid", heard).await;
        let state = "return document.querySelector('.list tbody tr[data-paid] .state').innerText";
        let shown = async || Ok((visitor.ask(state, vec![]).await == "Paid").then_some(()));
        visitor.until("see that it is paid", shown).await;
        visitor.sees_no("$1,750.00").await;
        assert_eq!(visitor.ask(rows, vec![]).await, before, "no row comes, goes or moves");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_one_company_never_shows_what_another_owes() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        const TURN: &str = "const [path, customer, done] = arguments; \
            const page = new DOMParser().parseFromString(await (await fetch(path)).text(), 'text/html'); \
            const fields = { csrf: page.querySelector('main [name=csrf]').value, customer }; \
            done((await fetch(path, { method: 'POST', body: new URLSearchParams(fields) })).ok)";
        const READ: &str =
            "return performance.getEntriesByType('resource').filter(one => one.name.includes('of=')).length";
        visitor.hurries().await;
        stage.invoice("INV-1042", 125_000).await;
        let beta = stage.customer("Beta GmbH", ("Dana Reyes", "dana@acme.example")).await;
        stage.issue(Paper::of(beta, "INV-2001", 30_000)).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "dana@acme.example").await;
        visitor.sees("Which company?").await;
        let acme = format!("document.querySelector('[value={}]').labels[0].click()", stage.app.customer);
        visitor.ask(&acme, vec![]).await;
        visitor.press("Continue").await;
        visitor.sees("$1,250.00").await;
        // As another tab of the same browser does it.
        let turned =
            visitor.ask_later(TURN, vec![json!("/p/northwind/companies"), json!(beta.to_string())]).await;
        assert_eq!(turned, json!(true));
        let reads = async || visitor.ask(READ, vec![]).await.as_i64().unwrap_or(0);
        let before = reads().await;
        // One may have been on its way, so the third is asked after it and answered for the other company.
        let later = async || Ok((reads().await >= before + 3).then_some(()));
        visitor.until("look at the list three times more", later).await;
        visitor.sees("$1,250.00").await;
        visitor.sees_no("$300.00").await;
        visitor.reload().await;
        visitor.sees("$300.00").await;
    })
    .await;
}

/// A payment whose bank takes its time, and its page.
pub async fn wait_for_the_bank(stage: &Stage, visitor: &Visitor, number: &str) -> PaymentId {
    let invoice = stage.invoice(number, 125_000).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.choose("500").await;
    visitor.press("Pay partial amount: $500.00").await;
    visitor.go_to_card_page().await;
    let payment = stage.newest_payment(invoice).await;
    let slow = json!({ "route": "POST /c/pay/{id}", "fault": "slow", "delay_ms": 4_000 });
    stage.app.control("/faults", slow).await;
    stage.app.card_page(payment, json!({ "card": VISA })).await;
    let looked = reconcile_payment(&stage.app.app, stage.app.merchant, payment, "return page").await;
    looked.expect("the processor answers");
    assert_eq!(stage.app.state(payment).await, PaymentState::Processing);
    visitor.go(&format!("/p/northwind/payments/{payment}")).await;
    visitor.sees("We are waiting for an answer. You can close this page; we will e-mail you.").await;
    payment
}

/// The bank says yes and we are told; until then our books wait, however long the bank takes.
pub async fn the_bank_answers(stage: &Stage, visitor: &Visitor, payment: PaymentId) {
    let answered = async || Ok((stage.app.page_status(payment).await == "complete").then_some(()));
    visitor.until("hear from the bank", answered).await;
    stage.app.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_warns_before_the_session_ends() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        stage.invoice("INV-1042", 125_000).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "dana@acme.example").await;
        visitor.sees("You stay signed in for 24 hours.").await;
        visitor.sees_no("You will be signed out in 2 minutes.").await;
        stage.app.advance(SignedDuration::from_hours(24) - SignedDuration::from_secs(121));
        visitor.reload().await;
        visitor.sees("You will be signed out in 2 minutes.").await;
        assert!(!visitor.offers("Stay signed in").await, "a day is a day, however much the page is used");
        visitor.press("Sign in again").await;
        visitor.sees("See your invoices").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_opened_by_link_stays_open_when_asked_to() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.hurries().await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.sees_no("This page closes in 2 minutes.").await;
        stage.app.advance(SignedDuration::from_mins(28));
        visitor.sees("This page closes in 2 minutes.").await;
        visitor.press("Stay signed in").await;
        let gone = async || Ok((!visitor.offers("Stay signed in").await).then_some(()));
        visitor.until("see the warning go", gone).await;
        // Without the press it would have ended two minutes later.
        stage.app.advance(SignedDuration::from_mins(28));
        visitor.reload().await;
        visitor.sees("Amount due $1,250.00").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_its_line_says_so() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.sees_no("You are offline.").await;
        visitor.is_offline(true).await;
        visitor.sees("You are offline. Nothing has been sent.").await;
        visitor.is_offline(false).await;
        let gone = async || Ok((!visitor.text().await.contains("You are offline.")).then_some(()));
        visitor.until("see the banner go", gone).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn paper_shows_no_controls() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.link(invoice).await).await;
        assert!(visitor.offers("Print").await);
        visitor.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" })).await;
        for control in ["Change amount", "Pay $1,250.00", "Print", "Sign in to see all invoices"] {
            assert!(!visitor.offers(control).await, "{control} is printed");
        }
        visitor.sees("Invoice INV-1042").await;
        visitor.sees("Managed workplace, 25 seats $1,250.00").await;
        visitor.keep_picture("invoice-on-paper").await;
    })
    .await;
}
