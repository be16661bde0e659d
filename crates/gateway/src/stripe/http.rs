//! The transport: one request, one bounded answer, and what its failure proves. Knows nothing of payments.
//!
//! Must never repeat a call by itself, follow a redirect, log a body, or send a key without encryption to another
//! machine.

use super::skew::Skew;
use super::{API_VERSION, wire};
use crate::{CallError, SecretText};
use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response, StatusCode, header};
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use url::{Host, Url};

/// Where Stripe is.
pub const DEFAULT_ADDRESS: &str = "https://api.stripe.com";
/// Where Stripe takes files; any other address takes them itself.
const FILES_ADDRESS: &str = "https://files.stripe.com";

/// A list of a hundred sessions with everything expanded is well below this.
const MAX_ANSWER_BYTES: usize = 8 * 1024 * 1024;
const MAX_WAIT_SECONDS: u32 = 3_600;
/// A file of 4 MiB takes its time, and nobody waits for it.
const UPLOAD_TAKES_AT_MOST: Duration = Duration::from_secs(60);
const USER_AGENT: &str = concat!("Paydown/", env!("CARGO_PKG_VERSION"));

/// How to reach one Stripe account.
#[derive(Clone, Debug)]
pub struct StripeConfig {
    /// A secret or restricted key; its prefix says whether it is live.
    pub secret_key: SecretText,
    /// Where the interface is, without `/v1`.
    pub address: String,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest wait for a whole answer.
    pub call_timeout: Duration,
}

impl StripeConfig {
    /// Stripe itself, with a connection within 5 s and an answer within 20 s.
    pub fn new(secret_key: SecretText) -> StripeConfig {
        StripeConfig {
            secret_key,
            address: DEFAULT_ADDRESS.to_owned(),
            connect_timeout: Duration::from_secs(5),
            call_timeout: Duration::from_secs(20),
        }
    }
}

/// Why a configuration cannot be used. Names nothing secret.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither `sk_test_`, `sk_live_`, `rk_test_` nor `rk_live_` in front.
    #[error("this is not a secret key: it starts with sk_test_, sk_live_, rk_test_ or rk_live_")]
    NotASecretKey,
    /// No web address.
    #[error("{0:?} is not the address of a processor")]
    Address(String),
    /// A key would cross a network in the clear.
    #[error("{0:?} is not encrypted: plain http is for this machine and for test keys only")]
    Plain(String),
    /// The client could not be made.
    #[error("the HTTP client could not be made: {0}")]
    Client(String),
}

/// Carries requests in place of the network, for a simulation in one process. It decides nothing about a call but whether it
/// arrives; what its failures prove is what the network's would.
#[async_trait]
pub trait Carrier: fmt::Debug + Send + Sync {
    /// Carries one request to the processor, and its answer back.
    async fn carry(&self, request: reqwest::Request) -> Result<Response, CallError>;
}

/// A connection to one account in one mode.
#[derive(Debug)]
pub(super) struct Transport {
    client: Client,
    address: Url,
    files_address: Url,
    secret_key: SecretText,
    /// True if the key moves real money.
    pub(super) live: bool,
    pub(super) skew: Skew,
    /// Nothing but the network where there is none.
    pub(super) carrier: Option<Arc<dyn Carrier>>,
}

/// An answer that brought nothing, and the payment in it where a charge was declined.
struct Refusal {
    error: CallError,
    payment_intent: Option<serde_json::Value>,
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Refusal {
        Refusal { error, payment_intent: None }
    }
}

