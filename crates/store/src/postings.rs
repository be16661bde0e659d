//! Postings and their entries. Written once, never changed; one cause makes one posting.

use crate::args;
use crate::columns::{currency, timestamp};
use crate::db::{Sql, Tx, Val};
use anyhow::{Context as _, Result};
use billing::chart;
use billing::ids::{MerchantId, PostingId};
use jiff::Timestamp;
use ledger::{Account, Currency, Dimension, Money, Posting, PostingBuilder, Side};

/// Why a posting was made; unique per merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CauseKind {
    /// An invoice was issued; the id is the invoice's.
    InvoiceIssued,
    /// An invoice was voided; the id is the invoice's.
    InvoiceVoided,
    /// Money was captured; the id is the payment's.
    Capture,
    /// Money was captured in another currency than asked; the id is the payment's.
    CaptureOtherCurrency,
    /// Money was received outside of any processor; the id is the payment's.
    Receipt,
    /// A bank took the money of a debit back, or a recorded receipt was reversed; the id is the payment's.
    PaymentReturned,
    /// A receipt of which nobody knew whose it was is reversed; the id is the receipt's.
    ReceiptReversed,
    /// The processor kept a fee; the id is its balance transaction's.
    ProcessingFee,
    /// The processor kept a fee for a return; the id is its balance transaction's.
    ReturnFee,
    /// Customer credit was set against an invoice; the id is the allocation's.
    CreditApplied,
    /// A credit note was issued; the id is the credit note's.
    CreditNote,
    /// A part of an invoice was given up; the id is the write-off's.
    WrittenOff,
    /// Money came for what had been given up; the id is that of the row which takes the write-off back.
    WriteOffRecovered,
    /// A receipt without a place found one; the id is the first allocation's, or the grant's where there is none.
    ReceiptMatched,
    /// An allocation moved to another invoice; the id is the new allocation's.
    AllocationMoved,
    /// An allocation became customer credit; the id is the new grant's.
    AllocationTakenOff,
    /// Credit that had been set against an invoice is the grant's again; the id is that of the allocation which takes it off.
    CreditRestored,
    /// The processor kept a fee for a dispute; the id is its balance transaction's.
    DisputeFee,
    /// A line of the processor's books has another fee than was posted; the id is the line's, with the fee it has.
    FeeCorrected,
    /// The processor kept a fee that is for no payment; the id is its balance transaction's.
    AccountFee,
    /// A payout was made; the id is the payout's, as of all that follow.
    PayoutCreated,
    /// Its amount left the processor's books in another currency.
    PayoutConvertedOut,
    /// What it was converted to is on its way.
    PayoutConvertedIn,
    /// It is at the bank.
    PayoutPaid,
    /// The bank sent it back.
    PayoutPaidReversed,
    /// It is with the processor again.
    PayoutCreatedReversed,
    /// The same of what left its books.
    PayoutConvertedOutReversed,
    /// The same of what was on its way.
    PayoutConvertedInReversed,
    /// A line of the processor's books is in another currency than what it belongs to: what it was; the id is the line's.
    ExchangedOut,
    /// What it became.
    ExchangedIn,
    /// The processor withdrew what is contested; the id is the dispute's.
    DisputeOpened,
    /// It gave it back; the id is the dispute's.
    DisputeWon,
    /// What was contested is gone; the id is the dispute's.
    DisputeLost,
    /// What was gone came back; the id is the dispute's.
    DisputeWonAfterLost,
    /// A refund was asked for; the id is the refund's, as of the next four.
    RefundAsked,
    /// A refund was paid.
    RefundSucceeded,
    /// A refund that had been paid came back.
    RefundCameBack,
    /// A refund failed and is the customer's credit.
    RefundFailed,
    /// A refund was withdrawn before it was sent.
    RefundWithdrawn,
}

