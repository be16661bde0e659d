//! An invoice is written, and nothing is owed yet: nobody but the merchant sees it until it is issued.

use crate::actions::issue_invoice::{self, NewInvoice, content_hash, draft};
use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::line::{Line, LineError, totals};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::Currency;
use store::db::Tx;
use store::invoices::{self, Invoice, InvoiceLine};
use store::{customers, merchants};

/// An invoice as somebody writes it.
#[derive(Clone, Debug)]
pub struct DraftInvoice {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Who is billed.
    pub customer: CustomerId,
    /// Unique per merchant; without it, the next one is given when it is issued.
    pub number: Option<String>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Civil date in the merchant's zone.
    pub due_on: Date,
    /// The customer's order number.
    pub purchase_order: Option<String>,
    /// A note to the customer.
    pub memo: Option<String>,
    /// At least one.
    pub lines: Vec<Line>,
}

/// An invoice with its lines.
#[derive(Clone, Debug)]
pub struct Written {
    /// The invoice.
    pub invoice: Invoice,
    /// Its lines, in order.
    pub lines: Vec<InvoiceLine>,
}

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotDraft {
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The lines do not make an invoice.
    #[error(transparent)]
    Lines(#[from] LineError),
    /// Another invoice has this number.
    #[error("invoice {0} exists already")]
    NumberTaken(String),
}

/// Writes a draft.
pub async fn draft_invoice(
    app: &App,
    input: DraftInvoice,
    once: Option<Once<Written>>,
) -> Result<Ran<Written, CannotDraft>> {
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

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &DraftInvoice) -> Result<Result<Written, CannotDraft>> {
    let merchant = input.merchant;
    if customers::find(tx, merchant, input.customer).await?.is_none() {
        return Ok(Err(CannotDraft::NoSuchCustomer));
    }
    let totals = match totals(&input.lines) {
        Ok(totals) => totals,
        Err(error) => return Ok(Err(error.into())),
    };
    let id = mint.id(InvoiceId::new);
    let new = NewInvoice {
        merchant,
        customer_id: input.customer,
        number: input.number.clone().unwrap_or_else(|| id.to_string()),
        currency: input.currency,
        issued_on: today(tx, mint, merchant).await?,
        due_on: input.due_on,
        purchase_order: input.purchase_order.clone(),
        memo: input.memo.clone(),
        lines: input.lines.clone(),
    };
    let invoice = Invoice { id, ..draft(mint, &new, &totals, content_hash(&new)) };
    let lines = issue_invoice::lines(&new, &totals);
    Ok(if invoices::insert(tx, &invoice, &lines).await? {
        Ok(Written { invoice, lines })
    } else {
        Err(CannotDraft::NumberTaken(new.number))
    })
}

/// The day it is where the merchant is.
pub(super) async fn today(tx: &mut Tx, mint: &Mint, merchant: MerchantId) -> Result<Date> {
    let merchant = merchants::find(tx, merchant).await?.context("the merchant is there")?;
    let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
    Ok(mint.now.to_zoned(zone).date())
}

/// An invoice with its lines; `None`: there is none.
pub async fn written(tx: &mut Tx, merchant: MerchantId, id: InvoiceId) -> Result<Option<Written>> {
    let Some(invoice) = invoices::find(tx, merchant, id).await? else { return Ok(None) };
    Ok(Some(Written { lines: invoices::lines(tx, merchant, id).await?, invoice }))
}
