//! `/metrics`: what an operator needs to see, as Prometheus reads it, on a listener of its own that only this machine
//! reaches unless the settings say otherwise. It names no merchant, customer or payment, and nothing is decided by it.

use crate::app::App;
use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use billing::payment::PaymentState;
use jiff::{SignedDuration, Timestamp};
use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::sync::Arc;
use std::time::Duration;
use store::backlog::{self, Backlog, Waiting};
use store::db::Tx;
use tokio::net::TcpListener;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Seconds, from a page that was quick to a request that timed out.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Writes that shared a flush.
const JOBS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
/// How often figures that nobody fetched are condensed.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// What collects the figures of this process.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    started_at: Timestamp,
}

/// Counting reads every payment. However often somebody asks, it is done once in so long.
const COUNT_EVERY: SignedDuration = SignedDuration::from_secs(5);

#[derive(Clone)]
struct Listening {
    app: App,
    metrics: Metrics,
    /// When the backlog was counted last. Whoever counts holds it, so nobody counts at the same time.
    counted_at: Arc<Mutex<Option<Timestamp>>>,
}

impl Metrics {
    /// Starts collecting, once per process.
    pub fn install(started_at: Timestamp) -> Result<Metrics> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
            .set_buckets_for_metric(Matcher::Suffix("_jobs".to_owned()), &JOBS)?
            .install_recorder()
            .context("figures are collected already")?;
        describe();
        Ok(Metrics { handle, started_at })
    }

    /// Answers `/metrics` on this listener until `stop` is cancelled.
    pub async fn serve(self, app: App, listener: TcpListener, stop: CancellationToken) {
        let handle = self.handle.clone();
        let router = Router::new().route("/metrics", get(show)).with_state(Listening {
            app,
            metrics: self,
            counted_at: Arc::default(),
        });
        let serving = axum::serve(listener, router).with_graceful_shutdown(stop.clone().cancelled_owned());
        let upkeep = async {
            let mut ticks = tokio::time::interval(UPKEEP_EVERY);
            while !stop.is_cancelled() {
                ticks.tick().await;
                handle.run_upkeep();
            }
        };
        tokio::select! {
            ended = serving => {
                if let Err(error) = ended {
                    tracing::error!(%error, "/metrics stopped");
                }
            }
            () = upkeep => {}
        }
    }
}

/// Counts a request by its route, never by its path: that would name invoices and tell secrets.
pub fn request(route: &str, method: &str, status: StatusCode, took: Duration) {
    let labels = [("route", route.to_owned()), ("method", method.to_owned())];
    histogram!("paydown_request_seconds", &labels).record(took.as_secs_f64());
    let status = status.as_u16().to_string();
    counter!("paydown_requests_total", "route" => route.to_owned(), "method" => method.to_owned(), "status" => status)
        .increment(1);
}

/// Counts a webhook by what became of it.
pub fn webhook(outcome: &'static str) {
    counter!("paydown_webhooks_total", "outcome" => outcome).increment(1);
}

/// Counts a report of a broken content policy by what became of it.
pub fn csp_report(outcome: &'static str) {
    counter!("paydown_csp_reports_total", "outcome" => outcome).increment(1);
}

fn describe() {
    describe_counter!("paydown_requests_total", "Requests answered, by route, method and status.");
    describe_histogram!("paydown_request_seconds", Unit::Seconds, "Time to answer a request.");
    describe_counter!("paydown_webhooks_total", "Webhooks that came in, by what became of them.");
    describe_counter!(
        "paydown_csp_reports_total",
        "Reports that a page broke its content policy, by what became of them."
    );
    describe_gauge!("paydown_payments", "Payments in the database, by state.");
    describe_gauge!("paydown_anomalies", "Anomalies that nobody has closed: work for a person.");
    describe_gauge!("paydown_events_parked", "Processors' events that are left to a person.");
    describe_gauge!("paydown_jobs_due", "Jobs that are due and that nobody works on.");
    describe_gauge!("paydown_jobs_oldest_seconds", "How long the oldest of them has been due.");
    describe_gauge!("paydown_mails_waiting", "Mails in the outbox that are not sent.");
    describe_gauge!("paydown_mails_oldest_seconds", "How long the oldest of them has waited.");
    describe_gauge!("paydown_events_waiting", "Processors' events in the inbox that are not applied.");
    describe_gauge!("paydown_events_oldest_seconds", "How long the oldest of them has waited: webhook lag.");
    describe_gauge!("paydown_writes_waiting", "Writes that wait for their turn at the database.");
    describe_gauge!("paydown_read_only", "1 while the database takes no writes until a restart, else 0.");
    describe_gauge!(
        "paydown_clock_ahead_seconds",
        Unit::Seconds,
        "How far our clock is ahead of the processor's it differs from most, negative if it is behind."
    );
    describe_gauge!("paydown_tasks", "Actions under way that outlive their request.");
    describe_gauge!("process_start_time_seconds", Unit::Seconds, "When the process started, since 1970.");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Memory in use.");
    describe_gauge!("process_open_fds", "Open files and connections.");
    describe_histogram!("store_write_wait_seconds", Unit::Seconds, "Time a write waited for its turn.");
    describe_histogram!("store_write_run_seconds", Unit::Seconds, "Time its statements took.");
    describe_histogram!("store_write_flush_seconds", Unit::Seconds, "Time the flush to disk took.");
    describe_histogram!("store_write_batch_jobs", "Writes that shared one flush.");
    describe_counter!("store_write_retries", "Writes that ran again after a deadlock.");
}

