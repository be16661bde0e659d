//! What the tests of mail share: an app over a throw-away database, with a clock that is moved by hand, one merchant on the
//! practice processor, one customer, one invoice of $1,250.00, and payments in the states that mails tell of.

use crate::actions::create_customer::{NewCustomer, create_customer};
use crate::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use crate::app::App;
use crate::clock::{Clock, Random};
use crate::processors::{Processors, STRIPE, key_place};
use crate::secrets::SecretKey;
use billing::ids::{ContactId, CustomerId, InvoiceId, LinkId, MerchantId, PaymentId};
use billing::line::Line;
use billing::payment::PaymentState;
use jiff::{SignedDuration, Timestamp};
use ledger::{Currency, Money};
use rust_decimal::Decimal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use store::contacts;
use store::db::Tx;
use store::invoices::{self, Shift};
use store::mails::{self, Mail};
use store::merchants::{self, Merchant};
use store::payments::{self, Payment};
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::receipts::{self, Receipt, ReceiptLine};
use store::reservations::{self, Reservation};
use store::testing::TestDatabase;

pub(crate) const MERCHANT: MerchantId = MerchantId(1);

pub(crate) struct Fixture {
    pub(crate) app: App,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) customer: CustomerId,
    pub(crate) contact: ContactId,
    pub(crate) invoice: InvoiceId,
    _database: TestDatabase,
}

/// A clock that stands until it is moved.
pub(crate) struct HandClock(Mutex<Timestamp>);

impl HandClock {
    pub(crate) fn advance(&self, by: SignedDuration) {
        let mut now = self.0.lock().unwrap();
        *now += by;
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) {
        let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        for (byte, from) in buffer.iter_mut().rev().zip(count.iter().rev().cycle()) {
            *byte = *from;
        }
    }
}

pub(crate) async fn fixture() -> Fixture {
    // Another test may have been first; one provider is as good as the other.
    rustls::crypto::ring::default_provider().install_default().ok();
    let database = TestDatabase::sqlite().await;
    let clock = Arc::new(HandClock(Mutex::new("2026-11-18T09:30:00Z".parse().unwrap())));
    let app = App {
        store: database.open().await,
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        random: Arc::new(Counting(AtomicU64::new(1))),
        secrets: Arc::new(SecretKey::from_bytes([7; 32])),
        processors: Arc::new(Processors::default()),
        public_url: "https://pay.northwind.example".into(),
        trusted_proxies: Arc::default(),
        amount_inputmode: Default::default(),
        tasks: Default::default(),
    };
    connect(&app).await;
    let new = NewCustomer {
        merchant: MERCHANT,
        name: "Acme GmbH".to_owned(),
        address: String::new(),
        contacts: vec![("Dana".to_owned(), "Dana@acme.test".to_owned())],
    };
    let customer = create_customer(&app, "cli:test", new).await.unwrap();
    let people =
        app.store.read(async move |tx: &mut Tx| contacts::list(tx, MERCHANT, customer).await).await.unwrap();
    let invoice = issue(&app, customer).await;
    Fixture { app, clock, customer, contact: people[0].id, invoice, _database: database }
}

async fn connect(app: &App) {
    let now = app.clock.now();
    let merchant = Merchant {
        id: MERCHANT,
        slug: "northwind".to_owned(),
        name: "Northwind IT".to_owned(),
        address: "1 Main Street".to_owned(),
        help_email: "help@northwind.example".to_owned(),
        help_phone: Some("+1 503 555 0142".to_owned()),
        currency: Currency::USD,
        time_zone: "America/Los_Angeles".to_owned(),
        brand_color: "#0b5d3b".to_owned(),
        sender: "billing@northwind.example".to_owned(),
        statement_line: "NORTHWIND".to_owned(),
        abandon_after_seconds: 1800,
        created_at: now,
    };
    let account = ProcessorAccount {
        merchant_id: MERCHANT,
        processor: STRIPE.to_owned(),
        mode: Mode::Practice,
        base_url: "http://127.0.0.1:9".to_owned(),
        account: "acct_practice".to_owned(),
        secret_key: app.secrets.seal(&key_place(MERCHANT), [1; 24], b"sk_test_practice"),
        webhook_secret: None,
        webhook_secret_before: None,
        polled_to: now,
        connected_at: now,
    };
    let write = async move |tx: &mut Tx| {
        assert!(merchants::insert(tx, &merchant).await?);
        processor_accounts::upsert(tx, &account).await
    };
    app.store.write(write).await.unwrap();
}

