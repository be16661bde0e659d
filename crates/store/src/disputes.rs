//! Disputes of card payments: what their holders contest, where each stands, and the numbered history of it. The return of a
//! bank debit is no dispute and never stands here.

mod history;
mod settings;

pub use history::{StateStep, history};
pub use settings::{put_when_lost, when_lost};

use crate::args;
use crate::columns::{currency, opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::{Context as _, Result};
use billing::dispute::{DisputeState, LossMeaning};
use billing::ids::{DisputeId, InvoiceId, MerchantId, PaymentId};
use jiff::Timestamp;
use ledger::Money;

/// A card payment, or a part of it, that its holder contests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispute {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Which dispute.
    pub id: DisputeId,
    /// The contested payment.
    pub payment_id: PaymentId,
    /// Who told of it.
    pub processor: String,
    /// The processor's name of it.
    pub processor_dispute_id: String,
    /// Where it stands.
    pub state: DisputeState,
    /// What is contested, in the currency of the capture.
    pub amount: Money,
    /// The processor's own name of the reason, for example `product_not_received`.
    pub reason: String,
    /// The network's code of the reason.
    pub network_code: Option<String>,
    /// Until when evidence is taken.
    pub due_at: Option<Timestamp>,
    /// What a loss is to mean, where somebody chose it for this dispute; else the merchant's usual choice holds.
    pub when_lost: Option<LossMeaning>,
    /// What its loss was booked as, while it is lost.
    pub lost_as: Option<LossMeaning>,
    /// True if the processor has evidence, ready or sent to the bank.
    pub has_evidence: bool,
    /// What the processor keeps for it, in the currency of its books, as far as it has told.
    pub fee: Option<Money>,
    /// When somebody asked to let it be; the processor may not have answered yet.
    pub accept_asked_at: Option<Timestamp>,
    /// When it was opened, by the processor's clock.
    pub opened_at: Timestamp,
    /// When we first heard of it.
    pub created_at: Timestamp,
    /// When its state last changed.
    pub changed_at: Timestamp,
}

/// What a processor may tell anew of a dispute that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The reason, which banks change.
    pub reason: String,
    /// The network's code of it.
    pub network_code: Option<String>,
    /// Until when evidence is taken; what is told once stays where nothing is told any more.
    pub due_at: Option<Timestamp>,
    /// True if the processor has evidence.
    pub has_evidence: bool,
    /// What it keeps for it.
    pub fee: Option<Money>,
}

const INSERT: Sql = Sql(
    "INSERT INTO disputes (merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency,
    reason, network_code, due_at, has_evidence, opened_at, created_at, changed_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) ON CONFLICT DO NOTHING",
);
const SET_STATE: Sql = Sql("UPDATE disputes SET state = $4, changed_at = $5
  WHERE merchant_id = $1 AND id = $2 AND state = $3");
const LEARN: Sql = Sql("UPDATE disputes SET reason = $3, network_code = COALESCE($4, network_code),
    due_at = COALESCE($5, due_at), has_evidence = $6, fee = COALESCE($7, fee), fee_currency = COALESCE($8, fee_currency)
  WHERE merchant_id = $1 AND id = $2");
const SET_AMOUNT: Sql = Sql("UPDATE disputes SET amount = $3
  WHERE merchant_id = $1 AND id = $2 AND currency = $4 AND state = 'inquiry'");
const SET_WHEN_LOST: Sql = Sql("UPDATE disputes SET when_lost = $3 WHERE merchant_id = $1 AND id = $2");
const SET_LOST_AS: Sql = Sql("UPDATE disputes SET lost_as = $3 WHERE merchant_id = $1 AND id = $2");
const ASK_ACCEPT: Sql = Sql("UPDATE disputes SET accept_asked_at = $3
  WHERE merchant_id = $1 AND id = $2 AND accept_asked_at IS NULL");
const DROP_ACCEPT: Sql = Sql("UPDATE disputes SET accept_asked_at = NULL WHERE merchant_id = $1 AND id = $2");
const BY_ID: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND id = $2",
);
const BY_NAME: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND processor = $2 AND processor_dispute_id = $3",
);
const BY_PAYMENT: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND payment_id = $2 ORDER BY id",
);
const NEWEST: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3",
);
const NEWEST_OF_PAYMENT: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND id < $2 AND payment_id = $4 ORDER BY id DESC LIMIT $3",
);
const NEWEST_IN_STATE: Sql = Sql(
    "SELECT merchant_id, id, payment_id, processor, processor_dispute_id, state, amount, currency, reason, network_code,
    due_at, when_lost, lost_as, has_evidence, accept_asked_at, opened_at, created_at, changed_at, fee, fee_currency
  FROM disputes WHERE merchant_id = $1 AND id < $2 AND state = $4 ORDER BY id DESC LIMIT $3",
);
const ANY_UNDECIDED: Sql = Sql("SELECT EXISTS (SELECT 1 FROM disputes WHERE merchant_id = $1
    AND state IN ('inquiry', 'needs_response', 'under_review'))");
