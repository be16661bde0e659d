//! `/v1/setup_intents`: keeping a payment method for later.

use serde_json::{Value, json};

use super::{Reply, list as listing, payment_intents};
use crate::charging::Tried;
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::methods;
use crate::objects::{Customer, IntentData, SetupIntent, SetupStatus};
use crate::setting_up::{self, NewSetup};
use crate::work::Work;

/// Makes a setup intent, and tries it when `confirm` is true.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let customer = form.take("customer")?;
    if let Some(id) = &customer {
        work.get::<Customer>(id, "customer")?;
    }
    let types = form.take_list("payment_method_types");
    check_types(&types)?;
    form.take_bool("automatic_payment_methods[enabled]")?;
    form.take_choice("automatic_payment_methods[allow_redirects]", &["always", "never"])?;
    let mut data = IntentData::default();
    payment_intents::take_method_options(form, &mut data)?;
    let new = NewSetup {
        customer,
        description: form.take_short("description", 1_000)?,
        metadata: form.take_metadata("metadata")?,
        payment_method_types: if types.is_empty() { vec!["card".to_owned()] } else { types },
        verification_method: data.verification_method,
        usage: take_usage(form)?,
        session: None,
    };
    let is_confirmed = form.take_bool("confirm")?.unwrap_or(false);
    let mut setup = setting_up::create(work, new)?;
    if is_confirmed {
        return try_with(work, &mut setup, form);
    }
    if let Some(id) = form.take("payment_method")? {
        let method = methods::of_id(work, &id, "payment_method")?;
        methods::check_customer(&method, setup.customer.as_deref())?;
        setup.payment_method = Some(method.id);
        setup.instrument = Some(method.instrument);
        setup.status = SetupStatus::RequiresConfirmation;
        work.update(&setup)?;
    }
    Reply::ok(view(work, &setup))
}

fn take_usage(form: &mut Form) -> Result<String, ApiError> {
    let usage = form.take_choice("usage", &["on_session", "off_session"])?;
    Ok(usage.unwrap_or_else(|| "off_session".to_owned()))
}

/// Refuses unknown types; every known one can be kept, whatever the currency.
pub(super) fn check_types(types: &[String]) -> Result<(), ApiError> {
    types.iter().try_for_each(|kind| {
        let currency = if kind == "sepa_debit" { "eur" } else { "usd" };
        payment_intents::check_types(std::slice::from_ref(kind), currency)
    })
}

/// Tries a setup intent.
pub(crate) fn confirm(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut setup: SetupIntent = work.get(id, "intent")?;
    try_with(work, &mut setup, form)
}

fn try_with(work: &Work<'_>, setup: &mut SetupIntent, form: &mut Form) -> Result<Reply, Failure> {
    if let Some(address) = form.take("return_url")? {
        setup.return_url = Some(address);
    }
    let method_id = form.take("payment_method")?.or_else(|| setup.payment_method.clone());
    let method_id = method_id.ok_or_else(|| ApiError::missing_parameter("payment_method"))?;
    let method = methods::of_id(work, &method_id, "payment_method")?;
    methods::check_customer(&method, setup.customer.as_deref())?;
    let acceptance = payment_intents::take_acceptance(form)?;
    match setting_up::try_method(work, setup, &method, acceptance)? {
        Tried::Declined => {
            let (code, decline_code, message) = match &setup.last_error {
                Some(error) => (error.code.as_str(), error.decline_code.as_deref(), error.message.as_str()),
                None => ("card_declined", None, "Your card was declined."),
            };
            let error = ApiError::card(code, decline_code, message).with("setup_intent", view(work, setup));
            Ok(Reply { status: 402, body: error.body() })
        }
        _ => Reply::ok(view(work, setup)),
    }
}

/// Cancels a setup intent.
pub(crate) fn cancel(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut setup: SetupIntent = work.get(id, "intent")?;
    let reason =
        form.take_choice("cancellation_reason", &["abandoned", "requested_by_customer", "duplicate"])?;
    setting_up::cancel(work, &mut setup, reason.as_deref())?;
    Reply::ok(view(work, &setup))
}

/// Answers a verification by micro-deposits.
pub(crate) fn verify_microdeposits(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut setup: SetupIntent = work.get(id, "intent")?;
    let proof = payment_intents::take_proof(form)?;
    match setting_up::answer_verification(work, &mut setup, &proof)? {
        Ok(()) => Reply::ok(view(work, &setup)),
        // A wrong answer is a try, and is kept.
        Err(error) => Ok(Reply { status: error.status, body: error.body() }),
    }
}

/// Reads one setup intent.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let setup: SetupIntent = work.get(id, "intent")?;
    form.take("client_secret")?;
    Reply::ok(view(work, &setup))
}

/// Lists setup intents, newest first.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "customer", "customer")?;
    listing::filter(&mut query, form, "payment_method", "payment_method")?;
    listing::answer(work, &query, "/v1/setup_intents", |setup| view(work, setup))
}

/// A setup intent as callers see it.
pub(crate) fn view(work: &Work<'_>, setup: &SetupIntent) -> Value {
    let options =
        IntentData { verification_method: setup.verification_method.clone(), ..IntentData::default() };
    json!({
        "id": setup.id,
        "object": "setup_intent",
        "application": null,
        "automatic_payment_methods": null,
        "cancellation_reason": setup.cancellation_reason,
        "client_secret": setup.client_secret,
        "created": setup.created,
        "customer": setup.customer,
        "description": setup.description,
        "flow_directions": null,
        "last_setup_error": last_error(setup),
        "latest_attempt": null,
        "livemode": false,
        "mandate": setup.mandate,
        "metadata": setup.metadata,
        "next_action": next_action(work, setup),
        "on_behalf_of": null,
        "payment_method": if setup.last_error.is_some() && setup.verification.is_none() { None } else { setup.payment_method.as_deref() },
        "payment_method_configuration_details": null,
        "payment_method_options": payment_intents::method_options_view(&setup.payment_method_types, &options),
        "payment_method_types": setup.payment_method_types,
        "single_use_mandate": null,
        "status": setup.status.word(),
        "usage": setup.usage,
    })
}

fn last_error(setup: &SetupIntent) -> Value {
    let Some(error) = &setup.last_error else { return Value::Null };
    let mut view = json!({
        "type": if error.decline_code.is_some() { "card_error" } else { "invalid_request_error" },
        "code": error.code,
        "message": error.message,
    });
    if let Some(decline_code) = &error.decline_code {
        view["decline_code"] = json!(decline_code);
    }
    view
}

fn next_action(work: &Work<'_>, setup: &SetupIntent) -> Value {
    let address = |page: &str| format!("{}/c/{page}/{}", work.environment.public_url, setup.id);
    if let Some(verification) = &setup.verification {
        return json!({
            "type": "verify_with_microdeposits",
            "verify_with_microdeposits": {
                "arrival_date": verification.arrives_at,
                "hosted_verification_url": address("verify"),
                "microdeposit_type": "amounts",
            },
        });
    }
    match setup.challenge {
        Some(_) => json!({
            "type": "redirect_to_url",
            "redirect_to_url": { "return_url": setup.return_url, "url": address("challenge") },
        }),
        None => Value::Null,
    }
}
