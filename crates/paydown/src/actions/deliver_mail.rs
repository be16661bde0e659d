//! Mail leaves the outbox: claimed under a lease, sent outside any transaction, then marked. Nothing waits for it, least
//! of all a payment; who dies while sending leaves a mail that is due again, under the same Message-ID.

use crate::actions::backoff::pause_after;
use crate::actions::recipients::{Recipient, recipients};
use crate::app::App;
use crate::clock::Mint;
use crate::mail::compose::{Composed, compose};
use crate::mail::transport::Transport;
use crate::secrets::SecretKey;
use anyhow::Result;
use billing::ids::{MailId, MerchantId, PaymentId};
use billing::payment::PaymentState;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use store::db::Tx;
use store::mails::{self, Mail, MailKind, NewMail};
use store::{payments, reservations};
use tokio::task::JoinSet;

/// Nobody else takes a claimed mail for so long.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Sending one mail is given up after so long.
const SEND_TIMEOUT: Duration = Duration::from_secs(25);
/// Mails sent at the same time: only what starts at once is claimed.
const AT_ONCE: i64 = 8;
/// A mail that could not be sent for so long is given up.
const GIVE_UP_AFTER: SignedDuration = SignedDuration::from_hours(3 * 24);
/// Longest error text that is kept, characters.
const ERROR_LIMIT: usize = 300;

/// Sends what is due, `limit` mails at most. Answers how many were taken from the outbox: 0 means nothing was due.
///
/// Fails only when the outbox cannot be read; a mail that cannot be sent is tried again later, each on its own.
pub async fn deliver_due(app: &App, transport: Arc<dyn Transport>, limit: i64) -> Result<usize> {
    let now = app.clock.now();
    // Looking is cheaper than claiming: an idle server writes nothing.
    let next_due_at = app.store.read(async move |tx: &mut Tx| mails::next_due_at(tx).await).await?;
    if next_due_at.is_none_or(|at| at > now) {
        return Ok(0);
    }
    let (until, limit) = (now + LEASE, limit.clamp(0, AT_ONCE));
    let claimed =
        app.store.write(async move |tx: &mut Tx| mails::claim_due(tx, now, until, limit).await).await?;
    let count = claimed.len();
    let mut sending = JoinSet::new();
    for mail in claimed {
        sending.spawn(deliver_or_log(app.clone(), Arc::clone(&transport), mail));
    }
    while let Some(sent) = sending.join_next().await {
        if let Err(error) = sent {
            tracing::error!(%error, "sending a mail broke off; it is due again when its lease ends");
        }
    }
    Ok(count)
}

/// A mail that cannot even be marked comes back when its lease ends.
async fn deliver_or_log(app: App, transport: Arc<dyn Transport>, mail: Mail) {
    if let Err(error) = deliver(&app, &*transport, &mail).await {
        tracing::error!(mail = %mail.about.id, error = format!("{error:#}"), "a mail could not be marked");
    }
}

async fn deliver(app: &App, transport: &dyn Transport, mail: &Mail) -> Result<()> {
    let (merchant, id, kind) = (mail.merchant_id, mail.about.id, mail.about.kind.as_str());
    let sent = match compose(app, mail).await {
        Ok(Composed::Send(outgoing)) => {
            match tokio::time::timeout(SEND_TIMEOUT, transport.send(&outgoing)).await {
                Ok(sent) => sent,
                Err(_) => Err(anyhow::anyhow!("no answer within {} seconds", SEND_TIMEOUT.as_secs())),
            }
        }
        Ok(Composed::Drop(reason)) => {
            tracing::info!(mail = %id, kind, reason, "a mail is not sent: its reason is gone");
            return drop_mail(app, mail, reason).await;
        }
        Err(error) => Err(error),
    };
    let now = app.clock.now();
    match sent {
        Ok(()) => {
            app.store.write(async move |tx: &mut Tx| mails::mark_sent(tx, merchant, id, now).await).await?;
            tracing::info!(mail = %id, kind, "a mail was sent");
            Ok(())
        }
        Err(error) => failed(app, mail, now, &error).await,
    }
}

/// A refusal for good is tried again as well: it is more often a setting that somebody repairs than an address that is
/// gone, and the mail server's own words are kept with the mail.
async fn failed(app: &App, mail: &Mail, now: Timestamp, error: &anyhow::Error) -> Result<()> {
    let error: String = format!("{error:#}").chars().take(ERROR_LIMIT).collect();
    let (id, kind) = (mail.about.id, mail.about.kind.as_str());
    if now >= mail.about.created_at + GIVE_UP_AFTER {
        tracing::error!(mail = %id, kind, tries = mail.tries, error, "a mail is given up");
        return drop_mail(app, mail, format!("given up: {error}")).await;
    }
    let next_at = now + pause_after(mail.tries);
    tracing::warn!(mail = %id, kind, tries = mail.tries, error, %next_at, "a mail is tried again later");
    let claimed = mail.clone();
    app.store.write(async move |tx: &mut Tx| mails::mark_failed(tx, &claimed, next_at, &error).await).await?;
    Ok(())
}

async fn drop_mail(app: &App, mail: &Mail, reason: String) -> Result<()> {
    let (merchant, id) = (mail.merchant_id, mail.about.id);
    app.store.write(async move |tx: &mut Tx| mails::drop(tx, merchant, id, &reason).await).await?;
    Ok(())
}

/// The job `mail_failure`: queues the mail that a payment did not go through, unless the payer has seen it or the money
/// came after all. Harmless to repeat: each address hears of a payment once.
pub async fn mail_failure(app: &App, merchant: MerchantId, payment: PaymentId) -> Result<()> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    app.store
        .write(async move |tx: &mut Tx| queue_failure(tx, &mint, &secrets, (merchant, payment)).await)
        .await
}

async fn queue_failure(
    tx: &mut Tx,
    mint: &Mint,
    secrets: &SecretKey,
    (merchant, id): (MerchantId, PaymentId),
) -> Result<()> {
    let Some(payment) = payments::find(tx, merchant, id).await? else { return Ok(()) };
    let did_not_go_through = payment.state == PaymentState::Failed || payment.was_dropped();
    if !did_not_go_through || payment.seen_at.is_some() {
        return Ok(());
    }
    let holds = reservations::list(tx, merchant, id).await?;
    let Some(hold) = holds.first() else { return Ok(()) };
    for Recipient { email, link_id } in recipients(tx, mint, secrets, &payment, hold.invoice_id).await? {
        let mail = NewMail {
            id: mint.id(MailId::new),
            kind: MailKind::Failed,
            cause: id.to_string(),
            recipient: email,
            invoice_id: Some(hold.invoice_id),
            payment_id: Some(id),
            link_id: Some(link_id),
            signin_id: None,
            created_at: mint.now,
        };
        mails::queue(tx, merchant, &mail).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
