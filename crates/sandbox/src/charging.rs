//! The one path on which money is taken: hosted page, API and control API all come here.
//!
//! A payment intent succeeds at most once; whoever asks again is refused. Every try that reached a bank leaves a charge, failed ones too.
//! Bank debits begin here and end in `debits`.

use serde_json::json;

use crate::agenda::{self, Appointment};
use crate::api::{charges, payment_intents};
use crate::banks::FoundAccount;
use crate::books::{self, CaptureOverride};
use crate::cards::{ASKS_ONCE, AUTHENTICATION_REQUIRED, Behaviour, CardSummary, Decline, TestCard};
use crate::error::{ApiError, Failure};
use crate::ids;
use crate::mandates::{self, Acceptance};
use crate::objects::{
    Challenge, Charge, ChargeStatus, Instrument, Intent, IntentData, IntentStatus, Mandate, MandateStatus,
    PaymentError, PaymentMethod, Session, SessionStatus, SingleUse,
};
use crate::work::Work;
use crate::{checkout, debits, methods, verifying};

/// How a try ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tried {
    Succeeded,
    Declined,
    NeedsAction,
    /// A bank account is to be verified first.
    NeedsVerification,
    Processing,
}

/// How a try is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manner {
    /// The payer is not there to answer the bank.
    pub(crate) is_off_session: bool,
    /// The answer is slow in coming: the intent stays `processing` until [`settle`].
    pub(crate) is_slow: bool,
    /// Where the payer of a bank debit agreed to it just now.
    pub(crate) acceptance: Option<Acceptance>,
    /// The mandate given before on which a bank debit is made.
    pub(crate) mandate: Option<String>,
}

/// What a new payment intent is made of.
pub(crate) struct NewIntent {
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) customer: Option<String>,
    pub(crate) data: IntentData,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) session: Option<String>,
    pub(crate) is_automatic_methods: bool,
}

/// Makes a payment intent, not yet tried.
pub(crate) fn create_intent(work: &Work<'_>, new: NewIntent) -> Result<Intent, Failure> {
    let id = work.next_id("pi_")?;
    let client_secret = work.next_id_of_length(&format!("{id}_secret_"), 25)?;
    let intent = Intent {
        id,
        created: work.now,
        amount_minor: new.amount_minor,
        amount_received_minor: 0,
        currency: new.currency,
        status: IntentStatus::RequiresPaymentMethod,
        customer: new.customer,
        data: new.data,
        payment_method_types: new.payment_method_types,
        is_automatic_methods: new.is_automatic_methods,
        payment_method: None,
        instrument: None,
        mandate: None,
        verification: None,
        last_error: None,
        latest_charge: None,
        challenge: None,
        return_url: None,
        canceled_at: None,
        cancellation_reason: None,
        session: new.session,
        client_secret,
    };
    work.insert(&intent)?;
    work.event("payment_intent.created", payment_intents::view(work, &intent))?;
    Ok(intent)
}

/// The payment intent of a session, made on the payer's first try.
pub(crate) fn intent_of_session(work: &Work<'_>, session: &mut Session) -> Result<Intent, Failure> {
    if let Some(id) = &session.payment_intent {
        return work.own(id);
    }
    let intent = create_intent(
        work,
        NewIntent {
            amount_minor: session.amount_minor,
            currency: session.currency.clone(),
            customer: session.customer.clone(),
            data: session.intent_data.clone(),
            payment_method_types: session.payment_method_types.clone(),
            session: Some(session.id.clone()),
            is_automatic_methods: false,
        },
    )?;
    session.payment_intent = Some(intent.id.clone());
    work.update(session)?;
    Ok(intent)
}

/// Tries a card or a bank account.
pub(crate) fn try_method(
    work: &Work<'_>,
    intent: &mut Intent,
    method: &PaymentMethod,
    manner: &Manner,
) -> Result<Tried, Failure> {
    check_can_be_tried(work, intent)?;
    intent.payment_method = Some(method.id.clone());
    intent.instrument = Some(method.instrument.clone());
    intent.mandate = None;
    intent.last_error = None;
    intent.challenge = None;
    intent.verification = None;
    match &method.instrument {
        Instrument::Card(card) => try_card(work, intent, card, method, manner),
        Instrument::UsBankAccount(_) | Instrument::SepaDebit(_) => try_debit(work, intent, method, manner),
    }
}

