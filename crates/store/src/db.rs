//! The seam: one SQL text, two engines. This file and the folder beside it are the only code that knows which
//! engine runs; everything above speaks [`Sql`], [`Val`], [`Row`] and [`Tx`].
//!
//! What it must never do: know a table of the product, answer a write before it is durable, or leave a
//! transaction open. What a caller may rely on:
//!
//! - A write that returned `Ok` is on disk. One that returned `Err`, ignored a failed statement, or panicked has
//!   left nothing behind, save [`StoreError::CommitUnknown`], which says so.
//! - Refusals and "already applied" are *values* (`Ok`), and they too wait until what they were computed from is
//!   durable. `Err` means broken.
//! - Statements are the only thing a closure may await. On SQLite a closure that awaits anything else is rolled
//!   back and reported, which makes "no network call while a transaction is open" a check. On PostgreSQL a
//!   closure may run again after a deadlock, so it must not change anything but the database.

mod batch;
mod migrate;
mod postgres;
mod sqlite;
mod value;

pub use migrate::{Applied, MigrateError, Migration, Report, Status, migrate, status};
pub use value::{Map, Row, Val};

use anyhow::{Context as _, Result};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Instant;

/// One statement, its parameters written `$1`, `$2`, …, in the subset both engines speak.
///
/// Always built from a literal in a `const`, so that a test finds every statement and prepares it on both
/// engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sql(pub &'static str);

/// The database of one process. Cloning is cheap and gives another handle to the same database.
#[derive(Clone)]
pub struct Store {
    backend: Arc<Backend>,
    #[cfg(feature = "testing")]
    watch: Option<Arc<dyn Watch>>,
}

/// Somebody who stands at every write of a store, so that a simulation can fail it, hold it or never let it go on.
#[cfg(feature = "testing")]
pub trait Watch: Send + Sync {
    /// Called before a write and again when it is durable. An error is what the writer is answered; before the write nothing
    /// is written then, after it everything is.
    fn at(&self, moment: Moment) -> futures::future::BoxFuture<'static, Result<(), StoreError>>;
}

/// Where a write stands.
#[cfg(feature = "testing")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Nothing was written yet.
    BeforeWrite,
    /// It is durable and its writer has not heard of it.
    AfterWrite,
}

enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

impl Store {
    /// Opens the database and checks every setting that safety rests on. Does not migrate.
    ///
    /// Fails when the file or the server cannot be reached, when a setting does not hold, and on SQLite with
    /// [`StoreError::SecondServer`] when another server has the file.
    pub async fn open(config: &StoreConfig) -> Result<Store> {
        let backend = match &config.url {
            DatabaseUrl::Sqlite(path) => {
                let (path, config) = (path.clone(), config.clone());
                tokio::task::spawn_blocking(move || sqlite::Sqlite::open(&path, &config))
                    .await?
                    .map(Backend::Sqlite)
            }
            DatabaseUrl::Postgres(url) => postgres::Postgres::open(url, config).await.map(Backend::Postgres),
        };
        let backend = backend.with_context(|| format!("cannot open the database {}", config.url))?;
        Ok(Store {
            backend: Arc::new(backend),
            #[cfg(feature = "testing")]
            watch: None,
        })
    }

