//! Payouts: each midnight what is available goes to the merchant's bank, per currency, with the balance transactions it is made of.
//!
//! A balance transaction is in one payout at most. A failed payout's amount is a new one, for a later payout; its items stay with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::agenda::{self, Appointment};
use crate::api::payouts;
use crate::books::{self, NewTransaction};
use crate::calendar::{business_days_after, next_midnight};
use crate::error::{ApiError, Failure};
use crate::fees::exchanged;
use crate::objects::{BalanceTransaction, Metadata, Payout, PayoutStatus};
use crate::store;
use crate::work::Work;

/// When payouts are made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Schedule {
    /// Only when asked for.
    #[default]
    Manual,
    /// At every midnight in UTC.
    Daily,
}

/// How payouts are made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct PayoutManner {
    pub(crate) schedule: Schedule,
    /// The next payout that would arrive fails with this code instead.
    pub(crate) next_fails_with: Option<String>,
    /// The bank account's currency, and what a million minor units of any other come to in it. Payouts of the clock are
    /// converted to it.
    pub(crate) converts_to: Option<(String, i64)>,
}

/// Sets how payouts are made; daily ones begin at the next midnight.
pub(crate) fn set_manner(work: &Work<'_>, manner: &PayoutManner) -> Result<(), Failure> {
    store::set_setting(work.connection, "payouts", manner)?;
    agenda::cancel(work, &Appointment::PayOut)?;
    match manner.schedule {
        Schedule::Manual => Ok(()),
        Schedule::Daily => agenda::put(work, next_midnight(work.now), &Appointment::PayOut, ""),
    }
}

pub(crate) fn manner(work: &Work<'_>) -> Result<PayoutManner, Failure> {
    store::setting(work.connection, "payouts")
}

/// A midnight: pays out what is available, and makes the appointment for the next one.
pub(crate) fn pay_out(work: &Work<'_>) -> Result<(), Failure> {
    let PayoutManner { schedule, converts_to, .. } = manner(work)?;
    if schedule != Schedule::Daily {
        return Ok(());
    }
    let mut items: BTreeMap<String, Vec<BalanceTransaction>> = BTreeMap::new();
    for transaction in store::all::<BalanceTransaction>(work.connection)? {
        if transaction.payout.is_none() && transaction.available_on <= work.now {
            items.entry(transaction.currency.clone()).or_default().push(transaction);
        }
    }
    for (currency, items) in items {
        let amount_minor = sum(&items)?;
        // Nothing is sent for nothing; its items wait for company.
        if amount_minor == 0 {
            continue;
        }
        let new = NewPayout { amount_minor, currency, is_automatic: true, ..NewPayout::default() };
        let payout = make(work, converted(new, converts_to.as_ref())?)?;
        for mut item in items {
            item.payout = Some(payout.id.clone());
            work.update(&item)?;
        }
    }
    agenda::put(work, next_midnight(work.now), &Appointment::PayOut, "")
}

/// The payout in the currency of the bank account, where that is another.
fn converted(new: NewPayout, to: Option<&(String, i64)>) -> Result<NewPayout, Failure> {
    match to {
        Some((currency, rate_millionths)) if *currency != new.currency => Ok(NewPayout {
            amount_minor: exchanged(new.amount_minor, *rate_millionths)?,
            currency: currency.clone(),
            converted_from: Some((new.amount_minor, new.currency)),
            ..new
        }),
        _ => Ok(new),
    }
}

fn sum(items: &[BalanceTransaction]) -> Result<i64, Failure> {
    items
        .iter()
        .try_fold(0_i64, |sum, item| sum.checked_add(item.net_minor))
        .ok_or_else(|| Failure::Broken(anyhow::anyhow!("a payout does not fit")))
}

/// What a payout is made of.
#[derive(Debug, Default)]
pub(crate) struct NewPayout {
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) converted_from: Option<(i64, String)>,
    pub(crate) is_automatic: bool,
    pub(crate) description: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: Metadata,
}

