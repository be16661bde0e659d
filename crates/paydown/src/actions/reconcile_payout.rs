//! Asks the processor where a payout stands and what it is made of, and books both. A webhook, the reading of the
//! processor's list, and the clock come here.
//!
//! Where the money went is booked whatever the items are: they only prove it. A line that belongs to nothing in the books is
//! looked up at the processor; where that does not help, the payout stays as not reconciled and a person is told which line
//! it is.

mod book;
mod items;
mod lines;

use crate::app::App;
use crate::processors::STRIPE;
use anyhow::{Context as _, Result};
use billing::ids::MerchantId;
use billing::payout::PayoutState;
use futures::future::BoxFuture;
use gateway::CallError;
use jiff::{SignedDuration, Timestamp};
use store::db::Tx;
use store::payouts::{self, Payout};

/// The job that looks after a payout; its subject is the processor's name of it.
pub const RECONCILE_PAYOUT_JOB: &str = "reconcile_payout";

/// A bank may send a payout back days after it took it; so long after its day we look without being told.
const MAY_COME_BACK_FOR: SignedDuration = SignedDuration::from_hours(10 * 24);
/// A payout that is not reconciled after so long is left to the person who was told of it.
const ITEMS_ARE_AWAITED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Where the processor could not be asked.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// What looking at a payout came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LookedAtPayout {
    /// It needs no more looking after, unless somebody hints at it.
    Done,
    /// Look again then.
    Again(Timestamp),
    /// The processor could not be asked, so nothing is known that was not known before. Ask again then.
    Unanswered(Timestamp),
    /// The processor has no such payout.
    NoSuch,
}

/// Looks after a payout once; `name` is the processor's name of it.
///
/// Boxed, because a payout that came back is an item of another one, which looks after it.
pub fn reconcile_payout<'a>(
    app: &'a App,
    merchant: MerchantId,
    name: &'a str,
    source: &'static str,
) -> BoxFuture<'a, Result<LookedAtPayout>> {
    Box::pin(async move {
        match look(app, merchant, name, source).await {
            Ok(looked) => Ok(looked),
            Err(error) => match error.downcast_ref::<CallError>() {
                Some(why) => {
                    tracing::warn!(payout = name, error = %why, "the processor could not be asked about a payout");
                    let asked_to_wait = match why {
                        CallError::RateLimited { retry_after_seconds } => {
                            SignedDuration::from_secs(i64::from(*retry_after_seconds))
                        }
                        _ => SignedDuration::ZERO,
                    };
                    Ok(LookedAtPayout::Unanswered(app.clock.now() + ASK_AGAIN_AFTER.max(asked_to_wait)))
                }
                None => Err(error),
            },
        }
    })
}

async fn look(app: &App, merchant: MerchantId, name: &str, source: &'static str) -> Result<LookedAtPayout> {
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    let facts = match processor.read_payout(name).await {
        Err(CallError::Refused { status: 404, .. }) => return Ok(LookedAtPayout::NoSuch),
        facts => facts?,
    };
    let own_line = match (&facts.line_id, find(app, merchant, name).await?) {
        (Some(line), None) => Some(processor.read_line(line).await?),
        _ => None,
    };
    let told = book::Told { merchant, facts, own_line, source };
    let mut payout = book::book(app, told).await?;
    if payout.is_automatic && payout.reconciled_at.is_none() {
        items::reconcile(app, merchant, processor, &payout).await?;
        payout = find(app, merchant, name).await?.context("a payout is never deleted")?;
    }
    Ok(after(&payout, app.clock.now()))
}

async fn find(app: &App, merchant: MerchantId, name: &str) -> Result<Option<Payout>> {
    let name = name.to_owned();
    let read = async move |tx: &mut Tx| payouts::find_by_processor_id(tx, merchant, STRIPE, &name).await;
    app.store.read(read).await
}

/// Decides when to look again.
fn after(payout: &Payout, now: Timestamp) -> LookedAtPayout {
    let waited = now.duration_since(payout.made_at);
    let awaits_items = payout.is_automatic && payout.reconciled_at.is_none();
    if awaits_items && waited < ITEMS_ARE_AWAITED_FOR {
        return LookedAtPayout::Again(now + pause(waited));
    }
    match payout.state {
        PayoutState::Pending | PayoutState::InTransit => {
            let late = now.duration_since(payout.arrives_at);
            LookedAtPayout::Again((now + pause(late)).max(payout.arrives_at))
        }
        PayoutState::Paid if now < payout.arrives_at + MAY_COME_BACK_FOR => {
            LookedAtPayout::Again(now + SignedDuration::from_hours(24))
        }
        PayoutState::Paid | PayoutState::Failed | PayoutState::Canceled => LookedAtPayout::Done,
    }
}

/// 5 min, 1 h, then daily.
fn pause(waited: SignedDuration) -> SignedDuration {
    match waited.as_secs() {
        ..3_600 => SignedDuration::from_mins(5),
        3_600..86_400 => SignedDuration::from_hours(1),
        _ => SignedDuration::from_hours(24),
    }
}
