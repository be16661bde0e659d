//! Debits that are presented again: how often the same one was, and which came last from an account for an invoice. It only reads;
//! that a payment presents another again is a column of its own row.

use crate::args;
use crate::columns::{currency, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::bank_return::ReturnKind;
use billing::ids::{InvoiceId, MerchantId, PaymentId, PaymentMethodId};
use billing::payment::{Hold, PaymentState};
use jiff::Timestamp;
use ledger::Money;

/// A debit as it was presented, or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presented {
    /// Which payment.
    pub id: PaymentId,
    /// Where it stands.
    pub state: PaymentState,
    /// All that is debited, the surcharge included.
    pub total: Money,
    /// When it was sent, or will be; not later than that.
    pub at: Timestamp,
    /// What the bank said where it did not pay or took it back.
    pub return_code: Option<String>,
    /// The first one, where this one presents another again.
    pub retry_of: Option<PaymentId>,
}

impl Presented {
    /// Why it came back; `None` while it has not.
    pub fn returned(&self) -> Option<ReturnKind> {
        let is_back = self.state == PaymentState::Returned || self.state.hold() == Hold::Released;
        let code = self.return_code.as_deref();
        is_back.then(|| code.map_or(ReturnKind::Unexplained, ReturnKind::of_code))
    }
}

/// What was called off or refused before anything was sent was never presented.
const OF_FIRST: Sql = Sql(
    "SELECT id, state, amount + surcharge, currency, COALESCE(send_at, created_at), return_code, retry_of
  FROM payments WHERE merchant_id = $1 AND (id = $2 OR retry_of = $2) AND state <> 'canceled'
  AND NOT (state = 'failed' AND COALESCE(ending, '') = 'refused') ORDER BY id",
);
const LATEST: Sql = Sql("SELECT y.id, y.state, y.amount + y.surcharge, y.currency, COALESCE(y.send_at, y.created_at), y.return_code,
    y.retry_of
  FROM payments y JOIN reservations r ON r.merchant_id = y.merchant_id AND r.payment_id = y.id
  WHERE r.merchant_id = $1 AND r.invoice_id = $2 AND y.method IN ('us_bank_account', 'sepa_debit')
  AND (y.payment_method_id = $3 OR y.id IN (SELECT m.payment_id FROM mandates m JOIN payment_methods s
    ON s.merchant_id = m.merchant_id AND s.token = m.processor_method_id WHERE s.merchant_id = $1 AND s.id = $3))
  AND y.state <> 'canceled' AND NOT (y.state = 'failed' AND COALESCE(y.ending, '') = 'refused')
  ORDER BY y.id DESC LIMIT 1");

/// A debit with all that present it again, oldest first, as far as they were sent or may yet be.
pub async fn presented(tx: &mut Tx, merchant: MerchantId, first: PaymentId) -> Result<Vec<Presented>> {
    tx.fetch_all(OF_FIRST, args![merchant.0, first.as_bytes()], decode).await
}

/// The last debit of a saved account for an invoice, whether it was saved before it or with it.
pub async fn latest(
    tx: &mut Tx,
    merchant: MerchantId,
    invoice: InvoiceId,
    saved: PaymentMethodId,
) -> Result<Option<Presented>> {
    tx.fetch_optional(LATEST, args![merchant.0, invoice.as_bytes(), saved.as_bytes()], decode).await
}

fn decode(row: &Row<'_>) -> Result<Presented> {
    Ok(Presented {
        id: PaymentId::from_bytes(row.bytes16(0)?),
        state: word(row, 1, PaymentState::parse)?,
        total: Money::new(row.i64(2)?, currency(row, 3)?),
        at: timestamp(row, 4)?,
        return_code: row.opt_text(5)?,
        retry_of: row.opt_bytes16(6)?.map(PaymentId::from_bytes),
    })
}
