//! PostgreSQL: a pool of connections, transactions at READ COMMITTED, and running again after a deadlock.
//!
//! It must never commit a transaction in which a statement failed (the server would answer ROLLBACK without an
//! error) and never hand a connection with an open transaction to the next user.

use super::sqlite::verdict;
use super::value::OwnedVal;
use super::{Kind, Map, Notice, Notices, Row, Sql, StoreConfig, StoreError, Tx, Val};
use anyhow::{Context as _, Result, bail, ensure};
use deadpool_postgres::{
    Client, Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime, Timeouts,
};
use futures::FutureExt as _;
use futures::future::{join, join_all};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_postgres::config::{Config, Host, SslMode};
use tokio_postgres::error::{DbError, Severity, SqlState};
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Statement};

/// A closure that lost a deadlock or its connection is run this often at most, the first time included.
const TRIES: u32 = 5;
/// The wait before the second try; it doubles, and up to as much again is added by chance.
const FIRST_RETRY: Duration = Duration::from_millis(5);
/// A write waits this long for a connection before it answers that the database is busy.
const POOL_WAIT: Duration = Duration::from_secs(5);
/// So many statements share a round trip. `join_all` polls no more than this in the order they stand in.
const SENT_AT_ONCE: usize = 30;
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Pinned for every session: nothing waits for ever, and a commit is on disk when it answers.
const SETTINGS: [(&str, &str); 5] = [
    ("lock_timeout", "10s"),
    ("statement_timeout", "30s"),
    ("idle_in_transaction_session_timeout", "30s"),
    ("default_transaction_isolation", "read committed"),
    ("synchronous_commit", "on"),
];

const BEGIN_WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
const BEGIN_SCAN: &str =
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = '5min'";

pub(super) struct Postgres {
    pool: Pool,
    writes: Semaphore,
    writes_allowed: u32,
    retries: AtomicU64,
}

/// What a reading transaction is for.
#[derive(Clone, Copy)]
pub(super) enum Reading {
    Bounded,
    Scan,
}

impl Postgres {
    pub(super) async fn open(url: &str, config: &StoreConfig) -> Result<Postgres> {
        let manager = Manager::from_config(
            connect_config(url)?,
            NoTls,
            ManagerConfig { recycling_method: RecyclingMethod::Fast },
        );
        let timeouts =
            Timeouts { wait: Some(POOL_WAIT), create: Some(CONNECT_WAIT), recycle: Some(CONNECT_WAIT) };
        let pool = Pool::builder(manager)
            .max_size(config.pool_size.max(1))
            .runtime(Runtime::Tokio1)
            .timeouts(timeouts)
            .build()?;
        let writes_allowed = u32::try_from(config.queue.max(1))?;
        let writes = Semaphore::new(writes_allowed as usize);
        let postgres = Postgres { pool, writes, writes_allowed, retries: AtomicU64::new(0) };
        check_server(&postgres.client().await?).await?;
        Ok(postgres)
    }

