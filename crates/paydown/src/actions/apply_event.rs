//! Webhooks: stored raw, acknowledged, applied later by fetching the object. Order, repeats and losses do not matter.
//!
//! What moves money in a way that is not booked is never passed over in silence: it is parked, and a person is told.

mod dispute;
mod payouts;
mod saved;
mod unknown;

use crate::actions::adopt_refund::{RefundsRead, read_refunds};
use crate::actions::backoff::{SOON_TRIES, TRIES_BEFORE_A_PERSON, pause_after};
use crate::actions::reconcile_payment::{Looked, reconcile_payment};
use crate::actions::refusals;
use crate::app::App;
use crate::clock::Mint;
use crate::processors::{STRIPE, webhook_secrets};
use anyhow::Result;
use billing::ids::{AnomalyId, JobId, MerchantId, PaymentId};
use gateway::stripe::event_kind;
use gateway::{EventKind, ProcessorEvent};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use store::anomalies::{self, Anomaly};
use store::attempts;
use store::db::Tx;
use store::inbox::{self, InboxEvent, NewInboxEvent};
use store::{jobs, payments, processor_accounts};
use tokio::time::timeout;

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
    let now = app.clock.now();
    let secrets = webhook_secrets(&app.secrets, &account, now)?;
    let event = match gateway::stripe::verify(raw, signature, &secrets, now) {
        Ok(event) => event,
        Err(error) => {
            refusals::log(merchant, now, &error.to_string());
            return Ok(Received::Refused);
        }
    };
    let is_live = account.mode == processor_accounts::Mode::Live;
    if event.live != is_live {
        refusals::log(merchant, now, "it is of the other mode, live or test");
        return Ok(Received::Refused);
    }
    let raw = String::from_utf8_lossy(raw).into_owned();
    let new = inbox_event(app, &event, raw);
    let stored = app.store.write(async move |tx: &mut Tx| inbox::store(tx, merchant, &new).await).await?;
    Ok(if stored { Received::Stored } else { Received::Repeated })
}

/// How an event is stored.
pub(super) fn inbox_event(app: &App, event: &ProcessorEvent, raw: String) -> NewInboxEvent {
    NewInboxEvent {
        processor: STRIPE.to_owned(),
        event_id: event.id.clone(),
        kind: event.kind.as_str().to_owned(),
        object_id: event.object_id.clone().unwrap_or_default(),
        session_id: event.session_id.clone(),
        payment_intent_id: event.payment_intent_id.clone(),
        attempt_id: event.attempt,
        raw,
        received_at: app.clock.now(),
    }
}

/// What looking at an event came to.
enum Judged {
    Is(Verdict),
    /// The processor could not be asked; at that time it is worth another try.
    Unanswered(Timestamp),
}

/// What becomes of an event that was looked at.
enum Verdict {
    Applied,
    Ignored,
    /// It waits for a person, for this reason.
    Parked(String),
    /// The same, and it concerns money: a person is told.
    Alarming(Anomaly),
}

/// Applies one event that was claimed, within `at_most`. One that cannot be applied is tried again ever later, and after
/// about five days it is a person's.
pub(super) async fn apply_event(app: &App, event: InboxEvent, at_most: Duration) -> Result<()> {
    let judged = match timeout(at_most, judge(app, &event)).await {
        Ok(judged) => judged,
        Err(_) => Err(anyhow::anyhow!("it was not done within {} seconds", at_most.as_secs())),
    };
    match judged {
        Ok(Judged::Unanswered(soon)) => {
            failed(app, event, "the processor could not be asked".to_owned(), Some(soon)).await
        }
        Ok(Judged::Is(verdict)) => {
            app.store.write(async move |tx: &mut Tx| settle(tx, &event, &verdict).await).await
        }
        Err(error) => failed(app, event, format!("{error:#}"), None).await,
    }
}