    /// Runs `work` in a transaction and answers once it is durable.
    ///
    /// `Ok` commits. `Err`, a failed statement (noticed or not) and a panic roll back; the panic goes on in the
    /// caller. `work` owns its input, awaits nothing but its transaction and may run several times.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + Sync + 'static,
    {
        #[cfg(feature = "testing")]
        self.watched(Moment::BeforeWrite).await?;
        let written = match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.write(work).await,
            Backend::Postgres(postgres) => postgres.write(work).await,
        };
        #[cfg(feature = "testing")]
        if written.is_ok() {
            self.watched(Moment::AfterWrite).await?;
        }
        written
    }

    /// The same store, with somebody at every write.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn watched_by(self, watch: Arc<dyn Watch>) -> Store {
        Store { watch: Some(watch), ..self }
    }

    #[cfg(feature = "testing")]
    async fn watched(&self, moment: Moment) -> Result<(), StoreError> {
        match &self.watch {
            Some(watch) => watch.at(moment).await,
            None => Ok(()),
        }
    }

    /// Reads one consistent snapshot of what is committed. On SQLite this runs on the caller's thread, so it is
    /// for queries whose rows are bounded.
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + Sync + 'static,
    {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read(&work),
            Backend::Postgres(postgres) => postgres.read(work, postgres::Reading::Bounded).await,
        }
    }

    /// Like [`Store::read`], for anything that may scan: it runs beside the threads that answer requests.
    pub async fn report<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + Sync + 'static,
    {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.report(work).await,
            Backend::Postgres(postgres) => postgres.read(work, postgres::Reading::Scan).await,
        }
    }

    /// True where a lock keeps other servers away while this one has the database. Whatever a lease says then, nobody else
    /// is at work.
    pub fn is_only_server(&self) -> bool {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.is_only_server(),
            Backend::Postgres(_) => false,
        }
    }

    /// Which engine runs. For logs and the start-up line only; no decision may hang on it.
    pub fn engine(&self) -> Engine {
        match &*self.backend {
            Backend::Sqlite(_) => Engine::Sqlite,
            Backend::Postgres(_) => Engine::Postgres,
        }
    }

    /// Why this process stopped writing, if it did: the disk was full or a flush failed. It stays so until a
    /// restart; every write answers [`StoreError::ReadOnly`].
    pub fn read_only_because(&self) -> Option<String> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.read_only_because(),
            Backend::Postgres(_) => None,
        }
    }

    /// How many writes wait for their turn, on PostgreSQL how many wait or run. For figures only; it is past when
    /// it is read.
    pub fn writes_waiting(&self) -> usize {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.waiting(),
            Backend::Postgres(postgres) => postgres.waiting(),
        }
    }

    /// Stops writing, as a full disk does, until the store is opened anew. PostgreSQL has no such state; there this
    /// does nothing.
    #[cfg(feature = "testing")]
    pub fn stop_writing(&self, reason: &str) {
        if let Backend::Sqlite(sqlite) = &*self.backend {
            sqlite.stop_writing(reason);
        }
    }

    /// Finishes the writes that are queued, refuses new ones with [`StoreError::Closed`], and lets go of the
    /// database. Every handle to this store is closed with it; closing twice is harmless.
    pub async fn close(&self) -> Result<()> {
        match &*self.backend {
            Backend::Sqlite(sqlite) => sqlite.close().await,
            Backend::Postgres(postgres) => postgres.close().await,
        }
    }
}

/// One transaction. It has no lifetime parameter, which keeps the futures of actions `Send`.
///
/// After a statement has failed every further one is refused with [`StoreError::FailedStatementIgnored`], on
/// both engines: catch no unique violation, write `ON CONFLICT DO NOTHING` and look at the count.
pub struct Tx(Kind);

/// What is done once a transaction is committed, and never otherwise.
type Notice = Box<dyn FnOnce() + Send>;
type Notices = Vec<Notice>;

enum Kind {
    Sqlite(sqlite::SqTx),
    Postgres(postgres::PgTx),
}

