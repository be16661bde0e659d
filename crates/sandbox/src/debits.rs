//! Bank debits: accepted at once, decided days later, sometimes taken back after that.
//!
//! A debit that was accepted is `processing` and moves no money of the books. Success books it once; a failure books nothing; what a bank takes
//! back after success is a dispute that was lost before anybody could speak, and is booked by `disputing`.

use crate::agenda::{self, Appointment};
use crate::api::{charges, payment_intents};
use crate::banks::{self, AccountBehaviour};
use crate::books::{self, CaptureOverride};
use crate::calendar::{DAY_SECONDS, business_days_after};
use crate::charging::{self, Tried};
use crate::error::{ApiError, Failure};
use crate::objects::{Charge, ChargeStatus, Instrument, Intent, IntentStatus, PaymentError};
use crate::returns;
use crate::work::Work;
use crate::{checkout, disputing, mandates};

/// On which business day a debit succeeds.
const SETTLES_ON_DAY: u32 = 4;
/// On which business day one fails, unless its account says otherwise.
const FAILS_ON_DAY: u32 = 2;
const SOON_SECONDS: i64 = 3 * 60;
/// How long after it was accepted a debit can still be stopped: then it goes to the bank.
const STOPPABLE_SECONDS: i64 = 60 * 60;

/// Accepts a debit: the charge is pending and the intent processing until its day comes.
pub(crate) fn start(work: &Work<'_>, intent: &mut Intent) -> Result<Tried, Failure> {
    let bank = intent.instrument.as_ref().and_then(Instrument::bank);
    let behaviour = bank
        .and_then(|bank| banks::behaviour(&bank.token))
        .ok_or_else(|| anyhow::anyhow!("{} has no test account to debit", intent.id))?;
    let mut charge = charging::new_charge(work, intent, intent.amount_minor, intent.currency.clone())?;
    charge.status = ChargeStatus::Pending;
    charge.mandate = intent.mandate.clone();
    charge.debit_at = Some(business_days_after(work.now, 1));
    work.insert(&charge)?;
    intent.status = IntentStatus::Processing;
    intent.latest_charge = Some(charge.id.clone());
    intent.last_error = None;
    intent.verification = None;
    work.update(intent)?;
    work.event("charge.pending", charges::view(&charge))?;
    work.event("payment_intent.processing", payment_intents::view(work, intent))?;
    let settles_at = business_days_after(work.now, SETTLES_ON_DAY);
    let (due_at, what) = match behaviour {
        AccountBehaviour::Stuck => return Ok(Tried::Processing),
        AccountBehaviour::Succeed
        | AccountBehaviour::ReturnAfter { .. }
        | AccountBehaviour::FailRefund { .. } => (settles_at, Appointment::SettleDebit),
        AccountBehaviour::SucceedSoon => (work.now + SOON_SECONDS, Appointment::SettleDebit),
        AccountBehaviour::FailSoon { code } => (work.now + SOON_SECONDS, Appointment::FailDebit { code }),
        AccountBehaviour::FailBefore { code, days } => {
            let due_at = match days {
                Some(days) => work.now + i64::from(days) * DAY_SECONDS,
                None => business_days_after(work.now, FAILS_ON_DAY),
            };
            (due_at, Appointment::FailDebit { code })
        }
    };
    agenda::put(work, due_at, &what, &intent.id)?;
    Ok(Tried::Processing)
}

/// The intent and its pending charge, unless something else has decided the debit.
fn under_way(work: &Work<'_>, intent_id: &str) -> Result<Option<(Intent, Charge)>, Failure> {
    let intent: Intent = work.own(intent_id)?;
    let (IntentStatus::Processing, Some(charge_id)) = (intent.status, &intent.latest_charge) else {
        return Ok(None);
    };
    let charge: Charge = work.own(charge_id)?;
    Ok((charge.status == ChargeStatus::Pending).then_some((intent, charge)))
}