/// Sends a payout on its way.
pub(crate) fn make(work: &Work<'_>, new: NewPayout) -> Result<Payout, Failure> {
    let id = work.next_id("po_")?;
    let (leaves_minor, leaves_currency) = match &new.converted_from {
        Some((amount_minor, currency)) => (*amount_minor, currency),
        None => (new.amount_minor, &new.currency),
    };
    let mut transaction = books::enter(
        work,
        NewTransaction {
            amount_minor: -leaves_minor,
            fee_minor: 0,
            currency: leaves_currency,
            description: Some("STRIPE PAYOUT".to_owned()),
            source: &id,
            kind: "payout",
            reporting_category: "payout",
            available_on: work.now,
        },
    )?;
    if new.is_automatic {
        transaction.payout = Some(id.clone());
        work.update(&transaction)?;
    }
    let payout = Payout {
        id,
        created: work.now,
        amount_minor: new.amount_minor,
        currency: new.currency,
        converted_from: new.converted_from,
        status: PayoutStatus::InTransit,
        is_automatic: new.is_automatic,
        arrival_date: business_days_after(work.now, 1),
        balance_transaction: transaction.id,
        failure_balance_transaction: None,
        failure_code: None,
        description: new.description,
        statement_descriptor: new.statement_descriptor,
        metadata: new.metadata,
    };
    work.insert(&payout)?;
    work.event("payout.created", payouts::view(&payout))?;
    agenda::put(work, payout.arrival_date, &Appointment::ArrivePayout, &payout.id)?;
    Ok(payout)
}

/// A payout reaches the bank, or fails there.
pub(crate) fn arrive(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let mut payout: Payout = work.own(id)?;
    if payout.status != PayoutStatus::InTransit {
        return Ok(());
    }
    let mut manner = manner(work)?;
    if let Some(code) = manner.next_fails_with.take() {
        store::set_setting(work.connection, "payouts", &manner)?;
        return fail(work, &mut payout, &code);
    }
    payout.status = PayoutStatus::Paid;
    work.update(&payout)?;
    work.event("payout.paid", payouts::view(&payout))?;
    if payout.is_automatic {
        work.event("payout.reconciliation_completed", payouts::view(&payout))?;
    }
    Ok(())
}

/// A payout comes back, even after it was paid.
pub(crate) fn fail(work: &Work<'_>, payout: &mut Payout, code: &str) -> Result<(), Failure> {
    if payout.status == PayoutStatus::Failed {
        return Err(ApiError::state(None, "This payout has already failed.").into());
    }
    let (back_minor, back_currency) = payout.balance();
    let transaction = books::enter(
        work,
        NewTransaction {
            amount_minor: back_minor,
            fee_minor: 0,
            currency: back_currency,
            description: Some("STRIPE PAYOUT FAILURE".to_owned()),
            source: &payout.id,
            kind: "payout_failure",
            reporting_category: "payout_reversal",
            available_on: work.now,
        },
    )?;
    payout.status = PayoutStatus::Failed;
    payout.failure_code = Some(code.to_owned());
    payout.failure_balance_transaction = Some(transaction.id);
    work.update(payout)?;
    work.event("payout.failed", payouts::view(payout))
}

/// What could be paid out now, and what is still on its way to that, per currency.
pub(crate) fn balances(work: &Work<'_>) -> Result<BTreeMap<String, (i64, i64)>, Failure> {
    let mut balances: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for transaction in store::all::<BalanceTransaction>(work.connection)? {
        let (available, pending) = balances.entry(transaction.currency).or_default();
        let sum = if transaction.available_on <= work.now { available } else { pending };
        *sum = sum
            .checked_add(transaction.net_minor)
            .ok_or_else(|| Failure::Broken(anyhow::anyhow!("the balance does not fit")))?;
    }
    Ok(balances)
}
