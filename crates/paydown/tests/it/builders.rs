//! The people and papers of a test, and what it asks the books.

use crate::test_app::{PROCESSOR_KEY, TestApp, WEBHOOK_SECRET, WEBHOOK_SECRET_BEFORE};
use billing::ids::{AuditId, CustomerId, InvoiceId, MerchantId, PaymentId};
use billing::line::Line;
use billing::payment::{Method, PaymentState};
use billing::policy::PolicyLayer;
use billing::surcharge::Surcharge;
use gateway::{Processor, StoredCall};
use jiff::SignedDuration;
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::create_merchant::{NewMerchant, create_merchant};
use paydown::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use paydown::actions::set_offered_methods::{SetOfferedMethods, set_offered_methods};
use paydown::actions::start_payment::{Means, Payer, StartPayment, Started, start_payment};
use paydown::actions::submit_attempt::{Submitted, latest, submit_undisturbed};
use paydown::app::App;
use paydown::processors::{STRIPE, key_place, webhook_place};
use serde_json::{Value, json};
use std::sync::Arc;
use store::anomalies;
use store::attempts::{self, Attempt};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::invoices::{self, Invoice};
use store::mails::{self, MailKind};
use store::merchants::{self, Merchant};
use store::payments::{self, Payment};
use store::policies::{self, Scope};
use store::postings;
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::receipts::{self, Receipt};
use store::surcharges::{self, Passed};

/// A card that pays.
pub const VISA: &str = "4242424242424242";
/// A card that is declined without a reason.
pub const DECLINED: &str = "4000000000000002";
/// A card whose bank wants to see the payer.
pub const CHALLENGED: &str = "4000000000003220";

impl TestApp {
    /// Another merchant of the same database; it has no processor.
    pub async fn another_merchant(&self, slug: &str) -> MerchantId {
        let new = NewMerchant {
            slug: slug.to_owned(),
            name: "Globex".to_owned(),
            address: String::new(),
            help_email: "help@globex.example".to_owned(),
            help_phone: None,
            currency: Currency::USD,
            time_zone: "Etc/UTC".to_owned(),
            brand_color: "#1f5eff".to_owned(),
            logo: None,
            sender: "help@globex.example".to_owned(),
            statement_line: "GLOBEX".to_owned(),
            actor: "cli:test".to_owned(),
        };
        create_merchant(&self.app, new).await.expect("a write").expect("a merchant")
    }

    /// The merchant with its processor, and the customer.
    pub async fn make_merchant(&mut self) {
        let merchant = merchant(self.merchant, self.app.clock.now());
        let account = self.account(PROCESSOR_KEY);
        let row = self.audit_row(acts::PROCESSOR_CONNECT);
        let written = self.app.store.write(async move |tx: &mut Tx| {
            anyhow::ensure!(merchants::insert(tx, &merchant).await?, "the merchant is new");
            processor_accounts::upsert(tx, &account).await?;
            audit::append(tx, merchant.id, &row).await
        });
        written.await.expect("the merchant is written");
        let new = NewCustomer {
            merchant: self.merchant,
            name: "Acme".to_owned(),
            address: String::new(),
            contacts: vec![("Dana".to_owned(), "dana@acme.example".to_owned())],
        };
        self.customer = create_customer(&self.app, "cli:test", new).await.expect("the customer is written");
    }

    fn account(&self, key: &str) -> ProcessorAccount {
        let (merchant, mint) = (self.merchant, self.app.mint());
        let seal = |place, plain: &str| self.app.secrets.seal(&place, mint.bytes(), plain.as_bytes());
        ProcessorAccount {
            merchant_id: merchant,
            processor: STRIPE.to_owned(),
            mode: Mode::Practice,
            base_url: self.sandbox.base_url(),
            account: "acct_practice".to_owned(),
            secret_key: seal(key_place(merchant), key),
            webhook_secret: Some(seal(webhook_place(merchant), WEBHOOK_SECRET)),
            webhook_secret_before: Some(seal(webhook_place(merchant), WEBHOOK_SECRET_BEFORE)),
            polled_to: mint.now,
            connected_at: mint.now,
        }
    }

    fn audit_row(&self, act: &str) -> AuditRow {
        let mint = self.app.mint();
        AuditRow {
            id: mint.id(AuditId::new),
            actor: "cli:test".to_owned(),
            act: act.to_owned(),
            object: "merchant".to_owned(),
            before: "null".to_owned(),
            after: "{}".to_owned(),
            at: mint.now,
        }
    }

