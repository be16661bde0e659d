//! The API for programs, `/v1`: the same actions as the pages, in JSON. Each route says which scope its key needs, and is
//! described by the code that answers it.
//!
//! It decides nothing about money and holds no state that matters: keys are read at each request.

#![expect(unused_qualifications, reason = "the macro that describes routes qualifies what it names")]

pub mod answers;
pub mod caller;
pub mod charges;
pub mod credit;
pub mod credit_notes;
pub mod customers;
pub mod cut_off;
pub mod disputes;
pub mod events;
pub mod extract;
pub mod fields;
pub mod invoices;
pub mod links;
pub mod mandates;
pub mod openapi;
pub mod page;
pub mod payment_methods;
pub mod payments;
pub mod payouts;
pub mod problem;
pub mod quotes;
pub mod refund_limits;
pub mod refunds;
pub mod resolutions;
pub mod retries;
pub mod reversals;
pub mod surcharges;
pub mod unmatched_receipts;

use crate::app::App;
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use std::sync::Arc;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// True for addresses of the API: their errors are problems, not pages.
pub fn is_api(path: &str) -> bool {
    path == "/v1" || path.starts_with("/v1/")
}

/// Whoever has a key with the scope that the route names; the description and its pages are anybody's.
pub fn router(app: &App) -> Router<App> {
    let (routes, described) = described();
    let counters = Arc::new(caller::Counters::default());
    let keyed = routes.route_layer(from_fn_with_state((app.clone(), counters), caller::around));
    let page = Arc::new(openapi::page(&described, &app.public_url));
    let described = Arc::new(described);
    keyed
        .route("/v1/openapi.json", get(move || openapi::json(Arc::clone(&described))))
        .route("/v1/docs", get(move || openapi::docs(Arc::clone(&page))))
}

/// The routes and what they say of themselves.
fn described() -> (Router<App>, utoipa::openapi::OpenApi) {
    let (routes, mut described) = OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(customers::create, customers::list))
        .routes(routes!(customers::show))
        .routes(routes!(customers::add_contact, customers::contacts))
        .routes(routes!(invoices::create, invoices::list))
        .routes(routes!(invoices::show))
        .routes(routes!(invoices::finalize))
        .routes(routes!(invoices::void))
        .routes(routes!(quotes::create))
        .routes(routes!(links::create, links::list, links::revoke))
        .routes(routes!(payments::record, payments::list))
        .routes(routes!(payments::show))
        .routes(routes!(surcharges::list, surcharges::set))
        .routes(routes!(payouts::list))
        .routes(routes!(payouts::show))
        .routes(routes!(resolutions::resolve))
        .routes(routes!(reversals::reverse))
        .routes(routes!(retries::retry))
        .routes(routes!(unmatched_receipts::record, unmatched_receipts::list))
        .routes(routes!(unmatched_receipts::show))
        .routes(routes!(unmatched_receipts::match_it))
        .routes(routes!(credit::show))
        .routes(routes!(credit::apply))
        .routes(routes!(credit::move_it))
        .routes(routes!(credit_notes::issue, credit_notes::list))
        .routes(routes!(credit_notes::show))
        .routes(routes!(credit_notes::write_off))
        .routes(routes!(credit_notes::demand))
        .routes(routes!(disputes::list))
        .routes(routes!(disputes::show, disputes::choose))
        .routes(routes!(disputes::evidence))
        .routes(routes!(disputes::accept))
        .routes(routes!(disputes::settings, disputes::set_settings))
        .routes(routes!(refunds::request, refunds::list))
        .routes(routes!(refunds::show))
        .routes(routes!(refunds::approve))
        .routes(routes!(refunds::refuse))
        .routes(routes!(refunds::mark_paid))
        .routes(routes!(refund_limits::set, refund_limits::show))
        .routes(routes!(charges::cancel))
        .routes(routes!(payment_methods::list))
        .routes(routes!(payment_methods::remove))
        .routes(routes!(mandates::list))
        .routes(routes!(mandates::show))
        .routes(routes!(mandates::end))
        .routes(routes!(cut_off::show, cut_off::set))
        .routes(routes!(events::list))
        .split_for_parts();
    openapi::settle(&mut described);
    (routes, described)
}

/// The description of the API, OpenAPI 3.1.
pub fn description() -> utoipa::openapi::OpenApi {
    described().1
}
