//! The lines of an invoice and how they add up: amount and tax per line, half up to the minor unit, total = sum.

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

/// Most digits after the decimal mark of a quantity.
pub const QUANTITY_PLACES: u32 = 6;

/// The most that a line or an invoice comes to, minor units: 15 digits, as no amount anybody types has more. Sums over
/// many invoices then still fit.
pub const MOST_MINOR: i64 = 999_999_999_999_999;

/// A tax rate in millionths of the net amount: 19 % is 190 000.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub struct TaxRate(pub i64);

impl TaxRate {
    /// Reads a percentage such as `19` or `8.875`; 0 to 100 with at most four decimals.
    pub fn from_percent(percent: Decimal) -> Option<TaxRate> {
        let millionths = percent.checked_mul(Decimal::from(10_000))?;
        if millionths.fract() != Decimal::ZERO || millionths < Decimal::ZERO || percent > Decimal::ONE_HUNDRED
        {
            return None;
        }
        millionths.to_i64().map(TaxRate)
    }

    /// The percentage, without trailing zeros.
    pub fn percent(self) -> Decimal {
        (Decimal::from(self.0) / Decimal::from(10_000)).normalize()
    }
}

/// What a line asks for, as it was entered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Line {
    /// What for.
    pub description: String,
    /// How many; at most six decimals.
    pub quantity: Decimal,
    /// Price of one, minor units; negative for a deduction.
    pub unit_amount_minor: i64,
    /// Tax on top of the net amount, if any.
    pub tax_rate: Option<TaxRate>,
}

/// What a line comes to, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LineTotals {
    /// Quantity × unit amount, half up.
    pub net_minor: i64,
    /// Net × rate, half up.
    pub tax_minor: i64,
}

/// What an invoice comes to, minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvoiceTotals {
    /// Per line, in order.
    pub lines: Vec<LineTotals>,
    /// Sum of the nets.
    pub net_minor: i64,
    /// Sum of the taxes.
    pub tax_minor: i64,
    /// Tax by rate, in order of the rate; rates that come to 0 are left out.
    pub tax_by_rate: Vec<(TaxRate, i64)>,
    /// Net + tax.
    pub total_minor: i64,
}

/// Why lines do not make an invoice.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// No lines.
    #[error("an invoice needs at least one line")]
    NoLines,
    /// A quantity with more than six decimals.
    #[error("line {line}: a quantity has at most {QUANTITY_PLACES} digits after the decimal mark")]
    QuantityTooFine {
        /// Counted from 1.
        line: usize,
    },
    /// An amount of more than 15 digits.
    #[error("line {line}: the amount is too large: it has more than 15 digits")]
    TooLarge {
        /// Counted from 1.
        line: usize,
    },
    /// Lines that are fine, and together come to more than 15 digits.
    #[error("the lines add up to more than 15 digits")]
    TotalTooLarge,
    /// More is deducted than asked for.
    #[error("the lines add up to less than nothing")]
    NegativeTotal,
}

/// Amounts of the lines and of the invoice. A negative line is allowed, a negative total or a negative tax sum is not.
pub fn totals(lines: &[Line]) -> Result<InvoiceTotals, LineError> {
    if lines.is_empty() {
        return Err(LineError::NoLines);
    }
    let mut result = InvoiceTotals {
        lines: Vec::new(),
        net_minor: 0,
        tax_minor: 0,
        tax_by_rate: Vec::new(),
        total_minor: 0,
    };
    for (position, line) in lines.iter().enumerate() {
        let number = position + 1;
        let line_totals = line_totals(line, number)?;
        result.net_minor = sum(result.net_minor, line_totals.net_minor)?;
        result.tax_minor = sum(result.tax_minor, line_totals.tax_minor)?;
        if let Some(rate) = line.tax_rate {
            match result.tax_by_rate.binary_search_by_key(&rate, |(rate, _)| *rate) {
                Ok(found) => result.tax_by_rate[found].1 += line_totals.tax_minor,
                Err(place) => result.tax_by_rate.insert(place, (rate, line_totals.tax_minor)),
            }
        }
        result.lines.push(line_totals);
    }
    result.tax_by_rate.retain(|(_, tax_minor)| *tax_minor != 0);
    result.total_minor = sum(result.net_minor, result.tax_minor)?;
    let negative_tax = result.tax_by_rate.iter().any(|(_, tax_minor)| *tax_minor < 0);
    if result.total_minor < 0 || result.net_minor < 0 || negative_tax {
        return Err(LineError::NegativeTotal);
    }
    Ok(result)
}

