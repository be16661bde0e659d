//! What lowers an invoice without money: credit notes, write-offs, discounts, and a write-off that is undone by money. None of
//! them looks at what the invoice can take.

use super::{bad_debt, credit_notes, customer_credit, discounts, receivable, tax_payable};
use crate::credit_note::CreditSplit;
use crate::ids::{CreditNoteId, CustomerId, GrantId, InvoiceId};
use ledger::{Currency, Money, Posting, PostingBuilder, PostingError};

/// A credit note, and what it is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credited {
    /// Whose invoice.
    pub customer: CustomerId,
    /// Which invoice.
    pub invoice: InvoiceId,
    /// Which credit note.
    pub credit_note: CreditNoteId,
    /// The grant that holds what the invoice cannot take; needed only where there is some.
    pub grant: GrantId,
    /// Of the invoice.
    pub currency: Currency,
}

/// A credit note is issued: net and tax against the invoice and the customer's credit.
pub fn credit_note_issued(credited: &Credited, split: &CreditSplit) -> Result<Posting, PostingError> {
    let money = |minor| Money::new(minor, credited.currency);
    let mut posting = PostingBuilder::new(credited.currency)
        .debit(credit_notes(credited.credit_note), money(split.net_minor));
    for (rate, minor) in &split.taxes {
        posting = posting.debit(tax_payable(*rate), money(*minor));
    }
    posting
        .credit(receivable(credited.customer, credited.invoice), money(split.to_invoice_minor))
        .credit(customer_credit(credited.customer, credited.grant), money(split.surplus_minor))
        .build()
}

/// An amount is given up.
pub fn written_off(customer: CustomerId, invoice: InvoiceId, amount: Money) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(bad_debt(invoice), amount)
        .credit(receivable(customer, invoice), amount)
        .build()
}

/// What was given up is owed again, because money for it arrived.
pub fn write_off_recovered(
    customer: CustomerId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<Posting, PostingError> {
    written_off(customer, invoice, amount).map(|posting| posting.reversed())
}

/// A discount is taken.
pub fn discount_taken(
    customer: CustomerId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(discounts(invoice), amount)
        .credit(receivable(customer, invoice), amount)
        .build()
}
