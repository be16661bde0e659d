//! What happens later: debits that settle or come back, refunds that fail, payouts that arrive, verifications that run out.
//!
//! A thing that is to happen is a row with its moment. Whoever asks the sandbox anything first makes everything happen whose moment the clock
//! has passed, in order, each as of its own moment: moving the clock by a month gives the same events, with the same times, as waiting for it.

use rusqlite::{OptionalExtension as _, params};
use serde::{Deserialize, Serialize};

use crate::api::sessions;
use crate::error::Failure;
use crate::work::{Cause, Work};
use crate::{debits, disputing, paying_out, refunding, verifying, webhooks};

/// What is to happen to an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Appointment {
    /// A payment intent's debit succeeds.
    SettleDebit,
    /// A payment intent's debit fails with a scheme's code or the processor's own.
    FailDebit { code: String },
    /// A charge that succeeded is taken back by the payer's bank.
    ReturnDebit { code: String },
    /// The deposits of a verification could not be made.
    FailMicrodeposits,
    /// A verification has taken too long.
    EndVerification,
    /// A pending refund arrives.
    FinishRefund,
    /// A refund comes back.
    FailRefund,
    /// A charge is disputed by its payer.
    OpenDispute { reason: String, is_inquiry: bool },
    /// The time to answer a dispute is over.
    EndAnswering,
    /// A bank has had its time to decide a dispute.
    DecideDispute,
    /// The deliveries of an event that were to be late go out.
    ReleaseDeliveries,
    /// A midnight at which is paid out.
    PayOut,
    /// A payout reaches the merchant's bank.
    ArrivePayout,
}

/// Makes an appointment for an object.
pub(crate) fn put(work: &Work<'_>, due_at: i64, what: &Appointment, object_id: &str) -> Result<(), Failure> {
    work.connection.execute(
        "INSERT INTO appointment (due_at, what, object_id) VALUES (?1, ?2, ?3)",
        params![due_at, serde_json::to_string(what)?, object_id],
    )?;
    Ok(())
}

/// Drops every appointment of a kind.
pub(crate) fn cancel(work: &Work<'_>, what: &Appointment) -> Result<(), Failure> {
    work.connection.execute("DELETE FROM appointment WHERE what = ?1", [serde_json::to_string(what)?])?;
    Ok(())
}

/// Drops every appointment of an object: what it was waiting for has been begun anew.
pub(crate) fn forget(work: &Work<'_>, object_id: &str) -> Result<(), Failure> {
    work.connection.execute("DELETE FROM appointment WHERE object_id = ?1", [object_id])?;
    Ok(())
}

/// Makes everything happen whose moment has come.
pub(crate) fn catch_up(work: &Work<'_>) -> Result<(), Failure> {
    while let Some((seq, due_at, what, object_id)) = next(work)? {
        sessions::expire_due(&as_of(work, due_at))?;
        work.connection.execute("DELETE FROM appointment WHERE seq = ?1", [seq])?;
        happen(&as_of(work, due_at), serde_json::from_str(&what)?, &object_id)?;
    }
    sessions::expire_due(&as_of(work, work.now))
}

fn next(work: &Work<'_>) -> Result<Option<(i64, i64, String, String)>, Failure> {
    let mut statement = work.connection.prepare_cached(
        "SELECT seq, due_at, what, object_id FROM appointment WHERE due_at <= ?1 ORDER BY due_at, seq LIMIT 1",
    )?;
    Ok(statement
        .query_row([work.now], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?)
}

/// The same transaction at another moment; nobody's call caused what happens then.
fn as_of<'a>(work: &Work<'a>, now: i64) -> Work<'a> {
    Work { cause: Cause::default(), now, ..*work }
}

fn happen(work: &Work<'_>, what: Appointment, object_id: &str) -> Result<(), Failure> {
    match what {
        Appointment::SettleDebit => debits::settle(work, object_id),
        Appointment::FailDebit { code } => debits::fail(work, object_id, &code),
        Appointment::ReturnDebit { code } => debits::take_back(work, object_id, &code),
        Appointment::FailMicrodeposits => verifying::fail_deposits(work, object_id),
        Appointment::EndVerification => verifying::run_out(work, object_id),
        Appointment::FinishRefund => refunding::finish(work, object_id),
        Appointment::FailRefund => refunding::fail(work, object_id),
        Appointment::OpenDispute { reason, is_inquiry } => {
            disputing::open_if_possible(work, object_id, &reason, is_inquiry)
        }
        Appointment::EndAnswering => disputing::end_answering(work, object_id),
        Appointment::DecideDispute => disputing::decide(work, object_id),
        Appointment::ReleaseDeliveries => webhooks::release_event(work.connection, object_id),
        Appointment::PayOut => paying_out::pay_out(work),
        Appointment::ArrivePayout => paying_out::arrive(work, object_id),
    }
}
