//! The control API under `/control`: what tests and demonstrations do to the processor that no merchant could.
//!
//! It takes and gives JSON, asks for no key, and answers callers on this machine only. `GET /control` lists it.

mod money;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::api::{payment_intents, sessions};
use crate::app::App;
use crate::books::{self, CaptureOverride};
use crate::calendar::DAY_SECONDS;
use crate::error::{ApiError, Failure};
use crate::faults::Fault;
use crate::fees::{FeeMode, Fees};
use crate::mandates::Acceptance;
use crate::objects::{Intent, Session, SetupIntent};
use crate::pages::pay::Input;
use crate::server::Peer;
use crate::webhooks::{self, WebhookManner, WebhookTarget};
use crate::work::{Cause, Work};
use crate::{banks, charging, currency, idempotency, pages, setting_up, store};

const HELP: &str = "Practice processor: control API. JSON in, JSON out, from this machine only. No real money moves.

GET    /control/books                 captured, refunded, disputed, paid out, fees, net per currency; counts of objects
GET    /control/sessions              every checkout session and its payment intent
POST   /control/sessions/{id}/pay     {\"card\": \"4242424242424242\", \"expiry\": \"12/34\", \"code\": \"123\", \"name\": \"Dana Payer\",
                                       \"challenge\": \"approve\" | \"refuse\" | \"nothing\"}
                                      a scripted payer; all but the card may be left out; the card may be a pm_card_... id
                                      {\"account\": \"000123456789\", \"routing\": \"110000000\", \"holder_type\": \"company\" | \"individual\",
                                      \"account_type\": \"checking\" | \"savings\"} or {\"iban\": \"AT611904300234573201\"} pays by bank debit
POST   /control/sessions/{id}/succeed_after_end
                                      money taken for a session that has expired
POST   /control/capture_override      {\"session\": id, \"amount\": minor units, \"currency\": \"usd\"}
                                      what the session's next capture takes instead of what was asked
GET    /control/faults                what is armed
POST   /control/faults                {\"route\": \"POST /v1/checkout/sessions\", \"fault\": kind, \"times\": 1, \"delay_ms\": 60000}
                                      kinds: timeout_before timeout_after status_500_before status_500_after 429 409 reset slow,
                                      and of API calls truncated invalid_json slow_drip
                                      routes name the path with {id} for an id, and may be of the pages: POST /c/pay/{id};
                                      slow on that one leaves the payment intent `processing` meanwhile
DELETE /control/faults                disarms all
GET    /control/webhooks              the delivery log
POST   /control/webhooks              {\"mode\": \"normal\" | \"hold\" | \"lose\" | \"duplicate\" | \"reverse\" | \"late\", \"delay_ms\": 0}
                                      late ones go out a day later by the sandbox's clock
POST   /control/webhooks/release      {\"order\": \"reverse\"} or nothing: lets held deliveries go
POST   /control/webhooks/resend       {\"event\": id}
POST   /control/webhooks/target       {\"url\": address, \"secret\": \"whsec_...\"}, or null for nobody
POST   /control/webhooks/drain        tries everything due now, without pauses
GET    /control/clock                 the sandbox's time
POST   /control/clock                 {\"advance_seconds\": n} or {\"advance_days\": n}: everything due meanwhile happens, each as of its time
                                      {\"skew_seconds\": n}: the dates of its answers are off by so much
POST   /control/keys/forget           every idempotency key is forgotten, as each is 24 hours after its use
POST   /control/fees                  {\"mode\": \"at_once\" | \"later\", \"basis_points\": 290, \"fixed\": {\"usd\": 30},
                                      \"bank_basis_points\": 80, \"bank_cap\": 500, \"dispute\": 1500, \"dispute_fee_returned\": false,
                                       \"settles_in\": [\"usd\", 1080000]}: the currency of the balance, and a rate in millionths
POST   /control/fees/release          books every charge that waits for its fee
";

/// The routes under `/control`.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(async || format!("{HELP}{}", money::HELP)))
        .route("/books", get(read_books))
        .route("/sessions", get(list_sessions))
        .route("/sessions/{id}/pay", post(pay))
        .route("/sessions/{id}/succeed_after_end", post(succeed_after_end))
        .route("/capture_override", post(override_capture))
        .route("/faults", get(list_faults).post(arm_fault).delete(disarm_faults))
        .route("/webhooks", get(list_deliveries).post(set_webhook_manner))
        .route("/webhooks/release", post(release_webhooks))
        .route("/webhooks/resend", post(resend_webhook))
        .route("/webhooks/target", post(set_webhook_target))
        .route("/webhooks/drain", post(drain_webhooks))
        .route("/clock", get(read_clock).post(advance_clock))
        .route("/keys/forget", post(forget_keys))
        .route("/fees", post(set_fees))
        .route("/fees/release", post(release_fees))
        .merge(money::router())
        .layer(middleware::from_fn(only_from_here))
}

type Answer = Result<Json<Value>, Refusal>;

/// A failure as the control API answers it.
struct Refusal(Failure);

impl<F: Into<Failure>> From<F> for Refusal {
    fn from(failure: F) -> Self {
        Self(failure.into())
    }
}

impl axum::response::IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = match self.0 {
            Failure::Refused(error) => *error,
            Failure::Broken(error) => {
                tracing::error!(error = format!("{error:#}"), "a control call broke");
                ApiError::broken()
            }
        };
        let status = StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(error.body())).into_response()
    }
}

/// Refuses other machines, and pages of other sites that a browser on this machine shows.
async fn only_from_here(request: Request<Body>, next: Next) -> Response {
    let is_local = request.extensions().get::<Peer>().is_some_and(|peer| peer.0.ip().is_loopback());
    let site = request.headers().get("sec-fetch-site").and_then(|value| value.to_str().ok());
    if is_local && matches!(site, None | Some("same-origin" | "none")) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "The control API answers this machine only.\n").into_response()
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    let body: &[u8] = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("The control call is not understood: {error}")))
}

async fn read_books(State(app): State<App>) -> Answer {
    let books = app.work(Cause::default(), books::read)?;
    Ok(Json(serde_json::to_value(books)?))
}

async fn list_sessions(State(app): State<App>) -> Answer {
    let listed = app.work(Cause::default(), |work| {
        let sessions: Vec<Session> = store::all(work.connection)?;
        sessions.iter().map(|session| with_intent(work, session)).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(Json(json!({ "sessions": listed })))
}

fn with_intent(work: &Work<'_>, session: &Session) -> Result<Value, Failure> {
    let mut view = sessions::view(work, session);
    if let Some(id) = &session.payment_intent {
        view["payment_intent"] = payment_intents::view(work, &work.own::<Intent>(id)?);
    }
    Ok(view)
}

/// What a scripted payer types.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payer {
    card: Option<String>,
    account: Option<String>,
    iban: Option<String>,
    #[serde(default = "test_routing")]
    routing: String,
    #[serde(default)]
    account_type: String,
    #[serde(default)]
    holder_type: String,
    #[serde(default = "far_expiry")]
    expiry: String,
    code: Option<String>,
    #[serde(default = "payer_name")]
    name: String,
    #[serde(default)]
    challenge: ChallengeAnswer,
}

fn far_expiry() -> String {
    "12/99".to_owned()
}

fn test_routing() -> String {
    banks::TEST_ROUTING.to_owned()
}

impl Payer {
    /// What is typed on the page.
    fn input(self) -> Result<Input, ApiError> {
        let is_sepa = self.iban.is_some();
        match (self.card, self.account.or(self.iban)) {
            (Some(number), None) => Ok(Input::Card(pages::pay::Typed {
                number,
                expiry: self.expiry,
                code: self.code,
                name: self.name,
            })),
            (None, Some(account)) => Ok(Input::Bank(pages::bank::Typed {
                is_sepa,
                name: self.name,
                routing: self.routing,
                account,
                account_type: self.account_type,
                holder_type: self.holder_type,
                has_agreed: true,
                acceptance: Acceptance {
                    accepted_at: None,
                    ip_address: Some("127.0.0.1".to_owned()),
                    user_agent: Some("Scripted payer".to_owned()),
                },
            })),
            _ => Err(ApiError::invalid("A scripted payer has a card, an account or an iban.")),
        }
    }
}

fn payer_name() -> String {
    "Dana Payer".to_owned()
}

/// What a scripted payer does when the bank asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChallengeAnswer {
    #[default]
    Approve,
    Refuse,
    Nothing,
}

async fn pay(State(app): State<App>, Path(id): Path<String>, body: Bytes) -> Answer {
    let payer: Payer = read(&body)?;
    let challenge = payer.challenge;
    pages::pay::submit_scripted(&app, &id, payer.input()?).await?;
    if challenge != ChallengeAnswer::Nothing {
        app.work(Cause::default(), |work| {
            let session: Session = work.get(&id, "session")?;
            if let Some(setup_id) = &session.setup_intent {
                let mut setup: SetupIntent = work.own(setup_id)?;
                if setup.challenge.is_some() {
                    setting_up::answer_challenge(work, &mut setup, challenge == ChallengeAnswer::Approve)?;
                }
            }
            let Some(intent_id) = &session.payment_intent else { return Ok(()) };
            let mut intent: Intent = work.own(intent_id)?;
            if intent.challenge.is_some() {
                charging::answer_challenge(work, &mut intent, challenge == ChallengeAnswer::Approve)?;
            }
            Ok(())
        })?;
    }
    let outcome = app.work(Cause::default(), |work| {
        let session: Session = work.get(&id, "session")?;
        let mut view = with_intent(work, &session)?;
        view["field_errors"] = serde_json::to_value(&session.page.problems)?;
        Ok(view)
    })?;
    Ok(Json(outcome))
}

async fn succeed_after_end(State(app): State<App>, Path(id): Path<String>) -> Answer {
    let view = app.work(Cause::default(), |work| {
        let mut session: Session = work.get(&id, "session")?;
        let intent = charging::capture_after_end(work, &mut session)?;
        Ok(payment_intents::view(work, &intent))
    })?;
    Ok(Json(view))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct OverrideRequest {
    session: String,
    amount: Option<i64>,
    currency: Option<String>,
}

async fn override_capture(State(app): State<App>, body: Bytes) -> Answer {
    let request: OverrideRequest = read(&body)?;
    app.work(Cause::default(), |work| {
        let session: Session = work.get(&request.session, "session")?;
        let taken = CaptureOverride {
            amount_minor: request.amount.unwrap_or(session.amount_minor),
            currency: request
                .currency
                .as_deref()
                .map(currency::parse)
                .transpose()?
                .unwrap_or(session.currency),
        };
        books::set_capture_override(work, &session.id, taken)
    })?;
    Ok(Json(json!({ "armed": true })))
}

async fn list_faults(State(app): State<App>) -> Answer {
    Ok(Json(json!({ "faults": app.faults.armed() })))
}

async fn arm_fault(State(app): State<App>, body: Bytes) -> Answer {
    let fault: Fault = read(&body)?;
    if !fault.route.contains(" /") {
        return Err(ApiError::invalid(
            "A fault's route is a method and a path: `POST /v1/checkout/sessions`.",
        )
        .into());
    }
    if !fault.fits() {
        return Err(
            ApiError::invalid("Answers that are no JSON are those of API calls: `POST /v1/…`.").into()
        );
    }
    app.faults.arm(fault);
    Ok(Json(json!({ "faults": app.faults.armed() })))
}

async fn disarm_faults(State(app): State<App>) -> Answer {
    app.faults.disarm_all();
    Ok(Json(json!({ "faults": [] })))
}

async fn list_deliveries(State(app): State<App>) -> Answer {
    let (manner, log) = app.read(|work| {
        let manner: WebhookManner = store::setting(work.connection, "webhooks")?;
        Ok((manner, webhooks::log(work.connection)?))
    })?;
    let url = app.webhook_target().map(|target| target.url);
    Ok(Json(json!({ "url": url, "mode": manner.mode, "delay_ms": manner.delay_ms, "deliveries": log })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MannerRequest {
    mode: webhooks::WebhookMode,
    #[serde(default)]
    delay_ms: u64,
}

async fn set_webhook_manner(State(app): State<App>, body: Bytes) -> Answer {
    let request: MannerRequest = read(&body)?;
    let manner = WebhookManner { mode: request.mode, delay_ms: request.delay_ms };
    app.read(|work| store::set_setting(work.connection, "webhooks", &manner))?;
    Ok(Json(serde_json::to_value(manner)?))
}

#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Order {
    #[default]
    AsHappened,
    Reverse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseRequest {
    #[serde(default)]
    order: Order,
}

async fn release_webhooks(State(app): State<App>, body: Bytes) -> Answer {
    let request: ReleaseRequest = read(&body)?;
    let released = app
        .work(Cause::default(), |work| webhooks::release(work.connection, request.order == Order::Reverse))?;
    Ok(Json(json!({ "released": released })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendRequest {
    event: String,
}

async fn resend_webhook(State(app): State<App>, body: Bytes) -> Answer {
    let request: ResendRequest = read(&body)?;
    app.work(Cause::default(), |work| {
        if !webhooks::event_exists(work.connection, &request.event)? {
            return Err(ApiError::missing_resource("event", &request.event, "event").into());
        }
        webhooks::resend(work.connection, &request.event)
    })?;
    Ok(Json(json!({ "queued": 1 })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetRequest {
    url: String,
    secret: String,
}

async fn set_webhook_target(State(app): State<App>, body: Bytes) -> Answer {
    let request: Option<TargetRequest> = read(&body)?;
    let url = request.as_ref().map(|target| target.url.clone());
    app.set_webhook_target(request.map(|target| WebhookTarget { url: target.url, secret: target.secret }));
    Ok(Json(json!({ "url": url })))
}

async fn drain_webhooks(State(app): State<App>) -> Answer {
    app.work(Cause::default(), |_| Ok(()))?;
    webhooks::pass(&app, true).await?;
    let log = app.read(|work| webhooks::log(work.connection))?;
    Ok(Json(json!({ "deliveries": log })))
}

async fn read_clock(State(app): State<App>) -> Answer {
    Ok(Json(
        json!({ "now": app.clock.now(), "offset_seconds": app.clock.offset_seconds(), "skew_seconds": app.clock.skew_seconds() }),
    ))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockRequest {
    #[serde(default)]
    advance_seconds: u32,
    #[serde(default)]
    advance_days: u16,
    skew_seconds: Option<i32>,
}

async fn advance_clock(State(app): State<App>, body: Bytes) -> Answer {
    let request: ClockRequest = read(&body)?;
    if let Some(skew_seconds) = request.skew_seconds {
        app.clock.set_skew_seconds(i64::from(skew_seconds));
    }
    let now = app
        .advance_clock(i64::from(request.advance_seconds) + i64::from(request.advance_days) * DAY_SECONDS)?;
    Ok(Json(
        json!({ "now": now, "offset_seconds": app.clock.offset_seconds(), "skew_seconds": app.clock.skew_seconds() }),
    ))
}

async fn forget_keys(State(app): State<App>) -> Answer {
    let forgotten = app.read(idempotency::forget_all)?;
    Ok(Json(json!({ "forgotten": forgotten })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FeesRequest {
    mode: Option<FeeMode>,
    basis_points: Option<u16>,
    fixed: Option<BTreeMap<String, u32>>,
    bank_basis_points: Option<u16>,
    bank_cap: Option<u32>,
    dispute: Option<u32>,
    dispute_fee_returned: Option<bool>,
    settles_in: Option<(String, i64)>,
}

async fn set_fees(State(app): State<App>, body: Bytes) -> Answer {
    let request: FeesRequest = read(&body)?;
    let fees = app.work(Cause::default(), |work| {
        let mut fees = Fees::load(work)?;
        fees.mode = request.mode.unwrap_or(fees.mode);
        fees.basis_points = request.basis_points.map_or(fees.basis_points, i64::from);
        fees.bank_basis_points = request.bank_basis_points.map_or(fees.bank_basis_points, i64::from);
        fees.bank_cap_minor = request.bank_cap.map_or(fees.bank_cap_minor, i64::from);
        fees.dispute_minor = request.dispute.map_or(fees.dispute_minor, i64::from);
        fees.returns_dispute_fee = request.dispute_fee_returned.unwrap_or(fees.returns_dispute_fee);
        if let Some((code, rate_millionths)) = request.settles_in {
            fees.settles_in = Some((currency::parse(&code)?, rate_millionths));
        }
        for (code, fixed_minor) in request.fixed.unwrap_or_default() {
            fees.fixed_minor.insert(currency::parse(&code)?, i64::from(fixed_minor));
        }
        fees.save(work)?;
        Ok(fees)
    })?;
    Ok(Json(serde_json::to_value(fees)?))
}

async fn release_fees(State(app): State<App>) -> Answer {
    let booked = app.work(Cause::default(), books::release_fees)?;
    Ok(Json(json!({ "booked": booked })))
}
