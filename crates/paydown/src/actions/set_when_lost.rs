//! What a lost dispute means: that the invoice is owed again, or that the merchant bears it. Chosen once for all disputes of a
//! merchant, or for one of them until it has ended.

use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::dispute::{DisputeState, LossMeaning};
use billing::ids::{AuditId, DisputeId, MerchantId};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::{disputes, payments};

/// What is chosen.
#[derive(Debug, Clone)]
pub struct SetWhenLost {
    /// Whose.
    pub merchant: MerchantId,
    /// For this dispute; `None`: for all that say nothing else.
    pub dispute: Option<DisputeId>,
    /// What a loss means; `None`, for one dispute only: what the merchant usually chooses.
    pub when_lost: Option<LossMeaning>,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why it was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotChoose {
    /// There is no such dispute.
    #[error("there is no such dispute")]
    NoSuchDispute,
    /// It was decided, and booked as it was.
    #[error("the dispute has ended: it is {}", .0.as_str())]
    Ended(DisputeState),
}

/// Chooses it; answers what holds now.
pub async fn set_when_lost(app: &App, input: SetWhenLost) -> Result<Result<LossMeaning, CannotChoose>> {
    let mint = app.mint();
    app.store.write(async move |tx: &mut Tx| in_tx(tx, &mint, &input).await).await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &SetWhenLost) -> Result<Result<LossMeaning, CannotChoose>> {
    let SetWhenLost { merchant, dispute, when_lost, actor } = input;
    let usual = disputes::when_lost(tx, *merchant).await?;
    let (act, object, before) = match dispute {
        None => {
            disputes::put_when_lost(tx, *merchant, when_lost.unwrap_or(LossMeaning::OwedAgain)).await?;
            (acts::DISPUTE_SETTINGS_SET, merchant.to_string(), Some(usual))
        }
        Some(id) => {
            let Some(found) = disputes::find(tx, *merchant, *id).await? else {
                return Ok(Err(CannotChoose::NoSuchDispute));
            };
            // Behind the lock under which disputes are booked.
            payments::lock(tx, *merchant, found.payment_id).await?;
            let found = disputes::find(tx, *merchant, *id).await?.context("a dispute is never deleted")?;
            if !found.state.is_open() {
                return Ok(Err(CannotChoose::Ended(found.state)));
            }
            disputes::set_when_lost(tx, *merchant, *id, *when_lost).await?;
            (acts::DISPUTE_SET, id.to_string(), found.when_lost)
        }
    };
    let words = |meaning: Option<LossMeaning>| json!({ "when_lost": meaning.map(LossMeaning::as_str) });
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: act.to_owned(),
        object,
        before: words(before).to_string(),
        after: words(*when_lost).to_string(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    Ok(Ok(when_lost.unwrap_or(usual)))
}
