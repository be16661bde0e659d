//! `/v1/payment_intents`: charging a card or a bank account without a hosted page, and reading what a hosted page did.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::charging::{self, Manner, NewIntent, Tried};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::mandates::Acceptance;
use crate::methods;
use crate::objects::{
    Customer, Instrument, Intent, IntentData, IntentStatus, PaymentError, Session, SessionStatus,
};
use crate::verifying::{self, Proof};
use crate::work::Work;
use crate::{currency, store};

/// Makes a payment intent, and tries it when `confirm` is true.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let amount_minor = form.take_integer("amount")?.ok_or_else(|| ApiError::missing_parameter("amount"))?;
    let code = currency::parse(&form.require("currency")?)?;
    currency::check_amount(&code, amount_minor, "amount")?;
    let customer = form.take("customer")?;
    if let Some(id) = &customer {
        work.get::<Customer>(id, "customer")?;
    }
    form.take_choice("capture_method", &["automatic", "automatic_async"])?;
    form.take_choice("confirmation_method", &["automatic"])?;
    let types = form.take_list("payment_method_types");
    check_types(&types, &code)?;
    let is_automatic_methods = form.take_bool("automatic_payment_methods[enabled]")?.unwrap_or(false);
    form.take_choice("automatic_payment_methods[allow_redirects]", &["always", "never"])?;
    let mut data = take_data(form, "")?;
    take_method_options(form, &mut data)?;
    let new = NewIntent {
        amount_minor,
        currency: code,
        customer,
        data,
        payment_method_types: if types.is_empty() { vec!["card".to_owned()] } else { types },
        session: None,
        is_automatic_methods,
    };
    let is_confirmed = form.take_bool("confirm")?.unwrap_or(false);
    let mut intent = charging::create_intent(work, new)?;
    if is_confirmed {
        return try_with(work, &mut intent, form);
    }
    if let Some(token) = form.take("payment_method")? {
        let method = methods::of_id(work, &token, "payment_method")?;
        methods::check_customer(&method, intent.customer.as_deref())?;
        intent.payment_method = Some(method.id);
        intent.instrument = Some(method.instrument);
        intent.status = IntentStatus::RequiresConfirmation;
        work.update(&intent)?;
    }
    Reply::ok(view(work, &intent))
}

/// Tries an intent.
pub(crate) fn confirm(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    refuse_of_session(work, &intent)?;
    try_with(work, &mut intent, form)
}

/// Cancels an intent.
pub(crate) fn cancel(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    refuse_of_session(work, &intent)?;
    let reason = form.take_choice(
        "cancellation_reason",
        &["duplicate", "fraudulent", "requested_by_customer", "abandoned"],
    )?;
    charging::cancel(work, &mut intent, reason.as_deref())?;
    Reply::ok(view(work, &intent))
}

/// Reads one intent.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let intent: Intent = work.get(id, "intent")?;
    if let Some(secret) = form.take("client_secret")?.filter(|secret| *secret != intent.client_secret) {
        return Err(ApiError::invalid(format!("The client_secret provided does not match: {secret}"))
            .param("client_secret")
            .into());
    }
    Reply::ok(view(work, &intent))
}

/// Lists intents, newest first.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query: store::PageQuery = listing::page_query(form)?;
    listing::filter(&mut query, form, "customer", "customer")?;
    listing::answer(work, &query, "/v1/payment_intents", |intent| view(work, intent))
}

/// Answers a verification by micro-deposits.
pub(crate) fn verify_microdeposits(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    let proof = take_proof(form)?;
    match verifying::answer(work, &mut intent, &proof)? {
        Ok(()) => Reply::ok(view(work, &intent)),
        // A wrong answer is a try, and is kept.
        Err(error) => Ok(Reply { status: error.status, body: error.body() }),
    }
}

pub(super) fn take_proof(form: &mut Form) -> Result<Proof, Failure> {
    let amounts = form.take_list("amounts");
    match (amounts.as_slice(), form.take_short("descriptor_code", 20)?) {
        ([], Some(code)) => Ok(Proof::DescriptorCode(code)),
        ([first, second], None) => match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Proof::Amounts(first, second)),
            _ => Err(ApiError::invalid("Invalid integer")
                .code("parameter_invalid_integer")
                .param("amounts")
                .into()),
        },
        _ => {
            let message = "Provide two amounts, or the descriptor code.";
            Err(ApiError::invalid(message)
                .code("payment_method_microdeposit_verification_amounts_invalid")
                .into())
        }
    }
}

