//! A payment that the processor has and this database has lost, as after the restore of an older backup, is made again
//! from the marks on its page, and then held or booked as the processor says.
//!
//! Only where its invoice is here: an id is never given twice, so the page was made for this database. What was paid on
//! an invoice that is lost too is a person's. Nothing is made again of a payment that ended without money.

use crate::actions::cancel_payment::end_key;
use crate::actions::record_outcome::{self, Outcome};
use crate::actions::start_payment::processor_key;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::STRIPE;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::ids::{AnomalyId, EventId, JobId, PaymentId};
use billing::payment::{Hold, PaymentState};
use gateway::{ListedPage, Origin, PaymentFacts, Processor};
use jiff::SignedDuration;
use std::sync::Arc;
use store::anomalies::{self, Anomaly};
use store::attempts::{self, Attempt};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices::{self, Invoice};
use store::payments::{self, Payment};
use store::reservations::{self, Reservation, ReservationEnd};
use store::{customers, jobs};

/// Whose page is older was told of the payment when it was made, before it was lost: no second receipt goes out.
const RECEIPT_IS_NEWS_FOR: SignedDuration = SignedDuration::from_hours(1);
/// What is looked after soon.
const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(5);

/// What adopting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// The payment was made again.
    Made(PaymentId),
    /// It is here already.
    Known(PaymentId),
    /// It ended without money: there is nothing to make again.
    Ended,
    /// It asks for more than is payable now and has not ended yet.
    DoesNotFit,
    /// It was made for no invoice of this database.
    NotOurs,
}

/// Makes a payment again from what the processor says of it. One that asks for more than is payable now is ended at the
/// processor, if it still can be: nobody may pay an old total.
pub async fn adopt_payment(app: &App, processor: &dyn Processor, facts: PaymentFacts) -> Result<Adopted> {
    let Some(origin) = facts.origin.clone() else { return Ok(Adopted::NotOurs) };
    let session = facts.session.as_ref().map(|session| session.id.clone());
    match make_again(app, facts).await? {
        Adopted::DoesNotFit => {
            let session = session.context("an origin is read from a page")?;
            let facts = processor.expire_session(&session, &end_key(&app.mint(), origin.attempt)).await?;
            make_again(app, facts).await
        }
        adopted => Ok(adopted),
    }
}

/// Makes a payment again of which the processor does not say how it stands: its amount is held, if so much is payable, and
/// the reconciler goes on asking.
pub async fn adopt_unread(app: &App, listed: &ListedPage) -> Result<Adopted> {
    let facts = PaymentFacts {
        attempt: Some(listed.origin.attempt),
        merchant: Some(listed.origin.merchant),
        origin: Some(listed.origin.clone()),
        session: Some(listed.page.clone()),
        ..PaymentFacts::of_state(PaymentState::Unknown, false)
    };
    make_again(app, facts).await
}

