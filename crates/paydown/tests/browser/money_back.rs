//! What a payer sees of money that goes back or is not asked for any more: refunds, disputes, credit notes, credit that is used,
//! and a fee on top.

use crate::acts::with_and_without_javascript;
use crate::builders::VISA;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::payment::Method;
use billing::refund::RefundMeaning;
use billing::surcharge::Surcharge;
use jiff::SignedDuration;
use ledger::Currency;
use serde_json::json;

/// Its refunds are on their way for a day.
const SLOW_REFUNDS: &str = "4000000000007726";
/// Its refunds fail after three days.
const FAILING_REFUNDS: &str = "4000000000005126";

async fn sees_refunds(stage: &Stage, visitor: &Visitor) {
    let invoice = stage.invoice("INV-1042", 125_000).await;
    let payment = stage.dana_pays(invoice, 50_000, VISA).await;
    stage.refunds(payment, 20_000, RefundMeaning::OwedAgain).await;
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("Left to pay $950.00").await;
    visitor.sees("Refunded $200.00 on 16 Nov. It is owed again.").await;
    visitor.press("Receipt $500.00").await;
    visitor.sees("Refunded $200.00 on 16 November 2026. It is owed again.").await;
    visitor.sees("$1,250.00 open before, $750.00 after").await;

    stage.refunds(payment, 10_000, RefundMeaning::PriceGivenBack).await;
    visitor.go(&stage.path(invoice)).await;
    let given_back = "Refunded $100.00 on 16 Nov. The price was lowered by as much, so it is not owed again.";
    visitor.sees(given_back).await;
    visitor.sees("Credit note CN-0001").await;
    visitor.sees("Left to pay $950.00").await;
    visitor.go(&format!("/p/northwind/payments/{payment}")).await;
    visitor.sees("Payment received").await;
    visitor.sees("More happened since: $950.00 is left on INV-1042 now.").await;
    visitor.sees(given_back).await;
    // Who has only the link sees what happened to this invoice.
    visitor.press("Sign out").await;
    visitor.go(&stage.link(invoice).await).await;
    visitor.sees(given_back).await;
    assert_eq!(stage.app.figures(invoice).await, (95_000, 0, 20_000));
}

