//! `/v1/refunds`.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::{Charge, Intent, Refund};
use crate::refunding::{self, NewRefund};
use crate::work::Work;

/// Refunds a charge, or the charge of a payment intent.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let charge: Charge = match (form.take("charge")?, form.take("payment_intent")?) {
        (Some(id), None) => work.get(&id, "charge")?,
        (None, Some(id)) => {
            let intent: Intent = work.get(&id, "payment_intent")?;
            let message = "This PaymentIntent does not have a successful charge to refund.";
            let charge_id = intent.latest_charge.ok_or_else(|| ApiError::state(None, message))?;
            work.own(&charge_id)?
        }
        (None, None) => {
            let message =
                "One of the following params should be provided for this request: payment_intent or charge.";
            return Err(ApiError::invalid(message).code("parameter_missing").into());
        }
        (Some(id), Some(intent_id)) => {
            let charge: Charge = work.get(&id, "charge")?;
            if charge.payment_intent != intent_id {
                let message = "The charge is not one of the payment intent.";
                return Err(ApiError::invalid(message).param("payment_intent").into());
            }
            charge
        }
    };
    let new = NewRefund {
        amount_minor: form.take_integer("amount")?,
        reason: form.take_choice("reason", &["duplicate", "fraudulent", "requested_by_customer"])?,
        metadata: form.take_metadata("metadata")?,
    };
    Reply::ok(view(&refunding::create(work, charge, new)?))
}

/// Reads one refund.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "refund")?))
}

/// Changes a refund's metadata.
pub(crate) fn update(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut refund: Refund = work.get(id, "refund")?;
    refund.metadata.extend(form.take_metadata("metadata")?);
    work.update(&refund)?;
    work.event("refund.updated", view(&refund))?;
    Reply::ok(view(&refund))
}

/// Lists refunds, of one charge or payment intent if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "charge", "charge")?;
    listing::filter(&mut query, form, "payment_intent", "payment_intent")?;
    listing::answer(work, &query, "/v1/refunds", view)
}

/// A refund as callers see it. The members about a failure are there only when it failed.
pub(crate) fn view(refund: &Refund) -> Value {
    let mut view = json!({
        "id": refund.id,
        "object": "refund",
        "amount": refund.amount_minor,
        "balance_transaction": refund.balance_transaction,
        "charge": refund.charge,
        "created": refund.created,
        "currency": refund.currency,
        "destination_details": destination(refund),
        "metadata": refund.metadata,
        "payment_intent": refund.payment_intent,
        "reason": refund.reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": refund.status.word(),
        "transfer_reversal": null,
    });
    if let (Some(transaction), Some(reason)) = (&refund.failure_balance_transaction, &refund.failure_reason) {
        view["failure_balance_transaction"] = json!(transaction);
        view["failure_reason"] = json!(reason);
    }
    view
}

fn destination(refund: &Refund) -> Value {
    match refund.kind.as_str() {
        "card" => json!({ "card": { "type": "refund" }, "type": "card" }),
        "us_bank_account" => json!({ "type": "us_bank_transfer" }),
        kind => json!({ "type": kind }),
    }
}
