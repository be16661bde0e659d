//! The call of a refund: what was stored is sent to the processor under its stored key. No transaction is open meanwhile.
//!
//! Unlike a hosted page a refund moves money when it is made: one that was not answered is neither sent nor failed. It keeps its
//! amount, is never sent under another key, and the reconciler asks.

use crate::actions::left_of_payment::is_disputed;
use crate::actions::reconcile_refund::{RefundLooked, reconcile_refund};
use crate::app::App;
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{MerchantId, RefundId};
use billing::payment::PaymentState;
use billing::refund::RefundState;
use gateway::{CallError, Processor, RefundFacts, StoredCall};
use store::db::Tx;
use store::payments;
use store::refunds::{self, Approval, Refund};

/// Sends a refund that was asked for, if it may be sent; answers where it stands then.
pub async fn submit_refund(app: &App, merchant: MerchantId, id: RefundId) -> Result<RefundState> {
    let looked = reconcile_refund(app, merchant, id, "the call was answered").await?;
    looked.map(RefundLooked::state).with_context(|| format!("there is no refund {id}"))
}

/// The same in a task of its own, for whoever does not wait. What goes wrong is made good by the job that was stored with it.
pub fn send_in_background(app: &App, refund: &Refund) {
    if refund.channel == Channel::Bank || refund.approval == Approval::Waiting {
        return;
    }
    let (own, merchant, id) = (app.clone(), refund.merchant, refund.id);
    app.tasks.spawn(async move {
        if let Err(error) = submit_refund(&own, merchant, id).await {
            tracing::warn!(refund = %id, error = format!("{error:#}"), "a refund was not sent at once");
        }
    });
}

/// A sending that brought no facts.
#[derive(Debug)]
pub(super) struct RefundUnsent {
    /// Why.
    pub(super) error: CallError,
    /// How often the call was sent by then, this time included.
    pub(super) calls: i64,
    /// True if the refund has ended meanwhile, or may not be sent.
    pub(super) is_not_to_be_sent: bool,
}

impl RefundUnsent {
    /// True if the processor settled that no refund was made. A refusal that is about our account is mended by whoever looks
    /// after the account, and no refusal says anything of an earlier sending.
    pub(super) const fn proves_that_nothing_was_made(&self) -> bool {
        let about_our_account = matches!(self.error, CallError::Refused { status: 401 | 403 | 404, .. });
        self.error.is_definitive() && self.calls <= 1 && !about_our_account
    }

    /// True if it was refused now and sent before: the list knows what became of the earlier sending.
    pub(super) const fn is_for_the_list(&self) -> bool {
        self.error.is_definitive() && self.calls > 1
    }
}

/// Sends it once, noting that it is sent and what kind of error came back.
pub(super) async fn send_once(
    app: &App,
    processor: &dyn Processor,
    refund: &Refund,
) -> Result<RefundFacts, RefundUnsent> {
    let not_sent = |words: String, is_not_to_be_sent| RefundUnsent {
        error: CallError::NotSent(words),
        calls: refund.calls,
        is_not_to_be_sent,
    };
    let Some(call) = &refund.call else {
        return Err(not_sent("it has no call of ours".to_owned(), true));
    };
    let calls = match note_call(app, refund).await {
        Ok(Some(calls)) => calls,
        Ok(None) => return Err(not_sent("it has ended, or may not be sent".to_owned(), true)),
        Err(error) => return Err(not_sent(format!("the call could not be noted: {error:#}"), false)),
    };
    let stored = StoredCall { route: call.route.clone(), body: call.body.clone() };
    let answer = processor.send_refund(&stored, &call.processor_key).await;
    if matches!(answer, Err(CallError::ServerError { .. })) {
        let (merchant, id) = (refund.merchant, refund.id);
        let noted =
            app.store.write(async move |tx: &mut Tx| refunds::note_server_error(tx, merchant, id).await);
        if let Err(error) = noted.await {
            tracing::error!(refund = %id, %error, "a server error could not be noted");
        }
    }
    answer.map_err(|error| RefundUnsent { error, calls, is_not_to_be_sent: false })
}

/// Notes that the call is made; answers how often it was by now. One that nothing was sent of yet is not sent any more once its
/// payment has been taken back, and stays as it is while a dispute of it is open.
async fn note_call(app: &App, refund: &Refund) -> Result<Option<i64>> {
    let (merchant, id, now) = (refund.merchant, refund.id, app.clock.now());
    app.store
        .write(async move |tx: &mut Tx| {
            let refund = refunds::lock(tx, merchant, id).await?.context("a refund is never deleted")?;
            match refund.state {
                RefundState::Requested if refund.approval == Approval::Waiting => return Ok(None),
                RefundState::Requested => {
                    let payment = refund.payment_id.context("what a processor carries is of a payment")?;
                    let payment = payments::find(tx, merchant, payment).await?.context("its payment")?;
                    if !matches!(payment.state, PaymentState::Succeeded | PaymentState::ChargedBack) {
                        return Ok(None);
                    }
                    if is_disputed(tx, &payment).await? {
                        return Ok(None);
                    }
                    let why = "it is sent to the processor";
                    refunds::set_state(tx, &refund, RefundState::Submitting, why, now).await?;
                }
                RefundState::Submitting | RefundState::Unknown => {}
                _ => return Ok(None),
            }
            refunds::note_call(tx, merchant, id, now).await.map(Some)
        })
        .await
}