async fn make_again(app: &App, facts: PaymentFacts) -> Result<Adopted> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &secrets, &facts).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, secrets: &SecretKey, facts: &PaymentFacts) -> Result<Adopted> {
    let Some(origin) = &facts.origin else { return Ok(Adopted::NotOurs) };
    let merchant = origin.merchant;
    let Some(invoice) = invoices::find(tx, merchant, origin.invoice).await? else {
        return Ok(Adopted::NotOurs);
    };
    if invoice.figures.currency != origin.amount.currency() {
        return Ok(Adopted::NotOurs);
    }
    customers::lock(tx, merchant, invoice.customer_id).await?;
    // Behind the lock: of two who bring the same page the second finds the first one's payment.
    if let Some(there) = attempts::find(tx, merchant, origin.attempt).await? {
        return Ok(Adopted::Known(there.payment_id));
    }
    if facts.state.hold() == Hold::Released {
        return Ok(Adopted::Ended);
    }
    let fits = invoices::reserve(tx, merchant, invoice.id, origin.amount.minor()).await?;
    // What was paid is booked even where it was taken back since: the processor's books have both.
    if !fits && !matches!(facts.state, PaymentState::Succeeded | PaymentState::Returned) {
        return Ok(Adopted::DoesNotFit);
    }
    // Where the payer sent the lost form again, its id is that payment's by now: this page is another one of its own.
    let taken = payments::find(tx, merchant, origin.payment).await?.is_some();
    let id = if taken { mint.id(PaymentId::new) } else { origin.payment };
    let payment = save(tx, mint, (id, origin), &invoice, fits).await?;
    let outcome = Outcome {
        merchant,
        payment: payment.id,
        facts: facts.clone(),
        source: "adopted from the processor",
        ending: None,
        unmade_after_calls: None,
    };
    record_outcome::in_tx(tx, mint, secrets, &outcome).await?;
    let (job, at) = (mint.id(JobId::new), mint.now + LOOK_AFTER);
    jobs::enqueue(tx, merchant, job, "reconcile_payment", &payment.id.to_string(), at, mint.now).await?;
    tell(tx, mint, &payment, &invoice).await?;
    Ok(Adopted::Made(payment.id))
}

/// The payment as it was when its page had been made. What only the lost rows told, such as who paid, stays unknown.
/// Money that was captured is booked though nothing of it can be held: what does not fit becomes credit.
async fn save(
    tx: &mut Tx,
    mint: &Mint,
    (id, origin): (PaymentId, &Origin),
    invoice: &Invoice,
    fits: bool,
) -> Result<Payment> {
    let made_at = origin.made_at.min(mint.now);
    let is_new = mint.now.duration_since(made_at) <= RECEIPT_IS_NEWS_FOR;
    let started = Payment::submitting(origin.merchant, id, invoice.customer_id, origin.amount, made_at);
    let payment = Payment {
        method: origin.method,
        surcharge_minor: origin.surcharge.minor(),
        receipt_email: origin.payer_email.clone().filter(|_| is_new),
        ..started
    };
    let inserted = payments::insert(tx, &payment, "made again from the processor's page").await?;
    anyhow::ensure!(inserted, "payment {} was made again at the same moment", payment.id);
    payments::set_redirected(tx, payment.merchant, payment.id, made_at).await?;
    let hold = Reservation {
        payment_id: payment.id,
        invoice_id: invoice.id,
        amount_minor: payment.amount_minor,
        live: true,
    };
    reservations::insert(tx, payment.merchant, &hold, mint.now).await?;
    if !fits {
        reservations::end(tx, payment.merchant, payment.id, ReservationEnd::Released, mint.now).await?;
    }
    // The call's body is lost. It is never needed: the page is known, so it is read and never asked for again.
    let (key, no_call) = (processor_key(origin.attempt), (String::new(), String::new()));
    attempts::insert(tx, &Attempt::first(&payment, origin.attempt, (STRIPE, key), no_call)).await?;
    attempts::note_call(tx, payment.merchant, origin.attempt, made_at).await?;
    Ok(payment)
}

/// The invoice's history shows it, and a person is told: what else was lost with it is not known.
async fn tell(tx: &mut Tx, mint: &Mint, payment: &Payment, invoice: &Invoice) -> Result<()> {
    let event = Event {
        id: mint.id(EventId::new),
        kind: "payment.adopted".to_owned(),
        invoice_id: Some(invoice.id),
        payment_id: Some(payment.id),
        data: format!("{{\"amount\":{}}}", payment.amount_minor),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, payment.merchant, &event).await?;
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "payment_adopted".to_owned(),
        payment_id: Some(payment.id),
        detail: format!(
            "invoice {}: the processor has this payment and this database had lost it, as after the restore of a \
             backup; it was made again from what the processor says",
            invoice.number
        ),
        at: mint.now,
    };
    anomalies::insert(tx, payment.merchant, &anomaly).await
}
