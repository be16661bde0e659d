//! How far our clock is from the processor's, as the `Date` of its answers tells. Noticed, never corrected: what happened
//! when is said by the objects themselves.

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::HeaderValue;
use std::fmt;
use std::sync::{Mutex, PoisonError};

static PARSER: DateTimeParser = DateTimeParser::new();

/// What the last answer told. Without a clock to compare with, nothing is ever known.
#[derive(Default)]
pub(super) struct Skew {
    clock: Option<Box<dyn Fn() -> Timestamp + Send + Sync>>,
    last: Mutex<Option<SignedDuration>>,
}

impl Skew {
    pub(super) fn with_clock(clock: Box<dyn Fn() -> Timestamp + Send + Sync>) -> Skew {
        Skew { clock: Some(clock), last: Mutex::new(None) }
    }

    /// Compares the clock with the time an answer was made. One without a time that makes sense changes nothing.
    pub(super) fn note(&self, date: Option<&HeaderValue>) {
        let Some(clock) = &self.clock else { return };
        let made_at = date.and_then(|date| PARSER.parse_timestamp(date.to_str().ok()?).ok());
        if let Some(made_at) = made_at {
            let difference = clock().duration_since(made_at);
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(difference);
        }
    }

    pub(super) fn last(&self) -> Option<SignedDuration> {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Skew({:?})", self.last())
    }
}
