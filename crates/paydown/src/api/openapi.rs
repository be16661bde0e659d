//! The description of the API: what the routes say of themselves, with what they have in common, as OpenAPI 3.1.

use super::problem::ProblemBody;
use crate::pages::reference::Reference;
use askama::Template as _;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use std::sync::Arc;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ArrayItems, Object, Schema};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

/// The description changes with the program only.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=300");

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
        (name = "Surcharges", description = "What payers pay on top"),
        (name = "Payouts", description = "What the processor transferred to the bank"),
        (name = "Credit", description = "Customer credit, and credit notes, which lower what an invoice asks"),
        (name = "Disputes", description = "Card payments that their holders contest"),
        (name = "Refunds", description = "Money that goes back to who paid it"),
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

/// Puts what is said of a field into the field's own schema. As it is derived, a field whose type is written out in place has
/// both, and what is said of it is a schema that asks for an object: together they allow nothing.
pub fn settle(described: &mut utoipa::openapi::OpenApi) {
    for schema in described.components.iter_mut().flat_map(|components| components.schemas.values_mut()) {
        settle_schema(schema);
    }
}

fn settle_schema(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    if let Schema::AllOf(both) = schema
        && let Some((own, said)) = said_of_own(&both.items)
    {
        *schema = with_what_is_said(own.clone(), said.clone());
    }
    match schema {
        Schema::Object(object) => object.properties.values_mut().for_each(settle_schema),
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                settle_schema(items);
            }
        }
        Schema::OneOf(one) => one.items.iter_mut().for_each(settle_schema),
        Schema::AnyOf(any) => any.items.iter_mut().for_each(settle_schema),
        Schema::AllOf(all) => all.items.iter_mut().for_each(settle_schema),
        _ => {}
    }
}

/// The two parts of a field as it is derived: its own schema, and an object of nothing but words.
fn said_of_own(items: &[RefOr<Schema>]) -> Option<(&Schema, &Object)> {
    match items {
        [RefOr::T(own), RefOr::T(Schema::Object(said))] if said.properties.is_empty() => Some((own, said)),
        _ => None,
    }
}

fn with_what_is_said(mut own: Schema, said: Object) -> Schema {
    let (description, example, examples) = match &mut own {
        Schema::Object(own) => (&mut own.description, &mut own.example, &mut own.examples),
        Schema::AnyOf(own) => (&mut own.description, &mut own.example, &mut own.examples),
        Schema::OneOf(own) => (&mut own.description, &mut own.example, &mut own.examples),
        Schema::AllOf(own) => (&mut own.description, &mut own.example, &mut own.examples),
        Schema::Array(own) => (&mut own.description, &mut own.example, &mut own.examples),
        _ => return own,
    };
    *description = said.description.or_else(|| description.take());
    if said.example.is_some() {
        *example = said.example;
        examples.clear();
    }
    own
}

/// `GET /v1/openapi.json`.
pub async fn json(described: Arc<utoipa::openapi::OpenApi>) -> Response {
    let headers =
        [(header::CONTENT_TYPE, HeaderValue::from_static("application/json")), (header::CACHE_CONTROL, KEPT)];
    match described.to_json() {
        Ok(json) => (headers, json).into_response(),
        Err(error) => super::problem::Problem::from(anyhow::Error::from(error)).into_response(),
    }
}

/// The reference as a page, which is the same for everybody.
pub fn page(described: &utoipa::openapi::OpenApi, origin: &str) -> anyhow::Result<String> {
    Ok(Reference::new(&serde_json::to_value(described)?, origin).render()?)
}

/// `GET /v1/docs`.
pub async fn docs(page: Arc<anyhow::Result<String>>) -> Response {
    match &*page {
        Ok(page) => ([(header::CACHE_CONTROL, KEPT)], Html(page.clone())).into_response(),
        Err(error) => super::problem::Problem::from(anyhow::anyhow!("{error:#}")).into_response(),
    }
}
