//! Refunds against the ledger, their parts and the audit trail: invariants 13, 14 and 24. What they took of a
//! payment is part of invariant 12.

use super::{Check, VerifyReport, found, run};
use crate::audit::acts;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

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
             WHERE r.channel <> 'bank' AND r.state IN ('pending', 'succeeded') \
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
