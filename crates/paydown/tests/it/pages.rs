//! The pages of invoices and payments as a payer meets them, over HTTP, without JavaScript.

mod amounts;
mod errors;
mod formats;
mod invoice;
mod list;
mod pay;
mod results;

use crate::test_app::TestApp;
use crate::web::{Browser, Page};
use billing::ids::{CustomerId, InvoiceId, PaymentId};
use billing::line::Line;
use jiff::SignedDuration;
use jiff::civil::{Date, date};
use ledger::Currency;
use paydown::actions::create_link::{create_link, link_url};
use paydown::actions::issue_invoice::{Issued, NewInvoice, issue_invoice};
use paydown::session::{new_token, session_name};
use scraper::{Html, Selector};
use store::contacts;
use store::db::Tx;
use store::sessions::{self, Session};

/// An invoice to be issued.
pub struct New {
    /// Its number.
    pub number: String,
    /// Who is billed.
    pub customer: CustomerId,
    /// In which currency.
    pub currency: Currency,
    /// Its total, minor units.
    pub total_minor: i64,
    /// When it is due.
    pub due_on: Date,
    /// The customer's order number.
    pub order: Option<&'static str>,
}

impl New {
    /// One in US dollars, due in two weeks.
    pub fn usd(app: &TestApp, number: &str, total_minor: i64) -> New {
        New {
            number: number.to_owned(),
            customer: app.customer,
            currency: Currency::USD,
            total_minor,
            due_on: date(2026, 11, 30),
            order: None,
        }
    }

    /// Issues it.
    pub async fn issue(self, app: &TestApp) -> InvoiceId {
        let line = |description: &str, unit_amount_minor| Line {
            description: description.to_owned(),
            quantity: 1.into(),
            unit_amount_minor,
            tax_rate: None,
        };
        let new = NewInvoice {
            merchant: app.merchant,
            customer_id: self.customer,
            number: self.number,
            currency: self.currency,
            issued_on: date(2026, 10, 16),
            due_on: self.due_on,
            purchase_order: self.order.map(str::to_owned),
            memo: None,
            lines: vec![line("Managed workplace", self.total_minor)],
        };
        match issue_invoice(&app.app, new).await.expect("the invoice is written") {
            Ok(Issued::New(id)) => id,
            other => panic!("the invoice was not issued: {other:?}"),
        }
    }
}

/// Issues an invoice and opens it by a link of its own; answers the path of its page.
pub async fn open_by_link(app: &TestApp, browser: &mut Browser, new: New) -> (InvoiceId, String) {
    let invoice = new.issue(app).await;
    (invoice, open(app, browser, invoice).await)
}

/// Opens an invoice by a link of its own; answers the path of its page.
pub async fn open(app: &TestApp, browser: &mut Browser, invoice: InvoiceId) -> String {
    let link =
        create_link(&app.app, app.merchant, invoice, None, "test").await.expect("stored").expect("there");
    let page = browser.get(&link_url(&app.app, app.merchant, link)).await;
    assert_eq!(page.status, 200, "{}", page.html);
    page.path
}

/// What the pay form of a page sends, with an e-mail address for the receipt.
pub fn filled(page: &Page) -> Vec<(&'static str, String)> {
    let mut form = vec![("receipt_email", "payer@acme.test".to_owned()), ("payer_reference", String::new())];
    for name in ["csrf", "intent", "amount", "fee", "fee_us_bank_account", "fee_sepa_debit"] {
        form.extend(
            attribute(page, &format!("main form[action$='/pay'] [name={name}]"), "value").map(|v| (name, v)),
        );
    }
    form
}

/// Sends a form to the pay page of an invoice.
pub async fn press(browser: &mut Browser, path: &str, form: &[(&'static str, String)]) -> Page {
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    browser.post(&format!("{path}/pay"), &form).await
}

/// Goes from the invoice to the card page with an amount; the payment, which waits there.
pub async fn start(browser: &mut Browser, path: &str, minor: i64) -> PaymentId {
    let page = browser.get(&format!("{path}/pay?amount={minor}")).await;
    let form = filled(&page);
    let left = press(browser, path, &form).await;
    assert!(left.left_for.is_some(), "{} {}", left.status, left.words());
    page.hidden("intent").parse().expect("the form carries the payment's id")
}

/// The path of a payment's page.
pub fn payment_path(payment: PaymentId) -> String {
    format!("/p/northwind/payments/{payment}")
}

/// The form with another value in one field.
pub fn with(form: &[(&'static str, String)], name: &'static str, value: &str) -> Vec<(&'static str, String)> {
    let others = form.iter().filter(|(field, _)| *field != name).cloned();
    others.chain([(name, value.to_owned())]).collect()
}

/// Signs the customer's contact in, as the code in the mail does.
pub async fn sign_in(app: &TestApp, browser: &mut Browser) {
    let (merchant, customer, now) = (app.merchant, app.customer, app.app.clock.now());
    let (token, token_hash) = new_token(&app.app.mint());
    let signed_in = app.app.store.write(async move |tx: &mut Tx| {
        let contact = contacts::list(tx, merchant, customer).await?.remove(0);
        let session = Session {
            token_hash,
            contact_id: Some(contact.id),
            email_key: Some(contact.email.clone()),
            created_at: now,
            seen_at: now,
            expires_at: now + SignedDuration::from_hours(24),
        };
        sessions::insert(tx, merchant, &session).await
    });
    signed_in.await.expect("the session is written");
    browser.cookies.insert(session_name(&browser.origin, merchant), token);
}

/// What the elements that match say, in order, as a person reads it: what stands apart on the page stands apart here.
pub fn texts(page: &Page, selector: &str) -> Vec<String> {
    let html = Html::parse_document(&page.html);
    html.select(&Selector::parse(selector).expect("a selector")).map(read).collect()
}

fn read(element: scraper::ElementRef<'_>) -> String {
    let parts = element.text().collect::<Vec<_>>().join(" ");
    let mut words = parts.split_whitespace().collect::<Vec<_>>().join(" ");
    for mark in [",", ".", ":", ")", "’"] {
        words = words.replace(&format!(" {mark}"), mark);
    }
    for mark in ["(", "‘"] {
        words = words.replace(&format!("{mark} "), mark);
    }
    words
}

/// What a test asks a page.
pub trait Tells {
    /// The words of its main part.
    fn told(&self) -> String;
    /// Asserts what it says.
    fn tells(&self, words: &str);
}

impl Tells for Page {
    fn told(&self) -> String {
        texts(self, "main").concat()
    }

    #[track_caller]
    fn tells(&self, words: &str) {
        let told = self.told();
        assert!(told.contains(words), "{} {} does not say {words:?}: {told}", self.status, self.path);
    }
}

/// An attribute of the first element that matches.
pub fn attribute(page: &Page, selector: &str, name: &str) -> Option<String> {
    let html = Html::parse_document(&page.html);
    let found = html.select(&Selector::parse(selector).expect("a selector")).next()?;
    found.value().attr(name).map(str::to_owned)
}