impl CauseKind {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            CauseKind::InvoiceIssued => "invoice_issued",
            CauseKind::InvoiceVoided => "invoice_voided",
            CauseKind::Capture => "capture",
            CauseKind::CaptureOtherCurrency => "capture_other_currency",
            CauseKind::Receipt => "receipt",
            CauseKind::PaymentReturned => "payment_returned",
            CauseKind::ReceiptReversed => "receipt_reversed",
            CauseKind::ProcessingFee => "processing_fee",
            CauseKind::ReturnFee => "return_fee",
            CauseKind::CreditApplied => "credit_applied",
            CauseKind::CreditNote => "credit_note",
            CauseKind::WrittenOff => "written_off",
            CauseKind::WriteOffRecovered => "write_off_recovered",
            CauseKind::ReceiptMatched => "receipt_matched",
            CauseKind::AllocationMoved => "allocation_moved",
            CauseKind::AllocationTakenOff => "allocation_taken_off",
            CauseKind::CreditRestored => "credit_restored",
            CauseKind::DisputeFee => "dispute_fee",
            CauseKind::FeeCorrected => "fee_corrected",
            CauseKind::AccountFee => "account_fee",
            CauseKind::PayoutCreated => "payout_created",
            CauseKind::PayoutConvertedOut => "payout_converted_out",
            CauseKind::PayoutConvertedIn => "payout_converted_in",
            CauseKind::PayoutPaid => "payout_paid",
            CauseKind::PayoutPaidReversed => "payout_paid_reversed",
            CauseKind::PayoutCreatedReversed => "payout_created_reversed",
            CauseKind::PayoutConvertedOutReversed => "payout_converted_out_reversed",
            CauseKind::PayoutConvertedInReversed => "payout_converted_in_reversed",
            CauseKind::ExchangedOut => "exchanged_out",
            CauseKind::ExchangedIn => "exchanged_in",
            CauseKind::DisputeOpened => "dispute_opened",
            CauseKind::DisputeWon => "dispute_won",
            CauseKind::DisputeLost => "dispute_lost",
            CauseKind::DisputeWonAfterLost => "dispute_won_after_lost",
            CauseKind::RefundAsked => "refund_asked",
            CauseKind::RefundSucceeded => "refund_succeeded",
            CauseKind::RefundCameBack => "refund_came_back",
            CauseKind::RefundFailed => "refund_failed",
            CauseKind::RefundWithdrawn => "refund_withdrawn",
        }
    }
}

/// A posting on its way into the books.
#[derive(Debug, Clone)]
pub struct NewPosting<'p> {
    /// Which posting.
    pub id: PostingId,
    /// Why.
    pub cause: CauseKind,
    /// Id of the cause, printed.
    pub cause_id: &'p str,
    /// The posting it undoes.
    pub reverses: Option<PostingId>,
    /// The balanced entries.
    pub posting: &'p Posting,
    /// When.
    pub at: Timestamp,
}

