//! What payers do: several of them, each with a browser of its own, impatient and forgetful.

use crate::world::{Issued, MERCHANT, Told, World};
use billing::ids::PaymentId;
use billing::payment::Method;
use ledger::Currency;
use paydown::actions::cancel_payment::cancel_payment;
use paydown::actions::reconcile_payment::reconcile_payment;
use paydown::actions::start_payment::{Agreement, Means, Payer, StartPayment, Started, start_payment};
use paydown::actions::submit_attempt::{Submitted, submit_undisturbed};
use paydown::app::App;
use serde_json::{Value, json};
use store::db::Tx;
use store::invoices;
use store::payments::Ending;

/// Cards with what comes of them: good, declined; the bank asks first, once, or each time; good until it is charged again; a refund
/// takes a day, or fails late; contested, or asked about, as soon as it is charged; a debit card.
const CARDS: [&str; 16] = [
    "4242424242424242",
    "4242424242424242",
    "4242424242424242",
    "5555555555554444",
    "4000000000000002",
    "4000000000009995",
    "4000000000003220",
    "4000002500003155",
    "4000002760003184",
    "4000000000000341",
    "4000000000007726",
    "4000000000005126",
    "4000000000000259",
    "4000000000002685",
    "4000000000001976",
    "4000056655665556",
];
/// Accounts in the United States: good, refused at once, refused later with several codes, taken back after success; a refund to the
/// last fails on the third day.
const US_ACCOUNTS: [&str; 9] = [
    "000123456789",
    "000123456789",
    "000222222227",
    "000111111113",
    "91010002",
    "91290003",
    "92100005",
    "92010001",
    "93000003",
];
/// The same in Europe.
const SEPA_ACCOUNTS: [&str; 4] =
    ["AT611904300234573201", "AT321904300235473204", "AT861904300235473202", "AT591904300235473203"];

impl World {
    /// An invoice, a newer one rather than an older one.
    pub fn some_invoice(&mut self) -> Option<Issued> {
        let count = self.invoices.len();
        let recent = self.draw(count.min(6));
        let at = if self.often(70) { count.checked_sub(1 + recent)? } else { self.draw(count) };
        self.invoices.get(at).cloned()
    }

    /// A payment, a newer one rather than an older one.
    pub fn some_payment(&mut self) -> Option<Told> {
        let count = self.payments.len();
        let recent = self.draw(count.min(5));
        let at = if self.often(75) { count.checked_sub(1 + recent)? } else { self.draw(count) };
        self.payments.get(at).cloned()
    }

    /// Somebody was told of a payment: it has to be there from now on.
    pub fn told(
        &mut self,
        payment: PaymentId,
        invoice: billing::ids::InvoiceId,
        amount_minor: i64,
        method: Method,
    ) {
        if !self.payments.iter().any(|told| told.payment == payment) {
            self.payments.push(Told {
                payment,
                invoice,
                amount_minor,
                method,
                session: None,
                is_saved: false,
            });
        }
    }

    /// What may fail only when something went wrong around it.
    pub fn excuse(&mut self, what: &str, error: &anyhow::Error) -> Result<(), String> {
        if self.fate.take_faults() > 0 {
            return Ok(());
        }
        Err(format!("{what} failed though nothing went wrong around it: {error:#}"))
    }

    /// An amount somebody would ask to pay of it: a part, all, too much or too little.
    pub fn some_amount(&mut self, invoice: &Issued) -> Option<i64> {
        let id = invoice.id;
        let read = async move |tx: &mut Tx| invoices::find(tx, MERCHANT, id).await;
        let found = self.live(async |app: App| app.store.read(read).await)?.ok()??;
        let payable = found.figures.open_minor - found.figures.pending_minor;
        Some(match self.draw(20) {
            0 => payable + 1,
            1 => 1,
            2..=6 => payable,
            _ => i64::try_from(self.draw(usize::try_from(payable.max(1)).unwrap_or(1))).unwrap_or(0).max(50),
        })
    }