const ANY_OPEN: Sql = Sql("SELECT EXISTS (SELECT 1 FROM disputes WHERE merchant_id = $1 AND payment_id = $2
    AND state IN ('inquiry', 'needs_response', 'under_review'))");
const CONTESTED: Sql = Sql("SELECT DISTINCT payment_id FROM disputes
  WHERE merchant_id = $1 AND state IN ('inquiry', 'needs_response', 'under_review') AND payment_id IN (
    SELECT payment_id FROM receipt_lines WHERE merchant_id = $1 AND invoice_id = $2)");
const GONE: Sql = Sql("SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM disputes
  WHERE merchant_id = $1 AND payment_id = $2 AND state IN ('lost', 'accepted')");

/// Adds a dispute in the state it is first heard of in, with the first step of its history; `false` when it is known.
pub async fn insert(tx: &mut Tx, dispute: &Dispute, reason: &str) -> Result<bool> {
    let args = args![
        dispute.merchant.0,
        dispute.id.as_bytes(),
        dispute.payment_id.as_bytes(),
        &dispute.processor,
        &dispute.processor_dispute_id,
        dispute.state.as_str(),
        dispute.amount.minor(),
        dispute.amount.currency().code(),
        &dispute.reason,
        dispute.network_code.as_deref(),
        dispute.due_at.map(Timestamp::as_microsecond),
        dispute.has_evidence,
        dispute.opened_at.as_microsecond(),
        dispute.created_at.as_microsecond(),
    ];
    if tx.execute(INSERT, args).await? == 0 {
        return Ok(false);
    }
    history::note(tx, dispute, dispute.state, reason, dispute.created_at).await?;
    Ok(true)
}

/// Moves a dispute, whose payment is locked, from its state to the next and notes the step. Its time never falls behind the last
/// one.
pub async fn set_state(
    tx: &mut Tx,
    dispute: &Dispute,
    next: DisputeState,
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let at = now.max(dispute.changed_at);
    let from = dispute.state.as_str();
    let args = args![dispute.merchant.0, dispute.id.as_bytes(), from, next.as_str(), at.as_microsecond()];
    let moved = tx.execute(SET_STATE, args).await?;
    anyhow::ensure!(moved == 1, "dispute {} is no longer {from}", dispute.id);
    history::note(tx, dispute, next, reason, at).await
}

/// Notes what is told of it besides its state.
pub async fn learn(tx: &mut Tx, merchant: MerchantId, id: DisputeId, told: &Told) -> Result<()> {
    let due_at = told.due_at.map(Timestamp::as_microsecond);
    let code = told.network_code.as_deref();
    let (fee, fee_currency) = told.fee.map(|fee| (fee.minor(), fee.currency().code())).unzip();
    let args =
        args![merchant.0, id.as_bytes(), &told.reason, code, due_at, told.has_evidence, fee, fee_currency,];
    tx.execute(LEARN, args).await.map(drop)
}

/// Notes another amount of an inquiry, of which nothing is posted yet.
pub async fn set_amount(tx: &mut Tx, merchant: MerchantId, id: DisputeId, amount: Money) -> Result<()> {
    let args = args![merchant.0, id.as_bytes(), amount.minor(), amount.currency().code()];
    let changed = tx.execute(SET_AMOUNT, args).await?;
    anyhow::ensure!(changed == 1, "{id} is no inquiry in {}", amount.currency().code());
    Ok(())
}

/// Chooses what a loss of this dispute means; `None`: what the merchant usually chooses.
pub async fn set_when_lost(
    tx: &mut Tx,
    merchant: MerchantId,
    id: DisputeId,
    meaning: Option<LossMeaning>,
) -> Result<()> {
    let word = meaning.map(LossMeaning::as_str);
    tx.execute(SET_WHEN_LOST, args![merchant.0, id.as_bytes(), word]).await.map(drop)
}

/// Notes what its loss was booked as; `None`: it was won after all.
pub async fn set_lost_as(
    tx: &mut Tx,
    merchant: MerchantId,
    id: DisputeId,
    meaning: Option<LossMeaning>,
) -> Result<()> {
    let word = meaning.map(LossMeaning::as_str);
    tx.execute(SET_LOST_AS, args![merchant.0, id.as_bytes(), word]).await.map(drop)
}

/// Notes that somebody asked to let it be; the first time counts.
pub async fn ask_accept(tx: &mut Tx, merchant: MerchantId, id: DisputeId, now: Timestamp) -> Result<()> {
    tx.execute(ASK_ACCEPT, args![merchant.0, id.as_bytes(), now.as_microsecond()]).await.map(drop)
}

/// Forgets that somebody asked to let it be: the processor does not.
pub async fn drop_accept(tx: &mut Tx, merchant: MerchantId, id: DisputeId) -> Result<()> {
    tx.execute(DROP_ACCEPT, args![merchant.0, id.as_bytes()]).await.map(drop)
}

/// The dispute with this id.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: DisputeId) -> Result<Option<Dispute>> {
    tx.fetch_optional(BY_ID, args![merchant.0, id.as_bytes()], decode).await
}

/// The dispute that a processor knows by this name.
pub async fn find_by_name(
    tx: &mut Tx,
    merchant: MerchantId,
    processor: &str,
    name: &str,
) -> Result<Option<Dispute>> {
    tx.fetch_optional(BY_NAME, args![merchant.0, processor, name], decode).await
}

/// The disputes of a payment, the oldest first.
pub async fn list_by_payment(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<Vec<Dispute>> {
    tx.fetch_all(BY_PAYMENT, args![merchant.0, payment.as_bytes()], decode).await
}

/// Which disputes a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// The merchant's.
    Merchant,
    /// Those of one payment.
    Payment(PaymentId),
    /// Those that stand so.
    State(DisputeState),
}

/// Disputes before `before` (none: the newest), newest first.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    of: Of,
    before: Option<DisputeId>,
    limit: i64,
) -> Result<Vec<Dispute>> {
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    match of {
        Of::Merchant => tx.fetch_all(NEWEST, args![merchant.0, &before, limit], decode).await,
        Of::Payment(id) => {
            let args = args![merchant.0, &before, limit, id.as_bytes()];
            tx.fetch_all(NEWEST_OF_PAYMENT, args, decode).await
        }
        Of::State(state) => {
            let args = args![merchant.0, &before, limit, state.as_str()];
            tx.fetch_all(NEWEST_IN_STATE, args, decode).await
        }
    }
}

