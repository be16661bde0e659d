//! Asks the processor where a refund stands, and applies what it says: by its id, else by sending the same call again under its
//! key, else, once the key may be forgotten, by the processor's list. Every path that is not sure comes here.
//!
//! Nothing is guessed from silence. A refund has failed only where the processor says so, or where its list, long after the last
//! call, has none of ours.

use crate::actions::record_refund::{RefundOutcome, record_refund};
use crate::actions::submit_attempt::SERVER_ERRORS_ARE_FINAL;
use crate::actions::submit_refund::{RefundUnsent, send_once};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{AnomalyId, MerchantId, RefundId};
use billing::refund::RefundState;
use futures::future::BoxFuture;
use gateway::{CallError, Processor, RefundFacts};
use jiff::{SignedDuration, Timestamp};
use store::anomalies::{self, Anomaly};
use store::attempts;
use store::db::Tx;
use store::refunds::{self, Approval, Refund};

/// After so long without an answer a person owns it.
const A_PERSON_OWNS_IT_AFTER: SignedDuration = SignedDuration::from_hours(5 * 24);
/// A bank that has not taken a refund after so long is a riddle too; slow ones take ten banking days.
const A_BANK_TAKES_AT_MOST: SignedDuration = SignedDuration::from_hours(30 * 24);
/// A call is sent again within this time: the processor keeps a key's first answer for a day.
const KEY_IS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(23);
/// So long after the last call no request of ours can still be on its way.
const A_CALL_ARRIVES_WITHIN: SignedDuration = SignedDuration::from_hours(1);

/// What looking came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundLooked {
    /// It is settled as far as we ask.
    Done(RefundState),
    /// Ask again then.
    Again(RefundState, Timestamp),
    /// The processor could not be asked, so nothing is known that was not known before. Ask again then.
    Unanswered(RefundState, Timestamp),
}

impl RefundLooked {
    /// The refund's state.
    pub const fn state(self) -> RefundState {
        match self {
            RefundLooked::Done(state)
            | RefundLooked::Again(state, _)
            | RefundLooked::Unanswered(state, _) => state,
        }
    }
}

/// What the processor said.
enum Answer {
    /// This is how things stand.
    Facts(Box<RefundFacts>),
    /// Its list has none of ours.
    Absent,
    /// It refuses to make it.
    Refused(CallError),
    /// It has ended meanwhile, or may not be sent.
    NotToBeSent,
}

/// Looks after a refund once. `None`: there is no such refund.
///
/// Boxed, because the compiler does not see that an `async fn` over these references is `Send` everywhere.
pub fn reconcile_refund<'a>(
    app: &'a App,
    merchant: MerchantId,
    id: RefundId,
    source: &'static str,
) -> BoxFuture<'a, Result<Option<RefundLooked>>> {
    Box::pin(look(app, merchant, id, source))
}

async fn look(
    app: &App,
    merchant: MerchantId,
    id: RefundId,
    source: &'static str,
) -> Result<Option<RefundLooked>> {
    let Some(refund) = load(app, merchant, id).await? else { return Ok(None) };
    let state = refund.state;
    if refund.channel == Channel::Bank || is_settled(&refund) || is_waiting(&refund) {
        return Ok(Some(RefundLooked::Done(state)));
    }
    let processor = app.processors.of(&app.store, &app.secrets, merchant).await?;
    let processor = processor.context("the processor was disconnected")?;
    match ask(app, &*processor, &refund).await {
        Ok(Answer::Facts(facts)) => {
            record_refund(app, RefundOutcome::of(merchant, id, &facts, source)).await?;
        }
        Ok(Answer::Refused(error)) => {
            let why = error.to_string();
            let source = "the processor refused the call";
            record_refund(app, RefundOutcome::never_made(merchant, id, why, source)).await?;
        }
        Ok(Answer::Absent) if is_proven_absent(&refund, app.clock.now()) => {
            let why = "the processor's list of refunds has none of ours".to_owned();
            record_refund(app, RefundOutcome::never_made(merchant, id, why, "reconciler")).await?;
        }
        Ok(Answer::Absent) => to_unknown(app, merchant, id).await?,
        Ok(Answer::NotToBeSent) => {}
        Err(error) => return unanswered(app, &refund, &error).await.map(Some),
    }
    after(app, merchant, id).await.map(Some)
}

async fn ask(app: &App, processor: &dyn Processor, refund: &Refund) -> Result<Answer, CallError> {
    let found = |facts| Ok(Answer::Facts(Box::new(facts)));
    if let Some(id) = &refund.learned.processor_refund_id {
        return found(processor.read_refund(id).await?);
    }
    let asked_long_ago = refund.calls > 0 && app.clock.now() > first_sent_at_latest(refund) + KEY_IS_KEPT_FOR;
    if refund.server_errors >= SERVER_ERRORS_ARE_FINAL || asked_long_ago {
        return by_list(app, processor, refund).await;
    }
    match send_once(app, processor, refund).await {
        Ok(facts) => found(facts),
        Err(RefundUnsent { is_not_to_be_sent: true, .. }) => Ok(Answer::NotToBeSent),
        Err(unsent) if unsent.proves_that_nothing_was_made() => Ok(Answer::Refused(unsent.error)),
        Err(unsent) if unsent.is_for_the_list() => by_list(app, processor, refund).await,
        Err(unsent) => Err(unsent.error),
    }
}

