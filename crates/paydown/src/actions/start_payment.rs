//! T1: a payer asks to pay an amount. Checked, reserved and stored in one transaction, before any processor is called.
//!
//! The form carries the payment's id, made when it was drawn. A repeat of the form finds that payment and starts no
//! second one, whatever it asks for.

mod again;
mod saved;
mod terms;

pub use again::NotAgain;
pub(in crate::actions) use again::is_too_late;
pub(crate) use saved::has_expired;
pub use terms::{of_any, offered, passed_on, surcharge, terms};

use crate::actions::card_testing::{self, Braked};
use crate::actions::catch_up::{is_caught_up, wait_until_caught_up};
use crate::actions::end_mandate;
use crate::actions::register_payer::register_payer;
use crate::actions::start_payment::saved::Chosen;
use crate::app::App;
use crate::client_address::ClientAddress;
use crate::clock::Mint;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::amount::{Accepted, Refusal};
use billing::ids::{
    AttemptId, AuditId, ContactId, EventId, InvoiceId, JobId, LinkId, MandateId, MerchantId, PaymentId,
    PaymentMethodId,
};
use billing::payment::{Method, PaymentState};
use gateway::{Checkout, Processor};
use jiff::{SignedDuration, Timestamp};
use ledger::Money;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use store::attempts::{self, Attempt};
use store::audit::{self, AuditRow, acts};
use store::db::{StoreError, Tx};
use store::events::{self, Event};
use store::idempotency::{self, Done, Key};
use store::invoices::{self, Invoice};
use store::mails::MailKind;
use store::mandates::{Account, GivenFor, Mandate, Rule};
use store::merchants::{self, Merchant};
use store::payments::{self, Payment};
use store::reservations::{self, Reservation};
use store::{contacts, jobs, mandates};

/// A hosted page ends by itself after so long, whatever else fails.
pub const PAGE_LIFE: SignedDuration = SignedDuration::from_hours(1);
/// The reconciler looks after a payment that nobody finished submitting after so long.
const LOOK_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Who pays, as far as the browser session tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// SHA-256 of the session's token.
    pub session_hash: [u8; 32],
    /// The contact who signed in.
    pub contact_id: Option<ContactId>,
    /// The link through which the invoice was opened.
    pub link_id: Option<LinkId>,
    /// Where the browser is; `None` where no browser asked.
    pub client: Option<ClientAddress>,
}

/// What a payer read and agreed to before going to the bank page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The text, word for word.
    pub wording: String,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

/// With what a payment is made, beyond its kind.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// A saved method of the payer, which is charged without a page.
    pub saved: Option<PaymentMethodId>,
    /// True to keep what is used on the processor's page. Only for somebody who signed in.
    pub keep: bool,
    /// Who charges the saved method where the payer is not there, for the audit trail: staff, a program, or a rule that the payer
    /// agreed to. Nobody can be asked then, so a bank that wants to see the payer is a decline.
    pub charged_by: Option<String>,
    /// The first debit that this one presents again; what it asks for is as it was then.
    pub retries: Option<PaymentId>,
    /// How a program knows its request again.
    pub request: Option<Request>,
}

/// A request that its caller may repeat.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose key: the printed id of an API key.
    pub owner: String,
    /// Which route.
    pub route: &'static str,
    /// The key itself.
    pub key: String,
    /// SHA-256 of what was asked for.
    pub request_hash: [u8; 32],
}

/// What a payer asks for.
#[derive(Clone, Debug)]
pub struct StartPayment {
    /// Whose invoice.
    pub merchant: MerchantId,
    /// Which invoice; that the payer may see it was checked.
    pub invoice: InvoiceId,
    /// Made when the form was drawn.
    pub payment: PaymentId,
    /// By what means the payer pays: a card, or a debit of a bank account.
    pub method: Method,
    /// With what.
    pub means: Means,
    /// What the payer allows, where an account is debited.
    pub agreement: Option<Agreement>,
    /// What the form showed, minor units of the invoice's currency.
    pub amount_minor: i64,
    /// The surcharge that the form showed, minor units.
    pub surcharge_minor: i64,
    /// Who pays.
    pub payer: Payer,
    /// Where the receipt goes besides.
    pub receipt_email: Option<String>,
    /// The payer's own words.
    pub payer_reference: Option<String>,
    /// Language tag for the processor's page.
    pub language: String,
}

