//! The running server: pages in front, workers behind, and an orderly end.

use crate::actions::poll_events::Pollers;
use crate::actions::run_jobs::{Queue, Workers};
use crate::actions::{deliver_mail, run_jobs, sweep};
use crate::app::App;
use crate::mail::transport::Transport;
use anyhow::Result;
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Work in flight is waited for so long at the end; what is left is picked up again at the next start.
const DRAIN: Duration = Duration::from_secs(10);
/// How often workers look whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often processors' events are read.
const POLL_EVERY: Duration = Duration::from_secs(60);
/// Mails sent at the same time.
const MAILS_AT_ONCE: i64 = 8;
/// How often postings are sealed.
const SEAL_EVERY: Duration = Duration::from_secs(60);
/// How often old sessions and counters are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How often what has to be searched for is removed.
const BODIES_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How often the seals look behind the newest one, and their heads are logged.
const STRAGGLERS_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Serves until `stop` is cancelled, then drains.
pub async fn run(
    app: App,
    listener: TcpListener,
    router: Router,
    transport: Arc<dyn Transport>,
    stop: CancellationToken,
) -> Result<()> {
    run_jobs::resume(&app).await?;
    let workers = tokio::spawn(work(app.clone(), transport, stop.clone()));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let stopped = stop.clone();
    let serving = axum::serve(listener, service).with_graceful_shutdown(stopped.cancelled_owned());
    let serving = tokio::spawn(serving.into_future());
    stop.cancelled().await;
    app.tasks.close();
    let drained = timeout(DRAIN, async {
        let served = serving.await;
        app.tasks.wait().await;
        workers.await?;
        served?.map_err(anyhow::Error::from)
    });
    match drained.await {
        Ok(ended) => ended?,
        Err(_) => tracing::warn!("work was still in flight at the end; it is picked up at the next start"),
    }
    app.store.close().await
}

/// The workers, each kind in a task of its own: what hangs in one never holds up another. They end when `stop` is
/// cancelled and what they had begun is done.
async fn work(app: App, transport: Arc<dyn Transport>, stop: CancellationToken) {
    let mut workers = JoinSet::new();
    for (what, queue) in [("jobs", Queue::Jobs), ("inbox", Queue::Inbox)] {
        let (app, until) = (app.clone(), stop.clone());
        workers.spawn(keep(what, stop.clone(), move || run_queue(app.clone(), queue, until.clone())));
    }
    let (of_mail, until) = (app.clone(), stop.clone());
    workers.spawn(keep("mail", stop.clone(), move || {
        send_mail(of_mail.clone(), Arc::clone(&transport), until.clone())
    }));
    let (of_polls, until) = (app.clone(), stop.clone());
    workers.spawn(keep("events", stop.clone(), move || poll_events(of_polls.clone(), until.clone())));
    let (of_seals, until) = (app.clone(), stop.clone());
    workers.spawn(keep("seals", stop.clone(), move || keep_books(of_seals.clone(), until.clone())));
    let until = stop.clone();
    workers.spawn(keep("sweep", stop, move || sweep_rows(app.clone(), until.clone())));
    while workers.join_next().await.is_some() {}
}

/// Begins the work anew whenever it breaks off before it was told to stop.
async fn keep<F>(what: &'static str, stop: CancellationToken, work: impl Fn() -> F + Send)
where
    F: Future<Output = ()> + Send + 'static,
{
    loop {
        match tokio::spawn(work()).await {
            Ok(()) => return,
            Err(error) => tracing::error!(what, %error, "background work broke off; it begins anew"),
        }
        // A pause, so that work which breaks off at once does not spin.
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn run_queue(app: App, queue: Queue, stop: CancellationToken) {
    let mut workers = Workers::new(queue);
    let mut ticks = ticks(LOOK_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = ticks.tick() => {}
            () = workers.one_is_done() => {}
        }
        report("claims", workers.start_due(&app).await.map(drop));
    }
    workers.finish().await;
}

async fn send_mail(app: App, transport: Arc<dyn Transport>, stop: CancellationToken) {
    let mut ticks = ticks(LOOK_EVERY);
    while next(&mut ticks, &stop).await.is_some() {
        let mut more = true;
        while more && !stop.is_cancelled() {
            let sent = deliver_mail::deliver_due(&app, Arc::clone(&transport), MAILS_AT_ONCE).await;
            more = matches!(sent, Ok(count) if count > 0);
            report("mail", sent.map(drop));
        }
    }
}

async fn poll_events(app: App, stop: CancellationToken) {
    let mut pollers = Pollers::default();
    let mut ticks = ticks(POLL_EVERY);
    while next(&mut ticks, &stop).await.is_some() {
        report("events", pollers.start(&app).await);
    }
    // Readings that are under way are dropped: the next start reads them again.
}

async fn keep_books(app: App, stop: CancellationToken) {
    let mut ticks = ticks(SEAL_EVERY);
    let mut looked_behind = Round::due_at_once(STRAGGLERS_EVERY);
    while let Some(at) = next(&mut ticks, &stop).await {
        report("seals", run_jobs::seal(&app, looked_behind.is_due(at)).await);
    }
}

async fn sweep_rows(app: App, stop: CancellationToken) {
    let mut ticks = ticks(SWEEP_EVERY);
    let mut searched = Round::due_at_once(BODIES_EVERY);
    while let Some(at) = next(&mut ticks, &stop).await {
        report("sweep", run_jobs::sweep(&app).await);
        if searched.is_due(at) {
            report("sweep", sweep::sweep_bodies(&app).await);
        }
    }
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Waits for the next round; `None` when it is time to stop.
async fn next(ticks: &mut Interval, stop: &CancellationToken) -> Option<Instant> {
    tokio::select! {
        biased;
        () = stop.cancelled() => None,
        at = ticks.tick() => Some(at),
    }
}

/// Something done every so often.
struct Round {
    every: Duration,
    last: Option<Instant>,
}

impl Round {
    const fn due_at_once(every: Duration) -> Round {
        Round { every, last: None }
    }

    fn is_due(&mut self, at: Instant) -> bool {
        let due = self.last.is_none_or(|last| at.duration_since(last) >= self.every);
        if due {
            self.last = Some(at);
        }
        due
    }
}

fn report(what: &str, outcome: Result<()>) {
    if let Err(error) = outcome {
        tracing::error!(what, error = format!("{error:#}"), "background work failed; it is tried again");
    }
}
