//! The running server: pages in front, workers behind, and an orderly end.

use crate::actions::{deliver_mail, run_jobs};
use crate::app::App;
use crate::mail::transport::Transport;
use anyhow::Result;
use axum::Router;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

/// Work in flight is waited for so long at the end; what is left is picked up again at the next start.
const DRAIN: Duration = Duration::from_secs(10);
/// How often workers look whether something is due.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How often postings are sealed and processors' events read.
const SEAL_EVERY: Duration = Duration::from_secs(60);
/// How often old sessions and counters are removed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// How often the seals look behind the newest one.
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
    let (for_workers, stop_workers, runtime) = (app.clone(), stop.clone(), Handle::current());
    let workers = tokio::task::spawn_blocking(move || {
        runtime.block_on(work(for_workers, transport, stop_workers));
    });
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

/// The workers' loop, on a thread of its own beside those that answer requests. A failure is logged and tried again; it never stops the others.
async fn work(app: App, transport: Arc<dyn Transport>, stop: CancellationToken) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sealed = Round::due_at_once(SEAL_EVERY);
    let mut swept = Round::due_at_once(SWEEP_EVERY);
    let mut looked_behind = Round::due_at_once(STRAGGLERS_EVERY);
    while !stop.is_cancelled() {
        let at = ticks.tick().await;
        report("jobs", run_jobs::run_waiting(&app).await);
        report("mail", deliver_mail::deliver_due(&app, Arc::clone(&transport), 20).await.map(drop));
        if sealed.is_due(at) {
            report("seals", run_jobs::seal(&app, looked_behind.is_due(at)).await);
            report("events", run_jobs::poll(&app).await);
        }
        if swept.is_due(at) {
            report("sweep", run_jobs::sweep(&app).await);
        }
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
