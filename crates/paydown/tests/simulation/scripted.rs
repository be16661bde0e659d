//! What people and the processor do in scripts: each step is done until it is known to be done, as people do.

use crate::world::{Issued, MERCHANT, Told, World};
use billing::allocation::Surplus;
use billing::ids::{PaymentId, SetupId};
use billing::line::Line;
use billing::payment::{Method, PaymentState};
use jiff::civil::date;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::issue_invoice::{self, NewInvoice, issue_invoice};
use paydown::actions::once::Ran;
use paydown::actions::record_payment::{RecordPayment, record_payment};
use paydown::actions::start_payment::{Agreement, Payer, StartPayment};
use paydown::actions::start_setup::{SetupStarted, StartSetup, start_setup};
use paydown::app::App;
use serde_json::{Value, json};
use store::db::Tx;
use store::payments::{self, Ending};

/// Nobody tries more often than that.
const TRIES: usize = 8;

impl World {
    /// An invoice of one line.
    pub fn script_invoice(&mut self, currency: Currency, total_minor: i64) -> usize {
        let customer = self.customers[0].0;
        let new = NewInvoice {
            merchant: MERCHANT,
            customer_id: customer,
            number: format!("INV-{}", self.invoices.len() + 1),
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
        for _ in 0..TRIES {
            let again = new.clone();
            let issued = self.live(async move |app: App| issue_invoice(&app, again).await);
            if let Some(Ok(Ok(issue_invoice::Issued::New(id) | issue_invoice::Issued::Unchanged(id)))) =
                issued
            {
                self.invoices.push(Issued { id, customer, currency });
                return self.invoices.len() - 1;
            }
        }
        panic!("the invoice was never issued");
    }

    /// Starts a payment and goes to its page: the same form again until there is one, a new form where the first came to nothing.
    pub fn script_page(&mut self, invoice: usize, method: Method, amount_minor: i64) -> Told {
        self.page_for(invoice, method, amount_minor, false)
    }

    /// The same for somebody who signed in and wants what they use to be kept.
    pub fn script_kept_page(&mut self, invoice: usize, method: Method, amount_minor: i64) -> Told {
        self.page_for(invoice, method, amount_minor, true)
    }

    fn page_for(&mut self, invoice: usize, method: Method, amount_minor: i64, keep: bool) -> Told {
        let invoice = self.invoices[invoice].clone();
        let mut form = self.form(&invoice, method, amount_minor);
        if keep {
            form.payer.contact_id = Some(self.customers[0].1);
        }
        form.means.keep = keep;
        let mut patience_seconds = 20 * 60;
        for _ in 0..TRIES {
            let sent = form.clone();
            let said = self.live(async move |app: App| super::operations::submit(&app, sent).await);
            if self.learned(&form, said).is_ok()
                && let Some(told) =
                    self.payments.iter().find(|told| told.payment == form.payment && told.session.is_some())
            {
                return told.clone();
            }
            match self.state(form.payment) {
                Some(PaymentState::Canceled | PaymentState::Failed) => {
                    form =
                        StartPayment { payment: self.form(&invoice, method, amount_minor).payment, ..form };
                }
                // "Continue" on the payment's page.
                Some(_) => {
                    if let Some(told) = self.page_of(&form, &invoice) {
                        return told;
                    }
                    // An error that the processor keeps under the key is waited out: it takes more than a day.
                    self.script_wait(patience_seconds);
                    patience_seconds *= 3;
                }
                // Not even begun: the processor's list could not be read, and in a moment it is tried again.
                None => self.script_wait(5),
            }
        }
        panic!("there was never a page");
    }

    /// The page of a payment that has one, as "continue" on its own page leads to.
    fn page_of(&mut self, form: &StartPayment, invoice: &Issued) -> Option<Told> {
        let id = form.payment;
        let read = async move |tx: &mut Tx| store::attempts::latest(tx, MERCHANT, id).await;
        let attempt = self.live(async |app: App| app.store.read(read).await)?.ok()??;
        let session = attempt.session_id?;
        self.told(id, invoice.id, form.amount_minor, form.method);
        let told = self.payments.iter_mut().find(|told| told.payment == id)?;
        told.session = Some(session);
        Some(told.clone())
    }

    /// The page on which somebody leaves a method without paying.
    pub fn script_setup(&mut self, method: Method) -> String {
        let contact_id = Some(self.customers[0].1);
        let agreement = Agreement { wording: "Later ones, when I ask.".to_owned(), user_agent: None };
        let started = self.live(async move |app: App| {
            let input = StartSetup {
                merchant: MERCHANT,
                setup: app.mint().id(SetupId::new),
                method,
                payer: Payer { session_hash: [1; 32], contact_id, link_id: None, client: None },
                agreement: method.is_bank_debit().then_some(agreement),
                language: "en".to_owned(),
            };
            start_setup(&app, input).await
        });
        match started {
            Some(Ok(SetupStarted::Page(url))) => url.rsplit('/').next().unwrap_or_default().to_owned(),
            other => panic!("there is no page: {other:?}"),
        }
    }

    /// What a payer types on the processor's page.
    pub fn script_pay(&mut self, told: &Told, input: &Value) {
        let session = told.session.as_deref().expect("a page");
        self.control(&format!("/sessions/{session}/pay"), input);
        self.collect_webhooks();
    }

    /// A payer gives up.
    pub fn script_cancel(&mut self, told: &Told) {
        for _ in 0..TRIES {
            let id = told.payment;
            let end = async move |app: App| cancel_payment(&app, MERCHANT, id, Ending::PayerCanceled).await;
            if matches!(self.live(end), Some(Ok(_))) {
                return;
            }
        }
        panic!("nobody could give up");
    }

    /// Staff record a cheque, and look whether it is there before they do it again.
    pub fn script_cheque(&mut self, invoice: usize, amount_minor: i64) {
        let invoice = self.invoices[invoice].clone();
        for _ in 0..TRIES {
            let id = invoice.id;
            let read = async move |tx: &mut Tx| payments::list_by_invoice(tx, MERCHANT, id).await;
            let found = self.live(async |app: App| app.store.read(read).await);
            let found = found.and_then(Result::ok).unwrap_or_default();
            if let Some(cheque) = found.iter().find(|found| found.method == Method::Cheque) {
                self.told(cheque.id, invoice.id, amount_minor, Method::Cheque);
                return;
            }
            let input = RecordPayment {
                merchant: MERCHANT,
                customer: None,
                method: Method::Cheque,
                reference: Some("1001".to_owned()),
                received_on: date(2026, 11, 16),
                currency: invoice.currency,
                amount_minor: None,
                allocations: vec![(id, amount_minor)],
                surplus: Surplus::CustomerCredit,
                actor: "script".to_owned(),
            };
            let ran = self.live(async move |app: App| record_payment(&app, input, None).await);
            if let Some(Ok(Ran::Refused(why))) = ran {
                panic!("the cheque was refused: {why}");
            }
        }
        panic!("the cheque was never recorded");
    }

    /// Every webhook on the network arrives, in order, and jobs run until they rest.
    pub fn script_settle(&mut self) {
        for _ in 0..4 {
            self.collect_webhooks();
            let waiting: Vec<_> = self.webhooks.drain(..).collect();
            for webhook in waiting {
                self.deliver(&webhook).expect("webhooks are taken");
            }
            self.run_everything_due().expect("jobs come to rest");
        }
    }

    /// So many seconds pass, then everything settles.
    pub fn script_wait(&mut self, seconds: u64) {
        self.clock.advance(std::time::Duration::from_secs(seconds));
        self.script_settle();
    }

    /// Where a payment stands.
    pub fn state(&mut self, id: PaymentId) -> Option<PaymentState> {
        let read = async move |tx: &mut Tx| payments::find(tx, MERCHANT, id).await;
        self.live(async |app: App| app.store.read(read).await)?.ok()?.map(|payment| payment.state)
    }
}

/// A card that pays.
pub fn visa() -> Value {
    json!({ "card": "4242424242424242" })
}
