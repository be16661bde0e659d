//! What a payout of a processor may become, and which postings each step owes. It must never let 1300 keep anything of a
//! payout that has ended.

use crate::payment::Step;

/// The state of a payout, whichever way its money goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PayoutState {
    /// Made; not with the bank yet.
    Pending,
    /// With the bank.
    InTransit,
    /// Booked at the bank.
    Paid,
    /// The bank would not take it, or sent it back. Its amount is a new item of a later payout.
    Failed,
    /// Called off before it was sent.
    Canceled,
}

/// A posting about a payout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PayoutPosting {
    /// Made: 1300 against 1200.
    Created,
    /// At the bank: 1000 against 1300.
    Paid,
    /// The mirror of [`PayoutPosting::Paid`].
    PaidReversed,
    /// The mirror of [`PayoutPosting::Created`].
    CreatedReversed,
}

impl PayoutState {
    /// Every state.
    pub const ALL: [PayoutState; 5] = [
        PayoutState::Pending,
        PayoutState::InTransit,
        PayoutState::Paid,
        PayoutState::Failed,
        PayoutState::Canceled,
    ];

    /// The states that may follow this one. One that was paid can still fail, days later.
    pub const fn next(self) -> &'static [PayoutState] {
        use PayoutState::*;
        match self {
            Pending => &[InTransit, Paid, Failed, Canceled],
            InTransit => &[Paid, Failed, Canceled],
            Paid => &[Failed],
            Failed | Canceled => &[],
        }
    }

    /// True if the table has this step.
    pub fn may_become(self, next: PayoutState) -> bool {
        self.next().contains(&next)
    }

    /// What a fact that says `next` does to a payout in this state.
    pub fn step(self, next: PayoutState) -> Step {
        if self == next {
            Step::AlreadyThere
        } else if self.may_become(next) {
            Step::Move
        } else {
            Step::Stale
        }
    }

    /// True while its amount stands on 1300.
    pub const fn is_in_flight(self) -> bool {
        matches!(self, PayoutState::Pending | PayoutState::InTransit)
    }

    /// What becoming `next` posts, in order; nothing for a step that the table does not have.
    pub fn postings(self, next: PayoutState) -> &'static [PayoutPosting] {
        use PayoutState::*;
        if !self.may_become(next) {
            return &[];
        }
        match (self, next) {
            (_, Paid) => &[PayoutPosting::Paid],
            (Paid, _) => &[PayoutPosting::PaidReversed, PayoutPosting::CreatedReversed],
            (_, Failed | Canceled) => &[PayoutPosting::CreatedReversed],
            _ => &[],
        }
    }

    /// What a payout posts that is heard of for the first time in this state. One that had ended by then leaves no trace on
    /// 1300, and posts both ways so that its items have a posting to point to.
    pub const fn postings_when_first_seen(self) -> &'static [PayoutPosting] {
        use PayoutState::*;
        match self {
            Pending | InTransit => &[PayoutPosting::Created],
            Paid => &[PayoutPosting::Created, PayoutPosting::Paid],
            Failed | Canceled => &[PayoutPosting::Created, PayoutPosting::CreatedReversed],
        }
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        use PayoutState::*;
        match self {
            Pending => "pending",
            InTransit => "in_transit",
            Paid => "paid",
            Failed => "failed",
            Canceled => "canceled",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<PayoutState> {
        PayoutState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// Whether a payout equals the sum of its items, minor units of one currency. `Err` holds what is missing: what it transfers
/// less what its items come to, or `i64::MAX` where that does not fit.
pub fn reconcile(payout_minor: i64, items_minor: impl IntoIterator<Item = i64>) -> Result<(), i64> {
    let sum: i128 = items_minor.into_iter().map(i128::from).sum();
    match i128::from(payout_minor) - sum {
        0 => Ok(()),
        difference => Err(i64::try_from(difference).unwrap_or(i64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::PayoutState::*;
    use super::*;

    /// The table, written a second time by hand.
    #[test]
    fn the_table_is_the_table() {
        let allowed = [
            (Pending, InTransit),
            (Pending, Paid),
            (Pending, Failed),
            (Pending, Canceled),
            (InTransit, Paid),
            (InTransit, Failed),
            (InTransit, Canceled),
            (Paid, Failed),
        ];
        for from in PayoutState::ALL {
            for to in PayoutState::ALL {
                let step = match allowed.contains(&(from, to)) {
                    _ if from == to => Step::AlreadyThere,
                    true => Step::Move,
                    false => Step::Stale,
                };
                assert_eq!(from.step(to), step, "{from:?} → {to:?}");
                assert!(step == Step::Move || from.postings(to).is_empty(), "{from:?} → {to:?}");
            }
        }
    }

    /// Over every path: what stands on 1300 and on 1000 is what the state says.
    #[test]
    fn its_1300_is_there_while_it_is_in_flight() {
        let moved = |postings: &[PayoutPosting]| {
            postings.iter().fold((0, 0), |(transit, bank), posting| match posting {
                PayoutPosting::Created => (transit + 1, bank),
                PayoutPosting::Paid => (transit - 1, bank + 1),
                PayoutPosting::PaidReversed => (transit + 1, bank - 1),
                PayoutPosting::CreatedReversed => (transit - 1, bank),
            })
        };
        for first in PayoutState::ALL {
            let mut paths = vec![(first, moved(first.postings_when_first_seen()))];
            while let Some((state, (transit, bank))) = paths.pop() {
                let expected = (i32::from(state.is_in_flight()), i32::from(state == Paid));
                assert_eq!((transit, bank), expected, "{first:?} … {state:?}");
                for next in state.next() {
                    let (more_transit, more_bank) = moved(state.postings(*next));
                    paths.push((*next, (transit + more_transit, bank + more_bank)));
                }
            }
        }
    }

    #[test]
    fn a_payout_is_the_sum_of_its_items() {
        assert_eq!(reconcile(9_700, [10_000, -300]), Ok(()));
        assert_eq!(reconcile(-400, [-400]), Ok(()));
        assert_eq!(reconcile(0, []), Ok(()));
        assert_eq!(reconcile(9_700, [10_000]), Err(-300));
        assert_eq!(reconcile(9_700, [9_699]), Err(1));
        assert_eq!(reconcile(i64::MAX, [i64::MIN]), Err(i64::MAX));
    }

    #[test]
    fn words_lead_back() {
        for state in PayoutState::ALL {
            assert_eq!(PayoutState::parse(state.as_str()), Some(state));
        }
        assert_eq!(PayoutState::parse("sent"), None);
    }
}
