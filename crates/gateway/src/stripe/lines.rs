//! Lines of Stripe's books.
//!
//! Source: <https://docs.stripe.com/reports/balance-transaction-types> and
//! <https://docs.stripe.com/reports/reporting-categories>.

use super::{currency, facts, wire};
use crate::{BalanceLine, CallError, LineKind};
use serde_json::Value;

/// One line. One that cannot be read is an error: books with a line missing prove nothing.
pub(super) fn line(found: &wire::BalanceTransaction) -> Result<BalanceLine, CallError> {
    let money = |amount| {
        currency::from_wire(amount, &found.currency)
            .ok_or_else(|| CallError::Unreadable(format!("{}: {amount} {:?}", found.id, found.currency)))
    };
    let created = found.created.ok_or_else(|| CallError::Unreadable(format!("{} has no time", found.id)))?;
    let (source_id, payment_intent_id) = source(&found.source);
    let rate = Some(&found.exchange_rate).filter(|rate| rate.is_number()).map(Value::to_string);
    Ok(BalanceLine {
        id: found.id.clone(),
        kind: kind(&found.kind, &found.reporting_category),
        word: found.kind.clone(),
        amount: money(found.amount)?,
        fee: money(found.fee)?,
        net: money(found.net)?,
        source_id,
        payment_intent_id,
        created_at: facts::instant(created)?,
        available_at: found.available_on.map(facts::instant).transpose()?,
        exchange_rate: rate,
    })
}

/// The lines of a refund, a dispute, a payout: the oldest first.
pub(super) fn lines(found: &[wire::BalanceTransaction]) -> Result<Vec<BalanceLine>, CallError> {
    let mut lines = found.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    lines.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Ok(lines)
}

/// The type leads; where it says no more than that something was adjusted, the category says what.
fn kind(word: &str, category: &str) -> LineKind {
    match word {
        "charge" | "payment" => LineKind::Charge,
        "refund" | "payment_refund" => LineKind::Refund,
        "payment_failure_refund" => LineKind::ChargeFailure,
        "refund_failure" => LineKind::RefundFailure,
        "payout" => LineKind::Payout,
        "payout_cancel" | "payout_failure" => LineKind::PayoutReversal,
        "stripe_fee" | "application_fee" | "tax_fee" => LineKind::Fee,
        _ => match category {
            "charge" => LineKind::Charge,
            "charge_failure" => LineKind::ChargeFailure,
            "refund" => LineKind::Refund,
            "refund_failure" => LineKind::RefundFailure,
            "dispute" => LineKind::Dispute,
            "dispute_reversal" => LineKind::DisputeReversal,
            "payout" => LineKind::Payout,
            "payout_reversal" => LineKind::PayoutReversal,
            "fee" => LineKind::Fee,
            _ => LineKind::Other,
        },
    }
}

/// The object behind a line and the payment behind that. A text is the id alone.
fn source(source: &Value) -> (Option<String>, Option<String>) {
    if let Some(id) = source.as_str() {
        return (Some(id.to_owned()), None);
    }
    let text = |name: &str| {
        let value = source.get(name)?;
        value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned)
    };
    (text("id"), text("payment_intent"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_kind() {
        for (word, category, expected) in [
            ("charge", "charge", LineKind::Charge),
            ("payment", "charge", LineKind::Charge),
            ("refund", "refund", LineKind::Refund),
            ("payment_refund", "refund", LineKind::Refund),
            ("refund_failure", "refund_failure", LineKind::RefundFailure),
            ("payment_failure_refund", "charge_failure", LineKind::ChargeFailure),
            ("adjustment", "charge_failure", LineKind::ChargeFailure),
            ("adjustment", "dispute", LineKind::Dispute),
            ("adjustment", "dispute_reversal", LineKind::DisputeReversal),
            ("adjustment", "other_adjustment", LineKind::Other),
            ("payout", "payout", LineKind::Payout),
            ("payout_failure", "payout_reversal", LineKind::PayoutReversal),
            ("payout_cancel", "payout_reversal", LineKind::PayoutReversal),
            ("stripe_fee", "fee", LineKind::Fee),
            ("a_word_of_next_year", "", LineKind::Other),
        ] {
            assert_eq!(kind(word, category), expected, "{word} {category}");
        }
    }
}