fn try_card(
    work: &Work<'_>,
    intent: &mut Intent,
    card: &CardSummary,
    method: &PaymentMethod,
    manner: &Manner,
) -> Result<Tried, Failure> {
    let behaviour = TestCard::by_token(&card.token)
        .map(|test_card| test_card.behaviour)
        .ok_or_else(|| Failure::Broken(anyhow::anyhow!("{} is not a test card", card.token)))?;
    let was_asked = card.token == ASKS_ONCE && method.is_verified;
    match behaviour {
        Behaviour::Challenge { .. } if manner.is_off_session && !was_asked => {
            decline(work, intent, AUTHENTICATION_REQUIRED)
        }
        Behaviour::Challenge { .. } if !was_asked => ask_bank(work, intent),
        _ if manner.is_slow => {
            intent.status = IntentStatus::Processing;
            work.update(intent)?;
            work.event("payment_intent.processing", payment_intents::view(work, intent))?;
            Ok(Tried::Processing)
        }
        Behaviour::Decline(reason) => decline(work, intent, reason),
        Behaviour::Succeed | Behaviour::Challenge { .. } => capture(work, intent, false),
    }
}

fn try_debit(
    work: &Work<'_>,
    intent: &mut Intent,
    method: &PaymentMethod,
    manner: &Manner,
) -> Result<Tried, Failure> {
    let wanted = if method.kind == "sepa_debit" { "eur" } else { "usd" };
    if intent.currency != wanted {
        let message = format!(
            "The currency provided ({}) is invalid. {} payments must be in {wanted}.",
            intent.currency, method.kind
        );
        return Err(ApiError::state(Some("payment_intent_invalid_currency"), message).into());
    }
    let must_verify = verifying::is_needed(work, method, intent.data.verification_method.as_deref())?;
    let mandate = mandate_for(work, intent, method, manner, must_verify)?;
    intent.mandate = Some(mandate.id.clone());
    let tried = if must_verify {
        verifying::ask_payer(work, intent, &mandate.id)?
    } else {
        debits::start(work, intent)?
    };
    checkout::complete(work, intent, false)?;
    methods::keep_if_asked(work, intent, false)?;
    Ok(tried)
}

/// The mandate of a debit: the one that was named, a new one when the payer agrees now, or the one the account was saved with.
fn mandate_for(
    work: &Work<'_>,
    intent: &Intent,
    method: &PaymentMethod,
    manner: &Manner,
    must_verify: bool,
) -> Result<Mandate, Failure> {
    if let Some(id) = &manner.mandate {
        let mandate: Mandate = work.get(id, "mandate")?;
        if mandate.payment_method != method.id {
            let message = "The mandate is not one of the payment method.";
            return Err(ApiError::state(Some("payment_intent_mandate_invalid"), message)
                .param("mandate")
                .into());
        }
        mandates::check_active(&mandate)?;
        return Ok(mandate);
    }
    if let Some(acceptance) = manner.acceptance.clone() {
        let single_use = intent
            .data
            .setup_future_usage
            .is_none()
            .then(|| SingleUse { amount_minor: intent.amount_minor, currency: intent.currency.clone() });
        let status = if must_verify { MandateStatus::Pending } else { MandateStatus::Active };
        return mandates::give(work, method, single_use, acceptance, status);
    }
    mandates::reusable_of(work, &method.id)?.ok_or_else(|| {
        let message =
            "This PaymentMethod has no active mandate. Provide mandate_data to confirm with a bank account.";
        ApiError::state(Some("payment_intent_mandate_invalid"), message).param("mandate_data").into()
    })
}

fn check_can_be_tried(work: &Work<'_>, intent: &Intent) -> Result<(), Failure> {
    match intent.status {
        IntentStatus::RequiresPaymentMethod
        | IntentStatus::RequiresConfirmation
        | IntentStatus::RequiresAction => Ok(()),
        status => Err(unexpected_state(
            work,
            intent,
            &format!("You cannot confirm this PaymentIntent because it has a status of {}.", status.word()),
        )),
    }
}

/// The refusal of something that does not go with an intent's status.
pub(crate) fn unexpected_state(work: &Work<'_>, intent: &Intent, message: &str) -> Failure {
    ApiError::state(Some("payment_intent_unexpected_state"), message)
        .with("payment_intent", payment_intents::view(work, intent))
        .into()
}

fn ask_bank(work: &Work<'_>, intent: &mut Intent) -> Result<Tried, Failure> {
    let form_token = work.next_id("tok_")?;
    let code = ids::six_digits(work.environment.seed, &format!("{}/{form_token}", intent.id));
    intent.challenge = Some(Challenge { code, form_token, problem: None });
    intent.status = IntentStatus::RequiresAction;
    work.update(intent)?;
    work.event("payment_intent.requires_action", payment_intents::view(work, intent))?;
    Ok(Tried::NeedsAction)
}

