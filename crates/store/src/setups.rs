//! Setups: pages on which a person leaves a card or a bank account and pays nothing. The call is stored before it is sent, as of a
//! payment; no money moves.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, MerchantId, PaymentMethodId, SetupId};
use billing::payment::{Decline, Method};
use jiff::Timestamp;

/// A page on which something is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which one.
    pub id: SetupId,
    /// For which company its owner will pay.
    pub customer_id: CustomerId,
    /// Whose it is.
    pub contact_id: ContactId,
    /// What is left.
    pub method: Method,
    /// Where it stands.
    pub state: SetupState,
    /// Our key at the processor.
    pub processor_key: String,
    /// The call.
    pub route: String,
    /// Its exact body.
    pub body: String,
    /// Id of the page.
    pub session_id: Option<String>,
    /// Its address.
    pub session_url: Option<String>,
    /// When it closes by itself.
    pub session_expires_at: Option<Timestamp>,
    /// The processor's name of what is behind the page.
    pub processor_setup_id: Option<String>,
    /// Why the bank said no, last.
    pub decline: Option<Decline>,
    /// What came of it.
    pub payment_method_id: Option<PaymentMethodId>,
    /// When it was stored.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

/// Where a setup stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SetupState {
    /// Its page is being made.
    Submitting,
    /// Its owner has something to do.
    RequiresAction,
    /// The processor works on it.
    Processing,
    /// The method is kept.
    Succeeded,
    /// The bank said no.
    Failed,
    /// Given up, or the page ended.
    Canceled,
    /// Neither is clear.
    Unknown,
}

impl SetupState {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            SetupState::Submitting => "submitting",
            SetupState::RequiresAction => "requires_action",
            SetupState::Processing => "processing",
            SetupState::Succeeded => "succeeded",
            SetupState::Failed => "failed",
            SetupState::Canceled => "canceled",
            SetupState::Unknown => "unknown",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<SetupState> {
        use SetupState::*;
        [Submitting, RequiresAction, Processing, Succeeded, Failed, Canceled, Unknown]
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// True once nothing can change any more.
    pub const fn is_over(self) -> bool {
        matches!(self, SetupState::Succeeded | SetupState::Failed | SetupState::Canceled)
    }
}

const INSERT: Sql = Sql(
    "INSERT INTO setups (merchant_id, id, customer_id, contact_id, method, state, processor_key, route, body,
    created_at, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10) ON CONFLICT DO NOTHING",
);
const BY_ID: Sql = Sql(
    "SELECT merchant_id, id, customer_id, contact_id, method, state, processor_key, route, body, session_id,
    session_url, session_expires_at, processor_setup_id, decline, payment_method_id, created_at, changed_at
  FROM setups WHERE merchant_id = $1 AND id = $2",
);
const BY_SESSION: Sql = Sql("SELECT merchant_id, id, customer_id, contact_id, method, state, processor_key, route, body,
    session_id, session_url, session_expires_at, processor_setup_id, decline, payment_method_id, created_at, changed_at
  FROM setups WHERE merchant_id = $1 AND session_id = $2");
const OPEN_OF_CONTACT: Sql = Sql("SELECT merchant_id, id, customer_id, contact_id, method, state, processor_key, route, body,
    session_id, session_url, session_expires_at, processor_setup_id, decline, payment_method_id, created_at, changed_at
  FROM setups WHERE merchant_id = $1 AND contact_id = $2 AND state IN ('requires_action', 'processing', 'unknown')
  ORDER BY id DESC");
const LEARN: Sql = Sql("UPDATE setups SET state = $3, session_id = COALESCE($4, session_id),
    session_url = COALESCE($5, session_url), session_expires_at = COALESCE($6, session_expires_at),
    processor_setup_id = COALESCE($7, processor_setup_id), decline = $8,
    payment_method_id = COALESCE($9, payment_method_id), changed_at = $10
  WHERE merchant_id = $1 AND id = $2");

/// Stores one before its call is sent; `false` when its id is taken.
pub async fn insert(tx: &mut Tx, setup: &Setup) -> Result<bool> {
    let args = args![
        setup.merchant.0,
        setup.id.as_bytes(),
        setup.customer_id.as_bytes(),
        setup.contact_id.as_bytes(),
        setup.method.as_str(),
        setup.state.as_str(),
        &setup.processor_key,
        &setup.route,
        &setup.body,
        setup.created_at.as_microsecond(),
    ];
    Ok(tx.execute(INSERT, args).await? == 1)
}

/// The one with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: SetupId) -> Result<Option<Setup>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Locks the one with this id.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: SetupId) -> Result<Option<Setup>> {
    tx.lock(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The one behind a page.
pub async fn find_by_session(tx: &mut Tx, merchant: MerchantId, session: &str) -> Result<Option<Setup>> {
    tx.fetch_optional(BY_SESSION, args![merchant.0, session], decode).await
}

/// What a person began and has not come to its end, newest first.
pub async fn list_open(tx: &mut Tx, merchant: MerchantId, contact: ContactId) -> Result<Vec<Setup>> {
    tx.fetch_all(OPEN_OF_CONTACT, args![merchant.0, contact.as_bytes()], decode).await
}

/// Notes what the processor says; what is not known stays as it was.
pub async fn learn(tx: &mut Tx, setup: &Setup) -> Result<()> {
    let args = args![
        setup.merchant.0,
        setup.id.as_bytes(),
        setup.state.as_str(),
        setup.session_id.as_deref(),
        setup.session_url.as_deref(),
        setup.session_expires_at.map(Timestamp::as_microsecond),
        setup.processor_setup_id.as_deref(),
        setup.decline.map(Decline::as_str),
        setup.payment_method_id.as_ref().map(PaymentMethodId::as_bytes),
        setup.changed_at.as_microsecond(),
    ];
    tx.execute(LEARN, args).await.map(drop)
}

fn decode(row: &Row<'_>) -> Result<Setup> {
    Ok(Setup {
        merchant: MerchantId(row.i64(0)?),
        id: SetupId::from_bytes(row.bytes16(1)?),
        customer_id: CustomerId::from_bytes(row.bytes16(2)?),
        contact_id: ContactId::from_bytes(row.bytes16(3)?),
        method: word(row, 4, Method::parse)?,
        state: word(row, 5, SetupState::parse)?,
        processor_key: row.text(6)?,
        route: row.text(7)?,
        body: row.text(8)?,
        session_id: row.opt_text(9)?,
        session_url: row.opt_text(10)?,
        session_expires_at: opt_timestamp(row, 11)?,
        processor_setup_id: row.opt_text(12)?,
        decline: row.opt_text(13)?.map(|word| Decline::parse(&word)),
        payment_method_id: row.opt_bytes16(14)?.map(PaymentMethodId::from_bytes),
        created_at: timestamp(row, 15)?,
        changed_at: timestamp(row, 16)?,
    })
}
