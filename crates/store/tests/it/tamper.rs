//! Changes a database behind the store's back, past triggers, checks, references and keys, as somebody would who has
//! the file or the server. One SQL text for both engines.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use store::db::DatabaseUrl;
use store::testing::TestDatabase;

/// Runs SQL past the store: no trigger, check or reference stands in its way. One text for both engines.
pub async fn tamper(db: &TestDatabase, sql: &str) {
    match db.url() {
        DatabaseUrl::Sqlite(path) => {
            let conn = rusqlite::Connection::open(path).unwrap();
            conn.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
            conn.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").unwrap();
            let mut list = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger'").unwrap();
            let triggers: Vec<String> =
                list.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            for name in triggers {
                conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
            }
            conn.execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        }
        DatabaseUrl::Postgres(url) => {
            const NO_CHECKS: &str = "SET session_replication_role = replica; DO $$ DECLARE c record; BEGIN \
                FOR c IN SELECT conname, conrelid::regclass AS place FROM pg_constraint \
                WHERE contype = 'c' AND connamespace = 'public'::regnamespace LOOP \
                EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.place, c.conname); END LOOP; END $$";
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
            let connection = tokio::spawn(connection);
            client.batch_execute(NO_CHECKS).await.unwrap();
            client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
            drop(client);
            connection.await.unwrap().unwrap();
        }
    }
}

/// Takes the keys and unique constraints of a table away, so that [`tamper`] can put in what they refuse.
pub async fn loosen(db: &TestDatabase, table: &str) {
    match db.url() {
        DatabaseUrl::Sqlite(_) => {
            let sql = format!(
                "CREATE TABLE loose AS SELECT * FROM {table}; DROP TABLE {table}; ALTER TABLE loose RENAME TO {table}"
            );
            tamper(db, &sql).await;
        }
        DatabaseUrl::Postgres(_) => {
            let sql = format!(
                "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conname FROM pg_constraint \
                 WHERE conrelid = '{table}'::regclass AND contype IN ('p', 'u', 'f') LOOP \
                 EXECUTE format('ALTER TABLE {table} DROP CONSTRAINT IF EXISTS %I CASCADE', c.conname); END LOOP; END $$"
            );
            tamper(db, &sql).await;
        }
    }
}
