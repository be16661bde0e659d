//! Payment processors: one trait, [`Processor`], and one folder per provider.
//!
//! An adapter turns our calls into a processor's HTTP and its answers into [`PaymentFacts`]. It decides nothing about
//! an invoice and must never know the store, read a clock of its own, or charge twice: what it sends was stored first,
//! and goes out under the stored key.

mod error;
mod processor;
mod secret;
pub mod stripe;

pub use error::{CallError, CannotCharge};
pub use processor::{
    Account, CardCheckout, CardFacts, DeclineFacts, EventKind, EventList, FeeFacts, ListedEvent, ListedPage,
    NewCustomer, Origin, PageList, PaymentFacts, Processor, ProcessorEvent, SessionFacts, Span, StoredCall,
};
pub use secret::SecretText;
