//! Payments against reservations, attempts, allocations and the ledger, as far as SQL alone can say: invariants 8
//! to 12 and 20. What needs a printed id is in [`super::captures`] and [`super::places`], the history in [`super::history`].

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 8,
        what: "what a payment reserves is not what its state says",
        prefix: "pay_",
        figures: ["live", "should be"],
        sql: Sql("SELECT merchant_id, id, live, wanted, count(*) OVER () FROM (\
             SELECT y.merchant_id, y.id, COALESCE(r.live, 0) AS live, CASE WHEN y.state IN \
             ('created', 'submitting', 'requires_action', 'processing', 'unknown') THEN y.amount ELSE 0 END AS wanted \
             FROM payments y LEFT JOIN (SELECT merchant_id, payment_id, CAST(SUM(amount) AS BIGINT) AS live \
             FROM reservations WHERE state = 'live' AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, payment_id) r \
             ON r.merchant_id = y.merchant_id AND r.payment_id = y.id) v \
             WHERE live <> wanted ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 9,
        what: "a payment succeeded after it had failed or was canceled, without an anomaly record",
        prefix: "pay_",
        figures: ["step", ""],
        sql: Sql("SELECT s.merchant_id, s.payment_id, s.number, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payment_states s JOIN payment_states b ON b.merchant_id = s.merchant_id \
             AND b.payment_id = s.payment_id AND b.number = s.number - 1 \
             WHERE s.state = 'succeeded' AND b.state IN ('failed', 'canceled') AND NOT EXISTS (\
             SELECT 1 FROM anomalies a WHERE a.merchant_id = s.merchant_id AND a.payment_id = s.payment_id \
             AND a.kind = 'ghost_capture') \
             ORDER BY s.merchant_id, s.payment_id LIMIT 20"),
    },
    Check {
        invariant: 10,
        what: "a charge stands on more than one attempt",
        prefix: "",
        figures: ["attempts", ""],
        sql: Sql(
            "SELECT merchant_id, processor || ' ' || charge_id, attempts, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM (SELECT merchant_id, processor, charge_id, count(*) AS attempts FROM attempts \
             WHERE charge_id IS NOT NULL GROUP BY merchant_id, processor, charge_id HAVING count(*) > 1) c \
             ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 10,
        what: "a payment intent stands on attempts of more than one payment",
        prefix: "",
        figures: ["payments", ""],
        sql: Sql(
            "SELECT merchant_id, processor || ' ' || payment_intent_id, payments, CAST(NULL AS BIGINT), \
             count(*) OVER () FROM (SELECT merchant_id, processor, payment_intent_id, \
             count(DISTINCT payment_id) AS payments FROM attempts WHERE payment_intent_id IS NOT NULL \
             GROUP BY merchant_id, processor, payment_intent_id HAVING count(DISTINCT payment_id) > 1) c \
             ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 11,
        what: "a processor key stands on more than one attempt",
        prefix: "",
        figures: ["attempts", ""],
        sql: Sql(
            "SELECT merchant_id, processor || ' ' || processor_key, attempts, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM (SELECT merchant_id, processor, processor_key, count(*) AS attempts FROM attempts \
             GROUP BY merchant_id, processor, processor_key HAVING count(*) > 1) c ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 11,
        what: "a payment has more than one attempt with a charge",
        prefix: "pay_",
        figures: ["attempts", ""],
        sql: Sql("SELECT merchant_id, payment_id, attempts, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM (SELECT merchant_id, payment_id, count(*) AS attempts FROM attempts \
             WHERE charge_id IS NOT NULL GROUP BY merchant_id, payment_id HAVING count(*) > 1) c \
             ORDER BY merchant_id, payment_id LIMIT 20"),
    },
    Check {
        invariant: 12,
        what: "the allocations of a posting are not what it took from the invoice's receivable",
        prefix: "pst_",
        figures: ["allocated", "posted"],
        sql: Sql(
            "SELECT a.merchant_id, a.posting_id, a.minor, COALESCE(e.minor, 0), count(*) OVER () FROM (\
             SELECT merchant_id, posting_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor FROM allocations \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, posting_id, invoice_id) a LEFT JOIN (\
             SELECT merchant_id, posting_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS minor FROM entries \
             WHERE account = 1100 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, posting_id, subject) e \
             ON e.merchant_id = a.merchant_id AND e.posting_id = a.posting_id AND e.subject = a.invoice_id \
             WHERE a.minor <> COALESCE(e.minor, 0) ORDER BY a.merchant_id, a.posting_id LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "an allocation names a grant that its posting did not spend, or none where one was spent, or a payment that did not bear it",
        prefix: "alc_",
        figures: ["amount", ""],
        sql: Sql(
            "SELECT a.merchant_id, a.id, a.amount, CAST(NULL AS BIGINT), count(*) OVER () FROM allocations a \
             JOIN postings p ON p.merchant_id = a.merchant_id AND p.id = a.posting_id \
             WHERE (p.cause_kind IN ('capture', 'receipt', 'payment_returned') AND a.grant_id IS NOT NULL) \
             OR (p.cause_kind = 'credit_applied' AND (a.grant_id IS NULL OR NOT EXISTS (SELECT 1 FROM entries e \
             WHERE e.merchant_id = a.merchant_id AND e.posting_id = a.posting_id AND e.account = 2100 \
             AND e.side = 'debit' AND e.subject = a.grant_id AND e.amount = a.amount) \
             OR (a.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants g WHERE g.merchant_id = a.merchant_id \
             AND g.id = a.grant_id AND g.payment_id = a.payment_id AND g.invoice_id = a.invoice_id)))) \
             ORDER BY a.merchant_id, a.id LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "a grant is not what was credited to its account",
        prefix: "grt_",
        figures: ["granted", "credited"],
        sql: Sql(
            "SELECT g.merchant_id, g.id, g.amount, COALESCE(b.minor, 0), count(*) OVER () FROM grants g \
             LEFT JOIN (SELECT e.merchant_id, e.subject, CAST(SUM(e.amount) AS BIGINT) AS minor FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             AND p.cause_kind <> 'credit_restored' \
             WHERE e.account = 2100 AND e.side = 'credit' AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY e.merchant_id, e.subject) b \
             ON b.merchant_id = g.merchant_id AND b.subject = g.id \
             WHERE g.amount <> COALESCE(b.minor, 0) ORDER BY g.merchant_id, g.id LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "less than 0 was kept as surcharge",
        prefix: "pay_",
        figures: ["kept", ""],
        sql: Sql("SELECT merchant_id, subject, kept, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS kept FROM entries \
             WHERE account = 4100 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) s WHERE kept < 0 \
             ORDER BY merchant_id, subject LIMIT 20"),
    },
    Check {
        invariant: 20,
        what: "a receipt does not say what was captured, or its lines and credit do not add up to it",
        prefix: "pay_",
        figures: ["captured without surcharge", "lines and credit"],
        sql: Sql("SELECT merchant_id, payment_id, taken, placed, count(*) OVER () FROM (\
             SELECT r.merchant_id, r.payment_id, r.amount, COALESCE(y.captured, 0) - r.surcharge AS taken, \
             r.credit + r.unapplied + COALESCE(l.minor, 0) AS placed FROM receipts r \
             JOIN payments y ON y.merchant_id = r.merchant_id AND y.id = r.payment_id AND r.credit <= 999999999999999 \
             LEFT JOIN (SELECT merchant_id, payment_id, CAST(SUM(applied) AS BIGINT) AS minor FROM receipt_lines \
             WHERE applied <= 999999999999999 GROUP BY merchant_id, payment_id) l \
             ON l.merchant_id = r.merchant_id AND l.payment_id = r.payment_id) v \
             WHERE amount <> taken OR amount <> placed ORDER BY merchant_id, payment_id LIMIT 20"),
    },
    Check {
        invariant: 20,
        what: "a line of a receipt does not lead from what was open before to what is open after",
        prefix: "pay_",
        figures: ["open before", "open after"],
        sql: Sql(
            "SELECT merchant_id, payment_id, open_before, open_after, count(*) OVER () FROM receipt_lines \
             WHERE open_before - applied <> open_after OR open_after < 0 OR applied < 0 \
             ORDER BY merchant_id, payment_id LIMIT 20",
        ),
    },
];