    /// What somebody types on the processor's page.
    pub fn typed(&mut self, method: Method) -> Value {
        match method {
            Method::UsBankAccount => json!({ "account": US_ACCOUNTS[self.draw(US_ACCOUNTS.len())] }),
            Method::SepaDebit => json!({ "iban": SEPA_ACCOUNTS[self.draw(SEPA_ACCOUNTS.len())] }),
            _ => {
                let challenge = ["approve", "approve", "refuse", "nothing"][self.draw(4)];
                json!({ "card": CARDS[self.draw(CARDS.len())], "challenge": challenge })
            }
        }
    }

    /// A form as a payer sends it.
    pub fn form(&mut self, invoice: &Issued, method: Method, amount_minor: i64) -> StartPayment {
        let contact =
            self.customers.iter().find(|(customer, _)| *customer == invoice.customer).map(|found| found.1);
        let contact_id = contact.filter(|_| self.often(30));
        let mut session_hash = [0; 32];
        session_hash[..8].copy_from_slice(&(self.diary.len() as u64).to_be_bytes());
        session_hash[8] = u8::try_from(self.draw(200)).unwrap_or(0);
        let agreement = Agreement { wording: "Take it, once.".to_owned(), user_agent: None };
        let payment = self.live(async |app: App| app.mint().id(PaymentId::new));
        StartPayment {
            merchant: MERCHANT,
            invoice: invoice.id,
            payment: payment.unwrap_or_else(|| PaymentId::from_bytes([9; 16])),
            method,
            means: Means { keep: contact_id.is_some() && self.often(50), ..Means::default() },
            agreement: method.is_bank_debit().then_some(agreement),
            amount_minor,
            surcharge_minor: 0,
            payer: Payer { session_hash, contact_id, link_id: None, client: None },
            receipt_email: Some("dana@acme.example".to_owned()),
            payer_reference: None,
            language: "en".to_owned(),
        }
    }

    /// What a payer was told after a form: that there is a payment, and where its page is.
    pub fn learned(&mut self, form: &StartPayment, said: Option<anyhow::Result<Said>>) -> Result<(), String> {
        match said {
            Some(Ok(Said::Nothing)) | None => Ok(()),
            Some(Ok(Said::Payment(page))) => {
                self.told(form.payment, form.invoice, form.amount_minor, form.method);
                if let Some(told) = self.payments.iter_mut().find(|told| told.payment == form.payment) {
                    told.session = page.or(told.session.take());
                }
                Ok(())
            }
            Some(Err(error)) => self.excuse("paying", &error),
        }
    }
}

/// What a form was answered.
pub enum Said {
    /// No payment.
    Nothing,
    /// It is there; its page, where the payer is sent to it.
    Payment(Option<String>),
}

/// As the portal does: T1, then the call in a task of its own.
pub async fn submit(app: &App, mut form: StartPayment) -> anyhow::Result<Said> {
    let mut started = start_payment(app, form.clone()).await?;
    // The page shows what it costs now, and the payer agrees.
    if let Started::SurchargeChanged(now) = started {
        form.surcharge_minor = now.minor();
        started = start_payment(app, form).await?;
    }
    let payment = match started {
        Started::New(payment) => payment,
        Started::Repeated(_) => return Ok(Said::Payment(None)),
        _ => return Ok(Said::Nothing),
    };
    Ok(match submit_undisturbed(app, MERCHANT, payment).await? {
        Submitted::CardPage(url) => Said::Payment(url.rsplit('/').next().map(str::to_owned)),
        Submitted::State(_) => Said::Payment(None),
    })
}

fn start(world: &mut World, method: Method) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let method = match (method, invoice.currency == Currency::EUR) {
        (Method::UsBankAccount, true) => Method::SepaDebit,
        (method, _) => method,
    };
    let Some(amount) = world.some_amount(&invoice) else { return Ok(()) };
    let form = world.form(&invoice, method, amount);
    let sent = form.clone();
    let said = world.live(async move |app: App| submit(&app, sent).await);
    world.learned(&form, said)
}

