//! A part of an invoice is given up, or all that is open of it; and money that comes for it after all.
//!
//! It must never give up what is on its way: a write-off is of what is payable now at most.

use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::ids::{AuditId, EventId, InvoiceId, MerchantId, PaymentId, PostingId, WriteOffId};
use billing::write_off::{CannotReduce, recovered_minor, write_off};
use ledger::{Currency, Money, Posting};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices::{self, Invoice, Shift};
use store::postings::{self, CauseKind, NewPosting};
use store::write_offs::{self, WriteOff};

/// What is given up, and who says so.
#[derive(Clone, Debug)]
pub struct WriteOffInvoice {
    /// Whose.
    pub merchant: MerchantId,
    /// Of which.
    pub invoice: InvoiceId,
    /// How much; without it, all that is payable now.
    pub amount: Option<Money>,
    /// In the merchant's words; no payer reads it.
    pub reason: String,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing was given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotWriteOff {
    /// The merchant has no such invoice.
    #[error("there is no such invoice")]
    NoSuchInvoice,
    /// The invoice is in another currency.
    #[error("the invoice is in {0}")]
    OtherCurrency(Currency),
    /// The rule says no.
    #[error(transparent)]
    Rule(#[from] CannotReduce),
}

/// What was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WrittenOff {
    /// The write-off.
    pub write_off: WriteOff,
    /// The invoice afterwards.
    pub invoice: Invoice,
}

/// Writes off a part of an invoice, or all that is payable of it.
pub async fn write_off_invoice(
    app: &App,
    input: WriteOffInvoice,
    once: Option<Once<WrittenOff>>,
) -> Result<Ran<WrittenOff, CannotWriteOff>> {
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
    input: &WriteOffInvoice,
) -> Result<Result<WrittenOff, CannotWriteOff>> {
    let merchant = input.merchant;
    let Some(invoice) = invoices::lock(tx, merchant, input.invoice).await? else {
        return Ok(Err(CannotWriteOff::NoSuchInvoice));
    };
    let (figures, currency) = (&invoice.figures, invoice.figures.currency);
    if input.amount.is_some_and(|amount| amount.currency() != currency) {
        return Ok(Err(CannotWriteOff::OtherCurrency(currency)));
    }
    let amount = input.amount.unwrap_or(figures.payable_now());
    let next = match write_off(invoice.lifecycle, figures, amount.minor()) {
        Ok(next) => next,
        Err(why) => return Ok(Err(why.into())),
    };
    let id = mint.id(WriteOffId::new);
    let posting = chart::written_off(invoice.customer_id, invoice.id, amount)?;
    let cause = (CauseKind::WrittenOff, id);
    let write_off = save(tx, mint, &invoice, (cause, &posting), (amount, &input.reason, None)).await?;
    if next != invoice.lifecycle {
        invoices::give_up(tx, merchant, invoice.id).await?;
    }
    let said = said(&write_off);
    event(tx, mint, merchant, (invoice.id, None), ("invoice.written_off", &said)).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::INVOICE_WRITE_OFF.to_owned(),
        object: id.to_string(),
        before: json!({ "status": invoice.lifecycle.as_str(), "open": figures.open_minor }).to_string(),
        after: json!({ "status": next.as_str(), "written_off": amount.minor(), "reason": input.reason })
            .to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await?;
    let invoice = invoices::find(tx, merchant, invoice.id).await?.context("it is locked")?;
    Ok(Ok(WrittenOff { write_off, invoice }))
}

/// How much of what was given up of a locked invoice comes back because money for it arrived, and that it is owed again.
/// `payable_minor` is what it can take without. Answers the minor units by which it can take more now.
pub(super) async fn recover(
    tx: &mut Tx,
    mint: &Mint,
    payment: PaymentId,
    invoice: &Invoice,
    (for_invoice_minor, payable_minor): (i64, i64),
) -> Result<i64> {
    let (merchant, currency) = (invoice.merchant, invoice.figures.currency);
    let minor = recoverable_minor(tx, invoice, for_invoice_minor, payable_minor).await?;
    if minor == 0 {
        return Ok(0);
    }
    let amount = Money::new(minor, currency);
    let posting = chart::write_off_recovered(invoice.customer_id, invoice.id, amount)?;
    let cause = (CauseKind::WriteOffRecovered, mint.id(WriteOffId::new));
    let taken_back = Money::new(-minor, currency);
    let row = (taken_back, "money came for it after all", Some(payment));
    let write_off = save(tx, mint, invoice, (cause, &posting), row).await?;
    let of = (invoice.id, Some(payment));
    event(tx, mint, merchant, of, ("invoice.write_off_recovered", &said(&write_off))).await?;
    Ok(minor)
}

/// What [`recover`] would bring back; it changes nothing.
pub(super) async fn recoverable_minor(
    tx: &mut Tx,
    invoice: &Invoice,
    for_invoice_minor: i64,
    payable_minor: i64,
) -> Result<i64> {
    let written_off_minor = write_offs::written_off(tx, invoice.merchant, invoice.id).await?;
    Ok(recovered_minor(for_invoice_minor, payable_minor, written_off_minor))
}

/// Row, posting and balance; what is given up is no longer owed, what came back is.
async fn save(
    tx: &mut Tx,
    mint: &Mint,
    invoice: &Invoice,
    ((cause, id), posting): ((CauseKind, WriteOffId), &Posting),
    (amount, reason, payment_id): (Money, &str, Option<PaymentId>),
) -> Result<WriteOff> {
    let posting_id = mint.id(PostingId::new);
    let new = NewPosting {
        id: posting_id,
        cause,
        cause_id: &id.to_string(),
        reverses: None,
        posting,
        at: mint.now,
    };
    postings::insert_first(tx, invoice.merchant, &new).await?;
    let reason = reason.to_owned();
    let row = WriteOff { id, invoice_id: invoice.id, amount, reason, payment_id, posting_id, at: mint.now };
    write_offs::insert(tx, invoice.merchant, &row).await?;
    let shift = Shift { open_minor: -amount.minor(), ..Shift::default() };
    invoices::shift(tx, invoice.merchant, invoice.id, shift, mint.now).await?;
    Ok(row)
}

fn said(write_off: &WriteOff) -> String {
    let WriteOff { id, amount, .. } = write_off;
    json!({ "write_off": id.to_string(), "amount": amount.minor(), "currency": amount.currency().code() })
        .to_string()
}

async fn event(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (invoice, payment_id): (InvoiceId, Option<PaymentId>),
    (kind, data): (&str, &str),
) -> Result<()> {
    let event = Event {
        id: mint.id(EventId::new),
        kind: kind.to_owned(),
        invoice_id: Some(invoice),
        payment_id,
        data: data.to_owned(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, merchant, &event).await
}
