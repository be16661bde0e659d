//! The amount rule against tables of what people type, and against properties that hold for every amount.

use super::*;
use crate::policy::{Identify, Minimum};
use ledger::Currency;
use proptest::prelude::*;

const USD: Currency = Currency::USD;

fn usd(minor: i64) -> Money {
    Money::new(minor, USD)
}

fn terms(payable: i64) -> Terms {
    let policy = Policy {
        partial: Partial::Always,
        minimum: Minimum::None,
        floor_minor: 50,
        identify: Identify::Never,
    };
    let method = MethodLimits { minimum_minor: 50, maximum_minor: 99_999_999, step_minor: 1 };
    Terms { payable: usd(payable), pending: usd(0), policy, method }
}

fn cases(normal: u32) -> ProptestConfig {
    let long = std::env::var("PAYDOWN_TEST_LONG").is_ok_and(|value| value == "1");
    ProptestConfig::with_cases(if long { 1_000_000 } else { normal })
}

#[test]
fn text_is_read_as_people_write_it() {
    let (en, de) = (NumberMarks::ENGLISH, NumberMarks::GERMAN);
    let french = NumberMarks { decimal: ',', grouping: '\u{202f}' };
    let (jpy, kwd, eur) = (Currency::JPY, Currency::KWD, Currency::EUR);
    let chf = Currency::try_new("CHF").unwrap();
    for (text, currency, marks, minor) in [
        ("400", USD, en, 40_000),
        (" 400 ", USD, en, 40_000),
        ("500.00", USD, en, 50_000),
        ("$500", USD, en, 50_000),
        ("500$", USD, en, 50_000),
        ("US$ 500", USD, en, 50_000),
        ("usd 500", USD, en, 50_000),
        ("500 USD", USD, en, 50_000),
        ("1,250.00", USD, en, 125_000),
        ("1.250,00", USD, en, 125_000),
        ("1,250", USD, en, 125_000),
        ("1.250", eur, de, 125_000),
        ("1.250,00 €", eur, de, 125_000),
        ("1 250,00", eur, french, 125_000),
        ("1\u{202f}250,00\u{a0}€", eur, french, 125_000),
        ("1 250", eur, en, 125_000),
        ("1’250.00", chf, en, 125_000),
        ("CHF 1'250.00", chf, en, 125_000),
        ("1,000.5", USD, en, 100_050),
        ("1.000,50", USD, en, 100_050),
        ("500,5", USD, en, 50_050),
        ("500,50", USD, en, 50_050),
        ("5.", USD, en, 500),
        (".50", USD, en, 50),
        ("12,34,567.89", USD, en, 123_456_789),
        ("1,234,567", USD, en, 123_456_700),
        ("1.234.567", USD, en, 123_456_700),
        ("５００．００", USD, en, 50_000),
        ("٥٠٠", USD, en, 50_000),
        ("٥٠٠٫٥٠", USD, en, 50_050),
        ("१२५०", USD, en, 125_000),
        ("1250", jpy, en, 1_250),
        ("￥1,250", jpy, en, 1_250),
        ("1,250", jpy, en, 1_250),
        ("1.250", kwd, en, 1_250),
        ("1,250", kwd, en, 1_250_000),
        ("1,250", kwd, de, 1_250),
        ("1.250", kwd, de, 1_250_000),
        ("KWD 1,250.000", kwd, en, 1_250_000),
        ("0", USD, en, 0),
        ("-1", USD, en, -100),
        ("-$1.50", USD, en, -150),
        ("$-1.50", USD, en, -150),
        ("−5", USD, en, -500),
        ("0.01", USD, en, 1),
        ("0,01", USD, en, 1),
        ("999999999999.99", USD, en, 99_999_999_999_999),
    ] {
        assert_eq!(parse_text(text, currency, marks), Ok(Typed::Minor(minor)), "{text:?} in {currency}");
    }
    for (text, hundredths) in [
        ("50%", 5_000),
        ("50 %", 5_000),
        ("12.5%", 1_250),
        ("12,5 %", 1_250),
        ("100%", 10_000),
        ("٥٠٪", 5_000),
    ] {
        assert_eq!(parse_text(text, USD, en), Ok(Typed::Percent(hundredths)), "{text:?}");
    }
}

