//! Forms that only our own pages can send, as a type: a handler that takes [`Posted`] cannot forget the check.

use crate::app::App;
use crate::portal::context::Ctx;
use crate::portal::fail::Fail;
use crate::secrets::SecretKey;
use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::{HeaderMap, StatusCode, header};
use data_encoding::HEXLOWER;
use serde::de::DeserializeOwned;
use subtle::ConstantTimeEq as _;

/// A form that one of our pages sent, from the browser it was drawn for.
pub struct Posted<T> {
    /// Who sent it.
    pub ctx: Ctx,
    /// Its fields.
    pub form: T,
}

/// The token for forms, bound to a secret of the browser: its session's, or before there is one its own.
pub fn token(secrets: &SecretKey, bound_to: &[u8; 32]) -> String {
    HEXLOWER.encode(&secrets.derive("form token", &[bound_to])[..20])
}

/// True unless the browser says that another site sent the request.
pub fn is_same_origin(headers: &HeaderMap, public_url: &str) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == public_url,
        (None, None) => true,
    }
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Fail;

    async fn from_request(request: Request, app: &App) -> Result<Posted<T>, Fail> {
        let (mut parts, body) = request.into_parts();
        let ctx = Ctx::from_request_parts(&mut parts, app).await?;
        if !is_same_origin(&parts.headers, &app.public_url) {
            return Err(Fail::FormNotOurs);
        }
        let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded")) {
            return Err(Fail::WrongType);
        }
        let bytes =
            Bytes::from_request(Request::from_parts(parts, body), app).await.map_err(|rejection| {
                if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                    Fail::TooLarge
                } else {
                    Fail::WrongType
                }
            })?;
        let fields: Vec<(String, String)> =
            serde_urlencoded::from_bytes(&bytes).map_err(|_| Fail::WrongType)?;
        let given = fields.iter().find(|(name, _)| name == "csrf").map_or("", |(_, value)| value);
        if !bool::from(given.as_bytes().ct_eq(ctx.csrf.as_bytes())) {
            let typed = fields.iter().find(|(name, _)| name == "amount").map(|(_, value)| value.as_str());
            return Err(ctx.over(typed).unwrap_or(Fail::FormNotOurs));
        }
        let form = serde_urlencoded::from_bytes(&bytes).map_err(|_| Fail::WrongType)?;
        Ok(Posted { ctx, form })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn other_sites_are_refused() {
        let case = |site: Option<&'static str>, origin: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                if let Some(value) = value {
                    headers.insert(name, HeaderValue::from_static(value));
                }
            }
            is_same_origin(&headers, "https://pay.example")
        };
        assert!(case(Some("same-origin"), None));
        assert!(!case(Some("same-site"), Some("https://pay.example")));
        assert!(!case(Some("cross-site"), None));
        assert!(!case(Some("none"), None));
        assert!(case(None, Some("https://pay.example")));
        assert!(!case(None, Some("https://evil.example")));
        assert!(!case(None, Some("null")));
        assert!(case(None, None));
    }

    #[test]
    fn tokens_of_two_browsers_differ() {
        let key = SecretKey::from_bytes([1; 32]);
        assert_eq!(token(&key, &[1; 32]), token(&key, &[1; 32]));
        assert_ne!(token(&key, &[1; 32]), token(&key, &[2; 32]));
    }
}
