//! The processor's own books: what it captured, what it kept as fees, what it owes the merchant.
//!
//! They must never look at Paydown's: that both sides come to the same figure is the proof that neither invents money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::charges;
use crate::currency;
use crate::error::{ApiError, Failure};
use crate::objects::{BalanceTransaction, Charge, ChargeStatus};
use crate::store;
use crate::work::Work;

const TWO_DAYS_SECONDS: i64 = 2 * 24 * 60 * 60;

/// The books of the sandbox at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Books {
    /// Per lower-case currency code, sorted.
    pub currencies: BTreeMap<String, CurrencyBooks>,
    /// Customers ever made.
    pub customers: i64,
    /// Checkout sessions ever made.
    pub sessions: i64,
    /// Checkout sessions whose page still takes money.
    pub open_sessions: i64,
    /// Payment intents ever made.
    pub payment_intents: i64,
    /// Charges, failed ones too.
    pub charges: i64,
    /// Charges that took money.
    pub charges_succeeded: i64,
}

/// The books in one currency, in its minor unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct CurrencyBooks {
    /// Money captured by charges, booked or not.
    pub captured_minor: i64,
    /// Captured by charges whose fee is not known yet, hence in no balance transaction.
    pub unbooked_minor: i64,
    /// Sum of the balance transactions' amounts.
    pub gross_minor: i64,
    /// Sum of their fees.
    pub fees_minor: i64,
    /// Sum of what they leave: `gross_minor - fees_minor`.
    pub net_minor: i64,
    /// Charges that took money in this currency.
    pub charges_succeeded: i64,
}

/// When a charge's fee becomes known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeeMode {
    #[default]
    AtOnce,
    Later,
}

/// What the processor keeps of a charge.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fees {
    pub(crate) mode: FeeMode,
    /// Hundredths of a percent.
    pub(crate) basis_points: i64,
    /// The fixed part, where it differs from the table.
    pub(crate) fixed_minor: BTreeMap<String, i64>,
}

impl Default for Fees {
    fn default() -> Self {
        Self { mode: FeeMode::AtOnce, basis_points: 290, fixed_minor: BTreeMap::new() }
    }
}

impl Fees {
    pub(crate) fn load(work: &Work<'_>) -> Result<Self, Failure> {
        store::setting(work.connection, "fees")
    }

    pub(crate) fn save(&self, work: &Work<'_>) -> Result<(), Failure> {
        store::set_setting(work.connection, "fees", self)
    }

    /// 2.9 % and 0.30 of the currency, unless configured otherwise; the percentage is rounded half up.
    fn of(&self, currency: &str, amount_minor: i64) -> Result<i64, Failure> {
        let fixed_minor =
            self.fixed_minor.get(currency).copied().unwrap_or(match currency::exponent(currency) {
                Some(0) => 40,
                Some(3) => 300,
                _ => 30,
            });
        let too_large =
            || Failure::Broken(anyhow::anyhow!("the fee of {amount_minor} {currency} does not fit"));
        let scaled = amount_minor.checked_mul(self.basis_points).and_then(|scaled| scaled.checked_add(5_000));
        scaled.and_then(|scaled| (scaled / 10_000).checked_add(fixed_minor)).ok_or_else(too_large)
    }
}

/// Fault: what the next capture of a session takes instead of what was asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CaptureOverride {
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
}

type CaptureOverrides = BTreeMap<String, CaptureOverride>;

/// Arms a capture override.
pub(crate) fn set_capture_override(
    work: &Work<'_>,
    session_id: &str,
    taken: CaptureOverride,
) -> Result<(), Failure> {
    if taken.amount_minor <= 0 {
        return Err(ApiError::invalid("A capture takes more than nothing.").param("amount").into());
    }
    let mut overrides: CaptureOverrides = store::setting(work.connection, "capture_overrides")?;
    overrides.insert(session_id.to_owned(), taken);
    store::set_setting(work.connection, "capture_overrides", &overrides)
}

