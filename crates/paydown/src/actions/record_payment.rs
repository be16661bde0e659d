//! Money that was received outside of any processor (a cheque, a transfer, cash) is recorded: set against one invoice or
//! several, in one transaction, whatever the merchant's policy says about money that is asked for.
//!
//! A recorded payment is born succeeded: nothing is reserved and nobody is called. More than is payable is refused with
//! the surplus named, unless the caller wants it kept as the customer's credit. Nothing is ever dropped.

mod check;

use crate::actions::once::{self, Once, Ran};
use crate::actions::return_credit;
use crate::actions::write_off_invoice::recover;
use crate::app::App;
use crate::clock::Mint;
use anyhow::Result;
use billing::allocation::{Surplus, Taken};
use billing::chart::{self, Place};
use billing::ids::{
    AllocationId, AuditId, CustomerId, EventId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId,
};
use billing::payment::{Method, PaymentState};
pub use check::CannotRecord;
pub(super) use check::still_to_come;
use check::{Checked, check};
use jiff::civil::Date;
use ledger::{Currency, Money};
use serde_json::json;
use store::allocations::{self, Allocation};
use store::audit::{self, AuditRow, acts};
use store::db::{StoreError, Tx};
use store::events::{self, Event};
use store::grants::{self, NewGrant, Source};
use store::invoices::{self, Invoice, Shift};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::receipts::{self, Receipt, ReceiptLine};

/// Money as somebody enters it.
#[derive(Debug, Clone)]
pub struct RecordPayment {
    /// Which merchant's.
    pub merchant: MerchantId,
    /// Who paid; without it, the one customer of the invoices.
    pub customer: Option<CustomerId>,
    /// By what means; never by card.
    pub method: Method,
    /// What the merchant's books know it by.
    pub reference: Option<String>,
    /// The day it came, in the merchant's zone.
    pub received_on: Date,
    /// Its currency.
    pub currency: Currency,
    /// What was received, minor units; without it, what is meant for the invoices.
    pub amount_minor: Option<i64>,
    /// Invoices with what is meant for each, minor units above 0; one at least, each once.
    pub allocations: Vec<(InvoiceId, i64)>,
    /// What is done with what they cannot take.
    pub surplus: Surplus,
    /// Who records it, for the audit trail.
    pub actor: String,
}

/// What was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The payment, succeeded.
    pub payment: Payment,
    /// What it did to each invoice; its credit.
    pub receipt: Receipt,
    /// What was set against invoices, credit that went back at once among it.
    pub allocations: Vec<Allocation>,
}

/// Records a payment.
pub async fn record_payment(
    app: &App,
    input: RecordPayment,
    once: Option<Once<Recorded>>,
) -> Result<Ran<Recorded, CannotRecord>> {
    let ran = run(app, input.clone(), once.clone()).await;
    match &ran {
        // Whether it took place is known by its key: done again, it is found, or it is done now.
        Err(error)
            if once.is_some() && matches!(error.downcast_ref(), Some(StoreError::CommitUnknown(_))) =>
        {
            tracing::warn!(
                error = format!("{error:#}"),
                "a payment is recorded again, to see whether it was"
            );
            run(app, input, once).await
        }
        _ => ran,
    }
}

async fn run(
    app: &App,
    input: RecordPayment,
    once: Option<Once<Recorded>>,
) -> Result<Ran<Recorded, CannotRecord>> {
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

/// The same within a transaction of the caller's.
pub async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    input: &RecordPayment,
) -> Result<Result<Recorded, CannotRecord>> {
    let mut checked = match check(tx, mint, input).await? {
        Ok(checked) => checked,
        Err(why) => return Ok(Err(why)),
    };
    let payment = save(tx, mint, input, &checked).await?;
    for (invoice, taken) in checked.invoices.iter_mut().zip(&checked.taken) {
        // What was given up of it is owed again, as far as this pays it.
        let amounts = (taken.to_invoice_minor, invoice.figures.payable_now().minor());
        invoice.figures.open_minor += recover(tx, mint, payment.id, invoice, amounts).await?;
    }
    let mut parts = Vec::new();
    let mut grants = Vec::new();
    for (invoice, taken) in checked.invoices.iter().zip(&checked.taken) {
        let money = |minor| Money::new(minor, input.currency);
        parts.push((Place::Invoice(invoice.id), money(taken.to_invoice_minor)));
        let grant = (taken.surplus_minor > 0).then(|| mint.id(GrantId::new));
        parts.extend(grant.map(|grant| (Place::Credit(grant), money(taken.surplus_minor))));
        grants.push(grant);
    }
    let received = Money::new(payment.amount_minor, input.currency);
    let posting = chart::money_received(checked.customer, received, &parts)?;
    let new = NewPosting {
        id: mint.id(PostingId::new),
        cause: CauseKind::Receipt,
        cause_id: &payment.id.to_string(),
        reverses: None,
        posting: &posting,
        at: mint.now,
    };
    postings::insert_first(tx, input.merchant, &new).await?;
    let mut allocations = Vec::new();
    for ((invoice, taken), grant) in checked.invoices.iter().zip(&checked.taken).zip(grants) {
        allocations.extend(set_against(tx, mint, &payment, (invoice, *taken), new.id).await?);
        if let Some(grant) = grant {
            keep_as_credit(tx, mint, &payment, (invoice, *taken), grant).await?;
        }
    }
    let receipt = receipt(mint, &payment, &checked);
    receipts::insert(tx, input.merchant, &receipt).await?;
    if receipt.credit_minor > 0 {
        // What was meant for no invoice may find room on the one it was born on.
        for invoice in &checked.invoices {
            return_credit::in_tx(tx, mint, input.merchant, invoice.id).await?;
        }
        allocations = allocations::list_by_payment(tx, input.merchant, payment.id).await?;
    }
    // In the order in which they will be read from now on.
    allocations.sort_by_key(|allocation| (allocation.grant_id.is_some(), allocation.id));
    note(tx, mint, input, &payment, &checked).await?;
    Ok(Ok(Recorded { payment, receipt, allocations }))
}

