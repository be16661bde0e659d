//! Somebody finds out whose a receipt is and what it is for: invoices, the customer's credit, or both, now or in several goes.
//! From the first of them on it is a payment of that customer, with the id the receipt had.
//!
//! What has no place yet stays without one. An invoice takes what is payable, and what was given up of it.

use crate::actions::once::{self, Once, Ran};
use crate::actions::write_off_invoice::{recover, recoverable_minor};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{self, Place};
use billing::ids::{
    AllocationId, AuditId, CustomerId, EventId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId,
};
use billing::invoice::Lifecycle;
use billing::payment::PaymentState;
use ledger::{Currency, Money};
use serde_json::json;
use std::collections::{BTreeMap, HashSet};
use store::allocations::{self, Allocation};
use store::audit::{self, AuditRow, acts};
use store::customers;
use store::db::Tx;
use store::events::{self, Event};
use store::grants::{self, NewGrant, Source};
use store::invoices::{self, Invoice, Shift};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::receipts::{self, Receipt, ReceiptLine};
use store::unmatched_receipts::{self, UnmatchedReceipt};

/// What a receipt is for.
#[derive(Clone, Debug)]
pub struct MatchReceipt {
    /// Whose.
    pub merchant: MerchantId,
    /// Which receipt.
    pub receipt: PaymentId,
    /// Who paid; needed only where no invoice says so.
    pub customer: Option<CustomerId>,
    /// Invoices with what is meant for each, minor units above 0; each once.
    pub allocations: Vec<(InvoiceId, i64)>,
    /// What becomes the customer's credit, minor units.
    pub credit_minor: i64,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing was matched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotMatch {
    /// The merchant has no such receipt.
    #[error("there is no such receipt")]
    NoSuchReceipt,
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// The merchant has no such invoice; counted from 0.
    #[error("allocation {0} names an invoice that does not exist")]
    NoSuchInvoice(usize),
    /// An invoice is named twice; counted from 0.
    #[error("allocation {0} names an invoice that another one names; add the two")]
    InvoiceTwice(usize),
    /// Nothing is named that it could be for.
    #[error("name invoices, or an amount of credit")]
    Nothing,
    /// Credit needs a customer.
    #[error("say whose credit it is")]
    NobodysCredit,
    /// The receipt, the invoices and the customer that was named are not of one company.
    #[error("the receipt, its invoices and the customer are not of one company")]
    OtherCustomer(Option<usize>),
    /// An invoice is in another currency.
    #[error("allocation {0} names an invoice in {1}")]
    OtherCurrency(usize, Currency),
    /// A draft, or a void invoice.
    #[error("allocation {at} names an invoice that is {}; nothing can be set against it", .is.as_str())]
    NotOpen {
        /// Counted from 0.
        at: usize,
        /// What it is.
        is: Lifecycle,
    },
    /// An invoice cannot take so much.
    #[error("allocation {at} is above the {payable} that its invoice can take")]
    AbovePayable {
        /// Counted from 0.
        at: usize,
        /// What it can take.
        payable: Money,
    },
    /// The receipt has less left.
    #[error("{0} of the receipt has no place yet")]
    AboveLeft(Money),
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The payment that the receipt is now.
    pub payment: Payment,
    /// What it did to each invoice when its payer was found.
    pub receipt: Receipt,
    /// Everything of it that is set against invoices, earlier matches among it.
    pub allocations: Vec<Allocation>,
    /// What has no place yet.
    pub left: Money,
}

/// Matches a receipt, or a part of it.
pub async fn match_receipt(
    app: &App,
    input: MatchReceipt,
    once: Option<Once<Matched>>,
) -> Result<Ran<Matched, CannotMatch>> {
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

/// What may be matched.
struct Checked {
    receipt: UnmatchedReceipt,
    customer: CustomerId,
    /// Locked, in the order they were named.
    invoices: Vec<Invoice>,
    /// What goes to invoices and credit in all, minor units.
    matched_minor: i64,
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &MatchReceipt) -> Result<Result<Matched, CannotMatch>> {
    let merchant = input.merchant;
    let mut checked = match check(tx, input).await? {
        Ok(checked) => checked,
        Err(why) => return Ok(Err(why)),
    };
    let id = checked.receipt.id;
    let is_first = checked.receipt.customer_id.is_none();
    if is_first {
        become_payment(tx, mint, merchant, &checked).await?;
    }
    unmatched_receipts::take(tx, merchant, id, checked.matched_minor).await?;
    for (invoice, (_, minor)) in checked.invoices.iter_mut().zip(&input.allocations) {
        let payable_minor = invoice.figures.payable_now().minor();
        invoice.figures.open_minor += recover(tx, mint, id, invoice, (*minor, payable_minor)).await?;
    }
    place(tx, mint, input, &checked).await?;
    let left_minor = checked.receipt.left.minor() - checked.matched_minor;
    if is_first {
        receipts::insert(tx, merchant, &receipt(mint, input, &checked, left_minor)).await?;
    }
    tell(tx, mint, input, (&checked, is_first)).await?;
    let payment = payments::find(tx, merchant, id).await?.context("a matched receipt is a payment")?;
    let receipt = receipts::find(tx, merchant, id).await?.context("a payment has a receipt")?;
    let allocations = allocations::list_by_payment(tx, merchant, id).await?;
    let left = Money::new(left_minor, checked.receipt.amount.currency());
    Ok(Ok(Matched { payment, receipt, allocations, left }))
}

/// From now on it is a payment, which is born succeeded.
async fn become_payment(tx: &mut Tx, mint: &Mint, merchant: MerchantId, checked: &Checked) -> Result<()> {
    let receipt = &checked.receipt;
    let payment = Payment {
        method: receipt.method,
        state: PaymentState::Succeeded,
        captured: Some(receipt.amount),
        captured_at: Some(receipt.created_at),
        reference: receipt.reference.clone(),
        received_on: Some(receipt.received_on),
        ..Payment::submitting(merchant, receipt.id, checked.customer, receipt.amount, mint.now)
    };
    payments::insert_first(tx, &payment, "its payer was found").await?;
    unmatched_receipts::set_customer(tx, merchant, receipt.id, checked.customer).await
}

/// Posting, allocations, credit.
async fn place(tx: &mut Tx, mint: &Mint, input: &MatchReceipt, checked: &Checked) -> Result<()> {
    let (merchant, id) = (input.merchant, checked.receipt.id);
    let money = |minor| Money::new(minor, checked.receipt.amount.currency());
    let grant = (input.credit_minor > 0).then(|| mint.id(GrantId::new));
    let mut parts: Vec<(Place, Money)> =
        input.allocations.iter().map(|(invoice, minor)| (Place::Invoice(*invoice), money(*minor))).collect();
    parts.extend(grant.map(|grant| (Place::Credit(grant), money(input.credit_minor))));
    let rows: Vec<AllocationId> = input.allocations.iter().map(|_| mint.id(AllocationId::new)).collect();
    let cause = rows.first().map(AllocationId::to_string).or(grant.map(|grant| grant.to_string()));
    let posting_id = mint.id(PostingId::new);
    let new = NewPosting {
        id: posting_id,
        cause: CauseKind::ReceiptMatched,
        cause_id: &cause.context("a match is for something")?,
        reverses: None,
        posting: &chart::receipt_matched(id, checked.customer, money(checked.matched_minor), &parts)?,
        at: mint.now,
    };
    postings::insert_first(tx, merchant, &new).await?;
    for (row, (invoice_id, minor)) in rows.into_iter().zip(&input.allocations) {
        let allocation = Allocation {
            id: row,
            payment_id: Some(id),
            grant_id: None,
            application_id: None,
            invoice_id: *invoice_id,
            amount_minor: *minor,
            posting_id,
            at: mint.now,
        };
        allocations::insert(tx, merchant, &allocation).await?;
        let shift = Shift { open_minor: -minor, pending_minor: 0, paid_minor: *minor };
        invoices::shift(tx, merchant, *invoice_id, shift, mint.now).await?;
    }
    let Some(grant) = grant else { return Ok(()) };
    let born = NewGrant {
        id: grant,
        customer_id: checked.customer,
        source: Source::Matched,
        payment_id: Some(id),
        invoice_id: None,
        credit_note_id: None,
        amount: money(input.credit_minor),
    };
    grants::insert(tx, merchant, &born, mint.now).await
}

fn receipt(mint: &Mint, input: &MatchReceipt, checked: &Checked, left_minor: i64) -> Receipt {
    let lines = checked.invoices.iter().zip(&input.allocations).map(|(invoice, (_, minor))| ReceiptLine {
        invoice_id: invoice.id,
        applied_minor: *minor,
        open_before_minor: invoice.figures.open_minor,
        open_after_minor: invoice.figures.open_minor - minor,
    });
    Receipt {
        payment_id: checked.receipt.id,
        amount_minor: checked.receipt.amount.minor(),
        surcharge_minor: 0,
        credit_minor: input.credit_minor,
        unapplied_minor: left_minor,
        currency: checked.receipt.amount.currency(),
        at: mint.now,
        lines: lines.collect(),
    }
}

async fn check(tx: &mut Tx, input: &MatchReceipt) -> Result<Result<Checked, CannotMatch>> {
    let merchant = input.merchant;
    if input.allocations.is_empty() && input.credit_minor <= 0 {
        return Ok(Err(CannotMatch::Nothing));
    }
    let mut seen = HashSet::new();
    if let Some(at) = input.allocations.iter().position(|(invoice, _)| !seen.insert(*invoice)) {
        return Ok(Err(CannotMatch::InvoiceTwice(at)));
    }
    let Some(found) = unmatched_receipts::find(tx, merchant, input.receipt).await? else {
        return Ok(Err(CannotMatch::NoSuchReceipt));
    };
    let mut customer = found.customer_id.or(input.customer);
    if customer.is_none()
        && let Some((first, _)) = input.allocations.first()
    {
        customer = invoices::find(tx, merchant, *first).await?.map(|invoice| invoice.customer_id);
        if customer.is_none() {
            return Ok(Err(CannotMatch::NoSuchInvoice(0)));
        }
    }
    let Some(customer) = customer else { return Ok(Err(CannotMatch::NobodysCredit)) };
    if customers::lock(tx, merchant, customer).await?.is_none() {
        return Ok(Err(CannotMatch::NoSuchCustomer));
    }
    let receipt =
        unmatched_receipts::lock(tx, merchant, input.receipt).await?.context("a receipt is never deleted")?;
    if input.customer.is_some_and(|named| named != customer)
        || receipt.customer_id.is_some_and(|known| known != customer)
    {
        return Ok(Err(CannotMatch::OtherCustomer(None)));
    }
    let invoices = match lock(tx, input).await? {
        Ok(invoices) => invoices,
        Err(why) => return Ok(Err(why)),
    };
    if let Some(why) = objection(tx, input, &receipt, (customer, &invoices)).await? {
        return Ok(Err(why));
    }
    let matched_minor =
        input.allocations.iter().fold(input.credit_minor, |sum, (_, minor)| sum.saturating_add(*minor));
    Ok(if matched_minor > receipt.left.minor() {
        Err(CannotMatch::AboveLeft(receipt.left))
    } else {
        Ok(Checked { receipt, customer, invoices, matched_minor })
    })
}

/// The invoices by id. Answers them in the order they were named.
async fn lock(tx: &mut Tx, input: &MatchReceipt) -> Result<Result<Vec<Invoice>, CannotMatch>> {
    let mut ids: Vec<(InvoiceId, usize)> =
        input.allocations.iter().enumerate().map(|(at, (id, _))| (*id, at)).collect();
    ids.sort_unstable();
    let mut locked = BTreeMap::new();
    for (id, at) in ids {
        match invoices::lock(tx, input.merchant, id).await? {
            Some(invoice) => locked.insert(at, invoice),
            None => return Ok(Err(CannotMatch::NoSuchInvoice(at))),
        };
    }
    Ok(Ok(locked.into_values().collect()))
}

async fn objection(
    tx: &mut Tx,
    input: &MatchReceipt,
    receipt: &UnmatchedReceipt,
    (customer, invoices): (CustomerId, &[Invoice]),
) -> Result<Option<CannotMatch>> {
    for (at, (invoice, (_, minor))) in invoices.iter().zip(&input.allocations).enumerate() {
        let currency = invoice.figures.currency;
        if invoice.customer_id != customer {
            return Ok(Some(CannotMatch::OtherCustomer(Some(at))));
        }
        if currency != receipt.amount.currency() {
            return Ok(Some(CannotMatch::OtherCurrency(at, currency)));
        }
        if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
            return Ok(Some(CannotMatch::NotOpen { at, is: invoice.lifecycle }));
        }
        let payable_minor = invoice.figures.payable_now().minor();
        let most = payable_minor + recoverable_minor(tx, invoice, *minor, payable_minor).await?;
        if *minor > most {
            return Ok(Some(CannotMatch::AbovePayable { at, payable: Money::new(most, currency) }));
        }
    }
    Ok(None)
}

/// The event that others follow, and the row that says who did it.
async fn tell(
    tx: &mut Tx,
    mint: &Mint,
    input: &MatchReceipt,
    (checked, is_first): (&Checked, bool),
) -> Result<()> {
    let parts = input.allocations.iter();
    let parts = parts.map(|(invoice, minor)| json!({ "invoice": invoice.to_string(), "amount": minor }));
    let said = json!({
        "how": "matched",
        "customer": checked.customer.to_string(),
        "amount": checked.matched_minor,
        "currency": checked.receipt.amount.currency().code(),
        "allocations": parts.collect::<Vec<_>>(),
        "customer_credit": input.credit_minor,
    });
    let only = match &input.allocations[..] {
        [(invoice, _)] => Some(*invoice),
        _ => None,
    };
    let event = Event {
        id: mint.id(EventId::new),
        kind: if is_first { "payment.succeeded" } else { "payment.matched" }.to_owned(),
        invoice_id: only,
        payment_id: Some(checked.receipt.id),
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, input.merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::RECEIPT_MATCH.to_owned(),
        object: checked.receipt.id.to_string(),
        before: json!({ "left": checked.receipt.left.minor() }).to_string(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, input.merchant, &row).await
}
