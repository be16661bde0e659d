//! The promises of the seam: what is answered is durable, what is not leaves nothing, and neighbours in a batch
//! do not feel each other.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failed unwrap is a failed test")]

use crate::harness::*;
use anyhow::Result;
use futures::FutureExt as _;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::db::{Engine, Row, Sql, Store, StoreConfig, StoreError, Tx, Val};
use store::testing::TestDatabase;
use store::{args, both_engines};

/// Eight writes at once, of which number 3 behaves differently; answers its end after checking the others.
async fn eight_with_an_odd_one(db: &TestDatabase, manner: Manner) -> End {
    let store = open_frozen(db).await;
    let writes = (0..8).map(|id| write(&store, id, if id == 3 { manner } else { Manner::Good })).collect();
    let mut ends = together(&store, writes).await;
    let odd = ends.remove(3);
    let oks: Vec<i64> = ends.into_iter().map(|end| end.unwrap().unwrap()).collect();
    assert_eq!(oks, [0, 1, 2, 4, 5, 6, 7]);
    assert_eq!(paid(&store).await, oks);
    assert_eq!(write(&store, 9, Manner::Good).await.unwrap().unwrap(), 9, "the next write works");
    store.close().await.unwrap();
    odd
}

both_engines!(a_refusal_leaves_its_neighbours_alone, SCHEMA, async |db: TestDatabase| {
    let odd = eight_with_an_odd_one(&db, Manner::Refuses).await;
    assert_eq!(odd.unwrap().unwrap_err().to_string(), "refused");
});

both_engines!(
    a_panic_goes_on_in_its_caller_and_leaves_its_neighbours_alone,
    SCHEMA,
    async |db: TestDatabase| {
        let odd = eight_with_an_odd_one(&db, Manner::Panics).await;
        assert_eq!(odd.unwrap_err().downcast_ref::<&str>(), Some(&"a panic that the test wants"));
    }
);

both_engines!(an_ignored_failure_cannot_be_ok, SCHEMA, async |db: TestDatabase| {
    let odd = eight_with_an_odd_one(&db, Manner::Ignores).await;
    assert_eq!(refusal(odd), StoreError::FailedStatementIgnored);
});

#[tokio::test]
async fn awaiting_something_else_is_rolled_back_and_reported() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let odd = eight_with_an_odd_one(&db, Manner::Awaits).await;
    assert_eq!(refusal(odd), StoreError::AwaitedSomethingElse);
}

#[tokio::test]
async fn a_failed_commit_fails_everyone_in_it_and_nobody_else() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = open_frozen(&db).await;
    let manner = |id| if id == 3 { Manner::FailsAtCommit } else { Manner::Good };
    let writes = (0..8).map(|id| write(&store, id, manner(id))).collect();
    for end in together(&store, writes).await {
        assert!(matches!(refusal(end), StoreError::RolledBack(_)));
    }
    assert_eq!(paid(&store).await, [0_i64; 0]);
    assert_eq!(write(&store, 9, Manner::Good).await.unwrap().unwrap(), 9);
    assert_eq!(paid(&store).await, [9]);
    assert_eq!(store.read_only_because(), None);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_commit_that_postgres_refuses_is_rolled_back() {
    let db = TestDatabase::postgres_with(SCHEMA).await;
    let store = db.open().await;
    assert!(matches!(refusal(write(&store, 1, Manner::FailsAtCommit).await), StoreError::RolledBack(_)));
    assert_eq!(write(&store, 2, Manner::Good).await.unwrap().unwrap(), 2);
    assert_eq!(paid(&store).await, [2]);
    store.close().await.unwrap();
}

#[tokio::test]
async fn a_statement_that_rolls_back_the_batch_is_never_answered_ok() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = open_frozen(&db).await;
    let manner = |id| if id == 3 { Manner::Poisons } else { Manner::Good };
    let writes = (0..8).map(|id| write(&store, id, manner(id))).collect();
    let mut oks = Vec::new();
    for (id, end) in together(&store, writes).await.into_iter().enumerate() {
        match end.unwrap() {
            Ok(id) => oks.push(id),
            Err(error) if id == 3 => drop(error),
            Err(error) => {
                let error = error.downcast_ref::<StoreError>();
                assert!(matches!(error, Some(StoreError::RolledBack(_))), "{error:?}");
            }
        }
    }
    assert_eq!(paid(&store).await, oks);
    assert_eq!(oks, [4, 5, 6, 7], "those before it went with it; those after it are a batch of their own");
    store.close().await.unwrap();
}

