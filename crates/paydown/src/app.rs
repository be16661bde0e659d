//! What every page, job and command works with. Holds nothing that decides about money: that is in the database.

use crate::clock::{Clock, Mint, Random};
use crate::config::{AmountInputmode, Network};
use crate::processors::Processors;
use crate::secrets::SecretKey;
use std::sync::Arc;
use store::db::Store;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

/// The parts of the running program. Cloning gives another handle.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub store: Store,
    /// The one clock.
    pub clock: Arc<dyn Clock>,
    /// The one source of randomness.
    pub random: Arc<dyn Random>,
    /// Seals secrets and makes tokens again.
    pub secrets: Arc<SecretKey>,
    /// Connections to payment processors.
    pub processors: Arc<Processors>,
    /// Where payers reach us, without a slash at the end: `https://pay.northwind.example`.
    pub public_url: Arc<str>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Arc<[Network]>,
    /// Which keypad a phone opens for an amount.
    pub amount_inputmode: AmountInputmode,
    /// Work that goes on though its request has gone; drained at the end.
    pub tasks: TaskTracker,
}

impl App {
    /// Ids and an instant for one action.
    pub fn mint(&self) -> Mint {
        Mint::new(self.clock.now(), Arc::clone(&self.random))
    }

    /// Runs an action that moves money in a task of its own, so that a client which leaves cancels nothing.
    pub async fn undisturbed<T: Send + 'static>(
        &self,
        action: impl Future<Output = anyhow::Result<T>> + Send + 'static,
    ) -> anyhow::Result<T> {
        self.tasks.spawn(action.in_current_span()).await?
    }
}
