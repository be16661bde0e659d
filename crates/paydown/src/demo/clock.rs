//! A clock that can be set back, so that six months of business can be lived through in a moment.

use crate::clock::Clock;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The real clock, some seconds behind. Both Paydown and its practice processor go by it.
pub struct DemoClock {
    real: Arc<dyn Clock>,
    seconds_behind: AtomicI64,
}

impl DemoClock {
    /// As late as the real clock.
    pub fn new(real: Arc<dyn Clock>) -> DemoClock {
        DemoClock { real, seconds_behind: AtomicI64::new(0) }
    }

    /// Makes it `days` ago, at `hour` hours earlier than now; 0 and 0 is now.
    pub fn set_back(&self, days: i64, hours: i64) {
        self.seconds_behind.store(days * 86_400 + hours * 3_600, Ordering::SeqCst);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> Timestamp {
        self.real.now() - SignedDuration::from_secs(self.seconds_behind.load(Ordering::SeqCst))
    }
}
