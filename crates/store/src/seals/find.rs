//! Finds what has no seal yet, oldest first. Each is one statement, so that postings come with all their entries
//! from one snapshot. Never writes.

use crate::args;
use crate::db::{Sql, Tx};
use crate::seals::encoding::{self, Sealable};
use anyhow::Result;
use billing::ids::MerchantId;

const UNSEALED_POSTINGS: Sql = Sql("SELECT p.id, p.cause_kind, p.cause_id, p.currency, p.reverses, p.at, \
     e.line, e.account, e.side, e.amount, e.customer_id, e.subject FROM (\
     SELECT id, cause_kind, cause_id, currency, reverses, at FROM postings \
     WHERE merchant_id = $1 AND id >= $2 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'postings' AND seals.subject = postings.id) \
     ORDER BY id LIMIT $3) p \
     LEFT JOIN entries e ON e.merchant_id = $1 AND e.posting_id = p.id ORDER BY p.id, e.line");
const UNSEALED_AUDIT: Sql = Sql("SELECT id, actor, act, object, before, after, at FROM audit \
     WHERE merchant_id = $1 AND id >= $2 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'audit' AND seals.subject = audit.id) \
     ORDER BY id LIMIT $3");

pub(super) async fn unsealed_postings(
    tx: &mut Tx,
    merchant_id: MerchantId,
    from: &[u8; 16],
    limit: i64,
) -> Result<Vec<Sealable>> {
    let rows = tx
        .fetch_all(UNSEALED_POSTINGS, args![merchant_id.0, from, limit], |row| {
            Ok((encoding::posting(row, 0)?, encoding::entry(row, encoding::POSTING_COLUMNS)?))
        })
        .await?;
    Ok(encoding::gather(rows).into_iter().map(Sealable::Posting).collect())
}

pub(super) async fn unsealed_audit(
    tx: &mut Tx,
    merchant_id: MerchantId,
    from: &[u8; 16],
    limit: i64,
) -> Result<Vec<Sealable>> {
    tx.fetch_all(UNSEALED_AUDIT, args![merchant_id.0, from, limit], |row| {
        Ok(Sealable::Audit(encoding::audit(row, 0)?))
    })
    .await
}
