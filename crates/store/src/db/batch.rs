//! The one thread that writes to SQLite: adaptive group commit.
//!
//! Each write is a job in a bounded queue. The thread runs what has queued, each job in a savepoint of its own,
//! commits once, and only then answers all of them; while it flushes, the next batch queues. It must never
//! answer before the commit, also not a refusal: that may rest on a neighbour's write. Nothing that happens to a
//! requester can stop it, because no future of a requester is polled here but its own, once.

use super::sqlite::{Access, ServerLock, Spec, SqTx, verdict};
use super::{Kind, StoreConfig, StoreError, Tx, poll_once};
use anyhow::{Context as _, Result, anyhow};
use metrics::histogram;
use rusqlite::ErrorCode;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, oneshot};

/// Jobs in one commit at most.
const BATCH_JOBS: usize = 256;
/// Statements run for this long at most before a commit, so that one bulk job does not hold up payments.
const BATCH_TIME: Duration = Duration::from_millis(20);
/// The side thread rests this long between two checkpoints.
const CHECKPOINT_REST: Duration = Duration::from_millis(50);

/// The way to the writing thread.
pub(super) struct Writer {
    way: Way,
    read_only: Arc<OnceLock<Arc<str>>>,
    monotonic: fn() -> Instant,
}

/// What writes on the thread that asks, with the lock of the file.
#[cfg(feature = "testing")]
type OnCaller = (Batch, Option<ServerLock>);

/// Where jobs run.
enum Way {
    Thread {
        jobs: mpsc::Sender<Message>,
        thread: Mutex<Option<JoinHandle<Result<()>>>>,
    },
    /// On the thread that asks, one commit each; nothing once it is closed. For simulations.
    #[cfg(feature = "testing")]
    Caller(Mutex<Option<Box<OnCaller>>>),
}

enum Message {
    Job(Job),
    Close,
}

type Job = Box<dyn FnOnce(&mut Batch) + Send>;
/// How the batch ended, told to each of its jobs.
type Durable = Result<(), StoreError>;
type Answer = Box<dyn FnOnce(&Durable) + Send>;
type Panic = Box<dyn Any + Send>;

impl Writer {
    /// Opens the writing connection and starts the thread, which holds `lock` until it ends.
    pub(super) fn start(spec: Spec, lock: Option<ServerLock>, config: &StoreConfig) -> Result<Writer> {
        let read_only = Arc::new(OnceLock::new());
        let spec_of_thread = spec.clone();
        let batch = Batch {
            tx: Tx(Kind::Sqlite(SqTx::new(spec.writer()?, Access::Write))),
            answers: Vec::with_capacity(BATCH_JOBS),
            refusal: None,
            failed_commits: 0,
            read_only: Arc::clone(&read_only),
            spec,
        };
        let monotonic = config.monotonic;
        #[cfg(feature = "testing")]
        if config.on_callers_thread {
            let way = Way::Caller(Mutex::new(Some(Box::new((batch, lock)))));
            return Ok(Writer { way, read_only, monotonic });
        }
        let checkpointer = Checkpointer::start(&spec_of_thread)?;
        let (jobs, queue) = mpsc::channel(config.queue.max(1));
        let thread = thread::Builder::new()
            .name("writer".into())
            .spawn(move || write_until_closed(batch, queue, &checkpointer, lock, monotonic))?;
        let way = Way::Thread { jobs, thread: Mutex::new(Some(thread)) };
        Ok(Writer { way, read_only, monotonic })
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: AsyncFn(&mut Tx) -> Result<T> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let (monotonic, queued_at) = (self.monotonic, (self.monotonic)());
        let job: Job = Box::new(move |batch| {
            if tell.is_closed() {
                return; // the requester left before we began
            }
            let began_at = monotonic();
            histogram!("store_write_wait_seconds").record((began_at - queued_at).as_secs_f64());
            let out = batch.run(|tx| poll_once(work(tx)));
            histogram!("store_write_run_seconds").record((monotonic() - began_at).as_secs_f64());
            let kept = matches!(out, Ok(Ok(_)));
            let notices = if kept { batch.tx.sqlite().take_notices() } else { Vec::new() };
            batch.answers.push(Box::new(move |durable| {
                if durable.is_ok() {
                    notices.into_iter().for_each(|notice| notice());
                }
                drop(tell.send(durable.clone().map(|()| out))); // the requester may have left: it is done anyway
            }));
        });
        self.give(job)?;
        match told.await.map_err(|_| StoreError::CommitUnknown("the writing thread ended".into()))?? {
            Ok(out) => out,
            Err(panic) => resume_unwind(panic),
        }
    }

