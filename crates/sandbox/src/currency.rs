//! What the processor knows about currencies: how many digits of an amount are decimals, the smallest and largest charge, and how an
//! amount reads on its pages.
//!
//! Source: the processor's published page on supported currencies. This table is the sandbox's own on purpose: the adapter under test has
//! another one, and a mistake in either shows as a difference.

use crate::error::ApiError;

/// Charged in units without decimals.
const ZERO_DECIMAL: &[&str] = &[
    "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf",
];
/// Three decimals, the last of which must be 0.
const THREE_DECIMAL: &[&str] = &["bhd", "jod", "kwd", "omr", "tnd"];
/// No decimals in life, but written with two, which must be 00.
const TWO_WRITTEN_NONE_USED: &[&str] = &["isk", "ugx"];
/// All others that can be charged: two decimals.
const TWO_DECIMAL: &[&str] = &[
    "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd", "bdt", "bgn", "bmd",
    "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad", "cdf", "chf", "cny", "cop", "crc", "cve", "czk",
    "dkk", "dop", "dzd", "egp", "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gtq", "gyd", "hkd",
    "hnl", "htg", "huf", "idr", "ils", "inr", "jmd", "kes", "kgs", "khr", "kyd", "kzt", "lak", "lbp", "lkr",
    "lrd", "lsl", "mad", "mdl", "mkd", "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad",
    "ngn", "nio", "nok", "npr", "nzd", "pab", "pen", "pgk", "php", "pkr", "pln", "qar", "ron", "rsd", "sar",
    "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl", "thb", "tjs", "top", "try", "ttd",
    "twd", "tzs", "uah", "usd", "uyu", "uzs", "wst", "xcd", "yer", "zar", "zmw",
];
/// Smallest charge, in the unit the API takes.
const MINIMUM_CHARGE: &[(&str, i64)] = &[
    ("usd", 50),
    ("aed", 200),
    ("aud", 50),
    ("bgn", 100),
    ("brl", 50),
    ("cad", 50),
    ("chf", 50),
    ("czk", 1500),
    ("dkk", 250),
    ("eur", 50),
    ("gbp", 30),
    ("hkd", 400),
    ("huf", 17_500),
    ("inr", 50),
    ("jpy", 50),
    ("mxn", 1000),
    ("myr", 200),
    ("nok", 300),
    ("nzd", 50),
    ("pln", 200),
    ("ron", 200),
    ("sek", 300),
    ("sgd", 50),
    ("thb", 1000),
];
const SYMBOLS: &[(&str, &str)] = &[
    ("usd", "$"),
    ("eur", "€"),
    ("gbp", "£"),
    ("jpy", "¥"),
    ("inr", "₹"),
    ("krw", "₩"),
    ("aud", "A$"),
    ("cad", "CA$"),
    ("nzd", "NZ$"),
    ("mxn", "MX$"),
    ("brl", "R$"),
    ("hkd", "HK$"),
    ("cny", "CN¥"),
    ("ils", "₪"),
    ("vnd", "₫"),
];

/// Digits after the decimal mark in the amounts the API takes, or `None` for a currency it does not know.
pub(crate) fn exponent(currency: &str) -> Option<u32> {
    let is_in = |list: &[&str]| list.contains(&currency);
    if is_in(ZERO_DECIMAL) {
        Some(0)
    } else if is_in(THREE_DECIMAL) {
        Some(3)
    } else if is_in(TWO_DECIMAL) || is_in(TWO_WRITTEN_NONE_USED) {
        Some(2)
    } else {
        None
    }
}

/// Lower-case code of a currency that can be charged.
pub(crate) fn parse(code: &str) -> Result<String, ApiError> {
    let lower = code.to_ascii_lowercase();
    match exponent(&lower) {
        Some(_) => Ok(lower),
        None => Err(ApiError::invalid(format!("Invalid currency: {lower}.")).param("currency")),
    }
}

