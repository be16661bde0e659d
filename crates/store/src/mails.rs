//! The outbox of mail. A mail is a row that commits with its cause; what it says is written when it is sent, from
//! the facts of then. Delivered at least once, under the id as its Message-ID.
//!
//! Claiming a mail sets `next_at` ahead as a lease: whoever dies while sending leaves a mail that is due again.

use crate::args;
use crate::columns::{opt_timestamp, timestamp, word};
use crate::db::{Row, Sql, Tx, Val};
use crate::signins::SigninId;
use anyhow::Result;
use billing::ids::{InvoiceId, LinkId, MailId, MerchantId, PaymentId};
use jiff::Timestamp;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailKind {
    /// Here is your invoice.
    Invoice,
    /// Here is the code to sign in with.
    Code,
    /// We received your payment.
    Received,
    /// Your payment did not go through.
    Failed,
    /// Your bank debit is on its way.
    Started,
    /// Your bank took a payment back.
    Returned,
    /// To the merchant: a bank took a payment back.
    ReturnedNotice,
    /// To the merchant: a payer contests a card payment.
    DisputeOpened,
    /// To the merchant: that has ended.
    DisputeEnded,
    /// We sent money back to you. Its cause is the refund.
    Refunded,
    /// Money could not go back to you, and is kept for you. Its cause is the refund.
    RefundFailed,
    /// Your agreement, to keep.
    Agreement,
    /// Your agreement has ended.
    AgreementEnded,
}

impl MailKind {
    /// The word the store uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            MailKind::Invoice => "invoice",
            MailKind::Code => "code",
            MailKind::Received => "received",
            MailKind::Failed => "failed",
            MailKind::Started => "started",
            MailKind::Returned => "returned",
            MailKind::ReturnedNotice => "returned_notice",
            MailKind::DisputeOpened => "dispute_opened",
            MailKind::DisputeEnded => "dispute_ended",
            MailKind::Refunded => "refunded",
            MailKind::RefundFailed => "refund_failed",
            MailKind::Agreement => "agreement",
            MailKind::AgreementEnded => "agreement_ended",
        }
    }

    /// The kind behind such a word.
    pub fn parse(word: &str) -> Option<MailKind> {
        let all = [
            MailKind::Invoice,
            MailKind::Code,
            MailKind::Received,
            MailKind::Failed,
            MailKind::Started,
            MailKind::Returned,
            MailKind::ReturnedNotice,
            MailKind::DisputeOpened,
            MailKind::DisputeEnded,
            MailKind::Refunded,
            MailKind::RefundFailed,
            MailKind::Agreement,
            MailKind::AgreementEnded,
        ];
        all.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A mail to be queued: what it is about and whom it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMail {
    /// Its id, also the stem of its Message-ID.
    pub id: MailId,
    /// What it is about.
    pub kind: MailKind,
    /// Why it exists, a printed id or request: with kind and recipient it makes a repeat harmless.
    pub cause: String,
    /// The address.
    pub recipient: String,
    /// The invoice it shows.
    pub invoice_id: Option<InvoiceId>,
    /// The payment it tells of.
    pub payment_id: Option<PaymentId>,
    /// The link it is about.
    pub link_id: Option<LinkId>,
    /// The request to sign in that it answers.
    pub signin_id: Option<SigninId>,
    /// When it was queued; it is due at once.
    pub created_at: Timestamp,
}

/// A mail as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Whose outbox it is in.
    pub merchant_id: MerchantId,
    /// What it is about and whom it goes to.
    pub about: NewMail,
    /// `queued`, `sent` or `dropped`.
    pub state: MailState,
    /// How often it was claimed.
    pub tries: i64,
    /// When it is due, or until when it is leased.
    pub next_at: Timestamp,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When the server took it.
    pub sent_at: Option<Timestamp>,
}

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MailState {
    /// It waits, or is being sent.
    Queued,
    /// A mail server took it.
    Sent,
    /// It will not be sent: given up, or its reason is gone.
    Dropped,
}

