//! A payment method: an instrument under an id of its own, perhaps kept by a customer.

use serde::{Deserialize, Serialize};

use super::{Instrument, Metadata};
use crate::store::Document;

/// A payment method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PaymentMethod {
    pub(crate) id: String,
    pub(crate) created: i64,
    #[serde(flatten)]
    pub(crate) instrument: Instrument,
    /// The instrument's type, for lists.
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) payer_email: Option<String>,
    pub(crate) customer: Option<String>,
    pub(crate) metadata: Metadata,
    /// The holder was seen by the bank when it was saved, or the account was verified.
    pub(crate) is_verified: bool,
    /// Taken off its customer: it can never be used again.
    pub(crate) is_detached: bool,
}

document!(PaymentMethod, "payment_method", |method| if method.is_detached { "detached" } else { "usable" });
