//! What a refund may become, and which postings each step of it owes. What is not in the table is recorded as stale, never
//! applied. A refund must never be sent twice, and its 2300 must always come back to 0.

use crate::payment::Step;

/// The state of a refund.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RefundState {
    /// Asked for; nothing was sent. It may still be withdrawn.
    Requested,
    /// The call to the processor is being made.
    Submitting,
    /// The processor or the bank works on it.
    Pending,
    /// The processor was asked and did not answer. Neither sent nor failed.
    Unknown,
    /// The money is gone to the payer.
    Succeeded,
    /// It could not be paid, and the money is ours to hold again.
    Failed,
    /// Withdrawn before it was sent, or given up by the processor before money moved.
    Canceled,
}

/// A posting that a step of a refund owes, in the order given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RefundPosting {
    /// 2300 against what pays it.
    Succeeded,
    /// What had been paid came back: the mirror of [`RefundPosting::Succeeded`].
    CameBack,
    /// 2300 becomes customer credit.
    Failed,
    /// 2300 goes back to the surcharge in its share, the rest to customer credit.
    Withdrawn,
}

impl RefundState {
    /// Every state.
    pub const ALL: [RefundState; 7] = [
        RefundState::Requested,
        RefundState::Submitting,
        RefundState::Pending,
        RefundState::Unknown,
        RefundState::Succeeded,
        RefundState::Failed,
        RefundState::Canceled,
    ];

    /// The states that may follow this one. A bank can send a refund back weeks after it was reported as paid.
    pub const fn next(self) -> &'static [RefundState] {
        use RefundState::*;
        match self {
            Requested => &[Submitting, Succeeded, Canceled],
            Submitting => &[Pending, Unknown, Succeeded, Failed, Canceled],
            Pending => &[Unknown, Succeeded, Failed, Canceled],
            Unknown => &[Pending, Succeeded, Failed, Canceled],
            Succeeded => &[Failed],
            Failed | Canceled => &[],
        }
    }

    /// True if the table has this step.
    pub fn may_become(self, next: RefundState) -> bool {
        self.next().contains(&next)
    }

    /// What a fact that says `next` does to a refund in this state. There is no ghost among refunds: one that has ended
    /// without money is never paid under the same key.
    pub fn step(self, next: RefundState) -> Step {
        if self == next {
            Step::AlreadyThere
        } else if self.may_become(next) {
            Step::Move
        } else {
            Step::Stale
        }
    }

    /// True while its amount stands on 2300.
    pub const fn is_in_flight(self) -> bool {
        use RefundState::*;
        matches!(self, Requested | Submitting | Pending | Unknown)
    }

    /// True where its amount counts as taken from the payment: in flight, or gone.
    pub const fn counts(self) -> bool {
        self.is_in_flight() || matches!(self, RefundState::Succeeded)
    }

    /// What becoming `next` posts, in order; nothing for a step that the table does not have. Only one that was never sent is
    /// withdrawn: once it was sent, its payment may have been returned meanwhile, and what comes back is the customer's.
    pub fn postings(self, next: RefundState) -> &'static [RefundPosting] {
        use RefundState::*;
        if !self.may_become(next) {
            return &[];
        }
        match (self, next) {
            (_, Succeeded) => &[RefundPosting::Succeeded],
            (Succeeded, Failed) => &[RefundPosting::CameBack, RefundPosting::Failed],
            (Requested, Canceled) => &[RefundPosting::Withdrawn],
            (_, Failed | Canceled) => &[RefundPosting::Failed],
            _ => &[],
        }
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        use RefundState::*;
        match self {
            Requested => "requested",
            Submitting => "submitting",
            Pending => "pending",
            Unknown => "unknown",
            Succeeded => "succeeded",
            Failed => "failed",
            Canceled => "canceled",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<RefundState> {
        RefundState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What the merchant wants a refund to mean for the invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RefundMeaning {
    /// The invoice is owed again.
    OwedAgain,
    /// The price is given back: a credit note goes with it.
    PriceGivenBack,
}

impl RefundMeaning {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefundMeaning::OwedAgain => "owed_again",
            RefundMeaning::PriceGivenBack => "price_given_back",
        }
    }

    /// The meaning behind such a word.
    pub fn parse(word: &str) -> Option<RefundMeaning> {
        [RefundMeaning::OwedAgain, RefundMeaning::PriceGivenBack]
            .into_iter()
            .find(|meaning| meaning.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::RefundState::*;
    use super::*;

    /// The table, written a second time by hand.
    #[test]
    fn the_table_is_the_table() {
        let allowed = [
            (Requested, Submitting),
            (Requested, Succeeded),
            (Requested, Canceled),
            (Submitting, Pending),
            (Submitting, Unknown),
            (Submitting, Succeeded),
            (Submitting, Failed),
            (Submitting, Canceled),
            (Pending, Unknown),
            (Pending, Succeeded),
            (Pending, Failed),
            (Pending, Canceled),
            (Unknown, Pending),
            (Unknown, Succeeded),
            (Unknown, Failed),
            (Unknown, Canceled),
            (Succeeded, Failed),
        ];
        for from in RefundState::ALL {
            for to in RefundState::ALL {
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

    /// Over every path of the table, +1 for being asked: 2300 holds the amount exactly while the refund is in flight.
    #[test]
    fn its_2300_is_there_while_it_is_in_flight_and_never_twice() {
        let mut paths = vec![(Requested, 1_i32, 0_u32)];
        let mut seen = 0;
        while let Some((state, payable, steps)) = paths.pop() {
            assert_eq!(payable, i32::from(state.is_in_flight()), "{state:?}");
            seen += 1;
            if steps == 8 {
                continue;
            }
            for next in state.next() {
                let moved: i32 = state
                    .postings(*next)
                    .iter()
                    .map(|posting| if *posting == RefundPosting::CameBack { 1 } else { -1 })
                    .sum();
                paths.push((*next, payable + moved, steps + 1));
            }
        }
        assert!(seen > 60, "{seen} paths");
    }

    #[test]
    fn words_lead_back() {
        for state in RefundState::ALL {
            assert_eq!(RefundState::parse(state.as_str()), Some(state));
        }
        assert_eq!(RefundState::parse("refunded"), None);
        for meaning in [RefundMeaning::OwedAgain, RefundMeaning::PriceGivenBack] {
            assert_eq!(RefundMeaning::parse(meaning.as_str()), Some(meaning));
        }
    }
}
