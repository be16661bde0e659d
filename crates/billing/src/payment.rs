//! What a payment may become: one transition table. What is not in it is recorded as stale, never applied.

mod outcome;
pub mod resolve;

pub use outcome::{Known, Outcome, outcome};

/// The state of a payment. See [`PaymentState::may_become`] for the table and [`PaymentState::hold`] for what each
/// state does with the reservation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum PaymentState {
    /// For later; nothing was sent.
    Created,
    /// The call to the processor is being made.
    Submitting,
    /// The payer has something to do: a hosted page, a challenge.
    RequiresAction,
    /// The processor works on it; a bank debit stays here for days.
    Processing,
    /// The processor was asked and did not answer. Neither paid nor failed.
    Unknown,
    /// The money was captured.
    Succeeded,
    /// It ended without money.
    Failed,
    /// It was given up before money moved.
    Canceled,
    /// The bank took the money back.
    Returned,
    /// A dispute was lost and nothing captured is left.
    ChargedBack,
}

/// What a state does with the money that was reserved on the invoice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hold {
    /// Held: nobody else may pay it.
    Held,
    /// Used up by a posting.
    Consumed,
    /// Free again.
    Released,
}

/// What applying a processor's fact to a payment comes to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// The payment is already there: success, nothing to do.
    AlreadyThere,
    /// An ordinary step.
    Move,
    /// Money arrived for a payment that had ended: it is booked, with an anomaly record.
    Ghost,
    /// The table does not have it: the fact is older than the state. Recorded, never applied.
    Stale,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [PaymentState; 10] = [
        PaymentState::Created,
        PaymentState::Submitting,
        PaymentState::RequiresAction,
        PaymentState::Processing,
        PaymentState::Unknown,
        PaymentState::Succeeded,
        PaymentState::Failed,
        PaymentState::Canceled,
        PaymentState::Returned,
        PaymentState::ChargedBack,
    ];

    /// The states that may follow this one.
    pub const fn next(self) -> &'static [PaymentState] {
        use PaymentState::*;
        match self {
            Created => &[Submitting, Canceled],
            Submitting => &[RequiresAction, Processing, Succeeded, Failed, Canceled, Unknown],
            RequiresAction => &[Submitting, Processing, Succeeded, Failed, Canceled, Unknown],
            Processing => &[Succeeded, Failed, Canceled, Unknown],
            Unknown => &[RequiresAction, Processing, Succeeded, Failed, Canceled],
            Succeeded => &[Returned, ChargedBack],
            Failed | Canceled => &[Succeeded],
            Returned => &[],
            ChargedBack => &[Succeeded],
        }
    }

    /// True if the table has this step.
    pub fn may_become(self, next: PaymentState) -> bool {
        self.next().contains(&next)
    }

    /// What a fact that says `next` does to a payment in this state.
    ///
    /// A processor goes on saying that a payment succeeded after it was returned or charged back. That success is booked, so
    /// it is no news: only a dispute that is won, or a refund that comes back, undoes a charge-back.
    pub fn step(self, next: PaymentState) -> Step {
        let is_booked = self.hold() == Hold::Consumed && next == PaymentState::Succeeded;
        if self == next || is_booked {
            Step::AlreadyThere
        } else if !self.may_become(next) {
            Step::Stale
        } else if matches!(self, PaymentState::Failed | PaymentState::Canceled) {
            Step::Ghost
        } else {
            Step::Move
        }
    }

    /// What the state does with the reservation.
    pub const fn hold(self) -> Hold {
        use PaymentState::*;
        match self {
            Created | Submitting | RequiresAction | Processing | Unknown => Hold::Held,
            Succeeded | Returned | ChargedBack => Hold::Consumed,
            Failed | Canceled => Hold::Released,
        }
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        use PaymentState::*;
        match self {
            Created => "created",
            Submitting => "submitting",
            RequiresAction => "requires_action",
            Processing => "processing",
            Unknown => "unknown",
            Succeeded => "succeeded",
            Failed => "failed",
            Canceled => "canceled",
            Returned => "returned",
            ChargedBack => "charged_back",
        }
    }

    /// The state behind such a word.
    pub fn parse(word: &str) -> Option<PaymentState> {
        PaymentState::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// By what means money comes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Method {
    /// A card, through a processor.
    Card,
    /// A debit of an account in the United States (ACH), through a processor; days pass until it is settled.
    UsBankAccount,
    /// A debit of an account in the single euro payments area, through a processor; days pass until it is settled.
    SepaDebit,
    /// A cheque that the merchant received.
    Cheque,
    /// A transfer to the merchant's bank account.
    Wire,
    /// Cash.
    Cash,
}

impl Method {
    /// Every method.
    pub const ALL: [Method; 6] =
        [Method::Card, Method::UsBankAccount, Method::SepaDebit, Method::Cheque, Method::Wire, Method::Cash];

    /// True where the merchant received the money himself: the payment is recorded, never charged.
    pub const fn is_received(self) -> bool {
        matches!(self, Method::Cheque | Method::Wire | Method::Cash)
    }

