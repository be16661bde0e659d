//! Proves from the database alone that the books are right: the invariants of money, each by its number.
//!
//! Read-only, in one snapshot, by statements over whole sets: what has to be computed outside of SQL (hashes, card
//! numbers, printed ids) streams in pages. It never mends, never takes a cached figure for granted, and never
//! prints what it found in a free text. What is merely late is reported, but is no finding.

mod captures;
mod cards;
mod credit;
mod disputes;
mod foreign;
mod history;
mod invoices;
mod ledger;
mod mandates;
mod payments;
mod payouts;
mod places;
mod records;
mod reductions;
mod refunds;
mod resolutions;
mod retries;
mod reversals;
mod seals;

pub use cards::holds_card_number;

use crate::args;
use crate::db::{Row, Sql, Store, Tx};
use crate::seals::{Chain, Head};
use anyhow::Result;
use billing::ids::MerchantId;
use data_encoding::BASE32HEX_NOPAD;

/// How many rows of a finding are named; the others are counted.
pub const ROWS_NAMED: usize = 20;

/// What to compare with besides the database itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Heads of chains that were kept elsewhere. Without one, a chain that was cut or written anew from some point
    /// on cannot be told from a true one.
    pub anchors: Vec<Head>,
}

/// What [`verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// How many postings there are.
    pub postings: i64,
    /// What is wrong, by number of the invariant. Empty: the books are right.
    pub findings: Vec<Finding>,
    /// Rows that the sealer has not reached yet. Not wrong in itself.
    pub unsealed: Vec<Unsealed>,
}

impl VerifyReport {
    /// True if nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    /// The numbers of the invariants that are broken, ascending, each once.
    pub fn broken(&self) -> Vec<u8> {
        let mut numbers: Vec<u8> = self.findings.iter().map(|finding| finding.invariant).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }
}

/// One way in which one invariant does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The number of the invariant.
    pub invariant: u8,
    /// The invariant in a few words.
    pub title: &'static str,
    /// What is wrong.
    pub what: String,
    /// The rows, by printed id, [`ROWS_NAMED`] at most.
    pub rows: Vec<String>,
    /// How many there are in all.
    pub row_count: u64,
}

/// Rows of one chain without a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsealed {
    /// Whose.
    pub merchant_id: MerchantId,
    /// Of which chain.
    pub chain: Chain,
    /// How many.
    pub count: i64,
}

/// Invariants that concern what this version has no tables for, and why each is left out.
pub const NOT_APPLICABLE: &[(u8, &str)] = &[(18, "no schedules are recorded")];

/// The invariant in a few words; `None` for a number that is not one of 1 to 27.
pub const fn title(invariant: u8) -> Option<&'static str> {
    Some(match invariant {
        1 => "each posting is balanced, in one currency, with a cause of its own",
        2 => "the ledger of a merchant sums to zero in each currency",
        3 => "a cached balance equals the sum of its entries",
        4 => "seals are numbered without gap, chained, one per row",
        5 => "a reversal mirrors one posting",
        6 => "what an invoice has open and pending equals its definition",
        7 => "pending is at least 0 and at most what is open",
        8 => "live reservations belong to payments in flight, for the same amount",
        9 => "a payment is captured once or never, as its state says",
        10 => "a processor's charge belongs to one payment",
        11 => "one processor key per attempt, one successful attempt per payment",
        12 => "what was captured is where it went",
        13 => "the refund cycle of account 2300 ends at 0",
        14 => "accounts 1220, 1300 and 2300 hold what is in flight",
        15 => "a payout equals the sum of its items",
        16 => "customer credit equals the grants left, and goes back where it was born",
        17 => "a history of states is numbered, allowed, in order, and ends in the present one",
        18 => "an occurrence of a schedule has one payment at most",
        19 => "an inbox event is there once",
        20 => "a captured payment has one receipt",
        21 => "an idempotency key has one request and one resource",
        22 => "the merchant is the same along every reference",
        23 => "void and draft invoices hold nothing",
        24 => "a privileged act has an audit row with an actor",
        25 => "no card number stands in a free text",
        26 => "what a payer agreed to is kept as it was agreed to",
        27 => "a debit that came back is presented again at most twice, in time and for the same amount",
        _ => return None,
    })
}

/// Checks everything in one snapshot. `Err` means that it could not look, never that it found something.
pub async fn verify(store: &Store, options: &Options) -> Result<VerifyReport> {
    let options = options.clone();
    store.report(async move |tx: &mut Tx| check_all(tx, &options).await).await
}

