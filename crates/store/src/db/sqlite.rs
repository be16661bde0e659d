//! SQLite: opening and checking a file, statements on it, and readers. Writes go through the one thread in
//! `batch`; nothing here may write to the product's tables from anywhere else.

use super::batch::Writer;
use super::{Kind, Map, Notice, Notices, Role, Row, StoreConfig, StoreError, Tx, Val, poll_once};
use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// 3.51.3 mends a corruption of the WAL when two connections write and checkpoint at once.
const OLDEST_SQLITE: i32 = 3_051_003;
/// Pages in the WAL after which the writer checkpoints itself; the side thread usually comes first.
const AUTOCHECKPOINT_PAGES: i64 = 16_000;
/// The WAL file is cut back to this size when it starts anew.
const WAL_BYTES_KEPT: i64 = 64 << 20;
/// The store has a few hundred statements; each is prepared once per connection.
const STATEMENTS_CACHED: usize = 512;

pub(super) struct Sqlite {
    spec: Spec,
    writer: Writer,
    readers: Arc<Readers>,
    reports: tokio::sync::Semaphore,
    role: Role,
    #[cfg(feature = "testing")]
    on_callers_thread: bool,
}

impl Sqlite {
    pub(super) fn open(path: &Path, config: &StoreConfig) -> Result<Sqlite> {
        let version = rusqlite::version_number();
        ensure!(version >= OLDEST_SQLITE, "SQLite {} is older than 3.51.3", rusqlite::version());
        create_private(path)?;
        let path = fs::canonicalize(path)?; // a symbolic link must not make a second lock
        let lock = match config.role {
            Role::Server => Some(ServerLock::take(&path, config.started_at)?),
            Role::Command => None,
        };
        let spec = Spec { path, busy: busy_timeout(config.role) };
        if lock.is_some() {
            refresh_statistics(&spec)?;
        }
        let readers = Arc::new(Readers::new(spec.clone(), config.readers.max(1)));
        let writer = Writer::start(spec.clone(), lock, config)?;
        let reports = tokio::sync::Semaphore::new(config.readers.max(1));
        Ok(Sqlite {
            spec,
            writer,
            readers,
            reports,
            role: config.role,
            #[cfg(feature = "testing")]
            on_callers_thread: config.on_callers_thread,
        })
    }

    pub(super) fn spec(&self) -> &Spec {
        &self.spec
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        self.writer.write(work).await
    }

    pub(super) fn read<T>(&self, work: &impl AsyncFn(&mut Tx) -> Result<T>) -> Result<T> {
        self.readers.run(work)
    }

    pub(super) async fn report<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        #[cfg(feature = "testing")]
        if self.on_callers_thread {
            return self.readers.run(&work);
        }
        let _turn = self.reports.acquire().await.map_err(|_| StoreError::Closed)?;
        let readers = Arc::clone(&self.readers);
        match tokio::task::spawn_blocking(move || readers.run(&work)).await {
            Ok(out) => out,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn is_only_server(&self) -> bool {
        self.role == Role::Server
    }

    pub(super) fn waiting(&self) -> usize {
        self.writer.waiting()
    }

    pub(super) fn read_only_because(&self) -> Option<String> {
        self.writer.read_only_because().map(str::to_owned)
    }

    #[cfg(feature = "testing")]
    pub(super) fn stop_writing(&self, reason: &str) {
        self.writer.stop_writing(reason);
    }

    pub(super) async fn close(&self) -> Result<()> {
        self.readers.close();
        self.reports.close();
        self.writer.close().await
    }
}

/// Counts roughly what is in the tables, where they have grown since that was last done. Every index begins with the merchant;
/// without counts the planner believes that a merchant has ten rows, and reads all of a merchant's to find a customer's.
fn refresh_statistics(spec: &Spec) -> Result<()> {
    /// Rows looked at of each index, so that it takes no time at a start.
    const COUNTED: &str = "PRAGMA analysis_limit = 1000; PRAGMA optimize = 0x10002";
    spec.writer()?.execute_batch(COUNTED).context("the tables cannot be counted")
}

fn busy_timeout(role: Role) -> Duration {
    match role {
        Role::Server => Duration::from_secs(5),
        Role::Command => Duration::from_secs(30),
    }
}

/// A transaction, or a batch of them, on one connection.
pub(super) struct SqTx {
    conn: Connection,
    access: Access,
    doomed: bool,
    broken: Option<Arc<str>>,
    notices: Notices,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

impl SqTx {
    pub(super) fn new(conn: Connection, access: Access) -> SqTx {
        SqTx { conn, access, doomed: false, broken: None, notices: Vec::new() }
    }

    /// Whether no transaction is open: after a statement it means that SQLite rolled everything back.
    pub(super) fn is_autocommit(&self) -> bool {
        self.conn.is_autocommit()
    }

    /// Why no further write may be tried, if a statement met such a fault since the connection was opened.
    pub(super) fn broken(&self) -> Option<Arc<str>> {
        self.broken.clone()
    }

    pub(super) fn start_job(&mut self) {
        self.doomed = false;
        self.notices.clear();
    }

