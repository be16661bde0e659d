//! From Stripe's objects to [`PaymentFacts`].

use super::state::{IntentStatus, Page, payment_state};
use super::{currency, decline, wire};
use crate::{CallError, CardFacts, DeclineFacts, FeeFacts, Origin, PaymentFacts, SessionFacts};
use billing::ids::{AttemptId, MerchantId};
use billing::payment::PaymentState;
use jiff::Timestamp;
use ledger::Money;

/// The facts of a hosted page and of the payment intent behind it, where the payer has made one.
pub(super) fn of_session(
    session: &wire::Session,
    intent: Option<&wire::PaymentIntent>,
    live: bool,
) -> Result<PaymentFacts, CallError> {
    if session.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let page = Page::parse(session.status.as_deref());
    let mut facts = of_payment(page, intent, live)?;
    facts.attempt = attempt(session.metadata.as_ref())
        .or_else(|| session.client_reference_id.as_deref()?.parse().ok())
        .or(facts.attempt);
    facts.merchant = merchant(session.metadata.as_ref()).or(facts.merchant);
    facts.origin = origin(session);
    facts.session = Some(page_of(session, live)?);
    Ok(facts)
}

/// What a hosted page was made for; `None` unless it carries all our marks and they make sense.
pub(super) fn origin(session: &wire::Session) -> Option<Origin> {
    let metadata = session.metadata.as_ref()?;
    let total = currency::from_wire(session.amount_total?, session.currency.as_deref()?)?;
    let surcharge = Money::new(metadata.get(wire::SURCHARGE)?.parse().ok()?, total.currency());
    let amount = Money::new(total.minor().checked_sub(surcharge.minor())?, total.currency());
    if surcharge.minor() < 0 || !amount.is_positive() {
        return None;
    }
    Some(Origin {
        attempt: attempt(Some(metadata))?,
        payment: metadata.get(wire::PAYMENT)?.parse().ok()?,
        merchant: merchant(Some(metadata))?,
        invoice: metadata.get(wire::INVOICE_ID)?.parse().ok()?,
        amount,
        surcharge,
        payer_email: session.customer_details.as_ref().and_then(|details| details.email.clone()),
        made_at: instant(session.created?).ok()?,
    })
}

/// The hosted page alone, whatever became of its payment.
pub(super) fn page_of(session: &wire::Session, live: bool) -> Result<SessionFacts, CallError> {
    if session.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let open = Page::parse(session.status.as_deref()) == Page::Open;
    Ok(SessionFacts {
        id: session.id.clone(),
        url: session.url.clone().filter(|_| open),
        open,
        expires_at: instant(session.expires_at)?,
    })
}

/// The facts of a payment, given what is known of its page.
pub(super) fn of_payment(
    page: Page,
    intent: Option<&wire::PaymentIntent>,
    live: bool,
) -> Result<PaymentFacts, CallError> {
    let declined = intent.and_then(declined);
    let status = intent.map(|intent| IntentStatus::parse(&intent.status));
    let state = payment_state(page, status, declined.is_some());
    let mut facts = PaymentFacts::of_state(state, live);
    facts.decline = declined.filter(|_| state != PaymentState::Succeeded);
    facts.bank_waits = status == Some(IntentStatus::RequiresAction);
    let Some(intent) = intent else { return Ok(facts) };
    if intent.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    facts.attempt = attempt(intent.metadata.as_ref());
    facts.merchant = merchant(intent.metadata.as_ref());
    facts.payment_intent_id = Some(intent.id.clone());
    if state == PaymentState::Succeeded {
        facts.captured = Some(captured(intent)?);
    }
    match &intent.latest_charge {
        None => {}
        Some(wire::Expandable::Id(id)) => facts.charge_id = Some(id.clone()),
        Some(wire::Expandable::Object(charge)) => add_charge(&mut facts, charge)?,
    }
    Ok(facts)
}

fn add_charge(facts: &mut PaymentFacts, charge: &wire::Charge) -> Result<(), CallError> {
    if charge.livemode != facts.live {
        return Err(CallError::WrongMode { expected_live: facts.live });
    }
    facts.charge_id = Some(charge.id.clone());
    facts.card = charge.payment_method_details.as_ref().and_then(|details| card(details.card.as_ref()?));
    if facts.state == PaymentState::Succeeded {
        facts.captured_at = Some(instant(charge.created)?);
        facts.fee = charge.balance_transaction.as_ref().and_then(wire::Expandable::object).and_then(fee);
    }
    Ok(())
}

/// A success without an amount is no fact we can book.
fn captured(intent: &wire::PaymentIntent) -> Result<Money, CallError> {
    let amount = intent.amount_received.filter(|amount| *amount > 0);
    amount.and_then(|amount| currency::from_wire(amount, &intent.currency)).ok_or_else(|| {
        let shown = intent.amount_received.map_or_else(|| "nothing".to_owned(), |amount| amount.to_string());
        CallError::Unreadable(format!("{} succeeded with {shown} {:?}", intent.id, intent.currency))
    })
}

/// A fee we cannot read is left for later: it must never keep a capture from being booked.
fn fee(line: &wire::BalanceTransaction) -> Option<FeeFacts> {
    let (fee, net) =
        (currency::from_wire(line.fee, &line.currency), currency::from_wire(line.net, &line.currency));
    if fee.is_none() || net.is_none() {
        tracing::warn!(balance_transaction = %line.id, currency = %line.currency, "fee not readable, left out");
    }
    Some(FeeFacts { balance_transaction_id: line.id.clone(), fee: fee?, net: net? })
}

/// Stripe keeps the error of the last try until another one is made. One without any code is not about a card.
fn declined(intent: &wire::PaymentIntent) -> Option<DeclineFacts> {
    let error = intent.last_payment_error.as_ref()?;
    let code = error.decline_code.as_deref().or(error.code.as_deref())?;
    let charge = intent.latest_charge.as_ref().and_then(wire::Expandable::object);
    let tried = charge.filter(|charge| error.charge.as_deref() == Some(charge.id.as_str()));
    Some(DeclineFacts {
        reason: decline::reason(error.decline_code.as_deref(), error.code.as_deref()),
        declined_at: tried.and_then(|charge| instant(charge.created).ok()),
        code: Some(code.to_owned()),
    })
}

fn card(card: &wire::Card) -> Option<CardFacts> {
    Some(CardFacts {
        brand: card.brand.clone().unwrap_or_else(|| "unknown".to_owned()),
        last4: card.last4.clone()?,
        exp_month: card.exp_month?,
        exp_year: card.exp_year?,
        funding: card.funding.clone().unwrap_or_else(|| "unknown".to_owned()),
    })
}

fn attempt(metadata: Option<&wire::Metadata>) -> Option<AttemptId> {
    metadata?.get(wire::ATTEMPT)?.parse().ok()
}

fn merchant(metadata: Option<&wire::Metadata>) -> Option<MerchantId> {
    let digits = metadata?.get(wire::MERCHANT)?.strip_prefix("mer_")?;
    digits.parse().ok().map(MerchantId)
}

/// Stripe counts whole seconds since 1970.
pub(super) fn instant(second: i64) -> Result<Timestamp, CallError> {
    Timestamp::from_second(second).map_err(|_| CallError::Unreadable(format!("{second} is no time")))
}
