//! What the tests stand on: a running sandbox, a merchant's client, a payer's browser, and somebody who takes webhooks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::{Client, Response};
use sandbox::{RunningSandbox, Sandbox, SandboxConfig, SandboxData, WebhookTarget};
use scraper::{Html, Selector};
use serde_json::Value;

/// Sunday 22 November 2026, 22:00 UTC.
pub const START: i64 = 1_795_384_800;
pub const KEY: &str = "sk_test_bench";
pub const WEBHOOK_SECRET: &str = "whsec_bench";

/// A sandbox and those who talk to it.
pub struct Bench {
    pub sandbox: RunningSandbox,
    pub base_url: String,
    pub client: Client,
    pub now: Arc<AtomicI64>,
}

/// An answer that was read.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.json().await.expect("answers are JSON");
        Self { status, headers, body }
    }

    /// The body of a call that worked.
    #[track_caller]
    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.body
    }

    /// The error member of a refusal.
    #[track_caller]
    pub fn refused(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body["error"].clone()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Bench {
    pub async fn start() -> Self {
        Self::start_with(SandboxData::Memory, None).await
    }

    pub async fn start_with(data: SandboxData, webhook: Option<WebhookTarget>) -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let for_clock = Arc::clone(&now);
        let config = SandboxConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            data,
            secret_key: KEY.to_owned(),
            webhook,
            clock: Arc::new(move || for_clock.load(Ordering::SeqCst)),
            seed: 7,
            public_url: None,
        };
        let sandbox = Sandbox::start(config).await.expect("the sandbox starts");
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .no_proxy()
            .build()
            .expect("the client is made");
        Self { base_url: sandbox.base_url(), sandbox, client, now }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    pub async fn get(&self, path: &str) -> Answer {
        let sent = self.client.get(self.url(path)).bearer_auth(KEY).send().await;
        Answer::read(sent.expect("the sandbox answers")).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        Answer::read(self.send(path, form, None).await.expect("the sandbox answers")).await
    }

    pub async fn post_with_key(&self, path: &str, form: &[(&str, &str)], key: &str) -> Answer {
        Answer::read(self.send(path, form, Some(key)).await.expect("the sandbox answers")).await
    }

    /// Sends a call and leaves its outcome, an error too, to the caller.
    pub async fn send(
        &self,
        path: &str,
        form: &[(&str, &str)],
        key: Option<&str>,
    ) -> reqwest::Result<Response> {
        let mut request = self.client.post(self.url(path)).bearer_auth(KEY).form(form);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.send().await
    }

    pub async fn control(&self, path: &str, body: Value) -> Value {
        let sent = self.client.post(self.url(&format!("/control{path}"))).json(&body).send().await;
        Answer::read(sent.expect("the sandbox answers")).await.ok()
    }

    pub async fn control_get(&self, path: &str) -> Value {
        let sent = self.client.get(self.url(&format!("/control{path}"))).send().await;
        Answer::read(sent.expect("the sandbox answers")).await.ok()
    }

    /// Opens a page for 500.00 USD.
    pub async fn open_session(&self) -> Value {
        self.post("/v1/checkout/sessions", &session_form("50000", "usd")).await.ok()
    }

    pub async fn session(&self, session: &Value) -> Value {
        self.get(&format!(
            "/v1/checkout/sessions/{}?expand[]=payment_intent.latest_charge.balance_transaction",
            id(session)
        ))
        .await
        .ok()
    }

    /// Opens a page that takes a payment of 500.00 in these ways.
    pub async fn open_session_for(&self, types: &[&str], extra: &[(&'static str, &str)]) -> Value {
        let currency = if types.contains(&"sepa_debit") { "eur" } else { "usd" };
        let mut form = session_form("50000", currency);
        form.retain(|(name, _)| *name != "payment_method_types[0]");
        form.extend(types.iter().map(|kind| ("payment_method_types[]", *kind)));
        form.extend(extra);
        self.post("/v1/checkout/sessions", &form).await.ok()
    }

    /// Pays a new session by debit from a practice account in the United States; returns the session.
    pub async fn debit(&self, account: &str) -> Value {
        let session = self.open_session_for(&["us_bank_account"], &[]).await;
        self.pay(&session, serde_json::json!({ "account": account })).await;
        self.session(&session).await
    }

    /// Pays a new session by card; returns the session.
    pub async fn charge(&self, card: &str) -> Value {
        let session = self.open_session().await;
        self.pay(&session, serde_json::json!({ "card": card })).await;
        self.session(&session).await
    }

    pub async fn advance_days(&self, days: u32) {
        self.control("/clock", serde_json::json!({ "advance_days": days })).await;
    }

    /// The books add up: what came in and went out is what the balance transactions say, in every currency.
    #[track_caller]
    pub fn assert_books(&self) -> sandbox::Books {
        let books = self.sandbox.books().expect("books");
        for (currency, books) in &books.currencies {
            let kept = books.captured_minor
                - books.unbooked_minor
                - books.refunded_minor
                - books.disputed_minor
                - books.paid_out_minor
                - books.fees_minor;
            assert_eq!(kept, books.net_minor, "{currency}: {books:?}");
            assert_eq!(books.gross_minor - books.fees_minor, books.net_minor, "{currency}: {books:?}");
        }
        books
    }

    /// The last event of a type.
    pub async fn last_event(&self, kind: &str) -> Value {
        let events = self.get(&format!("/v1/events?limit=1&type={kind}")).await.ok();
        items(&events).first().cloned().unwrap_or_else(|| panic!("no {kind}"))
    }

    /// Types of all events so far, oldest first.
    pub async fn event_types(&self) -> Vec<String> {
        let events = self.get("/v1/events?limit=100").await.ok();
        let mut types: Vec<String> =
            items(&events).iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect();
        types.reverse();
        types
    }

    pub async fn pay(&self, session: &Value, body: Value) -> Value {
        self.control(&format!("/sessions/{}/pay", id(session)), body).await
    }

    /// Opens a session's page as a browser does.
    pub async fn browse(&self, address: &str) -> Page {
        let sent = self.client.get(address).send().await.expect("the page answers");
        Page::read(sent, address).await
    }

    /// Types a card on the page and presses Pay; returns where the browser is sent.
    pub async fn type_card(&self, page: &Page, number: &str, expiry: &str, code: &str) -> String {
        let form = [
            ("token", page.value("token")),
            ("card-number", number.to_owned()),
            ("expiry", expiry.to_owned()),
            ("code", code.to_owned()),
            ("name", "Dana Payer".to_owned()),
        ];
        self.submit(page, &form).await
    }

    pub async fn submit(&self, page: &Page, form: &[(&str, String)]) -> String {
        let sent = self.client.post(&page.address).form(form).send().await.expect("the page answers");
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "every submit is answered with a redirect");
        let location = sent.headers()["location"].to_str().expect("an address").to_owned();
        if location.starts_with('/') { self.url(&location) } else { location }
    }
}

/// A page as a browser got it.
pub struct Page {
    pub address: String,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl Page {
    async fn read(response: Response, address: &str) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let html = response.text().await.expect("a text");
        Self { address: address.to_owned(), status, headers, html }
    }

    /// Value of the input of this name.
    #[track_caller]
    pub fn value(&self, name: &str) -> String {
        self.attribute(&format!("input[name='{name}']"), "value").unwrap_or_default()
    }

    #[track_caller]
    pub fn attribute(&self, selector: &str, attribute: &str) -> Option<String> {
        let document = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).expect("a selector");
        let element =
            document.select(&selector).next().unwrap_or_else(|| panic!("no {selector:?} in {}", self.html));
        element.value().attr(attribute).map(str::to_owned)
    }

    /// Text of every element that fits, blanks folded.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).expect("a selector");
        document
            .select(&selector)
            .map(|element| {
                element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect()
    }
}

/// The form that opens a page.
pub fn session_form<'a>(amount: &'a str, currency: &'a str) -> Vec<(&'static str, &'a str)> {
    vec![
        ("mode", "payment"),
        ("line_items[0][price_data][currency]", currency),
        ("line_items[0][price_data][unit_amount]", amount),
        ("line_items[0][price_data][product_data][name]", "Invoice INV-1042, Northwind IT"),
        ("line_items[0][quantity]", "1"),
        ("payment_method_types[0]", "card"),
        ("client_reference_id", "att_1"),
        ("metadata[attempt]", "att_1"),
        ("payment_intent_data[metadata][attempt]", "att_1"),
        ("payment_intent_data[description]", "Invoice INV-1042"),
        ("customer_email", "dana@acme.example"),
        ("success_url", "http://127.0.0.1:9/return?session={CHECKOUT_SESSION_ID}"),
        ("cancel_url", "http://127.0.0.1:9/cancel"),
        ("adaptive_pricing[enabled]", "false"),
        ("allow_promotion_codes", "false"),
        ("automatic_tax[enabled]", "false"),
    ]
}

