//! `/v1/payment_intents`: charging a card without a hosted page, and reading what a hosted page did.

use serde_json::{Value, json};

use super::{Reply, list as listing};
use crate::cards::{CardSummary, TestCard};
use crate::charging::{self, Manner, NewIntent, Tried};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::{Customer, Intent, IntentData, IntentStatus, PaymentError};
use crate::work::Work;
use crate::{currency, store};

const YEARS_A_TEST_CARD_LIVES: i64 = 10;
const SECONDS_PER_YEAR: i64 = 31_557_600;

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
    check_types(&types)?;
    let is_automatic_methods = form.take_bool("automatic_payment_methods[enabled]")?.unwrap_or(false);
    form.take_choice("automatic_payment_methods[allow_redirects]", &["always", "never"])?;
    let new = NewIntent {
        amount_minor,
        currency: code,
        customer,
        data: take_data(form, "")?,
        payment_method_types: if types.is_empty() { vec!["card".to_owned()] } else { types },
        session: None,
        setup_future_usage: form.take_choice("setup_future_usage", &["on_session", "off_session"])?,
        is_automatic_methods,
    };
    let is_confirmed = form.take_bool("confirm")?.unwrap_or(false);
    let mut intent = charging::create_intent(work, new)?;
    if is_confirmed {
        return try_with(work, &mut intent, form);
    }
    if let Some(token) = form.take("payment_method")? {
        intent.card = Some(card_of_token(work, &token)?);
        intent.payment_method = Some(work.next_id("pm_")?);
        intent.status = IntentStatus::RequiresConfirmation;
        work.update(&intent)?;
    }
    Reply::ok(view(work, &intent))
}

/// Tries an intent.
pub(crate) fn confirm(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    refuse_of_session(&intent)?;
    try_with(work, &mut intent, form)
}

/// Cancels an intent.
pub(crate) fn cancel(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut intent: Intent = work.get(id, "intent")?;
    refuse_of_session(&intent)?;
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

/// Refuses methods other than cards.
pub(super) fn check_types(types: &[String]) -> Result<(), ApiError> {
    match types.iter().find(|kind| *kind != "card") {
        Some(kind) => {
            let message = format!(
                "The payment method type provided: {kind} is invalid. The practice processor takes cards."
            );
            Err(ApiError::invalid(message).param("payment_method_types"))
        }
        None => Ok(()),
    }
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
    })
}

fn refuse_of_session(intent: &Intent) -> Result<(), ApiError> {
    if intent.session.is_none() {
        return Ok(());
    }
    let message = "You cannot perform this action on PaymentIntents created by Checkout. Expire the Checkout Session instead.";
    Err(ApiError::state(None, message))
}

fn card_of_token(work: &Work<'_>, token: &str) -> Result<CardSummary, Failure> {
    let card = TestCard::by_token(token)
        .ok_or_else(|| ApiError::missing_resource("PaymentMethod", token, "payment_method"))?;
    let exp_year = 1970 + work.now / SECONDS_PER_YEAR + YEARS_A_TEST_CARD_LIVES;
    Ok(CardSummary::of(card, 12, exp_year, None))
}

fn try_with(work: &Work<'_>, intent: &mut Intent, form: &mut Form) -> Result<Reply, Failure> {
    let is_off_session = form.take_bool("off_session")?.unwrap_or(false);
    let must_not_ask = form.take_bool("error_on_requires_action")?.unwrap_or(false);
    if let Some(address) = form.take("return_url")? {
        intent.return_url = Some(address);
    }
    let card = match form.take("payment_method")? {
        Some(token) => Some(card_of_token(work, &token)?),
        None => intent.card.clone(),
    };
    let Some(card) = card else {
        let message = "You cannot confirm this PaymentIntent because it's missing a payment method. \
                       Update the PaymentIntent with a payment method and then confirm it again.";
        return Err(charging::unexpected_state(work, intent, message));
    };
    let manner = Manner { is_off_session: is_off_session || must_not_ask, is_slow: false };
    match charging::try_card(work, intent, card, manner)? {
        Tried::Declined => Ok(Reply { status: 402, body: charging::card_error(work, intent).body() }),
        Tried::Succeeded | Tried::NeedsAction | Tried::Processing => Reply::ok(view(work, intent)),
    }
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
        "payment_method": if intent.last_error.is_some() { None } else { intent.payment_method.as_deref() },
        "payment_method_configuration_details": null,
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": intent.payment_method_types,
        "processing": if intent.status == IntentStatus::Processing { json!({ "type": "card" }) } else { Value::Null },
        "receipt_email": intent.data.receipt_email,
        "review": null,
        "setup_future_usage": intent.setup_future_usage,
        "shipping": null,
        "source": null,
        "statement_descriptor": intent.data.statement_descriptor,
        "statement_descriptor_suffix": intent.data.statement_descriptor_suffix,
        "status": intent.status.word(),
        "transfer_data": null,
        "transfer_group": null,
    })
}

fn next_action(work: &Work<'_>, intent: &Intent) -> Value {
    if intent.status != IntentStatus::RequiresAction {
        return Value::Null;
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
    let mut view = json!({
        "type": if error.charge.is_some() { "card_error" } else { "invalid_request_error" },
        "code": error.code,
        "doc_url": format!("https://stripe.com/docs/error-codes/{}", error.code.replace('_', "-")),
        "message": error.message,
    });
    if let Some(decline_code) = &error.decline_code {
        view["decline_code"] = json!(decline_code);
    }
    if let Some(charge) = &error.charge {
        view["charge"] = json!(charge);
    }
    if let (Some(card), Some(id)) = (&intent.card, &intent.payment_method) {
        view["payment_method"] = json!({
            "id": id,
            "object": "payment_method",
            "card": {
                "brand": card.brand,
                "country": "US",
                "exp_month": card.exp_month,
                "exp_year": card.exp_year,
                "funding": card.funding,
                "last4": card.last4,
            },
            "livemode": false,
            "type": "card",
        });
    }
    view
}
