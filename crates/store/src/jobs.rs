//! Work for later: one row per (kind, subject), claimed under a lease, gone when done.
//!
//! A job carries no orders. It says "look at this subject"; whoever runs it reads the subject's state and acts on
//! that, so running one twice or too early is harmless. Therefore the earliest wish wins where several ask for the
//! same job, and one who still has to wait asks again with [`retry_at`].
//!
//! A wish that comes while the job runs is not lost: its run may have looked too early. Claiming sets `run_at` to
//! the end of the lease, a wish moves it before that, and [`finish`] deletes only a job whose `run_at` is where the
//! claim put it.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx, Val};
use anyhow::Result;
use billing::ids::{JobId, MerchantId};
use jiff::Timestamp;

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Whose job it is.
    pub merchant_id: MerchantId,
    /// Its id.
    pub id: JobId,
    /// Which work, a word of the runner: `reconcile_payment`.
    pub kind: String,
    /// On what, for example a printed id.
    pub subject: String,
    /// When it is due.
    pub run_at: Timestamp,
    /// How often it was claimed since a run of it last went well.
    pub tries: i64,
    /// Until when it belongs to whoever claimed it; 1970 if nobody did.
    pub leased_until: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When it was first asked for.
    pub created_at: Timestamp,
}

const ENQUEUE: Sql = Sql(
    "INSERT INTO jobs (merchant_id, id, kind, subject, run_at, tries, leased_until, last_error, created_at) \
     VALUES ($1, $2, $3, $4, $5, 0, 0, NULL, $6) ON CONFLICT (merchant_id, kind, subject) DO UPDATE SET run_at = \
     CASE WHEN excluded.run_at < jobs.run_at THEN excluded.run_at \
     WHEN jobs.run_at = jobs.leased_until THEN jobs.run_at - 1 ELSE jobs.run_at END",
);
const FIND: Sql = Sql(
    "SELECT merchant_id, id, kind, subject, run_at, tries, leased_until, last_error, created_at FROM jobs \
     WHERE merchant_id = $1 AND kind = $2 AND subject = $3",
);
const DUE: Sql = Sql(
    "SELECT merchant_id, id, kind, subject, run_at, tries, leased_until, last_error, created_at FROM jobs \
     WHERE merchant_id = $1 AND run_at <= $2 AND leased_until <= $2 ORDER BY run_at LIMIT $3",
);
const MERCHANTS_DUE: Sql = Sql(
    "SELECT DISTINCT merchant_id FROM jobs WHERE run_at <= $1 AND leased_until <= $1 ORDER BY merchant_id",
);
const RELEASE: Sql =
    Sql("UPDATE jobs SET leased_until = 0, run_at = CASE WHEN run_at > $1 THEN $1 ELSE run_at END \
     WHERE leased_until > $2 OR run_at > $3");
const LEASE: Sql = Sql(
    "UPDATE jobs SET run_at = $3, leased_until = $3, tries = tries + 1 WHERE merchant_id = $1 AND id = $2",
);
const FINISH: Sql = Sql(
    "DELETE FROM jobs WHERE merchant_id = $1 AND id = $2 AND leased_until = $3 AND run_at = leased_until",
);
const RUN_AGAIN: Sql = Sql("UPDATE jobs SET leased_until = 0, tries = 0, last_error = NULL \
     WHERE merchant_id = $1 AND id = $2 AND leased_until = $3");
const RETRY: Sql =
    Sql("UPDATE jobs SET run_at = CASE WHEN run_at < leased_until AND run_at < $4 THEN run_at ELSE $4 END, \
     tries = CASE WHEN CAST($5 AS TEXT) IS NULL THEN 0 ELSE tries END, leased_until = 0, last_error = $5 \
     WHERE merchant_id = $1 AND id = $2 AND leased_until = $3");
const LET_GO: Sql = Sql("UPDATE jobs SET run_at = $1, leased_until = 0 WHERE leased_until > $1");
const NEXT_DUE: Sql = Sql("SELECT run_at FROM jobs ORDER BY run_at LIMIT 1");
const COUNT: Sql = Sql("SELECT count(*) FROM jobs");

/// Asks for a job at `run_at`. If it is asked for already, the earlier time wins; if it runs right now, it runs
/// once more afterwards, when its lease would have ended at the latest.
pub async fn enqueue(
    tx: &mut Tx,
    merchant_id: MerchantId,
    job_id: JobId,
    kind: &str,
    subject: &str,
    run_at: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let (run_at, now) = (run_at.as_microsecond(), now.as_microsecond());
    let args = args![merchant_id.0, job_id.as_bytes(), kind, subject, run_at, now];
    tx.execute(ENQUEUE, args).await.map(drop)
}

