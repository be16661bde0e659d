//! One seed's world: the program in its present life, the processor it pays through, the network between them, the mail, and what
//! people were told. The program can die at any step; everything else outlives it.

use crate::checks::Seen;
use crate::clock::{Seeded, SimulatedClock};
use crate::fate::{AtWrites, Fate, Place};
use crate::sabotage::Sabotage;
use crate::wire::Wire;
use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use billing::ids::{AuditId, ContactId, CustomerId, InvoiceId, MerchantId, PaymentId, RefundId, SetupId};
use billing::payment::Method;
use gateway::stripe::{Stripe, StripeConfig};
use gateway::{Processor, SecretText};
use jiff::Timestamp;
use ledger::{Currency, Money};
use paydown::actions::create_customer::{NewCustomer, create_customer};
use paydown::actions::run_jobs;
use paydown::actions::set_offered_methods::{SetOfferedMethods, set_offered_methods};
use paydown::app::App;
use paydown::clock::{Clock, Random};
use paydown::mail::transport::{Outgoing, Transport};
use paydown::processors::{Processors, STRIPE, key_place, webhook_place};
use paydown::secrets::SecretKey;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use sandbox::{InProcess, Sandbox, SandboxConfig, SandboxData, Undelivered, WebhookTarget};
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use store::audit::{self, AuditRow, acts};
use store::contacts;
use store::db::{DatabaseUrl, Store, StoreConfig, Tx};
use store::merchants::{self, Merchant};
use store::processor_accounts::{self, Mode, ProcessorAccount};
use store::testing::TestDatabase;
use tokio::runtime::Runtime;
use tokio_util::task::TaskTracker;

/// The one merchant.
pub const MERCHANT: MerchantId = MerchantId(1);
const PROCESSOR_KEY: &str = "sk_test_simulation";
const WEBHOOK_SECRET: &str = "whsec_simulation";
/// Longer than any operation takes in real time; one that needs it is stuck.
const GUARD: Duration = Duration::from_secs(60);

/// A payment that somebody was told of.
#[derive(Clone, Debug)]
pub struct Told {
    /// Which.
    pub payment: PaymentId,
    /// Of which invoice.
    pub invoice: InvoiceId,
    /// Minor units.
    pub amount_minor: i64,
    /// By what means.
    pub method: Method,
    /// The processor's page, once the payer was sent there.
    pub session: Option<String>,
    /// True if it charges a saved method: then there is no page, but the bank may ask.
    pub is_saved: bool,
}

/// An invoice that was issued.
#[derive(Clone, Debug)]
pub struct Issued {
    /// Which.
    pub id: InvoiceId,
    /// Whose.
    pub customer: CustomerId,
    /// In what.
    pub currency: Currency,
}

/// See the module.
pub struct World {
    /// What the operations follow from.
    pub chance: StdRng,
    /// What goes wrong.
    pub fate: Arc<Fate>,
    /// Ours and the processor's.
    pub clock: Arc<SimulatedClock>,
    /// The practice processor.
    pub processor: Arc<InProcess>,
    /// Webhooks on their way to us.
    pub webhooks: VecDeque<Undelivered>,
    /// Customers with a contact each.
    pub customers: Vec<(CustomerId, ContactId)>,
    /// Invoices, oldest first.
    pub invoices: Vec<Issued>,
    /// Payments, oldest first.
    pub payments: Vec<Told>,
    /// Refunds that somebody was told of, oldest first.
    pub refunds: Vec<RefundId>,
    /// Receipts whose payer was not known when they came.
    pub receipts: Vec<(PaymentId, Money)>,
    /// Pages on which a method is left without paying, with whose it is.
    pub setups: Vec<(SetupId, String)>,
    /// Pages of banks that ask about a saved card.
    pub challenges: Vec<String>,
    /// Held debits of which somebody was told that they are stopped.
    pub stopped: Vec<PaymentId>,
    /// What the last look at the rows saw.
    pub seen: Seen,
    /// How often each mail was handed over.
    pub post: Arc<Post>,
    /// What was done, for a run that fails.
    pub diary: Vec<String>,
    stripe: Arc<dyn Processor>,
    random: Arc<dyn Random>,
    life: Option<Life>,
    lives: u32,
    database: TestDatabase,
}

/// The program from one start to its end. The application goes before the runtime, whose tasks hold it too.
struct Life {
    app: App,
    runtime: Runtime,
}

