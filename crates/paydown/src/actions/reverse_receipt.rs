//! Money that somebody entered as received is taken out of the books again: a cheque that bounced, an entry that was wrong. What is
//! left of this payment alone is taken from where it is, invoices are owed again by their own dates, and what was spent of it
//! meanwhile is owed by the customer (1150). The payment stays where it is shown, with the reason.
//!
//! Nobody is called and nothing moves at any bank: whoever reverses says that the money is not there.

use crate::actions::once::{self, Once, Ran};
use crate::actions::record_refund::withdraw_waiting;
use crate::actions::{create_link, return_credit, take_back};
use crate::app::App;
use crate::clock::Mint;
use crate::secrets::SecretKey;
use anyhow::{Context as _, Result};
use billing::chart::{self, Channel, Paid};
use billing::ids::{AuditId, EventId, InvoiceId, MailId, MerchantId, PaymentId, PostingId};
use billing::payment::PaymentState;
use billing::reversal::{self, ReversalKind, may_reverse};
use billing::take_back::{Allocated, Taken, TakenWithRest};
use ledger::{Money, Posting};
use serde_json::{Value, json};
use std::sync::Arc;
use store::audit::{self, AuditRow, acts};
use store::contacts;
use store::db::Tx;
use store::events::{self, Event};
use store::mails::{self, MailKind, NewMail};
use store::payments::{self, Payment};
use store::postings::{self, CauseKind, NewPosting};
use store::reversals::{self, Reversal};
use store::verify::holds_card_number;
use store::{customers, unmatched_receipts};

/// Longest reason, characters.
pub const REASON_LIMIT: usize = 500;

/// Who reverses what, and why.
#[derive(Clone, Debug)]
pub struct ReverseReceipt {
    /// Whose.
    pub merchant: MerchantId,
    /// The payment, or the receipt of which nobody knows whose it is.
    pub receipt: PaymentId,
    /// Why, in a word.
    pub kind: ReversalKind,
    /// Why, in their words.
    pub reason: String,
    /// For the audit trail, for example `cli:root`.
    pub actor: String,
}

/// A receipt that was reversed, and where its money was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversed {
    /// What was written down.
    pub reversal: Reversal,
    /// All that had been received.
    pub amount: Money,
    /// From where it was taken; the rest is owed by the customer.
    pub back: TakenWithRest,
}

/// Why nothing was reversed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotReverse {
    /// There is neither a payment nor a receipt of this id.
    #[error("there is no such payment")]
    NoSuchPayment,
    /// A rule says no.
    #[error("{0}")]
    Rule(#[from] reversal::CannotReverse),
    /// Nobody would know later why.
    #[error("the reason is empty, has more than {REASON_LIMIT} characters, or holds a card number")]
    Reason,
}

/// Reverses it, in one transaction. With `once`, the same request does nothing twice.
pub async fn reverse_receipt(
    app: &App,
    input: ReverseReceipt,
    once: Option<Once<Reversed>>,
) -> Result<Ran<Reversed, CannotReverse>> {
    let reversing = Reversing { mint: app.mint(), secrets: Arc::clone(&app.secrets), input };
    app.store
        .write(async move |tx: &mut Tx| {
            let merchant = reversing.input.merchant;
            if let Some(before) = once::begin(tx, &reversing.mint, merchant, once.as_ref()).await? {
                return Ok(before);
            }
            let outcome = reversing.in_tx(tx).await?;
            once::end(tx, merchant, once.as_ref(), outcome).await
        })
        .await
}

struct Reversing {
    mint: Mint,
    secrets: Arc<SecretKey>,
    input: ReverseReceipt,
}

