//! The practice processor: an HTTP server that answers those calls of Stripe's published API which Paydown makes, as Stripe documents
//! them. **No real money moves.**
//!
//! It has its own data ([`SandboxData`]), its own books ([`Books`]), its own clock ([`SandboxClock`] plus an offset that tests move) and
//! faults that tests arm ([`Fault`]). It must never share a type with the adapter it is there to test, look at Paydown's data, or keep a
//! card number.
//!
//! # Start
//!
//! [`Sandbox::start`] binds an address and serves until [`RunningSandbox::shutdown`] or drop. Callers of `/v1` send the configured secret key
//! as a bearer token or as the user of basic authentication.
//!
//! # What it answers
//!
//! | Call | Notes |
//! |---|---|
//! | `POST/GET /v1/customers`, `GET …/{id}`, `GET …/{id}/payment_methods` | |
//! | `POST/GET /v1/checkout/sessions`, `GET …/{id}`, `POST …/{id}/expire` | payment and setup mode; a hosted page of 30 minutes to 24 hours for `card`, `us_bank_account`, `sepa_debit`; the payment intent is born when the payer first presses Pay |
//! | `POST/GET /v1/payment_intents`, `GET …/{id}`, `POST …/{id}/confirm`, `…/cancel`, `…/verify_microdeposits` | test payment methods `pm_card_…`, `pm_usBankAccount_…`, `pm_sepaDebit_…`, or kept ones; a debit can be cancelled for an hour |
//! | `POST/GET /v1/setup_intents`, `GET …/{id}`, `POST …/{id}/confirm`, `…/cancel`, `…/verify_microdeposits` | |
//! | `GET /v1/payment_methods`, `GET/POST …/{id}`, `POST …/{id}/attach`, `…/detach` | a method that was taken off is never used again, and its mandates end |
//! | `GET /v1/mandates/{id}` | |
//! | `GET /v1/charges`, `GET …/{id}` | failed tries too; of bank debits `py_…` |
//! | `POST/GET /v1/refunds`, `GET/POST …/{id}` | at once for cards, in days for bank accounts; not while a dispute holds the money |
//! | `GET /v1/disputes`, `GET/POST …/{id}`, `POST …/{id}/close` | cards; a bank debit that comes back after success is a dispute that is lost at once |
//! | `POST/GET /v1/files`, `GET …/{id}` | `dispute_evidence`: PDF, JPEG or PNG to 5 MB; size and hash are kept |
//! | `POST/GET /v1/payouts`, `GET …/{id}` | by hand; daily ones once `/control/payouts` says so |
//! | `GET /v1/balance_transactions`, `GET …/{id}`, `GET /v1/balance`, `GET /v1/account` | `payout=` lists the items of an automatic payout, and the payout's own line of type `payout` |
//! | `GET /v1/events`, `GET …/{id}` | by time, type and cursor |
//!
//! Unknown parameters are refused by name, `expand[]` works to four levels, and an `Idempotency-Key` on a POST gives the same answer for
//! 24 hours, refuses another request under it, and answers 409 while the first is under way.
//!
//! # Time
//!
//! Debits settle on the fourth business day, disputes fall due, refunds fail, payouts arrive: all by the sandbox's clock, each as of its own
//! moment and in order, as soon as anybody asks anything after it. Business days are Monday to Friday in UTC; holidays are not observed.
//!
//! # Pages
//!
//! `/c/pay/{session}` takes test cards and practice accounts and refuses every other number; `/c/verify/{intent}` asks for two small deposits;
//! `/c/challenge/{intent}` is a mock bank. All work without script, and name what can be typed on them.
//!
//! # Control API
//!
//! `GET /control` lists it: faults, webhooks (hold, lose, duplicate, reverse, delay, resend), clock, fees that come later, captures of another
//! amount or currency, money taken after a session's end, returns, disputes, failing refunds and payouts, and a scripted payer. It needs no key
//! and answers this machine only.

#![recursion_limit = "256"]

mod agenda;
mod api;
mod app;
mod auth;
mod banks;
mod books;
mod calendar;
mod cards;
mod charging;
mod checkout;
mod clock;
mod control;
mod currency;
mod debits;
mod disputing;
mod error;
mod faults;
mod fees;
mod form;
mod idempotency;
mod ids;
mod in_process;
mod mandates;
mod methods;
mod objects;
mod pages;
mod paying_out;
mod refunding;
mod returns;
mod server;
mod setting_up;
mod spoiling;
mod store;
mod verifying;
mod webhooks;
mod work;

use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use books::{Books, CurrencyBooks};
pub use clock::SandboxClock;
pub use faults::{Fault, FaultKind};
pub use in_process::{InProcess, Undelivered};
pub use store::SandboxData;
pub use webhooks::{WebhookMode, WebhookTarget};

use app::{App, Inner};
use clock::OffsetClock;
use store::Store;
use work::{Cause, Environment};

/// How often pages whose time is over are swept, in real time. Readers find them expired in any case.
const SWEEP: Duration = Duration::from_secs(1);
const DRAIN: Duration = Duration::from_secs(5);

