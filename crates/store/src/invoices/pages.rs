//! One page of a customer's invoice list, in three orders and both directions, by the key of the row it begins after: a
//! page costs the same wherever it is, and none is skipped or shown twice when another invoice comes in between. It
//! never counts.

use super::list::Tab;
use super::{Invoice, decode};
use crate::args;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{CustomerId, InvoiceId, MerchantId};
use jiff::civil::Date;
use ledger::Money;

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// Due date, the earliest first.
    Due,
    /// Number, the highest first: a longer one is higher, so that INV-1000 comes before INV-999.
    Number,
    /// What is left to pay now in minor units, the largest first.
    Left,
}

/// What a row is ordered by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// Its due date.
    Due(Date),
    /// Its number.
    Number(String),
    /// What is left to pay on it, minor units.
    Left(i64),
}

/// The place of one row in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// What it is ordered by.
    pub key: Key,
    /// The row.
    pub id: InvoiceId,
}

impl Cursor {
    /// Where an invoice stands in an order.
    pub fn of(sort: Sort, invoice: &Invoice) -> Cursor {
        let key = match sort {
            Sort::Due => Key::Due(invoice.due_on),
            Sort::Number => Key::Number(invoice.number.clone()),
            Sort::Left => Key::Left(invoice.figures.payable_now().minor()),
        };
        Cursor { key, id: invoice.id }
    }
}

/// Which page of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The first.
    First(Sort),
    /// The one after this row.
    After(Cursor),
    /// The one before this row.
    Before(Cursor),
}

/// What a list is searched for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    pattern: String,
    amounts: String,
}

impl Search {
    /// Invoices whose number or order number has the text in it, or whose total or rest is one of the amounts. No text
    /// finds everything.
    pub fn new(text: &str, amounts: &[Money]) -> Search {
        if text.is_empty() {
            return Search::default();
        }
        let mut pattern = String::from("%");
        for c in text.to_ascii_lowercase().chars() {
            if matches!(c, '%' | '_' | '!') {
                pattern.push('!');
            }
            pattern.push(c);
        }
        pattern.push('%');
        let amounts = amounts.iter().map(|money| format!("{}:{}|", money.currency().code(), money.minor()));
        Search { pattern, amounts: format!("|{}", amounts.collect::<String>()) }
    }

    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(super) fn amounts(&self) -> &str {
        &self.amounts
    }
}

/// A row of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The invoice.
    pub invoice: Invoice,
    /// What it is for: its first line.
    pub first_line: Option<String>,
}

const DUE_AFTER: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (i.due_on > $6 OR (i.due_on = $6 AND i.id > $7))
  ORDER BY i.due_on, i.id LIMIT $8");
const DUE_BEFORE: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (i.due_on < $6 OR (i.due_on = $6 AND i.id < $7))
  ORDER BY i.due_on DESC, i.id DESC LIMIT $8");
const NUMBER_AFTER: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (CAST($6 AS TEXT) IS NULL OR length(i.number) < length(CAST($6 AS TEXT))
      OR (length(i.number) = length(CAST($6 AS TEXT)) AND i.number < CAST($6 AS TEXT)))
  ORDER BY length(i.number) DESC, i.number DESC LIMIT $7");
const NUMBER_BEFORE: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (length(i.number) > length(CAST($6 AS TEXT))
      OR (length(i.number) = length(CAST($6 AS TEXT)) AND i.number > CAST($6 AS TEXT)))
  ORDER BY length(i.number), i.number LIMIT $7");
const LEFT_AFTER: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (i.open - i.pending < $6 OR (i.open - i.pending = $6 AND i.id > $7))
  ORDER BY i.open - i.pending DESC, i.id LIMIT $8");
