//! A program with a key. It believes no answer that the description of the API does not allow.

use crate::test_app::TestApp;
use billing::ids::MerchantId;
use jsonschema::Validator;
use paydown::actions::create_api_key::{NewApiKey, create_api_key};
use paydown::api;
use paydown::api_key::{Scope, USUAL_REQUESTS_PER_MINUTE};
use paydown::router::router;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};
use tokio::net::TcpListener;

/// What the server says of itself.
pub fn description() -> &'static Value {
    static DESCRIPTION: OnceLock<Value> = OnceLock::new();
    DESCRIPTION.get_or_init(|| serde_json::to_value(api::description()).expect("a description is JSON"))
}

/// The operation, the status and the code of an answer.
pub type Seen = (String, u16, Option<String>);

/// Calls the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    /// Where it is.
    pub origin: String,
    /// Its key.
    pub key: String,
    /// Every answer so far.
    pub seen: Arc<Mutex<Vec<Seen>>>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, word for word.
    pub text: String,
    /// The body.
    pub json: Value,
}

impl Answer {
    /// The error's code; empty for none.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// An id or another text of the body.
    #[track_caller]
    pub fn text_of(&self, name: &str) -> String {
        self.json[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.text)).to_owned()
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Asserts status and code.
    #[track_caller]
    pub fn is(&self, status: u16, code: &str) -> &Answer {
        assert_eq!((self.status, self.code()), (status, code), "{}", self.text);
        self
    }
}

impl Client {
    /// Serves the program on a free port, and makes a key for it that may do everything.
    pub async fn open(app: &mut TestApp) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        app.app.public_url = Arc::from(origin.as_str());
        let service = router(app.app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        let key = new_key(app, app.merchant, &Scope::ALL, USUAL_REQUESTS_PER_MINUTE).await;
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Client { http, origin, key, seen: Arc::default() }
    }

    /// The same with another key.
    pub fn with_key(&self, key: &str) -> Client {
        Client { key: key.to_owned(), ..self.clone() }
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    /// `POST` without a key of its own.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[], Some(body.to_string().into_bytes())).await
    }

    /// `POST` under an idempotency key.
    pub async fn post_once(&self, key: &str, path: &str, body: Value) -> Answer {
        self.send("POST", path, &[("idempotency-key", key)], Some(body.to_string().into_bytes())).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], None).await
    }

    /// A request as it is, with the client's key unless a header says otherwise.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        let verb = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self.http.request(verb, format!("{}{path}", self.origin));
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.bearer_auth(&self.key);
        }
        if let Some(body) = body {
            if !headers.iter().any(|(name, _)| *name == "content-type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.expect("the server answers");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.expect("an answer is text");
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        let answer = Answer { status, headers, text, json };
        self.hold(method, path, &answer);
        answer
    }

    /// Holds an answer against the description.
    #[track_caller]
    fn hold(&self, method: &str, path: &str, answer: &Answer) {
        let path = path.split('?').next().unwrap_or_default();
        let Some((template, operation)) = operation(method, path) else {
            if path == "/v1/openapi.json" {
                return;
            }
            assert!((400..500).contains(&answer.status), "{method} {path} is not described: {}", answer.text);
            schema_holds("#/components/schemas/Problem", answer);
            return;
        };
        let name = format!("{method} {template}");
        let code = answer.json["code"].as_str().map(str::to_owned);
        self.seen.lock().expect("nobody panics here").push((name.clone(), answer.status, code));
        let described = &operation["responses"][answer.status.to_string()];
        assert!(
            !described.is_null(),
            "{name} answers {}, which is not described: {}",
            answer.status,
            answer.text
        );
        let kind = answer.header("content-type").unwrap_or_default();
        let schema = &described["content"][kind]["schema"];
        assert!(!schema.is_null(), "{name} {} answers {kind:?}, not what is described", answer.status);
        if let Some(code) = answer.json["code"].as_str() {
            let words = described["description"].as_str().unwrap_or_default();
            assert!(
                words.contains(&format!("`{code}`")),
                "{name} answers {code}, which is not among {words}"
            );
            assert_eq!(answer.json["status"], answer.status);
            assert_eq!(answer.header("x-request-id"), answer.json["request_id"].as_str());
        }
        let at = format!("{name} {}", answer.status);
        let validator = validator(&at, schema);
        let broken: Vec<String> =
            validator.iter_errors(&answer.json).map(|error| error.to_string()).collect();
        assert!(broken.is_empty(), "{at}: {broken:?} in {}", answer.text);
    }
}

