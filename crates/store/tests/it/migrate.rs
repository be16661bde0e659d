//! Migrations run once, whole, in order, and only on a database that is ours.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::harness::*;
use store::db::{MigrateError, Migration, Role, Sql, Store, StoreConfig, Tx, migrate, status};
use store::testing::TestDatabase;
use store::{args, both_engines};

const fn migration(number: i64, name: &'static str, sql: &'static str) -> Migration {
    Migration { number, name, sqlite: sql, postgres: sql }
}

const ONE: Migration = migration(1, "one", "CREATE TABLE one (id TEXT NOT NULL PRIMARY KEY)");
const TWO: Migration =
    migration(2, "two", "CREATE TABLE two (id TEXT NOT NULL PRIMARY KEY); INSERT INTO two VALUES ('x')");
const THREE: Migration = migration(3, "three", "CREATE TABLE three (id TEXT NOT NULL PRIMARY KEY)");
const NONE: &[Migration] = &[];

async fn refused(store: &Store, list: &[Migration]) -> MigrateError {
    let by_status = status(store, list).await.unwrap_err();
    let by_run = migrate(store, list, 9).await.unwrap_err();
    let error = by_run.downcast_ref::<MigrateError>().unwrap_or_else(|| panic!("{by_run:?}")).clone();
    assert_eq!(by_status.downcast_ref(), Some(&error));
    error
}

fn numbers(list: &[Migration]) -> Vec<i64> {
    list.iter().map(|migration| migration.number).collect()
}

both_engines!(each_runs_once_in_order, NONE, async |db: TestDatabase| {
    let store = db.open().await;
    let before = status(&store, &[ONE, TWO]).await.unwrap();
    assert_eq!((before.applied.len(), numbers(&before.pending)), (0, vec![1, 2]));
    let first = migrate(&store, &[ONE], 5).await.unwrap();
    assert_eq!((numbers(&first.ran), first.version), (vec![1], 1));
    let second = migrate(&store, &[ONE, TWO, THREE], 6).await.unwrap();
    assert_eq!((numbers(&second.ran), second.version), (vec![2, 3], 3));
    let third = migrate(&store, &[ONE, TWO, THREE], 7).await.unwrap();
    assert_eq!((numbers(&third.ran), third.version), (vec![], 3));
    let after = status(&store, &[ONE, TWO, THREE]).await.unwrap();
    let applied: Vec<_> = after.applied.iter().map(|one| (one.number, &*one.name, one.applied_at)).collect();
    assert_eq!(applied, [(1, "one", 5), (2, "two", 6), (3, "three", 6)]);
    assert!(after.pending.is_empty());
    store.close().await.unwrap();
});

both_engines!(a_newer_database_is_refused, NONE, async |db: TestDatabase| {
    let store = db.open().await;
    migrate(&store, &[ONE, TWO, THREE], 5).await.unwrap();
    let error = refused(&store, &[ONE, TWO]).await;
    assert_eq!(error, MigrateError::Newer { database: 3, program: 2 });
    assert!(error.to_string().contains("run the newer program"), "{error}");
    store.close().await.unwrap();
});

both_engines!(a_changed_text_is_refused, NONE, async |db: TestDatabase| {
    let store = db.open().await;
    migrate(&store, &[ONE, TWO], 5).await.unwrap();
    let edited = migration(2, "two", "CREATE TABLE two (id TEXT NOT NULL PRIMARY KEY, more TEXT)");
    assert_eq!(
        refused(&store, &[ONE, edited, THREE]).await,
        MigrateError::Changed { number: 2, name: "two" }
    );
    assert_eq!(status(&store, &[ONE, TWO]).await.unwrap().applied.len(), 2, "nothing ran");
    store.close().await.unwrap();
});

both_engines!(a_gap_is_refused, NONE, async |db: TestDatabase| {
    const FORGET: Sql = Sql("DELETE FROM migration WHERE number = $1");
    let store = db.open().await;
    assert_eq!(refused(&store, &[ONE, THREE]).await, MigrateError::List { found: 3, expected: 2 });
    migrate(&store, &[ONE, TWO, THREE], 5).await.unwrap();
    store.write(async move |tx: &mut Tx| tx.execute(FORGET, args![2]).await).await.unwrap();
    assert_eq!(refused(&store, &[ONE, TWO, THREE]).await, MigrateError::Gap { missing: 2 });
    store.close().await.unwrap();
});

both_engines!(a_failure_leaves_everything_as_it_was, NONE, async |db: TestDatabase| {
    let store = db.open().await;
    migrate(&store, &[ONE], 5).await.unwrap();
    let broken = migration(3, "broken", "CREATE TABLE four (id TEXT); INSERT INTO nowhere VALUES (1)");
    let error = format!("{:#}", migrate(&store, &[ONE, TWO, broken], 6).await.unwrap_err());
    assert!(error.contains("migration 3 (broken) failed") && error.contains("nowhere"), "{error}");
    let after = status(&store, &[ONE, TWO, THREE]).await.unwrap();
    assert_eq!((after.applied.len(), numbers(&after.pending)), (1, vec![2, 3]));
    assert_eq!(migrate(&store, &[ONE, TWO, THREE], 7).await.unwrap().version, 3, "two did not stay behind");
    store.close().await.unwrap();
});

both_engines!(of_many_that_start_at_once_one_runs_them, NONE, async |db: TestDatabase| {
    let starts = (0..6).map(|started_at| {
        let config = StoreConfig { role: Role::Command, pool_size: 1, ..db.config() };
        tokio::spawn(async move {
            let store = Store::open(&config).await.unwrap();
            let report = migrate(&store, &[ONE, TWO, THREE], started_at).await.unwrap();
            store.close().await.unwrap();
            assert_eq!(report.version, 3);
            report.ran.len()
        })
    });
    let ran = futures::future::try_join_all(starts).await.unwrap();
    assert_eq!((ran.iter().sum::<usize>(), ran.iter().max()), (3, Some(&3)), "one ran them all: {ran:?}");
});

both_engines!(statements_know_a_table_that_came_later, SCHEMA, async |db: TestDatabase| {
    const WIDEN: &str = "ALTER TABLE payment ADD COLUMN note TEXT";
    const ALL: Sql = Sql("SELECT id, merchant_id, amount_minor FROM payment ORDER BY id");
    let store = db.open().await;
    let read = async |store: &Store| {
        store.read(async move |tx: &mut Tx| tx.fetch_all(ALL, args![], |row| row.i64(0)).await).await.unwrap()
    };
    write(&store, 1, Manner::Good).await.unwrap().unwrap();
    assert_eq!(read(&store).await, [1]);
    migrate(&store, &[SCHEMA[0], migration(2, "note", WIDEN)], 5).await.unwrap();
    write(&store, 2, Manner::Good).await.unwrap().unwrap();
    assert_eq!(read(&store).await, [1, 2]);
    store.close().await.unwrap();
});