/// Refuses types that are unknown or go with another currency.
pub(super) fn check_types(types: &[String], currency: &str) -> Result<(), ApiError> {
    for kind in types {
        let message = match (kind.as_str(), currency) {
            ("card", _) | ("us_bank_account", "usd") | ("sepa_debit", "eur") => continue,
            ("us_bank_account" | "sepa_debit", _) => {
                format!("The currency provided ({currency}) is invalid for the payment method type {kind}.")
            }
            _ => format!(
                "The payment method type provided: {kind} is invalid. The practice processor takes card, us_bank_account and sepa_debit."
            ),
        };
        return Err(ApiError::invalid(message).param("payment_method_types"));
    }
    Ok(())
}

/// Reads `payment_method_options`, as far as the practice processor heeds them.
pub(super) fn take_method_options(form: &mut Form, data: &mut IntentData) -> Result<(), ApiError> {
    form.take_choice(
        "payment_method_options[card][request_three_d_secure]",
        &["automatic", "any", "challenge"],
    )?;
    data.verification_method = form.take_choice(
        "payment_method_options[us_bank_account][verification_method]",
        &["automatic", "instant", "microdeposits"],
    )?;
    Ok(())
}

/// What was said of each type, as callers see it.
pub(super) fn method_options_view(types: &[String], data: &IntentData) -> Value {
    let mut options = serde_json::Map::new();
    for kind in types {
        let value = match kind.as_str() {
            "card" => json!({ "request_three_d_secure": "automatic" }),
            "us_bank_account" => json!({
                "verification_method": data.verification_method.as_deref().unwrap_or("automatic"),
            }),
            _ => json!({}),
        };
        options.insert(kind.clone(), value);
    }
    Value::Object(options)
}

/// Reads what a charge carries: description, statement text, receipt address, metadata. `prefix` is empty or a parameter's name.
pub(super) fn take_data(form: &mut Form, prefix: &str) -> Result<IntentData, ApiError> {
    let name =
        |member: &str| if prefix.is_empty() { member.to_owned() } else { format!("{prefix}[{member}]") };
    Ok(IntentData {
        description: form.take_short(&name("description"), 1_000)?,
        statement_descriptor: form.take_short(&name("statement_descriptor"), 22)?,
        statement_descriptor_suffix: form.take_short(&name("statement_descriptor_suffix"), 22)?,
        receipt_email: form.take_short(&name("receipt_email"), 512)?,
        metadata: form.take_metadata(&name("metadata"))?,
        setup_future_usage: form.take_choice(&name("setup_future_usage"), &["on_session", "off_session"])?,
        verification_method: None,
    })
}

/// While its page is open an intent is Checkout's own.
fn refuse_of_session(work: &Work<'_>, intent: &Intent) -> Result<(), Failure> {
    let Some(session_id) = &intent.session else { return Ok(()) };
    if work.own::<Session>(session_id)?.status == SessionStatus::Complete {
        return Ok(());
    }
    let message = "You cannot perform this action on PaymentIntents created by Checkout. Expire the Checkout Session instead.";
    Err(ApiError::state(None, message).into())
}

fn try_with(work: &Work<'_>, intent: &mut Intent, form: &mut Form) -> Result<Reply, Failure> {
    let is_off_session = form.take_bool("off_session")?.unwrap_or(false);
    let must_not_ask = form.take_bool("error_on_requires_action")?.unwrap_or(false);
    if let Some(address) = form.take("return_url")? {
        intent.return_url = Some(address);
    }
    let method_id = form.take("payment_method")?.or_else(|| intent.payment_method.clone());
    let Some(method_id) = method_id else {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method. \
                       Update the PaymentIntent with a payment method and then confirm it again.";
        return Err(charging::unexpected_state(work, intent, message));
    };
    let method = methods::of_id(work, &method_id, "payment_method")?;
    methods::check_customer(&method, intent.customer.as_deref())?;
    let manner = Manner {
        is_off_session: is_off_session || must_not_ask,
        is_slow: false,
        acceptance: take_acceptance(form)?,
        mandate: form.take("mandate")?,
    };
    match charging::try_method(work, intent, &method, &manner)? {
        Tried::Declined => Ok(Reply { status: 402, body: charging::card_error(work, intent).body() }),
        Tried::Succeeded | Tried::NeedsAction | Tried::NeedsVerification | Tried::Processing => {
            Reply::ok(view(work, intent))
        }
    }
}

