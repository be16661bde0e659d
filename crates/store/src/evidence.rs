//! Evidence: what is said against a dispute, and the files of it. Stored before it is sent, under the key with which it is sent;
//! a file's content is forgotten once the processor has it. Whether a file may be sent is not decided here.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{DisputeId, MerchantId};
use jiff::Timestamp;

/// One submission of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Against which dispute.
    pub dispute_id: DisputeId,
    /// Counted from 1 per dispute.
    pub number: i64,
    /// Its texts, a JSON object by the names of their kinds.
    pub texts: String,
    /// True sends it to the bank; false keeps it ready at the processor.
    pub to_bank: bool,
    /// The key with which it is sent.
    pub processor_key: String,
    /// Where it stands.
    pub state: EvidenceState,
    /// Why the processor did not take it.
    pub refusal: Option<String>,
    /// When it was handed in.
    pub created_at: Timestamp,
    /// When the processor answered.
    pub ended_at: Option<Timestamp>,
}

/// Where evidence stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvidenceState {
    /// It is stored, and the processor has not answered yet.
    Sending,
    /// The processor has it.
    Sent,
    /// The processor did not take it.
    Refused,
}

impl EvidenceState {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            EvidenceState::Sending => "sending",
            EvidenceState::Sent => "sent",
            EvidenceState::Refused => "refused",
        }
    }

    fn parse(word: &str) -> Option<EvidenceState> {
        let all = [EvidenceState::Sending, EvidenceState::Sent, EvidenceState::Refused];
        all.into_iter().find(|state| state.as_str() == word)
    }
}

/// A file of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvidenceFile {
    /// What it is to prove, each once in a submission.
    pub purpose: String,
    /// `pdf`, `jpeg` or `png`, found by its content.
    pub kind: String,
    /// What whoever handed it in called it.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// SHA-256 of the content.
    pub content_hash: [u8; 32],
    /// The key with which it is handed over.
    pub processor_key: String,
    /// The processor's name of it, once it was handed over.
    pub processor_file_id: Option<String>,
}