    pub(super) fn after_commit(&mut self, notice: Notice) {
        self.notices.push(notice);
    }

    /// What the job that has just run wants done once it is committed.
    pub(super) fn take_notices(&mut self) -> Notices {
        std::mem::take(&mut self.notices)
    }

    pub(super) fn is_doomed(&self) -> bool {
        self.doomed
    }

    pub(super) fn doom(&mut self) {
        self.doomed = true;
    }

    /// Runs one of the seam's own statements: BEGIN, SAVEPOINT, COMMIT.
    pub(super) fn control(&mut self, sql: &'static str) -> rusqlite::Result<()> {
        let out = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        out.map(drop).inspect_err(|error| self.note_fault(error))
    }

    /// Moves committed pages from the WAL into the database, as far as `mode` goes.
    pub(super) fn checkpoint(&mut self, mode: &str) -> Result<()> {
        let busy: i64 =
            self.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(0))?;
        tracing::trace!(mode, busy, "checkpoint");
        Ok(())
    }

    pub(super) fn execute(&mut self, sql: &'static str, args: &[Val<'_>]) -> Result<u64> {
        self.run(sql, args, |statement| Ok(u64::try_from(statement.raw_execute()?)?))
    }

    pub(super) fn fetch_optional<T>(
        &mut self,
        sql: &'static str,
        args: &[Val<'_>],
        map: Map<T>,
    ) -> Result<Option<T>> {
        self.run(sql, args, |statement| {
            let mut rows = statement.raw_query();
            let Some(row) = rows.next()? else { return Ok(None) };
            let out = map(&Row::sqlite(row))?;
            if rows.next()?.is_some() { Err(StoreError::SecondRow.into()) } else { Ok(Some(out)) }
        })
    }

    pub(super) fn fetch_all<T>(
        &mut self,
        sql: &'static str,
        args: &[Val<'_>],
        map: Map<T>,
    ) -> Result<Vec<T>> {
        self.run(sql, args, |statement| {
            let (mut rows, mut out) = (statement.raw_query(), Vec::new());
            while let Some(row) = rows.next()? {
                out.push(map(&Row::sqlite(row))?);
            }
            Ok(out)
        })
    }

    pub(super) fn lock<T>(&mut self, sql: &'static str, args: &[Val<'_>], map: Map<T>) -> Result<Option<T>> {
        self.check_lockable(sql)?;
        self.fetch_optional(sql, args, map)
    }

    pub(super) fn lock_skip<T>(
        &mut self,
        sql: &'static str,
        args: &[Val<'_>],
        map: Map<T>,
    ) -> Result<Vec<T>> {
        self.check_lockable(sql)?;
        self.fetch_all(sql, args, map)
    }

    fn check_lockable(&mut self, sql: &'static str) -> Result<()> {
        if self.access == Access::Write {
            return Ok(()); // BEGIN IMMEDIATE already holds the whole database
        }
        self.doomed = true;
        Err(StoreError::LockOutsideWrite).context(sql)
    }

    fn run<T>(
        &mut self,
        sql: &'static str,
        args: &[Val<'_>],
        step: impl FnOnce(&mut rusqlite::Statement<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.doomed {
            return Err(StoreError::FailedStatementIgnored).context(sql);
        }
        let out = self.conn.prepare_cached(sql).map_err(anyhow::Error::from).and_then(|mut statement| {
            bind(&mut statement, args)?;
            step(&mut statement)
        });
        if let Err(error) = &out {
            self.doomed = true;
            if let Some(error) = error.downcast_ref::<rusqlite::Error>() {
                self.note_fault(error);
            }
        }
        out.context(sql)
    }

    fn note_fault(&mut self, error: &rusqlite::Error) {
        let Some(cause) = error.sqlite_error() else { return };
        let sync_failed =
            matches!(cause.extended_code, ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC);
        if cause.code == ErrorCode::DiskFull || sync_failed {
            self.broken = Some(error.to_string().into());
        }
    }
}

/// Binds by the parameter's name: SQLite numbers `$N` by first appearance, so `$3 … $1` would be swapped.
fn bind(statement: &mut rusqlite::Statement<'_>, args: &[Val<'_>]) -> Result<()> {
    let count = statement.parameter_count();
    ensure!(count == args.len(), "{count} parameters, but {} arguments", args.len());
    for index in 1..=count {
        let name = statement.parameter_name(index).unwrap_or("?");
        let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
        let Some(arg) = number.and_then(|number| args.get(number.checked_sub(1)?)).copied() else {
            bail!("parameter {name} is not one of $1 to ${count}");
        };
        statement.raw_bind_parameter(index, arg)?;
    }
    Ok(())
}

/// What a closure's end means: `None` is a future that waited for something.
pub(super) fn verdict<T>(out: Option<Result<T>>, doomed: bool) -> Result<T> {
    match out {
        None => Err(StoreError::AwaitedSomethingElse.into()),
        Some(Ok(_)) if doomed => Err(StoreError::FailedStatementIgnored.into()),
        Some(out) => out,
    }
}

/// How connections to one file are made.
#[derive(Clone)]
pub(super) struct Spec {
    path: PathBuf,
    busy: Duration,
}

impl Spec {
    /// The connection that writes, every setting set and read back.
    pub(super) fn writer(&self) -> Result<Connection> {
        let conn = self.connect()?;
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        ensure!(mode == "wal", "the file system offers no write-ahead log (journal_mode is {mode})");
        set(&conn, "synchronous", "FULL", 2)?;
        set(&conn, "foreign_keys", "ON", 1)?;
        set(&conn, "trusted_schema", "OFF", 0)?;
        set_and_read(&conn, "wal_autocheckpoint", AUTOCHECKPOINT_PAGES)?;
        set_and_read(&conn, "journal_size_limit", WAL_BYTES_KEPT)?;
        Ok(conn)
    }

    /// A connection that cannot write.
    pub(super) fn reader(&self) -> Result<Connection> {
        let conn = self.connect()?;
        set(&conn, "query_only", "ON", 1)?;
        set(&conn, "trusted_schema", "OFF", 0)?;
        Ok(conn)
    }

    fn connect(&self) -> Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.path, flags)?;
        conn.busy_timeout(self.busy)?;
        let busy: i64 = conn.pragma_query_value(None, "busy_timeout", |row| row.get(0))?;
        ensure!(i128::from(busy) == self.busy.as_millis().cast_signed(), "busy_timeout is {busy}");
        // "quoted" is a name in both engines, never a text; and nothing may edit the schema table.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
        Ok(conn)
    }
}

fn set(conn: &Connection, name: &str, word: &str, wanted: i64) -> Result<()> {
    conn.pragma_update(None, name, word)?;
    let found: i64 = conn.pragma_query_value(None, name, |row| row.get(0))?;
    ensure!(found == wanted, "the setting {name} is {found} although it was set to {word}");
    Ok(())
}

fn set_and_read(conn: &Connection, name: &str, wanted: i64) -> Result<()> {
    let found: i64 = conn.pragma_update_and_check(None, name, wanted, |row| row.get(0))?;
    ensure!(found == wanted, "the setting {name} is {found} although it was set to {wanted}");
    Ok(())
}

/// Connections that read what is committed; some are kept open, more are opened when all are in use.
struct Readers {
    spec: Spec,
    kept: usize,
    idle: Mutex<Vec<Connection>>,
    closed: AtomicBool,
}

impl Readers {
    fn new(spec: Spec, kept: usize) -> Readers {
        Readers { spec, kept, idle: Mutex::new(Vec::new()), closed: AtomicBool::new(false) }
    }

