//! `/v1/payment_methods`, also of one customer.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::banks::{BankSummary, TEST_ROUTING};
use crate::cards::CardSummary;
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::methods;
use crate::objects::{Customer, Instrument, PaymentMethod};
use crate::work::Work;

/// Reads one payment method.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(&work.get(id, "payment_method")?))
}

/// Changes metadata.
pub(crate) fn update(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut method: PaymentMethod = work.get(id, "payment_method")?;
    method.metadata.extend(form.take_metadata("metadata")?);
    work.update(&method)?;
    work.event("payment_method.updated", view(&method))?;
    Reply::ok(view(&method))
}

/// Lists the methods that a customer keeps.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let customer = form.take("customer")?.ok_or_else(|| ApiError::missing_parameter("customer"))?;
    list_of(work, &customer, form, "/v1/payment_methods")
}

/// Lists the methods that the customer in the path keeps.
pub(crate) fn list_of_customer(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    list_of(work, id, form, &format!("/v1/customers/{id}/payment_methods"))
}

fn list_of(work: &Work<'_>, customer: &str, form: &mut Form, url: &str) -> Result<Reply, Failure> {
    work.get::<Customer>(customer, "customer")?;
    let mut query = listing::page_query(form)?;
    query.equal.push(("customer", vec![customer.to_owned()]));
    listing::filter(&mut query, form, "type", "type")?;
    listing::answer(work, &query, url, view)
}

/// Gives a method to a customer.
pub(crate) fn attach(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut method = methods::of_id(work, id, "payment_method")?;
    methods::attach(work, &mut method, &form.require("customer")?)?;
    Reply::ok(view(&method))
}

/// Takes a method off its customer.
pub(crate) fn detach(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let mut method: PaymentMethod = work.get(id, "payment_method")?;
    methods::detach(work, &mut method)?;
    Reply::ok(view(&method))
}

/// A payment method as callers see it.
pub(crate) fn view(method: &PaymentMethod) -> Value {
    let (kind, details) = match &method.instrument {
        Instrument::Card(card) => ("card", card_view(card)),
        Instrument::UsBankAccount(bank) => ("us_bank_account", us_bank_view(bank)),
        Instrument::SepaDebit(bank) => ("sepa_debit", sepa_view(bank)),
    };
    json!({
        "id": method.id,
        "object": "payment_method",
        "allow_redisplay": if method.customer.is_some() { "always" } else { "unspecified" },
        "billing_details": billing_details(method.instrument.name(), method.payer_email.as_deref()),
        "created": method.created,
        "customer": method.customer,
        kind: details,
        "livemode": false,
        "metadata": method.metadata,
        "type": kind,
    })
}

/// Whom a method is billed to.
pub(crate) fn billing_details(name: Option<&str>, email: Option<&str>) -> Value {
    json!({
        "address": { "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null },
        "email": email,
        "name": name,
        "phone": null,
        "tax_id": null,
    })
}

fn card_view(card: &CardSummary) -> Value {
    json!({
        "brand": card.brand,
        "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
        "country": "US",
        "display_brand": card.brand,
        "exp_month": card.exp_month,
        "exp_year": card.exp_year,
        "fingerprint": card.token,
        "funding": card.funding,
        "generated_from": null,
        "last4": card.last4,
        "networks": { "available": [card.brand], "preferred": null },
        "regulated_status": "unregulated",
        "three_d_secure_usage": { "supported": true },
        "wallet": null,
    })
}

fn us_bank_view(bank: &BankSummary) -> Value {
    json!({
        "account_holder_type": bank.holder_type,
        "account_type": bank.account_type,
        "bank_name": bank.bank_name,
        "financial_connections_account": null,
        "fingerprint": bank.token,
        "last4": bank.last4,
        "networks": { "preferred": "ach", "supported": ["ach"] },
        "routing_number": TEST_ROUTING,
        "status_details": {},
    })
}

fn sepa_view(bank: &BankSummary) -> Value {
    json!({
        "bank_code": "19043",
        "branch_code": "",
        "country": bank.country,
        "fingerprint": bank.token,
        "generated_from": { "charge": null, "setup_attempt": null },
        "last4": bank.last4,
    })
}
