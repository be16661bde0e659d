//! How requests are read: JSON bodies and query strings, strictly, with the field named that is wrong; the key that makes a
//! request safe to repeat.

use super::problem::{Code, Problem};
use crate::actions::once::Once;
use crate::actions::start_payment::Request as Known;
use crate::api::caller::Caller;
use crate::app::App;
use axum::body::Body as AnyBody;
use axum::extract::{FromRequest, FromRequestParts, Path as UrlPath, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use futures::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Path;
use sha2::{Digest as _, Sha256};
use store::verify::holds_card_number;

/// The largest body that is read where a route says nothing else, bytes.
pub const LARGEST_BODY: usize = 1024 * 1024;
/// So much of a larger one is read all the same, bytes.
const MOST_THROWN_AWAY: usize = 32 * LARGEST_BODY;
/// So much of what is wrong is told.
const MOST_TOLD: usize = 300;
/// The longest key of a request.
const LONGEST_KEY: usize = 255;

/// A JSON body of at most `MOST` bytes, as its type describes it and nothing else.
pub struct Body<T, const MOST: usize = LARGEST_BODY>(pub T);

impl<T: DeserializeOwned + Serialize, const MOST: usize> FromRequest<App> for Body<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Body<T, MOST>, Problem> {
        checked(&bytes_of(request, MOST).await?).map(Body)
    }
}

/// One of two JSON bodies: the first where the body has its field.
pub enum Either<A, B> {
    /// The one with the field.
    First(A),
    /// The other one.
    Second(B),
}

/// A body that is told from another one by a field.
pub trait HasField {
    /// The field.
    const FIELD: &'static str;
}

impl<A, B> FromRequest<App> for Either<A, B>
where
    A: DeserializeOwned + Serialize + HasField,
    B: DeserializeOwned + Serialize,
{
    type Rejection = Problem;

    async fn from_request(request: Request, _: &App) -> Result<Either<A, B>, Problem> {
        let bytes = bytes_of(request, LARGEST_BODY).await?;
        let has_field =
            serde_json::from_slice::<Value>(&bytes).is_ok_and(|body| body.get(A::FIELD).is_some());
        if has_field { checked(&bytes).map(Either::First) } else { checked(&bytes).map(Either::Second) }
    }
}

async fn bytes_of(request: Request, most: usize) -> Result<Vec<u8>, Problem> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim().to_ascii_lowercase();
    if kind != "application/json" {
        return Err(Problem::new(Code::UnsupportedMediaType, "Send Content-Type: application/json."));
    }
    read(request.into_body(), most).await
}

fn checked<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, Problem> {
    let body: T = parse(bytes)?;
    let again = serde_json::to_value(&body).map_err(anyhow::Error::from)?;
    // The parser would take a list for an object, and an object for a word.
    let sent = serde_json::from_slice(bytes).map_err(anyhow::Error::from)?;
    if let Some(param) = other_kind(&sent, &again, String::new()) {
        let problem = Problem::new(
            Code::InvalidRequest,
            "An object, a list or a word stands where another is expected.",
        );
        return Err(if param.is_empty() { problem } else { problem.at(param) });
    }
    // A card number in any text is refused before anything can keep it.
    match card_number(&again, String::new()) {
        Some(param) => {
            Err(Problem::new(Code::CardNumber, "This text holds a card number; leave it out.").at(param))
        }
        None => Ok(body),
    }
}

/// Reads a body. One that is too large is read on for a while and thrown away: whoever is still sending it would not see an
/// answer that comes before its end.
async fn read(body: AnyBody, most: usize) -> Result<Vec<u8>, Problem> {
    let mut stream = body.into_data_stream();
    let (mut bytes, mut length) = (Vec::new(), 0_usize);
    while let Some(part) = stream.next().await {
        let ended = |_| Problem::new(Code::InvalidJson, "The body ended before it was complete.");
        let part = part.map_err(ended)?;
        length = length.saturating_add(part.len());
        if length <= most {
            bytes.extend_from_slice(&part);
        } else if length > MOST_THROWN_AWAY {
            break;
        }
    }
    if length > most {
        let detail = format!("Send at most {} MiB.", most / (1024 * 1024));
        return Err(Problem::new(Code::BodyTooLarge, detail));
    }
    Ok(bytes)
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, inner) = (path(error.path()), error.inner().to_string());
        if error.inner().is_data() {
            // serde_json says where it stopped reading; which field it is says more.
            let words = inner.rsplit_once(" at line ").map_or(inner.as_str(), |(words, _)| words);
            let problem = Problem::new(Code::InvalidRequest, told(words));
            return if path.is_empty() { problem } else { problem.at(path) };
        }
        Problem::new(Code::InvalidJson, told(&inner))
    })?;
    json.end().map_err(|error| Problem::new(Code::InvalidJson, told(&error.to_string())))?;
    Ok(parsed)
}

/// `lines[0].quantity`; nothing for the whole.
fn path(path: &Path) -> String {
    let text = path.to_string();
    if text == "." { String::new() } else { text }
}

