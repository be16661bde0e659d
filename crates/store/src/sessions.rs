//! Browser sessions, and the invoices that payment links opened in them. A session is found by the SHA-256 of its
//! token only; the token itself is never kept.
//!
//! A session may exist without anyone signed in: it then holds nothing but the invoices of links. Signing in makes
//! a new token, so that one planted beforehand is worth nothing.

use crate::args;
use crate::columns::{opt_timestamp, timestamp};
use crate::db::{Row, Sql, Tx};
use anyhow::{Result, ensure};
use billing::ids::{ContactId, InvoiceId, LinkId, MerchantId};
use jiff::Timestamp;

/// `seen_at` is written again only after this time, so that a page view is a read.
pub const SEEN_EVERY_SECONDS: i64 = 60;

/// A browser session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// SHA-256 of the token in the cookie.
    pub token_hash: [u8; 32],
    /// Who acts, once somebody has signed in and, where there are several companies, chosen one.
    pub contact_id: Option<ContactId>,
    /// The address that was proved at sign-in, in the form contacts are looked up by.
    pub email_key: Option<String>,
    /// When this token was made.
    pub created_at: Timestamp,
    /// When it was used last, give or take [`SEEN_EVERY_SECONDS`].
    pub seen_at: Timestamp,
    /// From when on it is worth nothing.
    pub expires_at: Timestamp,
}

impl Session {
    /// True if [`touch`] would write: so that a caller opens a write only then.
    pub fn is_touch_due(&self, now: Timestamp) -> bool {
        now.as_microsecond() - self.seen_at.as_microsecond() > SEEN_EVERY_SECONDS * 1_000_000
    }
}

/// An invoice that a link has opened in a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkGrant {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// The link that was followed last.
    pub link_id: LinkId,
    /// Whom that link was sent to, where it was sent to somebody.
    pub contact_id: Option<ContactId>,
    /// When the link was followed or the invoice looked at last.
    pub seen_at: Timestamp,
    /// When the link was taken back: from then on the grant opens nothing.
    pub revoked_at: Option<Timestamp>,
}

const INSERT: Sql = Sql(
    "INSERT INTO sessions (merchant_id, token_hash, contact_id, email_key, created_at, seen_at, expires_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7)",
);
const FIND_LIVE: Sql =
    Sql("SELECT token_hash, contact_id, email_key, created_at, seen_at, expires_at FROM sessions \
     WHERE merchant_id = $1 AND token_hash = $2 AND expires_at > $3");
const TOUCH: Sql =
    Sql("UPDATE sessions SET seen_at = $3 WHERE merchant_id = $1 AND token_hash = $2 AND seen_at < $4");
const TAKE_GRANTS_ALONG: Sql =
    Sql("INSERT INTO session_invoices (merchant_id, token_hash, invoice_id, link_id, seen_at) \
     SELECT merchant_id, $3, invoice_id, link_id, seen_at FROM session_invoices \
     WHERE merchant_id = $1 AND token_hash = $2");
const CHOOSE_CONTACT: Sql =
    Sql("UPDATE sessions SET contact_id = $3 WHERE merchant_id = $1 AND token_hash = $2 AND EXISTS (\
     SELECT 1 FROM contacts WHERE contacts.merchant_id = $1 AND contacts.id = $3 \
     AND contacts.email_key = sessions.email_key)");
const DELETE: Sql = Sql("DELETE FROM sessions WHERE merchant_id = $1 AND token_hash = $2");
const SWEEP: Sql = Sql("DELETE FROM sessions WHERE expires_at <= $1");
const ADD_GRANT: Sql =
    Sql("INSERT INTO session_invoices (merchant_id, token_hash, invoice_id, link_id, seen_at) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (merchant_id, token_hash, invoice_id) \
     DO UPDATE SET link_id = excluded.link_id, seen_at = excluded.seen_at");
const TOUCH_GRANT: Sql = Sql("UPDATE session_invoices SET seen_at = $4 \
     WHERE merchant_id = $1 AND token_hash = $2 AND invoice_id = $3 AND seen_at < $4");
const FIND_GRANT: Sql =
    Sql("SELECT g.invoice_id, g.link_id, l.contact_id, g.seen_at, l.revoked_at FROM session_invoices g \
     JOIN links l ON l.merchant_id = g.merchant_id AND l.id = g.link_id \
     WHERE g.merchant_id = $1 AND g.token_hash = $2 AND g.invoice_id = $3");
const LIST_GRANTS: Sql =
    Sql("SELECT g.invoice_id, g.link_id, l.contact_id, g.seen_at, l.revoked_at FROM session_invoices g \
     JOIN links l ON l.merchant_id = g.merchant_id AND l.id = g.link_id \
     WHERE g.merchant_id = $1 AND g.token_hash = $2 ORDER BY g.seen_at DESC, g.invoice_id");

