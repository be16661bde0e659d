//! What the seam's tests share: a small schema of payments, and a way to put several writes into one batch.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use anyhow::{Result, bail};
use futures::FutureExt as _;
use futures::future::BoxFuture;
use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, OnceLock};
use std::time::Instant;
use store::args;
use store::db::{DatabaseUrl, Engine, Migration, Role, Sql, Store, StoreConfig, StoreError, Tx};
use store::testing::TestDatabase;
use tokio::sync::Semaphore;

/// A payment is a row, an entry and a balance, as in the product. The rest misbehaves on demand.
pub const SCHEMA: &[Migration] = &[Migration {
    number: 1,
    name: "payments",
    sqlite: "
        CREATE TABLE payment (id INTEGER NOT NULL PRIMARY KEY, merchant_id INTEGER NOT NULL,
            amount_minor INTEGER NOT NULL CHECK (amount_minor > 0)) STRICT;
        CREATE TABLE entry (payment_id INTEGER NOT NULL PRIMARY KEY REFERENCES payment (id),
            amount_minor INTEGER NOT NULL) STRICT;
        CREATE TABLE balance (merchant_id INTEGER NOT NULL PRIMARY KEY, amount_minor INTEGER NOT NULL) STRICT;
        CREATE TABLE late (payment_id INTEGER NOT NULL REFERENCES payment (id)
            DEFERRABLE INITIALLY DEFERRED) STRICT;
        CREATE TABLE poison (id INTEGER NOT NULL PRIMARY KEY) STRICT;
        CREATE TRIGGER poisoned BEFORE INSERT ON poison BEGIN SELECT RAISE(ROLLBACK, 'poison'); END;
        CREATE TABLE kinds (id BLOB NOT NULL PRIMARY KEY, word TEXT, bytes BLOB, number INTEGER) STRICT;
        INSERT INTO balance VALUES (1, 0), (2, 0);
    ",
    postgres: "
        CREATE TABLE payment (id BIGINT NOT NULL PRIMARY KEY, merchant_id BIGINT NOT NULL,
            amount_minor BIGINT NOT NULL CHECK (amount_minor > 0));
        CREATE TABLE entry (payment_id BIGINT NOT NULL PRIMARY KEY REFERENCES payment (id),
            amount_minor BIGINT NOT NULL);
        CREATE TABLE balance (merchant_id BIGINT NOT NULL PRIMARY KEY, amount_minor BIGINT NOT NULL);
        CREATE TABLE late (payment_id BIGINT NOT NULL REFERENCES payment (id) DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE kinds (id BYTEA NOT NULL PRIMARY KEY, word TEXT, bytes BYTEA, number BIGINT);
        CREATE TABLE hang_up (id BIGINT NOT NULL PRIMARY KEY);
        CREATE FUNCTION hang_up() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER hangs_up AFTER INSERT ON hang_up DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION hang_up();
        INSERT INTO balance VALUES (1, 0), (2, 0);
    ",
}];

const PAY: Sql = Sql("INSERT INTO payment (id, merchant_id, amount_minor) VALUES ($1, $2, $3)");
const ENTER: Sql = Sql("INSERT INTO entry (payment_id, amount_minor) VALUES ($1, $2)");
const ADD: Sql = Sql("UPDATE balance SET amount_minor = amount_minor + $2 WHERE merchant_id = $1");
const LATE: Sql = Sql("INSERT INTO late (payment_id) VALUES ($1)");
const COUNT: Sql = Sql("SELECT count(*) FROM payment");
const IDS: Sql = Sql("SELECT id FROM payment ORDER BY id");

/// Pays 5 minor units to merchant 1, whole.
pub async fn pay(tx: &mut Tx, id: i64) -> Result<()> {
    let counts =
        tx.execute_many(&[(PAY, args![id, 1, 5]), (ENTER, args![id, 5]), (ADD, args![1, 5])]).await?;
    anyhow::ensure!(counts == [1, 1, 1], "{counts:?}");
    Ok(())
}

/// Writes what no commit can keep: a reference to a payment that does not exist, checked at COMMIT.
pub async fn fail_at_commit(tx: &mut Tx) -> Result<()> {
    tx.execute(LATE, args![-1]).await.map(drop)
}

/// The ids of the payments that are committed.
pub async fn paid(store: &Store) -> Vec<i64> {
    store.read(async move |tx: &mut Tx| tx.fetch_all(IDS, args![], |row| row.i64(0)).await).await.unwrap()
}

/// How many payments this transaction sees.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.fetch_one(COUNT, args![], |row| row.i64(0)).await
}

/// How a write of a test behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// It pays.
    Good,
    /// It pays and then refuses.
    Refuses,
    /// It pays and then panics.
    Panics,
    /// It pays and then waits for a timer that it made outside of the store.
    Awaits,
    /// It pays, a statement fails, and it goes on as if nothing had happened.
    Ignores,
    /// It pays, and its transaction cannot be committed.
    FailsAtCommit,
    /// It pays, and a statement rolls back everything that is open.
    Poisons,
}

