//! The processor's record of a person who signed in: made once, a help and never a hindrance.

use crate::builders::VISA;
use crate::on_both_engines;
use crate::test_app::{PROCESSOR_KEY, TestApp};
use billing::ids::{ContactId, InvoiceId, PaymentId};
use paydown::actions::start_payment::StartPayment;
use paydown::actions::submit_attempt::Submitted;
use paydown::processors::STRIPE;
use sandbox::{Fault, FaultKind};
use serde_json::Value;
use store::db::Tx;
use store::{contacts, links, mails, processor_accounts, processor_customers};

const CUSTOMERS: &str = "POST /v1/customers";

impl TestApp {
    /// The customer's one contact.
    pub async fn dana(&self) -> ContactId {
        let (merchant, customer) = (self.merchant, self.customer);
        let read = async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await;
        self.app.store.read(read).await.expect("contacts can be read")[0].id
    }

    async fn ask_signed_in(&self, invoice: InvoiceId, amount_minor: i64) -> StartPayment {
        let mut form = self.ask(invoice, amount_minor);
        form.payer.contact_id = Some(self.dana().await);
        form
    }

    async fn records(&self) -> Vec<Value> {
        let url = format!("{}/v1/customers", self.sandbox.base_url());
        let answer = self.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
        let list: Value = answer.json().await.expect("answers are JSON");
        list["data"].as_array().expect("a list").clone()
    }

    async fn names_customer(&self, payment: PaymentId) -> bool {
        self.attempt(payment).await.body.contains("&customer=cus_")
    }
}

on_both_engines!(who_signed_in_is_registered_once, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    for amount_minor in [10_000, 20_000] {
        let payment = app.pay_as(app.ask_signed_in(invoice, amount_minor).await).await;
        assert!(app.names_customer(payment).await);
    }
    let records = app.records().await;
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!((&records[0]["name"], &records[0]["email"]), (&"Dana".into(), &"dana@acme.example".into()));
});

// The link may have been passed on, and the processor's page would show Dana's address.
on_both_engines!(who_came_by_link_is_not_registered, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let payment = app.pay(invoice, 10_000).await;
    assert!(!app.names_customer(payment).await);
    assert!(app.records().await.is_empty());
});

on_both_engines!(a_record_that_cannot_be_made_stops_no_payment, async |app: &mut TestApp| {
    app.sandbox.arm_fault(Fault::once(CUSTOMERS, FaultKind::Status500Before));
    let invoice = app.invoice(100_000).await;
    let payment = app.pay_as(app.ask_signed_in(invoice, 10_000).await).await;
    assert!(!app.names_customer(payment).await);
});

on_both_engines!(a_record_the_processor_lost_is_made_anew, async |app: &mut TestApp| {
    let (merchant, dana) = (app.merchant, app.dana().await);
    let now = app.app.clock.now();
    let lost = app.app.store.write(async move |tx: &mut Tx| {
        let account = processor_accounts::find(tx, merchant, STRIPE).await?.expect("it is connected");
        processor_customers::insert(tx, &account, dana, "cus_NotThereAnyMore", now).await
    });
    assert!(lost.await.expect("the name is kept"));
    let invoice = app.invoice(100_000).await;
    let payment = app.reserve(app.ask_signed_in(invoice, 10_000).await).await;
    assert!(matches!(app.submit(payment).await, Submitted::State(_)), "the processor refuses the page");
    assert_eq!(app.figures(invoice).await, (100_000, 0, 0), "and nothing is held");
    let payment = app.pay_as(app.ask_signed_in(invoice, 10_000).await).await;
    assert!(app.names_customer(payment).await);
    assert_eq!(app.records().await.len(), 1);
});

// A mail never carries an address that opens nothing for its reader: who signed in and whoever else gets the receipt
// have links made for them.
on_both_engines!(receipts_of_who_signed_in_carry_links_of_their_own, async |app: &mut TestApp| {
    let invoice = app.invoice(100_000).await;
    let mut form = app.ask_signed_in(invoice, 10_000).await;
    form.receipt_email = Some("books@other.example".to_owned());
    let payment = app.pay_as(form).await;
    app.card(payment, VISA).await;
    app.settle().await;
    let merchant = app.merchant;
    let read = app.app.store.read(async move |tx: &mut Tx| {
        let mails = mails::list_by_invoice(tx, merchant, invoice).await?;
        let mut found = Vec::new();
        for mail in mails {
            let link =
                links::find(tx, merchant, mail.about.link_id.expect("a receipt carries a link")).await?;
            found.push((mail.about.recipient, link.expect("it was made").contact_id));
        }
        Ok(found)
    });
    let mut found = read.await.expect("the outbox can be read");
    found.sort();
    let dana = Some(app.dana().await);
    assert_eq!(found, [("books@other.example".to_owned(), None), ("dana@acme.example".to_owned(), dana)]);
});
