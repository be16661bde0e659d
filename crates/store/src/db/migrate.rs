//! Migrations: an embedded list, run in order under a lock, each remembered with its checksum.
//!
//! It must never run half of a list (one transaction holds all that is pending), run one twice when two
//! processes start at once, or touch a database it does not understand: one that is newer than the program, has
//! a gap, or was migrated by another text.

use super::{Backend, Store};
use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use rusqlite::{Connection, OptionalExtension as _};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// Held in PostgreSQL while migrations run: "paydown" in bytes, and a 1.
const ADVISORY_LOCK: i64 = 0x7061_7964_6f77_6e01;
/// How long a process waits on SQLite for another one that migrates.
const SQLITE_WAIT: Duration = Duration::from_secs(120);

const CREATE_SQLITE: &str = "CREATE TABLE IF NOT EXISTS migration (
    number INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL
) STRICT";
const CREATE_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS migration (
    number BIGINT NOT NULL PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL
)";
const LIST: &str = "SELECT number, name, sha256, applied_at FROM migration ORDER BY number";
const RECORD: &str = "INSERT INTO migration (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)";

/// One step of the schema, in both engines' words.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// 1, 2, 3, … without a gap.
    pub number: i64,
    /// What it brings, as in the names of its two files.
    pub name: &'static str,
    /// Its text for SQLite.
    pub sqlite: &'static str,
    /// Its text for PostgreSQL.
    pub postgres: &'static str,
}

/// A migration the database has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its number.
    pub number: i64,
    /// Its name when it ran.
    pub name: String,
    /// When it ran, microseconds since 1970 in UTC.
    pub applied_at: i64,
    sha256: String,
}

/// Where a database stands. Only a database this program understands has one.
#[derive(Debug, Clone)]
pub struct Status {
    /// What has run, in order.
    pub applied: Vec<Applied>,
    /// What would run next, in order.
    pub pending: Vec<Migration>,
}

/// What a run did.
#[derive(Debug, Clone)]
pub struct Report {
    /// The migrations this run applied, in order; empty when there was nothing to do.
    pub ran: Vec<Migration>,
    /// The number of the newest migration in the database now, 0 when there is none.
    pub version: i64,
}

/// Why a database is not touched. Inside `anyhow::Error`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MigrateError {
    /// A newer program has migrated this database.
    #[error(
        "the database is at version {database}, but this program knows versions up to {program} only; run the \
         newer program, or restore the backup that was made before it"
    )]
    Newer {
        /// The newest number in the database.
        database: i64,
        /// The newest number this program knows.
        program: i64,
    },
    /// The text of a migration is not the one that ran.
    #[error(
        "migration {number} ({name}) is not the one that this database ran; undo the change to its file and put \
         the difference into a new migration"
    )]
    Changed {
        /// Its number.
        number: i64,
        /// Its name in this program.
        name: &'static str,
    },
    /// A migration is missing before one that ran.
    #[error(
        "the database has no migration {missing}, but later ones; restore a backup, because nothing can tell what \
         it lacks"
    )]
    Gap {
        /// The number that is missing.
        missing: i64,
    },
    /// A bug of this program: its list is not numbered 1, 2, 3, …
    #[error("the program's list has migration {found} in place {expected}; number the files without a gap")]
    List {
        /// The number found.
        found: i64,
        /// The number its place asks for.
        expected: i64,
    },
}

/// Brings the database up to date, in one transaction, and says what it did. `applied_at` is the time of this
/// run in microseconds since 1970. Any number of processes may do this at once: one runs, the others find it
/// done.
///
/// Fails with [`MigrateError`], and leaves everything as it was, when the database is not one of this program's.
pub async fn migrate(store: &Store, migrations: &[Migration], applied_at: i64) -> Result<Report> {
    match &*store.backend {
        Backend::Sqlite(sqlite) => {
            let (spec, migrations) = (sqlite.spec().clone(), migrations.to_vec());
            tokio::task::spawn_blocking(move || migrate_sqlite(&spec.writer()?, &migrations, applied_at))
                .await?
        }
        Backend::Postgres(postgres) => {
            let mut client = postgres.client().await?;
            migrate_postgres(&mut client, migrations, applied_at).await
        }
    }
}

