//! Amounts, dates and times in the reader's format. Pure: it reads no clock, decides no amount and never parses one.
//!
//! Decimal mark, grouping mark and group sizes come from Unicode's own data; the place of the currency sign from a small
//! table beside it. Digits are always 0 to 9, because the texts around them are English.

mod signs;
mod times;

pub use times::{clock, date, day_and_month, due, elapsed, short_date, within};

use crate::texts::{Arg, texts};
use fixed_decimal::Decimal;
use icu_decimal::DecimalFormatter;
use icu_locale_core::Locale as Tag;
use ledger::Money;

/// No-break space: between a figure and its sign.
const NBSP: char = '\u{a0}';
/// The minus sign of typography, as wide as a plus.
const MINUS: char = '\u{2212}';
/// An `Accept-Language` header longer than this is not read to its end.
const HEADER_LIMIT_BYTES: usize = 500;

/// How one reader writes figures. Cheap to clone, made once per request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    tag: String,
    language: String,
    region: String,
    decimal: char,
    grouping: char,
    group_sizes: (usize, usize),
    least_grouped_digits: usize,
}

impl Default for Locale {
    /// `en-US`.
    fn default() -> Locale {
        Locale::from_tag("en-US").expect("en-US is in Unicode's data")
    }
}

impl Locale {
    /// The best language of an `Accept-Language` header; `en-US` when it names none that can be read.
    pub fn from_accept_language(header: &str) -> Locale {
        let mut end = header.len().min(HEADER_LIMIT_BYTES);
        while !header.is_char_boundary(end) {
            end -= 1;
        }
        let mut wishes: Vec<(u32, &str)> = header[..end].split(',').filter_map(wish).collect();
        wishes.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        wishes.into_iter().find_map(|(_, tag)| Locale::from_tag(tag)).unwrap_or_default()
    }

    /// The locale of one BCP 47 tag, such as `de-CH`. `None` when the tag cannot be read.
    pub fn from_tag(tag: &str) -> Option<Locale> {
        let parsed = Tag::try_from_str(tag.trim()).ok()?;
        let language = parsed.id.language.as_str().to_owned();
        if language == "und" {
            return None;
        }
        let script = parsed.id.script.map(|script| script.as_str().to_owned());
        let region = match parsed.id.region {
            Some(region) => region.as_str().to_owned(),
            None => signs::home_region(&language, script.as_deref()).to_owned(),
        };
        // Only language, script and region choose the format; the digits are Latin ones.
        let latin: Tag = format!("{}-u-nu-latn", parsed.id).parse().ok()?;
        let formatter = DecimalFormatter::try_new((&latin).into(), Default::default()).ok()?;
        let long = formatter.format(&Decimal::try_from_str("123456789.5").ok()?).to_string();
        let short = formatter.format(&Decimal::from(1234)).to_string();
        let marks: Vec<(usize, char)> = long
            .chars()
            .filter(|c| !is_direction(*c))
            .enumerate()
            .filter(|(_, c)| !c.is_ascii_digit())
            .collect();
        let (&(decimal_at, decimal), groups) = marks.split_last()?;
        let primary = groups.last().map_or(0, |(at, _)| decimal_at - at - 1);
        let secondary = match groups {
            [.., (left, _), (right, _)] => right - left - 1,
            _ => primary,
        };
        let least_grouped_digits = if short.chars().all(|c| c.is_ascii_digit()) { 5 } else { 4 };
        // The typewriter's apostrophe is set as a real one; the amount parser reads both.
        let grouping = groups.last().map_or(NBSP, |(_, mark)| if *mark == '\'' { '’' } else { *mark });
        let group_sizes = (primary, secondary);
        Some(Locale {
            tag: parsed.id.to_string(),
            language,
            region,
            decimal,
            grouping,
            group_sizes,
            least_grouped_digits,
        })
    }

    /// The language tag, for example `en-US`; for `Intl` in the page's script.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The marks a figure is written with: (decimal, grouping).
    pub fn number_marks(&self) -> (char, char) {
        (self.decimal, self.grouping)
    }

