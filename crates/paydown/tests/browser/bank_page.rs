//! The bank page: each field's check in words, whose account and of what kind, the agreement before and after, and turning back.

use crate::acts::with_and_without_javascript;
use crate::debits::GOOD;
use crate::stage::{Paper, Stage, play};
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;
use ledger::Currency;

/// From the link to the bank page for 400.00 of 1,000.00 in this currency.
async fn goes_to_bank_page(stage: &Stage, visitor: &Visitor, currency: Currency, way: &str) -> InvoiceId {
    stage.app.offer_debits().await;
    let paper = Paper { currency, ..Paper::of(stage.app.customer, "INV-1042", 100_000) };
    let invoice = stage.issue(paper).await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.go(&format!("{}/pay?amount=40000", stage.path(invoice))).await;
    visitor.tick(way).await;
    visitor.sees("Your agreement").await;
    visitor.fill("E-mail for the receipt", "payer@acme.example").await;
    visitor.press("Continue").await;
    visitor.sees("Name on account").await;
    invoice
}

async fn mistakes_in_america(stage: &Stage, visitor: &Visitor) {
    let invoice = goes_to_bank_page(stage, visitor, Currency::USD, "Bank account in the US").await;
    visitor.press("Agree and pay $400.00").await;
    for words in ["Enter the name on the account", "Tick the box to agree, or go back and pay another way"] {
        visitor.sees(words).await;
    }
    for (routing, account, words) in [
        ("11000000", GOOD, "Routing number must be 9 digits"),
        ("110000001", GOOD, "That routing number does not exist. Check the bottom left of a cheque"),
        ("110000000", "123", "Account number must be 4 to 17 digits"),
        ("110000000", "000123456788", "This is a practice page. Use account number 000123456789"),
    ] {
        visitor.fill("Name on account", "Acme Inc.").await;
        visitor.fill("Routing number", routing).await;
        visitor.fill("Account number", account).await;
        visitor.agree().await;
        visitor.press("Agree and pay $400.00").await;
        visitor.sees(&format!("There is a problem {words}")).await;
    }
    // Digits may be grouped; whose account it is and of what kind is kept through mistakes.
    visitor.fill("Name on account", "Dana Payer").await;
    visitor.fill("Routing number", "110 000 000").await;
    visitor.fill("Account number", "0001 2345 6789").await;
    visitor.tick("Savings").await;
    visitor.tick("Personal").await;
    visitor.press("Agree and pay $400.00").await;
    visitor.sees("There is a problem Tick the box to agree").await;
    let kinds = "return [...document.querySelectorAll(':checked')].map(one => one.value).join(' ')";
    assert_eq!(visitor.ask(kinds, vec![]).await, "savings individual");
    visitor.agree().await;
    visitor.press("Agree and pay $400.00").await;
    visitor.sees("Payment started").await;
    visitor.sees("What you agreed to You allow Northwind to take $400.00 from the bank account").await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 40_000, 0));
    stage.app.days(7).await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
}

with_and_without_javascript!(
    each_mistake_with_an_american_account_is_named,
    each_mistake_with_an_american_account_is_named_without_javascript,
    mistakes_in_america
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mistake_with_a_european_account_is_named() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let way = "Bank account in Europe (SEPA)";
        let invoice = goes_to_bank_page(stage, visitor, Currency::EUR, way).await;
        for (iban, words) in [
            ("AT61", "An IBAN has 15 to 34 letters and digits, as in AT61 1904 3002 3457 3201"),
            (
                "AT61 1904 3002 3457 3210",
                "Check digits do not match: look for a swapped or missing character",
            ),
            ("GB29 NWBK 6016 1331 9268 19", "This is a practice page. Use AT61 1904 3002 3457 3201"),
        ] {
            visitor.fill("Name on account", "Acme Inc.").await;
            visitor.fill("IBAN", iban).await;
            visitor.agree().await;
            visitor.press("Agree and pay €400.00").await;
            visitor.sees(&format!("There is a problem {words}")).await;
        }
        visitor.fill("Name on account", "Acme Inc.").await;
        visitor.fill("IBAN", "at61 1904 3002 3457 3201").await;
        visitor.agree().await;
        visitor.press("Agree and pay €400.00").await;
        visitor.sees("Payment started").await;
        visitor.sees("from the account ending 3201").await;
        visitor.sees("you are entitled to a refund from your bank").await;
        stage.app.days(9).await;
        assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_taken_from_who_turns_back() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = goes_to_bank_page(stage, visitor, Currency::USD, "Bank account in the US").await;
        visitor.go(&stage.path(invoice)).await;
        visitor.sees("You started a payment of $400.00 from a bank account on 16 Nov").await;
        visitor.sees("and have not finished it. No money has been taken.").await;
        visitor.press("See that payment").await;
        visitor.sees("Your payment of $400.00 from a bank account is not finished.").await;
        visitor.press("Continue to the bank page").await;
        visitor.press("Cancel and go back").await;
        visitor.sees("You cancelled this payment").await;
        visitor.sees("No money has been taken. INV-1042 still shows $1,000.00 left.").await;
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}