async fn issue(app: &App, customer_id: CustomerId) -> InvoiceId {
    let line = Line {
        description: "Support, November".to_owned(),
        quantity: Decimal::ONE,
        unit_amount_minor: 125_000,
        tax_rate: None,
    };
    let new = NewInvoice {
        merchant: MERCHANT,
        customer_id,
        number: "INV-1042".to_owned(),
        currency: Currency::USD,
        issued_on: jiff::civil::date(2026, 11, 1),
        due_on: jiff::civil::date(2026, 11, 30),
        purchase_order: None,
        memo: None,
        lines: vec![line],
    };
    match issue_invoice(app, new).await.unwrap().unwrap() {
        Issued::New(id) | Issued::Unchanged(id) => id,
    }
}

impl Fixture {
    /// A payment of $500.00 with a fee of $11.90, started through a link, ended in `state`.
    pub(crate) async fn payment(&self, state: PaymentState, link_id: Option<LinkId>) -> PaymentId {
        let mint = self.app.mint();
        let (id, amount) = (mint.id(PaymentId::new), Money::new(50_000, Currency::USD));
        let payment = Payment {
            surcharge_minor: 1_190,
            link_id,
            receipt_email: Some("Books@acme.test".to_owned()),
            language: "en-US".to_owned(),
            ..Payment::submitting(MERCHANT, id, self.customer, amount, mint.now)
        };
        let invoice_id = self.invoice;
        let write = async move |tx: &mut Tx| {
            payments::insert(tx, &payment, "test").await?;
            let hold = Reservation { payment_id: payment.id, invoice_id, amount_minor: 50_000, live: true };
            reservations::insert(tx, MERCHANT, &hold, mint.now).await?;
            payments::set_state(tx, &payment, state, "test", mint.now).await?;
            if state == PaymentState::Succeeded {
                capture(tx, &payment, invoice_id, mint.now).await?;
            }
            Ok(())
        };
        self.app.store.write(write).await.unwrap();
        id
    }

    /// Every mail about the invoice, newest first.
    pub(crate) async fn mails(&self) -> Vec<Mail> {
        let invoice = self.invoice;
        self.app
            .store
            .read(async move |tx: &mut Tx| mails::list_by_invoice(tx, MERCHANT, invoice).await)
            .await
            .unwrap()
    }
}

/// As far as mails look: balances of the invoice, and the receipt.
async fn capture(
    tx: &mut Tx,
    payment: &Payment,
    invoice_id: InvoiceId,
    now: Timestamp,
) -> anyhow::Result<()> {
    let shift = Shift { open_minor: -50_000, pending_minor: 0, paid_minor: 50_000 };
    invoices::shift(tx, MERCHANT, invoice_id, shift, now).await?;
    let line = ReceiptLine {
        invoice_id,
        applied_minor: 50_000,
        open_before_minor: 125_000,
        open_after_minor: 75_000,
    };
    let receipt = Receipt {
        payment_id: payment.id,
        amount_minor: 50_000,
        surcharge_minor: 1_190,
        credit_minor: 0,
        unapplied_minor: 0,
        currency: Currency::USD,
        at: now,
        lines: vec![line],
    };
    receipts::insert(tx, MERCHANT, &receipt).await
}