/// The bank's answer after it saw the payer.
pub(crate) fn answer_challenge(
    work: &Work<'_>,
    intent: &mut Intent,
    is_approved: bool,
) -> Result<Tried, Failure> {
    if intent.status != IntentStatus::RequiresAction || intent.challenge.is_none() {
        return Err(unexpected_state(
            work,
            intent,
            "This PaymentIntent is not waiting for the payer's bank.",
        ));
    }
    intent.challenge = None;
    let behaviour = intent.card().and_then(|card| TestCard::by_token(&card.token)).map(|card| card.behaviour);
    match (is_approved, behaviour) {
        (true, Some(Behaviour::Challenge { then: Some(reason) })) => decline(work, intent, reason),
        (true, _) => capture(work, intent, true),
        (false, _) => {
            intent.status = IntentStatus::RequiresPaymentMethod;
            intent.last_error = Some(PaymentError {
                code: "payment_intent_authentication_failure".to_owned(),
                decline_code: None,
                network_code: None,
                message: "We are unable to authenticate your payment method. Choose a different payment method and try again.".to_owned(),
                charge: None,
            });
            work.update(intent)?;
            work.event("payment_intent.payment_failed", payment_intents::view(work, intent))?;
            Ok(Tried::Declined)
        }
    }
}

/// Ends a slow try the way its card says.
pub(crate) fn settle(work: &Work<'_>, intent: &mut Intent) -> Result<Tried, Failure> {
    let card = intent.card().and_then(|card| TestCard::by_token(&card.token));
    match card.map(|card| card.behaviour) {
        Some(Behaviour::Decline(reason)) => decline(work, intent, reason),
        _ => capture(work, intent, false),
    }
}

fn decline(work: &Work<'_>, intent: &mut Intent, reason: Decline) -> Result<Tried, Failure> {
    let mut charge = new_charge(work, intent, intent.amount_minor, intent.currency.clone())?;
    let error = PaymentError {
        code: reason.code.to_owned(),
        decline_code: Some(reason.decline_code.to_owned()),
        network_code: None,
        message: reason.message.to_owned(),
        charge: Some(charge.id.clone()),
    };
    charge.status = ChargeStatus::Failed;
    charge.failure = Some(error.clone());
    work.insert(&charge)?;
    intent.status = IntentStatus::RequiresPaymentMethod;
    intent.latest_charge = Some(charge.id.clone());
    intent.last_error = Some(error);
    work.update(intent)?;
    work.event("charge.failed", charges::view(&charge))?;
    work.event("payment_intent.payment_failed", payment_intents::view(work, intent))?;
    Ok(Tried::Declined)
}

/// Takes the money, books it, and completes the session it is for.
fn capture(work: &Work<'_>, intent: &mut Intent, is_authenticated: bool) -> Result<Tried, Failure> {
    let asked = CaptureOverride { amount_minor: intent.amount_minor, currency: intent.currency.clone() };
    let taken = match &intent.session {
        Some(session_id) => books::take_capture_override(work, session_id)?.unwrap_or(asked),
        None => asked,
    };
    let mut charge = new_charge(work, intent, taken.amount_minor, taken.currency.clone())?;
    charge.is_authenticated = is_authenticated;
    books::book_charge(work, &mut charge)?;
    work.insert(&charge)?;
    intent.status = IntentStatus::Succeeded;
    intent.amount_received_minor = taken.amount_minor;
    intent.currency = taken.currency;
    intent.latest_charge = Some(charge.id.clone());
    intent.last_error = None;
    intent.canceled_at = None;
    intent.cancellation_reason = None;
    work.update(intent)?;
    work.event("charge.succeeded", charges::view(&charge))?;
    work.event("payment_intent.succeeded", payment_intents::view(work, intent))?;
    checkout::complete(work, intent, true)?;
    methods::keep_if_asked(work, intent, is_authenticated)?;
    let card = intent.card().and_then(|card| TestCard::by_token(&card.token));
    if let Some((reason, is_inquiry)) = card.and_then(TestCard::dispute) {
        let what = Appointment::OpenDispute { reason: reason.to_owned(), is_inquiry };
        agenda::put(work, work.now, &what, &charge.id)?;
    }
    Ok(Tried::Succeeded)
}

