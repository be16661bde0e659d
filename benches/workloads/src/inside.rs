//! The product's own actions on a data folder, in the bench's process: for what has to be there before something is measured. A
//! server of the same folder must not run meanwhile.

use crate::keys::Keys;
use crate::program::Place;
use anyhow::Result;
use jiff::Timestamp;
use paydown::app::App;
use paydown::clock::{Clock, Random};
use paydown::processors::Processors;
use paydown::secrets::SecretKey;
use std::sync::{Arc, Mutex};
use store::db::{DatabaseUrl, Role, Store, StoreConfig};
use tokio_util::task::TaskTracker;

/// Bytes that are the same each time; secrets are made by `paydown init`, from real chance.
pub struct Repeatable(Mutex<Keys>);

impl Repeatable {
    /// The bytes of this seed.
    pub fn of_seed(seed: u64) -> Arc<dyn Random> {
        Arc::new(Repeatable(Mutex::new(Keys::new(seed))))
    }
}

impl Random for Repeatable {
    fn fill(&self, buffer: &mut [u8]) {
        // A poisoned lock has whole numbers behind it all the same.
        let mut keys = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in buffer.chunks_mut(8) {
            chunk.copy_from_slice(&keys.number().to_be_bytes()[..chunk.len()]);
        }
    }
}

struct RealTime;

impl Clock for RealTime {
    #[expect(clippy::disallowed_methods, reason = "a benchmark runs now")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Everything an action needs.
pub async fn open(place: &Place) -> Result<App> {
    let clock: Arc<dyn Clock> = Arc::new(RealTime);
    let secrets = SecretKey::load_or_create(&place.data, None, [0; 32])?;
    let url = place.database.parse::<DatabaseUrl>()?;
    let store = Store::open(&StoreConfig::new(url, Role::Command, clock.now().as_microsecond())).await?;
    Ok(App {
        store,
        processors: Arc::new(Processors::with_clock(Arc::clone(&clock))),
        clock,
        random: Repeatable::of_seed(6),
        secrets: Arc::new(secrets),
        public_url: "http://127.0.0.1:9".into(),
        trusted_proxies: Arc::default(),
        amount_inputmode: Default::default(),
        tasks: TaskTracker::new(),
    })
}
