//! What a bank answers to a debit, in the payer's words: each code before the money came, and after it. The invoice is owed
//! again, and the page says what to do.

use crate::acts::with_and_without_javascript;
use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};

/// Codes of the banks in the United States, with what the payer reads.
const WORDS: [(&str, &str); 10] = [
    ("01", "The bank said: there was not enough money in the account."),
    ("02", "The bank said: the account is closed. Use another account."),
    ("03", "The bank found no such account. Check the number, or use another account."),
    ("04", "The bank found no such account. Check the number, or use another account."),
    ("07", "The bank said: this debit was not allowed. Agree again before the next one, or use another way."),
    ("08", "The payment was stopped at the bank."),
    ("10", "The bank said: this debit was not allowed. Agree again before the next one, or use another way."),
    ("16", "The bank said: the account cannot be used at the moment. Ask the bank, or use another account."),
    ("20", "This account takes no debits. Use another account."),
    ("29", "The bank said: this debit was not allowed. Agree again before the next one, or use another way."),
];

/// What comes back after the money came is told by the processor in fewer words: one code for each of them.
const WORDS_AFTER: [(&str, &str); 4] = [
    ("01", "The bank said: there was not enough money in the account."),
    ("02", "The bank could not carry it. You can try again."),
    ("03", "The bank found no such account. Check the number, or use another account."),
    ("10", "The bank said: this debit was not allowed. Agree again before the next one, or use another way."),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_code_of_a_bank_that_did_not_pay() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        stage.app.offer_debits().await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        let mut debits = Vec::new();
        for (code, words) in WORDS {
            debits.push((stage.dana_debits(invoice, 1_000, &format!("91{code}0002")).await, words));
        }
        assert_eq!(stage.app.figures(invoice).await, (100_000, 10_000, 0), "all of them are on their way");
        stage.app.days(4).await;
        stage.signs_in(visitor).await;
        for (payment, words) in debits {
            visitor.go(&format!("/p/northwind/payments/{payment}")).await;
            visitor.sees("Your bank did not pay").await;
            visitor.sees(&format!("No money has been taken. {words}")).await;
            visitor.sees("INV-1042 still shows $1,000.00 left.").await;
            assert!(visitor.offers("Use another way").await && visitor.offers("Try again").await, "{words}");
            visitor.sees_no("paid.").await;
        }
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_code_of_a_bank_that_took_the_money_back() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        stage.app.offer_debits().await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        let mut debits = Vec::new();
        for (code, words) in WORDS_AFTER {
            debits.push((stage.dana_debits(invoice, 1_000, &format!("92{code}0003")).await, words));
        }
        stage.app.days(14).await;
        stage.signs_in(visitor).await;
        for (payment, words) in debits {
            visitor.go(&format!("/p/northwind/payments/{payment}")).await;
            visitor.sees("Your bank took it back").await;
            visitor
                .sees(&format!("$10.00 was paid and taken back. $1,000.00 is left on INV-1042. {words}"))
                .await;
            visitor.press("See the receipt").await;
            visitor.sees("The bank took this back on").await;
        }
        assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    })
    .await;
}

/// A debit that failed is tried again from its result, from an account with money in it.
async fn tries_again(stage: &Stage, visitor: &Visitor) {
    stage.app.offer_debits().await;
    let invoice = stage.invoice("INV-1042", 100_000).await;
    let failed = stage.dana_debits(invoice, 40_000, "91010002").await;
    stage.app.days(4).await;
    stage.signs_in(visitor).await;
    visitor.go(&format!("/p/northwind/payments/{failed}")).await;
    visitor.sees("Your bank did not pay").await;
    visitor.press("Try again").await;
    visitor.sees("Paying now $400.00").await;
    visitor.debit(GOOD, "$400.00").await;
    visitor.sees("Payment started").await;
    visitor.press("Back to invoice").await;
    visitor.sees("is still clearing").await;
    visitor.sees("Left to pay $600.00").await;
    visitor.sees_no("Paid so far $400.00").await;
    stage.app.days(7).await;
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("Paid so far $400.00").await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
}

with_and_without_javascript!(
    a_debit_that_failed_is_tried_again,
    a_debit_that_failed_is_tried_again_without_javascript,
    tries_again
);

/// A paid debit is taken back: the invoice is owed again, and who pays it sees why.
async fn sees_it_taken_back(stage: &Stage, visitor: &Visitor) {
    stage.app.offer_debits().await;
    let invoice = stage.invoice("INV-1042", 40_000).await;
    let debit = stage.dana_debits(invoice, 40_000, "92010010").await;
    stage.app.days(7).await;
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("Paid in full on").await;
    stage.app.days(14).await;
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("$400.00 that was paid here was taken back by the bank, so it is owed again.").await;
    visitor.sees("The bank said: there was not enough money in the account.").await;
    visitor.sees("taken back by the bank").await;
    // It was due on 30 November, and is overdue by that date.
    visitor.sees("Overdue by").await;
    visitor.sees_no("Paid in full").await;
    visitor.go(&format!("/p/northwind/payments/{debit}")).await;
    visitor.sees("Your bank took it back").await;
    visitor.press("Pay the rest now").await;
    visitor.press("Pay $400.00").await;
    visitor.sees("Paying now $400.00").await;
    visitor.go_to_card_page_by("Card").await;
    visitor.pay_by(crate::steps::VISA, "$400.00").await;
    visitor.sees("Paid in full").await;
    assert_eq!(stage.app.figures(invoice).await, (0, 0, 40_000));
}

with_and_without_javascript!(
    a_debit_that_came_back_is_paid_by_card,
    a_debit_that_came_back_is_paid_by_card_without_javascript,
    sees_it_taken_back
);
