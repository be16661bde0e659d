//! Telling the merchant what happened: signed deliveries with retries, and the ways tests disturb them.
//!
//! A delivery is a row written with its event. A failed one is tried again with growing pauses of real time. Nothing here may change an object:
//! a webhook that is lost loses news, never money.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use anyhow::{Context as _, bail};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use tokio::time::Instant;

use crate::agenda::{self, Appointment};
use crate::api::events;
use crate::app::App;
use crate::calendar::DAY_SECONDS;
use crate::error::Failure;
use crate::objects::Event;
use crate::store;
use crate::work::Work;

const MAX_ATTEMPTS: u32 = 12;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
const PATIENCE: Duration = Duration::from_secs(10);
/// How long deliveries gather before a burst goes out backwards, unless told otherwise.
const GATHERING: Duration = Duration::from_millis(500);
const IDLE: Duration = Duration::from_secs(1);

/// Where events go.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// Address that takes the events.
    pub url: String,
    /// Signing secret, `whsec_…`.
    pub secret: String,
}

impl std::fmt::Debug for WebhookTarget {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("WebhookTarget").field("url", &self.url).finish_non_exhaustive()
    }
}

/// How new deliveries are treated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WebhookMode {
    /// Each once, in the order they happened.
    #[default]
    Normal,
    /// Kept back until released.
    Hold,
    /// Never sent; a resend still works.
    Lose,
    /// Each twice.
    Duplicate,
    /// Gathered for a moment, then the newest first.
    Reverse,
    /// A day later by the sandbox's clock.
    Late,
}

/// How deliveries are made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct WebhookManner {
    pub(crate) mode: WebhookMode,
    pub(crate) delay_ms: u64,
}

impl WebhookManner {
    fn delay(&self) -> Duration {
        match (self.mode, self.delay_ms) {
            (WebhookMode::Reverse, 0) => GATHERING,
            (_, delay_ms) => Duration::from_millis(delay_ms),
        }
    }
}

/// A line of the delivery log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DeliveryLine {
    pub(crate) delivery: i64,
    pub(crate) event: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) attempts: i64,
    pub(crate) last_status: Option<i64>,
    pub(crate) last_error: Option<String>,
}

/// Queues an event in the manner that is set, or that its payer typed.
pub(crate) fn queue(work: &Work<'_>, event_id: &str) -> Result<(), Failure> {
    let connection = work.connection;
    let manner: WebhookManner = store::setting(connection, "webhooks")?;
    let mode = work.webhook_mode.unwrap_or(manner.mode);
    if mode == WebhookMode::Late {
        agenda::put(work, work.now + DAY_SECONDS, &Appointment::ReleaseDeliveries, event_id)?;
    }
    let (state, copies) = match mode {
        WebhookMode::Normal | WebhookMode::Reverse => ("due", 1),
        WebhookMode::Duplicate => ("due", 2),
        WebhookMode::Hold | WebhookMode::Late => ("held", 1),
        WebhookMode::Lose => ("lost", 1),
    };
    for _ in 0..copies {
        connection.execute("INSERT INTO delivery (event_id, state) VALUES (?1, ?2)", [event_id, state])?;
    }
    Ok(())
}

/// Queues one more delivery of an event, whatever the mode.
pub(crate) fn resend(connection: &Connection, event_id: &str) -> Result<(), Failure> {
    connection.execute("INSERT INTO delivery (event_id, state) VALUES (?1, 'due')", [event_id])?;
    Ok(())
}

/// Lets held deliveries go, newest first if asked; returns how many.
pub(crate) fn release(connection: &Connection, is_reversed: bool) -> Result<usize, Failure> {
    if !is_reversed {
        return Ok(connection.execute("UPDATE delivery SET state = 'due' WHERE state = 'held'", [])?);
    }
    let queued = connection.execute(
        "INSERT INTO delivery (event_id, state) SELECT event_id, 'due' FROM delivery WHERE state = 'held' ORDER BY seq DESC",
        [],
    )?;
    connection.execute("DELETE FROM delivery WHERE state = 'held'", [])?;
    Ok(queued)
}

