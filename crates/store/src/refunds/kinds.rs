//! The parts of a refund that are values of their own: what it is of, who approved it, how it is called at the processor, and where
//! its money was taken from.

use billing::ids::{GrantId, InvoiceId, PaymentId};
use jiff::Timestamp;

/// What is refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundSource {
    /// A payment, or a part of it.
    Payment,
    /// Credit of a customer.
    Credit,
}

/// Where a refund began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundOrigin {
    /// It was asked for here.
    Asked,
    /// It was made at the processor, and found there.
    Adopted,
}

/// Whether a second person has to approve a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approval {
    /// Nobody has to.
    NotNeeded,
    /// Somebody has to, and nothing is sent before.
    Waiting,
    /// Somebody has.
    Given {
        /// Who, as the audit trail calls them; never who asked for it.
        by: String,
        /// When.
        at: Timestamp,
    },
}

/// A call as it was decided, with its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundCall {
    /// Our idempotency key there.
    pub processor_key: String,
    /// The call, for example `POST /v1/refunds`.
    pub route: String,
    /// Its exact body.
    pub body: String,
}

/// What an answer of the processor tells of a refund; what is `None` stays as it was.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundLearned {
    /// The processor's id of it.
    pub processor_refund_id: Option<String>,
    /// The line of the processor's books on which it went out.
    pub line_id: Option<String>,
    /// The line on which it came back.
    pub failure_line_id: Option<String>,
    /// Why it failed, in the processor's words.
    pub failure_reason: Option<String>,
    /// What the payer's bank can find it by.
    pub bank_reference: Option<String>,
}

/// A part of a refund: from where it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundPart {
    /// From where.
    pub place: RefundPlace,
    /// Whose money it was; none for credit that no payment bore.
    pub payment_id: Option<PaymentId>,
    /// Minor units, above 0.
    pub amount_minor: i64,
}

impl RefundPart {
    /// The invoice that it is about, if any.
    pub const fn invoice(&self) -> Option<InvoiceId> {
        match self.place {
            RefundPlace::Allocated(invoice) => Some(invoice),
            RefundPlace::Grant { born_on, .. } => born_on,
            RefundPlace::Surcharge | RefundPlace::Unapplied | RefundPlace::Owed => None,
        }
    }
}

/// From where a part of a refund was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundPlace {
    /// The payment's surcharge.
    Surcharge,
    /// What was set against this invoice.
    Allocated(InvoiceId),
    /// Customer credit.
    Grant {
        /// Which grant.
        grant: GrantId,
        /// The invoice it was born on.
        born_on: Option<InvoiceId>,
    },
    /// Money without a place.
    Unapplied,
    /// Nowhere: the payment no longer had it, and the customer owes it.
    Owed,
}

impl RefundSource {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefundSource::Payment => "payment",
            RefundSource::Credit => "credit",
        }
    }

    pub(super) fn parse(word: &str) -> Option<RefundSource> {
        [RefundSource::Payment, RefundSource::Credit].into_iter().find(|source| source.as_str() == word)
    }
}

impl RefundOrigin {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefundOrigin::Asked => "asked",
            RefundOrigin::Adopted => "adopted",
        }
    }

    pub(super) fn parse(word: &str) -> Option<RefundOrigin> {
        [RefundOrigin::Asked, RefundOrigin::Adopted].into_iter().find(|origin| origin.as_str() == word)
    }
}

impl Approval {
    /// The word the store and the API use.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Approval::NotNeeded => "not_needed",
            Approval::Waiting => "waiting",
            Approval::Given { .. } => "given",
        }
    }
}
