//! The practice mailbox: the messages in a folder, as pages, so that a demo's mail can be read and its links followed. It
//! holds codes and links, so it answers this machine only; it must never run what a mail brings, nor change a file.

mod letter;

use crate::assets;
use askama::Template;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use letter::{Letter, Piece, pieces};
use std::path::PathBuf;
use std::sync::Arc;

/// So many mails are listed.
const LISTED: usize = 200;
/// Pages of ours: our own style sheet and icon, and the mail in a frame.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'; \
                           frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// The mail itself: no script, no request, no form. A click may take the whole tab along, as in a mail program.
const MAIL_POLICY: &str = "sandbox allow-top-navigation-by-user-activation; default-src 'none'; \
                           style-src 'unsafe-inline'; frame-ancestors 'self'; form-action 'none'";

/// The pages over one folder. To be served on a loopback address; a request that names another host is refused, so that
/// no web page elsewhere can read the mail through a name of its own.
pub fn router(folder: PathBuf) -> Router {
    Router::new()
        .route("/", get(list))
        .route("/mail/{name}", get(show))
        .route("/mail/{name}/html", get(html_part))
        .route("/assets/{name}", get(asset))
        .route("/favicon.ico", get(icon))
        .layer(middleware::from_fn(guard))
        .with_state(Arc::new(folder))
}

#[derive(Template)]
#[template(path = "mailbox/list.html")]
struct ListPage {
    letters: Vec<Letter>,
    more: bool,
}

#[derive(Template)]
#[template(path = "mailbox/letter.html")]
struct LetterPage {
    letter: Letter,
    lines: Vec<Vec<Piece>>,
    has_html: bool,
}

impl ListPage {
    fn css_url(&self) -> &'static str {
        css_url()
    }
}

impl LetterPage {
    fn css_url(&self) -> &'static str {
        css_url()
    }
}

fn css_url() -> &'static str {
    &assets::named("portal.css").url
}

async fn list(State(folder): State<Arc<PathBuf>>) -> Response {
    let read = tokio::task::spawn_blocking(move || letter::newest(&folder, LISTED)).await;
    match read {
        Ok(Ok((letters, more))) => page(&ListPage { letters, more }),
        Ok(Err(error)) => broken(&error.into()),
        Err(error) => broken(&error.into()),
    }
}

async fn show(State(folder): State<Arc<PathBuf>>, Path(name): Path<String>) -> Response {
    match read(folder, name).await {
        Ok(Some(letter)) => {
            let lines = letter.text.lines().map(pieces).collect();
            page(&LetterPage { lines, has_html: letter.html.is_some(), letter })
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(&error),
    }
}

async fn html_part(State(folder): State<Arc<PathBuf>>, Path(name): Path<String>) -> Response {
    match read(folder, name).await.map(|letter| letter.and_then(|letter| letter.html)) {
        // Without this a link would open inside the frame, which the portal refuses.
        Ok(Some(html)) => {
            let html = html.replacen("<head>", "<head><base target=\"_top\">", 1);
            ([(CONTENT_SECURITY_POLICY, MAIL_POLICY)], Html(html)).into_response()
        }
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => broken(&error),
    }
}

async fn read(folder: Arc<PathBuf>, name: String) -> anyhow::Result<Option<Letter>> {
    Ok(tokio::task::spawn_blocking(move || letter::find(&folder, &name)).await??)
}

async fn asset(Path(name): Path<String>) -> Response {
    match assets::find(&name) {
        Some(asset) => ([(CONTENT_TYPE, asset.content_type)], asset.bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn icon() -> Response {
    let asset = assets::named("favicon.svg");
    ([(CONTENT_TYPE, asset.content_type)], asset.bytes.clone()).into_response()
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(CONTENT_SECURITY_POLICY, PAGE_POLICY)], Html(html)).into_response(),
        Err(error) => broken(&error.into()),
    }
}

fn broken(error: &anyhow::Error) -> Response {
    tracing::error!(error = format!("{error:#}"), "the practice mailbox cannot be read");
    (StatusCode::INTERNAL_SERVER_ERROR, "The practice mailbox cannot be read; the log says why.")
        .into_response()
}

/// Refuses other hosts' names, and gives every answer the headers that keep what it shows in place.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = if asks_this_machine(request.headers(), request.uri()) {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, "The practice mailbox answers this machine only.").into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in
        [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer"), (X_CONTENT_TYPE_OPTIONS, "nosniff")]
    {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(PAGE_POLICY));
    response
}

fn asks_this_machine(headers: &HeaderMap, uri: &Uri) -> bool {
    let named = headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
    let Some(host) = named.or_else(|| uri.authority().map(|authority| authority.as_str())) else {
        return false;
    };
    let parsed = url::Url::parse(&format!("http://{host}/"));
    match parsed.as_ref().ok().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(number)) => number.is_loopback(),
        Some(url::Host::Ipv6(number)) => number.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
