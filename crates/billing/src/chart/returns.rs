//! Money that a bank took back, or that was never really there: the return of a debit, the reversal of a recorded receipt, what
//! the customer owes of it, and fees. None of them decides what is taken from where.

use super::{
    Processor, bank, clearing, customer_credit, dispute_fee, processing_fee, receivable, return_fee,
    returned_receivable, surcharge_income, unapplied,
};
use crate::ids::{CustomerId, InvoiceId, PaymentId};
use crate::take_back::{Taken, TakenWithRest};
use ledger::{Account, Currency, Money, Posting, PostingBuilder, PostingError};

/// Where money came in, or goes out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Channel {
    /// Through a processor.
    Processor(Processor),
    /// At the merchant's bank.
    Bank,
}

impl Channel {
    /// The word the store and the API use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Processor(processor) => processor.as_str(),
            Channel::Bank => "bank",
        }
    }

    /// The channel behind such a word.
    pub fn parse(word: &str) -> Option<Channel> {
        [Channel::Processor(Processor::Stripe), Channel::Bank]
            .into_iter()
            .find(|channel| channel.as_str() == word)
    }

    pub(super) fn account(self) -> Account {
        match self {
            Channel::Processor(processor) => clearing(processor),
            Channel::Bank => bank(),
        }
    }
}

/// A payment, and whose it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Paid {
    /// Who paid.
    pub customer: CustomerId,
    /// Which payment.
    pub payment: PaymentId,
    /// In what it was captured.
    pub currency: Currency,
}

impl Paid {
    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.currency)
    }

    /// A posting that begins with the debits of all that is taken from this payment.
    pub(super) fn debit_taken(&self, taken: &Taken) -> PostingBuilder {
        let mut posting = PostingBuilder::new(self.currency)
            .debit(surcharge_income(self.payment), self.money(taken.surcharge_minor));
        for part in &taken.allocated {
            posting = posting.debit(receivable(self.customer, part.invoice), self.money(part.amount_minor));
        }
        for part in &taken.grants {
            posting =
                posting.debit(customer_credit(self.customer, part.grant), self.money(part.amount_minor));
        }
        posting.debit(unapplied(self.payment), self.money(taken.unapplied_minor))
    }
}

/// A bank returned a payment after its success, or a recorded receipt is reversed: what is left of the payment, and 1150 for the
/// rest, against where it had come in.
pub fn payment_returned(
    paid: &Paid,
    channel: Channel,
    returned: &TakenWithRest,
) -> Result<Posting, PostingError> {
    let gross = paid.money(returned.taken.total_minor().saturating_add(returned.rest_minor));
    paid.debit_taken(&returned.taken)
        .debit(returned_receivable(paid.customer), paid.money(returned.rest_minor))
        .credit(channel.account(), gross)
        .build()
}

/// What a customer owes of a returned payment is asked for on an invoice of its own.
pub fn returned_payment_demanded(
    customer: CustomerId,
    invoice: InvoiceId,
    amount: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(amount.currency())
        .debit(receivable(customer, invoice), amount)
        .credit(returned_receivable(customer), amount)
        .build()
}

/// What a processor keeps for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Fee {
    /// Carrying the payment.
    Processing,
    /// A dispute of it.
    Dispute,
    /// A return of it.
    Return,
}

impl Fee {
    fn account(self, payment: PaymentId) -> Account {
        match self {
            Fee::Processing => processing_fee(payment),
            Fee::Dispute => dispute_fee(payment),
            Fee::Return => return_fee(payment),
        }
    }
}

/// The processor reported what it kept for something. A negative fee is one that it gave back.
pub fn fee_charged(
    fee: Fee,
    payment: PaymentId,
    processor: Processor,
    amount: Money,
) -> Result<Posting, PostingError> {
    signed(fee.account(payment), clearing(processor), amount)
}

/// Debits one account and credits another, or the other way round below 0.
pub(super) fn signed(to: Account, from: Account, amount: Money) -> Result<Posting, PostingError> {
    let minor = amount.minor();
    let absolute = minor.checked_abs().ok_or(PostingError::NegativeEntry(minor))?;
    let (debit, credit) = if minor < 0 { (from, to) } else { (to, from) };
    let amount = Money::new(absolute, amount.currency());
    PostingBuilder::new(amount.currency()).debit(debit, amount).credit(credit, amount).build()
}