/// A key of a merchant.
pub async fn new_key(app: &TestApp, merchant: MerchantId, scopes: &[Scope], per_minute: u32) -> String {
    let new = NewApiKey {
        merchant,
        name: "a test".to_owned(),
        scopes: scopes.to_vec(),
        requests_per_minute: per_minute,
        expires_at: None,
        actor: "cli:test".to_owned(),
    };
    let (_, secret) = create_api_key(&app.app, new).await.expect("a write").expect("a key");
    secret.reveal().to_owned()
}

/// The described operation of a request.
pub fn operation(method: &str, path: &str) -> Option<(String, Value)> {
    let paths = description()["paths"].as_object().expect("paths");
    let fits = |template: &str| {
        let (mut left, mut right) = (template.split('/'), path.split('/'));
        loop {
            match (left.next(), right.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if one.starts_with('{') || one == other => {}
                _ => return false,
            }
        }
    };
    let (template, item) = paths.iter().find(|(template, _)| fits(template))?;
    let operation = item.get(method.to_ascii_lowercase())?;
    Some((template.clone(), operation.clone()))
}

fn schema_holds(pointer: &str, answer: &Answer) {
    let validator = validator(pointer, &json!({ "$ref": pointer }));
    let broken: Vec<String> = validator.iter_errors(&answer.json).map(|error| error.to_string()).collect();
    assert!(broken.is_empty(), "{broken:?} in {}", answer.text);
}

fn validator(at: &str, schema: &Value) -> Arc<Validator> {
    static VALIDATORS: OnceLock<Mutex<HashMap<String, Arc<Validator>>>> = OnceLock::new();
    let mut all = VALIDATORS.get_or_init(Mutex::default).lock().expect("nobody panics here");
    let make = || {
        let mut whole = schema.clone();
        whole["components"] = description()["components"].clone();
        Arc::new(jsonschema::draft202012::new(&whole).expect("the description holds schemas"))
    };
    Arc::clone(all.entry(at.to_owned()).or_insert_with(make))
}

/// What the tests begin with.
impl Client {
    /// A customer's id.
    pub async fn customer(&self, name: &str) -> String {
        let email = format!("{}@{}.example", "dana", name.to_ascii_lowercase());
        let made = self.post("/v1/customers", json!({ "name": name, "email": email })).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.text_of("id")
    }

    /// The id of an issued invoice of one line in USD.
    pub async fn invoice(&self, customer: &str, total: i64) -> String {
        let body = json!({
            "customer": customer, "currency": "usd", "due_on": "2026-12-30",
            "lines": [{ "description": "Support", "quantity": 1, "unit_amount": total }],
        });
        let draft = self.post("/v1/invoices", body).await;
        assert_eq!(draft.status, 201, "{}", draft.text);
        let id = draft.text_of("id");
        let issued = self.send("POST", &format!("/v1/invoices/{id}/finalize"), &[], None).await;
        assert_eq!(issued.status, 200, "{}", issued.text);
        id
    }

    /// A payment of one invoice as it is sent.
    pub fn wire(invoice: &str, amount: i64) -> Value {
        json!({
            "method": "wire", "reference": "transfer 7", "received_on": "2026-11-16", "currency": "usd",
            "allocations": [{ "invoice": invoice, "amount": amount }],
        })
    }

    /// The figures of an invoice: paid, pending, open, payable now.
    pub async fn figures(&self, invoice: &str) -> [i64; 4] {
        let shown = self.get(&format!("/v1/invoices/{invoice}")).await;
        ["paid", "pending", "open", "payable_now"].map(|name| shown.json[name].as_i64().expect("a figure"))
    }
}
