//! Where the money of payments is: invariant 12, as far as it is a sum. What came in with a payment stands in places (set against
//! invoices, on grants of its own, on 2150, as surcharge kept), or was taken out of it again.
//!
//! Each statement answers `(payment, minor units)` for the payments after one id and up to another, so that a page of payments
//! needs no more memory than a page.

use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use std::collections::HashMap;

/// What a payment has in a place. Credit of its own that was spent on other invoices is there still.
const PLACED: &[Sql] = &[
    Sql("SELECT payment_id, CAST(SUM(amount) AS BIGINT) FROM allocations \
         WHERE merchant_id = $1 AND payment_id > $2 AND payment_id <= $3 \
         AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY payment_id"),
    Sql("SELECT payment_id, CAST(SUM(remaining) AS BIGINT) FROM grants \
         WHERE merchant_id = $1 AND payment_id > $2 AND payment_id <= $3 \
         AND remaining BETWEEN -999999999999999 AND 999999999999999 GROUP BY payment_id"),
    Sql("SELECT o.payment_id, CAST(SUM(s.amount) AS BIGINT) FROM grants o \
         JOIN allocations s ON s.merchant_id = o.merchant_id AND s.grant_id = o.id AND s.payment_id IS NULL \
         WHERE o.merchant_id = $1 AND o.payment_id > $2 AND o.payment_id <= $3 \
         AND s.amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY o.payment_id"),
    Sql("SELECT subject, CAST(SUM(CASE side WHEN 'credit' THEN amount ELSE -amount END) AS BIGINT) FROM entries \
         WHERE merchant_id = $1 AND account IN (2150, 4100) AND subject > $2 AND subject <= $3 \
         AND amount BETWEEN -999999999999999 AND 999999999999999 GROUP BY subject"),
];

/// What was taken out of a payment again, without what the customer owes of it or the merchant lost with it; returns are read
/// from their postings.
const TAKEN: &[Sql] = &[];

/// What was found of the payments of a page. A payment that is not in it has nothing there.
pub(super) struct Places {
    placed: HashMap<[u8; 16], i64>,
    taken: HashMap<[u8; 16], i64>,
}

impl Places {
    /// Minor units in its places.
    pub(super) fn placed_minor(&self, payment: &[u8; 16]) -> i64 {
        self.placed.get(payment).copied().unwrap_or(0)
    }

    /// Minor units taken out of it, returns aside.
    pub(super) fn taken_minor(&self, payment: &[u8; 16]) -> i64 {
        self.taken.get(payment).copied().unwrap_or(0)
    }
}

/// Reads the places of the payments after one id and up to another.
pub(super) async fn read(
    tx: &mut Tx,
    merchant: MerchantId,
    (after, to): (&[u8; 16], &[u8; 16]),
) -> Result<Places> {
    Ok(Places {
        placed: sum(tx, merchant, (after, to), PLACED).await?,
        taken: sum(tx, merchant, (after, to), TAKEN).await?,
    })
}

async fn sum(
    tx: &mut Tx,
    merchant: MerchantId,
    (after, to): (&[u8; 16], &[u8; 16]),
    statements: &[Sql],
) -> Result<HashMap<[u8; 16], i64>> {
    let mut sums: HashMap<[u8; 16], i64> = HashMap::new();
    let part = |row: &Row<'_>| Ok((row.bytes16(0)?, row.i64(1)?));
    for statement in statements {
        for (payment, minor) in tx.fetch_all(*statement, args![merchant.0, after, to], part).await? {
            let sum = sums.entry(payment).or_default();
            *sum = sum.saturating_add(minor);
        }
    }
    Ok(sums)
}
