//! Faults that tests arm: the next matching calls time out, break, are refused or are slow. Kept in memory; a restart disarms them.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api;

/// How long a call that times out is held before its connection is closed, unless told otherwise.
const HOLD: Duration = Duration::from_secs(60);
/// How long a slow call takes, unless told otherwise.
const SLOWNESS: Duration = Duration::from_secs(2);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FaultKind {
    /// The connection is held, then closed. Nothing was done.
    #[serde(rename = "timeout_before")]
    TimeoutBefore,
    /// The call is done and its answer kept under its key; the connection is held, then closed.
    #[serde(rename = "timeout_after")]
    TimeoutAfter,
    /// 500, kept under the key. Nothing was done.
    #[serde(rename = "status_500_before")]
    Status500Before,
    /// 500, kept under the key, though the call was done.
    #[serde(rename = "status_500_after")]
    Status500After,
    /// 429, not kept. Nothing was done.
    #[serde(rename = "429")]
    TooManyRequests,
    /// 409, as if another call with the key were under way; not kept. Nothing was done.
    #[serde(rename = "409")]
    Conflict,
    /// The call is done and its answer kept under its key; half of it is sent, then the connection is closed. Of API calls only, as the next two.
    #[serde(rename = "truncated")]
    Truncated,
    /// The call is done and its answer kept under its key; what is sent in its place is no JSON.
    #[serde(rename = "invalid_json")]
    InvalidJson,
    /// The call is done and its answer sent in small pieces.
    #[serde(rename = "slow_drip")]
    SlowDrip,
    /// The connection is reset. Nothing was done.
    #[serde(rename = "reset")]
    Reset,
    /// The call waits, then runs. On the hosted page the payment intent is `processing` meanwhile.
    #[serde(rename = "slow")]
    Slow,
}

/// A fault for the next calls of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Method and path, `{id}` standing for any id: `POST /v1/checkout/sessions`, `POST /c/pay/{id}`.
    pub route: String,
    /// What goes wrong.
    pub fault: FaultKind,
    /// How many calls it hits.
    #[serde(default = "once")]
    pub times: u32,
    /// How long a held call is held or a slow one waits, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault for the next call of a route.
    #[must_use]
    pub fn once(route: &str, fault: FaultKind) -> Self {
        Self { route: route.to_owned(), fault, times: 1, delay_ms: None }
    }

    pub(crate) fn delay(&self) -> Duration {
        let is_slow = matches!(self.fault, FaultKind::Slow | FaultKind::SlowDrip);
        let default = if is_slow { SLOWNESS } else { HOLD };
        self.delay_ms.map_or(default, Duration::from_millis)
    }

    /// Whether its route can have it: broken answers are those of API calls.
    pub(crate) fn fits(&self) -> bool {
        let is_broken_answer =
            matches!(self.fault, FaultKind::Truncated | FaultKind::InvalidJson | FaultKind::SlowDrip);
        !is_broken_answer || self.route.contains(" /v1/")
    }

    fn hits(&self, method: &str, path: &str) -> bool {
        let (wanted_method, pattern) = self.route.split_once(' ').unwrap_or(("", ""));
        wanted_method.eq_ignore_ascii_case(method) && api::matches(pattern, path).is_some()
    }
}

/// The armed faults, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Fault>>,
}

impl Faults {
    pub(crate) fn arm(&self, fault: Fault) {
        self.lock().push(fault);
    }

    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.lock().clone()
    }

    pub(crate) fn disarm_all(&self) {
        self.lock().clear();
    }

    /// The fault that hits this call, used up by one.
    pub(crate) fn take(&self, method: &str, path: &str) -> Option<Fault> {
        let mut armed = self.lock();
        let index = armed.iter().position(|fault| fault.times > 0 && fault.hits(method, path))?;
        let fault = armed[index].clone();
        armed[index].times -= 1;
        armed.retain(|fault| fault.times > 0);
        Some(fault)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Fault>> {
        // A list of plain values is sound whoever panicked while holding it.
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, Faults};

    #[test]
    fn a_fault_hits_its_route_and_is_used_up() {
        let faults = Faults::default();
        faults.arm(Fault {
            times: 2,
            ..Fault::once("POST /v1/checkout/sessions/{id}/expire", FaultKind::Reset)
        });
        assert_eq!(faults.take("POST", "/v1/checkout/sessions"), None);
        assert_eq!(faults.take("GET", "/v1/checkout/sessions/cs_1/expire"), None);
        assert!(faults.take("POST", "/v1/checkout/sessions/cs_1/expire").is_some());
        assert!(faults.take("POST", "/v1/checkout/sessions/cs_2/expire").is_some());
        assert_eq!(faults.take("POST", "/v1/checkout/sessions/cs_2/expire"), None);
        assert!(faults.armed().is_empty());
    }
}
