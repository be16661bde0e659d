//! `/v1/events`: what happened, in one order that never changes, for programs that follow.

use super::answers::{Common, Unclear};
use super::caller::{EventsRead, May};
use super::extract::Asked;
use super::fields;
use super::page::{Limit, List, no_such_row};
use super::problem::Problem;
use crate::actions::number_events::number_events;
use crate::app::App;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use store::db::Tx;
use store::events::{self, Event as Stored};
use utoipa::{IntoParams, ToSchema};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub struct Event {
    /// Its id; a follower knows by it what it has seen.
    #[schema(example = "evt_06a8q2m0000000000000000000")]
    id: String,
    /// What happened, noun and participle.
    #[serde(rename = "type")]
    #[schema(example = "payment.succeeded")]
    kind: String,
    /// Its place in the feed, from 1 without gap.
    number: i64,
    /// Id of the invoice it is about, where it is about one.
    invoice: Option<String>,
    /// Id of the payment it is about.
    payment: Option<String>,
    /// Facts of the moment; what they are depends on the type. Fetch the invoice or the payment for how it stands now.
    #[schema(value_type = Object)]
    data: serde_json::Map<String, serde_json::Value>,
    /// When it happened.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Where the feed is read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Rows of the page, 1 to 100.
    #[param(value_type = u16, minimum = 1, maximum = 100, default = 25)]
    #[serde(default)]
    limit: Limit,
    /// Begin after this event: the last one you have seen.
    #[param(inline)]
    starting_after: Option<fields::EventId>,
}

/// Follow what happens, oldest first
///
/// Keep the id of the last event you have seen and ask for what comes after it: nothing is left out and nothing comes twice,
/// whatever happens at the same moment.
#[utoipa::path(
    get, path = "/v1/events", tag = "Events", operation_id = "listEvents", params(Wanted),
    responses((status = 200, description = "A page of them", body = List<Event>), Common, Unclear),
    security(("key" = ["events:read"]))
)]
pub async fn list(
    State(app): State<App>,
    May(caller, _): May<EventsRead>,
    OriginalUri(uri): OriginalUri,
    Asked(wanted): Asked<Wanted>,
) -> Result<Response, Problem> {
    if let Err(error) = number_events(&app, caller.merchant).await {
        // Another process is at it, or nothing can be written: what has its number can be read all the same.
        tracing::warn!(error = format!("{error:#}"), "new events are not numbered yet");
    }
    let (merchant, after, limit) = (caller.merchant, wanted.starting_after.map(|id| id.0), wanted.limit);
    let found = app
        .store
        .read(async move |tx: &mut Tx| {
            let number = match after {
                None => Some(0),
                Some(id) => events::find(tx, merchant, id).await?.and_then(|event| event.feed_number),
            };
            let Some(number) = number else { return Ok(None) };
            events::feed(tx, merchant, number, limit.and_one()).await.map(Some)
        })
        .await?;
    let Some(found) = found else {
        return Err(no_such_row());
    };
    let rows = found.iter().map(Event::of).collect();
    Ok(List::of(rows, limit).answer(&uri, |row: &Event| &row.id))
}

impl Event {
    fn of(event: &Stored) -> Event {
        Event {
            id: event.id.to_string(),
            kind: event.kind.clone(),
            number: event.feed_number.unwrap_or_default(),
            invoice: event.invoice_id.map(|id| id.to_string()),
            payment: event.payment_id.map(|id| id.to_string()),
            data: serde_json::from_str(&event.data).unwrap_or_default(),
            created_at: event.at.to_string(),
        }
    }
}
