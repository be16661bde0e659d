//! Customer credit against the ledger: invariants 3 and 16.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 3,
        what: "what is left of a grant is not the balance of its account",
        prefix: "grt_",
        figures: ["remaining", "balance"],
        sql: Sql(
            "SELECT g.merchant_id, g.id, g.remaining, COALESCE(b.minor, 0), count(*) OVER () FROM grants g \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
             FROM entries WHERE account = 2100 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) b \
             ON b.merchant_id = g.merchant_id AND b.subject = g.id \
             WHERE g.remaining <> COALESCE(b.minor, 0) ORDER BY g.merchant_id, g.id LIMIT 20",
        ),
    },
    Check {
        invariant: 16,
        what: "the credit of a customer is not the sum of what is left of its grants",
        prefix: "cus_",
        figures: ["grants left", "account 2100"],
        sql: Sql("SELECT merchant_id, customer_id, grants_left, credit, count(*) OVER () FROM (\
             SELECT merchant_id, customer_id, currency, CAST(SUM(remaining) AS BIGINT) AS grants_left, \
             CAST(SUM(entered) AS BIGINT) AS credit FROM (\
             SELECT merchant_id, customer_id, currency, remaining, 0 AS entered FROM grants \
             WHERE remaining BETWEEN -999999999999999 AND 999999999999999 UNION ALL \
             SELECT p.merchant_id, e.customer_id, p.currency, 0, \
             CASE e.side WHEN 'credit' THEN e.amount ELSE -e.amount END \
             FROM entries e JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             WHERE e.account = 2100 AND e.amount BETWEEN -999999999999999 AND 999999999999999) b \
             GROUP BY merchant_id, customer_id, currency) s \
             WHERE grants_left <> credit ORDER BY merchant_id, customer_id LIMIT 20"),
    },
    Check {
        invariant: 16,
        what: "an entry on 2100 names no grant, or one of another customer or currency",
        prefix: "pst_",
        figures: ["line", ""],
        sql: Sql(
            "SELECT e.merchant_id, e.posting_id, e.line, CAST(NULL AS BIGINT), count(*) OVER () FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             LEFT JOIN grants g ON g.merchant_id = e.merchant_id AND g.id = e.subject \
             WHERE e.account = 2100 AND (g.id IS NULL OR e.customer_id IS NULL \
             OR g.customer_id <> e.customer_id OR g.currency <> p.currency) \
             ORDER BY e.merchant_id, e.posting_id, e.line LIMIT 20",
        ),
    },
    Check {
        invariant: 16,
        what: "less than 0 is left of a grant, or more than it was",
        prefix: "grt_",
        figures: ["remaining", "amount"],
        sql: Sql("SELECT merchant_id, id, remaining, amount, count(*) OVER () FROM grants \
             WHERE remaining < 0 OR remaining > amount ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 16,
        what: "a grant has money left while the invoice it was born on has something payable",
        prefix: "grt_",
        figures: ["remaining", "payable now"],
        sql: Sql(
            "SELECT g.merchant_id, g.id, g.remaining, i.open - i.pending, count(*) OVER () FROM grants g \
             JOIN invoices i ON i.merchant_id = g.merchant_id AND i.id = g.invoice_id \
             WHERE g.remaining > 0 AND i.open > i.pending ORDER BY g.merchant_id, g.id LIMIT 20",
        ),
    },
];
