//! Where a processor reports what happened. Checked over the raw bytes, stored, acknowledged; applied by a worker.

use crate::actions::apply_event::{Received, receive_webhook};
use crate::app::App;
use crate::metrics;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use store::db::Tx;
use store::merchants;

/// The largest event that is read, bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;

/// `POST /hooks/stripe/{merchant}`.
///
/// 200 once the event is stored, also when it was there already; 400 for a signature that is not right; 404 where no
/// webhooks are set up; 503 when it could not be stored, so that the processor sends it again.
pub async fn receive(
    State(app): State<App>,
    Path(slug): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let signature = headers.get("stripe-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let found = app.store.read(async move |tx: &mut Tx| merchants::find_by_slug(tx, &slug).await).await;
    let merchant = match found {
        Ok(Some(merchant)) => merchant.id,
        Ok(None) => return StatusCode::NOT_FOUND,
        Err(error) => return unavailable(&error),
    };
    let received = receive_webhook(&app, merchant, &body, signature).await;
    metrics::webhook(match &received {
        Ok(Received::Stored) => "stored",
        Ok(Received::Repeated) => "repeated",
        Ok(Received::Refused) => "refused",
        Ok(Received::NotConnected) => "not connected",
        Err(_) => "failed",
    });
    match received {
        Ok(Received::Stored | Received::Repeated) => StatusCode::OK,
        Ok(Received::Refused) => StatusCode::BAD_REQUEST,
        Ok(Received::NotConnected) => StatusCode::NOT_FOUND,
        Err(error) => unavailable(&error),
    }
}

fn unavailable(error: &anyhow::Error) -> StatusCode {
    tracing::error!(error = format!("{error:#}"), "a webhook could not be stored");
    StatusCode::SERVICE_UNAVAILABLE
}
