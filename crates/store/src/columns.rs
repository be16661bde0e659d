//! Reading and writing the typed values of the product as columns: ids, instants, dates, currencies.

use crate::db::Row;
use anyhow::{Context as _, Result};
use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Currency;

/// An instant.
pub(crate) fn timestamp(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    Ok(Timestamp::from_microsecond(row.i64(column)?)?)
}

/// An instant, or nothing.
pub(crate) fn opt_timestamp(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    row.opt_i64(column)?.map(|micros| Ok(Timestamp::from_microsecond(micros)?)).transpose()
}

/// A civil date.
pub(crate) fn date(row: &Row<'_>, column: usize) -> Result<Date> {
    Ok(row.text(column)?.parse()?)
}

/// A civil date, or nothing.
pub(crate) fn opt_date(row: &Row<'_>, column: usize) -> Result<Option<Date>> {
    row.opt_text(column)?.map(|text| Ok(text.parse()?)).transpose()
}

/// A currency code.
pub(crate) fn currency(row: &Row<'_>, column: usize) -> Result<Currency> {
    Ok(Currency::try_new(&row.text(column)?)?)
}

/// The word of a closed list, through its parser.
pub(crate) fn word<T>(row: &Row<'_>, column: usize, parse: fn(&str) -> Option<T>) -> Result<T> {
    let text = row.text(column)?;
    parse(&text).with_context(|| format!("column {column} holds the unknown word {text:?}"))
}
