//! Days as banks count them: Monday to Friday, in UTC. Public holidays are not observed, so that a test can count on its fingers.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};

pub(crate) const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The same time of day, `days` business days later.
pub(crate) fn business_days_after(now: i64, days: u32) -> i64 {
    let Some(mut moment) = zoned(now) else { return now + i64::from(days) * DAY_SECONDS };
    let mut left = days;
    while left > 0 {
        let Ok(next) = moment.checked_add(1.day()) else { break };
        moment = next;
        if is_business_day(&moment) {
            left -= 1;
        }
    }
    moment.timestamp().as_second()
}

/// The next midnight after a moment.
pub(crate) fn next_midnight(now: i64) -> i64 {
    (now.div_euclid(DAY_SECONDS) + 1) * DAY_SECONDS
}

/// `2026-11-23`.
pub(crate) fn date(now: i64) -> String {
    zoned(now).map_or_else(String::new, |moment| moment.date().to_string())
}

/// `23 November 2026`, as the pages write dates.
pub(crate) fn long_date(now: i64) -> String {
    zoned(now).map_or_else(String::new, |moment| moment.strftime("%-d %B %Y").to_string())
}

fn zoned(now: i64) -> Option<Zoned> {
    Timestamp::from_second(now).ok().map(|moment| moment.to_zoned(TimeZone::UTC))
}

fn is_business_day(moment: &Zoned) -> bool {
    !matches!(moment.weekday(), Weekday::Saturday | Weekday::Sunday)
}

#[cfg(test)]
mod tests {
    use super::{DAY_SECONDS, business_days_after, date, long_date, next_midnight};

    #[test]
    fn weekends_do_not_count() {
        let sunday_evening = 1_795_384_800;
        assert_eq!(date(sunday_evening), "2026-11-22");
        assert_eq!(date(business_days_after(sunday_evening, 1)), "2026-11-23");
        assert_eq!(business_days_after(sunday_evening, 4), sunday_evening + 4 * DAY_SECONDS);
        let thursday = sunday_evening + 4 * DAY_SECONDS;
        assert_eq!(date(business_days_after(thursday, 2)), "2026-11-30");
        assert_eq!(long_date(sunday_evening), "22 November 2026");
        assert_eq!(date(next_midnight(sunday_evening)), "2026-11-23");
    }
}