/// What starting came to.
#[derive(Clone, Debug)]
pub enum Started {
    /// Reserved and stored; now the call is made.
    New(PaymentId),
    /// The same form again.
    Repeated(Box<Payment>),
    /// The same form asked for another amount before.
    OtherAmount(Box<Payment>),
    /// The amount is refused; nothing was reserved.
    Refused(Box<Refusal>),
    /// The surcharge is another one by now.
    SurchargeChanged(Money),
    /// No such invoice, or the payment of this id is somebody else's.
    NotFound,
    /// The merchant wants to know who pays so much, and this payer has not signed in for the customer.
    IdentityNeeded,
    /// This payer tried too often; it works again then.
    TooMany(Timestamp),
    /// Too many cards were declined at this merchant; payments go on about then.
    Paused(Timestamp),
    /// What the processor knows is still being looked through, as after every start: in a moment payments go on.
    CatchingUp,
    /// The merchant does not offer this method, or not in this currency.
    MethodNotOffered,
    /// The saved method was removed, has expired, may not be debited any more, or is not this payer's.
    SavedGone,
    /// The last debit of this account for this invoice came back, and this one may not follow it.
    NotAgain(Box<NotAgain>),
    /// Something else was asked for under the same key.
    OtherRequest,
    /// The merchant has no processor.
    NoProcessor,
}

/// Starts a payment on the processor's page.
pub async fn start_payment(app: &App, input: StartPayment) -> Result<Started> {
    let processor = app.processors.of(&app.store, &app.secrets, input.merchant).await?;
    let Some(processor) = processor else { return Ok(Started::NoProcessor) };
    let merchant = input.merchant;
    if !is_caught_up(app, merchant)
        && !is_there(app, &input).await?
        && !wait_until_caught_up(app, merchant).await
    {
        return Ok(Started::CatchingUp);
    }
    let customer = match input.payer.contact_id.filter(|_| input.means.saved.is_none()) {
        Some(contact) => register_payer(app, &*processor, input.merchant, contact).await,
        None => None,
    };
    let work = Work { mint: app.mint(), processor, public_url: Arc::clone(&app.public_url), customer, input };
    commit(app, Arc::new(work)).await
}

/// True for a form that was submitted before: it starts nothing new, so it waits for nothing.
async fn is_there(app: &App, input: &StartPayment) -> Result<bool> {
    let (merchant, payment) = (input.merchant, input.payment);
    let found = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await);
    Ok(found.await?.is_some())
}

/// Runs T1. Where the database went away while it committed, it is run again: if the first run was committed, the
/// second finds its payment.
async fn commit(app: &App, work: Arc<Work>) -> Result<Started> {
    let mut is_rerun = false;
    loop {
        let again = Arc::clone(&work);
        match app.store.write(async move |tx: &mut Tx| in_tx(tx, &again).await).await {
            Err(error) if !is_rerun && is_commit_unknown(&error) => {
                tracing::warn!(payment = %work.input.payment, "it is not known whether a payment was committed");
                is_rerun = true;
            }
            Ok(Started::Repeated(payment)) if is_rerun && payment.state == PaymentState::Submitting => {
                return Ok(Started::New(payment.id));
            }
            started => return started,
        }
    }
}

fn is_commit_unknown(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<StoreError>(), Some(StoreError::CommitUnknown(_)))
}

struct Work {
    mint: Mint,
    processor: Arc<dyn Processor>,
    public_url: Arc<str>,
    customer: Option<String>,
    input: StartPayment,
}

/// A program's request is claimed before anything is looked at, so that of two at once one waits; what was refused is let go.
async fn in_tx(tx: &mut Tx, work: &Work) -> Result<Started> {
    let Some(request) = &work.input.means.request else { return judge(tx, work).await };
    let (merchant, mint) = (work.input.merchant, &work.mint);
    let key = Key { owner: &request.owner, route: request.route, key: &request.key };
    if !idempotency::claim(tx, merchant, key, &request.request_hash, mint.now).await? {
        let done = idempotency::find(tx, merchant, key).await?.context("a key was swept in a moment")?;
        if done.request_hash != request.request_hash {
            return Ok(Started::OtherRequest);
        }
        let before = payments::find(tx, merchant, done.resource.parse()?).await?;
        return Ok(Started::Repeated(Box::new(before.context("a payment is never deleted")?)));
    }
    let started = judge(tx, work).await?;
    match &started {
        Started::New(payment) => {
            idempotency::answer(tx, merchant, key, &payment.to_string(), "").await?;
        }
        _ => idempotency::delete_claim(tx, merchant, key).await?,
    }
    Ok(started)
}

