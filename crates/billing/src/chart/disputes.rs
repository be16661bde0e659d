//! Disputes of card payments: withdrawn to 1220, given back, or gone. A return by a bank is none of them.

use super::{Paid, Processor, clearing, dispute_hold, dispute_loss};
use crate::ids::{DisputeId, GrantId};
use crate::take_back::{GivenBack, TakenWithRest};
use ledger::{Money, Posting, PostingBuilder, PostingError};

/// The processor withdrew what is disputed.
pub fn dispute_opened(
    dispute: DisputeId,
    processor: Processor,
    disputed: Money,
) -> Result<Posting, PostingError> {
    PostingBuilder::new(disputed.currency())
        .debit(dispute_hold(dispute), disputed)
        .credit(clearing(processor), disputed)
        .build()
}

/// It gave it back.
pub fn dispute_won(
    dispute: DisputeId,
    processor: Processor,
    disputed: Money,
) -> Result<Posting, PostingError> {
    dispute_opened(dispute, processor, disputed).map(|posting| posting.reversed())
}

/// It is gone and owed again: what is left of the payment, at most what was disputed, and 5210 for the rest.
pub fn dispute_lost(paid: &Paid, dispute: DisputeId, lost: &TakenWithRest) -> Result<Posting, PostingError> {
    let disputed = paid.money(lost.taken.total_minor().saturating_add(lost.rest_minor));
    paid.debit_taken(&lost.taken)
        .debit(dispute_loss(dispute), paid.money(lost.rest_minor))
        .credit(dispute_hold(dispute), disputed)
        .build()
}

/// It is gone and the merchant bears it: allocation and grants stay.
pub fn dispute_absorbed(dispute: DisputeId, disputed: Money) -> Result<Posting, PostingError> {
    PostingBuilder::new(disputed.currency())
        .debit(dispute_loss(dispute), disputed)
        .credit(dispute_hold(dispute), disputed)
        .build()
}

/// It was gone and came back: what the loss took goes to its places, a grant for each place of birth in that order, and
/// `loss_minor` off 5210.
pub fn dispute_won_after_lost(
    paid: &Paid,
    dispute: DisputeId,
    processor: Processor,
    loss_minor: i64,
    given: &GivenBack,
    grants: &[GrantId],
) -> Result<Posting, PostingError> {
    let disputed = paid.money(given.total_minor().saturating_add(loss_minor));
    let posting = PostingBuilder::new(paid.currency).debit(clearing(processor), disputed);
    paid.credit_given(posting, given, grants).credit(dispute_loss(dispute), paid.money(loss_minor)).build()
}
