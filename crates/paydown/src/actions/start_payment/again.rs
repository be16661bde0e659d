//! A debit of a saved account for an invoice whose last debit of that account came back: whether it presents that one again, and may.
//! Who was not asked anew may only present the same amount, at most twice, within 180 days, and only after a reason that allows it.

use super::StartPayment;
use super::saved::Chosen;
use anyhow::{Context as _, Result};
use billing::bank_return::{CannotRetry, DebitEntry, Retry, last_retry_at, may_retry};
use billing::ids::PaymentId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use ledger::Money;
use store::db::Tx;
use store::invoices::Invoice;
use store::merchants;
use store::payments;
use store::retries;

/// Why a debit is not presented again, with the days that matter, in the merchant's zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not presented again: {why}. It was first presented on {first_on}, and {last_on} is the last day for another try"
)]
pub struct NotAgain {
    /// The rule.
    pub why: CannotRetry,
    /// When it was presented for the first time.
    pub first_on: Date,
    /// The last day on which it may be presented.
    pub last_on: Date,
}

/// The debit that this one presents again, if it does; the inner error where it may not. The invoice is locked, so nobody presents
/// the same meanwhile.
pub(super) async fn judge(
    tx: &mut Tx,
    input: &StartPayment,
    (invoice, chosen): (&Invoice, &Chosen),
    (total, now): (Money, Timestamp),
) -> Result<Result<Option<PaymentId>, Box<NotAgain>>> {
    let Some(send_at) = chosen.send_at else { return Ok(Ok(None)) };
    let is_asked_anew = input.means.charged_by.is_none();
    let first = match input.means.retries {
        Some(first) => first,
        None => {
            let latest = retries::latest(tx, input.merchant, invoice.id, chosen.saved.id).await?;
            let Some(latest) = latest else { return Ok(Ok(None)) };
            // One that is on its way or was paid leaves room for another.
            let Some(kind) = latest.returned() else { return Ok(Ok(None)) };
            let is_the_same = latest.total == total && kind.consequences().retry != Retry::Never;
            if is_asked_anew && !is_the_same {
                return Ok(Ok(None));
            }
            latest.retry_of.unwrap_or(latest.id)
        }
    };
    let presented = retries::presented(tx, input.merchant, first).await?;
    // To the payer's bank the merchant is who it was: another account of the processor would not have this saved method.
    let company = "";
    let history: Vec<DebitEntry<'_>> = presented
        .iter()
        .map(|one| DebitEntry { presented_at: one.at, amount: one.total, company, returned: one.returned() })
        .collect();
    let next = DebitEntry { presented_at: send_at, amount: total, company, returned: None };
    match may_retry(&history, &next, is_asked_anew.then_some(now)) {
        Ok(()) => Ok(Ok(Some(first))),
        Err(why) => {
            let merchant = merchants::find(tx, input.merchant).await?.context("an invoice has a merchant")?;
            let zone = TimeZone::get(&merchant.time_zone).unwrap_or(TimeZone::UTC);
            let first_at = history.first().map_or(now, |first| first.presented_at);
            let day = |at: Timestamp| at.to_zoned(zone.clone()).date();
            let not = NotAgain { why, first_on: day(first_at), last_on: day(last_retry_at(first_at)) };
            Ok(Err(Box::new(not)))
        }
    }
}

/// True where a debit that is held would be presented again too late by now.
pub(in crate::actions) async fn is_too_late(
    tx: &mut Tx,
    payment: &payments::Payment,
    now: Timestamp,
) -> Result<bool> {
    let Some(first) = payment.retry_of else { return Ok(false) };
    let first = payments::find(tx, payment.merchant, first).await?.context("a payment is never deleted")?;
    Ok(now > last_retry_at(first.send_at.unwrap_or(first.created_at)))
}
