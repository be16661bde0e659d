//! Evidence against a dispute is handed in: texts and files are checked and stored whole, each under the key with which it goes
//! to the processor. Nothing is sent here; that is [`crate::actions::answer_dispute`]'s.

use crate::actions::answer_dispute::{ANSWER_JOB, standing};
use crate::actions::once::{self, Once, Ran};
use crate::actions::record_dispute::note;
use crate::app::App;
use crate::clock::Mint;
use anyhow::{Context as _, Result};
use billing::evidence::{
    FileKind, MOST_TEXT_CHARACTERS, MOST_TEXTS_CHARACTERS, WhyNotFile, WhyNotNow, check_file,
};
use billing::ids::{AuditId, DisputeId, JobId, MerchantId};
use gateway::{EvidenceFile, EvidenceText};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use store::audit::{self, AuditRow, acts};
use store::db::Tx;
use store::disputes::{self, Dispute};
use store::evidence::{self, Evidence, EvidenceState};
use store::payments;
use store::{jobs, verify};

/// The most characters of a file's name.
const LONGEST_NAME: usize = 200;

/// The kinds of texts, by the word the store and the API use.
pub const TEXTS: [(&str, EvidenceText); 14] = [
    ("product_description", EvidenceText::ProductDescription),
    ("customer_name", EvidenceText::CustomerName),
    ("customer_email", EvidenceText::CustomerEmail),
    ("purchase_address", EvidenceText::PurchaseAddress),
    ("billing_address", EvidenceText::BillingAddress),
    ("service_date", EvidenceText::ServiceDate),
    ("access_log", EvidenceText::AccessLog),
    ("refund_policy_shown", EvidenceText::RefundPolicyShown),
    ("refund_refused", EvidenceText::RefundRefused),
    ("cancellation_policy_shown", EvidenceText::CancellationPolicyShown),
    ("cancellation_rebuttal", EvidenceText::CancellationRebuttal),
    ("duplicate_explanation", EvidenceText::DuplicateExplanation),
    ("duplicate_charge_id", EvidenceText::DuplicateChargeId),
    ("other", EvidenceText::Other),
];

/// What files are to prove, by the word the store and the API use.
pub const PURPOSES: [(&str, EvidenceFile); 9] = [
    ("receipt", EvidenceFile::Receipt),
    ("service", EvidenceFile::Service),
    ("communication", EvidenceFile::Communication),
    ("signature", EvidenceFile::Signature),
    ("refund_policy", EvidenceFile::RefundPolicy),
    ("cancellation_policy", EvidenceFile::CancellationPolicy),
    ("shipping", EvidenceFile::Shipping),
    ("duplicate", EvidenceFile::Duplicate),
    ("other", EvidenceFile::Other),
];

/// What is handed in.
#[derive(Debug, Clone)]
pub struct SubmitEvidence {
    /// Whose.
    pub merchant: MerchantId,
    /// Against which dispute.
    pub dispute: DisputeId,
    /// Texts by the words of [`TEXTS`], each once.
    pub texts: Vec<(String, String)>,
    /// Files, each purpose once.
    pub files: Vec<NewFile>,
    /// True sends it to the bank, which takes it once; false keeps it ready at the processor.
    pub to_bank: bool,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// A file that is handed in.
#[derive(Debug, Clone)]
pub struct NewFile {
    /// One of the words of [`PURPOSES`].
    pub purpose: String,
    /// What it is called; it may not say anything else than the content.
    pub name: String,
    /// Its bytes.
    pub content: Vec<u8>,
}

/// Why it was not taken. Nothing was stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CannotSubmit {
    /// There is no such dispute.
    #[error("there is no such dispute")]
    NoSuchDispute,
    /// It is too late, or was done.
    #[error(transparent)]
    NotNow(#[from] WhyNotNow),
    /// Neither text nor file, and nothing that was kept ready before.
    #[error("nothing is said: give a text or a file")]
    Nothing,
    /// A text of no such kind, or one kind twice.
    #[error("{0:?} is no kind of text, or is given twice")]
    Text(String),
    /// A text of more characters than are taken.
    #[error(
        "the text {0:?} has more than {MOST_TEXT_CHARACTERS} characters, or all together more than {MOST_TEXTS_CHARACTERS}"
    )]
    LongText(String),
    /// A text that may not be kept.
    #[error("the text {0:?} holds a card number, which must not be kept")]
    CardNumber(String),
    /// A file for no such purpose, or one purpose twice.
    #[error("{0:?} is no purpose of a file, or is given twice")]
    Purpose(String),
    /// The file of this purpose is not taken.
    #[error("{purpose}: {why}")]
    File {
        /// Which.
        purpose: String,
        /// Why.
        why: WhyNotFile,
    },
}

/// What was stored.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// The dispute.
    pub dispute: Dispute,
    /// All that was said against it, the oldest first, with its files.
    pub evidence: Vec<(Evidence, Vec<evidence::EvidenceFile>)>,
}

/// What was found good.
struct Checked {
    texts: String,
    files: Vec<FileKind>,
}

/// Stores evidence, to be sent by the job that this asks for.
pub async fn submit_evidence(
    app: &App,
    input: SubmitEvidence,
    once: Option<Once<Submitted>>,
) -> Result<Ran<Submitted, CannotSubmit>> {
    let checked = match check(&input) {
        Ok(checked) => checked,
        Err(why) => return Ok(Ran::Refused(why)),
    };
    let mint = app.mint();
    app.store
        .write(async move |tx: &mut Tx| {
            if let Some(ran) = once::begin(tx, &mint, input.merchant, once.as_ref()).await? {
                return Ok(ran);
            }
            let outcome = in_tx(tx, &mint, &input, &checked).await?;
            once::end(tx, input.merchant, once.as_ref(), outcome).await
        })
        .await
}

