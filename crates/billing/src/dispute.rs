//! What a dispute of a card payment may become, and which postings are owed once it is there. A dispute of a bank debit is no
//! dispute but a return: it must never come here.

use crate::payment::Step;

/// The state of a dispute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum DisputeState {
    /// The bank asks; no money has moved.
    Inquiry,
    /// The money was withdrawn, and evidence is awaited.
    NeedsResponse,
    /// Evidence was sent.
    UnderReview,
    /// Decided for the merchant, or an inquiry that was closed.
    Won,
    /// Decided for the payer.
    Lost,
    /// The merchant let it be.
    Accepted,
}

/// A posting about a dispute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum DisputePosting {
    /// Withdrawn: 1220 against 1200.
    Opened,
    /// Given back: 1200 against 1220.
    Won,
    /// Gone: taken back from the payment, or absorbed, against 1220.
    Lost,
    /// Given back after it was gone.
    WonAfterLost,
}

/// Where the contested money is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Withdrawn {
    /// With us: it was never withdrawn, or came back.
    No,
    /// On 1220.
    Held,
    /// Gone.
    Gone,
}

impl DisputeState {
    /// Every state.
    pub const ALL: [DisputeState; 6] = [
        DisputeState::Inquiry,
        DisputeState::NeedsResponse,
        DisputeState::UnderReview,
        DisputeState::Won,
        DisputeState::Lost,
        DisputeState::Accepted,
    ];

    /// The states that may follow this one. States are fetched, so those in between may never be seen. A lost one can be won
    /// again; an accepted one is reported as lost by the processor, which changes nothing.
    pub const fn next(self) -> &'static [DisputeState] {
        use DisputeState::*;
        match self {
            Inquiry => &[NeedsResponse, UnderReview, Won, Lost, Accepted],
            NeedsResponse => &[UnderReview, Won, Lost, Accepted],
            UnderReview => &[NeedsResponse, Won, Lost, Accepted],
            Won => &[],
            Lost | Accepted => &[Won],
        }
    }

    /// True if the table has this step.
    pub fn may_become(self, next: DisputeState) -> bool {
        self.next().contains(&next)
    }

    /// What a fact that says `next` does to a dispute in this state.
    pub fn step(self, next: DisputeState) -> Step {
        match (self, next) {
            _ if self == next => Step::AlreadyThere,
            (DisputeState::Accepted, DisputeState::Lost) => Step::AlreadyThere,
            _ if self.may_become(next) => Step::Move,
            _ => Step::Stale,
        }
    }

    /// Where the contested money is. An inquiry that was closed, and a dispute that was won, leave it with us.
    pub const fn withdrawn(self) -> Withdrawn {
        use DisputeState::*;
        match self {
            Inquiry | Won => Withdrawn::No,
            NeedsResponse | UnderReview => Withdrawn::Held,
            Lost | Accepted => Withdrawn::Gone,
        }
    }

    /// True while it is undecided: no refund of the payment may be asked, and evidence may be sent until it is due.
    pub const fn is_open(self) -> bool {
        use DisputeState::*;
        matches!(self, Inquiry | NeedsResponse | UnderReview)
    }

    /// What becoming `next` posts, in order; nothing for a step that the table does not have. A dispute that is first heard
    /// of in a later state owes what [`DisputeState::postings_when_first_seen`] says.
    pub fn postings(self, next: DisputeState) -> &'static [DisputePosting] {
        use DisputePosting as P;
        if !self.may_become(next) {
            return &[];
        }
        match (self.withdrawn(), next.withdrawn()) {
            (Withdrawn::No, Withdrawn::Held) => &[P::Opened],
            (Withdrawn::No, Withdrawn::Gone) => &[P::Opened, P::Lost],
            (Withdrawn::Held, Withdrawn::No) => &[P::Won],
            (Withdrawn::Held, Withdrawn::Gone) => &[P::Lost],
            (Withdrawn::Gone, Withdrawn::No) => &[P::WonAfterLost],
            _ => &[],
        }
    }

    /// What a dispute posts that is heard of for the first time in this state.
    pub fn postings_when_first_seen(self) -> &'static [DisputePosting] {
        DisputeState::Inquiry.postings(self)
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        use DisputeState::*;
        match self {
            Inquiry => "inquiry",
            NeedsResponse => "needs_response",
            UnderReview => "under_review",
            Won => "won",
            Lost => "lost",
            Accepted => "accepted",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<DisputeState> {
        DisputeState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// What a lost dispute means for the invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum LossMeaning {
    /// It is owed again.
    OwedAgain,
    /// The merchant bears it: allocation and credit stay.
    Absorbed,
}

impl LossMeaning {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            LossMeaning::OwedAgain => "owed_again",
            LossMeaning::Absorbed => "absorbed",
        }
    }

    /// The meaning behind such a word.
    pub fn parse(word: &str) -> Option<LossMeaning> {
        [LossMeaning::OwedAgain, LossMeaning::Absorbed].into_iter().find(|meaning| meaning.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::DisputeState::*;
    use super::*;

    /// The table, written a second time by hand.
    #[test]
    fn the_table_is_the_table() {
        let allowed = [
            (Inquiry, NeedsResponse),
            (Inquiry, UnderReview),
            (Inquiry, Won),
            (Inquiry, Lost),
            (Inquiry, Accepted),
            (NeedsResponse, UnderReview),
            (NeedsResponse, Won),
            (NeedsResponse, Lost),
            (NeedsResponse, Accepted),
            (UnderReview, NeedsResponse),
            (UnderReview, Won),
            (UnderReview, Lost),
            (UnderReview, Accepted),
            (Lost, Won),
            (Accepted, Won),
        ];
        for from in DisputeState::ALL {
            for to in DisputeState::ALL {
                let step = match allowed.contains(&(from, to)) {
                    _ if from == to => Step::AlreadyThere,
                    true => Step::Move,
                    false if (from, to) == (Accepted, Lost) => Step::AlreadyThere,
                    false => Step::Stale,
                };
                assert_eq!(from.step(to), step, "{from:?} → {to:?}");
                assert!(step == Step::Move || from.postings(to).is_empty(), "{from:?} → {to:?}");
            }
        }
    }

    /// Over every path of the table: 1220 holds the money exactly while it is held, and each posting is made once at most.
    #[test]
    fn its_1220_is_there_while_it_is_open_and_no_posting_is_made_twice() {
        for first in DisputeState::ALL {
            let mut paths = vec![(first, first.postings_when_first_seen().to_vec(), 0)];
            while let Some((state, posted, steps)) = paths.pop() {
                let count =
                    |wanted: DisputePosting| posted.iter().filter(|posting| **posting == wanted).count();
                let held =
                    count(DisputePosting::Opened) - count(DisputePosting::Won) - count(DisputePosting::Lost);
                assert_eq!(held == 1, state.withdrawn() == Withdrawn::Held, "{state:?} {posted:?}");
                for posting in &posted {
                    assert_eq!(count(*posting), 1, "{posted:?}");
                }
                for next in state.next().iter().filter(|_| steps < 6) {
                    let more = state.postings(*next).iter();
                    paths.push((*next, posted.iter().chain(more).copied().collect(), steps + 1));
                }
            }
        }
    }

    #[test]
    fn words_lead_back() {
        for state in DisputeState::ALL {
            assert_eq!(DisputeState::parse(state.as_str()), Some(state));
        }
        assert_eq!(DisputeState::parse("open"), None);
        for meaning in [LossMeaning::OwedAgain, LossMeaning::Absorbed] {
            assert_eq!(LossMeaning::parse(meaning.as_str()), Some(meaning));
        }
    }
}
