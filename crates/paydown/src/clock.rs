//! Time and chance, handed down as arguments. Only `main.rs` makes the real ones.

use futures::future::BoxFuture;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Tells the time. A test's clock stands still until it is moved.
pub trait Clock: Send + Sync {
    /// The instant it is now.
    fn now(&self) -> Timestamp;

    /// Lets so much time pass between two tries of an action. A simulated clock moves on instead of waiting.
    fn pass(&self, span: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span))
    }
}

/// Gives unpredictable bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// Makes ids, tokens and instants for one action.
#[derive(Clone)]
pub struct Mint {
    /// When the action happens; one instant for all it does.
    pub now: Timestamp,
    random: Arc<dyn Random>,
}

impl Mint {
    /// A mint for an action at `now`.
    pub fn new(now: Timestamp, random: Arc<dyn Random>) -> Mint {
        Mint { now, random }
    }

    /// A new id: `mint.id(InvoiceId::new)`.
    pub fn id<T>(&self, new: fn(Timestamp, [u8; 10]) -> T) -> T {
        new(self.now, self.bytes())
    }

    /// Unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.random.fill(&mut bytes);
        bytes
    }
}
