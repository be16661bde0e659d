//! The sandbox's time: the clock it was handed, plus an offset that the control API moves forward.
//!
//! It must never read the machine's clock itself, and the offset never goes back.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the sandbox gets the time from. The program hands in the system's clock, a test one of its own.
pub trait SandboxClock: Send + Sync {
    /// Seconds since 1970-01-01T00:00:00Z.
    fn now_unix_seconds(&self) -> i64;
}

impl<F: Fn() -> i64 + Send + Sync> SandboxClock for F {
    fn now_unix_seconds(&self) -> i64 {
        self()
    }
}

/// A moment as the `Date` of an HTTP answer has it; `None` for moments outside of the calendar.
pub(crate) fn http_date(unix_seconds: i64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(unix_seconds).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    Some(moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// The handed-in clock with the sandbox's own offset on top.
pub(crate) struct OffsetClock {
    base: Arc<dyn SandboxClock>,
    offset_seconds: AtomicI64,
    /// How far the dates of its answers are off; gone with a restart, as faults are.
    skew_seconds: AtomicI64,
}

impl OffsetClock {
    pub(crate) fn new(base: Arc<dyn SandboxClock>, offset_seconds: i64) -> Self {
        Self { base, offset_seconds: AtomicI64::new(offset_seconds), skew_seconds: AtomicI64::new(0) }
    }

    /// The sandbox's now: what objects are stamped with and sessions expire by.
    pub(crate) fn now(&self) -> i64 {
        self.base.now_unix_seconds().saturating_add(self.offset_seconds())
    }

    /// The handed-in clock's now. Webhook signatures carry it: the receiver checks their age by a clock of its own,
    /// which knows nothing of our offset.
    pub(crate) fn base_now(&self) -> i64 {
        self.base.now_unix_seconds()
    }

    /// What its answers give as their date: the handed-in clock's now, wrong by the skew.
    pub(crate) fn date_now(&self) -> i64 {
        self.base_now().saturating_add(self.skew_seconds())
    }

    pub(crate) fn skew_seconds(&self) -> i64 {
        self.skew_seconds.load(Ordering::SeqCst)
    }

    pub(crate) fn set_skew_seconds(&self, skew_seconds: i64) {
        self.skew_seconds.store(skew_seconds, Ordering::SeqCst);
    }

    pub(crate) fn offset_seconds(&self) -> i64 {
        self.offset_seconds.load(Ordering::SeqCst)
    }

    pub(crate) fn set_offset_seconds(&self, offset_seconds: i64) {
        self.offset_seconds.store(offset_seconds, Ordering::SeqCst);
    }
}
