//! What invoices say about themselves, against ledger, allocations and reservations: invariants 3, 6, 7 and 23.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 6,
        what: "what an invoice has open is not its receivable",
        prefix: "inv_",
        figures: ["open", "receivable"],
        sql: Sql(
            "SELECT i.merchant_id, i.id, i.open, COALESCE(r.minor, 0), count(*) OVER () FROM invoices i \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
             FROM entries WHERE account = 1100 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) r \
             ON r.merchant_id = i.merchant_id AND r.subject = i.id \
             WHERE i.open <> COALESCE(r.minor, 0) ORDER BY i.merchant_id, i.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "the total of an invoice is not what is open, paid, credited and written off",
        prefix: "inv_",
        figures: ["total", "open, paid, credited and written off"],
        sql: Sql("SELECT merchant_id, id, total, placed, count(*) OVER () FROM (\
             SELECT i.merchant_id, i.id, i.total, i.open + i.paid + COALESCE(c.minor, 0) + COALESCE(w.minor, 0) AS placed \
             FROM invoices i LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(to_invoice) AS BIGINT) AS minor \
             FROM credit_notes WHERE to_invoice <= 999999999999999 GROUP BY merchant_id, invoice_id) c \
             ON c.merchant_id = i.merchant_id AND c.invoice_id = i.id \
             LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor FROM write_offs \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY merchant_id, invoice_id) w \
             ON w.merchant_id = i.merchant_id AND w.invoice_id = i.id \
             WHERE i.lifecycle IN ('open', 'uncollectible') \
             AND i.open <= 999999999999999 AND i.paid <= 999999999999999) v WHERE total <> placed \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 6,
        what: "the total of an invoice is not what its issue posted",
        prefix: "inv_",
        figures: ["total", "posted"],
        sql: Sql("SELECT merchant_id, id, total, issued, count(*) OVER () FROM (\
             SELECT i.merchant_id, i.id, CASE i.lifecycle WHEN 'draft' THEN 0 ELSE i.total END AS total, \
             COALESCE(r.minor, 0) AS issued FROM invoices i \
             LEFT JOIN (SELECT e.merchant_id, e.subject, CAST(SUM(e.amount) AS BIGINT) AS minor FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             AND p.cause_kind = 'invoice_issued' \
             WHERE e.account = 1100 AND e.side = 'debit' AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY e.merchant_id, e.subject) r ON r.merchant_id = i.merchant_id AND r.subject = i.id) v \
             WHERE total <> issued ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 6,
        what: "what an invoice has pending is not the sum of its live reservations",
        prefix: "inv_",
        figures: ["pending", "reserved"],
        sql: Sql(
            "SELECT i.merchant_id, i.id, i.pending, COALESCE(r.minor, 0), count(*) OVER () FROM invoices i \
             LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor \
             FROM reservations WHERE state = 'live' AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, invoice_id) r \
             ON r.merchant_id = i.merchant_id AND r.invoice_id = i.id \
             WHERE i.pending <> COALESCE(r.minor, 0) ORDER BY i.merchant_id, i.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "an entry on 1100 names no invoice, or one of another customer or currency",
        prefix: "pst_",
        figures: ["line", ""],
        sql: Sql(
            "SELECT e.merchant_id, e.posting_id, e.line, CAST(NULL AS BIGINT), count(*) OVER () FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             LEFT JOIN invoices i ON i.merchant_id = e.merchant_id AND i.id = e.subject \
             WHERE e.account = 1100 AND (i.id IS NULL OR e.customer_id IS NULL \
             OR i.customer_id <> e.customer_id OR i.currency <> p.currency) \
             ORDER BY e.merchant_id, e.posting_id, e.line LIMIT 20",
        ),
    },
    Check {
        invariant: 7,
        what: "an invoice has less than 0 pending, or more than is open",
        prefix: "inv_",
        figures: ["pending", "open"],
        sql: Sql("SELECT merchant_id, id, pending, open, count(*) OVER () FROM invoices \
             WHERE pending < 0 OR pending > open ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 3,
        what: "what an invoice has paid is not the sum of its allocations",
        prefix: "inv_",
        figures: ["paid", "allocated"],
        sql: Sql(
            "SELECT i.merchant_id, i.id, i.paid, COALESCE(a.minor, 0), count(*) OVER () FROM invoices i \
             LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor \
             FROM allocations WHERE amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, invoice_id) a \
             ON a.merchant_id = i.merchant_id AND a.invoice_id = i.id \
             WHERE i.paid <> COALESCE(a.minor, 0) ORDER BY i.merchant_id, i.id LIMIT 20",
        ),
    },
    Check {
        invariant: 23,
        what: "a live reservation stands on an invoice that is void or a draft",
        prefix: "inv_",
        figures: ["reserved", ""],
        sql: Sql(
            "SELECT i.merchant_id, i.id, r.amount, CAST(NULL AS BIGINT), count(*) OVER () FROM reservations r \
             JOIN invoices i ON i.merchant_id = r.merchant_id AND i.id = r.invoice_id \
             WHERE r.state = 'live' AND i.lifecycle IN ('void', 'draft') \
             ORDER BY i.merchant_id, i.id LIMIT 20",
        ),
    },
    Check {
        invariant: 23,
        what: "an allocation stands on an invoice that is void or a draft",
        prefix: "inv_",
        figures: ["allocated", ""],
        sql: Sql("SELECT merchant_id, id, minor, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT i.merchant_id, i.id, CAST(SUM(a.amount) AS BIGINT) AS minor FROM invoices i \
             JOIN allocations a ON a.merchant_id = i.merchant_id AND a.invoice_id = i.id \
             WHERE i.lifecycle IN ('void', 'draft') AND a.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY i.merchant_id, i.id) s WHERE minor <> 0 \
             ORDER BY merchant_id, id LIMIT 20"),
    },
];
