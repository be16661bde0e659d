//! Disputes: what is read, and what is said against them.
//!
//! Source: <https://docs.stripe.com/api/disputes>, <https://docs.stripe.com/api/files>.

use super::checkout::Body;
use super::{bank, currency, facts, lines, wire};
use crate::{CallError, DisputeFacts, Evidence, EvidenceFile, EvidenceText, EvidenceUpload, UploadKind};
use billing::dispute::DisputeState;
use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

/// The most that one file may hold.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;

/// What a dispute says. `is_debit` is true if the charge is a debit of a bank account.
pub(super) fn facts(found: &wire::Dispute, is_debit: bool, live: bool) -> Result<DisputeFacts, CallError> {
    if found.livemode != live {
        return Err(CallError::WrongMode { expected_live: live });
    }
    let unreadable = |what: String| CallError::Unreadable(format!("{} {what}", found.id));
    let amount = currency::from_wire(found.amount, &found.currency)
        .ok_or_else(|| unreadable(format!("is about {} {:?}", found.amount, found.currency)))?;
    let state = state(&found.status).ok_or_else(|| unreadable(format!("is {:?}", found.status)))?;
    let evidence = found.evidence_details.as_ref();
    let takes_evidence = state.is_open() && evidence.is_some_and(|evidence| !evidence.past_due);
    let due_by = evidence.and_then(|evidence| evidence.due_by).filter(|_| takes_evidence);
    Ok(DisputeFacts {
        id: found.id.clone(),
        payment_intent_id: found.payment_intent.as_ref().map(|intent| intent.id().to_owned()),
        charge_id: found.charge.as_ref().map(|charge| charge.id().to_owned()),
        state,
        is_return: is_debit && bank::took_back(&found.status),
        amount,
        reason: found.reason.clone(),
        network_code: found.network_reason().map(str::to_owned),
        due_at: due_by.map(facts::instant).transpose()?,
        has_evidence: evidence.is_some_and(|evidence| evidence.has_evidence),
        submissions: evidence.map_or(0, |evidence| evidence.submission_count),
        lines: lines::lines(found.balance_transactions.as_deref().unwrap_or_default())?,
        created_at: facts::instant(found.created)?,
        live,
    })
}

/// An inquiry stays one while it is looked into, since no money moved; one that was closed, or a dispute that was
/// prevented, left the money with the merchant.
fn state(word: &str) -> Option<DisputeState> {
    match word {
        "warning_needs_response" | "warning_under_review" => Some(DisputeState::Inquiry),
        "needs_response" => Some(DisputeState::NeedsResponse),
        "under_review" => Some(DisputeState::UnderReview),
        "won" | "warning_closed" | "prevented" => Some(DisputeState::Won),
        "lost" => Some(DisputeState::Lost),
        _ => None,
    }
}

/// The body that adds evidence, in one order whatever order it was given in.
pub(super) fn evidence(evidence: &Evidence) -> String {
    let texts = evidence.texts.iter().map(|(kind, text)| (text_name(*kind), text));
    let files = evidence.files.iter().map(|(kind, id)| (file_name(*kind), id));
    let mut all: Vec<_> = texts.chain(files).collect();
    all.sort();
    let mut body = Body::default();
    for (name, value) in all {
        body.add(&format!("evidence[{name}]"), value);
    }
    body.add("submit", if evidence.submit { "true" } else { "false" });
    body.encode()
}

const fn text_name(kind: EvidenceText) -> &'static str {
    match kind {
        EvidenceText::ProductDescription => "product_description",
        EvidenceText::CustomerName => "customer_name",
        EvidenceText::CustomerEmail => "customer_email_address",
        EvidenceText::PurchaseAddress => "customer_purchase_ip",
        EvidenceText::BillingAddress => "billing_address",
        EvidenceText::ServiceDate => "service_date",
        EvidenceText::AccessLog => "access_activity_log",
        EvidenceText::RefundPolicyShown => "refund_policy_disclosure",
        EvidenceText::RefundRefused => "refund_refusal_explanation",
        EvidenceText::CancellationPolicyShown => "cancellation_policy_disclosure",
        EvidenceText::CancellationRebuttal => "cancellation_rebuttal",
        EvidenceText::DuplicateExplanation => "duplicate_charge_explanation",
        EvidenceText::DuplicateChargeId => "duplicate_charge_id",
        EvidenceText::Other => "uncategorized_text",
    }
}

const fn file_name(kind: EvidenceFile) -> &'static str {
    match kind {
        EvidenceFile::Receipt => "receipt",
        EvidenceFile::Service => "service_documentation",
        EvidenceFile::Communication => "customer_communication",
        EvidenceFile::Signature => "customer_signature",
        EvidenceFile::RefundPolicy => "refund_policy",
        EvidenceFile::CancellationPolicy => "cancellation_policy",
        EvidenceFile::Shipping => "shipping_documentation",
        EvidenceFile::Duplicate => "duplicate_charge_documentation",
        EvidenceFile::Other => "uncategorized_file",
    }
}

/// The multipart body of an upload and its type. The line between the parts comes from the content's own hash: the same
/// file is the same bytes, and no file holds its own hash.
pub(super) fn upload(file: &EvidenceUpload) -> Result<(String, Vec<u8>), CallError> {
    if file.content.is_empty() || file.content.len() > MAX_FILE_BYTES {
        let bytes = file.content.len();
        return Err(CallError::NotSent(format!("a file of {bytes} bytes is not taken as evidence")));
    }
    let (name, kind) = match file.kind {
        UploadKind::Pdf => ("evidence.pdf", "application/pdf"),
        UploadKind::Jpeg => ("evidence.jpg", "image/jpeg"),
        UploadKind::Png => ("evidence.png", "image/png"),
    };
    let line = format!("paydown-{}", HEXLOWER.encode(&Sha256::digest(&file.content)[..16]));
    let mut body = format!(
        "--{line}\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\ndispute_evidence\r\n\
         --{line}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: {kind}\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(&file.content);
    body.extend_from_slice(format!("\r\n--{line}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary={line}"), body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_has_its_state() {
        for (word, expected) in [
            ("warning_needs_response", Some(DisputeState::Inquiry)),
            ("warning_under_review", Some(DisputeState::Inquiry)),
            ("warning_closed", Some(DisputeState::Won)),
            ("needs_response", Some(DisputeState::NeedsResponse)),
            ("under_review", Some(DisputeState::UnderReview)),
            ("won", Some(DisputeState::Won)),
            ("prevented", Some(DisputeState::Won)),
            ("lost", Some(DisputeState::Lost)),
            ("a_word_of_next_year", None),
        ] {
            assert_eq!(state(word), expected, "{word}");
        }
    }
}
