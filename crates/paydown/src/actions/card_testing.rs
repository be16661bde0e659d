//! The brake on whoever tries out stolen cards: who may start another payment, and what every card that was tried adds to
//! the counters. It is asked before a processor is called; it never touches money that was taken.

use crate::actions::limits;
use crate::actions::start_payment::Payer;
use crate::client_address::ClientAddress;
use crate::clock::Mint;
use anyhow::Result;
use billing::ids::{AnomalyId, ContactId, JobId, LinkId, MerchantId};
use billing::payment::PaymentState;
use gateway::PaymentFacts;
use jiff::Timestamp;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::jobs;
use store::payments::{self, Payment};

/// The job that ends the card page of a payment.
pub(super) const END_PAGE_JOB: &str = "end_card_page";

/// Why no payment may be started now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Braked {
    /// Too often by this payer; it works again then.
    TooMany(Timestamp),
    /// Too many declines at this merchant, whoever they are of; it works again about then.
    Paused(Timestamp),
}

/// Counts one more start; or answers why there must be none. What no browser asked for is not braked.
pub(super) async fn brake(
    tx: &mut Tx,
    merchant: MerchantId,
    payer: &Payer,
    now: Timestamp,
) -> Result<Option<Braked>> {
    let Some(client) = payer.client else { return Ok(None) };
    if let Some(until) = paused_until(tx, merchant, now).await? {
        return Ok(Some(Braked::Paused(until)));
    }
    let holder = holder(payer.link_id, payer.contact_id, Some(payer.session_hash));
    let (source, session) = (source(client), limits::key(&[&payer.session_hash]));
    for full in [
        (limits::CARDS_PER_HOLDER, holder.as_str()),
        (limits::DECLINES_PER_HOLDER, holder.as_str()),
        (limits::CARDS_PER_SOURCE, source.as_str()),
    ] {
        if let Some(until) = limits::full_until(tx, merchant, full, now).await? {
            return Ok(Some(Braked::TooMany(until)));
        }
    }
    let starts =
        [(limits::STARTS_PER_SESSION, session.as_str()), (limits::STARTS_PER_SOURCE, source.as_str())];
    Ok(limits::take(tx, merchant, &starts, now).await?.map(Braked::TooMany))
}

/// When payments go on, while more than half of the cards that were tried lately were declined.
async fn paused_until(tx: &mut Tx, merchant: MerchantId, now: Timestamp) -> Result<Option<Timestamp>> {
    let declines = limits::span(tx, merchant, limits::DECLINES_PER_MERCHANT, "all", now).await?;
    let enough = limits::TRIES_PER_MERCHANT;
    if declines.count * 2 <= enough.most {
        return Ok(None);
    }
    let tries = limits::span(tx, merchant, enough, "all", now).await?;
    let is_burst = tries.count >= enough.most && declines.count * 2 > tries.count;
    Ok(limits::empty_at(limits::DECLINES_PER_MERCHANT, &declines).filter(|_| is_burst))
}

/// Adds a card that was tried to the counters, once per charge, however many paths bring the news. Whoever has used up all
/// tries finds the card page closed.
pub(super) async fn count_try(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    facts: &PaymentFacts,
) -> Result<()> {
    // Who pays an adopted payment is not known: nobody's count goes up, least of all a stranger's.
    if payment.session_hash.is_none() {
        return Ok(());
    }
    let declined = facts.decline.is_some();
    let Some(charge) =
        facts.charge_id.as_ref().filter(|_| declined || facts.state == PaymentState::Succeeded)
    else {
        return Ok(());
    };
    let merchant = payment.merchant;
    let charge = limits::key(&[charge.as_bytes()]);
    if !limits::is_first(tx, merchant, ("charge-seen", &charge), payment.created_at, 86_400).await? {
        return Ok(());
    }
    let holder = holder(payment.link_id, payment.contact_id, payment.session_hash);
    if is_new_card(tx, mint, merchant, (&holder, facts)).await? {
        limits::note(tx, merchant, limits::CARDS_PER_HOLDER, &holder, mint.now).await?;
    }
    if let Some(client) = payments::client(tx, merchant, payment.id).await? {
        let source = client.parse().map(|address| source(ClientAddress::new(address)));
        let source = source.unwrap_or_else(|_| limits::key(&[client.as_bytes()]));
        if declined || is_new_card(tx, mint, merchant, (&source, facts)).await? {
            limits::note(tx, merchant, limits::CARDS_PER_SOURCE, &source, mint.now).await?;
        }
    }
    limits::note(tx, merchant, limits::TRIES_PER_MERCHANT, "all", mint.now).await?;
    let mut is_over = declined && count_decline(tx, mint, merchant, &holder).await?;
    // A success may be the try that makes them enough to be judged.
    if let Some(until) = paused_until(tx, merchant, mint.now).await? {
        is_over = declined;
        tell(tx, mint, payment, until).await?;
    }
    if is_over {
        let (job, subject) = (mint.id(JobId::new), payment.id.to_string());
        jobs::enqueue(tx, merchant, job, END_PAGE_JOB, &subject, mint.now, mint.now).await?;
    }
    Ok(())
}

/// True when this payer has used up all tries.
async fn count_decline(tx: &mut Tx, mint: &Mint, merchant: MerchantId, holder: &str) -> Result<bool> {
    limits::note(tx, merchant, limits::DECLINES_PER_HOLDER, holder, mint.now).await?;
    limits::note(tx, merchant, limits::DECLINES_PER_MERCHANT, "all", mint.now).await?;
    let mut is_over = false;
    for limit in [limits::DECLINES_PER_HOLDER, limits::CARDS_PER_HOLDER] {
        is_over |= limits::full_until(tx, merchant, (limit, holder), mint.now).await?.is_some();
    }
    Ok(is_over)
}

/// The first time in ten minutes a person is told.
async fn tell(tx: &mut Tx, mint: &Mint, payment: &Payment, until: Timestamp) -> Result<()> {
    let merchant = payment.merchant;
    if !limits::is_first(tx, merchant, ("pause-told", "all"), mint.now, 600).await? {
        return Ok(());
    }
    tracing::error!(%merchant, payment = %payment.id, %until, "too many cards are declined; card payments are paused");
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "decline_burst".to_owned(),
        payment_id: Some(payment.id),
        detail: format!(
            "most cards tried in ten minutes were declined; card payments are paused until {until}"
        ),
        at: mint.now,
    };
    anomalies::insert(tx, merchant, &anomaly).await
}

/// True for a card that this payer, or this place, has not tried today. Without a card there is nothing new.
async fn is_new_card(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (whose, facts): (&str, &PaymentFacts),
) -> Result<bool> {
    let Some(card) = &facts.card else { return Ok(false) };
    let expiry = format!("{}-{}", card.exp_year, card.exp_month);
    let card =
        limits::key(&[whose.as_bytes(), card.brand.as_bytes(), card.last4.as_bytes(), expiry.as_bytes()]);
    limits::is_first(tx, merchant, ("card-seen", &card), mint.now, 86_400).await
}

/// Who pays: the holder of a link, a contact, or else a session.
fn holder(link: Option<LinkId>, contact: Option<ContactId>, session: Option<[u8; 32]>) -> String {
    match (link, contact) {
        (Some(link), _) => limits::key(&[b"link", link.as_bytes()]),
        (None, Some(contact)) => limits::key(&[b"contact", contact.as_bytes()]),
        (None, None) => limits::key(&[b"session", &session.unwrap_or_default()]),
    }
}

fn source(client: ClientAddress) -> String {
    limits::key(&[client.network().as_bytes()])
}
