//! Mandates.
//!
//! Source: <https://docs.stripe.com/api/mandates>.

use super::{facts, wire};
use crate::{CallError, MandateFacts, MandateState};

pub(super) fn mandate(found: wire::Mandate, live: bool) -> Result<MandateFacts, CallError> {
    if found.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let acceptance = found.customer_acceptance.as_ref();
    let online = acceptance.and_then(|acceptance| acceptance.online.as_ref());
    let sepa = found.payment_method_details.as_ref().and_then(|details| details.sepa_debit.as_ref());
    Ok(MandateFacts {
        state: match found.status.as_str() {
            "active" => MandateState::Active,
            "inactive" => MandateState::Inactive,
            "pending" => MandateState::Pending,
            _ => MandateState::Unknown,
        },
        payment_method_id: found.payment_method.as_ref().map(|method| method.id().to_owned()),
        is_reusable: found.kind == "multi_use",
        accepted_at: acceptance.and_then(|it| it.accepted_at).map(facts::instant).transpose()?,
        accepted_from: online.and_then(|online| online.ip_address.clone()),
        user_agent: online.and_then(|online| online.user_agent.clone()),
        reference: sepa.and_then(|sepa| sepa.reference.clone()).filter(|it| !it.is_empty()),
        url: sepa.and_then(|sepa| sepa.url.clone()).filter(|it| !it.is_empty()),
        id: found.id,
        live,
    })
}
