//! Where captured money goes: the invoice first, the surcharge next, the rest is the customer's credit. Nothing is
//! ever dropped.

use crate::ids::GrantId;
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

/// What to do with received money that the invoices cannot take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Surplus {
    /// Refuse, naming it.
    Refuse,
    /// Keep it as credit of the customer.
    CustomerCredit,
}

/// An invoice that received money is to be set against, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Wanted {
    /// So much is meant for it.
    pub amount_minor: i64,
    /// So much is payable on it now.
    pub payable_minor: i64,
}

/// Where the money meant for one invoice goes, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    /// Set against the invoice.
    pub to_invoice_minor: i64,
    /// Customer credit that is born on it.
    pub surplus_minor: i64,
}

/// Splits received money over invoices, each at most once. The merchant's policy does not bind it: only what is payable does.
///
/// What is meant for none of them goes to the first, as far as that can take it. What an invoice cannot take is surplus born on
/// it. `received_minor` is at least what is meant for the invoices together, and there is one invoice at least. `Err` holds
/// what has no place where nobody said that it may be credit: what is meant for none among it, since somebody may have
/// forgotten an invoice.
pub fn split_received(received_minor: i64, wanted: &[Wanted], surplus: Surplus) -> Result<Vec<Taken>, i64> {
    let meant = wanted.iter().fold(0_i64, |sum, wanted| sum.saturating_add(wanted.amount_minor));
    let mut for_none = received_minor.saturating_sub(meant).max(0);
    let unmeant = for_none;
    let mut taken = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let amount_minor = wanted.amount_minor + std::mem::take(&mut for_none);
        let to_invoice_minor = amount_minor.min(wanted.payable_minor.max(0));
        taken.push(Taken { to_invoice_minor, surplus_minor: amount_minor - to_invoice_minor });
    }
    let too_much = wanted
        .iter()
        .map(|wanted| wanted.amount_minor - wanted.amount_minor.min(wanted.payable_minor.max(0)));
    let no_place = unmeant + too_much.sum::<i64>();
    if no_place > 0 && surplus == Surplus::Refuse { Err(no_place) } else { Ok(taken) }
}

/// Spends customer credit, oldest first: how much of each grant, as `(grant, minor units)`. `grants` says what is left of each,
/// the oldest first. Grants that give nothing are left out; where there is less than wanted, all of it is spent.
pub fn spend_oldest_first(grants: &[(GrantId, i64)], wanted_minor: i64) -> Vec<(GrantId, i64)> {
    let mut wanted = wanted_minor.max(0);
    let mut spent = Vec::new();
    for (grant, left_minor) in grants {
        let minor = wanted.min((*left_minor).max(0));
        if minor > 0 {
            spent.push((*grant, minor));
            wanted -= minor;
        }
    }
    spent
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

    fn wanted(list: &[(i64, i64)]) -> Vec<Wanted> {
        let one = |(amount_minor, payable_minor): &(i64, i64)| Wanted {
            amount_minor: *amount_minor,
            payable_minor: *payable_minor,
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn received_money_is_bound_by_what_is_payable_alone() {
        let taken = |to_invoice_minor, surplus_minor| Taken { to_invoice_minor, surplus_minor };
        let refuse = |received, list: &[(i64, i64)]| split_received(received, &wanted(list), Surplus::Refuse);
        let credit = |received, list: &[(i64, i64)]| {
            split_received(received, &wanted(list), Surplus::CustomerCredit)
                .expect("credit takes what is over")
        };
        assert_eq!(refuse(1, &[(1, 1_000)]), Ok(vec![taken(1, 0)]), "no minimum binds it");
        assert_eq!(refuse(1_000, &[(1_000, 1_000)]), Ok(vec![taken(1_000, 0)]));
        assert_eq!(refuse(1_200, &[(1_200, 1_000)]), Err(200));
        assert_eq!(refuse(350, &[(100, 100), (200, 200)]), Err(50));
        assert_eq!(refuse(900, &[(300, 1_000)]), Err(600), "an invoice may have been forgotten");
        assert_eq!(credit(1_200, &[(1_200, 1_000)]), vec![taken(1_000, 200)]);
        assert_eq!(credit(900, &[(300, 100), (500, 600)]), vec![taken(100, 300), taken(500, 0)]);
        assert_eq!(
            credit(900, &[(300, 1_000)]),
            vec![taken(900, 0)],
            "no credit while its invoice can take it"
        );
        assert_eq!(credit(500, &[(500, 0)]), vec![taken(0, 500)], "an invoice that is paid takes nothing");
    }

    #[test]
    fn credit_is_spent_oldest_first_and_never_below_nothing() {
        let grant = |byte| GrantId::from_bytes([byte; 16]);
        let grants = [(grant(1), 300), (grant(2), 0), (grant(3), 500)];
        assert_eq!(spend_oldest_first(&grants, 300), vec![(grant(1), 300)]);
        assert_eq!(spend_oldest_first(&grants, 301), vec![(grant(1), 300), (grant(3), 1)]);
        assert_eq!(spend_oldest_first(&grants, 9_000), vec![(grant(1), 300), (grant(3), 500)]);
        assert_eq!(spend_oldest_first(&grants, -5), vec![]);
    }

    proptest! {
        #[test]
        fn all_that_was_received_has_a_place(
            list in proptest::collection::vec((1..100_000_i64, 0..100_000_i64), 1..6), more in 0..10_000_i64,
        ) {
            let wanted = wanted(&list);
            let received: i64 = list.iter().map(|(amount, _)| amount).sum::<i64>() + more;
            let taken = split_received(received, &wanted, Surplus::CustomerCredit).expect("credit takes what is over");
            prop_assert_eq!(taken.iter().map(|one| one.to_invoice_minor + one.surplus_minor).sum::<i64>(), received);
            for (taken, wanted) in taken.iter().zip(&wanted) {
                prop_assert!(taken.to_invoice_minor <= wanted.payable_minor && taken.surplus_minor >= 0);
            }
            match split_received(received, &wanted, Surplus::Refuse) {
                Ok(same) => prop_assert!(more == 0 && same == taken),
                Err(no_place) => prop_assert!(no_place >= more && no_place > 0),
            }
        }

        #[test]
        fn every_minor_unit_has_a_place(captured in 0..1_000_000_i64, amount in 1..1_000_000_i64, surcharge in 0..10_000_i64, room in 0..1_000_000_i64) {
            let (invoice, fee, surplus) = split(captured, amount, surcharge, room);
            prop_assert_eq!(invoice + fee + surplus, captured);
            prop_assert!(invoice >= 0 && fee >= 0 && surplus >= 0 && invoice <= room && fee <= surcharge);
        }
    }
}