#[test]
fn what_is_not_clearly_an_amount_is_refused_by_name() {
    use TextError::*;
    let (en, de) = (NumberMarks::ENGLISH, NumberMarks::GERMAN);
    for (text, currency, marks, error) in [
        ("", USD, en, Empty),
        ("   ", USD, en, Empty),
        ("\u{a0}\u{200b}", USD, en, Empty),
        ("1,2,3", USD, en, NotANumber),
        ("1e3", USD, en, NotANumber),
        ("0x10", USD, en, NotANumber),
        ("NaN", USD, en, NotANumber),
        ("inf", USD, en, NotANumber),
        ("all", USD, en, NotANumber),
        ("+5", USD, en, NotANumber),
        ("--5", USD, en, NotANumber),
        ("1_000", USD, en, NotANumber),
        ("1.2.3", USD, en, NotANumber),
        ("1,23,4", USD, en, NotANumber),
        ("1 2", USD, en, NotANumber),
        ("1,0000", USD, en, TooManyDecimals { most: 2 }),
        ("1,250.00.00", USD, en, NotANumber),
        ("1,250,00.5", USD, en, NotANumber),
        ("1.250.00,5,5", USD, en, NotANumber),
        (".", USD, en, NotANumber),
        ("$", USD, en, NotANumber),
        ("½", USD, en, NotANumber),
        ("五百", USD, en, NotANumber),
        ("500-", USD, en, NotANumber),
        ("(500)", USD, en, NotANumber),
        ("5 00", USD, en, NotANumber),
        ("1'250'00", USD, en, NotANumber),
        ("500 now", USD, en, NotANumber),
        ("0.001", USD, en, Unclear),
        ("500.005", USD, en, Unclear),
        ("10.0001", USD, en, TooManyDecimals { most: 2 }),
        ("1.234", USD, en, Unclear),
        ("1,234", USD, de, Unclear),
        ("1234,567", USD, en, Unclear),
        ("0,500", USD, en, Unclear),
        (",500", USD, en, Unclear),
        ("10.5", Currency::JPY, en, TooManyDecimals { most: 0 }),
        ("1.250", Currency::JPY, en, Unclear),
        ("1.2345", Currency::KWD, en, TooManyDecimals { most: 3 }),
        ("€500", USD, en, OtherCurrency),
        ("500 EUR", USD, en, OtherCurrency),
        ("CA$500", USD, en, OtherCurrency),
        ("£5", USD, en, OtherCurrency),
        ("500 kr", USD, en, OtherCurrency),
        ("$500", Currency::EUR, en, OtherCurrency),
        ("12345678901234567890", USD, en, TooManyDigits),
        ("1234567890123456", USD, en, TooManyDigits),
        ("<script>", USD, en, NotANumber),
        ("1,000;DROP", USD, en, NotANumber),
        ("1\u{0}0", USD, en, NotANumber),
        ("50%%", USD, en, NotANumber),
        ("%", USD, en, NotANumber),
        ("1e2%", USD, en, NotANumber),
        ("-5%", USD, en, NotANumber),
    ] {
        assert_eq!(parse_text(text, currency, marks), Err(error), "{text:?} in {currency}");
    }
    assert_eq!(parse_text(&"9".repeat(100), USD, en), Err(NotANumber));
}

#[test]
fn the_ceiling_is_named_and_never_clamped() {
    let mut terms = terms(75_000);
    terms.pending = usd(50_000);
    let refusal = terms.decide(75_001).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::Above { payable: usd(75_000), pending: usd(50_000) });
    assert_eq!(refusal.next_legal, [usd(75_000)]);
    assert!(terms.decide(75_000).unwrap().is_full());
    assert_eq!(terms.decide(60_000).unwrap().left, usd(15_000));
    assert_eq!(terms.decide(0).unwrap_err().kind, RefusalKind::NotPositive);
    assert_eq!(terms.decide(-1).unwrap_err().kind, RefusalKind::NotPositive);
    assert!(terms.decide(i64::MAX).is_err() && terms.decide(i64::MIN).is_err());
}

#[test]
fn exactly_the_minimum_is_accepted_and_one_less_is_not() {
    let mut terms = terms(125_000);
    terms.policy.minimum = Minimum::Amount(usd(2_500));
    assert!(terms.decide(2_500).is_ok());
    let refusal = terms.decide(2_499).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::BelowMinimum { minimum: usd(2_500) });
    assert_eq!(refusal.next_legal, [usd(2_500)]);
    assert_eq!(refusal.limits, Some((usd(2_500), usd(125_000))));
    terms.payable = usd(1_000);
    assert!(terms.decide(1_000).unwrap().is_full(), "a minimum above what is left becomes what is left");
    assert_eq!(terms.decide(999).unwrap_err().kind, RefusalKind::BelowMinimum { minimum: usd(1_000) });
}

#[test]
fn never_means_all_or_nothing() {
    let mut terms = terms(125_000);
    terms.policy.partial = Partial::Never;
    assert_eq!(terms.decide(50_000).unwrap_err().kind, RefusalKind::PartialNotAllowed);
    assert_eq!(terms.decide(50_000).unwrap_err().next_legal, [usd(125_000)]);
    assert!(terms.decide(125_000).unwrap().is_full());
    assert!(!terms.allows_part());
}

