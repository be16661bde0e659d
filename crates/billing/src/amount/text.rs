//! Reading an amount as people write it. Ambiguous text is refused, never guessed.

use super::digits;
use ledger::Currency;

/// The marks of the reader's locale.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NumberMarks {
    /// Before the fraction: `.` in English, `,` in German.
    pub decimal: char,
    /// Between thousands: `,` in English, `.` in German, a no-break space in French.
    pub grouping: char,
}

impl NumberMarks {
    /// 1,250.00
    pub const ENGLISH: NumberMarks = NumberMarks { decimal: '.', grouping: ',' };
    /// 1.250,00
    pub const GERMAN: NumberMarks = NumberMarks { decimal: ',', grouping: '.' };
}

/// What the text says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Typed {
    /// An amount in minor units; may be 0 or, with a minus sign, below.
    Minor(i64),
    /// Hundredths of a percent of what is left: `50%` is 5 000.
    Percent(i64),
}

/// Why text is no amount.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TextError {
    /// Nothing was typed.
    Empty,
    /// It is not a number, or is grouped in a way no number is.
    NotANumber,
    /// More digits after the decimal mark than the currency has.
    TooManyDecimals {
        /// How many it has.
        most: u32,
    },
    /// One separator with exactly three digits after it, which could be either mark.
    Unclear,
    /// A sign or code of another currency.
    OtherCurrency,
    /// More than fifteen digits.
    TooManyDigits,
}

/// Most digits an amount may have.
const MOST_DIGITS: usize = 15;
/// Longer text is no amount whatever it says.
const MOST_CHARS: usize = 64;

/// Reads `text` as an amount of `currency` or as a percentage.
pub fn parse_text(text: &str, currency: Currency, marks: NumberMarks) -> Result<Typed, TextError> {
    let trimmed = text.trim_matches(is_space);
    if trimmed.is_empty() {
        return Err(TextError::Empty);
    }
    if trimmed.chars().nth(MOST_CHARS).is_some() {
        return Err(TextError::NotANumber);
    }
    if let Some(number) = trimmed.strip_suffix(['%', '٪', '％']) {
        let marks = NumberMarks { grouping: '\u{a0}', ..marks };
        return read_number(number.trim_matches(is_space), 2, marks).map(Typed::Percent);
    }
    let (negative, rest) = strip_minus(trimmed);
    let number = strip_currency(rest, currency)?;
    let (negative_inside, number) = strip_minus(number);
    if negative && negative_inside {
        return Err(TextError::NotANumber);
    }
    let minor = read_number(number, currency.exponent(), marks)?;
    Ok(Typed::Minor(if negative || negative_inside { -minor } else { minor }))
}

/// The kinds of separators: each is one mark, whatever glyph it was typed with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Point,
    Comma,
    Space,
    Apostrophe,
    ArabicDecimal,
    ArabicThousands,
}

impl Mark {
    fn of(character: char) -> Option<Mark> {
        match character {
            '.' | '．' => Some(Mark::Point),
            ',' | '，' => Some(Mark::Comma),
            '\'' | '’' | '‘' | '＇' => Some(Mark::Apostrophe),
            '\u{66b}' => Some(Mark::ArabicDecimal),
            '\u{66c}' => Some(Mark::ArabicThousands),
            _ if is_space(character) => Some(Mark::Space),
            _ => None,
        }
    }

    const fn can_be_decimal(self) -> bool {
        matches!(self, Mark::Point | Mark::Comma | Mark::ArabicDecimal)
    }

    fn is(self, mark: char) -> bool {
        Mark::of(mark) == Some(self)
    }
}

/// Digits in groups, and the marks between them: always one mark fewer than groups.
struct Groups {
    digits: Vec<Vec<u8>>,
    marks: Vec<Mark>,
}

fn read_number(text: &str, decimals: u32, marks: NumberMarks) -> Result<i64, TextError> {
    let groups = split(text)?;
    if groups.digits.iter().map(Vec::len).sum::<usize>() > MOST_DIGITS {
        return Err(TextError::TooManyDigits);
    }
    let (whole, fraction) = if has_decimal_mark(&groups, decimals, marks)? {
        let (last, whole) = groups.digits.split_last().ok_or(TextError::NotANumber)?;
        (whole, last.as_slice())
    } else {
        (groups.digits.as_slice(), [].as_slice())
    };
    if fraction.len() > decimals as usize {
        return Err(TextError::TooManyDecimals { most: decimals });
    }
    let padding = std::iter::repeat_n(&0, decimals as usize - fraction.len());
    whole
        .iter()
        .flatten()
        .chain(fraction)
        .chain(padding)
        .try_fold(0_i64, |value, digit| value.checked_mul(10)?.checked_add(i64::from(*digit)))
        .ok_or(TextError::TooManyDigits)
}

