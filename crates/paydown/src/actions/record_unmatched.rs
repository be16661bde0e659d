//! Money is at the bank and nobody knows yet whose it is: it is booked, and waits for its place.

use crate::actions::once::{self, Once, Ran};
use crate::actions::record_payment::still_to_come;
use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::chart;
use billing::ids::{AuditId, EventId, MerchantId, PaymentId, PostingId};
use billing::payment::Method;
use jiff::civil::Date;
use ledger::Money;
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::events::{self, Event};
use store::postings::{self, CauseKind, NewPosting};
use store::unmatched_receipts::{self, UnmatchedReceipt};

/// A receipt as somebody enters it.
#[derive(Clone, Debug)]
pub struct RecordUnmatched {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// By what means it came; never by card or debit.
    pub method: Method,
    /// What came.
    pub amount: Money,
    /// Who paid, as the bank says it.
    pub payer: Option<String>,
    /// What the merchant's books know it by.
    pub reference: Option<String>,
    /// The day it came, in the merchant's zone.
    pub received_on: Date,
    /// Who records it, for the audit trail.
    pub actor: String,
}

/// Why nothing was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotRecord {
    /// Received on a day that is still to come.
    #[error("{0} is still to come; a day ahead is taken, for whoever lives east of the merchant")]
    NotYet(Date),
}

/// Records a receipt without a payer.
pub async fn record_unmatched(
    app: &App,
    input: RecordUnmatched,
    once: Option<Once<UnmatchedReceipt>>,
) -> Result<Ran<UnmatchedReceipt, CannotRecord>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(before) = once::begin(tx, &mint, input.merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = in_tx(tx, &mint, &input).await?;
            once::end(tx, input.merchant, once.as_ref(), outcome).await
        })
        .await
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    input: &RecordUnmatched,
) -> Result<Result<UnmatchedReceipt, CannotRecord>> {
    let merchant = input.merchant;
    if still_to_come(tx, mint, merchant, input.received_on).await? {
        return Ok(Err(CannotRecord::NotYet(input.received_on)));
    }
    let receipt = UnmatchedReceipt {
        id: mint.id(PaymentId::new),
        method: input.method,
        amount: input.amount,
        left: input.amount,
        payer: input.payer.clone(),
        reference: input.reference.clone(),
        received_on: input.received_on,
        customer_id: None,
        created_at: mint.now,
        reversed_at: None,
    };
    unmatched_receipts::insert(tx, merchant, &receipt).await?;
    let new = NewPosting {
        id: mint.id(PostingId::new),
        cause: CauseKind::Receipt,
        cause_id: &receipt.id.to_string(),
        reverses: None,
        posting: &chart::unmatched_received(receipt.id, receipt.amount)?,
        at: mint.now,
    };
    postings::insert_first(tx, merchant, &new).await?;
    let said = json!({
        "unmatched_receipt": receipt.id.to_string(),
        "method": receipt.method.as_str(),
        "amount": receipt.amount.minor(),
        "currency": receipt.amount.currency().code(),
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: "unmatched_receipt.recorded".to_owned(),
        invoice_id: None,
        payment_id: None,
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::PAYMENT_RECORD.to_owned(),
        object: receipt.id.to_string(),
        before: "null".to_owned(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await?;
    Ok(Ok(receipt))
}
