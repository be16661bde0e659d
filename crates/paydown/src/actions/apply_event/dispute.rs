//! An event about a dispute: of a card payment it is read and booked, of a bank debit its payment is, since there it is a
//! return. One that is about no payment of ours may still be about money: a person is told.

use super::{Judged, Verdict, anomaly, is_bank_debit, payment_of, reconcile};
use crate::actions::reconcile_dispute::{Asked, reconcile_dispute};
use crate::app::App;
use anyhow::Result;
use gateway::CallError;
use store::inbox::InboxEvent;

pub(super) async fn judge(app: &App, event: &InboxEvent) -> Result<Judged> {
    let (merchant, name) = (event.merchant_id, event.event.object_id.as_str());
    if let Some(payment) = payment_of(app, event).await?
        && is_bank_debit(app, merchant, payment).await?
    {
        return reconcile(app, merchant, payment).await;
    }
    let alarming = |why: &str| {
        let detail =
            format!("the processor reports the dispute {name}, {why}; account 1200 does not show it");
        Judged::Is(Verdict::Alarming(anomaly(&app.mint(), "unknown_dispute", None, detail)))
    };
    match reconcile_dispute(app, merchant, name, "webhook").await {
        Ok(Asked::Booked(_)) => Ok(Judged::Is(Verdict::Applied)),
        Ok(Asked::Return(payment)) => reconcile(app, merchant, payment).await,
        Ok(Asked::NotOurs) => Ok(alarming("which is about no payment of this database")),
        Err(error) if is_unknown(&error) => Ok(alarming("and does not know it when it is asked")),
        Err(error) => Err(error),
    }
}

fn is_unknown(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<CallError>(), Some(CallError::Refused { status: 404, .. }))
}
