//! The history of payments: invariant 17. SQL finds which steps there are; whether one is allowed is asked of the
//! transition table itself.

use super::{Check, VerifyReport, found, run};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::PaymentId;
use billing::payment::PaymentState;

const CHECKS: &[Check] = &[
    Check {
        invariant: 17,
        what: "a history has a gap or a number twice, or does not begin with 1",
        prefix: "pay_",
        figures: ["steps", "last number"],
        sql: Sql("SELECT merchant_id, payment_id, steps, highest, count(*) OVER () FROM (\
             SELECT merchant_id, payment_id, count(*) AS steps, MAX(number) AS highest, MIN(number) AS lowest, \
             count(DISTINCT number) AS numbers FROM payment_states GROUP BY merchant_id, payment_id) h \
             WHERE steps <> highest OR lowest <> 1 OR numbers <> steps ORDER BY merchant_id, payment_id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "a history does not end in the state of its payment, or there is none",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments y WHERE y.state <> COALESCE((SELECT s.state FROM payment_states s \
             WHERE s.merchant_id = y.merchant_id AND s.payment_id = y.id ORDER BY s.number DESC LIMIT 1), '') \
             ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "a step is earlier than the one before it",
        prefix: "pay_",
        figures: ["step", ""],
        sql: Sql("SELECT merchant_id, payment_id, number, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, payment_id, number, at, LAG(at) OVER (\
             PARTITION BY merchant_id, payment_id ORDER BY number) AS before_at FROM payment_states) s \
             WHERE at < before_at ORDER BY merchant_id, payment_id, number LIMIT 20"),
    },
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

const STEPS: Sql = Sql("SELECT DISTINCT before_state, state FROM (SELECT state, COALESCE(LAG(state) OVER (\
     PARTITION BY merchant_id, payment_id ORDER BY number), '') AS before_state FROM payment_states) s \
     ORDER BY before_state, state");
const PAYMENTS_WITH_STEP: Sql = Sql(
    "SELECT merchant_id, payment_id FROM (SELECT merchant_id, payment_id, state, COALESCE(LAG(state) OVER (\
     PARTITION BY merchant_id, payment_id ORDER BY number), '') AS before_state FROM payment_states) s \
     WHERE before_state = $1 AND state = $2 ORDER BY merchant_id, payment_id",
);

pub(super) async fn check(tx: &mut Tx, report: &mut VerifyReport) -> Result<()> {
    run(tx, CHECKS, report).await?;
    let steps = tx.fetch_all(STEPS, args![], |row| Ok((row.text(0)?, row.text(1)?))).await?;
    for (before, after) in steps.iter().filter(|(before, after)| !is_allowed(before, after)) {
        let rows = tx
            .fetch_all(PAYMENTS_WITH_STEP, args![before, after], |row| {
                Ok(format!("{} of mer_{}", PaymentId::from_bytes(row.bytes16(1)?), row.i64(0)?))
            })
            .await?;
        let what = match before.as_str() {
            "" => format!("a history begins with {after}"),
            before => format!("a history has the step from {before} to {after}"),
        };
        found(report, 17, &what, rows);
    }
    Ok(())
}

/// True if a history may have this step; nothing comes before the first.
fn is_allowed(before: &str, after: &str) -> bool {
    let Some(after) = PaymentState::parse(after) else { return false };
    match before {
        "" => matches!(after, PaymentState::Created | PaymentState::Submitting | PaymentState::Succeeded),
        before => PaymentState::parse(before).is_some_and(|before| before.may_become(after)),
    }
}
