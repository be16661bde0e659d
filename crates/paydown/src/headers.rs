//! What every response carries, errors and assets included, and the pages of errors. No handler sets these.

use crate::api::is_api;
use crate::api::problem::{Code, Problem};
use crate::app::App;
use crate::csp_reports::PATH;
use crate::metrics;
use crate::portal::context::client;
use crate::portal::fail::{self, Fail};
use axum::extract::{MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use data_encoding::BASE32HEX_NOPAD;
use jiff::Timestamp;
use tracing::{Instrument as _, Span};

/// In a response's extensions: where else its forms may lead. Browsers apply it to the redirect after a form too.
#[derive(Clone, Debug)]
pub struct FormAction(pub String);

/// In a request's extensions: what to quote to find it in the log.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Adds the headers, turns failures into pages, logs one line.
pub async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = BASE32HEX_NOPAD.encode(&app.mint().bytes::<5>());
    request.extensions_mut().insert(RequestId(id.clone()));
    let (parts, body) = request.into_parts();
    let kept = parts.clone();
    let began_at = app.clock.now();
    let span = tracing::info_span!("request", id);
    let mut response = next.run(Request::from_parts(parts, body)).instrument(span.clone()).await;
    if let Some(problem) = problem(&app, &response, kept.uri.path()) {
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(&id);
        for (name, value) in headers.iter().filter(|(name, _)| *name != header::CONTENT_LENGTH) {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
    } else if let Some(failure) = failure(&response, kept.uri.path()) {
        response = fail::page(&app, kept.clone(), failure, &id).instrument(span.clone()).await;
    }
    let https = app.public_url.starts_with("https://");
    let form_action = response.extensions().get::<FormAction>().map(|more| more.0.clone());
    add(response.headers_mut(), kept.uri.path(), https, form_action.as_deref());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    note(&app, &kept, response.status(), (began_at, &span));
    response
}

/// One line of the log and one tick of the figures. Figures go by route, and the path of a link is its secret.
fn note(app: &App, request: &Parts, status: StatusCode, (began_at, span): (Timestamp, &Span)) {
    let route = request.extensions.get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let took = app.clock.now().duration_since(began_at).unsigned_abs();
    metrics::request(route, request.method.as_str(), status, took);
    let path = if request.uri.path().starts_with("/l/") { "/l/…" } else { request.uri.path() };
    let (client, ms) = (client(request, app), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    let _in_span = span.enter();
    tracing::info!(%client, method = %request.method, route, path, status = status.as_u16(), ms, "answered");
}

/// What is told of a request of the API that failed, whether it says so itself or a part that it shares with the pages.
fn problem(app: &App, response: &Response, path: &str) -> Option<Problem> {
    if let Some(problem) = response.extensions().get::<Problem>() {
        return Some(problem.clone());
    }
    let failure = if is_api(path) { failure(response, path) } else { None };
    failure.map(|fail| match response.status() {
        StatusCode::REQUEST_TIMEOUT => Problem::new(Code::Timeout, "The request took too long."),
        _ => Problem::of(&fail, app.clock.now()),
    })
}

fn failure(response: &Response, path: &str) -> Option<Fail> {
    if let Some(fail) = response.extensions().get::<Fail>() {
        return Some(fail.clone());
    }
    if response.headers().contains_key(header::CONTENT_TYPE) && response.status() != StatusCode::BAD_REQUEST {
        return None;
    }
    match response.status() {
        StatusCode::METHOD_NOT_ALLOWED => Some(Fail::WrongMethod),
        StatusCode::REQUEST_TIMEOUT => Some(Fail::Ours),
        // A link that cannot even be read is as unknown as any other.
        StatusCode::BAD_REQUEST if path.starts_with("/l/") => Some(Fail::NotFound),
        StatusCode::BAD_REQUEST if fail::is_portal(path) => Some(Fail::NotUnderstood),
        _ => None,
    }
}

fn add(headers: &mut HeaderMap, path: &str, https: bool, form_action: Option<&str>) {
    let more = form_action.map_or_else(String::new, |origin| format!(" {origin}"));
    let csp = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; \
         base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'{more}; \
         report-uri {PATH}; report-to csp"
    );
    let csp = HeaderValue::from_str(&csp).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    headers.insert(header::CONTENT_SECURITY_POLICY, csp);
    if let Ok(endpoints) = HeaderValue::from_str(&format!("csp=\"{PATH}\"")) {
        headers.insert("reporting-endpoints", endpoints);
    }
    let referrer = if path.starts_with("/l/") { "no-referrer" } else { "same-origin" };
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", referrer),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
        ("x-robots-tag", "noindex"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if https {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
