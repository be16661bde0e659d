//! What must be true after every operation, of the rows that it changed; after some of the whole database; and at the end of both
//! sides' books.

use crate::world::{MERCHANT, World};
use billing::ids::{InvoiceId, PaymentId};
use billing::invoice::{Figures, Lifecycle};
use billing::payment::{Hold, PaymentState};
use ledger::{Currency, Money};
use paydown::app::App;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::db::{Store, Tx};
use store::payments::Payment;
use store::{allocations, invoices, payments, postings, receipts, reservations, verify};

/// What the last look saw, so that only what changed is looked at closely.
#[derive(Default)]
pub struct Seen {
    invoices: HashMap<InvoiceId, (Lifecycle, Figures)>,
    payments: HashMap<PaymentId, PaymentState>,
}

impl World {
    /// Looks at every row people were told of, closely at those that have changed.
    pub fn check_rows(&mut self) -> Result<(), String> {
        let known: Vec<InvoiceId> = self.invoices.iter().map(|invoice| invoice.id).collect();
        let told: Vec<PaymentId> = self.payments.iter().map(|told| told.payment).collect();
        let mut seen = std::mem::take(&mut self.seen);
        let checked = self.live(async |app: App| {
            let mut changed = BTreeSet::new();
            for id in told {
                let Some(payment) = payment(&app.store, id).await else {
                    return Err(format!("{id} is gone, and somebody was told of it"));
                };
                if seen.payments.insert(id, payment.state) != Some(payment.state) {
                    changed.extend(payment_is_sound(&app.store, &payment).await?);
                }
            }
            for id in known {
                let read = async move |tx: &mut Tx| invoices::find(tx, MERCHANT, id).await;
                let Some(invoice) = app.store.read(read).await.expect("it can be read") else {
                    return Err(format!("{id} is gone, and somebody was told of it"));
                };
                let now = (invoice.lifecycle, invoice.figures);
                if seen.invoices.insert(id, now) != Some(now) || changed.contains(&id) {
                    invoice_is_sound(&app.store, id, now).await?;
                }
            }
            Ok(())
        });
        self.seen = seen;
        checked.unwrap_or(Ok(()))
    }

    /// The whole of `verify`.
    pub fn verify(&mut self) -> Result<(), String> {
        let report =
            self.live(async |app: App| verify::verify(&app.store, &verify::Options::default()).await);
        match report {
            Some(Ok(report)) if is_clean(&report) => Ok(()),
            Some(Ok(report)) => Err(format!("verify: {:#?}", report.findings)),
            Some(Err(error)) => Err(format!("verify cannot look: {error:#}")),
            None => Ok(()),
        }
    }

    /// Both sides' books are equal, and each page that was paid is a payment that was captured once.
    pub fn check_books(&mut self) -> Result<(), String> {
        let books = self.processor.books().map_err(|error| format!("the processor's books: {error:#}"))?;
        let mut theirs = BTreeMap::new();
        for (code, books) in &books.currencies {
            let currency = Currency::try_new(&code.to_uppercase()).expect("a currency");
            theirs.insert(currency.code(), books.net_minor + books.unbooked_minor);
        }
        let read = async move |tx: &mut Tx| postings::balances(tx, MERCHANT, billing::chart::CLEARING).await;
        let ours = self.live(async |app: App| app.store.read(read).await.expect("balances can be read"));
        let ours: BTreeMap<_, _> = ours
            .expect("nothing dies any more")
            .iter()
            .map(|money: &Money| (money.currency().code(), money.minor()))
            .collect();
        let all: BTreeSet<_> = ours.keys().chain(theirs.keys()).copied().collect();
        for code in all {
            let (our, their) = (ours.get(code).copied().unwrap_or(0), theirs.get(code).copied().unwrap_or(0));
            if our != their {
                return Err(format!(
                    "account 1200 has {our} {code}, the processor's books {their}: {books:#?}"
                ));
            }
        }
        self.check_pages()
    }