/// Takes a session's capture override, which then is spent.
pub(crate) fn take_capture_override(
    work: &Work<'_>,
    session_id: &str,
) -> Result<Option<CaptureOverride>, Failure> {
    let mut overrides: CaptureOverrides = store::setting(work.connection, "capture_overrides")?;
    let taken = overrides.remove(session_id);
    if taken.is_some() {
        store::set_setting(work.connection, "capture_overrides", &overrides)?;
    }
    Ok(taken)
}

/// Books a charge that took money, unless fees come later. The caller saves the charge.
pub(crate) fn book_charge(work: &Work<'_>, charge: &mut Charge) -> Result<(), Failure> {
    let fees = Fees::load(work)?;
    if fees.mode == FeeMode::Later {
        return Ok(());
    }
    book(work, charge, &fees)
}

fn book(work: &Work<'_>, charge: &mut Charge, fees: &Fees) -> Result<(), Failure> {
    let fee_minor = fees.of(&charge.currency, charge.amount_minor)?;
    let transaction = BalanceTransaction {
        id: work.next_id("txn_")?,
        created: work.now,
        available_on: work.now + TWO_DAYS_SECONDS,
        amount_minor: charge.amount_minor,
        fee_minor,
        net_minor: charge.amount_minor - fee_minor,
        currency: charge.currency.clone(),
        description: charge.data.description.clone(),
        source: charge.id.clone(),
        kind: "charge".to_owned(),
    };
    work.insert(&transaction)?;
    charge.balance_transaction = Some(transaction.id);
    Ok(())
}

/// Books every charge that waits for its fee; returns how many there were.
pub(crate) fn release_fees(work: &Work<'_>) -> Result<usize, Failure> {
    let fees = Fees::load(work)?;
    let charges: Vec<Charge> = store::with_status(work.connection, "fee_unknown")?;
    let count = charges.len();
    for mut charge in charges {
        book(work, &mut charge, &fees)?;
        work.update(&charge)?;
        work.event("charge.updated", charges::view(&charge))?;
    }
    Ok(count)
}

/// Adds the books up.
pub(crate) fn read(work: &Work<'_>) -> Result<Books, Failure> {
    let mut currencies: BTreeMap<String, CurrencyBooks> = BTreeMap::new();
    let charges: Vec<Charge> = store::all(work.connection)?;
    let mut charges_succeeded = 0;
    for charge in charges.iter().filter(|charge| charge.status == ChargeStatus::Succeeded) {
        let books = currencies.entry(charge.currency.clone()).or_default();
        add(&mut books.captured_minor, charge.amount_minor)?;
        books.charges_succeeded += 1;
        charges_succeeded += 1;
        if charge.balance_transaction.is_none() {
            add(&mut books.unbooked_minor, charge.amount_minor)?;
        }
    }
    for transaction in store::all::<BalanceTransaction>(work.connection)? {
        let books = currencies.entry(transaction.currency).or_default();
        add(&mut books.gross_minor, transaction.amount_minor)?;
        add(&mut books.fees_minor, transaction.fee_minor)?;
        add(&mut books.net_minor, transaction.net_minor)?;
    }
    let open: i64 = work.connection.query_row(
        "SELECT count(*) FROM document WHERE kind = 'checkout.session' AND status = 'open'",
        [],
        |row| row.get(0),
    )?;
    Ok(Books {
        currencies,
        customers: store::count(work.connection, "customer")?,
        sessions: store::count(work.connection, "checkout.session")?,
        open_sessions: open,
        payment_intents: store::count(work.connection, "payment_intent")?,
        charges: store::count(work.connection, "charge")?,
        charges_succeeded,
    })
}

fn add(sum: &mut i64, amount_minor: i64) -> Result<(), Failure> {
    *sum = sum
        .checked_add(amount_minor)
        .ok_or_else(|| Failure::Broken(anyhow::anyhow!("the books overflow")))?;
    Ok(())
}
