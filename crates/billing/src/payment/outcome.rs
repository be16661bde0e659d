//! What a payer may be told of a payment: one decision, so that no two pages can say different things of it. It never
//! tells of a failure that nobody has stated, and never tells anybody why another person's payment failed.

use super::{Decline, Ending, Hold, PaymentState};

/// Nobody waits longer for a first answer without being told that it takes long, seconds.
const LONG_SECONDS: i64 = 120;

/// How a payment stands, as one reader may know it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Outcome {
    /// No answer yet.
    Waiting {
        /// True after two minutes.
        long: bool,
    },
    /// The card page could not be opened, so nobody can have paid on it.
    NotOpened,
    /// The payer gave it up, and the processor has not confirmed that yet.
    GivingUp {
        /// True where its page may still be open, or never was: until the processor confirms, the payer may go on or give
        /// it up again.
        unfinished: bool,
    },
    /// The card page is open and waits for the payer.
    Unfinished,
    /// Somebody else is making it right now.
    SomeoneElses,
    /// Somebody else started it, and it ended without money. Why is theirs to know.
    SomeoneElsesEnded,
    /// A debit of a saved account is held until the cut-off; until then it can be stopped.
    Held,
    /// A debit was stopped before it was sent.
    Stopped,
    /// The bank works on a debit. Days pass; nothing is paid yet.
    DebitBegun,
    /// The bank did not pay a debit.
    DebitFailed,
    /// Received.
    Succeeded,
    /// Received, and taken back by the bank afterwards.
    TakenBack,
    /// Received, contested at the card's bank, and given back by it.
    ChargedBack,
    /// Received in another currency than was asked for, which a person has to sort out.
    OtherCurrency,
    /// The bank refused the last try.
    Declined {
        /// Why, as far as it is told.
        decline: Decline,
        /// True while the card page of this payment is still open for another try.
        page_open: bool,
    },
    /// The payer came back without paying.
    Cancelled,
    /// The card page closed by itself.
    Expired,
    /// We, or the processor for us, refused it.
    RefusedByUs,
    /// The processor's answer is not known.
    Unknown,
}

/// What is known of a payment, and who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Where it stands.
    pub state: PaymentState,
    /// True where a bank account is debited.
    pub is_bank_debit: bool,
    /// True where a saved method is charged: there is no page, so what was sent may have charged.
    pub is_charge: bool,
    /// True where it was held for later before it was sent.
    pub was_held: bool,
    /// True when the reader started it.
    pub own: bool,
    /// True once the payer was sent to its card page.
    pub was_at_card_page: bool,
    /// True once the payer asked to give it up.
    pub cancel_asked: bool,
    /// Why the last card was declined.
    pub decline: Option<Decline>,
    /// How it ended without money.
    pub ending: Option<Ending>,
    /// True when the processor captured another currency than was asked for.
    pub in_other_currency: bool,
    /// How long ago it was started.
    pub age_seconds: i64,
}

/// What the reader may be told.
pub fn outcome(known: &Known) -> Outcome {
    use PaymentState::*;
    let long = known.age_seconds > LONG_SECONDS;
    let nobody_was_there = !known.was_at_card_page && !known.is_charge;
    match known.state {
        Created if known.was_held => Outcome::Held,
        Created | Submitting | RequiresAction if !known.own => Outcome::SomeoneElses,
        state if state.hold() == Hold::Released && !known.own && !bank_did_not_pay(known) => {
            Outcome::SomeoneElsesEnded
        }
        Submitting | Unknown | RequiresAction if known.own && known.cancel_asked => Outcome::GivingUp {
            unfinished: known.state == RequiresAction || (known.state == Unknown && nobody_was_there),
        },
        Unknown if known.own && nobody_was_there => Outcome::NotOpened,
        Submitting if nobody_was_there && long => Outcome::NotOpened,
        Processing if known.is_bank_debit => Outcome::DebitBegun,
        Created | Submitting | Processing => Outcome::Waiting { long },
        Unknown => Outcome::Unknown,
        RequiresAction => match known.decline {
            Some(decline) => Outcome::Declined { decline, page_open: true },
            None => Outcome::Unfinished,
        },
        Returned => Outcome::TakenBack,
        ChargedBack => Outcome::ChargedBack,
        Succeeded if known.in_other_currency => Outcome::OtherCurrency,
        Succeeded => Outcome::Succeeded,
        Failed if bank_did_not_pay(known) => Outcome::DebitFailed,
        Failed | Canceled => ended(known),
    }
}

/// A debit was in progress for everybody to see, so everybody is told that it did not arrive. Why is the payer's to know.
fn bank_did_not_pay(known: &Known) -> bool {
    known.state == PaymentState::Failed && known.is_bank_debit && known.ending == Some(Ending::Declined)
}