/// Sets the figures of the database anew, unless that was done a moment ago.
async fn count_backlog(app: &App, counted_at: &Mutex<Option<Timestamp>>) {
    let mut counted_at = counted_at.lock().await;
    let now = app.clock.now();
    // A clock that was set back must not stop the figures.
    if counted_at.is_some_and(|at| at <= now && now < at + COUNT_EVERY) {
        return;
    }
    match app.store.report(async move |tx: &mut Tx| backlog::read(tx, now).await).await {
        Ok(backlog) => {
            set_backlog(&backlog, now);
            *counted_at = Some(now);
        }
        // The figures of the process are worth having just then.
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "the backlog could not be counted");
        }
    }
}

async fn show(State(Listening { app, metrics, counted_at }): State<Listening>) -> Response {
    count_backlog(&app, &counted_at).await;
    gauge!("paydown_writes_waiting").set(count(app.store.writes_waiting()));
    gauge!("paydown_read_only").set(f64::from(u8::from(app.store.read_only_because().is_some())));
    gauge!("paydown_tasks").set(count(app.tasks.len()));
    if let Some(ahead) = app.processors.worst_clock() {
        gauge!("paydown_clock_ahead_seconds").set(ahead.as_secs_f64());
    }
    gauge!("process_start_time_seconds").set(metrics.started_at.as_duration().as_secs_f64());
    set_process();
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, metrics.handle.render()).into_response()
}

fn set_backlog(backlog: &Backlog, now: Timestamp) {
    for state in PaymentState::ALL {
        let found = backlog.payments.iter().find(|(found, _)| *found == state);
        gauge!("paydown_payments", "state" => state.as_str()).set(rows(found.map_or(0, |(_, count)| *count)));
    }
    gauge!("paydown_anomalies").set(rows(backlog.anomalies));
    gauge!("paydown_events_parked").set(rows(backlog.parked_events));
    let age = |waiting: &Waiting| {
        let since = waiting.oldest_at.map_or(now, |at| at.min(now));
        now.duration_since(since).as_secs_f64()
    };
    gauge!("paydown_jobs_due").set(rows(backlog.jobs.count));
    gauge!("paydown_jobs_oldest_seconds").set(age(&backlog.jobs));
    gauge!("paydown_mails_waiting").set(rows(backlog.mails.count));
    gauge!("paydown_mails_oldest_seconds").set(age(&backlog.mails));
    gauge!("paydown_events_waiting").set(rows(backlog.events.count));
    gauge!("paydown_events_oldest_seconds").set(age(&backlog.events));
}

/// What the system says of this process, where it says it (Linux).
fn set_process() {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status")
        && let Some(kilobytes) = resident_kilobytes(&status)
    {
        gauge!("process_resident_memory_bytes").set(f64::from(kilobytes) * 1024.0);
    }
    if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
        gauge!("process_open_fds").set(count(open.count()));
    }
}

fn resident_kilobytes(status: &str) -> Option<u32> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A count as a figure; beyond four thousand million it says so much.
fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn rows(number: i64) -> f64 {
    f64::from(u32::try_from(number.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_the_system_writes_it() {
        assert_eq!(resident_kilobytes("Name:\tpaydown\nVmRSS:\t   31244 kB\nThreads:\t4\n"), Some(31_244));
        assert_eq!(resident_kilobytes("Name:\tpaydown\n"), None);
    }

    #[test]
    fn counts_are_figures() {
        assert!((count(7) - 7.0).abs() < f64::EPSILON);
        assert!((rows(i64::MAX) - f64::from(u32::MAX)).abs() < f64::EPSILON);
    }
}
