//! Payouts.
//!
//! Source: <https://docs.stripe.com/api/payouts>.

use super::http::Transport;
use super::lists::{go_on_after, since};
use super::{currency, facts, wire};
use crate::{CallError, PayoutFacts, PayoutList, Span};
use billing::payout::PayoutState;
use serde::Deserialize as _;
use serde_json::Value;

/// Pages of a hundred that are read of one span. Payouts are daily at most in many accounts, hourly in few.
const MAX_PAGES: usize = 20;

pub(super) fn payout(found: &wire::Payout, live: bool) -> Result<PayoutFacts, CallError> {
    if found.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let unreadable = |what: String| CallError::Unreadable(format!("{} {what}", found.id));
    let amount = currency::from_wire(found.amount, &found.currency)
        .ok_or_else(|| unreadable(format!("is of {} {:?}", found.amount, found.currency)))?;
    let named = |line: &Option<wire::Expandable<wire::Named>>| line.as_ref().map(|it| it.id().to_owned());
    Ok(PayoutFacts {
        id: found.id.clone(),
        state: PayoutState::parse(&found.status)
            .ok_or_else(|| unreadable(format!("is {:?}", found.status)))?,
        amount,
        is_automatic: found.automatic,
        arrives_at: facts::instant(found.arrival_date)?,
        created_at: facts::instant(found.created)?,
        line_id: named(&found.balance_transaction),
        failure_line_id: named(&found.failure_balance_transaction),
        failure_code: found.failure_code.clone(),
        failure_message: found.failure_message.clone(),
        statement: found.statement_descriptor.clone(),
        live,
    })
}

/// The payouts of a span. Stripe lists the newest first, so of a span with too many the oldest are left.
pub(super) async fn list(transport: &Transport, span: Span) -> Result<PayoutList, CallError> {
    let mut query = since(span.from);
    query.extend(span.to.map(|to| ("created[lte]", to.as_second().to_string())));
    let mut payouts = Vec::new();
    let mut oldest_at = None;
    for _ in 0..MAX_PAGES {
        let page: wire::List<Value> = transport.get("/v1/payouts", &query).await?;
        let oldest = page.data.last();
        oldest_at = oldest.and_then(|entry| entry.get("created")?.as_i64()).or(oldest_at);
        let last_id = oldest.and_then(|entry| entry.get("id")?.as_str().map(str::to_owned));
        for entry in page.data {
            payouts.extend(listed(&entry, transport.live)?);
        }
        if !page.has_more {
            return Ok(PayoutList { payouts, rest: None });
        }
        go_on_after(&mut query, last_id.as_deref())?;
    }
    let to = oldest_at.map(facts::instant).transpose()?.filter(|to| span.to.is_none_or(|end| *to < end));
    let to = to.ok_or_else(|| CallError::Unreadable("a list of payouts that has no end".to_owned()))?;
    Ok(PayoutList { payouts, rest: Some(Span { from: span.from, to: Some(to) }) })
}

/// One payout of a list; nothing for one that cannot be read. One of the other mode says that the whole list is wrong.
fn listed(entry: &Value, live: bool) -> Result<Option<PayoutFacts>, CallError> {
    let read = wire::Payout::deserialize(entry)
        .map_err(|error| CallError::Unreadable(error.to_string()))
        .and_then(|found| payout(&found, live));
    match read {
        Ok(payout) => Ok(Some(payout)),
        Err(error @ CallError::WrongMode { .. }) => Err(error),
        Err(error) => {
            tracing::error!(id = ?entry.get("id"), %error, "a payout in the processor's list cannot be read");
            Ok(None)
        }
    }
}
