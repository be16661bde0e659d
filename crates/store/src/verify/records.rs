//! Records that are kept once, and the audit trail: invariants 19, 21 and 24.

use super::{Check, VerifyReport, found, printed};
use crate::args;
use crate::audit::acts;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use std::collections::HashSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        invariant: 19,
        what: "an event of a processor is in the inbox more than once",
        prefix: "",
        figures: ["rows", ""],
        sql: Sql(
            "SELECT merchant_id, processor || ' ' || event_id, rows_there, CAST(NULL AS BIGINT), count(*) OVER () \
             FROM (SELECT merchant_id, processor, event_id, count(*) AS rows_there FROM inbox \
             GROUP BY merchant_id, processor, event_id HAVING count(*) > 1) d ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 21,
        what: "an idempotency key of one owner and route has more than one request or resource",
        prefix: "",
        figures: ["rows", ""],
        sql: Sql(
            "SELECT merchant_id, owner || ' ' || route || ' ' || key, rows_there, CAST(NULL AS BIGINT), \
             count(*) OVER () FROM (SELECT merchant_id, owner, route, key, count(*) AS rows_there \
             FROM idempotency GROUP BY merchant_id, owner, route, key HAVING count(*) > 1) d \
             ORDER BY 1, 2 LIMIT 20",
        ),
    },
    Check {
        invariant: 24,
        what: "an audit row has no actor or no act",
        prefix: "aud_",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM audit \
             WHERE actor = '' OR act = '' ORDER BY merchant_id, id LIMIT 20",
        ),
    },
    Check {
        invariant: 24,
        what: "something was set or connected, and no audit row says by whom",
        prefix: "",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, act, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM (\
             SELECT merchant_id, 'policy.set' AS act FROM policies UNION \
             SELECT merchant_id, 'surcharge.set' FROM surcharges UNION \
             SELECT merchant_id, 'methods.set' FROM offered_methods UNION \
             SELECT merchant_id, 'cut_off.set' FROM debit_cut_offs UNION \
             SELECT merchant_id, 'processor.connect' FROM processor_accounts) d \
             WHERE NOT EXISTS (SELECT 1 FROM audit WHERE audit.merchant_id = d.merchant_id AND audit.act = d.act) \
             ORDER BY 1, 2 LIMIT 20",
        ),
    },
];

const PAGE: i64 = 10_000;

const VOIDED: Sql = Sql(
    "SELECT id FROM invoices WHERE merchant_id = $1 AND id > $2 AND lifecycle = 'void' ORDER BY id LIMIT $3",
);
const REVOKED: Sql =
    Sql("SELECT id, invoice_id FROM links WHERE merchant_id = $1 AND id > $2 AND revoked_at IS NOT NULL \
     ORDER BY id LIMIT $3");
