//! Payments that people settled by hand: invariant 24. One person alone settles none, but for taking a word back that the
//! processor itself contradicts.

use super::Check;
use crate::db::Sql;

pub(super) const CHECKS: &[Check] = &[Check {
    invariant: 24,
    what: "a payment was settled by hand, and no second person had said the same before",
    prefix: "pay_",
    figures: ["", ""],
    sql: Sql(
        "SELECT r.merchant_id, r.payment_id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM resolutions r WHERE r.state <> 'returned' AND NOT EXISTS (SELECT 1 FROM resolution_proposals p \
             WHERE p.merchant_id = r.merchant_id AND p.payment_id = r.payment_id AND p.state = r.state \
             AND p.actor <> r.actor AND p.at <= r.at) \
             ORDER BY r.merchant_id, r.payment_id LIMIT 20",
    ),
}];
