//! Payment methods: made of what a payer typed or a test id names, kept by a customer, and taken off again for good.

use crate::api::payment_methods;
use crate::banks::FoundAccount;
use crate::cards::{CardSummary, TestCard};
use crate::error::{ApiError, Failure};
use crate::mandates;
use crate::objects::{Customer, Instrument, Intent, Metadata, PaymentMethod};
use crate::work::Work;

const YEARS_A_TEST_CARD_LIVES: i64 = 10;
const SECONDS_PER_YEAR: i64 = 31_557_600;

/// Makes a payment method that no customer keeps yet.
pub(crate) fn make(
    work: &Work<'_>,
    instrument: Instrument,
    payer_email: Option<String>,
) -> Result<PaymentMethod, Failure> {
    let method = PaymentMethod {
        id: work.next_id("pm_")?,
        created: work.now,
        kind: instrument.kind().to_owned(),
        instrument,
        payer_email,
        customer: None,
        metadata: Metadata::new(),
        is_verified: false,
        is_detached: false,
    };
    work.insert(&method)?;
    Ok(method)
}

/// The payment method of an id: one that was made, or a new one of a test id such as `pm_card_visa`.
pub(crate) fn of_id(work: &Work<'_>, id: &str, param: &str) -> Result<PaymentMethod, Failure> {
    if let Some(method) = work.find::<PaymentMethod>(id)? {
        if method.is_detached {
            let message = "This PaymentMethod was detached from its Customer. It may not be used again.";
            return Err(ApiError::state(Some("payment_method_unexpected_state"), message)
                .param(param)
                .into());
        }
        return Ok(method);
    }
    let name = || Some("Practice payer".to_owned());
    let instrument = if let Some(card) = TestCard::by_token(id) {
        let exp_year = 1970 + work.now / SECONDS_PER_YEAR + YEARS_A_TEST_CARD_LIVES;
        Instrument::Card(CardSummary::of(card, 12, exp_year, None))
    } else if let Some(found) = id.strip_prefix("pm_usBankAccount_").and_then(|_| FoundAccount::us(id)) {
        Instrument::UsBankAccount(found.summary("individual", "checking", name()))
    } else if let Some(found) = id.strip_prefix("pm_sepaDebit_").and_then(|_| FoundAccount::sepa(id)) {
        Instrument::SepaDebit(found.summary("individual", "checking", name()))
    } else {
        return Err(ApiError::missing_resource("PaymentMethod", id, param).into());
    };
    make(work, instrument, None)
}

/// Refuses a method that another customer keeps.
pub(crate) fn check_customer(method: &PaymentMethod, customer: Option<&str>) -> Result<(), ApiError> {
    match &method.customer {
        Some(owner) if customer != Some(owner) => {
            let message = format!(
                "The provided PaymentMethod belongs to the Customer {owner}. Include this Customer in the request."
            );
            Err(ApiError::state(None, message).param("payment_method"))
        }
        _ => Ok(()),
    }
}

/// Gives a method to a customer to keep.
pub(crate) fn attach(work: &Work<'_>, method: &mut PaymentMethod, customer: &str) -> Result<(), Failure> {
    work.get::<Customer>(customer, "customer")?;
    if method.customer.as_deref() == Some(customer) {
        return Ok(());
    }
    if method.customer.is_some() {
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(ApiError::state(None, message).into());
    }
    method.customer = Some(customer.to_owned());
    work.update(method)?;
    work.event("payment_method.attached", payment_methods::view(method))
}

/// Takes a method off its customer. Its mandates end with it.
pub(crate) fn detach(work: &Work<'_>, method: &mut PaymentMethod) -> Result<(), Failure> {
    if method.customer.is_none() {
        let message =
            "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(ApiError::state(None, message).into());
    }
    method.customer = None;
    method.is_detached = true;
    work.update(method)?;
    mandates::end_all_of(work, &method.id)?;
    work.event("payment_method.detached", payment_methods::view(method))
}

/// Keeps the method of a payment for its customer, when the payment asked for that.
pub(crate) fn keep_if_asked(work: &Work<'_>, intent: &Intent, was_seen: bool) -> Result<(), Failure> {
    let Some(id) = &intent.payment_method else { return Ok(()) };
    if intent.data.setup_future_usage.is_none() {
        return Ok(());
    }
    let mut method: PaymentMethod = work.own(id)?;
    method.is_verified |= was_seen;
    match intent.customer.as_deref().filter(|_| method.customer.is_none()) {
        Some(customer) => attach(work, &mut method, customer),
        None => work.update(&method),
    }
}
