//! `/v1/payouts`.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::currency;
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::ids;
use crate::objects::{Payout, PayoutStatus};
use crate::paying_out::{self, NewPayout};
use crate::work::Work;

/// Pays out by hand; such a payout lists no items.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let amount_minor = form.take_integer("amount")?.ok_or_else(|| ApiError::missing_parameter("amount"))?;
    if amount_minor < 1 {
        let error = ApiError::invalid("Invalid positive integer").code("parameter_invalid_integer");
        return Err(error.param("amount").into());
    }
    let code = currency::parse(&form.require("currency")?)?;
    form.take_choice("method", &["standard"])?;
    let (available, _) = paying_out::balances(work)?.get(&code).copied().unwrap_or_default();
    if amount_minor > available {
        let message = "You have insufficient funds in your practice account for this transfer. It takes two days for charges to become available.";
        return Err(ApiError::state(Some("balance_insufficient"), message).into());
    }
    let payout = paying_out::make(
        work,
        NewPayout {
            amount_minor,
            currency: code,
            converted_from: None,
            is_automatic: false,
            description: form.take_short("description", 1_000)?,
            statement_descriptor: form.take_short("statement_descriptor", 22)?,
            metadata: form.take_metadata("metadata")?,
        },
    )?;
    Reply::ok(view(&payout))
}

/// Reads one payout.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "payout")?))
}

/// Lists payouts, newest first.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "status", "status")?;
    listing::answer(work, &query, "/v1/payouts", view)
}

/// A payout as callers see it.
pub(crate) fn view(payout: &Payout) -> Value {
    let failure_message = payout.failure_code.as_ref().map(|code| match code.as_str() {
        "account_closed" => "The bank account has been closed.",
        "no_account" => "The bank account could not be found.",
        "insufficient_funds" => "The bank account did not have enough money for a payout below zero.",
        _ => "The bank could not process this payout.",
    });
    let reconciliation_status = match (payout.is_automatic, payout.status) {
        (false, _) => "not_applicable",
        (true, PayoutStatus::InTransit) => "in_progress",
        (true, PayoutStatus::Paid | PayoutStatus::Failed) => "completed",
    };
    json!({
        "id": payout.id,
        "object": "payout",
        "amount": payout.amount_minor,
        "application_fee": null,
        "application_fee_amount": null,
        "arrival_date": payout.arrival_date,
        "automatic": payout.is_automatic,
        "balance_transaction": payout.balance_transaction,
        "created": payout.created,
        "currency": payout.currency,
        "description": payout.description.as_deref().unwrap_or("STRIPE PAYOUT"),
        "destination": format!("ba_{}", ids::code(0, "ba_", 0, 24)),
        "failure_balance_transaction": payout.failure_balance_transaction,
        "failure_code": payout.failure_code,
        "failure_message": failure_message,
        "livemode": false,
        "metadata": payout.metadata,
        "method": "standard",
        "original_payout": null,
        "payout_method": null,
        "reconciliation_status": reconciliation_status,
        "reversed_by": null,
        "source_type": "card",
        "statement_descriptor": payout.statement_descriptor,
        "status": payout.status.word(),
        "trace_id": null,
        "type": "bank_account",
    })
}
