//! The network between the real adapter and the practice processor, both in this process: a request is handed over as bytes and
//! its answer too, unless fate has it otherwise.

use crate::fate::{Carriage, Fate, Place, Planned};
use crate::sabotage::Sabotage;
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, Uri};
use bytes::Bytes;
use gateway::CallError;
use gateway::stripe::Carrier;
use sandbox::{Fault, FaultKind, InProcess};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// After so long the adapter gives up waiting.
const PATIENCE: Duration = Duration::from_secs(6);

/// Under it a call is known again.
const KEY: &str = "idempotency-key";

/// See the module.
pub struct Wire {
    /// The other end.
    pub processor: Arc<InProcess>,
    /// Who decides.
    pub fate: Arc<Fate>,
    /// The program's defect, where it has one.
    pub sabotage: Option<Sabotage>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Wire")
    }
}

/// A request as it is on the wire, which may carry it again.
struct Sent {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl Sent {
    fn of(request: &reqwest::Request) -> Sent {
        let url = request.url();
        let target =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
        Sent {
            method: request.method().clone(),
            uri: target.parse().expect("a path"),
            headers: request.headers().clone(),
            body: Bytes::copy_from_slice(body),
        }
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::new(Body::from(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.uri.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// A fault that hits exactly this.
    fn fault(&self, kind: FaultKind) -> Fault {
        Fault::once(&format!("{} {}", self.method, self.uri.path()), kind)
    }
}

impl Wire {
    async fn deliver(&self, sent: &Sent) -> Result<Response<Bytes>, CallError> {
        let mut request = sent.request();
        if let Some(sabotage) = self.sabotage {
            if sabotage.doubles(&sent.method, sent.uri.path()) {
                let mut first = sent.request();
                first.headers_mut().remove(KEY);
                self.processor.call(first).await;
            }
            if let Some(key) = request.headers().get(KEY).and_then(|key| sabotage.key(key)) {
                request.headers_mut().insert(KEY, key);
            }
        }
        let response = self.processor.call(request).await;
        let Some(response) = response else { return Err(no_answer()) };
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await;
        let body = body.map_err(|_| no_answer())?;
        let body = match self.sabotage {
            Some(sabotage) => sabotage.read_as(sent.uri.path(), body),
            None => body,
        };
        Ok(Response::from_parts(parts, body))
    }

    async fn under(&self, sent: &Sent, kind: FaultKind) -> Result<Response<Bytes>, CallError> {
        self.processor.arm_fault(sent.fault(kind));
        self.deliver(sent).await
    }
}

#[async_trait]
impl Carrier for Wire {
    async fn carry(&self, request: reqwest::Request) -> Result<reqwest::Response, CallError> {
        let sent = Sent::of(&request);
        let place = if sent.method == Method::POST { Place::Call } else { Place::Request };
        let carriage = match self.fate.step(place).await {
            Some(Planned::Meets(carriage)) => carriage,
            Some(Planned::Fails) => Carriage::NeverSent,
            _ => self.fate.carriage(),
        };
        let answer = match carriage {
            Carriage::Arrives => self.deliver(&sent).await?,
            Carriage::NeverSent => return Err(CallError::NotSent("no way to the processor".to_owned())),
            Carriage::Lost => {
                self.fate.pass(PATIENCE);
                return Err(no_answer());
            }
            Carriage::AnswerLost => {
                self.deliver(&sent).await?;
                self.fate.pass(PATIENCE);
                return Err(no_answer());
            }
            Carriage::FailsBefore => self.under(&sent, FaultKind::Status500Before).await?,
            Carriage::FailsAfter => self.under(&sent, FaultKind::Status500After).await?,
            Carriage::TooMany => self.under(&sent, FaultKind::TooManyRequests).await?,
            Carriage::InProgress => self.under(&sent, FaultKind::Conflict).await?,
            Carriage::Garbled => {
                let whole = self.deliver(&sent).await?;
                whole.map(|body| body.slice(..body.len() / 2))
            }
            Carriage::Twice => {
                self.deliver(&sent).await?;
                self.deliver(&sent).await?
            }
            Carriage::Late(seconds) => {
                self.fate.pass(Duration::from_secs(u64::from(seconds)));
                self.deliver(&sent).await?
            }
        };
        if self.fate.fails(Place::Answered).await {
            return Err(no_answer());
        }
        Ok(answer.into())
    }
}

fn no_answer() -> CallError {
    CallError::NoAnswer("lost on its way".to_owned())
}