    fn give(&self, job: Job) -> Result<(), StoreError> {
        match &self.way {
            Way::Thread { jobs, .. } => jobs.try_send(Message::Job(job)).map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Busy,
                mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
            }),
            #[cfg(feature = "testing")]
            Way::Caller(batch) => {
                let mut batch = batch.lock().unwrap_or_else(PoisonError::into_inner);
                let (batch, _) = &mut **batch.as_mut().ok_or(StoreError::Closed)?;
                job(batch);
                batch.commit();
                Ok(())
            }
        }
    }

    pub(super) fn waiting(&self) -> usize {
        match &self.way {
            Way::Thread { jobs, .. } => jobs.max_capacity() - jobs.capacity(),
            #[cfg(feature = "testing")]
            Way::Caller(_) => 0,
        }
    }

    pub(super) fn read_only_because(&self) -> Option<&str> {
        self.read_only.get().map(|reason| &**reason)
    }

    #[cfg(feature = "testing")]
    pub(super) fn stop_writing(&self, reason: &str) {
        self.read_only.get_or_init(|| reason.into());
    }

    /// Runs what is queued, ends the thread and waits for it.
    pub(super) async fn close(&self) -> Result<()> {
        let (jobs, thread) = match &self.way {
            Way::Thread { jobs, thread } => (jobs, thread),
            #[cfg(feature = "testing")]
            Way::Caller(batch) => {
                drop(batch.lock().unwrap_or_else(PoisonError::into_inner).take());
                return Ok(());
            }
        };
        if jobs.send(Message::Close).await.is_err() {
            return Ok(()); // closed already
        }
        let thread = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return Ok(()) };
        let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
        ended.unwrap_or_else(|_| Err(anyhow!("the writing thread panicked")))
    }
}

fn write_until_closed(
    mut batch: Batch,
    mut queue: mpsc::Receiver<Message>,
    checkpointer: &Checkpointer,
    lock: Option<ServerLock>,
    monotonic: fn() -> Instant,
) -> Result<()> {
    while let Some(first) = queue.blocking_recv() {
        let began_at = monotonic();
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Job(job) => job(&mut batch),
                Message::Close => queue.close(), // what is queued still comes
            }
            let room = batch.answers.len() < BATCH_JOBS && monotonic() - began_at < BATCH_TIME;
            next = if room { queue.try_recv().ok() } else { None }; // what queued during the last flush
        }
        let flush_at = monotonic();
        batch.commit();
        histogram!("store_write_flush_seconds").record((monotonic() - flush_at).as_secs_f64());
        checkpointer.wake();
    }
    checkpointer.stop();
    let emptied = batch.tx.sqlite().checkpoint("TRUNCATE").context("the last checkpoint failed");
    drop(batch);
    drop(lock); // the next server may come: everything is on disk
    emptied
}

/// What has run since the last commit.
struct Batch {
    tx: Tx,
    answers: Vec<Answer>,
    /// BEGIN failed: the rest of this batch gets the same answer, rather than each waiting for the lock again.
    refusal: Option<StoreError>,
    failed_commits: u32,
    read_only: Arc<OnceLock<Arc<str>>>,
    spec: Spec,
}

impl Batch {
    /// Runs one job in a savepoint. The panic of a job is handed back, to go on where it was asked for.
    fn run<T>(&mut self, work: impl FnOnce(&mut Tx) -> Option<Result<T>>) -> Result<Result<T>, Panic> {
        if let Err(error) = self.enter() {
            return Ok(Err(error.into()));
        }
        let out = catch_unwind(AssertUnwindSafe(|| work(&mut self.tx)));
        let tx = self.tx.sqlite();
        let out = out.map(|out| verdict(out, tx.is_doomed()));
        let kept = matches!(out, Ok(Ok(_)));
        if tx.is_autocommit() {
            // A statement rolled back everything (disk full, I/O error): the neighbours' writes are gone too.
            let cause = StoreError::RolledBack("a statement ended the whole batch".into());
            self.answer(&Err(cause.clone()));
            return if kept { Ok(Err(cause.into())) } else { out };
        }
        let leave: &[_] = if kept { &["RELEASE job"] } else { &["ROLLBACK TO job", "RELEASE job"] };
        if let Err(error) = leave.iter().try_for_each(|sql| tx.control(sql)) {
            let cause = StoreError::RolledBack(error.to_string().into());
            self.roll_back();
            self.answer(&Err(cause.clone()));
            return if kept { Ok(Err(cause.into())) } else { out };
        }
        out
    }

