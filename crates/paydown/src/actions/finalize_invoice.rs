//! A draft is issued: it gets its number and its day, is posted, and is owed from now on. It is never edited again.

use crate::actions::draft_invoice::{Written, today, written};
use crate::actions::issue_invoice::{NewInvoice, content_hash, event, post};
use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{AuditId, InvoiceId, MerchantId};
use billing::invoice::Lifecycle;
use billing::line::{Line, totals};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::invoices::{self, Invoice, InvoiceLine};
use store::{events, numberings};

/// So many numbers in a row are tried behind the highest.
const MOST_TAKEN: usize = 100;

/// Which draft is issued, and who says so.
#[derive(Clone, Debug)]
pub struct FinalizeInvoice {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub invoice: InvoiceId,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotFinalize {
    /// The merchant has no such invoice.
    #[error("there is no such invoice")]
    NoSuchInvoice,
    /// It was issued before.
    #[error("the invoice is {}, not a draft", .0.as_str())]
    NotDraft(Lifecycle),
}

/// Issues a draft.
pub async fn finalize_invoice(
    app: &App,
    input: FinalizeInvoice,
    once: Option<Once<Written>>,
) -> Result<Ran<Written, CannotFinalize>> {
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

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &FinalizeInvoice) -> Result<Result<Written, CannotFinalize>> {
    let (merchant, id) = (input.merchant, input.invoice);
    let Some(draft) = invoices::lock(tx, merchant, id).await? else {
        return Ok(Err(CannotFinalize::NoSuchInvoice));
    };
    if draft.lifecycle != Lifecycle::Draft {
        return Ok(Err(CannotFinalize::NotDraft(draft.lifecycle)));
    }
    let number = match draft.given_number() {
        Some(number) => number.to_owned(),
        None => next_number(tx, merchant).await?,
    };
    let issued_on = today(tx, mint, merchant).await?;
    let new = as_new(Invoice { number, issued_on, ..draft }, &invoices::lines(tx, merchant, id).await?)?;
    let totals = totals(&new.1.lines)?;
    let (invoice, new) = new;
    invoices::complete(tx, &Invoice { content_hash: content_hash(&new), ..invoice }).await?;
    anyhow::ensure!(invoices::issue(tx, merchant, id, mint.now).await?, "a locked draft stays one");
    post(tx, mint, &new, &totals, id).await?;
    events::append(tx, merchant, &event(mint, id)).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::INVOICE_ISSUE.to_owned(),
        object: id.to_string(),
        before: "\"draft\"".to_owned(),
        after: json!({ "number": new.number, "total": totals.total_minor }).to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await?;
    Ok(Ok(written(tx, merchant, id).await?.context("it was just issued")?))
}

/// The invoice beside what it would have been entered as.
fn as_new(invoice: Invoice, lines: &[InvoiceLine]) -> Result<(Invoice, NewInvoice)> {
    let lines = lines.iter().map(|line| {
        Ok(Line {
            description: line.description.clone(),
            quantity: line.quantity.parse().context("a stored quantity is a number")?,
            unit_amount_minor: line.unit_amount_minor,
            tax_rate: line.tax_rate,
        })
    });
    let new = NewInvoice {
        merchant: invoice.merchant,
        customer_id: invoice.customer_id,
        number: invoice.number.clone(),
        currency: invoice.figures.currency,
        issued_on: invoice.issued_on,
        due_on: invoice.due_on,
        purchase_order: invoice.purchase_order.clone(),
        memo: invoice.memo.clone(),
        lines: lines.collect::<Result<_>>()?,
    };
    Ok((invoice, new))
}

/// The next number that no invoice has: `INV-0001`. Where another program's invoices have come so far, it goes on behind the
/// highest of them.
pub(super) async fn next_number(tx: &mut Tx, merchant: MerchantId) -> Result<String> {
    const PREFIX: &str = "INV-";
    let next = format!("{PREFIX}{:04}", numberings::take(tx, merchant).await?);
    if invoices::find_by_number(tx, merchant, &next).await?.is_none() {
        return Ok(next);
    }
    let highest = numberings::highest(tx, merchant, PREFIX).await?;
    let digits = highest.as_deref().and_then(|number| number.strip_prefix(PREFIX)).unwrap_or_default();
    if let Ok(highest) = digits.parse::<i64>() {
        numberings::go_to(tx, merchant, highest.saturating_add(1)).await?;
    }
    for _ in 0..MOST_TAKEN {
        let number = format!("{PREFIX}{:04}", numberings::take(tx, merchant).await?);
        if invoices::find_by_number(tx, merchant, &number).await?.is_none() {
            return Ok(number);
        }
    }
    anyhow::bail!("{MOST_TAKEN} numbers in a row are taken; give the invoice a number of its own")
}
