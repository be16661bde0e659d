//! `/v1/disputes`.

use serde_json::{Map, Value, json};

use super::{Reply, balance_transactions, list as listing};
use crate::disputing;
use crate::error::{ApiError, Failure};
use crate::form::Form;
use crate::objects::{BalanceTransaction, Dispute, DisputeStatus, StoredFile};
use crate::work::Work;

const MAX_TEXT_CHARACTERS: usize = 20_000;
const MAX_ALL_CHARACTERS: usize = 150_000;
/// The published members of `evidence`, and whether each is a file.
const EVIDENCE: &[(&str, bool)] = &[
    ("access_activity_log", false),
    ("billing_address", false),
    ("cancellation_policy", true),
    ("cancellation_policy_disclosure", false),
    ("cancellation_rebuttal", false),
    ("customer_communication", true),
    ("customer_email_address", false),
    ("customer_name", false),
    ("customer_purchase_ip", false),
    ("customer_signature", true),
    ("duplicate_charge_documentation", true),
    ("duplicate_charge_explanation", false),
    ("duplicate_charge_id", false),
    ("product_description", false),
    ("receipt", true),
    ("refund_policy", true),
    ("refund_policy_disclosure", false),
    ("refund_refusal_explanation", false),
    ("service_date", false),
    ("service_documentation", true),
    ("shipping_address", false),
    ("shipping_carrier", false),
    ("shipping_date", false),
    ("shipping_documentation", true),
    ("shipping_tracking_number", false),
    ("uncategorized_file", true),
    ("uncategorized_text", false),
];

/// Reads one dispute.
pub(crate) fn retrieve(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    Reply::ok(view(work, &work.get(id, "dispute")?))
}

/// Lists disputes, of one charge or payment intent if asked.
pub(crate) fn list(work: &Work<'_>, _id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut query = listing::page_query(form)?;
    listing::filter(&mut query, form, "charge", "charge")?;
    listing::filter(&mut query, form, "payment_intent", "payment_intent")?;
    listing::answer(work, &query, "/v1/disputes", |dispute| view(work, dispute))
}

/// Keeps evidence, and sends it unless `submit` is false.
pub(crate) fn update(work: &Work<'_>, id: &str, form: &mut Form) -> Result<Reply, Failure> {
    let mut dispute: Dispute = work.get(id, "dispute")?;
    disputing::check_open(&dispute)?;
    let has_new = form.has("evidence[");
    for (name, is_file) in EVIDENCE {
        let param = format!("evidence[{name}]");
        let Some(value) = form.take_raw(&param) else { continue };
        if value.chars().count() > MAX_TEXT_CHARACTERS {
            let message = format!("Evidence is at most {MAX_TEXT_CHARACTERS} characters each.");
            return Err(ApiError::invalid(message).param(&param).into());
        }
        if *is_file && !value.is_empty() {
            let file: StoredFile = work.get(&value, &param)?;
            if file.purpose != "dispute_evidence" {
                let message = format!("The file {value} was uploaded for {}.", file.purpose);
                return Err(ApiError::invalid(message).param(&param).into());
            }
        }
        if value.is_empty() {
            dispute.evidence.remove(*name);
        } else {
            dispute.evidence.insert((*name).to_owned(), value);
        }
    }
    if dispute.evidence.values().map(|text| text.chars().count()).sum::<usize>() > MAX_ALL_CHARACTERS {
        let message = format!("All evidence together is at most {MAX_ALL_CHARACTERS} characters.");
        return Err(ApiError::invalid(message).param("evidence").into());
    }
    dispute.metadata.extend(form.take_metadata("metadata")?);
    let is_submitted = form.take_bool("submit")?.unwrap_or(has_new);
    work.update(&dispute)?;
    if is_submitted {
        disputing::submit(work, &mut dispute)?;
    } else {
        work.event("charge.dispute.updated", view(work, &dispute))?;
    }
    Reply::ok(view(work, &dispute))
}

