//! `paydown doctor`: what waits, since when, and what a person has to look at. Reads only; whether the books are right is
//! `verify`'s to say.

use super::anomalies::{anomaly_json, anomaly_line};
use super::world::{At, Exit};
use anyhow::Result;
use serde_json::{Value, json};
use store::anomalies::{self, Anomaly};
use store::backlog::{self, Backlog, Waiting};
use store::db::Tx;
use store::merchants;

/// Open anomalies shown of each merchant, the newest.
const SHOWN: i64 = 50;

pub(super) async fn doctor(at: &mut At<'_>) -> Result<Exit> {
    let config = at.config()?;
    let store = at.store(&config).await?;
    let now = at.world.clock.now();
    let (backlog, found) = store
        .report(async move |tx: &mut Tx| {
            let mut found = Vec::new();
            for merchant in merchants::all(tx).await? {
                for anomaly in anomalies::newest_open(tx, merchant.id, SHOWN).await? {
                    found.push((merchant.slug.clone(), anomaly));
                }
            }
            Ok((backlog::read(tx, now).await?, found))
        })
        .await?;
    at.tell(&as_json(&backlog, &found), || as_text(&backlog, &found))?;
    Ok(Exit::Done)
}

fn as_json(backlog: &Backlog, found: &[(String, Anomaly)]) -> Value {
    let waiting = |waiting: &Waiting| json!({ "count": waiting.count, "oldest_at": waiting.oldest_at.map(|at| at.to_string()) });
    let list = found.iter().map(|(slug, anomaly)| {
        let mut json = anomaly_json(anomaly);
        json["merchant"] = json!(slug);
        json
    });
    json!({
        "jobs_due": waiting(&backlog.jobs),
        "mails_waiting": waiting(&backlog.mails),
        "events_waiting": waiting(&backlog.events),
        "events_parked": backlog.parked_events,
        "anomalies": backlog.anomalies,
        "newest_anomalies": list.collect::<Vec<Value>>(),
    })
}

fn as_text(backlog: &Backlog, found: &[(String, Anomaly)]) -> String {
    let mut text = String::new();
    for (what, waiting) in [
        ("Jobs due", &backlog.jobs),
        ("Mails waiting", &backlog.mails),
        ("Processor events waiting", &backlog.events),
    ] {
        let since = waiting.oldest_at.map(|at| format!(", the oldest since {at}")).unwrap_or_default();
        text.push_str(&format!("{what}: {}{since}\n", waiting.count));
    }
    text.push_str(&format!("Processor events left to a person: {}\n", backlog.parked_events));
    text.push_str(&format!("Open anomalies: {}\n", backlog.anomalies));
    for (slug, anomaly) in found {
        text.push_str(&format!("{slug} {}", anomaly_line(anomaly)));
    }
    if !found.is_empty() {
        text.push_str("`paydown anomaly close ID --note …` when somebody has seen to one.\n");
    }
    text
}
