//! A whole Paydown without its pages: a database of its own, the practice processor over loopback, one clock for both.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use billing::chart;
use billing::ids::{CustomerId, MerchantId};
use jiff::{SignedDuration, Timestamp};
use ledger::{Currency, Money};
use paydown::actions::apply_event::{Received, receive_webhook};
use paydown::actions::run_jobs;
use paydown::app::App;
use paydown::clock::{Clock, Random};
use paydown::processors::Processors;
use paydown::secrets::SecretKey;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxData, WebhookTarget};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use store::db::{Store, Tx};
use store::testing::TestDatabase;
use store::{inbox, jobs, postings, verify};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;

/// The practice processor's key.
pub const PROCESSOR_KEY: &str = "sk_test_end_to_end";
/// What signs its webhooks.
pub const WEBHOOK_SECRET: &str = "whsec_end_to_end";
/// The one before it, still accepted.
pub const WEBHOOK_SECRET_BEFORE: &str = "whsec_before";
/// Nothing here takes longer; a test that does is stuck.
pub const GUARD: Duration = Duration::from_secs(20);

const MERCHANT: MerchantId = MerchantId(1);
const START: &str = "2026-11-16T09:00:00Z";

/// A clock that stands still until it is moved; ours and the processor's.
pub struct TestClock(AtomicI64);

impl TestClock {
    fn advance(&self, by: SignedDuration) {
        let micros = i64::try_from(by.as_micros()).expect("a test moves by days, not by ages");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.0.load(Ordering::SeqCst)).expect("a time in this century")
    }
}

/// The same bytes at every run.
struct Seeded(Mutex<StdRng>);

impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().expect("nobody panics while drawing").fill(buffer);
    }
}

/// A webhook that came to the door: its kind and what became of it.
pub type Arrived = (String, Received);

/// Where the processor's webhooks come in; it outlives a restart of the program behind it.
#[derive(Clone)]
struct Door {
    app: Arc<RwLock<App>>,
    arrived: Arc<watch::Sender<Vec<Arrived>>>,
}

/// See [`TestApp::finish`].
pub struct TestApp {
    /// The program under test.
    pub app: App,
    /// The practice processor.
    pub sandbox: RunningSandbox,
    /// The one merchant.
    pub merchant: MerchantId,
    /// Its one customer.
    pub customer: CustomerId,
    /// For the processor's control interface.
    pub http: reqwest::Client,
    door: Door,
    clock: Arc<TestClock>,
    not_ours: Mutex<BTreeMap<&'static str, i64>>,
    is_finished: bool,
    /// Last, so that it goes last.
    pub database: TestDatabase,
}

impl TestApp {
    /// Starts everything and connects the merchant to the practice processor.
    pub async fn start(database: TestDatabase) -> TestApp {
        let start: Timestamp = START.parse().expect("a timestamp");
        let clock = Arc::new(TestClock(AtomicI64::new(start.as_microsecond())));
        let sandbox = start_sandbox(Arc::clone(&clock)).await;
        let random = Arc::new(Seeded(Mutex::new(StdRng::seed_from_u64(11))));
        let app = program(database.open().await, Arc::clone(&clock) as Arc<dyn Clock>, random);
        let door = Door { app: Arc::new(RwLock::new(app.clone())), arrived: Arc::default() };
        let url = open(door.clone()).await;
        sandbox.set_webhook(Some(WebhookTarget { url, secret: WEBHOOK_SECRET.to_owned() }));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        let customer = CustomerId::from_bytes([0; 16]);
        let mut app = TestApp {
            app,
            sandbox,
            merchant: MERCHANT,
            customer,
            http,
            door,
            clock,
            not_ours: Mutex::default(),
            is_finished: false,
            database,
        };
        app.make_merchant().await;
        app
    }

    /// Another program on the same database, as a second server has it. PostgreSQL only.
    pub async fn second(&self) -> App {
        let random = Arc::new(Seeded(Mutex::new(StdRng::seed_from_u64(12))));
        program(self.database.open().await, Arc::clone(&self.clock) as Arc<dyn Clock>, random)
    }

    /// So much of what went through the processor's books is somebody else's, minor units after fees.
    pub fn not_ours(&self, currency: Currency, minor: i64) {
        *self.not_ours.lock().expect("nobody panics here").entry(currency.code()).or_default() += minor;
    }

    /// Moves time for us and for the processor.
    pub fn advance(&self, by: SignedDuration) {
        self.clock.advance(by);
    }

    /// Delivers what the processor has to tell and does what is due, until both are quiet.
    pub async fn settle(&self) {
        let quiet = tokio::time::timeout(GUARD, async {
            loop {
                let waiting = self.sandbox.drain_webhooks().await.expect("the sandbox delivers");
                let done = run_jobs::run_due(&self.app).await.expect("jobs can be claimed");
                if waiting == 0 && done == 0 {
                    return;
                }
            }
        });
        quiet.await.expect("webhooks and jobs come to rest");
    }

    /// Lets time pass, then settles.
    pub async fn settle_after(&self, by: SignedDuration) {
        self.advance(by);
        self.settle().await;
    }

    /// The program dies and starts again a second later.
    pub async fn restart(&mut self) {
        self.app.store.close().await.expect("the store closes");
        self.open_again().await;
    }

    async fn open_again(&mut self) {
        self.advance(SignedDuration::from_secs(1));
        let random = Arc::clone(&self.app.random);
        let clock = Arc::clone(&self.app.clock);
        self.app = program(self.database.open().await, clock, random);
        *self.door.app.write().expect("nobody panics at the door") = self.app.clone();
        run_jobs::resume(&self.app).await.expect("payments in flight are found");
    }

