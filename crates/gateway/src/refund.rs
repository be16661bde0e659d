//! What a processor says about money that goes back to a payer.

use crate::BalanceLine;
use billing::ids::{MerchantId, RefundId};
use billing::refund::RefundState;
use jiff::Timestamp;
use ledger::Money;

/// What a processor says about one refund, at the time it was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefundFacts {
    /// The processor's id.
    pub id: String,
    /// Our refund, as the processor keeps it for us; none where somebody made it at the processor.
    pub refund: Option<RefundId>,
    /// Our merchant.
    pub merchant: Option<MerchantId>,
    /// The processor's name of the payment.
    pub payment_intent_id: Option<String>,
    /// The charge that is given back.
    pub charge_id: Option<String>,
    /// Where it stands. Never requested or submitting: those are ours.
    pub state: RefundState,
    /// How much, in the currency of the charge.
    pub amount: Money,
    /// Why it failed, in the processor's own words.
    pub failure_reason: Option<String>,
    /// What went out of the processor's books.
    pub line: Option<BalanceLine>,
    /// What came back into them when it failed.
    pub failure_line: Option<BalanceLine>,
    /// What the payer's bank can find it by, where there is such a number.
    pub reference: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}