#[test]
fn no_crumb_is_left_behind() {
    let terms = terms(125_000);
    let refusal = terms.decide(124_960).unwrap_err();
    assert_eq!(
        refusal.kind,
        RefusalKind::Crumb { crumb: usd(40), all: usd(125_000), at_most: Some(usd(124_950)) }
    );
    assert_eq!(refusal.next_legal, [usd(124_950), usd(125_000)]);
    assert!(terms.decide(124_950).is_ok());
    let small = Terms { payable: usd(80), ..terms };
    assert_eq!(
        small.decide(60).unwrap_err().kind,
        RefusalKind::Crumb { crumb: usd(20), all: usd(80), at_most: None }
    );
}

#[test]
fn a_method_has_limits_of_its_own() {
    let mut terms = terms(125_000);
    assert_eq!(terms.decide(49).unwrap_err().kind, RefusalKind::BelowMethod { minimum: usd(50) });
    terms.method.maximum_minor = 100_000;
    assert_eq!(terms.decide(125_000).unwrap_err().kind, RefusalKind::AboveMethod { maximum: usd(100_000) });
    assert_eq!(terms.limits(), Some((usd(50), usd(100_000))));
    terms.payable = usd(30);
    assert_eq!(
        terms.decide(30).unwrap_err().kind,
        RefusalKind::LeftBelowMethod { left: usd(30), minimum: usd(50) }
    );
    assert_eq!(terms.limits(), None);
}

#[test]
fn three_decimal_currencies_may_have_a_step() {
    let kwd = |minor| Money::new(minor, Currency::KWD);
    let method = MethodLimits { minimum_minor: 200, maximum_minor: 9_999_990, step_minor: 10 };
    let terms = Terms { payable: kwd(10_000), pending: kwd(0), method, ..terms(0) };
    assert_eq!(terms.decide(1_234).unwrap_err().kind, RefusalKind::OffStep { step_minor: 10 });
    assert_eq!(terms.decide(1_234).unwrap_err().next_legal, [kwd(1_230), kwd(10_000)]);
    assert!(terms.decide(1_230).is_ok());
}

/// 10.005 dinars: the card takes 10.000 and no charge ever reaches the last 5 fils.
#[test]
fn a_last_digit_beyond_the_steps_stands_in_nobodys_way() {
    let kwd = |minor| Money::new(minor, Currency::KWD);
    let method = MethodLimits { minimum_minor: 200, maximum_minor: 9_999_990, step_minor: 10 };
    let always = Terms { payable: kwd(10_005), pending: kwd(0), method, ..terms(0) };
    let never = Terms { policy: Policy { partial: Partial::Never, ..always.policy }, ..always };
    for terms in [always, never] {
        assert_eq!(terms.decide(10_005).unwrap_err().kind, RefusalKind::OffStep { step_minor: 10 });
        assert_eq!(terms.decide(10_005).unwrap_err().next_legal, [kwd(10_000)]);
        let accepted = terms.decide(10_000).unwrap();
        assert_eq!((accepted.left, accepted.is_full()), (kwd(5), false));
        assert_eq!(terms.limits().unwrap().1, kwd(10_000));
    }
    assert_eq!(never.decide(9_990).unwrap_err().kind, RefusalKind::PartialNotAllowed);
    let floor = Terms { policy: Policy { floor_minor: 200, ..always.policy }, ..always };
    let crumb = floor.decide(9_990).unwrap_err();
    let at_most = Some(kwd(9_800));
    assert_eq!(crumb.kind, RefusalKind::Crumb { crumb: kwd(15), all: kwd(10_000), at_most });
}

#[test]
fn nothing_left_and_all_in_progress_are_told_apart() {
    let mut terms = terms(0);
    assert_eq!(terms.decide(100).unwrap_err().kind, RefusalKind::NothingLeft);
    terms.pending = usd(40_000);
    assert_eq!(terms.decide_text("", NumberMarks::ENGLISH).unwrap_err().kind, RefusalKind::AllInProgress);
}

#[test]
fn a_percentage_is_of_what_is_left_and_rounds_down() {
    let terms = terms(125_001);
    assert_eq!(terms.decide_text("50%", NumberMarks::ENGLISH).unwrap().amount, usd(62_500));
    assert!(terms.decide_text("100%", NumberMarks::ENGLISH).unwrap().is_full());
    let small = Terms { payable: usd(2_500), ..terms };
    let refusal = small.decide_text("1%", NumberMarks::ENGLISH).unwrap_err();
    assert_eq!(refusal.kind, RefusalKind::PercentOutOfRange { least_percent: 2 });
    assert!(matches!(
        terms.decide_text("101%", NumberMarks::ENGLISH).unwrap_err().kind,
        RefusalKind::PercentOutOfRange { .. }
    ));
    assert_eq!(
        terms.decide_text("", NumberMarks::ENGLISH).unwrap_err().kind,
        RefusalKind::Text(TextError::Empty)
    );
}