both_engines!(aborted_requesters_tear_nothing, SCHEMA, async |db: TestDatabase| {
    const TASKS: i64 = 64;
    const EACH: i64 = 25;
    let store = db.open().await;
    let done = Arc::new(AtomicI64::new(0));
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            let answered = Arc::new(std::sync::Mutex::new(Vec::new()));
            let noted = Arc::clone(&answered);
            let running = tokio::spawn(async move {
                for id in task * EACH..(task + 1) * EACH {
                    loop {
                        let end = store.write(async move |tx: &mut Tx| pay(tx, id).await).await;
                        match end {
                            Ok(()) => break,
                            Err(error) if error.downcast_ref() == Some(&StoreError::Busy) => {
                                tokio::task::yield_now().await
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                    noted.lock().unwrap().push(id);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
            (running, answered)
        })
        .collect();
    // Every second task is aborted when as many payments are done as a fixed walk says.
    let mut at = 0;
    for (task, (running, _)) in tasks.iter().enumerate().filter(|(task, _)| task % 2 == 1) {
        at += (i64::try_from(task).unwrap() * 7919) % 23;
        while done.load(Ordering::Relaxed) < at.min(TASKS * EACH / 2) {
            tokio::task::yield_now().await;
        }
        running.abort();
    }
    let mut answered = BTreeSet::new();
    for (task, (running, ids)) in tasks.into_iter().enumerate() {
        let ended = running.await;
        assert!(ended.is_ok() || (task % 2 == 1 && ended.unwrap_err().is_cancelled()), "task {task}");
        answered.extend(ids.lock().unwrap().iter().copied());
    }
    // A write of an aborted requester may still be queued; one more write comes after it on SQLite.
    store.write(async move |tx: &mut Tx| pay(tx, 1_000_000).await).await.unwrap();
    let there: BTreeSet<i64> = paid(&store).await.into_iter().collect();
    assert!(answered.is_subset(&there), "answered but missing: {:?}", answered.difference(&there));
    assert!(answered.len() >= usize::try_from(TASKS * EACH / 2).unwrap(), "{}", answered.len());
    const TORN: Sql = Sql("SELECT (SELECT count(*) FROM payment), (SELECT count(*) FROM entry), \
         (SELECT CAST(SUM(amount_minor) AS BIGINT) FROM payment), \
         (SELECT amount_minor FROM balance WHERE merchant_id = 1)");
    let (payments, entries, sum, balance) = store
        .report(async move |tx: &mut Tx| {
            tx.fetch_one(TORN, args![], |row| Ok((row.i64(0)?, row.i64(1)?, row.i64(2)?, row.i64(3)?))).await
        })
        .await
        .unwrap();
    assert_eq!((payments, payments * 5), (entries, sum));
    assert_eq!(sum, balance);
    store.close().await.unwrap();
});

both_engines!(what_comes_after_the_commit_comes_once_and_only_then, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let told = Arc::new(AtomicI64::new(0));
    for (fails, so_far) in [(false, 1), (true, 1), (false, 2)] {
        let note = Arc::clone(&told);
        let out = store
            .write(async move |tx: &mut Tx| {
                let note = Arc::clone(&note);
                tx.after_commit(move || {
                    note.fetch_add(1, Ordering::SeqCst);
                });
                if fails { Err(anyhow::anyhow!("refused")) } else { Ok(()) }
            })
            .await;
        assert_eq!((out.is_err(), told.load(Ordering::SeqCst)), (fails, so_far));
    }
    store.close().await.unwrap();
});

both_engines!(a_full_queue_says_busy_and_keeps_what_it_took, SCHEMA, async |db: TestDatabase| {
    let store = Store::open(&StoreConfig { queue: 10, pool_size: 1, ..db.config() }).await.unwrap();
    let gate = Gate::shut(&store).await;
    let (mut waiting, mut busy) = (Vec::new(), 0);
    for id in 0..50 {
        let mut one = write(&store, id, Manner::Good);
        match (&mut one).now_or_never() {
            None => waiting.push(one),
            Some(end) => {
                assert_eq!(refusal(end), StoreError::Busy);
                busy += 1;
            }
        }
    }
    // On PostgreSQL the write that has begun holds one of the ten places.
    let places = if store.engine() == Engine::Sqlite { 10 } else { 9 };
    assert_eq!((waiting.len(), busy), (places, 50 - places));
    gate.open().await;
    for end in futures::future::join_all(waiting).await {
        end.unwrap().unwrap();
    }
    assert_eq!(paid(&store).await.len(), places);
    store.close().await.unwrap();
});

both_engines!(a_read_sees_only_what_is_committed, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let gate = Gate::shut_after(&store, Some(7)).await;
    assert_eq!(paid(&store).await, [0_i64; 0], "its row is written, but not committed");
    gate.open().await;
    assert_eq!(paid(&store).await, [7]);
    store.close().await.unwrap();
});

both_engines!(a_read_keeps_one_snapshot, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let (reader, latch) = (store.clone(), Latch::new(&store));
    let inside = latch.clone();
    let reading = tokio::spawn(async move {
        reader
            .report(async move |tx: &mut Tx| {
                let before = count(tx).await?;
                inside.hold().await;
                Ok((before, count(tx).await?))
            })
            .await
    });
    latch.held().await;
    store.write(async move |tx: &mut Tx| pay(tx, 1).await).await.unwrap();
    latch.release();
    assert_eq!(reading.await.unwrap().unwrap(), (0, 0));
    assert_eq!(paid(&store).await, [1]);
    store.close().await.unwrap();
});

both_engines!(a_read_can_neither_write_nor_lock, SCHEMA, async |db: TestDatabase| {
    const BALANCE: Sql = Sql("SELECT amount_minor FROM balance WHERE merchant_id = $1");
    let store = db.open().await;
    store.read(async move |tx: &mut Tx| pay(tx, 1).await).await.unwrap_err();
    store.report(async move |tx: &mut Tx| pay(tx, 1).await).await.unwrap_err();
    let locking = async move |tx: &mut Tx| tx.lock(BALANCE, args![1], |row| row.i64(0)).await;
    let error = store.read(locking).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::LockOutsideWrite));
    assert_eq!(store.write(locking).await.unwrap(), Some(0));
    let ignoring = async move |tx: &mut Tx| {
        drop(pay(tx, 1).await);
        Ok(())
    };
    let error = store.read(ignoring).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::FailedStatementIgnored));
    assert_eq!(paid(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
});

