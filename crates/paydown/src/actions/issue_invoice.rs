//! An invoice is written and issued: from then on it is owed, and never edited.

use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::ids::{CustomerId, EventId, InvoiceId, MerchantId, PostingId};
use billing::invoice::{Figures, Lifecycle};
use billing::line::{InvoiceTotals, Line, LineError, totals};
use jiff::civil::Date;
use ledger::{Currency, Money};
use sha2::{Digest as _, Sha256};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices::{self, Invoice, InvoiceLine};
use store::postings::{self, CauseKind, NewPosting};

/// An invoice as somebody enters it.
#[derive(Clone, Debug)]
pub struct NewInvoice {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Who is billed.
    pub customer_id: CustomerId,
    /// Unique per merchant.
    pub number: String,
    /// Currency of every amount.
    pub currency: Currency,
    /// Civil date in the merchant's zone.
    pub issued_on: Date,
    /// Civil date in the merchant's zone.
    pub due_on: Date,
    /// The customer's order number.
    pub purchase_order: Option<String>,
    /// A note to the customer.
    pub memo: Option<String>,
    /// At least one.
    pub lines: Vec<Line>,
}

/// Why nothing was issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotIssue {
    /// The lines do not make an invoice.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// An invoice of this number says something else.
    #[error("invoice {0} exists already")]
    NumberTaken(String),
}

/// What issuing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Issued {
    /// It is owed now.
    New(InvoiceId),
    /// The very same invoice is there; nothing changed.
    Unchanged(InvoiceId),
}

/// Issues an invoice.
pub async fn issue_invoice(app: &App, new: NewInvoice) -> Result<Result<Issued, CannotIssue>> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &new).await).await
}

/// The same within a transaction of the caller's.
pub async fn in_tx(tx: &mut Tx, mint: &Mint, new: &NewInvoice) -> Result<Result<Issued, CannotIssue>> {
    let totals = match totals(&new.lines) {
        Ok(totals) => totals,
        Err(error) => return Ok(Err(error.into())),
    };
    let content_hash = content_hash(new);
    if let Some(there) = invoices::find_by_number(tx, new.merchant, &new.number).await? {
        let same = there.content_hash == content_hash && there.lifecycle != Lifecycle::Draft;
        return Ok(if same {
            Ok(Issued::Unchanged(there.id))
        } else {
            Err(CannotIssue::NumberTaken(new.number.clone()))
        });
    }
    let invoice = draft(mint, new, &totals, content_hash);
    let inserted = invoices::insert(tx, &invoice, &lines(new, &totals)).await?;
    anyhow::ensure!(inserted, "invoice {} was added by someone else at the same time", new.number);
    let issued = invoices::issue(tx, new.merchant, invoice.id, mint.now).await?;
    anyhow::ensure!(issued, "a new invoice is a draft");
    post(tx, mint, new, &totals, invoice.id).await?;
    events::append(tx, new.merchant, &event(mint, invoice.id)).await?;
    Ok(Ok(Issued::New(invoice.id)))
}

pub(super) async fn post(
    tx: &mut Tx,
    mint: &Mint,
    new: &NewInvoice,
    totals: &InvoiceTotals,
    id: InvoiceId,
) -> Result<()> {
    let net = Money::new(totals.net_minor, new.currency);
    let taxes: Vec<_> =
        totals.tax_by_rate.iter().map(|(rate, minor)| (*rate, Money::new(*minor, new.currency))).collect();
    let Some(posting) = chart::invoice_issued(new.customer_id, id, net, &taxes)? else { return Ok(()) };
    let posting = NewPosting {
        id: mint.id(PostingId::new),
        cause: CauseKind::InvoiceIssued,
        cause_id: &id.to_string(),
        reverses: None,
        posting: &posting,
        at: mint.now,
    };
    let posted = postings::insert(tx, new.merchant, &posting).await?;
    anyhow::ensure!(posted, "invoice {id} was posted before it was made");
    Ok(())
}

pub(super) fn draft(
    mint: &Mint,
    new: &NewInvoice,
    totals: &InvoiceTotals,
    content_hash: [u8; 32],
) -> Invoice {
    let figures = Figures {
        currency: new.currency,
        total_minor: totals.total_minor,
        open_minor: 0,
        pending_minor: 0,
        paid_minor: 0,
    };
    Invoice {
        merchant: new.merchant,
        id: mint.id(InvoiceId::new),
        number: new.number.clone(),
        customer_id: new.customer_id,
        lifecycle: Lifecycle::Draft,
        figures,
        tax_minor: totals.tax_minor,
        issued_on: new.issued_on,
        due_on: new.due_on,
        purchase_order: new.purchase_order.clone(),
        memo: new.memo.clone(),
        content_hash,
        created_at: mint.now,
        issued_at: None,
        ended_at: None,
    }
}

pub(super) fn lines(new: &NewInvoice, totals: &InvoiceTotals) -> Vec<InvoiceLine> {
    let with_totals = new.lines.iter().zip(&totals.lines);
    with_totals
        .map(|(line, totals)| InvoiceLine {
            description: line.description.clone(),
            quantity: line.quantity.normalize().to_string(),
            unit_amount_minor: line.unit_amount_minor,
            tax_rate: line.tax_rate,
            net_minor: totals.net_minor,
            tax_minor: totals.tax_minor,
        })
        .collect()
}

pub(super) fn event(mint: &Mint, invoice: InvoiceId) -> Event {
    Event {
        id: mint.id(EventId::new),
        kind: "invoice.issued".to_owned(),
        invoice_id: Some(invoice),
        payment_id: None,
        data: "{}".to_owned(),
        at: mint.now,
        feed_number: None,
    }
}

/// SHA-256 of everything the invoice says, each part behind its length, so that the same file read again is known.
pub(super) fn content_hash(new: &NewInvoice) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut part = |text: &str| {
        hash.update(text.len().to_be_bytes());
        hash.update(text);
    };
    part(&new.customer_id.to_string());
    part(&new.number);
    part(new.currency.code());
    part(&new.issued_on.to_string());
    part(&new.due_on.to_string());
    part(new.purchase_order.as_deref().unwrap_or_default());
    part(new.memo.as_deref().unwrap_or_default());
    for line in &new.lines {
        part(&line.description);
        part(&line.quantity.normalize().to_string());
        part(&line.unit_amount_minor.to_string());
        part(&line.tax_rate.map(|rate| rate.0.to_string()).unwrap_or_default());
    }
    hash.finalize().into()
}

/// The invoice that was just issued.
pub async fn find(app: &App, merchant: MerchantId, id: InvoiceId) -> Result<Invoice> {
    let found = app.store.read(async move |tx: &mut Tx| invoices::find(tx, merchant, id).await).await?;
    found.with_context(|| format!("invoice {id} is gone"))
}
