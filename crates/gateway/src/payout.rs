//! The processor's own books and what it transfers to the merchant's bank.

use crate::Span;
use billing::payout::PayoutState;
use jiff::Timestamp;
use ledger::Money;

/// What a processor says about one payout, at the time it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayoutFacts {
    /// The processor's id.
    pub id: String,
    /// Where it stands.
    pub state: PayoutState,
    /// What goes to the merchant's bank, in its currency; negative where the processor takes from the bank.
    pub amount: Money,
    /// True if the processor chose its items and can list them; one that a person asked for has none.
    pub is_automatic: bool,
    /// The day it arrives or has arrived, at midnight UTC.
    pub arrives_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its line in the processor's books.
    pub line_id: Option<String>,
    /// The line by which a failed one came back.
    pub failure_line_id: Option<String>,
    /// Why it failed: the processor's own name.
    pub failure_code: Option<String>,
    /// The same for people.
    pub failure_message: Option<String>,
    /// What the bank's statement says.
    pub statement: Option<String>,
    /// True if real money moves.
    pub live: bool,
}

/// A bounded list of payouts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PayoutList {
    /// The newest first. What cannot be read is left out and logged: one must never keep the others from us.
    pub payouts: Vec<PayoutFacts>,
    /// Where the list was too long for one reading: the older part of the span, still to be read.
    pub rest: Option<Span>,
}

/// One line of the processor's books, in the currency the merchant's balance is kept in. Signs are the merchant's: what
/// came in is positive, what went out negative; a fee is positive where the processor keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BalanceLine {
    /// The processor's id.
    pub id: String,
    /// What kind of movement it is.
    pub kind: LineKind,
    /// The processor's own name of the kind, for staff and logs.
    pub word: String,
    /// What moved before the fee.
    pub amount: Money,
    /// What the processor keeps of it.
    pub fee: Money,
    /// What moved after the fee.
    pub net: Money,
    /// The object that caused it: a charge, a refund, a dispute, a payout. None for the processor's own fees.
    pub source_id: Option<String>,
    /// The payment behind that object, where it came along.
    pub payment_intent_id: Option<String>,
    /// When it was booked.
    pub created_at: Timestamp,
    /// When it can be paid out.
    pub available_at: Option<Timestamp>,
    /// Where the processor exchanged currencies: what one unit of the charge came to, as it wrote it.
    pub exchange_rate: Option<String>,
}

/// The kinds of lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum LineKind {
    /// Money of a payment came in.
    Charge,
    /// It did not arrive after all: a debit that was in the books as pending failed.
    ChargeFailure,
    /// Money of a payment went back to the payer.
    Refund,
    /// A refund did not arrive and came back.
    RefundFailure,
    /// A bank took money back, a return of a debit included.
    Dispute,
    /// It came back from a dispute.
    DisputeReversal,
    /// The transfer to the merchant's bank.
    Payout,
    /// A transfer that did not arrive and came back.
    PayoutReversal,
    /// The processor's fee for something that is no charge.
    Fee,
    /// Anything else.
    Other,
}

/// What a processor keeps by these lines together; `None` if there is none, they differ in currency, or it overflows.
pub(crate) fn sum_of_fees(lines: &[BalanceLine]) -> Option<Money> {
    let zero = Money::zero(lines.first()?.fee.currency());
    lines.iter().try_fold(zero, |sum, line| sum.checked_add(line.fee).ok())
}
