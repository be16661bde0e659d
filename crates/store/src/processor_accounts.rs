//! Which processor a merchant is connected to, and with which keys. The keys are sealed by the caller: this table
//! and its backups hold nothing that opens an account.

use crate::args;
use crate::columns::{timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;

/// Whether money is real. Never changes for an account that payments name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// The practice processor that comes with the program.
    Practice,
    /// The processor's own test mode.
    Test,
    /// Real money.
    Live,
}

impl Mode {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Mode::Practice => "practice",
            Mode::Test => "test",
            Mode::Live => "live",
        }
    }

    /// The mode behind such a word.
    pub fn parse(word: &str) -> Option<Mode> {
        [Mode::Practice, Mode::Test, Mode::Live].into_iter().find(|mode| mode.as_str() == word)
    }
}

/// A merchant's account at a processor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessorAccount {
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Which processor: `stripe`.
    pub processor: String,
    /// Whether money is real.
    pub mode: Mode,
    /// Where its API answers.
    pub base_url: String,
    /// The processor's id of the account.
    pub account: String,
    /// The API key, sealed.
    pub secret_key: Vec<u8>,
    /// The secret that signs webhooks, sealed; none until webhooks are set up.
    pub webhook_secret: Option<Vec<u8>>,
    /// The one before it, sealed, still accepted while secrets are rolled.
    pub webhook_secret_before: Option<Vec<u8>>,
    /// Up to when the list of events has been read.
    pub polled_to: Timestamp,
    /// When it was connected, last.
    pub connected_at: Timestamp,
}

const UPSERT: Sql = Sql(
    "INSERT INTO processor_accounts (merchant_id, processor, mode, base_url, account, secret_key, webhook_secret, \
     webhook_secret_before, polled_to, connected_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
     ON CONFLICT (merchant_id, processor) DO UPDATE SET mode = excluded.mode, base_url = excluded.base_url, \
     account = excluded.account, secret_key = excluded.secret_key, webhook_secret = excluded.webhook_secret, \
     webhook_secret_before = excluded.webhook_secret_before, connected_at = excluded.connected_at",
);
const FIND: Sql = Sql(
    "SELECT merchant_id, processor, mode, base_url, account, secret_key, webhook_secret, webhook_secret_before, \
     polled_to, connected_at FROM processor_accounts WHERE merchant_id = $1 AND processor = $2",
);
const LIST: Sql = Sql(
    "SELECT merchant_id, processor, mode, base_url, account, secret_key, webhook_secret, webhook_secret_before, \
     polled_to, connected_at FROM processor_accounts ORDER BY merchant_id, processor",
);
const ANOTHER_OF_ACCOUNT: Sql =
    Sql("SELECT slug FROM merchants WHERE merchant_id IN (SELECT merchant_id FROM processor_accounts \
     WHERE merchant_id <> $1 AND processor = $2 AND base_url = $4 AND (account = $3 OR mode = 'practice')) \
     ORDER BY merchant_id LIMIT 1");
const SET_POLLED_TO: Sql = Sql("UPDATE processor_accounts SET polled_to = $3 \
     WHERE merchant_id = $1 AND processor = $2 AND (polled_to < $3 OR polled_to > $4)");
const END_SECRETS_BEFORE: Sql = Sql("UPDATE processor_accounts SET webhook_secret_before = NULL \
     WHERE webhook_secret_before IS NOT NULL AND connected_at <= $1");

/// Connects a merchant, or replaces keys and addresses of a connection. How far events were read stays as it is.
pub async fn upsert(tx: &mut Tx, account: &ProcessorAccount) -> Result<()> {
    let args = args![
        account.merchant_id.0,
        &account.processor,
        account.mode.as_str(),
        &account.base_url,
        &account.account,
        &account.secret_key,
        account.webhook_secret.as_ref(),
        account.webhook_secret_before.as_ref(),
        account.polled_to.as_microsecond(),
        account.connected_at.as_microsecond(),
    ];
    tx.execute(UPSERT, args).await.map(drop)
}

/// A merchant's account at this processor.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, processor: &str) -> Result<Option<ProcessorAccount>> {
    tx.fetch_optional(FIND, args![merchant_id.0, processor], processor_account).await
}

/// Every account of every merchant.
pub async fn list(tx: &mut Tx) -> Result<Vec<ProcessorAccount>> {
    tx.fetch_all(LIST, args![], processor_account).await
}

/// The slug of another merchant that is connected to this very account. A practice processor is one account, however it is called.
pub async fn another_of_account(tx: &mut Tx, wanted: &ProcessorAccount) -> Result<Option<String>> {
    let args = args![wanted.merchant_id.0, &wanted.processor, &wanted.account, &wanted.base_url];
    tx.fetch_optional(ANOTHER_OF_ACCOUNT, args, |row| row.text(0)).await
}

/// Notes up to when events were read. Goes back only from a time that is ahead of `now`, where a clock that ran ahead
/// left it. False where it was as far already.
pub async fn set_polled_to(
    tx: &mut Tx,
    merchant_id: MerchantId,
    processor: &str,
    polled_to: Timestamp,
    now: Timestamp,
) -> Result<bool> {
    let args = args![merchant_id.0, processor, polled_to.as_microsecond(), now.as_microsecond()];
    Ok(tx.execute(SET_POLLED_TO, args).await? == 1)
}

/// Forgets the earlier webhook secrets of accounts that were connected at `connected_by` or before.
pub async fn end_secrets_before(tx: &mut Tx, connected_by: Timestamp) -> Result<u64> {
    tx.execute(END_SECRETS_BEFORE, args![connected_by.as_microsecond()]).await
}

fn processor_account(row: &Row<'_>) -> Result<ProcessorAccount> {
    Ok(ProcessorAccount {
        merchant_id: MerchantId(row.i64(0)?),
        processor: row.text(1)?,
        mode: word(row, 2, Mode::parse)?,
        base_url: row.text(3)?,
        account: row.text(4)?,
        secret_key: row.blob(5)?,
        webhook_secret: row.opt_blob(6)?,
        webhook_secret_before: row.opt_blob(7)?,
        polled_to: timestamp(row, 8)?,
        connected_at: timestamp(row, 9)?,
    })
}