const CLOSED: Sql = Sql(
    "SELECT anomaly_id FROM anomaly_closings WHERE merchant_id = $1 AND anomaly_id > $2 ORDER BY anomaly_id LIMIT $3",
);
const RECORDED: Sql = Sql(
    "SELECT id FROM payments WHERE merchant_id = $1 AND id > $2 AND method IN ('cheque', 'wire', 'cash') ORDER BY id LIMIT $3",
);
const CREDITED: Sql =
    Sql("SELECT id FROM credit_notes WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const WRITTEN_OFF: Sql =
    Sql("SELECT id FROM write_offs WHERE merchant_id = $1 AND id > $2 AND amount > 0 ORDER BY id LIMIT $3");
const APPLIED: Sql =
    Sql("SELECT id FROM credit_applications WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const UNMATCHED: Sql =
    Sql("SELECT id FROM unmatched_receipts WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const DEMANDED: Sql =
    Sql("SELECT invoice_id FROM returned_payment_demands WHERE merchant_id = $1 AND invoice_id > $2 \
     ORDER BY invoice_id LIMIT $3");
const RESOLVED: Sql =
    Sql("SELECT DISTINCT payment_id FROM resolutions WHERE merchant_id = $1 AND payment_id > $2 \
     ORDER BY payment_id LIMIT $3");
const PROPOSED: Sql =
    Sql("SELECT DISTINCT payment_id FROM resolution_proposals WHERE merchant_id = $1 AND payment_id > $2 \
     ORDER BY payment_id LIMIT $3");
const REVERSED: Sql = Sql("SELECT id FROM reversals WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
/// `object` leads the index of the trail, so one kind of object is one range of it.
const OBJECTS: Sql =
    Sql("SELECT object FROM audit WHERE merchant_id = $1 AND object > $2 AND object < $3 AND act = $4");

/// Acts whose trace is in the books: what was voided or revoked needs a row that names it.
pub(super) async fn check_audit(
    tx: &mut Tx,
    merchants: &[MerchantId],
    report: &mut VerifyReport,
) -> Result<()> {
    let (mut voided, mut closed, mut revoked) = (Vec::new(), Vec::new(), Vec::new());
    let (mut recorded, mut reduced, mut resolved, mut reversed) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for merchant_id in merchants {
        unaudited(tx, *merchant_id, (VOIDED, "inv_", acts::INVOICE_VOID), &mut voided).await?;
        unaudited(tx, *merchant_id, (CLOSED, "ano_", acts::ANOMALY_CLOSE), &mut closed).await?;
        unaudited(tx, *merchant_id, (RECORDED, "pay_", acts::PAYMENT_RECORD), &mut recorded).await?;
        unaudited(tx, *merchant_id, (UNMATCHED, "pay_", acts::PAYMENT_RECORD), &mut recorded).await?;
        for (rows, prefix, act) in [
            (CREDITED, "crn_", acts::CREDIT_NOTE_ISSUE),
            (WRITTEN_OFF, "wof_", acts::INVOICE_WRITE_OFF),
            (APPLIED, "cap_", acts::CREDIT_APPLY),
            (DEMANDED, "inv_", acts::RETURNED_PAYMENT_DEMAND),
        ] {
            unaudited(tx, *merchant_id, (rows, prefix, act), &mut reduced).await?;
        }
        unaudited(tx, *merchant_id, (RESOLVED, "pay_", acts::PAYMENT_RESOLVE), &mut resolved).await?;
        unaudited(tx, *merchant_id, (PROPOSED, "pay_", acts::PAYMENT_PROPOSE), &mut resolved).await?;
        unaudited(tx, *merchant_id, (REVERSED, "pay_", acts::PAYMENT_REVERSE), &mut reversed).await?;
        let mut audited = objects(tx, *merchant_id, "inv_", acts::LINK_REVOKE).await?;
        audited.extend(objects(tx, *merchant_id, "lnk_", acts::LINK_REVOKE).await?);
        let mut last = [0; 16];
        loop {
            let ids = |row: &Row<'_>| Ok((row.bytes16(0)?, row.bytes16(1)?));
            let page = tx.fetch_all(REVOKED, args![merchant_id.0, &last, PAGE], ids).await?;
            let Some((end, _)) = page.last() else { break };
            last = *end;
            for (link, invoice) in &page {
                let name = printed("lnk_", link);
                if !audited.contains(&name) && !audited.contains(&printed("inv_", invoice)) {
                    revoked.push(format!("{name} of {merchant_id}"));
                }
            }
        }
    }
    found(report, 24, "an invoice is void, and no audit row says who voided it", voided);
    found(report, 24, "a payment was recorded, and no audit row says who did", recorded);
    found(
        report,
        24,
        "an invoice was credited, written off or set right, and no audit row says who did",
        reduced,
    );
    found(report, 24, "a payment was settled by hand, and no audit row says by whom", resolved);
    found(report, 24, "a recorded receipt was reversed, and no audit row says by whom", reversed);
    found(report, 24, "an anomaly is closed, and no audit row says who closed it", closed);
    found(report, 24, "a payment link is revoked, and no audit row says who did", revoked);
    Ok(())
}

/// Adds those of a kind that no audit row of the act names.
pub(super) async fn unaudited(
    tx: &mut Tx,
    merchant_id: MerchantId,
    (sql, prefix, act): (Sql, &str, &str),
    all: &mut Vec<String>,
) -> Result<()> {
    let audited = objects(tx, merchant_id, prefix, act).await?;
    let mut last = [0; 16];
    loop {
        let page = tx.fetch_all(sql, args![merchant_id.0, &last, PAGE], |row| row.bytes16(0)).await?;
        let Some(end) = page.last() else { return Ok(()) };
        last = *end;
        let names = page.iter().map(|id| printed(prefix, id)).filter(|name| !audited.contains(name));
        all.extend(names.map(|name| format!("{name} of {merchant_id}")));
    }
}

async fn objects(tx: &mut Tx, merchant_id: MerchantId, prefix: &str, act: &str) -> Result<HashSet<String>> {
    let upper = format!("{prefix}~");
    let list = tx.fetch_all(OBJECTS, args![merchant_id.0, prefix, &upper, act], |row| row.text(0)).await?;
    Ok(list.into_iter().collect())
}