/// True while a dispute of the payment is undecided: nothing of it may be refunded. Ask while the payment is locked.
pub async fn any_open(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<bool> {
    tx.fetch_one(ANY_OPEN, args![merchant.0, payment.as_bytes()], |row| row.bool(0)).await
}

/// True while any dispute of the merchant is undecided.
pub async fn any_undecided(tx: &mut Tx, merchant: MerchantId) -> Result<bool> {
    tx.fetch_one(ANY_UNDECIDED, args![merchant.0], |row| row.bool(0)).await
}

/// Payments set against an invoice of which a dispute is undecided.
pub async fn contested(tx: &mut Tx, merchant: MerchantId, invoice: InvoiceId) -> Result<Vec<PaymentId>> {
    let payment = |row: &Row<'_>| Ok(PaymentId::from_bytes(row.bytes16(0)?));
    tx.fetch_all(CONTESTED, args![merchant.0, invoice.as_bytes()], payment).await
}

/// What of a payment is gone in disputes, lost or accepted, whoever bears it; minor units of what was captured.
pub async fn charged_back_minor(tx: &mut Tx, merchant: MerchantId, payment: PaymentId) -> Result<i64> {
    tx.fetch_one(GONE, args![merchant.0, payment.as_bytes()], |row| row.i64(0)).await
}

fn decode(row: &Row<'_>) -> Result<Dispute> {
    let meaning = |column: usize| {
        let word = row.opt_text(column)?;
        word.map(|word| LossMeaning::parse(&word).with_context(|| format!("unknown meaning {word:?}")))
            .transpose()
    };
    Ok(Dispute {
        merchant: MerchantId(row.i64(0)?),
        id: DisputeId::from_bytes(row.bytes16(1)?),
        payment_id: PaymentId::from_bytes(row.bytes16(2)?),
        processor: row.text(3)?,
        processor_dispute_id: row.text(4)?,
        state: word(row, 5, DisputeState::parse)?,
        amount: Money::new(row.i64(6)?, currency(row, 7)?),
        reason: row.text(8)?,
        network_code: row.opt_text(9)?,
        due_at: opt_timestamp(row, 10)?,
        when_lost: meaning(11)?,
        lost_as: meaning(12)?,
        has_evidence: row.bool(13)?,
        accept_asked_at: opt_timestamp(row, 14)?,
        opened_at: timestamp(row, 15)?,
        created_at: timestamp(row, 16)?,
        changed_at: timestamp(row, 17)?,
        fee: match row.opt_i64(18)? {
            Some(minor) => Some(Money::new(minor, currency(row, 19)?)),
            None => None,
        },
    })
}
