//! Keeping a payment method for later: the bank sees the payer now if it wants to, so that it need not when they are away.
//!
//! No money moves here and nothing is booked.

use crate::api::setup_intents;
use crate::cards::{Behaviour, TestCard};
use crate::charging::Tried;
use crate::error::{ApiError, Failure};
use crate::ids;
use crate::mandates::{self, Acceptance};
use crate::objects::{
    Challenge, Instrument, MandateStatus, Metadata, PaymentError, PaymentMethod, SetupIntent, SetupStatus,
};
use crate::verifying::{self, Proof, Verdict};
use crate::work::Work;
use crate::{checkout, methods};

/// A card that can be kept although no charge of it will succeed.
const KEPT_BUT_NEVER_CHARGED: &str = "pm_card_chargeCustomerFail";

/// What a new setup intent is made of.
pub(crate) struct NewSetup {
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) verification_method: Option<String>,
    pub(crate) usage: String,
    pub(crate) session: Option<String>,
}

/// Makes a setup intent, not yet tried.
pub(crate) fn create(work: &Work<'_>, new: NewSetup) -> Result<SetupIntent, Failure> {
    let id = work.next_id("seti_")?;
    let client_secret = work.next_id_of_length(&format!("{id}_secret_"), 25)?;
    let setup = SetupIntent {
        id,
        created: work.now,
        status: SetupStatus::RequiresPaymentMethod,
        customer: new.customer,
        description: new.description,
        metadata: new.metadata,
        payment_method_types: new.payment_method_types,
        verification_method: new.verification_method,
        usage: new.usage,
        payment_method: None,
        instrument: None,
        mandate: None,
        last_error: None,
        challenge: None,
        verification: None,
        return_url: None,
        cancellation_reason: None,
        session: new.session,
        client_secret,
    };
    work.insert(&setup)?;
    work.event("setup_intent.created", setup_intents::view(work, &setup))?;
    Ok(setup)
}

/// Tries to keep a card or a bank account.
pub(crate) fn try_method(
    work: &Work<'_>,
    setup: &mut SetupIntent,
    method: &PaymentMethod,
    acceptance: Option<Acceptance>,
) -> Result<Tried, Failure> {
    if matches!(setup.status, SetupStatus::Succeeded | SetupStatus::Canceled) {
        let message = format!(
            "You cannot confirm this SetupIntent because it has a status of {}.",
            setup.status.word()
        );
        return Err(unexpected_state(work, setup, &message));
    }
    setup.payment_method = Some(method.id.clone());
    setup.instrument = Some(method.instrument.clone());
    setup.last_error = None;
    setup.challenge = None;
    setup.verification = None;
    match &method.instrument {
        Instrument::Card(card) => {
            let behaviour = TestCard::by_token(&card.token).map(|card| card.behaviour);
            match behaviour {
                Some(Behaviour::Challenge { .. }) => ask_bank(work, setup),
                Some(Behaviour::Decline(reason)) if card.token != KEPT_BUT_NEVER_CHARGED => {
                    fail(work, setup, reason.code, Some(reason.decline_code), reason.message)
                }
                _ => succeed(work, setup, false),
            }
        }
        Instrument::UsBankAccount(_) | Instrument::SepaDebit(_) => {
            let acceptance = acceptance.ok_or_else(|| {
                let message = "Provide mandate_data to set up a bank account.";
                ApiError::invalid(message).code("parameter_missing").param("mandate_data")
            })?;
            try_account(work, setup, method, acceptance)
        }
    }
}

fn try_account(
    work: &Work<'_>,
    setup: &mut SetupIntent,
    method: &PaymentMethod,
    acceptance: Acceptance,
) -> Result<Tried, Failure> {
    let must_verify = verifying::is_needed(work, method, setup.verification_method.as_deref())?;
    let status = if must_verify { MandateStatus::Pending } else { MandateStatus::Active };
    let mandate = mandates::give(work, method, None, acceptance, status)?;
    setup.mandate = Some(mandate.id.clone());
    if !must_verify {
        return succeed(work, setup, true);
    }
    setup.verification = Some(verifying::begin(work, &method.instrument, &mandate.id, &setup.id)?);
    setup.status = SetupStatus::RequiresAction;
    work.update(setup)?;
    work.event("setup_intent.requires_action", setup_intents::view(work, setup))?;
    checkout::complete_setup(work, setup)?;
    Ok(Tried::NeedsVerification)
}

fn ask_bank(work: &Work<'_>, setup: &mut SetupIntent) -> Result<Tried, Failure> {
    let form_token = work.next_id("tok_")?;
    let code = ids::six_digits(work.environment.seed, &format!("{}/{form_token}", setup.id));
    setup.challenge = Some(Challenge { code, form_token, problem: None });
    setup.status = SetupStatus::RequiresAction;
    work.update(setup)?;
    work.event("setup_intent.requires_action", setup_intents::view(work, setup))?;
    Ok(Tried::NeedsAction)
}

