//! Disputes: a bank asks, takes money back, and decides. Returned bank debits come as disputes that are lost from the start.
//!
//! Every movement of money is a balance transaction, and the dispute names them all. A closed dispute never changes.

use crate::agenda::{self, Appointment};
use crate::api::{charges, disputes};
use crate::books::{self, NewTransaction};
use crate::calendar::DAY_SECONDS;
use crate::error::{ApiError, Failure};
use crate::fees::Fees;
use crate::objects::{Charge, ChargeStatus, Dispute, DisputeStatus, Metadata};
use crate::store;
use crate::work::Work;

const DAYS_TO_ANSWER: i64 = 9;
/// A bank that is asked and not told what to do has decided by then, against the merchant.
const DAYS_TO_DECIDE: i64 = 60;

/// Opens a dispute of a charge that took money; an inquiry takes nothing yet.
pub(crate) fn open(
    work: &Work<'_>,
    charge_id: &str,
    reason: &str,
    is_inquiry: bool,
    amount_minor: Option<i64>,
) -> Result<Dispute, Failure> {
    let charge: Charge = work.get(charge_id, "charge")?;
    if charge.status != ChargeStatus::Succeeded {
        return Err(ApiError::invalid("Only a charge that took money can be disputed.").into());
    }
    if charge.instrument.bank().is_some() {
        return Err(ApiError::invalid("A bank debit is not disputed; its bank takes it back.").into());
    }
    let most = charge.amount_minor - charge.refunded_minor - held_of(work, charge_id)?;
    let amount_minor = amount_minor.unwrap_or(most);
    if !(1..=most).contains(&amount_minor) {
        let message = format!("{most} of this charge can be disputed, not {amount_minor}.");
        return Err(ApiError::invalid(message).param("amount").into());
    }
    let status = if is_inquiry { DisputeStatus::WarningNeedsResponse } else { DisputeStatus::NeedsResponse };
    let due_by = work.now + DAYS_TO_ANSWER * DAY_SECONDS;
    let mut dispute = new(work, &charge, amount_minor, reason, status, Some(due_by))?;
    mark(work, charge)?;
    agenda::put(work, due_by, &Appointment::EndAnswering, &dispute.id)?;
    work.event("charge.dispute.created", disputes::view(work, &dispute))?;
    if !is_inquiry {
        withdraw(work, &mut dispute)?;
    }
    Ok(dispute)
}

/// Opens the dispute that comes with a test card, unless nothing is left to dispute.
pub(crate) fn open_if_possible(
    work: &Work<'_>,
    charge_id: &str,
    reason: &str,
    is_inquiry: bool,
) -> Result<(), Failure> {
    match open(work, charge_id, reason, is_inquiry, None) {
        Ok(_) | Err(Failure::Refused(_)) => Ok(()),
        Err(broken) => Err(broken),
    }
}

/// A bank debit comes back after success: lost, final, without a hearing.
pub(crate) fn return_debit(work: &Work<'_>, charge: Charge, reason: &str) -> Result<(), Failure> {
    // The whole debit comes back, whatever was refunded of it meanwhile.
    let mut dispute = new(work, &charge, charge.amount_minor, reason, DisputeStatus::Lost, None)?;
    mark(work, charge)?;
    work.event("charge.dispute.created", disputes::view(work, &dispute))?;
    withdraw(work, &mut dispute)?;
    work.event("charge.dispute.closed", disputes::view(work, &dispute))
}

fn new(
    work: &Work<'_>,
    charge: &Charge,
    amount_minor: i64,
    reason: &str,
    status: DisputeStatus,
    due_by: Option<i64>,
) -> Result<Dispute, Failure> {
    let dispute = Dispute {
        id: work.next_id("du_")?,
        created: work.now,
        amount_minor,
        currency: charge.currency.clone(),
        charge: charge.id.clone(),
        payment_intent: charge.payment_intent.clone(),
        reason: reason.to_owned(),
        status,
        kind: charge.instrument.kind().to_owned(),
        brand: charge.instrument.card().map(|card| card.brand.clone()),
        evidence: Metadata::new(),
        due_by,
        submissions: 0,
        balance_transactions: Vec::new(),
        metadata: Metadata::new(),
    };
    work.insert(&dispute)?;
    Ok(dispute)
}

fn mark(work: &Work<'_>, mut charge: Charge) -> Result<(), Failure> {
    if charge.is_disputed {
        return Ok(());
    }
    charge.is_disputed = true;
    work.update(&charge)?;
    work.event("charge.updated", charges::view(&charge))
}

/// What disputes of a charge hold of it.
pub(crate) fn held_of(work: &Work<'_>, charge_id: &str) -> Result<i64, Failure> {
    let disputes: Vec<Dispute> = store::having(work.connection, "charge", charge_id)?;
    Ok(disputes
        .iter()
        .filter(|dispute| dispute.status.holds_money())
        .map(|dispute| dispute.amount_minor)
        .sum())
}

fn withdraw(work: &Work<'_>, dispute: &mut Dispute) -> Result<(), Failure> {
    let fees = Fees::load(work)?;
    move_money(work, dispute, -dispute.amount_minor, fees.dispute_minor, "dispute")?;
    work.event("charge.dispute.funds_withdrawn", disputes::view(work, dispute))
}

fn move_money(
    work: &Work<'_>,
    dispute: &mut Dispute,
    amount_minor: i64,
    fee_minor: i64,
    category: &str,
) -> Result<(), Failure> {
    let description = if amount_minor < 0 { "Chargeback withdrawal" } else { "Chargeback reversal" };
    let transaction = books::enter(
        work,
        NewTransaction {
            amount_minor,
            fee_minor,
            currency: &dispute.currency,
            description: Some(format!("{description} for {}", dispute.charge)),
            source: &dispute.id,
            kind: "adjustment",
            reporting_category: category,
            available_on: work.now,
        },
    )?;
    dispute.balance_transactions.push(transaction.id);
    work.update(dispute)
}

