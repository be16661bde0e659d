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
    /// The currency in which the balance is kept, and what a million minor units of any other come to in it. Charges are
    /// booked in it.
    pub(crate) settles_in: Option<(String, i64)>,
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
            settles_in: None,
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

    /// What a charge comes to in the books: its amount, or that in the currency of the balance.
    pub(crate) fn settled(&self, currency: &str, amount_minor: i64) -> Result<(String, i64), Failure> {
        match &self.settles_in {
            Some((other, rate_millionths)) if other != currency => {
                Ok((other.clone(), exchanged(amount_minor, *rate_millionths)?))
            }
            _ => Ok((currency.to_owned(), amount_minor)),
        }
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

/// Minor units in another currency, rounded towards zero.
pub(crate) fn exchanged(amount_minor: i64, rate_millionths: i64) -> Result<i64, Failure> {
    let scaled = amount_minor.checked_mul(rate_millionths);
    let scaled = scaled.ok_or_else(|| Failure::Broken(anyhow::anyhow!("an exchange does not fit")))?;
    Ok(scaled / 1_000_000)
}