async fn judge(tx: &mut Tx, work: &Work) -> Result<Started> {
    let Work { mint, processor, input, .. } = work;
    let request_hash = request_hash(input);
    let Some(invoice) = invoices::lock(tx, input.merchant, input.invoice).await? else {
        return Ok(Started::NotFound);
    };
    // Behind the lock: of two clicks at once the second waits for the first, and then has to find its payment.
    if let Some(before) = payments::find(tx, input.merchant, input.payment).await? {
        return repeated(tx, input, before, request_hash).await;
    }
    let currency = invoice.figures.currency;
    let offers = offered(tx, input.merchant, &**processor, currency).await?;
    let Some((method, limits)) = offers.into_iter().find(|(method, _)| *method == input.method) else {
        return Ok(Started::MethodNotOffered);
    };
    let chosen = match input.means.saved {
        Some(id) => match saved::choose(tx, mint, input, &invoice, id).await? {
            Some(chosen) => Some(chosen),
            None => return Ok(Started::SavedGone),
        },
        None => None,
    };
    let terms = terms(tx, &invoice, (method, limits)).await?;
    let accepted = match terms.decide(input.amount_minor) {
        Ok(accepted) => accepted,
        Err(refusal) => return Ok(Started::Refused(Box::new(refusal))),
    };
    let surcharge = match input.means.retries {
        // As it was when it was agreed to.
        Some(_) => Money::new(input.surcharge_minor, currency),
        None => surcharge(tx, &invoice, accepted.amount, (method, limits)).await?,
    };
    if surcharge.minor() != input.surcharge_minor {
        return Ok(Started::SurchargeChanged(surcharge));
    }
    let retry_of = match &chosen {
        Some(chosen) => {
            let total = Money::new(input.amount_minor.saturating_add(surcharge.minor()), currency);
            match again::judge(tx, input, (&invoice, chosen), (total, mint.now)).await? {
                Ok(retry_of) => retry_of,
                Err(why) => return Ok(Started::NotAgain(why)),
            }
        }
        None => None,
    };
    let must_be_known =
        input.means.charged_by.is_none() && terms.policy.identify.is_demanded_for(accepted.amount);
    if must_be_known && !is_known(tx, input, &invoice).await? {
        return Ok(Started::IdentityNeeded);
    }
    match card_testing::brake(tx, input.merchant, &input.payer, mint.now).await? {
        Some(Braked::TooMany(until)) => return Ok(Started::TooMany(until)),
        Some(Braked::Paused(until)) => return Ok(Started::Paused(until)),
        None => {}
    }
    let reserved = invoices::reserve(tx, input.merchant, input.invoice, accepted.amount.minor()).await?;
    anyhow::ensure!(reserved, "invoice {} changed while it was locked", input.invoice);
    reserved_now(tx, work, &invoice, (accepted, surcharge), (chosen.as_ref(), retry_of)).await
}

/// The amount is reserved: the payment, what the payer allowed, and the whole call are stored.
async fn reserved_now(
    tx: &mut Tx,
    work: &Work,
    invoice: &Invoice,
    amounts: (Accepted, Money),
    (chosen, retry_of): (Option<&Chosen>, Option<PaymentId>),
) -> Result<Started> {
    let Work { mint, input, .. } = work;
    let merchant = merchants::find(tx, input.merchant).await?.context("an invoice has a merchant")?;
    let payment = save(tx, work, invoice, amounts, (chosen, retry_of)).await?;
    anyhow::ensure!(
        input.means.charged_by.is_some() || input.agreement.is_some() == input.method.is_bank_debit(),
        "an account is debited where the payer allowed it, and nothing else is"
    );
    if let Some(agreement) = &input.agreement {
        let mandate = mandate(mint, input, agreement, (&payment, chosen));
        mandates::insert(tx, input.merchant, &mandate).await?;
        if payment.send_at.is_some() {
            end_mandate::mail(tx, mint, input.merchant, &mandate, MailKind::Agreement).await?;
        }
    }
    let attempt = attempt(work, (&merchant, invoice, &payment), chosen)?;
    attempts::insert(tx, &attempt).await?;
    let id = payment.id.to_string();
    if input.means.request.is_none() {
        let done = Done { request_hash: request_hash(input), resource: id.clone() };
        let kept = idempotency::insert(tx, input.merchant, key(&id), &done, mint.now).await?;
        anyhow::ensure!(kept, "payment {id} was kept before it was made");
    }
    let job = mint.id(JobId::new);
    let look_at = payment.send_at.unwrap_or(mint.now + LOOK_AFTER);
    jobs::enqueue(tx, input.merchant, job, "reconcile_payment", &id, look_at, mint.now).await?;
    Ok(Started::New(payment.id))
}