    /// Stops for a moment, and a backup is made.
    pub async fn back_up(&mut self) -> TestDatabase {
        self.app.store.close().await.expect("the store closes");
        let backup = self.database.copy().await;
        self.open_again().await;
        backup
    }

    /// Everything since the backup is lost, but at the processor. What a server does at its start is left to the test.
    pub async fn restore(&mut self, backup: TestDatabase) {
        self.app.store.close().await.expect("the store closes");
        self.database = backup;
        self.open_again().await;
    }

    /// Waits until a webhook of this kind has come in.
    pub async fn arrived(&self, kind: &str) {
        let mut arrivals = self.door.arrived.subscribe();
        let came = arrivals.wait_for(|list| list.iter().any(|(word, _)| word == kind));
        let came = tokio::time::timeout(GUARD, came).await;
        came.unwrap_or_else(|_| panic!("no {kind} came in")).expect("the door stays open");
    }

    /// Every webhook that came in, in the order it came.
    pub fn arrivals(&self) -> Vec<Arrived> {
        self.door.arrived.borrow().clone()
    }

    /// Waits for the work that went on without its client.
    pub async fn background_work(&self) {
        self.app.tasks.close();
        tokio::time::timeout(GUARD, self.app.tasks.wait()).await.expect("background work ends");
        self.app.tasks.reopen();
    }

    /// The end of each test: everything is quiet, sealed and proven, and both sides' books are equal.
    pub async fn finish(mut self) {
        self.is_finished = true;
        self.settle().await;
        self.background_work().await;
        run_jobs::seal(&self.app, true).await.expect("postings are sealed");
        self.assert_nothing_due().await;
        let report = verify::verify(&self.app.store, &verify::Options::default()).await;
        let report = report.expect("the database can be verified");
        assert!(report.is_clean(), "{:#?}", report.findings);
        assert!(report.unsealed.is_empty(), "{:?}", report.unsealed);
        self.assert_books_are_equal().await;
        self.app.store.close().await.expect("the store closes");
    }

    /// When the next job is due; `None` when none waits.
    pub async fn next_due_at(&self) -> Option<Timestamp> {
        self.app.store.read(async |tx: &mut Tx| jobs::next_due_at(tx).await).await.expect("jobs can be read")
    }

    async fn assert_nothing_due(&self) {
        let now = self.clock.now();
        let read = self.app.store.read(async move |tx: &mut Tx| {
            Ok((jobs::next_due_at(tx).await?, inbox::count_waiting(tx).await?))
        });
        let (next_due_at, waiting) = read.await.expect("queues can be read");
        assert!(next_due_at.is_none_or(|at| at > now), "a job has been due since {next_due_at:?}");
        assert_eq!(waiting, 0, "events wait in the inbox");
    }

    /// What the processor holds is what account 1200 says, currency by currency: every line of its books, payouts included, and
    /// what it captured and has no line for yet.
    async fn assert_books_are_equal(&self) {
        let books = self.sandbox.books().expect("the sandbox has books");
        let mut theirs = BTreeMap::new();
        for (code, books) in &books.currencies {
            let currency = Currency::try_new(&code.to_uppercase()).expect("a currency");
            let not_ours = self.not_ours.lock().expect("nobody panics here").get(currency.code()).copied();
            let minor = books.net_minor + books.unbooked_minor - not_ours.unwrap_or_default();
            if minor != 0 {
                theirs.insert(currency.code(), Money::new(minor, currency));
            }
        }
        let merchant = self.merchant;
        let read = async move |tx: &mut Tx| postings::balances(tx, merchant, chart::CLEARING).await;
        let ours = self.app.store.read(read).await.expect("balances can be read");
        let ours = ours.into_iter().filter(|money| !money.is_zero());
        let ours: BTreeMap<_, _> = ours.map(|money| (money.currency().code(), money)).collect();
        assert_eq!(ours, theirs, "account 1200 and the processor's books differ");
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        assert!(self.is_finished || std::thread::panicking(), "a test ended without TestApp::finish");
    }
}

fn program(store: Store, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> App {
    App {
        store,
        processors: Arc::new(Processors::with_clock(Arc::clone(&clock))),
        clock,
        random,
        secrets: Arc::new(SecretKey::from_bytes([7; 32])),
        public_url: "http://127.0.0.1:9".into(),
        trusted_proxies: Arc::default(),
        amount_inputmode: Default::default(),
        tasks: TaskTracker::new(),
    }
}

async fn start_sandbox(clock: Arc<TestClock>) -> RunningSandbox {
    let config = SandboxConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        data: SandboxData::Memory,
        secret_key: PROCESSOR_KEY.to_owned(),
        webhook: None,
        clock: Arc::new(move || clock.now().as_second()),
        seed: 7,
        public_url: None,
    };
    Sandbox::start(config).await.expect("the practice processor starts")
}

async fn open(door: Door) -> String {
    let router = Router::new().route("/hooks/stripe/1", post(take)).with_state(door);
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hooks/stripe/1", socket.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(socket, router).await.expect("the door stays open") });
    url
}

async fn take(State(door): State<Door>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let app = door.app.read().expect("nobody panics at the door").clone();
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Ok(received) = receive_webhook(&app, MERCHANT, &raw, signature).await else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    let event: serde_json::Value = serde_json::from_slice(&raw).unwrap_or_default();
    let kind = event["type"].as_str().unwrap_or_default().to_owned();
    door.arrived.send_modify(|list| list.push((kind, received)));
    match received {
        Received::Stored | Received::Repeated => StatusCode::OK,
        Received::Refused | Received::NotConnected => StatusCode::BAD_REQUEST,
    }
}
