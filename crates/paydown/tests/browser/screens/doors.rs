//! The ways in, open and shut: signing in, choosing a company, the list, links that lead nowhere, errors, the mailbox.

use crate::stage::{Paper, Stage, play};
use crate::visitor::{Script, Visitor};
use jiff::SignedDuration;
use paydown::actions::create_link::revoke_links;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        let beta = stage.customer("Beta GmbH", ("Dana Reyes", "dana@acme.example")).await;
        stage.issue(Paper::of(beta, "INV-2001", 30_000)).await;
        visitor.examine_at("sign-in", "/p/northwind/sign-in", "See your invoices").await;
        visitor.press("Send me a code").await;
        visitor.sees("Enter your work e-mail").await;
        visitor.examine("sign-in-error").await;
        visitor.fill("Work e-mail", "dana@acme.example").await;
        visitor.press("Send me a code").await;
        visitor.sees("Enter your code").await;
        visitor.examine("code").await;
        let code = stage.code(visitor).await;
        let portal = visitor.new_tab().await;
        visitor.go(&format!("{}/", stage.mailbox)).await;
        visitor.examine("mailbox").await;
        visitor.go(&visitor.first_link("main").await).await;
        visitor.examine("mailbox-letter").await;
        let signed_in = visitor.first_link(".stack section:nth-of-type(2)").await;
        visitor.examine_at("sign-in-link", &signed_in, "One press and you are in").await;
        visitor.switch_to(portal).await;
        let wrong = if code == "123456" { "654321" } else { "123456" };
        for left in ["4 tries left", "3 tries left", "2 tries left", "1 try left", "Too many tries"] {
            visitor.fill("Code from the e-mail, 6 digits", wrong).await;
            visitor.enter().await;
            visitor.sees(left).await;
            if left.starts_with('4') {
                visitor.examine("code-wrong").await;
            }
        }
        visitor.examine("code-too-many").await;
        stage.app.advance(SignedDuration::from_mins(20));
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "dana@acme.example").await;
        visitor.sees("Which company?").await;
        visitor.examine("companies").await;
        visitor.press("Continue").await;
        visitor.sees("Choose a company").await;
        visitor.examine("companies-none-chosen").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "dana@acme.example").await;
        visitor.sees("Nothing here yet.").await;
        visitor.examine("list-empty").await;
        let first = stage.invoice("INV-1030", 40_000).await;
        stage.app.pay_with_visa(first, 40_000).await;
        visitor.examine_at("list-all-settled", "/p/northwind/invoices", "All paid. Your last payment").await;
        for (number, total_minor) in [(1042, 125_000), (1041, 60_000), (1040, 1_299), (1039, 980_050)] {
            stage.invoice(&format!("INV-{number}"), total_minor).await;
        }
        let part = stage.invoice("INV-1038", 90_000).await;
        stage.app.pay_with_visa(part, 30_000).await;
        let paid = stage.invoice("INV-1037", 20_000).await;
        stage.app.pay_with_visa(paid, 20_000).await;
        let busy = stage.invoice("INV-1036", 20_000).await;
        stage.app.pay(busy, 20_000).await;
        visitor.examine_at("list-to-pay", "/p/northwind/invoices", "Left to pay to Northwind").await;
        visitor.examine_at("list-all", "/p/northwind/invoices?tab=all&sort=left", "INV-1037").await;
        visitor.examine_at("list-paid", "/p/northwind/invoices?tab=paid", "INV-1037").await;
        visitor.examine_at("list-in-progress", "/p/northwind/invoices?tab=in-progress", "INV-1036").await;
        visitor.examine_at("list-no-match", "/p/northwind/invoices?q=1042x", "No invoice matches").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_that_lead_nowhere_and_errors() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        let invoice = stage.invoice("INV-1042", 125_000).await;
        let link = stage.link(invoice).await;
        visitor.go(&link).await;
        let path = stage.path(invoice);
        visitor.examine_at("not-found", &format!("{path}/nothing"), "We cannot find that page").await;
        visitor.go(&format!("{path}/pay?amount=50000")).await;
        visitor.ask("document.querySelector('form[action$=\"/pay\"] [name=csrf]').value = 'x'", vec![]).await;
        visitor.fill("E-mail for the receipt", "payer@acme.example").await;
        visitor.press("Continue to the card page").await;
        visitor.sees("This page was open too long Nothing was taken.").await;
        visitor.examine("form-not-ours").await;
        stage.app.advance(SignedDuration::from_mins(31));
        visitor.examine_at("link-session-ended", &path, "Open the link in your e-mail again").await;

        let beta = stage.customer("Beta GmbH", ("Nora", "nora@beta.example")).await;
        stage.issue(Paper::of(beta, "INV-2001", 30_000)).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "nora@beta.example").await;
        visitor.sees("All invoices").await;
        visitor.examine_at("link-other-company", &link, "This invoice is for another company").await;
        let gap = "const [, name] = document.querySelector('.pay').innerText.split('as'); return name";
        assert_eq!(visitor.ask(gap, vec![]).await, " Acme", "a name stands apart from the words before it");
        visitor.press("Open as Acme").await;
        visitor.sees("Invoice INV-1042").await;
        visitor.press("Sign out").await;
        visitor.sees("See your invoices").await;

        let old = stage.invoice("INV-1041", 10_000).await;
        let old_link = stage.link(old).await;
        stage.app.pay_with_visa(old, 10_000).await;
        revoke_links(&stage.app.app, stage.app.merchant, invoice, "cli:test".to_owned())
            .await
            .expect("revoked");
        let gone = stage.invoice("INV-1040", 10_000).await;
        let gone_link = stage.link(gone).await;
        stage.void(gone).await;
        visitor.examine_at("link-void", &gone_link, "Nothing is due").await;
        visitor.examine_at("link-revoked", &link, "has ended this link").await;
        stage.app.settle_after(SignedDuration::from_hours(91 * 24)).await;
        visitor.examine_at("link-expired", &old_link, "This link stopped working").await;
        visitor.press("Send a new link").await;
        visitor.sees("A new link is on its way").await;
        visitor.examine("link-renewed").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_reference_of_the_api() {
    play(Script::On, async |_: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        visitor.go("/v1/docs").await;
        visitor.sees("Any operation may answer").await;
        visitor.examine("reference").await;
    })
    .await;
}
