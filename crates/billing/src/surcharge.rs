//! What a merchant passes on of a method's cost: computed on the amount paid, never part of the invoice.

use crate::amount::MethodLimits;
use ledger::{Currency, Money};

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

    /// The same, rounded up to what a processor can charge: a multiple of `step_minor`. `None` if it does not fit.
    pub fn charged_on(&self, amount: Money, step_minor: i64) -> Option<Money> {
        let exact = self.on(amount)?.minor();
        Some(Money::new(exact.checked_add(step_minor - 1)? / step_minor * step_minor, amount.currency()))
    }

    /// What a method can carry once the surcharge has its part of each charge.
    pub fn leaves_of(&self, method: MethodLimits, currency: Currency) -> MethodLimits {
        let fits = |minor: i64| {
            let surcharge = self.charged_on(Money::new(minor, currency), method.step_minor);
            surcharge
                .and_then(|surcharge| surcharge.minor().checked_add(minor))
                .is_some_and(|sum| sum <= method.maximum_minor)
        };
        // The sum grows with the amount, so the largest that fits is found by halving.
        let (mut fitting, mut too_much) = (0, method.maximum_minor.saturating_add(1));
        while too_much - fitting > 1 {
            let middle = fitting + (too_much - fitting) / 2;
            if fits(middle) { fitting = middle } else { too_much = middle }
        }
        MethodLimits { maximum_minor: fitting, ..method }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn the_surcharge_has_its_part_of_the_most_a_method_can_carry() {
        let method = MethodLimits { minimum_minor: 50, maximum_minor: 99_999_999, step_minor: 1 };
        assert_eq!(Surcharge::NONE.leaves_of(method, Currency::USD), method);
        let surcharge = Surcharge { rate_millionths: 29_000, fixed_minor: 30, cap_minor: None };
        let most = surcharge.leaves_of(method, Currency::USD).maximum_minor;
        assert!(most + on(surcharge, most) <= 99_999_999, "{most} fits");
        assert!(most + 1 + on(surcharge, most + 1) > 99_999_999, "and one more does not");
        let by_tens = MethodLimits { maximum_minor: 1_000, step_minor: 10, ..method };
        let all_taken = Surcharge { fixed_minor: 991, ..Surcharge::NONE };
        assert_eq!(all_taken.leaves_of(by_tens, Currency::USD).maximum_minor, 0, "991 is charged as 1,000");
    }
}
