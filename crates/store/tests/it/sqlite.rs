//! What only SQLite has: a file with one server, a batch with a time budget, a disk that fills up.

use crate::harness::*;
use futures::FutureExt as _;
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use store::args;
use store::db::{DatabaseUrl, Engine, Role, Row, Sql, Store, StoreConfig, StoreError, Tx};
use store::testing::TestDatabase;

fn path_of(db: &TestDatabase) -> PathBuf {
    match db.url() {
        DatabaseUrl::Sqlite(path) => path,
        DatabaseUrl::Postgres(_) => panic!("not a file"),
    }
}

#[tokio::test]
async fn a_second_server_is_refused_and_told_who_is_first() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let first = Store::open(&StoreConfig { started_at: 1_700_000_000_000_000, ..db.config() }).await.unwrap();
    let error = Store::open(&db.config()).await.err().expect("two servers on one file");
    let Some(StoreError::SecondServer(holder)) = error.downcast_ref() else { panic!("{error:?}") };
    assert_eq!(**holder, *format!("process {}, started 2023-11-14T22:13:20Z", std::process::id()));

    let link = path_of(&db).with_file_name("another name.db");
    std::os::unix::fs::symlink(path_of(&db), &link).unwrap();
    let by_link = StoreConfig { url: DatabaseUrl::Sqlite(link), ..db.config() };
    assert!(Store::open(&by_link).await.is_err(), "a symbolic link is the same file");

    let command = Store::open(&StoreConfig { role: Role::Command, ..db.config() }).await.unwrap();
    write(&command, 1, Manner::Good).await.unwrap().unwrap();
    write(&first, 2, Manner::Good).await.unwrap().unwrap();
    assert_eq!(paid(&command).await, [1, 2]);
    command.close().await.unwrap();
    first.close().await.unwrap();
    let next = db.open().await;
    assert_eq!((next.engine(), paid(&next).await.len()), (Engine::Sqlite, 2));
    next.close().await.unwrap();
}

#[tokio::test]
async fn settings_that_safety_rests_on_hold() {
    const SYNC: Sql = Sql("SELECT synchronous FROM pragma_synchronous");
    const KEYS: Sql = Sql("SELECT foreign_keys FROM pragma_foreign_keys");
    const MODE: Sql = Sql("SELECT journal_mode FROM pragma_journal_mode");
    const ORPHAN: Sql = Sql("INSERT INTO entry (payment_id, amount_minor) VALUES (5, 5)");
    const QUOTED: Sql = Sql("SELECT \"no such column\" FROM payment");
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = db.open().await;
    let settings = store
        .write(async move |tx: &mut Tx| {
            let sync = tx.fetch_one(SYNC, args![], |row| row.i64(0)).await?;
            let keys = tx.fetch_one(KEYS, args![], |row| row.i64(0)).await?;
            Ok((sync, keys, tx.fetch_one(MODE, args![], |row| row.text(0)).await?))
        })
        .await
        .unwrap();
    assert_eq!(settings, (2, 1, "wal".to_owned()));
    store.write(async move |tx: &mut Tx| tx.execute(ORPHAN, args![]).await).await.unwrap_err();
    let quoted = async move |tx: &mut Tx| tx.fetch_all(QUOTED, args![], |row| row.text(0)).await;
    store.read(quoted).await.unwrap_err();
    store.write(quoted).await.unwrap_err();
    store.close().await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_database_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("data/paydown");
    let path = folder.join("paydown.db");
    let config = StoreConfig::new(DatabaseUrl::Sqlite(path.clone()), Role::Server, 0);
    let store = Store::open(&config).await.unwrap();
    store.write(async move |tx: &mut Tx| tx.execute(Sql("CREATE TABLE t (x)"), args![]).await).await.unwrap();
    let mode = |path: PathBuf| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(outside.path().join("data")), mode(folder.clone())), (0o700, 0o700));
    for name in ["paydown.db", "paydown.db-wal", "paydown.db-shm", "paydown.db.lock"] {
        assert_eq!(mode(folder.join(name)), 0o600, "{name}");
    }
    store.close().await.unwrap();
    assert!(!folder.join("paydown.db-wal").exists(), "closing leaves one whole file");
}