impl World {
    /// A merchant, three customers, and nothing owed yet; the program has this defect, if any.
    pub fn begin(seed: u64, sabotage: Option<Sabotage>) -> World {
        let clock = Arc::new(SimulatedClock::new());
        World::under(seed, Fate::new(seed, Arc::clone(&clock)), clock, sabotage)
    }

    /// The same where nothing goes wrong but what is planned.
    pub fn calm() -> World {
        let clock = Arc::new(SimulatedClock::new());
        World::under(0, Fate::calm(Arc::clone(&clock)), clock, None)
    }

    fn under(seed: u64, fate: Fate, clock: Arc<SimulatedClock>, sabotage: Option<Sabotage>) -> World {
        let fate = Arc::new(fate);
        let processor = Arc::new(start_processor(seed, Arc::clone(&clock)));
        let wire = Wire { processor: Arc::clone(&processor), fate: Arc::clone(&fate), sabotage };
        let config = StripeConfig {
            address: "http://127.0.0.1:9".to_owned(),
            ..StripeConfig::new(SecretText::new(PROCESSOR_KEY.to_owned()))
        };
        let stripe = Stripe::try_new(config).expect("the adapter is made").carried_by(Arc::new(wire));
        let database =
            runtime().block_on(TestDatabase::sqlite_under(&memory_folder(), store::migrations::MIGRATIONS));
        for trigger in sabotage.map(Sabotage::triggers).unwrap_or_default() {
            runtime().block_on(database.execute(trigger));
        }
        let mut world = World {
            chance: StdRng::seed_from_u64(seed),
            post: Arc::new(Post { sent: Mutex::default(), fate: Arc::clone(&fate) }),
            fate,
            clock,
            processor,
            webhooks: VecDeque::new(),
            customers: Vec::new(),
            invoices: Vec::new(),
            payments: Vec::new(),
            refunds: Vec::new(),
            receipts: Vec::new(),
            setups: Vec::new(),
            challenges: Vec::new(),
            stopped: Vec::new(),
            seen: Seen::default(),
            diary: Vec::new(),
            stripe: Arc::new(stripe),
            random: Arc::new(Seeded::new(seed)),
            life: None,
            lives: 0,
            database,
        };
        world.start();
        world.set_up();
        world
    }

    /// A number of the run's own chance.
    pub fn draw(&mut self, below: usize) -> usize {
        self.chance.random_range(0..below.max(1))
    }

    /// True in so many of a hundred cases.
    pub fn often(&mut self, percent: u32) -> bool {
        self.chance.random_ratio(percent, 100)
    }

    /// Lets the program do something. `None`: it died over it, and a new one has been started.
    pub fn live<T, F>(&mut self, work: impl FnOnce(App) -> F) -> Option<T>
    where
        F: Future<Output = T>,
    {
        let life = self.life.as_ref().expect("the program runs");
        let (work, fate) = (work(life.app.clone()), Arc::clone(&self.fate));
        let done = life.runtime.block_on(async move {
            let (work, death) = (pin!(work), pin!(fate.death()));
            let either = futures::future::select(work, death);
            match tokio::time::timeout(GUARD, either).await {
                Ok(futures::future::Either::Left((out, _))) => Some(out),
                Ok(futures::future::Either::Right(_)) => None,
                Err(_) => panic!("nothing happened for {GUARD:?}"),
            }
        });
        if self.fate.is_dead() {
            self.diary.push("    the program died".to_owned());
            self.start();
        }
        done
    }

    /// The program dies between two operations, and starts again.
    pub fn restart(&mut self) {
        self.start();
    }

    /// A new life, as often as it takes: it may die while it begins.
    fn start(&mut self) {
        loop {
            if let Some(Life { app, runtime }) = self.life.take() {
                drop(app);
                drop(runtime);
                let seconds = self.chance.random_range(1..40);
                self.clock.advance(Duration::from_secs(seconds));
            }
            self.fate.revive();
            if self.lives > 0 && self.fate.is_troubled() && self.chance.random_ratio(1, 12) {
                self.fate.doom(self.chance.random_range(0..4));
            }
            self.lives += 1;
            let runtime = runtime();
            let store =
                runtime.block_on(open(&self.database)).watched_by(Arc::new(AtWrites(Arc::clone(&self.fate))));
            let app = App {
                store,
                clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
                random: Arc::clone(&self.random),
                secrets: Arc::new(SecretKey::from_bytes([7; 32])),
                processors: Arc::new(Processors::in_place(Arc::clone(&self.stripe))),
                public_url: "http://127.0.0.1:9".into(),
                trusted_proxies: Arc::default(),
                amount_inputmode: Default::default(),
                tasks: TaskTracker::new(),
            };
            let fate = Arc::clone(&self.fate);
            let own = app.clone();
            let resumed = runtime.block_on(async move {
                let resumed = run_jobs::resume(&own);
                match futures::future::select(pin!(resumed), pin!(fate.death())).await {
                    futures::future::Either::Left((resumed, _)) => resumed.is_ok(),
                    futures::future::Either::Right(_) => false,
                }
            });
            self.life = Some(Life { app, runtime });
            if resumed && !self.fate.is_dead() {
                return;
            }
        }
    }