#[track_caller]
pub fn id(object: &Value) -> &str {
    object["id"].as_str().expect("an id")
}

#[track_caller]
pub fn items(list: &Value) -> &Vec<Value> {
    list["data"].as_array().expect("a list")
}

/// A webhook as it arrived.
#[derive(Debug, Clone)]
pub struct Arrived {
    pub signature: String,
    pub payload: Bytes,
    pub event: Value,
}

/// Somebody who takes webhooks.
#[derive(Clone, Default)]
pub struct Listener {
    arrived: Arc<Mutex<Vec<Arrived>>>,
    refusals_left: Arc<Mutex<u32>>,
}

impl Listener {
    /// Starts listening; returns the target to hand to the sandbox.
    pub async fn start() -> (Self, WebhookTarget) {
        let listener = Self::default();
        let for_route = listener.clone();
        let router = Router::new().route(
            "/hooks",
            post(move |headers: HeaderMap, payload: Bytes| {
                let listener = for_route.clone();
                async move { listener.take(&headers, payload) }
            }),
        );
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hooks", socket.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(socket, router).await.expect("serves") });
        (listener, WebhookTarget { url, secret: WEBHOOK_SECRET.to_owned() })
    }

    fn take(&self, headers: &HeaderMap, payload: Bytes) -> StatusCode {
        let mut refusals_left = self.refusals_left.lock().expect("no panic");
        if *refusals_left > 0 {
            *refusals_left -= 1;
            return StatusCode::INTERNAL_SERVER_ERROR;
        }
        let signature = headers["stripe-signature"].to_str().expect("a text").to_owned();
        let event = serde_json::from_slice(&payload).expect("JSON");
        self.arrived.lock().expect("no panic").push(Arrived { signature, payload, event });
        StatusCode::OK
    }

    pub fn refuse_next(&self, times: u32) {
        *self.refusals_left.lock().expect("no panic") = times;
    }

    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("no panic").clone()
    }

    pub fn types(&self) -> Vec<String> {
        self.arrived()
            .iter()
            .map(|arrived| arrived.event["type"].as_str().expect("a type").to_owned())
            .collect()
    }
}

/// Asks again until it is so; fails after ten seconds.
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = tokio::time::timeout(Duration::from_secs(10), async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    patience.await.unwrap_or_else(|_| panic!("{what} did not come about"));
}
