//! What Stripe says of bank debits: the account, the proof that it is the payer's, why a debit was not honoured, and
//! that a bank took the money back.
//!
//! Source: <https://docs.stripe.com/payments/ach-direct-debit>, <https://docs.stripe.com/payments/sepa-debit>.

use super::state::IntentStatus;
use super::{currency, facts, lines, wire};
use crate::{
    BankAccountKind, BankFacts, BankHolder, CallError, DebitFailure, ReturnFacts, VerificationFacts,
    VerificationKind, VerificationState,
};
use jiff::SignedDuration;

/// So long Stripe waits for what the payer reads from the statement.
const VERIFICATION_LIFE: SignedDuration = SignedDuration::from_hours(10 * 24);

/// The account, by whatever name of the processor's it is known.
pub(super) fn account(bank: &wire::Bank, payment_method_id: Option<&str>) -> BankFacts {
    BankFacts {
        bank_name: bank.bank_name.clone(),
        last4: bank.last4.clone().unwrap_or_default(),
        country: bank.country.clone(),
        holder: match bank.account_holder_type.as_deref() {
            Some("company") => Some(BankHolder::Business),
            Some("individual") => Some(BankHolder::Personal),
            _ => None,
        },
        account: match bank.account_type.as_deref() {
            Some("checking") => Some(BankAccountKind::Checking),
            Some("savings") => Some(BankAccountKind::Savings),
            _ => None,
        },
        fingerprint: bank.fingerprint.clone(),
        payment_method_id: payment_method_id.map(str::to_owned),
        mandate_id: bank.mandate.as_ref().map(|mandate| mandate.id().to_owned()),
    }
}

/// Why a debit was not honoured. The intent keeps the error of the last try, the charge what the bank sent.
pub(super) fn debit_failure(
    error: Option<&wire::PaymentError>,
    charge: Option<&wire::Charge>,
) -> Option<DebitFailure> {
    let of_error =
        |pick: fn(&wire::PaymentError) -> &Option<String>| error.and_then(|error| pick(error).clone());
    let of_charge = charge.and_then(|charge| charge.outcome.as_ref()?.network_decline_code.clone());
    let failure_code = charge.and_then(|charge| charge.failure_code.clone());
    let return_code = of_charge.or_else(|| of_error(|error| &error.network_decline_code));
    let code = failure_code
        .or_else(|| of_error(|error| &error.decline_code))
        .or_else(|| of_error(|error| &error.code));
    (return_code.is_some() || code.is_some()).then_some(DebitFailure { return_code, code })
}

/// How the verification stands that Stripe's answer tells of; `None` where there is none.
pub(super) fn verification(
    status: IntentStatus,
    next: Option<&wire::NextAction>,
    error_code: Option<&str>,
    created: Option<i64>,
) -> Result<Option<VerificationFacts>, CallError> {
    let steps = next.and_then(|next| next.verify_with_microdeposits.as_ref());
    let went_on = matches!(status, IntentStatus::Processing | IntentStatus::Succeeded);
    let ended = error_code.filter(|_| !went_on).and_then(ended);
    let state = match (steps, ended) {
        (Some(_), _) if status == IntentStatus::RequiresAction => VerificationState::Waiting,
        (_, Some(state)) => state,
        _ => return Ok(None),
    };
    let steps = steps.filter(|_| state == VerificationState::Waiting);
    let since = created.map(facts::instant).transpose()?;
    Ok(Some(VerificationFacts {
        state,
        kind: steps.and_then(|steps| match steps.microdeposit_type.as_deref() {
            Some("amounts") => Some(VerificationKind::Amounts),
            Some("descriptor_code") => Some(VerificationKind::Code),
            _ => None,
        }),
        url: steps.and_then(|steps| steps.hosted_verification_url.clone()),
        arrives_at: steps.and_then(|steps| steps.arrival_date).map(facts::instant).transpose()?,
        since,
        until: since.and_then(|since| since.checked_add(VERIFICATION_LIFE).ok()),
        last_try_was_wrong: error_code.is_some_and(was_wrong),
    }))
}

/// True of an error that leaves the payer another try, so that it is no end.
pub(super) fn was_wrong(code: &str) -> bool {
    matches!(
        code,
        "payment_method_microdeposit_verification_amounts_invalid"
            | "payment_method_microdeposit_verification_amounts_mismatch"
            | "payment_method_microdeposit_verification_descriptor_code_mismatch"
    )
}

fn ended(code: &str) -> Option<VerificationState> {
    match code {
        "payment_method_microdeposit_verification_attempts_exceeded" => Some(VerificationState::TooManyTries),
        "payment_method_microdeposit_verification_timeout" => Some(VerificationState::TimedOut),
        "payment_method_microdeposit_failed" => Some(VerificationState::NotDelivered),
        _ => None,
    }
}

/// The return among the disputes of a bank debit: a bank's word is final there. One that was decided for the merchant, or
/// is no more than a question, took nothing back.
pub(super) fn returned(disputes: &[wire::Dispute], live: bool) -> Result<Option<ReturnFacts>, CallError> {
    let Some(dispute) = disputes.iter().find(|dispute| took_back(&dispute.status)) else { return Ok(None) };
    if dispute.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let amount = currency::from_wire(dispute.amount, &dispute.currency).filter(|amount| amount.is_positive());
    let amount = amount.ok_or_else(|| {
        CallError::Unreadable(format!("{} took back {} {:?}", dispute.id, dispute.amount, dispute.currency))
    })?;
    let moved = dispute.balance_transactions.as_deref().unwrap_or_default();
    Ok(Some(ReturnFacts {
        dispute_id: dispute.id.clone(),
        amount,
        at: facts::instant(dispute.created)?,
        reason: dispute.reason.clone(),
        return_code: dispute.network_reason().map(str::to_owned),
        lines: lines::lines(moved)?,
    }))
}

/// True unless the dispute was decided for the merchant or took nothing yet.
pub(super) fn took_back(status: &str) -> bool {
    !(status == "won" || status == "prevented" || status.starts_with("warning_"))
}