/// What can be judged without the dispute.
fn check(input: &SubmitEvidence) -> Result<Checked, CannotSubmit> {
    let mut texts = Map::new();
    let mut characters = 0;
    for (kind, text) in &input.texts {
        if !TEXTS.iter().any(|(word, _)| word == kind) || texts.contains_key(kind) {
            return Err(CannotSubmit::Text(kind.clone()));
        }
        let count = text.chars().count();
        characters += count;
        if count > MOST_TEXT_CHARACTERS || characters > MOST_TEXTS_CHARACTERS {
            return Err(CannotSubmit::LongText(kind.clone()));
        }
        if verify::holds_card_number(text) {
            return Err(CannotSubmit::CardNumber(kind.clone()));
        }
        texts.insert(kind.clone(), Value::String(text.clone()));
    }
    let mut files = Vec::new();
    for (at, file) in input.files.iter().enumerate() {
        let is_twice = input.files.iter().take(at).any(|other| other.purpose == file.purpose);
        if is_twice || !PURPOSES.iter().any(|(word, _)| *word == file.purpose) {
            return Err(CannotSubmit::Purpose(file.purpose.clone()));
        }
        if verify::holds_card_number(&file.name) {
            return Err(CannotSubmit::CardNumber(file.purpose.clone()));
        }
        let kind = check_file(&file.name, &file.content)
            .map_err(|why| CannotSubmit::File { purpose: file.purpose.clone(), why })?;
        files.push(kind);
    }
    Ok(Checked { texts: Value::Object(texts).to_string(), files })
}

async fn in_tx(
    tx: &mut Tx,
    mint: &Mint,
    input: &SubmitEvidence,
    checked: &Checked,
) -> Result<Result<Submitted, CannotSubmit>> {
    let (merchant, id) = (input.merchant, input.dispute);
    let Some(found) = disputes::find(tx, merchant, id).await? else {
        return Ok(Err(CannotSubmit::NoSuchDispute));
    };
    payments::lock(tx, merchant, found.payment_id).await?;
    let dispute = disputes::find(tx, merchant, id).await?.context("a dispute is never deleted")?;
    let said = evidence::list(tx, merchant, id).await?;
    if let Err(why) = standing(&dispute, &said).may_say(mint.now) {
        return Ok(Err(why.into()));
    }
    let is_ready = dispute.has_evidence || said.iter().any(|said| said.refusal.is_none());
    if input.texts.is_empty() && input.files.is_empty() && !(input.to_bank && is_ready) {
        return Ok(Err(CannotSubmit::Nothing));
    }
    save(tx, mint, &dispute, input, checked).await?;
    note(tx, mint, &dispute, "dispute.evidence_stored", dispute.state).await?;
    let (job, subject) = (mint.id(JobId::new), id.to_string());
    jobs::enqueue(tx, merchant, job, ANSWER_JOB, &subject, mint.now, mint.now).await?;
    Ok(Ok(Submitted { evidence: told(tx, merchant, id).await?, dispute }))
}

async fn save(
    tx: &mut Tx,
    mint: &Mint,
    dispute: &Dispute,
    input: &SubmitEvidence,
    checked: &Checked,
) -> Result<()> {
    let (merchant, id) = (input.merchant, dispute.id);
    let number = evidence::next_number(tx, merchant, id).await?;
    let new = Evidence {
        dispute_id: id,
        number,
        texts: checked.texts.clone(),
        to_bank: input.to_bank,
        processor_key: format!("paydown-evidence-{id}-{number}"),
        state: EvidenceState::Sending,
        refusal: None,
        created_at: mint.now,
        ended_at: None,
    };
    evidence::insert(tx, merchant, &new).await?;
    for (file, kind) in input.files.iter().zip(&checked.files) {
        let stored = evidence::EvidenceFile {
            purpose: file.purpose.clone(),
            kind: kind.as_str().to_owned(),
            name: file.name.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect(),
            size: i64::try_from(file.content.len())?,
            content_hash: Sha256::digest(&file.content).into(),
            processor_key: format!("paydown-evidence-{id}-{number}-{}", file.purpose),
            processor_file_id: None,
        };
        evidence::insert_file(tx, merchant, (id, number), &stored, &file.content).await?;
    }
    let words: Vec<&String> = input.texts.iter().map(|(kind, _)| kind).collect();
    let files: Vec<Value> = input
        .files
        .iter()
        .zip(&checked.files)
        .map(|(file, kind)| json!({ "purpose": file.purpose, "kind": kind.as_str(), "size": file.content.len() }))
        .collect();
    let row = AuditRow {
        id: mint.id(AuditId::new),
        actor: input.actor.clone(),
        act: acts::DISPUTE_EVIDENCE.to_owned(),
        object: id.to_string(),
        before: "null".to_owned(),
        after: json!({ "number": number, "texts": words, "files": files, "submit": input.to_bank })
            .to_string(),
        at: mint.now,
    };
    audit::append(tx, merchant, &row).await
}

/// All that was said against a dispute, the oldest first, with its files.
pub async fn told(
    tx: &mut Tx,
    merchant: MerchantId,
    dispute: DisputeId,
) -> Result<Vec<(Evidence, Vec<evidence::EvidenceFile>)>> {
    let mut all = Vec::new();
    for said in evidence::list(tx, merchant, dispute).await? {
        let files = evidence::files(tx, merchant, (dispute, said.number)).await?;
        all.push((said, files));
    }
    Ok(all)
}
