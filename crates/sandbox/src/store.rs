//! The sandbox's own database: documents of the processor's objects, kept answers, webhook deliveries and settings in one SQLite file.
//!
//! A call is one transaction under one lock: its effect, its events and the answer kept under its idempotency key are there together or not at
//! all. Nothing here may wait for the network, and nothing here knows of Paydown's database.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, ensure};
use rusqlite::types::Value as SqlValue;
use rusqlite::{
    Connection, OptionalExtension as _, Transaction, TransactionBehavior, params, params_from_iter,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{ApiError, Failure};
use crate::ids;

const SCHEMA_VERSION: i64 = 2;
const SCHEMA: &str = "
CREATE TABLE document (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX document_by_kind ON document (kind, seq);
CREATE INDEX document_by_status ON document (kind, status);
CREATE INDEX document_by_end ON document (kind, status, json_extract(body, '$.expires_at'));
CREATE TABLE kept_answer (
    idempotency_key TEXT PRIMARY KEY,
    fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL,
    body TEXT NOT NULL,
    request_id TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE TABLE delivery (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'held', 'lost', 'delivered', 'failed')),
    attempts INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER,
    last_error TEXT
) STRICT;
CREATE INDEX delivery_by_state ON delivery (state, seq);
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
";
/// What version 2 added: what is to happen later by the sandbox's clock.
const SCHEMA_2: &str = "
CREATE TABLE appointment (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    due_at INTEGER NOT NULL,
    what TEXT NOT NULL,
    object_id TEXT NOT NULL
) STRICT;
CREATE INDEX appointment_by_time ON appointment (due_at, seq);
CREATE INDEX document_by_intent ON document (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX document_by_charge ON document (kind, json_extract(body, '$.charge'));
";

/// Where the sandbox keeps its data.
#[derive(Debug, Clone)]
pub enum SandboxData {
    /// In memory; gone when the sandbox stops.
    Memory,
    /// In a SQLite file, created if absent. Everything survives a restart.
    File(PathBuf),
}

/// The open database.
pub(crate) struct Store {
    connection: Mutex<Connection>,
}

impl Store {
    /// Opens or creates the database and checks that it is one of ours.
    pub(crate) fn open(data: &SandboxData) -> anyhow::Result<Self> {
        let connection = match data {
            SandboxData::Memory => Connection::open_in_memory()?,
            SandboxData::File(path) => Connection::open(path)
                .with_context(|| format!("opening the practice processor's file {}", path.display()))?,
        };
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        ensure!(version <= SCHEMA_VERSION, "the practice processor's file is of a newer version ({version})");
        if version < SCHEMA_VERSION {
            let first = if version == 0 { SCHEMA } else { "" };
            connection.execute_batch(&format!(
                "BEGIN; {first} {SCHEMA_2} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            ))?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in a call rolled its transaction back; the connection itself is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `action` in one transaction; an error rolls everything back.
    pub(crate) fn transaction<T>(
        &self,
        action: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut connection = self.lock();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let outcome = action(&transaction)?;
        transaction.commit()?;
        Ok(outcome)
    }
}

/// One of the processor's objects as it is kept.
pub(crate) trait Document: Serialize + DeserializeOwned {
    /// Its name in the API, such as `payment_intent`.
    const KIND: &'static str;
    fn id(&self) -> &str;
    fn created_at(&self) -> i64;
    /// What lists and sweeps look for.
    fn status(&self) -> &str;
}

/// Adds a new object.
pub(crate) fn insert<D: Document>(connection: &Connection, document: &D) -> Result<(), Failure> {
    connection.execute(
        "INSERT INTO document (id, kind, status, created_at, body) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            document.id(),
            D::KIND,
            document.status(),
            document.created_at(),
            serde_json::to_string(document)?
        ],
    )?;
    Ok(())
}

/// Writes an object that is there.
pub(crate) fn update<D: Document>(connection: &Connection, document: &D) -> Result<(), Failure> {
    let changed = connection.execute(
        "UPDATE document SET status = ?2, body = ?3 WHERE id = ?1",
        params![document.id(), document.status(), serde_json::to_string(document)?],
    )?;
    if changed != 1 {
        return Err(Failure::Broken(anyhow::anyhow!("{} {} is not there to update", D::KIND, document.id())));
    }
    Ok(())
}

/// The object of this id, if there is one of this kind.
pub(crate) fn find<D: Document>(connection: &Connection, id: &str) -> Result<Option<D>, Failure> {
    let body: Option<String> = connection
        .query_row("SELECT body FROM document WHERE id = ?1 AND kind = ?2", [id, D::KIND], |row| row.get(0))
        .optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

/// All objects of a kind in a status, oldest first.
pub(crate) fn with_status<D: Document>(connection: &Connection, status: &str) -> Result<Vec<D>, Failure> {
    let mut statement = connection
        .prepare_cached("SELECT body FROM document WHERE kind = ?1 AND status = ?2 ORDER BY seq")?;
    let bodies: Vec<String> =
        statement.query_map([D::KIND, status], |row| row.get(0))?.collect::<Result<_, _>>()?;
    bodies.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
}

/// All objects of a kind in a status whose `expires_at` has come, oldest first. Asked at every call, hence by an index.
pub(crate) fn ended<D: Document>(connection: &Connection, status: &str, now: i64) -> Result<Vec<D>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM document WHERE kind = ?1 AND status = ?2 AND json_extract(body, '$.expires_at') <= ?3 ORDER BY seq",
    )?;
    let bodies: Vec<String> =
        statement.query_map(params![D::KIND, status, now], |row| row.get(0))?.collect::<Result<_, _>>()?;
    bodies.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
}

/// All objects of a kind with a value in a member of their body, oldest first.
pub(crate) fn having<D: Document>(
    connection: &Connection,
    member: &'static str,
    value: &str,
) -> Result<Vec<D>, Failure> {
    let sql = format!(
        "SELECT body FROM document WHERE kind = ?1 AND json_extract(body, '$.{member}') = ?2 ORDER BY seq"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let bodies: Vec<String> =
        statement.query_map([D::KIND, value], |row| row.get(0))?.collect::<Result<_, _>>()?;
    bodies.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
}

/// All objects of a kind, oldest first.
pub(crate) fn all<D: Document>(connection: &Connection) -> Result<Vec<D>, Failure> {
    let mut statement =
        connection.prepare_cached("SELECT body FROM document WHERE kind = ?1 ORDER BY seq")?;
    let bodies: Vec<String> = statement.query_map([D::KIND], |row| row.get(0))?.collect::<Result<_, _>>()?;
    bodies.iter().map(|body| Ok(serde_json::from_str(body)?)).collect()
}

/// How many objects of a kind there are.
pub(crate) fn count(connection: &Connection, kind: &str) -> Result<i64, Failure> {
    Ok(connection.query_row("SELECT count(*) FROM document WHERE kind = ?1", [kind], |row| row.get(0))?)
}

/// A page of a list, newest first.
#[derive(Debug, Default)]
pub(crate) struct PageQuery {
    pub(crate) limit: u32,
    pub(crate) starting_after: Option<String>,
    pub(crate) ending_before: Option<String>,
    /// Comparison (`>=`, `<`, …) and bound on the time of creation.
    pub(crate) created: Vec<(&'static str, i64)>,
    /// Member of the body and the values it may have.
    pub(crate) equal: Vec<(&'static str, Vec<String>)>,
}

/// The objects of a page and whether there are more in that direction.
pub(crate) fn page<D: Document>(
    connection: &Connection,
    query: &PageQuery,
) -> Result<(Vec<D>, bool), Failure> {
    let mut sql = String::from("SELECT body FROM document WHERE kind = ?");
    let mut values: Vec<SqlValue> = vec![SqlValue::Text(D::KIND.into())];
    for (comparison, bound) in &query.created {
        sql.push_str(" AND created_at ");
        sql.push_str(comparison);
        sql.push_str(" ?");
        values.push(SqlValue::Integer(*bound));
    }
    for (member, allowed) in &query.equal {
        sql.push_str(&format!(" AND body ->> '{member}' IN ({})", vec!["?"; allowed.len()].join(", ")));
        values.extend(allowed.iter().cloned().map(SqlValue::Text));
    }
    for (cursor, comparison, name) in
        [(&query.starting_after, '<', "starting_after"), (&query.ending_before, '>', "ending_before")]
    {
        let Some(id) = cursor else { continue };
        sql.push_str(&format!(" AND seq {comparison} ?"));
        values.push(SqlValue::Integer(sequence_of(connection, D::KIND, id, name)?));
    }
    let is_backwards = query.ending_before.is_some() && query.starting_after.is_none();
    sql.push_str(if is_backwards { " ORDER BY seq ASC LIMIT ?" } else { " ORDER BY seq DESC LIMIT ?" });
    values.push(SqlValue::Integer(i64::from(query.limit) + 1));
    let mut statement = connection.prepare_cached(&sql)?;
    let bodies: Vec<String> =
        statement.query_map(params_from_iter(values), |row| row.get(0))?.collect::<Result<_, _>>()?;
    let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = bodies.len() > wanted;
    let mut documents: Vec<D> =
        bodies.iter().take(wanted).map(|body| serde_json::from_str(body)).collect::<Result<_, _>>()?;
    if is_backwards {
        documents.reverse();
    }
    Ok((documents, has_more))
}

fn sequence_of(connection: &Connection, kind: &str, id: &str, param: &str) -> Result<i64, Failure> {
    let seq: Option<i64> = connection
        .query_row("SELECT seq FROM document WHERE id = ?1 AND kind = ?2", [id, kind], |row| row.get(0))
        .optional()?;
    seq.ok_or_else(|| ApiError::missing_resource(kind, id, param).into())
}

/// A stored setting, or its default.
pub(crate) fn setting<T: DeserializeOwned + Default>(
    connection: &Connection,
    name: &str,
) -> Result<T, Failure> {
    let value: Option<String> = connection
        .query_row("SELECT value FROM setting WHERE name = ?1", [name], |row| row.get(0))
        .optional()?;
    Ok(value.map(|value| serde_json::from_str(&value)).transpose()?.unwrap_or_default())
}

/// Stores a setting.
pub(crate) fn set_setting<T: Serialize>(
    connection: &Connection,
    name: &str,
    value: &T,
) -> Result<(), Failure> {
    connection.execute(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        params![name, serde_json::to_string(value)?],
    )?;
    Ok(())
}

/// A new id: `prefix` and `length` characters, never given twice by one file.
pub(crate) fn next_id(
    connection: &Connection,
    seed: u64,
    prefix: &str,
    length: usize,
) -> Result<String, Failure> {
    let number: u64 = setting(connection, "ids_given")?;
    set_setting(connection, "ids_given", &(number + 1))?;
    Ok(format!("{prefix}{}", ids::code(seed, prefix, number, length)))
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{SCHEMA, Store};
    use crate::store::SandboxData;

    #[test]
    fn a_file_of_the_first_version_is_brought_up_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sandbox.db");
        let first = Connection::open(&path).expect("opens");
        first.execute_batch(&format!("{SCHEMA} PRAGMA user_version = 1;")).expect("is made");
        drop(first);
        for _ in 0..2 {
            let store = Store::open(&SandboxData::File(path.clone())).expect("opens");
            let appointments: i64 = store
                .transaction(|connection| {
                    Ok(connection.query_row("SELECT count(*) FROM appointment", [], |row| row.get(0))?)
                })
                .expect("reads");
            assert_eq!(appointments, 0);
        }
    }
}
