//! Write-offs, discounts, and money that arrives for what was written off. None of them may lower an invoice by more than is
//! payable on it: what is on its way must find its place.

use crate::invoice::{Figures, Lifecycle};
use ledger::Money;

/// Why an invoice cannot be lowered so.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotReduce {
    /// Only what was issued and stands can be lowered.
    #[error("the invoice is {0:?}")]
    NotIssued(Lifecycle),
    /// Nothing, or less.
    #[error("it is of more than nothing")]
    NotPositive,
    /// More than is payable now.
    #[error("{0} is payable now")]
    MoreThanPayable(Money),
}

/// Whether `amount_minor` may be written off, and what the invoice is afterwards: a write-off of all that is open makes it
/// uncollectible, a smaller one changes nothing.
pub fn write_off(
    lifecycle: Lifecycle,
    figures: &Figures,
    amount_minor: i64,
) -> Result<Lifecycle, CannotReduce> {
    may_reduce(lifecycle, figures, amount_minor)?;
    Ok(if amount_minor == figures.open_minor { Lifecycle::Uncollectible } else { lifecycle })
}

/// Whether a discount of `amount_minor` may be taken. It leaves the lifecycle as it is.
pub fn discount(lifecycle: Lifecycle, figures: &Figures, amount_minor: i64) -> Result<(), CannotReduce> {
    may_reduce(lifecycle, figures, amount_minor)
}

fn may_reduce(lifecycle: Lifecycle, figures: &Figures, amount_minor: i64) -> Result<(), CannotReduce> {
    if matches!(lifecycle, Lifecycle::Draft | Lifecycle::Void) {
        return Err(CannotReduce::NotIssued(lifecycle));
    }
    if amount_minor <= 0 {
        return Err(CannotReduce::NotPositive);
    }
    if amount_minor > figures.payable_now().minor() {
        return Err(CannotReduce::MoreThanPayable(figures.payable_now()));
    }
    Ok(())
}

/// How much of a write-off is undone because money came after all: what the invoice cannot take as it stands, at most what is
/// still written off. Minor units; the invoice's open amount grows by it before the money is set against it.
pub fn recovered_minor(for_invoice_minor: i64, payable_minor: i64, written_off_minor: i64) -> i64 {
    (for_invoice_minor - payable_minor.max(0)).clamp(0, written_off_minor.max(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Currency;

    fn figures(open_minor: i64, pending_minor: i64) -> Figures {
        Figures { currency: Currency::USD, total_minor: 1_000, open_minor, pending_minor, paid_minor: 0 }
    }

    #[test]
    fn all_that_is_open_makes_it_uncollectible() {
        use Lifecycle::*;
        assert_eq!(write_off(Open, &figures(600, 0), 600), Ok(Uncollectible));
        assert_eq!(write_off(Open, &figures(600, 0), 599), Ok(Open));
        assert_eq!(write_off(Open, &figures(600, 200), 400), Ok(Open), "200 may still come");
        assert_eq!(write_off(Uncollectible, &figures(600, 0), 100), Ok(Uncollectible));
        assert_eq!(discount(Open, &figures(600, 0), 600), Ok(()));
    }

    #[test]
    fn at_most_what_is_payable() {
        let most = Err(CannotReduce::MoreThanPayable(Money::new(400, Currency::USD)));
        assert_eq!(discount(Lifecycle::Open, &figures(600, 200), 401), most);
        assert!(write_off(Lifecycle::Open, &figures(600, 200), 401).is_err());
        assert_eq!(discount(Lifecycle::Open, &figures(600, 200), 0), Err(CannotReduce::NotPositive));
        for lifecycle in [Lifecycle::Draft, Lifecycle::Void] {
            assert_eq!(discount(lifecycle, &figures(600, 0), 1), Err(CannotReduce::NotIssued(lifecycle)));
        }
    }

    #[test]
    fn a_written_off_invoice_is_paid_after_all() {
        assert_eq!(recovered_minor(1_000, 0, 1_000), 1_000);
        assert_eq!(recovered_minor(1_200, 0, 1_000), 1_000, "the rest is credit");
        assert_eq!(recovered_minor(400, 0, 1_000), 400);
        assert_eq!(recovered_minor(400, 300, 1_000), 100, "what is payable goes first");
        assert_eq!(recovered_minor(300, 300, 1_000), 0);
        assert_eq!(recovered_minor(500, -1, 0), 0);
    }
}