#[tokio::test]
async fn a_requester_who_left_before_its_turn_is_skipped() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = open_frozen(&db).await;
    let gate = Gate::shut(&store).await;
    let mut left = write(&store, 1, Manner::Good);
    let mut stays = write(&store, 2, Manner::Good);
    assert!((&mut left).now_or_never().is_none());
    assert!((&mut stays).now_or_never().is_none());
    drop(left);
    gate.open().await;
    stays.await.unwrap().unwrap();
    assert_eq!(paid(&store).await, [2]);
    store.close().await.unwrap();
}

/// Milliseconds that the clock of the next test has been moved by.
static MOVED: AtomicU64 = AtomicU64::new(0);

fn movable() -> Instant {
    frozen() + Duration::from_millis(MOVED.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_long_job_ends_its_batch() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = Store::open(&StoreConfig { monotonic: movable, ..db.config() }).await.unwrap();
    let gate = Gate::shut(&store).await;
    let short = write(&store, 1, Manner::Good);
    let worker = store.clone();
    let long = async move {
        let work = async move |tx: &mut Tx| {
            pay(tx, 2).await?;
            MOVED.fetch_add(20, Ordering::SeqCst); // as if its statements had taken the whole budget
            Ok(2)
        };
        std::panic::AssertUnwindSafe(worker.write(work)).catch_unwind().await
    };
    let fails = write(&store, 3, Manner::FailsAtCommit);
    let mut writes = vec![short, long.boxed(), fails];
    for write in &mut writes {
        assert!(write.now_or_never().is_none());
    }
    gate.open().await;
    let mut ends = futures::future::join_all(writes).await;
    assert!(matches!(refusal(ends.remove(2)), StoreError::RolledBack(_)));
    for end in ends {
        end.unwrap().expect("its batch was committed before the one that fails began");
    }
    assert_eq!(paid(&store).await, [1, 2]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_batch_has_room_for_256() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = open_frozen(&db).await;
    // The gate is the first of the batch, so the failing one is the 256th or the first of the next.
    for (before, kept) in [(254, 0), (255, 255)] {
        let gate = Gate::shut(&store).await;
        let mut writes: Vec<_> = (0..before).map(|id| write(&store, id, Manner::Good)).collect();
        writes.push(write(&store, 999, Manner::FailsAtCommit));
        for write in &mut writes {
            assert!(write.now_or_never().is_none());
        }
        assert_eq!(gate.open_to_its_end().await.is_ok(), kept > 0, "it is in the first batch");
        let ends = futures::future::join_all(writes).await;
        assert_eq!(ends.into_iter().filter(|end| matches!(end, Ok(Ok(_)))).count(), kept);
        assert_eq!(paid(&store).await.len(), kept);
    }
    store.close().await.unwrap();
}

#[tokio::test]
async fn another_process_that_holds_the_file_makes_everyone_wait_once() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = open_frozen(&db).await;
    let other = Connection::open(path_of(&db)).unwrap();
    let gate = Gate::shut(&store).await;
    let mut writes: Vec<_> = (0..3).map(|id| write(&store, id, Manner::Good)).collect();
    for write in &mut writes {
        assert!(write.now_or_never().is_none());
    }
    gate.open().await;
    futures::future::join_all(writes.drain(..)).await;
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    // All three are queued while the first waits out the busy time-out; one time-out answers them all.
    let ends = futures::future::join_all((10..13).map(|id| write(&store, id, Manner::Good))).await;
    for end in ends {
        assert_eq!(refusal(end), StoreError::Busy);
    }
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(paid(&store).await, [0, 1, 2]);
    write(&store, 20, Manner::Good).await.unwrap().unwrap();
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_makes_the_store_read_only() {
    const LIMIT: Sql = Sql("PRAGMA max_page_count = 60");
    const FILL: Sql = Sql("INSERT INTO kinds (id, bytes) VALUES ($1, zeroblob(1000000))");
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = db.open().await;
    write(&store, 1, Manner::Good).await.unwrap().unwrap();
    let limit =
        store.write(async move |tx: &mut Tx| tx.fetch_one(LIMIT, args![], |row| row.i64(0)).await).await;
    assert_eq!(limit.unwrap(), 60);
    let error =
        store.write(async move |tx: &mut Tx| tx.execute(FILL, args![&[1_u8; 16]]).await).await.unwrap_err();
    assert!(format!("{error:#}").contains("full"), "{error:#}");
    let StoreError::ReadOnly(reason) = refusal(write(&store, 2, Manner::Good).await) else {
        panic!("it wrote")
    };
    assert!(reason.contains("full"), "{reason}");
    assert_eq!(store.read_only_because().as_deref(), Some(&*reason));
    assert_eq!(paid(&store).await, [1], "reading goes on");
    store.close().await.unwrap();
    let mended = db.open().await;
    write(&mended, 2, Manner::Good).await.unwrap().unwrap();
    mended.close().await.unwrap();
}

/// What `a_commit_that_fails_on_disk_is_an_unknown_outcome` runs in a process whose files may not grow.
#[cfg(unix)]
#[tokio::test]
#[ignore = "part of another test, which starts it in a process of its own"]
async fn with_files_that_cannot_grow() {
    const BIG: Sql = Sql("INSERT INTO kinds (id, bytes) VALUES ($1, zeroblob(900000))");
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = db.open().await;
    write(&store, 1, Manner::Good).await.unwrap().unwrap();
    // It fits the page cache, so no statement fails: the WAL is written at COMMIT.
    let big = |id: u8| store.write(async move |tx: &mut Tx| tx.execute(BIG, args![&[id; 16]]).await);
    let error = big(1).await.unwrap_err();
    assert!(matches!(error.downcast_ref(), Some(StoreError::CommitUnknown(_))), "{error:?}");
    write(&store, 2, Manner::Good).await.unwrap().expect("a new connection took over");
    for id in [2, 3] {
        let error = big(id).await.unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(StoreError::CommitUnknown(_))), "{error:?}");
    }
    assert!(
        matches!(refusal(write(&store, 3, Manner::Good).await), StoreError::ReadOnly(_)),
        "twice in a row"
    );
    assert_eq!(paid(&store).await, [1, 2]);
}