    fn enter(&mut self) -> Result<(), StoreError> {
        if let Some(reason) = self.read_only.get() {
            return Err(StoreError::ReadOnly(Arc::clone(reason)));
        }
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        let tx = self.tx.sqlite();
        tx.start_job();
        let begun = if tx.is_autocommit() { tx.control("BEGIN IMMEDIATE") } else { Ok(()) };
        begun.and_then(|()| tx.control("SAVEPOINT job")).map_err(|error| {
            let refusal = match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy,
                _ => StoreError::RolledBack(error.to_string().into()),
            };
            self.refusal.insert(refusal).clone()
        })
    }

    /// Makes the batch durable and answers everyone in it.
    fn commit(&mut self) {
        histogram!("store_write_batch_jobs").record(u32::try_from(self.answers.len()).unwrap_or(u32::MAX));
        self.refusal = None;
        let tx = self.tx.sqlite();
        let durable = if tx.is_autocommit() {
            Ok(())
        } else {
            match tx.control("COMMIT") {
                Ok(()) => {
                    self.failed_commits = 0;
                    Ok(())
                }
                Err(error) => Err(self.commit_failed(&error)),
            }
        };
        if let Some(reason) = self.tx.sqlite().broken() {
            self.turn_read_only(reason);
        }
        self.answer(&durable);
    }

    fn commit_failed(&mut self, error: &rusqlite::Error) -> StoreError {
        let reason: Arc<str> = error.to_string().into();
        tracing::error!(%error, jobs = self.answers.len(), "a commit failed");
        let refused = matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::ConstraintViolation | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        );
        if refused && self.roll_back() {
            return StoreError::RolledBack(reason); // SQLite said no before it wrote anything
        }
        self.failed_commits += 1;
        if self.failed_commits > 1 {
            self.turn_read_only(Arc::clone(&reason));
        }
        self.reopen();
        StoreError::CommitUnknown(reason)
    }

    /// Ends the transaction without its writes; whether that is certain.
    fn roll_back(&mut self) -> bool {
        let tx = self.tx.sqlite();
        if tx.is_autocommit() || tx.control("ROLLBACK").is_ok() {
            return true;
        }
        self.reopen(); // closing a connection ends its transaction
        false
    }

    fn reopen(&mut self) {
        if let Some(reason) = self.tx.sqlite().broken() {
            self.turn_read_only(reason);
        }
        match self.spec.writer() {
            Ok(conn) => self.tx = Tx(Kind::Sqlite(SqTx::new(conn, Access::Write))),
            Err(error) => self.turn_read_only(format!("{error:#}").into()),
        }
    }

    fn turn_read_only(&mut self, reason: Arc<str>) {
        if self.read_only.set(Arc::clone(&reason)).is_ok() {
            tracing::error!(%reason, "the store is read-only from now on; mend the disk, then restart");
        }
    }

    fn answer(&mut self, durable: &Durable) {
        for answer in self.answers.drain(..) {
            answer(durable);
        }
    }
}

/// A side thread that moves committed pages from the WAL into the database, so that the writer rarely has to.
struct Checkpointer {
    state: Arc<(Mutex<Wanted>, Condvar)>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Default)]
struct Wanted {
    checkpoint: bool,
    stop: bool,
}

impl Checkpointer {
    fn start(spec: &Spec) -> Result<Checkpointer> {
        let mut tx = SqTx::new(spec.writer()?, Access::Write);
        let state = Arc::new((Mutex::new(Wanted::default()), Condvar::new()));
        let shared = Arc::clone(&state);
        let thread = thread::Builder::new().name("checkpoint".into()).spawn(move || {
            let (wanted, changed) = &*shared;
            let mut now = held(wanted);
            loop {
                now = changed
                    .wait_while(now, |now| !now.checkpoint && !now.stop)
                    .unwrap_or_else(PoisonError::into_inner);
                if now.stop {
                    return;
                }
                now.checkpoint = false;
                drop(now);
                if let Err(error) = tx.checkpoint("PASSIVE") {
                    tracing::warn!(%error, "a checkpoint failed; the next one tries again");
                }
                let rest = changed.wait_timeout_while(held(wanted), CHECKPOINT_REST, |now| !now.stop);
                now = rest.unwrap_or_else(PoisonError::into_inner).0;
            }
        })?;
        Ok(Checkpointer { state, thread: Mutex::new(Some(thread)) })
    }

    fn wake(&self) {
        held(&self.state.0).checkpoint = true;
        self.state.1.notify_one();
    }

    fn stop(&self) {
        held(&self.state.0).stop = true;
        self.state.1.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the checkpoint thread panicked");
        }
    }
}

fn held(wanted: &Mutex<Wanted>) -> MutexGuard<'_, Wanted> {
    wanted.lock().unwrap_or_else(PoisonError::into_inner) // two flags cannot be half-changed
}
