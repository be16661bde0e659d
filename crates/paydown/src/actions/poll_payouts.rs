//! Reads the processor's own list of payouts, which finds those that no event told of. Each is looked after by the same job as
//! any other.
//!
//! It is read from an hour before the youngest payout that we know, so that nothing has to be remembered about the reading.

use crate::actions::reconcile_payout::RECONCILE_PAYOUT_JOB;
use crate::app::App;
use crate::processors::STRIPE;
use anyhow::Result;
use billing::ids::{JobId, MerchantId};
use gateway::{PayoutFacts, Span};
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::payouts;
use store::{jobs, processor_accounts};

/// The list is read again from so long before the youngest payout that is known.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// Payouts are daily at most in many accounts: the list is read once in so long.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// Reads a merchant's list of payouts, unless this process did so less than an hour ago, and asks that those which are new or
/// have moved be looked after. Answers how many.
pub async fn poll_payouts(app: &App, merchant: MerchantId) -> Result<usize> {
    let now = app.clock.now();
    if !app.processors.is_due_to_read_payouts(merchant, now, EVERY) {
        return Ok(0);
    }
    let since = app
        .store
        .read(async move |tx: &mut Tx| {
            let account = processor_accounts::find(tx, merchant, STRIPE).await?;
            let last = payouts::last_made_at(tx, merchant, STRIPE).await?;
            Ok(last.or(account.map(|account| account.connected_at)))
        })
        .await?;
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let (Some(since), Some(processor)) = (since, processor) else { return Ok(0) };
    let mut count = 0;
    let mut span = Some(Span { from: since.min(now) - OVERLAP, to: None });
    while let Some(part) = span {
        let list = processor.list_payouts(part).await?;
        count += ask_for(app, merchant, list.payouts, now).await?;
        span = list.rest;
    }
    app.processors.payouts_were_read(merchant, now);
    Ok(count)
}

async fn ask_for(app: &App, merchant: MerchantId, listed: Vec<PayoutFacts>, now: Timestamp) -> Result<usize> {
    let moved = app
        .store
        .read(async move |tx: &mut Tx| {
            let mut moved = Vec::new();
            for facts in &listed {
                let known = payouts::find_by_processor_id(tx, merchant, STRIPE, &facts.id).await?;
                if known.is_none_or(|payout| payout.state.may_become(facts.state)) {
                    moved.push(facts.id.clone());
                }
            }
            Ok(moved)
        })
        .await?;
    let count = moved.len();
    if count > 0 {
        let mint = app.mint();
        let ask = async move |tx: &mut Tx| {
            for name in &moved {
                let job = mint.id(JobId::new);
                jobs::enqueue(tx, merchant, job, RECONCILE_PAYOUT_JOB, name, now, now).await?;
            }
            Ok(())
        };
        app.store.write(ask).await?;
    }
    Ok(count)
}