fn sum(one: i64, other: i64) -> Result<i64, LineError> {
    one.checked_add(other).filter(|sum| sum.abs() <= MOST_MINOR).ok_or(LineError::TotalTooLarge)
}

fn line_totals(line: &Line, number: usize) -> Result<LineTotals, LineError> {
    if line.quantity.normalize().scale() > QUANTITY_PLACES {
        return Err(LineError::QuantityTooFine { line: number });
    }
    let too_large = || LineError::TooLarge { line: number };
    let net = line.quantity.checked_mul(Decimal::from(line.unit_amount_minor)).ok_or_else(too_large)?;
    let net = half_up(net);
    let tax = match line.tax_rate {
        Some(TaxRate(millionths)) => {
            half_up(net.checked_mul(Decimal::new(millionths, 6)).ok_or_else(too_large)?)
        }
        None => Decimal::ZERO,
    };
    let minor = |amount: Decimal| amount.to_i64().filter(|minor| minor.abs() <= MOST_MINOR);
    Ok(LineTotals {
        net_minor: minor(net).ok_or_else(too_large)?,
        tax_minor: minor(tax).ok_or_else(too_large)?,
    })
}

/// Half up, away from zero on both sides, so that a deduction mirrors the charge it takes back.
fn half_up(amount: Decimal) -> Decimal {
    amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    fn line(quantity: &str, unit: i64, percent: Option<&str>) -> Line {
        let tax_rate =
            percent.map(|percent| TaxRate::from_percent(Decimal::from_str(percent).unwrap()).unwrap());
        let quantity = Decimal::from_str(quantity).unwrap();
        Line { description: "work".into(), quantity, unit_amount_minor: unit, tax_rate }
    }

    #[test]
    fn lines_round_half_up_and_add_up() {
        let lines =
            [line("1.5", 333, Some("19")), line("2", 12_500, None), line("0.333333", 10_000, Some("19"))];
        let totals = totals(&lines).unwrap();
        assert_eq!(totals.lines[0], LineTotals { net_minor: 500, tax_minor: 95 });
        assert_eq!(totals.lines[2], LineTotals { net_minor: 3333, tax_minor: 633 });
        assert_eq!(totals.total_minor, 500 + 95 + 25_000 + 3333 + 633);
        assert_eq!(totals.tax_by_rate, [(TaxRate(190_000), 728)]);
    }

    #[test]
    fn a_negative_line_is_a_deduction_and_a_negative_total_is_refused() {
        let deduction = [line("1", 10_000, None), line("1", -2_500, None)];
        assert_eq!(totals(&deduction).unwrap().total_minor, 7_500);
        let too_much = [line("1", 10_000, None), line("1", -10_001, None)];
        assert_eq!(totals(&too_much), Err(LineError::NegativeTotal));
        assert_eq!(totals(&[line("-0.5", 1, None), line("1", 1, None)]).unwrap().lines[0].net_minor, -1);
    }

    #[test]
    fn what_is_too_fine_or_too_large_is_refused_by_line() {
        assert_eq!(totals(&[]), Err(LineError::NoLines));
        let fine = [line("1", 1, None), line("0.1234567", 1, None)];
        assert_eq!(totals(&fine), Err(LineError::QuantityTooFine { line: 2 }));
        for large in [line("2", i64::MAX, None), line("1", MOST_MINOR + 1, None), line("-1", i64::MAX, None)]
        {
            assert_eq!(totals(&[line("1", 1, None), large]), Err(LineError::TooLarge { line: 2 }));
        }
    }

    #[test]
    fn a_total_of_sixteen_digits_is_refused() {
        let most = line("1", MOST_MINOR, None);
        assert_eq!(totals(std::slice::from_ref(&most)).unwrap().total_minor, MOST_MINOR);
        assert_eq!(totals(&[most.clone(), line("1", 1, None)]), Err(LineError::TotalTooLarge));
        assert_eq!(totals(&[line("1", MOST_MINOR, Some("1"))]), Err(LineError::TotalTooLarge));
        assert_eq!(totals(&[most.clone(), line("1", -1, None)]).unwrap().total_minor, MOST_MINOR - 1);
    }

    #[test]
    fn rates_have_four_decimals_at_most() {
        assert_eq!(TaxRate::from_percent(Decimal::from_str("8.875").unwrap()), Some(TaxRate(88_750)));
        assert_eq!(TaxRate::from_percent(Decimal::from_str("8.87501").unwrap()), None);
        assert_eq!(TaxRate::from_percent(Decimal::from_str("-1").unwrap()), None);
        assert_eq!(TaxRate::from_percent(Decimal::from_str("101").unwrap()), None);
        assert_eq!(TaxRate(88_750).percent().to_string(), "8.875");
    }
}
