//! Removes what has had its time: sessions, requests to sign in, counters, bodies of events that were applied, records
//! of old requests, webhook secrets that were replaced. Takes back what a clock that ran ahead has put off.
//!
//! Never touches money, nor anything that a person still has to look at.

use crate::actions::backoff::LONGEST_PAUSE;
use crate::actions::run_jobs::LEASE;
use crate::app::App;
use crate::processors::OLD_SECRET_LIVES;
use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::{idempotency, inbox, jobs, mails, processor_accounts, rates, sessions, signins};

/// An applied event keeps its body for so long.
const BODIES_ARE_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// A request is recognised as a repeat for so long.
const KEYS_ARE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Rows changed in one transaction.
const AT_ONCE: i64 = 500;
/// Longer than anything asks a job to wait.
const LONGEST_WAIT: SignedDuration = SignedDuration::from_hours(8 * 24);

/// Removes what is cheap to find.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let day_ago = now - SignedDuration::from_hours(24);
    app.store
        .write(async move |tx: &mut Tx| {
            sessions::sweep(tx, now).await?;
            signins::sweep(tx, day_ago).await?;
            rates::sweep(tx, day_ago - SignedDuration::from_hours(24)).await?;
            processor_accounts::end_secrets_before(tx, now - OLD_SECRET_LIVES).await?;
            Ok(())
        })
        .await
        .context("old rows could not be swept")?;
    release(app, now).await
}

/// What is leased or put off for longer than anybody asks for is due now: the clock ran ahead when it was put off.
async fn release(app: &App, now: Timestamp) -> Result<()> {
    let lease_ends = now + LEASE + SignedDuration::from_mins(1);
    let (pause_ends, wait_ends) = (now + LONGEST_PAUSE + LEASE, now + LONGEST_WAIT);
    let released = app.store.write(async move |tx: &mut Tx| {
        let jobs = jobs::release_beyond(tx, now, lease_ends, wait_ends).await?;
        let events = inbox::release_beyond(tx, now, pause_ends).await?;
        Ok(jobs + events + mails::release_beyond(tx, now, pause_ends).await?)
    });
    let released = released.await.context("work that was put off too far could not be taken back")?;
    if released > 0 {
        tracing::warn!(released, "work was put off too far, as by a clock that ran ahead; it is due now");
    }
    Ok(())
}

/// Removes what has to be searched for, outside of any write, batch by batch.
pub async fn sweep_bodies(app: &App) -> Result<()> {
    let now = app.clock.now();
    loop {
        let find = async move |tx: &mut Tx| inbox::list_old_raw(tx, now - BODIES_ARE_KEPT, AT_ONCE).await;
        let old = app.store.report(find).await?;
        if old.is_empty() {
            break;
        }
        app.store.write(async move |tx: &mut Tx| inbox::empty_raw(tx, &old).await).await?;
    }
    loop {
        let find = async move |tx: &mut Tx| idempotency::list_old(tx, now - KEYS_ARE_KEPT, AT_ONCE).await;
        let old = app.store.report(find).await?;
        if old.is_empty() {
            return Ok(());
        }
        app.store.write(async move |tx: &mut Tx| idempotency::delete(tx, &old).await).await?;
    }
}
