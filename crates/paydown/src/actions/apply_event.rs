//! Webhooks: stored raw, acknowledged, applied later by fetching the object. Order, repeats and losses do not matter.

use crate::actions::reconcile_payment::{Looked, reconcile_payment};
use crate::app::App;
use crate::processors::{STRIPE, webhook_secrets};
use anyhow::Result;
use billing::ids::{JobId, MerchantId, PaymentId};
use gateway::{EventKind, ProcessorEvent};
use jiff::SignedDuration;
use store::attempts;
use store::db::Tx;
use store::inbox::{self, InboxEvent, NewInboxEvent};
use store::{jobs, processor_accounts};

/// A worker that dies lets go of an event after so long.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// The list of events is read again from so long before the last reading.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);

/// What became of a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// Stored; a worker applies it.
    Stored,
    /// It was there already.
    Repeated,
    /// Signature, time or mode is wrong: nothing was stored.
    Refused,
    /// The merchant has no processor with webhooks.
    NotConnected,
}

/// Checks the signature of a webhook over its raw bytes and stores it.
pub async fn receive_webhook(
    app: &App,
    merchant: MerchantId,
    raw: &[u8],
    signature: &str,
) -> Result<Received> {
    let account =
        app.store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await).await?;
    let Some(account) = account.filter(|account| account.webhook_secret.is_some()) else {
        return Ok(Received::NotConnected);
    };
    let secrets = webhook_secrets(&app.secrets, &account)?;
    let event = match gateway::stripe::verify(raw, signature, &secrets, app.clock.now()) {
        Ok(event) => event,
        Err(error) => {
            tracing::warn!(%merchant, %error, "a webhook was refused");
            return Ok(Received::Refused);
        }
    };
    let is_live = account.mode == processor_accounts::Mode::Live;
    if event.live != is_live {
        tracing::warn!(%merchant, event = event.id, "a webhook of the other mode was refused");
        return Ok(Received::Refused);
    }
    let raw = String::from_utf8_lossy(raw).into_owned();
    let new = inbox_event(app, &event, raw);
    let stored = app.store.write(async move |tx: &mut Tx| inbox::store(tx, merchant, &new).await).await?;
    Ok(if stored { Received::Stored } else { Received::Repeated })
}

fn inbox_event(app: &App, event: &ProcessorEvent, raw: String) -> NewInboxEvent {
    let kind = match &event.kind {
        EventKind::Payment(kind) => (*kind).to_owned(),
        EventKind::NotOurs(kind) => kind.clone(),
    };
    NewInboxEvent {
        processor: STRIPE.to_owned(),
        event_id: event.id.clone(),
        kind,
        object_id: event.object_id.clone().unwrap_or_default(),
        session_id: event.session_id.clone(),
        payment_intent_id: event.payment_intent_id.clone(),
        attempt_id: event.attempt,
        raw,
        received_at: app.clock.now(),
    }
}

/// Applies what waits in the inbox; answers how many events it took.
pub async fn apply_events(app: &App, limit: i64) -> Result<usize> {
    let now = app.clock.now();
    let claimed =
        app.store.write(async move |tx: &mut Tx| inbox::claim_due(tx, now, now + LEASE, limit).await).await?;
    let count = claimed.len();
    for event in claimed {
        apply_one(app, event).await?;
    }
    Ok(count)
}

async fn apply_one(app: &App, event: InboxEvent) -> Result<()> {
    let merchant = event.merchant_id;
    let Some(payment) = payment_of(app, &event).await? else {
        let reason = "it is about no payment of ours";
        let parked = app.store.write(async move |tx: &mut Tx| inbox::mark_parked(tx, &event, reason).await);
        return parked.await.map(drop);
    };
    match reconcile_payment(app, merchant, payment, "webhook").await {
        // What the event told of was not read: it is no more applied than before.
        Ok(Some(Looked::Unanswered(_, next_at))) => {
            let words = "the processor could not be asked";
            let failed = app.store.write(async move |tx: &mut Tx| failed(tx, &event, next_at, words).await);
            failed.await
        }
        Ok(_) => {
            app.store.write(async move |tx: &mut Tx| inbox::mark_applied(tx, &event).await).await.map(drop)
        }
        Err(error) => {
            tracing::warn!(%payment, %error, "an event could not be applied yet");
            let (next_at, words) = (app.clock.now() + LEASE, format!("{error:#}"));
            let failed = app.store.write(async move |tx: &mut Tx| failed(tx, &event, next_at, &words).await);
            failed.await
        }
    }
}

async fn failed(tx: &mut Tx, event: &InboxEvent, next_at: jiff::Timestamp, words: &str) -> Result<()> {
    inbox::mark_failed(tx, event, next_at, words).await.map(drop)
}

async fn payment_of(app: &App, event: &InboxEvent) -> Result<Option<PaymentId>> {
    let (merchant, about) = (event.merchant_id, event.event.clone());
    app.store
        .read(async move |tx: &mut Tx| {
            if let Some(attempt) = about.attempt_id
                && let Some(found) = attempts::find(tx, merchant, attempt).await?
            {
                return Ok(Some(found.payment_id));
            }
            if let Some(session) = &about.session_id
                && let Some(found) = attempts::find_by_session(tx, merchant, session).await?
            {
                return Ok(Some(found.payment_id));
            }
            match &about.payment_intent_id {
                Some(intent) => {
                    let found = attempts::find_by_intent(tx, merchant, intent).await?;
                    Ok(found.map(|attempt| attempt.payment_id))
                }
                None => Ok(None),
            }
        })
        .await
}

/// Reads the processor's list of events since the last reading, with an hour's overlap, and has every payment named
/// there looked after: what a lost webhook would have told.
pub async fn poll_events(app: &App, merchant: MerchantId) -> Result<usize> {
    let account =
        app.store.read(async move |tx: &mut Tx| processor_accounts::find(tx, merchant, STRIPE).await).await?;
    let Some(account) = account else { return Ok(0) };
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let Some(processor) = processor else { return Ok(0) };
    let mint = app.mint();
    let list = processor.list_events(account.polled_to - OVERLAP).await?;
    let events: Vec<NewInboxEvent> = list
        .events
        .iter()
        .filter(|event| event.kind.concerns_payment() && event.live == processor.is_live())
        .map(|event| inbox_event(app, event, "{}".to_owned()))
        .collect();
    let (count, complete) = (events.len(), list.complete);
    app.store
        .write(async move |tx: &mut Tx| {
            for event in &events {
                inbox::store(tx, merchant, event).await?;
            }
            if complete {
                processor_accounts::set_polled_to(tx, merchant, STRIPE, mint.now).await?;
            }
            Ok(())
        })
        .await?;
    Ok(count)
}

/// Asks that a payment be looked after now.
pub async fn look_now(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let mint = app.mint();
    let subject = payment.to_string();
    app.store
        .write(async move |tx: &mut Tx| {
            let job = mint.id(JobId::new);
            jobs::enqueue(tx, merchant, job, "reconcile_payment", &subject, mint.now, mint.now).await
        })
        .await
}
