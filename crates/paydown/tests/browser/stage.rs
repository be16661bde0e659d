//! The real program in front of a browser: its portal over HTTP on loopback, the practice processor behind it, and the
//! papers of a believable business. Everything is made by the actions that the program itself uses.

use crate::test_app::TestApp;
use crate::visitor::{Script, Visitor};
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use billing::ids::{CustomerId, InvoiceId, PaymentId};
use billing::line::Line;
use billing::payment::{Hold, PaymentState};
use futures::FutureExt as _;
use jiff::civil::{Date, date};
use ledger::Currency;
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::create_link::{create_link, link_url};
use paydown::actions::deliver_mail::deliver_due;
use paydown::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use paydown::actions::submit_attempt::Submitted;
use paydown::actions::void_invoice::{VoidInvoice, void_invoice};
use paydown::app::App;
use paydown::mail::mailbox;
use paydown::mail::transport::Folder;
use paydown::router::router;
use serde_json::json;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, RwLock};
use store::db::Tx;
use store::testing::TestDatabase;
use store::{contacts, payments};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tower::ServiceExt as _;

/// When invoices are due unless a test says otherwise; today is 16 November 2026.
pub const DUE: Date = date(2026, 11, 30);

/// The program with everything around it.
pub struct Stage {
    /// The program, its processor, its clock.
    pub app: TestApp,
    /// The portal's origin.
    pub portal: String,
    /// The practice mailbox's origin.
    pub mailbox: String,
    mail: TempDir,
    front: Front,
}

/// The program that answers at the portal's address.
#[derive(Clone)]
struct Front(Arc<RwLock<Router>>);

impl Front {
    async fn answer(self, request: Request) -> Response {
        let program = self.0.read().expect("nobody panics at the door").clone();
        program.oneshot(request).await.unwrap_or_else(|never| match never {})
    }
}

/// Plays a story with one browser. When it ends well, the browser must have met nothing wrong and the books must be
/// proven; when it fails, a picture of the page is kept.
pub async fn play(script: Script, story: impl AsyncFnOnce(&Stage, &Visitor)) {
    let mut stage = Stage::set().await;
    let visitor = stage.visitor(script).await;
    let played = AssertUnwindSafe(story(&stage, &visitor)).catch_unwind().await;
    if let Err(failure) = played {
        visitor.testify(&name_of_test()).await;
        std::panic::resume_unwind(failure);
    }
    visitor.leave().await;
    if stage.app.app.store.read_only_because().is_some() {
        stage.app.restart().await; // as whoever runs it does; only then can the books be closed
    }
    stage.app.finish().await;
}

fn name_of_test() -> String {
    let thread = std::thread::current();
    thread.name().unwrap_or("test").replace("::", "-")
}

