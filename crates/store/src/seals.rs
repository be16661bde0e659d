//! Sealing: postings and audit rows are numbered and chained by SHA-256, so that a change behind the program's back
//! shows. The same pass gives events their number in the feed. What is hashed stands in [`encoding`].
//!
//! Sealing never runs inside a payment's transaction, because the head of a chain is one row for all payments of a
//! merchant. It locks no row that payments need: the number of the next seal is the mutex. A sealer inserts its
//! first seal alone; one that finds the number taken has met another sealer and stops, having written nothing.
//!
//! Ids commit out of order, so nothing remembers the last one: what has no seal is found by anti-join, from ten
//! minutes before the newest that has one ([`seal_batch`]). What committed even later is looked for among everything,
//! page by page and outside of any write ([`find_stragglers`]), then sealed ([`seal_stragglers`]).

pub mod encoding;
mod find;

use crate::args;
use crate::db::{Row, Sql, Tx, Val};
use crate::events;
use anyhow::{Result, bail, ensure};
use billing::ids::{EventId, MerchantId};
use data_encoding::HEXLOWER;
use encoding::Sealable;
use std::fmt;
use std::str::FromStr;

/// How far back a sealer looks behind the newest that is sealed.
const REACH_MILLIS: u64 = 10 * 60 * 1000;

/// What is chained. Each merchant has one chain of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Chain {
    /// The ledger: postings with their entries.
    Postings,
    /// The audit trail.
    Audit,
}

impl Chain {
    /// Every chain.
    pub const ALL: [Chain; 2] = [Chain::Postings, Chain::Audit];

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Chain::Postings => "postings",
            Chain::Audit => "audit",
        }
    }
}

/// The newest seal of a chain. Printed (`mer_1/postings/42/` and the hash in hex) it is what is kept outside of the
/// database and given to `verify` as an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Whose chain.
    pub merchant_id: MerchantId,
    /// Which one.
    pub chain: Chain,
    /// The number of the seal, from 1.
    pub number: i64,
    /// Its hash, which stands for everything before it.
    pub hash: [u8; 32],
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { merchant_id, chain, number, hash } = self;
        write!(f, "{merchant_id}/{}/{number}/{}", chain.as_str(), HEXLOWER.encode(hash))
    }
}

impl FromStr for Head {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Head> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        let [merchant, chain, number, hash] = parts[..] else {
            bail!("{text:?} is not merchant/chain/number/hash")
        };
        let merchant = merchant.strip_prefix("mer_").and_then(|digits| digits.parse().ok());
        let chain = Chain::ALL.into_iter().find(|known| known.as_str() == chain);
        let hash = HEXLOWER.decode(hash.to_ascii_lowercase().as_bytes()).ok();
        let hash = hash.and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        match (merchant, chain, number.parse(), hash) {
            (Some(merchant), Some(chain), Ok(number), Some(hash)) => {
                Ok(Head { merchant_id: MerchantId(merchant), chain, number, hash })
            }
            _ => bail!("{text:?} is not merchant/chain/number/hash"),
        }
    }
}

/// What one pass did. All zero: nothing was left to do, or another sealer is at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Postings sealed.
    pub postings: usize,
    /// Audit rows sealed.
    pub audit: usize,
    /// Events numbered.
    pub events: usize,
}

impl Sealed {
    /// True if one of the three filled its batch, so that another pass may find more.
    pub fn is_full(&self, limit: i64) -> bool {
        let most = self.postings.max(self.audit).max(self.events);
        i64::try_from(most).unwrap_or(i64::MAX) >= limit
    }
}

const HEAD: Sql =
    Sql("SELECT number, hash FROM seals WHERE merchant_id = $1 AND chain = $2 ORDER BY number DESC LIMIT 1");
const NEWEST_SUBJECT: Sql =
    Sql("SELECT subject FROM seals WHERE merchant_id = $1 AND chain = $2 ORDER BY subject DESC LIMIT 1");
const APPEND: Sql = Sql("INSERT INTO seals (merchant_id, chain, number, subject, hash, previous_hash) \
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING");
const LAST_NUMBERED_EVENT: Sql = Sql(
    "SELECT id FROM events WHERE merchant_id = $1 AND feed_number IS NOT NULL ORDER BY feed_number DESC LIMIT 1",
);

/// Seals what is new: `limit` postings, audit rows and events at most. Give it a transaction of its own.
pub async fn seal_batch(tx: &mut Tx, merchant_id: MerchantId, limit: i64) -> Result<Sealed> {
    ensure!(limit > 0, "a batch holds one row at least");
    let mut counts = [0; 2];
    for (count, chain) in counts.iter_mut().zip(Chain::ALL) {
        // The head first: whoever moves it after this is met at its number. The other way round, rows that another
        // sealer has just sealed would be sealed twice.
        let head = head(tx, merchant_id, chain).await?;
        let from = before(&newest_subject(tx, merchant_id, chain).await?, REACH_MILLIS);
        let rows = match chain {
            Chain::Postings => find::unsealed_postings(tx, merchant_id, &from, limit).await?,
            Chain::Audit => find::unsealed_audit(tx, merchant_id, &from, limit).await?,
        };
        *count = extend(tx, merchant_id, chain, head, &rows).await?;
    }
    let events = number_events(tx, merchant_id, limit).await?;
    let [postings, audit] = counts;
    Ok(Sealed { postings, audit, events })
}

