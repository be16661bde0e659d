//! Proofs by small deposits: how far a payer has shown that a bank account is theirs. The amounts are typed on the processor's page
//! and never come here.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{MerchantId, PaymentId, SetupId};
use jiff::Timestamp;

/// What has to be verified before it goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// A payment from the account.
    Payment(PaymentId),
    /// Keeping the account.
    Setup(SetupId),
}

/// How it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// Where it is.
    pub state: State,
    /// True where a code is read from the statement instead of two amounts.
    pub is_code: bool,
    /// The processor's page that takes what was read, while it waits.
    pub url: Option<String>,
    /// When the deposits should be in the account.
    pub arrives_at: Option<Timestamp>,
    /// Until when the processor waits.
    pub ends_at: Option<Timestamp>,
    /// How often something wrong was typed, as far as we saw.
    pub wrong_tries: i64,
    /// When this was learned.
    pub changed_at: Timestamp,
}

/// Where a verification is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// For the deposits, or for the payer.
    Waiting,
    /// The payer was wrong too often.
    TooManyTries,
    /// The payer did not come back in time.
    TimedOut,
    /// The deposits did not arrive.
    NotDelivered,
    /// The account is the payer's.
    Done,
}

impl State {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::TooManyTries => "too_many_tries",
            State::TimedOut => "timed_out",
            State::NotDelivered => "not_delivered",
            State::Done => "done",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<State> {
        [State::Waiting, State::TooManyTries, State::TimedOut, State::NotDelivered, State::Done]
            .into_iter()
            .find(|state| state.as_str() == word)
    }
}

const OF_PAYMENT: Sql =
    Sql("SELECT state, kind, url, arrives_at, ends_at, wrong_tries, changed_at FROM verifications
  WHERE merchant_id = $1 AND payment_id = $2");
const OF_SETUP: Sql =
    Sql("SELECT state, kind, url, arrives_at, ends_at, wrong_tries, changed_at FROM verifications
  WHERE merchant_id = $1 AND setup_id = $2");
const PUT_OF_PAYMENT: Sql = Sql("INSERT INTO verifications (merchant_id, payment_id, state, kind, url, arrives_at, ends_at,
    wrong_tries, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (merchant_id, payment_id) DO UPDATE SET state = excluded.state, kind = excluded.kind, url = excluded.url,
    arrives_at = excluded.arrives_at, ends_at = excluded.ends_at, wrong_tries = excluded.wrong_tries,
    changed_at = excluded.changed_at");
const PUT_OF_SETUP: Sql = Sql("INSERT INTO verifications (merchant_id, setup_id, state, kind, url, arrives_at, ends_at,
    wrong_tries, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (merchant_id, setup_id) DO UPDATE SET state = excluded.state, kind = excluded.kind, url = excluded.url,
    arrives_at = excluded.arrives_at, ends_at = excluded.ends_at, wrong_tries = excluded.wrong_tries,
    changed_at = excluded.changed_at");

/// How it stands; `None` where nothing has to be verified.
pub async fn find(tx: &mut Tx, merchant: MerchantId, of: Of) -> Result<Option<Verification>> {
    match of {
        Of::Payment(id) => tx.fetch_optional(OF_PAYMENT, args![merchant.0, id.as_bytes()], decode).await,
        Of::Setup(id) => tx.fetch_optional(OF_SETUP, args![merchant.0, id.as_bytes()], decode).await,
    }
}

/// Notes how it stands.
pub async fn put(tx: &mut Tx, merchant: MerchantId, of: Of, now: &Verification) -> Result<()> {
    let (sql, id) = match &of {
        Of::Payment(id) => (PUT_OF_PAYMENT, id.as_bytes()),
        Of::Setup(id) => (PUT_OF_SETUP, id.as_bytes()),
    };
    let args = args![
        merchant.0,
        id,
        now.state.as_str(),
        if now.is_code { "code" } else { "amounts" },
        now.url.as_deref(),
        now.arrives_at.map(Timestamp::as_microsecond),
        now.ends_at.map(Timestamp::as_microsecond),
        now.wrong_tries,
        now.changed_at.as_microsecond(),
    ];
    tx.execute(sql, args).await.map(drop)
}

fn decode(row: &Row<'_>) -> Result<Verification> {
    Ok(Verification {
        state: word(row, 0, State::parse)?,
        is_code: row.opt_text(1)?.as_deref() == Some("code"),
        url: row.opt_text(2)?,
        arrives_at: opt_timestamp(row, 3)?,
        ends_at: opt_timestamp(row, 4)?,
        wrong_tries: row.i64(5)?,
        changed_at: timestamp(row, 6)?,
    })
}
