//! Amounts as Stripe writes them, and what it charges at least and at most. The only place that knows where Stripe's
//! decimals differ from ISO 4217.
//!
//! Source: <https://docs.stripe.com/currencies>, sections "zero-decimal", "three-decimal", "special cases" and
//! "minimum and maximum charge amounts".

use crate::CannotCharge;
use billing::amount::MethodLimits;
use billing::payment::Method;
use ledger::{Currency, Money};

/// Written without decimals. ISO 4217 gives MGA two; all others have none there either.
const ZERO_DECIMAL: [&str; 15] =
    ["BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"];

/// Written with three decimals, the last of which must be 0: the card networks carry two.
const THREE_DECIMAL: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// Without decimals in ISO 4217, written with two that must be 00.
const WRITTEN_WITH_TWO: [&str; 2] = ["ISK", "UGX"];

// HUF and TWD are whole for payouts only; a charge may have two decimals, so they need no entry.

/// Least charge in the unit Stripe writes. The figures are those of accounts that settle in the same currency; for a
/// currency without a figure only Stripe knows, and refuses with `amount_too_small`.
const MINIMUM: [(&str, i64); 24] = [
    ("AED", 200),
    ("AUD", 50),
    ("BGN", 100),
    ("BRL", 50),
    ("CAD", 50),
    ("CHF", 50),
    ("CZK", 1_500),
    ("DKK", 250),
    ("EUR", 50),
    ("GBP", 30),
    ("HKD", 400),
    ("HUF", 17_500),
    ("INR", 50),
    ("JPY", 50),
    ("MXN", 1_000),
    ("MYR", 200),
    ("NOK", 300),
    ("NZD", 50),
    ("PLN", 200),
    ("RON", 200),
    ("SEK", 300),
    ("SGD", 50),
    ("THB", 1_000),
    ("USD", 50),
];

/// Most of one charge in the unit Stripe writes: eight digits, but for these. JPY stays at eight, since several
/// schemes do not take more of it.
const MAXIMUM: [(&str, i64); 5] = [
    ("COP", 9_999_999_999),
    ("HUF", 9_999_999_999),
    ("IDR", 999_999_999_999),
    ("INR", 999_999_999),
    ("LBP", 99_999_999_999),
];
const EIGHT_DIGITS: i64 = 99_999_999;

/// Most of one European debit unless Stripe was asked to lift it, cents.
/// Source: <https://docs.stripe.com/payments/sepa-debit>.
const SEPA_MAXIMUM: i64 = 1_000_000;

/// Not charged at all.
const NOTHING: MethodLimits = MethodLimits { minimum_minor: 1, maximum_minor: 0, step_minor: 1 };

/// The number to send for a charge by this method.
pub(super) fn charge_to_wire(method: Method, money: Money) -> Result<i64, CannotCharge> {
    let currency = money.currency();
    let limits = method_limits(method, currency);
    if limits == NOTHING {
        return Err(CannotCharge::Method { method, currency });
    }
    if !money.is_positive() {
        return Err(CannotCharge::NotPositive);
    }
    if money.minor() > limits.maximum_minor {
        return Err(CannotCharge::TooLarge { maximum_minor: limits.maximum_minor });
    }
    if money.minor() % limits.step_minor != 0 {
        return Err(CannotCharge::OffStep { step_minor: limits.step_minor });
    }
    to_wire(money).ok_or(CannotCharge::Method { method, currency })
}

/// The number behind an amount; `None` for one that Stripe cannot write.
pub(super) fn to_wire(money: Money) -> Option<i64> {
    match Scale::of(money.currency())? {
        Scale::Same { .. } => Some(money.minor()),
        Scale::Finer(factor) => money.minor().checked_mul(factor),
        Scale::Coarser(factor) => (money.minor() % factor == 0).then(|| money.minor() / factor),
    }
}