const BAD: Sql = Sql("INSERT INTO payment (id, merchant_id, amount_minor) VALUES ($1, 1, -1)");
const POISON: Sql = Sql("INSERT INTO poison (id) VALUES (1)");

/// How a write of a test ended.
pub type End = std::result::Result<Result<i64>, Box<dyn Any + Send>>;

/// The store's own error that a write ended with.
pub fn refusal(end: End) -> StoreError {
    let error = end.unwrap().unwrap_err();
    error.downcast_ref::<StoreError>().unwrap_or_else(|| panic!("not a StoreError: {error:?}")).clone()
}

/// A write that pays under `id` and behaves as told.
pub fn write(store: &Store, id: i64, manner: Manner) -> BoxFuture<'static, End> {
    let store = store.clone();
    let all = async move {
        store
            .write(async move |tx: &mut Tx| {
                pay(tx, id).await?;
                match manner {
                    Manner::Good => {}
                    Manner::Refuses => bail!("refused"),
                    Manner::Panics => panic!("a panic that the test wants"),
                    Manner::Awaits => futures::future::pending().await,
                    Manner::Ignores => drop(tx.execute(BAD, args![id + 1_000_000]).await),
                    Manner::FailsAtCommit => fail_at_commit(tx).await?,
                    Manner::Poisons => drop(tx.execute(POISON, args![]).await),
                }
                Ok(id)
            })
            .await
    };
    AssertUnwindSafe(all).catch_unwind().boxed()
}

/// A clock that stands still, so that a slow machine cannot split a batch.
pub fn frozen() -> Instant {
    static START: OnceLock<Instant> = OnceLock::new();
    *START.get_or_init(StoreConfig::new(DatabaseUrl::Sqlite("unused".into()), Role::Command, 0).monotonic)
}

/// Holds a transaction open until the test lets it go.
#[derive(Clone)]
pub struct Latch {
    begun: Arc<Semaphore>,
    go_on: Arc<Semaphore>,
    engine: Engine,
}

impl Latch {
    /// A latch for transactions of this store.
    pub fn new(store: &Store) -> Latch {
        Latch {
            begun: Arc::new(Semaphore::new(0)),
            go_on: Arc::new(Semaphore::new(0)),
            engine: store.engine(),
        }
    }

    /// In the transaction: says that it has come this far, and waits.
    pub async fn hold(&self) {
        self.begun.close();
        let closed = match self.engine {
            // Blocks its thread on purpose: nothing but statements may be awaited.
            Engine::Sqlite => futures::executor::block_on(self.go_on.acquire()).is_err(),
            Engine::Postgres => self.go_on.acquire().await.is_err(),
        };
        assert!(closed);
    }

    /// In the test: waits until the transaction holds.
    pub async fn held(&self) {
        assert!(self.begun.acquire().await.is_err());
    }

    /// In the test: lets it go on.
    pub fn release(&self) {
        self.go_on.close();
    }
}

/// A write that has begun and waits: what is queued now will share the next batch on SQLite.
pub struct Gate {
    latch: Latch,
    held: tokio::task::JoinHandle<Result<()>>,
}

impl Gate {
    /// Shuts it, and comes back once its write runs.
    pub async fn shut(store: &Store) -> Gate {
        Gate::shut_after(store, None).await
    }

    /// The same, but its write first pays under an id.
    pub async fn shut_after(store: &Store, id: Option<i64>) -> Gate {
        let (latch, store) = (Latch::new(store), store.clone());
        let inside = latch.clone();
        let held = tokio::spawn(async move {
            store
                .write(async move |tx: &mut Tx| {
                    if let Some(id) = id {
                        pay(tx, id).await?;
                    }
                    inside.hold().await;
                    Ok(())
                })
                .await
        });
        latch.held().await;
        Gate { latch, held }
    }

    /// Lets it go, and waits until it is durable.
    pub async fn open(self) {
        self.open_to_its_end().await.unwrap();
    }

    /// Lets it go, and says how it ended.
    pub async fn open_to_its_end(self) -> Result<()> {
        self.latch.release();
        self.held.await.unwrap()
    }
}

/// Runs writes so that on SQLite they are one batch, and on PostgreSQL at the same time.
pub async fn together(store: &Store, mut writes: Vec<BoxFuture<'static, End>>) -> Vec<End> {
    if store.engine() == Engine::Postgres {
        return futures::future::join_all(writes).await;
    }
    let gate = Gate::shut(store).await;
    for write in &mut writes {
        assert!(write.now_or_never().is_none(), "a write answered before it could run");
    }
    drop(gate.open_to_its_end().await); // it shares the batch, so it may fail with it
    futures::future::join_all(writes).await
}

/// Opens a test database with a clock that stands still.
pub async fn open_frozen(db: &TestDatabase) -> Store {
    Store::open(&StoreConfig { monotonic: frozen, ..db.config() }).await.unwrap()
}
