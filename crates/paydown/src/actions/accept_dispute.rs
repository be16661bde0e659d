//! A dispute is let be: the wish is stored here, and told to the processor by [`crate::actions::answer_dispute`]. It is lost as
//! soon as the processor says so, and not before.

use crate::actions::answer_dispute::{ANSWER_JOB, standing};
use crate::actions::once::{self, Once, Ran};
use crate::actions::submit_evidence::{Submitted, told};
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::evidence::WhyNotNow;
use billing::ids::{AuditId, DisputeId, JobId, MerchantId};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::{evidence, jobs, payments};

/// Which dispute is let be.
#[derive(Debug, Clone)]
pub struct AcceptDispute {
    /// Whose.
    pub merchant: MerchantId,
    /// Which.
    pub dispute: DisputeId,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// Why it was not. Nothing was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotAccept {
    /// There is no such dispute.
    #[error("there is no such dispute")]
    NoSuchDispute,
    /// It has ended, or somebody has accepted it.
    #[error(transparent)]
    NotNow(#[from] WhyNotNow),
}

/// Stores the wish, to be told by the job that this asks for.
pub async fn accept_dispute(
    app: &App,
    input: AcceptDispute,
    once: Option<Once<Submitted>>,
) -> Result<Ran<Submitted, CannotAccept>> {
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(ran) = once::begin(tx, &mint, input.merchant, once.as_ref()).await? {
                return Ok(ran);
            }
            let outcome = in_tx(tx, &mint, &input).await?;
            once::end(tx, input.merchant, once.as_ref(), outcome).await
        })
        .await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, input: &AcceptDispute) -> Result<Result<Submitted, CannotAccept>> {
    let AcceptDispute { merchant, dispute: id, actor } = input;
    let Some(found) = disputes::find(tx, *merchant, *id).await? else {
        return Ok(Err(CannotAccept::NoSuchDispute));
    };
    payments::lock(tx, *merchant, found.payment_id).await?;
    let dispute = disputes::find(tx, *merchant, *id).await?.context("a dispute is never deleted")?;
    let said = evidence::list(tx, *merchant, *id).await?;
    if let Err(why) = standing(&dispute, &said).may_accept() {
        return Ok(Err(why.into()));
    }
    disputes::ask_accept(tx, *merchant, *id, mint.now).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: acts::DISPUTE_ACCEPT.to_owned(),
        object: id.to_string(),
        before: json!({ "status": dispute.state.as_str() }).to_string(),
        after: json!({ "accept_asked_at": mint.now.to_string() }).to_string(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    let (job, subject) = (mint.id(JobId::new), id.to_string());
    jobs::enqueue(tx, *merchant, job, ANSWER_JOB, &subject, mint.now, mint.now).await?;
    let dispute = Dispute { accept_asked_at: Some(mint.now), ..dispute };
    Ok(Ok(Submitted { evidence: told(tx, *merchant, *id).await?, dispute }))
}