    /// True where a bank is asked to send the money, and answers days later.
    pub const fn is_bank_debit(self) -> bool {
        matches!(self, Method::UsBankAccount | Method::SepaDebit)
    }

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Card => "card",
            Method::UsBankAccount => "us_bank_account",
            Method::SepaDebit => "sepa_debit",
            Method::Cheque => "cheque",
            Method::Wire => "wire",
            Method::Cash => "cash",
        }
    }

    /// The method behind such a word.
    pub fn parse(word: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.as_str() == word)
    }
}

/// Why a card was not charged, in the few kinds a payer is told apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Decline {
    /// Not enough money available.
    InsufficientFunds,
    /// The card has expired.
    ExpiredCard,
    /// The security code did not match.
    WrongCode,
    /// Over a limit of the card; a part may go through.
    OverLimit,
    /// The bank did not confirm that it was the payer.
    NotAuthenticated,
    /// The payer left while the bank waited to see them.
    LeftTheCheck,
    /// The card network had a problem.
    ProcessorFault,
    /// Anything else, lost, stolen and fraud included: the payer is never told which.
    NoReason,
}

impl Decline {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Decline::InsufficientFunds => "insufficient_funds",
            Decline::ExpiredCard => "expired_card",
            Decline::WrongCode => "wrong_code",
            Decline::OverLimit => "over_limit",
            Decline::NotAuthenticated => "not_authenticated",
            Decline::LeftTheCheck => "left_the_check",
            Decline::ProcessorFault => "processor_fault",
            Decline::NoReason => "no_reason",
        }
    }

    /// The kind behind such a word; what is not known is [`Decline::NoReason`].
    pub fn parse(word: &str) -> Decline {
        use Decline::*;
        [InsufficientFunds, ExpiredCard, WrongCode, OverLimit, NotAuthenticated, LeftTheCheck, ProcessorFault]
            .into_iter()
            .find(|decline| decline.as_str() == word)
            .unwrap_or(NoReason)
    }
}

/// How a payment ended without money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Ending {
    /// The payer turned back, or started again.
    PayerCanceled,
    /// The page closed by its own clock.
    Expired,
    /// The payer left and did not return.
    Abandoned,
    /// The last card was declined.
    Declined,
    /// The processor refused the call itself.
    Refused,
}

impl Ending {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ending::PayerCanceled => "payer_canceled",
            Ending::Expired => "expired",
            Ending::Abandoned => "abandoned",
            Ending::Declined => "declined",
            Ending::Refused => "refused",
        }
    }

    /// The ending behind such a word.
    pub fn parse(word: &str) -> Option<Ending> {
        [Ending::PayerCanceled, Ending::Expired, Ending::Abandoned, Ending::Declined, Ending::Refused]
            .into_iter()
            .find(|ending| ending.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::PaymentState::*;
    use super::*;

    /// The table of the rules, written a second time by hand: a change of one must be a change of both.
    #[test]
    fn the_table_is_the_table() {
        let allowed = [
            (Created, Submitting),
            (Created, Canceled),
            (Submitting, RequiresAction),
            (Submitting, Processing),
            (Submitting, Succeeded),
            (Submitting, Failed),
            (Submitting, Canceled),
            (Submitting, Unknown),
            (RequiresAction, Submitting),
            (RequiresAction, Processing),
            (RequiresAction, Succeeded),
            (RequiresAction, Failed),
            (RequiresAction, Canceled),
            (RequiresAction, Unknown),
            (Processing, Succeeded),
            (Processing, Failed),
            (Processing, Canceled),
            (Processing, Unknown),
            (Unknown, RequiresAction),
            (Unknown, Processing),
            (Unknown, Succeeded),
            (Unknown, Failed),
            (Unknown, Canceled),
            (Succeeded, Returned),
            (Succeeded, ChargedBack),
            (Failed, Succeeded),
            (Canceled, Succeeded),
            (ChargedBack, Succeeded),
        ];
        for from in PaymentState::ALL {
            for to in PaymentState::ALL {
                assert_eq!(from.may_become(to), allowed.contains(&(from, to)), "{from:?} → {to:?}");
            }
        }
    }

    #[test]
    fn a_late_failure_never_undoes_a_success() {
        assert_eq!(Succeeded.step(Failed), Step::Stale);
        assert_eq!(Succeeded.step(Processing), Step::Stale);
        assert_eq!(Succeeded.step(Succeeded), Step::AlreadyThere);
        assert_eq!(Canceled.step(Succeeded), Step::Ghost);
        assert_eq!(Failed.step(Canceled), Step::Stale);
        assert_eq!(Unknown.step(Succeeded), Step::Move);
        assert_eq!(ChargedBack.step(Succeeded), Step::AlreadyThere, "its processor says so for ever");
        assert_eq!(Returned.step(Succeeded), Step::AlreadyThere);
        assert!(ChargedBack.may_become(Succeeded), "when its dispute is won");
    }

    #[test]
    fn money_in_flight_is_held_until_the_end() {
        for state in PaymentState::ALL {
            let in_flight = matches!(state, Created | Submitting | RequiresAction | Processing | Unknown);
            assert_eq!(state.hold() == Hold::Held, in_flight, "{state:?}");
        }
    }

    #[test]
    fn words_lead_back() {
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::parse(state.as_str()), Some(state));
        }
        assert_eq!(PaymentState::parse("paid"), None);
    }
}