async fn check_all(tx: &mut Tx, options: &Options) -> Result<VerifyReport> {
    const POSTINGS: Sql = Sql("SELECT count(*) FROM postings");
    let mut report = VerifyReport {
        postings: tx.fetch_one(POSTINGS, args![], |row| row.i64(0)).await?,
        ..VerifyReport::default()
    };
    let merchants = merchants(tx).await?;
    for checks in [
        ledger::BEYOND_SUMS,
        ledger::CHECKS,
        invoices::CHECKS,
        payments::CHECKS,
        credit::CHECKS,
        reductions::CHECKS,
        resolutions::CHECKS,
        reversals::CHECKS,
        retries::CHECKS,
    ] {
        run(tx, checks, &mut report).await?;
    }
    captures::check(tx, &merchants, &mut report).await?;
    places::check(tx, &merchants, &mut report).await?;
    mandates::check(tx, &merchants, &mut report).await?;
    history::check(tx, &mut report).await?;
    payouts::check(tx, &mut report).await?;
    disputes::check(tx, &merchants, &mut report).await?;
    refunds::check(tx, &merchants, &mut report).await?;
    run(tx, records::CHECKS, &mut report).await?;
    run(tx, foreign::CHECKS, &mut report).await?;
    records::check_audit(tx, &merchants, &mut report).await?;
    seals::check(tx, &merchants, &options.anchors, &mut report).await?;
    cards::check(tx, &merchants, &mut report).await?;
    report.findings.sort_by_key(|finding| finding.invariant);
    Ok(report)
}

async fn merchants(tx: &mut Tx) -> Result<Vec<MerchantId>> {
    const MERCHANTS: Sql = Sql("SELECT merchant_id FROM merchants ORDER BY merchant_id");
    tx.fetch_all(MERCHANTS, args![], |row| Ok(MerchantId(row.i64(0)?))).await
}

/// A check that is one statement, which answers the rows that break it: merchant, what (an id or a text), two
/// figures or NULL, and how many rows there are in all; [`ROWS_NAMED`] rows at most.
struct Check {
    invariant: u8,
    what: &'static str,
    /// The prefix of the ids, or nothing where the statement answers texts.
    prefix: &'static str,
    /// What the two figures are.
    figures: [&'static str; 2],
    sql: Sql,
}

async fn run(tx: &mut Tx, checks: &[Check], report: &mut VerifyReport) -> Result<()> {
    for check in checks {
        let broken = tx.fetch_all(check.sql, args![], broken).await?;
        let Some(first) = broken.first() else { continue };
        let row_count = u64::try_from(first.total)?;
        let rows = broken.iter().map(|row| row.print(check)).collect();
        push(report, check.invariant, check.what, rows, row_count);
    }
    Ok(())
}

/// Adds a finding that gathered all of its rows, unless there are none.
fn found(report: &mut VerifyReport, invariant: u8, what: &str, mut rows: Vec<String>) {
    if !rows.is_empty() {
        let row_count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        rows.truncate(ROWS_NAMED);
        push(report, invariant, what, rows, row_count);
    }
}

fn push(report: &mut VerifyReport, invariant: u8, what: &str, rows: Vec<String>, row_count: u64) {
    let title = title(invariant).expect("every check names an invariant that exists");
    report.findings.push(Finding { invariant, title, what: what.to_owned(), rows, row_count });
}

struct Broken {
    merchant: i64,
    what: What,
    figures: [Option<i64>; 2],
    total: i64,
}

enum What {
    Id(Vec<u8>),
    Text(String),
    Nothing,
}

fn broken(row: &Row<'_>) -> Result<Broken> {
    let what = match row.opt_text(1) {
        Ok(text) => text.map_or(What::Nothing, What::Text),
        Err(_) => What::Id(row.blob(1)?),
    };
    let figures = [row.opt_i64(2)?, row.opt_i64(3)?];
    Ok(Broken { merchant: row.i64(0)?, what, figures, total: row.i64(4)? })
}

impl Broken {
    fn print(&self, check: &Check) -> String {
        let mut text = match &self.what {
            What::Id(bytes) => printed(check.prefix, bytes),
            What::Text(text) => text.clone(),
            What::Nothing => "nothing".to_owned(),
        };
        text.push_str(&format!(" of mer_{}", self.merchant));
        for (name, figure) in check.figures.iter().zip(self.figures) {
            if let Some(figure) = figure {
                text.push_str(&format!(", {name} {figure}"));
            }
        }
        text
    }
}

/// The statements that are written by a macro from the rows of a table, for whoever tries every statement; each with its file.
pub fn statements_of_tables() -> Vec<(&'static str, Sql)> {
    let keys = foreign::CHECKS.iter().map(|check| ("src/verify/foreign.rs", check.sql));
    let histories = history::statements().map(|sql| ("src/verify/history.rs", sql));
    keys.chain(histories).collect()
}

/// An id as people know it, also one whose length is wrong.
fn printed(prefix: &str, bytes: &[u8]) -> String {
    format!("{prefix}{}", BASE32HEX_NOPAD.encode(bytes).to_ascii_lowercase())
}
