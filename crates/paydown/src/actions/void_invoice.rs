//! An invoice is cancelled: refused while anything was paid on it or is on its way.

use crate::actions::draft_invoice::{Written, written};
use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, EventId, InvoiceId, MerchantId, PostingId};
use billing::invoice::{CannotVoid, may_void};
use store::audit::{self, AuditRow, acts};
use store::credit_notes;
use store::db::Tx;
use store::events::{self, Event};
use store::invoices;
use store::postings::{self, CauseKind, NewPosting};

/// Which invoice is voided, and who says so.
#[derive(Clone, Debug)]
pub struct VoidInvoice {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub invoice: InvoiceId,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Voids an invoice. `None`: there is none.
pub async fn void_invoice(app: &App, input: VoidInvoice) -> Result<Option<Result<(), CannotVoid>>> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &input).await).await
}

/// Voids an invoice for a program, which may ask again.
pub async fn void_invoice_once(
    app: &App,
    input: VoidInvoice,
    once: Option<Once<Written>>,
) -> Result<Ran<Written, Option<CannotVoid>>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            let (merchant, id) = (input.merchant, input.invoice);
            if let Some(before) = once::begin(tx, &mint, merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = match in_tx(tx, &mint, &input).await? {
                None => Err(None),
                Some(Err(why)) => Err(Some(why)),
                Some(Ok(())) => Ok(written(tx, merchant, id).await?.context("it was just voided")?),
            };
            once::end(tx, merchant, once.as_ref(), outcome).await
        })
        .await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &VoidInvoice) -> Result<Option<Result<(), CannotVoid>>> {
    let VoidInvoice { merchant, invoice: id, actor } = input;
    let Some(invoice) = invoices::lock(tx, *merchant, *id).await? else { return Ok(None) };
    if let Err(why) = may_void(invoice.lifecycle, &invoice.figures) {
        return Ok(Some(Err(why)));
    }
    // Whatever it did to the figures: a credit note that stands is not voided along with its invoice.
    if credit_notes::credited(tx, *merchant, *id).await? > 0 {
        return Ok(Some(Err(CannotVoid::Reduced)));
    }
    let voided = invoices::void(tx, *merchant, *id, mint.now).await?;
    anyhow::ensure!(voided, "invoice {id} changed while it was locked");
    if invoice.figures.total_minor > 0 {
        reverse_issue(tx, mint, *merchant, *id).await?;
    }
    let event = Event {
        id: mint.id(EventId::new),
        kind: "invoice.voided".to_owned(),
        invoice_id: Some(*id),
        payment_id: None,
        data: "{}".to_owned(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, *merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: acts::INVOICE_VOID.to_owned(),
        object: id.to_string(),
        before: "\"open\"".to_owned(),
        after: "\"void\"".to_owned(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    Ok(Some(Ok(())))
}

async fn reverse_issue(tx: &mut Tx, mint: &Mint, merchant: MerchantId, id: InvoiceId) -> Result<()> {
    let cause_id = id.to_string();
    let issued = postings::find_by_cause(tx, merchant, CauseKind::InvoiceIssued, &cause_id).await?;
    let (issue, posting, _) = issued.with_context(|| format!("invoice {id} was never posted"))?;
    let reversal = NewPosting {
        id: mint.id(PostingId::new),
        cause: CauseKind::InvoiceVoided,
        cause_id: &cause_id,
        reverses: Some(issue),
        posting: &posting.reversed(),
        at: mint.now,
    };
    let posted = postings::insert(tx, merchant, &reversal).await?;
    anyhow::ensure!(posted, "invoice {id} was voided before");
    Ok(())
}
