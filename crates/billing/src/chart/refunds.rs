//! Refunds: asked for on 2300, and from there paid, failed or withdrawn. A price that is given back has a credit note beside the
//! refund, which is no business of this posting.

use super::{
    Channel, Paid, customer_credit, refunds_payable, returned_receivable, surcharge_income, unapplied,
};
use crate::ids::{CustomerId, GrantId, PaymentId, RefundId};
use crate::take_back::{Born, GivenBack, Taken, TakenWithRest};
use ledger::{Money, Posting, PostingBuilder, PostingError};

/// A refund of a payment, or of a part of it, is asked for.
pub fn refund_asked(paid: &Paid, refund: RefundId, taken: &Taken) -> Result<Posting, PostingError> {
    let amount = paid.money(taken.total_minor());
    paid.debit_taken(taken).credit(refunds_payable(refund), amount).build()
}

/// The same of one that the processor made unasked, which may be of more than the payment still has: the customer owes the rest.
pub fn refund_found(paid: &Paid, refund: RefundId, found: &TakenWithRest) -> Result<Posting, PostingError> {
    let amount = paid.money(found.taken.total_minor().saturating_add(found.rest_minor));
    paid.debit_taken(&found.taken)
        .debit(returned_receivable(paid.customer), paid.money(found.rest_minor))
        .credit(refunds_payable(refund), amount)
        .build()
}

/// A refund of customer credit is asked for, of one grant or of several.
pub fn credit_refund_asked(
    customer: CustomerId,
    refund: RefundId,
    amount: Money,
    grants: &[(GrantId, Money)],
) -> Result<Posting, PostingError> {
    let mut posting = PostingBuilder::new(amount.currency());
    for (grant, part) in grants {
        posting = posting.debit(customer_credit(customer, *grant), *part);
    }
    posting.credit(refunds_payable(refund), amount).build()
}

/// A refund of money without a place is asked for.
pub fn unapplied_refund_asked(
    receipt: PaymentId,
    refund: RefundId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(unapplied(receipt), amount)
        .credit(refunds_payable(refund), amount)
        .build()
}

/// A refund was paid, by the processor or from the bank.
pub fn refund_succeeded(refund: RefundId, channel: Channel, amount: Money) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(refunds_payable(refund), amount)
        .credit(channel.account(), amount)
        .build()
}

/// A refund that had been paid came back: owed once more, until [`refund_failed`] makes it credit.
pub fn refund_came_back(refund: RefundId, channel: Channel, amount: Money) -> Result<Posting, PostingError> {
    refund_succeeded(refund, channel, amount).map(|posting| posting.reversed())
}

/// A refund failed: customer credit, a grant for each place of birth, in that order.
pub fn refund_failed(
    customer: CustomerId,
    refund: RefundId,
    amount: Money,
    born: &[Born],
    grants: &[GrantId],
) -> Result<Posting, PostingError> {
    let mut posting = PostingBuilder::new(amount.currency()).debit(refunds_payable(refund), amount);
    for (born, grant) in born.iter().zip(grants) {
        let part = Money::new(born.amount_minor, amount.currency());
        posting = posting.credit(customer_credit(customer, *grant), part);
    }
    posting.build()
}

/// A refund was withdrawn before it was sent: the surcharge has its share again, the rest is customer credit, a grant for each
/// place of birth, in that order.
pub fn refund_withdrawn(
    paid: &Paid,
    refund: RefundId,
    given: &GivenBack,
    grants: &[GrantId],
) -> Result<Posting, PostingError> {
    let posting =
        PostingBuilder::new(paid.currency).debit(refunds_payable(refund), paid.money(given.total_minor()));
    paid.credit_given(posting, given, grants).build()
}

impl Paid {
    /// Credits all that comes back to this payment's places.
    pub(super) fn credit_given(
        &self,
        posting: PostingBuilder,
        given: &GivenBack,
        grants: &[GrantId],
    ) -> PostingBuilder {
        let mut posting = posting.credit(surcharge_income(self.payment), self.money(given.surcharge_minor));
        for part in &given.allocated {
            let account = super::receivable(self.customer, part.invoice);
            posting = posting.credit(account, self.money(part.amount_minor));
        }
        for (born, grant) in given.born.iter().zip(grants) {
            posting = posting.credit(customer_credit(self.customer, *grant), self.money(born.amount_minor));
        }
        posting.credit(unapplied(self.payment), self.money(given.unapplied_minor))
    }
}