impl MailState {
    fn parse(word: &str) -> Option<MailState> {
        match word {
            "queued" => Some(MailState::Queued),
            "sent" => Some(MailState::Sent),
            "dropped" => Some(MailState::Dropped),
            _ => None,
        }
    }
}

const QUEUE: Sql = Sql(
    "INSERT INTO mails (merchant_id, id, kind, cause, recipient, invoice_id, payment_id, link_id, signin_id, state, \
     tries, next_at, last_error, created_at, sent_at) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', 0, $10, NULL, $10, NULL) ON CONFLICT DO NOTHING",
);
const FIND: Sql = Sql(
    "SELECT merchant_id, id, kind, cause, recipient, invoice_id, payment_id, link_id, signin_id, created_at, state, \
     tries, next_at, last_error, sent_at FROM mails WHERE merchant_id = $1 AND id = $2",
);
const LIST_BY_INVOICE: Sql = Sql(
    "SELECT merchant_id, id, kind, cause, recipient, invoice_id, payment_id, link_id, signin_id, created_at, state, \
     tries, next_at, last_error, sent_at FROM mails WHERE merchant_id = $1 AND invoice_id = $2 ORDER BY id DESC",
);
const DUE: Sql = Sql(
    "SELECT merchant_id, id, kind, cause, recipient, invoice_id, payment_id, link_id, signin_id, created_at, state, \
     tries, next_at, last_error, sent_at FROM mails WHERE state = 'queued' AND next_at <= $1 \
     ORDER BY next_at LIMIT $2",
);
const LEASE: Sql = Sql("UPDATE mails SET next_at = $3, tries = tries + 1 WHERE merchant_id = $1 AND id = $2");
const MARK_SENT: Sql = Sql("UPDATE mails SET state = 'sent', sent_at = $3, last_error = NULL \
     WHERE merchant_id = $1 AND id = $2 AND state = 'queued'");
const MARK_FAILED: Sql = Sql("UPDATE mails SET next_at = $4, last_error = $5 \
     WHERE merchant_id = $1 AND id = $2 AND state = 'queued' AND tries = $3");
const DROP: Sql = Sql(
    "UPDATE mails SET state = 'dropped', last_error = $3 WHERE merchant_id = $1 AND id = $2 AND state = 'queued'",
);
const RELEASE: Sql = Sql("UPDATE mails SET next_at = $1 WHERE state = 'queued' AND next_at > $2");
const NEXT_DUE: Sql = Sql("SELECT next_at FROM mails WHERE state = 'queued' ORDER BY next_at LIMIT 1");

/// Queues a mail. False, and nothing changes, if the same kind went to the same address for the same cause.
pub async fn queue(tx: &mut Tx, merchant_id: MerchantId, mail: &NewMail) -> Result<bool> {
    let args = args![
        merchant_id.0,
        mail.id.as_bytes(),
        mail.kind.as_str(),
        &mail.cause,
        &mail.recipient,
        mail.invoice_id.as_ref().map(InvoiceId::as_bytes),
        mail.payment_id.as_ref().map(PaymentId::as_bytes),
        mail.link_id.as_ref().map(LinkId::as_bytes),
        mail.signin_id.as_ref().map(SigninId::as_bytes),
        mail.created_at.as_microsecond(),
    ];
    Ok(tx.execute(QUEUE, args).await? == 1)
}

/// The mail with this id.
pub async fn find(tx: &mut Tx, merchant_id: MerchantId, mail_id: MailId) -> Result<Option<Mail>> {
    tx.fetch_optional(FIND, args![merchant_id.0, mail_id.as_bytes()], mail).await
}

/// Every mail that shows an invoice, newest first.
pub async fn list_by_invoice(
    tx: &mut Tx,
    merchant_id: MerchantId,
    invoice_id: InvoiceId,
) -> Result<Vec<Mail>> {
    tx.fetch_all(LIST_BY_INVOICE, args![merchant_id.0, invoice_id.as_bytes()], mail).await
}

