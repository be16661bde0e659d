//! Whether a webhook is Stripe's, and what it points to. Pure: bytes, secrets and a clock's reading in, an event out.
//!
//! Source: <https://docs.stripe.com/webhooks#verify-manually>. The signature is over the raw bytes: they must never
//! pass through a JSON parser first. Nothing of a body is looked at before its signature holds.

use super::events;
use crate::{ProcessorEvent, SecretText};
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

/// How far the time of a signature may be from ours, either way.
pub const TOLERANCE_SECONDS: i64 = 300;

/// More of these in one header is not something Stripe sends.
const MAX_SIGNATURES: usize = 16;
const MAX_HEADER_BYTES: usize = 4_096;

/// Why a webhook is not acted on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The signature header is not one.
    #[error("the signature header is malformed")]
    Malformed,
    /// No active secret made any of the signatures.
    #[error("no signature matches")]
    BadSignature,
    /// Well signed, but too long ago, or too far ahead of our clock.
    #[error("the signature is {age_seconds} s old")]
    OutOfTime {
        /// Our time less the signature's; negative when it is ahead.
        age_seconds: i64,
    },
    /// Well signed, and no event.
    #[error("the body is not an event: {0}")]
    Unreadable(String),
}

/// Checks the `Stripe-Signature` header against every active secret and reads the event.
///
/// While a secret is being replaced two are active; a header carries a signature for each.
pub fn verify(
    raw_body: &[u8],
    signature_header: &str,
    secrets: &[SecretText],
    now: Timestamp,
) -> Result<ProcessorEvent, WebhookError> {
    let header = Header::parse(signature_header).ok_or(WebhookError::Malformed)?;
    if !header.is_signed_by_any(secrets, raw_body) {
        return Err(WebhookError::BadSignature);
    }
    let age_seconds = now.as_second().saturating_sub(header.signed_at);
    if age_seconds.saturating_abs() > TOLERANCE_SECONDS {
        return Err(WebhookError::OutOfTime { age_seconds });
    }
    events::read_event(raw_body).map_err(|error| WebhookError::Unreadable(error.to_string()))
}

struct Header<'a> {
    /// As it was written, since it is part of what is signed.
    time_text: &'a str,
    signed_at: i64,
    signatures: Vec<[u8; 32]>,
}

impl<'a> Header<'a> {
    /// `t=…,v1=…`, in any order, with any number of `v1` and with schemes we do not know.
    fn parse(text: &'a str) -> Option<Header<'a>> {
        if text.len() > MAX_HEADER_BYTES {
            return None;
        }
        let (mut time_text, mut signatures) = (None, Vec::new());
        for part in text.split(',') {
            match part.trim().split_once('=')? {
                ("t", _) if time_text.is_some() => return None,
                ("t", value) => time_text = Some(value),
                ("v1", value) => signatures.extend(signature(value)),
                _ => {}
            }
        }
        let time_text = time_text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
        if signatures.len() > MAX_SIGNATURES {
            return None;
        }
        Some(Header { time_text, signed_at: time_text.parse().ok()?, signatures })
    }

    /// Compares all with all, so that the time it takes tells nothing about which one matched or how far.
    fn is_signed_by_any(&self, secrets: &[SecretText], raw_body: &[u8]) -> bool {
        let mut found = Choice::from(0);
        for secret in secrets {
            let expected = sign(secret, self.time_text, raw_body);
            for signature in &self.signatures {
                found |= expected.as_slice().ct_eq(signature);
            }
        }
        found.into()
    }
}

fn sign(secret: &SecretText, time_text: &str, raw_body: &[u8]) -> Vec<u8> {
    let key = secret.expose().as_bytes();
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length will do");
    mac.update(time_text.as_bytes());
    mac.update(b".");
    mac.update(raw_body);
    mac.finalize().into_bytes().to_vec()
}

fn signature(value: &str) -> Option<[u8; 32]> {
    HEXLOWER.decode(value.as_bytes()).ok()?.try_into().ok()
}
