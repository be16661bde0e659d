//! Money that a bank takes back from a charge: the return of a bank debit, the dispute of a card payment.

use crate::BalanceLine;
use billing::dispute::DisputeState;
use jiff::Timestamp;
use ledger::Money;

/// A bank debit that was taken back after success. Final: there is nothing to contest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReturnFacts {
    /// The processor's name of the return.
    pub dispute_id: String,
    /// What was taken back, in the currency of the charge.
    pub amount: Money,
    /// When.
    pub at: Timestamp,
    /// The processor's own name of the reason, for example `insufficient_funds` or `debit_not_authorized`.
    pub reason: String,
    /// The network's return code, where the processor passes it on.
    pub return_code: Option<String>,
    /// The lines of the processor's books that it moved, the oldest first; some may come later. Fees of the return stand
    /// in their `fee`.
    pub lines: Vec<BalanceLine>,
}

impl ReturnFacts {
    /// What the processor charges for the return by now, in the currency of its books; `None` while no line is known.
    pub fn fee(&self) -> Option<Money> {
        crate::payout::sum_of_fees(&self.lines)
    }
}

/// What a processor says about one dispute, at the time it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DisputeFacts {
    /// The processor's id.
    pub id: String,
    /// The processor's name of the payment.
    pub payment_intent_id: Option<String>,
    /// The contested charge.
    pub charge_id: Option<String>,
    /// Where it stands. Never accepted: to the processor that is lost, and only we know that it was our wish.
    pub state: DisputeState,
    /// True if a bank debit was taken back: then it is a return, and the rest of this says so too.
    pub is_return: bool,
    /// How much is contested, in the currency of the charge.
    pub amount: Money,
    /// The processor's own name of the reason, for example `product_not_received`.
    pub reason: String,
    /// The network's code of the reason.
    pub network_code: Option<String>,
    /// Until when evidence is taken; none where nothing can be sent any more.
    pub due_at: Option<Timestamp>,
    /// True if evidence stands ready or was sent.
    pub has_evidence: bool,
    /// How often evidence was sent.
    pub submissions: u32,
    /// The lines of the processor's books that it moved, the oldest first; some may come later.
    pub lines: Vec<BalanceLine>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// True if real money moves.
    pub live: bool,
}

impl DisputeFacts {
    /// What the processor charges for it by now, in the currency of its books; `None` while no line is known. It falls
    /// to 0 where a dispute that was won gives the fee back.
    pub fn fee(&self) -> Option<Money> {
        crate::payout::sum_of_fees(&self.lines)
    }
}

/// What is said against a dispute. What is left out stays as it was.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Evidence {
    /// Texts, each once.
    pub texts: Vec<(EvidenceText, String)>,
    /// Files that were uploaded before, each kind once, by the processor's names for them.
    pub files: Vec<(EvidenceFile, String)>,
    /// True sends it to the bank, which is final for most; false keeps it ready.
    pub submit: bool,
}

/// Kinds of texts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EvidenceText {
    /// What was sold.
    ProductDescription,
    /// The payer's name.
    CustomerName,
    /// The payer's address for mail.
    CustomerEmail,
    /// The network address the payer came from.
    PurchaseAddress,
    /// The payer's postal address.
    BillingAddress,
    /// When the work was done, as a person writes it.
    ServiceDate,
    /// What the payer used of it, and when.
    AccessLog,
    /// How the refund policy was shown.
    RefundPolicyShown,
    /// Why no refund is due.
    RefundRefused,
    /// How the cancellation policy was shown.
    CancellationPolicyShown,
    /// Why the payer had not cancelled.
    CancellationRebuttal,
    /// Why it is not the same charge twice.
    DuplicateExplanation,
    /// The processor's name of the other charge.
    DuplicateChargeId,
    /// Anything else.
    Other,
}

/// Kinds of files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum EvidenceFile {
    /// The receipt or the invoice.
    Receipt,
    /// Proof that the work was done.
    Service,
    /// What was written between payer and merchant.
    Communication,
    /// The payer's signature.
    Signature,
    /// The refund policy.
    RefundPolicy,
    /// The cancellation policy.
    CancellationPolicy,
    /// Proof that something was sent.
    Shipping,
    /// The documents of the other charge.
    Duplicate,
    /// Anything else.
    Other,
}

/// A file to upload: its type was found by its content, never by its name.
#[derive(Clone, PartialEq, Eq)]
pub struct EvidenceUpload {
    /// What kind of file it is.
    pub kind: UploadKind,
    /// Its bytes, at most 4 MiB.
    pub content: Vec<u8>,
}

impl std::fmt::Debug for EvidenceUpload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EvidenceUpload({:?}, {} bytes)", self.kind, self.content.len())
    }
}

/// The types of files that banks read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum UploadKind {
    /// PDF.
    Pdf,
    /// JPEG.
    Jpeg,
    /// PNG.
    Png,
}
