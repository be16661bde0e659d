//! A customer's invoice list: its tabs with their counts, sums per currency. Drafts are never in it.

use super::{Invoice, Search, decode};
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
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Tab::ToPay => "to_pay",
            Tab::InProgress => "in_progress",
            Tab::Paid => "paid",
            Tab::All => "all",
        }
    }
}

/// How many invoices are under each tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TabCounts {
    /// Under To pay.
    pub to_pay: i64,
    /// Under In progress.
    pub in_progress: i64,
    /// Under Paid.
    pub paid: i64,
    /// Under any tab.
    pub all: i64,
}

impl TabCounts {
    /// The count of one tab.
    pub const fn of(&self, tab: Tab) -> i64 {
        match tab {
            Tab::ToPay => self.to_pay,
            Tab::InProgress => self.in_progress,
            Tab::Paid => self.paid,
            Tab::All => self.all,
        }
    }
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

const COUNTS: Sql =
    Sql("SELECT CAST(COALESCE(SUM(CASE WHEN open > pending THEN 1 ELSE 0 END), 0) AS BIGINT),
    CAST(COALESCE(SUM(CASE WHEN open > 0 AND open = pending THEN 1 ELSE 0 END), 0) AS BIGINT),
    CAST(COALESCE(SUM(CASE WHEN open = 0 AND lifecycle <> 'void' THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*)
  FROM invoices WHERE merchant_id = $1 AND customer_id = $2 AND lifecycle <> 'draft'
    AND ($3 = '' OR lower(number) LIKE $3 ESCAPE '!' OR lower(COALESCE(purchase_order, '')) LIKE $3 ESCAPE '!'
      OR $4 LIKE '%|' || currency || ':' || CAST(total AS TEXT) || '|%'
      OR $4 LIKE '%|' || currency || ':' || CAST(open - pending AS TEXT) || '|%')");
const CURRENCIES: Sql = Sql("SELECT DISTINCT currency FROM invoices
  WHERE merchant_id = $1 AND customer_id = $2 AND lifecycle <> 'draft' ORDER BY currency");
const OWED: Sql = Sql("SELECT currency, CAST(SUM(open - pending) AS BIGINT),
    CAST(SUM(CASE WHEN due_on < $3 THEN open - pending ELSE 0 END) AS BIGINT), COUNT(*)
  FROM invoices WHERE merchant_id = $1 AND customer_id = $2 AND open > 0 AND open > pending
  GROUP BY currency ORDER BY currency");
const CLI_LIST: Sql =
    Sql("SELECT merchant_id, id, number, customer_id, currency, lifecycle, total, open, pending, paid,
    tax, issued_on, due_on, purchase_order, memo, content_hash, created_at, issued_at, ended_at
  FROM invoices WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3");

/// How many invoices a search finds under each tab; [`Search::default`] finds all.
pub async fn count_tabs(
    tx: &mut Tx,
    (merchant, customer): (MerchantId, CustomerId),
    search: &Search,
) -> Result<TabCounts> {
    let args = args![merchant.0, customer.as_bytes(), search.pattern(), search.amounts()];
    tx.fetch_one(COUNTS, args, |row| {
        Ok(TabCounts { to_pay: row.i64(0)?, in_progress: row.i64(1)?, paid: row.i64(2)?, all: row.i64(3)? })
    })
    .await
}

/// The currencies a customer was ever billed in.
pub async fn currencies(tx: &mut Tx, merchant: MerchantId, customer: CustomerId) -> Result<Vec<Currency>> {
    tx.fetch_all(CURRENCIES, args![merchant.0, customer.as_bytes()], |row| currency(row, 0)).await
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