/// True when the payer signed in as somebody of the customer.
async fn is_known(tx: &mut Tx, input: &StartPayment, invoice: &Invoice) -> Result<bool> {
    let Some(contact) = input.payer.contact_id else { return Ok(false) };
    let contact = contacts::find(tx, input.merchant, contact).await?;
    Ok(contact.is_some_and(|contact| contact.customer_id == invoice.customer_id))
}

/// A form that was submitted before: its payment, unless it is not the payer's to see.
async fn repeated(
    tx: &mut Tx,
    input: &StartPayment,
    before: Payment,
    request_hash: [u8; 32],
) -> Result<Started> {
    let same_session = before.session_hash == Some(input.payer.session_hash);
    let same_contact = before.contact_id.is_some() && before.contact_id == input.payer.contact_id;
    if !same_session && !same_contact {
        return Ok(Started::NotFound);
    }
    let done = idempotency::find(tx, input.merchant, key(&before.id.to_string())).await?;
    let same = match done {
        Some(done) => done.request_hash == request_hash,
        // The record has had its month; the payment itself is kept for ever.
        None => {
            let holds = reservations::list(tx, input.merchant, before.id).await?;
            let same_invoice = holds.first().is_some_and(|hold| hold.invoice_id == input.invoice);
            same_invoice && before.amount_minor == input.amount_minor
        }
    };
    Ok(if same { Started::Repeated(Box::new(before)) } else { Started::OtherAmount(Box::new(before)) })
}

async fn save(
    tx: &mut Tx,
    work: &Work,
    invoice: &Invoice,
    (accepted, surcharge): (Accepted, Money),
    (chosen, retry_of): (Option<&Chosen>, Option<PaymentId>),
) -> Result<Payment> {
    let Work { mint, input, .. } = work;
    let send_at = chosen.and_then(|chosen| chosen.send_at);
    let started =
        Payment::submitting(input.merchant, input.payment, invoice.customer_id, accepted.amount, mint.now);
    let payment = Payment {
        method: input.method,
        surcharge_minor: surcharge.minor(),
        contact_id: input.payer.contact_id,
        link_id: input.payer.link_id,
        session_hash: Some(input.payer.session_hash).filter(|_| input.means.charged_by.is_none()),
        receipt_email: input.receipt_email.clone(),
        payer_reference: input.payer_reference.clone(),
        language: input.language.clone(),
        state: if send_at.is_some() { PaymentState::Created } else { PaymentState::Submitting },
        payment_method_id: input.means.saved,
        send_at,
        retry_of,
        keeps_method: input.means.keep && chosen.is_none() && work.customer.is_some(),
        instrument_name: chosen.map(|chosen| chosen.saved.name.clone()),
        instrument_last4: chosen.map(|chosen| chosen.saved.last4.clone()),
        ..started
    };
    let why = match (&input.means.charged_by, retry_of) {
        (Some(_), Some(_)) => "a debit that came back is presented again",
        (Some(_), None) => "a saved method is charged",
        (None, _) => "the payer pressed pay",
    };
    let inserted = payments::insert(tx, &payment, why).await?;
    anyhow::ensure!(inserted, "payment {} was started at the same moment", payment.id);
    if let Some(client) = input.payer.client {
        payments::note_client(tx, input.merchant, payment.id, &client.to_string()).await?;
    }
    let hold = Reservation {
        payment_id: payment.id,
        invoice_id: invoice.id,
        amount_minor: accepted.amount.minor(),
        live: true,
    };
    reservations::insert(tx, input.merchant, &hold, mint.now).await?;
    let event = Event {
        id: mint.id(EventId::new),
        kind: "payment.started".to_owned(),
        invoice_id: Some(invoice.id),
        payment_id: Some(payment.id),
        data: format!("{{\"amount\":{}}}", accepted.amount.minor()),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, input.merchant, &event).await?;
    if let Some(actor) = &input.means.charged_by {
        audit::append(tx, input.merchant, &charged(mint, input, actor)).await?;
    }
    Ok(payment)
}

