//! A payout: what the processor owes, sent to the merchant's bank, or taken from it when it is below zero.

use serde::{Deserialize, Serialize};

use super::Metadata;
use crate::store::Document;

/// Where a payout is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PayoutStatus {
    InTransit,
    Paid,
    Failed,
}

impl PayoutStatus {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::Paid => "paid",
            Self::Failed => "failed",
        }
    }
}

/// A payout.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Payout {
    pub(crate) id: String,
    pub(crate) created: i64,
    /// Negative when it takes from the bank.
    pub(crate) amount_minor: i64,
    pub(crate) currency: String,
    /// What left the balance for it, where that is in another currency.
    #[serde(default)]
    pub(crate) converted_from: Option<(i64, String)>,
    pub(crate) status: PayoutStatus,
    /// Made by the clock, with the balance transactions that are its items.
    pub(crate) is_automatic: bool,
    pub(crate) arrival_date: i64,
    pub(crate) balance_transaction: String,
    pub(crate) failure_balance_transaction: Option<String>,
    pub(crate) failure_code: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) statement_descriptor: Option<String>,
    pub(crate) metadata: Metadata,
}

impl Payout {
    /// What left the balance for it.
    pub(crate) fn balance(&self) -> (i64, &str) {
        match &self.converted_from {
            Some((amount_minor, currency)) => (*amount_minor, currency),
            None => (self.amount_minor, &self.currency),
        }
    }

    /// Whether its money is away.
    pub(crate) fn counts(&self) -> bool {
        self.status != PayoutStatus::Failed
    }
}

document!(Payout, "payout", |payout| payout.status.word());
