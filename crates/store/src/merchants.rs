//! Merchants: the businesses that get paid. Everything else belongs to one of them.

use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;
use ledger::Currency;

/// A business that gets paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merchant {
    /// Leads every key.
    pub id: MerchantId,
    /// Its word in addresses: lower-case letters, digits and hyphens.
    pub slug: String,
    /// As its customers know it.
    pub name: String,
    /// Postal address, lines separated by `\n`.
    pub address: String,
    /// Where payers write for help.
    pub help_email: String,
    /// Where payers call for help.
    pub help_phone: Option<String>,
    /// The currency it thinks in.
    pub currency: Currency,
    /// IANA name of the zone in which its civil dates are counted.
    pub time_zone: String,
    /// As chosen, `#rrggbb`; pages correct it to contrast.
    pub brand_color: String,
    /// Address its mails come from.
    pub sender: String,
    /// What a payer reads on the card statement.
    pub statement_line: String,
    /// A started payment whose payer has not returned is given up after so long; 600 at least.
    pub abandon_after_seconds: i64,
    /// When it was created.
    pub created_at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO merchants (merchant_id, slug, name, address, help_email, help_phone, currency,
    time_zone, brand_color, sender, statement_line, abandon_after_seconds, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING");
const NEXT_ID: Sql = Sql("SELECT CAST(COALESCE(MAX(merchant_id), 0) + 1 AS BIGINT) FROM merchants");
const LOCK: Sql = Sql("SELECT merchant_id FROM merchants WHERE merchant_id = $1");
const BY_ID: Sql =
    Sql("SELECT merchant_id, slug, name, address, help_email, help_phone, currency, time_zone,
    brand_color, sender, statement_line, abandon_after_seconds, created_at
  FROM merchants WHERE merchant_id = $1");
const BY_SLUG: Sql =
    Sql("SELECT merchant_id, slug, name, address, help_email, help_phone, currency, time_zone,
    brand_color, sender, statement_line, abandon_after_seconds, created_at
  FROM merchants WHERE slug = $1");
const ALL: Sql = Sql("SELECT merchant_id, slug, name, address, help_email, help_phone, currency, time_zone,
    brand_color, sender, statement_line, abandon_after_seconds, created_at
  FROM merchants ORDER BY merchant_id");
const LOGO: Sql = Sql("SELECT logo FROM merchants WHERE merchant_id = $1");
const SET_LOGO: Sql = Sql("UPDATE merchants SET logo = $2 WHERE merchant_id = $1");

/// The number the next merchant gets. Two creators at once: one insert answers `false` and asks again.
pub async fn next_id(tx: &mut Tx) -> Result<MerchantId> {
    tx.fetch_one(NEXT_ID, &[], |row| Ok(MerchantId(row.i64(0)?))).await
}

/// Adds a merchant; `false` when its number or its slug is taken.
pub async fn insert(tx: &mut Tx, merchant: &Merchant) -> Result<bool> {
    let args = args![
        merchant.id.0,
        &merchant.slug,
        &merchant.name,
        &merchant.address,
        &merchant.help_email,
        merchant.help_phone.as_deref(),
        merchant.currency.code(),
        &merchant.time_zone,
        &merchant.brand_color,
        &merchant.sender,
        &merchant.statement_line,
        merchant.abandon_after_seconds,
        merchant.created_at.as_microsecond(),
    ];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// Keeps the merchant from others who lock it until the transaction ends, so that what is looked for and then added is added
/// once. Before everything else that is locked.
pub async fn lock(tx: &mut Tx, id: MerchantId) -> Result<()> {
    tx.lock(LOCK, args![id.0], |row| row.i64(0)).await.map(drop)
}

/// The merchant with this number.
pub async fn find(tx: &mut Tx, merchant: MerchantId) -> Result<Option<Merchant>> {
    tx.fetch_optional(BY_ID, args![merchant.0], decode).await
}

/// The merchant with this word in its addresses.
pub async fn find_by_slug(tx: &mut Tx, slug: &str) -> Result<Option<Merchant>> {
    tx.fetch_optional(BY_SLUG, args![slug], decode).await
}

/// All merchants, oldest first.
pub async fn all(tx: &mut Tx) -> Result<Vec<Merchant>> {
    tx.fetch_all(ALL, &[], decode).await
}

/// The logo as PNG bytes, if there is one.
pub async fn logo(tx: &mut Tx, merchant: MerchantId) -> Result<Option<Vec<u8>>> {
    Ok(tx.fetch_optional(LOGO, args![merchant.0], |row| row.opt_blob(0)).await?.flatten())
}

/// Replaces the logo (PNG bytes), or takes it away.
pub async fn set_logo(tx: &mut Tx, merchant: MerchantId, png: Option<&[u8]>) -> Result<()> {
    tx.execute(SET_LOGO, args![merchant.0, png]).await?;
    Ok(())
}

fn decode(row: &Row<'_>) -> Result<Merchant> {
    Ok(Merchant {
        id: MerchantId(row.i64(0)?),
        slug: row.text(1)?,
        name: row.text(2)?,
        address: row.text(3)?,
        help_email: row.text(4)?,
        help_phone: row.opt_text(5)?,
        currency: currency(row, 6)?,
        time_zone: row.text(7)?,
        brand_color: row.text(8)?,
        sender: row.text(9)?,
        statement_line: row.text(10)?,
        abandon_after_seconds: row.i64(11)?,
        created_at: timestamp(row, 12)?,
    })
}
