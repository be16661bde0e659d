//! An event about a payment that carries our marks and is not in this database, as after the restore of an older backup.
//! Where its invoice is here the payment is adopted. Otherwise the processor may have taken money that no book shows,
//! and a person is told which invoice it is about and how much.
//!
//! Nothing is changed at the processor for an invoice that is not here: another installation may use the same account,
//! and the payment may be its own.

use super::{ABOUT_NOTHING, Judged, Verdict, anomaly};
use crate::actions::adopt_payment::{Adopted, adopt_payment};
use crate::actions::reconcile_payment::{Looked, reconcile_payment};
use crate::app::App;
use anyhow::{Context as _, Result, bail};
use billing::payment::{Hold, PaymentState};
use gateway::{PaymentFacts, Processor};
use store::inbox::InboxEvent;

pub(super) async fn judge(app: &App, event: &InboxEvent) -> Result<Judged> {
    let nobodys = || Judged::Is(Verdict::Parked(ABOUT_NOTHING.to_owned()));
    if event.event.attempt_id.is_none() {
        return Ok(nobodys());
    }
    let processor = app.processors.of(&app.store, &app.secrets, event.merchant_id).await?;
    let processor = processor.context("the processor was disconnected")?;
    let Some(facts) = fetch(&*processor, event).await? else { return Ok(nobodys()) };
    if facts.merchant != Some(event.merchant_id) {
        return Ok(Judged::Is(Verdict::Parked("it is about a payment of another merchant".to_owned())));
    }
    if facts.state.hold() == Hold::Released {
        return Ok(Judged::Is(Verdict::Parked(
            "its payment is not in this database, and ended without money".to_owned(),
        )));
    }
    let alarm = anomaly(&app.mint(), "unknown_payment", None, told(event, &facts));
    Ok(match adopt_payment(app, &*processor, facts).await? {
        Adopted::Made(_) | Adopted::Ended => Judged::Is(Verdict::Applied),
        Adopted::Known(payment) => match reconcile_payment(app, event.merchant_id, payment, "webhook").await?
        {
            Some(Looked::Unanswered(_, next_at)) => Judged::Unanswered(next_at),
            _ => Judged::Is(Verdict::Applied),
        },
        Adopted::DoesNotFit => bail!("it asks for more than is payable now, and its page has not ended"),
        Adopted::NotOurs => Judged::Is(Verdict::Alarming(alarm)),
    })
}

async fn fetch(processor: &dyn Processor, event: &InboxEvent) -> Result<Option<PaymentFacts>> {
    Ok(match (&event.event.session_id, &event.event.payment_intent_id) {
        (Some(session), _) => Some(processor.read_session(session).await?),
        (None, Some(intent)) => Some(processor.read_payment_intent(intent).await?),
        (None, None) => None,
    })
}

/// The same words for every event of the payment in this state, so that they are said once.
fn told(event: &InboxEvent, facts: &PaymentFacts) -> String {
    let invoice = invoice_number(event).unwrap_or_else(|| "an invoice that is not named".to_owned());
    let session = facts.session.as_ref().map(|session| session.id.clone());
    let name = facts.payment_intent_id.clone().or(session).unwrap_or_default();
    let how = match (facts.state, facts.captured) {
        (PaymentState::Succeeded, Some(captured)) => format!("captured {captured}"),
        (state, _) => format!("is {} there and may still be paid", state.as_str()),
    };
    format!(
        "{invoice}: the processor has a payment, {name}, that this database does not have; it {how}. After the \
         restore of a backup: take no other payment of this invoice before this one is accounted for"
    )
}

fn invoice_number(event: &InboxEvent) -> Option<String> {
    let raw: serde_json::Value = serde_json::from_str(&event.event.raw).ok()?;
    let number = raw.pointer("/data/object/metadata/paydown_invoice")?.as_str()?;
    Some(format!("invoice {number}"))
}
