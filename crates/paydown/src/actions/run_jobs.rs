//! The work that waits: due jobs and stored events. Each run is safe anywhere, any number of times.
//!
//! Only what starts at once is claimed, so that nobody's lease runs while it queues. A merchant has a few places of its
//! own: one whose processor hangs never stops the others, and one item that fails never drops another.

use crate::actions::answer_dispute::{ANSWER_JOB, answer_dispute};
use crate::actions::apply_event;
use crate::actions::apply_setup::{LOOK_AT_SETUP_JOB, apply_setup};
use crate::actions::backoff::{TRIES_BEFORE_A_PERSON, pause_after};
use crate::actions::cancel_payment::cancel_payment;
use crate::actions::card_testing::END_PAGE_JOB;
use crate::actions::deliver_mail;
use crate::actions::keep_methods::{KEEP_METHODS_JOB, keep_methods};
use crate::actions::reconcile_payment::{Looked, reconcile_payment};
use crate::actions::reconcile_payout::{LookedAtPayout, RECONCILE_PAYOUT_JOB, reconcile_payout};
use crate::actions::reconcile_refund::{RefundLooked, reconcile_refund};
use crate::actions::record_dispute::WATCH_JOB;
use crate::actions::refund_surcharge::{REFUND_SURCHARGE_JOB, refund_surcharge};
use crate::actions::remove_method::{FORGET_METHOD_JOB, forget_method};
use crate::actions::request_code::{MAIL_CODE_JOB, mail_code};
use crate::actions::watch_dispute::watch_dispute;
use crate::actions::watch_return_rates::{WATCH_RETURN_RATES_JOB, watch_return_rates};
use crate::app::App;
use anyhow::{Result, bail};
use billing::ids::{AnomalyId, JobId, MerchantId, PaymentId, RefundId};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::time::Duration;
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::inbox::{self, InboxEvent};
use store::jobs::{self, Job};
use store::payments::{self, Ending};
use store::{merchants, refunds};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::timeout;

pub use crate::actions::poll_events::poll;
pub use crate::actions::seal_books::seal;
pub use crate::actions::sweep::sweep;

/// A worker that dies lets go of what it claimed after so long.
pub(super) const LEASE: SignedDuration = SignedDuration::from_mins(2);
/// One item is given up before its lease ends, and tried again later.
const ITEM_AT_MOST: Duration = Duration::from_secs(100);
/// Items of one queue that run at the same time.
const AT_ONCE: usize = 32;
/// Of these, items of one merchant.
const OF_ONE_MERCHANT: usize = 4;

/// What work is claimed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queue {
    /// Payments to look after, and the like.
    Jobs,
    /// What processors told us.
    Inbox,
}

enum Item {
    Job(Box<Job>),
    Event(Box<InboxEvent>),
}

/// What of one queue runs now, in this process. Dropping it aborts what runs, which is like a crash: leases end.
pub struct Workers {
    queue: Queue,
    running: JoinSet<()>,
    whose: HashMap<Id, MerchantId>,
    last_served: Option<MerchantId>,
}

impl Workers {
    /// Nobody works yet.
    pub fn new(queue: Queue) -> Workers {
        Workers { queue, running: JoinSet::new(), whose: HashMap::new(), last_served: None }
    }

    /// Claims what is due and has a place, and starts it. Answers how many items that were.
    pub async fn start_due(&mut self, app: &App) -> Result<usize> {
        let (queue, now) = (self.queue, app.clock.now());
        // Looking is a read: an idle server writes nothing.
        let mut due = app.store.read(async move |tx: &mut Tx| queue.merchants_due(tx, now).await).await?;
        let first = self.last_served.map_or(0, |last| due.partition_point(|merchant| *merchant <= last));
        due.rotate_left(first);
        let mut started = 0;
        for merchant in due {
            let free = AT_ONCE.saturating_sub(self.running.len());
            let busy = self.whose.values().filter(|busy| **busy == merchant).count();
            let places = free.min(OF_ONE_MERCHANT.saturating_sub(busy));
            if places == 0 {
                continue;
            }
            let limit = i64::try_from(places)?;
            let claim = async move |tx: &mut Tx| queue.claim(tx, merchant, now, limit).await;
            for item in app.store.write(claim).await? {
                let running = self.running.spawn(run_item(app.clone(), item));
                self.whose.insert(running.id(), merchant);
                started += 1;
            }
            self.last_served = Some(merchant);
        }
        Ok(started)
    }

