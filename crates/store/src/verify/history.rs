//! Histories: invariant 17, of whatever goes through states. SQL finds which steps there are; whether one is allowed is asked
//! of the transition tables themselves.

use super::{Check, VerifyReport, found, printed, run};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::dispute::DisputeState;
use billing::payment::PaymentState;
use billing::payout::PayoutState;
use billing::refund::RefundState;

/// The history of one noun.
struct History {
    noun: &'static str,
    prefix: &'static str,
    checks: [Check; 3],
    /// Which steps there are: from ('' before the first), to.
    steps: Sql,
    /// Whose histories have the step from $1 to $2.
    having: Sql,
    /// True if a history may have this step; nothing comes before the first.
    is_allowed: fn(&str, &str) -> bool,
}

/// `first` says which states a history may begin with.
macro_rules! history {
    ($noun:literal, $prefix:literal, $table:literal, $states:literal . $id:literal, $state:ty, first: $first:expr) => {
        History {
            noun: $noun,
            prefix: $prefix,
            checks: [
                Check {
                    invariant: 17,
                    what: concat!("the history of a ", $noun, " has a gap or a number twice, or does not begin with 1"),
                    prefix: $prefix,
                    figures: ["steps", "last number"],
                    sql: Sql(concat!(
                        "SELECT merchant_id, ", $id, ", steps, highest, count(*) OVER () FROM (SELECT merchant_id, ", $id,
                        ", count(*) AS steps, MAX(number) AS highest, MIN(number) AS lowest, count(DISTINCT number) AS numbers \
                        FROM ", $states, " GROUP BY merchant_id, ", $id, ") h \
                        WHERE steps <> highest OR lowest <> 1 OR numbers <> steps ORDER BY merchant_id, ", $id, " LIMIT 20"
                    )),
                },
                Check {
                    invariant: 17,
                    what: concat!("the history of a ", $noun, " does not end in its state, or there is none"),
                    prefix: $prefix,
                    figures: ["", ""],
                    sql: Sql(concat!(
                        "SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM ", $table,
                        " y WHERE y.state <> COALESCE((SELECT s.state FROM ", $states, " s WHERE s.merchant_id = y.merchant_id \
                        AND s.", $id, " = y.id ORDER BY s.number DESC LIMIT 1), '') ORDER BY y.merchant_id, y.id LIMIT 20"
                    )),
                },
                Check {
                    invariant: 17,
                    what: concat!("a step of a ", $noun, " is earlier than the one before it"),
                    prefix: $prefix,
                    figures: ["step", ""],
                    sql: Sql(concat!(
                        "SELECT merchant_id, ", $id, ", number, CAST(NULL AS BIGINT), count(*) OVER () FROM (SELECT merchant_id, ",
                        $id, ", number, at, LAG(at) OVER (PARTITION BY merchant_id, ", $id, " ORDER BY number) AS before_at FROM ",
                        $states, ") s WHERE at < before_at ORDER BY merchant_id, ", $id, ", number LIMIT 20"
                    )),
                },
            ],
            steps: Sql(concat!(
                "SELECT DISTINCT before_state, state FROM (SELECT state, COALESCE(LAG(state) OVER (PARTITION BY merchant_id, ",
                $id, " ORDER BY number), '') AS before_state FROM ", $states, ") s ORDER BY before_state, state"
            )),
            having: Sql(concat!(
                "SELECT merchant_id, ", $id, " FROM (SELECT merchant_id, ", $id, ", state, COALESCE(LAG(state) OVER (\
                PARTITION BY merchant_id, ", $id, " ORDER BY number), '') AS before_state FROM ", $states, ") s \
                WHERE before_state = $1 AND state = $2 ORDER BY merchant_id, ", $id
            )),
            is_allowed: |before, after| {
                let first: fn($state) -> bool = $first;
                let Some(after) = <$state>::parse(after) else { return false };
                match before {
                    "" => first(after),
                    before => <$state>::parse(before).is_some_and(|before| before.may_become(after)),
                }
            },
        }
    };
}

static HISTORIES: [History; 4] = [
    history!("payment", "pay_", "payments", "payment_states"."payment_id", PaymentState,
        first: |state| matches!(state, PaymentState::Created | PaymentState::Submitting | PaymentState::Succeeded)),
    history!("refund", "rfd_", "refunds", "refund_states"."refund_id", RefundState,
        first: |state| state == RefundState::Requested),
    // Any that a processor can tell of; that we let it be is known later.
    history!("dispute", "dsp_", "disputes", "dispute_states"."dispute_id", DisputeState,
        first: |state| state != DisputeState::Accepted),
    history!("payout", "pyt_", "payouts", "payout_states"."payout_id", PayoutState, first: |_| true),
];

const CHECKS: &[Check] = &[
    Check {
        invariant: 17,
        what: "a payment through a processor begins as received, or a received one does not",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments y JOIN payment_states s ON s.merchant_id = y.merchant_id AND s.payment_id = y.id \
             AND s.number = 1 WHERE (y.method IN ('cheque', 'wire', 'cash')) <> (s.state = 'succeeded') ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "a payment that is held for later has no time to be sent, or was sent",
        prefix: "pay_",
        figures: ["calls", ""],
        sql: Sql("SELECT y.merchant_id, y.id, a.calls, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments y LEFT JOIN (SELECT merchant_id, payment_id, CAST(SUM(calls) AS BIGINT) AS calls FROM attempts \
             GROUP BY merchant_id, payment_id) a ON a.merchant_id = y.merchant_id AND a.payment_id = y.id \
             WHERE y.state = 'created' AND (y.send_at IS NULL OR a.calls > 0) ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
];

/// Every statement here.
pub(super) fn statements() -> impl Iterator<Item = Sql> {
    let of_checks =
        CHECKS.iter().chain(HISTORIES.iter().flat_map(|history| &history.checks)).map(|check| check.sql);
    of_checks.chain(HISTORIES.iter().flat_map(|history| [history.steps, history.having]))
}

pub(super) async fn check(tx: &mut Tx, report: &mut VerifyReport) -> Result<()> {
    run(tx, CHECKS, report).await?;
    for history in &HISTORIES {
        run(tx, &history.checks, report).await?;
        let steps = tx.fetch_all(history.steps, args![], |row| Ok((row.text(0)?, row.text(1)?))).await?;
        for (before, after) in steps.iter().filter(|(before, after)| !(history.is_allowed)(before, after)) {
            let having = tx
                .fetch_all(history.having, args![before, after], |row| Ok((row.i64(0)?, row.blob(1)?)))
                .await?;
            let named = |(of, id): &(i64, Vec<u8>)| format!("{} of mer_{of}", printed(history.prefix, id));
            let rows = having.iter().map(named).collect();
            let what = match before.as_str() {
                "" => format!("the history of a {} begins with {after}", history.noun),
                before => format!("the history of a {} has the step from {before} to {after}", history.noun),
            };
            found(report, 17, &what, rows);
        }
    }
    Ok(())
}