impl Tx {
    /// Has something done once this transaction is committed: once, even if its closure had to run again, and not at all if
    /// it is rolled back. For words in the log; what must not be lost is a row.
    pub fn after_commit(&mut self, notice: impl FnOnce() + Send + 'static) {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.after_commit(Box::new(notice)),
            Kind::Postgres(tx) => tx.after_commit(Box::new(notice)),
        }
    }

    /// Runs a statement that returns no rows; answers how many rows it changed.
    pub async fn execute(&mut self, sql: Sql, args: &[Val<'_>]) -> Result<u64> {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.execute(sql.0, args),
            Kind::Postgres(tx) => tx.execute(sql.0, args).await,
        }
    }

    /// Runs a statement that changes exactly one row; one that changes none or several fails the transaction. Nobody waits
    /// for its answer: on PostgreSQL such statements gather and travel together, before the next statement that answers
    /// something or with the end of the transaction, so a failure may show only then. It always shows.
    pub async fn write_one(&mut self, sql: Sql, args: &[Val<'_>]) -> Result<()> {
        match &mut self.0 {
            Kind::Sqlite(tx) => {
                if tx.execute(sql.0, args)? != 1 {
                    tx.doom();
                    return Err(StoreError::NotOneRow).with_context(|| sql.0);
                }
                Ok(())
            }
            Kind::Postgres(tx) => tx.gather(sql.0, args),
        }
    }

    /// Runs statements that need none of each other's answers, in this order; answers the rows each changed. On
    /// PostgreSQL they share one round trip: decide first, then write everything in one list.
    pub async fn execute_many(&mut self, list: &[(Sql, &[Val<'_>])]) -> Result<Vec<u64>> {
        match &mut self.0 {
            Kind::Sqlite(tx) => list.iter().map(|(sql, args)| tx.execute(sql.0, args)).collect(),
            Kind::Postgres(tx) => tx.execute_many(list).await,
        }
    }

    /// Fetches no row or one; two are [`StoreError::SecondRow`].
    pub async fn fetch_optional<T>(&mut self, sql: Sql, args: &[Val<'_>], map: Map<T>) -> Result<Option<T>> {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.fetch_optional(sql.0, args, map),
            Kind::Postgres(tx) => tx.fetch_optional(sql.0, args, map).await,
        }
    }

    /// Fetches exactly one row; none is [`StoreError::NoRow`], two are [`StoreError::SecondRow`].
    pub async fn fetch_one<T>(&mut self, sql: Sql, args: &[Val<'_>], map: Map<T>) -> Result<T> {
        match self.fetch_optional(sql, args, map).await? {
            Some(row) => Ok(row),
            None => Err(self.doom(StoreError::NoRow)).with_context(|| sql.0),
        }
    }

    /// Fetches every row, in the order the statement gives them. The caller bounds their number.
    pub async fn fetch_all<T>(&mut self, sql: Sql, args: &[Val<'_>], map: Map<T>) -> Result<Vec<T>> {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.fetch_all(sql.0, args, map),
            Kind::Postgres(tx) => tx.fetch_all(sql.0, args, map).await,
        }
    }

    /// Fetches no row or one and keeps it from other writers until the transaction ends: adds `FOR NO KEY UPDATE` on
    /// PostgreSQL, which leaves those alone that only refer to the row (no key here ever changes). `sql` ends where
    /// that may follow. Read sums only in later statements: the one that locks sees a snapshot older than the lock
    /// it waited for.
    pub async fn lock<T>(&mut self, sql: Sql, args: &[Val<'_>], map: Map<T>) -> Result<Option<T>> {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.lock(sql.0, args, map),
            Kind::Postgres(tx) => tx.lock(sql.0, args, map).await,
        }
    }

    /// Fetches and locks the rows nobody else holds, for claiming jobs: adds `FOR UPDATE SKIP LOCKED` on
    /// PostgreSQL. `sql` carries its own `ORDER BY` and `LIMIT`.
    pub async fn lock_skip<T>(&mut self, sql: Sql, args: &[Val<'_>], map: Map<T>) -> Result<Vec<T>> {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.lock_skip(sql.0, args, map),
            Kind::Postgres(tx) => tx.lock_skip(sql.0, args, map).await,
        }
    }

    fn doom(&mut self, error: StoreError) -> StoreError {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx.doom(),
            Kind::Postgres(tx) => tx.doom(),
        }
        error
    }
}

/// What the store itself refuses or reports, inside `anyhow::Error`: `error.downcast_ref::<StoreError>()`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Too many writes are queued, or the database stayed locked. Nothing was written; try again later (503).
    #[error("the database is busy; nothing was written, try again shortly")]
    Busy,
    /// The database server cannot be reached. Nothing was written; try again later (503).
    #[error("the database cannot be reached: {0}")]
    Unavailable(Arc<str>),
    /// The transaction did not take place, through no fault of this write. Trying again is safe.
    #[error("the transaction was rolled back: {0}")]
    RolledBack(Arc<str>),
    /// A bug: the closure went on after a statement had failed. Rolled back.
    #[error("a failed statement was ignored; the transaction was rolled back")]
    FailedStatementIgnored,
    /// A bug: the closure awaited something besides its statements. Rolled back.
    #[error("the transaction awaited something besides its own statements; it was rolled back")]
    AwaitedSomethingElse,
    /// The commit failed in a way that leaves open whether it took place. Repeat with the same idempotency key.
    #[error("it is unknown whether the commit took place; repeat with the same key: {0}")]
    CommitUnknown(Arc<str>),
    /// This process no longer writes, because the disk was full or a flush failed. Needs a person and a restart.
    #[error("the store is read-only until a restart: {0}")]
    ReadOnly(Arc<str>),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// A statement that may answer one row answered several.
    #[error("the statement answered more than one row")]
    SecondRow,
    /// A statement that must answer a row answered none.
    #[error("the statement answered no row")]
    NoRow,
    /// A statement that must change one row changed none, or several.
    #[error("the statement did not change exactly one row")]
    NotOneRow,
    /// A bug: a lock was asked for outside of a write.
    #[error("rows can be locked in a write only")]
    LockOutsideWrite,
    /// Another server holds this SQLite file.
    #[error("another server runs on this database: {0}; stop it first, or use PostgreSQL for several")]
    SecondServer(Arc<str>),
}

/// How to open the database.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Where it is.
    pub url: DatabaseUrl,
    /// What this process is to it.
    pub role: Role,
    /// How many writes may wait before [`StoreError::Busy`] answers; at least 1.
    pub queue: usize,
    /// SQLite: reading connections kept open; at least 1.
    pub readers: usize,
    /// PostgreSQL: connections of this process at most; at least 1.
    pub pool_size: usize,
    /// When the process started, microseconds since 1970 in UTC; told to a second server that is refused.
    pub started_at: i64,
    /// A clock that never goes back, for measuring spans and the time budget of a batch. Decides nothing else.
    pub monotonic: fn() -> Instant,
    /// SQLite: writes run on the thread that asks, one commit each, so that a simulation runs the same every time.
    #[cfg(feature = "testing")]
    pub on_callers_thread: bool,
}

impl StoreConfig {
    /// The defaults: 1,024 writes queued, 4 readers, 16 PostgreSQL connections, the system's monotonic clock.
    pub fn new(url: DatabaseUrl, role: Role, started_at: i64) -> StoreConfig {
        StoreConfig {
            url,
            role,
            queue: 1024,
            readers: 4,
            pool_size: 16,
            started_at,
            monotonic,
            #[cfg(feature = "testing")]
            on_callers_thread: false,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures spans and a batch's time budget; no outcome depends on it"
)]
fn monotonic() -> Instant {
    Instant::now()
}

/// What a process is to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The server: on SQLite the only one, held by a lock file; waits 5 s for a command that writes.
    Server,
    /// A command beside a server: takes no lock file and waits 30 s for its turn.
    Command,
}

/// Which engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file, written by one process.
    Sqlite,
    /// A server, shared by any number of processes.
    Postgres,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "SQLite",
            Engine::Postgres => "PostgreSQL",
        })
    }
}

