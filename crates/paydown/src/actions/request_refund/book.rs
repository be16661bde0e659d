//! What a refund takes is posted: from its places to 2300, with a credit note where the price is given back. The same for one that
//! was made at the processor. The caller holds the locks and has checked that it is there.

use super::Taking;
use crate::actions::issue_credit_note::{IssueCreditNote, Purpose, issue_in_tx};
use crate::actions::record_refund::tell;
use crate::actions::{return_credit, take_back};
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::chart::{self, Channel, Paid};
use billing::ids::{AuditId, InvoiceId, JobId, PostingId};
use billing::refund::RefundMeaning;
use billing::take_back::Taken;
use jiff::SignedDuration;
use ledger::{Money, Posting};
use serde_json::json;
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::payments::Payment;
use store::postings::{self, CauseKind, NewPosting};
use store::refunds::{self, Approval, Refund, RefundOrigin, RefundPart};
use store::{grants, jobs};

/// Whoever dies before the call has it made so long after.
const SENT_AT_LATEST_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Books a refund that is asked for, or was found.
pub(in crate::actions) async fn book(
    tx: &mut Tx,
    mint: &Mint,
    refund: &Refund,
    taking: &Taking,
    parts: &[RefundPart],
) -> Result<()> {
    refunds::insert(tx, refund, parts).await?;
    let posting_id = mint.id(PostingId::new);
    let posting = asked(refund, taking)?;
    let new = NewPosting {
        id: posting_id,
        cause: CauseKind::RefundAsked,
        cause_id: &refund.id.to_string(),
        reverses: None,
        posting: &posting,
        at: mint.now,
    };
    postings::insert_first(tx, refund.merchant, &new).await?;
    match taking {
        Taking::OfPayment(payment, taken) => {
            take(tx, mint, refund, (payment, &taken.taken), posting_id).await?;
        }
        Taking::OfCredit(spent) => {
            for part in spent {
                grants::spend(tx, refund.merchant, part.grant, part.amount_minor).await?;
            }
        }
    }
    note(tx, mint, refund, parts).await?;
    if refund.channel != Channel::Bank && refund.approval != Approval::Waiting {
        let (job, at) = (mint.id(JobId::new), mint.now + SENT_AT_LATEST_AFTER);
        let subject = refund.id.to_string();
        jobs::enqueue(tx, refund.merchant, job, "reconcile_refund", &subject, at, mint.now).await?;
    }
    Ok(())
}

fn asked(refund: &Refund, taking: &Taking) -> Result<Posting> {
    Ok(match taking {
        Taking::OfPayment(payment, taken) => {
            let currency = refund.amount.currency();
            let paid = Paid { customer: refund.customer_id, payment: payment.id, currency };
            chart::refund_found(&paid, refund.id, taken)?
        }
        Taking::OfCredit(spent) => {
            let money = |minor| Money::new(minor, refund.amount.currency());
            let grants: Vec<_> = spent.iter().map(|part| (part.grant, money(part.amount_minor))).collect();
            chart::credit_refund_asked(refund.customer_id, refund.id, refund.amount, &grants)?
        }
    })
}

/// Takes it from where it is. Invoices are owed again, unless the price is given back.
async fn take(
    tx: &mut Tx,
    mint: &Mint,
    refund: &Refund,
    (payment, taken): (&Payment, &Taken),
    posting_id: PostingId,
) -> Result<()> {
    let merchant = refund.merchant;
    take_back::take(tx, mint, payment, taken, posting_id).await?;
    if refund.meaning == Some(RefundMeaning::PriceGivenBack) {
        for part in &taken.allocated {
            let input = IssueCreditNote {
                merchant,
                invoice: part.invoice,
                amount: Some(Money::new(part.amount_minor, refund.amount.currency())),
                reason: refund.reason.clone(),
                actor: refund.requested_by.clone(),
            };
            let issued = issue_in_tx(tx, mint, &input, Purpose::GivePriceBack).await?;
            issued.context("a credit note that was found possible is not")?;
        }
    }
    for part in &taken.allocated {
        return_credit::in_tx(tx, mint, merchant, part.invoice).await?;
    }
    keep_in_step(tx, mint, payment).await
}

/// A payment of which a dispute was lost is charged back as soon as nothing captured is left of it, and only then.
pub(in crate::actions) async fn keep_in_step(tx: &mut Tx, mint: &Mint, payment: &Payment) -> Result<()> {
    let of = (payment.merchant, payment.id);
    take_back::follow_charge(tx, mint, of, "a refund changed what is left of it").await
}

/// The event that others follow, and the row that says who asked for it.
async fn note(tx: &mut Tx, mint: &Mint, refund: &Refund, parts: &[RefundPart]) -> Result<()> {
    tell(tx, mint, refund, parts, "refund.requested").await?;
    let act = match refund.origin {
        RefundOrigin::Asked => acts::REFUND_REQUEST,
        RefundOrigin::Adopted => acts::REFUND_ADOPT,
    };
    let after = json!({
        "amount": refund.amount.minor(),
        "currency": refund.amount.currency().code(),
        "payment": refund.payment_id.map(|id| id.to_string()),
        "meaning": refund.meaning.map(RefundMeaning::as_str),
        "approval": refund.approval.as_str(),
        "reason": refund.reason,
    });
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: refund.requested_by.clone(),
        act: act.to_owned(),
        object: refund.id.to_string(),
        before: "null".to_owned(),
        after: after.to_string(),
        at: mint.now,
    };
    audit::append(tx, refund.merchant, &row).await
}

/// The one invoice that parts concern; none where they concern several, or none.
pub(in crate::actions) fn only_invoice(parts: &[RefundPart]) -> Option<InvoiceId> {
    let mut all: Vec<InvoiceId> = parts.iter().filter_map(RefundPart::invoice).collect();
    all.sort_unstable();
    all.dedup();
    match all[..] {
        [one] => Some(one),
        _ => None,
    }
}
