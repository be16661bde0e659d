//! From Stripe's objects to [`PaymentFacts`].

use super::state::{IntentStatus, Page, payment_state};
use super::{bank, currency, decline, wire};
use crate::{CallError, CardFacts, DeclineFacts, FeeFacts, Origin, PaymentFacts, SessionFacts};
use billing::ids::{AttemptId, MerchantId};
use billing::payment::{Method, PaymentState};
use jiff::Timestamp;
use ledger::Money;

/// No bank answers sooner.
const A_DEBIT_TAKES_AT_LEAST_SECONDS: i64 = 12 * 3_600;

/// The payment intent of a page, or of none, and what had to be read beside it.
#[derive(Clone, Copy, Default)]
pub(super) struct Behind<'a> {
    /// None before the payer has submitted the page.
    pub(super) intent: Option<&'a wire::PaymentIntent>,
    /// What the payer pays with, where no charge tells it yet.
    pub(super) method: Option<&'a wire::PaymentMethod>,
    /// The disputes of its charge, where it is a bank debit that has some.
    pub(super) disputes: &'a [wire::Dispute],
}

impl<'a> Behind<'a> {
    /// A payment alone, as it was answered.
    pub(super) fn of(intent: &'a wire::PaymentIntent) -> Behind<'a> {
        Behind { intent: Some(intent), ..Behind::default() }
    }
}

/// The facts of a hosted page and of what is behind it.
pub(super) fn of_session(
    session: &wire::Session,
    behind: Behind<'_>,
    live: bool,
) -> Result<PaymentFacts, CallError> {
    if session.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let page = Page::parse(session.status.as_deref());
    let mut facts = of_payment(page, behind, live)?;
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
        method: method(session.payment_method_types.as_deref().unwrap_or_default()),
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

/// Every page of ours names the one method it takes.
fn method(types: &[String]) -> Method {
    let known = types.iter().find_map(|word| Method::parse(word).filter(|method| !method.is_received()));
    known.unwrap_or(Method::Card)
}

/// The facts of a payment, given what is known of its page.
pub(super) fn of_payment(page: Page, behind: Behind<'_>, live: bool) -> Result<PaymentFacts, CallError> {
    let returned = bank::returned(behind.disputes, live)?;
    let declined = behind.intent.and_then(declined);
    let status = behind.intent.map(|intent| IntentStatus::parse(&intent.status));
    let state = payment_state(page, status, declined.is_some(), returned.is_some());
    let mut facts = PaymentFacts::of_state(state, live);
    let Some(intent) = behind.intent else { return Ok(facts) };
    if intent.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let money_came = matches!(state, PaymentState::Succeeded | PaymentState::Returned);
    facts.decline = declined.filter(|_| !money_came);
    facts.attempt = attempt(intent.metadata.as_ref());
    facts.merchant = merchant(intent.metadata.as_ref());
    facts.payment_intent_id = Some(intent.id.clone());
    facts.returned = returned.filter(|_| state == PaymentState::Returned);
    if money_came {
        facts.captured = Some(captured(intent)?);
    }
    add_next_step(&mut facts, page, intent)?;
    if let Some(method) = behind.method {
        add_method(&mut facts, method)?;
    }
    match &intent.latest_charge {
        None => {}
        Some(wire::Expandable::Id(id)) => facts.charge_id = Some(id.clone()),
        Some(wire::Expandable::Object(charge)) => add_charge(&mut facts, intent, charge)?,
    }
    Ok(facts)
}

/// What the payer has to do: show themselves to the bank, or read two small deposits.
fn add_next_step(
    facts: &mut PaymentFacts,
    page: Page,
    intent: &wire::PaymentIntent,
) -> Result<(), CallError> {
    let status = IntentStatus::parse(&intent.status);
    let next = intent.next_action.as_ref();
    let code = intent.last_payment_error.as_ref().and_then(|error| error.code.as_deref());
    facts.verification = bank::verification(status, next, code, intent.created)?;
    facts.bank_waits = status == IntentStatus::RequiresAction && facts.verification.is_none();
    if facts.bank_waits && page == Page::None {
        facts.challenge_url = next.and_then(|next| next.redirect_to_url.as_ref()?.url.clone());
    }
    Ok(())
}

fn add_method(facts: &mut PaymentFacts, method: &wire::PaymentMethod) -> Result<(), CallError> {
    if method.livemode != facts.live {
        return Err(CallError::WrongMode { expected_live: facts.live });
    }
    facts.card = method.details.card.as_ref().and_then(card);
    facts.bank = method.details.bank().map(|found| bank::account(found, Some(&method.id)));
    Ok(())
}

fn add_charge(
    facts: &mut PaymentFacts,
    intent: &wire::PaymentIntent,
    charge: &wire::Charge,
) -> Result<(), CallError> {
    if charge.livemode != facts.live {
        return Err(CallError::WrongMode { expected_live: facts.live });
    }
    facts.charge_id = Some(charge.id.clone());
    let details = charge.payment_method_details.as_ref();
    facts.card = details.and_then(|details| card(details.card.as_ref()?));
    let debited = details.and_then(wire::PaymentMethodDetails::bank);
    if let Some(found) = debited {
        let named = intent.payment_method.as_ref().map(wire::Expandable::id);
        facts.bank = Some(bank::account(found, named.or(charge.payment_method.as_deref())));
        facts.expected_on = found.expected_debit_date.as_deref().and_then(|day| day.parse().ok());
    }
    if facts.captured.is_some() {
        let line = charge.balance_transaction.as_ref().and_then(wire::Expandable::object);
        // A card is charged at once; a debit arrives days after its charge was made, and its line in the books may be as
        // old as the charge: then it only said that money was awaited.
        let second = match (debited, line.and_then(|line| line.created)) {
            (None, _) => Some(charge.created),
            (Some(_), Some(booked))
                if booked.saturating_sub(charge.created) >= A_DEBIT_TAKES_AT_LEAST_SECONDS =>
            {
                Some(booked)
            }
            (Some(_), _) => None,
        };
        facts.captured_at = second.map(instant).transpose()?;
        facts.fee = line.and_then(fee);
    } else if facts.decline.is_some() && debited.is_some() {
        facts.debit_failure = bank::debit_failure(intent.last_payment_error.as_ref(), Some(charge));
    }
    Ok(())
}

/// The charge of a bank debit that somebody disputes: whether it was taken back, its disputes tell.
pub(super) fn is_contested_debit(intent: &wire::PaymentIntent) -> bool {
    let charge = intent.latest_charge.as_ref().and_then(wire::Expandable::object);
    charge.is_some_and(|charge| {
        charge.disputed == Some(true)
            && charge.payment_method_details.as_ref().is_some_and(|details| details.bank().is_some())
    })
}

/// The account of a debit that was not made yet, since it waits for a proof: there is no charge that would tell it.
pub(super) fn unverified_method(intent: &wire::PaymentIntent) -> Option<&str> {
    intent.next_action.as_ref()?.verify_with_microdeposits.as_ref()?;
    if matches!(intent.latest_charge, Some(wire::Expandable::Object(_))) {
        return None;
    }
    intent.payment_method.as_ref().map(wire::Expandable::id)
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

/// Stripe keeps the error of the last try until another one is made. One without any code is not about a card, unless
/// the bank's refusal of a debit stands on the charge; a wrong guess at a small deposit is no decline.
fn declined(intent: &wire::PaymentIntent) -> Option<DeclineFacts> {
    let error = intent.last_payment_error.as_ref();
    let charge = intent.latest_charge.as_ref().and_then(wire::Expandable::object);
    let of_error = error.and_then(|error| error.decline_code.as_deref().or(error.code.as_deref()));
    let failed = charge.and_then(|charge| {
        charge.payment_method_details.as_ref()?.bank()?;
        charge.failure_code.as_deref()
    });
    let code = of_error.or(failed).filter(|code| !bank::was_wrong(code))?;
    let tried = charge.filter(|charge| {
        failed.is_some() || error.is_some_and(|error| error.charge.as_deref() == Some(charge.id.as_str()))
    });
    let (decline_code, general) =
        error.map_or((None, None), |error| (error.decline_code.as_deref(), error.code.as_deref()));
    Some(DeclineFacts {
        reason: decline::reason(decline_code.or(failed), general),
        declined_at: tried.and_then(|charge| instant(charge.created).ok()),
        code: Some(code.to_owned()),
    })
}

pub(super) fn card(card: &wire::Card) -> Option<CardFacts> {
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

pub(super) fn merchant(metadata: Option<&wire::Metadata>) -> Option<MerchantId> {
    let digits = metadata?.get(wire::MERCHANT)?.strip_prefix("mer_")?;
    digits.parse().ok().map(MerchantId)
}

/// Stripe counts whole seconds since 1970.
pub(super) fn instant(second: i64) -> Result<Timestamp, CallError> {
    Timestamp::from_second(second).map_err(|_| CallError::Unreadable(format!("{second} is no time")))
}