#[tokio::test]
async fn a_read_that_awaits_something_else_is_reported_too() {
    let db = TestDatabase::sqlite_with(SCHEMA).await;
    let store = db.open().await;
    let wait = async move |tx: &mut Tx| {
        count(tx).await?;
        futures::future::pending::<Result<()>>().await
    };
    for error in [store.read(wait).await.unwrap_err(), store.report(wait).await.unwrap_err()] {
        assert_eq!(error.downcast_ref(), Some(&StoreError::AwaitedSomethingElse));
    }
    store.close().await.unwrap();
}

both_engines!(a_panic_in_a_report_goes_on_in_its_caller, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let reader = store.clone();
    let reading = tokio::spawn(async move {
        reader
            .report(async move |tx: &mut Tx| -> Result<()> { panic!("{} payments", count(tx).await?) })
            .await
    });
    let panic = reading.await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("0 payments"));
    assert_eq!(paid(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
});

both_engines!(after_a_failed_statement_every_other_is_refused, SCHEMA, async |db: TestDatabase| {
    const BROKEN: Sql = Sql("INSERT INTO payment (id, merchant_id, amount_minor) VALUES (1, 1, 0)");
    let store = db.open().await;
    let error = store
        .write(async move |tx: &mut Tx| {
            drop(tx.execute(BROKEN, args![]).await);
            pay(tx, 2).await
        })
        .await
        .unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::FailedStatementIgnored));
    store.close().await.unwrap();
});