async fn save(tx: &mut Tx, mint: &Mint, input: &RecordPayment, checked: &Checked) -> Result<Payment> {
    let received = Money::new(checked.received_minor, input.currency);
    let payment = Payment {
        method: input.method,
        state: PaymentState::Succeeded,
        captured: Some(received),
        captured_at: Some(mint.now),
        reference: input.reference.clone(),
        received_on: Some(input.received_on),
        ..Payment::submitting(input.merchant, mint.id(PaymentId::new), checked.customer, received, mint.now)
    };
    payments::insert_first(tx, &payment, "it was recorded as received").await?;
    Ok(payment)
}

async fn set_against(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (invoice, taken): (&Invoice, Taken),
    posting_id: PostingId,
) -> Result<Option<Allocation>> {
    let minor = taken.to_invoice_minor;
    if minor == 0 {
        return Ok(None);
    }
    let shift = Shift { open_minor: -minor, pending_minor: 0, paid_minor: minor };
    invoices::shift(tx, payment.merchant, invoice.id, shift, mint.now).await?;
    let allocation = Allocation {
        id: mint.id(AllocationId::new),
        payment_id: Some(payment.id),
        grant_id: None,
        application_id: None,
        invoice_id: invoice.id,
        amount_minor: minor,
        posting_id,
        at: mint.now,
    };
    allocations::insert(tx, payment.merchant, &allocation).await?;
    Ok(Some(allocation))
}

async fn keep_as_credit(
    tx: &mut Tx,
    mint: &Mint,
    payment: &Payment,
    (invoice, taken): (&Invoice, Taken),
    id: GrantId,
) -> Result<()> {
    let grant = NewGrant {
        id,
        customer_id: payment.customer_id,
        source: Source::Surplus,
        payment_id: Some(payment.id),
        invoice_id: Some(invoice.id),
        credit_note_id: None,
        amount: Money::new(taken.surplus_minor, payment.currency),
    };
    grants::insert(tx, payment.merchant, &grant, mint.now).await
}

fn receipt(mint: &Mint, payment: &Payment, checked: &Checked) -> Receipt {
    let lines = checked.invoices.iter().zip(&checked.taken).map(|(invoice, taken)| ReceiptLine {
        invoice_id: invoice.id,
        applied_minor: taken.to_invoice_minor,
        open_before_minor: invoice.figures.open_minor,
        open_after_minor: invoice.figures.open_minor - taken.to_invoice_minor,
    });
    Receipt {
        payment_id: payment.id,
        amount_minor: payment.amount_minor,
        surcharge_minor: 0,
        credit_minor: checked.taken.iter().map(|taken| taken.surplus_minor).sum(),
        unapplied_minor: 0,
        currency: payment.currency,
        at: mint.now,
        lines: lines.collect(),
    }
}

/// The event that others follow, and the row that says who recorded it.
async fn note(
    tx: &mut Tx,
    mint: &Mint,
    input: &RecordPayment,
    payment: &Payment,
    checked: &Checked,
) -> Result<()> {
    let only = match &checked.invoices[..] {
        [invoice] => Some(invoice.id),
        _ => None,
    };
    let said = json!({
        "how": "recorded",
        "method": input.method.as_str(),
        "amount": payment.amount_minor,
        "currency": payment.currency.code(),
        "allocations": checked
            .invoices
            .iter()
            .zip(&checked.taken)
            .map(|(invoice, taken)| json!({ "invoice": invoice.id.to_string(), "amount": taken.to_invoice_minor }))
            .collect::<Vec<_>>(),
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: "payment.succeeded".to_owned(),
        invoice_id: only,
        payment_id: Some(payment.id),
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, input.merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::PAYMENT_RECORD.to_owned(),
        object: payment.id.to_string(),
        before: "null".to_owned(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, input.merchant, &row).await
}
