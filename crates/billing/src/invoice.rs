//! What an invoice says: its three balances, its progress, how late it is, and when it may be voided.

use jiff::civil::Date;
use ledger::{Currency, Money};

/// The stored part of an invoice's state. Progress and lateness are derived, see [`progress`] and [`lateness`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Lifecycle {
    /// Being written; nothing is owed.
    Draft,
    /// Issued.
    Open,
    /// Cancelled; nothing is owed.
    Void,
    /// Written off; it can still be paid.
    Uncollectible,
}

impl Lifecycle {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lifecycle::Draft => "draft",
            Lifecycle::Open => "open",
            Lifecycle::Void => "void",
            Lifecycle::Uncollectible => "uncollectible",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<Lifecycle> {
        [Lifecycle::Draft, Lifecycle::Open, Lifecycle::Void, Lifecycle::Uncollectible]
            .into_iter()
            .find(|lifecycle| lifecycle.as_str() == word)
    }
}

/// The amounts of an invoice, minor units of one currency: `0 <= pending <= open <= total`, `0 <= paid`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Currency of all of them.
    pub currency: Currency,
    /// What the invoice asked for when it was issued.
    pub total_minor: i64,
    /// What is owed.
    pub open_minor: i64,
    /// What payments in flight have reserved.
    pub pending_minor: i64,
    /// Net allocations of payments and customer credit.
    pub paid_minor: i64,
}

impl Figures {
    /// What the invoice asked for.
    pub const fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }

    /// What is owed.
    pub const fn open(&self) -> Money {
        Money::new(self.open_minor, self.currency)
    }

    /// What is on its way.
    pub const fn pending(&self) -> Money {
        Money::new(self.pending_minor, self.currency)
    }

    /// What was paid.
    pub const fn paid(&self) -> Money {
        Money::new(self.paid_minor, self.currency)
    }

    /// The ceiling of everything that may be asked for now; pages call it "left to pay".
    pub const fn payable_now(&self) -> Money {
        Money::new(self.open_minor - self.pending_minor, self.currency)
    }
}

/// How far an issued invoice is paid. A function of its figures, never stored.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Progress {
    /// Nothing was paid.
    Unpaid,
    /// Something was paid, something is owed.
    PartiallyPaid,
    /// Nothing is owed and something was paid.
    Paid,
    /// Nothing is owed, though nothing was paid: credited in full.
    Credited,
    /// It asked for nothing.
    NothingDue,
}

impl Progress {
    /// Every word of it.
    pub const ALL: [Progress; 5] =
        [Progress::Unpaid, Progress::PartiallyPaid, Progress::Paid, Progress::Credited, Progress::NothingDue];

    /// The progress behind such a word.
    pub fn parse(word: &str) -> Option<Progress> {
        Progress::ALL.into_iter().find(|progress| progress.as_str() == word)
    }

    /// The word of the API and the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Progress::Unpaid => "unpaid",
            Progress::PartiallyPaid => "partially_paid",
            Progress::Paid => "paid",
            Progress::Credited => "credited",
            Progress::NothingDue => "nothing_due",
        }
    }
}

/// Progress of an open or uncollectible invoice; `None` for a draft or a void one, whose word is its lifecycle.
pub fn progress(lifecycle: Lifecycle, figures: &Figures) -> Option<Progress> {
    if matches!(lifecycle, Lifecycle::Draft | Lifecycle::Void) {
        return None;
    }
    Some(match (figures.total_minor, figures.open_minor, figures.paid_minor) {
        (0, _, _) => Progress::NothingDue,
        (_, 0, 0) => Progress::Credited,
        (_, 0, _) => Progress::Paid,
        (_, _, 0) => Progress::Unpaid,
        _ => Progress::PartiallyPaid,
    })
}

/// Where the due date stands, in civil days of the merchant's time zone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lateness {
    /// Due in so many days, 1 or more.
    DueIn(i64),
    /// Due today.
    DueToday,
    /// Overdue by so many days, 1 or more.
    OverdueBy(i64),
}

/// How late an invoice due on `due_on` is on `today`.
pub fn lateness(due_on: Date, today: Date) -> Lateness {
    let days = i64::from((due_on - today).get_days());
    match days {
        0 => Lateness::DueToday,
        1.. => Lateness::DueIn(days),
        _ => Lateness::OverdueBy(-days),
    }
}

