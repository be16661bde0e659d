//! Payments: money asked for by any means, their state, and the numbered history of it.

mod history;

pub use billing::payment::Ending;
pub use history::{StateStep, history};

use crate::args;
use crate::columns::{currency, opt_date, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx, Val};
use anyhow::Result;
use billing::ids::{ContactId, CustomerId, InvoiceId, LinkId, MerchantId, PaymentId, PaymentMethodId};
use billing::payment::{Decline, Method, PaymentState};
use billing::reversal::ReversalKind;
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::{Currency, Money};

/// Money asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which payment.
    pub id: PaymentId,
    /// Who pays.
    pub customer_id: CustomerId,
    /// Currency that was asked for.
    pub currency: Currency,
    /// For the invoice, minor units.
    pub amount_minor: i64,
    /// On top of it, minor units.
    pub surcharge_minor: i64,
    /// By what means it comes.
    pub method: Method,
    /// Where it stands.
    pub state: PaymentState,
    /// The signed-in contact who started it.
    pub contact_id: Option<ContactId>,
    /// The payment link through which it was started.
    pub link_id: Option<LinkId>,
    /// SHA-256 of the browser session that started it.
    pub session_hash: Option<[u8; 32]>,
    /// Where the receipt goes besides.
    pub receipt_email: Option<String>,
    /// The payer's own words for their books.
    pub payer_reference: Option<String>,
    /// Why the last card was declined.
    pub decline: Option<Decline>,
    /// How it ended without money.
    pub ending: Option<Ending>,
    /// What the processor captured, in the currency it captured; what was received.
    pub captured: Option<Money>,
    /// When it was captured.
    pub captured_at: Option<Timestamp>,
    /// Brand of the card or name of the account's bank, as the processor words it.
    pub instrument_name: Option<String>,
    /// The last four digits of card or account.
    pub instrument_last4: Option<String>,
    /// When it was started.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
    /// When the payer was sent to the processor's page.
    pub redirected_at: Option<Timestamp>,
    /// When the payer saw how it ended.
    pub seen_at: Option<Timestamp>,
    /// When the payer asked to give it up before it was known whether the processor had made its page.
    pub cancel_asked_at: Option<Timestamp>,
    /// Language tag in which the payer reads; figures and dates of its mails follow it.
    pub language: String,
    /// What the merchant's books know money by that was received: the number of a cheque, the text of a transfer.
    pub reference: Option<String>,
    /// The day on which it was received, where it was; civil date in the merchant's zone.
    pub received_on: Option<Date>,
    /// When the money of a bank debit should be there; civil date in the merchant's zone.
    pub expected_on: Option<Date>,
    /// What the bank said where it sent no money or took it back: `R01`, `AC04`; of a recorded receipt, why it was reversed.
    pub return_code: Option<String>,
    /// When the bank took it back, or somebody reversed it.
    pub returned_at: Option<Timestamp>,
    /// The saved method it charges; none where the payer goes to the processor's page.
    pub payment_method_id: Option<PaymentMethodId>,
    /// When it is sent, where it is held until then: before that it can be stopped.
    pub send_at: Option<Timestamp>,
    /// True if what it is paid with is to be kept for later payments.
    pub keeps_method: bool,
    /// The debit that came back and that this one presents again; always the first of them.
    pub retry_of: Option<PaymentId>,
}

impl Payment {
    /// True for a debit that was held for later and then, without its payer, not sent.
    pub fn was_dropped(&self) -> bool {
        self.state == PaymentState::Canceled
            && self.send_at.is_some()
            && self.ending == Some(Ending::Abandoned)
    }

    /// Why it was reversed, where it was recorded as received and taken out of the books again.
    pub fn reversal(&self) -> Option<ReversalKind> {
        let code = self.return_code.as_deref().filter(|_| self.method.is_received())?;
        ReversalKind::parse(code)
    }