    /// A connection, for the work of `migrate`.
    pub(super) async fn client(&self) -> Result<Client> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => StoreError::Busy.into(),
            PoolError::Closed => StoreError::Closed.into(),
            error => {
                let unavailable = StoreError::Unavailable(error.to_string().into());
                anyhow::Error::new(error).context(unavailable)
            }
        })
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        F: AsyncFn(&mut Tx) -> Result<T>,
    {
        let _waiting = self.writes.try_acquire().map_err(|error| match error {
            tokio::sync::TryAcquireError::NoPermits => StoreError::Busy,
            tokio::sync::TryAcquireError::Closed => StoreError::Closed,
        })?;
        let mut tried = 0;
        loop {
            tried += 1;
            let mut tx = Tx(Kind::Postgres(PgTx::new(self.client().await?, BEGIN_WRITE)));
            let out = work(&mut tx).await;
            let pg = tx.postgres();
            let out = match out {
                Ok(value) if !pg.doomed => pg.send_gathered().await.map(|()| value),
                out => out,
            };
            let out = match verdict(Some(out), pg.doomed) {
                Ok(value) => pg.commit().await.map(|()| {
                    pg.notices.drain(..).for_each(|notice| notice());
                    value
                }),
                Err(error) => Err(error),
            };
            if out.is_ok() || !pg.again || tried == TRIES {
                return out;
            }
            drop(tx); // lets go of its locks before it waits
            metrics::counter!("store_write_retries").increment(1);
            tokio::time::sleep(self.pause(tried)).await;
        }
    }

    pub(super) async fn read<T, F>(&self, work: F, reading: Reading) -> Result<T>
    where
        F: AsyncFn(&mut Tx) -> Result<T>,
    {
        let begin = match reading {
            Reading::Bounded => BEGIN_READ,
            Reading::Scan => BEGIN_SCAN,
        };
        let mut tried = 0;
        loop {
            tried += 1;
            let mut tx = Tx(Kind::Postgres(PgTx::new(self.client().await?, begin)));
            let out = work(&mut tx).await;
            let pg = tx.postgres(); // dropping it rolls back: there is nothing to keep
            let out = verdict(Some(out), pg.doomed);
            if out.is_ok() || !pg.again || tried == TRIES {
                return out;
            }
        }
    }

    pub(super) fn waiting(&self) -> usize {
        (self.writes_allowed as usize).saturating_sub(self.writes.available_permits())
    }

    pub(super) async fn close(&self) -> Result<()> {
        if let Ok(all) = self.writes.acquire_many(self.writes_allowed).await {
            all.forget(); // the writes that had begun have ended
        }
        self.writes.close();
        self.pool.close();
        Ok(())
    }

    /// Between once and twice `FIRST_RETRY`, doubled per try, so that two victims do not meet again.
    fn pause(&self, tried: u32) -> Duration {
        let seed = self.retries.fetch_add(1, Ordering::Relaxed) ^ (u64::from(std::process::id()) << 32);
        let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb); // SplitMix64: spreads, hides nothing
        let base = FIRST_RETRY * 2_u32.pow(tried.saturating_sub(1).min(TRIES));
        let by_chance = u32::try_from(mixed >> 54).unwrap_or(0); // 0 to 1,023
        base + base * by_chance / 1024
    }
}

/// Reads the URL, pins the session's settings, and refuses what would need TLS.
fn connect_config(url: &str) -> Result<Config> {
    let mut config: Config = url.parse().map_err(|error: tokio_postgres::Error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
        anyhow::anyhow!("the PostgreSQL address cannot be read: {cause}")
    })?;
    let disabled = config.get_ssl_mode() == SslMode::Disable;
    if !disabled && config.get_ssl_mode() != SslMode::Prefer {
        bail!(
            "Paydown does not speak TLS to PostgreSQL: connect through a Unix socket, loopback or an encrypted \
             tunnel, and leave out sslmode=require"
        );
    }
    let local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }) && config.get_hostaddrs().iter().all(std::net::IpAddr::is_loopback);
    ensure!(
        local || disabled,
        "Paydown does not speak TLS to PostgreSQL, and this server is on another machine: if the network between \
         is private, add sslmode=disable to the address"
    );
    let mut options = config.get_options().unwrap_or_default().to_owned();
    for (name, value) in SETTINGS {
        options.push_str(&format!(" -c {name}={}", value.replace(' ', "\\ ")));
    }
    config.options(options).ssl_mode(SslMode::Disable).connect_timeout(CONNECT_WAIT);
    if config.get_application_name().is_none() {
        config.application_name("paydown");
    }
    Ok(config)
}

/// The settings hold (a proxy may drop them), and the server can keep what it is given.
async fn check_server(client: &Client) -> Result<()> {
    for (name, wanted) in
        SETTINGS.into_iter().chain([("server_encoding", "UTF8"), ("transaction_read_only", "off")])
    {
        let row = client.query_one("SELECT current_setting($1)", &[&name]).await?;
        let found: String = row.try_get(0)?;
        ensure!(found == wanted, "the PostgreSQL setting {name} is {found}, but must be {wanted}");
    }
    let version: i32 =
        client.query_one("SELECT current_setting('server_version_num')::int", &[]).await?.try_get(0)?;
    ensure!(version >= 130_000, "PostgreSQL 13 or newer is needed; the server says {version}");
    Ok(())
}