    /// The merchant connects with another key.
    pub async fn use_processor_key(&self, key: &str) {
        let (merchant, account) = (self.merchant, self.account(key));
        let row = self.audit_row(acts::PROCESSOR_CONNECT);
        let written = self.app.store.write(async move |tx: &mut Tx| {
            processor_accounts::upsert(tx, &account).await?;
            audit::append(tx, merchant, &row).await
        });
        written.await.expect("the key is replaced");
    }

    /// Sets what the merchant passes on of a card's cost.
    pub async fn set_surcharge(&self, currency: Currency, surcharge: Surcharge) {
        self.set_surcharge_of(None, (Method::Card, currency), surcharge).await;
    }

    /// The same of any method, for one customer or for everybody.
    pub async fn set_surcharge_of(
        &self,
        customer: Option<CustomerId>,
        (method, currency): (Method, Currency),
        surcharge: Surcharge,
    ) {
        let (merchant, row) = (self.merchant, self.audit_row(acts::SURCHARGE_SET));
        let written = self.app.store.write(async move |tx: &mut Tx| {
            let passed = Passed { customer, method, currency, surcharge };
            surcharges::put(tx, merchant, &passed).await?;
            audit::append(tx, merchant, &row).await
        });
        written.await.expect("the surcharge is set");
    }

    /// Lets payers pay by card and from bank accounts.
    pub async fn offer_debits(&self) {
        let methods = vec![Method::Card, Method::UsBankAccount, Method::SepaDebit];
        let input = SetOfferedMethods { merchant: self.merchant, methods, actor: "test".to_owned() };
        set_offered_methods(&self.app, input).await.expect("stored").expect("they can be offered");
    }

    /// Lets so many days pass, one after another.
    pub async fn days(&self, days: u32) {
        for _ in 0..days {
            self.settle_after(SignedDuration::from_hours(24)).await;
        }
    }

    /// Sets a layer of the policy.
    pub async fn set_policy(&self, scope: Scope, layer: PolicyLayer) {
        let (merchant, row) = (self.merchant, self.audit_row(acts::POLICY_SET));
        let written = self.app.store.write(async move |tx: &mut Tx| {
            policies::put(tx, merchant, scope, &layer, row.at).await?;
            audit::append(tx, merchant, &row).await
        });
        written.await.expect("the policy is set");
    }

    /// An open invoice in US dollars.
    pub async fn invoice(&self, total_minor: i64) -> InvoiceId {
        self.invoice_in(Currency::USD, total_minor).await
    }

    /// An open invoice of one line.
    pub async fn invoice_in(&self, currency: Currency, total_minor: i64) -> InvoiceId {
        self.invoice_of(self.customer, currency, total_minor).await
    }

    /// One more customer, with one contact.
    pub async fn another_customer(&self, name: &str, email: &str) -> CustomerId {
        let new = NewCustomer {
            merchant: self.merchant,
            name: name.to_owned(),
            address: String::new(),
            contacts: vec![("Lee".to_owned(), email.to_owned())],
        };
        create_customer(&self.app, "cli:test", new).await.expect("the customer is written")
    }

    /// The merchant's processor.
    pub async fn processor(&self) -> Arc<dyn Processor> {
        let App { store, secrets, processors, .. } = &self.app;
        let processor = processors.of(store, secrets, self.merchant).await.expect("the key opens");
        processor.expect("it is connected")
    }

    /// The same of any customer.
    pub async fn invoice_of(&self, customer: CustomerId, currency: Currency, total_minor: i64) -> InvoiceId {
        let new = NewInvoice {
            merchant: self.merchant,
            customer_id: customer,
            number: format!("INV-{}", self.payment_id()),
            currency,
            issued_on: date(2026, 11, 16),
            due_on: date(2026, 12, 16),
            purchase_order: None,
            memo: None,
            lines: vec![Line {
                description: "Work".to_owned(),
                quantity: 1.into(),
                unit_amount_minor: total_minor,
                tax_rate: None,
            }],
        };
        match issue_invoice(&self.app, new).await.expect("the invoice is written") {
            Ok(Issued::New(id)) => id,
            other => panic!("the invoice was not issued: {other:?}"),
        }
    }

    /// The id a form is drawn with.
    pub fn payment_id(&self) -> PaymentId {
        self.app.mint().id(PaymentId::new)
    }