/// The amount behind a number that came with a currency code. `None` for a currency or a fraction we cannot hold.
pub(super) fn from_wire(amount: i64, code: &str) -> Option<Money> {
    let currency = Currency::try_new(code).ok()?;
    let minor = match Scale::of(currency)? {
        Scale::Same { .. } => amount,
        Scale::Finer(factor) if amount % factor == 0 => amount / factor,
        Scale::Finer(_) => return None,
        Scale::Coarser(factor) => amount.checked_mul(factor)?,
    };
    Some(Money::new(minor, currency))
}

/// What a charge by this method can be. What Stripe does not charge has a maximum of 0: a bank debit is in the one
/// currency of its network, and what the merchant receives himself is not Stripe's.
pub(super) fn method_limits(method: Method, currency: Currency) -> MethodLimits {
    match method {
        Method::Card => card_limits(currency),
        Method::UsBankAccount if currency == Currency::USD => card_limits(currency),
        Method::SepaDebit if currency == Currency::EUR => {
            MethodLimits { maximum_minor: SEPA_MAXIMUM, ..card_limits(currency) }
        }
        Method::UsBankAccount | Method::SepaDebit | Method::Cheque | Method::Wire | Method::Cash => NOTHING,
    }
}

/// What a card charge can be.
fn card_limits(currency: Currency) -> MethodLimits {
    let of = |table: &[(&str, i64)]| {
        table.iter().find(|(code, _)| *code == currency.code()).map(|(_, amount)| *amount)
    };
    let Some(scale) = Scale::of(currency) else {
        return NOTHING;
    };
    let maximum = of(&MAXIMUM).unwrap_or(EIGHT_DIGITS);
    let (step_minor, maximum_minor) = match scale {
        Scale::Same { step } => (step, maximum - maximum % step),
        Scale::Finer(factor) => (1, maximum / factor),
        Scale::Coarser(factor) => (factor, maximum * factor),
    };
    MethodLimits { minimum_minor: of(&MINIMUM).unwrap_or(step_minor), maximum_minor, step_minor }
}

/// How Stripe's unit relates to the minor unit of ISO 4217.
enum Scale {
    /// The same unit, in multiples of `step`.
    Same { step: i64 },
    /// So many of Stripe's units make one minor unit.
    Finer(i64),
    /// So many minor units make one of Stripe's.
    Coarser(i64),
}

