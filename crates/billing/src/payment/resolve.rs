//! May a person say how a payment ended? Only where nobody else can: the processor was asked at this moment and had no answer,
//! and the payment waits for one. Its word, where there is one, always counts.

use super::{Hold, PaymentState};

/// A payment waits so long in one state until a person may speak for it: longer than any hosted page lives. One whose outcome is
/// unknown waits no longer.
pub const STUCK_AFTER_SECONDS: i64 = 24 * 60 * 60;
/// The same of one that a bank works on: it answers in days.
pub const BANK_STUCK_AFTER_SECONDS: i64 = 5 * STUCK_AFTER_SECONDS;

/// What is known when a person speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Known {
    /// Where the payment stands.
    pub state: PaymentState,
    /// For how long its state has not changed.
    pub unchanged_seconds: i64,
    /// What the processor answered just now; `None` where it could not be asked or knows nothing of it.
    pub answer: Option<PaymentState>,
    /// What a person said of the payment before.
    pub said: Option<PaymentState>,
}

/// Why a person's word is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotResolve {
    /// The processor answered, so its word counts.
    #[error("the processor answered that it is {}, and its word counts", .0.as_str())]
    Answered(PaymentState),
    /// The payment is not on its way.
    #[error("the payment is {}, so there is nothing to settle", .0.as_str())]
    Ended(PaymentState),
    /// Nothing was sent yet, or this is no way for a payment to end.
    #[error("a payment that is {} cannot be settled so by hand", .0.as_str())]
    NotThat(PaymentState),
    /// It may still go its way by itself for so long.
    #[error("it may still go its way by itself; try again in {} h", .seconds.div_euclid(3_600) + 1)]
    NotYet {
        /// Seconds until a person may speak.
        seconds: i64,
    },
    /// Only what a person booked as received can be taken back by a person.
    #[error("nobody had booked it by hand; the processor itself reports what it takes back")]
    NotSaid,
    /// It is taken back only when the processor says that it has no such money.
    #[error(
        "what was booked by hand is taken back only when the processor says that no money came, and it could not be asked"
    )]
    MustBeAsked,
}

/// Decides whether a person may say that a payment in this position ended as `to`.
///
/// `succeeded`, `failed` and `canceled` end a payment that is on its way. `returned` takes back a success that a person had
/// booked and of which the processor says by now that no money came.
pub fn may_resolve(known: &Known, to: PaymentState) -> Result<(), CannotResolve> {
    if to == PaymentState::Returned {
        return may_take_back(known);
    }
    // What it answered is applied by now, so the payment may have ended with it.
    if let Some(state) = known.answer {
        return Err(CannotResolve::Answered(state));
    }
    if known.state.hold() != Hold::Held {
        return Err(CannotResolve::Ended(known.state));
    }
    let is_end = matches!(to, PaymentState::Succeeded | PaymentState::Failed | PaymentState::Canceled);
    if !is_end || known.state == PaymentState::Created || !known.state.may_become(to) {
        return Err(CannotResolve::NotThat(known.state));
    }
    let stuck_after = match known.state {
        PaymentState::Unknown => 0,
        PaymentState::Processing => BANK_STUCK_AFTER_SECONDS,
        _ => STUCK_AFTER_SECONDS,
    };
    match stuck_after - known.unchanged_seconds {
        seconds @ 1.. => Err(CannotResolve::NotYet { seconds }),
        _ => Ok(()),
    }
}

fn may_take_back(known: &Known) -> Result<(), CannotResolve> {
    if known.state != PaymentState::Succeeded {
        return Err(CannotResolve::NotThat(known.state));
    }
    if known.said != Some(PaymentState::Succeeded) {
        return Err(CannotResolve::NotSaid);
    }
    match known.answer {
        None => Err(CannotResolve::MustBeAsked),
        Some(PaymentState::Failed | PaymentState::Canceled) => Ok(()),
        Some(state) => Err(CannotResolve::Answered(state)),
    }
}

#[cfg(test)]
mod tests {
    use super::PaymentState::*;
    use super::*;

    fn unknown() -> Known {
        Known { state: Unknown, unchanged_seconds: 0, answer: None, said: None }
    }

    #[test]
    fn a_person_speaks_only_where_the_processor_is_silent() {
        for to in [Succeeded, Failed, Canceled] {
            assert_eq!(may_resolve(&unknown(), to), Ok(()));
            for answer in PaymentState::ALL {
                let known = Known { answer: Some(answer), ..unknown() };
                assert_eq!(may_resolve(&known, to), Err(CannotResolve::Answered(answer)));
            }
        }
        for to in [Created, Submitting, RequiresAction, Processing, Unknown, ChargedBack] {
            assert_eq!(may_resolve(&unknown(), to), Err(CannotResolve::NotThat(Unknown)), "{to:?}");
        }
    }

    #[test]
    fn what_may_go_its_way_is_waited_for() {
        for (state, after) in [
            (Submitting, STUCK_AFTER_SECONDS),
            (RequiresAction, STUCK_AFTER_SECONDS),
            (Processing, BANK_STUCK_AFTER_SECONDS),
        ] {
            let early = Known { state, unchanged_seconds: after - 1, ..unknown() };
            assert_eq!(may_resolve(&early, Failed), Err(CannotResolve::NotYet { seconds: 1 }));
            let late = Known { unchanged_seconds: after, ..early };
            assert_eq!(may_resolve(&late, Failed), Ok(()));
        }
        let created = Known { state: Created, unchanged_seconds: i64::MAX, ..unknown() };
        assert_eq!(may_resolve(&created, Canceled), Err(CannotResolve::NotThat(Created)));
    }

    #[test]
    fn what_has_ended_is_settled() {
        for state in [Succeeded, Failed, Canceled, Returned, ChargedBack] {
            let known = Known { state, ..unknown() };
            assert_eq!(may_resolve(&known, Canceled), Err(CannotResolve::Ended(state)));
        }
    }

    #[test]
    fn only_a_word_that_was_wrong_is_taken_back() {
        let said = Known { state: Succeeded, said: Some(Succeeded), ..unknown() };
        assert_eq!(may_resolve(&said, Returned), Err(CannotResolve::MustBeAsked));
        for answer in [Failed, Canceled] {
            assert_eq!(may_resolve(&Known { answer: Some(answer), ..said }, Returned), Ok(()));
            let known = Known { answer: Some(answer), said: None, ..said };
            assert_eq!(may_resolve(&known, Returned), Err(CannotResolve::NotSaid));
        }
        for answer in [Succeeded, Processing, RequiresAction, Unknown] {
            let known = Known { answer: Some(answer), ..said };
            assert_eq!(may_resolve(&known, Returned), Err(CannotResolve::Answered(answer)));
        }
        let known = Known { state: Failed, answer: Some(Failed), ..said };
        assert_eq!(may_resolve(&known, Returned), Err(CannotResolve::NotThat(Failed)));
    }
}
