//! `/v1/events`: what happened, for those who missed a webhook.

use serde_json::{Value, json};

use super::{API_VERSION, Reply, list as listing};
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::Event;
use crate::webhooks;
use crate::work::Work;

const MAX_TYPES: usize = 20;

/// Reads one event.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let event: Event = work.get(id, "id")?;
    Reply::ok(view(&event, webhooks::pending(work.connection, id)?))
}

/// Lists events, newest first, by type or types if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    let types = form.take_list("types");
    let one_type = form.take("type")?;
    if one_type.is_some() && !types.is_empty() {
        return Err(ApiError::invalid("You may only specify one of these parameters: type, types.")
            .param("types")
            .into());
    }
    if types.len() > MAX_TYPES {
        return Err(ApiError::invalid(format!("You may specify at most {MAX_TYPES} types."))
            .param("types")
            .into());
    }
    if !types.is_empty() {
        query.equal.push(("type", types));
    }
    if let Some(kind) = one_type {
        // `charge.*` stands for every type that begins so.
        match kind.strip_suffix('*') {
            Some(prefix) => query.equal.push(("type", webhooks::types_with_prefix(work.connection, prefix)?)),
            None => query.equal.push(("type", vec![kind])),
        }
    }
    listing::answer(work, &query, "/v1/events", |event: &Event| {
        // A count that cannot be read is shown as none pending; the event itself is what matters.
        view(event, webhooks::pending(work.connection, &event.id).unwrap_or(0))
    })
}

/// An event as callers and webhooks see it.
pub(crate) fn view(event: &Event, pending_webhooks: i64) -> Value {
    json!({
        "id": event.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": event.created,
        "data": { "object": event.object },
        "livemode": false,
        "pending_webhooks": pending_webhooks,
        "request": { "id": event.request_id, "idempotency_key": event.idempotency_key },
        "type": event.kind,
    })
}
