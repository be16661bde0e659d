//! `/v1/checkout/sessions`: hosted pages. One takes money once, lives 30 minutes to 24 hours, and stays open after a decline.

use serde_json::{Value, json};

use super::{Reply, customers, list as listing, payment_intents, setup_intents};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::{
    Charge, Customer, Intent, IntentStatus, LineItem, PageState, Session, SessionStatus, SetupIntent,
    SetupStatus,
};
use crate::setting_up::{self, NewSetup};
use crate::work::{Cause, Work};
use crate::{charging, currency, store};

const SHORTEST_LIFE_SECONDS: i64 = 30 * 60;
const LONGEST_LIFE_SECONDS: i64 = 24 * 60 * 60;
/// A caller's clock may be a little behind ours when it asks for exactly the shortest life.
const CLOCK_TOLERANCE_SECONDS: i64 = 60;
const MAX_LINES: usize = 100;
const MAX_URL_CHARACTERS: usize = 5_000;

/// Opens a hosted page.
pub(crate) fn create(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mode = form.require("mode")?;
    let is_setup = match mode.as_str() {
        "payment" => false,
        "setup" => true,
        _ => {
            let message =
                format!("Invalid mode: the practice processor knows `payment` and `setup`, not `{mode}`.");
            return Err(ApiError::invalid(message).param("mode").into());
        }
    };
    form.take_choice("ui_mode", &["hosted", "hosted_page"])?;
    let (line_items, code, amount_minor) = if is_setup { take_nothing(form)? } else { take_amount(form)? };
    let payment_method_types = form.take_list("payment_method_types");
    if is_setup {
        setup_intents::check_types(&payment_method_types)?;
    } else {
        payment_intents::check_types(&payment_method_types, &code)?;
    }
    let mut intent_data = payment_intents::take_data(form, "payment_intent_data")?;
    payment_intents::take_method_options(form, &mut intent_data)?;
    let (customer, customer_email) = take_customer(work, form)?;
    let mut session = Session {
        id: work.next_id_of_length("cs_test_a1", 58)?,
        created: work.now,
        expires_at: take_expiry(work, form)?,
        status: SessionStatus::Open,
        is_paid: false,
        currency: code,
        amount_minor,
        line_items,
        customer,
        customer_email,
        client_reference_id: form.take_short("client_reference_id", 200)?,
        metadata: form.take_metadata("metadata")?,
        intent_data,
        payment_method_types: if payment_method_types.is_empty() {
            vec!["card".to_owned()]
        } else {
            payment_method_types
        },
        adaptive_pricing: form.take_bool("adaptive_pricing[enabled]")?.unwrap_or(true),
        allow_promotion_codes: form.take_bool("allow_promotion_codes")?,
        automatic_tax: form.take_bool("automatic_tax[enabled]")?.unwrap_or(false),
        billing_address_collection: form.take_choice("billing_address_collection", &["auto", "required"])?,
        customer_creation: form.take_choice("customer_creation", &["always", "if_required"])?,
        locale: form.take_short("locale", 10)?,
        submit_type: form.take_choice("submit_type", &["auto", "book", "donate", "pay"])?,
        success_url: take_url(form, "success_url")?
            .ok_or_else(|| ApiError::missing_parameter("success_url"))?,
        cancel_url: take_url(form, "cancel_url")?,
        payment_intent: None,
        setup_intent: None,
        payer_name: None,
        form_token: work.next_id("tok_")?,
        page: PageState::default(),
    };
    if is_setup {
        session.setup_intent = Some(new_setup(work, form, &session)?);
    }
    work.insert(&session)?;
    Reply::ok(view(work, &session))
}

fn new_setup(work: &Work<'_>, form: &mut Form, session: &Session) -> Result<String, Failure> {
    let new = NewSetup {
        customer: session.customer.clone(),
        description: form.take_short("setup_intent_data[description]", 1_000)?,
        metadata: form.take_metadata("setup_intent_data[metadata]")?,
        payment_method_types: session.payment_method_types.clone(),
        verification_method: session.intent_data.verification_method.clone(),
        usage: "off_session".to_owned(),
        session: Some(session.id.clone()),
    };
    Ok(setting_up::create(work, new)?.id)
}

