//! `/v1/balance_transactions`.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::{BalanceTransaction, Payout};
use crate::work::Work;

/// Reads one line of the books.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(work, &work.get(id, "id")?))
}

/// Lists the books.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "type", "type")?;
    listing::filter(&mut query, form, "source", "source")?;
    listing::filter(&mut query, form, "currency", "currency")?;
    if let Some(id) = form.take("payout")? {
        let payout: Payout = work.get(&id, "payout")?;
        if !payout.is_automatic {
            let message =
                "Balance transaction history can only be filtered on automatic transfers, not manual.";
            return Err(ApiError::invalid(message).param("payout").into());
        }
        query.equal.push(("payout", vec![id]));
    }
    listing::answer(work, &query, "/v1/balance_transactions", |transaction| view(work, transaction))
}

/// A line of the books as callers see it.
pub(crate) fn view(work: &Work<'_>, transaction: &BalanceTransaction) -> Value {
    let fee_details = if transaction.fee_minor == 0 {
        json!([])
    } else {
        json!([{
            "amount": transaction.fee_minor,
            "application": null,
            "currency": transaction.currency,
            "description": if transaction.kind == "adjustment" { "Dispute fee" } else { "Stripe processing fees" },
            "type": "stripe_fee",
        }])
    };
    json!({
        "id": transaction.id,
        "object": "balance_transaction",
        "amount": transaction.amount_minor,
        "available_on": transaction.available_on,
        "balance_type": "payments",
        "created": transaction.created,
        "currency": transaction.currency,
        "description": transaction.description,
        "exchange_rate": null,
        "fee": transaction.fee_minor,
        "fee_details": fee_details,
        "net": transaction.net_minor,
        "reporting_category": transaction.reporting_category,
        "source": transaction.source,
        "status": if transaction.available_on <= work.now { "available" } else { "pending" },
        "type": transaction.kind,
    })
}