    /// An amount with its sign: `$1,250.00`, `1.250,00 €`, `−$5.00`.
    pub fn money(&self, money: Money) -> String {
        let sign = signs::sign(money.currency(), &self.language, &self.region);
        let place = signs::place(&self.language, &self.region);
        let figure = self.figure(money.minor().unsigned_abs(), money.currency().exponent());
        let minus = if money.minor() < 0 { MINUS.to_string() } else { String::new() };
        // "CHF" against a digit cannot be read, whatever the language does with "$".
        let against_letter = sign.chars().last().is_some_and(char::is_alphabetic);
        let space =
            if place.spaced || against_letter || !place.before { NBSP.to_string() } else { String::new() };
        if place.before {
            format!("{minus}{sign}{space}{figure}")
        } else {
            format!("{minus}{figure}{space}{sign}")
        }
    }

    /// The figure alone, as it stands in the amount field: `1,250.00`. The amount parser reads it back with this
    /// locale's marks.
    pub fn plain(&self, money: Money) -> String {
        let minus = if money.minor() < 0 { MINUS.to_string() } else { String::new() };
        minus + &self.figure(money.minor().unsigned_abs(), money.currency().exponent())
    }

    /// What stands beside the amount field: the sign, and whether it comes before the figure.
    pub fn sign(&self, currency: ledger::Currency) -> (&'static str, bool) {
        (
            signs::sign(currency, &self.language, &self.region),
            signs::place(&self.language, &self.region).before,
        )
    }

    /// An amount in words, for readers who hear the page: `750 US dollars`.
    pub fn spoken(&self, money: Money) -> String {
        let per_major = money.currency().minor_per_major();
        let whole = money.minor() % per_major == 0;
        let absolute = money.minor().unsigned_abs();
        let figure = if whole {
            self.figure(absolute / per_major.unsigned_abs(), 0)
        } else {
            self.figure(absolute, money.currency().exponent())
        };
        let count = if whole { money.minor() / per_major } else { 2 };
        let words = format!("{figure} {}", currency_name(money.currency(), count));
        if money.minor() < 0 { texts().fmt("spoken-minus", &[("amount", Arg::text(words))]) } else { words }
    }

    /// A whole number with the reader's grouping: `1,204`.
    pub fn count(&self, count: u64) -> String {
        self.figure(count, 0)
    }

    fn figure(&self, absolute: u64, exponent: u32) -> String {
        let width = exponent as usize + 1;
        let digits = format!("{absolute:0width$}");
        let (major, fraction) = digits.split_at(digits.len() - exponent as usize);
        let mut out = String::with_capacity(digits.len() * 2);
        for (at, digit) in major.chars().enumerate() {
            let left = major.len() - at;
            if at > 0 && self.breaks_before(left, major.len()) {
                out.push(self.grouping);
            }
            out.push(digit);
        }
        if exponent > 0 {
            out.push(self.decimal);
            out.push_str(fraction);
        }
        out
    }

    /// True when a grouping mark stands before the digit that has `left` digits to go, itself included.
    fn breaks_before(&self, left: usize, all: usize) -> bool {
        let (primary, secondary) = self.group_sizes;
        if primary == 0 || all < self.least_grouped_digits || left < primary {
            return false;
        }
        (left - primary).is_multiple_of(secondary.max(1))
    }
}

/// The name of a currency in running text: `US dollars`; its code where the catalogue has no name.
pub fn currency_name(currency: ledger::Currency, count: i64) -> String {
    let key = format!("currency-{}", currency.code());
    texts().find(&key, &[("count", Arg::Number(count))]).unwrap_or_else(|| currency.code().to_owned())
}

/// One entry of the header: (weight in thousandths, tag).
fn wish(entry: &str) -> Option<(u32, &str)> {
    let mut parts = entry.split(';');
    let tag = parts.next()?.trim();
    let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(Some(1000), thousandths)?;
    (weight > 0 && !tag.is_empty() && tag != "*").then_some((weight, tag))
}

/// `0.8` → 800. `None` for anything that is no weight.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let well_formed = matches!(whole, "0" | "1") && fraction.len() <= 3;
    if !well_formed {
        return None;
    }
    let weight = format!("{whole}{fraction:0<3}").parse::<u32>().ok()?;
    (weight <= 1000).then_some(weight)
}

/// Marks of writing direction, which some locales put around figures.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests;
