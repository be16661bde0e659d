//! Refunds: the stored body and what is read.
//!
//! Source: <https://docs.stripe.com/api/refunds>.

use super::checkout::Body;
use super::{currency, facts, lines, wire};
use crate::{CallError, CannotCharge, NewRefund, RefundFacts, RefundReason, StoredCall};
use billing::payment::Method;
use billing::refund::RefundState;

/// Where refunds are made.
pub(super) const ROUTE: &str = "POST /v1/refunds";
pub(super) const PATH: &str = "/v1/refunds";

/// The call that gives money back. Its bytes depend on the request alone.
pub(super) fn refund(request: &NewRefund) -> Result<StoredCall, CannotCharge> {
    if !request.amount.is_positive() {
        return Err(CannotCharge::NotPositive);
    }
    let currency = request.amount.currency();
    let amount =
        currency::to_wire(request.amount).ok_or(CannotCharge::Method { method: Method::Card, currency })?;
    let mut body = Body::default();
    body.add("payment_intent", &request.payment_intent_id);
    body.add("amount", &amount.to_string());
    let reason = request.reason.map(|reason| match reason {
        RefundReason::Duplicate => "duplicate",
        RefundReason::Fraudulent => "fraudulent",
        RefundReason::Requested => "requested_by_customer",
    });
    body.add("reason", reason.unwrap_or_default());
    body.add(&format!("metadata[{}]", wire::REFUND), &request.refund.to_string());
    body.add(&format!("metadata[{}]", wire::PAYMENT), &request.payment.to_string());
    body.add(&format!("metadata[{}]", wire::MERCHANT), &request.merchant.to_string());
    body.add("expand[]", wire::EXPAND_LINE);
    Ok(StoredCall { route: ROUTE.to_owned(), body: body.encode() })
}

/// What a refund says. A line that came unexpanded is not known here.
pub(super) fn facts(found: &wire::Refund) -> Result<RefundFacts, CallError> {
    let amount = currency::from_wire(found.amount, &found.currency).ok_or_else(|| {
        CallError::Unreadable(format!("{} is of {} {:?}", found.id, found.amount, found.currency))
    })?;
    let line = |expanded: &Option<wire::Expandable<wire::BalanceTransaction>>| {
        expanded.as_ref().and_then(wire::Expandable::object).map(lines::line).transpose()
    };
    let mark = found.metadata.as_ref().and_then(|metadata| metadata.get(wire::REFUND));
    Ok(RefundFacts {
        id: found.id.clone(),
        refund: mark.and_then(|mark| mark.parse().ok()),
        merchant: facts::merchant(found.metadata.as_ref()),
        payment_intent_id: found.payment_intent.as_ref().map(|intent| intent.id().to_owned()),
        charge_id: found.charge.as_ref().map(|charge| charge.id().to_owned()),
        state: state(found.status.as_deref()),
        amount,
        failure_reason: found.failure_reason.clone(),
        line: line(&found.balance_transaction)?,
        failure_line: line(&found.failure_balance_transaction)?,
        reference: reference(&found.destination_details),
        created_at: facts::instant(found.created)?,
    })
}

/// One that waits for the payer to say where to is pending: money has not moved, and has not stayed either.
fn state(word: Option<&str>) -> RefundState {
    match word {
        Some("pending" | "requires_action") => RefundState::Pending,
        Some("succeeded") => RefundState::Succeeded,
        Some("failed") => RefundState::Failed,
        Some("canceled") => RefundState::Canceled,
        _ => RefundState::Unknown,
    }
}

/// Under the name of whatever kind it went to.
fn reference(details: &serde_json::Value) -> Option<String> {
    let kind = details.get("type")?.as_str()?;
    details.get(kind)?.get("reference")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_state() {
        for (word, expected) in [
            (Some("pending"), RefundState::Pending),
            (Some("requires_action"), RefundState::Pending),
            (Some("succeeded"), RefundState::Succeeded),
            (Some("failed"), RefundState::Failed),
            (Some("canceled"), RefundState::Canceled),
            (Some("a_word_of_next_year"), RefundState::Unknown),
            (None, RefundState::Unknown),
        ] {
            assert_eq!(state(word), expected, "{word:?}");
        }
    }
}
