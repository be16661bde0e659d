//! A refund that no processor carries was paid from the bank: a person says when, and under which reference. Only then is it
//! booked as paid.

use crate::actions::draft_invoice::today;
use crate::actions::once::{self, Once, Ran};
use crate::actions::record_refund::{lock, move_to};
use crate::actions::request_refund::Requested;
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::Channel;
use billing::ids::{AuditId, MerchantId, RefundId};
use billing::refund::RefundState;
use jiff::civil::Date;
use serde_json::json;
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::refunds::{self, Approval};

/// What a person says.
#[derive(Debug, Clone)]
pub struct MarkRefundPaid {
    /// Whose.
    pub merchant: MerchantId,
    /// Which refund.
    pub refund: RefundId,
    /// On which day it was paid, in the merchant's zone.
    pub paid_on: Date,
    /// What the merchant's books know it by.
    pub reference: Option<String>,
    /// Who says so, for the audit trail.
    pub actor: String,
}

/// Why nothing was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CannotMark {
    /// The merchant has none.
    #[error("there is no such refund")]
    NoSuchRefund,
    /// Its processor pays it, and says when.
    #[error("the processor pays this refund, and its word alone counts")]
    NotFromBank,
    /// It was paid before, or has ended.
    #[error("the refund is {}: only one that was asked for can be marked paid", .0.as_str())]
    NotRequested(RefundState),
    /// A second person has to approve it first.
    #[error("a second person has to approve the refund first")]
    Unapproved,
    /// What was paid, was paid.
    #[error("{0} is more than a day ahead")]
    NotYet(Date),
}

struct Marking {
    input: MarkRefundPaid,
    secrets: Arc<SecretKey>,
    once: Option<Once<Requested>>,
}

/// Books a refund as paid from the bank.
pub async fn mark_refund_paid(
    app: &App,
    input: MarkRefundPaid,
    once: Option<Once<Requested>>,
) -> Result<Ran<Requested, CannotMark>> {
    let mint = app.mint();
    let marking = Marking { input, secrets: Arc::clone(&app.secrets), once };
    app.store
        .write(async move |tx: &mut Tx| {
            let (merchant, once) = (marking.input.merchant, marking.once.as_ref());
            if let Some(before) = once::begin(tx, &mint, merchant, once).await? {
                return Ok(before);
            }
            let outcome = in_tx(tx, &mint, &marking).await?;
            once::end(tx, merchant, once, outcome).await
        })
        .await
}

async fn in_tx(tx: &mut Tx, mint: &Mint, marking: &Marking) -> Result<Result<Requested, CannotMark>> {
    let MarkRefundPaid { merchant, refund: id, paid_on, reference, actor } = &marking.input;
    let Some(locked) = lock(tx, *merchant, *id).await? else { return Ok(Err(CannotMark::NoSuchRefund)) };
    let refund = &locked.refund;
    if refund.channel != Channel::Bank {
        return Ok(Err(CannotMark::NotFromBank));
    }
    if refund.state != RefundState::Requested {
        return Ok(Err(CannotMark::NotRequested(refund.state)));
    }
    if refund.approval == Approval::Waiting {
        return Ok(Err(CannotMark::Unapproved));
    }
    let tomorrow = today(tx, mint, *merchant).await?.tomorrow().context("a day after today")?;
    if *paid_on > tomorrow {
        return Ok(Err(CannotMark::NotYet(*paid_on)));
    }
    refunds::set_paid(tx, *merchant, *id, *paid_on, reference.as_deref()).await?;
    let why = "it was paid from the bank";
    move_to(tx, mint, &marking.secrets, &locked, (RefundState::Succeeded, why)).await?;
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: actor.clone(),
        act: acts::REFUND_PAY.to_owned(),
        object: id.to_string(),
        before: json!({ "state": refund.state.as_str() }).to_string(),
        after: json!({ "state": "succeeded", "paid_on": paid_on.to_string(), "reference": reference })
            .to_string(),
        at: mint.now,
    };
    audit::append(tx, *merchant, &row).await?;
    let refund = refunds::find(tx, *merchant, *id).await?.context("a refund is never deleted")?;
    Ok(Ok(Requested { refund, parts: locked.parts }))
}
