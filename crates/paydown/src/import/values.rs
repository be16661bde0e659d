//! Reading one cell: dates, plain numbers, amounts. Each answers with the value or with why there is none.

use super::DateOrder;
use super::columns::{Columns, Field};
use super::table::Table;
use billing::amount::{NumberMarks, TextError, Typed, parse_text};
use jiff::civil::Date;
use ledger::Currency;
use rust_decimal::Decimal;

/// What is wrong with a value, and how to mend it.
pub(super) type Wrong = (String, String);

/// Marks that are neither: whatever three digits follow stays unclear.
const UNKNOWN: NumberMarks = NumberMarks { decimal: '\0', grouping: '\0' };
const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

fn wrong<T>(problem: impl Into<String>, fix: impl Into<String>) -> Result<T, Wrong> {
    Err((problem.into(), fix.into()))
}

/// The marks that the file itself shows: every amount that can be read in one way only uses the same decimal mark.
pub(super) fn marks_of(table: &Table, columns: &Columns) -> Option<NumberMarks> {
    let places: Vec<usize> = [Field::Price, Field::Amount, Field::TaxAmount, Field::Total]
        .into_iter()
        .filter_map(|field| columns.place(field))
        .collect();
    let (mut points, mut commas) = (false, false);
    for row in &table.rows {
        for cell in places.iter().filter_map(|place| row.cells.get(*place)) {
            match certain_decimal_mark(cell) {
                Some('.') => points = true,
                Some(_) => commas = true,
                None => {}
            }
        }
    }
    match (points, commas) {
        (true, false) => Some(NumberMarks::ENGLISH),
        (false, true) => Some(NumberMarks::GERMAN),
        _ => None,
    }
}

/// The decimal mark of an amount, where nothing else can be meant: `12.50`, `1,250.00`, but neither `1,250` nor `1.250`.
fn certain_decimal_mark(cell: &str) -> Option<char> {
    let place = cell.rfind(['.', ','])?;
    let mark = if cell[place..].starts_with('.') { '.' } else { ',' };
    let other = if mark == '.' { ',' } else { '.' };
    let digits = cell[place + 1..].chars().take_while(char::is_ascii_digit).count();
    let alone = cell.matches(mark).count() == 1;
    (alone && digits > 0 && (digits != 3 || cell.contains(other))).then_some(mark)
}

/// An amount in minor units; negative ones too, also in brackets as accountants write them.
pub(super) fn amount(text: &str, currency: Currency, marks: Option<NumberMarks>) -> Result<i64, Wrong> {
    let bracketed = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let (text, negative) = bracketed.map_or((text, false), |text| (text, true));
    match parse_text(text, currency, marks.unwrap_or(UNKNOWN)) {
        Ok(Typed::Minor(minor)) if !negative => Ok(minor),
        Ok(Typed::Minor(minor)) if minor > 0 => Ok(-minor),
        Ok(_) => wrong("is no amount", "Write an amount such as 1250.00"),
        Err(TextError::Empty) => wrong("is empty", "Write an amount; 0 where nothing is asked for"),
        Err(TextError::Unclear) => wrong(
            "can be read in two ways",
            "Say which mark stands before the cents: --decimal point or --decimal comma",
        ),
        Err(TextError::TooManyDecimals { most }) => wrong(
            format!("has more decimals than {currency} has"),
            format!("Write at most {most} digits after the decimal mark"),
        ),
        Err(TextError::OtherCurrency) => {
            wrong(format!("is not in {currency}"), "Give the currency of the row in a currency column")
        }
        Err(TextError::TooManyDigits) => wrong("has more than 15 digits", "Check the amount"),
        Err(TextError::NotANumber) => wrong("is no amount", "Write an amount such as 1250.00"),
    }
}

