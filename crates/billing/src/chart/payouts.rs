//! Payouts: from what the processor holds, over 1300, to the bank. Below zero the processor takes from the bank, and every posting
//! is the mirror. A payout of 0 has no posting.

use super::{Processor, bank, clearing, currency_exchange, payout_in_transit, processing_fee_of_account};
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

/// A line of the processor's books came in another currency than what it belongs to: what it was, in the currency it had been
/// booked in. Its other side is [`line_exchanged_in`]; 1250 carries both.
pub fn line_exchanged_out(
    payout: PayoutId,
    processor: Processor,
    booked: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(currency_exchange(payout), clearing(processor), booked)
}

/// What it became in the processor's books.
pub fn line_exchanged_in(
    payout: PayoutId,
    processor: Processor,
    line: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(clearing(processor), currency_exchange(payout), line)
}

/// The processor kept a fee that is for no payment: on 5100, by the payout that it is an item of.
pub fn account_fee_charged(
    payout: PayoutId,
    processor: Processor,
    fee: Money,
) -> Result<Option<Posting>, PostingError> {
    moved(processing_fee_of_account(payout), clearing(processor), fee)
}

fn moved(to: Account, from: Account, amount: Money) -> Result<Option<Posting>, PostingError> {
    if amount.is_zero() { Ok(None) } else { super::returns::signed(to, from, amount).map(Some) }
}