    fn check_pages(&mut self) -> Result<(), String> {
        let listed = self.control_read("/sessions").expect("sessions are listed");
        let mut attempts = BTreeSet::new();
        for session in listed["sessions"].as_array().expect("a list") {
            let attempt = session["client_reference_id"].as_str().unwrap_or_default().to_owned();
            if !attempts.insert(attempt) {
                return Err(format!("two pages of one attempt: {session}"));
            }
            let is_paid = session["payment_intent"]["status"] == "succeeded";
            let id = session["metadata"]["paydown_payment"].as_str();
            let Some(id) = id.and_then(|id| id.parse::<PaymentId>().ok()) else {
                return Err(format!("a page of no payment: {session}"));
            };
            let found = self.live(async |app: App| payment(&app.store, id).await).flatten();
            let Some(found) = found else { return Err(format!("the payment {id} of a page is not here")) };
            let captured = found.captured.is_some();
            if captured != is_paid {
                return Err(format!("{id} is {:?} and its page: {session}", found.state));
            }
        }
        Ok(())
    }
}

async fn payment(store: &Store, id: PaymentId) -> Option<Payment> {
    store.read(async move |tx: &mut Tx| payments::find(tx, MERCHANT, id).await).await.expect("it can be read")
}

/// History, hold, receipt and places of a payment's money; answers the invoices it concerns.
async fn payment_is_sound(store: &Store, payment: &Payment) -> Result<Vec<InvoiceId>, String> {
    let id = payment.id;
    let read = async move |tx: &mut Tx| {
        Ok((
            payments::history(tx, MERCHANT, id).await?,
            reservations::list(tx, MERCHANT, id).await?,
            receipts::find(tx, MERCHANT, id).await?,
            payments::invoices(tx, MERCHANT, id).await?,
        ))
    };
    let (history, held, receipt, invoices) = store.read(read).await.expect("rows can be read");
    let last = history.last().map(|step| step.state);
    if last != Some(payment.state) {
        return Err(format!("{id} is {:?} and its history ends with {last:?}", payment.state));
    }
    for pair in history.windows(2) {
        let is_numbered = pair[0].number + 1 == pair[1].number && pair[0].at <= pair[1].at;
        if !pair[0].state.may_become(pair[1].state) || !is_numbered {
            return Err(format!("{id} went from {:?} to {:?}", pair[0], pair[1]));
        }
    }
    let live: i64 = held.iter().filter(|held| held.live).map(|held| held.amount_minor).sum();
    let should_hold = if payment.state.hold() == Hold::Held { payment.amount_minor } else { 0 };
    if live != should_hold {
        return Err(format!("{id} is {:?} and holds {live} of {}", payment.state, payment.amount_minor));
    }
    let was_captured = history.iter().any(|step| step.state == PaymentState::Succeeded);
    // What was captured in another currency has no place on an invoice, and so no receipt.
    let wants_receipt = payment.captured.is_some_and(|captured| captured.currency() == payment.currency);
    if receipt.is_some() != wants_receipt || payment.captured.is_some() != was_captured {
        return Err(format!(
            "{id} is {:?}: captured {:?}, receipt {receipt:?}",
            payment.state, payment.captured
        ));
    }
    Ok(invoices)
}

/// Open, pending and paid are what reservations and allocations say.
async fn invoice_is_sound(
    store: &Store,
    id: InvoiceId,
    (lifecycle, figures): (Lifecycle, Figures),
) -> Result<(), String> {
    let read = async move |tx: &mut Tx| {
        let mut pending = 0;
        for payment in payments::list_by_invoice(tx, MERCHANT, id).await? {
            if payment.state.hold() == Hold::Held {
                let held = reservations::list(tx, MERCHANT, payment.id).await?;
                let here = held.iter().filter(|held| held.live && held.invoice_id == id);
                pending += here.map(|held| held.amount_minor).sum::<i64>();
            }
        }
        let set = allocations::list_by_invoice(tx, MERCHANT, id).await?;
        Ok((pending, set.iter().map(|set| set.amount_minor).sum::<i64>()))
    };
    let (pending, paid) = store.read(read).await.expect("rows can be read");
    let Figures { open_minor, pending_minor, paid_minor, total_minor, .. } = figures;
    let is_bounded = 0 <= pending_minor && pending_minor <= open_minor && open_minor <= total_minor;
    let foots = match lifecycle {
        Lifecycle::Draft | Lifecycle::Void => open_minor == 0 && paid_minor == 0 && pending_minor == 0,
        _ => paid_minor + open_minor <= total_minor,
    };
    if is_bounded && foots && pending == pending_minor && paid == paid_minor {
        return Ok(());
    }
    Err(format!("{id} is {lifecycle:?} with {figures:?}; {pending} is held on it and {paid} set against it"))
}

/// Whether `verify` found nothing.
pub fn is_clean(report: &verify::VerifyReport) -> bool {
    report.is_clean()
}
