//! Requests to sign in with an e-mailed code or link. Codes and secrets are kept as SHA-256 only.
//!
//! Nothing here knows whether an address belongs to anyone: known and unknown ones leave the same rows. How long a
//! request lives is the caller's to judge from `created_at`.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use jiff::Timestamp;

/// The id of a request to sign in. It is never shown, so it has no printed form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SigninId([u8; 16]);

impl SigninId {
    /// A new id for this instant; `random` makes it unique. Ids sort by their time.
    pub fn new(now: Timestamp, random: [u8; 10]) -> SigninId {
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0).to_be_bytes();
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis[2..]);
        bytes[6..].copy_from_slice(&random);
        SigninId(bytes)
    }

    /// The id in these bytes, as the store keeps it.
    pub const fn from_bytes(bytes: [u8; 16]) -> SigninId {
        SigninId(bytes)
    }

    /// The bytes the store keeps.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// A request to sign in as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signin {
    /// Its id.
    pub id: SigninId,
    /// The address that asked, in the form contacts are looked up by.
    pub email_key: String,
    /// SHA-256 of the secret in the cookie of the browser that asked.
    pub browser_hash: [u8; 32],
    /// SHA-256 of the six digits, salted by the caller.
    pub code_hash: [u8; 32],
    /// SHA-256 of the secret in the mailed link.
    pub link_hash: [u8; 32],
    /// How many more codes may be tried.
    pub tries_left: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it was used or voided. Until then it is open.
    pub ended_at: Option<Timestamp>,
}

const VOID_OLDER: Sql =
    Sql("UPDATE signins SET ended_at = $3 WHERE merchant_id = $1 AND email_key = $2 AND ended_at IS NULL");
const INSERT: Sql = Sql(
    "INSERT INTO signins (merchant_id, id, email_key, browser_hash, code_hash, link_hash, tries_left, created_at, \
     ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)",
);
const LATEST_BY_BROWSER: Sql = Sql(
    "SELECT id, email_key, browser_hash, code_hash, link_hash, tries_left, created_at, ended_at FROM signins \
     WHERE merchant_id = $1 AND browser_hash = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
);
const LATEST_BY_LINK: Sql = Sql(
    "SELECT id, email_key, browser_hash, code_hash, link_hash, tries_left, created_at, ended_at FROM signins \
     WHERE merchant_id = $1 AND link_hash = $2 ORDER BY created_at DESC, id DESC LIMIT 1",
);
const FIND: Sql = Sql(
    "SELECT id, email_key, browser_hash, code_hash, link_hash, tries_left, created_at, ended_at FROM signins \
     WHERE merchant_id = $1 AND id = $2",
);
const TAKE_TRY: Sql = Sql("UPDATE signins SET tries_left = tries_left - 1 \
     WHERE merchant_id = $1 AND id = $2 AND tries_left > 0 AND ended_at IS NULL RETURNING tries_left");
const END: Sql =
    Sql("UPDATE signins SET ended_at = $3 WHERE merchant_id = $1 AND id = $2 AND ended_at IS NULL");
const SWEEP: Sql = Sql("DELETE FROM signins WHERE created_at < $1");

/// Adds a request and voids the open ones of the same address, whichever browser made them.
pub async fn insert(tx: &mut Tx, merchant_id: MerchantId, signin: &Signin) -> Result<()> {
    let created_at = signin.created_at.as_microsecond();
    let Signin { id, email_key, browser_hash, code_hash, link_hash, tries_left, .. } = signin;
    tx.execute_many(&[
        (VOID_OLDER, args![merchant_id.0, email_key, created_at]),
        (
            INSERT,
            args![
                merchant_id.0,
                id.as_bytes(),
                email_key,
                browser_hash,
                code_hash,
                link_hash,
                *tries_left,
                created_at
            ],
        ),
    ])
    .await
    .map(drop)
}

/// The request with this id.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, signin_id: SigninId) -> Result<Option<Signin>> {
    tx.fetch_optional(FIND, args![merchant_id.0, signin_id.as_bytes()], signin).await
}

/// The last request of a browser, also one that has ended.
pub async fn latest_by_browser(
    tx: &mut Tx,
    merchant_id: MerchantId,
    browser_hash: &[u8; 32],
) -> Result<Option<Signin>> {
    tx.fetch_optional(LATEST_BY_BROWSER, args![merchant_id.0, browser_hash], signin).await
}

/// The last request with this mailed secret, also one that has ended.
pub async fn latest_by_link(
    tx: &mut Tx,
    merchant_id: MerchantId,
    link_hash: &[u8; 32],
) -> Result<Option<Signin>> {
    tx.fetch_optional(LATEST_BY_LINK, args![merchant_id.0, link_hash], signin).await
}

/// Uses up one try, before the code is compared. Answers how many are left after it; `None` if there was none to
/// take or the request has ended. Two at once never share a try.
pub async fn take_try(tx: &mut Tx, merchant_id: MerchantId, signin_id: SigninId) -> Result<Option<i64>> {
    tx.fetch_optional(TAKE_TRY, args![merchant_id.0, signin_id.as_bytes()], |row| row.i64(0)).await
}

/// Ends a request: it was used, or is void. True for the first caller only, who alone may sign anyone in.
pub async fn end(tx: &mut Tx, merchant_id: MerchantId, signin_id: SigninId, now: Timestamp) -> Result<bool> {
    let args = args![merchant_id.0, signin_id.as_bytes(), now.as_microsecond()];
    Ok(tx.execute(END, args).await? == 1)
}

/// Removes the requests of every merchant that were made before `before`; answers how many.
pub async fn sweep(tx: &mut Tx, before: Timestamp) -> Result<u64> {
    tx.execute(SWEEP, args![before.as_microsecond()]).await
}

fn signin(row: &Row<'_>) -> Result<Signin> {
    Ok(Signin {
        id: SigninId(row.bytes16(0)?),
        email_key: row.text(1)?,
        browser_hash: row.bytes32(2)?,
        code_hash: row.bytes32(3)?,
        link_hash: row.bytes32(4)?,
        tries_left: row.i64(5)?,
        created_at: timestamp(row, 6)?,
        ended_at: opt_timestamp(row, 7)?,
    })
}
