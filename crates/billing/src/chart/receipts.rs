//! Received money whose place is found later, and allocations that find another one. Nothing here asks what an invoice can take.

use super::{Place, bank, customer_credit, receivable, unapplied};
use crate::ids::{CustomerId, GrantId, InvoiceId, PaymentId};
use ledger::{Money, Posting, PostingBuilder, PostingError};

/// Money is at the bank and nobody can tell yet what it is for.
pub fn unmatched_received(receipt: PaymentId, received: Money) -> Result<Posting, PostingError> {
    PostingBuilder::new(received.currency())
        .debit(bank(), received)
        .credit(unapplied(receipt), received)
        .build()
}

/// It was not there after all. Nobody owes it, since nobody was found who paid it.
pub fn unmatched_reversed(receipt: PaymentId, received: Money) -> Result<Posting, PostingError> {
    unmatched_received(receipt, received).map(|posting| posting.reversed())
}

/// Money without a place finds one: invoices of a customer, and that customer's credit.
pub fn receipt_matched(
    receipt: PaymentId,
    customer: CustomerId,
    matched: Money,
    parts: &[(Place, Money)],
) -> Result<Posting, PostingError> {
    let mut posting = PostingBuilder::new(matched.currency()).debit(unapplied(receipt), matched);
    for (place, amount) in parts {
        posting = posting.credit(place.account(customer), *amount);
    }
    posting.build()
}

/// An allocation moves to another invoice of the same customer.
pub fn allocation_moved(
    customer: CustomerId,
    from: InvoiceId,
    to: InvoiceId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(receivable(customer, from), amount)
        .credit(receivable(customer, to), amount)
        .build()
}

/// An allocation is taken off its invoice and becomes customer credit.
pub fn allocation_taken_off(
    customer: CustomerId,
    from: InvoiceId,
    grant: GrantId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(receivable(customer, from), amount)
        .credit(customer_credit(customer, grant), amount)
        .build()
}
