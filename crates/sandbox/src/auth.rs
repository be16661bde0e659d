//! Who may call `/v1`: the holder of the one test secret key, as a bearer token or as the user name of basic authentication.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use data_encoding::BASE64;
use subtle::ConstantTimeEq;

use crate::error::ApiError;

/// Refuses a request that does not carry `secret_key`.
pub(crate) fn check(headers: &HeaderMap, secret_key: &str) -> Result<(), ApiError> {
    let Some(header) = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()) else {
        return Err(ApiError::unauthorized(
            "You did not provide an API key. Provide your key in the Authorization header, using Bearer auth.",
        ));
    };
    let given = bearer(header).or_else(|| basic_user(header)).unwrap_or_default();
    if bool::from(given.as_bytes().ct_eq(secret_key.as_bytes())) {
        return Ok(());
    }
    let end: String = given.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
    Err(ApiError::unauthorized(format!("Invalid API Key provided: ****{end}")))
}

fn bearer(header: &str) -> Option<String> {
    let (scheme, key) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim().to_owned())
}

fn basic_user(header: &str) -> Option<String> {
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64.decode(encoded.trim().as_bytes()).ok()?).ok()?;
    Some(decoded.split_once(':').map_or(decoded.clone(), |(user, _)| user.to_owned()))
}
