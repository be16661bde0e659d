//! Credit notes, write-offs, applications of credit, receipts without a payer and demands of returned payments, each against its
//! posting: invariants 3, 6, 12, 16 and 22.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 6,
        what: "a credit note is not what its posting took off the invoice, revenue, tax and credit",
        prefix: "crn_",
        figures: ["amount", "posted"],
        sql: Sql("SELECT merchant_id, id, amount, posted, count(*) OVER () FROM (\
             SELECT n.merchant_id, n.id, n.amount, COALESCE(e.net, 0) + COALESCE(e.tax, 0) AS posted FROM credit_notes n \
             LEFT JOIN postings p ON p.merchant_id = n.merchant_id AND p.id = n.posting_id AND p.currency = n.currency \
             AND p.cause_kind = 'credit_note' \
             LEFT JOIN (SELECT merchant_id, posting_id, \
             CAST(SUM(CASE WHEN account = 4050 AND side = 'debit' THEN amount ELSE 0 END) AS BIGINT) AS net, \
             CAST(SUM(CASE WHEN account = 2200 AND side = 'debit' THEN amount ELSE 0 END) AS BIGINT) AS tax, \
             CAST(SUM(CASE WHEN account = 1100 AND side = 'credit' THEN amount ELSE 0 END) AS BIGINT) AS owed, \
             CAST(SUM(CASE WHEN account = 2100 AND side = 'credit' THEN amount ELSE 0 END) AS BIGINT) AS granted \
             FROM entries WHERE account IN (4050, 2200, 1100, 2100) \
             AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY merchant_id, posting_id) e \
             ON e.merchant_id = p.merchant_id AND e.posting_id = p.id \
             WHERE n.amount <= 999999999999999 AND (e.net IS NULL OR n.amount - n.tax <> e.net OR n.tax <> e.tax \
             OR n.to_invoice <> e.owed OR n.amount - n.to_invoice <> e.granted)) v ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 6,
        what: "a posting of a credit note has no credit note, or one of another invoice",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql(
            "SELECT p.merchant_id, p.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM postings p \
             WHERE p.cause_kind = 'credit_note' AND NOT EXISTS (SELECT 1 FROM credit_notes n \
             WHERE n.merchant_id = p.merchant_id AND n.posting_id = p.id AND NOT EXISTS (SELECT 1 FROM entries e \
             WHERE e.merchant_id = p.merchant_id AND e.posting_id = p.id AND e.account = 1100 \
             AND e.subject <> n.invoice_id)) ORDER BY p.merchant_id, p.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "the tax of a credit note is not the sum of its taxes",
        prefix: "crn_",
        figures: ["tax", "taxes"],
        sql: Sql(
            "SELECT n.merchant_id, n.id, n.tax, COALESCE(t.minor, 0), count(*) OVER () FROM credit_notes n \
             LEFT JOIN (SELECT merchant_id, credit_note_id, CAST(SUM(amount) AS BIGINT) AS minor FROM credit_note_taxes \
             WHERE amount <= 999999999999999 GROUP BY merchant_id, credit_note_id) t \
             ON t.merchant_id = n.merchant_id AND t.credit_note_id = n.id \
             WHERE n.tax <> COALESCE(t.minor, 0) ORDER BY n.merchant_id, n.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "more tax of a rate was credited than an invoice charged",
        prefix: "inv_",
        figures: ["credited", "charged"],
        sql: Sql("SELECT merchant_id, invoice_id, credited, charged, count(*) OVER () FROM (\
             SELECT n.merchant_id, n.invoice_id, t.tax_rate, CAST(SUM(t.amount) AS BIGINT) AS credited, \
             COALESCE((SELECT CAST(SUM(l.tax) AS BIGINT) FROM invoice_lines l WHERE l.merchant_id = n.merchant_id \
             AND l.invoice_id = n.invoice_id AND l.tax_rate = t.tax_rate), 0) AS charged FROM credit_notes n \
             JOIN credit_note_taxes t ON t.merchant_id = n.merchant_id AND t.credit_note_id = n.id \
             WHERE t.amount <= 999999999999999 GROUP BY n.merchant_id, n.invoice_id, t.tax_rate) v \
             WHERE credited > charged ORDER BY merchant_id, invoice_id LIMIT 20"),
    },
    Check {
        invariant: 6,
        what: "more was credited and written off of an invoice than it asked for",
        prefix: "inv_",
        figures: ["credited and written off", "total"],
        sql: Sql("SELECT merchant_id, id, reduced, total, count(*) OVER () FROM (\
             SELECT i.merchant_id, i.id, i.total, COALESCE(c.minor, 0) + COALESCE(w.minor, 0) AS reduced FROM invoices i \
             LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor FROM credit_notes \
             WHERE amount <= 999999999999999 GROUP BY merchant_id, invoice_id) c \
             ON c.merchant_id = i.merchant_id AND c.invoice_id = i.id \
             LEFT JOIN (SELECT merchant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS minor FROM write_offs \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY merchant_id, invoice_id) w \
             ON w.merchant_id = i.merchant_id AND w.invoice_id = i.id) v \
             WHERE reduced > total ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 6,
        what: "a credit note or a write-off is in another currency than its invoice",
        prefix: "inv_",
        figures: ["", ""],
        sql: Sql(
            "SELECT i.merchant_id, i.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM invoices i \
             WHERE EXISTS (SELECT 1 FROM credit_notes n WHERE n.merchant_id = i.merchant_id AND n.invoice_id = i.id \
             AND (n.currency <> i.currency OR n.customer_id <> i.customer_id)) \
             OR EXISTS (SELECT 1 FROM write_offs w WHERE w.merchant_id = i.merchant_id AND w.invoice_id = i.id \
             AND w.currency <> i.currency) ORDER BY i.merchant_id, i.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "a write-off is not what its posting gave up or took back",
        prefix: "wof_",
        figures: ["amount", "posted"],
        sql: Sql(
            "SELECT w.merchant_id, w.id, w.amount, COALESCE(e.minor, 0), count(*) OVER () FROM write_offs w \
             LEFT JOIN (SELECT e.merchant_id, e.posting_id, e.subject, \
             CAST(SUM(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END) AS BIGINT) AS minor FROM entries e \
             WHERE e.account = 5200 AND e.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY e.merchant_id, e.posting_id, e.subject) e \
             ON e.merchant_id = w.merchant_id AND e.posting_id = w.posting_id AND e.subject = w.invoice_id \
             WHERE w.amount <> COALESCE(e.minor, 0) ORDER BY w.merchant_id, w.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "what is written off of an invoice is below 0, or not its bad debt",
        prefix: "inv_",
        figures: ["written off", "bad debt"],
        sql: Sql("SELECT merchant_id, subject, written_off, debt, count(*) OVER () FROM (\
             SELECT merchant_id, subject, CAST(SUM(written_off) AS BIGINT) AS written_off, \
             CAST(SUM(debt) AS BIGINT) AS debt FROM (\
             SELECT merchant_id, invoice_id AS subject, amount AS written_off, 0 AS debt FROM write_offs \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 UNION ALL \
             SELECT merchant_id, subject, 0, CASE side WHEN 'debit' THEN amount ELSE -amount END FROM entries \
             WHERE account = 5200 AND amount BETWEEN -999999999999999 AND 999999999999999) b \
             GROUP BY merchant_id, subject) s WHERE written_off <> debt OR written_off < 0 \
             ORDER BY merchant_id, subject LIMIT 20"),
    },
    Check {
        invariant: 16,
        what: "an application of credit is not the sum of its parts",
        prefix: "cap_",
        figures: ["applied", "parts"],
        sql: Sql(
            "SELECT c.merchant_id, c.id, c.amount, COALESCE(a.minor, 0), count(*) OVER () FROM credit_applications c \
             LEFT JOIN (SELECT a.merchant_id, a.application_id, a.invoice_id, CAST(SUM(a.amount) AS BIGINT) AS minor \
             FROM allocations a WHERE a.application_id IS NOT NULL \
             AND a.amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY a.merchant_id, a.application_id, a.invoice_id) a \
             ON a.merchant_id = c.merchant_id AND a.application_id = c.id AND a.invoice_id = c.invoice_id \
             WHERE c.amount <> COALESCE(a.minor, 0) ORDER BY c.merchant_id, c.id LIMIT 20",
        ),
    },
    Check {
        invariant: 16,
        what: "credit of one customer, or in another currency, stands on an invoice of another",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT a.merchant_id, a.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations a JOIN grants g ON g.merchant_id = a.merchant_id AND g.id = a.grant_id \
             JOIN invoices i ON i.merchant_id = a.merchant_id AND i.id = a.invoice_id \
             WHERE g.customer_id <> i.customer_id OR g.currency <> i.currency \
             ORDER BY a.merchant_id, a.id LIMIT 20"),
    },
    Check {
        invariant: 16,
        what: "more of a grant is spent on an invoice than was set against it, below 0",
        prefix: "grt_",
        figures: ["spent", ""],
        sql: Sql("SELECT merchant_id, grant_id, spent, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, grant_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS spent FROM allocations \
             WHERE payment_id IS NULL AND grant_id IS NOT NULL \
             AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, grant_id, invoice_id) s WHERE spent < 0 ORDER BY merchant_id, grant_id LIMIT 20"),
    },
    Check {
        invariant: 12,
        what: "less than 0 of a payment is set against an invoice",
        prefix: "pay_",
        figures: ["set against it", ""],
        sql: Sql("SELECT merchant_id, payment_id, net, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, payment_id, invoice_id, CAST(SUM(amount) AS BIGINT) AS net FROM allocations \
             WHERE payment_id IS NOT NULL AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, payment_id, invoice_id) s WHERE net < 0 ORDER BY merchant_id, payment_id LIMIT 20"),
    },
    Check {
        invariant: 3,
        what: "what has no place of a receipt is not the balance of its account",
        prefix: "pay_",
        figures: ["without a place", "balance"],
        sql: Sql(
            "SELECT u.merchant_id, u.id, u.remaining, COALESCE(b.minor, 0), count(*) OVER () FROM (SELECT merchant_id, id, \
             CASE WHEN reversed_at IS NULL THEN remaining ELSE 0 END AS remaining FROM unmatched_receipts) u \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) AS minor \
             FROM entries WHERE account = 2150 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) b ON b.merchant_id = u.merchant_id AND b.subject = u.id \
             WHERE u.remaining <> COALESCE(b.minor, 0) ORDER BY u.merchant_id, u.id LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "a receipt whose payer is known is no payment, or one of another customer, amount or currency",
        prefix: "pay_",
        figures: ["amount", "captured"],
        sql: Sql(
            "SELECT u.merchant_id, u.id, u.amount, y.captured, count(*) OVER () FROM unmatched_receipts u \
             LEFT JOIN payments y ON y.merchant_id = u.merchant_id AND y.id = u.id \
             WHERE (u.customer_id IS NULL AND y.id IS NOT NULL) OR (u.customer_id IS NOT NULL AND (y.id IS NULL \
             OR y.customer_id <> u.customer_id OR y.currency <> u.currency OR COALESCE(y.captured, 0) <> u.amount)) \
             ORDER BY u.merchant_id, u.id LIMIT 20",
        ),
    },
    Check {
        invariant: 6,
        what: "an invoice that demands a returned payment is not what account 1150 gave for it",
        prefix: "inv_",
        figures: ["total", "from 1150"],
        sql: Sql("SELECT merchant_id, invoice_id, total, given, count(*) OVER () FROM (\
             SELECT d.merchant_id, d.invoice_id, i.total, d.amount, i.tax, COALESCE((SELECT CAST(SUM(o.amount) AS BIGINT) \
             FROM entries e JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             AND p.cause_kind = 'invoice_issued' AND p.currency = d.currency \
             JOIN entries o ON o.merchant_id = e.merchant_id AND o.posting_id = e.posting_id AND o.account = 1150 \
             AND o.side = 'credit' AND o.customer_id = d.customer_id \
             WHERE e.merchant_id = d.merchant_id AND e.account = 1100 AND e.subject = d.invoice_id \
             AND e.side = 'debit' AND o.amount BETWEEN -999999999999999 AND 999999999999999), 0) AS given \
             FROM returned_payment_demands d JOIN invoices i ON i.merchant_id = d.merchant_id AND i.id = d.invoice_id) v \
             WHERE total <> given OR total <> amount OR tax <> 0 ORDER BY merchant_id, invoice_id LIMIT 20"),
    },
];