/// One transaction. Dropping it while it is open rolls it back.
pub(super) struct PgTx {
    /// `None` only while it is dropped.
    client: Option<Client>,
    begin: &'static str,
    begun: bool,
    done: bool,
    doomed: bool,
    /// Running the closure again may succeed, and cannot write twice.
    again: bool,
    /// The connection broke: the next user must not get it.
    lost: bool,
    /// Statements that must change one row each and were not sent yet.
    gathered: Vec<(&'static str, Vec<OwnedVal>)>,
    notices: Notices,
}

impl PgTx {
    fn new(client: Client, begin: &'static str) -> PgTx {
        PgTx {
            client: Some(client),
            begin,
            begun: false,
            done: false,
            doomed: false,
            again: false,
            lost: false,
            gathered: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(super) fn after_commit(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("only Drop takes it")
    }

    pub(super) fn doom(&mut self) {
        self.doomed = true;
    }

    /// Keeps a statement that must change one row until the next one that answers something.
    pub(super) fn gather(&mut self, sql: &'static str, args: &[Val<'_>]) -> Result<()> {
        if self.doomed || self.begin != BEGIN_WRITE {
            self.doomed = true;
            return Err(StoreError::FailedStatementIgnored).with_context(|| sql.to_owned());
        }
        self.gathered.push((sql, args.iter().map(OwnedVal::from).collect()));
        Ok(())
    }

    /// Sends what was gathered, all of it before the first answer is awaited.
    async fn send_gathered(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered);
        let args: Vec<Vec<Val<'_>>> =
            gathered.iter().map(|(_, args)| args.iter().map(OwnedVal::borrow).collect()).collect();
        let list: Vec<(&str, &[Val<'_>])> =
            gathered.iter().zip(&args).map(|((sql, _), args)| (*sql, args.as_slice())).collect();
        let counts = self.send(&list).await?;
        match counts.iter().zip(&gathered).find(|(count, _)| **count != 1) {
            None => Ok(()),
            Some((_, (sql, _))) => {
                self.doomed = true;
                Err(StoreError::NotOneRow).with_context(|| (*sql).to_owned())
            }
        }
    }

    pub(super) async fn execute(&mut self, sql: &str, args: &[Val<'_>]) -> Result<u64> {
        self.send_gathered().await?;
        self.begin().await?;
        let statement = self.prepare(sql, args).await?;
        let out = self.client().execute(&statement, &params(args)).await;
        self.settle(out).with_context(|| sql.to_owned())
    }

    pub(super) async fn execute_many(&mut self, list: &[(Sql, &[Val<'_>])]) -> Result<Vec<u64>> {
        self.send_gathered().await?;
        self.send(&list.iter().map(|(sql, args)| (sql.0, *args)).collect::<Vec<_>>()).await
    }

    /// All statements go out before the first answer is awaited.
    async fn send(&mut self, list: &[(&str, &[Val<'_>])]) -> Result<Vec<u64>> {
        self.begin().await?;
        let mut prepared = Vec::with_capacity(list.len());
        for (sql, args) in list {
            prepared.push((self.prepare(sql, args).await?, params(args)));
        }
        let client = self.client();
        let mut answers = Vec::with_capacity(prepared.len());
        for some in prepared.chunks(SENT_AT_ONCE) {
            let sent = some.iter().map(|(statement, params)| client.execute(statement, params.as_slice()));
            answers.extend(join_all(sent).await);
        }
        let mut counts = Vec::with_capacity(answers.len());
        for (answer, (sql, _)) in answers.into_iter().zip(list) {
            counts.push(self.settle(answer).with_context(|| (*sql).to_owned())?); // the first failure; the rest only follow from it
        }
        Ok(counts)
    }

    pub(super) async fn fetch_optional<T>(
        &mut self,
        sql: &str,
        args: &[Val<'_>],
        map: Map<T>,
    ) -> Result<Option<T>> {
        let mut rows = self.fetch_all(sql, args, map).await?;
        if rows.len() > 1 {
            self.doomed = true;
            return Err(StoreError::SecondRow).with_context(|| sql.to_owned());
        }
        Ok(rows.pop())
    }

    pub(super) async fn fetch_all<T>(&mut self, sql: &str, args: &[Val<'_>], map: Map<T>) -> Result<Vec<T>> {
        let rows = self.rows(sql, args).await?;
        let mapped: Result<Vec<T>> = rows.iter().map(|row| map(&Row::postgres(row))).collect();
        self.doomed |= mapped.is_err();
        mapped.with_context(|| sql.to_owned())
    }

    pub(super) async fn lock<T>(&mut self, sql: &str, args: &[Val<'_>], map: Map<T>) -> Result<Option<T>> {
        self.check_lockable(sql)?;
        self.fetch_optional(&format!("{sql} FOR NO KEY UPDATE"), args, map).await
    }

    pub(super) async fn lock_skip<T>(&mut self, sql: &str, args: &[Val<'_>], map: Map<T>) -> Result<Vec<T>> {
        self.check_lockable(sql)?;
        self.fetch_all(&format!("{sql} FOR UPDATE SKIP LOCKED"), args, map).await
    }

    fn check_lockable(&mut self, sql: &str) -> Result<()> {
        if self.begin == BEGIN_WRITE {
            return Ok(());
        }
        self.doomed = true;
        Err(StoreError::LockOutsideWrite).with_context(|| sql.to_owned())
    }

    async fn rows(&mut self, sql: &str, args: &[Val<'_>]) -> Result<Vec<tokio_postgres::Row>> {
        self.send_gathered().await?;
        // A SELECT may travel together with BEGIN: should BEGIN fail, it has changed nothing.
        let together =
            !self.begun && sql.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
        if !together {
            self.begin().await?;
        }
        let statement = self.prepare(sql, args).await?;
        let params = params(args);
        let out = if together {
            self.begun = true;
            let (begun, rows) =
                join(self.client().batch_execute(self.begin), self.client().query(&statement, &params)).await;
            begun.and(rows)
        } else {
            self.client().query(&statement, &params).await
        };
        self.settle(out).with_context(|| sql.to_owned())
    }

    async fn begin(&mut self) -> Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        let out = self.client().batch_execute(self.begin).await;
        self.settle(out).context(self.begin)
    }

    async fn prepare(&mut self, sql: &str, args: &[Val<'_>]) -> Result<Statement> {
        if self.doomed {
            return Err(StoreError::FailedStatementIgnored).with_context(|| sql.to_owned());
        }
        let out = self.client().prepare_cached(sql).await;
        let statement = self.settle(out).with_context(|| sql.to_owned())?;
        let count = statement.params().len();
        if count != args.len() {
            self.doomed = true;
            bail!("{count} parameters, but {} arguments: {sql}", args.len());
        }
        Ok(statement)
    }

    /// Notes what a failure means for the transaction. A connection that broke before COMMIT took everything with
    /// it, so the closure may run again on another one.
    fn settle<T>(&mut self, out: Result<T, tokio_postgres::Error>) -> Result<T> {
        out.map_err(|error| {
            self.doomed = true;
            self.lost |= is_lost(&error);
            self.again |= self.lost || is_worth_another_try(&error);
            described(error)
        })
    }

    async fn commit(&mut self) -> Result<()> {
        if !self.begun {
            self.done = true; // no statement, no transaction
            return Ok(());
        }
        let Err(error) = self.client().batch_execute("COMMIT").await else {
            self.done = true;
            return Ok(());
        };
        self.doomed = true;
        let refused = error.as_db_error().is_some_and(|db| db.parsed_severity() == Some(Severity::Error));
        self.lost = !refused;
        self.again = refused && is_worth_another_try(&error);
        let reason = error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned());
        tracing::error!(%reason, refused, "a commit failed");
        let meaning = if refused { StoreError::RolledBack } else { StoreError::CommitUnknown };
        Err(described(error).context(meaning(reason.into())))
    }
}

impl Drop for PgTx {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.lost {
            drop(Client::take(client)); // closed, not given back
        } else if self.begun && !self.done {
            // The first poll puts it on the wire, before anything the connection's next user sends.
            drop(client.batch_execute("ROLLBACK").now_or_never());
        }
    }
}

fn is_worth_another_try(error: &tokio_postgres::Error) -> bool {
    error.code().is_some_and(|code| {
        *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED
    })
}

/// A lost connection and an exhausted wait are named, so that a caller can answer 503.
fn described(error: tokio_postgres::Error) -> anyhow::Error {
    if is_lost(&error) {
        let unavailable = StoreError::Unavailable(error.to_string().into());
        return anyhow::Error::new(error).context(unavailable);
    }
    if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) {
        return anyhow::Error::new(error).context(StoreError::Busy);
    }
    error.into()
}

/// Whether the connection is gone: closed, broken, or ended by the server (shutdown, a time-out of its own).
fn is_lost(error: &tokio_postgres::Error) -> bool {
    let ended = |db: &DbError| matches!(db.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    error.is_closed()
        || error.as_db_error().is_some_and(ended)
        || std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

fn params<'a>(args: &'a [Val<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    args.iter().map(|arg| arg as &(dyn ToSql + Sync)).collect()
}

impl Tx {
    /// The transaction of a PostgreSQL connection, where the code around it has just put one.
    fn postgres(&mut self) -> &mut PgTx {
        match &mut self.0 {
            Kind::Postgres(tx) => tx,
            Kind::Sqlite(_) => unreachable!("a PostgreSQL pool gives PostgreSQL transactions"),
        }
    }
}