pub(crate) fn new_charge(
    work: &Work<'_>,
    intent: &Intent,
    amount_minor: i64,
    currency: String,
) -> Result<Charge, Failure> {
    let missing = || Failure::Broken(anyhow::anyhow!("{} has nothing to charge", intent.id));
    let instrument = intent.instrument.clone().ok_or_else(missing)?;
    let payer_email = match &intent.session {
        Some(session_id) => work.own::<Session>(session_id)?.customer_email,
        None => None,
    };
    Ok(Charge {
        // The processor names what did not go over a card network otherwise.
        id: work.next_id(if instrument.card().is_some() { "ch_" } else { "py_" })?,
        created: work.now,
        amount_minor,
        currency,
        status: ChargeStatus::Succeeded,
        customer: intent.customer.clone(),
        payer_email,
        payment_intent: intent.id.clone(),
        payment_method: intent.payment_method.clone().ok_or_else(missing)?,
        instrument,
        mandate: None,
        data: intent.data.clone(),
        failure: None,
        is_authenticated: false,
        debit_at: None,
        is_disputed: false,
        refunded_minor: 0,
        balance_transaction: None,
    })
}

/// Cancels an intent that has not taken money and is not about to.
pub(crate) fn cancel(work: &Work<'_>, intent: &mut Intent, reason: Option<&str>) -> Result<(), Failure> {
    let is_debit = intent.status == IntentStatus::Processing && intent.card().is_none();
    if is_debit {
        debits::stop(work, intent)?;
    } else if matches!(
        intent.status,
        IntentStatus::Processing | IntentStatus::Succeeded | IntentStatus::Canceled
    ) {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {}.",
            intent.status.word()
        );
        return Err(unexpected_state(work, intent, &message));
    }
    intent.status = IntentStatus::Canceled;
    intent.canceled_at = Some(work.now);
    intent.cancellation_reason = reason.map(str::to_owned);
    intent.challenge = None;
    if let Some(verification) = intent.verification.take() {
        mandates::turn(work, &verification.mandate, MandateStatus::Inactive)?;
    }
    work.update(intent)?;
    work.event("payment_intent.canceled", payment_intents::view(work, intent))
}

/// Fault: money taken for a session that has already ended, as when a bank answers late. Makes the intent if there was none.
pub(crate) fn capture_after_end(work: &Work<'_>, session: &mut Session) -> Result<Intent, Failure> {
    if session.status == SessionStatus::Open {
        return Err(ApiError::invalid("The session is still open; pay it instead.").into());
    }
    let mut intent = intent_of_session(work, session)?;
    if matches!(intent.status, IntentStatus::Succeeded | IntentStatus::Processing) {
        return Err(unexpected_state(work, &intent, "This PaymentIntent has already taken its money."));
    }
    if intent.instrument.is_none() {
        let instrument = first_instrument(&intent)?;
        intent.payment_method = Some(methods::make(work, instrument.clone(), None)?.id);
        intent.instrument = Some(instrument);
    }
    capture(work, &mut intent, false)?;
    Ok(intent)
}

/// What pays where nobody has typed anything: the first test card, or the first test account where an account is asked for.
fn first_instrument(intent: &Intent) -> Result<Instrument, Failure> {
    let gone = || Failure::Broken(anyhow::anyhow!("the first test instrument is gone"));
    let account = |found: Option<FoundAccount>| {
        found.map(|found| found.summary("individual", "checking", None)).ok_or_else(gone)
    };
    Ok(match intent.payment_method_types.first().map(String::as_str) {
        Some("us_bank_account") => {
            Instrument::UsBankAccount(account(FoundAccount::us("pm_usBankAccount_success"))?)
        }
        Some("sepa_debit") => Instrument::SepaDebit(account(FoundAccount::sepa("pm_sepaDebit_success_at"))?),
        _ => {
            let card = TestCard::by_token("pm_card_visa").ok_or_else(gone)?;
            Instrument::Card(CardSummary::of(card, 12, 2099, None))
        }
    })
}

/// The card refusal an API caller gets for a try that was declined.
pub(crate) fn card_error(work: &Work<'_>, intent: &Intent) -> ApiError {
    let Some(error) = &intent.last_error else { return ApiError::broken() };
    let mut answer = ApiError::card(&error.code, error.decline_code.as_deref(), &error.message)
        .with("payment_intent", payment_intents::view(work, intent));
    if let Some(charge) = &error.charge {
        answer = answer.with("charge", json!(charge));
    }
    answer
}