    /// Calls the processor as the world does, not as the program: no network, no fault. `None` where it refuses.
    pub fn control(&mut self, path: &str, body: &Value) -> Option<Value> {
        let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
        let request = Request::post(format!("/control{path}")).body(body).expect("a request");
        self.ask(request)
    }

    /// Reads from the processor's control interface.
    pub fn control_read(&mut self, path: &str) -> Option<Value> {
        self.ask(Request::get(format!("/control{path}")).body(Body::empty()).expect("a request"))
    }

    fn ask(&mut self, request: Request<Body>) -> Option<Value> {
        let (is_done, body) = self.fetch(request);
        is_done.then(|| serde_json::from_slice(&body).expect("answers are JSON"))
    }

    /// What the processor answers to somebody who is not the program, and whether it did what was asked.
    pub fn fetch(&mut self, request: Request<Body>) -> (bool, Vec<u8>) {
        let processor = Arc::clone(&self.processor);
        let life = self.life.as_ref().expect("the program runs");
        life.runtime.block_on(async move {
            let response = processor.call(request).await.expect("no fault is armed");
            let status = response.status();
            assert!(!status.is_server_error(), "the practice processor broke");
            let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a body");
            (status.is_success() || status.is_redirection(), body.to_vec())
        })
    }

    /// What somebody does at the processor with the merchant's own key, past the program: `GET` without a form, else `POST`.
    pub fn dashboard(&mut self, path: &str, form: Option<&str>) -> Option<Value> {
        let request = match form {
            Some(_) => Request::post(path).header("content-type", "application/x-www-form-urlencoded"),
            None => Request::get(path),
        };
        let request = request.header("authorization", format!("Bearer {PROCESSOR_KEY}"));
        let request = request.body(form.map_or_else(Body::empty, |form| Body::from(form.to_owned())));
        self.ask(request.expect("a request"))
    }

    /// Everything in one of the processor's lists, newest first.
    pub fn listed(&mut self, route: &str) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        loop {
            let last = all.last().and_then(|last| last["id"].as_str());
            let after = last.map(|last| format!("&starting_after={last}")).unwrap_or_default();
            let page = self.dashboard(&format!("{route}?limit=100{after}"), None).expect("it is listed");
            all.extend(page["data"].as_array().expect("a list").iter().cloned());
            if page["has_more"] != true {
                return all;
            }
        }
    }

    /// Puts the database and the processor's lists into a folder, for whoever looks why a seed failed.
    pub fn keep(&mut self, folder: &Path) {
        for route in ["charges", "refunds", "disputes", "payouts", "balance_transactions", "events"] {
            let listed = Value::Array(self.listed(&format!("/v1/{route}"))).to_string();
            std::fs::write(folder.join(format!("{route}.json")), listed).expect("the folder takes a file");
        }
        self.life = None;
        if let DatabaseUrl::Sqlite(path) = self.database.config().url {
            std::fs::copy(path, folder.join("paydown.db")).expect("the database can be copied");
        }
    }

    /// Takes what the processor has to tell onto the network.
    pub fn collect_webhooks(&mut self) {
        self.webhooks.extend(self.processor.take_webhooks().expect("the processor tells"));
    }

    fn set_up(&mut self) {
        let base_now = self.clock.now();
        let done = self.live(async move |app: App| {
            make_merchant(&app, base_now).await;
            let methods = vec![Method::Card, Method::UsBankAccount, Method::SepaDebit];
            let input = SetOfferedMethods { merchant: MERCHANT, methods, actor: "simulation".to_owned() };
            retried(async || set_offered_methods(&app, input.clone()).await)
                .await
                .expect("they can be offered");
            let mut customers = Vec::new();
            for name in ["Acme", "Bolt", "Coil"] {
                let new = || NewCustomer {
                    merchant: MERCHANT,
                    name: name.to_owned(),
                    address: String::new(),
                    contacts: vec![("Dana".to_owned(), format!("dana@{}.example", name.to_lowercase()))],
                };
                let id = retried(async || create_customer(&app, "simulation", new()).await).await;
                let read = async move |tx: &mut Tx| contacts::list(tx, MERCHANT, id).await;
                let found = app.store.read(read).await.expect("contacts can be read");
                customers.push((id, found.first().expect("a contact").id));
            }
            customers
        });
        self.customers = done.expect("nothing dies before the first operation");
    }
}

