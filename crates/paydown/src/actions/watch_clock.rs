//! Notices where our clock and a processor's differ, as the dates of its answers tell: named in the log, in the figures for
//! operators, and to a person, until it is right again.
//!
//! It never corrects a time. When something happened is said by the processor's own objects; what suffers is what hangs on our
//! clock alone: webhooks are refused that look too old, links and codes end early or late.

use crate::actions::close_anomaly::{CloseAnomaly, close_anomaly};
use crate::app::App;
use anyhow::Result;
use billing::ids::{AnomalyId, MerchantId};
use jiff::SignedDuration;
use store::anomalies::{self, Anomaly};
use store::db::Tx;

/// The kind of the anomaly.
pub const CLOCK_DIFFERS: &str = "clock_differs";

/// From here on it is logged. The processor tells whole seconds, and an answer takes a while.
const NOTICED_FROM: SignedDuration = SignedDuration::from_secs(10);
/// From here on a person is told. Webhooks are refused at five minutes.
const TOLD_FROM: SignedDuration = SignedDuration::from_secs(60);
/// Who closes it again.
const ACTOR: &str = "program";

/// Compares the clocks as the processor's last answer told, and says so where they differ.
pub async fn watch_clock(app: &App, merchant: MerchantId) -> Result<()> {
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let Some(ahead) = processor.and_then(|processor| processor.clock_skew()) else { return Ok(()) };
    let before = app.processors.keep_clock(merchant, ahead);
    let seconds = ahead.as_secs();
    if ahead.abs() >= NOTICED_FROM {
        tracing::warn!(%merchant, ahead_seconds = seconds, "our clock and the processor's differ");
    }
    let was_wrong = before.is_some_and(|before| before.abs() >= TOLD_FROM);
    match ahead.abs() >= TOLD_FROM {
        true => tell(app, merchant, ahead).await,
        // A process that begins with a right clock takes back what it said before its start, if nobody else may be saying it.
        false if was_wrong || (before.is_none() && app.store.is_only_server()) => {
            take_back(app, merchant).await
        }
        false => Ok(()),
    }
}

/// The same words for as long as it lasts, so that they are said once.
async fn tell(app: &App, merchant: MerchantId, ahead: SignedDuration) -> Result<()> {
    let way = if ahead.is_positive() { "ahead of" } else { "behind" };
    let mint = app.mint();
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: CLOCK_DIFFERS.to_owned(),
        payment_id: None,
        detail: format!(
            "the clock of this machine is more than a minute {way} the processor's; set it by the network, or webhooks will be \
             refused as too old or too new"
        ),
        at: mint.now,
    };
    let told = async move |tx: &mut Tx| anomalies::insert_once(tx, merchant, &anomaly).await;
    app.store.write(told).await.map(drop)
}

async fn take_back(app: &App, merchant: MerchantId) -> Result<()> {
    let open = async move |tx: &mut Tx| anomalies::open_of_kind(tx, merchant, CLOCK_DIFFERS).await;
    for anomaly in app.store.read(open).await? {
        let note = "the clocks agree again".to_owned();
        let input = CloseAnomaly { merchant, anomaly: anomaly.id, note, actor: ACTOR.to_owned() };
        // Closed by somebody meanwhile: that is what was wanted.
        let _closed = close_anomaly(app, input).await?;
    }
    Ok(())
}
