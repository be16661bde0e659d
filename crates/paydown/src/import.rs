//! Invoices from a file, read without touching anything: bytes and options in, a plan and the errors out. It must never
//! guess: what can be read in two ways is refused, and a bad row spoils its own invoice and nothing else.

mod columns;
mod invoice;
mod table;
mod values;

pub use columns::{Field, Preset};

use billing::amount::NumberMarks;
use billing::line::Line;
use jiff::civil::Date;
use ledger::{Currency, Money};
use std::fmt;

/// Most rows a file may have, its header not counted.
pub const MOST_ROWS: usize = 100_000;
/// Most bytes a file may have.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// Whose column names it uses.
    pub preset: Preset,
    /// Columns named by hand, as (header, field); they come before the preset's.
    pub map: Vec<(String, String)>,
    /// Which of the first two numbers of a date is the day; `None` refuses dates that this would decide.
    pub dates: Option<DateOrder>,
    /// Decimal mark and grouping of the file; `None` takes them from amounts that can be read in one way only.
    pub marks: Option<NumberMarks>,
    /// Currency of rows that name none.
    pub default_currency: Currency,
}

/// The order of the numbers in a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DateOrder {
    /// 31/12/2026
    Dmy,
    /// 12/31/2026
    Mdy,
    /// 2026-12-31 and nothing else
    Iso,
}

/// What a file comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportPlan {
    /// Invoices without an error, in the order of their first row.
    pub invoices: Vec<ImportedInvoice>,
    /// Everything that is wrong, in the order of the rows. An invoice named here is not in `invoices`.
    pub errors: Vec<RowError>,
    /// How many rows there are, blank ones and the header not counted.
    pub row_count: usize,
}

/// One invoice of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedInvoice {
    /// Its rows as a spreadsheet numbers them: the header is row 1.
    pub rows: Vec<usize>,
    /// What people call it.
    pub number: String,
    /// The header of the column that says so.
    pub number_column: String,
    /// Who is billed.
    pub customer_name: String,
    /// The header of the column that says so.
    pub customer_column: String,
    /// Where it is sent, as written; `None` where the file has no address.
    pub email: Option<String>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Civil date.
    pub issued_on: Date,
    /// Civil date, not before `issued_on`.
    pub due_on: Date,
    /// The customer's order number.
    pub purchase_order: Option<String>,
    /// A note.
    pub memo: Option<String>,
    /// At least one, in the order of the rows.
    pub lines: Vec<Line>,
    /// What the lines come to, with tax; where the file has a total, it is the same.
    pub expected_total: Money,
}

/// What is wrong with a row, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// The row as a spreadsheet numbers it.
    pub row: usize,
    /// The invoice it spoils, where its number can be read.
    pub invoice: Option<String>,
    /// The header of the column, or its place where it has no header.
    pub column: String,
    /// What stands there, shortened.
    pub value: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {}, column {}", self.row, self.column)?;
        if let Some(invoice) = &self.invoice {
            write!(f, ", invoice {invoice}")?;
        }
        write!(f, ": {:?} {}. {}", self.value, self.problem, self.fix)
    }
}

/// Why a file is not read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}. {fix}")]
pub struct FileError {
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

impl FileError {
    fn new(problem: impl Into<String>, fix: impl Into<String>) -> FileError {
        FileError { problem: problem.into(), fix: fix.into() }
    }
}

/// Reads a file. Fails only where nothing of it can be understood; what is wrong with single rows is in the plan.
pub fn read(bytes: &[u8], options: &ImportOptions) -> Result<ImportPlan, FileError> {
    if bytes.len() > MOST_BYTES {
        return Err(FileError::new("the file has more than 64 MiB", "Split it into several files"));
    }
    let table = table::read(bytes, options)?;
    let columns = columns::Columns::find(&table.header, options)?;
    let marks = options.marks.or_else(|| values::marks_of(&table, &columns));
    Ok(invoice::plan(&table, &columns, options, marks))
}

#[cfg(test)]
mod tests;
