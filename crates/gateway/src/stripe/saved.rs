//! What Stripe keeps for a payer, and the pages on which a payer leaves it.

use super::state::{IntentStatus, Page, payment_state};
use super::{bank, decline, facts, wire};
use crate::{CallError, DeclineFacts, SavedMethod, SetupFacts, SetupState};
use billing::payment::{Method, PaymentState};

/// A saved method. `None` for a kind that we do not charge.
pub(super) fn method(found: &wire::PaymentMethod, live: bool) -> Result<Option<SavedMethod>, CallError> {
    if found.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let kind = Method::parse(&found.kind).filter(|method| !method.is_received());
    let Some(kind) = kind else { return Ok(None) };
    Ok(Some(SavedMethod {
        id: found.id.clone(),
        customer: found.customer.as_ref().map(|customer| customer.id().to_owned()),
        method: kind,
        card: found.details.card.as_ref().and_then(facts::card),
        bank: found.details.bank().map(|account| bank::account(account, Some(&found.id))),
        created_at: found.created.map(facts::instant).transpose()?,
        live,
    }))
}

/// The facts of a page on which a payer leaves a method. The same table as a payment's says where it stands.
pub(super) fn setup(
    session: &wire::Session,
    intent: Option<&wire::SetupIntent>,
    live: bool,
) -> Result<SetupFacts, CallError> {
    let page = facts::page_of(session, live)?;
    if intent.is_some_and(|intent| intent.livemode != live) {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let status = intent.map(|intent| IntentStatus::parse(&intent.status));
    let declined = intent.and_then(declined);
    let state = payment_state(Page::parse(session.status.as_deref()), status, declined.is_some(), false);
    let verification = match intent {
        Some(intent) => {
            let code = intent.last_setup_error.as_ref().and_then(|error| error.code.as_deref());
            let status = IntentStatus::parse(&intent.status);
            bank::verification(status, intent.next_action.as_ref(), code, intent.created)?
        }
        None => None,
    };
    let named = |found: &Option<wire::Expandable<wire::Named>>| found.as_ref().map(|it| it.id().to_owned());
    let metadata = session.metadata.as_ref();
    let reference = metadata.and_then(|metadata| metadata.get(wire::SETUP).cloned());
    Ok(SetupFacts {
        reference: reference.or_else(|| session.client_reference_id.clone()),
        merchant: facts::merchant(metadata),
        contact: metadata.and_then(|metadata| metadata.get(wire::CONTACT)?.parse().ok()),
        state: match state {
            PaymentState::Processing => SetupState::Processing,
            PaymentState::Succeeded => SetupState::Succeeded,
            PaymentState::Failed => SetupState::Failed,
            PaymentState::Canceled => SetupState::Canceled,
            PaymentState::RequiresAction => SetupState::RequiresAction,
            _ => SetupState::Unknown,
        },
        session: page,
        setup_id: intent.map(|intent| intent.id.clone()),
        payment_method_id: intent.and_then(|intent| named(&intent.payment_method)),
        mandate_id: intent.and_then(|intent| named(&intent.mandate)),
        decline: declined.filter(|_| state != PaymentState::Succeeded),
        verification,
        live,
    })
}

fn declined(intent: &wire::SetupIntent) -> Option<DeclineFacts> {
    let error = intent.last_setup_error.as_ref()?;
    let code = error.decline_code.as_deref().or(error.code.as_deref());
    let code = code.filter(|code| !bank::was_wrong(code))?;
    let reason = decline::reason(error.decline_code.as_deref(), error.code.as_deref());
    Some(DeclineFacts { reason, declined_at: None, code: Some(code.to_owned()) })
}