/// The debit succeeds: the money is booked and the session paid.
pub(crate) fn settle(work: &Work<'_>, intent_id: &str) -> Result<(), Failure> {
    let Some((mut intent, mut charge)) = under_way(work, intent_id)? else { return Ok(()) };
    let asked = CaptureOverride { amount_minor: intent.amount_minor, currency: intent.currency.clone() };
    let taken = match &intent.session {
        Some(session_id) => books::take_capture_override(work, session_id)?.unwrap_or(asked),
        None => asked,
    };
    charge.status = ChargeStatus::Succeeded;
    charge.amount_minor = taken.amount_minor;
    charge.currency.clone_from(&taken.currency);
    books::book_charge(work, &mut charge)?;
    work.update(&charge)?;
    intent.status = IntentStatus::Succeeded;
    intent.amount_received_minor = taken.amount_minor;
    intent.currency = taken.currency;
    work.update(&intent)?;
    work.event("charge.succeeded", charges::view(&charge))?;
    work.event("payment_intent.succeeded", payment_intents::view(work, &intent))?;
    checkout::decide(work, &intent, true)?;
    let token = charge.instrument.token();
    if let Some(AccountBehaviour::ReturnAfter { code, days }) = banks::behaviour(token) {
        let due_at = work.now + i64::from(days) * DAY_SECONDS;
        agenda::put(work, due_at, &Appointment::ReturnDebit { code }, &charge.id)?;
    }
    Ok(())
}

/// The debit fails before any money moved.
pub(crate) fn fail(work: &Work<'_>, intent_id: &str, code: &str) -> Result<(), Failure> {
    let Some((mut intent, mut charge)) = under_way(work, intent_id)? else { return Ok(()) };
    let names = returns::names(code);
    let error = PaymentError {
        code: names.failure_code.to_owned(),
        decline_code: Some(names.decline_code.to_owned()),
        network_code: returns::exists(code).then(|| code.to_owned()),
        message: names.message.to_owned(),
        charge: Some(charge.id.clone()),
    };
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(error.clone());
    work.update(&charge)?;
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.last_error = Some(error);
    work.update(&intent)?;
    if names.ends_mandate {
        mandates::end_all_of(work, &charge.payment_method)?;
    }
    work.event("charge.failed", charges::view(&charge))?;
    work.event("payment_intent.payment_failed", payment_intents::view(work, &intent))?;
    checkout::decide(work, &intent, false)
}

/// The payer's bank takes back a debit that had succeeded.
pub(crate) fn take_back(work: &Work<'_>, charge_id: &str, code: &str) -> Result<(), Failure> {
    let charge: Charge = work.own(charge_id)?;
    if charge.status != ChargeStatus::Succeeded || charge.is_disputed {
        return Ok(());
    }
    let names = returns::names(code);
    if names.ends_mandate {
        mandates::end_all_of(work, &charge.payment_method)?;
    }
    disputing::return_debit(work, charge, names.dispute_reason)
}

/// Stops a debit that has not gone to the bank yet.
pub(crate) fn stop(work: &Work<'_>, intent: &mut Intent) -> Result<(), Failure> {
    let found = under_way(work, &intent.id)?;
    let Some((_, mut charge)) = found.filter(|(_, charge)| work.now < charge.created + STOPPABLE_SECONDS)
    else {
        let message =
            "You cannot cancel this PaymentIntent because its debit has already been sent to the bank.";
        return Err(charging::unexpected_state(work, intent, message));
    };
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(PaymentError {
        code: "payment_intent_canceled".to_owned(),
        decline_code: None,
        network_code: None,
        message: "The payment was canceled before it was sent to the bank.".to_owned(),
        charge: Some(charge.id.clone()),
    });
    work.update(&charge)?;
    work.event("charge.failed", charges::view(&charge))
}

/// A debit that the control API ends now, whatever its account says.
pub(crate) fn end_now(work: &Work<'_>, intent_id: &str, code: Option<&str>) -> Result<(), Failure> {
    let intent: Intent = work.get(intent_id, "payment_intent")?;
    if under_way(work, &intent.id)?.is_none() {
        return Err(ApiError::invalid("This PaymentIntent has no debit under way.").into());
    }
    match code {
        None => settle(work, intent_id),
        Some(code) if returns::exists(code) => fail(work, intent_id, code),
        Some(code) => Err(ApiError::invalid(format!("Neither NACHA nor SEPA have a code {code}.")).into()),
    }
}
