//! What a payment does to the session it was made on: it completes it, and says later how a debit ended. A session completes once.

use crate::api::{customers, sessions};
use crate::error::Failure;
use crate::objects::{Customer, Instrument, Intent, Metadata, Session, SessionStatus, SetupIntent};
use crate::work::Work;

/// The payer has done their part. Money that was taken after the session's end changes nothing about its having ended.
pub(crate) fn complete(work: &Work<'_>, intent: &mut Intent, is_paid: bool) -> Result<(), Failure> {
    let Some(session_id) = &intent.session else { return Ok(()) };
    let mut session: Session = work.own(session_id)?;
    session.is_paid = is_paid;
    session.payer_name = intent.instrument.as_ref().and_then(Instrument::name).map(str::to_owned);
    if session.status != SessionStatus::Open {
        return work.update(&session);
    }
    if make_customer_if_asked(work, &mut session)? {
        intent.customer.clone_from(&session.customer);
        work.update(intent)?;
    }
    close(work, &mut session)
}

/// The payer has had a payment method kept.
pub(crate) fn complete_setup(work: &Work<'_>, setup: &mut SetupIntent) -> Result<(), Failure> {
    let Some(session_id) = &setup.session else { return Ok(()) };
    let mut session: Session = work.own(session_id)?;
    if session.status != SessionStatus::Open {
        return Ok(());
    }
    session.payer_name = setup.instrument.as_ref().and_then(Instrument::name).map(str::to_owned);
    if make_customer_if_asked(work, &mut session)? {
        setup.customer.clone_from(&session.customer);
        work.update(setup)?;
    }
    close(work, &mut session)
}

fn close(work: &Work<'_>, session: &mut Session) -> Result<(), Failure> {
    session.status = SessionStatus::Complete;
    work.update(session)?;
    work.event("checkout.session.completed", sessions::view(work, session))
}

fn make_customer_if_asked(work: &Work<'_>, session: &mut Session) -> Result<bool, Failure> {
    let is_asked = session.customer_creation.as_deref() == Some("always");
    if !is_asked || session.customer.is_some() {
        return Ok(false);
    }
    session.customer = Some(new_customer(work, session)?);
    Ok(true)
}

fn new_customer(work: &Work<'_>, session: &Session) -> Result<String, Failure> {
    let customer = Customer {
        id: work.next_id_of_length("cus_", 14)?,
        created: work.now,
        name: session.payer_name.clone(),
        email: session.customer_email.clone(),
        phone: None,
        description: None,
        metadata: Metadata::new(),
    };
    work.insert(&customer)?;
    work.event("customer.created", customers::view(&customer))?;
    Ok(customer.id)
}

/// A debit of a completed session was decided.
pub(crate) fn decide(work: &Work<'_>, intent: &Intent, is_paid: bool) -> Result<(), Failure> {
    let Some(session_id) = &intent.session else { return Ok(()) };
    let mut session: Session = work.own(session_id)?;
    session.is_paid = is_paid;
    work.update(&session)?;
    let kind = if is_paid {
        "checkout.session.async_payment_succeeded"
    } else {
        "checkout.session.async_payment_failed"
    };
    work.event(kind, sessions::view(work, &session))
}
