//! The chains of seals: invariant 4. Every hash is computed again from the rows.
//!
//! The chains prove what they stand for only as far as their heads are known elsewhere: whoever can write the whole
//! database can write a whole chain. That is what the anchors are for.

use super::{Unsealed, VerifyReport, found, printed};
use crate::args;
use crate::db::{Row, Sql, Tx};
use crate::seals::encoding::{self, BEFORE_THE_FIRST, Sealable, SealedEntry, SealedPosting};
use crate::seals::{self, Chain, Head};
use anyhow::Result;
use billing::ids::MerchantId;
use std::collections::HashMap;

const PAGE: i64 = 10_000;
/// A posting may commit this much later than a younger one and be sealed in the sealer's next pass. No transaction
/// lives longer: statements and idle transactions are cut off well before.
const LATE_COMMIT_MILLIS: u64 = 60_000;

const POSTING_SEALS: Sql = Sql("SELECT number, subject, hash, previous_hash FROM seals \
     WHERE merchant_id = $1 AND chain = 'postings' AND number > $2 ORDER BY number LIMIT $3");
/// Postings are sealed about in the order of their ids, so a page of seals is about a range of them.
const POSTINGS_BETWEEN: Sql = Sql("SELECT id, cause_kind, cause_id, currency, reverses, at FROM postings \
     WHERE merchant_id = $1 AND id >= $2 AND id <= $3 ORDER BY id LIMIT $4");
const ENTRIES_BETWEEN: Sql =
    Sql("SELECT posting_id, line, account, side, amount, customer_id, subject FROM entries \
     WHERE merchant_id = $1 AND posting_id >= $2 AND posting_id <= $3 ORDER BY posting_id, line");
/// The same one by one, for a page with a straggler from long ago.
const ONE_POSTING: Sql = Sql("SELECT id, cause_kind, cause_id, currency, reverses, at FROM postings \
     WHERE merchant_id = $1 AND id = $2");
const ITS_ENTRIES: Sql =
    Sql("SELECT posting_id, line, account, side, amount, customer_id, subject FROM entries \
     WHERE merchant_id = $1 AND posting_id = $2 ORDER BY line");
const AUDIT_SEALS: Sql = Sql("SELECT s.number, s.subject, s.hash, s.previous_hash, \
     a.id, a.actor, a.act, a.object, a.before, a.after, a.at FROM (\
     SELECT number, subject, hash, previous_hash FROM seals \
     WHERE merchant_id = $1 AND chain = 'audit' AND number > $2 ORDER BY number LIMIT $3) s \
     LEFT JOIN audit a ON a.merchant_id = $1 AND a.id = s.subject ORDER BY s.number");
const SEALED_TWICE: Sql = Sql("SELECT subject FROM seals WHERE merchant_id = $1 AND chain = $2 \
     GROUP BY subject HAVING count(*) > 1 ORDER BY subject");
const UNSEALED_POSTINGS: Sql =
    Sql("SELECT id FROM postings WHERE merchant_id = $1 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'postings' AND seals.subject = postings.id) ORDER BY id");
const UNSEALED_AUDIT: Sql =
    Sql("SELECT id FROM audit WHERE merchant_id = $1 AND NOT EXISTS (SELECT 1 FROM seals \
     WHERE seals.merchant_id = $1 AND seals.chain = 'audit' AND seals.subject = audit.id) ORDER BY id");
const HASH_OF: Sql = Sql("SELECT hash FROM seals WHERE merchant_id = $1 AND chain = $2 AND number = $3");

/// One seal, and what is left of the row it stands for.
struct Seal {
    number: i64,
    subject: Vec<u8>,
    hash: [u8; 32],
    previous_hash: [u8; 32],
    row: Sealed,
}

/// What is left of a row that was sealed.
enum Sealed {
    There(Sealable),
    Gone,
    /// There is more than one row of its id.
    Twice,
}