/// A plain number, such as a quantity: one decimal mark, thousands grouped by the other.
pub(super) fn number(text: &str, marks: Option<NumberMarks>) -> Result<Decimal, Wrong> {
    let not_one = || ("is no number".to_owned(), "Write a number such as 2 or 1.5".to_owned());
    let (sign, digits) = text.strip_prefix(['-', '\u{2212}']).map_or(("", text), |rest| ("-", rest));
    let last = digits.rfind(['.', ',']);
    let Some(last) = last else { return decimal(sign, digits, "").ok_or_else(not_one) };
    let mark = if digits[last..].starts_with('.') { '.' } else { ',' };
    let (whole, fraction) = (&digits[..last], &digits[last + 1..]);
    let is_decimal = match marks {
        Some(marks) => mark == marks.decimal,
        None if fraction.len() == 3 && !whole.contains(['.', ',']) && whole != "0" => {
            return wrong(
                "can be read in two ways",
                "Say which mark stands before the decimals: --decimal point or --decimal comma",
            );
        }
        None => !(fraction.len() == 3 && whole.contains(mark)),
    };
    let grouping = match (is_decimal, mark) {
        (true, '.') | (false, ',') => ',',
        _ => '.',
    };
    let (whole, fraction) = if is_decimal { (whole, fraction) } else { (digits, "") };
    let groups: Vec<&str> = whole.split(grouping).collect();
    let grouped = groups.len() == 1
        || (matches!(groups[0].len(), 1..=3) && groups[1..].iter().all(|group| group.len() == 3));
    if !grouped || (is_decimal && fraction.is_empty()) {
        return Err(not_one());
    }
    decimal(sign, &groups.concat(), fraction).ok_or_else(not_one)
}

/// A percentage of tax: no more than a hundred, so a mark in it is a decimal mark.
pub(super) fn percent(text: &str) -> Result<Decimal, Wrong> {
    let digits = text.strip_suffix('%').unwrap_or(text).trim();
    let (whole, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    match decimal("", if whole.is_empty() { "0" } else { whole }, fraction) {
        Some(percent) if percent <= Decimal::ONE_HUNDRED => Ok(percent),
        _ => wrong("is no tax rate", "Write a percentage from 0 to 100, such as 19 or 8.875"),
    }
}

fn decimal(sign: &str, whole: &str, fraction: &str) -> Option<Decimal> {
    let plain = |text: &str| text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !plain(whole) || !plain(fraction) {
        return None;
    }
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    format!("{sign}{whole}.{fraction}").parse().ok()
}

/// A civil date: `2026-12-31`, `31 Dec 2026`, or numbers in the order of the file.
pub(super) fn date(text: &str, order: Option<DateOrder>) -> Result<Date, Wrong> {
    let parts: Vec<&str> =
        text.split(['-', '/', '.', ' ', ',']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let [one, two, three] = parts.as_slice() else { return no_date() };
    if is_number(one, 4) {
        return civil(one, month(two), three);
    }
    if order == Some(DateOrder::Iso) {
        return wrong("is no date in the form of --dates iso", "Write the date as 2026-12-31");
    }
    if !is_number(three, 4) {
        return wrong("is no date with a year of four digits", "Write the date as 2026-12-31");
    }
    match (is_word(one), is_word(two)) {
        (true, false) => civil(three, month(one), two),
        (false, true) => civil(three, month(two), one),
        (false, false) => numbered(one, two, three, order),
        (true, true) => no_date(),
    }
}

fn numbered(one: &str, two: &str, year: &str, order: Option<DateOrder>) -> Result<Date, Wrong> {
    let (day_first, month_first) = (civil(year, month(two), one), civil(year, month(one), two));
    match (order, day_first, month_first) {
        (Some(DateOrder::Dmy), day_first, _) => day_first,
        (Some(_), _, month_first) => month_first,
        (None, Ok(day_first), Ok(month_first)) if day_first != month_first => wrong(
            format!("can be {day_first} or {month_first}"),
            "Say which number comes first: --dates dmy or --dates mdy",
        ),
        (None, Ok(date), _) | (None, _, Ok(date)) => Ok(date),
        (None, error, _) => error,
    }
}

fn civil(year: &str, month: Option<i8>, day: &str) -> Result<Date, Wrong> {
    let date = || {
        let day = day.parse::<i8>().ok().filter(|_| matches!(day.len(), 1 | 2))?;
        Date::new(year.parse().ok()?, month?, day).ok().filter(|date| (1900..=2200).contains(&date.year()))
    };
    date().map_or_else(no_date, Ok)
}

fn no_date<T>() -> Result<T, Wrong> {
    wrong("is no date", "Write the date as 2026-12-31")
}

fn month(text: &str) -> Option<i8> {
    if is_number(text, 1) || is_number(text, 2) {
        return text.parse().ok();
    }
    let start = text.get(..3)?.to_ascii_lowercase();
    let place = MONTHS.iter().position(|month| *month == start).filter(|_| is_word(text))?;
    i8::try_from(place + 1).ok()
}

fn is_number(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic())
}
