//! Payments from a bank account, in every state a payer can see.

use crate::debits::GOOD;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn debits_as_a_payer_sees_them() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        stage.app.offer_debits().await;
        visitor.forgets_files().await;
        let invoice = stage.invoice("INV-1042", 100_000).await;
        visitor.go(&stage.link(invoice).await).await;
        let path = stage.path(invoice);
        let pay = format!("{path}/pay?amount=40000");
        visitor.examine_at("pay-ways", &pay, "How do you want to pay?").await;
        visitor.tick("Bank account in the US").await;
        visitor.examine("pay-ways-bank").await;
        visitor.go_to_bank_page().await;
        visitor.examine("bank-page").await;
        visitor.press("Agree and pay $400.00").await;
        visitor.sees("There is a problem").await;
        visitor.examine("bank-page-problems").await;
        visitor.type_account(GOOD).await;
        visitor.agree().await;
        visitor.press("Agree and pay $400.00").await;
        visitor.sees("Payment started").await;
        visitor.examine("result-debit-begun").await;
        visitor.examine_at("invoice-clearing", &path, "is still clearing").await;

        visitor.go(&pay).await;
        visitor.debit("000222222227", "$400.00").await;
        visitor.sees("Payment started").await;
        let failed = visitor.at().await;
        visitor.go(&format!("{path}/pay?amount=20000")).await;
        visitor.debit("92100010", "$200.00").await;
        visitor.sees("Payment started").await;
        let taken_back = visitor.at().await;
        stage.app.days(18).await;
        visitor.go(&stage.link(invoice).await).await;
        visitor.examine_at("result-debit-failed", &failed, "The bank did not pay").await;
        visitor.examine_at("result-taken-back", &taken_back, "The bank took it back").await;
        visitor.examine_at("invoice-taken-back", &path, "was taken back by the bank").await;
        assert_eq!(stage.app.figures(invoice).await, (60_000, 0, 40_000));
    })
    .await;
}
