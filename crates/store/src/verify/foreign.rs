//! References: invariant 22. Each is followed under the row's own merchant, so one that leads to another merchant's
//! row leads nowhere; so does one whose row is gone.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 22,
        what: "a contact refers to a customer that its merchant does not have",
        prefix: "con_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM contacts c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an invoice refers to a customer that its merchant does not have",
        prefix: "inv_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM invoices c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a line of an invoice refers to a invoice that its merchant does not have",
        prefix: "inv_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.invoice_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM invoice_lines c WHERE NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             ORDER BY c.merchant_id, c.invoice_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a processor's name of a contact refers to a contact that its merchant does not have",
        prefix: "con_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.contact_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM processor_customers c WHERE NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id) \
             ORDER BY c.merchant_id, c.contact_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a payment link refers to a contact or invoice that its merchant does not have",
        prefix: "lnk_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM links c WHERE NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             OR (c.contact_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a payment refers to a customer that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a payment refers to a contact that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments c WHERE c.contact_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a payment refers to a link that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments c WHERE c.link_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM links p WHERE p.merchant_id = c.merchant_id AND p.id = c.link_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a reservation refers to a payment that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM reservations c WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a reservation refers to an invoice that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM reservations c WHERE NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a step of a payment's history refers to a payment that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payment_states c WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "an attempt refers to a payment that its merchant does not have",
        prefix: "att_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM attempts c WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an entry refers to a posting that its merchant does not have",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.posting_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM entries c WHERE NOT EXISTS (SELECT 1 FROM postings p WHERE p.merchant_id = c.merchant_id AND p.id = c.posting_id) \
             ORDER BY c.merchant_id, c.posting_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "an entry refers to a customer that its merchant does not have",
        prefix: "pst_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.posting_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM entries c WHERE c.customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             ORDER BY c.merchant_id, c.posting_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a grant refers to a customer or invoice or payment that its merchant does not have",
        prefix: "grt_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM grants c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             OR (c.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id)) \
             OR (c.credit_note_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credit_notes p WHERE p.merchant_id = c.merchant_id AND p.id = c.credit_note_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an allocation refers to a payment that its merchant does not have",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations c WHERE c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an allocation refers to an invoice that its merchant does not have",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations c WHERE NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an allocation refers to a posting that its merchant does not have",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations c WHERE NOT EXISTS (SELECT 1 FROM postings p WHERE p.merchant_id = c.merchant_id AND p.id = c.posting_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an allocation refers to a grant that its merchant does not have",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations c WHERE c.grant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants p WHERE p.merchant_id = c.merchant_id AND p.id = c.grant_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "an allocation refers to an application of credit that its merchant does not have",
        prefix: "alc_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM allocations c WHERE c.application_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM credit_applications p WHERE p.merchant_id = c.merchant_id AND p.id = c.application_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a receipt refers to a payment that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM receipts c WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a line of a receipt refers to a receipt that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM receipt_lines c WHERE NOT EXISTS (SELECT 1 FROM receipts p WHERE p.merchant_id = c.merchant_id AND p.payment_id = c.payment_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a line of a receipt refers to an invoice that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM receipt_lines c WHERE NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "an anomaly record refers to a payment that its merchant does not have",
        prefix: "ano_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM anomalies c WHERE (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "the closing of an anomaly refers to one that its merchant does not have",
        prefix: "ano_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.anomaly_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM anomaly_closings c WHERE NOT EXISTS (SELECT 1 FROM anomalies p WHERE p.merchant_id = c.merchant_id AND p.id = c.anomaly_id) \
             ORDER BY c.merchant_id, c.anomaly_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "an event refers to a invoice or payment that its merchant does not have",
        prefix: "evt_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM events c WHERE (c.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id)) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a mail refers to a invoice or link or payment that its merchant does not have",
        prefix: "mai_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM mails c WHERE (c.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id)) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             OR (c.link_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM links p WHERE p.merchant_id = c.merchant_id AND p.id = c.link_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a saved method refers to a contact, customer or mandate that its merchant does not have",
        prefix: "pmt_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payment_methods c WHERE NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id \
             AND p.customer_id = c.customer_id) \
             OR (c.mandate_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM mandates p WHERE p.merchant_id = c.merchant_id AND p.id = c.mandate_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a payment refers to a saved method that its customer does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments c WHERE c.payment_method_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payment_methods p \
             WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_method_id AND p.customer_id = c.customer_id) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a mandate refers to a customer, contact, payment or setup that its merchant does not have",
        prefix: "man_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM mandates c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             OR (c.setup_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM setups p WHERE p.merchant_id = c.merchant_id AND p.id = c.setup_id)) \
             OR (c.contact_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "the word of a person on a payment refers to one that its merchant does not have",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM resolutions c WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id) \
             ORDER BY c.merchant_id, c.payment_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a setup refers to a contact or saved method that its merchant does not have",
        prefix: "stp_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM setups c WHERE NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id) \
             OR (c.payment_method_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payment_methods p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_method_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a session refers to a contact that its merchant does not have",
        prefix: "session ",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.token_hash, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM sessions c WHERE (c.contact_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM contacts p WHERE p.merchant_id = c.merchant_id AND p.id = c.contact_id)) \
             ORDER BY c.merchant_id, c.token_hash LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "an invoice opened by a link refers to a invoice or link or session that its merchant does not have",
        prefix: "inv_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.invoice_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM session_invoices c WHERE NOT EXISTS (SELECT 1 FROM sessions p WHERE p.merchant_id = c.merchant_id AND p.token_hash = c.token_hash) \
             OR NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id) \
             OR NOT EXISTS (SELECT 1 FROM links p WHERE p.merchant_id = c.merchant_id AND p.id = c.link_id) \
             ORDER BY c.merchant_id, c.invoice_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a surcharge refers to a customer that its merchant does not have",
        prefix: "cus_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.subject, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM surcharges c WHERE c.scope = 'customer' AND NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.subject) \
             ORDER BY c.merchant_id, c.subject LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a refund refers to a customer or invoice or payment that its merchant does not have",
        prefix: "rfd_",
        figures: ["", ""],
        sql: Sql("SELECT c.merchant_id, c.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM refunds c WHERE NOT EXISTS (SELECT 1 FROM customers p WHERE p.merchant_id = c.merchant_id AND p.id = c.customer_id) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             OR (c.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id)) \
             ORDER BY c.merchant_id, c.id LIMIT 20"),
    },
    Check {
        invariant: 22,
        what: "a part of a refund refers to a grant or invoice or payment or refund that its merchant does not have",
        prefix: "rfd_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.refund_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM refund_parts c WHERE NOT EXISTS (SELECT 1 FROM refunds p WHERE p.merchant_id = c.merchant_id AND p.id = c.refund_id) \
             OR (c.payment_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.merchant_id = c.merchant_id AND p.id = c.payment_id)) \
             OR (c.invoice_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM invoices p WHERE p.merchant_id = c.merchant_id AND p.id = c.invoice_id)) \
             OR (c.grant_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM grants p WHERE p.merchant_id = c.merchant_id AND p.id = c.grant_id)) \
             ORDER BY c.merchant_id, c.refund_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "a step of a refund's history refers to a refund that its merchant does not have",
        prefix: "rfd_",
        figures: ["", ""],
        sql: Sql(
            "SELECT c.merchant_id, c.refund_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM refund_states c WHERE NOT EXISTS (SELECT 1 FROM refunds p WHERE p.merchant_id = c.merchant_id AND p.id = c.refund_id) \
             ORDER BY c.merchant_id, c.refund_id LIMIT 20",
        ),
    },
    Check {
        invariant: 22,
        what: "rows belong to a merchant that does not exist",
        prefix: "",
        figures: ["rows", ""],
        sql: Sql("SELECT merchant_id, place, rows_there, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT r.merchant_id, r.place, count(*) AS rows_there FROM (\
             SELECT 'customers' AS place, merchant_id FROM customers \
             UNION ALL SELECT 'processor_accounts' AS place, merchant_id FROM processor_accounts \
             UNION ALL SELECT 'surcharges' AS place, merchant_id FROM surcharges \
             UNION ALL SELECT 'refund_limits' AS place, merchant_id FROM refund_limits \
             UNION ALL SELECT 'policies' AS place, merchant_id FROM policies \
             UNION ALL SELECT 'idempotency' AS place, merchant_id FROM idempotency \
             UNION ALL SELECT 'postings' AS place, merchant_id FROM postings \
             UNION ALL SELECT 'seals' AS place, merchant_id FROM seals \
             UNION ALL SELECT 'audit' AS place, merchant_id FROM audit \
             UNION ALL SELECT 'debit_cut_offs' AS place, merchant_id FROM debit_cut_offs \
             UNION ALL SELECT 'inbox' AS place, merchant_id FROM inbox \
             UNION ALL SELECT 'api_keys' AS place, merchant_id FROM api_keys \
             UNION ALL SELECT 'numberings' AS place, merchant_id FROM numberings \
             UNION ALL SELECT 'offered_methods' AS place, merchant_id FROM offered_methods \
             UNION ALL SELECT 'anomalies' AS place, merchant_id FROM anomalies \
             UNION ALL SELECT 'events' AS place, merchant_id FROM events \
             UNION ALL SELECT 'mails' AS place, merchant_id FROM mails \
             UNION ALL SELECT 'jobs' AS place, merchant_id FROM jobs \
             UNION ALL SELECT 'signins' AS place, merchant_id FROM signins) r \
             WHERE NOT EXISTS (SELECT 1 FROM merchants m WHERE m.merchant_id = r.merchant_id) \
             GROUP BY r.merchant_id, r.place) v ORDER BY 1, 2 LIMIT 20"),
    },
];
