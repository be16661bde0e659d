//! Signing in with the code from the mail, which company, the list of invoices, and leaving.

use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use jiff::civil::date;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_opens_the_list() {
    play(Script::On, see_the_list).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_opens_the_list_without_javascript() {
    play(Script::Off, see_the_list).await;
}

async fn see_the_list(stage: &Stage, visitor: &Visitor) {
    stage.invoice("INV-1042", 125_000).await;
    let mut late = crate::stage::Paper::of(stage.app.customer, "INV-1039", 40_000);
    late.due = date(2026, 11, 13);
    stage.issue(late).await;
    visitor.go("/p/northwind").await;
    visitor.is_at("Work e-mail").await;
    visitor.keys("dana").await;
    visitor.enter().await;
    visitor.sees("Enter an e-mail address like name@company.com").await;
    visitor.sign_in(stage, "dana@acme.example").await;
    visitor.sees("Left to pay to Northwind").await;
    visitor.sees("$1,650.00").await;
    visitor.sees("$400.00 of it is overdue.").await;
    visitor.sees("Dana, Acme").await;
    visitor.sees("To pay (2)").await;
    assert_eq!(rows(visitor).await, "INV-1039 INV-1042", "the first due comes first");

    visitor.fill("Find by number, order or amount", "1,250.00").await;
    visitor.press("Apply").await;
    visitor.until("see one row", async || Ok((rows(visitor).await == "INV-1042").then_some(()))).await;
    visitor.fill("Find by number, order or amount", "1042x").await;
    visitor.enter().await;
    visitor.sees("No invoice matches ‘1042x’.").await;
    visitor.press("Clear search").await;
    visitor.press("Paid").await;
    visitor.sees("No invoice is paid in full yet.").await;
    visitor.press("To pay (2)").await;
    visitor.press("Pay INV-1042").await;
    visitor.sees("Invoice INV-1042").await;
    visitor.press("Pay $1,250.00").await;
    let receipt_to = visitor.ask("return document.getElementById('receipt_email').value", vec![]).await;
    assert_eq!(receipt_to, "dana@acme.example", "known already, never asked again");
    visitor.press("All invoices").await;
    visitor.press("Sign out").await;
    visitor.sees("See your invoices").await;
    visitor.back().await;
    visitor.reload().await;
    visitor.sees("See your invoices").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_of_two_companies_chooses_one() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        stage.invoice("INV-1042", 125_000).await;
        let beta = stage.customer("Beta GmbH", ("Dana Reyes", "dana@acme.example")).await;
        stage.issue(crate::stage::Paper::of(beta, "INV-2001", 30_000)).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "Dana@Acme.example").await;
        visitor.sees("Which company?").await;
        visitor.sees("1 open invoice, $1,250.00 left").await;
        visitor.press("Continue").await;
        visitor.sees("Choose a company").await;
        visitor.ask("document.querySelectorAll('[name=customer]')[0].labels[0].click()", vec![]).await;
        visitor.press("Continue").await;
        visitor.sees("Left to pay to Northwind").await;
        let before = rows(visitor).await;
        visitor.go("/p/northwind/companies").await;
        visitor.ask("document.querySelectorAll('[name=customer]')[1].labels[0].click()", vec![]).await;
        visitor.press("Continue").await;
        visitor.sees("Left to pay to Northwind").await;
        let mut both = [before, rows(visitor).await];
        both.sort();
        assert_eq!(both, ["INV-1042", "INV-2001"], "each company has its own list");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_code_says_how_many_tries_are_left() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.go("/p/northwind/sign-in").await;
        visitor.fill("Work e-mail", "dana@acme.example").await;
        visitor.press("Send me a code").await;
        visitor.is_at("Code from the e-mail, 6 digits").await;
        let right = stage.code(visitor).await;
        let wrong = if right == "123456" { "654321" } else { "123456" };
        for left in ["4 tries left", "3 tries left", "2 tries left", "1 try left"] {
            visitor.fill("Code from the e-mail, 6 digits", wrong).await;
            visitor.enter().await;
            visitor.sees(&format!("That code is not the one we sent. {left}.")).await;
            assert!(visitor.focus().await.starts_with("There is a problem"), "the summary has the focus");
        }
        visitor.fill("Code from the e-mail, 6 digits", wrong).await;
        visitor.enter().await;
        visitor.sees("Too many tries with this code. Your invoice links still work.").await;
        assert!(visitor.offers("Send another code").await);
    })
    .await;
}

/// The numbers of the list, from the top.
async fn rows(visitor: &Visitor) -> String {
    let script =
        "return [...document.querySelectorAll('.list tbody th')].map(row => row.innerText).join(' ')";
    visitor.ask(script, vec![]).await.as_str().unwrap_or_default().to_owned()
}
