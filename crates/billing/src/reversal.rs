//! Whether money that somebody entered as received is taken out of the books again: a cheque that bounced, or an entry that was
//! wrong. It must never reverse what came through a processor, whose word alone says whether that money is there.

use crate::payment::{Method, PaymentState};

/// Why a recorded receipt is reversed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum ReversalKind {
    /// The bank sent it back: a cheque without cover, a transfer that was recalled, a false note.
    Bounced,
    /// It never came so: the wrong amount, the wrong customer, entered twice.
    EnteredWrongly,
}

impl ReversalKind {
    /// Every kind.
    pub const ALL: [ReversalKind; 2] = [ReversalKind::Bounced, ReversalKind::EnteredWrongly];

    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            ReversalKind::Bounced => "bounced",
            ReversalKind::EnteredWrongly => "entered_wrongly",
        }
    }

    /// The kind behind such a word.
    pub fn parse(word: &str) -> Option<ReversalKind> {
        ReversalKind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Why a payment is not reversed, with what to do instead.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CannotReverse {
    /// It came through a processor.
    #[error("it came by {}, through the processor: refund it instead, which gives the money back", .0.as_str())]
    ThroughProcessor(Method),
    /// It was reversed before.
    #[error("it was reversed already")]
    Already,
    /// It has not succeeded, which a recorded receipt always has.
    #[error("it is {}: only money that was received can be reversed", .0.as_str())]
    NotReceived(PaymentState),
}

/// Whether a payment of this method and state may be reversed.
pub const fn may_reverse(method: Method, state: PaymentState) -> Result<(), CannotReverse> {
    if !method.is_received() {
        return Err(CannotReverse::ThroughProcessor(method));
    }
    match state {
        PaymentState::Succeeded => Ok(()),
        PaymentState::Returned => Err(CannotReverse::Already),
        other => Err(CannotReverse::NotReceived(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_received_past_a_processor_is_reversed_and_once() {
        for method in Method::ALL {
            for state in PaymentState::ALL {
                let may = may_reverse(method, state);
                let by_hand = matches!(method, Method::Cheque | Method::Wire | Method::Cash);
                assert_eq!(may.is_ok(), by_hand && state == PaymentState::Succeeded, "{method:?} {state:?}");
            }
        }
        assert_eq!(may_reverse(Method::Cheque, PaymentState::Returned), Err(CannotReverse::Already));
        let card = may_reverse(Method::Card, PaymentState::Returned).unwrap_err();
        assert!(card.to_string().contains("refund it instead"), "{card}");
    }

    #[test]
    fn words_lead_back() {
        for kind in ReversalKind::ALL {
            assert_eq!(ReversalKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ReversalKind::parse("R01"), None);
    }
}
