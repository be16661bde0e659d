//! What payers agreed to before an account is debited: invariant 26. The text is hashed again; whose account, by what means and
//! how much is held against the payment it was given for.

use super::{Check, VerifyReport, found, run};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{MandateId, MerchantId};
use sha2::{Digest as _, Sha256};

const CHECKS: &[Check] = &[
    Check {
        invariant: 26,
        what: "a mandate is of another customer, method, currency or amount than the payment it was given for",
        prefix: "man_",
        figures: ["agreed", "asked"],
        sql: Sql("SELECT m.merchant_id, m.id, m.amount, y.amount, count(*) OVER () FROM mandates m \
             JOIN payments y ON y.merchant_id = m.merchant_id AND y.id = m.payment_id \
             WHERE y.customer_id <> m.customer_id OR y.method <> m.method OR y.currency <> m.currency \
             OR m.amount NOT IN (y.amount, y.amount + y.surcharge) \
             ORDER BY m.merchant_id, m.id LIMIT 20"),
    },
    Check {
        invariant: 26,
        what: "a mandate ended before it was given",
        prefix: "man_",
        figures: ["", ""],
        sql: Sql(
            "SELECT merchant_id, id, CAST(NULL AS BIGINT), CAST(NULL AS BIGINT), count(*) OVER () FROM mandates \
             WHERE ended_at < offered_at OR accepted_at < offered_at ORDER BY merchant_id, id LIMIT 20",
        ),
    },
];

const PAGE: i64 = 5_000;
const WORDINGS: Sql =
    Sql("SELECT id, wording, wording_hash FROM mandates WHERE merchant_id = $1 AND id > $2 \
     ORDER BY id LIMIT $3");

pub(super) async fn check(tx: &mut Tx, merchants: &[MerchantId], report: &mut VerifyReport) -> Result<()> {
    run(tx, CHECKS, report).await?;
    let mut reworded = Vec::new();
    for merchant in merchants {
        let mut last = [0; 16];
        loop {
            let page = tx
                .fetch_all(WORDINGS, args![merchant.0, &last, PAGE], |row| {
                    let hash: [u8; 32] = Sha256::digest(row.text(1)?).into();
                    Ok((row.bytes16(0)?, hash == row.bytes32(2)?))
                })
                .await?;
            let Some((end, _)) = page.last() else { break };
            last = *end;
            for (id, _) in page.iter().filter(|(_, holds)| !holds) {
                reworded.push(format!("{} of {merchant}", MandateId::from_bytes(*id)));
            }
        }
    }
    found(report, 26, "the wording of a mandate is not the one whose hash was kept", reworded);
    Ok(())
}