/// Writes an amount the way one locale does.
fn write(minor: i64, exponent: u32, marks: NumberMarks) -> String {
    let per_major = 10_i64.pow(exponent);
    let digits = (minor / per_major).to_string();
    let mut whole = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            whole.push(marks.grouping);
        }
        whole.push(digit);
    }
    if exponent == 0 {
        whole
    } else {
        format!("{whole}{}{:0width$}", marks.decimal, minor % per_major, width = exponent as usize)
    }
}

fn marks() -> impl Strategy<Value = NumberMarks> {
    let pairs = [
        ('.', ','),
        (',', '.'),
        (',', '\u{202f}'),
        (',', ' '),
        ('.', '’'),
        (',', '\u{a0}'),
        ('\u{66b}', '\u{66c}'),
    ];
    proptest::sample::select(pairs.to_vec()).prop_map(|(decimal, grouping)| NumberMarks { decimal, grouping })
}

fn currency() -> impl Strategy<Value = Currency> {
    proptest::sample::select(Currency::all().collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(cases(10_000))]

    /// What a locale writes is read back to the unit, whatever the currency and wherever its sign stands.
    #[test]
    fn written_amounts_are_read_back(minor in 0..1_000_000_000_000_i64, marks in marks(), currency in currency(), place in 0..4) {
        let number = write(minor, currency.exponent(), marks);
        let text = match place {
            0 => number,
            1 => format!("{} {number}", currency.code()),
            2 => format!("{number}\u{a0}{}", currency.code()),
            _ => format!("{number} {}", currency.symbol()),
        };
        prop_assert_eq!(parse_text(&text, currency, marks), Ok(Typed::Minor(minor)), "{:?}", text);
    }

    /// Whatever is typed, an accepted amount is legal, and its digits are the typed ones: nothing is made up.
    #[test]
    fn no_text_is_read_as_something_else(text in "[0-9.,' %$€-]{0,12}", payable in 1..10_000_000_i64, marks in marks()) {
        let terms = terms(payable);
        if let Ok(accepted) = terms.decide_text(&text, marks) {
            prop_assert!(terms.decide(accepted.amount.minor()).is_ok());
            if !text.contains('%') {
                let typed: String = text.chars().filter(char::is_ascii_digit).collect();
                let read = accepted.amount.minor().to_string();
                let typed = typed.trim_start_matches('0').trim_end_matches('0');
                prop_assert_eq!(read.trim_end_matches('0'), typed, "{:?}", text);
            }
        }
    }

    /// Accepted amounts obey every limit; refused ones offer only amounts that are accepted.
    #[test]
    fn offers_are_legal(payable in 1..200_000_i64, asked in -10..220_000_i64, minimum in 0..50_000_i64, percent in 0..11_000_i64, floor in 0..5_000_i64, most in 100..300_000_i64, step in proptest::sample::select(vec![1_i64, 10]), kind in 0..3) {
        let minimum = match kind { 0 => Minimum::None, 1 => Minimum::Amount(usd(minimum)), _ => Minimum::Percent(percent) };
        let policy = Policy { partial: Partial::Always, minimum, floor_minor: floor, identify: Identify::Never };
        let method = MethodLimits { minimum_minor: 50, maximum_minor: most, step_minor: step };
        let terms = Terms { payable: usd(payable), pending: usd(0), policy, method };
        match terms.decide(asked) {
            Ok(accepted) => {
                let left = payable - asked;
                prop_assert!(asked >= 50 && left >= 0 && asked <= most && asked % step == 0);
                // All that the method's steps can ever reach counts as all of it.
                let is_all = left == payable % step;
                prop_assert!(is_all || (asked >= policy.minimum_minor(usd(payable)) && left >= floor));
                prop_assert_eq!(accepted.left.minor(), left);
                let (least, most) = terms.limits().unwrap();
                prop_assert!(least.minor() <= asked && asked <= most.minor());
            }
            Err(refusal) => {
                for offer in &refusal.next_legal {
                    prop_assert!(terms.decide(offer.minor()).is_ok(), "offered {:?}", offer);
                }
                if let Some((least, most)) = refusal.limits {
                    prop_assert!(terms.decide(least.minor()).is_ok() && terms.decide(most.minor()).is_ok());
                }
                if let RefusalKind::Crumb { at_most: Some(at_most), .. } = refusal.kind {
                    prop_assert!(terms.decide(at_most.minor()).is_ok());
                }
            }
        }
    }

    /// Random characters of every script never panic.
    #[test]
    fn any_text_is_survived(text in "\\PC{0,24}", currency in currency()) {
        let _typed = parse_text(&text, currency, NumberMarks::ENGLISH);
    }
}