/// What a page costs that takes a payment.
fn take_amount(form: &mut Form) -> Result<(Vec<LineItem>, String, i64), Failure> {
    let (line_items, code) = take_line_items(form)?;
    let amount_minor = total(&line_items)?;
    currency::check_amount(&code, amount_minor, "line_items[0][price_data][unit_amount]").map_err(
        |error| {
            if line_items.len() == 1 { error } else { error.param("line_items") }
        },
    )?;
    Ok((line_items, code, amount_minor))
}

/// A page that keeps a payment method costs nothing.
fn take_nothing(form: &mut Form) -> Result<(Vec<LineItem>, String, i64), Failure> {
    if form.has("line_items[") {
        return Err(ApiError::invalid("You can not pass `line_items` in `setup` mode.")
            .param("line_items")
            .into());
    }
    let code = form.take("currency")?.map(|code| currency::parse(&code)).transpose()?;
    Ok((Vec::new(), code.unwrap_or_else(|| "usd".to_owned()), 0))
}

/// Reads one session.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(work, &work.get(id, "session")?))
}

/// Lists sessions, newest first.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query: store::PageQuery = listing::page_query(form)?;
    listing::filter(&mut query, form, "payment_intent", "payment_intent")?;
    listing::filter(&mut query, form, "setup_intent", "setup_intent")?;
    listing::filter(&mut query, form, "customer", "customer")?;
    if let Some(status) = form.take_choice("status", &["open", "complete", "expired"])? {
        query.equal.push(("status", vec![status]));
    }
    listing::answer(work, &query, "/v1/checkout/sessions", |session| view(work, session))
}

/// Ends an open page before its time. Refused when money was taken or is being taken.
pub(crate) fn expire(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let mut session: Session = work.get(id, "session")?;
    if session.status != SessionStatus::Open {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of {}.",
            session.status.word()
        );
        return Err(ApiError::state(None, message).into());
    }
    if is_taking_money(work, &session)? {
        let message = "This Checkout Session cannot be expired because a payment for it is being processed.";
        return Err(ApiError::state(Some("checkout_session_payment_in_progress"), message).into());
    }
    end(work, &mut session)?;
    Reply::ok(view(work, &session))
}

/// Ends every page whose time is over, each as of its own end. A page whose charge is running is left until that is decided.
pub(crate) fn expire_due(work: &Work<'_>) -> Result<(), Failure> {
    let mut over = store::ended::<Session>(work.connection, SessionStatus::Open.word(), work.now)?;
    over.sort_by_key(|session| session.expires_at);
    for mut session in over {
        if !is_taking_money(work, &session)? {
            let ended_at = ended_at(work, &session)?;
            end(&Work { now: ended_at, cause: Cause::default(), ..*work }, &mut session)?;
        }
    }
    Ok(())
}

/// When a page was over: at its end, or when the last try that outlived it was decided.
fn ended_at(work: &Work<'_>, session: &Session) -> Result<i64, Failure> {
    let intent = session.payment_intent.as_ref().map(|id| work.own::<Intent>(id)).transpose()?;
    let Some(charge_id) = intent.and_then(|intent| intent.latest_charge) else {
        return Ok(session.expires_at);
    };
    Ok(work.own::<Charge>(&charge_id)?.created.max(session.expires_at))
}

fn is_taking_money(work: &Work<'_>, session: &Session) -> Result<bool, Failure> {
    let Some(id) = &session.payment_intent else { return Ok(false) };
    Ok(matches!(work.own::<Intent>(id)?.status, IntentStatus::Processing | IntentStatus::Succeeded))
}

