//! The work that waits: due jobs, stored events, unsealed postings. Each run is safe anywhere, any number of times.

use crate::actions::apply_event;
use crate::actions::cancel_payment::cancel_payment;
use crate::actions::card_testing::END_PAGE_JOB;
use crate::actions::deliver_mail;
use crate::actions::reconcile_payment::{Looked, reconcile_payment};
use crate::app::App;
use anyhow::{Context as _, Result, bail};
use billing::ids::{JobId, MerchantId, PaymentId};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::jobs::{self, Job};
use store::payments::{self, Ending};
use store::{inbox, merchants, rates, seals, sessions, signins};

/// A worker that dies lets go of a job after so long.
const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// Postings sealed in one transaction.
const SEALED_AT_ONCE: i64 = 500;

/// Runs what is due; answers how many jobs and events it took.
pub async fn run_due(app: &App) -> Result<usize> {
    let now = app.clock.now();
    let claimed =
        app.store.write(async move |tx: &mut Tx| jobs::claim_due(tx, now, now + LEASE, 32).await).await?;
    let count = claimed.len();
    for job in claimed {
        run_one(app, job).await?;
    }
    Ok(count + apply_event::apply_events(app, 32).await?)
}

/// Runs everything that is due, if anything is: looking is a read.
pub async fn run_waiting(app: &App) -> Result<()> {
    loop {
        let now = app.clock.now();
        let due = app
            .store
            .read(async move |tx: &mut Tx| {
                let next = [jobs::next_due_at(tx).await?, inbox::next_due_at(tx).await?];
                Ok(next.into_iter().flatten().any(|at| at <= now))
            })
            .await?;
        if !due || run_due(app).await? == 0 {
            return Ok(());
        }
    }
}

async fn run_one(app: &App, job: Job) -> Result<()> {
    match run(app, &job).await {
        Ok(None) => {
            app.store.write(async move |tx: &mut Tx| jobs::finish(tx, &job).await).await?;
        }
        Ok(Some(at)) => {
            app.store.write(async move |tx: &mut Tx| jobs::retry_at(tx, &job, at, None).await).await?;
        }
        Err(error) => {
            tracing::error!(
                kind = job.kind,
                subject = job.subject,
                error = format!("{error:#}"),
                "a job failed"
            );
            let at = app.clock.now() + SignedDuration::from_mins(1);
            let words = format!("{error:#}");
            app.store.write(async move |tx: &mut Tx| failed(tx, &job, at, &words).await).await?;
        }
    }
    Ok(())
}

async fn failed(tx: &mut Tx, job: &Job, at: Timestamp, words: &str) -> Result<()> {
    jobs::retry_at(tx, job, at, Some(words)).await.map(drop)
}

/// `Some` instant: run it again then.
async fn run(app: &App, job: &Job) -> Result<Option<Timestamp>> {
    match job.kind.as_str() {
        "reconcile_payment" => {
            let payment: PaymentId = job.subject.parse()?;
            match reconcile_payment(app, job.merchant_id, payment, "reconciler").await? {
                Some(Looked::Again(_, at) | Looked::Unanswered(_, at)) => Ok(Some(at)),
                Some(Looked::Done(_)) | None => Ok(None),
            }
        }
        "mail_failure" => {
            deliver_mail::mail_failure(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        END_PAGE_JOB => {
            let payment = job.subject.parse()?;
            cancel_payment(app, job.merchant_id, payment, Ending::Refused).await?;
            Ok(None)
        }
        other => bail!("no work is called {other:?}"),
    }
}

/// After a start: every payment in flight is looked after, as after a crash. Where nobody else can be at work, what a
/// server that died had claimed is let go at once; elsewhere its lease ends by itself.
pub async fn resume(app: &App) -> Result<usize> {
    let (mint, alone) = (app.mint(), app.store.is_only_server());
    app.store
        .write(async move |tx: &mut Tx| {
            if alone {
                jobs::let_go(tx, mint.now).await?;
                inbox::let_go(tx, mint.now).await?;
            }
            let mut count = 0;
            for merchant in merchants::all(tx).await? {
                for payment in payments::in_flight(tx, merchant.id, mint.now).await? {
                    let job = mint.id(JobId::new);
                    let subject = payment.to_string();
                    jobs::enqueue(tx, merchant.id, job, "reconcile_payment", &subject, mint.now, mint.now)
                        .await?;
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
}

/// Seals what was posted, per merchant, batch by batch; `stragglers` also looks behind the newest seal.
pub async fn seal(app: &App, stragglers: bool) -> Result<()> {
    for merchant in merchant_ids(app).await? {
        while seal_once(app, merchant, false).await? {}
        if stragglers {
            while seal_once(app, merchant, true).await? {}
        }
    }
    Ok(())
}

/// One batch; `true` when there may be more.
async fn seal_once(app: &App, merchant: MerchantId, stragglers: bool) -> Result<bool> {
    let sealed = app
        .store
        .write(async move |tx: &mut Tx| {
            if stragglers {
                seals::seal_stragglers(tx, merchant, SEALED_AT_ONCE).await
            } else {
                seals::seal_batch(tx, merchant, SEALED_AT_ONCE).await
            }
        })
        .await?;
    Ok(sealed.is_full(SEALED_AT_ONCE))
}

/// Reads each processor's events; one that cannot be asked does not stop the others.
pub async fn poll(app: &App) -> Result<()> {
    for merchant in merchant_ids(app).await? {
        if let Err(error) = apply_event::poll_events(app, merchant).await {
            tracing::warn!(%merchant, error = format!("{error:#}"), "the processor's events could not be read");
        }
    }
    Ok(())
}

/// Removes what has had its time: sessions, requests to sign in, counters.
pub async fn sweep(app: &App) -> Result<()> {
    let now = app.clock.now();
    let day_ago = now - SignedDuration::from_hours(24);
    app.store
        .write(async move |tx: &mut Tx| {
            sessions::sweep(tx, now).await?;
            signins::sweep(tx, day_ago).await?;
            rates::sweep(tx, day_ago - SignedDuration::from_hours(24)).await?;
            Ok(())
        })
        .await
        .context("old rows could not be swept")
}

async fn merchant_ids(app: &App) -> Result<Vec<MerchantId>> {
    let all = app.store.read(async move |tx: &mut Tx| merchants::all(tx).await).await?;
    Ok(all.into_iter().map(|merchant| merchant.id).collect())
}