const NEXT_NUMBER: Sql = Sql("SELECT CAST(COALESCE(MAX(number), 0) + 1 AS BIGINT) FROM evidence
  WHERE merchant_id = $1 AND dispute_id = $2");
const INSERT: Sql = Sql(
    "INSERT INTO evidence (merchant_id, dispute_id, number, texts, to_bank, processor_key, state, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, 'sending', $7)",
);
const INSERT_FILE: Sql = Sql(
    "INSERT INTO evidence_files (merchant_id, dispute_id, number, purpose, kind, name, size, content_hash, content,
    processor_key) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
);
const LIST: Sql = Sql(
    "SELECT dispute_id, number, texts, to_bank, processor_key, state, refusal, created_at, ended_at FROM evidence
  WHERE merchant_id = $1 AND dispute_id = $2 ORDER BY number",
);
const NEXT_TO_SEND: Sql = Sql(
    "SELECT dispute_id, number, texts, to_bank, processor_key, state, refusal, created_at, ended_at FROM evidence
  WHERE merchant_id = $1 AND dispute_id = $2 AND state = 'sending' ORDER BY number LIMIT 1",
);
const FILES: Sql = Sql(
    "SELECT purpose, kind, name, size, content_hash, processor_key, processor_file_id FROM evidence_files
  WHERE merchant_id = $1 AND dispute_id = $2 AND number = $3 ORDER BY purpose",
);
const CONTENT: Sql = Sql("SELECT content FROM evidence_files
  WHERE merchant_id = $1 AND dispute_id = $2 AND number = $3 AND purpose = $4");
const SET_HANDED_OVER: Sql = Sql("UPDATE evidence_files SET processor_file_id = $5, content = NULL
  WHERE merchant_id = $1 AND dispute_id = $2 AND number = $3 AND purpose = $4");
const END: Sql = Sql("UPDATE evidence SET state = $4, refusal = $5, ended_at = $6
  WHERE merchant_id = $1 AND dispute_id = $2 AND number = $3 AND state = 'sending'");
const FORGET_CONTENTS: Sql = Sql("UPDATE evidence_files SET content = NULL
  WHERE merchant_id = $1 AND dispute_id = $2 AND number = $3 AND content IS NOT NULL");

/// The number that the next submission gets. Ask while the dispute's payment is locked.
pub async fn next_number(tx: &mut Tx, merchant: MerchantId, dispute: DisputeId) -> Result<i64> {
    tx.fetch_one(NEXT_NUMBER, args![merchant.0, dispute.as_bytes()], |row| row.i64(0)).await
}

/// Adds a submission that is to be sent.
pub async fn insert(tx: &mut Tx, merchant: MerchantId, evidence: &Evidence) -> Result<()> {
    let args = args![
        merchant.0,
        evidence.dispute_id.as_bytes(),
        evidence.number,
        &evidence.texts,
        evidence.to_bank,
        &evidence.processor_key,
        evidence.created_at.as_microsecond(),
    ];
    tx.write_one(INSERT, args).await
}

/// Adds a file of a submission with its content.
pub async fn insert_file(
    tx: &mut Tx,
    merchant: MerchantId,
    (dispute, number): (DisputeId, i64),
    file: &EvidenceFile,
    content: &[u8],
) -> Result<()> {
    let args = args![
        merchant.0,
        dispute.as_bytes(),
        number,
        &file.purpose,
        &file.kind,
        &file.name,
        file.size,
        &file.content_hash,
        content,
        &file.processor_key,
    ];
    tx.write_one(INSERT_FILE, args).await
}

/// All that was said against a dispute, the oldest first.
pub async fn list(tx: &mut Tx, merchant: MerchantId, dispute: DisputeId) -> Result<Vec<Evidence>> {
    tx.fetch_all(LIST, args![merchant.0, dispute.as_bytes()], decode).await
}

/// The oldest submission that the processor has not answered.
pub async fn next_to_send(tx: &mut Tx, merchant: MerchantId, dispute: DisputeId) -> Result<Option<Evidence>> {
    tx.fetch_optional(NEXT_TO_SEND, args![merchant.0, dispute.as_bytes()], decode).await
}

/// The files of a submission, without their contents.
pub async fn files(
    tx: &mut Tx,
    merchant: MerchantId,
    (dispute, number): (DisputeId, i64),
) -> Result<Vec<EvidenceFile>> {
    tx.fetch_all(FILES, args![merchant.0, dispute.as_bytes(), number], |row| {
        Ok(EvidenceFile {
            purpose: row.text(0)?,
            kind: row.text(1)?,
            name: row.text(2)?,
            size: row.i64(3)?,
            content_hash: row.bytes32(4)?,
            processor_key: row.text(5)?,
            processor_file_id: row.opt_text(6)?,
        })
    })
    .await
}

/// The content of a file; `None` once it is forgotten.
pub async fn content(
    tx: &mut Tx,
    merchant: MerchantId,
    (dispute, number): (DisputeId, i64),
    purpose: &str,
) -> Result<Option<Vec<u8>>> {
    let args = args![merchant.0, dispute.as_bytes(), number, purpose];
    Ok(tx.fetch_optional(CONTENT, args, |row| row.opt_blob(0)).await?.flatten())
}

/// Notes that the processor has a file, and forgets its content.
pub async fn set_handed_over(
    tx: &mut Tx,
    merchant: MerchantId,
    (dispute, number): (DisputeId, i64),
    (purpose, processor_file_id): (&str, &str),
) -> Result<()> {
    let args = args![merchant.0, dispute.as_bytes(), number, purpose, processor_file_id];
    tx.write_one(SET_HANDED_OVER, args).await
}

/// Notes what the processor answered, and forgets what contents are left: no refusal is that it was taken. False where that was
/// noted before.
pub async fn end(
    tx: &mut Tx,
    merchant: MerchantId,
    (dispute, number): (DisputeId, i64),
    refusal: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let state = if refusal.is_some() { EvidenceState::Refused } else { EvidenceState::Sent };
    let id = dispute.as_bytes();
    let args = args![merchant.0, id, number, state.as_str(), refusal, now.as_microsecond()];
    let is_first = tx.execute(END, args).await? == 1;
    tx.execute(FORGET_CONTENTS, args![merchant.0, id, number]).await?;
    Ok(is_first)
}

fn decode(row: &Row<'_>) -> Result<Evidence> {
    Ok(Evidence {
        dispute_id: DisputeId::from_bytes(row.bytes16(0)?),
        number: row.i64(1)?,
        texts: row.text(2)?,
        to_bank: row.bool(3)?,
        processor_key: row.text(4)?,
        state: word(row, 5, EvidenceState::parse)?,
        refusal: row.opt_text(6)?,
        created_at: timestamp(row, 7)?,
        ended_at: opt_timestamp(row, 8)?,
    })
}
