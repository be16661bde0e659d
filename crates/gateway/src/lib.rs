//! Payment processors: one trait, [`Processor`], and one folder per provider.
//!
//! An adapter turns our calls into a processor's HTTP and its answers into [`PaymentFacts`]. It decides nothing about
//! an invoice and must never know the store, read a clock of its own, or charge twice: what it sends was stored first,
//! and goes out under the stored key.

mod calls;
mod dispute;
mod error;
mod events;
mod instrument;
mod mandate;
mod payment;
mod payout;
mod processor;
mod refund;
mod saved;
mod secret;
pub mod stripe;

pub use calls::{Checkout, NewCustomer, NewRefund, RefundReason, SavedCharge, SetupPage, StoredCall};
pub use dispute::{
    DisputeFacts, Evidence, EvidenceFile, EvidenceText, EvidenceUpload, ReturnFacts, UploadKind,
};
pub use error::{CallError, CannotCharge};
pub use events::{EventKind, EventList, ListedEvent, ListedPage, PageList, ProcessorEvent, Span};
pub use instrument::{
    BankAccountKind, BankFacts, BankHolder, CardFacts, VerificationFacts, VerificationKind, VerificationState,
};
pub use mandate::{MandateFacts, MandateState};
pub use payment::{DebitFailure, DeclineFacts, FeeFacts, Origin, PaymentFacts, SessionFacts};
pub use payout::{BalanceLine, LineKind, PayoutFacts, PayoutList};
pub use processor::{Account, Processor};
pub use refund::RefundFacts;
pub use saved::{SavedMethod, SetupFacts, SetupState};
pub use secret::SecretText;
