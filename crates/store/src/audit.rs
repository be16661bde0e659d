//! The audit trail: who did what to which object, and what it was before and after. Rows are added, never changed;
//! the sealer chains them.
//!
//! No secret and no card number belongs into `before` and `after`.

use crate::args;
use crate::columns::timestamp;
use crate::db::{Row, Sql, Tx};
use anyhow::Result;
use billing::ids::{AuditId, MerchantId};
use jiff::Timestamp;

/// The privileged acts by name. `verify` looks for those that leave a mark on what they were done to. The object is a printed
/// id where one is named here.
pub mod acts {
    /// A customer was created; the object is the customer.
    pub const CUSTOMER_CREATE: &str = "customer.create";
    /// A contact was added and may see all invoices of its customer; the object is the contact.
    pub const CONTACT_ADD: &str = "contact.add";
    /// An invoice was voided; the object is the invoice.
    pub const INVOICE_VOID: &str = "invoice.void";
    /// An invoice came from a file; the object is the invoice.
    pub const INVOICE_IMPORT: &str = "invoice.import";
    /// A draft was issued; the object is the invoice.
    pub const INVOICE_ISSUE: &str = "invoice.issue";
    /// A refund was asked for; the object is the refund, as of the next four.
    pub const REFUND_REQUEST: &str = "refund.request";
    /// A refund that was made at the processor was taken into the books.
    pub const REFUND_ADOPT: &str = "refund.adopt";
    /// A second person approved a refund.
    pub const REFUND_APPROVE: &str = "refund.approve";
    /// A refund was withdrawn before it was sent.
    pub const REFUND_REFUSE: &str = "refund.refuse";
    /// A refund was paid from the bank.
    pub const REFUND_PAY: &str = "refund.pay";
    /// The amount above which a second person approves refunds was set; the object names the currency.
    pub const REFUND_LIMIT_SET: &str = "refund_limit.set";
    /// Money that was received was recorded; the object is the payment.
    pub const PAYMENT_RECORD: &str = "payment.record";
    /// A credit note was issued; the object is the credit note.
    pub const CREDIT_NOTE_ISSUE: &str = "credit_note.issue";
    /// Customer credit was set against an invoice; the object is the application.
    pub const CREDIT_APPLY: &str = "credit.apply";
    /// What was set against an invoice went to another one or became credit; the object is the invoice it was taken off.
    pub const ALLOCATION_MOVE: &str = "allocation.move";
    /// A part of an invoice was given up; the object is the write-off.
    pub const INVOICE_WRITE_OFF: &str = "invoice.write_off";
    /// A receipt without a payer found one; the object is the payment it became.
    pub const RECEIPT_MATCH: &str = "receipt.match";
    /// A returned payment was demanded again; the object is the new invoice.
    pub const RETURNED_PAYMENT_DEMAND: &str = "returned_payment.demand";
    /// One person said how a payment ended, where the processor could not be asked; a second one has to say the same. The object is the
    /// payment.
    pub const PAYMENT_PROPOSE: &str = "payment.propose";
    /// A second person said how a payment ended, and it is booked so; the object is the payment.
    pub const PAYMENT_RESOLVE: &str = "payment.resolve";
    /// A recorded receipt was taken out of the books again; the object is the payment, or the receipt that was nobody's.
    pub const PAYMENT_REVERSE: &str = "payment.reverse";
    /// A key of the API was made, changed or taken back; the object is the key.
    pub const KEY_CREATE: &str = "key.create";
    /// See [`KEY_CREATE`]; from which rate to which.
    pub const KEY_CHANGE: &str = "key.change";
    /// See [`KEY_CREATE`].
    pub const KEY_REVOKE: &str = "key.revoke";
    /// A program made a payment link; the object is the link.
    pub const LINK_CREATE: &str = "link.create";
    /// A payment link was taken back; the object is the link, or the invoice where all of its links were.
    pub const LINK_REVOKE: &str = "link.revoke";
    /// An anomaly was closed; the object is the anomaly.
    pub const ANOMALY_CLOSE: &str = "anomaly.close";
    /// Evidence against a dispute was handed in; the object is the dispute.
    pub const DISPUTE_EVIDENCE: &str = "dispute.evidence";
    /// A dispute is let be; the object is the dispute.
    pub const DISPUTE_ACCEPT: &str = "dispute.accept";
    /// What a loss of one dispute means was chosen; the object is the dispute.
    pub const DISPUTE_SET: &str = "dispute.set";
    /// What a lost dispute usually means was set; the object is the merchant.
    pub const DISPUTE_SETTINGS_SET: &str = "dispute_settings.set";
    /// A policy was set.
    pub const POLICY_SET: &str = "policy.set";
    /// A surcharge was set.
    pub const SURCHARGE_SET: &str = "surcharge.set";
    /// The ways in which payers may pay were set; the object is the merchant.
    pub const METHODS_SET: &str = "methods.set";
    /// Staff removed a saved method; the object is the method.
    pub const METHOD_REMOVE: &str = "method.remove";
    /// Staff ended a mandate; the object is the mandate.
    pub const MANDATE_END: &str = "mandate.end";
    /// Staff charged a saved method; the object is the payment.
    pub const PAYMENT_CHARGE: &str = "payment.charge";
    /// Staff asked for a payment to be called off; the object is the payment.
    pub const PAYMENT_CANCEL: &str = "payment.cancel";
    /// Until when debits of saved accounts are held was set; the object is the merchant.
    pub const CUT_OFF_SET: &str = "cut_off.set";
    /// The links at the foot of a merchant's pages were set; the object is the merchant.
    pub const MERCHANT_LINKS_SET: &str = "merchant_links.set";
    /// A processor was connected, or its keys were replaced.
    pub const PROCESSOR_CONNECT: &str = "processor.connect";
}

