//! An event about a payout: the payout is fetched and booked as it stands.

use super::{Judged, Verdict, anomaly};
use crate::actions::reconcile_payout::{LookedAtPayout, reconcile_payout};
use crate::app::App;
use anyhow::Result;
use store::inbox::InboxEvent;

pub(super) async fn judge(app: &App, event: &InboxEvent) -> Result<Judged> {
    let name = &event.event.object_id;
    Ok(match reconcile_payout(app, event.merchant_id, name, "webhook").await? {
        LookedAtPayout::Done | LookedAtPayout::Again(_) => Judged::Is(Verdict::Applied),
        LookedAtPayout::Unanswered(next_at) => Judged::Unanswered(next_at),
        LookedAtPayout::NoSuch => {
            let detail = format!("payout {name}: an event tells of it, and the processor does not have it");
            Judged::Is(Verdict::Alarming(anomaly(&app.mint(), "payout_unknown", None, detail)))
        }
    })
}