    /// Waits until one of the items is done; for ever where none runs.
    pub async fn one_is_done(&mut self) {
        match self.running.join_next_with_id().await {
            Some(ended) => self.forget(ended),
            None => std::future::pending().await,
        }
    }

    /// Waits until every item is done.
    pub async fn finish(&mut self) {
        while let Some(ended) = self.running.join_next_with_id().await {
            self.forget(ended);
        }
    }

    fn forget(&mut self, ended: Result<(Id, ()), JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => {
                tracing::error!(%error, "background work broke off; it is due again when its lease ends");
                error.id()
            }
        };
        self.whose.remove(&id);
    }
}

impl Queue {
    async fn merchants_due(self, tx: &mut Tx, now: Timestamp) -> Result<Vec<MerchantId>> {
        match self {
            Queue::Jobs => jobs::merchants_due(tx, now).await,
            Queue::Inbox => inbox::merchants_due(tx, now).await,
        }
    }

    async fn claim(self, tx: &mut Tx, merchant: MerchantId, now: Timestamp, limit: i64) -> Result<Vec<Item>> {
        let until = now + LEASE;
        Ok(match self {
            Queue::Jobs => {
                let claimed = jobs::claim_due(tx, merchant, now, until, limit).await?;
                claimed.into_iter().map(|job| Item::Job(Box::new(job))).collect()
            }
            Queue::Inbox => {
                let claimed = inbox::claim_due(tx, merchant, now, until, limit).await?;
                claimed.into_iter().map(|event| Item::Event(Box::new(event))).collect()
            }
        })
    }
}

/// Runs what is due, as far as it has places, and waits for it; answers how many jobs and events that were.
pub async fn run_due(app: &App) -> Result<usize> {
    Ok(run_due_of(app, Queue::Jobs).await? + run_due_of(app, Queue::Inbox).await?)
}

/// The same of one queue.
pub async fn run_due_of(app: &App, queue: Queue) -> Result<usize> {
    let mut workers = Workers::new(queue);
    let count = workers.start_due(app).await?;
    workers.finish().await;
    Ok(count)
}

/// What cannot even be marked comes back when its lease ends.
async fn run_item(app: App, item: Item) {
    let marked = match item {
        Item::Job(job) => run_job(&app, *job).await,
        Item::Event(event) => apply_event::apply_event(&app, *event, ITEM_AT_MOST).await,
    };
    if let Err(error) = marked {
        tracing::error!(error = format!("{error:#}"), "background work could not be marked; it comes back");
    }
}

async fn run_job(app: &App, job: Job) -> Result<()> {
    let ran = match timeout(ITEM_AT_MOST, run(app, &job)).await {
        Ok(ran) => ran,
        Err(_) => Err(anyhow::anyhow!("it was not done within {} seconds", ITEM_AT_MOST.as_secs())),
    };
    match ran {
        Ok(None) => app.store.write(async move |tx: &mut Tx| jobs::finish(tx, &job).await).await.map(drop),
        Ok(Some(at)) => {
            let wait = async move |tx: &mut Tx| jobs::retry_at(tx, &job, at, None).await;
            app.store.write(wait).await.map(drop)
        }
        Err(error) => failed(app, job, format!("{error:#}")).await,
    }
}