async fn by_list(app: &App, processor: &dyn Processor, refund: &Refund) -> Result<Answer, CallError> {
    let Some(intent) = intent_of(app, refund).await else {
        return Err(CallError::NotSent("the processor's name of the payment is not known".to_owned()));
    };
    let all = processor.list_refunds(&intent).await?;
    let ours = all.into_iter().find(|facts| facts.refund == Some(refund.id));
    Ok(ours.map_or(Answer::Absent, |facts| Answer::Facts(Box::new(facts))))
}

/// No call was made before it was asked for or approved, so a key is at most so old.
fn first_sent_at_latest(refund: &Refund) -> Timestamp {
    match &refund.approval {
        Approval::Given { at, .. } => *at,
        Approval::NotNeeded | Approval::Waiting => refund.created_at,
    }
}

async fn intent_of(app: &App, refund: &Refund) -> Option<String> {
    let (merchant, payment) = (refund.merchant, refund.payment_id?);
    let found = app.store.read(async move |tx: &mut Tx| attempts::latest(tx, merchant, payment).await).await;
    found.ok().flatten()?.payment_intent_id
}

/// Absence from the list counts where no request of ours can still be on its way.
fn is_proven_absent(refund: &Refund, now: Timestamp) -> bool {
    refund.called_at.is_none_or(|at| now > at + A_CALL_ARRIVES_WITHIN)
}

/// Neither sent nor failed: it keeps its amount, and the reconciler asks.
async fn unanswered(app: &App, refund: &Refund, error: &CallError) -> Result<RefundLooked> {
    tracing::warn!(refund = %refund.id, %error, "the processor did not answer about a refund");
    let (merchant, id, now) = (refund.merchant, refund.id, app.clock.now());
    if error.may_have_happened() && refund.learned.processor_refund_id.is_none() {
        to_unknown(app, merchant, id).await?;
    }
    let found = load(app, merchant, id).await?.context("a refund is never deleted")?;
    let waited = now.duration_since(found.created_at);
    if found.state.is_in_flight() && waited > A_PERSON_OWNS_IT_AFTER {
        hand_to_person(app, &found).await?;
    }
    let asked_to_wait = match error {
        CallError::RateLimited { retry_after_seconds } => {
            SignedDuration::from_secs(i64::from(*retry_after_seconds))
        }
        _ => SignedDuration::ZERO,
    };
    Ok(RefundLooked::Unanswered(found.state, now + pause(waited).max(asked_to_wait)))
}

/// Only a refund whose call was being made becomes unknown; the counters of its calls stay as they are.
async fn to_unknown(app: &App, merchant: MerchantId, id: RefundId) -> Result<()> {
    let now = app.clock.now();
    app.store.write(async move |tx: &mut Tx| unknown_in_tx(tx, merchant, id, now).await).await
}

async fn unknown_in_tx(tx: &mut Tx, merchant: MerchantId, id: RefundId, now: Timestamp) -> Result<()> {
    let found = refunds::lock(tx, merchant, id).await?.context("a refund is never deleted")?;
    if found.state != RefundState::Submitting {
        return Ok(());
    }
    refunds::set_state(tx, &found, RefundState::Unknown, "the processor did not answer", now).await
}

/// Decides when to look again.
async fn after(app: &App, merchant: MerchantId, id: RefundId) -> Result<RefundLooked> {
    let refund = load(app, merchant, id).await?.context("a refund is never deleted")?;
    let now = app.clock.now();
    if !refund.state.is_in_flight() || is_waiting(&refund) {
        return Ok(RefundLooked::Done(refund.state));
    }
    let waited = now.duration_since(refund.created_at);
    let patience = match refund.state {
        RefundState::Pending => A_BANK_TAKES_AT_MOST,
        _ => A_PERSON_OWNS_IT_AFTER,
    };
    if waited > patience {
        hand_to_person(app, &refund).await?;
    }
    Ok(RefundLooked::Again(refund.state, now + pause(waited)))
}

/// It ended without money; of one that was paid a hint may still say that it came back.
const fn is_settled(refund: &Refund) -> bool {
    matches!(refund.state, RefundState::Failed | RefundState::Canceled)
}

fn is_waiting(refund: &Refund) -> bool {
    refund.state == RefundState::Requested && refund.approval == Approval::Waiting
}

/// 5 s, 1 min, 5 min, 1 h, then daily.
fn pause(waited: SignedDuration) -> SignedDuration {
    match waited.as_secs() {
        ..60 => SignedDuration::from_secs(5),
        60..300 => SignedDuration::from_mins(1),
        300..3_600 => SignedDuration::from_mins(5),
        3_600..86_400 => SignedDuration::from_hours(1),
        _ => SignedDuration::from_hours(24),
    }
}

async fn load(app: &App, merchant: MerchantId, id: RefundId) -> Result<Option<Refund>> {
    app.store.read(async move |tx: &mut Tx| refunds::find(tx, merchant, id).await).await
}

async fn hand_to_person(app: &App, refund: &Refund) -> Result<()> {
    let (mint, merchant, payment_id) = (app.mint(), refund.merchant, refund.payment_id);
    let days = match refund.state {
        RefundState::Pending => "thirty",
        _ => "five",
    };
    let anomaly = Anomaly {
        id: mint.id(AnomalyId::new),
        kind: "refund_unresolved".to_owned(),
        payment_id,
        detail: format!("the processor has not said for {days} days how refund {} ended", refund.id),
        at: mint.now,
    };
    let insert = async move |tx: &mut Tx| anomalies::insert_once(tx, merchant, &anomaly).await.map(drop);
    app.store.write(insert).await
}
