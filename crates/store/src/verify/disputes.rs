//! Disputes against the ledger and their payments: what of invariants 9, 12, 14 and 24 is theirs.

use super::records::unaudited;
use super::{Check, VerifyReport, found, run};
use crate::audit::acts;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;

const CHECKS: &[Check] = &[
    Check {
        invariant: 12,
        what: "the amount of a dispute has more than 15 digits; sums leave it out",
        prefix: "dsp_",
        figures: ["amount", ""],
        sql: Sql("SELECT merchant_id, id, amount, CAST(NULL AS BIGINT), count(*) OVER () FROM disputes \
             WHERE amount > 999999999999999 ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 9,
        what: "a payment is charged back and something captured is left, or nothing is left of one that is not",
        prefix: "pay_",
        figures: ["captured", "charged back"],
        sql: Sql("SELECT merchant_id, id, captured, gone, count(*) OVER () FROM (\
             SELECT y.merchant_id, y.id, y.state, COALESCE(y.captured, 0) AS captured, \
             CAST(COALESCE(SUM(d.amount), 0) AS BIGINT) AS gone, \
             (SELECT CAST(COALESCE(SUM(p.amount), 0) AS BIGINT) FROM refund_parts p \
             JOIN refunds r ON r.merchant_id = p.merchant_id AND r.id = p.refund_id \
             WHERE p.merchant_id = y.merchant_id AND p.payment_id = y.id AND r.state NOT IN ('failed', 'canceled') \
             AND p.amount BETWEEN -999999999999999 AND 999999999999999) AS refunded FROM payments y \
             LEFT JOIN disputes d ON d.merchant_id = y.merchant_id AND d.payment_id = y.id \
             AND d.state IN ('lost', 'accepted') AND d.amount <= 999999999999999 \
             WHERE y.state IN ('succeeded', 'charged_back') AND (y.state = 'charged_back' OR d.id IS NOT NULL) \
             GROUP BY y.merchant_id, y.id, y.state, y.captured) v \
             WHERE (state = 'charged_back') <> (gone > 0 AND captured - refunded <= gone) \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 9,
        what: "a dispute is of a payment that was not captured by card, or in another currency than was captured",
        prefix: "dsp_",
        figures: ["", ""],
        sql: Sql(
            "SELECT d.merchant_id, d.id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM disputes d \
             JOIN payments y ON y.merchant_id = d.merchant_id AND y.id = d.payment_id \
             WHERE y.method <> 'card' OR y.state NOT IN ('succeeded', 'charged_back') \
             OR d.currency <> COALESCE(y.captured_currency, '') ORDER BY d.merchant_id, d.id LIMIT 20",
        ),
    },
    Check {
        invariant: 12,
        what: "what a dispute cost is not what its state and its meaning say",
        prefix: "dsp_",
        figures: ["amount", "on 5210"],
        sql: Sql("SELECT merchant_id, id, amount, loss, count(*) OVER () FROM (\
             SELECT d.merchant_id, d.id, d.state, d.amount, d.lost_as, COALESCE(e.minor, 0) AS loss FROM disputes d \
             LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS BIGINT) AS minor FROM entries \
             WHERE account = 5210 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) e ON e.merchant_id = d.merchant_id AND e.subject = d.id) v \
             WHERE (state IN ('lost', 'accepted') AND (lost_as IS NULL OR loss < 0 OR loss > amount \
             OR (lost_as = 'absorbed' AND loss <> amount))) \
             OR (state NOT IN ('lost', 'accepted') AND (lost_as IS NOT NULL OR loss <> 0)) \
             ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 14,
        what: "what account 1220 holds for a dispute is not what is withdrawn and undecided",
        prefix: "dsp_",
        figures: ["held", "should be"],
        sql: Sql("SELECT merchant_id, id, held, wanted, count(*) OVER () FROM (\
             SELECT d.merchant_id, d.id, COALESCE(e.minor, 0) AS held, \
             CASE WHEN d.state IN ('needs_response', 'under_review') THEN d.amount ELSE 0 END AS wanted \
             FROM disputes d LEFT JOIN (SELECT merchant_id, subject, \
             CAST(SUM(CASE side WHEN 'debit' THEN amount ELSE -amount END) AS BIGINT) AS minor FROM entries \
             WHERE account = 1220 AND amount BETWEEN -999999999999999 AND 999999999999999 \
             GROUP BY merchant_id, subject) e ON e.merchant_id = d.merchant_id AND e.subject = d.id \
             WHERE d.amount <= 999999999999999) v WHERE held <> wanted ORDER BY merchant_id, id LIMIT 20"),
    },
    Check {
        invariant: 14,
        what: "an entry on 1220 or 5210 names no dispute, or one in another currency",
        prefix: "pst_",
        figures: ["account", ""],
        sql: Sql(
            "SELECT e.merchant_id, e.posting_id, e.account, CAST(NULL AS BIGINT), count(*) OVER () FROM entries e \
             JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id \
             LEFT JOIN disputes d ON d.merchant_id = e.merchant_id AND d.id = e.subject \
             WHERE e.account IN (1220, 5210) AND (d.id IS NULL OR d.currency <> p.currency) \
             ORDER BY e.merchant_id, e.posting_id, e.line LIMIT 20",
        ),
    },
    Check {
        invariant: 24,
        what: "what a lost dispute means was set, and no audit row says by whom",
        prefix: "",
        figures: ["", ""],
        sql: Sql(
            "SELECT d.merchant_id, d.when_lost, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () \
             FROM dispute_settings d WHERE NOT EXISTS (SELECT 1 FROM audit a \
             WHERE a.merchant_id = d.merchant_id AND a.act = 'dispute_settings.set') ORDER BY 1 LIMIT 20",
        ),
    },
];

const SAID: Sql = Sql("SELECT DISTINCT dispute_id FROM evidence WHERE merchant_id = $1 AND dispute_id > $2
     ORDER BY dispute_id LIMIT $3");
const LET_BE: Sql =
    Sql("SELECT id FROM disputes WHERE merchant_id = $1 AND id > $2 AND accept_asked_at IS NOT NULL
     ORDER BY id LIMIT $3");
const CHOSEN: Sql =
    Sql("SELECT id FROM disputes WHERE merchant_id = $1 AND id > $2 AND when_lost IS NOT NULL
     ORDER BY id LIMIT $3");

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    run(tx, CHECKS, report).await?;
    let (mut said, mut let_be, mut chosen) = (Vec::new(), Vec::new(), Vec::new());
    for merchant in merchants {
        unaudited(tx, *merchant, (SAID, "dsp_", acts::DISPUTE_EVIDENCE), &mut said).await?;
        unaudited(tx, *merchant, (LET_BE, "dsp_", acts::DISPUTE_ACCEPT), &mut let_be).await?;
        unaudited(tx, *merchant, (CHOSEN, "dsp_", acts::DISPUTE_SET), &mut chosen).await?;
    }
    found(report, 24, "there is evidence against a dispute, and no audit row says who handed it in", said);
    found(report, 24, "a dispute was accepted, and no audit row says who did", let_be);
    found(report, 24, "what a dispute means was chosen, and no audit row says who did", chosen);
    Ok(())
}
