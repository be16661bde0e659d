//! Credit notes: how much an invoice may still be credited, what of it is tax, and where it goes. It must never credit more
//! than was asked for, nor more tax than was charged.

use crate::invoice::Lifecycle;
use crate::line::TaxRate;
use ledger::{Currency, Money};

/// One tax rate of an invoice, minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TaxOfInvoice {
    /// Which.
    pub rate: TaxRate,
    /// What the invoice asked for it.
    pub charged_minor: i64,
    /// What earlier credit notes gave back of it.
    pub credited_minor: i64,
}

/// An invoice as far as a credit note looks at it, minor units.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Creditable {
    /// Currency of all of it.
    pub currency: Currency,
    /// Its stored state.
    pub lifecycle: Lifecycle,
    /// True for an invoice that only demands a returned payment again.
    pub is_returned_payment: bool,
    /// What it asked for, tax included.
    pub total_minor: i64,
    /// What is payable on it now.
    pub payable_minor: i64,
    /// Earlier credit notes, tax included.
    pub credited_minor: i64,
    /// Write-offs and discounts.
    pub reduced_minor: i64,
    /// Its taxes, each rate once.
    pub taxes: Vec<TaxOfInvoice>,
}

/// What a credit note comes to, minor units: `net + taxes = to_invoice + surplus`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CreditSplit {
    /// Contra revenue.
    pub net_minor: i64,
    /// Tax by rate, in the order of the invoice; rates that come to 0 are left out.
    pub taxes: Vec<(TaxRate, i64)>,
    /// Lowers what is owed.
    pub to_invoice_minor: i64,
    /// Customer credit that is born on the invoice.
    pub surplus_minor: i64,
}

/// Why an invoice cannot be credited so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotCredit {
    /// Only what was issued and stands can be credited.
    #[error("the invoice is {0:?}")]
    NotIssued(Lifecycle),
    /// It demands a payment that the bank returned; there is nothing to credit.
    #[error("the invoice demands a returned payment again")]
    ReturnedPayment,
    /// Nothing, or less.
    #[error("a credit note is of more than nothing")]
    NotPositive,
    /// More than is left to credit.
    #[error("{0} is left to credit")]
    MoreThanLeft(Money),
}

impl Creditable {
    /// What may still be credited: the total less earlier credit notes, write-offs and discounts.
    pub const fn left_minor(&self) -> i64 {
        let left = self.total_minor - self.credited_minor - self.reduced_minor;
        if left > 0 { left } else { 0 }
    }

    /// What a credit note of `amount_minor`, tax included, comes to.
    pub fn credit(&self, amount_minor: i64) -> Result<CreditSplit, CannotCredit> {
        if matches!(self.lifecycle, Lifecycle::Draft | Lifecycle::Void) {
            return Err(CannotCredit::NotIssued(self.lifecycle));
        }
        if self.is_returned_payment {
            return Err(CannotCredit::ReturnedPayment);
        }
        if amount_minor <= 0 {
            return Err(CannotCredit::NotPositive);
        }
        if amount_minor > self.left_minor() {
            return Err(CannotCredit::MoreThanLeft(Money::new(self.left_minor(), self.currency)));
        }
        let taxes = self.taxes_of(amount_minor);
        let tax_minor: i64 = taxes.iter().map(|(_, minor)| minor).sum();
        let to_invoice_minor = amount_minor.min(self.payable_minor.max(0));
        Ok(CreditSplit {
            net_minor: amount_minor - tax_minor,
            taxes: taxes.into_iter().filter(|(_, minor)| *minor > 0).collect(),
            to_invoice_minor,
            surplus_minor: amount_minor - to_invoice_minor,
        })
    }

    /// The credit note that goes with a refund which gives the price back. What is refunded was taken off the invoice just
    /// before, so all of it is payable there and none of it becomes credit. It is refused where a credit note would be.
    pub fn give_price_back(&self, part_minor: i64) -> Result<CreditSplit, CannotCredit> {
        let owed_again = Creditable { payable_minor: self.payable_minor.max(part_minor), ..self.clone() };
        owed_again.credit(part_minor)
    }