/// Says where the database stands, without changing it. Fails with [`MigrateError`] as [`migrate`] does.
pub async fn status(store: &Store, migrations: &[Migration]) -> Result<Status> {
    let (applied, dialect) = match &*store.backend {
        Backend::Sqlite(sqlite) => {
            let spec = sqlite.spec().clone();
            (tokio::task::spawn_blocking(move || applied_sqlite(&spec.reader()?)).await??, Dialect::Sqlite)
        }
        Backend::Postgres(postgres) => {
            let client = postgres.client().await?;
            (applied_postgres(&client).await?, Dialect::Postgres)
        }
    };
    let pending = pending(migrations, &applied, dialect)?.to_vec();
    Ok(Status { applied, pending })
}

#[derive(Clone, Copy)]
enum Dialect {
    Sqlite,
    Postgres,
}

impl Migration {
    fn checksum(&self, dialect: Dialect) -> String {
        let text = match dialect {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        };
        HEXLOWER.encode(&Sha256::digest(text))
    }
}

/// What is left to run, once everything that ran is known to be the beginning of the list.
fn pending<'m>(
    list: &'m [Migration],
    applied: &[Applied],
    dialect: Dialect,
) -> Result<&'m [Migration], MigrateError> {
    let mut program = 0;
    for migration in list {
        program += 1;
        if migration.number != program {
            return Err(MigrateError::List { found: migration.number, expected: program });
        }
    }
    if let Some(last) = applied.last()
        && last.number > program
    {
        return Err(MigrateError::Newer { database: last.number, program });
    }
    for (migration, ran) in list.iter().zip(applied) {
        if migration.number != ran.number {
            return Err(MigrateError::Gap { missing: migration.number });
        }
        if migration.checksum(dialect) != ran.sha256 {
            return Err(MigrateError::Changed { number: migration.number, name: migration.name });
        }
    }
    Ok(&list[applied.len()..]) // numbers are a key, none is above `program`, and none is missing
}

fn report(ran: &[Migration], applied: &[Applied]) -> Report {
    let before = applied.last().map_or(0, |last| last.number);
    Report { ran: ran.to_vec(), version: ran.last().map_or(before, |last| last.number) }
}

fn migrate_sqlite(conn: &Connection, list: &[Migration], applied_at: i64) -> Result<Report> {
    conn.busy_timeout(SQLITE_WAIT)?;
    conn.execute_batch("BEGIN EXCLUSIVE")?; // whatever fails below, closing the connection rolls back
    conn.execute_batch(CREATE_SQLITE)?;
    let applied = applied_sqlite(conn)?;
    let pending = pending(list, &applied, Dialect::Sqlite)?;
    for migration in pending {
        conn.execute_batch(migration.sqlite).with_context(|| failed(migration))?;
        let sha256 = migration.checksum(Dialect::Sqlite);
        conn.execute(RECORD, (migration.number, migration.name, sha256, applied_at))?;
    }
    conn.execute_batch("COMMIT")?;
    Ok(report(pending, &applied))
}

fn applied_sqlite(conn: &Connection) -> Result<Vec<Applied>> {
    let exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migration'";
    if conn.query_row(exists, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Vec::new());
    }
    let mut statement = conn.prepare(LIST)?;
    let rows = statement.query_map([], |row| {
        Ok(Applied { number: row.get(0)?, name: row.get(1)?, sha256: row.get(2)?, applied_at: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

async fn migrate_postgres(
    client: &mut deadpool_postgres::Client,
    list: &[Migration],
    applied_at: i64,
) -> Result<Report> {
    let tx = client.transaction().await?; // whatever fails below, dropping it rolls back
    tx.batch_execute("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0").await?;
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&ADVISORY_LOCK]).await?;
    tx.batch_execute(CREATE_POSTGRES).await?;
    let applied = applied_postgres(tx.client()).await?;
    let pending = pending(list, &applied, Dialect::Postgres)?;
    for migration in pending {
        tx.batch_execute(migration.postgres).await.with_context(|| failed(migration))?;
        let sha256 = migration.checksum(Dialect::Postgres);
        tx.execute(RECORD, &[&migration.number, &migration.name, &sha256, &applied_at]).await?;
    }
    tx.commit().await?;
    Ok(report(pending, &applied))
}

async fn applied_postgres(client: &tokio_postgres::Client) -> Result<Vec<Applied>> {
    let exists = client.query_one("SELECT to_regclass('migration') IS NOT NULL", &[]).await?;
    if !exists.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let rows = client.query(LIST, &[]).await?;
    let applied = rows.iter().map(|row| {
        Ok(Applied {
            number: row.try_get(0)?,
            name: row.try_get(1)?,
            sha256: row.try_get(2)?,
            applied_at: row.try_get(3)?,
        })
    });
    applied.collect()
}

fn failed(migration: &Migration) -> String {
    format!("migration {} ({}) failed; nothing was changed", migration.number, migration.name)
}
