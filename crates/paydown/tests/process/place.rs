//! A merchant's machine: a data folder, a database, the practice processor as a process of its own, and the server, which
//! may be killed and started again. Made by the commands a person would type.

use crate::payer::Payer;
use crate::program::{Ended, GUARD, Log, Program, http, paydown, run, text, until};
use billing::chart;
use billing::ids::{MerchantId, PaymentId};
use billing::payment::PaymentState;
use ledger::{Currency, Money};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};
use store::attempts::{self, Attempt};
use store::db::{DatabaseUrl, Role, Store, StoreConfig, Tx};
use store::payments::{self, Payment};
use store::testing::TestDatabase;
use store::{jobs, postings};
use tempfile::TempDir;

/// The practice processor's key, as the test gave it.
const PROCESSOR_KEY: &str = "sk_test_process0123456789";
/// What signs its webhooks.
const WEBHOOK_SECRET: &str = "whsec_process0123456789";
/// The only merchant.
pub const MERCHANT: MerchantId = MerchantId(1);
const SLUG: &str = "northwind";
/// A card that pays.
pub const VISA: &str = "4242424242424242";

const INVOICES: &str = "Number,Customer,Email,Issued,Due,Description,Quantity,Price,Tax Rate\n\
    INV-1,Acme,dana@acme.test,2026-11-01,2026-11-30,Work,1,1250.00,\n";

/// See the module.
pub struct Place {
    folder: TempDir,
    /// The database, as tests put obstacles into it.
    pub database: TestDatabase,
    /// For the processor's control interface.
    pub http: reqwest::Client,
    sandbox: Program,
    /// The practice processor's address.
    pub processor_url: String,
    /// A view of the database from outside.
    store: Store,
    server: Option<Program>,
    /// `http://127.0.0.1:PORT` of the running server.
    pub origin: String,
    /// The address of its figures.
    pub metrics_url: String,
    /// Variables of the environment besides.
    pub settings: Vec<(&'static str, String)>,
    log: Log,
    /// What must not be in any log.
    pub secrets: BTreeSet<String>,
}

impl Place {
    /// Sets everything up but the server, which does not run yet.
    pub async fn set_up(database: TestDatabase) -> Place {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let log = Log::default();
        let data = folder.path().join("data");
        let file = folder.path().join("processor.db").display().to_string();
        let args = ["sandbox", "--json", "--port", "0", "--key", PROCESSOR_KEY, "--data", &file];
        let mut sandbox = Program::start(paydown(&data, &args), &log);
        let processor_url = word(&sandbox.ready().await, "processor_url");
        std::fs::write(folder.path().join("key"), PROCESSOR_KEY).expect("a file");
        std::fs::write(folder.path().join("secret"), WEBHOOK_SECRET).expect("a file");
        let store = Store::open(&StoreConfig::new(database.url(), Role::Command, 0)).await.expect("it opens");
        let place = Place {
            folder,
            database,
            http: http().build().expect("a client"),
            sandbox,
            processor_url,
            store,
            server: None,
            settings: Vec::new(),
            origin: String::new(),
            metrics_url: String::new(),
            log,
            secrets: [PROCESSOR_KEY, WEBHOOK_SECRET].map(str::to_owned).into(),
        };
        let connected = ["--processor-key-file", "key", "--webhook-secret-file", "secret"];
        let named = ["init", "--name", "Northwind", "--help-email", "help@northwind.example"];
        let address = ["--processor-address", &place.processor_url];
        place.command(&[&named[..], &connected, &address].concat()).await.done();
        place.import("invoices.csv", INVOICES).await;
        place
    }

    /// Imports a file of invoices.
    pub async fn import(&self, name: &str, text: &str) {
        self.file(name, text.as_bytes());
        self.command(&["import", "invoices", name, "--preset", "generic"]).await.done();
    }

    /// The same, and the server serves.
    pub async fn open(database: TestDatabase) -> Place {
        let mut place = Place::set_up(database).await;
        place.serve().await;
        place
    }

    /// `paydown` with this place's settings.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = paydown(&self.folder.path().join("data"), args);
        let url = match self.database.url() {
            DatabaseUrl::Sqlite(path) => path.display().to_string(),
            DatabaseUrl::Postgres(url) => url,
        };
        command.envs(self.settings.iter().map(|(name, value)| (*name, value)));
        command
            .env("PAYDOWN_DATABASE", url)
            .env("PAYDOWN_LISTEN", "127.0.0.1:0")
            .env("PAYDOWN_METRICS_LISTEN", "127.0.0.1:0");
        command
    }

    /// Runs a command line to its end; answers are JSON.
    pub async fn command(&self, args: &[&str]) -> Ended {
        self.command_of(args).await
    }

    /// The same, to be waited for later.
    pub fn command_of(&self, args: &[&str]) -> impl Future<Output = Ended> + use<> {
        let mut command = self.program(args);
        command.arg("--json");
        run(command)
    }

