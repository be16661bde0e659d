//! How a call can end without facts. The question each answer has to settle: may it have had its effect?

use billing::payment::Method;
use ledger::Currency;

/// Why a call brought no facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Provably never sent: no connection came about, or the call could not be made.
    #[error("the processor was not reached: {0}")]
    NotSent(String),
    /// Sent, and no whole answer came: time-out, reset, an answer cut short.
    #[error("the processor did not answer: {0}")]
    NoAnswer(String),
    /// It failed inside. The same key may bring the same failure for ever.
    #[error("the processor failed with status {status} (request {})", shown(.request_id))]
    ServerError {
        /// HTTP status.
        status: u16,
        /// Its name of the request, for its support.
        request_id: Option<String>,
    },
    /// A call under the same key is still running.
    #[error("the processor still works on a call under this key (request {})", shown(.request_id))]
    InProgress {
        /// Its name of the request.
        request_id: Option<String>,
    },
    /// Too many calls; nothing was done.
    #[error("the processor asks to wait {retry_after_seconds} s")]
    RateLimited {
        /// How long to wait.
        retry_after_seconds: u32,
    },
    /// It said no: definitive, nothing happened.
    #[error("the processor refused with status {status}, code {}: {message} (request {})", shown(.code), shown(.request_id))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Its code, for example `amount_too_small`.
        code: Option<String>,
        /// Its words, for staff and logs, never for payers.
        message: String,
        /// The parameter it objects to.
        param: Option<String>,
        /// Its name of the request.
        request_id: Option<String>,
    },
    /// The key was used for another body. It is a bug of the caller, and the other call may have had its effect.
    #[error("the key was used for another call (request {})", shown(.request_id))]
    KeyReused {
        /// Its name of the request.
        request_id: Option<String>,
    },
    /// It answered something we cannot make sense of.
    #[error("the processor's answer is not understood: {0}")]
    Unreadable(String),
    /// Test facts for a live key or the reverse. Nothing of it is used.
    #[error("the key is {}, the answer is {}", mode(.expected_live), mode(&!.expected_live))]
    WrongMode {
        /// True if the key moves real money.
        expected_live: bool,
    },
}

impl CallError {
    /// True if the processor settled that the call has no effect, so that a new attempt may take a new key.
    pub const fn is_definitive(&self) -> bool {
        matches!(self, CallError::Refused { .. })
    }

    /// True unless it is certain that the call had no effect.
    pub const fn may_have_happened(&self) -> bool {
        !matches!(self, CallError::NotSent(_) | CallError::RateLimited { .. } | CallError::Refused { .. })
    }
}

/// Why a call cannot be made; nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotCharge {
    /// The processor does not charge by this method in this currency, or not by this method at all.
    #[error("{} is not charged in {currency}", .method.as_str())]
    Method {
        /// The method.
        method: Method,
        /// The currency.
        currency: Currency,
    },
    /// The processor keeps nothing of this kind.
    #[error("nothing is kept of {}", .0.as_str())]
    NotKept(Method),
    /// To keep what the payer pays with, there has to be a record of the payer.
    #[error("nothing can be kept for a payer without a record at the processor")]
    NoCustomer,
    /// Zero or less.
    #[error("there is nothing to charge")]
    NotPositive,
    /// More digits than the processor takes.
    #[error("the amount is above the processor's most, {maximum_minor} minor units")]
    TooLarge {
        /// The most, minor units.
        maximum_minor: i64,
    },
    /// The processor cannot express the amount.
    #[error("the amount is not a multiple of {step_minor} minor units")]
    OffStep {
        /// The step, minor units.
        step_minor: i64,
    },
}

fn shown(value: &Option<String>) -> &str {
    value.as_deref().unwrap_or("unnamed")
}

fn mode(live: &bool) -> &'static str {
    if *live { "live" } else { "test" }
}
