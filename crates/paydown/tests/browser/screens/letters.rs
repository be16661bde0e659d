//! Every mail as a mail program shows it: as wide as a telephone and as a reading pane, light and dark.

use crate::builders::DECLINED;
use crate::stage::{Stage, play};
use crate::visitor::{Script, Visitor};
use billing::ids::InvoiceId;
use jiff::SignedDuration;
use paydown::actions::create_link::send_invoice;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mail() {
    play(Script::On, async |stage: &Stage, visitor: &Visitor| {
        let invoice = stage.invoice("INV-1042", 125_000).await;
        // A mail says what is so when it leaves: each leaves before the next thing happens.
        send(stage, invoice).await;
        stage.deliver_mail().await;
        stage.app.pay_with_visa(invoice, 50_000).await;
        send(stage, invoice).await;
        stage.deliver_mail().await;
        let small = stage.invoice("INV-1041", 30_000).await;
        stage.app.pay_with_visa(small, 30_000).await;
        visitor.go("/p/northwind/sign-in").await;
        visitor.fill("Work e-mail", "dana@acme.example").await;
        visitor.press("Send me a code").await;
        visitor.sees("Enter your code").await;
        stage.deliver_mail().await;
        let payment = stage.app.pay(invoice, 20_000).await;
        stage.app.card(payment, DECLINED).await;
        // In steps, as time passes: the card page closes by itself and we hear of it.
        for _ in 0..5 {
            stage.app.settle_after(SignedDuration::from_mins(10)).await;
        }
        stage.deliver_mail().await;
        visitor.go(&format!("{}/", stage.mailbox)).await;
        visitor.examine("mailbox-full").await;
        for (subject, name) in [
            ("Invoice INV-1042 from Northwind: $1,250.00", "mail-invoice"),
            ("$750.00 left on INV-1042", "mail-invoice-part"),
            ("We received $500.00", "mail-received-part"),
            ("INV-1041 is paid in full", "mail-received-full"),
            ("is your code for Northwind", "mail-code"),
            ("did not go through", "mail-failed"),
        ] {
            visitor.go(&format!("{}/", stage.mailbox)).await;
            let address = visitor.link_with(subject).await;
            visitor.examine_letter(name, &format!("{address}/html")).await;
        }
    })
    .await;
}

async fn send(stage: &Stage, invoice: InvoiceId) {
    let sent = send_invoice(&stage.app.app, stage.app.merchant, invoice).await;
    sent.expect("the mail is queued").expect("the invoice is there");
}