/// Takes mails that are due, of any merchant, `limit` at most, and leases them until `leased_until`. Two who claim
/// at once never get the same. `tries` of the answer counts this claim.
pub async fn claim_due(
    tx: &mut Tx,
    now: Timestamp,
    leased_until: Timestamp,
    limit: i64,
) -> Result<Vec<Mail>> {
    let mut mails = tx.lock_skip(DUE, args![now.as_microsecond(), limit], mail).await?;
    let leases: Vec<[Val<'_>; 3]> = mails
        .iter()
        .map(|mail| {
            [mail.merchant_id.0.into(), mail.about.id.as_bytes().into(), leased_until.as_microsecond().into()]
        })
        .collect();
    let list: Vec<(Sql, &[Val<'_>])> = leases.iter().map(|args| (LEASE, args.as_slice())).collect();
    tx.execute_many(&list).await?;
    for mail in &mut mails {
        mail.tries += 1;
        mail.next_at = leased_until;
    }
    Ok(mails)
}

/// A mail server took it. False if it was not queued any more.
pub async fn mark_sent(
    tx: &mut Tx,
    merchant_id: MerchantId,
    mail_id: MailId,
    now: Timestamp,
) -> Result<bool> {
    let args = args![merchant_id.0, mail_id.as_bytes(), now.as_microsecond()];
    Ok(tx.execute(MARK_SENT, args).await? == 1)
}

/// Sending failed; it is due again at `next_at`. False if somebody else has claimed, sent or dropped it since.
pub async fn mark_failed(tx: &mut Tx, claimed: &Mail, next_at: Timestamp, error: &str) -> Result<bool> {
    let id = claimed.about.id.as_bytes();
    let args = args![claimed.merchant_id.0, id, claimed.tries, next_at.as_microsecond(), error];
    Ok(tx.execute(MARK_FAILED, args).await? == 1)
}

/// It will not be sent, for this reason. False if it was not queued any more.
pub async fn drop(tx: &mut Tx, merchant_id: MerchantId, mail_id: MailId, reason: &str) -> Result<bool> {
    Ok(tx.execute(DROP, args![merchant_id.0, mail_id.as_bytes(), reason]).await? == 1)
}

/// What waits until after `latest`, which nobody asks for, is due now: a clock that ran ahead left it there. Answers
/// how many.
pub async fn release_beyond(tx: &mut Tx, now: Timestamp, latest: Timestamp) -> Result<u64> {
    tx.execute(RELEASE, args![now.as_microsecond(), latest.as_microsecond()]).await
}

/// When the next mail is due, or its lease ends; `None` when the outbox is empty.
pub async fn next_due_at(tx: &mut Tx) -> Result<Option<Timestamp>> {
    tx.fetch_optional(NEXT_DUE, args![], |row| timestamp(row, 0)).await
}

fn mail(row: &Row<'_>) -> Result<Mail> {
    Ok(Mail {
        merchant_id: MerchantId(row.i64(0)?),
        about: NewMail {
            id: MailId::from_bytes(row.bytes16(1)?),
            kind: word(row, 2, MailKind::parse)?,
            cause: row.text(3)?,
            recipient: row.text(4)?,
            invoice_id: row.opt_bytes16(5)?.map(InvoiceId::from_bytes),
            payment_id: row.opt_bytes16(6)?.map(PaymentId::from_bytes),
            link_id: row.opt_bytes16(7)?.map(LinkId::from_bytes),
            signin_id: row.opt_bytes16(8)?.map(SigninId::from_bytes),
            created_at: timestamp(row, 9)?,
        },
        state: word(row, 10, MailState::parse)?,
        tries: row.i64(11)?,
        next_at: timestamp(row, 12)?,
        last_error: row.opt_text(13)?,
        sent_at: opt_timestamp(row, 14)?,
    })
}
