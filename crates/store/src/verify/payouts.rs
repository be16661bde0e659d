//! Payouts: invariants 14 (account 1300), 15 and 17.

use super::{Check, VerifyReport, found, run};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::PayoutId;
use billing::payout::PayoutState;

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
    Check {
        invariant: 17,
        what: "the history of a payout has a gap or a number twice, or does not begin with 1",
        prefix: "pyt_",
        figures: ["steps", "last number"],
        sql: Sql("SELECT merchant_id, payout_id, steps, highest, count(*) OVER () FROM (\
             SELECT merchant_id, payout_id, count(*) AS steps, MAX(number) AS highest, MIN(number) AS lowest, \
             count(DISTINCT number) AS numbers FROM payout_states GROUP BY merchant_id, payout_id) h \
             WHERE steps <> highest OR lowest <> 1 OR numbers <> steps ORDER BY merchant_id, payout_id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "the history of a payout does not end in its state, or there is none",
        prefix: "pyt_",
        figures: ["", ""],
        sql: Sql("SELECT p.merchant_id, p.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM payouts p WHERE p.state <> COALESCE((SELECT s.state FROM payout_states s \
             WHERE s.merchant_id = p.merchant_id AND s.payout_id = p.id ORDER BY s.number DESC LIMIT 1), '') \
             ORDER BY p.merchant_id, p.id LIMIT 20"),
    },
    Check {
        invariant: 17,
        what: "a step of a payout is earlier than the one before it",
        prefix: "pyt_",
        figures: ["step", ""],
        sql: Sql("SELECT merchant_id, payout_id, number, CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, payout_id, number, at, LAG(at) OVER (\
             PARTITION BY merchant_id, payout_id ORDER BY number) AS before_at FROM payout_states) s \
             WHERE at < before_at ORDER BY merchant_id, payout_id, number LIMIT 20"),
    },
];

const STEPS: Sql = Sql("SELECT DISTINCT before_state, state FROM (SELECT state, LAG(state) OVER (\
     PARTITION BY merchant_id, payout_id ORDER BY number) AS before_state FROM payout_states) s \
     WHERE before_state IS NOT NULL ORDER BY before_state, state");
const PAYOUTS_WITH_STEP: Sql =
    Sql("SELECT merchant_id, payout_id FROM (SELECT merchant_id, payout_id, state, LAG(state) OVER (\
     PARTITION BY merchant_id, payout_id ORDER BY number) AS before_state FROM payout_states) s \
     WHERE before_state = $1 AND state = $2 ORDER BY merchant_id, payout_id");

/// Whether a step is allowed is asked of the transition table itself.
pub(super) async fn check(tx: &mut Tx, report: &mut VerifyReport) -> Result<()> {
    run(tx, BEYOND_SUMS, report).await?;
    run(tx, CHECKS, report).await?;
    let steps = tx.fetch_all(STEPS, args![], |row| Ok((row.text(0)?, row.text(1)?))).await?;
    for (before, after) in steps.iter().filter(|(before, after)| !is_allowed(before, after)) {
        let rows = tx
            .fetch_all(PAYOUTS_WITH_STEP, args![before, after], |row| {
                Ok(format!("{} of mer_{}", PayoutId::from_bytes(row.bytes16(1)?), row.i64(0)?))
            })
            .await?;
        found(report, 17, &format!("the history of a payout has the step from {before} to {after}"), rows);
    }
    Ok(())
}

fn is_allowed(before: &str, after: &str) -> bool {
    let (before, after) = (PayoutState::parse(before), PayoutState::parse(after));
    before.zip(after).is_some_and(|(before, after)| before.may_become(after))
}
