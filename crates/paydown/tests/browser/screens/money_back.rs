//! Money that goes back, as the payer sees it: refunds, disputes, returned debits on receipts, credit notes, credit that is used.

use crate::builders::VISA;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::refund::RefundMeaning;
use billing::surcharge::Surcharge;
use ledger::Currency;
use serde_json::json;

/// Its refunds are on their way for a day.
const SLOW_REFUNDS: &str = "4000000000007726";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refunds_disputes_and_returns() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        stage.app.offer_debits().await;
        let fee = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
        let invoice = stage.invoice("INV-1042", 125_000).await;
        let payment = stage.dana_pays(invoice, 50_000, VISA).await;
        stage.refunds(payment, 20_000, RefundMeaning::OwedAgain).await;
        stage.refunds(payment, 10_000, RefundMeaning::PriceGivenBack).await;
        let slow = stage.dana_pays(invoice, 15_000, SLOW_REFUNDS).await;
        stage.refunds(slow, 5_000, RefundMeaning::OwedAgain).await;
        stage.app.set_surcharge(Currency::USD, fee).await;
        let contested = stage.invoice("INV-1043", 125_000).await;
        let disputed = stage.dana_pays_with_fee(contested, 40_000, VISA).await;
        let dispute = stage.is_contested(disputed, json!({})).await;
        stage.signs_in(visitor).await;
        visitor.examine_at("invoice-refunded", &stage.path(invoice), "It is owed again.").await;
        let result = format!("/p/northwind/payments/{payment}");
        visitor.examine_at("result-refunded", &result, "Refunded $200.00").await;
        visitor.examine_at("receipt-refunded", &format!("{result}/receipt"), "Refunded $200.00").await;

        let result = format!("/p/northwind/payments/{disputed}");
        visitor.examine_at("invoice-contested", &stage.path(contested), "In dispute").await;
        visitor.examine_at("result-contested", &result, "Nothing has to be done here.").await;
        visitor.examine_at("receipt-contested", &format!("{result}/receipt"), "Fee $11.90").await;
        stage.bank_decides(&dispute, "lost").await;
        visitor.examine_at("invoice-given-back", &stage.path(contested), "Returned by bank").await;
        visitor.examine_at("result-given-back", &result, "The bank gave it back").await;
        visitor.examine_at("receipt-given-back", &format!("{result}/receipt"), "gave this back").await;

        let returned = stage.invoice("INV-1044", 40_000).await;
        let debit = stage.dana_debits(returned, 40_000, "92010003").await;
        stage.app.days(9).await;
        stage.signs_in(visitor).await;
        let result = format!("/p/northwind/payments/{debit}");
        visitor.examine_at("invoice-own-taken-back", &stage.path(returned), "Returned by bank").await;
        visitor.examine_at("result-own-taken-back", &result, "Your bank took it back").await;
        visitor
            .examine_at("receipt-taken-back", &format!("{result}/receipt"), "The bank took this back")
            .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn credit_and_credit_notes() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        visitor.forgets_files().await;
        let paid = stage.invoice("INV-1041", 10_000).await;
        stage.gets_credit(paid, 15_000).await;
        let invoice = stage.invoice("INV-1042", 125_000).await;
        let credited = stage.invoice("INV-1043", 30_000).await;
        stage.credits(invoice, 25_000).await;
        stage.credits(credited, 30_000).await;
        stage.signs_in(visitor).await;
        let path = stage.path(invoice);
        visitor.examine_at("invoice-with-credit", &path, "You have $150.00 credit").await;
        visitor.examine_at("credit", &format!("{path}/credit"), "Up to $150.00").await;
        visitor.examine_at("credit-confirm", &format!("{path}/credit?typed=40"), "Use $40.00").await;
        visitor.examine_at("credit-over", &format!("{path}/credit?typed=500"), "There is a problem").await;
        visitor.go(&format!("{path}/credit?typed=40")).await;
        visitor.press("Use $40.00 of your credit").await;
        visitor.sees("$40.00 of your credit was used.").await;
        visitor.examine("invoice-credit-used").await;
        visitor.examine_at("invoice-all-credited", &stage.path(credited), "Nothing is due.").await;
        visitor.examine_at("invoice-paid-by-transfer", &stage.path(paid), "Bank transfer RF18 1042").await;
        visitor.press("Receipt $100.00").await;
        visitor.sees("Kept as credit").await;
        visitor.examine("receipt-with-credit").await;
    })
    .await;
}
