//! What a seal's hash is made of. Anybody can compute it again from the rows alone:
//!
//! ```text
//! SHA-256 of   "paydown seal 1"
//!              the previous hash (32 bytes; zeros before the first seal)
//!              text chain, int merchant, int number
//!   posting:   bytes id, text cause kind, text cause id, text currency, optional reverses, int at, int entries;
//!              for each entry by line: int line, int account, text side, int amount, optional customer, optional subject
//!   audit row: bytes id, text actor, text act, text object, text before, text after, int at
//!
//! text = int length in bytes, then UTF-8;  int = 8 bytes, signed, most significant first;
//! bytes = text without the UTF-8;  optional = one byte 0, or one byte 1 and bytes.
//! ```
//!
//! This is a contract with every database that exists: a change needs a new first line and has to keep this one.

use crate::db::Row;
use crate::seals::Chain;
use anyhow::Result;
use billing::ids::MerchantId;
use sha2::{Digest as _, Sha256};

/// The previous hash of a chain's first seal.
pub const BEFORE_THE_FIRST: [u8; 32] = [0; 32];

const DOMAIN: &[u8] = b"paydown seal 1";

/// A row that a seal stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealable {
    /// A posting and its entries.
    Posting(SealedPosting),
    /// A row of the audit trail.
    Audit(SealedAudit),
}

impl Sealable {
    /// Which chain it belongs to.
    pub const fn chain(&self) -> Chain {
        match self {
            Sealable::Posting(_) => Chain::Postings,
            Sealable::Audit(_) => Chain::Audit,
        }
    }

    /// Its id.
    pub const fn id(&self) -> &[u8; 16] {
        match self {
            Sealable::Posting(posting) => &posting.id,
            Sealable::Audit(audit) => &audit.id,
        }
    }
}

/// A posting exactly as its row has it: no decoding may stand between the row and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedPosting {
    id: [u8; 16],
    cause_kind: String,
    cause_id: String,
    currency: String,
    reverses: Option<Vec<u8>>,
    at: i64,
    entries: Vec<SealedEntry>,
}

impl SealedPosting {
    /// Adds the entry with the next line.
    pub(crate) fn add(&mut self, entry: Option<SealedEntry>) {
        self.entries.extend(entry);
    }
}

/// An entry exactly as its row has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedEntry {
    line: i64,
    account: i64,
    side: String,
    amount: i64,
    customer_id: Option<Vec<u8>>,
    subject: Option<Vec<u8>>,
}

/// An audit row exactly as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedAudit {
    id: [u8; 16],
    actor: String,
    act: String,
    object: String,
    before: String,
    after: String,
    at: i64,
}

/// The hash of the seal with this number over `row`.
pub fn hash(merchant_id: MerchantId, number: i64, previous: &[u8; 32], row: &Sealable) -> [u8; 32] {
    let mut sum = Sum(Sha256::new());
    sum.0.update(DOMAIN);
    sum.0.update(previous);
    sum.text(row.chain().as_str());
    sum.int(merchant_id.0);
    sum.int(number);
    match row {
        Sealable::Posting(posting) => sum.posting(posting),
        Sealable::Audit(audit) => sum.audit(audit),
    }
    sum.0.finalize().into()
}

struct Sum(Sha256);

impl Sum {
    fn int(&mut self, value: i64) {
        self.0.update(value.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.int(i64::try_from(bytes.len()).expect("no value of a column is longer than i64::MAX"));
        self.0.update(bytes);
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    fn optional(&mut self, bytes: Option<&[u8]>) {
        self.0.update([u8::from(bytes.is_some())]);
        if let Some(bytes) = bytes {
            self.bytes(bytes);
        }
    }

    fn posting(&mut self, posting: &SealedPosting) {
        let SealedPosting { id, cause_kind, cause_id, currency, reverses, at, entries } = posting;
        self.bytes(id);
        self.text(cause_kind);
        self.text(cause_id);
        self.text(currency);
        self.optional(reverses.as_deref());
        self.int(*at);
        self.int(i64::try_from(entries.len()).expect("a posting has fewer entries than i64::MAX"));
        for SealedEntry { line, account, side, amount, customer_id, subject } in entries {
            self.int(*line);
            self.int(*account);
            self.text(side);
            self.int(*amount);
            self.optional(customer_id.as_deref());
            self.optional(subject.as_deref());
        }
    }

    fn audit(&mut self, audit: &SealedAudit) {
        let SealedAudit { id, actor, act, object, before, after, at } = audit;
        self.bytes(id);
        for text in [actor, act, object, before, after] {
            self.text(text);
        }
        self.int(*at);
    }
}

/// How many columns [`posting`] reads; those of [`entry`] follow.
pub(crate) const POSTING_COLUMNS: usize = 6;

/// Reads `id, cause_kind, cause_id, currency, reverses, at` from column `first` on; without entries.
pub(crate) fn posting(row: &Row<'_>, first: usize) -> Result<SealedPosting> {
    Ok(SealedPosting {
        id: row.bytes16(first)?,
        cause_kind: row.text(first + 1)?,
        cause_id: row.text(first + 2)?,
        currency: row.text(first + 3)?,
        reverses: row.opt_blob(first + 4)?,
        at: row.i64(first + 5)?,
        entries: Vec::new(),
    })
}

/// Reads `line, account, side, amount, customer_id, subject` from column `first` on; `None` if there is no line.
pub(crate) fn entry(row: &Row<'_>, first: usize) -> Result<Option<SealedEntry>> {
    let Some(line) = row.opt_i64(first)? else { return Ok(None) };
    Ok(Some(SealedEntry {
        line,
        account: row.i64(first + 1)?,
        side: row.text(first + 2)?,
        amount: row.i64(first + 3)?,
        customer_id: row.opt_blob(first + 4)?,
        subject: row.opt_blob(first + 5)?,
    }))
}

/// Reads `id, actor, act, object, before, after, at` from column `first` on.
pub(crate) fn audit(row: &Row<'_>, first: usize) -> Result<SealedAudit> {
    Ok(SealedAudit {
        id: row.bytes16(first)?,
        actor: row.text(first + 1)?,
        act: row.text(first + 2)?,
        object: row.text(first + 3)?,
        before: row.text(first + 4)?,
        after: row.text(first + 5)?,
        at: row.i64(first + 6)?,
    })
}

/// Puts the entries, which come as one row each, under their postings. Rows of one posting stand together.
pub(crate) fn gather(rows: Vec<(SealedPosting, Option<SealedEntry>)>) -> Vec<SealedPosting> {
    let mut postings: Vec<SealedPosting> = Vec::new();
    for (posting, entry) in rows {
        match postings.last_mut() {
            Some(last) if last.id == posting.id => last.add(entry),
            _ => postings.push(SealedPosting { entries: entry.into_iter().collect(), ..posting }),
        }
    }
    postings
}
