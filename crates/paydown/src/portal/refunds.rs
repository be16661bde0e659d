//! The refunds of a payment as a reader may know them. Who sees one invoice of several learns of what was taken off that one alone.

use crate::pages::refund::{RefundNote, RefundNoteState};
use crate::portal::context::Ctx;
use billing::ids::{InvoiceId, MerchantId, PaymentId};
use billing::refund::{RefundMeaning, RefundState};
use jiff::Timestamp;
use ledger::{Currency, Money};
use store::db::Tx;
use store::refunds::{self, Refund, RefundOfInvoice, RefundPart, RefundPlace};

/// What is told of one refund, before it is put into the merchant's days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    amount: Money,
    at: Timestamp,
    state: RefundNoteState,
}

impl Told {
    /// What an invoice sees of a refund.
    pub fn of_invoice(row: &RefundOfInvoice, currency: Currency) -> Told {
        let state = state_of(row.state, Some(row.meaning));
        Told { amount: Money::new(row.amount_minor, currency), at: row.changed_at, state }
    }

    /// As pages show it.
    pub fn note(self, ctx: &Ctx) -> RefundNote {
        RefundNote { amount: self.amount, on: ctx.day(self.at), state: self.state }
    }
}

/// The refunds of a payment, oldest first: whole, or what of them was taken off one invoice.
pub async fn of_payment(
    tx: &mut Tx,
    (merchant, payment): (MerchantId, PaymentId),
    only: Option<InvoiceId>,
) -> anyhow::Result<Vec<Told>> {
    let mut told = Vec::new();
    for refund in refunds::list_by_payment(tx, merchant, payment).await? {
        let parts = refunds::parts(tx, merchant, refund.id).await?;
        told.extend(tell(&refund, &parts, only));
    }
    Ok(told)
}

fn tell(refund: &Refund, parts: &[RefundPart], only: Option<InvoiceId>) -> Option<Told> {
    let of_invoices: i64 = parts
        .iter()
        .filter(|part| match part.place {
            RefundPlace::Allocated(invoice) => only.is_none_or(|only| only == invoice),
            _ => false,
        })
        .map(|part| part.amount_minor)
        .sum();
    let minor = if only.is_some() { of_invoices } else { refund.amount.minor() };
    let meaning = refund.meaning.filter(|_| of_invoices > 0);
    let state = state_of(refund.state, meaning);
    let amount = Money::new(minor, refund.amount.currency());
    (minor > 0).then_some(Told { amount, at: refund.changed_at, state })
}

fn state_of(state: RefundState, meaning: Option<RefundMeaning>) -> RefundNoteState {
    match (state, meaning) {
        (RefundState::Failed | RefundState::Canceled, _) => RefundNoteState::Kept,
        (RefundState::Succeeded, Some(RefundMeaning::OwedAgain)) => RefundNoteState::OwedAgain,
        (RefundState::Succeeded, Some(RefundMeaning::PriceGivenBack)) => RefundNoteState::PriceGivenBack,
        (RefundState::Succeeded, None) => RefundNoteState::Paid,
        _ => RefundNoteState::Begun,
    }
}
