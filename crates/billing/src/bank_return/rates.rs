//! The ceilings on how many debits may come back, of those sent in the last 60 days. Source: the return rate levels of Nacha's
//! operating rules. Counts go in, a level comes out; it must never decide to stop anybody.

use super::ReturnKind;
use jiff::{SignedDuration, Timestamp};

/// Debits are looked at for so many days after they were sent.
pub const WINDOW_DAYS: i64 = 60;

/// What a return counts as.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum RateClass {
    /// The payer gave no leave.
    Unauthorized,
    /// The account was wrong.
    Administrative,
    /// Every return there is.
    Overall,
}

impl RateClass {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            RateClass::Unauthorized => "unauthorized",
            RateClass::Administrative => "administrative",
            RateClass::Overall => "overall",
        }
    }
}

/// How many of a thousand debits may come back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ceiling {
    /// As what.
    pub class: RateClass,
    /// Of a thousand.
    pub per_mille: u64,
}

/// Half a percent unauthorised, 3 % administrative, 15 % overall.
pub const CEILINGS: [Ceiling; 3] = [
    Ceiling { class: RateClass::Unauthorized, per_mille: 5 },
    Ceiling { class: RateClass::Administrative, per_mille: 30 },
    Ceiling { class: RateClass::Overall, per_mille: 150 },
];

/// How near a ceiling is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Level {
    /// Below half of it.
    Fine,
    /// Half of it or more: somebody is told.
    Warned,
    /// Above it.
    Exceeded,
}

/// Debits sent in the window, and those of them that came back.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct DebitCounts {
    /// Sent.
    pub originated: u64,
    /// Came back because no leave was given.
    pub unauthorized: u64,
    /// Came back because the account was wrong.
    pub administrative: u64,
    /// Came back for any reason, the two above included.
    pub returned: u64,
}

impl DebitCounts {
    /// Counts debits by the day they were sent: `(sent at, why it came back)`. Those sent more than 60 days before `now`, or
    /// after it, are left out.
    pub fn of(
        debits: impl IntoIterator<Item = (Timestamp, Option<ReturnKind>)>,
        now: Timestamp,
    ) -> DebitCounts {
        let mut counts = DebitCounts::default();
        let window = SignedDuration::ZERO..=SignedDuration::from_hours(24 * WINDOW_DAYS);
        for (originated_at, returned) in debits {
            if !window.contains(&now.duration_since(originated_at)) {
                continue;
            }
            counts.originated += 1;
            let Some(kind) = returned else { continue };
            counts.returned += 1;
            match kind.consequences().rate_class {
                Some(RateClass::Unauthorized) => counts.unauthorized += 1,
                Some(RateClass::Administrative) => counts.administrative += 1,
                Some(RateClass::Overall) | None => {}
            }
        }
        counts
    }

    /// How many came back as this class.
    pub const fn of_class(&self, class: RateClass) -> u64 {
        match class {
            RateClass::Unauthorized => self.unauthorized,
            RateClass::Administrative => self.administrative,
            RateClass::Overall => self.returned,
        }
    }

    /// The share that came back, in millionths, rounded down; 0 where nothing was sent.
    pub fn rate_millionths(&self, class: RateClass) -> u64 {
        let scaled = u128::from(self.of_class(class)) * 1_000_000;
        scaled
            .checked_div(u128::from(self.originated))
            .map_or(0, |rate| u64::try_from(rate).unwrap_or(u64::MAX))
    }

    /// How near the ceiling of a class is. Compared without rounding.
    pub fn level(&self, ceiling: Ceiling) -> Level {
        let returned = u128::from(self.of_class(ceiling.class)) * 1_000;
        let most = u128::from(self.originated) * u128::from(ceiling.per_mille);
        if returned > most {
            Level::Exceeded
        } else if returned > 0 && returned * 2 >= most {
            Level::Warned
        } else {
            Level::Fine
        }
    }

    /// How near each of the three ceilings is.
    pub fn levels(&self) -> [(Ceiling, Level); 3] {
        CEILINGS.map(|ceiling| (ceiling, self.level(ceiling)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn level(class: RateClass, returned: u64, originated: u64) -> Level {
        let counts = match class {
            RateClass::Unauthorized => DebitCounts { unauthorized: returned, ..DebitCounts::default() },
            RateClass::Administrative => DebitCounts { administrative: returned, ..DebitCounts::default() },
            RateClass::Overall => DebitCounts::default(),
        };
        let counts = DebitCounts { originated, returned, ..counts };
        counts.levels().into_iter().find(|(ceiling, _)| ceiling.class == class).unwrap().1
    }

    #[test]
    fn warned_at_half_and_exceeded_above() {
        use RateClass::*;
        for (class, half, most) in [(Unauthorized, 25, 50), (Administrative, 150, 300), (Overall, 750, 1_500)]
        {
            assert_eq!(level(class, half - 1, 10_000), Level::Fine, "{class:?}");
            assert_eq!(level(class, half, 10_000), Level::Warned, "{class:?}");
            assert_eq!(level(class, most, 10_000), Level::Warned, "{class:?}");
            assert_eq!(level(class, most + 1, 10_000), Level::Exceeded, "{class:?}");
            assert_eq!(level(class, 0, 0), Level::Fine, "{class:?}");
            assert_eq!(level(class, 0, 7), Level::Fine, "{class:?}");
        }
    }

    #[test]
    fn debits_count_by_the_day_they_were_sent() {
        let day = |day: i64| Timestamp::from_second(day * 86_400).unwrap();
        let of = ReturnKind::of_code;
        let debits = [
            (day(39), Some(of("R10"))),
            (day(40), Some(of("R10"))),
            (day(50), Some(of("R11"))),
            (day(60), Some(of("R02"))),
            (day(61), Some(of("R01"))),
            (day(99), None),
            (day(100), None),
            (day(101), Some(of("R29"))),
        ];
        let counts = DebitCounts::of(debits, day(100));
        let expected = DebitCounts { originated: 6, unauthorized: 2, administrative: 1, returned: 4 };
        assert_eq!(counts, expected);
        assert_eq!(counts.rate_millionths(RateClass::Overall), 666_666);
        assert_eq!(DebitCounts::default().rate_millionths(RateClass::Overall), 0);
    }

    proptest! {
        #[test]
        fn one_more_return_never_lowers_a_level(returned in 0..u64::MAX / 2, originated in 0..u64::MAX) {
            for ceiling in CEILINGS {
                let at = |returned| level(ceiling.class, returned, originated);
                prop_assert!(at(returned) <= at(returned + 1));
            }
        }
    }
}
