//! A credit note is issued: less is asked of an invoice from now on. What is payable takes it, and the rest is the customer's
//! credit: money that is on its way finds its place.
//!
//! It must never credit more than was asked for, nor more tax than was charged.

use crate::actions::draft_invoice::today;
use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{self, Credited};
use billing::credit_note::{CannotCredit, CreditSplit, Creditable, TaxOfInvoice};
use billing::ids::{AuditId, CreditNoteId, EventId, GrantId, InvoiceId, MerchantId, PostingId};
use billing::line::TaxRate;
use ledger::{Currency, Money};
use serde_json::json;
use std::collections::BTreeMap;
use store::audit::{self, AuditRow, acts};
use store::credit_notes::{self, CreditNote};
use store::db::Tx;
use store::events::{self, Event};
use store::grants::{self, NewGrant, Source};
use store::invoices::{self, Invoice, Shift};
use store::postings::{self, CauseKind, NewPosting};
use store::{customers, numberings, returned_payments, write_offs};

/// Which invoice asks for less, by how much and why.
#[derive(Clone, Debug)]
pub struct IssueCreditNote {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub invoice: InvoiceId,
    /// All of it, tax included; without it, all that is left to credit.
    pub amount: Option<Money>,
    /// In the merchant's words; the payer reads it.
    pub reason: String,
    /// For the audit trail.
    pub actor: String,
}

/// What a credit note is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Less is asked for.
    LowerPrice,
    /// A refund that was just posted gives the price back: what it took off the invoice is not owed again.
    GivePriceBack,
}

/// Why nothing was credited.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotIssue {
    /// The merchant has no such invoice.
    #[error("there is no such invoice")]
    NoSuchInvoice,
    /// The invoice is in another currency.
    #[error("the invoice is in {0}")]
    OtherCurrency(Currency),
    /// The rule says no.
    #[error(transparent)]
    Rule(#[from] CannotCredit),
}

/// A credit note with its taxes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Issued {
    /// The credit note.
    pub note: CreditNote,
    /// The taxes within it, by rate, minor units.
    pub taxes: Vec<(TaxRate, i64)>,
}

/// Issues a credit note.
pub async fn issue_credit_note(
    app: &App,
    input: IssueCreditNote,
    once: Option<Once<Issued>>,
) -> Result<Ran<Issued, CannotIssue>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(before) = once::begin(tx, &mint, input.merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = match invoices::find(tx, input.merchant, input.invoice).await? {
                None => Err(CannotIssue::NoSuchInvoice),
                Some(invoice) => {
                    customers::lock(tx, input.merchant, invoice.customer_id).await?;
                    invoices::lock(tx, input.merchant, input.invoice).await?;
                    issue_in_tx(tx, &mint, &input, Purpose::LowerPrice).await?
                }
            };
            once::end(tx, input.merchant, once.as_ref(), outcome).await
        })
        .await
}

/// The same within a transaction of the caller's, who holds the locks of customer and invoice.
///
/// To give a price back, the caller posts the refund first and raises what the invoice has open by the part it took from
/// there, issues the credit note of that part, and only then lets credit go back to the invoice. A refusal changes nothing;
/// the caller then has to roll back.
pub async fn issue_in_tx(
    tx: &mut Tx,
    mint: &Mint,
    input: &IssueCreditNote,
    purpose: Purpose,
) -> Result<Result<Issued, CannotIssue>> {
    let Some(invoice) = invoices::find(tx, input.merchant, input.invoice).await? else {
        return Ok(Err(CannotIssue::NoSuchInvoice));
    };
    let currency = invoice.figures.currency;
    if input.amount.is_some_and(|amount| amount.currency() != currency) {
        return Ok(Err(CannotIssue::OtherCurrency(currency)));
    }
    let creditable = creditable(tx, &invoice).await?;
    let amount_minor = input.amount.map_or(creditable.left_minor(), Money::minor);
    let split = match purpose {
        Purpose::LowerPrice => creditable.credit(amount_minor),
        Purpose::GivePriceBack => creditable.give_price_back(amount_minor),
    };
    match split {
        Ok(split) => save(tx, mint, input, &invoice, &split).await.map(Ok),
        Err(why) => Ok(Err(why.into())),
    }
}

