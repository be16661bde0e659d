//! Refunds: asked for, sent, sometimes come back. Never more goes back than is left of the charge.

use crate::agenda::{self, Appointment};
use crate::api::{charges, refunds};
use crate::banks::{self, AccountBehaviour};
use crate::books::{self, NewTransaction};
use crate::calendar::{DAY_SECONDS, business_days_after};
use crate::cards::{PENDING_REFUND, REFUND_FAILS};
use crate::error::{ApiError, Failure};
use crate::objects::{Charge, ChargeStatus, Instrument, Metadata, Refund, RefundStatus};
use crate::work::Work;
use crate::{currency, disputing};

/// On which business day a refund to a bank account arrives.
const ARRIVES_ON_DAY: u32 = 4;
const CARD_ARRIVES_AFTER_DAYS: i64 = 1;
const CARD_FAILS_AFTER_DAYS: i64 = 3;

/// What is asked for.
pub(crate) struct NewRefund {
    /// All that is left, when not said.
    pub(crate) amount_minor: Option<i64>,
    pub(crate) reason: Option<String>,
    pub(crate) metadata: Metadata,
}

/// Refunds a charge.
pub(crate) fn create(work: &Work<'_>, mut charge: Charge, new: NewRefund) -> Result<Refund, Failure> {
    let amount_minor = check(work, &charge, new.amount_minor)?;
    let is_card = charge.instrument.card().is_some();
    let id = work.next_id(if is_card { "re_" } else { "pyr_" })?;
    let transaction = books::enter(
        work,
        NewTransaction {
            amount_minor: -amount_minor,
            fee_minor: 0,
            currency: &charge.currency,
            description: Some(format!("REFUND FOR CHARGE ({})", charge.id)),
            source: &id,
            kind: if is_card { "refund" } else { "payment_refund" },
            reporting_category: "refund",
            available_on: work.now,
        },
    )?;
    let (status, later) = course(work, &charge.instrument);
    let refund = Refund {
        id,
        created: work.now,
        amount_minor,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        kind: charge.instrument.kind().to_owned(),
        reason: new.reason,
        status,
        balance_transaction: transaction.id,
        failure_balance_transaction: None,
        failure_reason: None,
        metadata: new.metadata,
    };
    work.insert(&refund)?;
    charge.refunded_minor += amount_minor;
    work.update(&charge)?;
    work.event("refund.created", refunds::view(&refund))?;
    work.event("charge.refunded", charges::view(&charge))?;
    if let Some((due_at, what)) = later {
        agenda::put(work, due_at, &what, &refund.id)?;
    }
    if charge.refunded_minor == charge.amount_minor {
        disputing::end_inquiries(work, &charge.id)?;
    }
    Ok(refund)
}

/// How much is refunded, or why nothing is.
fn check(work: &Work<'_>, charge: &Charge, asked_minor: Option<i64>) -> Result<i64, Failure> {
    if charge.status != ChargeStatus::Succeeded {
        let message = format!("Charge {} has not taken money and cannot be refunded.", charge.id);
        return Err(ApiError::state(Some("charge_not_refundable"), message).into());
    }
    if disputing::held_of(work, &charge.id)? > 0 {
        let message = format!("Charge {} has been charged back; cannot issue a refund.", charge.id);
        return Err(ApiError::state(Some("charge_disputed"), message).into());
    }
    let left_minor = charge.amount_minor - charge.refunded_minor;
    if left_minor <= 0 {
        let message = format!("Charge {} has already been refunded.", charge.id);
        return Err(ApiError::state(Some("charge_already_refunded"), message).into());
    }
    let amount_minor = asked_minor.unwrap_or(left_minor);
    if amount_minor < 1 {
        let error = ApiError::invalid("Invalid positive integer").code("parameter_invalid_integer");
        return Err(error.param("amount").into());
    }
    if amount_minor > left_minor {
        let shown = |minor: i64| currency::display(&charge.currency, minor);
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            shown(amount_minor),
            shown(left_minor)
        );
        return Err(ApiError::state(None, message).param("amount").into());
    }
    Ok(amount_minor)
}

/// What a refund begins as, and what becomes of it later.
fn course(work: &Work<'_>, instrument: &Instrument) -> (RefundStatus, Option<(i64, Appointment)>) {
    let in_days = |days: i64| work.now + days * DAY_SECONDS;
    match instrument.card().map(|card| card.token.as_str()) {
        Some(PENDING_REFUND) => {
            (RefundStatus::Pending, Some((in_days(CARD_ARRIVES_AFTER_DAYS), Appointment::FinishRefund)))
        }
        Some(REFUND_FAILS) => {
            (RefundStatus::Succeeded, Some((in_days(CARD_FAILS_AFTER_DAYS), Appointment::FailRefund)))
        }
        Some(_) => (RefundStatus::Succeeded, None),
        None => {
            let arrives = (business_days_after(work.now, ARRIVES_ON_DAY), Appointment::FinishRefund);
            let later = match banks::behaviour(instrument.token()) {
                Some(AccountBehaviour::FailRefund { days }) => {
                    (in_days(i64::from(days)), Appointment::FailRefund)
                }
                _ => arrives,
            };
            (RefundStatus::Pending, Some(later))
        }
    }
}

/// A pending refund arrives.
pub(crate) fn finish(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let mut refund: Refund = work.own(id)?;
    if refund.status != RefundStatus::Pending {
        return Ok(());
    }
    refund.status = RefundStatus::Succeeded;
    work.update(&refund)?;
    work.event("refund.updated", refunds::view(&refund))?;
    work.event("charge.refund.updated", refunds::view(&refund))
}

/// A refund comes back: its money is the merchant's again, with the processor.
pub(crate) fn fail(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let mut refund: Refund = work.get(id, "refund")?;
    if refund.status == RefundStatus::Failed {
        return Ok(());
    }
    let mut charge: Charge = work.own(&refund.charge)?;
    let is_card = charge.instrument.card().is_some();
    let transaction = books::enter(
        work,
        NewTransaction {
            amount_minor: refund.amount_minor,
            fee_minor: 0,
            currency: &refund.currency,
            description: Some(format!("REFUND FAILURE FOR CHARGE ({})", refund.charge)),
            source: &refund.id,
            kind: if is_card { "refund_failure" } else { "payment_failure_refund" },
            reporting_category: "refund_failure",
            available_on: work.now,
        },
    )?;
    refund.status = RefundStatus::Failed;
    refund.failure_balance_transaction = Some(transaction.id);
    refund.failure_reason = Some(if is_card { "lost_or_stolen_card" } else { "declined" }.to_owned());
    work.update(&refund)?;
    charge.refunded_minor -= refund.amount_minor;
    work.update(&charge)?;
    work.event("refund.failed", refunds::view(&refund))?;
    work.event("refund.updated", refunds::view(&refund))?;
    work.event("charge.refund.updated", refunds::view(&refund))
}