fn end(work: &Work<'_>, session: &mut Session) -> Result<(), Failure> {
    session.status = SessionStatus::Expired;
    session.page = PageState::default();
    work.update(session)?;
    if let Some(id) = &session.payment_intent {
        let mut intent: Intent = work.own(id)?;
        if intent.status != IntentStatus::Canceled {
            charging::cancel(work, &mut intent, Some("expired"))?;
        }
    }
    if let Some(id) = &session.setup_intent {
        let mut setup: SetupIntent = work.own(id)?;
        if !matches!(setup.status, SetupStatus::Canceled | SetupStatus::Succeeded) {
            setting_up::cancel(work, &mut setup, Some("abandoned"))?;
        }
    }
    work.event("checkout.session.expired", view(work, session))
}

fn take_line_items(form: &mut Form) -> Result<(Vec<LineItem>, String), ApiError> {
    let mut lines = Vec::new();
    let mut code: Option<String> = None;
    while form.has(&format!("line_items[{}]", lines.len())) {
        let base = format!("line_items[{}]", lines.len());
        if lines.len() == MAX_LINES {
            return Err(ApiError::invalid(format!("A session has at most {MAX_LINES} line items."))
                .param("line_items"));
        }
        let currency_name = format!("{base}[price_data][currency]");
        let line_code =
            currency::parse(&form.require(&currency_name)?).map_err(|error| error.param(&currency_name))?;
        if code.get_or_insert_with(|| line_code.clone()) != &line_code {
            return Err(
                ApiError::invalid("All line items must have the same currency.").param(&currency_name)
            );
        }
        let amount_name = format!("{base}[price_data][unit_amount]");
        let unit_amount_minor =
            form.take_integer(&amount_name)?.ok_or_else(|| ApiError::missing_parameter(&amount_name))?;
        if unit_amount_minor < 0 {
            return Err(ApiError::invalid("Invalid non-negative integer")
                .code("parameter_invalid_integer")
                .param(&amount_name));
        }
        let quantity_name = format!("{base}[quantity]");
        let quantity =
            form.take_integer(&quantity_name)?.ok_or_else(|| ApiError::missing_parameter(&quantity_name))?;
        if quantity < 1 {
            return Err(ApiError::invalid("Quantity must be 1 or more.")
                .code("parameter_invalid_integer")
                .param(&quantity_name));
        }
        let name_name = format!("{base}[price_data][product_data][name]");
        let name =
            form.take_short(&name_name, 250)?.ok_or_else(|| ApiError::missing_parameter(&name_name))?;
        let description = form.take_short(&format!("{base}[price_data][product_data][description]"), 500)?;
        lines.push(LineItem { name, description, unit_amount_minor, quantity });
    }
    match code {
        Some(code) => Ok((lines, code)),
        None => Err(ApiError::missing_parameter("line_items")),
    }
}

fn total(lines: &[LineItem]) -> Result<i64, ApiError> {
    let sum = lines
        .iter()
        .try_fold(0_i64, |sum, line| sum.checked_add(line.unit_amount_minor.checked_mul(line.quantity)?));
    sum.ok_or_else(|| {
        ApiError::invalid("The total amount is too large.").code("amount_too_large").param("line_items")
    })
}

fn take_customer(work: &Work<'_>, form: &mut Form) -> Result<(Option<String>, Option<String>), Failure> {
    let customer = form.take("customer")?;
    let email = form.take_short("customer_email", 512)?;
    match (&customer, &email) {
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: customer, customer_email.";
            Err(ApiError::invalid(message).param("customer_email").into())
        }
        (Some(id), None) => {
            let known: Customer = work.get(id, "customer")?;
            Ok((customer, known.email))
        }
        (None, Some(address)) if !customers::looks_like_email(address) => {
            Err(ApiError::invalid(format!("Invalid email address: {address}"))
                .code("email_invalid")
                .param("customer_email")
                .into())
        }
        _ => Ok((None, email)),
    }
}

