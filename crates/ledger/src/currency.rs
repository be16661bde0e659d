//! The currencies money can be in: ISO 4217 codes with an exponent. Never a rate, never a conversion.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An ISO 4217 currency that has a minor unit (so not gold or "no currency").
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency(iso_currency::Currency);

/// The text is no ISO 4217 code of a currency with a minor unit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an ISO 4217 currency code")]
pub struct UnknownCurrency(pub String);

impl Currency {
    /// US dollar.
    pub const USD: Currency = Currency(iso_currency::Currency::USD);
    /// Euro.
    pub const EUR: Currency = Currency(iso_currency::Currency::EUR);
    /// Japanese yen, which has no minor unit.
    pub const JPY: Currency = Currency(iso_currency::Currency::JPY);
    /// Kuwaiti dinar, which has three decimals.
    pub const KWD: Currency = Currency(iso_currency::Currency::KWD);

    /// The currency with this code; upper or lower case.
    pub fn try_new(code: &str) -> Result<Currency, UnknownCurrency> {
        iso_currency::Currency::from_code(&code.to_ascii_uppercase())
            .filter(|currency| currency.exponent().is_some())
            .map(Currency)
            .ok_or_else(|| UnknownCurrency(code.to_owned()))
    }

    /// Three capital letters, for example `USD`.
    pub fn code(self) -> &'static str {
        self.0.code()
    }

    /// Digits after the decimal mark: 2 for USD, 0 for JPY, 3 for KWD. Source: ISO 4217.
    pub fn exponent(self) -> u32 {
        u32::from(self.0.exponent().unwrap_or(0))
    }

    /// Minor units in one major unit: 100 for USD, 1 for JPY, 1000 for KWD.
    pub fn minor_per_major(self) -> i64 {
        10_i64.pow(self.exponent())
    }

    /// The sign people write, for example `$`. Several currencies share one, so it never identifies a currency.
    pub fn symbol(self) -> String {
        self.0.symbol().symbol
    }

    /// The English name, for example `United States dollar`.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Every currency there is.
    pub fn all() -> impl Iterator<Item = Currency> {
        use iso_currency::IntoEnumIterator;
        iso_currency::Currency::iter().filter(|currency| currency.exponent().is_some()).map(Currency)
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = UnknownCurrency;
    fn from_str(code: &str) -> Result<Currency, UnknownCurrency> {
        Currency::try_new(code)
    }
}

impl Ord for Currency {
    fn cmp(&self, other: &Currency) -> Ordering {
        self.code().cmp(other.code())
    }
}

impl PartialOrd for Currency {
    fn partial_cmp(&self, other: &Currency) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_follow_iso_4217() {
        for (code, exponent) in
            [("USD", 2), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("TND", 3), ("BHD", 3), ("ISK", 0)]
        {
            assert_eq!(Currency::try_new(code).unwrap().exponent(), exponent, "{code}");
        }
        assert_eq!(Currency::JPY.minor_per_major(), 1);
        assert_eq!(Currency::KWD.minor_per_major(), 1000);
    }

    #[test]
    fn codes_are_read_in_any_case_and_nothing_else_is() {
        assert_eq!(Currency::try_new("usd"), Ok(Currency::USD));
        for wrong in ["", "US", "USDD", "U$D", "XAU", "XXX", "dollar"] {
            assert_eq!(Currency::try_new(wrong), Err(UnknownCurrency(wrong.to_owned())));
        }
    }
}
