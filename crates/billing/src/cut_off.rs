//! Until when a debit of a saved account is held, so that its payer can still stop it: the next time the merchant's clock shows the
//! hour of the cut-off. Pure: whoever asks says what time it is.

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// Minutes of a day.
const MINUTES: i64 = 24 * 60;

/// The next instant after `now` at which clocks in `zone` show `minute_of_day`. Where a clock is put forward over it, the instant
/// right after; where it is put back, the first of the two.
pub fn next_cut_off(now: Timestamp, zone: &TimeZone, minute_of_day: i64) -> Timestamp {
    let minutes = minute_of_day.rem_euclid(MINUTES);
    let hour = i8::try_from(minutes / 60).unwrap_or(0);
    let minute = i8::try_from(minutes % 60).unwrap_or(0);
    let time = Time::new(hour, minute, 0, 0).unwrap_or(Time::MIN);
    let today = now.to_zoned(zone.clone()).date();
    let candidates = [Some(today), today.checked_add(1.day()).ok(), today.checked_add(2.days()).ok()];
    candidates
        .into_iter()
        .flatten()
        .filter_map(|day| Some(day.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp()))
        .find(|at| *at > now)
        .unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    fn cut_off(now: &str, zone: &str, minute_of_day: i64) -> Timestamp {
        next_cut_off(at(now), &TimeZone::get(zone).expect("a zone"), minute_of_day)
    }

    #[test]
    fn it_is_today_until_it_has_passed() {
        let four = 16 * 60;
        let new_york = "America/New_York";
        assert_eq!(cut_off("2026-11-16T09:00:00Z", new_york, four), at("2026-11-16T21:00:00Z"));
        assert_eq!(cut_off("2026-11-16T20:59:59Z", new_york, four), at("2026-11-16T21:00:00Z"));
        assert_eq!(cut_off("2026-11-16T21:00:00Z", new_york, four), at("2026-11-17T21:00:00Z"));
        assert_eq!(
            cut_off("2026-11-17T03:00:00Z", new_york, four),
            at("2026-11-17T21:00:00Z"),
            "still the 16th"
        );
        assert_eq!(cut_off("2026-11-16T09:00:00Z", "Pacific/Kiritimati", 0), at("2026-11-16T10:00:00Z"));
    }

    #[test]
    fn a_clock_that_is_changed_does_not_lose_it() {
        let half_past_two = 2 * 60 + 30;
        let berlin = "Europe/Berlin";
        // On 28 March 2027 clocks go from 02:00 to 03:00; on 31 October from 03:00 back to 02:00.
        assert_eq!(cut_off("2027-03-27T12:00:00Z", berlin, half_past_two), at("2027-03-28T01:30:00Z"));
        assert_eq!(cut_off("2027-10-30T12:00:00Z", berlin, half_past_two), at("2027-10-31T00:30:00Z"));
        let first = cut_off("2027-10-31T00:30:00Z", berlin, half_past_two);
        assert_eq!(first, at("2027-11-01T01:30:00Z"), "the second half past two is not another one");
    }

    #[test]
    fn it_is_always_later_and_never_two_days_away() {
        let zones = ["Etc/UTC", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Australia/Lord_Howe"];
        for zone in zones.map(|name| TimeZone::get(name).expect("a zone")) {
            for step in 0..4_000_i64 {
                let now = at("2027-01-01T00:00:00Z") + jiff::SignedDuration::from_secs(step * 8_111);
                for minute in [0, 1, 150, 960, 1_439] {
                    let next = next_cut_off(now, &zone, minute);
                    let hours = next.duration_since(now).as_secs();
                    assert!((1..=49 * 3_600).contains(&hours), "{now} {minute}: {next}");
                }
            }
        }
    }
}
