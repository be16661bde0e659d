//! `/v1/mandates`.

use serde_json::{Value, json};

use super::Reply;
use crate::error::Failure;
use crate::form::Form;
use crate::objects::Mandate;
use crate::work::Work;

/// Reads one mandate.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "mandate")?))
}

/// A mandate as callers see it.
pub(crate) fn view(mandate: &Mandate) -> Value {
    let acceptance = match &mandate.ip_address {
        Some(ip_address) => json!({
            "accepted_at": mandate.accepted_at,
            "online": { "ip_address": ip_address, "user_agent": mandate.user_agent },
            "type": "online",
        }),
        None => json!({ "accepted_at": mandate.accepted_at, "offline": {}, "type": "offline" }),
    };
    let details = match mandate.kind.as_str() {
        "sepa_debit" => {
            json!({ "sepa_debit": { "reference": mandate.reference, "url": "" }, "type": "sepa_debit" })
        }
        kind => json!({ kind: {}, "type": kind }),
    };
    let mut view = json!({
        "id": mandate.id,
        "object": "mandate",
        "customer_acceptance": acceptance,
        "livemode": false,
        "payment_method": mandate.payment_method,
        "payment_method_details": details,
        "status": mandate.status.word(),
        "type": if mandate.single_use.is_some() { "single_use" } else { "multi_use" },
    });
    match &mandate.single_use {
        Some(use_once) => {
            view["single_use"] = json!({ "amount": use_once.amount_minor, "currency": use_once.currency });
        }
        None => view["multi_use"] = json!({}),
    }
    view
}
