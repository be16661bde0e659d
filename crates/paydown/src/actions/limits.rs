//! How often is too often. Counters live in the database, so that all processes share them, in short buckets that add up
//! to a sliding window. Whoever is refused counts for nothing: refusals never keep anybody out longer.

use anyhow::Result;
use billing::ids::MerchantId;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use store::db::Tx;
use store::rates::{self, Span};

/// At most so many within a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    /// What is counted, as the store names it.
    scope: &'static str,
    /// So many are let through.
    pub(super) most: i64,
    /// Within so many seconds.
    window_seconds: i64,
    /// Counted in buckets of so many seconds; the window reaches at most one bucket further.
    bucket_seconds: i64,
}

impl Limit {
    const fn new(scope: &'static str, most: i64, window_seconds: i64, bucket_seconds: i64) -> Limit {
        Limit { scope, most, window_seconds, bucket_seconds }
    }

    fn bucket(&self, now: Timestamp) -> Result<Timestamp> {
        start_of(now, self.bucket_seconds)
    }

    /// How long a bucket counts, from its start.
    fn reach(&self) -> SignedDuration {
        SignedDuration::from_secs(self.window_seconds + self.bucket_seconds)
    }
}

/// Codes for one address, within a quarter of an hour.
pub(super) const CODES_PER_ADDRESS: Limit = Limit::new("code-address-15m", 3, 900, 60);
/// Codes for one address, within a day.
pub(super) const CODES_PER_ADDRESS_A_DAY: Limit = Limit::new("code-address-day", 10, 86_400, 900);
/// Codes asked for from one place on the network, within an hour.
pub(super) const CODES_PER_SOURCE: Limit = Limit::new("code-source-hour", 20, 3_600, 300);
/// Codes that one merchant mails, within an hour. Beyond it somebody is told.
pub(super) const CODES_PER_MERCHANT: Limit = Limit::new("code-merchant-hour", 600, 3_600, 300);
/// New links asked for with one link that has ended, within a day.
pub(super) const RENEWALS_PER_LINK: Limit = Limit::new("renewal-link-day", 3, 86_400, 900);
/// Payments started by one session, within an hour.
pub(super) const STARTS_PER_SESSION: Limit = Limit::new("start-session-hour", 20, 3_600, 300);
/// Payments started from one place on the network, within an hour.
pub(super) const STARTS_PER_SOURCE: Limit = Limit::new("start-source-hour", 60, 3_600, 300);
/// Different cards tried by the holder of one link, or by one contact, within a day.
pub(super) const CARDS_PER_HOLDER: Limit = Limit::new("card-holder-day", 5, 86_400, 900);
/// Cards declined for the same, within a day.
pub(super) const DECLINES_PER_HOLDER: Limit = Limit::new("decline-holder-day", 10, 86_400, 900);
/// Different cards tried from one place on the network, and declines, within an hour.
pub(super) const CARDS_PER_SOURCE: Limit = Limit::new("card-source-hour", 20, 3_600, 300);
/// Cards tried at one merchant within ten minutes: from so many on, their declines are looked at.
pub(super) const TRIES_PER_MERCHANT: Limit = Limit::new("try-merchant-10m", 20, 600, 60);
/// Cards declined at one merchant within ten minutes; the bound is a share of the tries.
pub(super) const DECLINES_PER_MERCHANT: Limit = Limit::new("decline-merchant-10m", i64::MAX, 600, 60);

/// Counts one more under each limit, or under none: then the instant from which there is room again.
pub(super) async fn take(
    tx: &mut Tx,
    merchant: MerchantId,
    limits: &[(Limit, &str)],
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let mut full_until = None;
    for (limit, key) in limits {
        note(tx, merchant, *limit, key, now).await?;
        let span = span(tx, merchant, *limit, key, now).await?;
        if span.count > limit.most {
            full_until = full_until.max(span.first.map(|first| first + limit.reach()));
        }
    }
    if full_until.is_some() {
        for (limit, key) in limits {
            rates::take_back(tx, merchant, limit.scope, key, limit.bucket(now)?).await?;
        }
    }
    Ok(full_until)
}

/// Without counting: the instant from which there is room again, where there is none.
pub(super) async fn full_until(
    tx: &mut Tx,
    merchant: MerchantId,
    (limit, key): (Limit, &str),
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    let span = span(tx, merchant, limit, key, now).await?;
    Ok(span.first.filter(|_| span.count >= limit.most).map(|first| first + limit.reach()))
}

/// Counts one more, whatever the limit.
pub(super) async fn note(
    tx: &mut Tx,
    merchant: MerchantId,
    limit: Limit,
    key: &str,
    now: Timestamp,
) -> Result<()> {
    rates::count(tx, merchant, limit.scope, key, limit.bucket(now)?).await.map(drop)
}

/// What is in the window now.
pub(super) async fn span(
    tx: &mut Tx,
    merchant: MerchantId,
    limit: Limit,
    key: &str,
    now: Timestamp,
) -> Result<Span> {
    // A bucket counts while its last instant may be within the window.
    let from = now - limit.reach() + SignedDuration::from_micros(1);
    rates::span(tx, merchant, limit.scope, key, from).await
}

/// When what was counted last leaves the window.
pub(super) fn empty_at(limit: Limit, span: &Span) -> Option<Timestamp> {
    span.last.map(|last| last + limit.reach())
}

/// True for the first time within the stretch of so many seconds around `at`.
pub(super) async fn is_first(
    tx: &mut Tx,
    merchant: MerchantId,
    (scope, key): (&str, &str),
    at: Timestamp,
    seconds: i64,
) -> Result<bool> {
    Ok(rates::count(tx, merchant, scope, key, start_of(at, seconds)?).await? == 1)
}

/// A key that tells nothing about whom it counts.
pub(super) fn key(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..16])
}

fn start_of(at: Timestamp, seconds: i64) -> Result<Timestamp> {
    Ok(Timestamp::from_second(at.as_second().div_euclid(seconds) * seconds)?)
}
