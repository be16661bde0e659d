//! What a processor says has happened, and its lists. Hints of where to look, never facts to apply.

use crate::{Origin, SessionFacts};
use billing::ids::AttemptId;
use jiff::Timestamp;

/// What happened at the processor. Only a hint of where to look: the object is fetched and its state applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProcessorEvent {
    /// The processor's id; the same event delivered twice has the same.
    pub id: String,
    /// What kind it is.
    pub kind: EventKind,
    /// When it happened.
    pub created_at: Timestamp,
    /// True if real money moves.
    pub live: bool,
    /// The object it is about, if the event names one.
    pub object_id: Option<String>,
    /// The kind of that object, for example `charge`.
    pub object_kind: Option<String>,
    /// The hosted page, if the object is one.
    pub session_id: Option<String>,
    /// The payment, if the object is one or names one.
    pub payment_intent_id: Option<String>,
    /// Our attempt, if the object carries it.
    pub attempt: Option<AttemptId>,
    /// Our own name of a setup, if the object carries it.
    pub setup: Option<String>,
}

/// The kinds of events: what to fetch. Each has the processor's word.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// Something about a payment of ours may have changed.
    Payment(&'static str),
    /// A refund. The object is the refund, or the charge it was made of.
    Refund(String),
    /// A dispute of a card payment or the return of a bank debit. The object is the dispute.
    Dispute(String),
    /// A payout. The object is the payout.
    Payout(String),
    /// The leave to debit an account changed. The object is the mandate.
    Mandate(String),
    /// A payer left a card or an account, or tried. The object is the page or what is behind it.
    Setup(String),
    /// A saved card or account changed or is gone. The object is the saved method.
    SavedMethod(String),
    /// Known not to be ours to act on: stored, acknowledged, left alone.
    NotOurs(String),
}

impl EventKind {
    /// The processor's word.
    pub fn as_str(&self) -> &str {
        match self {
            EventKind::Payment(word) => word,
            EventKind::Refund(word)
            | EventKind::Dispute(word)
            | EventKind::Payout(word)
            | EventKind::Mandate(word)
            | EventKind::Setup(word)
            | EventKind::SavedMethod(word)
            | EventKind::NotOurs(word) => word,
        }
    }

    /// True if the payment has to be fetched.
    pub fn concerns_payment(&self) -> bool {
        matches!(self, EventKind::Payment(_))
    }
}

/// A span of time, both ends included, in whole seconds of the processor's clock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// From.
    pub from: Timestamp,
    /// To; `None` is up to the latest.
    pub to: Option<Timestamp>,
}

/// A bounded list of events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventList {
    /// Oldest first.
    pub events: Vec<ListedEvent>,
    /// False if older events of the span were left out because there were too many: then the span is not covered, and
    /// has to be asked for in parts. A span of one second is always complete.
    pub complete: bool,
}

/// A bounded list of hosted pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PageList {
    /// Those with all our marks; anybody else's on the same account are left out, and so is what cannot be read: one page
    /// must never keep the others from us.
    pub pages: Vec<ListedPage>,
    /// Where the list was too long for one reading: the older part of the span, still to be read.
    pub rest: Option<Span>,
}

/// A hosted page in a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedPage {
    /// The page.
    pub page: SessionFacts,
    /// What it was made for.
    pub origin: Origin,
}

/// An event and how the processor wrote it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ListedEvent {
    /// Where it points.
    pub event: ProcessorEvent,
    /// Its JSON.
    pub raw: String,
}