/// Refuses to touch a dispute that is closed.
pub(crate) fn check_open(dispute: &Dispute) -> Result<(), ApiError> {
    if dispute.status.is_closed() {
        return Err(ApiError::state(None, "This dispute is already closed."));
    }
    Ok(())
}

/// Sends the evidence to the bank. Three published texts say what the bank makes of it.
pub(crate) fn submit(work: &Work<'_>, dispute: &mut Dispute) -> Result<(), Failure> {
    if !matches!(dispute.status, DisputeStatus::NeedsResponse | DisputeStatus::WarningNeedsResponse) {
        return Err(ApiError::state(None, "Evidence for this dispute has already been submitted.").into());
    }
    dispute.submissions += 1;
    dispute.status = if dispute.status.is_inquiry() {
        DisputeStatus::WarningUnderReview
    } else {
        DisputeStatus::UnderReview
    };
    work.update(dispute)?;
    work.event("charge.dispute.updated", disputes::view(work, dispute))?;
    match dispute.evidence.get("uncategorized_text").map(String::as_str) {
        Some("winning_evidence") => close(work, dispute, true),
        Some("losing_evidence") => close(work, dispute, false),
        Some("escalate_inquiry_evidence") if dispute.status.is_inquiry() => escalate(work, dispute),
        _ => {
            let decided_at = work.now + DAYS_TO_DECIDE * DAY_SECONDS;
            agenda::put(work, decided_at, &Appointment::DecideDispute, &dispute.id)
        }
    }
}

/// Ends a dispute; an inquiry just ends.
pub(crate) fn close(work: &Work<'_>, dispute: &mut Dispute, is_won: bool) -> Result<(), Failure> {
    check_open(dispute)?;
    dispute.status = match (dispute.status.is_inquiry(), is_won) {
        (true, _) => DisputeStatus::WarningClosed,
        (false, true) => DisputeStatus::Won,
        (false, false) => DisputeStatus::Lost,
    };
    work.update(dispute)?;
    if dispute.status == DisputeStatus::Won {
        reinstate(work, dispute)?;
    }
    work.event("charge.dispute.closed", disputes::view(work, dispute))
}

fn reinstate(work: &Work<'_>, dispute: &mut Dispute) -> Result<(), Failure> {
    let fees = Fees::load(work)?;
    let fee_minor = if fees.returns_dispute_fee { -fees.dispute_minor } else { 0 };
    move_money(work, dispute, dispute.amount_minor, fee_minor, "dispute_reversal")?;
    work.event("charge.dispute.funds_reinstated", disputes::view(work, dispute))
}

/// A lost dispute that the bank gives back after all.
pub(crate) fn win_after_loss(work: &Work<'_>, dispute: &mut Dispute) -> Result<(), Failure> {
    if dispute.status != DisputeStatus::Lost || dispute.due_by.is_none() {
        return Err(ApiError::state(None, "Only a lost dispute of a card can be won after all.").into());
    }
    dispute.status = DisputeStatus::Won;
    work.update(dispute)?;
    reinstate(work, dispute)?;
    work.event("charge.dispute.updated", disputes::view(work, dispute))
}

/// An inquiry becomes a dispute that takes the money.
pub(crate) fn escalate(work: &Work<'_>, dispute: &mut Dispute) -> Result<(), Failure> {
    if !dispute.status.is_inquiry() || dispute.status.is_closed() {
        return Err(ApiError::state(None, "Only an open inquiry can be escalated.").into());
    }
    let charge: Charge = work.own(&dispute.charge)?;
    if charge.amount_minor - charge.refunded_minor - held_of(work, &charge.id)? < dispute.amount_minor {
        return Err(ApiError::state(None, "What the inquiry is about was refunded meanwhile.").into());
    }
    let due_by = work.now + DAYS_TO_ANSWER * DAY_SECONDS;
    dispute.status = DisputeStatus::NeedsResponse;
    dispute.due_by = Some(due_by);
    work.update(dispute)?;
    agenda::put(work, due_by, &Appointment::EndAnswering, &dispute.id)?;
    work.event("charge.dispute.updated", disputes::view(work, dispute))?;
    withdraw(work, dispute)
}

/// The day for answering is over: who has not answered has lost.
pub(crate) fn end_answering(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let mut dispute: Dispute = work.own(id)?;
    let is_waiting =
        matches!(dispute.status, DisputeStatus::NeedsResponse | DisputeStatus::WarningNeedsResponse);
    let is_due = dispute.due_by.is_some_and(|due_by| due_by <= work.now);
    if is_waiting && is_due { close(work, &mut dispute, false) } else { Ok(()) }
}

/// The bank has had its time.
pub(crate) fn decide(work: &Work<'_>, id: &str) -> Result<(), Failure> {
    let mut dispute: Dispute = work.own(id)?;
    let is_with_bank =
        matches!(dispute.status, DisputeStatus::UnderReview | DisputeStatus::WarningUnderReview);
    if is_with_bank { close(work, &mut dispute, false) } else { Ok(()) }
}

/// Ends the inquiries of a charge that was refunded in full.
pub(crate) fn end_inquiries(work: &Work<'_>, charge_id: &str) -> Result<(), Failure> {
    let disputes: Vec<Dispute> = store::having(work.connection, "charge", charge_id)?;
    for mut dispute in disputes {
        if dispute.status.is_inquiry() && !dispute.status.is_closed() {
            close(work, &mut dispute, false)?;
        }
    }
    Ok(())
}
