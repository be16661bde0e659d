//! Events: which kinds concern us, where each one points, and the list of them. What an event says of an object
//! is never applied; the object is fetched.

use super::http::Transport;
use super::lists::{go_on_after, since};
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

/// The other kinds that a list is asked for, at most 20 as well. A webhook brings more of these families, see
/// [`event_kind`].
const OTHER_KINDS: [&str; 20] = [
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.funds_reinstated",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.updated",
    "charge.refunded",
    "mandate.updated",
    "payment_method.automatically_updated",
    "payment_method.detached",
    "payout.canceled",
    "payout.created",
    "payout.failed",
    "payout.paid",
    "payout.updated",
    "refund.created",
    "refund.failed",
    "refund.updated",
    "setup_intent.requires_action",
    "setup_intent.setup_failed",
    "setup_intent.succeeded",
];

/// A maker of a kind from Stripe's word.
type Kind = fn(String) -> EventKind;

/// What begins so is of this kind; the first that fits.
const FAMILIES: [(&str, Kind); 7] = [
    ("charge.dispute.", EventKind::Dispute),
    ("charge.refund", EventKind::Refund),
    ("refund.", EventKind::Refund),
    ("payout.", EventKind::Payout),
    ("mandate.", EventKind::Mandate),
    ("setup_intent.", EventKind::Setup),
    ("payment_method.", EventKind::SavedMethod),
];

/// The event in this JSON, as a webhook brought it or a list had it. Its object may be of any kind and version.
pub fn read_event(body: &[u8]) -> Result<ProcessorEvent, CallError> {
    let event: wire::Event =
        serde_json::from_slice(body).map_err(|error| CallError::Unreadable(format!("event: {error}")))?;
    read(event)
}

pub(super) fn read(event: wire::Event) -> Result<ProcessorEvent, CallError> {
    let object = &event.data.object;
    let text = |name: &str| object.get(name).and_then(id_of);
    let (object_id, object_kind) = (text("id"), text("object"));
    let is = |kind: &str| object_kind.as_deref() == Some(kind);
    let is_setup = is("checkout.session") && object.get("mode").and_then(Value::as_str) == Some("setup");
    let mark = |name: &str| object.get("metadata")?.get(name)?.as_str().map(str::to_owned);
    let attempt = mark(wire::ATTEMPT).and_then(|mark| mark.parse().ok());
    Ok(ProcessorEvent {
        created_at: facts::instant(event.created)?,
        session_id: object_id.clone().filter(|_| is("checkout.session")),
        payment_intent_id: if is("payment_intent") { object_id.clone() } else { text("payment_intent") },
        attempt: attempt.or_else(|| object.get("client_reference_id")?.as_str()?.parse().ok()),
        setup: mark(wire::SETUP),
        kind: if is_setup { EventKind::Setup(event.kind) } else { event_kind(&event.kind) },
        id: event.id,
        live: event.livemode,
        object_id,
        object_kind,
    })
}

/// What a kind of event is to us, by Stripe's word for it. An event of a page on which a payer only leaves a method has
/// the word of a payment's page: [`read_event`] tells them apart.
pub fn event_kind(word: &str) -> EventKind {
    if let Some(known) = PAYMENT_KINDS.into_iter().find(|known| *known == word) {
        return EventKind::Payment(known);
    }
    let family = FAMILIES.into_iter().find(|(family, _)| word.starts_with(family));
    family.map_or(EventKind::NotOurs as Kind, |(_, kind)| kind)(word.to_owned())
}

/// The events of a span, of both lists of kinds, the oldest first. Where one of them had too many, what is older than the
/// oldest of those it gave is left out of both: the span is not covered there.
pub(super) async fn list(transport: &Transport, span: Span) -> Result<EventList, CallError> {
    let payments = list_kinds(transport, span, &PAYMENT_KINDS).await?;
    let others = list_kinds(transport, span, &OTHER_KINDS).await?;
    let covered_from = [&payments, &others]
        .into_iter()
        .filter(|list| !list.complete)
        .filter_map(|list| Some(list.events.first()?.event.created_at))
        .max();
    let complete = payments.complete && others.complete;
    let mut events: Vec<ListedEvent> = payments.events.into_iter().chain(others.events).collect();
    events.retain(|listed| covered_from.is_none_or(|from| listed.event.created_at >= from));
    events.sort_by_key(|listed| listed.event.created_at);
    Ok(EventList { events, complete })
}

/// Stripe lists the newest first, so of a span with too many the oldest are missing.
async fn list_kinds(transport: &Transport, span: Span, kinds: &[&str]) -> Result<EventList, CallError> {
    let mut query = since(span.from);
    query.extend(span.to.map(|to| ("created[lte]", to.as_second().to_string())));
    query.extend(kinds.iter().map(|kind| ("types[]", (*kind).to_owned())));
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