    /// A form that asks to pay an amount without surcharge.
    pub fn ask(&self, invoice: InvoiceId, amount_minor: i64) -> StartPayment {
        StartPayment {
            merchant: self.merchant,
            invoice,
            payment: self.payment_id(),
            method: Method::Card,
            means: Means::default(),
            agreement: None,
            amount_minor,
            surcharge_minor: 0,
            payer: Payer { session_hash: [1; 32], contact_id: None, link_id: None, client: None },
            receipt_email: Some("dana@acme.example".to_owned()),
            payer_reference: None,
            language: "en".to_owned(),
        }
    }

    /// Submits a form.
    pub async fn start_payment(&self, form: StartPayment) -> Started {
        start_payment(&self.app, form).await.expect("the form is judged")
    }

    /// Submits a form that must be accepted; nothing is sent to the processor yet.
    pub async fn reserve(&self, form: StartPayment) -> PaymentId {
        match self.start_payment(form).await {
            Started::New(payment) => payment,
            other => panic!("the payment was not started: {other:?}"),
        }
    }

    /// Calls the processor for a payment that was started.
    pub async fn submit(&self, payment: PaymentId) -> Submitted {
        submit_undisturbed(&self.app, self.merchant, payment).await.expect("the call is made")
    }

    /// Goes all the way to the open card page.
    pub async fn pay_as(&self, form: StartPayment) -> PaymentId {
        let payment = self.reserve(form).await;
        let submitted = self.submit(payment).await;
        assert!(matches!(submitted, Submitted::CardPage(_)), "{submitted:?}");
        payment
    }

    /// The same for an amount without surcharge.
    pub async fn pay(&self, invoice: InvoiceId, amount_minor: i64) -> PaymentId {
        self.pay_as(self.ask(invoice, amount_minor)).await
    }

    /// A scripted payer types a card on the payment's page; banks that ask are told yes.
    pub async fn card(&self, payment: PaymentId, number: &str) -> Value {
        self.card_page(payment, json!({ "card": number })).await
    }

    /// The same with everything the payer can do.
    pub async fn card_page(&self, payment: PaymentId, payer: Value) -> Value {
        let session = self.session(payment).await;
        self.control(&format!("/sessions/{session}/pay"), payer).await
    }

    /// The processor's id of the one hosted page there is, whether the books know it or not.
    pub async fn only_page(&self) -> String {
        let url = format!("{}/v1/checkout/sessions", self.sandbox.base_url());
        let answer = self.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
        let list: Value = answer.json().await.expect("answers are JSON");
        let pages = list["data"].as_array().expect("a list");
        assert_eq!(pages.len(), 1, "{list}");
        pages[0]["id"].as_str().expect("an id").to_owned()
    }

    /// Pays a part from start to end.
    pub async fn pay_with_visa(&self, invoice: InvoiceId, amount_minor: i64) -> PaymentId {
        let payment = self.pay(invoice, amount_minor).await;
        self.card(payment, VISA).await;
        self.settle().await;
        assert_eq!(self.state(payment).await, PaymentState::Succeeded);
        payment
    }

    /// Notes that the call is about to be made, as every sending does first.
    pub async fn note_call(&self, payment: PaymentId) {
        let (merchant, attempt, now) = (self.merchant, self.attempt(payment).await.id, self.app.clock.now());
        let noted = self
            .app
            .store
            .write(async move |tx: &mut Tx| attempts::note_call(tx, merchant, attempt, now).await);
        noted.await.expect("the call is noted");
    }

    /// Makes the processor's call without recording its answer, as a program that dies in between does; the page's id.
    pub async fn make_page_unrecorded(&self, payment: PaymentId) -> String {
        let attempt = self.attempt(payment).await;
        let App { store, secrets, processors, .. } = &self.app;
        let processor = processors.of(store, secrets, self.merchant).await.expect("the key opens");
        let call = StoredCall { route: attempt.route, body: attempt.body };
        let made = processor.expect("it is connected").send(&call, &attempt.processor_key).await;
        made.expect("the page is made").id
    }