pub(super) fn start_card(world: &mut World) -> Result<(), String> {
    start(world, Method::Card)
}

pub(super) fn start_debit(world: &mut World) -> Result<(), String> {
    start(world, Method::UsBankAccount)
}

/// Two people, one invoice, one moment: they may not both be told yes for more than is owed. The rows say whether they were.
pub(super) fn start_two(world: &mut World) -> Result<(), String> {
    let Some(invoice) = world.some_invoice() else { return Ok(()) };
    let Some(first) = world.some_amount(&invoice) else { return Ok(()) };
    let Some(second) = world.some_amount(&invoice) else { return Ok(()) };
    let one = world.form(&invoice, Method::Card, first);
    let two = if world.often(30) { one.clone() } else { world.form(&invoice, Method::Card, second) };
    let (a, b) = (one.clone(), two.clone());
    let said =
        world.live(async move |app: App| futures::future::join(submit(&app, a), submit(&app, b)).await);
    let Some((of_one, of_two)) = said else { return Ok(()) };
    world.learned(&one, Some(of_one))?;
    world.learned(&two, Some(of_two))
}

/// The same form again, perhaps with another amount in it.
pub(super) fn repeat(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    if !told.method.is_bank_debit() && told.method != Method::Card {
        return Ok(());
    }
    let Some(invoice) = world.invoices.iter().find(|invoice| invoice.id == told.invoice).cloned() else {
        return Ok(());
    };
    let amount = if world.often(70) { told.amount_minor } else { told.amount_minor + 7 };
    let form = StartPayment { payment: told.payment, ..world.form(&invoice, told.method, amount) };
    let said = world.live(async move |app: App| submit(&app, form).await);
    match said {
        Some(Err(error)) => world.excuse("submitting a form again", &error),
        _ => Ok(()),
    }
}

/// On the processor's page, of a payment whose page somebody was sent to.
pub(super) fn pay(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let Some(session) = told.session else { return Ok(()) };
    let input = world.typed(told.method);
    // Refused where the page is over.
    world.control(&format!("/sessions/{session}/pay"), &input);
    world.collect_webhooks();
    Ok(())
}

/// From the form to the processor's page and through it, without a pause.
pub(super) fn pay_at_once(world: &mut World) -> Result<(), String> {
    let before = world.payments.len();
    let method = if world.often(75) { Method::Card } else { Method::UsBankAccount };
    start(world, method)?;
    let Some(told) = world.payments.get(before).cloned() else { return Ok(()) };
    let Some(session) = told.session else { return Ok(()) };
    let typed = world.typed(told.method);
    world.control(&format!("/sessions/{session}/pay"), &typed);
    world.collect_webhooks();
    Ok(())
}

/// The return page: it looks, whatever the address says.
pub(super) fn come_back(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    let looked = async move |app: App| reconcile_payment(&app, MERCHANT, told.payment, "return page").await;
    match world.live(looked) {
        Some(Err(error)) => world.excuse("looking after a payment", &error),
        Some(Ok(None)) if told.session.is_some() => Err(format!("{} is not known", told.payment)),
        _ => Ok(()),
    }
}

/// "Back" on the processor's page, or "cancel it and start again".
pub(super) fn turn_back(world: &mut World) -> Result<(), String> {
    let Some(told) = world.some_payment() else { return Ok(()) };
    if told.session.is_none() && !told.is_saved {
        return Ok(());
    }
    let canceled =
        async move |app: App| cancel_payment(&app, MERCHANT, told.payment, Ending::PayerCanceled).await;
    match world.live(canceled) {
        Some(Err(error)) => world.excuse("giving a payment up", &error),
        _ => Ok(()),
    }
}