const LEFT_BEFORE: Sql = Sql("SELECT i.merchant_id, i.id, i.number, i.customer_id, i.currency, i.lifecycle, i.total, i.open, i.pending,
    i.paid, i.tax, i.issued_on, i.due_on, i.purchase_order, i.memo, i.content_hash, i.created_at, i.issued_at, i.ended_at,
    l.description
  FROM invoices i
  LEFT JOIN invoice_lines l ON l.merchant_id = i.merchant_id AND l.invoice_id = i.id AND l.position = 1
  WHERE i.merchant_id = $1 AND i.customer_id = $2 AND i.lifecycle <> 'draft'
    AND (($3 = 'to_pay' AND i.open > i.pending) OR ($3 = 'in_progress' AND i.open > 0 AND i.open = i.pending)
      OR ($3 = 'paid' AND i.open = 0 AND i.lifecycle <> 'void') OR $3 = 'all')
    AND ($4 = '' OR lower(i.number) LIKE $4 ESCAPE '!' OR lower(COALESCE(i.purchase_order, '')) LIKE $4 ESCAPE '!'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.total AS TEXT) || '|%'
      OR $5 LIKE '%|' || i.currency || ':' || CAST(i.open - i.pending AS TEXT) || '|%')
    AND (i.open - i.pending > $6 OR (i.open - i.pending = $6 AND i.id < $7))
  ORDER BY i.open - i.pending, i.id DESC LIMIT $8");

/// One page of a customer's list, in its order, `limit` rows at most.
pub async fn page(
    tx: &mut Tx,
    of: (MerchantId, CustomerId),
    tab: Tab,
    search: &Search,
    place: &Place,
    limit: i64,
) -> Result<Vec<Listed>> {
    let mut rows = fetch(tx, of, tab, search, place, limit).await?;
    if let Place::Before(_) = place {
        rows.reverse();
    }
    Ok(rows)
}

/// The rows nearest to the place first.
async fn fetch(
    tx: &mut Tx,
    (merchant, customer): (MerchantId, CustomerId),
    tab: Tab,
    search: &Search,
    place: &Place,
    limit: i64,
) -> Result<Vec<Listed>> {
    let (mer, cus, tab) = (merchant.0, customer.as_bytes(), tab.as_str());
    let (pattern, amounts) = (search.pattern(), search.amounts());
    let first = [0; 16];
    let (cursor, back) = match place {
        Place::First(Sort::Due) => {
            let args = args![mer, cus, tab, pattern, amounts, "", &first, limit];
            return tx.fetch_all(DUE_AFTER, args, decode_row).await;
        }
        Place::First(Sort::Number) => {
            let args = args![mer, cus, tab, pattern, amounts, None::<&str>, limit];
            return tx.fetch_all(NUMBER_AFTER, args, decode_row).await;
        }
        Place::First(Sort::Left) => {
            let args = args![mer, cus, tab, pattern, amounts, i64::MAX, &first, limit];
            return tx.fetch_all(LEFT_AFTER, args, decode_row).await;
        }
        Place::After(cursor) => (cursor, false),
        Place::Before(cursor) => (cursor, true),
    };
    let id = cursor.id.as_bytes();
    match &cursor.key {
        Key::Due(due_on) => {
            let due_on = due_on.to_string();
            let args = args![mer, cus, tab, pattern, amounts, &due_on, id, limit];
            tx.fetch_all(if back { DUE_BEFORE } else { DUE_AFTER }, args, decode_row).await
        }
        Key::Number(number) => {
            let args = args![mer, cus, tab, pattern, amounts, number, limit];
            tx.fetch_all(if back { NUMBER_BEFORE } else { NUMBER_AFTER }, args, decode_row).await
        }
        Key::Left(minor) => {
            let args = args![mer, cus, tab, pattern, amounts, *minor, id, limit];
            tx.fetch_all(if back { LEFT_BEFORE } else { LEFT_AFTER }, args, decode_row).await
        }
    }
}

fn decode_row(row: &Row<'_>) -> Result<Listed> {
    Ok(Listed { invoice: decode(row)?, first_line: row.opt_text(19)? })
}
