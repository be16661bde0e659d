//! The invoice page and the amount form, in the states of an invoice.

use crate::stage::{Paper, Stage, play};
use crate::steps::VISA;
use crate::visitor::{Script, Visitor};
use billing::policy::{Partial, PolicyLayer};
use jiff::civil::date;
use ledger::Currency;
use store::policies::Scope;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_that_are_owed() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        enter(stage, visitor).await;
        let untouched = stage.path(stage.invoice("INV-1042", 125_000).await);
        visitor.examine_at("invoice-untouched", &untouched, "Amount due $1,250.00").await;
        visitor.press("Change amount").await;
        visitor.fill("Amount to pay now, in US dollars", "500").await;
        visitor.sees("Left to pay after this: $750.00").await;
        visitor.examine("invoice-amount-open").await;
        visitor
            .examine_at("invoice-amount-chosen", &format!("{untouched}?amount=50000"), "You are paying")
            .await;
        let amount = format!("{untouched}/amount");
        visitor.examine_at("amount", &amount, "How much do you want to pay now?").await;
        visitor.examine_at("amount-over", &format!("{amount}?typed=9999"), "There is a problem").await;
        visitor.examine_at("amount-crumb", &format!("{amount}?typed=1249.60"), "would leave $0.40").await;

        let part = stage.invoice("INV-1041", 125_000).await;
        stage.app.pay_with_visa(part, 50_000).await;
        visitor.examine_at("invoice-partly-paid", &stage.path(part), "Paid so far $500.00").await;

        let mut late = Paper::of(stage.app.customer, "INV-1039", 40_000);
        late.due = date(2026, 10, 30);
        let late = stage.path(stage.issue(late).await);
        visitor.examine_at("invoice-overdue", &late, "Paying any part now is still useful").await;

        let whole = stage.invoice("INV-1038", 60_000).await;
        let never = PolicyLayer { partial: Some(Partial::Never), ..PolicyLayer::default() };
        stage.app.set_policy(Scope::Invoice(whole), never).await;
        let whole = stage.path(whole);
        visitor.examine_at("invoice-in-full-only", &whole, "asks for this invoice to be paid in full").await;
        visitor.examine_at("amount-in-full-only", &format!("{whole}/amount"), "There is a problem").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_on_which_something_goes_on_or_nothing_any_more() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        enter(stage, visitor).await;
        let own = stage.invoice("INV-1042", 125_000).await;
        visitor.go(&stage.path(own)).await;
        visitor.choose("500").await;
        visitor.press("Pay partial amount: $500.00").await;
        visitor.go_to_card_page().await;
        visitor.examine_at("invoice-own-unfinished", &stage.path(own), "You started a card payment").await;

        let other = stage.invoice("INV-1041", 125_000).await;
        stage.app.pay(other, 50_000).await;
        visitor.examine_at("invoice-someone-elses", &stage.path(other), "is being made right now").await;
        let busy = stage.invoice("INV-1040", 125_000).await;
        stage.app.pay(busy, 125_000).await;
        visitor.examine_at("invoice-all-in-flight", &stage.path(busy), "All of this invoice").await;
        let unknown = stage.invoice("INV-1039", 125_000).await;
        stage.unknown_payment(unknown, 50_000).await;
        visitor.examine_at("invoice-checking", &stage.path(unknown), "We are checking a payment").await;

        let paid = stage.invoice("INV-1038", 50_000).await;
        stage.app.pay_with_visa(paid, 50_000).await;
        visitor.examine_at("invoice-paid", &stage.path(paid), "Paid in full on").await;
        let void = stage.invoice("INV-1037", 50_000).await;
        stage.void(void).await;
        visitor.examine_at("invoice-void", &stage.path(void), "Nothing is due").await;
    })
    .await;
}

/// Long names without a place to break, a name from right to left, large amounts, a currency without decimals.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invoices_with_long_words_and_large_amounts() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let long = "Donaudampfschifffahrtsgesellschaftskapitänswitwenverein KG a. A.";
        let customer =
            stage.customer(long, ("مريم عبد الرحمن الأنصاري للتجارة العامة", "m@long.example")).await;
        let paper = |number: &str, total_minor| Paper {
            what_for: "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz, volume 1".to_owned(),
            ..Paper::of(customer, number, total_minor)
        };
        let large = stage.issue(paper("2026/11/NORTHWIND-000000001042-CORRECTED", 1_234_567_890)).await;
        let yen = stage.issue(Paper { currency: Currency::JPY, ..paper("INV-7", 1_250_000) }).await;
        stage.app.pay_with_visa(large, 23_456_789).await;
        visitor.forgets_files().await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.sign_in(stage, "m@long.example").await;
        visitor.sees("Left to pay to Northwind").await;
        visitor.examine("list-long").await;
        let large = stage.path(large);
        visitor.examine_at("invoice-long", &large, "Left to pay $12,111,111.01").await;
        visitor.press("Change amount").await;
        visitor.sees("Between $0.50 and $999,999.99").await;
        visitor.examine("invoice-long-amount-open").await;
        visitor.examine_at("pay-long", &format!("{large}/pay?amount=98765432"), "$987,654.32").await;
        visitor.examine_at("invoice-yen", &stage.path(yen), "Amount due ¥1,250,000").await;
        visitor.press("Pay ¥1,250,000").await;
        visitor.go_to_card_page().await;
        visitor.examine("card-page-yen").await;
        visitor.pay_by(VISA, "¥1,250,000").await;
        visitor.sees("Paid in full").await;
    })
    .await;
}

/// Signs in as Dana and forgets every file, so that each page is weighed whole.
async fn enter(stage: &Stage, visitor: &Visitor) {
    visitor.forgets_files().await;
    visitor.go("/p/northwind/sign-in").await;
    visitor.sign_in(stage, "dana@acme.example").await;
    visitor.sees("All invoices").await;
}
