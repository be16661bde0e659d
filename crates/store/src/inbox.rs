//! What a processor told us, stored raw under the processor's own event id before anything is done with it. A
//! repeat changes nothing; a worker fetches the object afterwards and applies its state.
//!
//! Claiming an event sets `next_at` ahead as a lease, as with [`crate::mails`].

use crate::args;
use crate::columns::{timestamp, word};
use crate::db::{Row, Sql, Tx, Val};
use anyhow::Result;
use billing::ids::{AttemptId, MerchantId};
use jiff::Timestamp;

/// An event as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewInboxEvent {
    /// Who sent it: `stripe`.
    pub processor: String,
    /// The processor's id of the event.
    pub event_id: String,
    /// The processor's word for what happened.
    pub kind: String,
    /// The processor's id of the object it is about.
    pub object_id: String,
    /// The hosted session it names, if it names one.
    pub session_id: Option<String>,
    /// The payment intent it names, if it names one.
    pub payment_intent_id: Option<String>,
    /// Our attempt, where its metadata names one.
    pub attempt_id: Option<AttemptId>,
    /// The body, byte for byte.
    pub raw: String,
    /// When it came; it is due at once.
    pub received_at: Timestamp,
}

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxEvent {
    /// Whose inbox it is in.
    pub merchant_id: MerchantId,
    /// As it came in.
    pub event: NewInboxEvent,
    /// What became of it.
    pub state: InboxState,
    /// How often it was claimed.
    pub tries: i64,
    /// When it is due, or until when it is leased.
    pub next_at: Timestamp,
    /// What went wrong last, or why it was parked or ignored.
    pub last_error: Option<String>,
}

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InboxState {
    /// It waits for a worker.
    Stored,
    /// The state of its object has been applied.
    Applied,
    /// It is about something we do not know. It stays for a person.
    Parked,
    /// Its kind is none that we act on.
    Ignored,
}

