//! What only PostgreSQL has: connections that break, transactions that wait for each other.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::harness::*;
use anyhow::{Result, ensure};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use store::args;
use store::db::{DatabaseUrl, Role, Sql, Store, StoreConfig, StoreError, Tx};
use store::testing::TestDatabase;
use tokio::sync::Barrier;

const BALANCE: Sql = Sql("SELECT amount_minor FROM balance WHERE merchant_id = $1");
const ADD: Sql = Sql("UPDATE balance SET amount_minor = amount_minor + 1 WHERE merchant_id = $1");
const HANG_UP: Sql = Sql("SELECT pg_terminate_backend(pg_backend_pid())");

async fn open_with_one_connection(db: &TestDatabase) -> Store {
    Store::open(&StoreConfig { pool_size: 1, ..db.config() }).await.unwrap()
}

#[tokio::test]
async fn a_write_dropped_in_mid_transaction_leaves_nothing_and_frees_its_connection() {
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = open_with_one_connection(&db).await;
    let (tell, mut begun) = tokio::sync::mpsc::unbounded_channel();
    let writer = store.clone();
    let running = tokio::spawn(async move {
        writer
            .write(async move |tx: &mut Tx| {
                pay(tx, 1).await?;
                tell.send(())?;
                futures::future::pending::<Result<()>>().await
            })
            .await
    });
    begun.recv().await.unwrap();
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    assert_eq!(paid(&store).await, [0_i64; 0]);
    write(&store, 1, Manner::Good).await.unwrap().unwrap();
    assert_eq!(paid(&store).await, [1]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_deadlock_is_run_again() {
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = db.open().await;
    let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
    let crossing = |first: i64, second: i64| {
        let (store, both, runs) = (store.clone(), Arc::clone(&both), Arc::clone(&runs));
        let met = AtomicU32::new(0);
        async move {
            store
                .write(async move |tx: &mut Tx| {
                    runs.fetch_add(1, Ordering::SeqCst);
                    tx.lock(BALANCE, args![first], |row| row.i64(0)).await?;
                    if met.fetch_add(1, Ordering::SeqCst) == 0 {
                        both.wait().await; // each holds its first row: the second one is a deadlock
                    }
                    tx.lock(BALANCE, args![second], |row| row.i64(0)).await?;
                    tx.execute_many(&[(ADD, args![first]), (ADD, args![second])]).await
                })
                .await
        }
    };
    let (one, other) = futures::join!(crossing(1, 2), crossing(2, 1));
    assert_eq!((one.unwrap(), other.unwrap()), (vec![1, 1], vec![1, 1]));
    assert!(runs.load(Ordering::SeqCst) >= 3, "nobody was run again, so there was no deadlock");
    for merchant_id in [1, 2] {
        let read = async move |tx: &mut Tx| tx.fetch_one(BALANCE, args![merchant_id], |row| row.i64(0)).await;
        assert_eq!(store.read(read).await.unwrap(), 2);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_write_that_never_gets_through_is_run_five_times() {
    const CLASH: Sql = Sql("DO $$ BEGIN RAISE EXCEPTION 'clash' USING ERRCODE = '40001'; END $$");
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = db.open().await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let error = store
        .write(async move |tx: &mut Tx| {
            counted.fetch_add(1, Ordering::SeqCst);
            pay(tx, 1).await?;
            tx.execute(CLASH, args![]).await
        })
        .await
        .unwrap_err();
    assert!(format!("{error:#}").contains("clash"), "{error:#}");
    assert_eq!(runs.load(Ordering::SeqCst), 5);
    assert_eq!(paid(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_in_commit_is_an_unknown_outcome() {
    const AT_COMMIT: Sql = Sql("INSERT INTO hang_up (id) VALUES (1)");
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = open_with_one_connection(&db).await;
    let error = store.write(async move |tx: &mut Tx| tx.execute(AT_COMMIT, args![]).await).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(StoreError::CommitUnknown(_))), "{error:?}");
    write(&store, 1, Manner::Good).await.unwrap().unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_connection_lost_before_commit_leaves_nothing_and_is_replaced() {
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = open_with_one_connection(&db).await;
    let runs = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&runs);
    let told = Arc::new(AtomicU32::new(0));
    let note = Arc::clone(&told);
    let again = store.write(async move |tx: &mut Tx| {
        let note = Arc::clone(&note);
        tx.after_commit(move || {
            note.fetch_add(1, Ordering::SeqCst);
        });
        pay(tx, 1).await?;
        if counted.fetch_add(1, Ordering::SeqCst) == 0 {
            tx.fetch_one(HANG_UP, args![], |row| row.bool(0)).await?;
        }
        pay(tx, 2).await
    });
    again.await.unwrap();
    assert_eq!(told.load(Ordering::SeqCst), 1, "what comes after the commit comes once");
    assert_eq!(
        (runs.load(Ordering::SeqCst), paid(&store).await),
        (2, vec![1, 2]),
        "run again on another one"
    );

    let hang_up = async move |tx: &mut Tx| tx.fetch_one(HANG_UP, args![], |row| row.bool(0)).await;
    for error in [store.write(hang_up).await.unwrap_err(), store.read(hang_up).await.unwrap_err()] {
        assert!(matches!(error.downcast_ref(), Some(StoreError::Unavailable(_))), "{error:?}");
    }
    write(&store, 3, Manner::Good).await.unwrap().unwrap();
    assert_eq!(paid(&store).await, [1, 2, 3]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_lock_makes_the_next_writer_see_what_the_first_left() {
    const SET: Sql = Sql("UPDATE balance SET amount_minor = $2 WHERE merchant_id = $1");
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = db.open().await;
    let add_one = || {
        store.write(async move |tx: &mut Tx| {
            let Some(before) = tx.lock(BALANCE, args![1], |row| row.i64(0)).await? else {
                anyhow::bail!("no balance")
            };
            ensure!(tx.execute(SET, args![1, before + 1]).await? == 1);
            Ok(before)
        })
    };
    let mut seen = futures::future::try_join_all((0..40).map(|_| add_one())).await.unwrap();
    seen.sort_unstable();
    assert_eq!(seen, (0..40).collect::<Vec<i64>>());
    store.close().await.unwrap();
}

#[tokio::test]
async fn settings_that_safety_rests_on_hold_in_every_session() {
    const SETTING: Sql = Sql("SELECT current_setting($1)");
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = db.open().await;
    for (name, wanted) in [
        ("transaction_isolation", "read committed"),
        ("lock_timeout", "10s"),
        ("statement_timeout", "30s"),
        ("idle_in_transaction_session_timeout", "30s"),
        ("synchronous_commit", "on"),
    ] {
        let name = name.to_owned();
        let found = store
            .write(async move |tx: &mut Tx| tx.fetch_one(SETTING, args![&name], |row| row.text(0)).await);
        assert_eq!(found.await.unwrap(), wanted);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn what_would_need_tls_is_refused_before_anything_is_sent() {
    for (url, word) in [
        ("postgres://u:s3cret@127.0.0.1:1/d?sslmode=require", "leave out sslmode=require"),
        ("postgres://u:s3cret@192.0.2.1/d", "add sslmode=disable"),
        ("postgres://u:s3cret@db.example/d?sslmode=sometimes", "cannot be read"),
    ] {
        let config = StoreConfig::new(DatabaseUrl::Postgres(url.into()), Role::Server, 0);
        let error = format!("{:#}", Store::open(&config).await.err().expect("it was opened"));
        assert!(error.contains(word) && !error.contains("s3cret"), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named() {
    let config =
        StoreConfig::new(DatabaseUrl::Postgres("postgres://u@127.0.0.1:1/d".into()), Role::Server, 0);
    let error = Store::open(&config).await.err().expect("nothing listens there");
    assert!(matches!(error.downcast_ref(), Some(StoreError::Unavailable(_))), "{error:?}");
    assert!(format!("{error:#}").contains("127.0.0.1"), "{error:#}");
}