/// Refuses what cannot be charged: too small, too large, or ending in digits the card networks do not carry.
pub(crate) fn check_amount(currency: &str, amount_minor: i64, param: &str) -> Result<(), ApiError> {
    let least = MINIMUM_CHARGE.iter().find(|(code, _)| *code == currency).map_or(1, |(_, minimum)| *minimum);
    if amount_minor < least {
        let shown = display(currency, least);
        let message = format!("The amount must be at least {shown} {}.", currency.to_ascii_uppercase());
        return Err(ApiError::invalid(message).code("amount_too_small").param(param));
    }
    let most = match currency {
        "idr" => 999_999_999_999,
        "cop" | "huf" => 9_999_999_999,
        "lbp" => 99_999_999_999,
        "inr" => 999_999_999,
        _ => 99_999_999,
    };
    if amount_minor > most {
        let shown = display(currency, most);
        return Err(ApiError::invalid(format!("The amount must be no more than {shown}."))
            .code("amount_too_large")
            .param(param));
    }
    let step = if THREE_DECIMAL.contains(&currency) {
        10
    } else if TWO_WRITTEN_NONE_USED.contains(&currency) {
        100
    } else {
        1
    };
    if amount_minor % step != 0 {
        let message = format!(
            "Invalid amount: amounts in {} must be divisible by {step}.",
            currency.to_ascii_uppercase()
        );
        return Err(ApiError::invalid(message).code("parameter_invalid_integer").param(param));
    }
    Ok(())
}

/// An amount as a page shows it: `$1,250.00`, `¥500`, `KWD 1.230`.
pub(crate) fn display(currency: &str, amount_minor: i64) -> String {
    let exponent = exponent(currency).unwrap_or(2);
    let scale = 10_u64.pow(exponent);
    let magnitude = amount_minor.unsigned_abs();
    let sign = if amount_minor < 0 { "-" } else { "" };
    let whole = grouped(magnitude / scale);
    let number = if exponent == 0 || TWO_WRITTEN_NONE_USED.contains(&currency) {
        whole
    } else {
        let width = usize::try_from(exponent).expect("an exponent is at most 3");
        format!("{whole}.{:0width$}", magnitude % scale)
    };
    match SYMBOLS.iter().find(|(code, _)| *code == currency) {
        Some((_, symbol)) => format!("{sign}{symbol}{number}"),
        None => format!("{sign}{}\u{a0}{number}", currency.to_ascii_uppercase()),
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{check_amount, display, parse};

    #[test]
    fn amounts_read_as_people_write_them() {
        let table = [
            ("usd", 50_000, "$500.00"),
            ("usd", 125_000, "$1,250.00"),
            ("usd", 1_234_567_890, "$12,345,678.90"),
            ("usd", -5, "-$0.05"),
            ("jpy", 5_000, "¥5,000"),
            ("kwd", 1_230, "KWD\u{a0}1.230"),
            ("isk", 50_000, "ISK\u{a0}500"),
            ("eur", 0, "€0.00"),
        ];
        for (currency, amount_minor, shown) in table {
            assert_eq!(display(currency, amount_minor), shown);
        }
    }

    #[test]
    fn limits_and_steps_are_refused_by_name() {
        let table = [
            ("usd", 50, None),
            ("usd", 49, Some("amount_too_small")),
            ("usd", 0, Some("amount_too_small")),
            ("usd", -1, Some("amount_too_small")),
            ("usd", 99_999_999, None),
            ("usd", 100_000_000, Some("amount_too_large")),
            ("gbp", 29, Some("amount_too_small")),
            ("kwd", 1_230, None),
            ("kwd", 1_234, Some("parameter_invalid_integer")),
            ("isk", 500, None),
            ("isk", 550, Some("parameter_invalid_integer")),
        ];
        for (currency, amount_minor, code) in table {
            let refusal = check_amount(currency, amount_minor, "amount").err();
            assert_eq!(
                refusal.map(|error| error.body()["error"]["code"].clone()),
                code.map(Into::into),
                "{currency} {amount_minor}"
            );
        }
        assert_eq!(parse("USD").expect("known"), "usd");
        assert!(parse("xyz").is_err());
    }
}
