//! The one table that says which of Stripe's facts makes which state of a payment.
//!
//! Whatever is not proof of an end keeps the payment, and with it the reservation, alive. An expired page alone proves
//! nothing: the payment intent has its say. Only a success can have been taken back.

use billing::payment::PaymentState;

/// What the hosted page says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Page {
    /// There is none: a charge we sent ourselves.
    None,
    /// The payer can still pay on it.
    Open,
    /// The payer has submitted it and it will take nothing more. A bank debit may still be under way.
    Complete,
    /// It ended unpaid.
    Expired,
    /// A word we do not know.
    Unknown,
}

/// What the payment intent says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IntentStatus {
    /// No card yet, or the last one was declined, or the bank did not honour the debit.
    RequiresPaymentMethod,
    /// Has a card, is not submitted.
    RequiresConfirmation,
    /// The payer has something to do, for example a challenge of the bank, or to read two small deposits.
    RequiresAction,
    /// It is being worked on: a bank debit for days.
    Processing,
    /// Authorised; the money waits to be captured. We never ask for this, a person at the dashboard may.
    RequiresCapture,
    /// Ended without money.
    Canceled,
    /// The money was captured.
    Succeeded,
    /// A word we do not know.
    Unknown,
}

/// The state of a payment whose page and intent say this. `declined` is true if a card was declined, or a debit not
/// honoured, and no later try went through; `returned` is true if a bank took the money of a debit back.
pub const fn payment_state(
    page: Page,
    intent: Option<IntentStatus>,
    declined: bool,
    returned: bool,
) -> PaymentState {
    use IntentStatus as Intent;
    let ended = if declined { PaymentState::Failed } else { PaymentState::Canceled };
    match (page, intent) {
        (_, Some(Intent::Succeeded)) if returned => PaymentState::Returned,
        (_, Some(Intent::Succeeded)) => PaymentState::Succeeded,
        (_, Some(Intent::Processing)) => PaymentState::Processing,
        (Page::Open, _) => PaymentState::RequiresAction,
        (_, Some(Intent::RequiresCapture)) => PaymentState::Processing,
        (_, Some(Intent::RequiresAction | Intent::RequiresConfirmation)) => PaymentState::RequiresAction,
        (Page::Unknown, _) | (_, Some(Intent::Unknown)) => PaymentState::Unknown,
        (Page::None, Some(Intent::RequiresPaymentMethod)) if !declined => PaymentState::RequiresAction,
        (_, Some(Intent::Canceled | Intent::RequiresPaymentMethod)) => ended,
        (Page::Expired, None) => ended,
        // Complete without a payment happens only where there was nothing to pay, which we never ask for.
        (Page::Complete | Page::None, None) => PaymentState::Unknown,
    }
}

impl Page {
    pub(super) fn parse(word: Option<&str>) -> Page {
        match word {
            Some("open") => Page::Open,
            Some("complete") => Page::Complete,
            Some("expired") => Page::Expired,
            _ => Page::Unknown,
        }
    }
}

impl IntentStatus {
    pub(super) fn parse(word: &str) -> IntentStatus {
        match word {
            "requires_payment_method" => IntentStatus::RequiresPaymentMethod,
            "requires_confirmation" => IntentStatus::RequiresConfirmation,
            "requires_action" => IntentStatus::RequiresAction,
            "processing" => IntentStatus::Processing,
            "requires_capture" => IntentStatus::RequiresCapture,
            "canceled" => IntentStatus::Canceled,
            "succeeded" => IntentStatus::Succeeded,
            _ => IntentStatus::Unknown,
        }
    }
}