/// As much of an error's words as is told, in one line.
fn told(words: &str) -> String {
    let line: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MOST_TOLD).collect();
    let mut sentence = line.trim().to_owned();
    if let Some(first) = sentence.get(..1) {
        let first = first.to_ascii_uppercase();
        sentence.replace_range(..1, &first);
    }
    format!("{sentence}.")
}

/// Where something else was sent than what was read from it: a list for an object, an object for a word.
fn other_kind(sent: &Value, read: &Value, at: String) -> Option<String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => sent.iter().find_map(|(name, sent)| {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            other_kind(sent, read.get(name)?, at)
        }),
        (Value::Array(sent), Value::Array(read)) => {
            let mut pairs = sent.iter().zip(read).enumerate();
            pairs.find_map(|(n, (sent, read))| other_kind(sent, read, format!("{at}[{n}]")))
        }
        (Value::Object(_) | Value::Array(_), _) | (_, Value::Object(_) | Value::Array(_)) => Some(at),
        _ => None,
    }
}

/// Where a text with a card number stands.
fn card_number(value: &Value, at: String) -> Option<String> {
    match value {
        Value::String(text) => holds_card_number(text).then_some(at),
        Value::Array(list) => {
            list.iter().enumerate().find_map(|(n, value)| card_number(value, format!("{at}[{n}]")))
        }
        Value::Object(map) => map.iter().find_map(|(name, value)| {
            let at = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            card_number(value, at)
        }),
        _ => None,
    }
}

/// What the path names; not found where it cannot be read.
pub struct At(pub String);

impl FromRequestParts<App> for At {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<At, Problem> {
        let named = UrlPath::<String>::from_request_parts(parts, app).await;
        named.map(|UrlPath(named)| At(named)).map_err(|_| Problem::not_found())
    }
}

/// The query string, as its type describes it and nothing else.
pub struct Asked<T>(pub T);

impl<T: DeserializeOwned> FromRequestParts<App> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Asked<T>, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(pairs).map(Asked).map_err(|error| {
            let (path, words) = (path(error.path()), error.inner().to_string());
            let problem = Problem::new(Code::InvalidRequest, told(&words));
            if path.is_empty() { problem } else { problem.at(path) }
        })
    }
}

/// What a caller names its request with; `None`: it does not.
pub struct MayRepeat(Option<String>);

/// The same where it is required: on money routes.
pub struct Repeatable(String);

impl FromRequestParts<App> for MayRepeat {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<MayRepeat, Problem> {
        key(&parts.headers).map(MayRepeat)
    }
}

impl FromRequestParts<App> for Repeatable {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Repeatable, Problem> {
        key(&parts.headers)?.map(Repeatable).ok_or_else(|| {
            let detail = "Send an Idempotency-Key header: any text of 1 to 255 visible characters, made anew for each \
                          payment and kept for its repeats.";
            Problem::new(Code::MissingIdempotencyKey, detail).at("Idempotency-Key")
        })
    }
}

fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let Some(first) = all.next() else { return Ok(None) };
    let text = first.to_str().ok().filter(|text| {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        (1..=LONGEST_KEY).contains(&text.len()) && visible && !holds_card_number(text)
    });
    match (text, all.next()) {
        (Some(text), None) => Ok(Some(text.to_owned())),
        _ => {
            let detail = "An Idempotency-Key is 1 to 255 visible characters of ASCII, without blanks and no card number, in one header.";
            Err(Problem::new(Code::InvalidIdempotencyKey, detail).at("Idempotency-Key"))
        }
    }
}

/// What a key names: a request that is told from any other by this.
pub struct Named<'r, B> {
    /// The route, with its method.
    pub route: &'static str,
    /// What its path names.
    pub of: &'r str,
    /// What was sent.
    pub body: &'r B,
}

impl MayRepeat {
    /// How the request is known again; `None` where the caller does not name it.
    pub fn once<T, B: Serialize>(
        self,
        caller: &Caller,
        request: &Named<'_, B>,
        answer: fn(&T) -> anyhow::Result<(String, String)>,
    ) -> Result<Option<Once<T>>, Problem> {
        self.0.map(|key| Repeatable(key).once(caller, request, answer)).transpose()
    }
}

impl Repeatable {
    /// How the request is known again.
    pub fn once<T, B: Serialize>(
        self,
        caller: &Caller,
        request: &Named<'_, B>,
        answer: fn(&T) -> anyhow::Result<(String, String)>,
    ) -> Result<Once<T>, Problem> {
        let Known { owner, route, key, request_hash } = self.request(caller, request)?;
        Ok(Once { owner, route, key, request_hash, answer })
    }

    /// The same for what is not answered word for word again, since it goes on after its first answer.
    pub fn request<B: Serialize>(self, caller: &Caller, request: &Named<'_, B>) -> Result<Known, Problem> {
        let body = serde_json::to_vec(request.body).map_err(anyhow::Error::from)?;
        let mut hash = Sha256::new();
        hash.update((request.of.len() as u64).to_be_bytes());
        hash.update(request.of);
        hash.update(body);
        let owner = caller.key.id.to_string();
        Ok(Known { owner, route: request.route, key: self.0, request_hash: hash.finalize().into() })
    }
}
