//! Refunds against the ledger, their parts, their history and the audit trail: invariants 13, 14, 17 and 24. What they took of a
//! payment is part of invariant 12.

use super::{Check, VerifyReport, found, run};
use crate::args;
use crate::audit::acts;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, RefundId};
use billing::refund::RefundState;

const CHECKS: &[Check] = &[
    Check {
        invariant: 13,
        what: "a refund has ended, and its account 2300 is not at 0",
        prefix: "rfd_",
        figures: ["credits less debits", ""],
        sql: Sql("SELECT merchant_id, id, rest, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT r.merchant_id, r.id, COALESCE(b.minor, 0) AS rest FROM refunds r \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
             FROM entries WHERE account = 2300 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) b ON b.merchant_id = r.merchant_id AND b.subject = r.id \
             WHERE r.state IN ('succeeded', 'failed', 'canceled')) v WHERE rest <> 0 \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 14,
        what: "a refund is in flight, and its account 2300 does not hold its amount",
        prefix: "rfd_",
        figures: ["amount", "credits less debits"],
        sql: Sql("SELECT merchant_id, id, amount, held, count(*) OVER () FROM (\
             SELECT r.merchant_id, r.id, r.amount, COALESCE(b.minor, 0) AS held FROM refunds r \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
             FROM entries WHERE account = 2300 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) b ON b.merchant_id = r.merchant_id AND b.subject = r.id \
             WHERE r.state IN ('requested', 'submitting', 'pending', 'unknown')) v WHERE amount <> held \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 14,
        what: "an entry on 2300 names no refund, or one in another currency",
        prefix: "pst_",
        figures: ["line", ""],
        sql: Sql(
            "SELECT e.merchant_id, e.posting_id, e.line, CAST(NULL AS BIGINT), count(*) OVER () FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             LEFT JOIN refunds r ON r.merchant_id = e.merchant_id AND r.id = e.subject \
             WHERE e.account = 2300 AND (r.id IS NULL OR r.currency <> p.currency) \
             ORDER BY e.merchant_id, e.posting_id, e.line LIMIT 20",
        ),
    },
    Check {
        invariant: 13,
        what: "the parts of a refund are not its amount",
        prefix: "rfd_",
        figures: ["amount", "parts"],
        sql: Sql("SELECT merchant_id, id, amount, parts, count(*) OVER () FROM (\
             SELECT r.merchant_id, r.id, r.amount, COALESCE(p.minor, 0) AS parts FROM refunds r \
             LEFT JOIN (SELECT merchant_id, refund_id, CAST(SUM(amount) AS BIGINT) AS minor FROM refund_parts \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY merchant_id, refund_id) p \
             ON p.merchant_id = r.merchant_id AND p.refund_id = r.id) v WHERE amount <> parts \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 13,
        what: "more was sent back through a charge than it captured",
        prefix: "pay_",
        figures: ["captured", "sent back"],
        sql: Sql("SELECT merchant_id, id, captured, sent, count(*) OVER () FROM (\
             SELECT y.merchant_id, y.id, COALESCE(y.captured, 0) AS captured, CAST(SUM(r.amount) AS BIGINT) AS sent \
             FROM refunds r JOIN payments y ON y.merchant_id = r.merchant_id AND y.id = r.payment_id \
             WHERE r.channel <> 'bank' AND r.state NOT IN ('failed', 'canceled') \
             AND r.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY y.merchant_id, y.id, y.captured) v WHERE sent > captured ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 13,
        what: "a refund that the processor has is not known by its name there",
        prefix: "rfd_",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM refunds \
             WHERE channel <> 'bank' AND state IN ('pending', 'succeeded') AND processor_refund_id IS NULL \
             ORDER BY merchant_id, id LIMIT 20",
        ),
    },
    Check {
        invariant: 17,
        what: "the history of a refund has a gap or a number twice, or does not begin with 1",
        prefix: "rfd_",
        figures: ["steps", "last number"],
        sql: Sql("SELECT merchant_id, refund_id, steps, highest, count(*) OVER () FROM (\
             SELECT merchant_id, refund_id, count(*) AS steps, MAX(number) AS highest, MIN(number) AS lowest, \
             count(DISTINCT number) AS numbers FROM refund_states GROUP BY merchant_id, refund_id) h \
             WHERE steps <> highest OR lowest <> 1 OR numbers <> steps ORDER BY merchant_id, refund_id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "the history of a refund does not end in its state, or there is none",
        prefix: "rfd_",
        figures: ["", ""],
        sql: Sql("SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM refunds y WHERE y.state <> COALESCE((SELECT s.state FROM refund_states s \
             WHERE s.merchant_id = y.merchant_id AND s.refund_id = y.id ORDER BY s.number DESC LIMIT 1), '') \
             ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "a step of a refund is earlier than the one before it",
        prefix: "rfd_",
        figures: ["step", ""],
        sql: Sql("SELECT merchant_id, refund_id, number, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, refund_id, number, at, LAG(at) OVER (\
             PARTITION BY merchant_id, refund_id ORDER BY number) AS before_at FROM refund_states) s \
             WHERE at < before_at ORDER BY merchant_id, refund_id, number LIMIT 20"),
    },
    Check {
        invariant: 24,
        what: "an amount above which refunds are approved was set, and no audit row says by whom",
        prefix: "",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, currency, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM refund_limits l WHERE NOT EXISTS (SELECT 1 FROM audit a WHERE a.merchant_id = l.merchant_id \
             AND a.act = 'refund_limit.set' AND a.object = 'refund_limit.' || l.currency) ORDER BY 1, 2 LIMIT 20",
        ),
    },
];

const STEPS: Sql = Sql("SELECT DISTINCT before_state, state FROM (SELECT state, COALESCE(LAG(state) OVER (\
     PARTITION BY merchant_id, refund_id ORDER BY number), '') AS before_state FROM refund_states) s \
     ORDER BY before_state, state");
const REFUNDS_WITH_STEP: Sql = Sql(
    "SELECT merchant_id, refund_id FROM (SELECT merchant_id, refund_id, state, COALESCE(LAG(state) OVER (\
     PARTITION BY merchant_id, refund_id ORDER BY number), '') AS before_state FROM refund_states) s \
     WHERE before_state = $1 AND state = $2 ORDER BY merchant_id, refund_id",
);
const ASKED: Sql = Sql(
    "SELECT id FROM refunds WHERE merchant_id = $1 AND id > $2 AND origin = 'asked' ORDER BY id LIMIT $3",
);
const ADOPTED: Sql = Sql(
    "SELECT id FROM refunds WHERE merchant_id = $1 AND id > $2 AND origin = 'adopted' ORDER BY id LIMIT $3",
);
const APPROVED: Sql = Sql(
    "SELECT id FROM refunds WHERE merchant_id = $1 AND id > $2 AND approval = 'given' ORDER BY id LIMIT $3",
);
const PAID: Sql = Sql("SELECT id FROM refunds WHERE merchant_id = $1 AND id > $2 AND channel = 'bank' \
     AND state = 'succeeded' ORDER BY id LIMIT $3");

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    run(tx, CHECKS, report).await?;
    let steps = tx.fetch_all(STEPS, args![], |row| Ok((row.text(0)?, row.text(1)?))).await?;
    let mut wrong = Vec::new();
    for (before, after) in steps.iter().filter(|(before, after)| !is_allowed(before, after)) {
        let rows = tx
            .fetch_all(REFUNDS_WITH_STEP, args![before, after], |row| {
                Ok((RefundId::from_bytes(row.bytes16(1)?), row.i64(0)?))
            })
            .await?;
        wrong.extend(rows.iter().map(|(id, of)| format!("{id} of mer_{of}, from {before:?} to {after:?}")));
    }
    found(report, 17, "a refund took a step that the table does not have", wrong);
    let mut unnamed = Vec::new();
    for merchant in merchants {
        for (rows, act) in [
            (ASKED, acts::REFUND_REQUEST),
            (ADOPTED, acts::REFUND_ADOPT),
            (APPROVED, acts::REFUND_APPROVE),
            (PAID, acts::REFUND_PAY),
        ] {
            super::records::unaudited(tx, *merchant, (rows, "rfd_", act), &mut unnamed).await?;
        }
    }
    found(report, 24, "a refund was asked for, approved or paid, and no audit row says who did", unnamed);
    Ok(())
}

/// True if a history may have this step; nothing comes before the first.
fn is_allowed(before: &str, after: &str) -> bool {
    let Some(after) = RefundState::parse(after) else { return false };
    match before {
        "" => after == RefundState::Requested,
        before => RefundState::parse(before).is_some_and(|before| before.may_become(after)),
    }
}