with_and_without_javascript!(
    a_refund_is_seen_by_the_payer,
    a_refund_is_seen_by_the_payer_without_javascript,
    sees_refunds
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refund_takes_its_time_and_another_fails() {
    play(Script::Off, async |stage: &Stage, visitor: &Visitor| {
        let slow = stage.invoice("INV-1042", 100_000).await;
        let payment = stage.dana_pays(slow, 40_000, SLOW_REFUNDS).await;
        stage.refunds(payment, 15_000, RefundMeaning::OwedAgain).await;
        let failing = stage.invoice("INV-1043", 100_000).await;
        let other = stage.dana_pays(failing, 40_000, FAILING_REFUNDS).await;
        stage.refunds(other, 25_000, RefundMeaning::OwedAgain).await;
        stage.signs_in(visitor).await;
        visitor.go(&stage.path(slow)).await;
        visitor.sees("A refund of $150.00 was started 16 Nov.").await;
        stage.app.days(5).await;
        stage.signs_in(visitor).await;
        visitor.go(&stage.path(slow)).await;
        visitor.sees("Refunded $150.00 on 17 Nov. It is owed again.").await;
        visitor.go(&stage.path(failing)).await;
        visitor.sees("A refund of $250.00 could not be paid.").await;
        visitor.sees("It became your credit on 19 Nov.").await;
        // The credit pays for what was owed again, at once.
        visitor.sees("Customer credit Applied 19 Nov").await;
        visitor.sees("Left to pay $600.00").await;
    })
    .await;
}

async fn sees_disputes(stage: &Stage, visitor: &Visitor) {
    let invoice = stage.invoice("INV-1042", 100_000).await;
    let payment = stage.dana_pays(invoice, 40_000, VISA).await;
    let result = format!("/p/northwind/payments/{payment}");
    let dispute = stage.is_contested(payment, json!({})).await;
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("The card’s bank is looking into it.").await;
    visitor.sees("Left to pay $600.00").await;
    visitor.go(&result).await;
    visitor.sees("Payment received").await;
    visitor.sees("The card’s bank is looking into this payment. Nothing has to be done here.").await;
    stage.bank_decides(&dispute, "lost").await;
    visitor.reload().await;
    visitor.sees("The bank gave it back").await;
    visitor.sees("$400.00 was paid for INV-1042 by card and given back by the card’s bank.").await;
    visitor.sees("$1,000.00 is left on INV-1042.").await;
    visitor.press("See the receipt").await;
    visitor.sees("The card’s bank gave this back on 16 November 2026.").await;
    visitor.go(&stage.path(invoice)).await;
    visitor.sees("$400.00 that was paid here was taken back by the bank, so it is owed again.").await;
    visitor.sees("taken back by the bank").await;
    visitor.sees("Amount due $1,000.00").await;
    assert_eq!(stage.app.figures(invoice).await, (100_000, 0, 0));
    // Won after all: it is paid again.
    stage.bank_decides(&dispute, "won").await;
    visitor.reload().await;
    visitor.sees("Left to pay $600.00").await;
    visitor.sees_no("taken back by the bank").await;
    assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
}

with_and_without_javascript!(
    a_dispute_is_seen_by_the_payer,
    a_dispute_is_seen_by_the_payer_without_javascript,
    sees_disputes
);

/// Credit is used in part on two invoices of the payer's choice.
async fn uses_credit(stage: &Stage, visitor: &Visitor) {
    let paid = stage.invoice("INV-1041", 10_000).await;
    stage.gets_credit(paid, 15_000).await;
    let [one, other] = [stage.invoice("INV-1042", 100_000).await, stage.invoice("INV-1043", 5_000).await];
    stage.signs_in(visitor).await;
    visitor.go(&stage.path(one)).await;
    visitor.sees("You have $150.00 credit with Northwind.").await;
    for (typed, why) in [
        ("ten", "Enter an amount above zero, such as"),
        ("150.01", "That is more than your credit. You have $150.00. Choose a smaller amount"),
    ] {
        visitor.fill("Credit to use, in US dollars", typed).await;
        visitor.press("Use credit").await;
        visitor.sees("There is a problem").await;
        visitor.sees(why).await;
    }
    visitor.fill("Credit to use, in US dollars", "40").await;
    visitor.press("Use credit").await;
    visitor.sees("Use $40.00 of your credit?").await;
    visitor.sees("Left to pay $960.00").await;
    visitor.sees("Your credit after it $110.00").await;
    visitor.sees("No card and no bank account is charged.").await;
    visitor.press("Use $40.00 of your credit").await;
    visitor.sees("$40.00 of your credit was used.").await;
    visitor.sees("Left to pay $960.00").await;
    visitor.sees("Customer credit Your credit was used").await;
    visitor.sees("You have $110.00 credit with Northwind.").await;

    // On the other invoice no more than is left can be used; the rest of the credit stays.
    visitor.go(&stage.path(other)).await;
    visitor.sees("Up to $50.00").await;
    visitor.fill("Credit to use, in US dollars", "60").await;
    visitor.press("Use credit").await;
    visitor.sees("That is more than is left to pay. $50.00 is left. Choose a smaller amount").await;
    visitor.fill("Credit to use, in US dollars", "50").await;
    visitor.press("Use credit").await;
    visitor.press("Use $50.00 of your credit").await;
    visitor.sees("Paid in full on").await;
    visitor.go(&stage.path(one)).await;
    visitor.sees("You have $60.00 credit with Northwind.").await;
    assert_eq!(stage.app.figures(one).await, (96_000, 0, 4_000));
    assert_eq!(stage.app.figures(other).await, (0, 0, 5_000));
}

with_and_without_javascript!(
    credit_is_used_in_part_on_chosen_invoices,
    credit_is_used_in_part_on_chosen_invoices_without_javascript,
    uses_credit
);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn less_is_asked_for_after_a_credit_note() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 100_000).await;
        stage.app.pay_with_visa(invoice, 40_000).await;
        stage.app.advance(SignedDuration::from_mins(1));
        stage.credits(invoice, 25_000).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.sees("Credited $250.00").await;
        visitor.sees("Left to pay $350.00").await;
        visitor.sees("Credit note CN-0001 Issued 16 Nov").await;
        visitor.sees("$350.00 left after it").await;
        visitor.press("Pay $350.00").await;
        visitor.go_to_card_page().await;
        visitor.pay_by(VISA, "$350.00").await;
        visitor.sees("Paid in full").await;
        // All of an invoice is credited: nothing is due, and nothing was paid.
        let gone = stage.invoice("INV-1043", 30_000).await;
        stage.credits(gone, 30_000).await;
        visitor.go(&stage.link(gone).await).await;
        visitor.sees("Northwind credited all of this invoice. Nothing is due.").await;
    })
    .await;
}

/// The fee is shown before the way to pay is chosen, again on its own line of the receipt, and never on the invoice.
async fn pays_a_fee(stage: &Stage, visitor: &Visitor) {
    stage.app.offer_debits().await;
    let card = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
    stage.app.set_surcharge(Currency::USD, card).await;
    let debit = Surcharge { rate_millionths: 0, fixed_minor: 0, cap_minor: None };
    stage.app.set_surcharge_of(None, (Method::UsBankAccount, Currency::USD), debit).await;
    stage.saves(Method::Card, json!({ "card": VISA })).await;
    let invoice = stage.invoice("INV-1042", 125_000).await;
    stage.signs_in(visitor).await;
    visitor.go(&format!("{}/pay?amount=50000&with=new", stage.path(invoice))).await;
    visitor.sees("Card Arrives at once · Fee $14.80 · Charged to your card $514.80").await;
    visitor.sees("Bank account in the US").await;
    visitor.sees("No fee").await;
    visitor.press("Use a saved card or account").await;
    visitor.sees("Fee $14.80 · Charged to your card $514.80").await;
    visitor.press("Pay $514.80").await;
    visitor.sees("$500.00 paid. $750.00 is left on INV-1042").await;
    visitor.sees("Fee $14.80").await;
    visitor.press("See the receipt").await;
    visitor.sees("Fee $14.80").await;
    visitor.sees("Charged to your card $514.80").await;
    visitor.press("Back to invoice").await;
    visitor.sees("Paid so far $500.00").await;
    visitor.sees_no("14.80").await;
    assert_eq!(stage.app.figures(invoice).await, (75_000, 0, 50_000));
}

with_and_without_javascript!(
    a_fee_is_shown_before_and_on_the_receipt,
    a_fee_is_shown_before_and_on_the_receipt_without_javascript,
    pays_a_fee
);
