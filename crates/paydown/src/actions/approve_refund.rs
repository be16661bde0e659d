//! A refund above the merchant's limit is approved by a second person, or refused by anybody. What is refused is withdrawn before it
//! was sent: what it took is the customer's credit, and goes back to its invoice by itself; a credit note made with it stands.

use crate::actions::left_of_payment::is_disputed;
use crate::actions::once::{self, Once, Ran};
use crate::actions::record_refund::{Locked, lock, move_to, tell};
use crate::actions::request_refund::{REASON_LIMIT, Requested};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{AuditId, JobId, MerchantId, RefundId};
use billing::refund::RefundState;
use serde_json::json;
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::jobs;
use store::refunds::{self, Approval, Refund};
use store::verify::holds_card_number;

/// Who says what about which refund.
#[derive(Debug, Clone)]
pub struct JudgeRefund {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub refund: RefundId,
    /// Who, for the audit trail.
    pub actor: String,
}

/// Why nothing was approved or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotJudge {
    /// The merchant has none.
    #[error("there is no such refund")]
    NoSuchRefund,
    /// It waits for nobody.
    #[error("the refund is {}: it waits for no approval", .0.as_str())]
    NotWaiting(RefundState),
    /// Something was sent, or it has ended.
    #[error("the refund is {}: only one of which nothing was sent is withdrawn", .0.as_str())]
    Sent(RefundState),
    /// Whoever asked for it cannot be the second person.
    #[error("who asked for a refund cannot approve it; a second person has to")]
    SamePerson,
    /// The bank decides about its money right now.
    #[error("a dispute of the payment is open; its money is with the bank until that ends")]
    Disputed,
    /// Nobody would know later why.
    #[error("the reason is empty, has more than {REASON_LIMIT} characters, or holds a card number")]
    Reason,
}

struct Judging {
    input: JudgeRefund,
    secrets: Arc<SecretKey>,
    /// `None`: it is approved.
    refused_because: Option<String>,
    once: Option<Once<Requested>>,
}

/// A second person approves a refund. It is to be sent next.
pub async fn approve_refund(
    app: &App,
    input: JudgeRefund,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotJudge>> {
    judge(app, input, None, once).await
}

/// A refund of which nothing was sent is refused, or withdrawn by who asked for it.
pub async fn refuse_refund(
    app: &App,
    input: JudgeRefund,
    reason: String,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotJudge>> {
    judge(app, input, Some(reason), once).await
}

async fn judge(
    app: &App,
    input: JudgeRefund,
    refused_because: Option<String>,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotJudge>> {
    let (mint, secrets) = (app.mint(), Arc::clone(&app.secrets));
    let judging = Judging { input, secrets, refused_because, once };
    app.store
        .write(async move |tx: &mut Tx| {
            let (merchant, once) = (judging.input.merchant, judging.once.as_ref());
            if let Some(before) = once::begin(tx, &mint, merchant, once).await? {
                return Ok(before);
            }
            let outcome = in_tx(tx, &mint, &judging).await?;
            once::end(tx, merchant, once, outcome).await
        })
        .await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, judging: &Judging) -> Result<Result<Requested, CannotJudge>> {
    let JudgeRefund { merchant, refund, .. } = judging.input;
    let Some(locked) = lock(tx, merchant, refund).await? else {
        return Ok(Err(CannotJudge::NoSuchRefund));
    };
    let refusal = match &judging.refused_because {
        None => approve(tx, mint, judging, &locked).await?,
        Some(reason) => refuse(tx, mint, judging, &locked, reason).await?,
    };
    if let Err(why) = refusal {
        return Ok(Err(why));
    }
    let refund = refunds::find(tx, merchant, refund).await?.context("a refund is never deleted")?;
    Ok(Ok(Requested { refund, parts: locked.parts }))
}

async fn approve(
    tx: &mut Tx,
    mint: &Mint,
    judging: &Judging,
    locked: &Locked,
) -> Result<Result<(), CannotJudge>> {
    let (refund, actor) = (&locked.refund, &judging.input.actor);
    if refund.state != RefundState::Requested || refund.approval != Approval::Waiting {
        return Ok(Err(CannotJudge::NotWaiting(refund.state)));
    }
    if refund.requested_by == *actor {
        return Ok(Err(CannotJudge::SamePerson));
    }
    if let Some(payment) = &locked.payment
        && is_disputed(tx, payment).await?
    {
        return Ok(Err(CannotJudge::Disputed));
    }
    let approved = refunds::approve(tx, refund.merchant, refund.id, actor, mint.now).await?;
    anyhow::ensure!(approved, "refund {} changed while it was locked", refund.id);
    if refund.channel != Channel::Bank {
        let (job, subject) = (mint.id(JobId::new), refund.id.to_string());
        jobs::enqueue(tx, refund.merchant, job, "reconcile_refund", &subject, mint.now, mint.now).await?;
    }
    tell(tx, mint, refund, &locked.parts, "refund.approved").await?;
    note(tx, mint, judging, refund, (acts::REFUND_APPROVE, json!({ "approval": "given" }))).await?;
    Ok(Ok(()))
}

async fn refuse(
    tx: &mut Tx,
    mint: &Mint,
    judging: &Judging,
    locked: &Locked,
    reason: &str,
) -> Result<Result<(), CannotJudge>> {
    let refund = &locked.refund;
    let too_long = reason.chars().nth(REASON_LIMIT).is_some();
    if reason.trim().is_empty() || too_long || holds_card_number(reason) {
        return Ok(Err(CannotJudge::Reason));
    }
    if refund.state != RefundState::Requested {
        return Ok(Err(CannotJudge::Sent(refund.state)));
    }
    move_to(tx, mint, &judging.secrets, locked, (RefundState::Canceled, "it was refused")).await?;
    let said = json!({ "state": "canceled", "reason": reason.trim() });
    note(tx, mint, judging, refund, (acts::REFUND_REFUSE, said)).await?;
    Ok(Ok(()))
}

async fn note(
    tx: &mut Tx,
    mint: &Mint,
    judging: &Judging,
    refund: &Refund,
    (act, after): (&str, serde_json::Value),
) -> Result<()> {
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: judging.input.actor.clone(),
        act: act.to_owned(),
        object: refund.id.to_string(),
        before: json!({ "state": refund.state.as_str(), "approval": refund.approval.as_str() }).to_string(),
        after: after.to_string(),
        at: mint.now,
    };
    audit::append(tx, refund.merchant, &row).await
}