impl Scale {
    /// `None` for a currency that Stripe does not charge.
    fn of(currency: Currency) -> Option<Scale> {
        let (code, exponent) = (currency.code(), currency.exponent());
        if THREE_DECIMAL.contains(&code) {
            Some(Scale::Same { step: 10 })
        } else if ZERO_DECIMAL.contains(&code) {
            Some(if exponent == 0 {
                Scale::Same { step: 1 }
            } else {
                Scale::Coarser(currency.minor_per_major())
            })
        } else if WRITTEN_WITH_TWO.contains(&code) {
            Some(Scale::Finer(100))
        } else {
            (exponent == 2).then_some(Scale::Same { step: 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, Currency::try_new(code).unwrap())
    }

    /// Our minor units, Stripe's number; both directions.
    #[test]
    fn both_sides_write_the_same_amount() {
        for (minor, code, wire) in [
            (125_000, "USD", 125_000),
            (50, "EUR", 50),
            (1_000, "JPY", 1_000),
            (5_120, "KWD", 5_120),
            (12_350, "TND", 12_350),
            (5, "ISK", 500),
            (5, "UGX", 500),
            (17_501, "HUF", 17_501),
            (80_045, "TWD", 80_045),
            (500, "MGA", 5),
            (500, "KRW", 500),
            (700, "XOF", 700),
        ] {
            assert_eq!(charge_to_wire(Method::Card, money(minor, code)), Ok(wire), "{minor} {code}");
            assert_eq!(to_wire(money(-minor, code)), Some(-wire), "{minor} {code}");
            assert_eq!(from_wire(wire, &code.to_lowercase()), Some(money(minor, code)), "{wire} {code}");
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_never_rounded() {
        let to_wire = |money| charge_to_wire(Method::Card, money);
        assert_eq!(to_wire(money(5_124, "KWD")), Err(CannotCharge::OffStep { step_minor: 10 }));
        assert_eq!(to_wire(money(550, "MGA")), Err(CannotCharge::OffStep { step_minor: 100 }));
        assert_eq!(to_wire(money(0, "USD")), Err(CannotCharge::NotPositive));
        assert_eq!(to_wire(money(-1, "USD")), Err(CannotCharge::NotPositive));
        let most = EIGHT_DIGITS;
        assert_eq!(to_wire(money(most, "USD")), Ok(most));
        assert_eq!(to_wire(money(most + 1, "USD")), Err(CannotCharge::TooLarge { maximum_minor: most }));
        let dinar = Currency::try_new("IQD").unwrap();
        assert_eq!(
            to_wire(Money::new(1_000, dinar)),
            Err(CannotCharge::Method { method: Method::Card, currency: dinar })
        );
        assert_eq!(super::to_wire(money(550, "MGA")), None);
        assert_eq!(from_wire(550, "isk"), None);
        assert_eq!(from_wire(5_124, "kwd"), Some(money(5_124, "KWD")), "read as it is: it did happen");
        assert_eq!(from_wire(1, "zzz"), None);
    }

    #[test]
    fn limits_are_in_our_minor_units() {
        let limits = |code: &str| {
            let limits = card_limits(Currency::try_new(code).unwrap());
            (limits.minimum_minor, limits.maximum_minor, limits.step_minor)
        };
        assert_eq!(limits("USD"), (50, 99_999_999, 1));
        assert_eq!(limits("GBP"), (30, 99_999_999, 1));
        assert_eq!(limits("JPY"), (50, 99_999_999, 1));
        assert_eq!(limits("HUF"), (17_500, 9_999_999_999, 1));
        assert_eq!(limits("IDR"), (1, 999_999_999_999, 1));
        assert_eq!(limits("KWD"), (10, 99_999_990, 10));
        assert_eq!(limits("ISK"), (1, 999_999, 1));
        assert_eq!(limits("UGX"), (1, 999_999, 1));
        assert_eq!(limits("MGA"), (100, 9_999_999_900, 100));
        assert_eq!(limits("LYD"), (1, 0, 1), "not charged at all");
    }

    #[test]
    fn a_debit_is_in_the_currency_of_its_network_and_what_is_received_is_not_charged() {
        let limits = |method, code: &str| method_limits(method, Currency::try_new(code).unwrap());
        assert_eq!(limits(Method::UsBankAccount, "USD"), limits(Method::Card, "USD"));
        let sepa = MethodLimits { minimum_minor: 50, maximum_minor: 1_000_000, step_minor: 1 };
        assert_eq!(limits(Method::SepaDebit, "EUR"), sepa);
        for (method, code) in [
            (Method::UsBankAccount, "EUR"),
            (Method::UsBankAccount, "CAD"),
            (Method::SepaDebit, "USD"),
            (Method::SepaDebit, "CHF"),
            (Method::Cheque, "USD"),
            (Method::Wire, "USD"),
            (Method::Cash, "EUR"),
        ] {
            assert_eq!(limits(method, code), NOTHING, "{method:?} {code}");
            let currency = Currency::try_new(code).unwrap();
            let refused = Err(CannotCharge::Method { method, currency });
            assert_eq!(charge_to_wire(method, money(5_000, code)), refused, "{method:?} {code}");
        }
        let most = CannotCharge::TooLarge { maximum_minor: 1_000_000 };
        assert_eq!(charge_to_wire(Method::SepaDebit, money(1_000_001, "EUR")), Err(most));
        assert_eq!(charge_to_wire(Method::SepaDebit, money(1_000_000, "EUR")), Ok(1_000_000));
    }

    #[test]
    fn every_limit_of_every_currency_can_be_sent() {
        for currency in Currency::all() {
            let limits = card_limits(currency);
            if limits.maximum_minor == 0 {
                continue;
            }
            for minor in [limits.minimum_minor, limits.maximum_minor] {
                let wire = charge_to_wire(Method::Card, Money::new(minor, currency)).unwrap();
                assert_eq!(from_wire(wire, currency.code()), Some(Money::new(minor, currency)));
            }
        }
    }
}
