//! The processor's own books: what it captured, what it kept as fees, what it owes the merchant.
//!
//! They must never look at Paydown's: that both sides come to the same figure is the proof that neither invents money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::charges;
use crate::error::{ApiError, Failure};
use crate::fees::{FeeMode, Fees};
use crate::objects::{BalanceTransaction, Charge, ChargeStatus, Dispute, Payout, Refund};
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
    /// Refunds ever asked for.
    pub refunds: i64,
    /// Disputes ever opened, inquiries and returned bank debits too.
    pub disputes: i64,
    /// Payouts ever made, failed ones too.
    pub payouts: i64,
}

/// The books in one currency, in its minor unit. At every moment
/// `captured - unbooked - refunded - disputed - paid_out - fees = net`, unless the balance is kept in another currency.
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
    /// Given back by refunds, pending ones too, failed ones not.
    pub refunded_minor: i64,
    /// Taken back by disputes that were not won, and by returned bank debits.
    pub disputed_minor: i64,
    /// Paid out, or on its way; what payouts below zero took from the merchant's bank counts negative. Failed payouts do not count.
    pub paid_out_minor: i64,
    /// Charges that took money in this currency.
    pub charges_succeeded: i64,
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
    let (currency, amount_minor) = fees.settled(&charge.currency, charge.amount_minor)?;
    let fee_minor = fees.of(&charge.instrument, &currency, amount_minor)?;
    let transaction = enter(
        work,
        NewTransaction {
            amount_minor,
            fee_minor,
            currency: &currency,
            description: charge.data.description.clone(),
            source: &charge.id,
            kind: if charge.instrument.card().is_some() { "charge" } else { "payment" },
            reporting_category: "charge",
            available_on: work.now + TWO_DAYS_SECONDS,
        },
    )?;
    charge.balance_transaction = Some(transaction.id);
    Ok(())
}

/// A line that is to be entered.
pub(crate) struct NewTransaction<'a> {
    pub(crate) amount_minor: i64,
    pub(crate) fee_minor: i64,
    pub(crate) currency: &'a str,
    pub(crate) description: Option<String>,
    pub(crate) source: &'a str,
    pub(crate) kind: &'a str,
    pub(crate) reporting_category: &'a str,
    pub(crate) available_on: i64,
}

/// Enters a line. Lines are never changed but for the payout they are paid out with.
pub(crate) fn enter(work: &Work<'_>, new: NewTransaction<'_>) -> Result<BalanceTransaction, Failure> {
    let transaction = BalanceTransaction {
        id: work.next_id("txn_")?,
        created: work.now,
        available_on: new.available_on,
        amount_minor: new.amount_minor,
        fee_minor: new.fee_minor,
        net_minor: new.amount_minor - new.fee_minor,
        currency: new.currency.to_owned(),
        description: new.description,
        source: new.source.to_owned(),
        kind: new.kind.to_owned(),
        reporting_category: new.reporting_category.to_owned(),
        payout: None,
    };
    work.insert(&transaction)?;
    Ok(transaction)
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
    for refund in store::all::<Refund>(work.connection)?.into_iter().filter(Refund::counts) {
        add(&mut currencies.entry(refund.currency).or_default().refunded_minor, refund.amount_minor)?;
    }
    for dispute in store::all::<Dispute>(work.connection)? {
        if dispute.status.holds_money() {
            add(&mut currencies.entry(dispute.currency).or_default().disputed_minor, dispute.amount_minor)?;
        }
    }
    for payout in store::all::<Payout>(work.connection)?.into_iter().filter(Payout::counts) {
        let (amount_minor, currency) = payout.balance();
        add(&mut currencies.entry(currency.to_owned()).or_default().paid_out_minor, amount_minor)?;
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
        refunds: store::count(work.connection, "refund")?,
        disputes: store::count(work.connection, "dispute")?,
        payouts: store::count(work.connection, "payout")?,
    })
}

fn add(sum: &mut i64, amount_minor: i64) -> Result<(), Failure> {
    *sum = sum
        .checked_add(amount_minor)
        .ok_or_else(|| Failure::Broken(anyhow::anyhow!("the books overflow")))?;
    Ok(())
}
