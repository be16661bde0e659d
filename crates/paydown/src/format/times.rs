//! Dates, clock times and lengths in words. Instants and zones are arguments; nothing here knows what time it is.

use crate::texts::{Arg, texts};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// `30 November 2026`.
pub fn date(date: Date) -> String {
    format!("{} {} {}", date.day(), month(date, "long"), date.year())
}

/// `30 Nov`, where the year is plain from what stands around it.
pub fn short_date(date: Date) -> String {
    format!("{} {}", date.day(), month(date, "short"))
}

/// `30 November`, in sentences about the days around it.
pub fn day_and_month(date: Date) -> String {
    format!("{} {}", date.day(), month(date, "long"))
}

fn month(date: Date, length: &str) -> String {
    texts().get(&format!("month-{length}-{}", date.month()))
}

/// `14:40 Pacific time`: a clock time always says whose clock.
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    let local = at.to_zoned(zone.clone());
    format!("{:02}:{:02} {}", local.hour(), local.minute(), zone_words(at, zone))
}

/// How late or early a due date is on a day: `Due in 12 days`, `Due today`, `Overdue by 3 days`.
pub fn due(due: Date, today: Date) -> String {
    let days = due.since(today).map_or(0, |span| i64::from(span.get_days()));
    match days {
        0 => texts().get("due-today"),
        1.. => texts().fmt("due-in", &[("days", Arg::Number(days))]),
        _ => texts().fmt("overdue-by", &[("days", Arg::Number(-days))]),
    }
}

/// A length that has passed: `a moment ago`, `2 minutes ago`, `3 hours ago`.
pub fn elapsed(seconds: u64) -> String {
    length("ago", seconds)
}

/// A length that is to come: `in a moment`, `in 12 minutes`.
pub fn within(seconds: u64) -> String {
    length("in", seconds)
}

fn length(direction: &str, seconds: u64) -> String {
    let (unit, count) = match seconds {
        0..=59 => return texts().get(&format!("{direction}-moment")),
        60..=3_599 => ("minutes", seconds / 60),
        3_600..=86_399 => ("hours", seconds / 3_600),
        _ => ("days", seconds / 86_400),
    };
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    texts().fmt(&format!("{direction}-{unit}"), &[("count", Arg::Number(count))])
}

/// The words people use for a zone; its abbreviation at that instant where there are none.
fn zone_words(at: Timestamp, zone: &TimeZone) -> String {
    let name = zone.iana_name().unwrap_or_default();
    match ZONES.iter().find(|(_, names)| names.contains(&name)) {
        Some((key, _)) => texts().get(key),
        None => zone.to_offset_info(at).abbreviation().to_owned(),
    }
}

const ZONES: &[(&str, &[&str])] = &[
    ("zone-pacific", &["America/Los_Angeles", "America/Vancouver", "America/Tijuana", "US/Pacific"]),
    (
        "zone-mountain",
        &["America/Denver", "America/Phoenix", "America/Edmonton", "America/Boise", "US/Mountain"],
    ),
    ("zone-central", &["America/Chicago", "America/Winnipeg", "US/Central"]),
    ("zone-eastern", &["America/New_York", "America/Toronto", "America/Detroit", "US/Eastern"]),
    ("zone-atlantic", &["America/Halifax"]),
    ("zone-alaska", &["America/Anchorage"]),
    ("zone-hawaii", &["Pacific/Honolulu"]),
    ("zone-london", &["Europe/London"]),
    ("zone-dublin", &["Europe/Dublin"]),
    ("zone-central-european", CENTRAL_EUROPE),
    (
        "zone-eastern-european",
        &["Europe/Athens", "Europe/Helsinki", "Europe/Kyiv", "Europe/Bucharest", "Europe/Sofia"],
    ),
    ("zone-india", &["Asia/Kolkata", "Asia/Calcutta"]),
    ("zone-japan", &["Asia/Tokyo"]),
    ("zone-singapore", &["Asia/Singapore"]),
    ("zone-sydney", &["Australia/Sydney", "Australia/Melbourne"]),
    ("zone-new-zealand", &["Pacific/Auckland"]),
    ("zone-utc", &["UTC", "Etc/UTC", "Etc/GMT"]),
];

const CENTRAL_EUROPE: &[&str] = &[
    "Europe/Berlin",
    "Europe/Paris",
    "Europe/Madrid",
    "Europe/Rome",
    "Europe/Vienna",
    "Europe/Zurich",
    "Europe/Amsterdam",
    "Europe/Brussels",
    "Europe/Copenhagen",
    "Europe/Stockholm",
    "Europe/Oslo",
    "Europe/Prague",
    "Europe/Warsaw",
    "Europe/Budapest",
    "Europe/Luxembourg",
];
