//! The description of the API: what the routes say of themselves, with what they have in common, as OpenAPI 3.1.

use super::problem::ProblemBody;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// What all routes have in common.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Paydown",
        description = "Invoices, and what is paid on them.\n\nAmounts are integers in minor units of their currency: 50000 is \
                       500.00 USD, 500 is 500 JPY. Ids begin with what they name. Days are civil dates in the merchant's time \
                       zone, instants are UTC. A request that was not answered may be repeated with the same Idempotency-Key: \
                       it is done once. Lists are followed with `starting_after` and the id of the last row seen.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
        version = "1"
    ),
    components(schemas(ProblemBody)),
    modifiers(&Key),
    tags(
        (name = "Customers", description = "Companies that are billed, and the people there who may sign in and pay"),
        (name = "Invoices", description = "Demands for payment and what is left on them"),
        (name = "Payment links", description = "Secret addresses of single invoices"),
        (name = "Payments", description = "Money received, by card or otherwise"),
        (name = "Events", description = "What happened, in order"),
    )
)]
pub struct Document;

struct Key;

impl Modify for Key {
    fn modify(&self, described: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A key made with `paydown key create`. It names its merchant; its scopes say what it may do."
                .to_owned(),
        );
        let components = described.components.get_or_insert_default();
        components.add_security_scheme("key", SecurityScheme::Http(bearer));
    }
}

/// `GET /v1/openapi.json`.
pub async fn json(described: Arc<utoipa::openapi::OpenApi>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    match described.to_json() {
        Ok(json) => (headers, json).into_response(),
        Err(error) => super::problem::Problem::from(anyhow::Error::from(error)).into_response(),
    }
}
