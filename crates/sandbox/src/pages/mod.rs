//! The pages a payer sees: the hosted page for cards and bank accounts, the verification of an account, and the mock bank. They work without
//! script, keep no number of a card or an account, and say on every screen that
//! no real money moves.
//!
//! Every POST answers 303 to a GET; what went wrong is kept with the object and shown there. A form carries a token that works once.

pub(crate) mod bank;
pub(crate) mod challenge;
pub(crate) mod pay;
pub(crate) mod verify;

use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use axum::routing::get;

use crate::app::App;
use crate::error::{ApiError, Failure};
use crate::faults::{Fault, FaultKind};
use crate::server::{self, CutConnection};

const STYLE: &str = include_str!("../../assets/sandbox.css");
const ICON: &str = include_str!("../../assets/icon.svg");
const MAX_FORM_BYTES: usize = 16 * 1024;

/// The routes of the pages.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/c/pay/{id}", get(pay::show).post(pay::submit))
        .route("/c/challenge/{id}", get(challenge::show).post(challenge::submit))
        .route("/c/verify/{id}", get(verify::show).post(verify::submit))
        .route("/assets/sandbox.css", get(async || asset("text/css; charset=utf-8", STYLE)))
        .route("/assets/icon.svg", get(async || asset("image/svg+xml", ICON)))
        .route("/favicon.ico", get(async || asset("image/svg+xml", ICON)))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
}

/// A page that has nothing to fill in: an end, a wait, a wrong address.
#[derive(Template)]
#[template(path = "message.html")]
struct MessagePage<'a> {
    title: &'a str,
    text: &'a str,
    link: Option<(&'a str, &'a str)>,
}

/// What stands at `/`.
pub(crate) async fn home() -> Response<Body> {
    message(
        StatusCode::OK,
        "Practice processor",
        "This server stands in for a payment processor. It takes test cards and practice accounts only.",
        None,
    )
}

fn asset(kind: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn message(status: StatusCode, title: &str, text: &str, link: Option<(&str, &str)>) -> Response<Body> {
    page(status, &MessagePage { title, text, link }, None)
}

/// A page with its headers. `leads_to` is an address of another site that a form's answer may redirect to: browsers hold redirects to the form
/// policy too.
fn page(status: StatusCode, template: &impl Template, leads_to: Option<&str>) -> Response<Body> {
    let html = match template.render() {
        Ok(html) => html,
        Err(error) => {
            tracing::error!(%error, "a page of the practice processor could not be drawn");
            return plain(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The practice processor could not draw this page.\n",
            );
        }
    };
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = status;
    protect(&mut response, leads_to);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    protect(&mut response, None);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// 303: the next thing is a GET.
fn see_other(address: &str) -> Response<Body> {
    let Ok(location) = HeaderValue::from_str(address) else {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "The address to go to cannot be sent.\n");
    };
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    protect(&mut response, None);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

fn protect(response: &mut Response<Body>, leads_to: Option<&str>) {
    let origin = leads_to
        .and_then(|address| url::Url::parse(address).ok())
        .map(|url| url.origin().ascii_serialization());
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'{}{}; frame-ancestors 'none'; base-uri 'none'",
        if origin.is_some() { " " } else { "" },
        origin.unwrap_or_default(),
    );
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), geolocation=(), microphone=(), payment=()",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// A failure as a page: an unknown address is a 404, all else our fault.
fn failure(failure: Failure) -> Response<Body> {
    match failure {
        Failure::Refused(error) if error.status == 404 => message(
            StatusCode::NOT_FOUND,
            "There is no such page",
            "Check the address, or go back to where you came from.",
            None,
        ),
        Failure::Refused(error) => {
            message(StatusCode::BAD_REQUEST, "That did not work", error.message(), None)
        }
        Failure::Broken(error) => {
            tracing::error!(error = format!("{error:#}"), "a page of the practice processor broke");
            message(
                StatusCode::INTERNAL_SERVER_ERROR,
                "The practice processor broke",
                "Go back and try again.",
                None,
            )
        }
    }
}

/// Runs a page's submit through the fault that hits it. `act` is handed the fault's delay when the submit is to be slow.
async fn with_fault<F>(
    app: &App,
    fault: Option<Fault>,
    act: impl FnOnce(Option<Duration>) -> F,
) -> Response<Body>
where
    F: Future<Output = Response<Body>>,
{
    let broken =
        || plain(StatusCode::INTERNAL_SERVER_ERROR, "The practice processor broke, as it was told to.\n");
    let Some(fault) = fault else { return act(None).await };
    match fault.fault {
        FaultKind::Slow => act(Some(fault.delay())).await,
        FaultKind::Reset => CutConnection { is_reset: true }.response(),
        FaultKind::TimeoutBefore => {
            server::hold(app, fault.delay()).await;
            CutConnection { is_reset: false }.response()
        }
        FaultKind::TimeoutAfter => {
            act(None).await;
            server::hold(app, fault.delay()).await;
            CutConnection { is_reset: false }.response()
        }
        FaultKind::Status500Before => broken(),
        FaultKind::Status500After => {
            act(None).await;
            broken()
        }
        FaultKind::Truncated | FaultKind::InvalidJson => {
            act(None).await;
            CutConnection { is_reset: false }.response()
        }
        FaultKind::SlowDrip => {
            server::hold(app, fault.delay()).await;
            act(None).await
        }
        FaultKind::Conflict => plain(
            StatusCode::CONFLICT,
            "This form is being dealt with already. Wait a moment and try again.\n",
        ),
        FaultKind::TooManyRequests => {
            plain(StatusCode::TOO_MANY_REQUESTS, "Too many tries. Wait a moment and try again.\n")
        }
    }
}

/// The fields of a page's form.
fn form(body: &Bytes) -> Result<crate::form::Form, ApiError> {
    crate::form::Form::parse(body)
}