#[derive(Default)]
struct Found {
    gaps: Vec<String>,
    unchained: Vec<String>,
    gone: Vec<String>,
    changed: Vec<String>,
    twice: Vec<String>,
    left_out: Vec<String>,
    cut: Vec<String>,
}

pub(super) async fn check(
    tx: &mut Tx,
    merchants: &[MerchantId],
    anchors: &[Head],
    report: &mut VerifyReport,
) -> Result<()> {
    let mut all = Found::default();
    for merchant_id in merchants {
        for chain in Chain::ALL {
            walk(tx, *merchant_id, chain, &mut all).await?;
            unsealed(tx, *merchant_id, chain, &mut all, report).await?;
        }
    }
    for anchor in anchors {
        let args = args![anchor.merchant_id.0, anchor.chain.as_str(), anchor.number];
        match tx.fetch_optional(HASH_OF, args, |row| row.bytes32(0)).await? {
            Some(hash) if hash == anchor.hash => {}
            Some(_) => all.cut.push(format!("{}: another hash stands there", place(anchor))),
            None => all.cut.push(format!("{}: it is gone", place(anchor))),
        }
    }
    found(report, 4, "the numbers of seals have a gap", all.gaps);
    found(report, 4, "a seal does not continue the one before it", all.unchained);
    found(report, 4, "what was sealed is gone", all.gone);
    found(report, 4, "what was sealed has been changed", all.changed);
    found(report, 4, "something was sealed twice", all.twice);
    found(report, 4, "something has no seal, though something younger has", all.left_out);
    found(report, 4, "a chain is not the one whose head was kept", all.cut);
    Ok(())
}

fn place(head: &Head) -> String {
    format!("seal {} of {}, {}", head.number, head.merchant_id, head.chain.as_str())
}

async fn walk(tx: &mut Tx, merchant_id: MerchantId, chain: Chain, all: &mut Found) -> Result<()> {
    let (mut number, mut hash) = (0, BEFORE_THE_FIRST);
    loop {
        let page = page(tx, merchant_id, chain, number).await?;
        if page.is_empty() {
            break;
        }
        for seal in page {
            let name = || {
                format!("{} (seal {} of {merchant_id})", printed(prefix(chain), &seal.subject), seal.number)
            };
            if seal.number != number + 1 {
                all.gaps.push(format!(
                    "{number} is followed by {} in {} of {merchant_id}",
                    seal.number,
                    chain.as_str()
                ));
            }
            if seal.previous_hash != hash {
                all.unchained.push(name());
            }
            match &seal.row {
                Sealed::Gone => all.gone.push(name()),
                Sealed::Twice => all.changed.push(name()),
                Sealed::There(row)
                    if encoding::hash(merchant_id, seal.number, &seal.previous_hash, row) != seal.hash =>
                {
                    all.changed.push(name());
                }
                Sealed::There(_) => {}
            }
            (number, hash) = (seal.number, seal.hash);
        }
    }
    let args = args![merchant_id.0, chain.as_str()];
    for subject in tx.fetch_all(SEALED_TWICE, args, |row| row.blob(0)).await? {
        all.twice.push(format!("{} of {merchant_id}", printed(prefix(chain), &subject)));
    }
    Ok(())
}

async fn page(tx: &mut Tx, merchant_id: MerchantId, chain: Chain, after: i64) -> Result<Vec<Seal>> {
    let args = args![merchant_id.0, after, PAGE];
    match chain {
        Chain::Audit => {
            tx.fetch_all(AUDIT_SEALS, args, |row| {
                let there = row.opt_blob(4)?.is_some();
                let audit = there.then(|| encoding::audit(row, 4)).transpose()?;
                seal(row, audit.map(Sealable::Audit))
            })
            .await
        }
        Chain::Postings => {
            let seals = tx.fetch_all(POSTING_SEALS, args, |row| seal(row, None)).await?;
            with_postings(tx, merchant_id, seals).await
        }
    }
}

