//! What must be true after every operation, of the rows that it changed; after some of the whole database; and at the end of both
//! sides' books.

use crate::world::{MERCHANT, World};
use billing::dispute::DisputeState;
use billing::ids::{InvoiceId, PaymentId, RefundId};
use billing::invoice::{Figures, Lifecycle};
use billing::payment::{Hold, PaymentState};
use billing::refund::RefundState;
use ledger::{Currency, Money};
use paydown::app::App;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use store::db::{Store, Tx};
use store::payments::Payment;
use store::refunds::Refund;
use store::{allocations, invoices, payments, postings, receipts, refunds, reservations, verify};

/// What the last look saw, so that only what changed is looked at closely.
#[derive(Default)]
pub struct Seen {
    invoices: HashMap<InvoiceId, (Lifecycle, Figures)>,
    payments: HashMap<PaymentId, PaymentState>,
    refunds: HashMap<RefundId, RefundState>,
}

impl World {
    /// Looks at every row people were told of, closely at those that have changed.
    pub fn check_rows(&mut self) -> Result<(), String> {
        let known: Vec<InvoiceId> = self.invoices.iter().map(|invoice| invoice.id).collect();
        let told: Vec<PaymentId> = self.payments.iter().map(|told| told.payment).collect();
        let refunds = self.refunds.clone();
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
            for id in refunds {
                let read = async move |tx: &mut Tx| refunds::find(tx, MERCHANT, id).await;
                let Some(refund) = app.store.read(read).await.expect("it can be read") else {
                    return Err(format!("{id} is gone, and somebody was told of it"));
                };
                if seen.refunds.insert(id, refund.state) != Some(refund.state) {
                    refund_is_sound(&app.store, &refund).await?;
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
        self.check_pages()?;
        self.check_refunds_there()?;
        self.check_disputes_there()?;
        self.check_stopped()
    }

    /// Each refund at the processor is one of ours, and stands as ours does.
    fn check_refunds_there(&mut self) -> Result<(), String> {
        let mut ours = HashMap::new();
        for refund in self.all_refunds()? {
            if let Some(name) = refund.learned.processor_refund_id.clone()
                && let Some(other) = ours.insert(name.clone(), refund)
            {
                return Err(format!("{} and another are both {name}", other.id));
            }
        }
        for told in self.refunds.clone() {
            if !self.all_refunds()?.iter().any(|refund| refund.id == told) {
                return Err(format!("{told} is gone, and somebody was told of it"));
            }
        }
        for theirs in self.listed("/v1/refunds") {
            // Made there and failed before we heard of it: nothing is left to be booked.
            let is_nothing = theirs["status"] == "failed" && theirs["metadata"]["paydown_refund"].is_null();
            if is_nothing && theirs["id"].as_str().is_some_and(|name| !ours.contains_key(name)) {
                continue;
            }
            let Some(found) = theirs["id"].as_str().and_then(|name| ours.remove(name)) else {
                return Err(format!("a refund of none of ours: {theirs}"));
            };
            let equal = theirs["status"] == found.state.as_str() && theirs["amount"] == found.amount.minor();
            if !equal {
                return Err(format!(
                    "{} is {:?} of {}; there: {theirs}",
                    found.id, found.state, found.amount
                ));
            }
        }
        match ours.into_keys().next() {
            Some(name) => Err(format!("the refund {name} is not at the processor")),
            None => Ok(()),
        }
    }

    /// Each dispute of a card at the processor is one of ours, and stands as ours does.
    fn check_disputes_there(&mut self) -> Result<(), String> {
        let ours: HashMap<String, _> = self
            .all_disputes()?
            .into_iter()
            .map(|found| (found.processor_dispute_id.clone(), found))
            .collect();
        for theirs in self.listed("/v1/disputes") {
            if theirs["payment_method_details"]["type"] != "card" {
                continue;
            }
            let Some(found) = theirs["id"].as_str().and_then(|name| ours.get(name)) else {
                return Err(format!("a dispute of none of ours: {theirs}"));
            };
            let expected = match theirs["status"].as_str().unwrap_or_default() {
                "won" | "warning_closed" => vec![DisputeState::Won],
                "lost" => vec![DisputeState::Lost, DisputeState::Accepted],
                _ => Vec::new(),
            };
            if !expected.contains(&found.state) || theirs["amount"] != found.amount.minor() {
                return Err(format!(
                    "{} is {:?} of {}; there: {theirs}",
                    found.id, found.state, found.amount
                ));
            }
        }
        Ok(())
    }

    fn check_pages(&mut self) -> Result<(), String> {
        let listed = self.control_read("/sessions").expect("sessions are listed");
        let mut attempts = BTreeSet::new();
        for session in listed["sessions"].as_array().expect("a list") {
            if session["mode"] == "setup" {
                continue;
            }
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

/// History and parts of a refund.
async fn refund_is_sound(store: &Store, refund: &Refund) -> Result<(), String> {
    let id = refund.id;
    let read = async move |tx: &mut Tx| {
        Ok((refunds::history(tx, MERCHANT, id).await?, refunds::parts(tx, MERCHANT, id).await?))
    };
    let (history, parts) = store.read(read).await.expect("rows can be read");
    let last = history.last().map(|step| step.state);
    if last != Some(refund.state) {
        return Err(format!("{id} is {:?} and its history ends with {last:?}", refund.state));
    }
    for pair in history.windows(2) {
        let is_numbered = pair[0].number + 1 == pair[1].number && pair[0].at <= pair[1].at;
        if !pair[0].state.may_become(pair[1].state) || !is_numbered {
            return Err(format!("{id} went from {:?} to {:?}", pair[0], pair[1]));
        }
    }
    let taken: i64 = parts.iter().map(|part| part.amount_minor).sum();
    match taken == refund.amount.minor() {
        true => Ok(()),
        false => Err(format!("{id} is of {} and its parts are {parts:?}", refund.amount)),
    }
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
