//! One row as a line of an invoice: what for, how many, for how much, with which tax.

use super::{MOST_TEXT, Reading, readable};
use crate::import::columns::Field;
use crate::import::table::TableRow;
use crate::import::values::{self, Wrong};
use billing::line::{Line, QUANTITY_PLACES, TaxRate, totals};
use ledger::{Currency, Money};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// Names under which accounting programs keep what is not taxed; compared by their letters, without case.
const UNTAXED: [&str; 14] = [
    "none",
    "na",
    "non",
    "notax",
    "novat",
    "nogst",
    "taxexempt",
    "exempt",
    "exemptincome",
    "exemptexpenses",
    "zerorated",
    "zeroratedincome",
    "basexcluded",
    "outofscope",
];

type Fault = (Field, Wrong);

impl Reading<'_> {
    pub(super) fn line(&self, row: &TableRow, currency: Currency) -> Result<Line, Fault> {
        let description = self.description(row)?;
        let discount = self.cell(row, Field::Discount);
        if !discount.is_empty() && values::percent(discount) != Ok(Decimal::ZERO) {
            let fix = "Take it off the price, or add a line with a negative amount".to_owned();
            return Err((Field::Discount, ("is a discount, which is not read".to_owned(), fix)));
        }
        let (quantity, unit_amount_minor) = self.price(row, currency)?;
        let untaxed = Line { description, quantity, unit_amount_minor, tax_rate: None };
        let tax_rate = self.tax(row, &untaxed, currency)?;
        Ok(Line { tax_rate, ..untaxed })
    }

    fn description(&self, row: &TableRow) -> Result<String, Fault> {
        let field = match self.cell(row, Field::Description) {
            "" => Field::Item,
            _ => Field::Description,
        };
        let text = self.cell(row, field);
        if text.is_empty() {
            let fix = "Write what the line is for".to_owned();
            return Err((Field::Description, ("is empty".to_owned(), fix)));
        }
        readable(text, MOST_TEXT).map_err(|wrong| (field, wrong))?;
        Ok(text.to_owned())
    }

    /// Quantity and price of one. Where only the amount is known, it is the price of one.
    fn price(&self, row: &TableRow, currency: Currency) -> Result<(Decimal, i64), Fault> {
        let read = |field| {
            let text = self.cell(row, field);
            let read = || values::amount(text, currency, self.marks).map_err(|wrong| (field, wrong));
            (!text.is_empty()).then(read).transpose()
        };
        let quantity = match self.cell(row, Field::Quantity) {
            "" => Decimal::ONE,
            text => values::number(text, self.marks).map_err(|wrong| (Field::Quantity, wrong))?,
        };
        if quantity.normalize().scale() > QUANTITY_PLACES {
            let problem = format!("has more than {QUANTITY_PLACES} decimals");
            return Err((Field::Quantity, (problem, "Round it".to_owned())));
        }
        match (read(Field::Price)?, read(Field::Amount)?) {
            (None, None) => {
                let field = [Field::Price, Field::Amount]
                    .into_iter()
                    .find(|field| self.columns.place(*field).is_some());
                let wrong =
                    ("is empty".to_owned(), "Write an amount; 0 where nothing is asked for".to_owned());
                Err((field.unwrap_or(Field::Amount), wrong))
            }
            (Some(price), None) => Ok((quantity, price)),
            (None, Some(amount)) if quantity == Decimal::ONE => Ok((quantity, amount)),
            (None, Some(amount)) => price_of_one(quantity, amount).map_err(|wrong| (Field::Amount, wrong)),
            (Some(price), Some(amount)) => {
                let comes_to = net_minor(quantity, price).map_err(|wrong| (Field::Quantity, wrong))?;
                if comes_to == amount {
                    return Ok((quantity, price));
                }
                let (told, counted) = (Money::new(amount, currency), Money::new(comes_to, currency));
                let difference = i128::from(amount) - i128::from(comes_to);
                let problem = format!(
                    "says {told}, but quantity times price is {counted}: a difference of {difference} in the last digit"
                );
                Err((Field::Amount, (problem, "Correct the quantity, the price or the amount".to_owned())))
            }
        }
    }

    /// The rate, from whichever column tells it. A tax that cannot be known is refused.
    fn tax(&self, row: &TableRow, line: &Line, currency: Currency) -> Result<Option<TaxRate>, Fault> {
        if self.is_untaxed(row)? {
            return Ok(None);
        }
        let rate_text = self.cell(row, Field::TaxRate);
        let name = self.cell(row, Field::TaxName);
        let told = match (rate_text, name) {
            ("", "") => None,
            ("", name) if is_untaxed_name(name) => Some(TaxRate(0)),
            ("", name) => rate_within(name),
            (text, _) => Some(rate(text).map_err(|wrong| (Field::TaxRate, wrong))?),
        };
        let amount_text = self.cell(row, Field::TaxAmount);
        if amount_text.is_empty() {
            return match told {
                Some(rate) => Ok(Some(rate).filter(|rate| rate.0 != 0)),
                None if name.is_empty() => Ok(None),
                None => Err((
                    Field::TaxName,
                    (
                        "names a tax without its rate".to_owned(),
                        "Add a column with the tax as an amount, or with its rate".to_owned(),
                    ),
                )),
            };
        }
        let at_amount = |wrong| (Field::TaxAmount, wrong);
        let tax_minor = values::amount(amount_text, currency, self.marks).map_err(at_amount)?;
        if let Some(rate) = told.filter(|rate| tax_with(line, *rate) == Some(tax_minor)) {
            return Ok(Some(rate).filter(|rate| rate.0 != 0));
        }
        // A rate in a column of its own is meant; the name of a tax may have changed its rate since.
        if told.is_some() && !rate_text.is_empty() {
            let problem = format!("is not {rate_text} % of the line").replace("% %", "%");
            return Err(at_amount((problem, "Correct the tax or its rate".to_owned())));
        }
        rate_of(line, tax_minor).map(|rate| Some(rate).filter(|rate| rate.0 != 0)).ok_or_else(|| {
            let problem = "does not come from a rate of at most four decimals on the line".to_owned();
            at_amount((problem, "Add a column with the tax rate".to_owned()))
        })
    }

    fn is_untaxed(&self, row: &TableRow) -> Result<bool, Fault> {
        match self.cell(row, Field::Taxable).to_lowercase().as_str() {
            "n" | "no" | "false" | "0" => Ok(true),
            "" | "y" | "yes" | "true" | "1" => Ok(false),
            _ => {
                let wrong = ("is neither yes nor no".to_owned(), "Write Y or N".to_owned());
                Err((Field::Taxable, wrong))
            }
        }
    }
}