    /// Tells the practice processor what to do.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control{path}", self.sandbox.base_url());
        let answer = self.http.post(url).json(&body).send().await.expect("the control interface answers");
        let status = answer.status();
        let told: Value = answer.json().await.expect("answers are JSON");
        assert!(status.is_success(), "{path}: {told}");
        told
    }

    /// Takes all faults away that are still armed.
    pub async fn disarm_faults(&self) {
        let url = format!("{}/control/faults", self.sandbox.base_url());
        let answer = self.http.delete(url).send().await.expect("the control interface answers");
        assert!(answer.status().is_success());
    }

    /// The processor's hosted page of a payment.
    pub async fn session(&self, payment: PaymentId) -> String {
        self.attempt(payment).await.session_id.expect("the page was made")
    }

    /// What the processor says of a payment's page: `open`, `complete`, `expired`.
    pub async fn page_status(&self, payment: PaymentId) -> String {
        self.session_status(&self.session(payment).await).await
    }

    /// The same of a page by the processor's id.
    pub async fn session_status(&self, session: &str) -> String {
        let url = format!("{}/v1/checkout/sessions/{session}", self.sandbox.base_url());
        let answer = self.http.get(url).bearer_auth(PROCESSOR_KEY).send().await.expect("it answers");
        let page: Value = answer.json().await.expect("answers are JSON");
        page["status"].as_str().expect("a status").to_owned()
    }

    /// How many hosted pages were ever made.
    pub fn pages_made(&self) -> i64 {
        self.sandbox.books().expect("the sandbox has books").sessions
    }

    /// The payment as it is stored.
    pub async fn payment(&self, payment: PaymentId) -> Payment {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| payments::find(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("payments can be read").expect("the payment is there")
    }

    /// Where the payment stands.
    pub async fn state(&self, payment: PaymentId) -> PaymentState {
        self.payment(payment).await.state
    }

    /// The states a payment went through.
    pub async fn history(&self, payment: PaymentId) -> Vec<PaymentState> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| payments::history(tx, merchant, payment).await;
        let steps = self.app.store.read(read).await.expect("histories can be read");
        steps.into_iter().map(|step| step.state).collect()
    }

    /// The last try at the processor.
    pub async fn attempt(&self, payment: PaymentId) -> Attempt {
        latest(&self.app, self.merchant, payment).await.expect("the attempt is there")
    }

    /// The invoice as it is stored.
    pub async fn stored_invoice(&self, invoice: InvoiceId) -> Invoice {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| invoices::find(tx, merchant, invoice).await;
        self.app.store.read(read).await.expect("invoices can be read").expect("the invoice is there")
    }

    /// Open, pending and paid, minor units.
    pub async fn figures(&self, invoice: InvoiceId) -> (i64, i64, i64) {
        let figures = self.stored_invoice(invoice).await.figures;
        (figures.open_minor, figures.pending_minor, figures.paid_minor)
    }

    /// The receipt of a payment.
    pub async fn receipt(&self, payment: PaymentId) -> Option<Receipt> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| receipts::find(tx, merchant, payment).await;
        self.app.store.read(read).await.expect("receipts can be read")
    }

    /// Who gets which mail about an invoice.
    pub async fn mails(&self, invoice: InvoiceId) -> Vec<(MailKind, String)> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| mails::list_by_invoice(tx, merchant, invoice).await;
        let found = self.app.store.read(read).await.expect("the outbox can be read");
        found.into_iter().map(|mail| (mail.about.kind, mail.about.recipient)).collect()
    }

    /// Kinds of what a person has to look at, in alphabetical order.
    pub async fn anomalies(&self, payment: PaymentId) -> Vec<String> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| anomalies::list_by_payment(tx, merchant, payment).await;
        let found = self.app.store.read(read).await.expect("anomalies can be read");
        let mut kinds: Vec<String> = found.into_iter().map(|listed| listed.anomaly.kind).collect();
        kinds.sort_unstable();
        kinds
    }

    /// Kinds of everything a person has to look at, newest first.
    pub async fn anomalies_of_merchant(&self) -> Vec<String> {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| anomalies::list(tx, merchant, 50).await;
        let found = self.app.store.read(read).await.expect("anomalies can be read");
        found.into_iter().map(|anomaly| anomaly.kind).collect()
    }

    /// Debits less credits of an account in a currency, minor units.
    pub async fn balance(&self, account: u16, currency: Currency) -> i64 {
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| postings::balances(tx, merchant, account).await;
        let balances = self.app.store.read(read).await.expect("balances can be read");
        balances.iter().find(|money| money.currency() == currency).map_or(0, |money| money.minor())
    }
}

fn merchant(id: MerchantId, created_at: jiff::Timestamp) -> Merchant {
    Merchant {
        id,
        slug: "northwind".to_owned(),
        name: "Northwind".to_owned(),
        address: "1 Main Street".to_owned(),
        help_email: "help@northwind.example".to_owned(),
        help_phone: None,
        currency: Currency::USD,
        time_zone: "America/New_York".to_owned(),
        brand_color: "#1a5fb4".to_owned(),
        sender: "billing@northwind.example".to_owned(),
        statement_line: "NORTHWIND".to_owned(),
        abandon_after_seconds: 1_800,
        created_at,
    }
}
