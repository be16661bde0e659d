//! Where captured money goes: the invoice first, the surcharge next, the rest is the customer's credit. Nothing is
//! ever dropped.

use ledger::Money;

/// What a payment asked for, minor units of one currency.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Asked {
    /// For the invoice.
    pub amount_minor: i64,
    /// On top of it.
    pub surcharge_minor: i64,
}

/// Where each minor unit of a capture goes; the three add up to what was captured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CaptureSplit {
    /// Set against the invoice.
    pub to_invoice_minor: i64,
    /// Surcharge income.
    pub surcharge_minor: i64,
    /// Customer credit: what does not fit the invoice.
    pub surplus_minor: i64,
}

/// Splits what the processor captured.
///
/// `allocatable_minor` is what the invoice can take: its open amount less the reservations of *other* payments. A
/// capture smaller than asked fills the invoice first, then the surcharge.
pub fn split_capture(captured: Money, asked: Asked, allocatable_minor: i64) -> CaptureSplit {
    let captured_minor = captured.minor().max(0);
    let for_invoice = captured_minor.min(asked.amount_minor);
    let surcharge_minor = (captured_minor - for_invoice).min(asked.surcharge_minor);
    let base = captured_minor - surcharge_minor;
    let to_invoice_minor = base.min(allocatable_minor.max(0));
    CaptureSplit { to_invoice_minor, surcharge_minor, surplus_minor: base - to_invoice_minor }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;
    use proptest::prelude::*;

    fn split(captured: i64, amount: i64, surcharge: i64, allocatable: i64) -> (i64, i64, i64) {
        let asked = Asked { amount_minor: amount, surcharge_minor: surcharge };
        let split = split_capture(Money::new(captured, Currency::USD), asked, allocatable);
        (split.to_invoice_minor, split.surcharge_minor, split.surplus_minor)
    }

    #[test]
    fn the_invoice_is_filled_first_and_nothing_is_dropped() {
        assert_eq!(split(41_190, 40_000, 1_190, 100_000), (40_000, 1_190, 0));
        assert_eq!(split(40_500, 40_000, 1_190, 100_000), (40_000, 500, 0));
        assert_eq!(split(30_000, 40_000, 1_190, 100_000), (30_000, 0, 0));
        assert_eq!(split(40_000, 40_000, 0, 25_000), (25_000, 0, 15_000));
        assert_eq!(split(50_000, 40_000, 0, 100_000), (50_000, 0, 0));
        assert_eq!(split(40_000, 40_000, 0, 0), (0, 0, 40_000));
    }

    proptest! {
        #[test]
        fn every_minor_unit_has_a_place(captured in 0..1_000_000_i64, amount in 1..1_000_000_i64, surcharge in 0..10_000_i64, room in 0..1_000_000_i64) {
            let (invoice, fee, surplus) = split(captured, amount, surcharge, room);
            prop_assert_eq!(invoice + fee + surplus, captured);
            prop_assert!(invoice >= 0 && fee >= 0 && surplus >= 0 && invoice <= room && fee <= surcharge);
        }
    }
}