/// Adds a session.
pub async fn insert(tx: &mut Tx, merchant_id: MerchantId, session: &Session) -> Result<()> {
    let contact_id = session.contact_id.as_ref().map(ContactId::as_bytes);
    let [created_at, seen_at, expires_at] =
        [session.created_at, session.seen_at, session.expires_at].map(Timestamp::as_microsecond);
    let email_key = session.email_key.as_deref();
    let args =
        args![merchant_id.0, &session.token_hash, contact_id, email_key, created_at, seen_at, expires_at];
    tx.execute(INSERT, args).await.map(drop)
}

/// The session behind a token, unless it has expired.
pub async fn find_live(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Session>> {
    tx.fetch_optional(FIND_LIVE, args![merchant_id.0, token_hash, now.as_microsecond()], session).await
}

/// Notes that a session was used, at most once in [`SEEN_EVERY_SECONDS`]. True if it wrote.
pub async fn touch(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    now: Timestamp,
) -> Result<bool> {
    let now = now.as_microsecond();
    let args = args![merchant_id.0, token_hash, now, now - SEEN_EVERY_SECONDS * 1_000_000];
    Ok(tx.execute(TOUCH, args).await? == 1)
}

/// Signs somebody in: `session`, with its new token, takes the place of the browser's earlier one and takes along
/// the invoices that links had opened there. The old token is worth nothing afterwards.
pub async fn sign_in(
    tx: &mut Tx,
    merchant_id: MerchantId,
    old_token_hash: Option<&[u8; 32]>,
    session: &Session,
) -> Result<()> {
    insert(tx, merchant_id, session).await?;
    if let Some(old) = old_token_hash {
        ensure!(old != &session.token_hash, "signing in needs a new token");
        tx.execute_many(&[
            (TAKE_GRANTS_ALONG, args![merchant_id.0, old, &session.token_hash]),
            (DELETE, args![merchant_id.0, old]),
        ])
        .await?;
    }
    Ok(())
}

/// Acts for another company from now on. False, and nothing changes, unless the contact has the address that was
/// proved at sign-in.
pub async fn choose_contact(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    contact_id: ContactId,
) -> Result<bool> {
    let args = args![merchant_id.0, token_hash, contact_id.as_bytes()];
    Ok(tx.execute(CHOOSE_CONTACT, args).await? == 1)
}

/// Ends a session and what links had opened in it. False if there was none.
pub async fn delete(tx: &mut Tx, merchant_id: MerchantId, token_hash: &[u8; 32]) -> Result<bool> {
    Ok(tx.execute(DELETE, args![merchant_id.0, token_hash]).await? == 1)
}

/// Removes the expired sessions of every merchant; answers how many.
pub async fn sweep(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    tx.execute(SWEEP, args![now.as_microsecond()]).await
}

/// Adds an invoice to a session, or refreshes it: the link that was followed last counts.
pub async fn add_grant(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    invoice_id: InvoiceId,
    link_id: LinkId,
    now: Timestamp,
) -> Result<()> {
    let (invoice_id, link_id) = (invoice_id.as_bytes(), link_id.as_bytes());
    let args = args![merchant_id.0, token_hash, invoice_id, link_id, now.as_microsecond()];
    tx.execute(ADD_GRANT, args).await.map(drop)
}

/// Notes that an invoice was looked at through its link. False if the session has no grant of it, or it was seen
/// later than `now`.
pub async fn touch_grant(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    invoice_id: InvoiceId,
    now: Timestamp,
) -> Result<bool> {
    let args = args![merchant_id.0, token_hash, invoice_id.as_bytes(), now.as_microsecond()];
    Ok(tx.execute(TOUCH_GRANT, args).await? == 1)
}

/// What links have opened in a session, seen last first; also where the link was revoked: the caller has to look.
pub async fn list_grants(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
) -> Result<Vec<LinkGrant>> {
    tx.fetch_all(LIST_GRANTS, args![merchant_id.0, token_hash], grant).await
}

/// How one invoice came to be open in a session, if a link opened it.
pub async fn find_grant(
    tx: &mut Tx,
    merchant_id: MerchantId,
    token_hash: &[u8; 32],
    invoice_id: InvoiceId,
) -> Result<Option<LinkGrant>> {
    tx.fetch_optional(FIND_GRANT, args![merchant_id.0, token_hash, invoice_id.as_bytes()], grant).await
}

fn session(row: &Row<'_>) -> Result<Session> {
    Ok(Session {
        token_hash: row.bytes32(0)?,
        contact_id: row.opt_bytes16(1)?.map(ContactId::from_bytes),
        email_key: row.opt_text(2)?,
        created_at: timestamp(row, 3)?,
        seen_at: timestamp(row, 4)?,
        expires_at: timestamp(row, 5)?,
    })
}

fn grant(row: &Row<'_>) -> Result<LinkGrant> {
    Ok(LinkGrant {
        invoice_id: InvoiceId::from_bytes(row.bytes16(0)?),
        link_id: LinkId::from_bytes(row.bytes16(1)?),
        contact_id: row.opt_bytes16(2)?.map(ContactId::from_bytes),
        seen_at: timestamp(row, 3)?,
        revoked_at: opt_timestamp(row, 4)?,
    })
}