    /// A payment, by card unless the caller says otherwise, that was stored at `at` and is about to be submitted. Who pays, with which words and what surcharge, is
    /// for the caller to set; nothing has come of it yet.
    pub fn submitting(
        merchant: MerchantId,
        id: PaymentId,
        customer_id: CustomerId,
        amount: Money,
        at: Timestamp,
    ) -> Payment {
        Payment {
            merchant,
            id,
            customer_id,
            currency: amount.currency(),
            amount_minor: amount.minor(),
            surcharge_minor: 0,
            method: Method::Card,
            state: PaymentState::Submitting,
            contact_id: None,
            link_id: None,
            session_hash: None,
            receipt_email: None,
            payer_reference: None,
            decline: None,
            ending: None,
            captured: None,
            captured_at: None,
            instrument_name: None,
            instrument_last4: None,
            created_at: at,
            changed_at: at,
            redirected_at: None,
            seen_at: None,
            cancel_asked_at: None,
            language: "en".to_owned(),
            reference: None,
            received_on: None,
            expected_on: None,
            return_code: None,
            returned_at: None,
            payment_method_id: None,
            send_at: None,
            keeps_method: false,
            retry_of: None,
        }
    }
}

/// What the processor captured, and from which card or account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Captured {
    /// Amount and currency.
    pub money: Money,
    /// When.
    pub at: Timestamp,
    /// Brand of the card or name of the bank, and the last four digits, if the processor told.
    pub instrument: Option<(String, String)>,
}

const INSERT: Sql =
    Sql("INSERT INTO payments (merchant_id, id, customer_id, currency, amount, surcharge, method, state,
    contact_id, link_id, session_hash, receipt_email, payer_reference, created_at, changed_at, language, reference,
    received_on, captured, captured_currency, captured_at, payment_method_id, send_at, keeps_method, instrument_name,
    instrument_last4, retry_of)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
  ON CONFLICT DO NOTHING");