fn take_expiry(work: &Work<'_>, form: &mut Form) -> Result<i64, ApiError> {
    let Some(expires_at) = form.take_integer("expires_at")? else {
        return Ok(work.now + LONGEST_LIFE_SECONDS);
    };
    let life_seconds = expires_at.saturating_sub(work.now);
    if life_seconds < SHORTEST_LIFE_SECONDS - CLOCK_TOLERANCE_SECONDS {
        let message =
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    if life_seconds > LONGEST_LIFE_SECONDS + CLOCK_TOLERANCE_SECONDS {
        let message = "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.";
        return Err(ApiError::invalid(message).param("expires_at"));
    }
    Ok(expires_at)
}

fn take_url(form: &mut Form, name: &str) -> Result<Option<String>, ApiError> {
    let Some(address) = form.take_short(name, MAX_URL_CHARACTERS)? else { return Ok(None) };
    let is_web = url::Url::parse(&address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    if is_web {
        return Ok(Some(address));
    }
    Err(ApiError::invalid("Not a valid URL").code("url_invalid").param(name))
}

/// A session as callers see it.
pub(crate) fn view(work: &Work<'_>, session: &Session) -> Value {
    let is_open = session.status == SessionStatus::Open;
    let is_setup = session.is_setup();
    let payment_status = match (is_setup, session.is_paid) {
        (true, _) => "no_payment_required",
        (false, true) => "paid",
        (false, false) => "unpaid",
    };
    json!({
        "id": session.id,
        "object": "checkout.session",
        "adaptive_pricing": { "enabled": session.adaptive_pricing },
        "after_expiration": null,
        "allow_promotion_codes": session.allow_promotion_codes,
        "amount_subtotal": (!is_setup).then_some(session.amount_minor),
        "amount_total": (!is_setup).then_some(session.amount_minor),
        "automatic_tax": { "enabled": session.automatic_tax, "liability": null, "provider": null, "status": null },
        "billing_address_collection": session.billing_address_collection,
        "cancel_url": session.cancel_url,
        "client_reference_id": session.client_reference_id,
        "client_secret": null,
        "collected_information": null,
        "consent": null,
        "consent_collection": null,
        "created": session.created,
        "currency": session.currency,
        "currency_conversion": null,
        "custom_fields": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
        "customer": session.customer,
        "customer_creation": session.customer_creation.as_deref().or(session.customer.is_none().then_some("if_required")),
        "customer_details": customer_details(session),
        "customer_email": if session.customer.is_some() { None } else { session.customer_email.as_deref() },
        "discounts": [],
        "expires_at": session.expires_at,
        "invoice": null,
        "invoice_creation": null,
        "livemode": false,
        "locale": session.locale,
        "metadata": session.metadata,
        "mode": if is_setup { "setup" } else { "payment" },
        "origin_context": null,
        "payment_intent": session.payment_intent,
        "payment_link": null,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": null,
        "payment_method_options": payment_intents::method_options_view(&session.payment_method_types, &session.intent_data),
        "payment_method_types": session.payment_method_types,
        "payment_status": payment_status,
        "permissions": null,
        "phone_number_collection": { "enabled": false },
        "recovered_from": null,
        "saved_payment_method_options": null,
        "setup_intent": session.setup_intent,
        "shipping_address_collection": null,
        "shipping_cost": null,
        "shipping_options": [],
        "status": session.status.word(),
        "submit_type": session.submit_type,
        "subscription": null,
        "success_url": session.success_url,
        "total_details": { "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 },
        "ui_mode": "hosted",
        "url": is_open.then(|| format!("{}/c/pay/{}", work.environment.public_url, session.id)),
        "wallet_options": null,
    })
}

fn customer_details(session: &Session) -> Value {
    if session.customer_email.is_none() && session.payer_name.is_none() {
        return Value::Null;
    }
    json!({
        "address": null,
        "business_name": null,
        "email": session.customer_email,
        "individual_name": null,
        "name": session.payer_name,
        "phone": null,
        "tax_exempt": "none",
        "tax_ids": [],
    })
}