/// Lets the held deliveries of one event go.
pub(crate) fn release_event(connection: &Connection, event_id: &str) -> Result<(), Failure> {
    let sql = "UPDATE delivery SET state = 'due' WHERE state = 'held' AND event_id = ?1";
    connection.execute(sql, [event_id])?;
    Ok(())
}

/// How many deliveries of an event are still to be made.
pub(crate) fn pending(connection: &Connection, event_id: &str) -> Result<i64, Failure> {
    let sql = "SELECT count(*) FROM delivery WHERE event_id = ?1 AND state IN ('due', 'held')";
    Ok(connection.query_row(sql, [event_id], |row| row.get(0))?)
}

/// The types of recorded events that begin with a text.
pub(crate) fn types_with_prefix(connection: &Connection, prefix: &str) -> Result<Vec<String>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT DISTINCT status FROM document WHERE kind = 'event' AND substr(status, 1, length(?1)) = ?1",
    )?;
    let types = statement.query_map([prefix], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(types)
}

/// The events whose delivery is due, in order, each as often as it is to be delivered. They count as delivered.
pub(crate) fn take_due(work: &Work<'_>) -> Result<Vec<Event>, Failure> {
    let mut statement =
        work.connection.prepare_cached("SELECT event_id FROM delivery WHERE state = 'due' ORDER BY seq")?;
    let ids: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    if !ids.is_empty() {
        work.connection.execute("UPDATE delivery SET state = 'delivered' WHERE state = 'due'", [])?;
    }
    ids.iter().map(|id| work.own(id)).collect()
}

/// The delivery log, oldest first.
pub(crate) fn log(connection: &Connection) -> Result<Vec<DeliveryLine>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT delivery.seq, event_id, document.status, state, attempts, last_status, last_error \
         FROM delivery JOIN document ON document.id = event_id ORDER BY delivery.seq",
    )?;
    let lines = statement
        .query_map([], |row| {
            Ok(DeliveryLine {
                delivery: row.get(0)?,
                event: row.get(1)?,
                kind: row.get(2)?,
                state: row.get(3)?,
                attempts: row.get(4)?,
                last_status: row.get(5)?,
                last_error: row.get(6)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(lines)
}

/// The `Stripe-Signature` header of a payload.
pub(crate) fn signature(secret: &str, unix_seconds: i64, payload: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(format!("{unix_seconds}.").as_bytes());
    mac.update(payload);
    format!("t={unix_seconds},v1={}", data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes()))
}

/// A delivery that is due.
struct Due {
    seq: i64,
    attempts: u32,
    event: Event,
}

/// When deliveries may be tried, in real time; known while the sandbox runs.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    not_before: HashMap<i64, Instant>,
}

/// Delivers in the background until the sandbox stops.
pub(crate) async fn run(app: App) {
    loop {
        let next = match pass(&app, false).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "the practice processor cannot read its deliveries");
                None
            }
        };
        let wake = next.unwrap_or_else(|| Instant::now() + IDLE);
        tokio::select! {
            () = app.stopping.cancelled() => return,
            () = app.deliveries_queued.notified() => {}
            () = tokio::time::sleep_until(wake) => {}
        }
    }
}

/// Tries what is due, each delivery once; with `is_forced`, without waiting for pauses. Returns when the next one may be tried.
pub(crate) async fn pass(app: &App, is_forced: bool) -> Result<Option<Instant>, Failure> {
    // One pass at a time keeps the order.
    let mut pauses = app.pauses.lock().await;
    let mut tried = HashSet::new();
    loop {
        let Some(target) = app.webhook_target() else { return Ok(None) };
        let (manner, due) = due(app, &tried)?;
        let mut next: Option<Instant> = None;
        let mut chosen = None;
        for delivery in due {
            let ready =
                *pauses.not_before.entry(delivery.seq).or_insert_with(|| Instant::now() + manner.delay());
            if is_forced || ready <= Instant::now() {
                chosen = Some(delivery);
                break;
            }
            next = Some(next.map_or(ready, |earlier: Instant| earlier.min(ready)));
        }
        let Some(delivery) = chosen else {
            let failed_ones = tried.iter().filter_map(|seq| pauses.not_before.get(seq)).min().copied();
            return Ok(next.into_iter().chain(failed_ones).min());
        };
        tried.insert(delivery.seq);
        let outcome = send(app, &target, &delivery.event).await;
        match record(app, &delivery, &outcome)? {
            Some(pause) => pauses.not_before.insert(delivery.seq, Instant::now() + pause),
            None => pauses.not_before.remove(&delivery.seq),
        };
    }
}

