//! Debits that are presented again after they came back: invariant 27. What was called off or refused before anything was sent
//! was never presented.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 27,
        what: "a debit was presented again more than twice",
        prefix: "pay_",
        figures: ["times", ""],
        sql: Sql("SELECT merchant_id, retry_of, times, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, retry_of, count(*) AS times FROM payments \
             WHERE retry_of IS NOT NULL AND state <> 'canceled' \
             AND NOT (state = 'failed' AND COALESCE(ending, '') = 'refused') \
             GROUP BY merchant_id, retry_of HAVING count(*) > 2) r ORDER BY merchant_id, retry_of LIMIT 20"),
    },
    Check {
        invariant: 27,
        what: "a debit was presented again for another amount, by other means or for somebody else",
        prefix: "pay_",
        figures: ["first", "again"],
        sql: Sql(
            "SELECT y.merchant_id, y.id, f.amount + f.surcharge, y.amount + y.surcharge, count(*) OVER () \
             FROM payments y JOIN payments f ON f.merchant_id = y.merchant_id AND f.id = y.retry_of \
             WHERE y.amount <> f.amount OR y.surcharge <> f.surcharge OR y.currency <> f.currency \
             OR y.method <> f.method OR y.customer_id <> f.customer_id \
             ORDER BY y.merchant_id, y.id LIMIT 20",
        ),
    },
    Check {
        invariant: 27,
        what: "a debit was presented again that had not come back, or after more than 180 days, or what it names is itself a second try",
        prefix: "pay_",
        figures: ["", ""],
        sql: Sql("SELECT y.merchant_id, y.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payments y JOIN payments f ON f.merchant_id = y.merchant_id AND f.id = y.retry_of \
             WHERE f.retry_of IS NOT NULL OR f.method NOT IN ('us_bank_account', 'sepa_debit') \
             OR COALESCE(y.send_at, y.created_at) - COALESCE(f.send_at, f.created_at) > 15552000000000 \
             OR NOT EXISTS (SELECT 1 FROM payment_states s WHERE s.merchant_id = f.merchant_id AND s.payment_id = f.id \
             AND s.state IN ('failed', 'returned')) \
             ORDER BY y.merchant_id, y.id LIMIT 20"),
    },
];
