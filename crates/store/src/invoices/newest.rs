//! Invoices in the order they were made, newest first, by the id after which a page begins: for programs, which follow a list
//! while others add to it.

use super::{Invoice, decode, find_by_number};
use crate::args;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use billing::invoice::{Lifecycle, Progress, progress};
use jiff::civil::Date;
use ledger::Currency;

/// Which invoices a list shows; what is `None` leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Those of one customer.
    pub customer: Option<CustomerId>,
    /// Those in one stored state.
    pub lifecycle: Option<Lifecycle>,
    /// Those that are so far paid.
    pub progress: Option<Progress>,
    /// Those in one currency.
    pub currency: Option<Currency>,
    /// The one with this number.
    pub number: Option<String>,
    /// Those due on this day or later.
    pub due_from: Option<Date>,
    /// Those due on this day or earlier.
    pub due_to: Option<Date>,
}

impl Filter {
    /// True for an invoice that satisfies all of it.
    fn fits(&self, invoice: &Invoice) -> bool {
        self.customer.is_none_or(|customer| customer == invoice.customer_id)
            && self.lifecycle.is_none_or(|lifecycle| lifecycle == invoice.lifecycle)
            && (self.progress.is_none() || self.progress == progress(invoice.lifecycle, &invoice.figures))
            && self.currency.is_none_or(|currency| currency == invoice.figures.currency)
            && self.due_from.is_none_or(|from| from <= invoice.due_on)
            && self.due_to.is_none_or(|to| invoice.due_on <= to)
    }
}

const NEWEST: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND id < $2
    AND (CAST($4 AS TEXT) IS NULL OR lifecycle = $4) AND (CAST($5 AS TEXT) IS NULL OR currency = $5)
    AND (CAST($6 AS TEXT) IS NULL OR due_on >= $6) AND (CAST($7 AS TEXT) IS NULL OR due_on <= $7)
    AND (CAST($8 AS TEXT) IS NULL OR (lifecycle IN ('open', 'uncollectible') AND $8 = CASE
      WHEN total = 0 THEN 'nothing_due' WHEN open = 0 AND paid = 0 THEN 'credited' WHEN open = 0 THEN 'paid'
      WHEN paid = 0 THEN 'unpaid' ELSE 'partially_paid' END))
  ORDER BY id DESC LIMIT $3");
const NEWEST_OF_CUSTOMER: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND customer_id = $9 AND id < $2
    AND (CAST($4 AS TEXT) IS NULL OR lifecycle = $4) AND (CAST($5 AS TEXT) IS NULL OR currency = $5)
    AND (CAST($6 AS TEXT) IS NULL OR due_on >= $6) AND (CAST($7 AS TEXT) IS NULL OR due_on <= $7)
    AND (CAST($8 AS TEXT) IS NULL OR (lifecycle IN ('open', 'uncollectible') AND $8 = CASE
      WHEN total = 0 THEN 'nothing_due' WHEN open = 0 AND paid = 0 THEN 'credited' WHEN open = 0 THEN 'paid'
      WHEN paid = 0 THEN 'unpaid' ELSE 'partially_paid' END))
  ORDER BY id DESC LIMIT $3");

/// Invoices before `before` (none: the newest), newest first. A filter may have to look at all of them, so ask in a report.
pub async fn newest(
    tx: &mut Tx,
    merchant: MerchantId,
    filter: &Filter,
    before: Option<InvoiceId>,
    limit: i64,
) -> Result<Vec<Invoice>> {
    if let Some(number) = &filter.number {
        // There is one at most, and an index that finds it.
        let found = find_by_number(tx, merchant, number).await?;
        let fits =
            |invoice: &Invoice| filter.fits(invoice) && before.is_none_or(|before| invoice.id < before);
        return Ok(found.into_iter().filter(fits).collect());
    }
    let before = before.map_or([255; 16], |id| *id.as_bytes());
    let lifecycle = filter.lifecycle.map(Lifecycle::as_str);
    let progress = filter.progress.map(Progress::as_str);
    let currency = filter.currency.map(|currency| currency.code());
    let (from, to) = (filter.due_from.map(|day| day.to_string()), filter.due_to.map(|day| day.to_string()));
    let (from, to) = (from.as_deref(), to.as_deref());
    match filter.customer {
        None => {
            let args = args![merchant.0, &before, limit, lifecycle, currency, from, to, progress];
            tx.fetch_all(NEWEST, args, decode).await
        }
        Some(customer) => {
            let args = args![
                merchant.0,
                &before,
                limit,
                lifecycle,
                currency,
                from,
                to,
                progress,
                customer.as_bytes()
            ];
            tx.fetch_all(NEWEST_OF_CUSTOMER, args, decode).await
        }
    }
}
