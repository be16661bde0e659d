//! Charges of what Stripe keeps for a payer: the stored body, the call, and what becomes of it. A decline comes as an
//! error with the payment in it, and is an answer.

use super::checkout::{Body, DESCRIPTION_CHARACTERS, cut, statement_suffix};
use super::{currency, wire};
use crate::{CannotCharge, SavedCharge, StoredCall};
use billing::payment::Method;

/// Where payments without a page are made.
pub(super) const ROUTE: &str = "POST /v1/payment_intents";
pub(super) const PATH: &str = "/v1/payment_intents";

/// The call that charges. Its bytes depend on the request alone.
pub(super) fn charge(request: &SavedCharge) -> Result<StoredCall, CannotCharge> {
    let amount = currency::charge_to_wire(request.method, request.charge)?.to_string();
    let mut body = Body::default();
    body.add("amount", &amount);
    body.add("currency", &request.charge.currency().code().to_ascii_lowercase());
    body.add("customer", &request.customer);
    body.add("payment_method", &request.payment_method_id);
    body.add("payment_method_types[0]", request.method.as_str());
    body.add("mandate", request.mandate_id.as_deref().unwrap_or_default());
    body.add("confirm", "true");
    match &request.return_url {
        Some(return_url) => body.add("return_url", return_url),
        None => body.add("off_session", "true"),
    }
    // A bank that wants to see the payer is a step on the way, not a refusal.
    body.add("error_on_requires_action", "false");
    body.add("description", &cut(&request.description, DESCRIPTION_CHARACTERS));
    if request.method == Method::Card {
        let suffix = statement_suffix(request.statement_suffix.as_deref().unwrap_or_default());
        body.add("statement_descriptor_suffix", &suffix);
    }
    let marks = (request.attempt, request.payment, request.merchant, request.invoice);
    body.add_marks("metadata", marks, &request.invoice_number, request.surcharge_minor);
    body.add("expand[]", wire::EXPAND_INTENT);
    Ok(StoredCall { route: ROUTE.to_owned(), body: body.encode() })
}
