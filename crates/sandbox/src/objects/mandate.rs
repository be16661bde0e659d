//! A mandate: the payer's word that their bank account may be debited.

use serde::{Deserialize, Serialize};

use crate::store::Document;

/// Whether debits may be made on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MandateStatus {
    Active,
    Pending,
    Inactive,
}

impl MandateStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Pending => "pending",
            Self::Inactive => "inactive",
        }
    }
}

/// What one debit a single-use mandate allows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct SingleUse {
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
}

/// A mandate.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Mandate {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) status: MandateStatus,
    pub(crate) payment_method: String,
    /// Type of the payment method.
    pub(crate) kind: String,
    /// Absent when it may be used again and again.
    pub(crate) single_use: Option<SingleUse>,
    pub(crate) accepted_at: i64,
    /// Where the payer agreed; absent when the merchant says they agreed elsewhere.
    pub(crate) ip_address: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) reference: String,
}

document!(Mandate, "mandate", |mandate| mandate.status.word());
