//! What a running sandbox shares among its tasks.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::http::HeaderValue;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::agenda;
use crate::charging;
use crate::clock::{self, OffsetClock};
use crate::error::Failure;
use crate::faults::Faults;
use crate::idempotency::Running;
use crate::ids;
use crate::objects::{Intent, IntentStatus};
use crate::store::{self, Store};
use crate::webhooks::{Pauses, WebhookTarget};
use crate::work::{Cause, Environment, Work};

/// The parts of a running sandbox.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: OffsetClock,
    pub(crate) environment: Arc<Environment>,
    pub(crate) faults: Faults,
    pub(crate) running: Arc<Running>,
    pub(crate) webhook: RwLock<Option<WebhookTarget>>,
    pub(crate) deliveries_queued: Notify,
    pub(crate) pauses: tokio::sync::Mutex<Pauses>,
    pub(crate) http: reqwest::Client,
    pub(crate) requests_seen: AtomicU64,
    pub(crate) stopping: CancellationToken,
    pub(crate) tasks: TaskTracker,
}

/// A handle to a running sandbox.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Runs a piece of work: first ends what the clock has ended, then `action`; all of it or nothing. Wakes the deliveries.
    pub(crate) fn work<T>(
        &self,
        cause: Cause,
        action: impl FnOnce(&Work<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let outcome = self.in_transaction(cause, |work| {
            // Whoever asks finds what is due done, even when the sweeper has not come by.
            agenda::catch_up(work)?;
            action(work)
        });
        self.deliveries_queued.notify_one();
        outcome
    }

    /// Runs a piece of work that makes no events.
    pub(crate) fn read<T>(&self, action: impl FnOnce(&Work<'_>) -> Result<T, Failure>) -> Result<T, Failure> {
        self.in_transaction(Cause::default(), action)
    }

    fn in_transaction<T>(
        &self,
        cause: Cause,
        action: impl FnOnce(&Work<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let has_webhook = self.webhook_target().is_some();
        self.store.transaction(|connection| {
            let now = self.clock.now();
            action(&Work {
                connection,
                now,
                environment: &self.environment,
                cause,
                has_webhook,
                webhook_mode: None,
            })
        })
    }

    pub(crate) fn webhook_target(&self) -> Option<WebhookTarget> {
        self.webhook.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_webhook_target(&self, target: Option<WebhookTarget>) {
        *self.webhook.write().unwrap_or_else(PoisonError::into_inner) = target;
        self.deliveries_queued.notify_one();
    }

    /// A new `req_…` id.
    pub(crate) fn next_request_id(&self) -> String {
        let number = self.requests_seen.fetch_add(1, Ordering::Relaxed);
        let purpose = format!("req_/{}", self.clock.base_now());
        format!("req_{}", ids::code(self.environment.seed, &purpose, number, 14))
    }

    /// The `Date` of an answer.
    pub(crate) fn date_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&clock::http_date(self.clock.date_now())?).ok()
    }

    /// Moves the sandbox's clock forward; returns the new now.
    pub(crate) fn advance_clock(&self, seconds: i64) -> Result<i64, Failure> {
        let offset_seconds = self.clock.offset_seconds().saturating_add(seconds);
        self.read(|work| store::set_setting(work.connection, "clock_offset_seconds", &offset_seconds))?;
        self.clock.set_offset_seconds(offset_seconds);
        self.work(Cause::default(), |_| Ok(()))?;
        Ok(self.clock.now())
    }

    /// Ends a slow try of a card, unless something else ended it. Bank debits end by the agenda.
    pub(crate) fn settle(&self, intent_id: &str) -> Result<(), Failure> {
        self.work(Cause::default(), |work| {
            let mut intent: Intent = work.own(intent_id)?;
            if intent.status == IntentStatus::Processing && intent.card().is_some() {
                charging::settle(work, &mut intent)?;
            }
            Ok(())
        })
    }

    /// Ends the slow tries that a stop left behind.
    pub(crate) fn settle_all(&self) -> Result<(), Failure> {
        let processing: Vec<Intent> = self.read(|work| store::with_status(work.connection, "processing"))?;
        processing.iter().try_for_each(|intent| self.settle(&intent.id))
    }
}