type Postings = HashMap<Vec<u8>, Sealed>;

/// Puts a page of seals and their postings together.
async fn with_postings(tx: &mut Tx, merchant_id: MerchantId, seals: Vec<Seal>) -> Result<Vec<Seal>> {
    let (Some(first), Some(last)) =
        (seals.iter().map(|seal| &seal.subject).min(), seals.iter().map(|seal| &seal.subject).max())
    else {
        return Ok(seals);
    };
    let args = args![merchant_id.0, first, last, 2 * PAGE + 1];
    let rows = tx.fetch_all(POSTINGS_BETWEEN, args, |row| encoding::posting(row, 0)).await?;
    let mut postings = Postings::with_capacity(rows.len());
    if i64::try_from(rows.len())? <= 2 * PAGE {
        rows.into_iter().for_each(|posting| put(&mut postings, posting));
        let args = args![merchant_id.0, first, last];
        let entries = tx.fetch_all(ENTRIES_BETWEEN, args, entry).await?;
        entries.into_iter().for_each(|entry| add(&mut postings, entry));
    } else {
        for seal in &seals {
            let args = args![merchant_id.0, &seal.subject];
            let rows = tx.fetch_all(ONE_POSTING, args, |row| encoding::posting(row, 0)).await?;
            rows.into_iter().for_each(|posting| put(&mut postings, posting));
            let args = args![merchant_id.0, &seal.subject];
            let entries = tx.fetch_all(ITS_ENTRIES, args, entry).await?;
            entries.into_iter().for_each(|entry| add(&mut postings, entry));
        }
    }
    let row = |seal: Seal| Seal { row: postings.remove(&seal.subject).unwrap_or(Sealed::Gone), ..seal };
    Ok(seals.into_iter().map(row).collect())
}

fn put(postings: &mut Postings, posting: SealedPosting) {
    let sealable = Sealable::Posting(posting);
    let id = sealable.id().to_vec();
    let is_there = postings.contains_key(&id);
    postings.insert(id, if is_there { Sealed::Twice } else { Sealed::There(sealable) });
}

fn add(postings: &mut Postings, (posting_id, entry): (Vec<u8>, Option<SealedEntry>)) {
    if let Some(Sealed::There(Sealable::Posting(posting))) = postings.get_mut(&posting_id) {
        posting.add(entry);
    }
}

fn entry(row: &Row<'_>) -> Result<(Vec<u8>, Option<SealedEntry>)> {
    Ok((row.blob(0)?, encoding::entry(row, 1)?))
}

async fn unsealed(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    all: &mut Found,
    report: &mut VerifyReport,
) -> Result<()> {
    let sql = match chain {
        Chain::Postings => UNSEALED_POSTINGS,
        Chain::Audit => UNSEALED_AUDIT,
    };
    let ids = tx.fetch_all(sql, args![merchant_id.0], |row| row.bytes16(0)).await?;
    if ids.is_empty() {
        return Ok(());
    }
    report.unsealed.push(Unsealed { merchant_id, chain, count: i64::try_from(ids.len())? });
    let newest = seals::newest_subject(tx, merchant_id, chain).await?;
    let bound = seals::before(&newest, LATE_COMMIT_MILLIS);
    let left_out = ids.iter().filter(|id| **id < bound);
    all.left_out.extend(left_out.map(|id| format!("{} of {merchant_id}", printed(prefix(chain), id))));
    Ok(())
}

const fn prefix(chain: Chain) -> &'static str {
    match chain {
        Chain::Postings => "pst_",
        Chain::Audit => "aud_",
    }
}

fn seal(row: &Row<'_>, sealed: Option<Sealable>) -> Result<Seal> {
    let row_of = sealed.map_or(Sealed::Gone, Sealed::There);
    Ok(Seal {
        number: row.i64(0)?,
        subject: row.blob(1)?,
        hash: row.bytes32(2)?,
        previous_hash: row.bytes32(3)?,
        row: row_of,
    })
}
