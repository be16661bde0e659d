//! Recorded receipts that were taken out of the books again: invariant 9. Their postings are in [`super::places`] and, of
//! receipts that were nobody's, among the balances of [`super::reductions`].

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 9,
        what: "a recorded receipt is returned by its state and nobody reversed it, or it is not returned and somebody did",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments y LEFT JOIN reversals r ON r.merchant_id = y.merchant_id AND r.payment_id = y.id \
             WHERE y.method IN ('cheque', 'wire', 'cash') AND (y.state = 'returned') <> (r.id IS NOT NULL) \
             ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
    Check {
        invariant: 9,
        what: "a reversal is of a payment through a processor, or says another reason than its payment",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT r.merchant_id, r.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM reversals r JOIN payments y ON y.merchant_id = r.merchant_id AND y.id = r.payment_id \
             WHERE y.method NOT IN ('cheque', 'wire', 'cash') OR COALESCE(y.return_code, '') <> r.kind \
             ORDER BY r.merchant_id, r.id LIMIT 20"),
    },
    Check {
        invariant: 9,
        what: "a receipt that is nobody's is reversed and nobody says why, or somebody does and it is not",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT u.merchant_id, u.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM unmatched_receipts u LEFT JOIN reversals r ON r.merchant_id = u.merchant_id AND r.receipt_id = u.id \
             WHERE (u.reversed_at IS NOT NULL) <> (r.id IS NOT NULL) OR (r.id IS NOT NULL AND u.customer_id IS NOT NULL) \
             ORDER BY u.merchant_id, u.id LIMIT 20"),
    },
];