    fn run<T>(&self, work: &impl AsyncFn(&mut Tx) -> Result<T>) -> Result<T> {
        if self.closed.load(Ordering::Acquire) {
            return Err(StoreError::Closed.into());
        }
        let idle = self.idle().pop();
        let mut reader = SqTx::new(idle.map_or_else(|| self.spec.reader(), Ok)?, Access::Read);
        reader.control("BEGIN")?;
        let mut tx = Tx(Kind::Sqlite(reader));
        let out = poll_once(work(&mut tx)); // a panic drops the connection, and its snapshot with it
        let reader = tx.sqlite();
        let (doomed, ended) = (reader.doomed, reader.control("ROLLBACK").is_ok());
        if ended && let Kind::Sqlite(reader) = tx.0 {
            self.keep(reader.conn);
        }
        verdict(out, doomed)
    }

    fn keep(&self, conn: Connection) {
        let mut idle = self.idle();
        if idle.len() < self.kept && !self.closed.load(Ordering::Acquire) {
            idle.push(conn);
        }
    }

    fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.idle().clear();
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner) // a list of connections cannot be half-changed
    }
}

impl Tx {
    /// The transaction of a SQLite connection, where the code around it has just put one.
    pub(super) fn sqlite(&mut self) -> &mut SqTx {
        match &mut self.0 {
            Kind::Sqlite(tx) => tx,
            Kind::Postgres(_) => unreachable!("a SQLite thread holds a SQLite transaction"),
        }
    }
}

/// Creates the file and the folders above it for their owner alone. What exists is left as it is.
fn create_private(path: &Path) -> Result<()> {
    let mut folder = fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.create(parent).with_context(|| format!("cannot create the folder {}", parent.display()))?;
    }
    match private_file().create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()), // SQLite gives its -wal and -shm files the same permissions
    }
}

fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The sign that a server owns the file: a lock of the operating system, which ends with the process.
pub(super) struct ServerLock {
    _held: File,
}

impl ServerLock {
    fn take(database: &Path, started_at: i64) -> Result<ServerLock> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = PathBuf::from(path);
        let mut file = private_file().create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                if file.read_to_string(&mut holder).is_err() || holder.trim().is_empty() {
                    holder = "a process that has not said its number".into();
                }
                return Err(StoreError::SecondServer(holder.trim().into()).into());
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
        let started = jiff::Timestamp::from_microsecond(started_at)?;
        file.set_len(0)?;
        write!(file, "process {}, started {started:.0}", std::process::id())?;
        Ok(ServerLock { _held: file })
    }
}