/// Why an invoice may not be voided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotVoid {
    /// Only an issued invoice can be voided; a draft is deleted, a void one is void.
    #[error("the invoice is {0:?}, not open")]
    NotOpen(Lifecycle),
    /// Something was paid on it.
    #[error("{0} was paid on it")]
    Paid(Money),
    /// A payment is in progress.
    #[error("a payment of {0} is in progress")]
    InProgress(Money),
    /// A credit note, write-off or discount stands on it.
    #[error("it was credited or written off in part")]
    Reduced,
}

/// Whether an invoice may be voided now: nothing allocated, nothing reserved, nothing credited.
pub fn may_void(lifecycle: Lifecycle, figures: &Figures) -> Result<(), CannotVoid> {
    if lifecycle != Lifecycle::Open {
        return Err(CannotVoid::NotOpen(lifecycle));
    }
    if figures.pending_minor > 0 {
        return Err(CannotVoid::InProgress(figures.pending()));
    }
    if figures.paid_minor > 0 {
        return Err(CannotVoid::Paid(figures.paid()));
    }
    if figures.open_minor != figures.total_minor {
        return Err(CannotVoid::Reduced);
    }
    Ok(())
}

/// As [`may_void`], of an invoice that credit notes, write-offs and discounts of `reduced_minor` stand on. The figures alone do not
/// tell: a credit note on a paid invoice lowers nothing, and when the payment is refunded the invoice is owed in full again.
pub fn may_void_reduced(
    lifecycle: Lifecycle,
    figures: &Figures,
    reduced_minor: i64,
) -> Result<(), CannotVoid> {
    may_void(lifecycle, figures)?;
    if reduced_minor > 0 { Err(CannotVoid::Reduced) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn figures(total: i64, open: i64, pending: i64, paid: i64) -> Figures {
        Figures {
            currency: Currency::USD,
            total_minor: total,
            open_minor: open,
            pending_minor: pending,
            paid_minor: paid,
        }
    }

    #[test]
    fn progress_is_a_function_of_the_figures() {
        for (total, open, paid, expected) in [
            (1000, 1000, 0, Progress::Unpaid),
            (1000, 600, 400, Progress::PartiallyPaid),
            (1000, 0, 1000, Progress::Paid),
            (1000, 0, 650, Progress::Paid),
            (1000, 0, 0, Progress::Credited),
            (0, 0, 0, Progress::NothingDue),
        ] {
            assert_eq!(progress(Lifecycle::Open, &figures(total, open, 0, paid)), Some(expected));
        }
        assert_eq!(progress(Lifecycle::Void, &figures(1000, 0, 0, 0)), None);
        assert_eq!(progress(Lifecycle::Draft, &figures(1000, 0, 0, 0)), None);
    }

    #[test]
    fn lateness_counts_civil_days() {
        assert_eq!(lateness(date(2026, 11, 30), date(2026, 11, 22)), Lateness::DueIn(8));
        assert_eq!(lateness(date(2026, 11, 22), date(2026, 11, 22)), Lateness::DueToday);
        assert_eq!(lateness(date(2026, 10, 30), date(2026, 11, 22)), Lateness::OverdueBy(23));
        assert_eq!(lateness(date(2027, 3, 1), date(2026, 11, 22)), Lateness::DueIn(99));
    }

    #[test]
    fn voiding_waits_for_money() {
        assert_eq!(may_void(Lifecycle::Open, &figures(1000, 1000, 0, 0)), Ok(()));
        assert!(matches!(
            may_void(Lifecycle::Open, &figures(1000, 1000, 1, 0)),
            Err(CannotVoid::InProgress(_))
        ));
        assert!(matches!(may_void(Lifecycle::Open, &figures(1000, 600, 0, 400)), Err(CannotVoid::Paid(_))));
        assert_eq!(may_void(Lifecycle::Open, &figures(1000, 600, 0, 0)), Err(CannotVoid::Reduced));
        assert_eq!(
            may_void(Lifecycle::Void, &figures(1000, 0, 0, 0)),
            Err(CannotVoid::NotOpen(Lifecycle::Void))
        );
    }

    /// Paid in full, credited, its credit spent elsewhere, its payment refunded: the figures are those of a new invoice.
    #[test]
    fn a_credit_note_that_lowered_nothing_forbids_voiding() {
        let as_new = figures(1000, 1000, 0, 0);
        assert_eq!(may_void_reduced(Lifecycle::Open, &as_new, 0), Ok(()));
        assert_eq!(may_void_reduced(Lifecycle::Open, &as_new, 500), Err(CannotVoid::Reduced));
    }
}
