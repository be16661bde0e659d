//! Finds what has no seal yet, oldest first. Each is one statement, so that postings come with all their entries
//! from one snapshot. Never writes.

use crate::args;
use crate::db::{Row, Sql, Tx};
use crate::seals::encoding::{self, Sealable};
use crate::seals::{Chain, Stragglers};
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
const UNSEALED_POSTING: Sql = Sql("SELECT p.id, p.cause_kind, p.cause_id, p.currency, p.reverses, p.at, \
     e.line, e.account, e.side, e.amount, e.customer_id, e.subject FROM postings p \
     LEFT JOIN entries e ON e.merchant_id = $1 AND e.posting_id = p.id \
     WHERE p.merchant_id = $1 AND p.id = $2 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'postings' AND seals.subject = p.id) ORDER BY e.line");
const UNSEALED_AUDIT_ROW: Sql = Sql("SELECT id, actor, act, object, before, after, at FROM audit \
     WHERE merchant_id = $1 AND id = $2 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'audit' AND seals.subject = audit.id)");
const POSTINGS_PAGE_END: Sql =
    Sql("SELECT id FROM postings WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3");
const AUDIT_PAGE_END: Sql =
    Sql("SELECT id FROM audit WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT 1 OFFSET $3");
const UNSEALED_POSTING_IDS: Sql = Sql(
    "SELECT id FROM postings WHERE merchant_id = $1 AND id > $2 AND id <= $3 AND NOT EXISTS (\
     SELECT 1 FROM seals WHERE seals.merchant_id = $1 AND seals.chain = 'postings' AND seals.subject = postings.id) \
     ORDER BY id",
);
const UNSEALED_AUDIT_IDS: Sql = Sql(
    "SELECT id FROM audit WHERE merchant_id = $1 AND id > $2 AND id <= $3 AND NOT EXISTS (\
     SELECT 1 FROM seals WHERE seals.merchant_id = $1 AND seals.chain = 'audit' AND seals.subject = audit.id) \
     ORDER BY id",
);

/// See [`super::find_stragglers`].
pub(super) async fn unsealed_ids(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    after: &[u8; 16],
    page: i64,
) -> Result<Stragglers> {
    let (page_end, unsealed_ids) = match chain {
        Chain::Postings => (POSTINGS_PAGE_END, UNSEALED_POSTING_IDS),
        Chain::Audit => (AUDIT_PAGE_END, UNSEALED_AUDIT_IDS),
    };
    let next =
        tx.fetch_optional(page_end, args![merchant_id.0, after, page - 1], |row| row.bytes16(0)).await?;
    let to = next.unwrap_or([0xff; 16]);
    let ids = tx.fetch_all(unsealed_ids, args![merchant_id.0, after, &to], |row| row.bytes16(0)).await?;
    Ok(Stragglers { ids, next })
}

/// One row, if it has no seal.
pub(super) async fn unsealed(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    id: &[u8; 16],
) -> Result<Vec<Sealable>> {
    let args = args![merchant_id.0, id];
    match chain {
        Chain::Postings => {
            let rows = tx.fetch_all(UNSEALED_POSTING, args, posting_and_entry).await?;
            Ok(encoding::gather(rows).into_iter().map(Sealable::Posting).collect())
        }
        Chain::Audit => {
            tx.fetch_all(UNSEALED_AUDIT_ROW, args, |row| Ok(Sealable::Audit(encoding::audit(row, 0)?))).await
        }
    }
}

pub(super) async fn unsealed_postings(
    tx: &mut Tx,
    merchant_id: MerchantId,
    from: &[u8; 16],
    limit: i64,
) -> Result<Vec<Sealable>> {
    let rows = tx.fetch_all(UNSEALED_POSTINGS, args![merchant_id.0, from, limit], posting_and_entry).await?;
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

fn posting_and_entry(row: &Row<'_>) -> Result<(encoding::SealedPosting, Option<encoding::SealedEntry>)> {
    Ok((encoding::posting(row, 0)?, encoding::entry(row, encoding::POSTING_COLUMNS)?))
}