/// The bank's answer after it saw the payer.
pub(crate) fn answer_challenge(
    work: &Work<'_>,
    setup: &mut SetupIntent,
    is_approved: bool,
) -> Result<Tried, Failure> {
    if setup.challenge.take().is_none() {
        return Err(unexpected_state(work, setup, "This SetupIntent is not waiting for the payer's bank."));
    }
    if is_approved {
        return succeed(work, setup, true);
    }
    let message =
        "We are unable to authenticate your payment method. Choose a different payment method and try again.";
    fail(work, setup, "setup_intent_authentication_failure", None, message)
}

fn succeed(work: &Work<'_>, setup: &mut SetupIntent, was_seen: bool) -> Result<Tried, Failure> {
    setup.status = SetupStatus::Succeeded;
    setup.last_error = None;
    setup.verification = None;
    work.update(setup)?;
    checkout::complete_setup(work, setup)?;
    if let Some(id) = &setup.payment_method {
        let mut method: PaymentMethod = work.own(id)?;
        method.is_verified |= was_seen;
        work.update(&method)?;
        if let Some(customer) = setup.customer.as_deref().filter(|_| method.customer.is_none()) {
            methods::attach(work, &mut method, customer)?;
        }
    }
    work.event("setup_intent.succeeded", setup_intents::view(work, setup))?;
    Ok(Tried::Succeeded)
}

fn fail(
    work: &Work<'_>,
    setup: &mut SetupIntent,
    code: &str,
    decline_code: Option<&str>,
    message: &str,
) -> Result<Tried, Failure> {
    if let Some(verification) = setup.verification.take() {
        mandates::turn(work, &verification.mandate, MandateStatus::Inactive)?;
    }
    setup.status = SetupStatus::RequiresPaymentMethod;
    setup.last_error = Some(PaymentError {
        code: code.to_owned(),
        decline_code: decline_code.map(str::to_owned),
        network_code: None,
        message: message.to_owned(),
        charge: None,
    });
    work.update(setup)?;
    work.event("setup_intent.setup_failed", setup_intents::view(work, setup))?;
    Ok(Tried::Declined)
}

/// Takes a payer's answer to the deposits. A wrong one is kept as a try.
pub(crate) fn answer_verification(
    work: &Work<'_>,
    setup: &mut SetupIntent,
    proof: &Proof,
) -> Result<Result<(), ApiError>, Failure> {
    let Some(verification) = setup.verification.as_mut() else {
        let message = "This SetupIntent is not waiting for a micro-deposit verification.";
        return Err(unexpected_state(work, setup, message));
    };
    let verdict = verifying::judge(verification, proof);
    if verdict == Verdict::Wrong {
        verifying::note_wrong(work, verification)?;
        setup.last_error = Some(verifying::error_of(verdict, proof));
        work.update(setup)?;
        return Ok(Err(verifying::refusal_of(verdict, proof)));
    }
    if verdict == Verdict::Right {
        mandates::turn(work, &verification.mandate.clone(), MandateStatus::Active)?;
        succeed(work, setup, true)?;
        return Ok(Ok(()));
    }
    let (code, message) = verifying::end_words(verdict, proof);
    fail(work, setup, code, None, message)?;
    Ok(Err(verifying::refusal_of(verdict, proof)))
}

/// A verification that could not be made, or took too long.
pub(crate) fn end_verification(work: &Work<'_>, id: &str, code: &str, message: &str) -> Result<(), Failure> {
    let mut setup: SetupIntent = work.own(id)?;
    if setup.verification.is_some() {
        fail(work, &mut setup, code, None, message)?;
    }
    Ok(())
}

/// Cancels a setup intent that has not succeeded.
pub(crate) fn cancel(work: &Work<'_>, setup: &mut SetupIntent, reason: Option<&str>) -> Result<(), Failure> {
    if matches!(setup.status, SetupStatus::Succeeded | SetupStatus::Canceled) {
        let message =
            format!("You cannot cancel this SetupIntent because it has a status of {}.", setup.status.word());
        return Err(unexpected_state(work, setup, &message));
    }
    if let Some(verification) = setup.verification.take() {
        mandates::turn(work, &verification.mandate, MandateStatus::Inactive)?;
    }
    setup.status = SetupStatus::Canceled;
    setup.cancellation_reason = reason.map(str::to_owned);
    setup.challenge = None;
    work.update(setup)?;
    work.event("setup_intent.canceled", setup_intents::view(work, setup))
}

fn unexpected_state(work: &Work<'_>, setup: &SetupIntent, message: &str) -> Failure {
    ApiError::state(Some("setup_intent_unexpected_state"), message)
        .with("setup_intent", setup_intents::view(work, setup))
        .into()
}
