//! What a payer pays with, as it is kept: a card or a bank account, without its number.

use serde::{Deserialize, Serialize};

use crate::banks::BankSummary;
use crate::cards::CardSummary;

/// A card or a bank account.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Instrument {
    Card(CardSummary),
    UsBankAccount(BankSummary),
    SepaDebit(BankSummary),
}

impl Instrument {
    /// Its type as the API names it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Card(_) => "card",
            Self::UsBankAccount(_) => "us_bank_account",
            Self::SepaDebit(_) => "sepa_debit",
        }
    }

    pub(crate) fn card(&self) -> Option<&CardSummary> {
        match self {
            Self::Card(card) => Some(card),
            Self::UsBankAccount(_) | Self::SepaDebit(_) => None,
        }
    }

    pub(crate) fn bank(&self) -> Option<&BankSummary> {
        match self {
            Self::Card(_) => None,
            Self::UsBankAccount(bank) | Self::SepaDebit(bank) => Some(bank),
        }
    }

    /// Name of its holder, as typed.
    pub(crate) fn name(&self) -> Option<&str> {
        match self {
            Self::Card(card) => card.name.as_deref(),
            Self::UsBankAccount(bank) | Self::SepaDebit(bank) => bank.name.as_deref(),
        }
    }

    /// What it is known by among the test instruments; stands for a fingerprint, since it is the same whenever the number is.
    pub(crate) fn token(&self) -> &str {
        match self {
            Self::Card(card) => &card.token,
            Self::UsBankAccount(bank) | Self::SepaDebit(bank) => &bank.token,
        }
    }
}
