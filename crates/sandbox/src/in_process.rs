//! The practice processor without a network: whoever asks carries the requests and the webhooks, and so decides which arrive.
//!
//! Everything else is as it is over HTTP: the same routes, data, books and faults. It must never send anything by itself, and
//! its only clock is the one that was handed in.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::OnceLock;

use anyhow::ensure;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use tower::ServiceExt as _;

use crate::api::events;
use crate::app::App;
use crate::books::{self, Books};
use crate::faults::Fault;
use crate::server::{self, Peer};
use crate::webhooks;
use crate::work::Cause;
use crate::{Sandbox, SandboxConfig, parts, webhook_client};

/// A sandbox that is called directly.
pub struct InProcess {
    app: App,
    router: Router,
}

/// A webhook that somebody has to deliver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undelivered {
    /// The event's id, `evt_…`.
    pub event: String,
    /// What happened, such as `charge.succeeded`.
    pub kind: String,
    /// The body of the request.
    pub payload: Vec<u8>,
}

impl Sandbox {
    /// A sandbox that listens nowhere; where it should listen is not looked at. Needs a webhook target for its secret.
    ///
    /// # Errors
    /// When the key is not a test key, there is no webhook target, or the data cannot be opened.
    pub fn in_process(config: SandboxConfig) -> anyhow::Result<InProcess> {
        static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
        ensure!(config.webhook.is_some(), "a sandbox whose webhooks are collected needs a webhook secret");
        // It is never used, and costs more to make than the rest.
        let client = match CLIENT.get() {
            Some(client) => client.clone(),
            None => CLIENT.get_or_init(|| webhook_client().unwrap_or_default()).clone(),
        };
        let app = parts(config, client)?;
        Ok(InProcess { router: server::router(app.clone()), app })
    }
}

impl InProcess {
    /// Answers a request, of `/v1` or `/control`, as the server would one from this machine. `None`: an armed fault cut the
    /// connection.
    pub async fn call(&self, mut request: Request<Body>) -> Option<Response<Body>> {
        request.extensions_mut().insert(Peer(SocketAddr::from((Ipv4Addr::LOCALHOST, 9))));
        let response = match self.router.clone().oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        response.extensions().get::<server::CutConnection>().is_none().then_some(response)
    }

    /// Arms a fault, as `POST /control/faults` does.
    pub fn arm_fault(&self, fault: Fault) {
        self.app.faults.arm(fault);
    }

    /// Disarms every fault.
    pub fn disarm_faults(&self) {
        self.app.faults.disarm_all();
    }

    /// Its own books, added up.
    ///
    /// # Errors
    /// When its data cannot be read or a sum does not fit.
    pub fn books(&self) -> anyhow::Result<Books> {
        Ok(self.app.work(Cause::default(), books::read)?)
    }

    /// The webhooks that have come up since the last call, oldest first. They count as delivered from now on: what becomes of
    /// them is the caller's affair.
    ///
    /// # Errors
    /// When its data cannot be read.
    pub fn take_webhooks(&self) -> anyhow::Result<Vec<Undelivered>> {
        let events = self.app.work(Cause::default(), webhooks::take_due)?;
        let undelivered = |event| Undelivered {
            payload: events::view(&event, 1).to_string().into_bytes(),
            event: event.id,
            kind: event.kind,
        };
        Ok(events.into_iter().map(undelivered).collect())
    }

    /// The `Stripe-Signature` header of a payload that is sent now.
    #[must_use]
    pub fn signature(&self, payload: &[u8]) -> String {
        let secret = self.app.webhook_target().map(|target| target.secret).unwrap_or_default();
        webhooks::signature(&secret, self.app.clock.base_now(), payload)
    }
}