/// The job of this kind on this subject.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, kind: &str, subject: &str) -> Result<Option<Job>> {
    tx.fetch_optional(FIND, args![merchant_id.0, kind, subject], job).await
}

/// The merchants of whom a job is due.
pub async fn merchants_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<MerchantId>> {
    tx.fetch_all(MERCHANTS_DUE, args![now.as_microsecond()], |row| Ok(MerchantId(row.i64(0)?))).await
}

/// Takes jobs of a merchant that are due, `limit` at most, and leases them until `leased_until`. Two who claim at
/// once never get the same. `tries` of the answer counts this claim.
pub async fn claim_due(
    tx: &mut Tx,
    merchant_id: MerchantId,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<Job>> {
    let args = args![merchant_id.0, now.as_microsecond(), limit];
    let mut jobs = tx.lock_skip(DUE, args, job).await?;
    let leases: Vec<[Val<'_>; 3]> = jobs
        .iter()
        .map(|job| {
            let until = leased_until.as_microsecond().into();
            [job.merchant_id.0.into(), job.id.as_bytes().into(), until]
        })
        .collect();
    let list: Vec<(Sql, &[Val<'_>])> = leases.iter().map(|args| (LEASE, args.as_slice())).collect();
    tx.execute_many(&list).await?;
    for job in &mut jobs {
        job.tries += 1;
        (job.run_at, job.leased_until) = (leased_until, leased_until);
    }
    Ok(jobs)
}

/// The claimed job is done. True if it is gone; false if it was asked for meanwhile, and is due again, or if the
/// lease had ended and somebody else has it.
pub async fn finish(tx: &mut Tx, claimed: &Job) -> Result<bool> {
    let args = args![claimed.merchant_id.0, claimed.id.as_bytes(), claimed.leased_until.as_microsecond()];
    if tx.execute(FINISH, args).await? == 1 {
        return Ok(true);
    }
    tx.execute(RUN_AGAIN, args).await?;
    Ok(false)
}

/// The claimed job is to run again at `run_at`, or when it was asked for meanwhile if that is earlier; `error` says
/// why, if something went wrong. False if the lease had ended and somebody else has it.
pub async fn retry_at(tx: &mut Tx, claimed: &Job, run_at: Timestamp, error: Option<&str>) -> Result<bool> {
    let leased_until = claimed.leased_until.as_microsecond();
    let (id, run_at) = (claimed.id.as_bytes(), run_at.as_microsecond());
    let args = args![claimed.merchant_id.0, id, leased_until, run_at, error];
    Ok(tx.execute(RETRY, args).await? == 1)
}

/// Ends every lease: for a server that has just started and is the only one, so that those who held them are dead. The
/// jobs are due at once.
pub async fn let_go(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    tx.execute(LET_GO, args![now.as_microsecond()]).await
}

/// Jobs leased until after `longest_lease`, or due after `longest_wait`, are due now: nobody asks for such a time, so a
/// clock that ran ahead left it there. Answers how many.
pub async fn release_beyond(
    tx: &mut Tx,
    now: Timestamp,
    longest_lease: Timestamp,
    longest_wait: Timestamp,
) -> Result<u64> {
    let args = args![now.as_microsecond(), longest_lease.as_microsecond(), longest_wait.as_microsecond()];
    tx.execute(RELEASE, args).await
}

/// When the next job is due, or its lease ends; `None` when nothing is to do.
pub async fn next_due_at(tx: &mut Tx) -> Result<Option<Timestamp>> {
    tx.fetch_optional(NEXT_DUE, args![], |row| timestamp(row, 0)).await
}

/// How many jobs there are, of every merchant, running ones included.
pub async fn count(tx: &mut Tx) -> Result<i64> {
    tx.fetch_one(COUNT, args![], |row| row.i64(0)).await
}

fn job(row: &Row<'_>) -> Result<Job> {
    Ok(Job {
        merchant_id: MerchantId(row.i64(0)?),
        id: JobId::from_bytes(row.bytes16(1)?),
        kind: row.text(2)?,
        subject: row.text(3)?,
        run_at: timestamp(row, 4)?,
        tries: row.i64(5)?,
        leased_until: timestamp(row, 6)?,
        last_error: row.opt_text(7)?,
        created_at: timestamp(row, 8)?,
    })
}