both_engines!(one_row_means_one_row, SCHEMA, async |db: TestDatabase| {
    const ALL: Sql = Sql("SELECT amount_minor FROM balance WHERE merchant_id >= $1");
    let store = db.open().await;
    let first = |row: &Row<'_>| row.i64(0);
    let from = async |merchant_id: i64| {
        store.read(async move |tx: &mut Tx| tx.fetch_optional(ALL, args![merchant_id], first).await).await
    };
    assert_eq!(from(1).await.unwrap_err().downcast_ref(), Some(&StoreError::SecondRow));
    assert_eq!(from(2).await.unwrap(), Some(0));
    assert_eq!(from(3).await.unwrap(), None);
    let error =
        store.read(async move |tx: &mut Tx| tx.fetch_one(ALL, args![3], first).await).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::NoRow));
    let ignored = async move |tx: &mut Tx| {
        drop(tx.fetch_one(ALL, args![3], |row| row.i64(0)).await);
        Ok(())
    };
    let error = store.read(ignored).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::FailedStatementIgnored));
    store.close().await.unwrap();
});

type Kinds = ([u8; 16], Option<String>, Option<Vec<u8>>, Option<i64>, bool);

both_engines!(values_come_back_as_they_went, SCHEMA, async |db: TestDatabase| {
    // The parameters are out of order and one comes twice: numbers count, not places.
    const PUT: Sql = Sql("INSERT INTO kinds (number, bytes, word, id) VALUES ($4, $3, $2, $1)");
    const GET: Sql = Sql(
        "SELECT id, word, bytes, number, number = $2 FROM kinds WHERE number = $2 AND id = $1 AND number = $2",
    );
    let store = db.open().await;
    let full = store
        .write(async move |tx: &mut Tx| {
            let (id, word, bytes) = ([7_u8; 16], "Grüße, 世界 ' \"".to_owned(), vec![0_u8, 255, 1]);
            tx.execute(PUT, args![&id, &word, &bytes, i64::MIN]).await?;
            tx.fetch_one(GET, args![&id, i64::MIN], |row| -> Result<Kinds> {
                Ok((row.bytes16(0)?, row.opt_text(1)?, row.opt_blob(2)?, row.opt_i64(3)?, row.bool(4)?))
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(full, ([7; 16], Some("Grüße, 世界 ' \"".into()), Some(vec![0, 255, 1]), Some(i64::MIN), true));
    const EMPTY: Sql = Sql("SELECT id, word, bytes, number FROM kinds WHERE number IS NULL");
    let empty = store
        .write(async move |tx: &mut Tx| {
            let nothing = (None::<&str>, None::<&[u8]>, None::<i64>);
            tx.execute(PUT, args![&[1; 16], nothing.0, nothing.1, nothing.2]).await?;
            tx.fetch_one(EMPTY, args![], |row| {
                assert!(
                    row.text(1).is_err()
                        && row.blob(2).is_err()
                        && row.i64(3).is_err()
                        && row.bool(3).is_err()
                );
                assert!(row.bytes32(0).is_err() && row.text(0).is_err() && row.i64(9).is_err());
                Ok((row.opt_bytes16(0)?, row.opt_text(1)?, row.opt_bytes32(2)?, row.opt_i64(3)?))
            })
            .await
        })
        .await
        .unwrap();
    assert_eq!(empty, (Some([1; 16]), None, None, None));
    store.close().await.unwrap();
});

both_engines!(arguments_must_fit, SCHEMA, async |db: TestDatabase| {
    const PUT: Sql = Sql("INSERT INTO kinds (id, word) VALUES ($1, $2)");
    let store = db.open().await;
    for wrong in [1, 3] {
        let error = store
            .write(async move |tx: &mut Tx| {
                let three = [Val::Blob(&[1; 16]), Val::Null, Val::Null];
                tx.execute(PUT, &three[..wrong]).await
            })
            .await
            .unwrap_err();
        assert!(format!("{error:#}").contains(&format!("2 parameters, but {wrong} arguments")), "{error:#}");
    }
    // Text for bytes: SQLite's STRICT tables and PostgreSQL's types both refuse it.
    store.write(async move |tx: &mut Tx| tx.execute(PUT, args!["text", "word"]).await).await.unwrap_err();
    store
        .write(async move |tx: &mut Tx| tx.execute(PUT, args![&[1_u8; 16], &[2_u8; 16]]).await)
        .await
        .unwrap_err();
    store.close().await.unwrap();
});

both_engines!(a_list_of_statements_answers_in_order, SCHEMA, async |db: TestDatabase| {
    const ADD: Sql = Sql("UPDATE balance SET amount_minor = amount_minor + $1 WHERE merchant_id <= $2");
    const PAY: Sql = Sql("INSERT INTO payment (id, merchant_id, amount_minor) VALUES ($1, 1, $2)");
    let store = db.open().await;
    let counts = store
        .write(async move |tx: &mut Tx| {
            let many: Vec<[Val<'_>; 2]> = (0..40).map(|id| [Val::Int(id), Val::Int(1)]).collect();
            let inserts: Vec<(Sql, &[Val<'_>])> = many.iter().map(|args| (PAY, args.as_slice())).collect();
            anyhow::ensure!(tx.execute_many(&inserts).await? == [1; 40]);
            anyhow::ensure!(tx.execute_many(&[]).await?.is_empty());
            tx.execute_many(&[(ADD, args![1, 2]), (ADD, args![1, 0]), (ADD, args![1, 1])]).await
        })
        .await
        .unwrap();
    assert_eq!(counts, [2, 0, 1]);
    let error = store
        .write(async move |tx: &mut Tx| {
            tx.execute_many(&[(PAY, args![100, 1]), (PAY, args![101, 0]), (PAY, args![100, 1])]).await
        })
        .await
        .unwrap_err();
    assert!(
        format!("{error:#}").to_lowercase().contains("check"),
        "the first failure is the one told: {error:#}"
    );
    assert_eq!(paid(&store).await.len(), 40);
    store.close().await.unwrap();
});

both_engines!(closing_runs_what_is_queued_and_refuses_the_rest, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let gate = Gate::shut(&store).await;
    let mut queued = write(&store, 1, Manner::Good);
    assert!((&mut queued).now_or_never().is_none());
    let mut closing = store.close().boxed();
    assert!((&mut closing).now_or_never().is_none(), "the gate still holds a write");
    gate.open().await;
    let (end, closed) = futures::join!(queued, closing);
    end.unwrap().unwrap();
    closed.unwrap();
    assert_eq!(refusal(write(&store, 2, Manner::Good).await), StoreError::Closed);
    let error = store.read(async move |tx: &mut Tx| count(tx).await).await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&StoreError::Closed));
    store.close().await.unwrap();
    let again = db.open().await;
    assert_eq!(paid(&again).await, [1]);
    again.close().await.unwrap();
});

both_engines!(jobs_are_claimed_by_one_claimant_each, SCHEMA, async |db: TestDatabase| {
    const CLAIM: Sql = Sql("SELECT id FROM payment WHERE amount_minor = 5 ORDER BY id LIMIT 2");
    const TAKE: Sql = Sql("UPDATE payment SET amount_minor = 6 WHERE id = $1");
    let store = db.open().await;
    for id in 0..8 {
        store.write(async move |tx: &mut Tx| pay(tx, id).await).await.unwrap();
    }
    let claims = (0..4).map(|_| {
        store.write(async move |tx: &mut Tx| {
            let ids = tx.lock_skip(CLAIM, args![], |row| row.i64(0)).await?;
            for id in &ids {
                tx.execute(TAKE, args![*id]).await?;
            }
            Ok(ids)
        })
    });
    let mut claimed: Vec<i64> = futures::future::try_join_all(claims).await.unwrap().concat();
    claimed.sort_unstable();
    let distinct: BTreeSet<i64> = claimed.iter().copied().collect();
    assert_eq!(distinct.len(), claimed.len(), "a job was claimed twice: {claimed:?}");
    assert!(claimed.len() >= 2 && claimed.starts_with(&[0, 1]), "{claimed:?}");
    store.close().await.unwrap();
});

/// Actions run in tasks and handlers, so their futures must be `Send`. This fails to compile otherwise.
///
/// A closure captures the fields it names, and one whose type is a reference (`&'static str`) spoils it: hand the
/// whole input to a function, as actions do.
#[test]
fn futures_of_actions_can_move_between_threads() {
    struct Input {
        route: &'static str,
        memo: Option<String>,
        ids: Vec<[u8; 16]>,
    }
    async fn save(tx: &mut Tx, input: &Input) -> Result<u64> {
        pay(tx, i64::try_from(input.ids.len() + input.route.len())?).await?;
        tx.execute(Sql("UPDATE kinds SET word = $1"), args![input.memo.as_deref()]).await
    }
    async fn act(store: &Store, input: Input) -> Result<u64> {
        store.read(async move |tx: &mut Tx| count(tx).await).await?;
        store.report(async move |tx: &mut Tx| count(tx).await).await?;
        store.write(async move |tx: &mut Tx| save(tx, &input).await).await
    }
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let check = |store: &Store, input: Input| drop(is_send(act(store, input)));
    fn is_shared<T: Clone + Send + Sync + 'static>(_: fn(&T, Input)) {}
    is_shared::<Store>(check);
    assert_eq!(Input { route: "pay", memo: None, ids: Vec::new() }.route, "pay");
}

const ADD: Sql = Sql("INSERT INTO balance (merchant_id, amount_minor) VALUES ($1, 0)");
const CHANGE: Sql = Sql("UPDATE balance SET amount_minor = 1 WHERE merchant_id = $1");
const ADDED: Sql = Sql("SELECT merchant_id FROM balance WHERE merchant_id > 10 ORDER BY merchant_id");

async fn added(store: &Store) -> Vec<i64> {
    let ids = async |tx: &mut Tx| tx.fetch_all(ADDED, args![], |row: &Row<'_>| row.i64(0)).await;
    store.read(ids).await.unwrap()
}

both_engines!(writes_of_one_row_are_seen_by_what_follows, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let seen = store.write(async |tx: &mut Tx| {
        for id in [13_i64, 11, 12] {
            tx.write_one(ADD, args![id]).await?;
        }
        let seen = tx.fetch_all(ADDED, args![], |row: &Row<'_>| row.i64(0)).await?;
        tx.write_one(ADD, args![14_i64]).await?;
        Ok(seen)
    });
    assert_eq!(seen.await.unwrap(), [11, 12, 13]);
    assert_eq!(added(&store).await, [11, 12, 13, 14], "the last one went with the end of the transaction");
    store.close().await.unwrap();
});

both_engines!(a_write_of_one_row_that_changes_none_fails_the_whole, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let failed = store.write(async |tx: &mut Tx| {
        tx.write_one(ADD, args![11_i64]).await?;
        tx.write_one(CHANGE, args![77_i64]).await?;
        tx.write_one(ADD, args![12_i64]).await
    });
    let error = failed.await.unwrap_err();
    assert_eq!(error.downcast_ref::<StoreError>(), Some(&StoreError::NotOneRow), "{error:#}");
    assert_eq!(added(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
});

both_engines!(a_failed_write_of_one_row_cannot_be_overlooked, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let failed = store.write(async |tx: &mut Tx| {
        tx.write_one(ADD, args![11_i64]).await?;
        drop(tx.write_one(ADD, args![11_i64]).await);
        Ok(())
    });
    failed.await.unwrap_err();
    let caught = store.write(async |tx: &mut Tx| {
        drop(tx.write_one(CHANGE, args![77_i64]).await);
        drop(tx.execute(ADD, args![15_i64]).await);
        Ok(())
    });
    assert_eq!(caught.await.unwrap_err().downcast_ref(), Some(&StoreError::FailedStatementIgnored));
    assert_eq!(added(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
});

both_engines!(a_read_cannot_gather_writes_either, SCHEMA, async |db: TestDatabase| {
    let store = db.open().await;
    let refused = store.read(async |tx: &mut Tx| tx.write_one(ADD, args![11_i64]).await).await;
    refused.unwrap_err();
    assert_eq!(added(&store).await, [0_i64; 0]);
    store.close().await.unwrap();
});

both_engines!(gathered_writes_keep_their_order_however_many, SCHEMA, async |db: TestDatabase| {
    const PARENT: Sql = Sql("INSERT INTO payment (id, merchant_id, amount_minor) VALUES ($1, 1, 1)");
    const CHILD: Sql = Sql("INSERT INTO entry (payment_id, amount_minor) VALUES ($1, 1)");
    let store = db.open().await;
    let written = store.write(async |tx: &mut Tx| {
        for id in 1_000_i64..1_200 {
            tx.write_one(PARENT, args![id]).await?;
            tx.write_one(CHILD, args![id]).await?;
        }
        Ok(())
    });
    written.await.unwrap();
    store.close().await.unwrap();
});