fn ended(known: &Known) -> Outcome {
    match (known.ending, known.decline) {
        (Some(Ending::Refused), _) => Outcome::RefusedByUs,
        // What was held for later and then not sent ran out of nobody's time.
        (Some(Ending::PayerCanceled | Ending::Abandoned), None) if known.was_held => Outcome::Stopped,
        (Some(Ending::Declined | Ending::PayerCanceled) | None, Some(decline)) => {
            Outcome::Declined { decline, page_open: false }
        }
        (Some(Ending::Declined), None) => Outcome::Declined { decline: Decline::NoReason, page_open: false },
        (Some(Ending::Expired | Ending::Abandoned), _) => Outcome::Expired,
        (Some(Ending::PayerCanceled) | None, None) => Outcome::Cancelled,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLINES: [Option<Decline>; 3] = [None, Some(Decline::WrongCode), Some(Decline::NoReason)];
    const ENDINGS: [Option<Ending>; 6] = [
        None,
        Some(Ending::PayerCanceled),
        Some(Ending::Expired),
        Some(Ending::Abandoned),
        Some(Ending::Declined),
        Some(Ending::Refused),
    ];

    /// Every combination of what can be known.
    fn all() -> Vec<Known> {
        let mut all = Vec::new();
        for bits in 0..256_u16 {
            let bit = |n: u16| bits & (1 << n) != 0;
            for state in PaymentState::ALL {
                for decline in DECLINES {
                    for ending in ENDINGS {
                        all.push(Known {
                            state,
                            is_bank_debit: bit(5),
                            is_charge: bit(6),
                            was_held: bit(7),
                            own: bit(0),
                            was_at_card_page: bit(1),
                            cancel_asked: bit(2),
                            decline,
                            ending,
                            in_other_currency: bit(3),
                            age_seconds: if bit(4) { 121 } else { 120 },
                        });
                    }
                }
            }
        }
        assert_eq!(all.len(), 256 * 10 * 3 * 6);
        all
    }

    /// The decision, written a second time as the sets of states that may say each thing.
    #[test]
    fn each_outcome_comes_of_its_states_only() {
        use PaymentState::*;
        for known in all() {
            let told = outcome(&known);
            let (states, only_own): (&[PaymentState], bool) = match told {
                Outcome::Waiting { .. } => (&[Created, Submitting, Processing], false),
                Outcome::NotOpened => (&[Submitting, Unknown], true),
                Outcome::GivingUp { .. } => (&[Submitting, Unknown, RequiresAction], true),
                Outcome::Unfinished => (&[RequiresAction], true),
                Outcome::Declined { page_open: true, .. } => (&[RequiresAction], true),
                Outcome::Declined { page_open: false, .. } => (&[Failed, Canceled], true),
                Outcome::Cancelled | Outcome::Expired | Outcome::RefusedByUs => (&[Failed, Canceled], true),
                Outcome::SomeoneElses => (&[Created, Submitting, RequiresAction], false),
                Outcome::SomeoneElsesEnded => (&[Failed, Canceled], false),
                Outcome::Held => (&[Created], false),
                Outcome::Stopped => (&[Failed, Canceled], true),
                Outcome::DebitBegun => (&[Processing], false),
                Outcome::DebitFailed => (&[Failed], false),
                Outcome::TakenBack => (&[Returned], false),
                Outcome::Succeeded | Outcome::OtherCurrency => (&[Succeeded], false),
                Outcome::ChargedBack => (&[ChargedBack], false),
                Outcome::Unknown => (&[Unknown], false),
            };
            assert!(states.contains(&known.state), "{known:?}: {told:?}");
            assert!(known.own || !only_own, "somebody else is told {told:?} of {known:?}");
            let of_debits = matches!(told, Outcome::DebitBegun | Outcome::DebitFailed);
            assert!(known.is_bank_debit || !of_debits, "{known:?}: {told:?}");
            let held = matches!(told, Outcome::Held | Outcome::Stopped);
            assert!(known.was_held || !held, "{known:?}: {told:?}");
            assert!(
                !(known.is_charge && told == Outcome::NotOpened),
                "what was sent may have charged: {known:?}"
            );
            let of_others = matches!(told, Outcome::SomeoneElses | Outcome::SomeoneElsesEnded);
            assert!(!(known.own && of_others), "{known:?}: {told:?}");
        }
    }

    #[test]
    fn every_fact_decides_where_it_should_and_nowhere_else() {
        for known in all() {
            let told = outcome(&known);
            let with = |changed: Known| outcome(&changed) == told;
            let ended = known.state.hold() == Hold::Released;
            let taken = known.state.hold() == Hold::Consumed;
            let open = known.state == PaymentState::RequiresAction;
            if !ended {
                assert!(with(Known { ending: None, ..known }), "{known:?}");
            }
            if !(ended || open) {
                assert!(with(Known { decline: None, ..known }), "{known:?}");
            }
            if taken {
                let other = known.in_other_currency && known.state == PaymentState::Succeeded;
                assert_eq!(told == Outcome::OtherCurrency, other, "{known:?}");
                assert!(
                    with(Known { own: !known.own, ..known }),
                    "money that arrived is no secret: {known:?}"
                );
            } else {
                assert!(with(Known { in_other_currency: false, ..known }), "{known:?}");
            }
            if taken || !known.own || (known.state == PaymentState::Created && known.was_held) {
                assert!(
                    with(Known { was_held: known.was_held, is_charge: !known.is_charge, ..known }),
                    "{known:?}"
                );
            }
            if taken || ended || !known.own {
                assert!(with(Known { cancel_asked: false, was_at_card_page: true, ..known }), "{known:?}");
            }
        }
    }

    #[test]
    fn the_cases_a_payer_meets() {
        use PaymentState::*;
        let mine = Known {
            state: Created,
            is_bank_debit: false,
            is_charge: false,
            was_held: false,
            own: true,
            was_at_card_page: true,
            cancel_asked: false,
            decline: None,
            ending: None,
            in_other_currency: false,
            age_seconds: 0,
        };
        let declined = Some(Decline::WrongCode);
        let not_there = Known { was_at_card_page: false, ..mine };
        let late = Known { age_seconds: 121, ..mine };
        let debit = Known { is_bank_debit: true, ..late };
        let charge = Known { is_charge: true, was_at_card_page: false, ..mine };
        let held = Known { is_bank_debit: true, was_held: true, ..charge };
        let gave_up = Known { cancel_asked: true, ..mine };
        let as_declined = |page_open| Outcome::Declined { decline: Decline::WrongCode, page_open };
        for (known, told) in [
            (Known { state: Submitting, ..mine }, Outcome::Waiting { long: false }),
            (Known { state: Submitting, ..late }, Outcome::Waiting { long: true }),
            (Known { state: Submitting, age_seconds: 121, ..not_there }, Outcome::NotOpened),
            (Known { state: Processing, ..late }, Outcome::Waiting { long: true }),
            (held, Outcome::Held),
            (Known { own: false, ..held }, Outcome::Held),
            (Known { state: Canceled, ending: Some(Ending::PayerCanceled), ..held }, Outcome::Stopped),
            (Known { state: Canceled, ending: Some(Ending::Abandoned), ..held }, Outcome::Stopped),
            (Known { state: Processing, ..held }, Outcome::DebitBegun),
            (Known { state: Unknown, ..charge }, Outcome::Unknown),
            (Known { state: Submitting, age_seconds: 121, ..charge }, Outcome::Waiting { long: true }),
            (Known { state: Processing, ..debit }, Outcome::DebitBegun),
            (Known { state: Processing, own: false, ..debit }, Outcome::DebitBegun),
            (Known { state: Failed, ending: Some(Ending::Declined), ..debit }, Outcome::DebitFailed),
            (
                Known { state: Failed, own: false, ending: Some(Ending::Declined), ..debit },
                Outcome::DebitFailed,
            ),
            (Known { state: Failed, ending: Some(Ending::Refused), ..debit }, Outcome::RefusedByUs),
            (Known { state: Returned, ..debit }, Outcome::TakenBack),
            (Known { state: ChargedBack, ..mine }, Outcome::ChargedBack),
            (Known { state: Unknown, ..mine }, Outcome::Unknown),
            (Known { state: Unknown, ..not_there }, Outcome::NotOpened),
            (Known { state: Unknown, own: false, ..not_there }, Outcome::Unknown),
            (Known { state: Submitting, ..gave_up }, Outcome::GivingUp { unfinished: false }),
            (Known { state: Unknown, ..gave_up }, Outcome::GivingUp { unfinished: false }),
            (
                Known { state: Unknown, cancel_asked: true, ..not_there },
                Outcome::GivingUp { unfinished: true },
            ),
            (Known { state: RequiresAction, ..gave_up }, Outcome::GivingUp { unfinished: true }),
            (Known { state: RequiresAction, ..mine }, Outcome::Unfinished),
            (Known { state: RequiresAction, decline: declined, ..mine }, as_declined(true)),
            (
                Known { state: Failed, decline: declined, ending: Some(Ending::Declined), ..mine },
                as_declined(false),
            ),
            (
                Known { state: Canceled, decline: declined, ending: Some(Ending::PayerCanceled), ..mine },
                as_declined(false),
            ),
            (
                Known { state: Canceled, decline: declined, ending: Some(Ending::Expired), ..mine },
                Outcome::Expired,
            ),
            (Known { state: Canceled, ending: Some(Ending::Abandoned), ..mine }, Outcome::Expired),
            (Known { state: Canceled, ending: Some(Ending::PayerCanceled), ..mine }, Outcome::Cancelled),
            (Known { state: Canceled, ..mine }, Outcome::Cancelled),
            (
                Known { state: Failed, decline: declined, ending: Some(Ending::Refused), ..mine },
                Outcome::RefusedByUs,
            ),
            (
                Known { state: Failed, own: false, ending: Some(Ending::Declined), ..mine },
                Outcome::SomeoneElsesEnded,
            ),
        ] {
            assert_eq!(outcome(&known), told, "{known:?}");
        }
    }
}