/// Who charges a saved method, for the trail.
fn charged(mint: &Mint, input: &StartPayment, actor: &str) -> AuditRow {
    let saved = input.means.saved.map(|saved| saved.to_string());
    AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.to_owned(),
        act: acts::PAYMENT_CHARGE.to_owned(),
        object: input.payment.to_string(),
        before: "null".to_owned(),
        after: json!({
            "payment_method": saved,
            "amount": input.amount_minor,
            "retry_of": input.means.retries.map(|first| first.to_string()),
        })
        .to_string(),
        at: mint.now,
    }
}

fn mandate(
    mint: &Mint,
    input: &StartPayment,
    agreement: &Agreement,
    (payment, chosen): (&Payment, Option<&Chosen>),
) -> Mandate {
    Mandate {
        id: mint.id(MandateId::new),
        given_for: GivenFor::Payment(payment.id),
        customer_id: payment.customer_id,
        contact_id: payment.contact_id,
        method: payment.method,
        rule: if payment.keeps_method { Rule::Standing } else { Rule::Once },
        wording: agreement.wording.clone(),
        wording_hash: Sha256::digest(&agreement.wording).into(),
        amount: Some(Money::new(
            payment.amount_minor.saturating_add(payment.surcharge_minor),
            payment.currency,
        )),
        payer_email: payment.receipt_email.clone(),
        client: input.payer.client.map(|client| client.to_string()),
        user_agent: agreement.user_agent.clone(),
        language: payment.language.clone(),
        offered_at: mint.now,
        // Of a saved account nothing more is learned: it is agreed to here.
        accepted_at: chosen.map(|_| mint.now),
        account: chosen.map_or_else(Account::default, |chosen| chosen.account.clone()),
        ended: None,
    }
}

fn attempt(
    work: &Work,
    (merchant, invoice, payment): (&Merchant, &Invoice, &Payment),
    chosen: Option<&Chosen>,
) -> Result<Attempt> {
    let id = work.mint.id(AttemptId::new);
    let pages = format!("{}/p/{}/payments/{}", work.public_url, merchant.slug, payment.id);
    let charge =
        payment.amount_minor.checked_add(payment.surcharge_minor).context("the charge is too large")?;
    let charge = Money::new(charge, payment.currency);
    if let Some(chosen) = chosen {
        let is_waited_for = payment.send_at.is_none() && work.input.means.charged_by.is_none();
        let return_url = is_waited_for.then(|| format!("{pages}/return"));
        let request = chosen.charge((id, payment), (merchant, invoice), charge, return_url);
        let call = work.processor.saved_charge(&request)?;
        return Ok(Attempt::first(payment, id, (STRIPE, processor_key(id)), (call.route, call.body)));
    }
    let checkout = Checkout {
        attempt: id,
        payment: payment.id,
        merchant: payment.merchant,
        method: payment.method,
        save: payment.keeps_method,
        charge,
        description: format!("{} invoice {}", merchant.name, invoice.number),
        invoice: invoice.id,
        invoice_number: invoice.number.clone(),
        surcharge_minor: payment.surcharge_minor,
        customer: work.customer.clone(),
        payer_email: payment.receipt_email.clone(),
        success_url: format!("{pages}/return"),
        cancel_url: format!("{pages}/turned-back"),
        expires_at: work.mint.now + PAGE_LIFE,
        statement_suffix: None,
        locale: work.input.language.clone(),
    };
    let call = work.processor.checkout(&checkout)?;
    Ok(Attempt::first(payment, id, (STRIPE, processor_key(id)), (call.route, call.body)))
}

/// What the processor knows an attempt's call by, for ever.
pub(super) fn processor_key(attempt: AttemptId) -> String {
    format!("paydown-{attempt}")
}

fn key(payment: &str) -> Key<'_> {
    Key { owner: "portal", route: "start_payment", key: payment }
}

fn request_hash(input: &StartPayment) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(input.invoice.as_bytes());
    hash.update(input.amount_minor.to_be_bytes());
    if input.method != Method::Card {
        hash.update(input.method.as_str());
    }
    if let Some(saved) = &input.means.saved {
        hash.update(saved.as_bytes());
    }
    hash.finalize().into()
}

/// When a payment that was left alone is given up: so long after the payer was sent away, or after it was started.
pub fn abandoned_at(payment: &Payment, merchant: &Merchant) -> Timestamp {
    const NEVER_LEFT: SignedDuration = SignedDuration::from_mins(15);
    match payment.redirected_at {
        Some(redirected_at) => redirected_at + SignedDuration::from_secs(merchant.abandon_after_seconds),
        None => payment.created_at + NEVER_LEFT,
    }
}
