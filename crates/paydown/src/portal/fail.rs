//! How a handler fails, and the page that says so. Every unknown thing gives one and the same page.

use crate::app::App;
use crate::pages::error::{ErrorPage, PageError};
use crate::pages::link::LinkState;
use crate::portal::context::Ctx;
use crate::portal::next::Next;
use crate::portal::{links, load};
use askama::Template as _;
use axum::extract::FromRequestParts as _;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::{SignedDuration, Timestamp};
use store::db::StoreError;

/// Why there is no page. The middleware draws it.
#[derive(Clone, Debug)]
pub enum Fail {
    /// Nothing there, or not for this reader.
    NotFound,
    /// The form is not one of ours, or was drawn for another session.
    FormNotOurs,
    /// The session the form was drawn for is over; so far had somebody come.
    SessionOver(Option<Next>),
    /// The address does not do that.
    WrongMethod,
    /// More was sent than is taken.
    TooLarge,
    /// Sent in a form that is not understood.
    WrongType,
    /// Too often; it works again then.
    TooMany(Timestamp),
    /// Card payments are paused; they go on about then.
    Paused(Timestamp),
    /// The address cannot be read.
    NotUnderstood,
    /// The invoice was opened by link, too long ago; so far had somebody come.
    LinkClosed(Option<Next>),
    /// The database is busy, for a moment; or what the processor knows is still being looked through.
    Unavailable,
    /// The database takes no writes until somebody looks after it; everything can be read.
    ReadOnly,
    /// Our mistake.
    Ours,
}

impl From<anyhow::Error> for Fail {
    fn from(error: anyhow::Error) -> Fail {
        tracing::error!(error = format!("{error:#}"), "a page failed");
        match error.downcast_ref::<StoreError>() {
            Some(StoreError::ReadOnly(_)) => Fail::ReadOnly,
            Some(
                StoreError::Busy
                | StoreError::Unavailable(_)
                | StoreError::RolledBack(_)
                | StoreError::Closed,
            ) => Fail::Unavailable,
            _ => Fail::Ours,
        }
    }
}

impl From<askama::Error> for Fail {
    fn from(error: askama::Error) -> Fail {
        Fail::from(anyhow::Error::from(error))
    }
}

impl IntoResponse for Fail {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Why a handler ends before its own page.
#[derive(Debug)]
pub enum Instead {
    /// There is none.
    Fail(Fail),
    /// Another one is shown.
    Page(Box<Response>),
}

impl Instead {
    /// Another page, or the way to one.
    pub fn page(response: Response) -> Instead {
        Instead::Page(Box::new(response))
    }
}

impl<E> From<E> for Instead
where
    Fail: From<E>,
{
    fn from(error: E) -> Instead {
        Instead::Fail(Fail::from(error))
    }
}

impl IntoResponse for Instead {
    fn into_response(self) -> Response {
        match self {
            Instead::Fail(fail) => fail.into_response(),
            Instead::Page(page) => *page,
        }
    }
}

/// What is busy now is not busy a minute later.
const BUSY: SignedDuration = SignedDuration::from_mins(1);
/// Who cannot pay because nothing can be written tries again after so long.
const READ_ONLY: SignedDuration = SignedDuration::from_mins(5);
/// So much of a request's id finds it in the log of a day.
const REFERENCE_LETTERS: usize = 4;

/// The page of a failure.
pub async fn page(app: &App, mut parts: Parts, fail: Fail, request_id: &str) -> Response {
    let path = parts.uri.path().to_owned();
    if !is_portal(&path) {
        return plain(&fail).into_response();
    }
    let Ok(mut ctx) = Ctx::from_request_parts(&mut parts, app).await else {
        return plain(&fail).into_response();
    };
    let error = match fail {
        Fail::SessionOver(ref here) => {
            ctx.here.clone_from(here);
            let page = links::session_ended(&ctx, LinkState::SessionOver);
            return page.unwrap_or_else(|_| plain(&Fail::FormNotOurs).into_response());
        }
        Fail::LinkClosed(ref here) => {
            ctx.here.clone_from(here);
            let page = links::session_ended(&ctx, LinkState::SessionEnded);
            return page.unwrap_or_else(|_| plain(&fail).into_response());
        }
        Fail::NotFound => PageError::NotFound,
        Fail::FormNotOurs => PageError::FormNotOurs,
        Fail::NotUnderstood => PageError::NotUnderstood,
        Fail::WrongMethod => PageError::WrongMethod,
        Fail::TooLarge => PageError::TooLarge { limit: "64 KB".to_owned() },
        Fail::WrongType => PageError::WrongType,
        Fail::TooMany(until) => PageError::TooMany { until, today: ctx.today() },
        Fail::Paused(until) => PageError::Unavailable { back_at: Some(until) },
        Fail::Unavailable => PageError::Unavailable { back_at: Some(ctx.now + BUSY) },
        Fail::ReadOnly => PageError::Unavailable { back_at: None },
        Fail::Ours => PageError::Ours {
            reference: request_id.chars().take(REFERENCE_LETTERS).collect(),
            invoice: load::named_in(&ctx, &path).await,
        },
    };
    let page = ErrorPage { chrome: ctx.chrome(), error };
    let status = StatusCode::from_u16(page.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match page.render() {
        Ok(html) => (status, retry_after(&fail, ctx.now), Html(html)).into_response(),
        Err(_) => plain(&fail).into_response(),
    }
}

/// True for addresses of people's pages; everything else is answered in a line of text.
pub fn is_portal(path: &str) -> bool {
    path.starts_with("/p/") || path.starts_with("/l/")
}

fn retry_after(fail: &Fail, now: Timestamp) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let wait = match fail {
        Fail::TooMany(until) | Fail::Paused(until) => until.duration_since(now),
        Fail::Unavailable => BUSY,
        Fail::ReadOnly => READ_ONLY,
        _ => return headers,
    };
    if let Ok(value) = HeaderValue::from_str(&wait.as_secs().max(1).to_string()) {
        headers.insert(header::RETRY_AFTER, value);
    }
    headers
}

fn plain(fail: &Fail) -> (StatusCode, &'static str) {
    match fail {
        Fail::NotFound => (StatusCode::NOT_FOUND, "We cannot find that page.\n"),
        Fail::FormNotOurs | Fail::SessionOver(_) => {
            (StatusCode::FORBIDDEN, "That form did not come from this site.\n")
        }
        Fail::WrongMethod => (StatusCode::METHOD_NOT_ALLOWED, "That address does not do that.\n"),
        Fail::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "That was too large.\n"),
        Fail::WrongType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "That form is not understood.\n"),
        Fail::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many requests. Try again later.\n"),
        Fail::Paused(_) | Fail::Unavailable => {
            (StatusCode::SERVICE_UNAVAILABLE, "Busy. Try again shortly.\n")
        }
        Fail::NotUnderstood => (StatusCode::BAD_REQUEST, "That address is not understood.\n"),
        Fail::LinkClosed(_) => (StatusCode::FORBIDDEN, "Open the link in your e-mail again.\n"),
        Fail::ReadOnly => (StatusCode::SERVICE_UNAVAILABLE, "Nothing can be changed right now.\n"),
        Fail::Ours => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong at our end.\n"),
    }
}