#[cfg(unix)]
#[test]
fn a_commit_that_fails_on_disk_is_an_unknown_outcome() {
    let this = std::env::current_exe().unwrap();
    // 512 KiB a file; the signal is ignored, so that writing further is an error instead.
    let ran = std::process::Command::new("sh")
        .args([
            "-c",
            "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact sqlite::with_files_that_cannot_grow --ignored",
        ])
        .arg(this)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(
        ran.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

#[tokio::test]
async fn a_server_knows_roughly_what_is_in_its_tables() {
    const FILL: Sql = Sql("INSERT INTO kinds (id, word, number) VALUES ($1, 'a word', $2)");
    const COUNTED: Sql = Sql("SELECT count(*) FROM sqlite_stat1 WHERE tbl = 'kinds'");
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = db.open().await;
    let filled = store.write(async |tx: &mut Tx| {
        for id in 0_i64..500 {
            tx.write_one(FILL, args![&id.to_be_bytes(), id]).await?;
        }
        Ok(())
    });
    filled.await.unwrap();
    store.close().await.unwrap();
    let store = db.open().await;
    let counted = async |tx: &mut Tx| tx.fetch_one(COUNTED, args![], |row: &Row<'_>| row.i64(0)).await;
    assert!(store.read(counted).await.unwrap() > 0);
    store.close().await.unwrap();
}