/// Tried again ever later. After about five days a person is told, once; it is still tried every day, since a payment
/// that nobody looks after helps nobody.
async fn failed(app: &App, job: Job, words: String) -> Result<()> {
    let Job { kind, subject, tries, .. } = &job;
    tracing::error!(kind, subject, tries, error = words, "a job failed");
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let at = mint.now + pause_after(job.tries);
            let is_mine = jobs::retry_at(tx, &job, at, Some(&words)).await?;
            if !is_mine || job.tries < TRIES_BEFORE_A_PERSON {
                return Ok(());
            }
            let payment = match job.subject.parse::<PaymentId>() {
                Ok(id) => payments::find(tx, job.merchant_id, id).await?.map(|payment| payment.id),
                Err(_) => None,
            };
            let anomaly = Anomaly {
                id: mint.id(AnomalyId::new),
                kind: "job_keeps_failing".to_owned(),
                payment_id: payment,
                detail: format!("{} of {} has failed for five days", job.kind, job.subject),
                at: mint.now,
            };
            anomalies::insert_once(tx, job.merchant_id, &anomaly).await.map(drop)
        })
        .await
}

/// `Some` instant: run it again then.
async fn run(app: &App, job: &Job) -> Result<Option<Timestamp>> {
    match job.kind.as_str() {
        "reconcile_payment" => {
            let payment: PaymentId = job.subject.parse()?;
            let _turn = app.processors.turn(payment).await;
            match reconcile_payment(app, job.merchant_id, payment, "reconciler").await? {
                Some(Looked::Again(_, at) | Looked::Unanswered(_, at)) => Ok(Some(at)),
                Some(Looked::Done(_)) | None => Ok(None),
            }
        }
        REFUND_SURCHARGE_JOB => {
            refund_surcharge(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        RECONCILE_PAYOUT_JOB => {
            match reconcile_payout(app, job.merchant_id, &job.subject, "reconciler").await? {
                LookedAtPayout::Again(at) | LookedAtPayout::Unanswered(at) => Ok(Some(at)),
                LookedAtPayout::Done | LookedAtPayout::NoSuch => Ok(None),
            }
        }
        "reconcile_refund" => {
            let refund: RefundId = job.subject.parse()?;
            match reconcile_refund(app, job.merchant_id, refund, "reconciler").await? {
                Some(RefundLooked::Again(_, at) | RefundLooked::Unanswered(_, at)) => Ok(Some(at)),
                Some(RefundLooked::Done(_)) | None => Ok(None),
            }
        }
        "mail_failure" => {
            deliver_mail::mail_failure(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        MAIL_CODE_JOB => {
            mail_code(app, job.merchant_id, &job.subject).await?;
            Ok(None)
        }
        KEEP_METHODS_JOB => {
            keep_methods(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        FORGET_METHOD_JOB => {
            forget_method(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        LOOK_AT_SETUP_JOB => apply_setup(app, job.merchant_id, job.subject.parse()?).await,
        END_PAGE_JOB => {
            let payment = job.subject.parse()?;
            cancel_payment(app, job.merchant_id, payment, Ending::Refused).await?;
            Ok(None)
        }
        WATCH_RETURN_RATES_JOB => {
            watch_return_rates(app, job.merchant_id).await?;
            Ok(None)
        }
        ANSWER_JOB => {
            answer_dispute(app, job.merchant_id, job.subject.parse()?).await?;
            Ok(None)
        }
        WATCH_JOB => watch_dispute(app, job.merchant_id, job.subject.parse()?).await,
        other => bail!("no work is called {other:?}"),
    }
}

/// After a start: every payment and refund in flight is looked after, as after a crash. Where nobody else can be at work, what a
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
                for refund in refunds::in_flight(tx, merchant.id).await? {
                    let (job, subject) = (mint.id(JobId::new), refund.to_string());
                    jobs::enqueue(tx, merchant.id, job, "reconcile_refund", &subject, mint.now, mint.now)
                        .await?;
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
}