    /// Writes a file where commands find it.
    pub fn file(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.folder.path().join(name), bytes).expect("a file");
    }

    /// Reads the database from outside.
    pub async fn read<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> anyhow::Result<T> + Send + Sync + 'static,
    {
        self.store.read(work).await.expect("the database can be read")
    }

    /// Changes the database from outside.
    pub async fn write<T, F>(&self, work: F) -> T
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> anyhow::Result<T> + Send + Sync + 'static,
    {
        self.store.write(work).await.expect("the database can be written")
    }

    /// Starts the server and waits until it is ready. Webhooks go to it from then on.
    pub async fn serve(&mut self) {
        assert!(self.server.is_none(), "one server at a time");
        let mut command = self.program(&["serve", "--json"]);
        command.env("PAYDOWN_LOG_FORMAT", "json").env("PAYDOWN_LOG_LEVEL", "debug");
        let mut server = Program::start(command, &self.log);
        let told = server.ready().await;
        self.origin = format!("http://{}", word(&told, "listen"));
        self.metrics_url = format!("http://{}/metrics", word(&told, "metrics_listen"));
        self.server = Some(server);
        let (http, url) = (self.http.clone(), format!("{}/readyz", self.origin));
        until("the server to be ready", async || {
            http.get(&url).send().await.ok().filter(|answer| answer.status() == 200).map(drop)
        })
        .await;
        let url = format!("{}/hooks/stripe/{SLUG}", self.origin);
        self.control("/webhooks/target", json!({ "url": url, "secret": WEBHOOK_SECRET })).await;
    }

    /// Ends the server as a power cut would.
    pub fn kill(&mut self) {
        self.server.take().expect("a server runs").kill();
    }

    /// The running server.
    pub fn server(&mut self) -> &mut Program {
        self.server.as_mut().expect("a server runs")
    }

    /// The server after it ended by itself; its exit code.
    pub async fn ended(&mut self) -> Option<i32> {
        self.server.take().expect("a server ran").ended().await
    }

    /// What all programs wrote to their logs so far.
    pub fn log(&self) -> String {
        text(&self.log)
    }

    /// Kills the server and starts it again; how long it took until it was ready.
    pub async fn restart(&mut self) -> Duration {
        self.kill();
        let began_at = stopwatch();
        self.serve().await;
        began_at.elapsed()
    }

    /// A payer who followed a new link to the invoice, and the path of its page.
    pub async fn payer(&mut self, number: &str) -> (Payer, String) {
        let link = self.link(number).await;
        let mut payer = Payer::new(&self.origin);
        let path = payer.get(&link).await.path;
        assert!(path.contains("/invoices/"), "{path}");
        (payer, path)
    }

    /// The path of a new link to an invoice.
    pub async fn link(&mut self, number: &str) -> String {
        let made = self.command(&["invoice", "link", number]).await.done().json();
        let url = word(&made, "url");
        let (_, token) = url.rsplit_once("/l/").expect("a payment link");
        self.secrets.insert(token.to_owned());
        format!("/l/{token}")
    }

    /// A call of the practice processor's control interface.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control{path}", self.processor_url);
        let answer = self.http.post(url).json(&body).send().await.expect("the sandbox answers");
        assert!(answer.status().is_success(), "{path}: {}", answer.text().await.unwrap_or_default());
        answer.json().await.expect("JSON")
    }

    /// Reads from the control interface.
    pub async fn look(&self, path: &str) -> Value {
        let url = format!("{}/control{path}", self.processor_url);
        let answer = self.http.get(url).send().await.expect("the sandbox answers");
        answer.json().await.expect("JSON")
    }

    /// The next call of a route goes wrong.
    pub async fn fault(&self, route: &str, fault: &str) {
        self.control("/faults", json!({ "route": route, "fault": fault, "delay_ms": 40_000 })).await;
    }

    /// No call goes wrong any more.
    pub async fn disarm(&self) {
        let url = format!("{}/control/faults", self.processor_url);
        let answer = self.http.delete(url).send().await.expect("the sandbox answers");
        assert!(answer.status().is_success());
    }

    /// Waits until the call has come that a fault was armed for.
    pub async fn fault_hit(&self) {
        until("the call that goes wrong", async || {
            let armed = self.look("/faults").await["faults"].as_array().map_or(0, Vec::len);
            (armed == 0).then_some(())
        })
        .await;
    }

    /// The processor's pages.
    pub async fn sessions(&self) -> Vec<Value> {
        self.look("/sessions").await["sessions"].as_array().cloned().unwrap_or_default()
    }

    /// A payer pays on the card page that was made for a payment.
    pub async fn pay(&self, payment: &str) {
        let session = self.attempt(payment).await.and_then(|attempt| attempt.session_id);
        let path = format!("/sessions/{}/pay", session.expect("a card page"));
        let view = self.control(&path, json!({ "card": VISA })).await;
        assert_eq!(view["payment_status"], "paid", "{view}");
    }

    /// A payment as it is stored.
    pub async fn payment(&self, id: &str) -> Option<Payment> {
        let id: PaymentId = id.parse().expect("a payment's id");
        let read = self.store.read(async move |tx: &mut Tx| payments::find(tx, MERCHANT, id).await);
        read.await.expect("payments can be read")
    }

    /// Its attempt as it is stored.
    pub async fn attempt(&self, id: &str) -> Option<Attempt> {
        let id: PaymentId = id.parse().expect("a payment's id");
        let read = self.store.read(async move |tx: &mut Tx| attempts::latest(tx, MERCHANT, id).await);
        read.await.expect("attempts can be read")
    }

    /// Waits until a payment is in a state.
    pub async fn state(&self, id: &str, state: PaymentState) {
        let what = format!("payment {id} to be {}", state.as_str());
        until(&what, async || self.payment(id).await.filter(|payment| payment.state == state).map(drop))
            .await;
    }

    /// The invoice's figures by `invoice show --json`: (open, pending, paid).
    pub async fn figures(&self, number: &str) -> (i64, i64, i64) {
        let shown = self.command(&["invoice", "show", number]).await.done().json();
        let figure = |key: &str| shown[key].as_i64().expect("a figure");
        (figure("open"), figure("pending"), figure("paid"))
    }

    /// How many payments there are, whatever their state.
    pub async fn count_payments(&self) -> usize {
        self.command(&["payment", "list"]).await.done().json().as_array().expect("a list").len()
    }

    /// The end of each test: everything is quiet, both books are equal, `verify` finds nothing, the server ends in order,
    /// and no secret is in any log.
    pub async fn finish(mut self, payers: &[&Payer]) {
        self.books_become_equal().await;
        let verified = self.command(&["verify"]).await;
        assert_eq!(verified.code, 0, "{verified:?}");
        assert_eq!(verified.json()["clean"], true);
        let mut server = self.server.take().expect("a server runs");
        server.terminate();
        assert_eq!(server.ended().await, Some(0), "{}", text(&self.log));
        self.sandbox.terminate();
        assert_eq!(self.sandbox.ended().await, Some(0));
        assert_eq!(self.command(&["verify"]).await.code, 0);
        self.store.close().await.expect("the store closes");
        let log = text(&self.log);
        assert!(log.contains("\"answered\""), "the log was read: {log}");
        let mut secrets = self.secrets.clone();
        secrets.extend(payers.iter().flat_map(|payer| payer.secrets.iter().cloned()));
        for secret in &secrets {
            assert!(!log.contains(secret), "a secret is in the log: {secret}");
        }
    }

    /// Waits until what the processor captured less what it kept is what account 1200 says, and no job is due.
    pub async fn books_become_equal(&self) {
        let last = Mutex::new(String::new());
        let equal = until("both books to be equal and no work to be left", async || {
            let (ours, theirs) = (self.our_books().await, self.their_books().await);
            let due = self.work_due().await;
            *last.lock().expect("nobody panics here") = format!("{ours:?}, {theirs:?}, work due: {due}");
            (!due && ours == theirs).then_some(())
        });
        tokio::select! {
            () = equal => {}
            () = tokio::time::sleep(GUARD - Duration::from_secs(1)) => panic!("the books differ: {last:?}"),
        }
    }

    async fn our_books(&self) -> BTreeMap<String, i64> {
        let read = async move |tx: &mut Tx| postings::balances(tx, MERCHANT, chart::CLEARING).await;
        let balances = self.store.read(read).await.expect("balances can be read");
        balances.iter().map(|money: &Money| (money.currency().code().to_owned(), money.minor())).collect()
    }

    async fn their_books(&self) -> BTreeMap<String, i64> {
        let books = self.look("/books").await;
        let currencies = books["currencies"].as_object().cloned().unwrap_or_default();
        let net = |books: &Value| {
            let minor = |key: &str| books[key].as_i64().expect("an amount");
            minor("captured_minor") - minor("fees_minor")
        };
        let code =
            |code: &str| Currency::try_new(&code.to_uppercase()).expect("a currency").code().to_owned();
        currencies.iter().map(|(currency, books)| (code(currency), net(books))).collect()
    }

    /// True while a job is due that nobody works on.
    async fn work_due(&self) -> bool {
        let soon = now_micros() + 1_000_000;
        let read = self.store.read(async move |tx: &mut Tx| jobs::next_due_at(tx).await);
        let next = read.await.expect("jobs can be read");
        next.is_some_and(|at| at.as_microsecond() <= soon)
    }
}

#[expect(clippy::disallowed_methods, reason = "the program under test runs on the real clock")]
fn now_micros() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

#[expect(clippy::disallowed_methods, reason = "how long a start takes is real time")]
fn stopwatch() -> Instant {
    Instant::now()
}

/// A text of an answer.
pub fn word(json: &Value, key: &str) -> String {
    json[key].as_str().unwrap_or_else(|| panic!("no {key} in {json}")).to_owned()
}