/// Rows without a seal among one page of a chain's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stragglers {
    /// Their ids, oldest first.
    pub ids: Vec<[u8; 16]>,
    /// Where the next page begins; `None`: this was the last one.
    pub next: Option<[u8; 16]>,
}

/// Looks at the `page` rows of a chain that follow the id `after` (zeros: from the beginning). Reads only, and a page
/// at a time, since a ledger may be long.
pub async fn find_stragglers(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    after: &[u8; 16],
    page: i64,
) -> Result<Stragglers> {
    ensure!(page > 0, "a page holds one row at least");
    find::unsealed_ids(tx, merchant_id, chain, after, page).await
}

/// Seals these rows of a chain, those that still have no seal. Answers how many; 0 also if another sealer is at it.
/// Give it a transaction of its own, and not too many.
pub async fn seal_stragglers(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    ids: &[[u8; 16]],
) -> Result<usize> {
    let head = head(tx, merchant_id, chain).await?;
    let mut rows = Vec::new();
    for id in ids {
        rows.extend(find::unsealed(tx, merchant_id, chain, id).await?);
    }
    extend(tx, merchant_id, chain, head, &rows).await
}

/// The newest seal of a chain; `None` before the first.
pub async fn head(tx: &mut Tx, merchant_id: MerchantId, chain: Chain) -> Result<Option<Head>> {
    let number_and_hash = |row: &Row<'_>| Ok((row.i64(0)?, row.bytes32(1)?));
    let found = tx.fetch_optional(HEAD, args![merchant_id.0, chain.as_str()], number_and_hash).await?;
    Ok(found.map(|(number, hash)| Head { merchant_id, chain, number, hash }))
}

/// The newest id that is sealed in a chain; zeros before the first.
pub(crate) async fn newest_subject(tx: &mut Tx, merchant_id: MerchantId, chain: Chain) -> Result<[u8; 16]> {
    let args = args![merchant_id.0, chain.as_str()];
    Ok(tx.fetch_optional(NEWEST_SUBJECT, args, |row| row.bytes16(0)).await?.unwrap_or_default())
}

/// The lowest id of the millisecond so long before this one: ids begin with their time.
pub(crate) fn before(id: &[u8; 16], millis: u64) -> [u8; 16] {
    let mut time = [0; 8];
    time[2..].copy_from_slice(&id[..6]);
    let time = u64::from_be_bytes(time).saturating_sub(millis).to_be_bytes();
    let mut lowest = [0; 16];
    lowest[..6].copy_from_slice(&time[2..]);
    lowest
}

async fn extend(
    tx: &mut Tx,
    merchant_id: MerchantId,
    chain: Chain,
    head: Option<Head>,
    rows: &[Sealable],
) -> Result<usize> {
    let (mut number, mut hash) =
        head.map_or((0, encoding::BEFORE_THE_FIRST), |head| (head.number, head.hash));
    let mut seals = Vec::with_capacity(rows.len());
    for row in rows {
        let previous = hash;
        number += 1;
        hash = encoding::hash(merchant_id, number, &previous, row);
        seals.push((number, row.id(), hash, previous));
    }
    let args: Vec<[Val<'_>; 6]> = seals
        .iter()
        .map(|(number, id, hash, previous)| {
            [
                merchant_id.0.into(),
                chain.as_str().into(),
                (*number).into(),
                (*id).into(),
                hash.into(),
                previous.into(),
            ]
        })
        .collect();
    let Some((first, others)) = args.split_first() else { return Ok(0) };
    if tx.execute(APPEND, first).await? == 0 {
        return Ok(0); // another sealer has this number
    }
    let list: Vec<(Sql, &[Val<'_>])> = others.iter().map(|args| (APPEND, args.as_slice())).collect();
    let counts = tx.execute_many(&list).await?;
    ensure!(counts.iter().all(|count| *count == 1), "a seal of {merchant_id} was there already");
    Ok(rows.len())
}

/// Numbers the events that have none, `limit` at most; answers how many. The last that has one is the mutex. The sealer does it by
/// the way; whoever reads the feed need not wait for it.
pub async fn number_events(tx: &mut Tx, merchant_id: MerchantId, limit: i64) -> Result<usize> {
    let id = |row: &Row<'_>| Ok(EventId::from_bytes(row.bytes16(0)?));
    tx.lock(LAST_NUMBERED_EVENT, args![merchant_id.0], id).await?;
    let last = events::last_feed_number(tx, merchant_id).await?;
    let mut numbered = 0;
    for (event_id, number) in
        events::list_unnumbered(tx, merchant_id, limit).await?.into_iter().zip(last + 1..)
    {
        if !events::set_feed_number(tx, merchant_id, event_id, number).await? {
            break; // another sealer began at the same time, before there was anything to lock
        }
        numbered += 1;
    }
    Ok(numbered)
}
