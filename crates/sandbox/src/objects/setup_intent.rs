//! A setup intent: a payment method is to be kept for later, without taking money now.

use serde::{Deserialize, Serialize};

use super::{Challenge, Instrument, Metadata, PaymentError, Verification};
use crate::store::Document;

/// Where a setup intent is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SetupStatus {
    RequiresPaymentMethod,
    RequiresConfirmation,
    RequiresAction,
    Succeeded,
    Canceled,
}

impl SetupStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::RequiresPaymentMethod => "requires_payment_method",
            Self::RequiresConfirmation => "requires_confirmation",
            Self::RequiresAction => "requires_action",
            Self::Succeeded => "succeeded",
            Self::Canceled => "canceled",
        }
    }
}

/// A setup intent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SetupIntent {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: SetupStatus,
    pub(crate) customer: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) payment_method_types: Vec<String>,
    pub(crate) verification_method: Option<String>,
    /// `on_session` or `off_session`.
    pub(crate) usage: String,
    pub(crate) payment_method: Option<String>,
    #[serde(flatten)]
    pub(crate) instrument: Option<Instrument>,
    pub(crate) mandate: Option<String>,
    pub(crate) last_error: Option<PaymentError>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) verification: Option<Verification>,
    pub(crate) return_url: Option<String>,
    pub(crate) cancellation_reason: Option<String>,
    /// The checkout session it belongs to.
    pub(crate) session: Option<String>,
    pub(crate) client_secret: String,
}

document!(SetupIntent, "setup_intent", |setup| setup.status.word());
