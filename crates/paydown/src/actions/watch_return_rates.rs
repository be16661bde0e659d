//! How many bank debits in the United States came back of those sent within 60 days, against the ceilings of the network. Half of
//! a ceiling is worth a person's look. It stops nobody.

use crate::app::App;
use anyhow::Result;
use billing::bank_return::{Ceiling, DebitCounts, Level, RateClass, ReturnKind, WINDOW_DAYS};
use billing::ids::{AnomalyId, MerchantId};
use billing::payment::Method;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use store::anomalies::{self, Anomaly};
use store::db::Tx;
use store::sent_debits;

/// The work that counts after a return.
pub(super) const WATCH_RETURN_RATES_JOB: &str = "watch_return_rates";

/// How many debits were sent by now, and how many of them came back.
pub async fn debit_counts(tx: &mut Tx, merchant: MerchantId, now: Timestamp) -> Result<DebitCounts> {
    let from = now - SignedDuration::from_hours(24 * WINDOW_DAYS);
    let debits = sent_debits::since(tx, merchant, Method::UsBankAccount, from).await?;
    let debits =
        debits.iter().map(|debit| (debit.sent_at, debit.returned.as_deref().map(ReturnKind::of_code)));
    Ok(DebitCounts::of(debits, now))
}

/// Counts, and tells a person of every ceiling that is half reached or passed; of the same once a month.
pub(super) async fn watch_return_rates(app: &App, merchant: MerchantId) -> Result<()> {
    let mint = app.mint();
    let counts =
        app.store.report(async move |tx: &mut Tx| debit_counts(tx, merchant, mint.now).await).await?;
    let mint = app.mint();
    let month = mint.now.to_zoned(TimeZone::UTC).strftime("%Y-%m").to_string();
    let alarms: Vec<String> = counts
        .levels()
        .into_iter()
        .filter(|(_, level)| *level != Level::Fine)
        .map(|(ceiling, level)| alarm(&month, ceiling, level))
        .collect();
    app.store
        .write(async move |tx: &mut Tx| {
            for detail in &alarms {
                let anomaly = Anomaly {
                    id: mint.id(AnomalyId::new),
                    kind: "return_rate".to_owned(),
                    payment_id: None,
                    detail: detail.clone(),
                    at: mint.now,
                };
                anomalies::insert_once(tx, merchant, &anomaly).await?;
            }
            Ok(())
        })
        .await
}

/// The same words all month, so that they are said once.
fn alarm(month: &str, ceiling: Ceiling, level: Level) -> String {
    let how = match level {
        Level::Exceeded => "more than",
        Level::Warned | Level::Fine => "half or more of",
    };
    let what = match ceiling.class {
        RateClass::Unauthorized => "for lack of leave",
        RateClass::Administrative => "for a wrong or closed account",
        RateClass::Overall => "for any reason",
    };
    let (whole, tenth) = (ceiling.per_mille / 10, ceiling.per_mille % 10);
    format!(
        "{month}: bank debits of the last {WINDOW_DAYS} days came back {what}: {how} the ceiling of {whole}.{tenth} %; \
         `paydown doctor` has the counts"
    )
}