impl Stage {
    async fn set() -> Stage {
        let mut app = TestApp::start(TestDatabase::sqlite().await).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        // By name, so that the processor at 127.0.0.1 is another site to the browser, as the real one is.
        let portal = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
        app.app.public_url = Arc::from(portal.as_str());
        let front = Front(Arc::new(RwLock::new(router(app.app.clone()))));
        let door = front.clone();
        let door = Router::new().fallback(async move |request| door.answer(request).await);
        let service = door.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let mail = tempfile::tempdir().expect("a temporary folder can be made");
        let letters = mailbox::router(mail.path().to_owned());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let mailbox = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, letters).await });
        Stage { app, portal, mailbox, mail, front }
    }

    /// Lets another program answer at the portal's address, as one that was started with other settings does.
    pub fn answers(&self, program: App) {
        *self.front.0.write().expect("nobody panics at the door") = router(program);
    }

    /// Another person's browser.
    pub async fn visitor(&self, script: Script) -> Visitor {
        let origins = [self.portal.clone(), self.app.sandbox.base_url(), self.mailbox.clone()];
        Visitor::open(script, &origins).await
    }

    /// An invoice to Acme in US dollars, due on 30 November.
    pub async fn invoice(&self, number: &str, total_minor: i64) -> InvoiceId {
        self.issue(Paper::of(self.app.customer, number, total_minor)).await
    }

    /// Any invoice.
    pub async fn issue(&self, paper: Paper) -> InvoiceId {
        let line = Line {
            description: paper.what_for,
            quantity: 1.into(),
            unit_amount_minor: paper.total_minor / paper.lines,
            tax_rate: None,
        };
        let new = NewInvoice {
            merchant: self.app.merchant,
            customer_id: paper.customer,
            number: paper.number,
            currency: paper.currency,
            issued_on: date(2026, 10, 31),
            due_on: paper.due,
            purchase_order: Some("PO 7042".to_owned()),
            memo: Some("Thank you for your business.".to_owned()),
            lines: (1..=paper.lines).map(|_| line.clone()).collect(),
        };
        match issue_invoice(&self.app.app, new).await.expect("the invoice is written") {
            Ok(Issued::New(invoice)) => invoice,
            other => panic!("the invoice was not issued: {other:?}"),
        }
    }

    /// The merchant cancels an invoice.
    pub async fn void(&self, invoice: InvoiceId) {
        let wish = VoidInvoice { merchant: self.app.merchant, invoice, actor: "cli:test".to_owned() };
        let voided = void_invoice(&self.app.app, wish).await.expect("it is voided");
        voided.expect("it is there").expect("it may");
    }

    /// Another customer with one person.
    pub async fn customer(&self, name: &str, person: (&str, &str)) -> CustomerId {
        let new = NewCustomer {
            merchant: self.app.merchant,
            name: name.to_owned(),
            address: "500 Harbor Way\nSeattle, WA 98101".to_owned(),
            contacts: vec![(person.0.to_owned(), person.1.to_owned())],
        };
        create_customer(&self.app.app, "cli:test", new).await.expect("the customer is written")
    }

    /// A link to an invoice as the first person of its customer gets it.
    pub async fn link(&self, invoice: InvoiceId) -> String {
        let customer = self.app.stored_invoice(invoice).await.customer_id;
        let merchant = self.app.merchant;
        let read = async move |tx: &mut Tx| contacts::list(tx, merchant, customer).await;
        let people = self.app.app.store.read(read).await.expect("contacts can be read");
        let first = people.first().map(|contact| contact.id);
        let link =
            create_link(&self.app.app, merchant, invoice, first, "test").await.expect("the link is written");
        link_url(&self.app.app, merchant, link.expect("the invoice is there"))
    }

    /// The portal's path of an invoice.
    pub fn path(&self, invoice: InvoiceId) -> String {
        format!("/p/northwind/invoices/{invoice}")
    }

    /// The last payment that was started on an invoice.
    pub async fn newest_payment(&self, invoice: InvoiceId) -> PaymentId {
        let merchant = self.app.merchant;
        let read = async move |tx: &mut Tx| payments::list_by_invoice(tx, merchant, invoice).await;
        let found = self.app.app.store.read(read).await.expect("payments can be read");
        let in_flight = found.iter().find(|payment| payment.state.hold() == Hold::Held);
        in_flight.or(found.first()).expect("a payment was started").id
    }

    /// A payment of which the processor will not say what became of it.
    pub async fn unknown_payment(&self, invoice: InvoiceId, amount_minor: i64) -> PaymentId {
        let broken =
            json!({ "route": "POST /v1/checkout/sessions", "fault": "status_500_before", "times": 3 });
        self.app.control("/faults", broken).await;
        let payment = self.app.reserve(self.app.ask(invoice, amount_minor)).await;
        let submitted = self.app.submit(payment).await;
        assert_eq!(submitted, Submitted::State(PaymentState::Unknown));
        payment
    }

    /// The code in the newest mail, read in another tab of the practice mailbox.
    pub async fn code(&self, visitor: &Visitor) -> String {
        self.deliver_mail().await;
        let before = visitor.new_tab().await;
        visitor.go(&format!("{}/", self.mailbox)).await;
        visitor.sees("is your code for Northwind").await;
        let text = visitor.text().await;
        visitor.switch_to(before).await;
        let (until, _) = text.split_once(" is your code").expect("a code is in the subject");
        let mut digits: Vec<char> = until.chars().rev().filter(char::is_ascii_digit).take(6).collect();
        digits.reverse();
        digits.into_iter().collect()
    }

    /// Puts the mail that waits into the practice mailbox.
    pub async fn deliver_mail(&self) {
        self.app.settle().await;
        let folder = Arc::new(Folder::try_new(self.mail.path()).expect("the folder takes mail"));
        // A few leave at a time.
        while deliver_due(&self.app.app, folder.clone(), 100).await.expect("mail is sent") > 0 {}
    }
}

/// What an invoice says.
pub struct Paper {
    /// Who is billed.
    pub customer: CustomerId,
    /// Its number.
    pub number: String,
    /// Of every amount.
    pub currency: Currency,
    /// Minor units.
    pub total_minor: i64,
    /// When it is due.
    pub due: Date,
    /// What each line is for.
    pub what_for: String,
    /// So many equal lines.
    pub lines: i64,
}

impl Paper {
    /// In US dollars, due on 30 November.
    pub fn of(customer: CustomerId, number: &str, total_minor: i64) -> Paper {
        Paper {
            customer,
            number: number.to_owned(),
            currency: Currency::USD,
            total_minor,
            due: DUE,
            what_for: "Managed workplace, 25 seats".to_owned(),
            lines: 1,
        }
    }
}
