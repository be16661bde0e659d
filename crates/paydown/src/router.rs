//! Every route on one screen, each with who may use it.

use crate::app::App;
use crate::webhooks;
use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use store::db::Tx;
use store::merchants;

/// The program's routes.
pub fn router(app: App) -> Router {
    Router::new()
        // Anyone: says nothing but whether we are well.
        .route("/healthz", get(async || StatusCode::OK))
        .route("/readyz", get(ready))
        // Whoever can sign with the merchant's webhook secret.
        .route("/hooks/stripe/{merchant}", post(webhooks::receive))
        .layer(DefaultBodyLimit::max(webhooks::LARGEST_BODY))
        .with_state(app)
}

/// 200 while the database answers and takes writes, else 503 with the reason.
async fn ready(State(app): State<App>) -> (StatusCode, String) {
    if let Some(reason) = app.store.read_only_because() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("read-only: {reason}\n"));
    }
    match app.store.read(async move |tx: &mut Tx| merchants::all(tx).await).await {
        Ok(_) => (StatusCode::OK, "ready\n".to_owned()),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n".to_owned()),
    }
}