impl InboxState {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            InboxState::Stored => "stored",
            InboxState::Applied => "applied",
            InboxState::Parked => "parked",
            InboxState::Ignored => "ignored",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<InboxState> {
        let all = [InboxState::Stored, InboxState::Applied, InboxState::Parked, InboxState::Ignored];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

const STORE: Sql = Sql(
    "INSERT INTO inbox (merchant_id, processor, event_id, kind, object_id, session_id, payment_intent_id, attempt_id, \
     raw, state, tries, next_at, last_error, received_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'stored', 0, $10, NULL, $10) ON CONFLICT DO NOTHING",
);
const FIND: Sql = Sql(
    "SELECT merchant_id, processor, event_id, kind, object_id, session_id, payment_intent_id, attempt_id, raw, \
     received_at, state, tries, next_at, last_error FROM inbox \
     WHERE merchant_id = $1 AND processor = $2 AND event_id = $3",
);
const DUE: Sql = Sql(
    "SELECT merchant_id, processor, event_id, kind, object_id, session_id, payment_intent_id, attempt_id, raw, \
     received_at, state, tries, next_at, last_error FROM inbox \
     WHERE merchant_id = $1 AND state = 'stored' AND next_at <= $2 ORDER BY next_at LIMIT $3",
);
const IS_KNOWN: Sql = Sql("SELECT 1 FROM inbox WHERE merchant_id = $1 AND processor = $2 AND event_id = $3");
const MERCHANTS_DUE: Sql = Sql(
    "SELECT DISTINCT merchant_id FROM inbox WHERE state = 'stored' AND next_at <= $1 ORDER BY merchant_id",
);
const RELEASE: Sql = Sql("UPDATE inbox SET next_at = $1 WHERE state = 'stored' AND next_at > $2");
const OLD_RAW: Sql = Sql("SELECT merchant_id, processor, event_id FROM inbox \
     WHERE state IN ('applied', 'ignored') AND received_at < $1 AND raw <> '' LIMIT $2");
const EMPTY_RAW: Sql =
    Sql("UPDATE inbox SET raw = '' WHERE merchant_id = $1 AND processor = $2 AND event_id = $3 \
     AND state IN ('applied', 'ignored')");
const LEASE: Sql = Sql(
    "UPDATE inbox SET next_at = $4, tries = tries + 1 WHERE merchant_id = $1 AND processor = $2 AND event_id = $3",
);
const SETTLE: Sql = Sql("UPDATE inbox SET state = $4, last_error = $5 \
     WHERE merchant_id = $1 AND processor = $2 AND event_id = $3 AND state = 'stored'");
const MARK_FAILED: Sql = Sql("UPDATE inbox SET next_at = $5, last_error = $6 \
     WHERE merchant_id = $1 AND processor = $2 AND event_id = $3 AND state = 'stored' AND tries = $4");
const COUNT_WAITING: Sql = Sql("SELECT count(*) FROM inbox WHERE state = 'stored'");
const LET_GO: Sql = Sql("UPDATE inbox SET next_at = $1 WHERE state = 'stored' AND next_at > $1");
const NEXT_DUE: Sql = Sql("SELECT next_at FROM inbox WHERE state = 'stored' ORDER BY next_at LIMIT 1");

/// Stores an event. False, and nothing changes, if it is there already.
pub async fn store(tx: &mut Tx, merchant_id: MerchantId, event: &NewInboxEvent) -> Result<bool> {
    let args = args![
        merchant_id.0,
        &event.processor,
        &event.event_id,
        &event.kind,
        &event.object_id,
        event.session_id.as_ref(),
        event.payment_intent_id.as_ref(),
        event.attempt_id.as_ref().map(AttemptId::as_bytes),
        &event.raw,
        event.received_at.as_microsecond(),
    ];
    Ok(tx.execute(STORE, args).await? == 1)
}

/// The event with this id.
pub async fn find(
    tx: &mut Tx,
    merchant_id: MerchantId,
    processor: &str,
    event_id: &str,
) -> Result<Option<InboxEvent>> {
    tx.fetch_optional(FIND, args![merchant_id.0, processor, event_id], inbox_event).await
}

/// True if an event with this id was stored before.
pub async fn is_known(tx: &mut Tx, merchant_id: MerchantId, processor: &str, event_id: &str) -> Result<bool> {
    let found = tx.fetch_optional(IS_KNOWN, args![merchant_id.0, processor, event_id], |_| Ok(())).await?;
    Ok(found.is_some())
}

/// The merchants in whose inbox something is due.
pub async fn merchants_due(tx: &mut Tx, now: Timestamp) -> Result<Vec<MerchantId>> {
    tx.fetch_all(MERCHANTS_DUE, args![now.as_microsecond()], |row| Ok(MerchantId(row.i64(0)?))).await
}

/// Takes events of a merchant that are due, `limit` at most, and leases them until `leased_until`. Two who claim
/// at once never get the same. `tries` of the answer counts this claim.
pub async fn claim_due(
    tx: &mut Tx,
    merchant_id: MerchantId,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<InboxEvent>> {
    let args = args![merchant_id.0, now.as_microsecond(), limit];
    let mut events = tx.lock_skip(DUE, args, inbox_event).await?;
    let leases: Vec<[Val<'_>; 4]> = events
        .iter()
        .map(|row| {
            let NewInboxEvent { processor, event_id, .. } = &row.event;
            let until = leased_until.as_microsecond().into();
            [row.merchant_id.0.into(), processor.into(), event_id.into(), until]
        })
        .collect();
    let list: Vec<(Sql, &[Val<'_>])> = leases.iter().map(|args| (LEASE, args.as_slice())).collect();
    tx.execute_many(&list).await?;
    for event in &mut events {
        event.tries += 1;
        event.next_at = leased_until;
    }
    Ok(events)
}

/// The state of its object has been applied. False if something else became of it before.
pub async fn mark_applied(tx: &mut Tx, event: &InboxEvent) -> Result<bool> {
    settle(tx, event, InboxState::Applied, None).await
}

/// It is about something we do not know, for this reason. False if something else became of it before.
pub async fn mark_parked(tx: &mut Tx, event: &InboxEvent, reason: &str) -> Result<bool> {
    settle(tx, event, InboxState::Parked, Some(reason)).await
}

/// Nothing is done with its kind. False if something else became of it before.
pub async fn mark_ignored(tx: &mut Tx, event: &InboxEvent) -> Result<bool> {
    settle(tx, event, InboxState::Ignored, None).await
}

/// Applying it failed; it is due again at `next_at`. False if somebody else has claimed or settled it since.
pub async fn mark_failed(tx: &mut Tx, claimed: &InboxEvent, next_at: Timestamp, error: &str) -> Result<bool> {
    let NewInboxEvent { processor, event_id, .. } = &claimed.event;
    let next_at = next_at.as_microsecond();
    let args = args![claimed.merchant_id.0, processor, event_id, claimed.tries, next_at, error];
    Ok(tx.execute(MARK_FAILED, args).await? == 1)
}

/// Makes every event due that waits, claimed or to be tried again: for a server that has just started and is the only one,
/// so that those who claimed them are dead.
pub async fn let_go(tx: &mut Tx, now: Timestamp) -> Result<u64> {
    tx.execute(LET_GO, args![now.as_microsecond()]).await
}

/// How many events wait for a worker, of every merchant.
pub async fn count_waiting(tx: &mut Tx) -> Result<i64> {
    tx.fetch_one(COUNT_WAITING, args![], |row| row.i64(0)).await
}

/// When the next event is due, or its lease ends; `None` when nothing waits.
pub async fn next_due_at(tx: &mut Tx) -> Result<Option<Timestamp>> {
    tx.fetch_optional(NEXT_DUE, args![], |row| timestamp(row, 0)).await
}

/// What waits until after `latest`, which nobody asks for, is due now: a clock that ran ahead left it there. Answers
/// how many.
pub async fn release_beyond(tx: &mut Tx, now: Timestamp, latest: Timestamp) -> Result<u64> {
    tx.execute(RELEASE, args![now.as_microsecond(), latest.as_microsecond()]).await
}

/// An event by its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxKey {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Who sent it.
    pub processor: String,
    /// The processor's id of it.
    pub event_id: String,
}

/// Events that came before `before`, are done with, and still have their bodies; `limit` at most. It may look at all
/// of the inbox, so ask in a report.
pub async fn list_old_raw(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<Vec<InboxKey>> {
    tx.fetch_all(OLD_RAW, args![before.as_microsecond(), limit], |row| {
        Ok(InboxKey { merchant_id: MerchantId(row.i64(0)?), processor: row.text(1)?, event_id: row.text(2)? })
    })
    .await
}

/// Empties the bodies of these events. The rows stay: they are what makes a repeat harmless.
pub async fn empty_raw(tx: &mut Tx, keys: &[InboxKey]) -> Result<()> {
    let all: Vec<[Val<'_>; 3]> = keys
        .iter()
        .map(|key| [key.merchant_id.0.into(), (&key.processor).into(), (&key.event_id).into()])
        .collect();
    let list: Vec<(Sql, &[Val<'_>])> = all.iter().map(|args| (EMPTY_RAW, args.as_slice())).collect();
    tx.execute_many(&list).await.map(drop)
}

async fn settle(tx: &mut Tx, event: &InboxEvent, state: InboxState, reason: Option<&str>) -> Result<bool> {
    let NewInboxEvent { processor, event_id, .. } = &event.event;
    let args = args![event.merchant_id.0, processor, event_id, state.as_str(), reason];
    Ok(tx.execute(SETTLE, args).await? == 1)
}

fn inbox_event(row: &Row<'_>) -> Result<InboxEvent> {
    Ok(InboxEvent {
        merchant_id: MerchantId(row.i64(0)?),
        event: NewInboxEvent {
            processor: row.text(1)?,
            event_id: row.text(2)?,
            kind: row.text(3)?,
            object_id: row.text(4)?,
            session_id: row.opt_text(5)?,
            payment_intent_id: row.opt_text(6)?,
            attempt_id: row.opt_bytes16(7)?.map(AttemptId::from_bytes),
            raw: row.text(8)?,
            received_at: timestamp(row, 9)?,
        },
        state: word(row, 10, InboxState::parse)?,
        tries: row.i64(11)?,
        next_at: timestamp(row, 12)?,
        last_error: row.opt_text(13)?,
    })
}
