//! What a merchant passes on of a method's cost: computed on the amount paid, never part of the invoice.

use ledger::Money;

/// Percent plus fixed, capped. Off when all are 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Surcharge {
    /// Millionths of the amount paid: 2.9 % is 29 000.
    pub rate_millionths: i64,
    /// Added once, minor units of the payment's currency.
    pub fixed_minor: i64,
    /// Never more than this, minor units; `None` for no cap.
    pub cap_minor: Option<i64>,
}

impl Surcharge {
    /// Nothing is passed on.
    pub const NONE: Surcharge = Surcharge { rate_millionths: 0, fixed_minor: 0, cap_minor: None };

    /// The surcharge on `amount`, half up to the minor unit. `None` if it does not fit.
    pub fn on(&self, amount: Money) -> Option<Money> {
        let scaled = i128::from(amount.minor()).checked_mul(i128::from(self.rate_millionths))?;
        let percent = i64::try_from((scaled + 500_000) / 1_000_000).ok()?;
        let sum = percent.checked_add(self.fixed_minor)?;
        Some(Money::new(self.cap_minor.map_or(sum, |cap| sum.min(cap)), amount.currency()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;

    fn on(surcharge: Surcharge, minor: i64) -> i64 {
        surcharge.on(Money::new(minor, Currency::USD)).unwrap().minor()
    }

    /// Acceptance scenario 5 of the rules: 2.9 % + 0.30 on 400.00 is 11.90.
    #[test]
    fn percent_plus_fixed_is_on_the_amount_paid() {
        let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
        assert_eq!(on(surcharge, 40_000), 1_190);
        assert_eq!(on(Surcharge { cap_minor: Some(1_000), ..surcharge }, 40_000), 1_000);
        assert_eq!(on(Surcharge::NONE, 40_000), 0);
        assert_eq!(on(Surcharge { rate_millionths: 5_000, ..Surcharge::NONE }, 100), 1);
        assert!(surcharge.on(Money::new(i64::MAX, Currency::USD)).unwrap().minor() > 0);
    }
}