const INSERT: Sql =
    Sql("INSERT INTO postings (merchant_id, id, cause_kind, cause_id, currency, reverses, at)
  VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING");
const INSERT_ENTRY: Sql =
    Sql("INSERT INTO entries (merchant_id, posting_id, line, account, side, amount, customer_id,
    subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
const BY_CAUSE: Sql = Sql("SELECT id, currency, at FROM postings
  WHERE merchant_id = $1 AND cause_kind = $2 AND cause_id = $3");
const ENTRIES: Sql = Sql("SELECT account, side, amount, customer_id, subject FROM entries
  WHERE merchant_id = $1 AND posting_id = $2 ORDER BY line");
const BALANCE: Sql = Sql("SELECT p.currency,
    CAST(SUM(CASE WHEN e.side = 'debit' THEN e.amount ELSE -e.amount END) AS BIGINT)
  FROM entries e JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id
  WHERE e.merchant_id = $1 AND e.account = $2 GROUP BY p.currency ORDER BY p.currency");
const FEES_OF_LINE: Sql =
    Sql("SELECT CAST(COALESCE(SUM(CASE e.side WHEN 'debit' THEN e.amount ELSE -e.amount END), 0) AS BIGINT)
  FROM postings p JOIN entries e ON e.merchant_id = p.merchant_id AND e.posting_id = p.id AND e.account IN (5100, 5110, 5120)
  WHERE p.merchant_id = $1 AND ((p.cause_kind IN ('processing_fee', 'return_fee', 'dispute_fee', 'account_fee')
    AND p.cause_id = $2) OR (p.cause_kind = 'fee_corrected' AND p.cause_id > $3 AND p.cause_id < $4))");

/// What was posted of a line's fee, corrections included, minor units of the line's currency.
pub async fn fees_of_line(tx: &mut Tx, merchant: MerchantId, line_id: &str) -> Result<i64> {
    // Corrections are called after the line and the fee it has, with a colon between; a semicolon comes after that.
    let (after, before) = (format!("{line_id}:"), format!("{line_id};"));
    tx.fetch_one(FEES_OF_LINE, args![merchant.0, line_id, &after, &before], |row| row.i64(0)).await
}

const BALANCE_OF: Sql = Sql("SELECT p.currency,
    CAST(SUM(CASE WHEN e.side = 'debit' THEN e.amount ELSE -e.amount END) AS BIGINT)
  FROM entries e JOIN postings p ON p.merchant_id = e.merchant_id AND p.id = e.posting_id
  WHERE e.merchant_id = $1 AND e.account = $2 AND e.subject = $3 GROUP BY p.currency ORDER BY p.currency");

/// Writes a posting; `false` when its cause has one already ("already applied").
pub async fn insert(tx: &mut Tx, merchant: MerchantId, new: &NewPosting<'_>) -> Result<bool> {
    if tx.execute(INSERT, &row_of(merchant, new)).await? == 0 {
        return Ok(false);
    }
    insert_entries(tx, merchant, new).await?;
    Ok(true)
}

/// Writes the posting of a cause that is born in this transaction; one that has a posting already fails it.
pub async fn insert_first(tx: &mut Tx, merchant: MerchantId, new: &NewPosting<'_>) -> Result<()> {
    tx.write_one(INSERT, &row_of(merchant, new)).await?;
    insert_entries(tx, merchant, new).await
}

fn row_of<'p>(merchant: MerchantId, new: &'p NewPosting<'_>) -> [Val<'p>; 7] {
    [
        merchant.0.into(),
        new.id.as_bytes().into(),
        new.cause.as_str().into(),
        new.cause_id.into(),
        new.posting.currency().code().into(),
        new.reverses.as_ref().map(PostingId::as_bytes).into(),
        new.at.as_microsecond().into(),
    ]
}

async fn insert_entries(tx: &mut Tx, merchant: MerchantId, new: &NewPosting<'_>) -> Result<()> {
    for (line, entry) in (1_i64..).zip(new.posting.entries()) {
        let side = if entry.side == Side::Debit { "debit" } else { "credit" };
        let account = i64::from(entry.account.number);
        let customer = entry.account.customer.as_ref().map(|dimension| &dimension.0);
        let subject = entry.account.subject.as_ref().map(|dimension| &dimension.0);
        let args =
            args![merchant.0, new.id.as_bytes(), line, account, side, entry.amount_minor, customer, subject];
        tx.write_one(INSERT_ENTRY, args).await?;
    }
    Ok(())
}

/// The posting a cause made, with its id and time.
pub async fn find_by_cause(
    tx: &mut Tx,
    merchant: MerchantId,
    cause: CauseKind,
    cause_id: &str,
) -> Result<Option<(PostingId, Posting, Timestamp)>> {
    let found = tx
        .fetch_optional(BY_CAUSE, args![merchant.0, cause.as_str(), cause_id], |row| {
            Ok((PostingId::from_bytes(row.bytes16(0)?), currency(row, 1)?, timestamp(row, 2)?))
        })
        .await?;
    let Some((id, currency, at)) = found else { return Ok(None) };
    let entries = tx
        .fetch_all(ENTRIES, args![merchant.0, id.as_bytes()], |row| {
            let number = u16::try_from(row.i64(0)?)?;
            let normal =
                chart::normal_side(number).with_context(|| format!("account {number} is unknown"))?;
            let customer = row.opt_bytes16(3)?.map(Dimension);
            let subject = row.opt_bytes16(4)?.map(Dimension);
            Ok((Account { number, normal, customer, subject }, row.text(1)? == "debit", row.i64(2)?))
        })
        .await?;
    let mut builder = PostingBuilder::new(currency);
    for (account, is_debit, minor) in entries {
        let amount = Money::new(minor, currency);
        builder = if is_debit { builder.debit(account, amount) } else { builder.credit(account, amount) };
    }
    Ok(Some((id, builder.build()?, at)))
}

/// Debits minus credits on an account number, a row per currency.
pub async fn balances(tx: &mut Tx, merchant: MerchantId, account: u16) -> Result<Vec<Money>> {
    tx.fetch_all(BALANCE, args![merchant.0, i64::from(account)], |row| {
        Ok(Money::new(row.i64(1)?, currency(row, 0)?))
    })
    .await
}

/// Debits minus credits on an account number for one subject, in one currency, minor units.
pub async fn balance_of(
    tx: &mut Tx,
    merchant: MerchantId,
    (account, subject): (u16, &[u8; 16]),
    of: Currency,
) -> Result<i64> {
    let rows = tx
        .fetch_all(BALANCE_OF, args![merchant.0, i64::from(account), subject], |row| {
            Ok((currency(row, 0)?, row.i64(1)?))
        })
        .await?;
    Ok(rows.into_iter().find(|(currency, _)| *currency == of).map_or(0, |(_, minor)| minor))
}
