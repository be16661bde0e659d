//! Idempotency keys: the same key with the same request gets the same answer for 24 hours of the sandbox's clock.
//!
//! An answer is kept in the transaction of the effect it speaks of. A call under way is known in memory only: after a crash there is none.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{OptionalExtension as _, params};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::{ApiError, Failure};
use crate::work::Work;

const KEPT_SECONDS: i64 = 24 * 60 * 60;
const MAX_KEY_CHARACTERS: usize = 255;

/// A call's key and what the call was.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    pub(crate) key: String,
    fingerprint: String,
}

/// An answer given before.
pub(crate) struct KeptAnswer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) request_id: String,
}

impl Guard {
    pub(crate) fn new(key: &str, method: &str, path: &str, body: &[u8]) -> Result<Self, ApiError> {
        if key.is_empty() || key.chars().count() > MAX_KEY_CHARACTERS {
            return Err(ApiError::invalid(format!(
                "An idempotency key has 1 to {MAX_KEY_CHARACTERS} characters."
            )));
        }
        let mut hash = Sha256::new();
        hash.update(format!("{method} {path}\n"));
        hash.update(body);
        Ok(Self { key: key.to_owned(), fingerprint: data_encoding::HEXLOWER.encode(&hash.finalize()) })
    }

    /// The answer kept for this key, or the refusal when the key was used for another request.
    pub(crate) fn kept(&self, work: &Work<'_>) -> Result<Option<KeptAnswer>, Failure> {
        let oldest = work.now - KEPT_SECONDS;
        work.connection.execute("DELETE FROM kept_answer WHERE created_at <= ?1", [oldest])?;
        let row: Option<(String, u16, String, String)> = work
            .connection
            .query_row(
                "SELECT fingerprint, status, body, request_id FROM kept_answer WHERE idempotency_key = ?1",
                [&self.key],
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let Some((fingerprint, status, body, request_id)) = row else { return Ok(None) };
        if fingerprint != self.fingerprint {
            return Err(ApiError::idempotency_mismatch(&self.key).into());
        }
        Ok(Some(KeptAnswer { status, body: serde_json::from_str(&body)?, request_id }))
    }

    /// Keeps an answer.
    pub(crate) fn keep(&self, work: &Work<'_>, status: u16, body: &Value) -> Result<(), Failure> {
        work.connection.execute(
            "INSERT INTO kept_answer (idempotency_key, fingerprint, status, body, request_id, created_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![self.key, self.fingerprint, status, body.to_string(), work.cause.request_id, work.now],
        )?;
        Ok(())
    }
}

/// Forgets every kept answer before its time; returns how many there were.
pub(crate) fn forget_all(work: &Work<'_>) -> Result<usize, Failure> {
    Ok(work.connection.execute("DELETE FROM kept_answer", [])?)
}

/// The keys of calls under way.
#[derive(Debug, Default)]
pub(crate) struct Running {
    keys: Mutex<HashSet<String>>,
}

/// Holds a key while its call is under way.
pub(crate) struct Claim {
    running: Arc<Running>,
    key: String,
}

impl Running {
    /// Claims a key, unless a call with it is under way.
    pub(crate) fn claim(self: &Arc<Self>, key: &str) -> Result<Claim, ApiError> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if !keys.insert(key.to_owned()) {
            return Err(ApiError::idempotency_conflict());
        }
        Ok(Claim { running: Arc::clone(self), key: key.to_owned() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.running.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}
