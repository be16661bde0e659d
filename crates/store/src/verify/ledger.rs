//! The ledger in itself: invariants 1, 2, 5, 13 and 14.

use super::Check;
use crate::db::Sql;

/// Amounts that cannot be: no text of more than 15 digits is ever read as one. Each is named here, and every statement that
/// adds up leaves such a row out: with it a sum would not fit, and the engine would stop instead of answering. What follows
/// from a row that is left out is found wrong as well, and everything else is proved as ever.
pub(super) const BEYOND_SUMS: &[Check] = &[
    Check {
        invariant: 1,
        what: "the amount of an entry has more than 15 digits; sums leave it out",
        prefix: "pst_",
        figures: ["amount", ""],
        sql: Sql(
            "SELECT merchant_id, posting_id, amount, CAST(NULL AS BIGINT), count(*) OVER () FROM entries \
             WHERE amount > 999999999999999 OR amount < -999999999999999 \
             ORDER BY merchant_id, posting_id, line LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "the amount of an allocation has more than 15 digits; sums leave it out",
        prefix: "alc_",
        figures: ["amount", ""],
        sql: Sql("SELECT merchant_id, id, amount, CAST(NULL AS BIGINT), count(*) OVER () FROM allocations \
             WHERE amount > 999999999999999 OR amount < -999999999999999 ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 16,
        what: "the amount of a grant has more than 15 digits; sums leave it out",
        prefix: "grt_",
        figures: ["amount", "remaining"],
        sql: Sql("SELECT merchant_id, id, amount, remaining, count(*) OVER () FROM grants \
             WHERE amount > 999999999999999 OR remaining > 999999999999999 OR remaining < -999999999999999 \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 8,
        what: "the amount of a reservation has more than 15 digits; sums leave it out",
        prefix: "pay_",
        figures: ["amount", ""],
        sql: Sql(
            "SELECT merchant_id, payment_id, amount, CAST(NULL AS BIGINT), count(*) OVER () FROM reservations \
             WHERE amount > 999999999999999 ORDER BY merchant_id, payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "an amount of an invoice has more than 15 digits; sums leave it out",
        prefix: "inv_",
        figures: ["total", "paid"],
        sql: Sql("SELECT merchant_id, id, total, paid, count(*) OVER () FROM invoices \
             WHERE total > 999999999999999 OR open > 999999999999999 OR paid > 999999999999999 \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 20,
        what: "an amount of a receipt has more than 15 digits; sums leave it out",
        prefix: "pay_",
        figures: ["amount", "credit"],
        sql: Sql("SELECT merchant_id, payment_id, amount, credit, count(*) OVER () FROM receipts r \
             WHERE amount > 999999999999999 OR credit > 999999999999999 OR EXISTS (SELECT 1 FROM receipt_lines l \
             WHERE l.merchant_id = r.merchant_id AND l.payment_id = r.payment_id AND l.applied > 999999999999999) \
             ORDER BY merchant_id, payment_id LIMIT 20"),
    },
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 1,
        what: "a posting has fewer than two entries, an amount that is not above 0, or debits that are not its credits",
        prefix: "pst_",
        figures: ["debits", "credits"],
        sql: Sql("SELECT merchant_id, posting_id, debits, credits, count(*) OVER () FROM (\
             SELECT merchant_id, posting_id, count(*) AS lines, MIN(amount) AS least, \
             CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE 0 END) AS BIGINT) AS debits, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE 0 END) AS BIGINT) AS credits \
             FROM entries WHERE amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, posting_id) e \
             WHERE lines < 2 OR least <= 0 OR debits <> credits ORDER BY merchant_id, posting_id LIMIT 20"),
    },
    Check {
        invariant: 1,
        what: "a posting has no entries",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql("SELECT p.merchant_id, p.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM postings p WHERE NOT EXISTS (SELECT 1 FROM entries e \
             WHERE e.merchant_id = p.merchant_id AND e.posting_id = p.id) ORDER BY p.merchant_id, p.id LIMIT 20"),
    },
    Check {
        invariant: 1,
        what: "a cause has more than one posting",
        prefix: "",
        figures: ["postings", ""],
        sql: Sql(
            "SELECT merchant_id, cause_kind || ' ' || cause_id, postings, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM (SELECT merchant_id, cause_kind, cause_id, count(*) AS postings FROM postings \
             GROUP BY merchant_id, cause_kind, cause_id HAVING count(*) > 1) c ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 2,
        what: "the debits of a currency are not its credits",
        prefix: "",
        figures: ["debits", "credits"],
        sql: Sql("SELECT merchant_id, currency, debits, credits, count(*) OVER () FROM (\
             SELECT p.merchant_id, p.currency, \
             CAST(SUM(CASE e.side WHEN 'debit' THEN e.amount ELSE 0 END) AS BIGINT) AS debits, \
             CAST(SUM(CASE e.side WHEN 'credit' THEN e.amount ELSE 0 END) AS BIGINT) AS credits \
             FROM postings p JOIN entries e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id \
             AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY p.merchant_id, p.currency) s WHERE debits <> credits ORDER BY 1, 2 LIMIT 20"),
    },
    Check {
        invariant: 5,
        what: "a reversal and its posting do not cancel out, account by account",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT DISTINCT merchant_id, id FROM (SELECT r.merchant_id, r.id, e.account, \
             SUM(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END) AS rest FROM postings r \
             JOIN entries e ON e.merchant_id = r.merchant_id AND e.posting_id IN (r.id, r.reverses) \
             WHERE r.reverses IS NOT NULL AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY r.merchant_id, r.id, e.account, e.customer_id, e.subject) a WHERE rest <> 0) v \
             ORDER BY merchant_id, id LIMIT 20",
        ),
    },
    Check {
        invariant: 5,
        what: "a reversal points to no posting, to one in another currency, or to one that another reverses too",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql("SELECT r.merchant_id, r.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM postings r LEFT JOIN postings o ON o.merchant_id = r.merchant_id AND o.id = r.reverses \
             WHERE r.reverses IS NOT NULL AND (o.id IS NULL OR o.currency <> r.currency OR EXISTS (\
             SELECT 1 FROM postings t WHERE t.merchant_id = r.merchant_id AND t.reverses = r.reverses \
             AND t.id <> r.id)) ORDER BY r.merchant_id, r.id LIMIT 20"),
    },
];