    /// Each tax × credited so far ÷ total, rounded down, less what was credited of it before.
    ///
    /// With several rates that alone would now and then give more tax than the amount, and leave less net than was asked for
    /// to the last credit note. So their sum is kept between what the net that is left cannot carry and the amount; what was
    /// put off or brought forward evens out with the next note, and with the last of them everything is credited to the unit.
    fn taxes_of(&self, amount_minor: i64) -> Vec<(TaxRate, i64)> {
        let so_far_minor = self.credited_minor + amount_minor;
        let charged_minor: i64 = self.taxes.iter().map(|tax| tax.charged_minor).sum();
        let credited_minor: i64 = self.taxes.iter().map(|tax| tax.credited_minor).sum();
        let net_left = (self.total_minor - charged_minor) - (self.credited_minor - credited_minor);
        let share = |tax: &TaxOfInvoice| {
            let due = Money::new(tax.charged_minor, self.currency).share(so_far_minor, self.total_minor);
            (due.map_or(0, Money::minor) - tax.credited_minor).max(0)
        };
        let mut shares: Vec<i64> = self.taxes.iter().map(share).collect();
        let mut too_much = (shares.iter().sum::<i64>() - amount_minor).max(0);
        for share in shares.iter_mut().rev() {
            let put_off = too_much.min(*share);
            *share -= put_off;
            too_much -= put_off;
        }
        let mut missing = (amount_minor - net_left - shares.iter().sum::<i64>()).max(0);
        for (share, tax) in shares.iter_mut().zip(&self.taxes) {
            let brought_forward = missing.min(tax.charged_minor - tax.credited_minor - *share).max(0);
            *share += brought_forward;
            missing -= brought_forward;
        }
        self.taxes.iter().zip(shares).map(|(tax, share)| (tax.rate, share)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn creditable(net_minor: i64, taxes: &[i64]) -> Creditable {
        let total_minor = net_minor + taxes.iter().sum::<i64>();
        let tax = |(at, charged_minor): (usize, &i64)| TaxOfInvoice {
            rate: TaxRate(i64::try_from(at).unwrap()),
            charged_minor: *charged_minor,
            credited_minor: 0,
        };
        Creditable {
            currency: Currency::USD,
            lifecycle: Lifecycle::Open,
            is_returned_payment: false,
            total_minor,
            payable_minor: total_minor,
            credited_minor: 0,
            reduced_minor: 0,
            taxes: taxes.iter().enumerate().map(tax).collect(),
        }
    }

    fn book(invoice: &mut Creditable, amount_minor: i64, split: &CreditSplit) {
        invoice.credited_minor += amount_minor;
        invoice.payable_minor -= split.to_invoice_minor;
        for (rate, minor) in &split.taxes {
            invoice.taxes.iter_mut().find(|tax| tax.rate == *rate).unwrap().credited_minor += minor;
        }
    }

    #[test]
    fn tax_is_rounded_down_and_nothing_is_lost_in_the_end() {
        let mut invoice = creditable(10_000, &[1_900]);
        for (amount, tax) in [(1, 0), (1, 0), (9, 1), (5_000, 799), (6_889, 1_100)] {
            let split = invoice.credit(amount).unwrap();
            assert_eq!(split.taxes.iter().map(|(_, minor)| minor).sum::<i64>(), tax, "of {amount}");
            assert_eq!(split.net_minor + tax, amount);
            book(&mut invoice, amount, &split);
        }
        assert_eq!(invoice.taxes[0].credited_minor, 1_900);
        assert_eq!(invoice.left_minor(), 0);
    }

    /// 30 + 30 of tax on 40: the rule alone would give the fourth unit two units of tax.
    #[test]
    fn tax_is_never_more_than_the_amount() {
        let mut invoice = creditable(40, &[30, 30]);
        for _ in 0..100 {
            let split = invoice.credit(1).unwrap();
            assert!(split.net_minor >= 0, "{split:?} of {invoice:?}");
            book(&mut invoice, 1, &split);
        }
        assert!(invoice.taxes.iter().all(|tax| tax.credited_minor == tax.charged_minor), "{invoice:?}");
    }

    #[test]
    fn what_is_payable_takes_it_and_the_rest_is_credit() {
        let invoice = Creditable { payable_minor: 350, ..creditable(1_000, &[]) };
        let split = invoice.credit(400).unwrap();
        assert_eq!((split.to_invoice_minor, split.surplus_minor), (350, 50));
    }

    #[test]
    fn a_price_that_is_given_back_is_no_credit_and_has_the_same_ceiling() {
        let paid = Creditable { payable_minor: 0, credited_minor: 300, ..creditable(1_000, &[]) };
        let split = paid.give_price_back(700).unwrap();
        assert_eq!((split.to_invoice_minor, split.surplus_minor), (700, 0));
        let left = Err(CannotCredit::MoreThanLeft(Money::new(700, Currency::USD)));
        assert_eq!(paid.give_price_back(701), left);
    }

    #[test]
    fn there_is_a_ceiling_and_some_invoices_take_none() {
        let left = |minor| Err(CannotCredit::MoreThanLeft(Money::new(minor, Currency::USD)));
        let reduced = Creditable { credited_minor: 300, reduced_minor: 200, ..creditable(1_000, &[]) };
        assert_eq!(reduced.credit(501), left(500));
        assert!(reduced.credit(500).is_ok());
        assert_eq!(reduced.credit(0), Err(CannotCredit::NotPositive));
        assert_eq!(reduced.credit(-1), Err(CannotCredit::NotPositive));
        let demanded = Creditable { is_returned_payment: true, ..creditable(1_000, &[]) };
        assert_eq!(demanded.credit(1), Err(CannotCredit::ReturnedPayment));
        for lifecycle in [Lifecycle::Draft, Lifecycle::Void] {
            let invoice = Creditable { lifecycle, ..creditable(1_000, &[]) };
            assert_eq!(invoice.credit(1), Err(CannotCredit::NotIssued(lifecycle)));
        }
        let written_off = Creditable { lifecycle: Lifecycle::Uncollectible, ..creditable(1_000, &[]) };
        assert!(written_off.credit(1).is_ok());
    }

    proptest! {
        #[test]
        fn notes_in_any_sizes_credit_each_tax_to_the_unit(
            net in 0..5_000_i64, taxes in proptest::collection::vec(0..2_000_i64, 0..4),
            sizes in proptest::collection::vec(1..800_i64, 1..40), payable in 0..5_000_i64,
        ) {
            let mut invoice = creditable(net, &taxes);
            invoice.payable_minor = payable.min(invoice.total_minor);
            for size in sizes.into_iter().chain([i64::MAX]) {
                let amount = size.min(invoice.left_minor());
                if amount == 0 { break; }
                let split = invoice.credit(amount).unwrap();
                let tax: i64 = split.taxes.iter().map(|(_, minor)| minor).sum();
                prop_assert_eq!(split.net_minor + tax, amount);
                prop_assert_eq!(split.to_invoice_minor + split.surplus_minor, amount);
                prop_assert!(split.net_minor >= 0 && split.taxes.iter().all(|(_, minor)| *minor > 0));
                book(&mut invoice, amount, &split);
                for tax in &invoice.taxes {
                    let exact = i128::from(tax.charged_minor) * i128::from(invoice.credited_minor);
                    let rule = i64::try_from(exact / i128::from(invoice.total_minor)).unwrap();
                    prop_assert!(tax.credited_minor <= tax.charged_minor);
                    let slack = if taxes.len() == 1 { 0 } else { i64::try_from(taxes.len()).unwrap() };
                    prop_assert!((tax.credited_minor - rule).abs() <= slack, "{:?}, not {}", tax, rule);
                }
            }
            prop_assert_eq!(invoice.left_minor(), 0);
            prop_assert!(invoice.taxes.iter().all(|tax| tax.credited_minor == tax.charged_minor));
            prop_assert!(invoice.payable_minor >= 0);
        }
    }
}
