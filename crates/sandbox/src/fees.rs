//! What the processor keeps of each movement of money.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::objects::Instrument;
use crate::work::Work;
use crate::{currency, store};

/// When a charge's fee becomes known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FeeMode {
    #[default]
    AtOnce,
    Later,
}

/// What the processor keeps.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Fees {
    pub(crate) mode: FeeMode,
    /// Hundredths of a percent.
    pub(crate) basis_points: i64,
    /// The fixed part, where it differs from the table.
    pub(crate) fixed_minor: BTreeMap<String, i64>,
    /// Of a bank debit, in hundredths of a percent.
    pub(crate) bank_basis_points: i64,
    /// At most so much of a bank debit.
    pub(crate) bank_cap_minor: i64,
    /// Of a dispute that takes money, bank returns too.
    pub(crate) dispute_minor: i64,
    /// Whether that comes back with a dispute that is won.
    pub(crate) returns_dispute_fee: bool,
}

impl Default for Fees {
    fn default() -> Self {
        Self {
            mode: FeeMode::AtOnce,
            basis_points: 290,
            fixed_minor: BTreeMap::new(),
            bank_basis_points: 80,
            bank_cap_minor: 500,
            dispute_minor: 1_500,
            returns_dispute_fee: false,
        }
    }
}

impl Fees {
    pub(crate) fn load(work: &Work<'_>) -> Result<Self, Failure> {
        store::setting(work.connection, "fees")
    }

    pub(crate) fn save(&self, work: &Work<'_>) -> Result<(), Failure> {
        store::set_setting(work.connection, "fees", self)
    }

    /// 2.9 % and 0.30 of the currency for a card, 0.8 % and at most 5.00 for a bank debit, unless configured otherwise; the percentage is
    /// rounded half up.
    pub(crate) fn of(
        &self,
        instrument: &Instrument,
        currency: &str,
        amount_minor: i64,
    ) -> Result<i64, Failure> {
        let too_large =
            || Failure::Broken(anyhow::anyhow!("the fee of {amount_minor} {currency} does not fit"));
        let share = |basis_points: i64| {
            let scaled = amount_minor.checked_mul(basis_points).and_then(|scaled| scaled.checked_add(5_000));
            scaled.map(|scaled| scaled / 10_000).ok_or_else(too_large)
        };
        if instrument.bank().is_some() {
            return Ok(share(self.bank_basis_points)?.min(self.bank_cap_minor));
        }
        let fixed_minor =
            self.fixed_minor.get(currency).copied().unwrap_or(match currency::exponent(currency) {
                Some(0) => 40,
                Some(3) => 300,
                _ => 30,
            });
        share(self.basis_points)?.checked_add(fixed_minor).ok_or_else(too_large)
    }
}
