//! What happens in a run: a table of operations with how often each comes. To have the simulation cover something new, write a
//! function and give it a line in [`TABLE`].
//!
//! An operation may be refused, and it may die half-way; it must never panic for that. What it was told goes into the world's
//! lists, and what it was told must stay true.

mod clockwork;
mod payers;
mod processor;
mod staff;

use crate::world::World;
pub use payers::submit;

/// Something that happens.
pub struct Operation {
    /// For the diary.
    pub name: &'static str,
    /// How often it comes, against the others.
    pub weight: usize,
    /// Does it. An error is a broken promise, never a refusal.
    pub run: fn(&mut World) -> Result<(), String>,
}

const fn operation(
    name: &'static str,
    weight: usize,
    run: fn(&mut World) -> Result<(), String>,
) -> Operation {
    Operation { name, weight, run }
}

/// Everything that happens.
pub const TABLE: &[Operation] = &[
    operation("an invoice is issued", 12, staff::issue),
    operation("a cheque is recorded", 8, staff::record),
    operation("an invoice is voided", 4, staff::void),
    operation("a credit note is issued", 6, staff::credit),
    operation("a payer starts to pay by card", 26, payers::start_card),
    operation("a payer starts to pay from a bank account", 10, payers::start_debit),
    operation("a form is submitted again", 5, payers::repeat),
    operation("two pay at the same time", 6, payers::start_two),
    operation("a payer pays on the processor's page", 34, payers::pay),
    operation("a payer comes back", 10, payers::come_back),
    operation("a payer turns back", 8, payers::turn_back),
    operation("webhooks arrive", 26, clockwork::deliver_webhooks),
    operation("a webhook arrives while jobs run", 8, clockwork::webhook_beside_jobs),
    operation("jobs run", 24, clockwork::run_jobs),
    operation("events are polled", 8, clockwork::poll),
    operation("mail is sent", 6, clockwork::send_mail),
    operation("books are sealed", 5, clockwork::seal),
    operation("old rows are swept", 1, clockwork::sweep),
    operation("time passes", 24, clockwork::let_time_pass),
    operation("the program is killed", 5, clockwork::kill),
    operation("a bank takes a debit back", 4, processor::take_back),
    operation("money comes after the end", 3, processor::pay_after_end),
    operation("another amount is taken than was asked", 3, processor::take_another_amount),
    operation("fees come later, or at once", 2, processor::change_fees),
    operation("the processor forgets its keys", 1, processor::forget_keys),
    operation("payouts become daily", 2, processor::pay_out_daily),
    operation("the next payout will fail", 1, processor::fail_next_payout),
];

/// The operation that this number means, of all weights together.
pub fn choose(mut number: usize) -> &'static Operation {
    for operation in TABLE {
        if number < operation.weight {
            return operation;
        }
        number -= operation.weight;
    }
    &TABLE[0]
}

/// All weights together.
pub fn weights() -> usize {
    TABLE.iter().map(|operation| operation.weight).sum()
}
