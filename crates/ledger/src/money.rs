//! An amount in one currency. Integers in the minor unit, checked arithmetic, never a float.

use crate::Currency;
use std::fmt;

/// An amount in the minor unit of its currency: `Money::new(50_000, USD)` is five hundred dollars. May be negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why two amounts could not be combined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies never meet in one sum.
    #[error("{left} and {right} are different currencies")]
    CurrencyMismatch {
        /// Currency of the left amount.
        left: Currency,
        /// Currency of the right amount.
        right: Currency,
    },
    /// The result does not fit in 64 bits.
    #[error("the amount is too large")]
    Overflow,
}

impl Money {
    /// So many minor units of a currency.
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Nothing, in a currency.
    pub const fn zero(currency: Currency) -> Money {
        Money::new(0, currency)
    }

    /// The number of minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// True for an amount of 0.
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// True above 0.
    pub const fn is_positive(self) -> bool {
        self.minor > 0
    }

    /// The sum, if both are of one currency and it fits.
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, if both are of one currency and it fits. It may be negative.
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    /// This amount × `part` ÷ `whole`, rounded down towards zero; computed in 128 bits.
    ///
    /// `None` when `whole` is 0 or the result does not fit.
    pub fn share(self, part: i64, whole: i64) -> Option<Money> {
        let product = i128::from(self.minor).checked_mul(i128::from(part))?;
        let minor = i64::try_from(product.checked_div(i128::from(whole))?).ok()?;
        Some(Money::new(minor, self.currency))
    }

    fn combine(self, other: Money, operation: fn(i64, i64) -> Option<i64>) -> Result<Money, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = operation(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Money::new(minor, self.currency))
    }
}

/// Plain and the same everywhere, for logs and errors of machines: `1250.00 USD`. Pages format in the payer's locale.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exponent = self.currency.exponent();
        let sign = if self.minor < 0 { "-" } else { "" };
        let (absolute, per_major) =
            (self.minor.unsigned_abs(), self.currency.minor_per_major().unsigned_abs());
        let major = absolute / per_major;
        if exponent == 0 {
            return write!(f, "{sign}{major} {}", self.currency);
        }
        let fraction = absolute % per_major;
        write!(f, "{sign}{major}.{fraction:0width$} {}", self.currency, width = exponent as usize)
    }
}

impl fmt::Debug for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn arithmetic_is_checked_at_the_edges() {
        let most = Money::new(i64::MAX, Currency::USD);
        let one = Money::new(1, Currency::USD);
        assert_eq!(most.checked_add(one), Err(MoneyError::Overflow));
        assert_eq!(Money::new(i64::MIN, Currency::USD).checked_sub(one), Err(MoneyError::Overflow));
        assert_eq!(most.checked_sub(one).unwrap().minor(), i64::MAX - 1);
        assert!(one.checked_add(Money::new(1, Currency::EUR)).is_err());
    }

    #[test]
    fn display_uses_the_exponent() {
        assert_eq!(Money::new(125_000, Currency::USD).to_string(), "1250.00 USD");
        assert_eq!(Money::new(-5, Currency::USD).to_string(), "-0.05 USD");
        assert_eq!(Money::new(1250, Currency::JPY).to_string(), "1250 JPY");
        assert_eq!(Money::new(1, Currency::KWD).to_string(), "0.001 KWD");
        assert_eq!(Money::new(i64::MIN, Currency::JPY).to_string(), "-9223372036854775808 JPY");
    }

    proptest! {
        #[test]
        fn shares_of_a_split_never_exceed_the_whole(minor in 0..1_000_000_000_000_i64, a in 0..10_000_i64, b in 1..10_000_i64) {
            let whole = a + b;
            let money = Money::new(minor, Currency::USD);
            let shares = money.share(a, whole).unwrap().minor() + money.share(b, whole).unwrap().minor();
            prop_assert!(shares <= minor && minor - shares <= 1);
            prop_assert_eq!(money.share(whole, whole).unwrap(), money);
        }
    }
}
