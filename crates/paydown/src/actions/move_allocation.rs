//! What was set against an invoice goes to another invoice of the same customer, or becomes the customer's credit. No money
//! moves: only what it is for.
//!
//! It must never take more off an invoice than this payment, or this grant, has there.

use crate::actions::once::{self, Once, Ran};
use crate::actions::return_credit;
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::ids::{AllocationId, AuditId, EventId, GrantId, InvoiceId, MerchantId, PaymentId, PostingId};
use billing::invoice::Lifecycle;
use ledger::{Currency, Money, Posting};
use serde_json::json;
use store::allocations::{self, Allocation};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::events::{self, Event};
use store::grants::{NewGrant, Source, StoredGrant};
use store::invoices::{self, Invoice, Shift};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::{customers, grants};

/// Whose money it is that stands on the invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// A payment's, also where it went through credit that was born on the invoice.
    Payment(PaymentId),
    /// Customer credit that was spent there.
    Grant(GrantId),
}

/// What goes where.
#[derive(Clone, Debug)]
pub struct MoveAllocation {
    /// Whose.
    pub merchant: MerchantId,
    /// The invoice it is taken off.
    pub from: InvoiceId,
    /// Of what stands there.
    pub whose: Whose,
    /// The invoice it goes to; `None`: it becomes the customer's credit.
    pub to: Option<InvoiceId>,
    /// How much; without it, all of it.
    pub amount: Option<Money>,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotMove {
    /// The merchant has no such invoice.
    #[error("there is no such invoice to take it off")]
    NoSuchInvoice,
    /// The merchant has no such payment or grant.
    #[error("there is no such payment or grant")]
    NoSuchSource,
    /// The merchant has no such invoice.
    #[error("there is no such invoice for it to go to")]
    NoSuchTarget,
    /// It is there already.
    #[error("it is on this invoice already")]
    SameInvoice,
    /// The invoices are not of one customer.
    #[error("the invoices are of two customers")]
    OtherCustomer,
    /// The invoices are in two currencies, or the amount is.
    #[error("the invoice is in {0}")]
    OtherCurrency(Currency),
    /// A draft, or a void invoice.
    #[error("the invoice it should go to is {}", .0.as_str())]
    NotOpen(Lifecycle),
    /// Nothing, or less.
    #[error("the amount is above 0")]
    NotPositive,
    /// It has less there.
    #[error("{0} of it stands on the invoice")]
    AboveAllocated(Money),
    /// The other invoice cannot take so much.
    #[error("{0} is payable on the invoice it should go to")]
    AbovePayable(Money),
}

/// What moved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moved {
    /// What was taken off, below 0.
    pub off: Allocation,
    /// What was set against the other invoice.
    pub on: Option<Allocation>,
    /// The grant that has it now, where it became credit.
    pub grant: Option<GrantId>,
    /// How much.
    pub amount: Money,
}

