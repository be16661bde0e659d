//! What a customer owes of a payment that was taken back after it had been spent is asked for again, on an invoice of its own.

use crate::actions::draft_invoice::{Written, today, written};
use crate::actions::finalize_invoice::next_number;
use crate::actions::issue_invoice::{NewInvoice, content_hash, draft, event, lines};
use crate::actions::once::{self, Once, Ran};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart;
use billing::ids::{AuditId, CustomerId, InvoiceId, MerchantId, PostingId};
use billing::line::{Line, totals};
use jiff::civil::Date;
use ledger::{Currency, Money};
use rust_decimal::Decimal;
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::postings::{self, CauseKind, NewPosting};
use store::returned_payments::{self, Demand};
use store::{customers, events, invoices};

/// What the line of such an invoice says, where nobody says otherwise.
const DESCRIPTION: &str = "Returned payment";

/// Who is asked, for how much, until when.
#[derive(Clone, Debug)]
pub struct DemandReturnedPayment {
    /// Whose.
    pub merchant: MerchantId,
    /// Who owes it.
    pub customer: CustomerId,
    /// In which currency; needed only where more than one is owed.
    pub currency: Option<Currency>,
    /// How much, minor units; without it, all that is owed.
    pub amount_minor: Option<i64>,
    /// Civil date in the merchant's zone.
    pub due_on: Date,
    /// What the line says.
    pub description: Option<String>,
    /// For the audit trail.
    pub actor: String,
}

/// Why nothing was demanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotDemand {
    /// The merchant has no such customer.
    #[error("there is no such customer")]
    NoSuchCustomer,
    /// It owes nothing of this kind.
    #[error("the customer owes nothing of a returned payment")]
    NothingOwed,
    /// It owes in several currencies.
    #[error("the customer owes in more than one currency; name one")]
    WhichCurrency,
    /// Nothing, or less.
    #[error("the amount is above 0")]
    NotPositive,
    /// It owes less.
    #[error("the customer owes {0} of returned payments")]
    AboveOwed(Money),
}

/// Issues the invoice.
pub async fn demand_returned_payment(
    app: &App,
    input: DemandReturnedPayment,
    once: Option<Once<Written>>,
) -> Result<Ran<Written, CannotDemand>> {
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
    input: &DemandReturnedPayment,
) -> Result<Result<Written, CannotDemand>> {
    let merchant = input.merchant;
    // Behind this lock nobody demands the same again.
    if customers::lock(tx, merchant, input.customer).await?.is_none() {
        return Ok(Err(CannotDemand::NoSuchCustomer));
    }
    let owed = returned_payments::owed(tx, merchant, input.customer).await?;
    let amount = match decide(&owed, input) {
        Ok(amount) => amount,
        Err(why) => return Ok(Err(why)),
    };
    let new = NewInvoice {
        merchant,
        customer_id: input.customer,
        number: next_number(tx, merchant).await?,
        currency: amount.currency(),
        issued_on: today(tx, mint, merchant).await?,
        due_on: input.due_on,
        purchase_order: None,
        memo: None,
        lines: vec![Line {
            description: input.description.clone().unwrap_or_else(|| DESCRIPTION.to_owned()),
            quantity: Decimal::ONE,
            unit_amount_minor: amount.minor(),
            tax_rate: None,
        }],
    };
    let id = issue(tx, mint, &new, amount).await?;
    let demand = Demand { invoice_id: id, customer_id: input.customer, amount, at: mint.now };
    returned_payments::insert(tx, merchant, &demand).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::RETURNED_PAYMENT_DEMAND.to_owned(),
        object: id.to_string(),
        before: "null".to_owned(),
        after:
            json!({ "customer": input.customer.to_string(), "number": new.number, "total": amount.minor() })
                .to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await?;
    Ok(Ok(written(tx, merchant, id).await?.context("it was just issued")?))
}

fn decide(owed: &[Money], input: &DemandReturnedPayment) -> Result<Money, CannotDemand> {
    let mut wanted = owed
        .iter()
        .filter(|sum| sum.is_positive() && input.currency.is_none_or(|currency| sum.currency() == currency));
    let Some(sum) = wanted.next() else { return Err(CannotDemand::NothingOwed) };
    if wanted.next().is_some() {
        return Err(CannotDemand::WhichCurrency);
    }
    let minor = input.amount_minor.unwrap_or(sum.minor());
    if minor <= 0 {
        return Err(CannotDemand::NotPositive);
    }
    if minor > sum.minor() {
        return Err(CannotDemand::AboveOwed(*sum));
    }
    Ok(Money::new(minor, sum.currency()))
}

/// Like any invoice, but for the posting: what is owed is not earned a second time.
async fn issue(tx: &mut Tx, mint: &Mint, new: &NewInvoice, amount: Money) -> Result<InvoiceId> {
    let totals = totals(&new.lines)?;
    let invoice = draft(mint, new, &totals, content_hash(new));
    anyhow::ensure!(invoices::insert(tx, &invoice, &lines(new, &totals)).await?, "the number is new");
    anyhow::ensure!(
        invoices::issue(tx, new.merchant, invoice.id, mint.now).await?,
        "a new invoice is a draft"
    );
    let posting = NewPosting {
        id: mint.id(PostingId::new),
        cause: CauseKind::InvoiceIssued,
        cause_id: &invoice.id.to_string(),
        reverses: None,
        posting: &chart::returned_payment_demanded(new.customer_id, invoice.id, amount)?,
        at: mint.now,
    };
    postings::insert_first(tx, new.merchant, &posting).await?;
    events::append(tx, new.merchant, &event(mint, invoice.id)).await?;
    Ok(invoice.id)
}
