//! Which sign a currency has for a reader, and on which side of the figure it stands. Data only: a small extract of
//! Unicode's locale conventions. It must never decide an amount, only how one looks.

use ledger::Currency;

/// Where the sign stands, and whether a space that does not break separates it from the figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// True when the sign comes first.
    pub before: bool,
    /// True when a no-break space stands between sign and figure.
    pub spaced: bool,
}

/// The region whose money a reader of this language means when the language tag names none.
pub(super) fn home_region(language: &str, script: Option<&str>) -> &'static str {
    match (language, script) {
        ("zh", Some("Hant")) => "TW",
        ("zh", _) => "CN",
        ("ja", _) => "JP",
        ("ko", _) => "KR",
        ("de", _) => "DE",
        ("fr", _) => "FR",
        ("es", _) => "ES",
        ("it", _) => "IT",
        ("nl", _) => "NL",
        ("pt", _) => "BR",
        ("pl", _) => "PL",
        ("cs", _) => "CZ",
        ("hu", _) => "HU",
        ("sv", _) => "SE",
        ("da", _) => "DK",
        ("nb" | "nn" | "no", _) => "NO",
        ("tr", _) => "TR",
        ("he", _) => "IL",
        ("hi" | "bn" | "ta" | "te" | "mr" | "gu" | "kn" | "ml" | "pa", _) => "IN",
        ("th", _) => "TH",
        ("vi", _) => "VN",
        ("uk", _) => "UA",
        ("en", _) => "US",
        _ => "",
    }
}

/// The sign of `currency` for a reader in `region` who reads `language`: short at home, told apart abroad.
pub(super) fn sign(currency: Currency, language: &str, region: &str) -> &'static str {
    let code = currency.code();
    if code == "JPY" && language == "ja" {
        return "￥";
    }
    if let Some((_, _, own)) =
        AT_HOME.iter().find(|(own, regions, _)| *own == code && regions.contains(&region))
    {
        return own;
    }
    let shares_dollar = AT_HOME.iter().any(|(_, regions, own)| *own == "$" && regions.contains(&region));
    let shares_yen = region == "CN";
    match code {
        "USD" if shares_dollar => "US$",
        "USD" => "$",
        "JPY" if shares_yen => "JP¥",
        _ => ABROAD.iter().find(|(abroad, _)| *abroad == code).map_or(code, |(_, sign)| sign),
    }
}

/// Currencies whose sign is shorter, or another one, for readers in their own regions.
const AT_HOME: &[(&str, &[&str], &str)] = &[
    ("USD", &["US", "PR", "GU", "VI", "AS", "MP", "EC", "SV"], "$"),
    ("CAD", &["CA"], "$"),
    ("AUD", &["AU"], "$"),
    ("NZD", &["NZ"], "$"),
    ("MXN", &["MX"], "$"),
    ("ARS", &["AR"], "$"),
    ("CLP", &["CL"], "$"),
    ("COP", &["CO"], "$"),
    ("SGD", &["SG"], "$"),
    ("TWD", &["TW"], "$"),
    ("HKD", &["HK"], "HK$"),
    ("CNY", &["CN"], "¥"),
    ("SEK", &["SE"], "kr"),
    ("NOK", &["NO"], "kr"),
    ("DKK", &["DK"], "kr."),
    ("PLN", &["PL"], "zł"),
    ("CZK", &["CZ"], "Kč"),
    ("HUF", &["HU"], "Ft"),
    ("TRY", &["TR"], "₺"),
    ("UAH", &["UA"], "₴"),
    ("ZAR", &["ZA"], "R"),
    ("THB", &["TH"], "฿"),
];

/// Signs that say which currency is meant wherever they are read. Everything else shows its ISO code.
const ABROAD: &[(&str, &str)] = &[
    ("EUR", "€"),
    ("GBP", "£"),
    ("JPY", "¥"),
    ("INR", "₹"),
    ("KRW", "₩"),
    ("ILS", "₪"),
    ("VND", "₫"),
    ("PHP", "₱"),
    ("CAD", "CA$"),
    ("AUD", "A$"),
    ("NZD", "NZ$"),
    ("MXN", "MX$"),
    ("HKD", "HK$"),
    ("TWD", "NT$"),
    ("SGD", "S$"),
    ("BRL", "R$"),
    ("CNY", "CN¥"),
];

/// Where readers of this language in this region expect the sign.
pub(super) fn place(language: &str, region: &str) -> Place {
    let (before, spaced) = match (language, region) {
        ("de", "CH" | "LI" | "AT") | ("it", "CH") | ("rm", _) => (true, true),
        ("pt", "PT") | ("es", "ES") => (false, true),
        ("es", "AR" | "UY" | "PY") | ("pt" | "nl" | "id", _) => (true, true),
        ("en" | "es" | "ja" | "zh" | "ko" | "th" | "tr" | "fil" | "ga" | "cy" | "ms" | "sw" | "zu", _)
        | ("hi" | "ta" | "te" | "mr" | "gu" | "kn" | "ml" | "pa", _) => (true, false),
        _ => (false, true),
    };
    Place { before, spaced }
}
