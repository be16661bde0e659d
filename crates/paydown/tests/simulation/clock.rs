//! Time and chance of a simulated program. Time moves when the run moves it, or when the program waits for it.

use futures::future::BoxFuture;
use jiff::Timestamp;
use paydown::clock::{Clock, Random};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const START: &str = "2026-11-16T09:00:00Z";

/// Ours and the processor's.
pub struct SimulatedClock {
    micros: Arc<AtomicI64>,
}

impl SimulatedClock {
    /// The clock of every seed begins at the same time.
    pub fn new() -> SimulatedClock {
        let start: Timestamp = START.parse().expect("a timestamp");
        SimulatedClock { micros: Arc::new(AtomicI64::new(start.as_microsecond())) }
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).expect("a run takes weeks, not ages");
        self.micros.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_microsecond(self.micros.load(Ordering::SeqCst)).expect("a time in this century")
    }

    fn pass(&self, span: Duration) -> BoxFuture<'static, ()> {
        let micros = Arc::clone(&self.micros);
        Box::pin(async move {
            micros.fetch_add(i64::try_from(span.as_micros()).unwrap_or(0), Ordering::SeqCst);
            tokio::task::yield_now().await;
        })
    }
}

/// The same bytes at every run of a seed.
pub struct Seeded(Mutex<StdRng>);

impl Seeded {
    /// What this seed gives.
    pub fn new(seed: u64) -> Seeded {
        Seeded(Mutex::new(StdRng::seed_from_u64(seed ^ 0x6368_616e_6365)))
    }
}

impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().expect("nobody panics while drawing").fill(buffer);
    }
}