fn rate(text: &str) -> Result<TaxRate, Wrong> {
    let fine = || ("has more than four decimals".to_owned(), "Write at most four".to_owned());
    TaxRate::from_percent(values::percent(text)?).ok_or_else(fine)
}

/// The percentage within the name of a tax: `20% (VAT on Income)`.
fn rate_within(name: &str) -> Option<TaxRate> {
    let (before, _) = name.split_once('%')?;
    let number = before.trim_end().rsplit(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ',')).next()?;
    rate(number).ok()
}

fn is_untaxed_name(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| c.is_alphabetic()).flat_map(char::to_lowercase).collect();
    UNTAXED.contains(&letters.as_str())
}

fn net_minor(quantity: Decimal, unit_amount_minor: i64) -> Result<i64, Wrong> {
    let line = Line { description: String::new(), quantity, unit_amount_minor, tax_rate: None };
    // A single line may well be negative, which an invoice may not: mirror it.
    let mirrored = Line { unit_amount_minor: unit_amount_minor.saturating_neg(), ..line.clone() };
    let of = |line: Line| totals(&[line]).map(|totals| totals.net_minor);
    of(line)
        .or_else(|_| of(mirrored).map(|minor| -minor))
        .map_err(|error| (format!("cannot be multiplied by the price: {error}"), "Check both".to_owned()))
}

/// The price of one, where quantity and amount give one that is exact.
fn price_of_one(quantity: Decimal, amount_minor: i64) -> Result<(Decimal, i64), Wrong> {
    let price = Decimal::from(amount_minor).checked_div(quantity).map(|price| price.round());
    let price = price.and_then(|price| price.to_i64());
    match price.filter(|price| net_minor(quantity, *price) == Ok(amount_minor)) {
        Some(price) => Ok((quantity, price)),
        None => Err((
            "is no multiple of the quantity".to_owned(),
            "Add a column with the price of one, or leave the quantity empty".to_owned(),
        )),
    }
}

/// Tax of a line at this rate, minor units; negative for a deduction.
fn tax_with(line: &Line, rate: TaxRate) -> Option<i64> {
    let of = |unit_amount_minor| {
        let line = Line { unit_amount_minor, tax_rate: Some(rate), ..line.clone() };
        totals(&[line]).ok().map(|totals| totals.tax_minor)
    };
    of(line.unit_amount_minor).or_else(|| of(line.unit_amount_minor.checked_neg()?).map(|minor| -minor))
}

/// The rate with the fewest decimals that gives exactly this tax.
fn rate_of(line: &Line, tax_minor: i64) -> Option<TaxRate> {
    let net = net_minor(line.quantity, line.unit_amount_minor).ok()?;
    if tax_minor == 0 {
        return Some(TaxRate(0));
    }
    let exact = (Decimal::from(tax_minor) * Decimal::ONE_HUNDRED).checked_div(Decimal::from(net))?;
    (0..=4)
        .filter_map(|decimals| TaxRate::from_percent(exact.round_dp(decimals)))
        .find(|rate| tax_with(line, *rate) == Some(tax_minor))
}