/// Reads `mandate_data`: where the payer agreed to a debit.
pub(super) fn take_acceptance(form: &mut Form) -> Result<Option<Acceptance>, Failure> {
    let base = "mandate_data[customer_acceptance]";
    let Some(kind) = form.take_choice(&format!("{base}[type]"), &["online", "offline"])? else {
        return Ok(None);
    };
    let accepted_at = form.take_integer(&format!("{base}[accepted_at]"))?;
    if kind == "offline" {
        return Ok(Some(Acceptance { accepted_at, ..Acceptance::default() }));
    }
    Ok(Some(Acceptance {
        accepted_at,
        ip_address: Some(form.require(&format!("{base}[online][ip_address]"))?),
        user_agent: Some(form.require(&format!("{base}[online][user_agent]"))?),
    }))
}

/// A payment intent as callers see it.
pub(crate) fn view(work: &Work<'_>, intent: &Intent) -> Value {
    json!({
        "id": intent.id,
        "object": "payment_intent",
        "amount": intent.amount_minor,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": intent.amount_received_minor,
        "application": null,
        "application_fee_amount": null,
        "automatic_payment_methods": if intent.is_automatic_methods { json!({ "enabled": true }) } else { Value::Null },
        "canceled_at": intent.canceled_at,
        "cancellation_reason": intent.cancellation_reason,
        "capture_method": "automatic",
        "client_secret": intent.client_secret,
        "confirmation_method": "automatic",
        "created": intent.created,
        "currency": intent.currency,
        "customer": intent.customer,
        "description": intent.data.description,
        "last_payment_error": intent.last_error.as_ref().map(|error| error_view(intent, error)),
        "latest_charge": intent.latest_charge,
        "livemode": false,
        "metadata": intent.data.metadata,
        "next_action": next_action(work, intent),
        "on_behalf_of": null,
        // A wrong answer to the deposits leaves the account where it is.
        "payment_method": if intent.last_error.is_some() && intent.verification.is_none() { None } else { intent.payment_method.as_deref() },
        "payment_method_configuration_details": null,
        "payment_method_options": method_options_view(&intent.payment_method_types, &intent.data),
        "payment_method_types": intent.payment_method_types,
        "processing": processing(intent),
        "receipt_email": intent.data.receipt_email,
        "review": null,
        "setup_future_usage": intent.data.setup_future_usage,
        "shipping": null,
        "source": null,
        "statement_descriptor": intent.data.statement_descriptor,
        "statement_descriptor_suffix": intent.data.statement_descriptor_suffix,
        "status": intent.status.word(),
        "transfer_data": null,
        "transfer_group": null,
    })
}

fn processing(intent: &Intent) -> Value {
    match intent.status {
        IntentStatus::Processing => {
            json!({ "type": intent.instrument.as_ref().map_or("card", Instrument::kind) })
        }
        _ => Value::Null,
    }
}

fn next_action(work: &Work<'_>, intent: &Intent) -> Value {
    if intent.status != IntentStatus::RequiresAction {
        return Value::Null;
    }
    if let Some(verification) = &intent.verification {
        return json!({
            "type": "verify_with_microdeposits",
            "verify_with_microdeposits": {
                "arrival_date": verification.arrives_at,
                "hosted_verification_url": format!("{}/c/verify/{}", work.environment.public_url, intent.id),
                "microdeposit_type": "amounts",
            },
        });
    }
    json!({
        "type": "redirect_to_url",
        "redirect_to_url": {
            "return_url": intent.return_url,
            "url": format!("{}/c/challenge/{}", work.environment.public_url, intent.id),
        },
    })
}

fn error_view(intent: &Intent, error: &PaymentError) -> Value {
    let is_card = intent.card().is_some();
    let mut view = json!({
        "type": if is_card && error.charge.is_some() { "card_error" } else { "invalid_request_error" },
        "code": error.code,
        "doc_url": format!("https://stripe.com/docs/error-codes/{}", error.code.replace('_', "-")),
        "message": error.message,
    });
    for (name, value) in [
        ("decline_code", &error.decline_code),
        ("network_decline_code", &error.network_code),
        ("charge", &error.charge),
    ] {
        if let Some(value) = value {
            view[name] = json!(value);
        }
    }
    if let (Some(instrument), Some(id)) = (&intent.instrument, &intent.payment_method) {
        let details = match instrument {
            Instrument::Card(card) => json!({
                "brand": card.brand,
                "country": "US",
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "funding": card.funding,
                "last4": card.last4,
            }),
            Instrument::UsBankAccount(bank) | Instrument::SepaDebit(bank) => {
                json!({ "bank_name": bank.bank_name, "last4": bank.last4 })
            }
        };
        view["payment_method"] = json!({
            "id": id,
            "object": "payment_method",
            instrument.kind(): details,
            "livemode": false,
            "type": instrument.kind(),
        });
    }
    view
}
