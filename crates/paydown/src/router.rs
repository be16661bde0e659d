//! Every route on one screen, each with who may use it.

use crate::app::App;
use crate::portal::fail::Fail;
use crate::portal::{
    agreements, credit, files, help, identify, invoice, links, list, methods, pay, payment, sign_in,
};
use crate::{api, csp_reports, headers, webhooks};
use axum::Router;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use std::any::Any;
use std::time::Duration;
use store::db::{MigrateError, status};
use store::migrations::MIGRATIONS;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::timeout::TimeoutLayer;

/// The largest form that is read, bytes.
const LARGEST_FORM: usize = 64 * 1024;
/// A request is answered within so long.
const LONGEST_REQUEST: Duration = Duration::from_secs(30);

/// The program's routes.
pub fn router(app: App) -> Router {
    Router::new()
        // Anyone: says nothing but whether we are well.
        .route("/healthz", get(async || StatusCode::OK))
        .route("/readyz", get(ready))
        // Whoever can sign with the merchant's webhook secret.
        .route("/hooks/stripe/{merchant}", post(webhooks::receive))
        .layer(DefaultBodyLimit::max(webhooks::LARGEST_BODY))
        .merge(reports())
        .merge(public())
        .merge(help_pages())
        .merge(link_or_contact())
        .merge(contact())
        .merge(api::router(&app))
        .fallback(async || Fail::NotFound)
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONGEST_REQUEST))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), headers::around))
        .layer(CompressionLayer::new())
        .with_state(app)
}

/// Anyone's browser, by itself: counted and logged, believed by nobody.
fn reports() -> Router<App> {
    Router::new()
        .route("/csp-reports", post(csp_reports::receive))
        .layer(Extension(csp_reports::Brake::default()))
        .layer(DefaultBodyLimit::max(csp_reports::LARGEST_BODY))
}

/// Anyone: what shows nobody's invoices, and the ways in.
fn public() -> Router<App> {
    Router::new()
        .route("/assets/{name}", get(files::asset))
        .route("/favicon.svg", get(files::icon))
        .route("/favicon.ico", get(files::icon))
        .route("/p/{merchant}/{file}", get(files::brand))
        .route("/p/{merchant}/logo", get(files::logo))
        .route("/l/{token}", get(links::open))
        .route("/l/{token}/open", post(links::open_all_the_same))
        .route("/l/{token}/new", get(links::renewed).post(links::renew))
        .route("/p/{merchant}", get(sign_in::front))
        .route("/p/{merchant}/", get(sign_in::front))
        .route("/p/{merchant}/sign-in", get(sign_in::form).post(sign_in::ask))
        .route("/p/{merchant}/sign-in/code", get(sign_in::code_form).post(sign_in::try_code))
        .route("/p/{merchant}/sign-in/link", get(sign_in::link_form).post(sign_in::follow_link))
        .route("/p/{merchant}/sign-out", post(sign_in::leave))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// Anyone, without a session: what the program says about itself.
fn help_pages() -> Router<App> {
    Router::new()
        .route("/help", get(help::contents))
        .route("/help.md", get(help::contents_as_markdown))
        .route("/help/{page}", get(help::page))
        .route("/llms.txt", get(help::llms))
        .route("/llms-full.txt", get(help::llms_full))
        .route("/p/{merchant}/help", get(help::contents_in_portal))
        .route("/p/{merchant}/help.md", get(help::contents_in_portal_as_markdown))
        .route("/p/{merchant}/help/{page}", get(help::page_in_portal))
}

/// Who opened the invoice by link, or is signed in for its customer; `load` checks it and is the only way to an invoice.
fn link_or_contact() -> Router<App> {
    Router::new()
        .route("/p/{merchant}/stay", post(sign_in::stay))
        .route("/p/{merchant}/invoices/{id}", get(invoice::show))
        .route("/p/{merchant}/invoices/{id}/amount", get(invoice::amount))
        .route("/p/{merchant}/invoices/{id}/identify", get(identify::ask).post(identify::send))
        .route("/p/{merchant}/invoices/{id}/identify/code", get(identify::code_form).post(identify::try_code))
        .route("/p/{merchant}/invoices/{id}/pay", get(pay::form).post(pay::pay))
        .route("/p/{merchant}/payments/{id}", get(payment::show))
        .route("/p/{merchant}/payments/{id}/state", get(payment::state))
        .route("/p/{merchant}/payments/{id}/return", get(payment::returned))
        .route("/p/{merchant}/payments/{id}/turned-back", get(payment::turned_back))
        .route("/p/{merchant}/payments/{id}/continue", get(payment::go_on))
        .route("/p/{merchant}/payments/{id}/cancel", post(payment::cancel))
        .route("/p/{merchant}/payments/{id}/challenge", get(payment::challenge))
        .route("/p/{merchant}/payments/{id}/stop", post(payment::stop))
        .route("/p/{merchant}/payments/{id}/receipt", get(payment::receipt))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

/// Who is signed in with an address that the merchant knows.
fn contact() -> Router<App> {
    Router::new()
        .route("/p/{merchant}/invoices", get(list::show))
        .route("/p/{merchant}/invoices/{id}/credit", get(credit::form).post(credit::apply))
        .route("/p/{merchant}/companies", get(sign_in::companies).post(sign_in::choose))
        .route("/p/{merchant}/agreements/{id}", get(agreements::show))
        .route("/p/{merchant}/agreements/{id}/revoke", post(agreements::revoke))
        .route("/p/{merchant}/methods", get(methods::show))
        .route("/p/{merchant}/methods/add", get(methods::add_form).post(methods::add))
        .route("/p/{merchant}/methods/{id}/default", post(methods::make_default))
        .route("/p/{merchant}/methods/{id}/remove", get(methods::remove_form).post(methods::remove))
        .route("/p/{merchant}/methods/setups/{id}/return", get(methods::returned))
        .route("/p/{merchant}/methods/setups/{id}/turned-back", get(methods::turned_back))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
}

fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let words = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    tracing::error!(panic = words.unwrap_or("no words"), "a handler panicked");
    Fail::Ours.into_response()
}

/// 200 while the database answers, takes writes and is of this program's version, else 503 with the reason.
async fn ready(State(app): State<App>) -> (StatusCode, String) {
    if let Some(reason) = app.store.read_only_because() {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("read-only: {reason}\n"));
    }
    let reason = match status(&app.store, MIGRATIONS).await {
        Ok(status) if status.pending.is_empty() => return (StatusCode::OK, "ready\n".to_owned()),
        Ok(_) => "the database is older than this program\n",
        Err(error) if error.is::<MigrateError>() => "the database is not of this program's version\n",
        Err(_) => "the database does not answer\n",
    };
    (StatusCode::SERVICE_UNAVAILABLE, reason.to_owned())
}