/// Again, as often as a database that is busy asks for it.
async fn retried<T>(action: impl AsyncFn() -> anyhow::Result<T>) -> T {
    for _ in 0..10 {
        if let Ok(done) = action().await {
            return done;
        }
    }
    panic!("the beginning of the world failed ten times");
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime can be made")
}

/// A folder in memory where the system has one: what is lost with the power is not what is simulated here.
fn memory_folder() -> PathBuf {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() }
}

async fn open(database: &TestDatabase) -> Store {
    let config = StoreConfig { on_callers_thread: true, readers: 1, ..database.config() };
    Store::open(&config).await.expect("the database opens")
}

fn start_processor(seed: u64, clock: Arc<SimulatedClock>) -> InProcess {
    let target = WebhookTarget { url: "http://127.0.0.1:9".to_owned(), secret: WEBHOOK_SECRET.to_owned() };
    let config = SandboxConfig {
        listen: ([127, 0, 0, 1], 0).into(),
        data: SandboxData::Memory,
        secret_key: PROCESSOR_KEY.to_owned(),
        webhook: Some(target),
        clock: Arc::new(move || clock.now().as_second()),
        seed,
        public_url: Some("http://127.0.0.1:9".to_owned()),
    };
    Sandbox::in_process(config).expect("the practice processor starts")
}

async fn make_merchant(app: &App, now: Timestamp) {
    let merchant = merchant(now);
    let mint = app.mint();
    let seal = |place, plain: &str| app.secrets.seal(&place, mint.bytes(), plain.as_bytes());
    let account = ProcessorAccount {
        merchant_id: MERCHANT,
        processor: STRIPE.to_owned(),
        mode: Mode::Practice,
        base_url: "http://127.0.0.1:9".to_owned(),
        account: "acct_practice".to_owned(),
        secret_key: seal(key_place(MERCHANT), PROCESSOR_KEY),
        webhook_secret: Some(seal(webhook_place(MERCHANT), WEBHOOK_SECRET)),
        webhook_secret_before: None,
        polled_to: now,
        connected_at: now,
    };
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: "simulation".to_owned(),
        act: acts::PROCESSOR_CONNECT.to_owned(),
        object: "merchant".to_owned(),
        before: "null".to_owned(),
        after: "{}".to_owned(),
        at: now,
    };
    retried(async || {
        let (merchant, account, row) = (merchant.clone(), account.clone(), row.clone());
        app.store
            .write(async move |tx: &mut Tx| {
                // Done already where it was only not known to be done.
                if merchants::insert(tx, &merchant).await? {
                    processor_accounts::upsert(tx, &account).await?;
                    audit::append(tx, MERCHANT, &row).await?;
                }
                Ok(())
            })
            .await
    })
    .await;
}

fn merchant(created_at: Timestamp) -> Merchant {
    Merchant {
        id: MERCHANT,
        slug: "northwind".to_owned(),
        name: "Northwind".to_owned(),
        address: "1 Main Street".to_owned(),
        help_email: "help@northwind.example".to_owned(),
        help_phone: None,
        currency: Currency::USD,
        time_zone: "America/New_York".to_owned(),
        brand_color: "#1a5fb4".to_owned(),
        sender: "billing@northwind.example".to_owned(),
        statement_line: "NORTHWIND".to_owned(),
        abandon_after_seconds: 1_800,
        created_at,
    }
}

/// Takes mail, unless fate has it otherwise: refused, or taken and not acknowledged.
pub struct Post {
    /// How often each mail was taken, by its id.
    pub sent: Mutex<BTreeMap<String, u32>>,
    fate: Arc<Fate>,
}

#[async_trait]
impl Transport for Post {
    async fn send(&self, outgoing: &Outgoing) -> anyhow::Result<()> {
        self.fate.step(Place::Mail).await;
        anyhow::ensure!(!self.fate.strikes(10), "the mail server is away");
        *self.sent.lock().expect("nobody panics").entry(outgoing.id.to_string()).or_default() += 1;
        self.fate.step(Place::Mail).await;
        anyhow::ensure!(!self.fate.strikes(5), "the mail server took it and did not say so");
        Ok(())
    }
}

/// What a control call without a body sends.
pub fn nothing() -> Value {
    json!({})
}
