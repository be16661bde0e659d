//! Is there a card number in this text? Pure.
//!
//! It must stand alone: ids, hex and amounts hold long runs of digits too. So a run counts only if no letter, digit
//! or underscore touches it and it is no part of a decimal number; it has a scheme's prefix and length; and its
//! check digit is right (Luhn, ISO/IEC 7812-1). A number written in the groups that cards print, apart by single
//! blanks or hyphens, counts as well.

const LONGEST: usize = 19;
const SHORTEST: usize = 13;
/// How cards print their numbers.
const GROUPS: &[&[usize]] = &[&[4, 4, 4, 4], &[4, 4, 4, 4, 3], &[4, 6, 5], &[4, 6, 4], &[4, 4, 5], &[6, 13]];

/// True if a card number stands in the text.
pub fn holds_card_number(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let end = end_of_digits(bytes, at);
        if is_start(text, at) && (is_plain(text, at, end) || is_grouped(text, at)) {
            return true;
        }
        at = end;
    }
    false
}

fn end_of_digits(bytes: &[u8], start: usize) -> usize {
    bytes[start..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| start + length)
}

/// Nothing touches the run that begins here, and it is not what follows a decimal mark.
fn is_start(text: &str, start: usize) -> bool {
    let mut before = text[..start].chars().rev();
    match before.next() {
        Some('.' | ',') => !before.next().is_some_and(|c| c.is_ascii_digit()),
        other => !other.is_some_and(touches),
    }
}

fn is_end(text: &str, end: usize) -> bool {
    let mut after = text[end..].chars();
    match after.next() {
        Some('.' | ',') => !after.next().is_some_and(|c| c.is_ascii_digit()),
        other => !other.is_some_and(touches),
    }
}

fn touches(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_plain(text: &str, start: usize, end: usize) -> bool {
    (SHORTEST..=LONGEST).contains(&(end - start))
        && is_end(text, end)
        && is_card(&text.as_bytes()[start..end])
}

/// The run that begins here is the first group of a number as cards print it.
fn is_grouped(text: &str, start: usize) -> bool {
    GROUPS.iter().any(|groups| {
        let bytes = text.as_bytes();
        let mut digits = Vec::with_capacity(LONGEST);
        let (mut at, mut apart) = (start, None);
        for (index, length) in groups.iter().enumerate() {
            if index > 0 {
                match bytes.get(at) {
                    Some(mark @ (b' ' | b'-')) if apart.is_none_or(|first| first == mark) => {
                        apart = Some(mark)
                    }
                    _ => return false,
                }
                at += 1;
            }
            let end = end_of_digits(bytes, at);
            if end - at != *length {
                return false;
            }
            digits.extend_from_slice(&bytes[at..end]);
            at = end;
        }
        is_end(text, at) && is_card(&digits)
    })
}

/// A scheme's prefix and length, and the check digit. The number is 13 to 19 ASCII digits.
fn is_card(digits: &[u8]) -> bool {
    has_scheme(digits) && luhn(digits)
}

/// The prefixes and lengths in use, as the schemes publish them.
fn has_scheme(digits: &[u8]) -> bool {
    let leading =
        |count: usize| digits[..count].iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0'));
    let length = digits.len();
    match (leading(1), leading(2), leading(3), leading(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),                 // Visa
        (_, 51..=55, ..) | (_, _, _, 2221..=2720) => length == 16, // Mastercard
        (_, 34 | 37, ..) => length == 15,                          // American Express
        (_, _, 300..=305, _) | (_, 36 | 38 | 39, ..) => (14..=19).contains(&length), // Diners Club
        (_, _, _, 3528..=3589) => (16..=19).contains(&length),     // JCB
        (_, 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011) => (16..=19).contains(&length), // Discover
        (_, 62 | 81, ..) => (16..=19).contains(&length),           // UnionPay
        (_, _, _, 2200..=2204) => (16..=19).contains(&length),     // Mir
        (_, _, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761 | 6762 | 6763) => true, // Maestro
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let digit = u32::from(digit - b'0');
            if place % 2 == 0 { digit } else { digit * 2 % 10 + digit * 2 / 10 }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_scheme_are_seen() {
        for number in [
            "4242424242424242",
            "4222222222222",
            "4000000000000000006",
            "5555555555554444",
            "2223003122003222",
            "378282246310005",
            "6011111111111117",
            "3056930009020004",
            "36227206271667",
            "3566002020360505",
            "6200000000000005",
        ] {
            assert!(holds_card_number(number), "{number}");
            assert!(holds_card_number(&format!("Karte: {number}.")), "{number}");
            assert!(holds_card_number(&format!(r#"{{"n":"{number}"}}"#)), "{number}");
            assert!(holds_card_number(&format!("1 {number} 2")), "{number}");
        }
    }

    #[test]
    fn numbers_in_groups_are_seen() {
        for text in [
            "4242 4242 4242 4242",
            "pay with 4242-4242-4242-4242, please",
            "3782 822463 10005",
            "3622 720627 1667",
            "4000 0000 0000 0000 006",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn other_digits_are_left_alone() {
        for text in [
            "",
            "4242424242424241",                     // check digit
            "9999999999999995",                     // no scheme
            "424242424242",                         // too short for any
            "42424242424242424242",                 // too long for any
            "42424242424242",                       // no Visa of that length
            "evt_4242424242424242",                 // part of an id
            "4242424242424242a",                    // part of a hash
            "é4242424242424242",                    // a letter beyond ASCII touches it
            "4242424242424242.50",                  // an amount
            "0.4242424242424242",                   // a fraction
            "1,4242424242424242",                   // grouped as no card is
            "4242 4242-4242 4242",                  // mixed marks
            "4242  4242 4242 4242",                 // two blanks
            "42 4242 4242 4242 42",                 // other groups
            "1700000000000000",                     // microseconds
            "2026-11-22 22:25:01 PAY-7F3K-2QWM-9C", // what our own texts look like
            "+49 30 1234567 89",
        ] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn a_number_at_either_end_of_a_long_text_is_seen() {
        let noise = "x 1 ".repeat(1000);
        assert!(holds_card_number(&format!("4242424242424242 {noise}")));
        assert!(holds_card_number(&format!("{noise}4242424242424242")));
        assert!(!holds_card_number(&noise));
    }
}