/// Moves an allocation, or takes it off.
pub async fn move_allocation(
    app: &App,
    input: MoveAllocation,
    once: Option<Once<Moved>>,
) -> Result<Ran<Moved, CannotMove>> {
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

/// What is judged, locked.
struct Locked {
    from: Invoice,
    to: Option<Invoice>,
    payment: Option<Payment>,
    grant: Option<StoredGrant>,
    /// What of it stands on the invoice, minor units.
    there_minor: i64,
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &MoveAllocation) -> Result<Result<Moved, CannotMove>> {
    let locked = match lock(tx, input).await? {
        Ok(locked) => locked,
        Err(why) => return Ok(Err(why)),
    };
    let amount = match decide(input, &locked) {
        Ok(amount) => amount,
        Err(why) => return Ok(Err(why)),
    };
    let moved = match &locked.to {
        Some(to) => set_against(tx, mint, &locked, to, amount).await?,
        None => make_credit(tx, mint, &locked, amount).await?,
    };
    let back = Shift { open_minor: amount.minor(), pending_minor: 0, paid_minor: -amount.minor() };
    invoices::shift(tx, input.merchant, locked.from.id, back, mint.now).await?;
    return_credit::in_tx(tx, mint, input.merchant, locked.from.id).await?;
    if let Some(born_on) = locked.grant.and_then(|grant| grant.born.invoice_id)
        && born_on != locked.from.id
    {
        return_credit::in_tx(tx, mint, input.merchant, born_on).await?;
    }
    tell(tx, mint, input, &moved).await?;
    Ok(Ok(moved))
}

/// Customer, payment, then the invoices by id; the one the grant was born on among them, since credit may go back to it.
async fn lock(tx: &mut Tx, input: &MoveAllocation) -> Result<Result<Locked, CannotMove>> {
    let merchant = input.merchant;
    let Some(from) = invoices::find(tx, merchant, input.from).await? else {
        return Ok(Err(CannotMove::NoSuchInvoice));
    };
    customers::lock(tx, merchant, from.customer_id).await?;
    let (mut payment, mut grant) = (None, None);
    match input.whose {
        Whose::Payment(id) => payment = payments::lock(tx, merchant, id).await?,
        Whose::Grant(id) => grant = grants::find(tx, merchant, id).await?,
    }
    if payment.is_none() && grant.is_none() {
        return Ok(Err(CannotMove::NoSuchSource));
    }
    let born_on = grant.and_then(|grant| grant.born.invoice_id);
    let mut ids: Vec<InvoiceId> = [Some(from.id), input.to, born_on].into_iter().flatten().collect();
    ids.sort_unstable();
    ids.dedup();
    let mut locked = Vec::new();
    for id in ids {
        match invoices::lock(tx, merchant, id).await? {
            Some(invoice) => locked.push(invoice),
            None => return Ok(Err(CannotMove::NoSuchTarget)),
        }
    }
    let find = |id: InvoiceId| locked.iter().find(|invoice| invoice.id == id).cloned();
    let there_minor = match input.whose {
        Whose::Payment(id) => allocations::net_of_payment(tx, merchant, from.id, id).await?,
        Whose::Grant(id) => allocations::net_of_grant(tx, merchant, from.id, id).await?,
    };
    let from = find(from.id).context("it is locked")?;
    Ok(Ok(Locked { from, to: input.to.and_then(find), payment, grant, there_minor }))
}

fn decide(input: &MoveAllocation, locked: &Locked) -> Result<Money, CannotMove> {
    let currency = locked.from.figures.currency;
    let there = Money::new(locked.there_minor, currency);
    if input.amount.is_some_and(|amount| amount.currency() != currency) {
        return Err(CannotMove::OtherCurrency(currency));
    }
    let amount = input.amount.unwrap_or(there);
    if input.amount.is_some() && !amount.is_positive() {
        return Err(CannotMove::NotPositive);
    }
    if amount.minor() > there.minor() || !amount.is_positive() {
        return Err(CannotMove::AboveAllocated(there));
    }
    let Some(to) = &locked.to else { return Ok(amount) };
    if to.id == locked.from.id {
        return Err(CannotMove::SameInvoice);
    }
    if to.customer_id != locked.from.customer_id {
        return Err(CannotMove::OtherCustomer);
    }
    if to.figures.currency != currency {
        return Err(CannotMove::OtherCurrency(to.figures.currency));
    }
    if !matches!(to.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        return Err(CannotMove::NotOpen(to.lifecycle));
    }
    if amount.minor() > to.figures.payable_now().minor() {
        return Err(CannotMove::AbovePayable(to.figures.payable_now()));
    }
    Ok(amount)
}

async fn set_against(
    tx: &mut Tx,
    mint: &Mint,
    locked: &Locked,
    to: &Invoice,
    amount: Money,
) -> Result<Moved> {
    let (merchant, from) = (to.merchant, &locked.from);
    let id = mint.id(AllocationId::new);
    let posting = chart::allocation_moved(from.customer_id, from.id, to.id, amount)?;
    let posting_id =
        post(tx, mint, merchant, (CauseKind::AllocationMoved, &id.to_string()), &posting).await?;
    let off = take_off(tx, mint, locked, amount, posting_id).await?;
    // Credit that comes to the invoice it was born on is its payment's again.
    let home = locked.grant.filter(|grant| grant.born.invoice_id == Some(to.id));
    let on = Allocation {
        id,
        payment_id: home.map_or(off.payment_id, |grant| grant.born.payment_id),
        invoice_id: to.id,
        amount_minor: amount.minor(),
        ..off
    };
    allocations::insert(tx, merchant, &on).await?;
    let shift = Shift { open_minor: -amount.minor(), pending_minor: 0, paid_minor: amount.minor() };
    invoices::shift(tx, merchant, to.id, shift, mint.now).await?;
    Ok(Moved { off, on: Some(on), grant: None, amount })
}

async fn make_credit(tx: &mut Tx, mint: &Mint, locked: &Locked, amount: Money) -> Result<Moved> {
    let (merchant, from) = (locked.from.merchant, &locked.from);
    // Credit that was spent here is the grant's again. One that was born here would come straight back, and a payment's money
    // has no grant: both become a new one, born on no invoice.
    let refilled = locked.grant.filter(|grant| grant.born.invoice_id != Some(from.id));
    let id = refilled.map_or_else(|| mint.id(GrantId::new), |grant| grant.born.id);
    let posting = chart::allocation_taken_off(from.customer_id, from.id, id, amount)?;
    let row = mint.id(AllocationId::new);
    let cause = match refilled {
        Some(_) => (CauseKind::CreditRestored, row.to_string()),
        None => (CauseKind::AllocationTakenOff, id.to_string()),
    };
    let posting_id = post(tx, mint, merchant, (cause.0, &cause.1), &posting).await?;
    let off = Allocation { id: row, ..off(mint, locked, amount, posting_id) };
    allocations::insert(tx, merchant, &off).await?;
    if refilled.is_some() {
        grants::refill(tx, merchant, id, amount.minor()).await?;
    } else {
        let born = NewGrant {
            id,
            customer_id: from.customer_id,
            source: Source::TakenOff,
            payment_id: off.payment_id,
            invoice_id: None,
            credit_note_id: None,
            amount,
        };
        grants::insert(tx, merchant, &born, mint.now).await?;
    }
    Ok(Moved { off, on: None, grant: Some(id), amount })
}

async fn take_off(
    tx: &mut Tx,
    mint: &Mint,
    locked: &Locked,
    amount: Money,
    posting_id: PostingId,
) -> Result<Allocation> {
    let off = off(mint, locked, amount, posting_id);
    allocations::insert(tx, locked.from.merchant, &off).await?;
    Ok(off)
}

fn off(mint: &Mint, locked: &Locked, amount: Money, posting_id: PostingId) -> Allocation {
    Allocation {
        id: mint.id(AllocationId::new),
        payment_id: locked.payment.as_ref().map(|payment| payment.id),
        grant_id: locked.grant.map(|grant| grant.born.id),
        application_id: None,
        invoice_id: locked.from.id,
        amount_minor: -amount.minor(),
        posting_id,
        at: mint.now,
    }
}

async fn post(
    tx: &mut Tx,
    mint: &Mint,
    merchant: MerchantId,
    (cause, cause_id): (CauseKind, &str),
    posting: &Posting,
) -> Result<PostingId> {
    let id = mint.id(PostingId::new);
    let new = NewPosting { id, cause, cause_id, reverses: None, posting, at: mint.now };
    postings::insert_first(tx, merchant, &new).await?;
    Ok(id)
}

/// An event for each invoice that it concerns, and the row that says who did it.
async fn tell(tx: &mut Tx, mint: &Mint, input: &MoveAllocation, moved: &Moved) -> Result<()> {
    let said = json!({
        "from": input.from.to_string(),
        "to": input.to.map(|to| to.to_string()),
        "payment": moved.off.payment_id.map(|id| id.to_string()),
        "grant": moved.grant.or(moved.off.grant_id).map(|id| id.to_string()),
        "amount": moved.amount.minor(),
        "currency": moved.amount.currency().code(),
    });
    for invoice in [Some(input.from), input.to].into_iter().flatten() {
        let event = Event {
            id: mint.id(EventId::new),
            kind: "allocation.moved".to_owned(),
            invoice_id: Some(invoice),
            payment_id: moved.off.payment_id,
            data: said.to_string(),
            at: mint.now,
            feed_number: None,
        };
        events::append(tx, input.merchant, &event).await?;
    }
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::ALLOCATION_MOVE.to_owned(),
        object: input.from.to_string(),
        before: "null".to_owned(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, input.merchant, &row).await
}
