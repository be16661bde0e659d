//! Customer credit is set against an invoice that somebody chose, all of it or a part, the oldest grant first.
//!
//! Nobody is called and nothing is reserved: one transaction does it. It takes never more than is payable now, so money that is
//! on its way keeps its place, and never more than the customer has.

use crate::actions::once::{self, Once, Ran};
use crate::actions::return_credit::{Part, spend_on};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::customer::spend;
use billing::ids::{AuditId, ContactId, CreditApplicationId, EventId, InvoiceId, MerchantId};
use billing::invoice::Lifecycle;
use ledger::{Currency, Money};
use serde_json::json;
use store::allocations::{self, Allocation};
use store::audit::{self, AuditRow, acts};
use store::credit_applications::{self, CreditApplication};
use store::db::Tx;
use store::events::{self, Event};
use store::invoices::{self, Invoice};
use store::{customers, grants};

/// Which invoice takes how much credit, and who says so.
#[derive(Clone, Debug)]
pub struct ApplyCredit {
    /// Whose.
    pub merchant: MerchantId,
    /// Made when the form was drawn, so that its repeat shows the first result; without it, a new one.
    pub id: Option<CreditApplicationId>,
    /// Against which.
    pub invoice: InvoiceId,
    /// How much; without it, all that the invoice can take and the customer has.
    pub amount: Option<Money>,
    /// The signed-in contact who does it; `None` for staff and programs.
    pub contact: Option<ContactId>,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing was applied.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotApply {
    /// The merchant has no such invoice.
    #[error("there is no such invoice")]
    NoSuchInvoice,
    /// A draft, or a void invoice.
    #[error("the invoice is {}; nothing can be set against it", .0.as_str())]
    NotOpen(Lifecycle),
    /// The invoice is in another currency.
    #[error("the invoice is in {0}")]
    OtherCurrency(Currency),
    /// Nothing, or less.
    #[error("the amount is above 0")]
    NotPositive,
    /// Nothing is payable on the invoice now.
    #[error("nothing is payable on the invoice now")]
    NothingPayable,
    /// The customer has no credit in this currency.
    #[error("the customer has no credit in this currency")]
    NoCredit,
    /// More than is payable.
    #[error("{0} is payable on the invoice now")]
    AbovePayable(Money),
    /// More than there is.
    #[error("the customer has {0} of credit left")]
    AboveCredit(Money),
}

/// What was applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Applied {
    /// The application.
    pub application: CreditApplication,
    /// A part for each grant it was taken from, the oldest first.
    pub parts: Vec<Allocation>,
    /// What of the customer's credit in this currency is left.
    pub credit_left: Money,
    /// The invoice afterwards.
    pub invoice: Invoice,
}

/// Applies credit.
pub async fn apply_credit(
    app: &App,
    input: ApplyCredit,
    once: Option<Once<Applied>>,
) -> Result<Ran<Applied, CannotApply>> {
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

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &ApplyCredit) -> Result<Result<Applied, CannotApply>> {
    let merchant = input.merchant;
    let Some(found) = invoices::find(tx, merchant, input.invoice).await? else {
        return Ok(Err(CannotApply::NoSuchInvoice));
    };
    customers::lock(tx, merchant, found.customer_id).await?;
    let invoice = invoices::lock(tx, merchant, found.id).await?.context("an invoice is never deleted")?;
    if let Some(id) = input.id
        && let Some(before) = credit_applications::find(tx, merchant, id).await?
    {
        if before.invoice_id != invoice.id {
            return Ok(Err(CannotApply::NoSuchInvoice));
        }
        return after(tx, merchant, before).await.map(Ok);
    }
    let left = grants::left_of_customer(tx, merchant, invoice.customer_id, invoice.figures.currency).await?;
    let there_minor = left.iter().map(|grant| grant.left_minor).sum();
    let amount = match decide(&invoice, there_minor, input.amount) {
        Ok(amount) => amount,
        Err(why) => return Ok(Err(why)),
    };
    let application = CreditApplication {
        id: input.id.unwrap_or_else(|| mint.id(CreditApplicationId::new)),
        customer_id: invoice.customer_id,
        invoice_id: invoice.id,
        amount,
        contact_id: input.contact,
        actor: input.actor.clone(),
        at: mint.now,
    };
    credit_applications::insert(tx, merchant, &application).await?;
    for (grant, minor) in spend(&left, amount.minor()) {
        let amount = Money::new(minor, amount.currency());
        let part = Part { customer: invoice.customer_id, invoice: invoice.id, grant, amount, payment: None };
        spend_on(tx, mint, merchant, &part, Some(application.id)).await?;
    }
    tell(tx, mint, merchant, &application).await?;
    after(tx, merchant, application).await.map(Ok)
}

/// How much is applied: at most what is payable, and what is there.
fn decide(invoice: &Invoice, there_minor: i64, asked: Option<Money>) -> Result<Money, CannotApply> {
    let (currency, payable) = (invoice.figures.currency, invoice.figures.payable_now());
    let there = Money::new(there_minor, currency);
    if !matches!(invoice.lifecycle, Lifecycle::Open | Lifecycle::Uncollectible) {
        return Err(CannotApply::NotOpen(invoice.lifecycle));
    }
    if asked.is_some_and(|asked| asked.currency() != currency) {
        return Err(CannotApply::OtherCurrency(currency));
    }
    if asked.is_some_and(|asked| !asked.is_positive()) {
        return Err(CannotApply::NotPositive);
    }
    if !there.is_positive() {
        return Err(CannotApply::NoCredit);
    }
    if !payable.is_positive() {
        return Err(CannotApply::NothingPayable);
    }
    let amount = asked.unwrap_or(Money::new(there.minor().min(payable.minor()), currency));
    if amount.minor() > payable.minor() {
        return Err(CannotApply::AbovePayable(payable));
    }
    if amount.minor() > there.minor() {
        return Err(CannotApply::AboveCredit(there));
    }
    Ok(amount)
}

async fn after(tx: &mut Tx, merchant: MerchantId, application: CreditApplication) -> Result<Applied> {
    let (customer, currency) = (application.customer_id, application.amount.currency());
    let left = grants::left_of_customer(tx, merchant, customer, currency).await?;
    let left_minor = left.iter().map(|grant| grant.left_minor).sum();
    let invoice = invoices::find(tx, merchant, application.invoice_id).await?.context("it is locked")?;
    let parts = allocations::list_by_application(tx, merchant, application.id).await?;
    Ok(Applied { application, parts, credit_left: Money::new(left_minor, currency), invoice })
}

/// The event that others follow, and the row that says who did it.
async fn tell(tx: &mut Tx, mint: &Mint, merchant: MerchantId, application: &CreditApplication) -> Result<()> {
    let said = json!({
        "credit_application": application.id.to_string(),
        "customer": application.customer_id.to_string(),
        "invoice": application.invoice_id.to_string(),
        "amount": application.amount.minor(),
        "currency": application.amount.currency().code(),
    });
    let event = Event {
        id: mint.id(EventId::new),
        kind: "credit.applied".to_owned(),
        invoice_id: Some(application.invoice_id),
        payment_id: None,
        data: said.to_string(),
        at: mint.now,
        feed_number: None,
    };
    events::append(tx, merchant, &event).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: application.actor.clone(),
        act: acts::CREDIT_APPLY.to_owned(),
        object: application.id.to_string(),
        before: "null".to_owned(),
        after: said.to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await
}