/// The next due deliveries in the order they are to be made, without those tried already.
fn due(app: &App, tried: &HashSet<i64>) -> Result<(WebhookManner, Vec<Due>), Failure> {
    app.read(|work| {
        let manner: WebhookManner = store::setting(work.connection, "webhooks")?;
        let sql = match manner.mode {
            WebhookMode::Reverse => {
                "SELECT seq, attempts, event_id FROM delivery WHERE state = 'due' ORDER BY seq DESC"
            }
            _ => "SELECT seq, attempts, event_id FROM delivery WHERE state = 'due' ORDER BY seq",
        };
        let mut statement = work.connection.prepare_cached(sql)?;
        let rows: Vec<(i64, u32, String)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let due: Result<Vec<Due>, Failure> = rows
            .into_iter()
            .filter(|(seq, _, _)| !tried.contains(seq))
            .map(|(seq, attempts, event_id)| Ok(Due { seq, attempts, event: work.own(&event_id)? }))
            .collect();
        Ok((manner, due?))
    })
}

async fn send(app: &App, target: &WebhookTarget, event: &Event) -> anyhow::Result<u16> {
    let payload = events::view(event, 1).to_string().into_bytes();
    let signature = signature(&target.secret, app.clock.base_now(), &payload);
    let response = app
        .http
        .post(&target.url)
        .timeout(PATIENCE)
        .header("content-type", "application/json; charset=utf-8")
        .header("user-agent", "Stripe/1.0 (practice processor)")
        .header("stripe-signature", signature)
        .body(payload)
        .send()
        .await
        .context("the webhook address did not answer")?;
    let status = response.status().as_u16();
    if !response.status().is_success() {
        bail!("the webhook address answered {status}");
    }
    Ok(status)
}

/// Writes down how a delivery went; returns the pause before it is tried again.
fn record(app: &App, delivery: &Due, outcome: &anyhow::Result<u16>) -> Result<Option<Duration>, Failure> {
    let attempts = delivery.attempts + 1;
    let (state, status, error) = match outcome {
        Ok(status) => ("delivered", Some(*status), None),
        Err(error) if attempts < MAX_ATTEMPTS => ("due", None, Some(format!("{error:#}"))),
        Err(error) => ("failed", None, Some(format!("{error:#}"))),
    };
    app.read(|work| {
        let sql =
            "UPDATE delivery SET state = ?2, attempts = ?3, last_status = ?4, last_error = ?5 WHERE seq = ?1";
        work.connection.execute(sql, params![delivery.seq, state, attempts, status, error])?;
        Ok(())
    })?;
    if state != "due" {
        return Ok(None);
    }
    let doublings = (attempts - 1).min(10);
    Ok(Some(FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)))
}

/// Whether an event is recorded.
pub(crate) fn event_exists(connection: &Connection, event_id: &str) -> Result<bool, Failure> {
    let sql = "SELECT 1 FROM document WHERE id = ?1 AND kind = 'event'";
    Ok(connection.query_row(sql, [event_id], |_| Ok(())).optional()?.is_some())
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn a_signature_covers_the_time_and_the_payload() {
        // From another implementation of HMAC-SHA256, of "1700000000.{}".
        let signed = signature("whsec_test", 1_700_000_000, b"{}");
        assert_eq!(
            signed,
            "t=1700000000,v1=35495024f4ef3f94e5a93e22221544c4b75e9a42300cd965ab81cb85cd994e91"
        );
        assert_ne!(signed, signature("whsec_test", 1_700_000_000, b"{ }"));
        assert_ne!(signed[16..], signature("whsec_test", 1_700_000_001, b"{}")[16..]);
        assert_ne!(signed, signature("whsec_other", 1_700_000_000, b"{}"));
    }
}
