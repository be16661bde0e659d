//! Bank debits that were sent, and why those that came back did. For the rates of returns; it decides nothing.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::MerchantId;
use billing::payment::Method;
use jiff::Timestamp;

/// One debit that the bank was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentDebit {
    /// When the processor took it to send it.
    pub sent_at: Timestamp,
    /// Whether it came back: the code of the bank or the processor's name, empty where none was given.
    pub returned: Option<String>,
}

/// A debit is sent with the first step to `processing`.
const SENT: Sql = Sql("SELECT s.sent_at, y.state, y.return_code FROM (
    SELECT merchant_id, payment_id, MIN(at) AS sent_at FROM payment_states
    WHERE merchant_id = $1 AND state = 'processing' AND at >= $3 GROUP BY merchant_id, payment_id) s
  JOIN payments y ON y.merchant_id = s.merchant_id AND y.id = s.payment_id
  WHERE y.method = $2 ORDER BY s.sent_at, y.id");

/// All debits by a method that were sent since. It reads every step since then: for reports and jobs only.
pub async fn since(
    tx: &mut Tx,
    merchant: MerchantId,
    method: Method,
    since: Timestamp,
) -> Result<Vec<SentDebit>> {
    tx.fetch_all(SENT, args![merchant.0, method.as_str(), since.as_microsecond()], decode).await
}

fn decode(row: &Row<'_>) -> Result<SentDebit> {
    let (state, code) = (row.text(1)?, row.opt_text(2)?);
    // A debit that failed without a code of a bank was refused by the processor or called off: the bank never had it.
    let came_back = state == "returned" || (state == "failed" && code.is_some());
    Ok(SentDebit { sent_at: timestamp(row, 0)?, returned: came_back.then(|| code.unwrap_or_default()) })
}
