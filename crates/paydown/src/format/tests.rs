//! Tables and properties of amounts, dates and lengths. Never a test that only repeats the code.

use super::*;
use ledger::Currency;

fn money(locale: &str, minor: i64, code: &str) -> String {
    Locale::from_tag(locale).unwrap().money(Money::new(minor, Currency::try_new(code).unwrap()))
}

#[test]
fn amounts_look_as_their_readers_write_them() {
    for (locale, minor, code, wanted) in [
        ("en-US", 125_000, "USD", "$1,250.00"),
        ("de-DE", 125_000, "EUR", "1.250,00\u{a0}€"),
        ("fr-FR", 125_000, "EUR", "1\u{202f}250,00\u{a0}€"),
        ("de-CH", 125_000, "CHF", "CHF\u{a0}1’250.00"),
        ("en-IN", 12_500_000, "INR", "₹1,25,000.00"),
        ("hi", 12_500_000, "INR", "₹1,25,000.00"),
        ("en-US", 1_250, "JPY", "¥1,250"),
        ("ja-JP", 1_250, "JPY", "￥1,250"),
        ("en-US", 1_250_000, "KWD", "KWD\u{a0}1,250.000"),
        ("en-US", 1_234_567_890, "USD", "$12,345,678.90"),
        ("en-US", 5, "USD", "$0.05"),
        ("en-US", -50_000, "USD", "\u{2212}$500.00"),
        ("de", -5, "EUR", "\u{2212}0,05\u{a0}€"),
        ("nl-NL", 125_000, "EUR", "€\u{a0}1.250,00"),
        ("pt-BR", 125_000, "BRL", "R$\u{a0}1.250,00"),
        ("sv", 125_000, "SEK", "1\u{a0}250,00\u{a0}kr"),
        ("ar-EG", 125_000, "USD", "1,250.00\u{a0}$"),
    ] {
        assert_eq!(money(locale, minor, code), wanted, "{locale} {code}");
    }
}

#[test]
fn a_shared_sign_is_told_apart() {
    for (locale, code, wanted) in [
        ("en-CA", "USD", "US$5.00"),
        ("en-CA", "CAD", "$5.00"),
        ("en-US", "CAD", "CA$5.00"),
        ("en-US", "AUD", "A$5.00"),
        ("en-AU", "USD", "US$5.00"),
        ("en-AU", "AUD", "$5.00"),
        ("en-GB", "USD", "$5.00"),
        ("de", "USD", "5,00\u{a0}$"),
        ("en", "USD", "$5.00"),
    ] {
        assert_eq!(money(locale, 500, code), wanted, "{locale} {code}");
    }
    assert_eq!(money("zh-CN", 5, "JPY"), "JP¥5");
    assert_eq!(money("zh-CN", 500, "CNY"), "¥5.00");
}

#[test]
fn the_header_is_read_by_weight_and_never_trusted() {
    for (header, wanted) in [
        ("", "en-US"),
        ("*", "en-US"),
        ("de-AT", "de-AT"),
        ("fr;q=0.5, de-CH;q=0.9, en;q=0.1", "de-CH"),
        ("en-GB,en;q=0.9", "en-GB"),
        ("???, ja", "ja"),
        ("de;q=0, fr", "fr"),
        ("de;q=7, fr;q=0.1", "fr"),
        ("<script>", "en-US"),
    ] {
        assert_eq!(Locale::from_accept_language(header).tag(), wanted, "{header}");
    }
    assert_eq!(Locale::from_accept_language(&"é,".repeat(5_000)).tag(), "en-US");
}

#[test]
fn marks_and_field_texts() {
    let marks = |tag: &str| Locale::from_tag(tag).unwrap().number_marks();
    assert_eq!(marks("en-US"), ('.', ','));
    assert_eq!(marks("de-DE"), (',', '.'));
    assert_eq!(marks("fr"), (',', '\u{202f}'));
    assert_eq!(marks("de-CH"), ('.', '’'));
    let plain =
        |tag: &str, minor, currency| Locale::from_tag(tag).unwrap().plain(Money::new(minor, currency));
    assert_eq!(plain("en", 125_000, Currency::USD), "1,250.00");
    assert_eq!(plain("en", 1_250, Currency::JPY), "1,250");
    assert_eq!(plain("es-ES", 125_000, Currency::EUR), "1250,00");
    assert_eq!(plain("es-ES", 1_250_000, Currency::EUR), "12.500,00");
    assert_eq!(plain("en-IN", i64::MAX, Currency::JPY), "92,23,37,20,36,85,47,75,807");
}