impl Reversing {
    async fn in_tx(&self, tx: &mut Tx) -> Result<Result<Reversed, CannotReverse>> {
        let ReverseReceipt { merchant, receipt: id, reason, .. } = &self.input;
        let too_long = reason.trim().chars().nth(REASON_LIMIT).is_some();
        if reason.trim().is_empty() || too_long || holds_card_number(reason) {
            return Ok(Err(CannotReverse::Reason));
        }
        // Behind its lock nobody finds out meanwhile whose a receipt is.
        let nobodys = unmatched_receipts::find(tx, *merchant, *id).await?;
        if nobodys.is_some_and(|receipt| receipt.customer_id.is_none()) {
            let receipt =
                unmatched_receipts::lock(tx, *merchant, *id).await?.context("it is never deleted")?;
            if receipt.customer_id.is_none() {
                return match receipt.reversed_at {
                    Some(_) => Ok(Err(reversal::CannotReverse::Already.into())),
                    None => self.nobodys(tx, receipt.amount).await.map(Ok),
                };
            }
        }
        let Some(found) = payments::find(tx, *merchant, *id).await? else {
            return Ok(Err(CannotReverse::NoSuchPayment));
        };
        customers::lock(tx, *merchant, found.customer_id).await?;
        let payment = payments::lock(tx, *merchant, *id).await?.context("a payment is never deleted")?;
        match may_reverse(payment.method, payment.state) {
            Ok(()) => self.payment(tx, &payment).await.map(Ok),
            Err(why) => Ok(Err(why.into())),
        }
    }

    /// A payment: all that is left of it is taken, as when a bank takes a debit back.
    async fn payment(&self, tx: &mut Tx, payment: &Payment) -> Result<Reversed> {
        let (merchant, mint, kind) = (payment.merchant, &self.mint, self.input.kind);
        let amount = payment.captured.context("a recorded payment was received")?;
        payments::set_state(tx, payment, PaymentState::Returned, reason_of(kind), mint.now).await?;
        let invoices = take_back::lock_invoices(tx, merchant, payment.id).await?;
        let why = "the payment was reversed before it was paid";
        withdraw_waiting(tx, mint, &self.secrets, (merchant, payment.id), why).await?;
        let back = take_back::left_of(tx, payment).await?.take_up_to(amount.minor());
        let paid = Paid { customer: payment.customer_id, payment: payment.id, currency: amount.currency() };
        let posting = chart::payment_returned(&paid, Channel::Bank, &back)?;
        let posting_id = self.post(tx, (CauseKind::PaymentReturned, &posting), None).await?;
        take_back::take(tx, mint, payment, &back.taken, posting_id).await?;
        payments::set_returned(tx, merchant, payment.id, (Some(kind.as_str()), mint.now)).await?;
        for invoice in &invoices {
            return_credit::in_tx(tx, mint, merchant, *invoice).await?;
            self.tell(tx, "payment.returned", Some(*invoice), Some(payment.id)).await?;
        }
        if let Some(part) =
            back.taken.allocated.first().map(|part| part.invoice).or(invoices.first().copied())
        {
            self.mail(tx, payment, part).await?;
        }
        let reversal = self.note(tx, false).await?;
        let reversed = Reversed { reversal, amount, back };
        self.audit(tx, &reversed, "succeeded").await?;
        Ok(reversed)
    }

    /// A receipt that is nobody's: nobody owes it, since nobody was found who paid it.
    async fn nobodys(&self, tx: &mut Tx, amount: Money) -> Result<Reversed> {
        let (merchant, id, mint) = (self.input.merchant, self.input.receipt, &self.mint);
        let received = postings::find_by_cause(tx, merchant, CauseKind::Receipt, &id.to_string()).await?;
        let (received, ..) = received.context("a receipt was posted")?;
        let posting = chart::unmatched_reversed(id, amount)?;
        self.post(tx, (CauseKind::ReceiptReversed, &posting), Some(received)).await?;
        unmatched_receipts::reverse(tx, merchant, id, mint.now).await?;
        self.tell(tx, "unmatched_receipt.reversed", None, None).await?;
        let reversal = self.note(tx, true).await?;
        let taken = Taken { unapplied_minor: amount.minor(), ..Taken::default() };
        let reversed = Reversed { reversal, amount, back: TakenWithRest { taken, rest_minor: 0 } };
        self.audit(tx, &reversed, "unmatched").await?;
        Ok(reversed)
    }