/// Accepts a dispute: it is lost.
pub(crate) fn close(work: &Work<'_>, id: &str, _form: &mut Form) -> Result<Reply, Failure> {
    let mut dispute: Dispute = work.get(id, "dispute")?;
    disputing::close(work, &mut dispute, false)?;
    Reply::ok(view(work, &dispute))
}

/// A dispute as callers see it.
pub(crate) fn view(work: &Work<'_>, dispute: &Dispute) -> Value {
    let transactions: Vec<Value> = dispute
        .balance_transactions
        .iter()
        .filter_map(|id| work.own::<BalanceTransaction>(id).ok())
        .map(|transaction| balance_transactions::view(work, &transaction))
        .collect();
    json!({
        "id": dispute.id,
        "object": "dispute",
        "amount": dispute.amount_minor,
        "balance_transactions": transactions,
        "charge": dispute.charge,
        "created": dispute.created,
        "currency": dispute.currency,
        "enhanced_eligibility_types": [],
        "evidence": evidence(dispute),
        "evidence_details": {
            "due_by": dispute.due_by,
            "enhanced_eligibility": {},
            "has_evidence": !dispute.evidence.is_empty(),
            "past_due": dispute.due_by.is_some_and(|due_by| due_by <= work.now) && dispute.submissions == 0,
            "submission_count": dispute.submissions,
        },
        "is_charge_refundable": dispute.status.is_inquiry() && !dispute.status.is_closed(),
        "livemode": false,
        "metadata": dispute.metadata,
        "payment_intent": dispute.payment_intent,
        "payment_method_details": method_details(dispute),
        "reason": dispute.reason,
        "status": dispute.status.word(),
    })
}

fn evidence(dispute: &Dispute) -> Value {
    let mut members: Map<String, Value> =
        EVIDENCE.iter().map(|(name, _)| ((*name).to_owned(), json!(dispute.evidence.get(*name)))).collect();
    members.insert("enhanced_evidence".into(), json!({}));
    Value::Object(members)
}

fn method_details(dispute: &Dispute) -> Value {
    let Some(brand) = &dispute.brand else { return json!({ "type": dispute.kind }) };
    let is_inquiry = dispute.status.is_inquiry();
    let network_reason_code = match dispute.reason.as_str() {
        "fraudulent" => "10.4",
        "product_not_received" => "13.1",
        "duplicate" => "12.6",
        "credit_not_processed" => "13.6",
        _ => "13.3",
    };
    json!({
        "card": {
            "brand": brand,
            "case_type": if is_inquiry { "inquiry" } else { "chargeback" },
            "network": brand,
            "network_reason_code": network_reason_code,
        },
        "type": "card",
    })
}

/// What the control API may make of a dispute.
pub(crate) fn end(
    work: &Work<'_>,
    id: &str,
    outcome: &str,
    amount_minor: Option<i64>,
) -> Result<Value, Failure> {
    let mut dispute: Dispute = work.get(id, "dispute")?;
    if let Some(amount_minor) = amount_minor {
        if outcome != "escalated" || amount_minor <= 0 {
            let message =
                "Only an inquiry that is escalated may be about another amount, and that is above zero.";
            return Err(ApiError::invalid(message).param("amount").into());
        }
        dispute.amount_minor = amount_minor;
    }
    match outcome {
        "won" if dispute.status == DisputeStatus::Lost => disputing::win_after_loss(work, &mut dispute)?,
        "won" => disputing::close(work, &mut dispute, true)?,
        "lost" => disputing::close(work, &mut dispute, false)?,
        "escalated" => disputing::escalate(work, &mut dispute)?,
        other => {
            let message = format!("A dispute ends `won`, `lost` or `escalated`, not `{other}`.");
            return Err(ApiError::invalid(message).param("outcome").into());
        }
    }
    Ok(view(work, &dispute))
}