/// The invoice as far as a credit note looks at it.
pub async fn creditable(tx: &mut Tx, invoice: &Invoice) -> Result<Creditable> {
    let (merchant, id) = (invoice.merchant, invoice.id);
    let mut taxes: BTreeMap<TaxRate, i64> = BTreeMap::new();
    for line in invoices::lines(tx, merchant, id).await? {
        if let Some(rate) = line.tax_rate {
            *taxes.entry(rate).or_default() += line.tax_minor;
        }
    }
    let credited: BTreeMap<TaxRate, i64> =
        credit_notes::credited_taxes(tx, merchant, id).await?.into_iter().collect();
    let taxes = taxes.into_iter().map(|(rate, charged_minor)| TaxOfInvoice {
        rate,
        charged_minor,
        credited_minor: credited.get(&rate).copied().unwrap_or_default(),
    });
    Ok(Creditable {
        currency: invoice.figures.currency,
        lifecycle: invoice.lifecycle,
        is_returned_payment: returned_payments::find(tx, merchant, id).await?.is_some(),
        total_minor: invoice.figures.total_minor,
        payable_minor: invoice.figures.payable_now().minor(),
        credited_minor: credit_notes::credited(tx, merchant, id).await?,
        reduced_minor: write_offs::written_off(tx, merchant, id).await?,
        taxes: taxes.collect(),
    })
}

async fn save(
    tx: &mut Tx,
    mint: &Mint,
    input: &IssueCreditNote,
    invoice: &Invoice,
    split: &CreditSplit,
) -> Result<Issued> {
    let (merchant, currency) = (input.merchant, invoice.figures.currency);
    let (id, grant) = (mint.id(CreditNoteId::new), mint.id(GrantId::new));
    let credited =
        Credited { customer: invoice.customer_id, invoice: invoice.id, credit_note: id, grant, currency };
    let posting_id = mint.id(PostingId::new);
    let posting = NewPosting {
        id: posting_id,
        cause: CauseKind::CreditNote,
        cause_id: &id.to_string(),
        reverses: None,
        posting: &chart::credit_note_issued(&credited, split)?,
        at: mint.now,
    };
    postings::insert_first(tx, merchant, &posting).await?;
    let tax_minor: i64 = split.taxes.iter().map(|(_, minor)| minor).sum();
    let note = CreditNote {
        id,
        number: format!("CN-{:04}", numberings::take_credit_note(tx, merchant).await?),
        customer_id: invoice.customer_id,
        invoice_id: invoice.id,
        amount: Money::new(split.net_minor + tax_minor, currency),
        tax_minor,
        to_invoice_minor: split.to_invoice_minor,
        reason: input.reason.clone(),
        posting_id,
        issued_on: today(tx, mint, merchant).await?,
        issued_at: mint.now,
    };
    credit_notes::insert(tx, merchant, &note, &split.taxes).await?;
    let shift = Shift { open_minor: -split.to_invoice_minor, ..Shift::default() };
    invoices::shift(tx, merchant, invoice.id, shift, mint.now).await?;
    if split.surplus_minor > 0 {
        let born = NewGrant {
            id: grant,
            customer_id: invoice.customer_id,
            source: Source::CreditNote,
            payment_id: None,
            invoice_id: Some(invoice.id),
            credit_note_id: Some(id),
            amount: Money::new(split.surplus_minor, currency),
        };
        grants::insert(tx, merchant, &born, mint.now).await?;
    }
    tell(tx, mint, input, &note).await?;
    Ok(Issued { note, taxes: split.taxes.clone() })
}

/// The event that others follow, and the row that says who issued it.
async fn tell(tx: &mut Tx, mint: &Mint, input: &IssueCreditNote, note: &CreditNote) -> Result<()> {
    let said = json!({
        "credit_note": note.id.to_string(),
        "number": note.number,
        "amount": note.amount.minor(),
        "currency": note.amount.currency().code(),
        "to_invoice": note.to_invoice_minor,
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: "credit_note.issued".to_owned(),
        invoice_id: Some(note.invoice_id),
        payment_id: None,
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, input.merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::CREDIT_NOTE_ISSUE.to_owned(),
        object: note.id.to_string(),
        before: "null".to_owned(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, input.merchant, &row).await
}

/// A credit note with its taxes, as it is stored.
pub async fn find(tx: &mut Tx, merchant: MerchantId, id: CreditNoteId) -> Result<Option<Issued>> {
    let Some(note) = credit_notes::find(tx, merchant, id).await? else { return Ok(None) };
    let taxes = credit_notes::taxes(tx, merchant, id).await.context("the taxes of a credit note")?;
    Ok(Some(Issued { note, taxes }))
}
