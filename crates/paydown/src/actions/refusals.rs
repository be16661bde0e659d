//! Says in the log that webhooks were refused, once a minute and merchant at most: whoever forges them shall not fill a
//! disk. Nothing is decided by what is remembered here.

use billing::ids::MerchantId;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static REFUSED: Mutex<Refusals> = Mutex::new(Refusals(BTreeMap::new()));

/// Per merchant: the minute of the last line, and how many were refused since then without one.
struct Refusals(BTreeMap<MerchantId, (i64, u64)>);

impl Refusals {
    /// How many were refused without a line since the last one, if it is time for a line.
    fn note(&mut self, merchant: MerchantId, now: Timestamp) -> Option<u64> {
        let minute = now.as_second().div_euclid(60);
        match self.0.get_mut(&merchant) {
            Some((last, unsaid)) if *last == minute => {
                *unsaid += 1;
                None
            }
            _ => Some(self.0.insert(merchant, (minute, 0)).map_or(0, |(_, unsaid)| unsaid)),
        }
    }
}

/// Logs that a webhook was refused, or only counts it.
pub(super) fn log(merchant: MerchantId, now: Timestamp, error: &str) {
    let unsaid = REFUSED.lock().unwrap_or_else(PoisonError::into_inner).note(merchant, now);
    if let Some(unsaid) = unsaid {
        tracing::warn!(%merchant, error, more_before = unsaid, "a webhook was refused");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_one_line_a_minute_with_a_count() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let mut refusals = Refusals(BTreeMap::new());
        assert_eq!(refusals.note(MerchantId(1), at(60)), Some(0));
        for second in 61..120 {
            assert_eq!(refusals.note(MerchantId(1), at(second)), None);
        }
        assert_eq!(refusals.note(MerchantId(2), at(100)), Some(0), "another merchant's are told");
        assert_eq!(refusals.note(MerchantId(1), at(120)), Some(59));
        assert_eq!(refusals.note(MerchantId(1), at(180)), Some(0));
    }
}
