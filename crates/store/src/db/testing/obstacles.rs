//! What tests put in the way of a program that runs on the same database, to stop it at an exact step: a change that is
//! refused, or a lock that somebody else keeps. The program under test knows nothing of it and is built as it is sold.
//!
//! Made from outside, through a connection of its own, and never part of the program.

use super::{Home, TestDatabase, connect, run};
use crate::db::DatabaseUrl;
use rusqlite::Connection;
use std::path::Path;
use std::time::Duration;
use tokio_postgres::Client;

/// A change that the database refuses while the obstacle stands.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// A row put into this table.
    Insert(&'static str),
    /// Another value in this column: (table, column).
    Update(&'static str, &'static str),
}

/// Everybody else's writes wait until this is dropped.
pub struct HeldWrites {
    _held: Held,
}

enum Held {
    /// Its transaction ends with it.
    File { _connection: Connection },
    /// The same.
    Server { _client: Client },
}

impl TestDatabase {
    /// From now on the database refuses this change.
    ///
    /// # Panics
    /// When the obstacle cannot be put up.
    pub async fn refuse(&self, change: Change) {
        let (event, table) = match change {
            Change::Insert(table) => ("INSERT".to_owned(), table),
            Change::Update(table, column) => (format!("UPDATE OF {column}"), table),
        };
        match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let body = "SELECT RAISE(ABORT, 'a test is in the way');";
                on_file(
                    path,
                    &format!("CREATE TRIGGER obstacle BEFORE {event} ON {table} BEGIN {body} END;"),
                );
            }
            DatabaseUrl::Postgres(url) => {
                let client = connect(url).await;
                let body = "BEGIN RAISE EXCEPTION 'a test is in the way'; END";
                let function = "CREATE FUNCTION obstacle() RETURNS trigger LANGUAGE plpgsql AS";
                let trigger = format!("CREATE TRIGGER obstacle BEFORE {event} ON {table}");
                let each = "FOR EACH ROW EXECUTE FUNCTION obstacle()";
                run(&client, &format!("{function} '{}'; {trigger} {each}", body.replace('\'', "''"))).await;
            }
        }
    }

    /// Takes the obstacle away that [`TestDatabase::refuse`] put up.
    ///
    /// # Panics
    /// When there is none.
    pub async fn let_through(&self) {
        match &self.url {
            DatabaseUrl::Sqlite(path) => on_file(path, "DROP TRIGGER obstacle"),
            DatabaseUrl::Postgres(url) => {
                run(&connect(url).await, "DROP FUNCTION obstacle() CASCADE").await;
            }
        }
    }

    /// Makes a database on a server refuse everybody, as if it were away.
    ///
    /// # Panics
    /// For a file, which cannot go away.
    pub async fn take_away(&self) {
        let (admin, name) = self.admin().await;
        run(&admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
        let ended = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        );
        run(&admin, &ended).await;
    }

    /// Gives back what [`TestDatabase::take_away`] took.
    ///
    /// # Panics
    /// For a file.
    pub async fn give_back(&self) {
        let (admin, name) = self.admin().await;
        run(&admin, &format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    }

    async fn admin(&self) -> (Client, &str) {
        match &self.home {
            Home::Server { admin_url, name } => (connect(admin_url).await, name),
            Home::Folder { .. } => panic!("a file cannot be taken away"),
        }
    }

    /// Makes everybody else's writes wait: all of them on a file, those to payments on a server.
    ///
    /// # Panics
    /// When the lock is not free for long.
    pub async fn hold_writes(&self) -> HeldWrites {
        let held = match &self.url {
            DatabaseUrl::Sqlite(path) => {
                let connection = open(path);
                connection.execute_batch("BEGIN IMMEDIATE").expect("the write lock becomes free");
                Held::File { _connection: connection }
            }
            DatabaseUrl::Postgres(url) => {
                let client = connect(url).await;
                run(&client, "BEGIN; LOCK TABLE payments IN SHARE ROW EXCLUSIVE MODE").await;
                Held::Server { _client: client }
            }
        };
        HeldWrites { _held: held }
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).expect("the test's database opens");
    connection.busy_timeout(Duration::from_secs(10)).expect("a busy time-out can be set");
    connection
}

fn on_file(path: &Path, sql: &str) {
    open(path).execute_batch(sql).expect("the obstacle is put up or taken away");
}