#[test]
fn spoken_amounts_name_the_currency() {
    let spoken = |minor, currency| Locale::default().spoken(Money::new(minor, currency));
    assert_eq!(spoken(75_000, Currency::USD), "750 US dollars");
    assert_eq!(spoken(100, Currency::USD), "1 US dollar");
    assert_eq!(spoken(75_050, Currency::USD), "750.50 US dollars");
    assert_eq!(spoken(1_250, Currency::JPY), "1,250 Japanese yen");
    assert_eq!(spoken(-75_000, Currency::EUR), "minus 750 euros");
    assert_eq!(spoken(5_000, Currency::try_new("XPF").unwrap()), "5,000 XPF");
}

#[test]
fn dates_clocks_and_lengths() {
    let day = jiff::civil::date(2026, 11, 30);
    assert_eq!(date(day), "30 November 2026");
    assert_eq!(short_date(day), "30 Nov");
    assert_eq!(due(day, jiff::civil::date(2026, 11, 18)), "Due in 12 days");
    assert_eq!(due(day, jiff::civil::date(2026, 11, 29)), "Due in 1 day");
    assert_eq!(due(day, day), "Due today");
    assert_eq!(due(day, jiff::civil::date(2026, 12, 3)), "Overdue by 3 days");
    assert_eq!(due(day, jiff::civil::date(2028, 12, 30)), "Overdue by 761 days");
    assert_eq!(elapsed(20), "a moment ago");
    assert_eq!(elapsed(125), "2 minutes ago");
    assert_eq!(elapsed(60), "1 minute ago");
    assert_eq!(elapsed(7_300), "2 hours ago");
    assert_eq!(within(720), "in 12 minutes");
    let at: jiff::Timestamp = "2026-11-22T22:40:00Z".parse().unwrap();
    let zone = |name: &str| jiff::tz::TimeZone::get(name).unwrap();
    assert_eq!(clock(at, &zone("America/Los_Angeles")), "14:40 Pacific time");
    assert_eq!(clock(at, &zone("Asia/Manila")), "06:40 PST");
    assert_eq!(clock(at, &jiff::tz::TimeZone::UTC), "22:40 UTC");
}

proptest::proptest! {
    /// Reading the digits of a formatted amount gives the amount back, in every locale.
    #[test]
    fn no_digit_is_lost(minor in 0..i64::MAX, at in 0..8_usize) {
        let tag = ["en-US", "de-DE", "fr-FR", "de-CH", "en-IN", "es-ES", "ja", "ar-EG"][at];
        let locale = Locale::from_tag(tag).unwrap();
        for currency in [Currency::USD, Currency::JPY, Currency::KWD] {
            let text = locale.money(Money::new(minor, currency));
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            proptest::prop_assert_eq!(digits.parse::<i64>().unwrap(), minor);
            let (decimal, _) = locale.number_marks();
            let fraction = locale.plain(Money::new(minor, currency));
            let after = fraction.rsplit_once(decimal).map_or(0, |(_, after)| after.len());
            proptest::prop_assert_eq!(after, currency.exponent() as usize);
        }
    }
}

proptest::proptest! {
    /// What stands in the amount field is read back as the same amount, with and without its sign.
    #[test]
    fn the_amount_parser_reads_what_we_write(minor in 1..999_999_999_999_999_i64, at in 0..12_usize) {
        let tag = ["en-US", "de-DE", "fr-FR", "de-CH", "en-IN", "es-ES", "ja-JP", "ar-EG", "pt-BR", "sv-SE", "en-CA", "hi-IN"][at];
        let locale = Locale::from_tag(tag).unwrap();
        let (decimal, grouping) = locale.number_marks();
        let marks = billing::amount::NumberMarks { decimal, grouping };
        for code in ["USD", "EUR", "JPY", "KWD", "INR", "CAD"] {
            let currency = Currency::try_new(code).unwrap();
            let money = Money::new(minor, currency);
            for text in [locale.plain(money), locale.money(money)] {
                let read = billing::amount::parse_text(&text, currency, marks);
                proptest::prop_assert_eq!(read, Ok(billing::amount::Typed::Minor(minor)), "{} in {}", text, tag);
            }
        }
    }
}
