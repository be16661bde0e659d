//! A dispute: a payer's bank asks a question or takes money back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::store::Document;

/// Where a dispute is in its life. The first three ask; nothing was taken. The rest concern money that was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DisputeStatus {
    WarningNeedsResponse,
    WarningUnderReview,
    WarningClosed,
    NeedsResponse,
    UnderReview,
    Won,
    Lost,
}

impl DisputeStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::WarningNeedsResponse => "warning_needs_response",
            Self::WarningUnderReview => "warning_under_review",
            Self::WarningClosed => "warning_closed",
            Self::NeedsResponse => "needs_response",
            Self::UnderReview => "under_review",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    /// Whether it only asks.
    pub(crate) fn is_inquiry(self) -> bool {
        matches!(self, Self::WarningNeedsResponse | Self::WarningUnderReview | Self::WarningClosed)
    }

    pub(crate) fn is_closed(self) -> bool {
        matches!(self, Self::WarningClosed | Self::Won | Self::Lost)
    }

    /// Whether its amount is with the payer's bank.
    pub(crate) fn holds_money(self) -> bool {
        matches!(self, Self::NeedsResponse | Self::UnderReview | Self::Lost)
    }
}

/// A dispute.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dispute {
    pub(crate) id: String,
    pub(crate) created: i64,
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    pub(crate) charge: String,
    pub(crate) payment_intent: String,
    pub(crate) reason: String,
    pub(crate) status: DisputeStatus,
    /// Type of the payment method.
    pub(crate) kind: String,
    /// Brand of the card; absent for bank accounts.
    pub(crate) brand: Option<String>,
    /// Texts and ids of files, by the published names.
    pub(crate) evidence: BTreeMap<String, String>,
    /// When the answer must be there; absent where none is heard.
    pub(crate) due_by: Option<i64>,
    pub(crate) submissions: i64,
    pub(crate) balance_transactions: Vec<String>,
    pub(crate) metadata: Metadata,
}

document!(Dispute, "dispute", |dispute| dispute.status.word());
