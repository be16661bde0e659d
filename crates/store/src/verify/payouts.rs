//! Payouts: invariants 14 (account 1300) and 15.

use super::{Check, VerifyReport, run};
use crate::db::{Sql, Tx};
use anyhow::Result;

pub(super) const BEYOND_SUMS: &[Check] = &[
    Check {
        invariant: 15,
        what: "the amount of a payout has more than 15 digits; sums leave it out",
        prefix: "pyt_",
        figures: ["amount", "balance"],
        sql: Sql("SELECT merchant_id, id, amount, balance, count(*) OVER () FROM payouts \
             WHERE NOT (amount BETWEEN -999999999999999 AND 999999999999999 \
             AND balance BETWEEN -999999999999999 AND 999999999999999) ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 15,
        what: "the amount of a payout's item has more than 15 digits; sums leave it out",
        prefix: "",
        figures: ["amount", "net"],
        sql: Sql("SELECT merchant_id, line_id, amount, net, count(*) OVER () FROM payout_items \
             WHERE NOT (amount BETWEEN -999999999999999 AND 999999999999999 AND fee BETWEEN -999999999999999 \
             AND 999999999999999 AND net BETWEEN -999999999999999 AND 999999999999999) \
             ORDER BY merchant_id, line_id LIMIT 20"),
    },
];

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 14,
        what: "account 1300 does not hold what a payout has in flight",
        prefix: "pyt_",
        figures: ["in flight", "on 1300"],
        sql: Sql(
            "SELECT merchant_id, id, in_flight, held, count(*) OVER () FROM (SELECT p.merchant_id, p.id, \
             CASE WHEN p.state IN ('pending', 'in_transit') THEN p.amount ELSE 0 END AS in_flight, \
             COALESCE(s.rest, 0) AS held FROM payouts p LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS BIGINT) AS rest FROM entries \
             WHERE account = 1300 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) s ON s.merchant_id = p.merchant_id AND s.subject = p.id) v \
             WHERE in_flight <> held ORDER BY merchant_id, id LIMIT 20",
        ),
    },
    Check {
        invariant: 14,
        what: "an entry on account 1300 is of no payout, or in another currency than its payout",
        prefix: "pst_",
        figures: ["amount", ""],
        sql: Sql(
            "SELECT e.merchant_id, e.posting_id, e.amount, CAST(NULL AS BIGINT), count(*) OVER () FROM entries e \
             JOIN postings q ON q.merchant_id = e.merchant_id AND q.id = e.posting_id WHERE e.account = 1300 \
             AND NOT EXISTS (SELECT 1 FROM payouts p WHERE p.merchant_id = e.merchant_id AND p.id = e.subject \
             AND p.currency = q.currency) ORDER BY e.merchant_id, e.posting_id, e.line LIMIT 20",
        ),
    },
    Check {
        invariant: 14,
        what: "a payout of more than nothing has no posting",
        prefix: "pyt_",
        figures: ["amount", ""],
        sql: Sql(
            "SELECT p.merchant_id, p.id, p.amount, CAST(NULL AS BIGINT), count(*) OVER () FROM payouts p \
             WHERE p.amount <> 0 AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.merchant_id = p.merchant_id \
             AND e.account = 1300 AND e.subject = p.id) ORDER BY p.merchant_id, p.id LIMIT 20",
        ),
    },
    Check {
        invariant: 15,
        what: "a reconciled payout is not the sum of its items",
        prefix: "pyt_",
        figures: ["payout", "items"],
        sql: Sql(
            "SELECT merchant_id, id, balance, items, count(*) OVER () FROM (SELECT p.merchant_id, p.id, p.balance, \
             COALESCE(s.items, 0) AS items FROM payouts p LEFT JOIN (SELECT merchant_id, payout_id, \
             CAST(SUM(net) AS BIGINT) AS items FROM payout_items \
             WHERE net BETWEEN -999999999999999 AND 999999999999999 GROUP BY merchant_id, payout_id) s \
             ON s.merchant_id = p.merchant_id AND s.payout_id = p.id WHERE p.reconciled_at IS NOT NULL) v \
             WHERE balance <> items ORDER BY merchant_id, id LIMIT 20",
        ),
    },
    Check {
        invariant: 15,
        what: "an item of a reconciled payout is in another currency, or belongs to nothing",
        prefix: "",
        figures: ["net", ""],
        sql: Sql(
            "SELECT i.merchant_id, i.line_id, i.net, CAST(NULL AS BIGINT), count(*) OVER () FROM payout_items i \
             JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id \
             WHERE p.reconciled_at IS NOT NULL AND (i.about IS NULL OR i.currency <> p.balance_currency) \
             ORDER BY i.merchant_id, i.line_id LIMIT 20",
        ),
    },
    Check {
        invariant: 15,
        what: "an item is in a payout more than once, or in more than one",
        prefix: "",
        figures: ["times", ""],
        sql: Sql("SELECT merchant_id, line_id, times, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, line_id, count(*) AS times FROM payout_items GROUP BY merchant_id, line_id \
             HAVING count(*) > 1) d ORDER BY merchant_id, line_id LIMIT 20"),
    },
    Check {
        invariant: 15,
        what: "an item does not leave its amount less its fee",
        prefix: "",
        figures: ["amount", "net"],
        sql: Sql("SELECT merchant_id, line_id, amount, net, count(*) OVER () FROM payout_items \
             WHERE amount BETWEEN -999999999999999 AND 999999999999999 AND fee BETWEEN -999999999999999 \
             AND 999999999999999 AND net <> amount - fee ORDER BY merchant_id, line_id LIMIT 20"),
    },
    Check {
        invariant: 15,
        what: "a payout that a person asked for has items, or is reconciled",
        prefix: "pyt_",
        figures: ["", ""],
        sql: Sql("SELECT p.merchant_id, p.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payouts p WHERE p.is_automatic = 0 AND (p.reconciled_at IS NOT NULL OR EXISTS (\
             SELECT 1 FROM payout_items i WHERE i.merchant_id = p.merchant_id AND i.payout_id = p.id)) \
             ORDER BY p.merchant_id, p.id LIMIT 20"),
    },
];

pub(super) async fn check(tx: &mut Tx, report: &mut VerifyReport) -> Result<()> {
    run(tx, BEYOND_SUMS, report).await?;
    run(tx, CHECKS, report).await?;
    Ok(())
}
