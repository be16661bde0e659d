//! How long to wait after something failed so many times in a row, and when a person has to take over. Pure.

use jiff::SignedDuration;

/// After so many tries in a row, about five days, a person has to know.
pub(super) const TRIES_BEFORE_A_PERSON: i64 = 24;
/// So many tries may come sooner than [`pause_after`] says: they are few enough not to change when a person is called.
pub(super) const SOON_TRIES: i64 = 4;
/// The longest that anything waits for its next try.
pub(super) const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// The pause after the try of this number, from 1.
pub(super) const fn pause_after(tries: i64) -> SignedDuration {
    match tries {
        ..=1 => SignedDuration::from_mins(1),
        2 => SignedDuration::from_mins(5),
        3 => SignedDuration::from_mins(30),
        4 => SignedDuration::from_hours(2),
        5..TRIES_BEFORE_A_PERSON => SignedDuration::from_hours(6),
        _ => LONGEST_PAUSE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_a_person_is_called_after_five_days() {
        let pauses: Vec<SignedDuration> = (1..TRIES_BEFORE_A_PERSON).map(pause_after).collect();
        assert!(pauses.is_sorted() && pauses[0] == SignedDuration::from_mins(1));
        let waited = pauses.iter().fold(SignedDuration::ZERO, |sum, pause| sum + *pause).as_hours();
        assert!((110..=130).contains(&waited), "{waited} hours");
        assert_eq!(pause_after(1_000), LONGEST_PAUSE);
    }
}
