//! Events: which kinds concern a payment, and where each one points. What an event says of an object is never applied;
//! the object is fetched.

use super::{facts, wire};
use crate::{CallError, EventKind, ProcessorEvent};
use serde_json::Value;

/// The kinds after which a payment is looked at. `charge.updated` is how Stripe says that it now knows its fee. At
/// most 20, which is what one list call may ask for.
pub(super) const PAYMENT_KINDS: [&str; 15] = [
    "charge.captured",
    "charge.failed",
    "charge.pending",
    "charge.succeeded",
    "charge.updated",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "payment_intent.amount_capturable_updated",
    "payment_intent.canceled",
    "payment_intent.payment_failed",
    "payment_intent.processing",
    "payment_intent.requires_action",
    "payment_intent.succeeded",
];

/// The event in this JSON. Its object may be of any kind and version.
pub(super) fn parse(body: &[u8]) -> Result<ProcessorEvent, CallError> {
    let event: wire::Event =
        serde_json::from_slice(body).map_err(|error| CallError::Unreadable(format!("event: {error}")))?;
    read(event)
}

pub(super) fn read(event: wire::Event) -> Result<ProcessorEvent, CallError> {
    let object = &event.data.object;
    let text = |name: &str| object.get(name).and_then(id_of);
    let (object_id, object_kind) = (text("id"), text("object"));
    let is = |kind: &str| object_kind.as_deref() == Some(kind);
    let attempt =
        object.get("metadata").and_then(|metadata| metadata.get(wire::ATTEMPT)?.as_str()?.parse().ok());
    Ok(ProcessorEvent {
        created_at: facts::instant(event.created)?,
        session_id: object_id.clone().filter(|_| is("checkout.session")),
        payment_intent_id: if is("payment_intent") { object_id.clone() } else { text("payment_intent") },
        attempt: attempt.or_else(|| object.get("client_reference_id")?.as_str()?.parse().ok()),
        kind: kind(event.kind),
        id: event.id,
        live: event.livemode,
        object_id,
        object_kind,
    })
}

fn kind(word: String) -> EventKind {
    let known = PAYMENT_KINDS.into_iter().find(|known| *known == word);
    known.map_or(EventKind::NotOurs(word), EventKind::Payment)
}

/// A text, or the id of an object that stands in its place.
fn id_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned)
}
