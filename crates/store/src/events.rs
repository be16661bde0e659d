//! What happened, for timelines and for whoever follows the feed. An event is appended in the transaction of its
//! cause, without a number: a counter would make every payment wait for the one before. The sealer numbers the
//! feed afterwards.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{EventId, InvoiceId, MerchantId, PaymentId};
use jiff::Timestamp;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id, which is also how a follower tells that it has seen it before.
    pub id: EventId,
    /// What happened, noun and participle: `payment.succeeded`.
    pub kind: String,
    /// The invoice whose timeline shows it.
    pub invoice_id: Option<InvoiceId>,
    /// The payment it is about.
    pub payment_id: Option<PaymentId>,
    /// JSON with the facts of the moment.
    pub data: String,
    /// When.
    pub at: Timestamp,
    /// Its place in the feed, from 1; none until the sealer has passed.
    pub feed_number: Option<i64>,
}

const APPEND: Sql =
    Sql("INSERT INTO events (merchant_id, id, kind, invoice_id, payment_id, data, at, feed_number) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)");
const LIST_BY_INVOICE: Sql =
    Sql("SELECT id, kind, invoice_id, payment_id, data, at, feed_number FROM events \
     WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id DESC LIMIT $3");
const FEED: Sql = Sql("SELECT id, kind, invoice_id, payment_id, data, at, feed_number FROM events \
     WHERE merchant_id = $1 AND feed_number > $2 ORDER BY feed_number LIMIT $3");
const FIND: Sql = Sql("SELECT id, kind, invoice_id, payment_id, data, at, feed_number FROM events \
     WHERE merchant_id = $1 AND id = $2");
const UNNUMBERED: Sql =
    Sql("SELECT id FROM events WHERE merchant_id = $1 AND feed_number IS NULL ORDER BY id LIMIT $2");
const LAST_NUMBER: Sql = Sql("SELECT COALESCE(MAX(feed_number), 0) FROM events WHERE merchant_id = $1");
const SET_NUMBER: Sql =
    Sql("UPDATE events SET feed_number = $3 WHERE merchant_id = $1 AND id = $2 AND feed_number IS NULL");

/// Adds an event; its `feed_number` is not looked at.
pub async fn append(tx: &mut Tx, merchant_id: MerchantId, event: &Event) -> Result<()> {
    let invoice_id = event.invoice_id.as_ref().map(InvoiceId::as_bytes);
    let payment_id = event.payment_id.as_ref().map(PaymentId::as_bytes);
    let Event { id, kind, data, at, .. } = event;
    let args = args![merchant_id.0, id.as_bytes(), kind, invoice_id, payment_id, data, at.as_microsecond()];
    tx.write_one(APPEND, args).await
}

/// The timeline of an invoice, newest first, `limit` events at most.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant_id: MerchantId,
    invoice_id: InvoiceId,
    limit: i64,
) -> Result<Vec<Event>> {
    tx.fetch_all(LIST_BY_INVOICE, args![merchant_id.0, invoice_id.as_bytes(), limit], event).await
}

/// The feed after a number (0: from its beginning), in order, `limit` events at most. What has no number yet comes later.
pub async fn feed(tx: &mut Tx, merchant_id: MerchantId, after: i64, limit: i64) -> Result<Vec<Event>> {
    tx.fetch_all(FEED, args![merchant_id.0, after, limit], event).await
}

/// The event with this id.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, id: EventId) -> Result<Option<Event>> {
    tx.fetch_optional(FIND, args![merchant_id.0, id.as_bytes()], event).await
}

/// Events without a place in the feed, oldest first, `limit` at most.
pub async fn list_unnumbered(tx: &mut Tx, merchant_id: MerchantId, limit: i64) -> Result<Vec<EventId>> {
    let id = |row: &Row<'_>| Ok(EventId::from_bytes(row.bytes16(0)?));
    tx.fetch_all(UNNUMBERED, args![merchant_id.0, limit], id).await
}

/// The last number of the feed; 0 before the first.
pub async fn last_feed_number(tx: &mut Tx, merchant_id: MerchantId) -> Result<i64> {
    tx.fetch_one(LAST_NUMBER, args![merchant_id.0], |row| row.i64(0)).await
}

/// Gives an event its place in the feed, once. False if it has one. Fails where the number is taken.
pub async fn set_feed_number(
    tx: &mut Tx,
    merchant_id: MerchantId,
    event_id: EventId,
    feed_number: i64,
) -> Result<bool> {
    let args = args![merchant_id.0, event_id.as_bytes(), feed_number];
    Ok(tx.execute(SET_NUMBER, args).await? == 1)
}

fn event(row: &Row<'_>) -> Result<Event> {
    Ok(Event {
        id: EventId::from_bytes(row.bytes16(0)?),
        kind: row.text(1)?,
        invoice_id: row.opt_bytes16(2)?.map(InvoiceId::from_bytes),
        payment_id: row.opt_bytes16(3)?.map(PaymentId::from_bytes),
        data: row.text(4)?,
        at: timestamp(row, 5)?,
        feed_number: row.opt_i64(6)?,
    })
}
