//! Payouts: from what the processor holds, over 1300, to the bank. Below zero the processor takes from the bank, and every posting
//! is the mirror. A payout of 0 has no posting.

use super::{Processor, bank, clearing, currency_exchange, payout_in_transit};
use crate::ids::PayoutId;
use ledger::{Account, Money, Posting, PostingError};

/// A payout was made.
pub fn payout_created(
    payout: PayoutId,
    processor: Processor,
    amount: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(payout_in_transit(payout), clearing(processor), amount)
}

/// It never went, or came back from the bank: the mirror of [`payout_created`].
pub fn payout_created_reversed(
    payout: PayoutId,
    processor: Processor,
    amount: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(clearing(processor), payout_in_transit(payout), amount)
}

/// It is booked at the bank.
pub fn payout_paid(payout: PayoutId, amount: Money) -> Result<Option<Posting>, PostingError> {
    moved(bank(), payout_in_transit(payout), amount)
}

/// The bank sent back what had been booked: the mirror of [`payout_paid`].
pub fn payout_paid_reversed(payout: PayoutId, amount: Money) -> Result<Option<Posting>, PostingError> {
    moved(payout_in_transit(payout), bank(), amount)
}

/// The processor converts what it pays out: what leaves its balance, in the currency of the balance. Together with
/// [`payout_converted_in`] it stands in the place of [`payout_created`]; its mirror undoes it.
pub fn payout_converted_out(
    payout: PayoutId,
    processor: Processor,
    amount: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(currency_exchange(payout), clearing(processor), amount)
}

/// The other side of a conversion: what is on its way, in the currency of the bank account.
pub fn payout_converted_in(payout: PayoutId, amount: Money) -> Result<Option<Posting>, PostingError> {
    moved(payout_in_transit(payout), currency_exchange(payout), amount)
}

fn moved(to: Account, from: Account, amount: Money) -> Result<Option<Posting>, PostingError> {
    if amount.is_zero() { Ok(None) } else { super::returns::signed(to, from, amount).map(Some) }
}