const INSERT_STATE: Sql =
    Sql("INSERT INTO payment_states (merchant_id, payment_id, number, state, reason, at)
  SELECT CAST($1 AS BIGINT), $2, COALESCE(MAX(number), 0) + 1, $3, $4, $5
  FROM payment_states WHERE merchant_id = $1 AND payment_id = $2");
const SET_STATE: Sql = Sql("UPDATE payments SET state = $4, changed_at = $5
  WHERE merchant_id = $1 AND id = $2 AND state = $3");
const SET_ENDING: Sql = Sql("UPDATE payments SET ending = $3 WHERE merchant_id = $1 AND id = $2");
const SET_DECLINE: Sql = Sql("UPDATE payments SET decline = $3 WHERE merchant_id = $1 AND id = $2");
const SET_CAPTURED: Sql = Sql("UPDATE payments SET captured = $3, captured_currency = $4, captured_at = $5,
    instrument_name = $6, instrument_last4 = $7, ending = NULL WHERE merchant_id = $1 AND id = $2");
const SET_EXPECTED: Sql =
    Sql("UPDATE payments SET expected_on = $3, instrument_name = COALESCE($4, instrument_name),
    instrument_last4 = COALESCE($5, instrument_last4) WHERE merchant_id = $1 AND id = $2");
const SET_RETURN_CODE: Sql = Sql("UPDATE payments SET return_code = $3 WHERE merchant_id = $1 AND id = $2");
const SET_RETURNED: Sql =
    Sql("UPDATE payments SET return_code = $3, returned_at = $4 WHERE merchant_id = $1 AND id = $2");
const SET_REDIRECTED: Sql = Sql("UPDATE payments SET redirected_at = $3
  WHERE merchant_id = $1 AND id = $2");
const ASK_CANCEL: Sql = Sql("UPDATE payments SET cancel_asked_at = $3
  WHERE merchant_id = $1 AND id = $2 AND cancel_asked_at IS NULL");
const SET_SEEN: Sql =
    Sql("UPDATE payments SET seen_at = $3 WHERE merchant_id = $1 AND id = $2 AND seen_at IS NULL");
const NOTE_CLIENT: Sql = Sql("UPDATE payments SET client = $3 WHERE merchant_id = $1 AND id = $2");
const CLIENT: Sql = Sql("SELECT client FROM payments WHERE merchant_id = $1 AND id = $2");
const BY_ID: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND id = $2");
const BY_INVOICE: Sql = Sql("SELECT p.merchant_id, p.id, p.customer_id, p.currency, p.amount, p.surcharge, p.state,
    p.contact_id, p.link_id, p.session_hash, p.receipt_email, p.payer_reference, p.decline, p.ending, p.captured,
    p.captured_currency, p.captured_at, p.instrument_name, p.instrument_last4, p.created_at, p.changed_at, p.redirected_at, p.seen_at,
    p.cancel_asked_at, p.language, p.method, p.reference, p.received_on,
    p.expected_on, p.return_code, p.returned_at, p.payment_method_id, p.send_at, p.keeps_method, p.retry_of
  FROM payments p WHERE p.merchant_id = $1 AND p.id IN (
    SELECT payment_id FROM (SELECT payment_id FROM reservations
      WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY created_at DESC LIMIT 200) held
    UNION SELECT payment_id FROM (SELECT payment_id FROM receipt_lines
      WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY payment_id DESC LIMIT 200) applied
    UNION SELECT payment_id FROM (SELECT payment_id FROM allocations
      WHERE merchant_id = $1 AND invoice_id = $2 AND payment_id IS NOT NULL ORDER BY at DESC LIMIT 200) moved)
  ORDER BY p.created_at DESC, p.id DESC LIMIT 200");
const LATEST: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");
const INVOICES: Sql = Sql("SELECT invoice_id FROM reservations WHERE merchant_id = $1 AND payment_id = $2
  UNION SELECT invoice_id FROM receipt_lines WHERE merchant_id = $1 AND payment_id = $2
  UNION SELECT invoice_id FROM allocations WHERE merchant_id = $1 AND payment_id = $2 ORDER BY invoice_id");
const NEWEST: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_CUSTOMER: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND id < $2 AND customer_id = $4 ORDER BY id DESC LIMIT $3");
const NEWEST_OF_INVOICE: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND id < $2 AND id IN (
    SELECT payment_id FROM reservations WHERE merchant_id = $1 AND invoice_id = $4
    UNION SELECT payment_id FROM receipt_lines WHERE merchant_id = $1 AND invoice_id = $4)
  ORDER BY id DESC LIMIT $3");
const IN_FLIGHT: Sql = Sql("SELECT id FROM payments WHERE merchant_id = $1 AND changed_at < $2
    AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown') ORDER BY changed_at LIMIT 500");
const IN_FLIGHT_OF_METHOD: Sql =
    Sql("SELECT id FROM payments WHERE merchant_id = $1 AND (payment_method_id = $2
    OR id IN (SELECT m.payment_id FROM mandates m JOIN payment_methods s ON s.merchant_id = m.merchant_id
      AND s.token = m.processor_method_id WHERE s.merchant_id = $1 AND s.id = $2))
    AND state IN ('created', 'submitting', 'requires_action', 'processing', 'unknown') ORDER BY id");
const LAST_PAID: Sql = Sql("SELECT merchant_id, id, customer_id, currency, amount, surcharge, state, contact_id, link_id,
    session_hash, receipt_email, payer_reference, decline, ending, captured, captured_currency, captured_at, instrument_name,
    instrument_last4, created_at, changed_at, redirected_at, seen_at, cancel_asked_at, language, method, reference, received_on,
    expected_on, return_code, returned_at, payment_method_id, send_at, keeps_method, retry_of
  FROM payments WHERE merchant_id = $1 AND customer_id = $2 AND state = 'succeeded'
  ORDER BY created_at DESC, id DESC LIMIT 1");

const LAST_PAID_BY: Sql = Sql("SELECT p.merchant_id, p.id, p.customer_id, p.currency, p.amount, p.surcharge, p.state,
    p.contact_id, p.link_id, p.session_hash, p.receipt_email, p.payer_reference, p.decline, p.ending, p.captured,
    p.captured_currency, p.captured_at, p.instrument_name, p.instrument_last4, p.created_at, p.changed_at, p.redirected_at, p.seen_at,
    p.cancel_asked_at, p.language, p.method, p.reference, p.received_on,
    p.expected_on, p.return_code, p.returned_at, p.payment_method_id, p.send_at, p.keeps_method, p.retry_of
  FROM payments p LEFT JOIN links l ON l.merchant_id = p.merchant_id AND l.id = p.link_id
  WHERE p.merchant_id = $1 AND p.customer_id = $2 AND p.currency = $3 AND p.state = 'succeeded'
    AND (p.contact_id = $4 OR l.contact_id = $4 OR p.link_id = $5)
  ORDER BY p.created_at DESC, p.id DESC LIMIT 1");

/// Adds a payment in its first state, with the first step of its history; `false` when the id is taken.
pub async fn insert(tx: &mut Tx, payment: &Payment, reason: &str) -> Result<bool> {
    let received_on = payment.received_on.map(|date| date.to_string());
    if tx.execute(INSERT, &row_of(payment, received_on.as_deref())).await? == 0 {
        return Ok(false);
    }
    note_state(tx, payment.merchant, payment.id, payment.state, reason, payment.created_at).await?;
    Ok(true)
}

/// The same for a payment whose id was made in this transaction; one that is taken fails it.
pub async fn insert_first(tx: &mut Tx, payment: &Payment, reason: &str) -> Result<()> {
    let received_on = payment.received_on.map(|date| date.to_string());
    tx.write_one(INSERT, &row_of(payment, received_on.as_deref())).await?;
    note_state(tx, payment.merchant, payment.id, payment.state, reason, payment.created_at).await
}

fn row_of<'p>(payment: &'p Payment, received_on: Option<&'p str>) -> [Val<'p>; 26] {
    [
        payment.merchant.0.into(),
        payment.id.as_bytes().into(),
        payment.customer_id.as_bytes().into(),
        payment.currency.code().into(),
        payment.amount_minor.into(),
        payment.surcharge_minor.into(),
        payment.method.as_str().into(),
        payment.state.as_str().into(),
        payment.contact_id.as_ref().map(ContactId::as_bytes).into(),
        payment.link_id.as_ref().map(LinkId::as_bytes).into(),
        payment.session_hash.as_ref().into(),
        payment.receipt_email.as_deref().into(),
        payment.payer_reference.as_deref().into(),
        payment.created_at.as_microsecond().into(),
        payment.language.as_str().into(),
        payment.reference.as_deref().into(),
        received_on.into(),
        payment.captured.map(Money::minor).into(),
        payment.captured.map(|captured| captured.currency().code()).into(),
        payment.captured_at.map(Timestamp::as_microsecond).into(),
        payment.payment_method_id.as_ref().map(PaymentMethodId::as_bytes).into(),
        payment.send_at.map(Timestamp::as_microsecond).into(),
        i64::from(payment.keeps_method).into(),
        payment.instrument_name.as_deref().into(),
        payment.instrument_last4.as_deref().into(),
        payment.retry_of.as_ref().map(PaymentId::as_bytes).into(),
    ]
}

/// Moves a locked payment from its state to the next and notes the step. Its time never falls behind the last one.
pub async fn set_state(
    tx: &mut Tx,
    payment: &Payment,
    next: PaymentState,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let at = now.max(payment.changed_at);
    let (from, to) = (payment.state.as_str(), next.as_str());
    let args = args![payment.merchant.0, payment.id.as_bytes(), from, to, at.as_microsecond()];
    let moved = tx.execute(SET_STATE, args).await?;
    anyhow::ensure!(moved == 1, "payment {} is no longer {from}", payment.id);
    note_state(tx, payment.merchant, payment.id, next, reason, at).await
}

/// Notes how it ended without money.
pub async fn set_ending(tx: &mut Tx, merchant: MerchantId, id: PaymentId, ending: Ending) -> Result<()> {
    tx.execute(SET_ENDING, args![merchant.0, id.as_bytes(), ending.as_str()]).await?;
    Ok(())
}

/// Notes why the last card was declined.
pub async fn set_decline(tx: &mut Tx, merchant: MerchantId, id: PaymentId, decline: Decline) -> Result<()> {
    tx.execute(SET_DECLINE, args![merchant.0, id.as_bytes(), decline.as_str()]).await?;
    Ok(())
}

/// Notes what was captured.
pub async fn set_captured(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PaymentId,
    captured: &Captured,
) -> Result<()> {
    let (name, last4) =
        captured.instrument.as_ref().map(|(name, last4)| (name.as_str(), last4.as_str())).unzip();
    let (minor, code, at) =
        (captured.money.minor(), captured.money.currency().code(), captured.at.as_microsecond());
    tx.execute(SET_CAPTURED, args![merchant.0, id.as_bytes(), minor, code, at, name, last4]).await?;
    Ok(())
}

/// Notes when the money of a bank debit should be there, and from which account: the bank's name and the last four digits.
pub async fn set_expected(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PaymentId,
    on: Option<Date>,
    account: (Option<&str>, Option<&str>),
) -> Result<()> {
    let on = on.map(|date| date.to_string());
    let args = args![merchant.0, id.as_bytes(), on.as_deref(), account.0, account.1];
    tx.execute(SET_EXPECTED, args).await.map(drop)
}

/// Notes why the bank sent no money.
pub async fn set_return_code(tx: &mut Tx, merchant: MerchantId, id: PaymentId, code: &str) -> Result<()> {
    tx.execute(SET_RETURN_CODE, args![merchant.0, id.as_bytes(), code]).await.map(drop)
}

/// Notes when and why the bank took the money back.
pub async fn set_returned(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PaymentId,
    (code, at): (Option<&str>, Timestamp),
) -> Result<()> {
    tx.execute(SET_RETURNED, args![merchant.0, id.as_bytes(), code, at.as_microsecond()]).await.map(drop)
}

/// Notes that the payer asked to give it up; the first time counts.
pub async fn ask_cancel(tx: &mut Tx, merchant: MerchantId, id: PaymentId, now: Timestamp) -> Result<()> {
    tx.execute(ASK_CANCEL, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await?;
    Ok(())
}

/// Notes that the payer was sent to the processor's page; the last time counts, since it promises them half an hour.
pub async fn set_redirected(tx: &mut Tx, merchant: MerchantId, id: PaymentId, now: Timestamp) -> Result<()> {
    tx.execute(SET_REDIRECTED, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await?;
    Ok(())
}

/// Notes that the payer saw how it ended; the first time counts.
pub async fn set_seen(tx: &mut Tx, merchant: MerchantId, id: PaymentId, now: Timestamp) -> Result<()> {
    tx.execute(SET_SEEN, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await?;
    Ok(())
}

/// Notes the network address of the browser that started it.
pub async fn note_client(tx: &mut Tx, merchant: MerchantId, id: PaymentId, client: &str) -> Result<()> {
    tx.execute(NOTE_CLIENT, args![merchant.0, id.as_bytes(), client]).await.map(drop)
}

/// The network address of the browser that started it, where a browser did.
pub async fn client(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<String>> {
    Ok(tx.fetch_optional(CLIENT, args![merchant.0, id.as_bytes()], |row| row.opt_text(0)).await?.flatten())
}

/// The payment with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<Payment>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Locks the payment; before its invoices in the lock order.
pub async fn lock(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Option<Payment>> {
    tx.lock(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// Payments that reserved something on an invoice or were set against it, newest first, 200 at most.
pub async fn list_by_invoice(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<Vec<Payment>> {
    tx.fetch_all(BY_INVOICE, args![merchant.0, invoice.as_bytes()], decode).await
}

/// The invoices that a payment reserved something on or was set against, by id.
pub async fn invoices(tx: &mut Tx, merchant: MerchantId, id: PaymentId) -> Result<Vec<InvoiceId>> {
    let invoice = |row: &Row<'_>| Ok(InvoiceId::from_bytes(row.bytes16(0)?));
    tx.fetch_all(INVOICES, args![merchant.0, id.as_bytes()], invoice).await
}

/// Payments in the order they were started; `after` is the last one seen.
pub async fn list(
    tx: &mut Tx,
    merchant: MerchantId,
    after: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    tx.fetch_all(LATEST, args![merchant.0, &after, limit], decode).await
}

/// Whose payments a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The merchant's.
    Merchant,
    /// One customer's.
    Customer(CustomerId),
    /// Those that reserved something on an invoice or were set against it.
    Invoice(InvoiceId),
}

/// Payments before `before` (none: the newest), newest first.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    of: Of,
    before: Option<PaymentId>,
    limit: i64,
) -> Result<Vec<Payment>> {
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    match of {
        Of::Merchant => tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode).await,
        Of::Customer(id) => {
            tx.fetch_all(NEWEST_OF_CUSTOMER, args![merchant.0, &before, limit, id.as_bytes()], decode).await
        }
        Of::Invoice(id) => {
            tx.fetch_all(NEWEST_OF_INVOICE, args![merchant.0, &before, limit, id.as_bytes()], decode).await
        }
    }
}

/// Payments in flight whose state has not changed since `before`, longest waiting first, 500 at most.
pub async fn in_flight(tx: &mut Tx, merchant: MerchantId, before: Timestamp) -> Result<Vec<PaymentId>> {
    tx.fetch_all(IN_FLIGHT, args![merchant.0, before.as_microsecond()], |row| {
        Ok(PaymentId::from_bytes(row.bytes16(0)?))
    })
    .await
}

/// Payments in flight that charge a saved method, or that it was kept with, in the order they were started.
pub async fn in_flight_of_method(
    tx: &mut Tx,
    merchant: MerchantId,
    method: PaymentMethodId,
) -> Result<Vec<PaymentId>> {
    let id = |row: &Row<'_>| Ok(PaymentId::from_bytes(row.bytes16(0)?));
    tx.fetch_all(IN_FLIGHT_OF_METHOD, args![merchant.0, method.as_bytes()], id).await
}

/// The customer's newest succeeded payment, in whatever currency.
pub async fn last_paid(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<Option<Payment>> {
    tx.fetch_optional(LAST_PAID, args![merchant.0, customer.as_bytes()], decode).await
}

/// The newest succeeded payment in a currency of one person of the customer: signed in as the contact, by a link that
/// was sent to the contact, or by this very link.
pub async fn last_paid_by(
    tx: &mut Tx,
    (merchant, customer): (MerchantId, CustomerId),
    (contact, link): (Option<ContactId>, Option<LinkId>),
    currency: Currency,
) -> Result<Option<Payment>> {
    let (contact, link) = (contact.as_ref().map(ContactId::as_bytes), link.as_ref().map(LinkId::as_bytes));
    let args = args![merchant.0, customer.as_bytes(), currency.code(), contact, link];
    tx.fetch_optional(LAST_PAID_BY, args, decode).await
}

async fn note_state(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PaymentId,
    state: PaymentState,
    reason: &str,
    at: Timestamp,
) -> Result<()> {
    let args = args![merchant.0, id.as_bytes(), state.as_str(), reason, at.as_microsecond()];
    tx.write_one(INSERT_STATE, args).await
}

fn decode(row: &Row<'_>) -> Result<Payment> {
    let captured = match row.opt_i64(14)? {
        Some(minor) => Some(Money::new(minor, currency(row, 15)?)),
        None => None,
    };
    Ok(Payment {
        merchant: MerchantId(row.i64(0)?),
        id: PaymentId::from_bytes(row.bytes16(1)?),
        customer_id: CustomerId::from_bytes(row.bytes16(2)?),
        currency: currency(row, 3)?,
        amount_minor: row.i64(4)?,
        surcharge_minor: row.i64(5)?,
        state: word(row, 6, PaymentState::parse)?,
        contact_id: row.opt_bytes16(7)?.map(ContactId::from_bytes),
        link_id: row.opt_bytes16(8)?.map(LinkId::from_bytes),
        session_hash: row.opt_bytes32(9)?,
        receipt_email: row.opt_text(10)?,
        payer_reference: row.opt_text(11)?,
        decline: row.opt_text(12)?.map(|word| Decline::parse(&word)),
        ending: row.opt_text(13)?.and_then(|word| Ending::parse(&word)),
        captured,
        captured_at: opt_timestamp(row, 16)?,
        instrument_name: row.opt_text(17)?,
        instrument_last4: row.opt_text(18)?,
        created_at: timestamp(row, 19)?,
        changed_at: timestamp(row, 20)?,
        redirected_at: opt_timestamp(row, 21)?,
        seen_at: opt_timestamp(row, 22)?,
        cancel_asked_at: opt_timestamp(row, 23)?,
        language: row.text(24)?,
        method: word(row, 25, Method::parse)?,
        reference: row.opt_text(26)?,
        received_on: opt_date(row, 27)?,
        expected_on: opt_date(row, 28)?,
        return_code: row.opt_text(29)?,
        returned_at: opt_timestamp(row, 30)?,
        payment_method_id: row.opt_bytes16(31)?.map(PaymentMethodId::from_bytes),
        send_at: opt_timestamp(row, 32)?,
        keeps_method: row.i64(33)? != 0,
        retry_of: row.opt_bytes16(34)?.map(PaymentId::from_bytes),
    })
}
