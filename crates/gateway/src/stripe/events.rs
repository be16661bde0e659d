//! Events: which kinds concern a payment, where each one points, and the list of them. What an event says of an object
//! is never applied; the object is fetched.

use super::client::{go_on_after, since};
use super::http::Transport;
use super::{facts, wire};
use crate::{CallError, EventKind, EventList, ListedEvent, ProcessorEvent, Span};
use serde::Deserialize as _;
use serde_json::Value;

/// Pages of a hundred that are read of one span; with more events it has to be asked for in parts.
const MAX_PAGES: usize = 20;
/// The same for a span of one second, which has no parts. Stripe itself lists far less in a second.
const MAX_PAGES_OF_A_SECOND: usize = 1_000;

/// The kinds after which a payment is looked at. `charge.updated` is how Stripe says that it now knows its fee.
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

/// The kinds that say that money moved in a way that is not booked yet: one for each way, since a list may ask for 20
/// kinds at most. A webhook brings the others of these families too, see [`event_kind`].
const NOT_BOOKED_KINDS: [&str; 5] = [
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.refunded",
    "payout.failed",
    "payout.paid",
];

/// What begins so is a refund, a dispute or a payout.
const NOT_BOOKED_FAMILIES: [&str; 4] = ["charge.dispute.", "charge.refund", "payout.", "refund."];

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
        kind: event_kind(&event.kind),
        id: event.id,
        live: event.livemode,
        object_id,
        object_kind,
    })
}

/// What a kind of event is to us, by Stripe's word for it.
pub fn event_kind(word: &str) -> EventKind {
    if let Some(known) = PAYMENT_KINDS.into_iter().find(|known| *known == word) {
        return EventKind::Payment(known);
    }
    let moves_money = NOT_BOOKED_FAMILIES.iter().any(|family| word.starts_with(family));
    if moves_money { EventKind::NotBooked(word.to_owned()) } else { EventKind::NotOurs(word.to_owned()) }
}

/// The events of a span. Stripe lists the newest first, so of a span with too many the oldest are missing.
pub(super) async fn list(transport: &Transport, span: Span) -> Result<EventList, CallError> {
    let mut query = since(span.from);
    query.extend(span.to.map(|to| ("created[lte]", to.as_second().to_string())));
    query.extend(PAYMENT_KINDS.into_iter().chain(NOT_BOOKED_KINDS).map(|kind| ("types[]", kind.to_owned())));
    let max_pages = if is_one_second(&span) { MAX_PAGES_OF_A_SECOND } else { MAX_PAGES };
    let mut found: Vec<ListedEvent> = Vec::new();
    for _ in 0..max_pages {
        let page: wire::List<Value> = transport.get("/v1/events", &query).await?;
        let last_id = page.data.iter().rev().find_map(|event| event.get("id")?.as_str().map(str::to_owned));
        for raw in page.data {
            found.extend(listed(raw, transport.live)?);
        }
        if !page.has_more {
            found.reverse();
            return Ok(EventList { events: found, complete: true });
        }
        go_on_after(&mut query, last_id.as_deref())?;
    }
    if is_one_second(&span) {
        return Err(CallError::Unreadable(format!("more than {max_pages} pages of events of one second")));
    }
    found.reverse();
    Ok(EventList { events: found, complete: false })
}

fn is_one_second(span: &Span) -> bool {
    span.to.is_some_and(|to| to.as_second() <= span.from.as_second())
}

/// One event of a list; nothing for one that cannot be read. One of the other mode says that the whole list is wrong.
fn listed(raw: Value, live: bool) -> Result<Option<ListedEvent>, CallError> {
    let event = match wire::Event::deserialize(&raw) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(id = ?raw.get("id"), kind = ?raw.get("type"), %error, "an event cannot be read, left out");
            return Ok(None);
        }
    };
    if event.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    match read(event) {
        Ok(event) => Ok(Some(ListedEvent { event, raw: raw.to_string() })),
        Err(error) => {
            tracing::error!(id = ?raw.get("id"), %error, "an event cannot be read, left out");
            Ok(None)
        }
    }
}

/// A text, or the id of an object that stands in its place.
fn id_of(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get("id")?.as_str()).map(str::to_owned)
}