fn split(text: &str) -> Result<Groups, TextError> {
    let mut groups = Groups { digits: vec![Vec::new()], marks: Vec::new() };
    for character in text.chars() {
        if let Some(digit) = digits::value(character) {
            groups.digits.last_mut().ok_or(TextError::NotANumber)?.push(digit);
        } else {
            groups.marks.push(Mark::of(character).ok_or(TextError::NotANumber)?);
            groups.digits.push(Vec::new());
        }
    }
    if groups.digits.iter().all(Vec::is_empty) {
        return Err(TextError::NotANumber);
    }
    Ok(groups)
}

/// Decides whether the last mark is the decimal mark, and checks that all others group well.
fn has_decimal_mark(groups: &Groups, decimals: u32, locale: NumberMarks) -> Result<bool, TextError> {
    let Some((last, earlier)) = groups.marks.split_last() else { return Ok(false) };
    let whole = &groups.digits[..groups.digits.len() - 1];
    if let Some(grouping) = earlier.iter().find(|mark| *mark != last) {
        let fine = last.can_be_decimal() && earlier.iter().all(|mark| mark == grouping) && is_grouped(whole);
        return if fine { Ok(true) } else { Err(TextError::NotANumber) };
    }
    if *last == Mark::ArabicDecimal {
        return if earlier.is_empty() { Ok(true) } else { Err(TextError::NotANumber) };
    }
    if !earlier.is_empty() || !last.can_be_decimal() {
        return if is_grouped(&groups.digits) { Ok(false) } else { Err(TextError::NotANumber) };
    }
    if groups.digits.last().is_none_or(|fraction| fraction.len() != 3) {
        return Ok(true);
    }
    if last.is(locale.grouping) && is_grouped(&groups.digits) {
        return Ok(false);
    }
    if decimals == 3 && last.is(locale.decimal) {
        return Ok(true);
    }
    Err(TextError::Unclear)
}

/// Last group three digits, earlier ones two or three, the first one to three and not starting with 0.
fn is_grouped(groups: &[Vec<u8>]) -> bool {
    match groups {
        [] => false,
        [only] => !only.is_empty(),
        [first, middle @ .., last] => {
            last.len() == 3
                && middle.iter().all(|group| matches!(group.len(), 2 | 3))
                && matches!(first.len(), 1..=3)
                && first[0] != 0
        }
    }
}

fn is_space(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_minus(character: char) -> bool {
    matches!(character, '-' | '\u{2212}' | '－')
}

fn strip_minus(text: &str) -> (bool, &str) {
    match text.strip_prefix(is_minus) {
        Some(rest) => (true, rest.trim_matches(is_space)),
        None => (false, text),
    }
}

/// Takes the currency's sign or code off either end; another currency's is refused by name.
fn strip_currency(text: &str, currency: Currency) -> Result<&str, TextError> {
    let number = strip_words(text, &words(currency));
    let is_foreign = |c: char| digits::value(c).is_none() && Mark::of(c).is_none() && !is_minus(c);
    if number.starts_with(is_foreign) || number.ends_with(is_foreign) {
        let other = Currency::all().any(|other| {
            let rest = strip_words(number, &words(other));
            other != currency && rest.len() < number.len() && !rest.is_empty() && !rest.contains(is_foreign)
        });
        return Err(if other { TextError::OtherCurrency } else { TextError::NotANumber });
    }
    Ok(number)
}

/// How a currency is written: its code, its sign, and its dollar sign behind a country, as in `US$`.
fn words(currency: Currency) -> Vec<String> {
    let (code, symbol) = (currency.code(), currency.symbol());
    let mut words = vec![code.to_owned(), symbol.trim_end_matches('.').to_owned(), symbol.clone()];
    if symbol.ends_with('$') {
        words.extend([format!("{}$", &code[..2]), "$".to_owned()]);
    }
    if let Some(sign) = symbol.chars().last().filter(|sign| !sign.is_alphanumeric() && *sign != '.') {
        words.push(sign.to_string());
    }
    if symbol.ends_with('¥') {
        words.push("￥".to_owned());
    }
    words.retain(|word| !word.is_empty());
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words
}

/// Strips one of the words, with the full stop of an abbreviation, from the start or else from the end.
fn strip_words<'t>(text: &'t str, words: &[String]) -> &'t str {
    for word in words {
        let abbreviated = word.ends_with(char::is_alphabetic);
        if let Some(start) = text.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word)) {
            let rest = &text[start.len()..];
            let dot = rest.strip_prefix('.').filter(|rest| abbreviated && rest.starts_with(is_space));
            return dot.unwrap_or(rest).trim_matches(is_space);
        }
        let body = if abbreviated { text.strip_suffix('.').unwrap_or(text) } else { text };
        let cut = body.len().checked_sub(word.len());
        if let Some(end) =
            cut.filter(|cut| body.get(*cut..).is_some_and(|end| end.eq_ignore_ascii_case(word)))
        {
            return body[..end].trim_matches(is_space);
        }
    }
    text
}