/// How a sandbox is to run.
#[derive(Clone)]
pub struct SandboxConfig {
    /// Address to listen on; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// Where its data is.
    pub data: SandboxData,
    /// The key its callers use, `sk_test_…`.
    pub secret_key: String,
    /// Who is told of events; may be set later.
    pub webhook: Option<WebhookTarget>,
    /// Where it gets the time from.
    pub clock: Arc<dyn SandboxClock>,
    /// What its ids follow from.
    pub seed: u64,
    /// Base of the hosted pages' addresses; by default the address it listens on.
    pub public_url: Option<String>,
}

/// The practice processor.
#[derive(Debug)]
pub struct Sandbox;

/// A sandbox that serves. Stops when dropped.
pub struct RunningSandbox {
    app: App,
    address: SocketAddr,
}

impl Sandbox {
    /// Starts a sandbox on the current runtime; it answers as soon as this returns.
    ///
    /// # Errors
    /// When the key is not a test key, the data cannot be opened or is of a newer version, or the address cannot be bound.
    pub async fn start(config: SandboxConfig) -> anyhow::Result<RunningSandbox> {
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("listening on {}", config.listen))?;
        let address = listener.local_addr()?;
        let public_url = config.public_url.unwrap_or_else(|| format!("http://{address}"));
        let app = parts(SandboxConfig { public_url: Some(public_url), ..config }, webhook_client()?)?;
        app.tasks.spawn(server::serve(app.clone(), listener));
        app.tasks.spawn(webhooks::run(app.clone()));
        app.tasks.spawn(sweep(app.clone()));
        Ok(RunningSandbox { app, address })
    }
}

/// The client that delivers webhooks.
fn webhook_client() -> anyhow::Result<reqwest::Client> {
    // Whoever comes first installs it; that it is there already is fine.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .context("making the webhook client")
}

/// Everything but what listens.
fn parts(config: SandboxConfig, http: reqwest::Client) -> anyhow::Result<App> {
    ensure!(
        config.secret_key.starts_with("sk_test_"),
        "the practice processor's key must begin with sk_test_"
    );
    let store = Store::open(&config.data)?;
    let offset_seconds =
        store.transaction(|connection| store::setting(connection, "clock_offset_seconds"))?;
    let environment = Environment {
        seed: config.seed,
        secret_key: config.secret_key,
        public_url: config.public_url.unwrap_or_default().trim_end_matches('/').to_owned(),
    };
    let app = App::new(Inner {
        store,
        clock: OffsetClock::new(config.clock, offset_seconds),
        environment: Arc::new(environment),
        faults: faults::Faults::default(),
        running: Arc::default(),
        webhook: RwLock::new(config.webhook),
        deliveries_queued: Notify::new(),
        pauses: tokio::sync::Mutex::default(),
        http,
        requests_seen: AtomicU64::new(0),
        stopping: CancellationToken::new(),
        tasks: TaskTracker::new(),
    });
    app.settle_all()?;
    Ok(app)
}

/// Ends pages whose time is over, so that their events go out even when nobody asks.
async fn sweep(app: App) {
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = tokio::time::sleep(SWEEP) => {}
        }
        if let Err(error) = app.work(Cause::default(), |_| Ok(())) {
            tracing::error!(%error, "the practice processor cannot sweep its sessions");
        }
    }
}

impl RunningSandbox {
    /// Address its API answers on, without a slash at the end: `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key its callers use.
    #[must_use]
    pub fn secret_key(&self) -> &str {
        &self.app.environment.secret_key
    }

    /// Says who is told of events from now on.
    pub fn set_webhook(&self, target: Option<WebhookTarget>) {
        self.app.set_webhook_target(target);
    }

    /// Arms a fault, as `POST /control/faults` does.
    pub fn arm_fault(&self, fault: Fault) {
        self.app.faults.arm(fault);
    }

    /// Moves its clock forward and ends what that ends; returns its new now in Unix seconds.
    ///
    /// # Errors
    /// When its data cannot be written.
    pub fn advance_clock(&self, seconds: u32) -> anyhow::Result<i64> {
        Ok(self.app.advance_clock(i64::from(seconds))?)
    }

    /// Its own books, added up.
    ///
    /// # Errors
    /// When its data cannot be read or a sum does not fit.
    pub fn books(&self) -> anyhow::Result<Books> {
        Ok(self.app.work(Cause::default(), books::read)?)
    }

    /// Does what is due by its clock, then tries every delivery that is due, each once and without pauses, and returns how many
    /// are still due. Held ones stay held.
    ///
    /// # Errors
    /// When its data cannot be read.
    pub async fn drain_webhooks(&self) -> anyhow::Result<usize> {
        self.app.work(Cause::default(), |_| Ok(()))?;
        webhooks::pass(&self.app, true).await?;
        let log = self.app.read(|work| webhooks::log(work.connection))?;
        Ok(log.iter().filter(|line| line.state == "due").count())
    }

    /// Stops serving and waits, a few seconds at most, for calls under way.
    pub async fn shutdown(self) {
        self.app.stopping.cancel();
        self.app.tasks.close();
        if tokio::time::timeout(DRAIN, self.app.tasks.wait()).await.is_err() {
            tracing::warn!("the practice processor stopped with calls under way");
        }
    }
}

impl Drop for RunningSandbox {
    fn drop(&mut self) {
        self.app.stopping.cancel();
    }
}
