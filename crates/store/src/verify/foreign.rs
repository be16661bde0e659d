//! References: invariant 22. Each is followed under the row's own merchant, so one that leads to another merchant's
//! row leads nowhere; so does one whose row is gone.

use super::Check;
use crate::db::Sql;

/// The check that each key of a table leads to a row of the same merchant. A key that is NULL leads nowhere, and is no finding.
macro_rules! refers {
    ($what:literal, $prefix:literal, $table:literal . $id:literal:
     $($column:literal -> $parent:literal . $key:literal $(and $also:literal)?),+) => {
        Check {
            invariant: 22,
            what: concat!($what, " that its merchant does not have"),
            prefix: $prefix,
            figures: ["", ""],
            sql: Sql(concat!(
                "SELECT c.merchant_id, c.", $id, ", CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM ",
                $table, " c WHERE FALSE",
                $(" OR (c.", $column, " IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ", $parent,
                  " p WHERE p.merchant_id = c.merchant_id AND p.", $key, " = c.", $column, $(" AND ", $also,)? "))",)+
                " ORDER BY c.merchant_id, c.", $id, " LIMIT 20"
            )),
        }
    };
}

pub(super) const CHECKS: &[Check] = &[
    refers!("a contact refers to a customer", "con_", "contacts"."id": "customer_id" -> "customers"."id"),
    refers!("an invoice refers to a customer", "inv_", "invoices"."id": "customer_id" -> "customers"."id"),
    refers!("a line of an invoice refers to an invoice", "inv_", "invoice_lines"."invoice_id":
        "invoice_id" -> "invoices"."id"),
    refers!("a processor's name of a contact refers to a contact", "con_", "processor_customers"."contact_id":
        "contact_id" -> "contacts"."id"),
    refers!("a payment link refers to a contact or invoice", "lnk_", "links"."id":
        "invoice_id" -> "invoices"."id",
        "contact_id" -> "contacts"."id"),
    refers!("a payment refers to a customer", "pay_", "payments"."id": "customer_id" -> "customers"."id"),
    refers!("a payment refers to a contact", "pay_", "payments"."id": "contact_id" -> "contacts"."id"),
    refers!("a payment refers to a link", "pay_", "payments"."id": "link_id" -> "links"."id"),
    refers!("a reservation refers to a payment", "pay_", "reservations"."payment_id":
        "payment_id" -> "payments"."id"),
    refers!("a reservation refers to an invoice", "pay_", "reservations"."payment_id":
        "invoice_id" -> "invoices"."id"),
    refers!("a step of a payment's history refers to a payment", "pay_", "payment_states"."payment_id":
        "payment_id" -> "payments"."id"),
    refers!("an attempt refers to a payment", "att_", "attempts"."id": "payment_id" -> "payments"."id"),
    refers!("an entry refers to a posting", "pst_", "entries"."posting_id": "posting_id" -> "postings"."id"),
    refers!("an entry refers to a customer", "pst_", "entries"."posting_id": "customer_id" -> "customers"."id"),
    refers!("a grant refers to a customer or invoice or payment", "grt_", "grants"."id":
        "customer_id" -> "customers"."id",
        "payment_id" -> "payments"."id",
        "invoice_id" -> "invoices"."id",
        "credit_note_id" -> "credit_notes"."id"),
    refers!("an allocation refers to a payment", "alc_", "allocations"."id": "payment_id" -> "payments"."id"),
    refers!("an allocation refers to an invoice", "alc_", "allocations"."id": "invoice_id" -> "invoices"."id"),
    refers!("an allocation refers to a posting", "alc_", "allocations"."id": "posting_id" -> "postings"."id"),
    refers!("an allocation refers to a grant", "alc_", "allocations"."id": "grant_id" -> "grants"."id"),
    refers!("an allocation refers to an application of credit", "alc_", "allocations"."id":
        "application_id" -> "credit_applications"."id"),
    refers!("a receipt refers to a payment", "pay_", "receipts"."payment_id": "payment_id" -> "payments"."id"),
    refers!("a line of a receipt refers to a receipt", "pay_", "receipt_lines"."payment_id":
        "payment_id" -> "receipts"."payment_id"),
    refers!("a line of a receipt refers to an invoice", "pay_", "receipt_lines"."payment_id":
        "invoice_id" -> "invoices"."id"),
    refers!("an anomaly record refers to a payment", "ano_", "anomalies"."id": "payment_id" -> "payments"."id"),
    refers!("the closing of an anomaly refers to one", "ano_", "anomaly_closings"."anomaly_id":
        "anomaly_id" -> "anomalies"."id"),
    refers!("an event refers to an invoice or payment", "evt_", "events"."id":
        "invoice_id" -> "invoices"."id",
        "payment_id" -> "payments"."id"),
    refers!("a mail refers to an invoice or link or payment", "mai_", "mails"."id":
        "invoice_id" -> "invoices"."id",
        "payment_id" -> "payments"."id",
        "link_id" -> "links"."id"),
    refers!("a saved method refers to a contact, customer or mandate", "pmt_", "payment_methods"."id":
        "contact_id" -> "contacts"."id" and "p.customer_id = c.customer_id",
        "mandate_id" -> "mandates"."id"),
    refers!("a payment refers to a saved method of its customer", "pay_", "payments"."id":
        "payment_method_id" -> "payment_methods"."id" and "p.customer_id = c.customer_id"),
    refers!("a mandate refers to a customer, contact, payment or setup", "man_", "mandates"."id":
        "customer_id" -> "customers"."id",
        "payment_id" -> "payments"."id",
        "setup_id" -> "setups"."id",
        "contact_id" -> "contacts"."id"),
    refers!("the word of a person on a payment refers to one", "pay_", "resolutions"."payment_id":
        "payment_id" -> "payments"."id"),
    refers!("a proposal to settle a payment refers to one", "pay_", "resolution_proposals"."payment_id":
        "payment_id" -> "payments"."id"),
    refers!("a reversal refers to a payment or receipt", "pay_", "reversals"."id":
        "payment_id" -> "payments"."id",
        "receipt_id" -> "unmatched_receipts"."id"),
    refers!("a payment presents one again", "pay_", "payments"."id": "retry_of" -> "payments"."id"),
    refers!("a setup refers to a contact or saved method", "stp_", "setups"."id":
        "contact_id" -> "contacts"."id",
        "payment_method_id" -> "payment_methods"."id"),
    refers!("a session refers to a contact", "session ", "sessions"."token_hash": "contact_id" -> "contacts"."id"),
    refers!("an invoice opened by a link refers to an invoice or link or session", "inv_", "session_invoices"."invoice_id":
        "token_hash" -> "sessions"."token_hash",
        "invoice_id" -> "invoices"."id",
        "link_id" -> "links"."id"),
    refers!("a refund refers to a customer or invoice or payment", "rfd_", "refunds"."id":
        "customer_id" -> "customers"."id",
        "payment_id" -> "payments"."id",
        "invoice_id" -> "invoices"."id"),
    refers!("a part of a refund refers to a grant or invoice or payment or refund", "rfd_", "refund_parts"."refund_id":
        "refund_id" -> "refunds"."id",
        "payment_id" -> "payments"."id",
        "invoice_id" -> "invoices"."id",
        "grant_id" -> "grants"."id"),
    refers!("a step of a refund's history refers to a refund", "rfd_", "refund_states"."refund_id":
        "refund_id" -> "refunds"."id"),
    refers!("a dispute refers to a payment", "dsp_", "disputes"."id": "payment_id" -> "payments"."id"),
    refers!("a step of a dispute's history refers to a dispute", "dsp_", "dispute_states"."dispute_id":
        "dispute_id" -> "disputes"."id"),
    refers!("evidence refers to a dispute", "dsp_", "evidence"."dispute_id": "dispute_id" -> "disputes"."id"),
    refers!("a file of evidence refers to a dispute", "dsp_", "evidence_files"."dispute_id":
        "dispute_id" -> "disputes"."id"),
    refers!("an item of a payout refers to a payment or payout", "", "payout_items"."line_id":
        "payout_id" -> "payouts"."id",
        "payment_id" -> "payments"."id"),
    refers!("a step of a payout's history refers to a payout", "pyt_", "payout_states"."payout_id":
        "payout_id" -> "payouts"."id"),
    refers!("a credit note refers to a customer, invoice or posting", "crn_", "credit_notes"."id":
        "customer_id" -> "customers"."id",
        "invoice_id" -> "invoices"."id",
        "posting_id" -> "postings"."id"),
    refers!("a tax of a credit note refers to a credit note", "crn_", "credit_note_taxes"."credit_note_id":
        "credit_note_id" -> "credit_notes"."id"),
    refers!("a write-off refers to an invoice, payment or posting", "wof_", "write_offs"."id":
        "invoice_id" -> "invoices"."id",
        "payment_id" -> "payments"."id",
        "posting_id" -> "postings"."id"),
    refers!("an application of credit refers to a contact, customer or invoice", "cap_", "credit_applications"."id":
        "customer_id" -> "customers"."id",
        "invoice_id" -> "invoices"."id",
        "contact_id" -> "contacts"."id"),
    refers!("a receipt without a payer refers to a customer", "pay_", "unmatched_receipts"."id":
        "customer_id" -> "customers"."id"),
    refers!("a demand of a returned payment refers to a customer or invoice", "inv_", "returned_payment_demands"."invoice_id":
        "customer_id" -> "customers"."id",
        "invoice_id" -> "invoices"."id"),
    refers!("a proof by small deposits refers to a payment", "pay_", "verifications"."payment_id":
        "payment_id" -> "payments"."id"),
    refers!("a proof by small deposits refers to a setup", "stp_", "verifications"."setup_id":
        "setup_id" -> "setups"."id"),
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
             UNION ALL SELECT 'disputes' AS place, merchant_id FROM disputes \
             UNION ALL SELECT 'dispute_settings' AS place, merchant_id FROM dispute_settings \
             UNION ALL SELECT 'payouts' AS place, merchant_id FROM payouts \
             UNION ALL SELECT 'unmatched_receipts' AS place, merchant_id FROM unmatched_receipts \
             UNION ALL SELECT 'merchant_links' AS place, merchant_id FROM merchant_links \
             UNION ALL SELECT 'signins' AS place, merchant_id FROM signins) r \
             WHERE NOT EXISTS (SELECT 1 FROM merchants m WHERE m.merchant_id = r.merchant_id) \
             GROUP BY r.merchant_id, r.place) v ORDER BY 1, 2 LIMIT 20"),
    },
];