/// One row of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    /// Its id.
    pub id: AuditId,
    /// Who acted: `cli:…`, `con_…`, `job:…`. Never empty.
    pub actor: String,
    /// What was done, noun and verb; see [`acts`]. Never empty.
    pub act: String,
    /// To what: a printed id, or the name of a setting.
    pub object: String,
    /// JSON of what mattered before; `null` where there was nothing.
    pub before: String,
    /// JSON of what mattered after.
    pub after: String,
    /// When.
    pub at: Timestamp,
}

const APPEND: Sql = Sql("INSERT INTO audit (merchant_id, id, actor, act, object, before, after, at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
const LIST_BY_OBJECT: Sql = Sql("SELECT id, actor, act, object, before, after, at FROM audit \
     WHERE merchant_id = $1 AND object = $2 ORDER BY id DESC LIMIT $3");
const EXISTS: Sql =
    Sql("SELECT EXISTS (SELECT 1 FROM audit WHERE merchant_id = $1 AND object = $2 AND act = $3)");

/// Adds a row. Fails where actor or act is empty.
pub async fn append(tx: &mut Tx, merchant_id: MerchantId, row: &AuditRow) -> Result<()> {
    let AuditRow { id, actor, act, object, before, after, at } = row;
    let args = args![merchant_id.0, id.as_bytes(), actor, act, object, before, after, at.as_microsecond()];
    tx.write_one(APPEND, args).await
}

/// What was done to an object, newest first, `limit` rows at most.
pub async fn list_by_object(
    tx: &mut Tx,
    merchant_id: MerchantId,
    object: &str,
    limit: i64,
) -> Result<Vec<AuditRow>> {
    tx.fetch_all(LIST_BY_OBJECT, args![merchant_id.0, object, limit], audit_row).await
}

/// True if this was done to the object at least once.
pub async fn exists(tx: &mut Tx, merchant_id: MerchantId, object: &str, act: &str) -> Result<bool> {
    tx.fetch_one(EXISTS, args![merchant_id.0, object, act], |row| row.bool(0)).await
}

fn audit_row(row: &Row<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        id: AuditId::from_bytes(row.bytes16(0)?),
        actor: row.text(1)?,
        act: row.text(2)?,
        object: row.text(3)?,
        before: row.text(4)?,
        after: row.text(5)?,
        at: timestamp(row, 6)?,
    })
}