async fn judge(app: &App, event: &InboxEvent) -> Result<Judged> {
    let payment = match event_kind(&event.event.kind) {
        EventKind::Refund(_) => return refunds(app, event).await,
        EventKind::Payout(_) => return payouts::judge(app, event).await,
        EventKind::Dispute(_) => return dispute::judge(app, event).await,
        EventKind::Mandate(_) => return saved::mandate(app, event).await.map(Judged::Is),
        EventKind::Setup(_) => return saved::setup(app, event).await.map(Judged::Is),
        EventKind::SavedMethod(_) => return saved::method(app, event).await.map(Judged::Is),
        EventKind::NotOurs(_) => return Ok(Judged::Is(Verdict::Ignored)),
        // The page of a setup has the words of a payment's page.
        EventKind::Payment(_) if saved::is_of_setup(app, event).await? => {
            return saved::setup(app, event).await.map(Judged::Is);
        }
        EventKind::Payment(_) => payment_of(app, event).await?,
    };
    let Some(payment) = payment else { return unknown::judge(app, event).await };
    reconcile(app, event.merchant_id, payment).await
}

async fn reconcile(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<Judged> {
    let _turn = app.processors.turn(payment).await;
    match reconcile_payment(app, merchant, payment, "webhook").await? {
        // What the event told of was not read: it is no more applied than before.
        Some(Looked::Unanswered(_, next_at)) => Ok(Judged::Unanswered(next_at)),
        _ => Ok(Judged::Is(Verdict::Applied)),
    }
}

async fn is_bank_debit(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<bool> {
    let found = app.store.read(async move |tx: &mut Tx| payments::find(tx, merchant, payment).await).await?;
    Ok(found.is_some_and(|payment| payment.method.is_bank_debit()))
}

/// A refund: all of its payment are read, since the object may be the refund or the charge.
async fn refunds(app: &App, event: &InboxEvent) -> Result<Judged> {
    let Some(payment) = payment_of(app, event).await? else {
        return Ok(Judged::Is(Verdict::Parked(ABOUT_NOTHING.to_owned())));
    };
    let _turn = app.processors.turn(payment).await;
    Ok(match read_refunds(app, event.merchant_id, payment, "webhook").await? {
        RefundsRead::Recorded => Judged::Is(Verdict::Applied),
        RefundsRead::Unanswered => Judged::Unanswered(app.clock.now() + SignedDuration::from_secs(5)),
    })
}

/// Why an event that concerns somebody else is parked.
const ABOUT_NOTHING: &str = "it is about no payment of ours";

fn anomaly(mint: &Mint, kind: &str, payment_id: Option<PaymentId>, detail: String) -> Anomaly {
    Anomaly { id: mint.id(AnomalyId::new), kind: kind.to_owned(), payment_id, detail, at: mint.now }
}

async fn settle(tx: &mut Tx, event: &InboxEvent, verdict: &Verdict) -> Result<()> {
    match verdict {
        Verdict::Applied => inbox::mark_applied(tx, event).await.map(drop),
        Verdict::Ignored => inbox::mark_ignored(tx, event).await.map(drop),
        Verdict::Parked(reason) => inbox::mark_parked(tx, event, reason).await.map(drop),
        Verdict::Alarming(anomaly) => {
            let kind = &event.event.kind;
            if inbox::mark_parked(tx, event, &format!("{kind}: {}", anomaly.kind)).await? {
                anomalies::insert_once(tx, event.merchant_id, anomaly).await?;
            }
            Ok(())
        }
    }
}

/// `soon`: when the first tries are worth it, if that is earlier than the usual pause.
async fn failed(app: &App, event: InboxEvent, words: String, soon: Option<Timestamp>) -> Result<()> {
    let NewInboxEvent { event_id, kind, .. } = &event.event;
    tracing::warn!(
        event = event_id,
        kind,
        tries = event.tries,
        error = words,
        "an event could not be applied"
    );
    let payment = payment_of(app, &event).await?;
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if event.tries < TRIES_BEFORE_A_PERSON {
                let soon = soon.filter(|_| event.tries <= SOON_TRIES);
                let usual = mint.now + pause_after(event.tries);
                let next_at = soon.map_or(usual, |soon| soon.min(usual));
                return inbox::mark_failed(tx, &event, next_at, &words).await.map(drop);
            }
            if inbox::mark_parked(tx, &event, &words).await? {
                let NewInboxEvent { event_id, kind, .. } = &event.event;
                let detail = format!("{event_id} ({kind}) could not be applied for five days: {words}");
                let anomaly = anomaly(&mint, "event_not_applied", payment, detail);
                anomalies::insert_once(tx, event.merchant_id, &anomaly).await?;
            }
            Ok(())
        })
        .await
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
