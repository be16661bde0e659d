//! A customer's invoice list: tabs, sums per currency, pages by key. Drafts are never in it.

use super::{Invoice, decode};
use crate::args;
use crate::columns::currency;
use crate::db::{Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use jiff::civil::Date;
use ledger::Currency;

/// Which invoices a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Something is payable now.
    ToPay,
    /// Something is owed and all of it is on its way.
    InProgress,
    /// Nothing is owed, and it was not voided.
    Paid,
    /// All but drafts.
    All,
}

impl Tab {
    const fn as_str(self) -> &'static str {
        match self {
            Tab::ToPay => "to_pay",
            Tab::InProgress => "in_progress",
            Tab::Paid => "paid",
            Tab::All => "all",
        }
    }
}

/// Where a page begins: after the invoice with this due date and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Due date of the last invoice shown.
    pub due_on: Date,
    /// Its id.
    pub id: InvoiceId,
}

/// How many invoices are under two of the tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TabCounts {
    /// Under To pay.
    pub to_pay: i64,
    /// Under In progress.
    pub in_progress: i64,
    /// Under any tab.
    pub all: i64,
}

/// What a customer has left to pay in one currency, minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owed {
    /// The currency.
    pub currency: Currency,
    /// Left to pay.
    pub payable_minor: i64,
    /// The part of it that is overdue.
    pub overdue_minor: i64,
    /// On how many invoices.
    pub invoices: i64,
}

const PAGE: Sql = Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices
  WHERE merchant_id = $1 AND customer_id = $2 AND lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND open > pending) OR ($3 = 'in_progress' AND open > 0 AND open = pending)
      OR ($3 = 'paid' AND open = 0 AND lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(number) LIKE $4 OR lower(COALESCE(purchase_order, '')) LIKE $4 OR total = $5 OR open - pending = $5)
    AND (due_on > $6 OR (due_on = $6 AND id > $7))
  ORDER BY due_on, id LIMIT $8");
const COUNTS: Sql =
    Sql("SELECT CAST(COALESCE(SUM(CASE WHEN open > pending THEN 1 ELSE 0 END), 0) AS BIGINT),
    CAST(COALESCE(SUM(CASE WHEN open > 0 AND open = pending THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*)
  FROM invoices WHERE merchant_id = $1 AND customer_id = $2 AND lifecycle <> 'draft'");
const OWED: Sql = Sql("SELECT currency, CAST(SUM(open - pending) AS BIGINT),
    CAST(SUM(CASE WHEN due_on < $3 THEN open - pending ELSE 0 END) AS BIGINT), COUNT(*)
  FROM invoices WHERE merchant_id = $1 AND customer_id = $2 AND open > 0 AND open > pending
  GROUP BY currency ORDER BY currency");
const CLI_LIST: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");

/// One page of a customer's list, earliest due date first. `search` matches number, order number or amount; empty
/// means everything. `amount_minor` is the search read as an amount, if it is one.
pub async fn page(
    tx: &mut Tx,
    (merchant, customer): (MerchantId, CustomerId),
    tab: Tab,
    (search, amount_minor): (&str, Option<i64>),
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Invoice>> {
    let pattern = like_pattern(search);
    let after_date = after.map_or_else(String::new, |cursor| cursor.due_on.to_string());
    let after_id = after.map_or([0; 16], |cursor| *cursor.id.as_bytes());
    let args = args![
        merchant.0,
        customer.as_bytes(),
        tab.as_str(),
        &pattern,
        amount_minor.unwrap_or(-1),
        &after_date,
        &after_id,
        limit
    ];
    tx.fetch_all(PAGE, args, decode).await
}

/// How many invoices are under the tabs.
pub async fn count_tabs(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<TabCounts> {
    tx.fetch_one(COUNTS, args![merchant.0, customer.as_bytes()], |row| {
        Ok(TabCounts { to_pay: row.i64(0)?, in_progress: row.i64(1)?, all: row.i64(2)? })
    })
    .await
}

/// What a customer has left to pay, a row per currency.
pub async fn owed(tx: &mut Tx, merchant: MerchantId, customer: CustomerId, today: Date) -> Result<Vec<Owed>> {
    let today = today.to_string();
    tx.fetch_all(OWED, args![merchant.0, customer.as_bytes(), &today], |row| {
        Ok(Owed {
            currency: currency(row, 0)?,
            payable_minor: row.i64(1)?,
            overdue_minor: row.i64(2)?,
            invoices: row.i64(3)?,
        })
    })
    .await
}

/// Invoices of a merchant in the order they were made, for the command line; `after` is the last one seen.
pub async fn in_cli_list(
    tx: &mut Tx,
    merchant: MerchantId,
    after: Option<InvoiceId>,
    limit: i64,
) -> Result<Vec<Invoice>> {
    let after = after.map_or([0; 16], |id| *id.as_bytes());
    tx.fetch_all(CLI_LIST, args![merchant.0, &after, limit], decode).await
}

/// A pattern that finds the text anywhere, its own wildcards taken literally as "any character".
fn like_pattern(search: &str) -> String {
    if search.is_empty() {
        return String::new();
    }
    format!("%{}%", search.to_lowercase().replace(['%', '\\'], "_"))
}