    async fn post(
        &self,
        tx: &mut Tx,
        (cause, posting): (CauseKind, &Posting),
        reverses: Option<PostingId>,
    ) -> Result<PostingId> {
        let (id, cause_id, at) =
            (self.mint.id(PostingId::new), self.input.receipt.to_string(), self.mint.now);
        let new = NewPosting { id, cause, cause_id: &cause_id, reverses, posting, at };
        postings::insert_first(tx, self.input.merchant, &new).await?;
        Ok(id)
    }

    async fn note(&self, tx: &mut Tx, is_nobodys: bool) -> Result<Reversal> {
        let reversal = Reversal {
            id: self.input.receipt,
            is_nobodys,
            kind: self.input.kind,
            reason: self.input.reason.trim().to_owned(),
            actor: self.input.actor.clone(),
            at: self.mint.now,
        };
        reversals::insert(tx, self.input.merchant, &reversal).await?;
        Ok(reversal)
    }

    /// The event that others follow.
    async fn tell(
        &self,
        tx: &mut Tx,
        kind: &str,
        invoice_id: Option<InvoiceId>,
        payment_id: Option<PaymentId>,
    ) -> Result<()> {
        let said = match payment_id {
            Some(_) => json!({ "how": self.input.kind.as_str() }),
            None => json!({
                "how": self.input.kind.as_str(), "unmatched_receipt": self.input.receipt.to_string(),
            }),
        };
        let event = Event {
            id: self.mint.id(EventId::new),
            kind: kind.to_owned(),
            invoice_id,
            payment_id,
            data: said.to_string(),
            at: self.mint.now,
            feed_number: None,
        };
        events::append(tx, self.input.merchant, &event).await
    }

    /// Who reversed it, and where its money was.
    async fn audit(&self, tx: &mut Tx, reversed: &Reversed, state: &str) -> Result<()> {
        let Taken { allocated, grants, unapplied_minor, .. } = &reversed.back.taken;
        let credit_minor: i64 = grants.iter().map(|grant| grant.amount_minor).sum();
        let part =
            |part: &Allocated| json!({ "invoice": part.invoice.to_string(), "amount": part.amount_minor });
        let after = json!({
            "how": self.input.kind.as_str(),
            "reason": reversed.reversal.reason,
            "amount": reversed.amount.minor(),
            "currency": reversed.amount.currency().code(),
            "allocations": allocated.iter().map(part).collect::<Vec<Value>>(),
            "customer_credit": credit_minor,
            "unapplied": unapplied_minor,
            "owed": reversed.back.rest_minor,
        });
        let row = AuditRow {
            id: self.mint.id(AuditId::new),
            actor: self.input.actor.clone(),
            act: acts::PAYMENT_REVERSE.to_owned(),
            object: self.input.receipt.to_string(),
            before: json!({ "state": state }).to_string(),
            after: after.to_string(),
            at: self.mint.now,
        };
        audit::append(tx, self.input.merchant, &row).await
    }

    /// Nobody started a recorded payment, so all who may see its customer's invoices hear that one is owed again.
    async fn mail(&self, tx: &mut Tx, payment: &Payment, invoice: InvoiceId) -> Result<()> {
        let (merchant, mint) = (payment.merchant, &self.mint);
        for contact in contacts::list(tx, merchant, payment.customer_id).await? {
            let of = (merchant, invoice);
            let link = create_link::in_tx(tx, mint, &self.secrets, of, Some(contact.id)).await?;
            let mail = NewMail {
                id: mint.id(MailId::new),
                kind: MailKind::Returned,
                cause: payment.id.to_string(),
                recipient: contact.email,
                invoice_id: Some(invoice),
                payment_id: Some(payment.id),
                link_id: Some(link),
                signin_id: None,
                created_at: mint.now,
            };
            mails::queue(tx, merchant, &mail).await?;
        }
        Ok(())
    }
}

/// What stands in the payment's history.
const fn reason_of(kind: ReversalKind) -> &'static str {
    match kind {
        ReversalKind::Bounced => "it bounced",
        ReversalKind::EnteredWrongly => "it was entered wrongly",
    }
}