impl Transport {
    pub(super) fn try_new(config: StripeConfig) -> Result<Transport, ConfigError> {
        let live = is_live(config.secret_key.expose()).ok_or(ConfigError::NotASecretKey)?;
        let address = Url::parse(&config.address)
            .ok()
            .filter(|url| {
                matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.path() == "/"
            })
            .ok_or_else(|| ConfigError::Address(config.address.clone()))?;
        let local = is_this_machine(&address);
        if address.scheme() == "http" && (live || !local) {
            return Err(ConfigError::Plain(config.address));
        }
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(config.connect_timeout)
            .timeout(config.call_timeout);
        if local {
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| ConfigError::Client(error.to_string()))?;
        let official = config.address.trim_end_matches('/') == DEFAULT_ADDRESS;
        let files_address =
            Url::parse(FILES_ADDRESS).ok().filter(|_| official).unwrap_or_else(|| address.clone());
        let secret_key = config.secret_key;
        Ok(Transport {
            client,
            address,
            files_address,
            secret_key,
            live,
            skew: Skew::default(),
            carrier: None,
        })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, String)],
    ) -> Result<T, CallError> {
        let mut url = self.url(path)?;
        url.query_pairs_mut().extend_pairs(query);
        self.call(path, self.client.get(url)).await
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: String,
        key: &str,
    ) -> Result<T, CallError> {
        let request = self.form(path, body, key)?;
        self.call(path, request).await
    }

    /// The same for a charge. Stripe declines with an error that has the payment in it: that is an answer too.
    pub(super) async fn post_charge(
        &self,
        path: &str,
        body: String,
        key: &str,
    ) -> Result<wire::PaymentIntent, CallError> {
        let refusal = match self.exchange(path, self.form(path, body, key)?).await {
            Ok(body) => return parsed(path, &body),
            Err(refusal) => refusal,
        };
        let is_decline = matches!(refusal.error, CallError::Refused { status: 402, .. });
        match refusal.payment_intent.filter(|_| is_decline) {
            Some(intent) => serde_json::from_value(intent).map_err(|error| {
                CallError::Unreadable(format!("{path}: a decline without its payment: {error}"))
            }),
            None => Err(refusal.error),
        }
    }

    /// Uploads a file; `body` is what `content_type` says.
    pub(super) async fn upload<T: DeserializeOwned>(
        &self,
        path: &str,
        (content_type, body): (String, Vec<u8>),
        key: &str,
    ) -> Result<T, CallError> {
        let request = self
            .client
            .post(joined(&self.files_address, path)?)
            .header(header::CONTENT_TYPE, content_type)
            .header("Idempotency-Key", key)
            .timeout(UPLOAD_TAKES_AT_MOST)
            .body(body);
        self.call(path, request).await
    }

    fn form(&self, path: &str, body: String, key: &str) -> Result<RequestBuilder, CallError> {
        let request = self.client.post(self.url(path)?);
        Ok(request
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(body))
    }

    fn url(&self, path: &str) -> Result<Url, CallError> {
        joined(&self.address, path)
    }

    async fn call<T: DeserializeOwned>(&self, path: &str, request: RequestBuilder) -> Result<T, CallError> {
        let body = self.exchange(path, request).await.map_err(|refusal| refusal.error)?;
        parsed(path, &body)
    }

    async fn exchange(&self, path: &str, request: RequestBuilder) -> Result<Vec<u8>, Refusal> {
        let request = request.bearer_auth(self.secret_key.expose()).header("Stripe-Version", API_VERSION);
        let response = match &self.carrier {
            None => request.send().await.map_err(sending_failed)?,
            Some(carrier) => carrier.carry(request.build().map_err(sending_failed)?).await?,
        };
        self.skew.note(response.headers().get(header::DATE));
        let status = response.status();
        let request_id = text_header(&response, "request-id");
        tracing::debug!(path, status = status.as_u16(), request_id, "processor answered");
        if status.is_success() {
            return Ok(whole_body(response).await?);
        }
        Err(refusal(response, status, request_id).await)
    }
}

fn joined(address: &Url, path: &str) -> Result<Url, CallError> {
    address.join(path).map_err(|error| CallError::NotSent(format!("{path}: {error}")))
}

fn parsed<T: DeserializeOwned>(path: &str, body: &[u8]) -> Result<T, CallError> {
    serde_json::from_slice(body).map_err(|error| CallError::Unreadable(format!("{path}: {error}")))
}

/// What the failure to get a response proves: without a connection nothing was sent, else anything may have happened.
fn sending_failed(error: reqwest::Error) -> CallError {
    let never_sent = error.is_connect() || error.is_builder();
    let told = told(error);
    if never_sent { CallError::NotSent(told) } else { CallError::NoAnswer(told) }
}

async fn whole_body(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| CallError::NoAnswer(told(error)))? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(CallError::Unreadable(format!("an answer of more than {MAX_ANSWER_BYTES} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What an answer without success means. Source: <https://docs.stripe.com/api/errors>.
async fn refusal(response: Response, status: StatusCode, request_id: Option<String>) -> Refusal {
    let retry_after = text_header(&response, "retry-after").and_then(|text| text.trim().parse::<u32>().ok());
    let error = match status.as_u16() {
        409 => CallError::InProgress { request_id },
        429 => CallError::RateLimited {
            retry_after_seconds: retry_after.unwrap_or(1).clamp(1, MAX_WAIT_SECONDS),
        },
        408 => CallError::NoAnswer("the processor gave up waiting for the call".to_owned()),
        // 424: something that Stripe itself relies on failed.
        status @ (424 | 500..=599) => CallError::ServerError { status, request_id },
        status @ 400..=499 => match whole_body(response).await {
            Ok(body) => return refused(status, &body, request_id),
            Err(error) => error,
        },
        status => CallError::Unreadable(format!("status {status}, which is no answer")),
    };
    error.into()
}

/// A refusal is believed only in Stripe's own words: a proxy's 403 proves nothing.
fn refused(status: u16, body: &[u8], request_id: Option<String>) -> Refusal {
    let Ok(wire::ErrorAnswer { error }) = serde_json::from_slice(body) else {
        return CallError::Unreadable(format!("status {status} without an error in it")).into();
    };
    if error.kind.as_deref() == Some("idempotency_error") {
        return CallError::KeyReused { request_id }.into();
    }
    let message = error.message.unwrap_or_default();
    Refusal {
        error: CallError::Refused { status, code: error.code, message, param: error.param, request_id },
        payment_intent: error.payment_intent,
    }
}

/// The whole chain of causes, without the address (it may hold an id).
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut told = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        told.push_str(": ");
        told.push_str(&error.to_string());
        cause = error.source();
    }
    told
}

fn text_header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

fn is_live(secret_key: &str) -> Option<bool> {
    let (kind, rest) = secret_key.split_once('_')?;
    let (mode, rest) = rest.split_once('_')?;
    let whole = matches!(kind, "sk" | "rk")
        && !rest.is_empty()
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match mode {
        "live" if whole => Some(true),
        "test" if whole => Some(false),
        _ => None,
    }
}

fn is_this_machine(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}
