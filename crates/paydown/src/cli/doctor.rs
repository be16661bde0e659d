//! `paydown doctor`: what waits, since when, and what a person has to look at. Reads only; whether the books are right is
//! `verify`'s to say.

use super::anomalies::{anomaly_json, anomaly_line};
use super::world::{At, Exit};
use crate::actions::watch_return_rates::debit_counts;
use anyhow::Result;
use billing::bank_return::{DebitCounts, Level, WINDOW_DAYS};
use serde_json::{Value, json};
use store::anomalies::{self, Anomaly};
use store::backlog::{self, Backlog, Late, Waiting};
use store::db::Tx;
use store::merchants;

/// Open anomalies shown of each merchant, the newest.
const SHOWN: i64 = 50;

pub(super) async fn doctor(at: &mut At<'_>) -> Result<Exit> {
    let config = at.config()?;
    let store = at.store(&config).await?;
    let now = at.world.clock.now();
    let ((backlog, late), found, rates) = store
        .report(async move |tx: &mut Tx| {
            let (mut found, mut rates) = (Vec::new(), Vec::new());
            for merchant in merchants::all(tx).await? {
                let counts = debit_counts(tx, merchant.id, now).await?;
                if counts.originated > 0 {
                    rates.push((merchant.slug.clone(), counts));
                }
                for anomaly in anomalies::newest_open(tx, merchant.id, SHOWN).await? {
                    found.push((merchant.slug.clone(), anomaly));
                }
            }
            Ok(((backlog::read(tx, now).await?, backlog::late(tx).await?), found, rates))
        })
        .await?;
    let mut json = as_json(&backlog, &late, &found);
    json["bank_debits"] = rates.iter().map(|(slug, counts)| rates_json(slug, counts)).collect();
    at.tell(&json, || {
        let mut text = as_text(&backlog, &late, &found);
        text.extend(rates.iter().map(|(slug, counts)| rates_line(slug, counts)));
        text
    })?;
    Ok(Exit::Done)
}

fn as_json(backlog: &Backlog, late: &Late, found: &[(String, Anomaly)]) -> Value {
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
        "unsealed": waiting(&late.unsealed),
        "payments_unknown": waiting(&late.unknown_payments),
        "payments_unconfirmed": waiting(&late.unconfirmed_payments),
        "payments_proposed": waiting(&late.proposed_payments),
        "anomalies": backlog.anomalies,
        "newest_anomalies": list.collect::<Vec<Value>>(),
    })
}

fn as_text(backlog: &Backlog, late: &Late, found: &[(String, Anomaly)]) -> String {
    let mut text = String::new();
    for (what, waiting) in [
        ("Jobs due", &backlog.jobs),
        ("Mails waiting", &backlog.mails),
        ("Processor events waiting", &backlog.events),
        ("Postings and audit rows not sealed yet", &late.unsealed),
        ("Payments whose outcome is unknown", &late.unknown_payments),
        ("Payments that a second person has to settle by hand", &late.proposed_payments),
        ("Payments settled by hand that the processor has not confirmed", &late.unconfirmed_payments),
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

fn rates_json(slug: &str, counts: &DebitCounts) -> Value {
    let levels = counts.levels().map(|(ceiling, level)| {
        json!({
            "class": ceiling.class.as_str(),
            "returned": counts.of_class(ceiling.class),
            "rate_millionths": counts.rate_millionths(ceiling.class),
            "ceiling_millionths": ceiling.per_mille * 1_000,
            "level": word(level),
        })
    });
    json!({ "merchant": slug, "days": WINDOW_DAYS, "sent": counts.originated, "returns": levels })
}

fn rates_line(slug: &str, counts: &DebitCounts) -> String {
    let mut text = format!("{slug} US bank debits sent within {WINDOW_DAYS} days: {}", counts.originated);
    for (ceiling, level) in counts.levels() {
        let (returned, per_mille) = (counts.of_class(ceiling.class), ceiling.per_mille);
        let class = ceiling.class.as_str();
        text.push_str(&format!(
            "; {class} returns {returned} of {}.{} % ({})",
            per_mille / 10,
            per_mille % 10,
            word(level)
        ));
    }
    text.push('\n');
    text
}

const fn word(level: Level) -> &'static str {
    match level {
        Level::Fine => "fine",
        Level::Warned => "half of the ceiling or more",
        Level::Exceeded => "above the ceiling",
    }
}
