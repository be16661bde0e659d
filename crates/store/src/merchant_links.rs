//! Where else a merchant wants its payers to go: to a review, to recommend it, to its terms, to what it does with data.
//! Whether an address is fit to be one is not decided here.

use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::{Context as _, Result};
use billing::ids::MerchantId;
use jiff::Timestamp;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MerchantLink {
    /// Where to say how it was.
    ReviewUs,
    /// Where to recommend the merchant.
    ReferAFriend,
    /// Its terms.
    Terms,
    /// What it does with data.
    Privacy,
}

impl MerchantLink {
    /// All of them, in the order in which they are shown.
    pub const ALL: [MerchantLink; 4] =
        [MerchantLink::ReviewUs, MerchantLink::ReferAFriend, MerchantLink::Terms, MerchantLink::Privacy];

    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            MerchantLink::ReviewUs => "review_us",
            MerchantLink::ReferAFriend => "refer_a_friend",
            MerchantLink::Terms => "terms",
            MerchantLink::Privacy => "privacy",
        }
    }

    fn parse(word: &str) -> Option<MerchantLink> {
        MerchantLink::ALL.into_iter().find(|link| link.as_str() == word)
    }
}

const ALL: Sql = Sql("SELECT kind, url FROM merchant_links WHERE merchant_id = $1");
const PUT: Sql = Sql("INSERT INTO merchant_links (merchant_id, kind, url, set_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (merchant_id, kind) DO UPDATE SET url = excluded.url, set_at = excluded.set_at");
const REMOVE: Sql = Sql("DELETE FROM merchant_links WHERE merchant_id = $1 AND kind = $2");

/// The links that are set, with their addresses, in the order in which they are shown.
pub async fn list(tx: &mut Tx, merchant: MerchantId) -> Result<Vec<(MerchantLink, String)>> {
    let mut links = tx.fetch_all(ALL, args![merchant.0], decode).await?;
    links.sort_unstable();
    Ok(links)
}

/// Sets a link.
pub async fn put(
    tx: &mut Tx,
    merchant: MerchantId,
    link: MerchantLink,
    url: &str,
    now: Timestamp,
) -> Result<()> {
    tx.execute(PUT, args![merchant.0, link.as_str(), url, now.as_microsecond()]).await?;
    Ok(())
}

/// Takes a link away.
pub async fn remove(tx: &mut Tx, merchant: MerchantId, link: MerchantLink) -> Result<()> {
    tx.execute(REMOVE, args![merchant.0, link.as_str()]).await?;
    Ok(())
}

fn decode(row: &Row<'_>) -> Result<(MerchantLink, String)> {
    let word = row.text(0)?;
    let link = MerchantLink::parse(&word).with_context(|| format!("{word:?} is no link of a merchant"))?;
    Ok((link, row.text(1)?))
}
