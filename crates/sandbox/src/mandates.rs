//! Mandates: given with a payment or on their own, ended by the payer, the merchant or a bank. An ended one never comes back.

use crate::api::mandates;
use crate::error::{ApiError, Failure};
use crate::ids;
use crate::objects::{Mandate, MandateStatus, PaymentMethod, SingleUse};
use crate::store;
use crate::work::Work;

/// Where a payer agreed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Acceptance {
    pub(crate) accepted_at: Option<i64>,
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
}

/// Makes a mandate for a bank account; one that may be used again unless `single_use` says for what.
pub(crate) fn give(
    work: &Work<'_>,
    method: &PaymentMethod,
    single_use: Option<SingleUse>,
    acceptance: Acceptance,
    status: MandateStatus,
) -> Result<Mandate, Failure> {
    let id = work.next_id("mandate_")?;
    let mandate = Mandate {
        reference: ids::code(work.environment.seed, &id, 0, 16).to_ascii_uppercase(),
        id,
        created: work.now,
        status,
        payment_method: method.id.clone(),
        kind: method.kind.clone(),
        single_use,
        accepted_at: acceptance.accepted_at.unwrap_or(work.now),
        ip_address: acceptance.ip_address,
        user_agent: acceptance.user_agent,
    };
    work.insert(&mandate)?;
    Ok(mandate)
}

/// The mandate on which an account may be debited again, if there is one.
pub(crate) fn reusable_of(work: &Work<'_>, payment_method: &str) -> Result<Option<Mandate>, Failure> {
    let mandates: Vec<Mandate> = store::having(work.connection, "payment_method", payment_method)?;
    Ok(mandates
        .into_iter()
        .rev()
        .find(|mandate| mandate.status == MandateStatus::Active && mandate.single_use.is_none()))
}

/// Changes what a mandate is good for, and tells of it.
pub(crate) fn turn(work: &Work<'_>, id: &str, status: MandateStatus) -> Result<(), Failure> {
    let mut mandate: Mandate = work.own(id)?;
    if mandate.status == status || mandate.status == MandateStatus::Inactive {
        return Ok(());
    }
    mandate.status = status;
    work.update(&mandate)?;
    work.event("mandate.updated", mandates::view(&mandate))
}

/// Ends every mandate of an account.
pub(crate) fn end_all_of(work: &Work<'_>, payment_method: &str) -> Result<(), Failure> {
    let mandates: Vec<Mandate> = store::having(work.connection, "payment_method", payment_method)?;
    mandates.iter().try_for_each(|mandate| turn(work, &mandate.id, MandateStatus::Inactive))
}

/// Refuses a debit on a mandate that is no longer one.
pub(crate) fn check_active(mandate: &Mandate) -> Result<(), ApiError> {
    if mandate.status == MandateStatus::Active {
        return Ok(());
    }
    let message = format!(
        "The provided mandate is invalid and cannot be used for the payment intent: {} is {}.",
        mandate.id,
        mandate.status.word()
    );
    Err(ApiError::state(Some("payment_intent_mandate_invalid"), message).param("mandate"))
}
