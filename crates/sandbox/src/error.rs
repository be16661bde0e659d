//! What the processor answers when it does not do what was asked, in its published error shape.
//!
//! A refusal is an answer ([`ApiError`]); something broken inside is [`Failure::Broken`] and never reaches the caller in detail.

use serde_json::{Map, Value, json};

/// An error answer: `{"error": {...}}` with its HTTP status.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: u16,
    kind: &'static str,
    code: Option<String>,
    message: String,
    param: Option<String>,
    extra: Box<Map<String, Value>>,
    /// Whether the answer is kept under the request's idempotency key. Requests refused before they were executed are not.
    pub(crate) stored: bool,
}

impl ApiError {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code: None,
            message: message.into(),
            param: None,
            extra: Box::default(),
            stored: false,
        }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_request_error", message)
    }

    pub(crate) fn unknown_parameter(param: &str) -> Self {
        Self::invalid(format!("Received unknown parameter: {param}")).code("parameter_unknown").param(param)
    }

    pub(crate) fn missing_parameter(param: &str) -> Self {
        Self::invalid(format!("Missing required param: {param}.")).code("parameter_missing").param(param)
    }

    pub(crate) fn missing_resource(noun: &str, id: &str, param: &str) -> Self {
        let mut error =
            Self::invalid(format!("No such {noun}: '{id}'")).code("resource_missing").param(param);
        error.status = 404;
        error
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(404, "invalid_request_error", message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(401, "invalid_request_error", message)
    }

    pub(crate) fn too_many_requests() -> Self {
        let message = "Request rate limit exceeded. Wait before you send this request again.";
        Self::new(429, "invalid_request_error", message).code("rate_limit")
    }

    pub(crate) fn idempotency_conflict() -> Self {
        let message =
            "There is currently another in-progress request using this idempotency key. Try again shortly.";
        Self::new(409, "invalid_request_error", message).code("idempotency_key_in_use")
    }

    pub(crate) fn idempotency_mismatch(key: &str) -> Self {
        let message = format!(
            "Keys for idempotent requests can only be used with the same endpoint and parameters they were first used with. \
             Use a key other than '{key}' for a different request."
        );
        Self::new(400, "idempotency_error", message)
    }

    pub(crate) fn broken() -> Self {
        let mut error = Self::new(500, "api_error", "An unknown error occurred in the practice processor.");
        error.stored = true;
        error
    }

    /// A card that was refused: HTTP 402, always kept, because the try itself happened.
    pub(crate) fn card(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        let mut error = Self::new(402, "card_error", message).code(code);
        if let Some(decline_code) = decline_code {
            error = error.with("decline_code", json!(decline_code));
        }
        error.stored = true;
        error
    }

    /// A refusal because of the state an object is in: executed, hence kept under the key.
    pub(crate) fn state(code: Option<&str>, message: impl Into<String>) -> Self {
        let mut error = Self::invalid(message);
        error.code = code.map(str::to_owned);
        error.stored = true;
        error
    }

    pub(crate) fn code(mut self, code: &str) -> Self {
        self.code = Some(code.to_owned());
        self
    }

    pub(crate) fn param(mut self, param: &str) -> Self {
        self.param = Some(param.to_owned());
        self
    }

    /// Adds a member such as `charge` or `payment_intent`.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The answer's body.
    pub(crate) fn body(&self) -> Value {
        let mut error = self.extra.clone();
        if let Some(code) = &self.code {
            error.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{}", code.replace('_', "-"))),
            );
            error.insert("code".into(), json!(code));
        }
        if let Some(param) = &self.param {
            error.insert("param".into(), json!(param));
        }
        error.insert("message".into(), json!(self.message));
        error.insert("type".into(), json!(self.kind));
        json!({ "error": error })
    }
}

/// Why an operation did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The processor's answer is "no".
    #[error("{}", .0.message())]
    Refused(Box<ApiError>),
    /// Something is broken in the sandbox itself; everything is rolled back.
    #[error(transparent)]
    Broken(#[from] anyhow::Error),
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Refused(Box::new(error))
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Broken(error.into())
    }
}
