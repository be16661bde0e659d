//! The HTTP server: accepting connections, the order of checks around an API call, and the answers that never come.
//!
//! A call that has begun is never stopped because its caller has gone: it runs in a task of its own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, FromRequest as _, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri};
use axum::routing::{any, get};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt as _;

use crate::api::files::{self, MAX_BODY_BYTES};
use crate::api::{self, API_VERSION, Route};
use crate::app::App;
use crate::error::{ApiError, Failure};
use crate::faults::{Fault, FaultKind};
use crate::form::Form;
use crate::idempotency::Guard;
use crate::spoiling::Spoiling;
use crate::work::{Cause, Work};
use crate::{auth, control, pages};

/// Marks a response that must not be sent: the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutConnection {
    pub(crate) is_reset: bool,
}

/// Who is at the other end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Why a connection ended without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection was cut by a fault")]
struct Cut;

/// Every route of the sandbox.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/v1/{*rest}", any(api_call))
        .route_layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .nest("/control", control::router())
        .merge(pages::router())
        .route("/", get(pages::home))
        .with_state(app)
}

/// Accepts connections until the sandbox stops.
pub(crate) async fn serve(app: App, listener: TcpListener) {
    let router = router(app.clone());
    loop {
        let accepted = tokio::select! {
            () = app.stopping.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                let connection = connection(router.clone(), stream, peer);
                let stopping = app.stopping.clone();
                app.tasks.spawn(async move {
                    tokio::select! {
                        () = stopping.cancelled() => {}
                        () = connection => {}
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "the practice processor could not accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(router: Router, stream: TcpStream, peer: SocketAddr) {
    // A second handle on the socket: a reset needs it after the server has the first.
    let Ok(stream) = stream.into_std() else { return };
    let (Ok(handle), Ok(stream)) = (stream.try_clone(), TcpStream::from_std(stream)) else { return };
    let handle = Arc::new(handle);
    let for_service = Arc::clone(&handle);
    let service = hyper::service::service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
        let router = router.clone();
        let handle = Arc::clone(&for_service);
        async move {
            let mut request: Request = request.map(Body::new);
            request.extensions_mut().insert(Peer(peer));
            let response = router.oneshot(request).await.unwrap_or_else(|never: Infallible| match never {});
            match response.extensions().get::<CutConnection>() {
                None => Ok(response),
                Some(cut) => {
                    if cut.is_reset {
                        reset(&handle);
                    }
                    Err(Cut)
                }
            }
        }
    });
    // Errors here are callers that hung up, and our own cuts.
    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.ok();
    drop(handle);
}

/// Makes the close that follows a reset instead of an orderly end.
fn reset(handle: &std::net::TcpStream) {
    let lingering =
        handle.try_clone().and_then(TcpStream::from_std).and_then(|stream| stream.set_zero_linger());
    if let Err(error) = lingering {
        tracing::warn!(%error, "the connection ends in order instead of being reset");
    }
}

impl CutConnection {
    /// The response that stands for closing the connection.
    pub(crate) fn response(self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(self);
        response
    }
}

/// What an API call came to.
struct Answer {
    status: u16,
    body: Value,
    /// How a fault spoils it on its way.
    spoiling: Option<Spoiling>,
    /// The request whose kept answer this is.
    replayed_of: Option<String>,
}

impl Answer {
    fn refusal(error: &ApiError) -> Self {
        Self { status: error.status, body: error.body(), spoiling: None, replayed_of: None }
    }
}

/// An API call as it came, checked and matched.
struct Call {
    route: &'static Route,
    id: String,
    parameters: Bytes,
    guard: Option<Guard>,
    cause: Cause,
    fault: Option<Fault>,
}

async fn api_call(State(app): State<App>, request: Request) -> Response<Body> {
    let request_id = app.next_request_id();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let headers = request.headers().clone();
    let prepared = match read_body(&app, request).await {
        Ok(body) => prepare(&app, &method, &uri, &headers, body, &request_id),
        Err(error) => Err(error),
    };
    let answer = match prepared {
        Ok(call) => perform(&app, call).await,
        Err(error) => Ok(Answer::refusal(&error)),
    };
    match answer {
        Ok(answer) => {
            let mut response = respond(&answer, &request_id, &headers);
            // By the handed-in clock, as the signatures of webhooks: the caller has it too, and knows nothing of our offset.
            if let Some(date) = app.date_header() {
                response.headers_mut().insert("date", date);
            }
            response
        }
        Err(cut) => cut.response(),
    }
}

/// The parameters of a call. An upload becomes parameters; nobody without a key gets so far as to upload.
async fn read_body(app: &App, request: Request) -> Result<Bytes, ApiError> {
    auth::check(request.headers(), &app.environment.secret_key)?;
    let kind = request.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_upload = kind.is_some_and(|kind| kind.starts_with("multipart/form-data"));
    if is_upload && request.uri().path() == "/v1/files" {
        return files::read_upload(request).await;
    }
    Bytes::from_request(request, &())
        .await
        .map_err(|error| ApiError::invalid(format!("The request cannot be read: {error}")))
}

fn prepare(
    app: &App,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: Bytes,
    request_id: &str,
) -> Result<Call, ApiError> {
    let path = uri.path();
    let (route, id) = api::find_route(method.as_str(), path)?;
    let is_post = route.method == "POST";
    let parameters =
        if is_post { body } else { Bytes::copy_from_slice(uri.query().unwrap_or("").as_bytes()) };
    let key = headers.get("idempotency-key").and_then(|value| value.to_str().ok()).filter(|_| is_post);
    let guard = key.map(|key| Guard::new(key, method.as_str(), path, &parameters)).transpose()?;
    let cause = Cause { request_id: Some(request_id.to_owned()), idempotency_key: key.map(str::to_owned) };
    let fault = app.faults.take(method.as_str(), path);
    Ok(Call { route, id: id.to_owned(), parameters, guard, cause, fault })
}

/// Runs a call through its fault; an error means that no answer is given.
async fn perform(app: &App, call: Call) -> Result<Answer, CutConnection> {
    let delay = call.fault.as_ref().map(Fault::delay).unwrap_or_default();
    match call.fault.as_ref().map(|fault| fault.fault) {
        Some(FaultKind::TooManyRequests) => Ok(Answer::refusal(&ApiError::too_many_requests())),
        Some(FaultKind::Conflict) => Ok(Answer::refusal(&ApiError::idempotency_conflict())),
        Some(FaultKind::Truncated) => {
            let answer = execute_in_task(app, call, Duration::ZERO).await;
            Ok(Answer { spoiling: Some(Spoiling::Truncated), ..answer })
        }
        Some(FaultKind::InvalidJson) => {
            let answer = execute_in_task(app, call, Duration::ZERO).await;
            Ok(Answer { spoiling: Some(Spoiling::NoJson), ..answer })
        }
        Some(FaultKind::SlowDrip) => {
            let answer = execute_in_task(app, call, Duration::ZERO).await;
            Ok(Answer { spoiling: Some(Spoiling::Dripped(delay)), ..answer })
        }
        Some(FaultKind::Reset) => Err(CutConnection { is_reset: true }),
        Some(FaultKind::TimeoutBefore) => {
            hold(app, delay).await;
            Err(CutConnection { is_reset: false })
        }
        Some(FaultKind::TimeoutAfter) => {
            execute_in_task(app, call, Duration::ZERO).await;
            hold(app, delay).await;
            Err(CutConnection { is_reset: false })
        }
        Some(FaultKind::Slow) => Ok(execute_in_task(app, call, delay).await),
        Some(FaultKind::Status500Before | FaultKind::Status500After) | None => {
            Ok(execute_in_task(app, call, Duration::ZERO).await)
        }
    }
}

/// Holds a call that will get no answer, at most until the sandbox stops.
pub(crate) async fn hold(app: &App, delay: Duration) {
    tokio::select! {
        () = app.stopping.cancelled() => {}
        () = tokio::time::sleep(delay) => {}
    }
}

async fn execute_in_task(app: &App, call: Call, delay: Duration) -> Answer {
    let for_task = app.clone();
    let task = app.tasks.spawn(async move {
        let claim = call.guard.as_ref().map(|guard| for_task.running.claim(&guard.key)).transpose();
        let _claim = match claim {
            Ok(claim) => claim,
            Err(error) => return Answer::refusal(&error),
        };
        if !delay.is_zero() {
            hold(&for_task, delay).await;
        }
        execute(&for_task, call)
    });
    match task.await {
        Ok(answer) => answer,
        Err(error) => {
            tracing::error!(%error, "a call of the practice processor broke");
            Answer::refusal(&ApiError::broken())
        }
    }
}

fn execute(app: &App, call: Call) -> Answer {
    let Call { route, id, parameters, guard, cause, fault } = call;
    let outcome = app.work(cause, |work| {
        if let Some(kept) = guard.as_ref().map(|guard| guard.kept(work)).transpose()?.flatten() {
            let replayed_of = Some(kept.request_id);
            return Ok(Answer { status: kept.status, body: kept.body, spoiling: None, replayed_of });
        }
        let fault = fault.map(|fault| fault.fault);
        let (answer, is_kept) = if fault == Some(FaultKind::Status500Before) {
            (Answer::refusal(&ApiError::broken()), true)
        } else {
            run(work, route, &id, &parameters)?
        };
        let answer = if fault == Some(FaultKind::Status500After) {
            Answer::refusal(&ApiError::broken())
        } else {
            answer
        };
        if let Some(guard) = guard.as_ref().filter(|_| is_kept) {
            guard.keep(work, answer.status, &answer.body)?;
        }
        Ok(answer)
    });
    match outcome {
        Ok(answer) => answer,
        Err(Failure::Refused(error)) => Answer::refusal(&error),
        Err(Failure::Broken(error)) => {
            tracing::error!(error = format!("{error:#}"), "a call of the practice processor broke");
            Answer::refusal(&ApiError::broken())
        }
    }
}

/// Runs the handler; a refusal undoes what it did. Also says whether the answer is kept under the key.
fn run(work: &Work<'_>, route: &Route, id: &str, parameters: &[u8]) -> Result<(Answer, bool), Failure> {
    work.connection.execute_batch("SAVEPOINT call")?;
    let outcome = Form::parse(parameters).map_err(Failure::from).and_then(|form| route.run(work, id, form));
    match outcome {
        Ok(reply) => {
            work.connection.execute_batch("RELEASE call")?;
            let answer = Answer { status: reply.status, body: reply.body, spoiling: None, replayed_of: None };
            Ok((answer, true))
        }
        Err(Failure::Refused(error)) => {
            work.connection.execute_batch("ROLLBACK TO call; RELEASE call")?;
            Ok((Answer::refusal(&error), error.stored))
        }
        Err(broken) => Err(broken),
    }
}

fn respond(answer: &Answer, request_id: &str, headers: &HeaderMap) -> Response<Body> {
    let body = answer.body.to_string();
    let body = match answer.spoiling {
        Some(spoiling) => spoiling.body(body),
        None => Body::from(body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let version =
        headers.get("stripe-version").cloned().unwrap_or_else(|| HeaderValue::from_static(API_VERSION));
    let out = response.headers_mut();
    out.insert("content-type", HeaderValue::from_static("application/json"));
    out.insert("cache-control", HeaderValue::from_static("no-cache, no-store"));
    out.insert("stripe-version", version);
    if let Ok(value) = HeaderValue::from_str(request_id) {
        out.insert("request-id", value);
    }
    if let Some(key) = headers.get("idempotency-key") {
        out.insert("idempotency-key", key.clone());
    }
    if let Some(original) = &answer.replayed_of {
        out.insert("idempotent-replayed", HeaderValue::from_static("true"));
        if let Ok(value) = HeaderValue::from_str(original) {
            out.insert("original-request", value);
        }
    }
    if answer.status == 429 {
        out.insert("retry-after", HeaderValue::from_static("1"));
    }
    response
}