/// The address of a database: `postgres://…` (or `postgresql://…`), or the path of a SQLite file.
///
/// Printing it, also with `{:?}`, hides the password.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// The path of the file.
    Sqlite(PathBuf),
    /// The URL of the server and database.
    Postgres(String),
}

impl FromStr for DatabaseUrl {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        anyhow::ensure!(!text.is_empty(), "the database address is empty; give a path or postgres://…");
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(DatabaseUrl::Postgres(text.to_owned()));
        }
        if let Some((scheme, _)) = text.split_once("://") {
            anyhow::bail!("{scheme}:// is not a database Paydown knows; give a path or postgres://…");
        }
        Ok(DatabaseUrl::Sqlite(PathBuf::from(text)))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "{}", path.display()),
            DatabaseUrl::Postgres(text) => match url::Url::parse(text) {
                Ok(mut url) => {
                    if url.password().is_some() && url.set_password(Some("***")).is_err() {
                        return f.write_str("postgres://…");
                    }
                    url.set_query(None); // it may carry a password too
                    write!(f, "{url}")
                }
                Err(_) => f.write_str("postgres://…"), // unreadable, so a password could be anywhere in it
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Polls a future once. `None` when it waits for something.
fn poll_once<T>(future: impl Future<Output = T>) -> Option<T> {
    match std::pin::pin!(future).poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(out) => Some(out),
        std::task::Poll::Pending => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_path_or_postgres() {
        let parse = |text: &str| text.parse::<DatabaseUrl>();
        assert_eq!(parse("data/paydown.db").unwrap(), DatabaseUrl::Sqlite("data/paydown.db".into()));
        assert_eq!(parse("postgresql://h/d").unwrap(), DatabaseUrl::Postgres("postgresql://h/d".into()));
        assert!(parse("mysql://h/d").unwrap_err().to_string().contains("mysql://"));
        assert!(parse("  ").is_err());
    }

    #[test]
    fn printing_an_address_hides_the_password() {
        for text in [
            "postgres://u:s3cret@h:5432/d",
            "postgres://h/d?user=u&password=s3cret",
            "postgres://u:s3cret@:x",
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert!(!format!("{url} {url:?}").contains("s3cret"), "{text}");
        }
    }
}
